using System.Text;

namespace Omium.Kernel.Schemas;

/// <summary>References resolved against a base as RFC 3986, section 5.2, describes it; any text gives an answer.</summary>
internal static class SchemaUri
{
    /// <summary>What relative references are resolved against when a schema names no URI of its own.</summary>
    public const string DefaultBase = "schema:/";

    /// <summary>Splits at the first #; the fragment is null when there is none.</summary>
    public static (string Uri, string? Fragment) Split(string reference)
    {
        var at = reference.IndexOf('#', StringComparison.Ordinal);
        return at < 0 ? (reference, null) : (reference[..at], reference[(at + 1)..]);
    }

    /// <summary>The absolute form of a reference without fragment.</summary>
    public static string Resolve(string baseUri, string reference)
    {
        if (reference.Length == 0)
        {
            return baseUri;
        }

        var target = Parts.Of(reference);
        if (target.Scheme is not null)
        {
            return target.Authority is null && !target.Path.StartsWith('/') ? reference : (target with { Path = WithoutDots(target.Path) }).ToString();
        }

        var origin = Parts.Of(baseUri);
        if (target.Authority is not null)
        {
            return (target with { Scheme = origin.Scheme, Path = WithoutDots(target.Path) }).ToString();
        }

        if (target.Path.Length == 0)
        {
            return (origin with { Query = target.Query ?? origin.Query }).ToString();
        }

        var path = target.Path.StartsWith('/') ? target.Path
            : origin.Authority is not null && origin.Path.Length == 0 ? "/" + target.Path
            : origin.Path[..(origin.Path.LastIndexOf('/') + 1)] + target.Path;
        return (origin with { Path = WithoutDots(path), Query = target.Query }).ToString();
    }

    private static string WithoutDots(string path)
    {
        if (!path.Contains("/.", StringComparison.Ordinal) && !path.StartsWith('.'))
        {
            return path;
        }

        var kept = new List<string>();
        var segments = path.Split('/');
        for (var index = 0; index < segments.Length; index++)
        {
            var isLast = index == segments.Length - 1;
            if (segments[index] == "..")
            {
                if (kept.Count > 1)
                {
                    kept.RemoveAt(kept.Count - 1);
                }
            }
            else if (segments[index] != ".")
            {
                kept.Add(segments[index]);
                continue;
            }

            if (isLast)
            {
                kept.Add("");
            }
        }

        return string.Join('/', kept);
    }

    private sealed record Parts(string? Scheme, string? Authority, string Path, string? Query)
    {
        public static Parts Of(string uri)
        {
            string? scheme = null, authority = null, query = null;
            var rest = uri;
            var colonAt = rest.IndexOf(':', StringComparison.Ordinal);
            if (colonAt > 0 && char.IsAsciiLetter(rest[0]) && rest.AsSpan(0, colonAt).IndexOfAnyExcept(SchemeLetters) < 0)
            {
                (scheme, rest) = (rest[..colonAt], rest[(colonAt + 1)..]);
            }

            var queryAt = rest.IndexOf('?', StringComparison.Ordinal);
            if (queryAt >= 0)
            {
                (query, rest) = (rest[(queryAt + 1)..], rest[..queryAt]);
            }

            if (rest.StartsWith("//", StringComparison.Ordinal))
            {
                var pathAt = rest.IndexOf('/', 2);
                (authority, rest) = pathAt < 0 ? (rest[2..], "") : (rest[2..pathAt], rest[pathAt..]);
            }

            return new Parts(scheme, authority, rest, query);
        }

        private static readonly System.Buffers.SearchValues<char> SchemeLetters =
            System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.");

        public override string ToString()
        {
            var text = new StringBuilder();
            text.Append(Scheme is null ? "" : Scheme + ":").Append(Authority is null ? "" : "//" + Authority).Append(Path);
            return text.Append(Query is null ? "" : "?" + Query).ToString();
        }
    }
}
