using System.Globalization;
using System.Text.Json;

namespace Omium.Kernel.Json;

/// <summary>JSON Pointers, RFC 6901: the empty text is the whole value, <c>/a~1b/0</c> is item 0 of member "a/b".</summary>
public static class JsonPointer
{
    /// <summary>One reference token, escaped: <c>~</c> as <c>~0</c>, <c>/</c> as <c>~1</c>.</summary>
    public static string Escape(string token) =>
        token.AsSpan().IndexOfAny('~', '/') < 0 ? token : token.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    /// <summary>The name behind one escaped token.</summary>
    public static string Unescape(string token) =>
        token.Contains('~', StringComparison.Ordinal) ? token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal) : token;

    /// <summary>The pointer to a member of what <paramref name="pointer"/> points to.</summary>
    public static string Append(string pointer, string name) => $"{pointer}/{Escape(name)}";

    /// <summary>The pointer to an item of what <paramref name="pointer"/> points to.</summary>
    public static string Append(string pointer, int index) => string.Create(CultureInfo.InvariantCulture, $"{pointer}/{index}");

    /// <summary>The names of a pointer in order, unescaped; null when it is not a pointer (not empty and no leading slash, or a bad escape).</summary>
    public static string[]? Split(string pointer)
    {
        if (pointer.Length == 0)
        {
            return [];
        }

        if (pointer[0] != '/' || HasBadEscape(pointer))
        {
            return null;
        }

        var tokens = pointer[1..].Split('/');
        for (var index = 0; index < tokens.Length; index++)
        {
            tokens[index] = Unescape(tokens[index]);
        }

        return tokens;
    }

    /// <summary>Finds what a pointer points to. False when there is no such place or the text is not a pointer. Never throws.</summary>
    public static bool TryResolve(JsonElement root, string pointer, out JsonElement value)
    {
        value = root;
        if (Split(pointer) is not { } tokens)
        {
            return false;
        }

        foreach (var token in tokens)
        {
            if (!TryStep(value, token, out value))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryStep(JsonElement parent, string token, out JsonElement child)
    {
        child = default;
        if (parent.ValueKind == JsonValueKind.Object)
        {
            return parent.TryGetProperty(token, out child);
        }

        var isIndex = parent.ValueKind == JsonValueKind.Array
            && (token == "0" || !token.StartsWith('0'))
            && int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            && index < parent.GetArrayLength();
        if (isIndex)
        {
            child = parent[int.Parse(token, CultureInfo.InvariantCulture)];
        }

        return isIndex;
    }

    private static bool HasBadEscape(string pointer)
    {
        for (var at = pointer.IndexOf('~', StringComparison.Ordinal); at >= 0; at = pointer.IndexOf('~', at + 1))
        {
            if (at + 1 == pointer.Length || pointer[at + 1] is not ('0' or '1'))
            {
                return true;
            }
        }

        return false;
    }
}
