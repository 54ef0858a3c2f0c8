using System.Globalization;

namespace Omium.Kernel.Json;

/// <summary>Numbers as ECMAScript's Number::toString prints them (ECMA-262, 6.1.6.1.20), which RFC 8785 requires.</summary>
internal static class EcmaNumber
{
    /// <summary>Largest integer that a double and every JSON reader agree on: 2^53 - 1.</summary>
    public const double SafeIntegerMax = 9_007_199_254_740_991;

    /// <summary>An integer of at most 15 digits, printed already as it must be: the usual case, needs no double.</summary>
    public static bool IsPlainInteger(ReadOnlySpan<byte> raw)
    {
        if (raw.Length > 15 || (raw[0] == '-' && raw[1] == '0'))
        {
            return false;
        }

        return raw[(raw[0] == '-' ? 1 : 0)..].IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
    }

    /// <summary>The nearest double; infinite when it overflows.</summary>
    public static double Parse(ReadOnlySpan<byte> raw) => double.Parse(raw, NumberStyles.Float, CultureInfo.InvariantCulture);

    /// <summary>Prints a finite double and says how many bytes it took (at most 25).</summary>
    public static int Format(double value, Span<byte> destination)
    {
        int written;
        if (Math.Abs(value) <= SafeIntegerMax && Math.Truncate(value) == value)
        {
            ((long)value).TryFormat(destination, out written, default, CultureInfo.InvariantCulture);
            return written;
        }

        Span<byte> printed = stackalloc byte[32];
        value.TryFormat(printed, out written, "R", CultureInfo.InvariantCulture);
        Span<byte> digits = stackalloc byte[32];
        var position = Split(printed[..written], digits, out var digitCount);
        written = 0;
        if (value < 0)
        {
            destination[written++] = (byte)'-';
        }

        return written + Arrange(digits[..digitCount], position, destination[written..]);
    }

    /// <summary>Takes the shortest digits out of a printed double; the value is 0.digits * 10^(returned position).</summary>
    private static int Split(ReadOnlySpan<byte> printed, Span<byte> digits, out int digitCount)
    {
        var mantissaEnd = printed.IndexOf((byte)'E');
        var exponent = mantissaEnd < 0 ? 0 : int.Parse(printed[(mantissaEnd + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = mantissaEnd < 0 ? printed : printed[..mantissaEnd];
        mantissa = mantissa[0] == '-' ? mantissa[1..] : mantissa;
        var pointAt = mantissa.IndexOf((byte)'.');
        var position = (pointAt < 0 ? mantissa.Length : pointAt) + exponent;
        digitCount = 0;
        foreach (var unit in mantissa)
        {
            if (unit == '.')
            {
                continue;
            }

            if (unit == '0' && digitCount == 0)
            {
                position--;
                continue;
            }

            digits[digitCount++] = unit;
        }

        while (digits[digitCount - 1] == '0')
        {
            digitCount--;
        }

        return position;
    }

    private static int Arrange(ReadOnlySpan<byte> digits, int position, Span<byte> destination)
    {
        if (position is > 0 and <= 21)
        {
            if (digits.Length <= position)
            {
                digits.CopyTo(destination);
                destination[digits.Length..position].Fill((byte)'0');
                return position;
            }

            digits[..position].CopyTo(destination);
            destination[position] = (byte)'.';
            digits[position..].CopyTo(destination[(position + 1)..]);
            return digits.Length + 1;
        }

        if (position is > -6 and <= 0)
        {
            "0."u8.CopyTo(destination);
            destination.Slice(2, -position).Fill((byte)'0');
            digits.CopyTo(destination[(2 - position)..]);
            return 2 - position + digits.Length;
        }

        var written = 0;
        destination[written++] = digits[0];
        if (digits.Length > 1)
        {
            destination[written++] = (byte)'.';
            digits[1..].CopyTo(destination[written..]);
            written += digits.Length - 1;
        }

        destination[written++] = (byte)'e';
        destination[written++] = position > 0 ? (byte)'+' : (byte)'-';
        Math.Abs(position - 1).TryFormat(destination[written..], out var exponentLength, default, CultureInfo.InvariantCulture);
        return written + exponentLength;
    }
}
