namespace Omium.Kernel.Specs.Reading;

/// <summary>Collects findings. Memory is bounded: past <see cref="KeptMax"/> they are only counted.</summary>
internal sealed class FindingList
{
    private const int KeptMax = 10 * SpecLimits.FindingsMax;

    // Comparing words costs; a document full of mistakes is helped as much by its first thousand suggestions.
    private const int SuggestionsMax = 1_000;

    private readonly List<SpecFinding> _findings = [];
    private int _suggestions;

    public int Omitted { get; private set; }

    public IReadOnlyList<SpecFinding> Items => _findings;

    public void Error(string code, string pointer, string message, string mend) => Add(new SpecFinding(code, SpecSeverity.Error, pointer, message, mend));

    public void Warning(string code, string pointer, string message, string mend) => Add(new SpecFinding(code, SpecSeverity.Warning, pointer, message, mend));

    /// <summary>"Did you mean" with the nearest candidate, or the alternative when none is near.</summary>
    public string Mend(string word, IReadOnlyCollection<string> candidates, string otherwise) =>
        _suggestions++ < SuggestionsMax && Suggestion.Nearest(word, candidates) is { } nearest ? $"Did you mean \"{nearest}\"?" : otherwise;

    public IReadOnlyList<SpecFinding> Ordered()
    {
        var ordered = SpecFindings.Order(_findings);
        var more = Omitted + Math.Max(0, ordered.Count - SpecLimits.FindingsMax);
        if (more == 0)
        {
            return ordered;
        }

        // Errors stay ahead of warnings when something must go: an error that is cut must never look like a clean bill.
        var bySeverity = ordered.OrderBy(finding => finding.Severity).ToList();
        var mayHideErrors = Omitted > 0 || (bySeverity.Count > SpecLimits.FindingsMax && bySeverity[SpecLimits.FindingsMax].Severity == SpecSeverity.Error);
        var notice = new SpecFinding(
            SpecCodes.TooManyFindings,
            mayHideErrors ? SpecSeverity.Error : SpecSeverity.Warning,
            "",
            $"{more} further findings are not listed.",
            "Mend the listed ones first and check again.");
        return SpecFindings.Order(bySeverity.Take(SpecLimits.FindingsMax).Append(notice));
    }

    private void Add(SpecFinding finding)
    {
        if (_findings.Count < KeptMax)
        {
            _findings.Add(finding);
        }
        else
        {
            Omitted++;
        }
    }
}
