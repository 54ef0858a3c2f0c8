using System.Text.Json;

namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads <c>handoff</c> of an edge.</summary>
internal static class HandoffReader
{
    public static HandoffSpec? Read(ObjectReader edge)
    {
        if (edge.Object("handoff", "a handoff") is not { } reader)
        {
            return null;
        }

        var schema = reader.Any("schema");
        if (schema is { ValueKind: not (JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False) } wrong)
        {
            ObjectReader.ReportType(wrong, reader.At("schema"), "a schema must be an object, true or false", reader.Findings);
            schema = null;
        }

        var handoff = new HandoffSpec
        {
            Schema = schema,
            Constraints = reader.Texts("constraints"),
            Acknowledge = reader.Flag("acknowledge") ?? false,
            Claims = [.. reader.Members("claims")
                .Select(member => ReadClaim(member.Name, member.Value, member.Pointer, reader.Findings)).OfType<ClaimSpec>()
                .OrderBy(claim => claim.Name, StringComparer.Ordinal)],
            Pointer = reader.Pointer,
        };
        reader.Close();
        return handoff;
    }

    private static ClaimSpec? ReadClaim(string name, JsonElement source, string pointer, FindingList findings)
    {
        if (ObjectReader.Open(source, pointer, "a claim", findings) is not { } claim)
        {
            return null;
        }

        var said = claim.RequiredText("said");
        var seen = claim.Any("seen");
        var read = new ClaimSpec(name, said, null, null, null, null);
        if (seen is { ValueKind: JsonValueKind.String } expression)
        {
            read = read with { Seen = expression.GetString() };
        }
        else if (seen is { } measured && ObjectReader.Open(measured, claim.At("seen"), "what the receiver measures with", findings) is { } tool)
        {
            read = read with { Tool = tool.RequiredText("tool"), Arguments = tool.Any("arguments"), Value = tool.Text("value") };
            tool.Close();
        }

        claim.Close();
        return read;
    }
}
