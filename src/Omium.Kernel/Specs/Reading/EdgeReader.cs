using System.Text.Json;

namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads <c>edges</c>.</summary>
internal static class EdgeReader
{
    private static readonly (string, EdgeOn)[] Outcomes = [("success", EdgeOn.Success), ("failure", EdgeOn.Failure), ("always", EdgeOn.Always)];

    public static IEnumerable<EdgeSpec> ReadAll(ObjectReader workflow)
    {
        var edges = new List<EdgeSpec>();
        foreach (var (item, pointer) in workflow.Items("edges"))
        {
            if (ObjectReader.Open(item, pointer, "an edge", workflow.Findings) is { } reader)
            {
                edges.Add(Read(reader));
            }
        }

        return edges;
    }

    private static EdgeSpec Read(ObjectReader reader)
    {
        var edge = new EdgeSpec
        {
            From = reader.RequiredText("from"),
            To = reader.RequiredText("to"),
            On = reader.Choice("on", Outcomes) ?? EdgeOn.Success,
            When = reader.Text("when"),
            VisitsMax = reader.Integer("max_visits"),
            Pointer = reader.Pointer,
        };
        FeatureGate.ReportMember(reader, UnavailableFeatures.Handoff);
        ReadHandoff(reader);
        reader.Close();
        return edge;
    }

    private static void ReadHandoff(ObjectReader edge)
    {
        if (edge.Object("handoff", "a handoff") is not { } reader)
        {
            return;
        }

        if (reader.Any("schema") is { ValueKind: not (JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False) } schema)
        {
            ObjectReader.ReportType(schema, reader.At("schema"), "a schema must be an object, true or false", reader.Findings);
        }

        _ = reader.Texts("constraints");
        _ = reader.Flag("acknowledge");
        foreach (var (_, source, pointer) in reader.Members("claims"))
        {
            ReadClaim(source, pointer, reader.Findings);
        }

        reader.Close();
    }

    private static void ReadClaim(JsonElement source, string pointer, FindingList findings)
    {
        if (ObjectReader.Open(source, pointer, "a claim", findings) is not { } claim)
        {
            return;
        }

        _ = claim.RequiredText("said");
        claim.RequireMember("seen");
        if (claim.Any("seen") is { ValueKind: not JsonValueKind.String } measured
            && ObjectReader.Open(measured, claim.At("seen"), "what the receiver measures with", findings) is { } tool)
        {
            _ = tool.RequiredText("tool");
            tool.Close();
        }

        claim.Close();
    }
}
