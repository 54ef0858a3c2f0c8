using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads <c>allowed_edits</c> and <c>forbidden_edits</c>, as items of <c>recovery_actions</c> or as members of the policy.</summary>
internal sealed class EditLists(FindingList findings)
{
    /// <summary>What nobody may ever edit in a review; may be named as forbidden, for the reader's sake.</summary>
    private static readonly string[] NeverAllowed = ["core_logic", "agent_count"];

    private readonly List<string> _forbidden = [];
    private List<(string Edit, string Pointer)>? _allowed;

    public void ReadMembers(ObjectReader policy)
    {
        foreach (var name in new[] { "allowed_edits", "forbidden_edits" })
        {
            if (policy.Any(name) is { } value)
            {
                TryRead(new PolicyEntry(name, value, policy.At(name)));
            }
        }
    }

    /// <summary>True when the entry is one of the two lists.</summary>
    public bool TryRead(PolicyEntry entry)
    {
        switch (entry.Name)
        {
            case "allowed_edits":
                (_allowed ??= []).AddRange(ReadWords(entry, EditKinds.All));
                return true;
            case "forbidden_edits":
                _forbidden.AddRange(ReadWords(entry, [.. NeverAllowed, .. EditKinds.All]).Select(word => word.Edit));
                return true;
            default:
                return false;
        }
    }

    /// <summary>The two lists. Absent <c>allowed_edits</c> = every kind that is not forbidden.</summary>
    public (IReadOnlyList<string> Allowed, IReadOnlyList<string> Forbidden) Settle()
    {
        foreach (var (edit, pointer) in _allowed ?? [])
        {
            if (_forbidden.Contains(edit))
            {
                findings.Error(SpecCodes.ContradictoryEdits, pointer, $"\"{edit}\" is both allowed and forbidden.", "Keep it in one of the two lists.");
            }
        }

        var allowed = _allowed?.Select(word => word.Edit).Distinct().ToList() ?? EditKinds.All.Except(_forbidden).ToList();
        return (allowed, _forbidden.Distinct().ToList());
    }

    private List<(string Edit, string Pointer)> ReadWords(PolicyEntry entry, IReadOnlyList<string> known)
    {
        var words = new List<(string, string)>();
        if (entry.Value is not { ValueKind: JsonValueKind.Array } list)
        {
            findings.Error(SpecCodes.WrongType, entry.Pointer, $"\"{entry.Name}\" must be a list.", $"Write a list of: {string.Join(", ", known)}.");
            return words;
        }

        foreach (var (item, index) in list.EnumerateArray().Select((item, index) => (item, index)))
        {
            var pointer = JsonPointer.Append(entry.Pointer, index);
            var word = item.ValueKind == JsonValueKind.String ? item.GetString()! : "";
            if (known.Contains(word))
            {
                words.Add((word, pointer));
                continue;
            }

            var isNeverAllowed = NeverAllowed.Contains(word);
            findings.Error(
                SpecCodes.UnknownEdit,
                pointer,
                isNeverAllowed ? $"\"{word}\" can never be edited in a review." : $"\"{ObjectReader.Shorten(word)}\" is no kind of edit.",
                isNeverAllowed ? $"Remove it, or move it to forbidden_edits." : findings.Mend(word, known, $"Write one of: {string.Join(", ", known)}."));
        }

        return words;
    }
}
