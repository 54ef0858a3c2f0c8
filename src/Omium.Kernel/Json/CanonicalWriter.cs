using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Omium.Kernel.Json;

/// <summary>Prints values in canonical form. Names that are in order already, the usual case, are not sorted again.</summary>
internal static class CanonicalWriter
{
    private const int NumberLengthMax = 40;

    public static void Write(JsonElement value, Utf8Sink sink)
    {
        if (!TryWrite(value, sink, depth: 0, refuseDuplicates: false))
        {
            throw new InvalidOperationException("Canonical JSON was asked for more levels than it supports.");
        }
    }

    /// <summary>False when two members of one object have the same name.</summary>
    public static bool TryWriteUnique(JsonElement value, Utf8Sink sink) => TryWrite(value, sink, depth: 0, refuseDuplicates: true);

    /// <summary>Orders UTF-8 names as RFC 8785 wants it: by UTF-16 code units.</summary>
    public static int CompareNames(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var common = left.CommonPrefixLength(right);
        if (common == left.Length || common == right.Length)
        {
            return left.Length.CompareTo(right.Length);
        }

        int first = left[common], second = right[common];

        // UTF-8 sorts by code point. UTF-16 differs in one place: surrogate pairs (lead bytes F0..F4) come before U+E000..U+FFFF (EE, EF).
        if (first >= 0xEE && second >= 0xEE && (first >= 0xF0) != (second >= 0xF0))
        {
            return first >= 0xF0 ? -1 : 1;
        }

        return first.CompareTo(second);
    }

    private static bool TryWrite(JsonElement value, Utf8Sink sink, int depth, bool refuseDuplicates)
    {
        if (depth > JsonLimits.DepthCeiling)
        {
            return false;
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                return TryWriteObject(value, sink, depth, refuseDuplicates);
            case JsonValueKind.Array:
                sink.Add((byte)'[');
                var isFirst = true;
                foreach (var item in value.EnumerateArray())
                {
                    if (!isFirst)
                    {
                        sink.Add((byte)',');
                    }

                    isFirst = false;
                    if (!TryWrite(item, sink, depth + 1, refuseDuplicates))
                    {
                        return false;
                    }
                }

                sink.Add((byte)']');
                return true;
            case JsonValueKind.String:
                var raw = JsonMarshal.GetRawUtf8Value(value);
                WriteString(raw[1..^1], sink);
                return true;
            case JsonValueKind.Number:
                WriteNumber(JsonMarshal.GetRawUtf8Value(value), sink);
                return true;
            case JsonValueKind.Undefined:
                throw new InvalidOperationException("An undefined element has no canonical form.");
            default:
                sink.Add(JsonMarshal.GetRawUtf8Value(value));
                return true;
        }
    }

    private static bool TryWriteObject(JsonElement value, Utf8Sink sink, int depth, bool refuseDuplicates)
    {
        sink.Add((byte)'{');
        if (IsOrdered(value))
        {
            var isFirst = true;
            foreach (var property in value.EnumerateObject())
            {
                WriteName(JsonMarshal.GetRawUtf8PropertyName(property), sink, isFirst);
                isFirst = false;
                if (!TryWrite(property.Value, sink, depth + 1, refuseDuplicates))
                {
                    return false;
                }
            }
        }
        else if (!TryWriteSorted(value, sink, depth, refuseDuplicates))
        {
            return false;
        }

        sink.Add((byte)'}');
        return true;
    }

    private static bool TryWriteSorted(JsonElement value, Utf8Sink sink, int depth, bool refuseDuplicates)
    {
        var members = new Member[value.GetPropertyCount()];
        var count = 0;
        foreach (var property in value.EnumerateObject())
        {
            var raw = JsonMarshal.GetRawUtf8PropertyName(property);
            members[count] = new Member(property, raw.Contains((byte)'\\') ? Encoding.UTF8.GetBytes(Unescape(raw)) : null, count);
            count++;
        }

        Array.Sort(members);
        for (var index = 0; index < members.Length; index++)
        {
            if (index > 0 && members[index].HasNameOf(members[index - 1]))
            {
                if (refuseDuplicates)
                {
                    return false;
                }

                throw new InvalidOperationException("Two members of an object have the same name.");
            }

            WriteName(JsonMarshal.GetRawUtf8PropertyName(members[index].Property), sink, index == 0);
            if (!TryWrite(members[index].Property.Value, sink, depth + 1, refuseDuplicates))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Strictly ascending names without escapes: nothing to sort and no duplicate possible.</summary>
    private static bool IsOrdered(JsonElement value)
    {
        ReadOnlySpan<byte> previous = default;
        var isFirst = true;
        foreach (var property in value.EnumerateObject())
        {
            var name = JsonMarshal.GetRawUtf8PropertyName(property);
            if (name.Contains((byte)'\\') || (!isFirst && CompareNames(previous, name) >= 0))
            {
                return false;
            }

            previous = name;
            isFirst = false;
        }

        return true;
    }

    private static void WriteName(ReadOnlySpan<byte> raw, Utf8Sink sink, bool isFirst)
    {
        if (!isFirst)
        {
            sink.Add((byte)',');
        }

        WriteString(raw, sink);
        sink.Add((byte)':');
    }

    /// <param name="raw">The text between the quotes, as it stood in valid JSON.</param>
    /// <param name="sink">Where it goes, with quotes.</param>
    private static void WriteString(ReadOnlySpan<byte> raw, Utf8Sink sink)
    {
        sink.Add((byte)'"');
        if (!raw.Contains((byte)'\\'))
        {
            // Valid JSON has no control character and no quote here, and JCS escapes nothing else.
            sink.Add(Utf8.IsValid(raw) ? raw : throw new InvalidOperationException("A string is not valid UTF-8."));
        }
        else
        {
            WriteEscaped(Unescape(raw), sink);
        }

        sink.Add((byte)'"');
    }

    private static string Unescape(ReadOnlySpan<byte> raw)
    {
        Span<byte> quoted = raw.Length < 512 ? stackalloc byte[raw.Length + 2] : new byte[raw.Length + 2];
        quoted[0] = quoted[^1] = (byte)'"';
        raw.CopyTo(quoted[1..]);
        var reader = new Utf8JsonReader(quoted);
        reader.Read();
        return reader.GetString()!;
    }

    private static void WriteEscaped(string text, Utf8Sink sink)
    {
        var start = 0;
        for (var index = 0; index < text.Length; index++)
        {
            var unit = text[index];
            if (unit >= ' ' && unit != '"' && unit != '\\')
            {
                continue;
            }

            WritePlain(text.AsSpan(start, index - start), sink);
            start = index + 1;
            sink.Add((byte)'\\');
            switch (unit)
            {
                case '"' or '\\': sink.Add((byte)unit); break;
                case '\b': sink.Add((byte)'b'); break;
                case '\t': sink.Add((byte)'t'); break;
                case '\n': sink.Add((byte)'n'); break;
                case '\f': sink.Add((byte)'f'); break;
                case '\r': sink.Add((byte)'r'); break;
                default:
                    sink.Add("u00"u8);
                    sink.Add("0123456789abcdef"u8[unit >> 4]);
                    sink.Add("0123456789abcdef"u8[unit & 15]);
                    break;
            }
        }

        WritePlain(text.AsSpan(start), sink);
    }

    private static void WritePlain(ReadOnlySpan<char> text, Utf8Sink sink) =>
        sink.Advance(Encoding.UTF8.GetBytes(text, sink.Reserve(Encoding.UTF8.GetMaxByteCount(text.Length))));

    private static void WriteNumber(ReadOnlySpan<byte> raw, Utf8Sink sink)
    {
        if (EcmaNumber.IsPlainInteger(raw))
        {
            sink.Add(raw);
            return;
        }

        var value = EcmaNumber.Parse(raw);
        if (!double.IsFinite(value))
        {
            throw new InvalidOperationException("A number is beyond the range of a double.");
        }

        sink.Advance(EcmaNumber.Format(value, sink.Reserve(NumberLengthMax)));
    }

    /// <summary>One member while it is sorted; a name with escapes is compared by what it means.</summary>
    private readonly record struct Member(JsonProperty Property, byte[]? Unescaped, int Position) : IComparable<Member>
    {
        private ReadOnlySpan<byte> Name => Unescaped ?? JsonMarshal.GetRawUtf8PropertyName(Property);

        public int CompareTo(Member other)
        {
            var order = CompareNames(Name, other.Name);
            return order != 0 ? order : Position.CompareTo(other.Position);
        }

        public bool HasNameOf(Member other) => Name.SequenceEqual(other.Name);
    }
}
