using System.Globalization;
using System.Text;

namespace Omium.Kernel.Expressions;

/// <summary>
/// Translates a pattern from RE2's syntax to the one of .NET, and bounds its size. What means the same is passed on; classes are
/// spelled out in ASCII as RE2 defines them, <c>$</c> means the end of the text only, and a character above U+FFFF is one character.
/// </summary>
/// <remarks>Not supported, each with an error: scripts such as <c>\p{Greek}</c>, and <c>\C</c>. <c>\b</c> knows Unicode letters, RE2's only ASCII.</remarks>
internal sealed class Re2Translator
{
    /// <summary>Most repetitions that RE2 lets a pattern ask for, also when they are nested.</summary>
    private const int RepeatMax = 1_000;

    /// <summary>Most parts of a pattern once its repetitions are written out.</summary>
    private const int SizeMax = 4_000;

    private const int NestingMax = 100;

    // Any code point but a line feed: a lone UTF-16 character, or a pair of surrogates.
    private const string AnyButLineFeed = @"(?:[^\n\uD800-\uDFFF]|[\uD800-\uDBFF][\uDC00-\uDFFF])";
    private const string Any = @"(?:[^\uD800-\uDFFF]|[\uD800-\uDBFF][\uDC00-\uDFFF])";

    private readonly string _pattern;
    private readonly StringBuilder _output = new();
    private int _position;
    private int _nesting;
    private string? _problem;

    private Re2Translator(string pattern) => _pattern = pattern;

    private bool AtEnd => _position >= _pattern.Length;

    /// <summary>The pattern in .NET's syntax, and its size; or null and the problem.</summary>
    public static string? TryTranslate(string pattern, out string? problem, out int size)
    {
        size = 0;
        if (pattern.Length > Text.BoundedRegex.PatternLengthMax)
        {
            problem = $"the pattern has {pattern.Length} characters; at most {Text.BoundedRegex.PatternLengthMax} are allowed";
            return null;
        }

        var translator = new Re2Translator(pattern);
        size = translator.Alternatives(new Flags(false, false));
        if (translator._problem is null && !translator.AtEnd)
        {
            translator.Fail("an unexpected ')'");
        }

        problem = translator._problem;
        return problem is null ? translator._output.ToString() : null;
    }

    private readonly record struct Flags(bool DotAll, bool Multiline);

    /// <summary>Alternatives up to ')' or the end. Answers their size.</summary>
    private int Alternatives(Flags flags)
    {
        long size = 1;
        if (++_nesting > NestingMax)
        {
            return Fail($"groups are nested deeper than {NestingMax}");
        }

        while (_problem is null && !AtEnd && _pattern[_position] != ')')
        {
            if (_pattern[_position] == '|')
            {
                _position++;
                _output.Append('|');
                continue;
            }

            int begin = _output.Length;
            int atom = Atom(ref flags, out bool mayRepeat);
            size += mayRepeat ? Repetition(atom, begin) : atom;
            if (size > SizeMax)
            {
                Fail($"the pattern is larger than {SizeMax} parts");
            }
        }

        _nesting--;
        return (int)Math.Min(size, SizeMax + 1);
    }

    private int Atom(ref Flags flags, out bool mayRepeat)
    {
        mayRepeat = true;
        char current = _pattern[_position++];
        switch (current)
        {
            case '.':
                _output.Append(flags.DotAll ? Any : AnyButLineFeed);
                return 3;
            case '^':
                _output.Append(flags.Multiline ? "(?m:^)" : @"\A");
                return 1;
            case '$':
                _output.Append(flags.Multiline ? "(?m:$)" : @"\z");
                return 1;
            case '*' or '+' or '?':
                return Fail($"'{current}' has nothing to repeat");
            case '[':
                return new Re2Class(_pattern, _position).TryTranslate(_output, out _position, out string? problem) ? 3 : Fail(problem!);
            case '(':
                return Group(ref flags, out mayRepeat);
            case '\\':
                return Escape();
            default:
                Literal(current);
                return 1;
        }
    }

    private int Group(ref Flags flags, out bool mayRepeat)
    {
        mayRepeat = true;
        Flags inner = flags;
        string opening = "(?:";
        if (!AtEnd && _pattern[_position] == '?')
        {
            _position++;
            if (_pattern.AsSpan(_position).StartsWith("P<") || (_pattern.AsSpan(_position).StartsWith("<") && !_pattern.AsSpan(_position).StartsWith("<=")
                && !_pattern.AsSpan(_position).StartsWith("<!")))
            {
                // Names do not matter to whether there is a match.
                int end = _pattern.IndexOf('>', _position);
                if (end < 0)
                {
                    return Fail("the name of a group has no end");
                }

                _position = end + 1;
            }
            else if (TryFlags(ref inner, out opening))
            {
                if (_pattern[_position - 1] == ')')
                {
                    // (?i) holds for the rest of the enclosing group, in both syntaxes.
                    _output.Append(opening).Append(')');
                    flags = inner;
                    mayRepeat = false;
                    return 0;
                }

                opening += ":";
            }
            else
            {
                return Fail("a group that RE2 does not have (look-around, back-reference or condition)");
            }
        }

        _output.Append(opening);
        int size = Alternatives(inner);
        if (_problem is null && AtEnd)
        {
            return Fail("a group has no ')'");
        }

        _position++;
        _output.Append(')');
        return size;
    }

    /// <summary>Reads <c>i-s:</c> or <c>i)</c>. The flags s, m and U are dealt with here; only i is passed on.</summary>
    private bool TryFlags(ref Flags flags, out string opening)
    {
        opening = "(?";
        bool value = true;
        string? ignoreCase = null;
        while (!AtEnd)
        {
            char flag = _pattern[_position++];
            switch (flag)
            {
                case 'i':
                    ignoreCase = value ? "i" : "-i";
                    break;
                case 's':
                    flags = flags with { DotAll = value };
                    break;
                case 'm':
                    flags = flags with { Multiline = value };
                    break;
                case 'U':
                    break;
                case '-' when value:
                    value = false;
                    break;
                case ':' or ')':
                    opening += ignoreCase ?? (flag == ')' ? "-x" : "");
                    return true;
                default:
                    return false;
            }
        }

        return false;
    }

    private int Escape()
    {
        if (AtEnd)
        {
            return Fail("the pattern ends in '\\'");
        }

        if (_pattern[_position] == 'Q')
        {
            return Quoted();
        }

        char escape = _pattern[_position];
        if (escape is 'A' or 'z' or 'b' or 'B')
        {
            _position++;
            _output.Append('\\').Append(escape);
            return 1;
        }

        var single = new Re2Class(_pattern, _position - 1);
        return single.TryTranslateEscape(_output, out _position, out string? problem) ? 3 : Fail(problem!);
    }

    private int Quoted()
    {
        int begin = _position + 1;
        int end = _pattern.IndexOf(@"\E", begin, StringComparison.Ordinal);
        _position = end < 0 ? _pattern.Length : end + 2;
        string text = _pattern[begin..(end < 0 ? _pattern.Length : end)];

        // A quantifier after \E repeats the last character only.
        int last = text.Length - (text.Length > 1 && char.IsLowSurrogate(text[^1]) ? 2 : 1);
        for (int index = 0; index < text.Length;)
        {
            int width = CelText.WidthAt(text, index);
            _output.Append(index == last ? "(?:" : "");
            Re2Class.AppendCodePoint(_output, width == 2 ? char.ConvertToUtf32(text, index) : text[index]);
            _output.Append(index == last ? ")" : "");
            index += width;
        }

        return text.Length;
    }

    private void Literal(char current)
    {
        if (char.IsHighSurrogate(current) && !AtEnd && char.IsLowSurrogate(_pattern[_position]))
        {
            Re2Class.AppendCodePoint(_output, char.ConvertToUtf32(current, _pattern[_position++]));
            return;
        }

        Re2Class.AppendCodePoint(_output, current);
    }

    /// <summary>The quantifier after an atom, if any. Answers the size of what is repeated, written out.</summary>
    private int Repetition(int atom, int begin)
    {
        if (AtEnd || _problem is not null || !TryQuantifier(out int least, out int most))
        {
            return atom;
        }

        int times = Math.Max(1, most == int.MaxValue ? least : most);
        long nested = (long)NestedRepeat(begin) * times;
        if (nested > RepeatMax)
        {
            return Fail($"a repetition of more than {RepeatMax}");
        }

        if (!AtEnd && _pattern[_position] == '?')
        {
            // Greedy or not, there is a match or there is none.
            _position++;
        }

        int after = _position;
        if (!AtEnd && TryQuantifier(out _, out _))
        {
            _position = after;
            return Fail("a repetition of a repetition; use a group");
        }

        string quantifier = (least, most) switch
        {
            (0, int.MaxValue) => "*",
            (1, int.MaxValue) => "+",
            (0, 1) => "?",
            (_, int.MaxValue) => string.Create(CultureInfo.InvariantCulture, $"{{{least},}}"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{{{least},{most}}}"),
        };
        _output.Append(quantifier);
        _repeats[begin] = (int)nested;
        return (int)Math.Min((long)atom * times, SizeMax + 1);
    }

    // Where in the output each repetition begins, and how often it repeats what is within it.
    private readonly Dictionary<int, int> _repeats = [];

    private int NestedRepeat(int begin)
    {
        int deepest = 1;
        foreach ((int at, int times) in _repeats)
        {
            deepest = at >= begin ? Math.Max(deepest, times) : deepest;
        }

        return deepest;
    }

    private bool TryQuantifier(out int least, out int most)
    {
        (least, most) = _pattern[_position] switch
        {
            '*' => (0, int.MaxValue),
            '+' => (1, int.MaxValue),
            '?' => (0, 1),
            _ => (-1, -1),
        };
        if (least >= 0)
        {
            _position++;
            return true;
        }

        // Braces that do not enclose a count are plain characters.
        int close = _pattern[_position] == '{' ? _pattern.IndexOf('}', _position) : -1;
        if (close < 0 || close - _position > 12)
        {
            return false;
        }

        string[] bounds = _pattern[(_position + 1)..close].Split(',');
        if (bounds.Length > 2 || !TryCount(bounds[0], out least))
        {
            return false;
        }

        most = least;
        if (bounds.Length == 2 && bounds[1].Length == 0)
        {
            most = int.MaxValue;
        }
        else if (bounds.Length == 2 && !TryCount(bounds[1], out most))
        {
            return false;
        }

        _position = close + 1;
        if (most < least)
        {
            Fail("a repetition whose end is below its start");
        }

        return true;
    }

    private static bool TryCount(string text, out int count) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && text.Length <= 5;

    private int Fail(string problem)
    {
        _problem ??= $"the pattern is not valid at {_position}: {problem}";
        return 0;
    }
}
