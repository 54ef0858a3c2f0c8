using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Kernel.Specs.Reading;

namespace Omium.Kernel.Specs;

/// <summary>
/// Reads Workflow Spec v0 (docs/reference/workflow-spec.md) from JSON. Strict: an unknown property, a wrong type and a feature that this
/// kernel does not run are errors, all reported at once. Guarantees: deterministic, never throws for an element whose document is alive,
/// one finding per mistake. What is unreadable keeps its place (an empty id, an empty expression), so that indexes in pointers stay right;
/// <see cref="SpecChecker"/> says nothing about such places.
/// </summary>
public static class SpecReader
{
    /// <summary>The value of <c>omium</c> that is understood.</summary>
    public const string FormatVersion = "v0";

    private static readonly (string Word, string Meaning)[] Frameworks =
        [.. new[] { "crewai", "langgraph", "autogen", "sematic", "openai-agents", "custom" }.Select(word => (word, word))];

    /// <summary>Reads only; what the document means is checked by <see cref="SpecChecker.Check"/>.</summary>
    public static SpecReading Read(JsonElement source)
    {
        var findings = new FindingList();
        var spec = Read(source, findings);
        return new SpecReading(spec, findings.Ordered());
    }

    internal static WorkflowSpec? Read(JsonElement source, FindingList findings)
    {
        if (ObjectReader.Open(source, "", "the workflow", findings) is not { } reader)
        {
            return null;
        }

        _ = reader.Text("$schema");
        ReadFormatVersion(reader);
        var steps = StepReader.ReadAll(reader);
        var spec = new WorkflowSpec
        {
            Name = reader.RequiredText("name"),
            Version = reader.Integer("version") ?? 0,
            Description = reader.Text("description"),
            SourceFramework = reader.Word("source_framework", Frameworks),
            InputSchema = reader.SchemaOf("input"),
            Agents = AgentReader.ReadAll(reader),
            Tools = ToolReader.ReadAll(reader),
            Steps = steps.Steps,
            Edges = [.. steps.Edges, .. EdgeReader.ReadAll(reader)],
            Bounds = BoundsReader.Read(reader),
            Recovery = ReadRecovery(reader),
        };
        reader.Close();
        return spec;
    }

    private static void ReadFormatVersion(ObjectReader reader)
    {
        reader.RequireMember("omium");
        if (reader.Text("omium") is { } version && version != FormatVersion)
        {
            reader.Findings.Error(
                SpecCodes.UnsupportedVersion,
                reader.At("omium"),
                $"The format version \"{ObjectReader.Shorten(version)}\" is not known.",
                $"Write \"omium: {FormatVersion}\"; the number of the workflow's own version is \"version\".");
        }
    }

    private static RecoveryPolicy? ReadRecovery(ObjectReader reader) =>
        reader.Any("recovery") is { } source ? RecoveryPolicyReader.Read(source, reader.At("recovery"), reader.Findings) : null;
}
