using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Kernel.Specs.Suggestions;

/// <summary>
/// Proposes what would make a workflow safer: after every external effect, before every irreversible one, at every handoff. Pure and deterministic.
/// Guarantees: any subset of the patches, applied in any order, adds no error of the static checks; a spec without errors stays without. To that end
/// every patch has a place of its own; what would build on another suggestion is proposed when that one has been accepted.
/// </summary>
public static class SpecSuggester
{
    /// <summary>Most suggestions of one answer; accepting some brings the next.</summary>
    public const int SuggestionsMax = 500;

    /// <summary>Each of these costs two checks of the whole spec: a bound on the work for specs that say something unusual.</summary>
    private const int TriedOneByOneMax = 50;

    /// <summary>Suggestions for a source document, those about the first steps first; none when it cannot be read at all.</summary>
    public static IReadOnlyList<SpecSuggestion> Suggest(JsonElement source)
    {
        var reading = SpecChecker.ReadAndCheck(source);
        if (reading.Spec is not { } spec || source.ValueKind != JsonValueKind.Object)
        {
            return [];
        }

        var draft = new SuggestionDraft(source, spec);
        StepSuggestions.AddTo(draft);
        RecoverySuggestions.AddTo(draft);
        return Sound(source, reading, draft.Suggestions);
    }

    /// <summary>
    /// Leaves out what would bring an error: for a spec that says something unusual a suggestion may not fit. First all of them together are
    /// tried, which is nearly always the end of it; else each is tried on those kept so far.
    /// </summary>
    private static List<SpecSuggestion> Sound(JsonElement source, SpecReading reading, IReadOnlyList<SpecSuggestion> suggestions)
    {
        var known = Errors(reading);
        var kept = suggestions.Take(SuggestionsMax).ToList();
        if (JsonPatch.TryApply(source, kept.SelectMany(suggestion => suggestion.Patch), out var all, out _) && IsNoWorse(all, known))
        {
            return kept;
        }

        var sound = new List<SpecSuggestion>();
        foreach (var suggestion in kept.Take(TriedOneByOneMax))
        {
            var alone = JsonPatch.TryApply(source, suggestion.Patch, out var one, out _) && IsNoWorse(one, known);
            if (alone && JsonPatch.TryApply(source, sound.Append(suggestion).SelectMany(each => each.Patch), out var together, out _) && IsNoWorse(together, known))
            {
                sound.Add(suggestion);
            }
        }

        return sound;
    }

    private static bool IsNoWorse(JsonElement patched, HashSet<string> known) => Errors(SpecChecker.ReadAndCheck(patched)).IsSubsetOf(known);

    private static HashSet<string> Errors(SpecReading reading) =>
        [.. reading.Findings.Where(finding => finding.Severity == SpecSeverity.Error).Select(finding => $"{finding.Code} {finding.Pointer}")];
}
