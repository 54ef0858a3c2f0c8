using System.Globalization;

namespace Omium.Kernel.Resources;

/// <summary>
/// Names of what executions share: <c>customer/42/email</c>, segments from the general to the particular. A scope conflicts with itself, with
/// everything above it and with everything below it; siblings do not conflict. The first two segments are the <em>root</em>: everything under
/// one root is kept in one stream and taken as one step of the lock order.
/// <para>
/// An <em>alias</em> is a first segment with a colon: <c>email:ada@x.org</c>. It stands for the scope it was given, and what follows it for
/// what lies below (<c>email:ada@x.org/inbox</c>). Aliases are resolved before a root is chosen, so that nothing is locked under two names.
/// </para>
/// Normal form: Unicode NFC, letters as written (case is kept), no segment that is empty, <c>.</c> or <c>..</c>, none with white space at its
/// ends, no control characters, no <c>#</c>; at most 16 segments and 512 characters.
/// </summary>
public static class ScopeName
{
    /// <summary>Most segments.</summary>
    public const int SegmentsMax = 16;

    /// <summary>Most characters in all.</summary>
    public const int LengthMax = 512;

    /// <summary>The normal form of a scope or of an alias with what follows it; null when it is none, and <paramref name="problem"/> says why.</summary>
    public static string? Normalize(string text, out string problem)
    {
        problem = Refuse(text) ?? "";
        if (problem.Length > 0)
        {
            return null;
        }

        var normal = CanonicalComposition.Normalize(text);
        var segments = normal.Split('/');
        problem = segments.Select(RefuseSegment).FirstOrDefault(found => found is not null)
            ?? (segments.Length > SegmentsMax ? $"it has more than {SegmentsMax} segments" : null)
            ?? (segments.Length < 2 && !IsAlias(normal) ? "it has one segment; a scope has at least two, such as customer/42" : null)
            ?? "";
        return problem.Length == 0 ? normal : null;
    }

    /// <summary>True when a name in normal form begins with an alias.</summary>
    public static bool IsAlias(string scope) => AliasOf(scope).Contains(':', StringComparison.Ordinal);

    /// <summary>The first segment: the alias when it is one.</summary>
    public static string AliasOf(string scope)
    {
        var end = scope.IndexOf('/', StringComparison.Ordinal);
        return end < 0 ? scope : scope[..end];
    }

    /// <summary>The scope that an alias with what follows it stands for.</summary>
    public static string Replace(string scope, string meaning) => meaning + scope[AliasOf(scope).Length..];

    /// <summary>The first two segments.</summary>
    public static string RootOf(string scope)
    {
        var first = scope.IndexOf('/', StringComparison.Ordinal);
        var second = first < 0 ? -1 : scope.IndexOf('/', first + 1);
        return second < 0 ? scope : scope[..second];
    }

    /// <summary>True when <paramref name="scope"/> is <paramref name="above"/> or lies below it.</summary>
    public static bool Covers(string above, string scope) =>
        scope.StartsWith(above, StringComparison.Ordinal) && (scope.Length == above.Length || scope[above.Length] == '/');

    /// <summary>True when two scopes cannot be held by two owners at once.</summary>
    public static bool Conflict(string one, string other) => Covers(one, other) || Covers(other, one);

    private static string? Refuse(string text) => text switch
    {
        { Length: 0 } => "it is empty",
        { Length: > LengthMax } => $"it is longer than {LengthMax} characters",
        _ when text.Contains('#', StringComparison.Ordinal) => "it has a '#', which divides a scope from the name of a value",
        _ when !IsWellFormed(text) => "it holds half a surrogate pair",
        _ => null,
    };

    private static bool IsWellFormed(string text)
    {
        for (var at = 0; at < text.Length; at++)
        {
            if (char.IsSurrogate(text[at]) && !(char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[++at])))
            {
                return false;
            }
        }

        return true;
    }

    private static string? RefuseSegment(string segment) => segment switch
    {
        "" => "it has an empty segment",
        "." or ".." => $"it has the segment '{segment}'; a scope is a name, not a path",
        _ when char.IsWhiteSpace(segment[0]) || char.IsWhiteSpace(segment[^1]) => "a segment begins or ends with white space",
        _ when segment.Any(character => char.IsControl(character) || char.GetUnicodeCategory(character) == UnicodeCategory.Format) => "it holds a character that nobody sees (control or format)",
        _ => null,
    };
}

/// <summary>Names of shared values: a scope, <c>#</c>, and the name of a field: <c>customer/42#name</c>.</summary>
public static class StateKey
{
    /// <summary>Most characters of a field's name.</summary>
    public const int FieldLengthMax = 63;

    /// <summary>The normal form of a key; null when it is none, and <paramref name="problem"/> says why.</summary>
    public static string? Normalize(string text, out string problem)
    {
        var at = text.LastIndexOf('#');
        if (at < 0)
        {
            problem = "it names no value: write the scope, '#' and the value's name, such as customer/42#name";
            return null;
        }

        var field = text[(at + 1)..];
        if (!IsField(field))
        {
            problem = $"'{field}' is no name of a value: letters, digits and '_', a letter first, at most {FieldLengthMax}";
            return null;
        }

        return ScopeName.Normalize(text[..at], out problem) is { } scope ? $"{scope}#{field}" : null;
    }

    /// <summary>The scope of a key.</summary>
    public static string ScopeOf(string key) => key[..key.LastIndexOf('#')];

    /// <summary>The field of a key.</summary>
    public static string FieldOf(string key) => key[(key.LastIndexOf('#') + 1)..];

    /// <summary>The key's root.</summary>
    public static string RootOf(string key) => ScopeName.RootOf(ScopeOf(key));

    /// <summary>True for <c>[A-Za-z][A-Za-z0-9_]{0,62}</c>.</summary>
    public static bool IsField(string text) =>
        text.Length is > 0 and <= FieldLengthMax && char.IsAsciiLetter(text[0]) && text.All(character => char.IsAsciiLetterOrDigit(character) || character == '_');
}
