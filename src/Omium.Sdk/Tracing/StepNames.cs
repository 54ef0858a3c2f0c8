using System.Text.RegularExpressions;

namespace Omium.Tracing;

/// <summary>Names of steps, keys, agents and executions, as docs/reference/traced-executions.md fixes them.</summary>
internal static partial class StepNames
{
    /// <summary>True for an id of an execution.</summary>
    public static bool IsExecution(string text) => ExecutionId().IsMatch(text);

    /// <summary>The name, if it is one.</summary>
    /// <exception cref="OmiumException">It is none.</exception>
    public static string Check(string name, string what) => Name().IsMatch(name)
        ? name
        : throw new OmiumException($"{what} cannot be called '{name}': a name has 1 to 100 letters, digits, '_', ':', '-' and inner spaces", "invalid_name");

    [GeneratedRegex("^exe_[0-9a-hjkmnp-tv-z]{26}$", RegexOptions.NonBacktracking)]
    private static partial Regex ExecutionId();

    [GeneratedRegex("^[A-Za-z0-9_:-](?:[A-Za-z0-9_: -]{0,98}[A-Za-z0-9_:-])?$", RegexOptions.NonBacktracking)]
    private static partial Regex Name();
}
