using System.Globalization;

namespace Omium.Kernel.Specs;

/// <summary>How bad a finding is.</summary>
public enum SpecSeverity
{
    /// <summary>The workflow cannot be saved.</summary>
    Error,

    /// <summary>The workflow can be saved, but is likely not what its author meant.</summary>
    Warning,
}

/// <summary>One finding of reading or of the static checks.</summary>
/// <param name="Code">Stable code (<see cref="SpecCodes"/>); each has a page under docs/errors.</param>
/// <param name="Severity">How bad it is.</param>
/// <param name="Pointer">JSON pointer (RFC 6901) into the source document.</param>
/// <param name="Message">What is wrong, one sentence.</param>
/// <param name="Mend">How to mend it, one sentence.</param>
public sealed record SpecFinding(string Code, SpecSeverity Severity, string Pointer, string Message, string Mend);

/// <summary>What reading a source document gave.</summary>
/// <param name="Spec">As much as could be read; null only when the document is no object. Fit to run only without errors.</param>
/// <param name="Findings">In the order of <see cref="SpecFindings.Order"/>.</param>
public sealed record SpecReading(WorkflowSpec? Spec, IReadOnlyList<SpecFinding> Findings)
{
    /// <summary>True when at least one finding is an error.</summary>
    public bool HasErrors => Findings.Any(finding => finding.Severity == SpecSeverity.Error);
}

/// <summary>The one order of findings.</summary>
public static class SpecFindings
{
    /// <summary>By pointer, token by token, array indexes as numbers; then by code, then by message. Equal findings are given once.</summary>
    public static IReadOnlyList<SpecFinding> Order(IEnumerable<SpecFinding> findings)
    {
        var ordered = findings.Distinct().ToList();
        ordered.Sort(Compare);
        return ordered;
    }

    private static int Compare(SpecFinding left, SpecFinding right)
    {
        var byPointer = ComparePointers(left.Pointer, right.Pointer);
        if (byPointer != 0)
        {
            return byPointer;
        }

        var byCode = string.CompareOrdinal(left.Code, right.Code);
        return byCode != 0 ? byCode : string.CompareOrdinal(left.Message, right.Message);
    }

    private static int ComparePointers(string left, string right)
    {
        var leftTokens = left.Split('/');
        var rightTokens = right.Split('/');
        for (var index = 0; index < Math.Min(leftTokens.Length, rightTokens.Length); index++)
        {
            var byToken = CompareTokens(leftTokens[index], rightTokens[index]);
            if (byToken != 0)
            {
                return byToken;
            }
        }

        return leftTokens.Length.CompareTo(rightTokens.Length);
    }

    private static int CompareTokens(string left, string right)
    {
        var bothIndexes = int.TryParse(left, NumberStyles.None, CultureInfo.InvariantCulture, out var leftIndex)
            & int.TryParse(right, NumberStyles.None, CultureInfo.InvariantCulture, out var rightIndex);
        return bothIndexes && leftIndex != rightIndex ? leftIndex.CompareTo(rightIndex) : string.CompareOrdinal(left, right);
    }
}
