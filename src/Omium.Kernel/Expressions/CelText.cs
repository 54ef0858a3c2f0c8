using System.Globalization;
using System.Text;

namespace Omium.Kernel.Expressions;

/// <summary>Text in code points, and values as text.</summary>
internal static class CelText
{
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

        if (value == 0)
        {
            return double.IsNegative(value) ? "-0" : "0";
        }

        // The shortest digits that read back as the same number, and where their decimal point is.
        string roundTrip = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        int mark = roundTrip.IndexOf('E', StringComparison.Ordinal);
        string mantissa = mark < 0 ? roundTrip : roundTrip[..mark];
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        string digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        int exponent = (point < 0 ? mantissa.Length : point)
            + (mark < 0 ? 0 : int.Parse(roundTrip.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
        int zeros = digits.Length - digits.TrimStart('0').Length;
        digits = digits.TrimStart('0').TrimEnd('0');
        exponent -= zeros;
        return (value < 0 ? "-" : "") + Place(digits, exponent);
    }

    /// <summary>A value as text: strings as they are, collections with their elements in brackets and braces.</summary>
    public static string Display(CelValue value)
    {
        var text = new StringBuilder();
        TryDisplay(value, text, int.MaxValue, 0);
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

    private static string Place(string digits, int exponent) => exponent switch
    {
        > 0 and <= 21 when digits.Length <= exponent => digits.PadRight(exponent, '0'),
        > 0 and <= 21 => $"{digits[..exponent]}.{digits[exponent..]}",
        > -6 and <= 0 => "0." + new string('0', -exponent) + digits,
        _ => digits[..1] + (digits.Length > 1 ? "." + digits[1..] : "")
            + (exponent - 1 < 0 ? "e-" : "e+") + Math.Abs(exponent - 1).ToString(CultureInfo.InvariantCulture),
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

    private static bool TryDisplayMap(CelMap map, StringBuilder text, int lengthMax, int depth)
    {
        text.Append('{');
        string separator = "";
        foreach (CelValue key in map.Keys)
        {
            text.Append(separator).Append(Scalar(key)).Append(": ");
            separator = ", ";
            if (!map.TryGet(key, out CelValue value) || !TryDisplay(value, text, lengthMax, depth + 1))
            {
                return false;
            }
        }

        text.Append('}');
        return true;
    }
}
