using System.Globalization;
using System.Text;
using Omium.Kernel.Json;

namespace Omium.Kernel.Expressions;

/// <summary>Text in code points, and values as text.</summary>
internal static class CelText
{
    private const int DisplayLengthMax = 16_384;

    /// <summary>Number of Unicode code points.</summary>
    public static int CountCodePoints(ReadOnlySpan<char> text)
    {
        int count = text.Length;
        for (int index = text.IndexOfAnyInRange('\uD800', '\uDBFF'); index >= 0 && index + 1 < text.Length;)
        {
            count -= char.IsLowSurrogate(text[index + 1]) ? 1 : 0;
            text = text[(index + 1)..];
            index = text.IndexOfAnyInRange('\uD800', '\uDBFF');
        }

        return count;
    }

    /// <summary>The UTF-16 position of a code point; -1 when the text has fewer.</summary>
    public static int PositionOf(string text, long codePoint)
    {
        if (codePoint < 0 || codePoint > text.Length)
        {
            return -1;
        }

        int position = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDBFF');
        if (position < 0 || position >= codePoint)
        {
            return (int)codePoint;
        }

        for (long passed = position; passed < codePoint; passed++)
        {
            if (position >= text.Length)
            {
                return -1;
            }

            position += WidthAt(text, position);
        }

        return position;
    }

    /// <summary>UTF-16 characters of the code point at a position: 1 or 2.</summary>
    public static int WidthAt(string text, int position) =>
        position + 1 < text.Length && char.IsSurrogatePair(text[position], text[position + 1]) ? 2 : 1;

    /// <summary>A number as ECMAScript and RFC 8785 write it, but with NaN, Infinity, -Infinity and -0.</summary>
    public static string Number(double value)
    {
        if (double.IsNaN(value))
        {
            return "NaN";
        }

        if (double.IsInfinity(value))
        {
            return value > 0 ? "Infinity" : "-Infinity";
        }

        if (value == 0 && double.IsNegative(value))
        {
            return "-0";
        }

        Span<byte> printed = stackalloc byte[32];
        return Encoding.ASCII.GetString(printed[..EcmaNumber.Format(value, printed)]);
    }

    /// <summary>A value as text: strings as they are, collections with their elements in brackets and braces.</summary>
    public static string Display(CelValue value)
    {
        var text = new StringBuilder();
        TryDisplay(value, text, DisplayLengthMax, 0);
        return text.ToString();
    }

    /// <summary>Appends a value as text; false when the text would exceed a length or the value is nested too deep.</summary>
    public static bool TryDisplay(CelValue value, StringBuilder text, int lengthMax, int depth)
    {
        if (depth > CelOrder.DepthMax || text.Length > lengthMax)
        {
            return false;
        }

        switch (value)
        {
            case CelList list:
                return TryDisplayList(list, text, lengthMax, depth);
            case CelMap map:
                return TryDisplayMap(map, text, lengthMax, depth);
            default:
                text.Append(Scalar(value));
                return text.Length <= lengthMax;
        }
    }

    /// <summary>A value that is no collection, as <c>string(value)</c> gives it.</summary>
    public static string Scalar(CelValue value) => value switch
    {
        CelString text => text.Value,
        CelBool flag => flag.Value ? "true" : "false",
        CelInt integer => integer.Value.ToString(CultureInfo.InvariantCulture),
        CelUint integer => integer.Value.ToString(CultureInfo.InvariantCulture),
        CelDouble number => Number(number.Value),
        CelBytes bytes => Encoding.UTF8.GetString(bytes.Value.Span),
        CelTimestamp time => time.ToText(),
        CelDuration duration => duration.ToText(),
        CelTypeValue type => type.Name,
        CelFailure failure => failure.Error.Message,
        _ => "null",
    };

    private static bool TryDisplayList(CelList list, StringBuilder text, int lengthMax, int depth)
    {
        text.Append('[');
        for (int index = 0; index < list.Count; index++)
        {
            text.Append(index == 0 ? "" : ", ");
            if (!TryDisplay(list[index], text, lengthMax, depth + 1))
            {
                return false;
            }
        }

        text.Append(']');
        return true;
    }

    /// <summary>Entries in the order of their keys' text: so the strings extension has it.</summary>
    private static bool TryDisplayMap(CelMap map, StringBuilder text, int lengthMax, int depth)
    {
        var keys = map.Keys.Select(key => (Text: Scalar(key), Key: key)).ToList();
        keys.Sort((one, other) => CelOrder.CompareText(one.Text, other.Text));
        text.Append('{');
        for (int index = 0; index < keys.Count; index++)
        {
            text.Append(index == 0 ? "" : ", ").Append(keys[index].Text).Append(": ");
            if (!map.TryGet(keys[index].Key, out CelValue value) || !TryDisplay(value, text, lengthMax, depth + 1))
            {
                return false;
            }
        }

        text.Append('}');
        return true;
    }
}
