using System.Globalization;
using System.Text;

namespace Omium.Kernel.Expressions;

/// <summary>
/// Translates one character class or escape. A class is kept as what it holds up to U+FFFF, in .NET's syntax, and as ranges above,
/// which become pairs of surrogates.
/// </summary>
internal sealed class Re2Class(string pattern, int start)
{
    private const int Highest = 0x10FFFF;
    private const string Pairs = @"[\uD800-\uDBFF][\uDC00-\uDFFF]";

    private readonly StringBuilder _below = new();
    private readonly List<(int First, int Last)> _above = [];
    private int _position = start;
    private bool _coversAllPairs;
    private string? _problem;

    /// <summary>Translates the class that begins after '['.</summary>
    public bool TryTranslate(StringBuilder output, out int end, out string? problem)
    {
        bool isNegated = At(0) == '^';
        _position += isNegated ? 1 : 0;
        for (bool isFirst = true; _problem is null; isFirst = false)
        {
            if (_position >= pattern.Length)
            {
                _problem = "a character class has no ']'";
            }
            else if (At(0) == ']' && !isFirst)
            {
                _position++;
                break;
            }
            else
            {
                Item();
            }
        }

        Write(output, isNegated);
        end = _position;
        problem = _problem;
        return _problem is null;
    }

    /// <summary>Translates the single escape that begins here, outside a class.</summary>
    public bool TryTranslateEscape(StringBuilder output, out int end, out string? problem)
    {
        if (!TryNamedSet() && _problem is null)
        {
            int codePoint = CodePoint();
            if (_problem is null)
            {
                AppendCodePoint(output, codePoint);
            }
        }
        else
        {
            Write(output, isNegated: false);
        }

        end = _position;
        problem = _problem;
        return _problem is null;
    }

    /// <summary>Appends a character so that it means itself and can be repeated as one.</summary>
    public static void AppendCodePoint(StringBuilder output, int codePoint)
    {
        if (codePoint <= 0xFFFF)
        {
            output.Append(Escaped((char)codePoint));
            return;
        }

        string pair = char.ConvertFromUtf32(codePoint);
        output.Append("(?:").Append(Escaped(pair[0])).Append(Escaped(pair[1])).Append(')');
    }

    private static string Escaped(char character) =>
        char.IsAsciiLetterOrDigit(character) ? character.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)character:X4}");

    private char At(int ahead) => _position + ahead < pattern.Length ? pattern[_position + ahead] : '\0';

    private void Item()
    {
        if (At(0) == '[' && At(1) == ':')
        {
            PosixSet();
            return;
        }

        if (At(0) == '\\' && (TryNamedSet() || _problem is not null))
        {
            return;
        }

        int first = CodePoint();
        int last = first;
        if (At(0) == '-' && At(1) != ']' && _position + 1 < pattern.Length)
        {
            _position++;
            last = CodePoint();
        }

        if (last < first)
        {
            _problem ??= "a range of characters that ends before it starts";
        }

        AddRange(first, last);
    }

    private void AddRange(int first, int last)
    {
        if (first <= 0xFFFF)
        {
            _below.Append(Escaped((char)first)).Append('-').Append(Escaped((char)Math.Min(last, 0xFFFF)));
        }

        if (last > 0xFFFF)
        {
            _above.Add((Math.Max(first, 0x10000), last));
        }
    }

    private int CodePoint()
    {
        if (At(0) != '\\')
        {
            int plain = CelText.WidthAt(pattern, _position) == 2 ? char.ConvertToUtf32(pattern, _position) : At(0);
            _position += plain > 0xFFFF ? 2 : 1;
            return plain;
        }

        char escape = At(1);
        _position += 2;
        int control = "afnrtv".IndexOf(escape, StringComparison.Ordinal);
        if (control >= 0)
        {
            return "\a\f\n\r\t\v"[control];
        }

        if (escape == 'x')
        {
            return Hexadecimal();
        }

        if (escape is >= '0' and <= '7' && (escape == '0' || At(0) is >= '0' and <= '7'))
        {
            int code = escape - '0';
            for (int digits = 1; digits < 3 && At(0) is >= '0' and <= '7'; digits++)
            {
                code = (code * 8) + (pattern[_position++] - '0');
            }

            return code;
        }

        if (char.IsAscii(escape) && !char.IsAsciiLetterOrDigit(escape) && escape != '\0')
        {
            return escape;
        }

        _problem ??= $"\\{escape} is no escape sequence of RE2";
        return 0;
    }

    private int Hexadecimal()
    {
        int begin = _position;
        int end = At(0) == '{' ? pattern.IndexOf('}', begin) : begin + 2;
        ReadOnlySpan<char> digits = end < 0 || end > pattern.Length ? [] : At(0) == '{' ? pattern.AsSpan(begin + 1, end - begin - 1) : pattern.AsSpan(begin, 2);
        if (int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code) && code is >= 0 and <= Highest)
        {
            _position = At(0) == '{' ? end + 1 : end;
            return code;
        }

        _problem ??= "\\x needs two hexadecimal digits, or more in braces";
        return 0;
    }

    /// <summary>Adds <c>\d</c>, <c>\pL</c> and their kin; false when the escape is a single character.</summary>
    private bool TryNamedSet()
    {
        char name = At(1);
        string? set = name switch
        {
            'd' => "0-9",
            'w' => "0-9A-Za-z_",
            's' => @"\t\n\f\r ",
            'D' => @"\u0000-\u002F\u003A-\uFFFF",
            'W' => @"\u0000-\u002F\u003A-\u0040\u005B-\u005E\u0060\u007B-\uFFFF",
            'S' => @"\u0000-\u0008\u000B\u000E-\u001F\u0021-\uFFFF",
            _ => null,
        };
        if (set is not null)
        {
            _position += 2;
            _below.Append(set);
            _coversAllPairs |= name is 'D' or 'W' or 'S';
            return true;
        }

        return name is 'p' or 'P' && TryCategory(name == 'P');
    }

    private bool TryCategory(bool isNegated)
    {
        int end = At(2) == '{' ? pattern.IndexOf('}', _position) : _position + 2;
        if (end < 0 || end >= pattern.Length)
        {
            _problem = "\\p needs a category";
            return false;
        }

        string name = At(2) == '{' ? pattern[(_position + 3)..end] : pattern[end..(end + 1)];
        bool isNegatedAgain = name.StartsWith('^');
        name = isNegatedAgain ? name[1..] : name;
        bool isCategory = name.Length is 1 or 2 && "CLMNPSZ".Contains(name[0], StringComparison.Ordinal)
            && (name.Length == 1 || "cdefikmlnopstu".Contains(name[1], StringComparison.Ordinal));
        if (!isCategory)
        {
            _problem = $"\\p{{{(name.Length > 32 ? name[..32] : name)}}}: only general categories such as L or Nd are supported, no scripts";
            return false;
        }

        // .NET knows the category of single UTF-16 characters only: above U+FFFF a category matches nothing, its negation everything.
        bool negated = isNegated != isNegatedAgain;
        _below.Append(negated ? @"\P{" : @"\p{").Append(name).Append('}');
        _coversAllPairs |= negated;
        _position = end + 1;
        return true;
    }

    private void PosixSet()
    {
        int end = pattern.IndexOf(":]", _position + 2, StringComparison.Ordinal);
        string name = end < 0 ? "" : pattern[(_position + 2)..end];
        bool isNegated = name.StartsWith('^');
        string? set = (isNegated ? name[1..] : name) switch
        {
            "alnum" => "09AZaz",
            "alpha" => "AZaz",
            "ascii" => "\0\x7F",
            "blank" => "\t\t  ",
            "cntrl" => "\0\x1F\x7F\x7F",
            "digit" => "09",
            "graph" => "!~",
            "lower" => "az",
            "print" => " ~",
            "punct" => "!/:@[`{~",
            "space" => "\t\r  ",
            "upper" => "AZ",
            "word" => "09AZ__az",
            "xdigit" => "09AFaf",
            _ => null,
        };
        if (set is null)
        {
            _problem = "an unknown class between [: and :]";
            return;
        }

        // The sets are pairs of first and last, in ascending order, so that the gaps between them are the negation.
        int next = 0;
        for (int index = 0; index < set.Length; index += 2)
        {
            if (!isNegated)
            {
                AddRange(set[index], set[index + 1]);
            }
            else if (set[index] > next)
            {
                AddRange(next, set[index] - 1);
            }

            next = set[index + 1] + 1;
        }

        if (isNegated)
        {
            AddRange(next, Highest);
        }

        _position = end + 2;
    }

    /// <summary>Writes the set as alternatives: single UTF-16 characters without surrogates, and pairs of them.</summary>
    private void Write(StringBuilder output, bool isNegated)
    {
        bool hasPairs = isNegated != (_coversAllPairs || _above.Count > 0);
        if (!isNegated && !hasPairs)
        {
            output.Append('[').Append(_below.Length == 0 ? @"^\u0000-\uFFFF" : _below).Append(']');
            return;
        }

        string below = isNegated ? $@"[^\uD800-\uDFFF{_below}]" : _below.Length == 0 ? @"[^\u0000-\uFFFF]" : $@"[{_below}-[\uD800-\uDFFF]]";
        List<(int First, int Last)> pairs = isNegated ? Gaps() : _coversAllPairs ? [(0x10000, Highest)] : _above;
        output.Append("(?:").Append(below);
        foreach ((int first, int last) in pairs)
        {
            WritePairs(output, first, last);
        }

        output.Append(')');
    }

    private List<(int First, int Last)> Gaps()
    {
        var gaps = new List<(int First, int Last)>();
        int next = _coversAllPairs ? Highest + 1 : 0x10000;
        foreach ((int first, int last) in _above.Order())
        {
            if (first > next)
            {
                gaps.Add((next, first - 1));
            }

            next = Math.Max(next, last + 1);
        }

        if (next <= Highest)
        {
            gaps.Add((next, Highest));
        }

        return gaps;
    }

    private static void WritePairs(StringBuilder output, int first, int last)
    {
        if (first == 0x10000 && last == Highest)
        {
            output.Append('|').Append(Pairs);
            return;
        }

        string from = char.ConvertFromUtf32(first);
        string to = char.ConvertFromUtf32(last);
        if (from[0] == to[0])
        {
            Pair(output, from[0], from[0], from[1], to[1]);
            return;
        }

        Pair(output, from[0], from[0], from[1], '\uDFFF');
        if (to[0] - from[0] > 1)
        {
            Pair(output, (char)(from[0] + 1), (char)(to[0] - 1), '\uDC00', '\uDFFF');
        }

        Pair(output, to[0], to[0], '\uDC00', to[1]);
    }

    private static void Pair(StringBuilder output, char highFirst, char highLast, char lowFirst, char lowLast) =>
        output.Append(CultureInfo.InvariantCulture, $"|[{Escaped(highFirst)}-{Escaped(highLast)}][{Escaped(lowFirst)}-{Escaped(lowLast)}]");
}
