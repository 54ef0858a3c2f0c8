using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Kernel.Specs.Reading;

/// <summary>One item of a policy's list: <c>name: value</c>, or <c>name</c> alone, which stands for <c>name: true</c>.</summary>
/// <param name="Name">The word.</param>
/// <param name="Value">Its value; null when the word stands alone.</param>
/// <param name="Pointer">Where it is written.</param>
internal sealed record PolicyEntry(string Name, JsonElement? Value, string Pointer)
{
    /// <summary>The entries of a list of words and one-key maps; where order says nothing, also of one map or of maps with several keys.</summary>
    public static IReadOnlyList<PolicyEntry> ReadAll(ObjectReader owner, string name, bool keepsOrder)
    {
        if (owner.Any(name) is not { } source)
        {
            return [];
        }

        if (source.ValueKind == JsonValueKind.Object && !keepsOrder)
        {
            return OfMap(source, owner.At(name));
        }

        if (source.ValueKind != JsonValueKind.Array)
        {
            ObjectReader.ReportType(source, owner.At(name), $"\"{name}\" must be a list", owner.Findings);
            return [];
        }

        var entries = new List<PolicyEntry>();
        foreach (var item in source.EnumerateArray().Select((value, index) => (Value: value, Pointer: JsonPointer.Append(owner.At(name), index))))
        {
            AddItem(item.Value, item.Pointer, keepsOrder, entries, owner.Findings);
        }

        return entries;
    }

    /// <summary>True unless the value is <c>false</c>; a value that is neither is a finding and reads as true.</summary>
    public bool Flag(FindingList findings)
    {
        if (Value is { ValueKind: not (JsonValueKind.True or JsonValueKind.False) } wrong)
        {
            ObjectReader.ReportType(wrong, Pointer, $"\"{ObjectReader.Shorten(Name)}\" must be true or false", findings);
        }

        return Value is not { ValueKind: JsonValueKind.False };
    }

    private static void AddItem(JsonElement item, string pointer, bool keepsOrder, List<PolicyEntry> entries, FindingList findings)
    {
        if (item.ValueKind == JsonValueKind.String)
        {
            entries.Add(new PolicyEntry(item.GetString()!, null, pointer));
            return;
        }

        if (item.ValueKind != JsonValueKind.Object)
        {
            ObjectReader.ReportType(item, pointer, "an item must be a word or \"word: value\"", findings);
            return;
        }

        var members = OfMap(item, pointer);
        if (keepsOrder && members.Count > 1)
        {
            findings.Error(
                SpecCodes.InvalidValue, pointer, "Actions run in the order written, but the members of one item have no order.", "Write each action as an item of its own, with its own dash.");
        }

        entries.AddRange(members);
    }

    private static List<PolicyEntry> OfMap(JsonElement map, string pointer) =>
        [.. map.EnumerateObject().Select(member => new PolicyEntry(member.Name, member.Value, JsonPointer.Append(pointer, member.Name)))];
}
