// The one place where the kernel touches the regular expression engine: non-backtracking, length-limited, cost-counted.
#pragma warning disable RS0030 // Regex is banned everywhere else so that no backtracking pattern can enter the kernel.
using System.Text.RegularExpressions;

namespace Omium.Kernel.Text;

/// <summary>
/// A regular expression whose cost is linear in the text and known before it runs.
/// Guarantees: no backtracking (<see cref="RegexOptions.NonBacktracking"/>), no wall-clock time-out, culture-invariant.
/// Limits: a pattern of at most <see cref="PatternLengthMax"/> characters whose automaton stays under the engine's own bound.
/// </summary>
public sealed class BoundedRegex
{
    /// <summary>Longest pattern accepted, in characters.</summary>
    public const int PatternLengthMax = 4_096;

    private readonly Regex _regex;

    private BoundedRegex(Regex regex) => _regex = regex;

    /// <summary>Compiles a pattern, or says why it cannot be used. Never throws.</summary>
    public static bool TryCompile(string pattern, out BoundedRegex? compiled, out string? problem)
    {
        compiled = null;
        if (pattern.Length > PatternLengthMax)
        {
            problem = $"the pattern has {pattern.Length} characters; at most {PatternLengthMax} are allowed";
            return false;
        }

        try
        {
            compiled = new BoundedRegex(new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant));
            problem = null;
            return true;
        }
        catch (NotSupportedException)
        {
            problem = "the pattern needs backtracking (look-around, back-references) or an automaton that is too large";
        }
        catch (ArgumentException error)
        {
            problem = $"the pattern is not valid: {error.Message}";
        }

        return false;
    }

    /// <summary>Cost units of matching a text of this length: one per 16 characters, at least one.</summary>
    public static long CostOf(int textLength) => 1 + (textLength / 16);

    /// <summary>True when the pattern matches anywhere in the text.</summary>
    public bool IsMatch(string text) => _regex.IsMatch(text);
}
