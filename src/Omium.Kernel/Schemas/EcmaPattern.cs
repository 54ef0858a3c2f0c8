using System.Buffers;
using System.Globalization;
using System.Text;

namespace Omium.Kernel.Schemas;

/// <summary>
/// Translates ECMA-262 patterns (with Unicode, as JSON Schema wants them) for an engine that matches UTF-16 units:
/// \d \w \s are ASCII-based as in ECMA, '.' and negated classes take a whole code point, '$' is the end and not a last line break.
/// Look-around and back-references are refused (they need backtracking); \p{..} knows general categories, of the basic plane.
/// </summary>
internal sealed class EcmaPattern
{
    private const int GroupDepthMax = 200;
    private const string AnyPair = @"[\ud800-\udbff][\udc00-\udfff]";
    private const string NotLineEnd = @"[^\n\r\u2028\u2029\ud800-\udfff]";

    private static readonly SearchValues<char> QuantifierUnits = SearchValues.Create("0123456789,");
    private static readonly SearchValues<char> SyntaxUnits = SearchValues.Create("()[]{}\\|");

    private readonly string _source;
    private readonly StringBuilder _output = new();
    private int _at;
    private int _groupDepth;
    private string? _problem;

    private EcmaPattern(string source) => _source = source;

    /// <summary>False with the reason when the pattern is not ECMA-262 or cannot be translated.</summary>
    public static bool TryTranslate(string source, out string translated, out string? problem)
    {
        var pattern = new EcmaPattern(source);
        while (pattern._at < source.Length && pattern._problem is null)
        {
            pattern.TranslateOne();
        }

        translated = pattern._output.ToString();
        problem = pattern._problem ?? (pattern._groupDepth > 0 ? "a group is not closed" : null);
        return problem is null;
    }

    private void TranslateOne()
    {
        var unit = _source[_at++];
        switch (unit)
        {
            case '.': _output.Append("(?:").Append(NotLineEnd).Append('|').Append(AnyPair).Append(')'); break;
            case '$': _output.Append(@"\z"); break;
            case '(': OpenGroup(); break;
            case ')':
                _output.Append(')');
                _problem = --_groupDepth < 0 ? "a group is closed that was not opened" : _problem;
                break;
            case '[': new EcmaClass(this).Translate(); break;
            case '\\': TranslateEscape(); break;
            case '{' when !IsQuantifier(): _output.Append(@"\{"); break;
            case ']' or '}' when unit == ']' || !IsInQuantifier(): _output.Append('\\').Append(unit); break;
            case '#' or ' ': _output.Append('\\').Append(unit); break;
            case var _ when char.IsHighSurrogate(unit) && _at < _source.Length && char.IsLowSurrogate(_source[_at]):
                AppendLiteral(char.ConvertToUtf32(unit, _source[_at++]));
                break;
            default: _output.Append(unit); break;
        }
    }

    private void OpenGroup()
    {
        _groupDepth++;
        if (_groupDepth > GroupDepthMax)
        {
            _problem = $"groups are nested more than {GroupDepthMax} levels deep";
        }

        _output.Append("(?:");
        if (!Next('?'))
        {
            return;
        }

        if (Next(':'))
        {
            return;
        }

        var isNamed = Next('<') && _at < _source.Length && _source[_at] is not ('=' or '!');
        var nameEnd = isNamed ? _source.IndexOf('>', _at) : -1;
        if (nameEnd > _at && _source.AsSpan(_at, nameEnd - _at).IndexOfAny(SyntaxUnits) < 0)
        {
            _at = nameEnd + 1;
            return;
        }

        _problem = "look-ahead, look-behind and group modifiers are not supported";
    }

    private void TranslateEscape()
    {
        if (_at == _source.Length)
        {
            _problem = "it ends in a backslash";
            return;
        }

        var unit = _source[_at];
        if (unit is 'b' or 'B')
        {
            _at++;
            _output.Append('\\').Append(unit);
        }
        else if (unit is >= '1' and <= '9' or 'k')
        {
            _problem = "back-references are not supported";
        }
        else if (CharacterSetEscape() is { } set)
        {
            var hasPairs = set.IsNegated != (set.Items == EcmaSet.AnyItems);
            var units = set.IsNegated ? $@"[^{set.Items}\ud800-\udfff]" : $@"[{set.Items}-[\ud800-\udfff]]";
            _output.Append(hasPairs ? $"(?:{units}|{AnyPair})" : units);
        }
        else if (_problem is null && CharacterEscape() is { } codePoint)
        {
            AppendLiteral(codePoint);
        }
    }

    private void AppendLiteral(int codePoint)
    {
        if (codePoint > 0xFFFF)
        {
            var pair = char.ConvertFromUtf32(codePoint);
            _output.Append("(?:").Append(EcmaClass.Unit(pair[0])).Append(EcmaClass.Unit(pair[1])).Append(')');
        }
        else
        {
            _output.Append(EcmaClass.Unit(codePoint));
        }
    }

    /// <summary>\d \w \s \p{..} and their negations; null when what follows the backslash is something else, or with a problem.</summary>
    internal EcmaSet? CharacterSetEscape()
    {
        var unit = _source[_at];
        if (EcmaSet.OfLetter(unit) is { } set)
        {
            _at++;
            return set;
        }

        if (unit is not ('p' or 'P'))
        {
            return null;
        }

        _at++;
        var end = Next('{') ? _source.IndexOf('}', _at) : -1;
        var name = end < 0 ? "" : _source[_at..end];
        var property = EcmaSet.OfProperty(name, isNegated: unit == 'P');
        _at = end + 1;
        _problem = property is null ? $"\\{unit}{{{name}}} is not a property that is supported (general categories, Any, ASCII)" : _problem;
        return property;
    }

    /// <summary>One character behind a backslash; null with a problem when there is no such escape.</summary>
    internal int? CharacterEscape()
    {
        var unit = _source[_at++];
        switch (unit)
        {
            case 't': return '\t';
            case 'n': return '\n';
            case 'v': return '\v';
            case 'f': return '\f';
            case 'r': return '\r';
            case '0' when _at == _source.Length || !char.IsAsciiDigit(_source[_at]): return 0;
            case 'c' when _at < _source.Length && char.IsAsciiLetter(_source[_at]): return _source[_at++] & 31;
            case 'x' when Hex(2) is { } code: return code;
            case 'u' when Next('{'):
                var end = _source.IndexOf('}', _at);
                if (end > _at && end - _at <= 6 && int.TryParse(_source.AsSpan(_at, end - _at), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var point) && point <= 0x10FFFF)
                {
                    _at = end + 1;
                    return point;
                }

                break;
            case 'u' when Hex(4) is { } high:
                var isPair = char.IsHighSurrogate((char)high) && _at + 1 < _source.Length && _source[_at] == '\\' && _source[_at + 1] == 'u';
                var back = _at;
                _at += isPair ? 2 : 0;
                if (isPair && Hex(4) is { } low && char.IsLowSurrogate((char)low))
                {
                    return char.ConvertToUtf32((char)high, (char)low);
                }

                _at = back;
                return high;
            case var _ when !char.IsAsciiLetterOrDigit(unit): return unit;
        }

        _problem = $"\\{unit} is not an escape of ECMA-262";
        return null;
    }

    internal bool HasProblem => _problem is not null;

    internal bool IsAtEnd => _at >= _source.Length;

    internal void Refuse(string problem) => _problem ??= problem;

    internal void Append(string text) => _output.Append(text);

    internal bool Next(char expected)
    {
        var isNext = _at < _source.Length && _source[_at] == expected;
        _at += isNext ? 1 : 0;
        return isNext;
    }

    /// <summary>The next code point of the pattern itself.</summary>
    internal int Take()
    {
        var codePoint = char.IsSurrogatePair(_source, Math.Min(_at, _source.Length - 1)) ? char.ConvertToUtf32(_source, _at) : _source[_at];
        _at += codePoint > 0xFFFF ? 2 : 1;
        return codePoint;
    }

    internal bool RangeFollows => _at + 1 < _source.Length && _source[_at] == '-' && _source[_at + 1] != ']';

    private int? Hex(int length)
    {
        if (_at + length > _source.Length || !int.TryParse(_source.AsSpan(_at, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
        {
            return null;
        }

        _at += length;
        return code;
    }

    /// <summary>Whether {n}, {n,} or {n,m} begins before the current place; anything else is a brace.</summary>
    private bool IsQuantifier()
    {
        var end = _source.IndexOf('}', _at);
        if (end <= _at)
        {
            return false;
        }

        var body = _source.AsSpan(_at, end - _at);
        return char.IsAsciiDigit(body[0]) && body.IndexOfAnyExcept(QuantifierUnits) < 0 && body.Count(',') <= 1;
    }

    private bool IsInQuantifier()
    {
        var start = _source.LastIndexOf('{', _at - 1);
        if (start < 0)
        {
            return false;
        }

        var body = _source.AsSpan(start + 1, _at - start - 2);
        return body.Length > 0 && char.IsAsciiDigit(body[0]) && body.IndexOfAnyExcept(QuantifierUnits) < 0 && body.Count(',') <= 1;
    }
}
