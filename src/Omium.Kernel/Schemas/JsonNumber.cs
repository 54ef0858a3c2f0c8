using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Kernel.Schemas;

/// <summary>
/// A JSON number compared exactly, whatever its size: a short integer as a long, anything else as digits without outer zeros and the
/// position of the point (value = 0.digits * 10^position). Nothing here costs more than the length of the digits, except remainders.
/// </summary>
internal readonly struct JsonNumber
{
    private const long ExponentMax = 1_000_000_000_000_000;

    /// <summary>Integers of so many digits are hashed as a long, whichever way they are written.</summary>
    private const int ShortDigitsMax = 15;

    private readonly long _short;
    private readonly bool _isNegative;
    private readonly string? _digits;
    private readonly long _position;

    public JsonNumber(JsonElement number)
    {
        var raw = JsonMarshal.GetRawUtf8Value(number);
        if (EcmaNumber.IsPlainInteger(raw))
        {
            _short = long.Parse(raw, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            return;
        }

        _isNegative = raw[0] == '-';
        var exponentAt = raw.IndexOfAny((byte)'e', (byte)'E');
        var mantissa = raw[(_isNegative ? 1 : 0)..(exponentAt < 0 ? raw.Length : exponentAt)];
        var pointAt = mantissa.IndexOf((byte)'.');
        _position = (pointAt < 0 ? mantissa.Length : pointAt) + (exponentAt < 0 ? 0 : Exponent(raw[(exponentAt + 1)..]));
        var digits = Encoding.ASCII.GetString(mantissa).Replace(".", "", StringComparison.Ordinal).AsSpan();
        var significant = digits.TrimStart('0');
        _position -= digits.Length - significant.Length;
        _digits = significant.TrimEnd('0').ToString();
        if (_digits.Length == 0)
        {
            (_digits, _isNegative, _position) = (null, false, 0);
        }
    }

    private JsonNumber(long notZero)
    {
        var text = Math.Abs(notZero).ToString(CultureInfo.InvariantCulture);
        _isNegative = notZero < 0;
        _position = text.Length;
        _digits = text.TrimEnd('0');
    }

    /// <summary>How many digits have to be looked at.</summary>
    public int Length => _digits?.Length ?? 1;

    /// <summary>True when there is nothing behind the decimal point, however the number is written.</summary>
    public bool IsInteger => _digits is null || _position >= _digits.Length;

    public int CompareTo(JsonNumber other)
    {
        if (_digits is null && other._digits is null)
        {
            return _short.CompareTo(other._short);
        }

        var (left, right) = (Expand(), other.Expand());
        var order = left.Sign.CompareTo(right.Sign);
        if (order != 0 || left.Sign == 0)
        {
            return order;
        }

        order = left._position.CompareTo(right._position);
        order = order != 0 ? order : string.CompareOrdinal(left._digits, right._digits);
        return left.Sign * Math.Sign(order);
    }

    /// <summary>Exact also for decimals: 0.0075 is a multiple of 0.0001.</summary>
    public bool IsMultipleOf(JsonNumber divisor)
    {
        if (_digits is null && divisor._digits is null)
        {
            return _short % divisor._short == 0;
        }

        var (value, unit) = (Expand(), divisor.Expand());
        if (value.Sign == 0)
        {
            return true;
        }

        // Both are integers without trailing zeros times a power of ten; a finer power than the divisor's can never be a multiple.
        var shift = (value._position - value._digits!.Length) - (unit._position - unit._digits!.Length);
        if (shift < 0)
        {
            return false;
        }

        var modulus = BigInteger.Parse(unit._digits, CultureInfo.InvariantCulture);
        var power = BigInteger.ModPow(10, shift, modulus);
        return (BigInteger.Parse(value._digits, CultureInfo.InvariantCulture) * power % modulus).IsZero;
    }

    /// <summary>Equal numbers have equal hashes, however they are written. Deterministic.</summary>
    public ulong Hash()
    {
        if (_digits is null)
        {
            return JsonEquality.Mix((ulong)_short);
        }

        if (IsInteger && _position <= ShortDigitsMax)
        {
            var size = long.Parse(_digits.PadRight((int)_position, '0'), CultureInfo.InvariantCulture);
            return JsonEquality.Mix((ulong)(_isNegative ? -size : size));
        }

        return JsonEquality.HashText(_digits, (ulong)(_position * 2) + (_isNegative ? 1UL : 0));
    }

    /// <summary>Greater than zero.</summary>
    public bool IsPositive => Expand().Sign > 0;

    /// <summary>As a size of something, if it is one: a whole number of at least 0; what is larger than an int is as good as int.MaxValue.</summary>
    public bool TryGetCount(out int count)
    {
        var value = Expand();
        count = 0;
        if (!IsInteger || value.Sign < 0)
        {
            return false;
        }

        count = value.Sign == 0 ? 0
            : value._position > 9 ? int.MaxValue
            : int.Parse(value._digits!.PadRight((int)value._position, '0'), CultureInfo.InvariantCulture);
        return true;
    }

    private int Sign => _digits is null ? Math.Sign(_short) : _isNegative ? -1 : 1;

    private JsonNumber Expand() => _digits is not null || _short == 0 ? this : new JsonNumber(_short);

    private static long Exponent(ReadOnlySpan<byte> text)
    {
        var digits = text[0] is (byte)'+' or (byte)'-' ? text[1..] : text;
        var size = digits.TrimStart((byte)'0').Length > 15 ? ExponentMax : long.Parse(digits.TrimStart((byte)'0') is { Length: > 0 } some ? some : "0"u8, CultureInfo.InvariantCulture);
        return text[0] == '-' ? -size : size;
    }
}
