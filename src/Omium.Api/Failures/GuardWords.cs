using System.Text.RegularExpressions;

namespace Omium.Api.Failures;

/// <summary>
/// A check in words, for prompts and people: <c>output.apr >= 2.5 &amp;&amp; output.apr &lt;= 8.5</c> is "apr must be between 2.5 and 8.5". Comparisons of a
/// path with a literal, joined by <c>&amp;&amp;</c>, are understood; any other check is quoted as it is.
/// </summary>
internal static partial class GuardWords
{
    /// <summary>The rule without a full stop.</summary>
    public static string Rule(string check)
    {
        var parts = check.Split("&&").Select(part => Comparison().Match(part)).ToArray();
        if (!parts.All(part => part.Success))
        {
            return $"this must hold: {check}";
        }

        var rules = new List<string>();
        foreach (var path in parts.GroupBy(part => part.Groups["path"].Value))
        {
            var from = path.FirstOrDefault(part => part.Groups["sign"].Value == ">=");
            var to = path.FirstOrDefault(part => part.Groups["sign"].Value == "<=");
            var others = from is not null && to is not null ? path.Where(part => part != from && part != to) : path;
            if (from is not null && to is not null)
            {
                rules.Add($"{Name(path.Key)} must be between {from.Groups["value"].Value} and {to.Groups["value"].Value}");
            }

            rules.AddRange(others.Select(part => $"{Name(path.Key)} must {Sign(part.Groups["sign"].Value)} {part.Groups["value"].Value}"));
        }

        return string.Join(", and ", rules);
    }

    /// <summary>The numbers and texts that a check compares with, as written.</summary>
    public static IReadOnlyList<string> Literals(string check) =>
        [.. check.Split("&&").Select(part => Comparison().Match(part)).Where(part => part.Success).Select(part => part.Groups["value"].Value.Trim('"', '\'')).Distinct()];

    /// <summary>The last name of a path: what the agent's own answer calls it.</summary>
    public static string Name(string path) => path[(path.LastIndexOf('.') + 1)..];

    private static string Sign(string sign) => sign switch
    {
        ">=" => "be at least",
        "<=" => "be at most",
        ">" => "be greater than",
        "<" => "be less than",
        "!=" => "not be",
        _ => "be",
    };

    [GeneratedRegex("""^\s*\(?\s*(?<path>[A-Za-z_][\w.]*)\s*(?<sign>>=|<=|==|!=|>|<)\s*(?<value>-?\d+(\.\d+)?|"[^"\\]*"|'[^'\\]*'|true|false)\s*\)?\s*$""", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Comparison();
}
