using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Omium.Kernel.Json;

/// <summary>
/// Canonical JSON, RFC 8785 (JCS): names sorted by UTF-16 code units, numbers as ECMAScript prints them, minimal escapes,
/// no white space. Equal values have equal bytes, so digests of canonical bytes identify values.
/// Guarantees: deterministic, no culture; every element that is handed out owns its memory and may be kept for ever.
/// Elements that <see cref="TryParse"/> did not vet (say, made by a serializer) may be given to the other members; if they hold what
/// JCS cannot express (a lone surrogate, a number beyond double, more than <see cref="JsonLimits.DepthCeiling"/> levels),
/// that is a bug of the caller and throws <see cref="InvalidOperationException"/>.
/// </summary>
public static class CanonicalJson
{
    private static readonly JsonDocumentOptions ParseOptions = new() { MaxDepth = JsonLimits.DepthCeiling + 1 };

    /// <summary>
    /// Reads strict JSON. On success the element is canonical: re-parsed from its canonical form when the text was not canonical already.
    /// Refuses duplicate names, text that is not Unicode, numbers that overflow a double, integers beyond ±(2^53 - 1)
    /// (written as an integer, or printed as one by the canonical form), and what exceeds the limits. Never throws.
    /// </summary>
    public static bool TryParse(ReadOnlyMemory<byte> utf8, out JsonElement canonical, out JsonProblem? problem, JsonLimits? limits = null) =>
        TryParseSpan(utf8.Span, out canonical, out problem, limits ?? JsonLimits.Default);

    /// <summary>
    /// The same checks for an element that came from elsewhere (a request body, a serializer). Never throws for an element whose
    /// document is alive; an undefined element is <c>json_syntax</c>.
    /// </summary>
    public static bool TryNormalize(JsonElement value, out JsonElement canonical, out JsonProblem? problem, JsonLimits? limits = null)
    {
        if (value.ValueKind == JsonValueKind.Undefined)
        {
            canonical = default;
            problem = new JsonProblem("json_syntax", "There is no value.", 0);
            return false;
        }

        return TryParseSpan(JsonMarshal.GetRawUtf8Value(value), out canonical, out problem, limits ?? JsonLimits.Default);
    }

    /// <summary>Reads bytes that are known to be canonical (from the log, from <see cref="Canonicalize"/>). Other bytes are a bug and may throw <see cref="JsonException"/>.</summary>
    public static JsonElement ParseTrusted(ReadOnlySpan<byte> utf8) => JsonElement.Parse(utf8, ParseOptions);

    /// <summary>The canonical bytes of a value.</summary>
    public static byte[] Canonicalize(JsonElement value)
    {
        using var sink = new Utf8Sink();
        CanonicalWriter.Write(value, sink);
        return sink.Written.ToArray();
    }

    /// <summary>Appends the canonical bytes of a value to <paramref name="output"/>.</summary>
    public static void Write(JsonElement value, IBufferWriter<byte> output)
    {
        using var sink = new Utf8Sink();
        CanonicalWriter.Write(value, sink);
        output.Write(sink.Written);
    }

    /// <summary>SHA-256 of the canonical bytes, 64 lower-case hexadecimal digits.</summary>
    public static string Digest(JsonElement value)
    {
        using var sink = new Utf8Sink();
        CanonicalWriter.Write(value, sink);
        return Digest(sink.Written);
    }

    /// <summary>SHA-256 of bytes that are canonical already, 64 lower-case hexadecimal digits.</summary>
    public static string Digest(ReadOnlySpan<byte> canonicalBytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(canonicalBytes, hash);
        return Convert.ToHexStringLower(hash);
    }

    /// <summary>How many bytes the canonical form has. Allocates nothing that lasts.</summary>
    public static long SizeOf(JsonElement value)
    {
        using var sink = new Utf8Sink();
        CanonicalWriter.Write(value, sink);
        return sink.Written.Length;
    }

    private static bool TryParseSpan(ReadOnlySpan<byte> utf8, out JsonElement canonical, out JsonProblem? problem, JsonLimits limits)
    {
        canonical = default;
        problem = StrictScan.Run(utf8, limits, out var isCanonical);
        if (problem is not null)
        {
            return false;
        }

        var element = JsonElement.Parse(utf8, ParseOptions);
        if (isCanonical)
        {
            canonical = element;
            return true;
        }

        using var sink = new Utf8Sink();
        if (!CanonicalWriter.TryWriteUnique(element, sink))
        {
            problem = StrictScan.FindDuplicateName(utf8);
            return false;
        }

        canonical = JsonElement.Parse(sink.Written, ParseOptions);
        return true;
    }
}
