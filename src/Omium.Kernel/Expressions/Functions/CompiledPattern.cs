using Omium.Kernel.Text;

namespace Omium.Kernel.Expressions;

/// <summary>A pattern in RE2 syntax, ready to match. The problem is kept too, so that a bad pattern is looked at once.</summary>
internal sealed class CompiledPattern
{
    private CompiledPattern(string source, BoundedRegex? regex, string? problem, int size)
    {
        Source = source;
        Regex = regex;
        Problem = problem;
        Size = size;
    }

    public string Source { get; }

    public BoundedRegex? Regex { get; }

    public string? Problem { get; }

    /// <summary>Parts of the pattern with repetitions written out.</summary>
    public int Size { get; }

    public static CompiledPattern Compile(string source)
    {
        string? translated = Re2Translator.TryTranslate(source, out string? problem, out int size);
        BoundedRegex? regex = null;
        if (translated is not null && !BoundedRegex.TryCompile(translated, out regex, out problem))
        {
            regex = null;
        }

        return new CompiledPattern(source, regex, problem, size);
    }

    /// <summary>
    /// Cost of matching a text: at worst every character makes a new state of the automaton, which is as large as the pattern.
    /// </summary>
    public long CostOf(int textLength) => BoundedRegex.CostOf(textLength) * Math.Max(1, Size / 4);
}
