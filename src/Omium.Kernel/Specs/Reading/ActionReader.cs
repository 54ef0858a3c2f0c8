using System.Text.Json;

namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads one action of a recovery policy.</summary>
internal static class ActionReader
{
    /// <summary>Words of the short form, and what they stand for.</summary>
    private static readonly Dictionary<string, RecoveryAction[]> Phrases = new(StringComparer.Ordinal)
    {
        ["rollback_to_last_checkpoint"] = [new RecoveryAction("rollback_to", "last")],
        ["pause_and_notify"] = [new RecoveryAction("pause"), new RecoveryAction("notify")],
        ["await_human_review"] = [new RecoveryAction("await_review")],
    };

    private static readonly string[] Plain = ["retry", "compensate", "pause", "skip", "fail", "await_review"];

    /// <summary>Actions that take a name; <c>notify</c> may go without.</summary>
    private static readonly string[] WithArgument = ["rollback_to", "notify", "escalate_to", "use_agent"];

    public static IReadOnlyList<RecoveryAction> Read(PolicyEntry entry, FindingList findings)
    {
        if (Phrases.TryGetValue(entry.Name, out var phrase))
        {
            return entry.Flag(findings) ? phrase : [];
        }

        if (Plain.Contains(entry.Name))
        {
            return entry.Flag(findings) ? [new RecoveryAction(entry.Name)] : [];
        }

        if (WithArgument.Contains(entry.Name))
        {
            return ReadWithArgument(entry, findings);
        }

        var words = Phrases.Keys.Concat(Plain).Concat(WithArgument).Append("allowed_edits").Append("forbidden_edits").ToList();
        findings.Error(
            SpecCodes.UnknownAction,
            entry.Pointer,
            $"\"{ObjectReader.Shorten(entry.Name)}\" is no recovery action.",
            findings.Mend(entry.Name, words, $"Write one of: {string.Join(", ", words)}."));
        return [];
    }

    private static RecoveryAction[] ReadWithArgument(PolicyEntry entry, FindingList findings)
    {
        if (entry.Value is { ValueKind: JsonValueKind.String } argument)
        {
            return [new RecoveryAction(entry.Name, argument.GetString())];
        }

        if (entry.Name == "notify")
        {
            return entry.Flag(findings) ? [new RecoveryAction("notify")] : [];
        }

        if (entry.Value is { ValueKind: JsonValueKind.False })
        {
            return [];
        }

        findings.Error(
            SpecCodes.RequiredMissing, entry.Pointer, $"\"{entry.Name}\" needs a name.", entry.Name == "rollback_to" ? "Write \"rollback_to: last\" or the name of a checkpoint." : $"Write \"{entry.Name}: name\".");
        return [];
    }
}
