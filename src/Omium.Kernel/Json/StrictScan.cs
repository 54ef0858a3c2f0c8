using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Omium.Kernel.Json;

/// <summary>
/// One pass over a text that finds everything Omium refuses, except duplicate names in unordered objects (sorting finds those),
/// and that notices whether the text is canonical already.
/// </summary>
internal static class StrictScan
{
    public static JsonProblem? Run(ReadOnlySpan<byte> utf8, JsonLimits limits, out bool isCanonical)
    {
        isCanonical = false;
        if (utf8.Length > limits.SizeMax)
        {
            return new JsonProblem("json_too_large", $"The text has {utf8.Length} bytes; at most {limits.SizeMax} are allowed.", limits.SizeMax);
        }

        if (!Utf8.IsValid(utf8))
        {
            return new JsonProblem("json_invalid_text", "The text is not valid UTF-8.", InvalidUtf8At(utf8));
        }

        var depthMax = Math.Min(limits.DepthMax, JsonLimits.DepthCeiling);
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = depthMax + 1 });
        try
        {
            return Scan(ref reader, utf8, depthMax, out isCanonical);
        }
        catch (JsonException error)
        {
            isCanonical = false;
            return new JsonProblem("json_syntax", WithoutPosition(error.Message), reader.BytesConsumed);
        }
    }

    /// <summary>Where the second of two equal names stands. Slow, and only called when there is one.</summary>
    public static JsonProblem FindDuplicateName(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = JsonLimits.DepthCeiling + 1 });
        var names = new Stack<HashSet<string>>();
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                names.Push(new HashSet<string>(StringComparer.Ordinal));
            }
            else if (reader.TokenType == JsonTokenType.EndObject)
            {
                names.Pop();
            }
            else if (reader.TokenType == JsonTokenType.PropertyName && !names.Peek().Add(reader.GetString()!))
            {
                return new JsonProblem("json_duplicate_name", $"The name \"{reader.GetString()}\" occurs twice in one object.", reader.TokenStartIndex);
            }
        }

        throw new InvalidOperationException("A duplicate name was seen while sorting, but not while reading.");
    }

    private static JsonProblem? Scan(ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8, int depthMax, out bool isCanonical)
    {
        isCanonical = true;
        long canonicalLength = 0;
        var previous = JsonTokenType.None;

        // The last name of each open object, as a range of the text; what is deeper is overwritten on entry.
        var lastNames = ArrayPool<Range?>.Shared.Rent(depthMax + 2);
        try
        {
            while (reader.Read())
            {
                var token = reader.TokenType;
                var problem = token switch
                {
                    JsonTokenType.StartObject or JsonTokenType.StartArray => Open(ref reader, depthMax, lastNames),
                    JsonTokenType.PropertyName => CheckName(ref reader, utf8, lastNames, ref isCanonical),
                    JsonTokenType.String => CheckString(ref reader, ref isCanonical),
                    JsonTokenType.Number => CheckNumber(ref reader, ref isCanonical),
                    _ => null,
                };
                if (problem is not null)
                {
                    isCanonical = false;
                    return problem;
                }

                canonicalLength += LengthOf(ref reader) + (NeedsComma(previous, token) ? 1 : 0);
                previous = token;
            }
        }
        finally
        {
            ArrayPool<Range?>.Shared.Return(lastNames);
        }

        isCanonical &= canonicalLength == utf8.Length;
        return null;
    }

    private static JsonProblem? Open(ref Utf8JsonReader reader, int depthMax, Range?[] lastNames)
    {
        if (reader.CurrentDepth >= depthMax)
        {
            return new JsonProblem("json_too_deep", $"Arrays and objects are nested more than {depthMax} levels deep.", reader.TokenStartIndex);
        }

        lastNames[reader.CurrentDepth + 1] = null;
        return null;
    }

    private static JsonProblem? CheckName(ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8, Range?[] lastNames, ref bool isCanonical)
    {
        var problem = CheckString(ref reader, ref isCanonical);
        if (problem is not null || !isCanonical)
        {
            return problem;
        }

        var start = (int)reader.TokenStartIndex + 1;
        var name = reader.ValueSpan;
        var last = lastNames[reader.CurrentDepth];
        if (reader.ValueIsEscaped || (last is not null && CanonicalWriter.CompareNames(utf8[last.Value], name) >= 0))
        {
            // Escaped or unordered: the writer sorts, and finds duplicates on the way.
            isCanonical = false;
        }

        lastNames[reader.CurrentDepth] = start..(start + name.Length);
        return null;
    }

    private static JsonProblem? CheckString(ref Utf8JsonReader reader, ref bool isCanonical)
    {
        if (!reader.ValueIsEscaped)
        {
            return null;
        }

        var text = reader.ValueSpan;
        var highPending = false;
        for (var index = 0; index < text.Length; index++)
        {
            var unit = -1;
            if (text[index] == '\\')
            {
                index++;
                if (text[index] == 'u')
                {
                    unit = HexOf(text.Slice(index + 1, 4));
                    isCanonical &= IsMinimalEscape(text.Slice(index + 1, 4), unit);
                    index += 4;
                }
                else
                {
                    isCanonical &= text[index] != '/';
                }
            }

            var isLow = unit is >= 0xDC00 and <= 0xDFFF;
            if (highPending != isLow)
            {
                return LoneSurrogate(reader.TokenStartIndex);
            }

            highPending = unit is >= 0xD800 and <= 0xDBFF;
        }

        return highPending ? LoneSurrogate(reader.TokenStartIndex) : null;
    }

    private static JsonProblem LoneSurrogate(long offset) =>
        new("json_invalid_text", "A string holds half of a surrogate pair, which is not text.", offset);

    private static int HexOf(ReadOnlySpan<byte> digits)
    {
        var value = 0;
        foreach (var digit in digits)
        {
            value = (value << 4) | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }

        return value;
    }

    private static bool IsMinimalEscape(ReadOnlySpan<byte> digits, int unit) =>
        unit < ' ' && unit is not ('\b' or '\t' or '\n' or '\f' or '\r') && digits.IndexOfAnyInRange((byte)'A', (byte)'F') < 0;

    private static JsonProblem? CheckNumber(ref Utf8JsonReader reader, ref bool isCanonical)
    {
        var raw = reader.ValueSpan;
        if (EcmaNumber.IsPlainInteger(raw))
        {
            return null;
        }

        var value = EcmaNumber.Parse(raw);
        if (!double.IsFinite(value))
        {
            return new JsonProblem("json_number_range", "A number is beyond the range of a double.", reader.TokenStartIndex);
        }

        var isWrittenAsInteger = raw.IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0;
        var isPrintedAsInteger = Math.Abs(value) < 1e21 && Math.Truncate(value) == value;
        if ((isWrittenAsInteger || isPrintedAsInteger) && Math.Abs(value) > EcmaNumber.SafeIntegerMax)
        {
            return new JsonProblem("json_number_range", "An integer is beyond 2^53 - 1, where readers of JSON no longer agree; send it as a string.", reader.TokenStartIndex);
        }

        if (isCanonical)
        {
            Span<byte> printed = stackalloc byte[40];
            isCanonical = raw.SequenceEqual(printed[..EcmaNumber.Format(value, printed)]);
        }

        return null;
    }

    /// <summary>Bytes of a token where nothing is wasted: a name counts its quotes and colon, a string its quotes.</summary>
    private static int LengthOf(ref Utf8JsonReader reader) => reader.ValueSpan.Length + reader.TokenType switch
    {
        JsonTokenType.PropertyName => 3,
        JsonTokenType.String => 2,
        _ => 0,
    };

    private static bool NeedsComma(JsonTokenType previous, JsonTokenType token) =>
        token is not (JsonTokenType.EndObject or JsonTokenType.EndArray)
        && previous is not (JsonTokenType.None or JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.PropertyName);

    private static long InvalidUtf8At(ReadOnlySpan<byte> utf8)
    {
        var offset = 0;
        while (Rune.DecodeFromUtf8(utf8[offset..], out _, out var length) == OperationStatus.Done)
        {
            offset += length;
        }

        return offset;
    }

    private static string WithoutPosition(string message)
    {
        var positionAt = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return positionAt < 0 ? message : message[..positionAt];
    }
}
