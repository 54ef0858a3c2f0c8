using System.Globalization;
using System.Numerics;
using System.Text;

namespace Omium.Kernel.Expressions;

/// <summary>
/// <c>'%d of %s'.format([3, 'x'])</c> with the clauses s, d, f, e, b, o, x and X. Decimals are rounded from the exact value, halves to
/// even, so the text is the same on every machine.
/// </summary>
internal static class FormatFunction
{
    private const int PrecisionMax = 100;
    private const int PrecisionDefault = 6;

    public static void AddTo(FunctionTable table) => table.Member("format", "string list -> string", Format);

    private static CelValue Format(Call call)
    {
        string format = call.Text(0);
        var list = (CelList)call.Arguments[1];
        var text = new StringBuilder();
        int used = 0;
        for (int position = 0; position < format.Length; position++)
        {
            if (format[position] != '%')
            {
                text.Append(format[position]);
                continue;
            }

            if (++position < format.Length && format[position] == '%')
            {
                text.Append('%');
                continue;
            }

            if (!TryPrecision(format, ref position, out int precision))
            {
                return call.Fail($"a precision must be between 0 and {PrecisionMax}");
            }

            if (position >= format.Length || used >= list.Count)
            {
                return call.Fail(position >= format.Length ? "the format ends within a clause" : "the format has more clauses than there are values");
            }

            if (Clause(call, format[position], precision, list[used++], text) is { } failure)
            {
                return failure;
            }

            if (call.Evaluation.Build(text.Length, int.MaxValue, call.Offset) is { } tooLarge)
            {
                return tooLarge;
            }
        }

        return call.Evaluation.BuildText(text.Length, call.Offset) ?? (CelValue)new CelString(text.ToString());
    }

    private static bool TryPrecision(string format, ref int position, out int precision)
    {
        precision = -1;
        if (position >= format.Length || format[position] != '.')
        {
            return true;
        }

        int begin = ++position;
        while (position < format.Length && char.IsAsciiDigit(format[position]))
        {
            position++;
        }

        return int.TryParse(format.AsSpan(begin, position - begin), NumberStyles.None, CultureInfo.InvariantCulture, out precision) && precision <= PrecisionMax;
    }

    /// <summary>Appends one value. Null when the clause takes it.</summary>
    private static CelFailure? Clause(Call call, char clause, int precision, CelValue value, StringBuilder text)
    {
        if (clause == 's')
        {
            // What remains of the cost bounds the text: building it may not outrun what the evaluation may spend.
            int lengthMax = (int)Math.Min(call.Evaluation.ResultSizeMax, Math.Max(0, call.Evaluation.CostLeft) * 4);
            return CelText.TryDisplay(value, text, lengthMax, 0) ? null
                : call.Evaluation.Build(text.Length, 4, call.Offset) ?? call.Fail("the value is nested too deep or too large");
        }

        string? written = clause switch
        {
            'd' => Decimal(value),
            'f' => Real(value, precision, Fixed),
            'e' => Real(value, precision, Scientific),
            'b' => Radix(value, 2),
            'o' => Radix(value, 8),
            'x' => Hexadecimal(value)?.ToLowerInvariant(),
            'X' => Hexadecimal(value),
            _ => "",
        };
        if (written is null or "")
        {
            return written is null
                ? Evaluation.FailType($"%{clause} cannot show a {value.Type.Name}", call.Offset)
                : clause is 'x' or 'X' ? null : call.Fail($"there is no clause %{clause}");
        }

        text.Append(written);
        return null;
    }

    private static string? Decimal(CelValue value) => value switch
    {
        CelInt or CelUint => CelText.Scalar(value),
        CelDouble number when !double.IsFinite(number.Value) => CelText.Scalar(value),
        _ => null,
    };

    private static string? Real(CelValue value, int precision, Func<BigInteger, BigInteger, int, string> write)
    {
        int places = precision < 0 ? PrecisionDefault : precision;
        return value switch
        {
            CelDouble number when !double.IsFinite(number.Value) => CelText.Scalar(value),
            CelDouble number => (double.IsNegative(number.Value) ? "-" : "") + Exactly(Math.Abs(number.Value), places, write),
            CelInt integer => (integer.Value < 0 ? "-" : "") + write(BigInteger.Abs(integer.Value), 1, places),
            CelUint integer => write(integer.Value, 1, places),
            _ => null,
        };
    }

    /// <summary>Hands a double on as an exact fraction.</summary>
    private static string Exactly(double number, int places, Func<BigInteger, BigInteger, int, string> write)
    {
        long bits = BitConverter.DoubleToInt64Bits(number);
        int exponent = (int)(bits >> 52);
        long mantissa = (bits & ((1L << 52) - 1)) | (exponent == 0 ? 0 : 1L << 52);
        int shift = Math.Max(exponent, 1) - 1_075;
        return shift >= 0 ? write((BigInteger)mantissa << shift, 1, places) : write(mantissa, BigInteger.One << -shift, places);
    }

    private static string Fixed(BigInteger numerator, BigInteger denominator, int places)
    {
        string digits = RoundHalfEven(numerator * BigInteger.Pow(10, places), denominator).ToString(CultureInfo.InvariantCulture).PadLeft(places + 1, '0');
        return places == 0 ? digits : $"{digits[..^places]}.{digits[^places..]}";
    }

    private static string Scientific(BigInteger numerator, BigInteger denominator, int places)
    {
        int exponent = 0;
        if (!numerator.IsZero)
        {
            exponent = (int)Math.Floor(BigInteger.Log10(numerator) - BigInteger.Log10(denominator));
            exponent += Scale(numerator, denominator, exponent + 1, out _) ? 1 : Scale(numerator, denominator, exponent, out _) ? 0 : -1;
        }

        Scale(numerator, denominator, exponent, out (BigInteger Numerator, BigInteger Denominator) scaled);
        BigInteger rounded = RoundHalfEven(scaled.Numerator * BigInteger.Pow(10, places), scaled.Denominator);
        if (rounded >= BigInteger.Pow(10, places + 1))
        {
            rounded /= 10;
            exponent++;
        }

        string digits = rounded.ToString(CultureInfo.InvariantCulture).PadLeft(places + 1, '0');
        string mantissa = places == 0 ? digits : $"{digits[..1]}.{digits[1..]}";
        return string.Create(CultureInfo.InvariantCulture, $"{mantissa}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
    }

    /// <summary>The fraction divided by a power of ten; true when it is still at least one.</summary>
    private static bool Scale(BigInteger numerator, BigInteger denominator, int exponent, out (BigInteger Numerator, BigInteger Denominator) scaled)
    {
        scaled = exponent >= 0
            ? (numerator, denominator * BigInteger.Pow(10, exponent))
            : (numerator * BigInteger.Pow(10, -exponent), denominator);
        return scaled.Numerator >= scaled.Denominator;
    }

    private static BigInteger RoundHalfEven(BigInteger numerator, BigInteger denominator)
    {
        BigInteger quotient = BigInteger.DivRem(numerator, denominator, out BigInteger remainder);
        int half = (remainder * 2).CompareTo(denominator);
        return half > 0 || (half == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }

    private static string? Radix(CelValue value, int radix) => value switch
    {
        CelInt integer => (integer.Value < 0 ? "-" : "") + Digits(BigInteger.Abs(integer.Value), radix),
        CelUint integer => Digits(integer.Value, radix),
        CelBool flag when radix == 2 => flag.Value ? "1" : "0",
        _ => null,
    };

    private static string? Hexadecimal(CelValue value) => value switch
    {
        CelString text => Convert.ToHexString(Encoding.UTF8.GetBytes(text.Value)),
        CelBytes bytes => Convert.ToHexString(bytes.Value.Span),
        _ => Radix(value is CelBool ? CelNull.Instance : value, 16),
    };

    private static string Digits(BigInteger magnitude, int radix)
    {
        var digits = new StringBuilder();
        do
        {
            digits.Insert(0, "0123456789ABCDEF"[(int)(magnitude % radix)]);
            magnitude /= radix;
        }
        while (!magnitude.IsZero);
        return digits.ToString();
    }
}
