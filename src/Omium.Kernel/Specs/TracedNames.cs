using System.Buffers;
using System.Globalization;

namespace Omium.Kernel.Specs;

/// <summary>
/// How what a traced execution does is named. A step is <c>name@key</c>: the caller's name and which call of that name it is (the n-th by default). The
/// names are those of the caller's code, so that the timeline reads like it; <c>@</c>, <c>~</c> and <c>.</c> stay free for Omium.
/// </summary>
public static class TracedNames
{
    /// <summary>Longest name, and longest key, in characters.</summary>
    public const int LengthMax = 100;

    /// <summary>The step that stands for the program itself: its failure is the execution's.</summary>
    public const string Program = "program";

    private const char Mark = '@';

    private static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:- ");

    /// <summary>The step of a name and a key.</summary>
    public static string Of(string name, string key) => string.Create(CultureInfo.InvariantCulture, $"{name}{Mark}{key}");

    /// <summary>True for a step of a traced execution.</summary>
    public static bool Is(string step) => step.Contains(Mark, StringComparison.Ordinal);

    /// <summary>The name without the key: what people call the step, and its checkpoint.</summary>
    public static string NameOf(string step) => step.LastIndexOf(Mark) is > 0 and var at ? step[..at] : step;

    /// <summary>The key.</summary>
    public static string KeyOf(string step) => step.LastIndexOf(Mark) is > 0 and var at ? step[(at + 1)..] : "";

    /// <summary>True for a name or key that may be used: 1 to 100 of A-Z, a-z, 0-9, <c>_</c>, <c>:</c>, <c>-</c> and inner spaces.</summary>
    public static bool IsAllowed(string text) =>
        text.Length is > 0 and <= LengthMax && text[0] != ' ' && text[^1] != ' ' && !text.AsSpan().ContainsAnyExcept(Allowed);
}
