using System.Text.Encodings.Web;
using System.Text.Json;
using Omium.Kernel.Schemas;
using Omium.Kernel.Specs;
using Omium.Runtime.Specs;

namespace Omium.Runtime.Tests.Specs;

/// <summary>Workflows with what the checks say about them, byte for byte, and the examples, which are without fault (beside them stand scripts of models, *.model.yaml).</summary>
public class SpecGoldenTests
{
    private static readonly JsonSerializerOptions GoldenForm = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static TheoryData<string> Goldens => [.. Repository.FilesOf("tests/golden/specs", "*.yaml")];

    public static TheoryData<string> Examples => [.. Repository.FilesOf("examples", "*.yaml").Where(path => !path.EndsWith(".model.yaml", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Goldens))]
    public void ReadAndCheck_Golden_FindsExactlyWhatIsRecorded(string path)
    {
        var expectedPath = Path.ChangeExtension(path, ".findings.json");
        var actual = Render(SpecChecker.ReadAndCheck(Parse(path)).Findings);
        if (Environment.GetEnvironmentVariable("OMIUM_RECORD_GOLDENS") == "1")
        {
            File.WriteAllText(Path.Combine(Repository.Root, expectedPath), actual);
        }

        Assert.Equal(Repository.Read(expectedPath), actual);
    }

    [Fact]
    public void Goldens_Together_ShowAlmostEveryCode()
    {
        var shown = Repository.FilesOf("tests/golden/specs", "*.yaml")
            .SelectMany(path => SpecChecker.ReadAndCheck(Parse(path)).Findings)
            .Select(finding => finding.Code)
            .ToHashSet();

        // These two need a document of thousands of parts; the kernel's tests show them.
        Assert.Equal(["too_many_findings", "workflow_too_large"], SpecCodes.All.Except(shown).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Pointers_OfFindings_LeadIntoTheDocument(string path)
    {
        var document = Parse(path);
        foreach (var finding in SpecChecker.ReadAndCheck(document).Findings)
        {
            // What is missing has no place of its own: its owner has.
            var owner = finding.Pointer.Length == 0 ? "" : finding.Pointer[..finding.Pointer.LastIndexOf('/')];
            Assert.True(Kernel.Json.JsonPointer.TryResolve(document, owner, out _), finding.Pointer);
        }
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void ReadAndCheck_Example_FindsNothing(string path)
    {
        var reading = SpecChecker.ReadAndCheck(Parse(path));

        Assert.Equal("[]\n", Render(reading.Findings));
        Assert.NotNull(WorkflowPlan.TryCompile(reading.Spec!, out var problem));
        Assert.Null(problem);
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void Schema_Example_IsValid(string path)
    {
        var result = Schema().Validate(Parse(path));

        Assert.True(result.IsValid, string.Join('\n', result.Errors));
    }

    [Fact]
    public void Schema_EverythingWrong_IsInvalidInManyPlaces()
    {
        var result = Schema().Validate(Parse("tests/golden/specs/everything-wrong.yaml"));

        Assert.False(result.IsValid);
        string[] places = ["/omium", "/name", "/colour", "/steps/13", "/recovery/retry_policy/max_retries"];
        Assert.All(places, place => Assert.Contains(result.Errors, error => error.InstancePointer == place));
    }

    [Fact]
    public void Codes_All_HaveAPageAndARow()
    {
        var reference = Repository.Read("docs/reference/workflow-spec.md");
        Assert.All(SpecCodes.All, code =>
        {
            var page = Repository.Read($"docs/errors/{code}.md");
            Assert.All(["# " + code + "\n", "## Cause\n\n", "## Fix\n\n", "## Common mistakes\n\n- "], part => Assert.Contains(part, page, StringComparison.Ordinal));
            Assert.Contains($"[{code}](../errors/{code}.md)", reference, StringComparison.Ordinal);
        });
    }

    private static JsonSchema Schema()
    {
        var schema = JsonSchema.TryCompile(SpecSchema.Json, out var problems);
        Assert.True(schema is not null, string.Join('\n', problems));
        return schema;
    }

    private static JsonElement Parse(string path)
    {
        Assert.True(SpecText.TryRead(Repository.Read(path), out var value, out var problem), $"{path}: {problem}");
        return value;
    }

    private static string Render(IEnumerable<SpecFinding> findings)
    {
        var rows = findings.Select(finding => new { code = finding.Code, severity = finding.Severity == SpecSeverity.Error ? "error" : "warning", pointer = finding.Pointer, message = finding.Message, mend = finding.Mend });
        return JsonSerializer.Serialize(rows, GoldenForm) + "\n";
    }
}
