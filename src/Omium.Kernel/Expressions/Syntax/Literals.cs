using System.Globalization;
using System.Text;

namespace Omium.Kernel.Expressions;

/// <summary>The values of literals.</summary>
internal static class Literals
{
    /// <summary>The number that a literal stands for; null, with the problem, when it does not fit its type.</summary>
    public static CelValue? TryNumber(ReadOnlySpan<char> text, TokenKind kind, bool isNegative, out string? problem)
    {
        problem = null;
        if (kind == TokenKind.Double)
        {
            double number = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
            problem = double.IsInfinity(number) ? "the number is too large for a double" : null;
            return problem is null ? new CelDouble(isNegative ? -number : number) : null;
        }

        ReadOnlySpan<char> digits = kind == TokenKind.Uint ? text[..^1] : text;
        bool isHexadecimal = digits.Length > 2 && digits[1] is 'x' or 'X';
        bool fits = isHexadecimal
            ? ulong.TryParse(digits[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong magnitude)
            : ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out magnitude);
        if (kind == TokenKind.Uint)
        {
            problem = !fits ? "the number is too large for a uint" : isNegative ? "a uint has no negative values" : null;
            return problem is null ? new CelUint(magnitude) : null;
        }

        ulong limit = isNegative ? 1UL << 63 : long.MaxValue;
        problem = !fits || magnitude > limit ? "the number is too large for an int" : null;
        return problem is null ? CelInt.Of(isNegative ? unchecked(-(long)magnitude) : (long)magnitude) : null;
    }

    /// <summary>The text or bytes that a quoted literal stands for; null, with the problem and its offset, when an escape is not valid.</summary>
    public static CelValue? TryQuoted(string source, Token token, out string? problem, out int offset)
    {
        int begin = token.Start;
        bool isRaw = false;
        for (; source[begin] is not ('"' or '\''); begin++)
        {
            isRaw |= source[begin] is 'r' or 'R';
        }

        int quotes = token.End - begin >= 6 && source[begin + 1] == source[begin] && source[begin + 2] == source[begin] ? 3 : 1;
        var decoder = new Decoder(source, begin + quotes, token.End - quotes, token.Kind == TokenKind.Bytes);
        return decoder.TryDecode(isRaw, out problem, out offset);
    }

    private ref struct Decoder(string source, int begin, int end, bool isBytes)
    {
        private readonly StringBuilder _text = new();
        private readonly List<byte> _bytes = [];
        private int _position = begin;

        public CelValue? TryDecode(bool isRaw, out string? problem, out int offset)
        {
            problem = null;
            offset = _position;
            if (isRaw || source.AsSpan(_position, end - _position).IndexOf('\\') < 0)
            {
                Append(source.AsSpan(_position, end - _position));
                _position = end;
            }

            while (_position < end && problem is null)
            {
                int next = source.IndexOf('\\', _position, end - _position);
                Append(source.AsSpan(_position, (next < 0 ? end : next) - _position));
                _position = next < 0 ? end : next + 1;
                offset = next;
                problem = next < 0 ? null : TryEscape();
            }

            if (problem is not null)
            {
                return null;
            }

            return isBytes ? new CelBytes(_bytes.ToArray()) : new CelString(_text.ToString());
        }

        private readonly void Append(ReadOnlySpan<char> text)
        {
            if (isBytes)
            {
                _bytes.AddRange(Encoding.UTF8.GetBytes(text.ToArray()));
            }
            else
            {
                _text.Append(text);
            }
        }

        private string? TryEscape()
        {
            char escape = source[_position++];
            switch (escape)
            {
                case '\\' or '?' or '"' or '\'' or '`':
                    Append([escape]);
                    return null;
                case 'a' or 'b' or 'f' or 'n' or 'r' or 't' or 'v':
                    Append(["\a\b\f\n\r\t\v"["abfnrtv".IndexOf(escape, StringComparison.Ordinal)]]);
                    return null;
                case 'x' or 'X':
                    return TryCode(2, 16);
                case 'u' when !isBytes:
                    return TryCode(4, 16);
                case 'U' when !isBytes:
                    return TryCode(8, 16);
                case >= '0' and <= '3':
                    _position--;
                    return TryCode(3, 8);
                default:
                    return $"\\{escape} is no escape sequence{(isBytes ? " of bytes" : "")}";
            }
        }

        private string? TryCode(int length, int radix)
        {
            if (_position + length > end)
            {
                return $"the escape sequence needs {length} digits";
            }

            long code = 0;
            foreach (char digit in source.AsSpan(_position, length))
            {
                int value = char.IsAsciiHexDigit(digit) ? Convert.ToInt32(digit.ToString(), 16) : radix;
                if (value >= radix)
                {
                    return $"the escape sequence needs {length} {(radix == 8 ? "octal" : "hexadecimal")} digits";
                }

                code = (code * radix) + value;
            }

            _position += length;
            if (isBytes)
            {
                _bytes.Add((byte)code);
                return null;
            }

            if (code > 0x10FFFF || code is >= 0xD800 and <= 0xDFFF)
            {
                return $"U+{code:X4} is no Unicode character";
            }

            _text.Append(new Rune((int)code).ToString());
            return null;
        }
    }
}
