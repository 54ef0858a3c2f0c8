using System.Globalization;
using System.Text;

namespace Omium.Kernel.Schemas;

/// <summary>
/// Translates one [..] of ECMA-262. Units of the basic plane become a class; code points beyond it, which are two units each, become alternatives.
/// </summary>
internal sealed class EcmaClass(EcmaPattern pattern)
{
    private const int AstralFirst = 0x10000;
    private const int AstralLast = 0x10FFFF;

    private readonly StringBuilder _items = new();
    private readonly List<(int First, int Last)> _astral = [];
    private bool _hasAllAstral;

    /// <summary>A unit, as the engine takes it anywhere.</summary>
    public static string Unit(int unit) => string.Create(CultureInfo.InvariantCulture, $"\\u{unit:x4}");

    /// <summary>Reads from behind the [ to behind the ], and appends the translation.</summary>
    public void Translate()
    {
        var isNegated = pattern.Next('^');
        while (!pattern.Next(']'))
        {
            if (pattern.IsAtEnd)
            {
                pattern.Refuse("a class is not closed");
            }

            if (pattern.HasProblem)
            {
                return;
            }

            TranslateItem();
        }

        pattern.Append(isNegated ? Negated() : Positive());
    }

    private void TranslateItem()
    {
        if (ReadItem() is not { } first)
        {
            return;
        }

        if (!pattern.RangeFollows)
        {
            AddRange(first, first);
            return;
        }

        pattern.Next('-');
        if (ReadItem() is { } last)
        {
            if (last < first)
            {
                pattern.Refuse("a range of characters is in reverse order");
            }

            AddRange(first, last);
        }
        else
        {
            // A set cannot end a range: the hyphen means itself.
            AddRange(first, first);
            AddRange('-', '-');
        }
    }

    /// <summary>One character, or null when a set such as \d was read and added.</summary>
    private int? ReadItem()
    {
        if (!pattern.Next('\\'))
        {
            return pattern.Take();
        }

        if (pattern.IsAtEnd)
        {
            pattern.Refuse("it ends in a backslash");
            return null;
        }

        if (pattern.Next('b'))
        {
            return '\b';
        }

        if (pattern.CharacterSetEscape() is { } set)
        {
            AddSet(set);
            return null;
        }

        return pattern.HasProblem ? null : pattern.CharacterEscape();
    }

    private void AddSet(EcmaSet set)
    {
        _hasAllAstral |= set.IsNegated ? set.Items != EcmaSet.AnyItems : set.Items == EcmaSet.AnyItems;
        _items.Append(set.IsNegated ? set.Complement : set.Items);
    }

    private void AddRange(int first, int last)
    {
        if (first < AstralFirst)
        {
            _items.Append(Unit(first));
            if (Math.Min(last, AstralFirst - 1) > first)
            {
                _items.Append('-').Append(Unit(Math.Min(last, AstralFirst - 1)));
            }
        }

        if (last >= AstralFirst)
        {
            _astral.Add((Math.Max(first, AstralFirst), last));
        }
    }

    private string Positive()
    {
        var alternatives = new List<string>();
        if (_items.Length > 0)
        {
            alternatives.Add($@"[{_items}-[\ud800-\udfff]]");
        }

        AddPairs(alternatives, _hasAllAstral ? [(AstralFirst, AstralLast)] : _astral);
        return alternatives.Count == 0 ? @"[^\u0000-\uffff]" : $"(?:{string.Join('|', alternatives)})";
    }

    private string Negated()
    {
        var alternatives = new List<string> { $@"[^{_items}\ud800-\udfff]" };
        if (!_hasAllAstral)
        {
            var free = new List<(int, int)>();
            var next = AstralFirst;
            foreach (var (first, last) in _astral.OrderBy(range => range.First))
            {
                if (first > next)
                {
                    free.Add((next, first - 1));
                }

                next = Math.Max(next, last + 1);
            }

            if (next <= AstralLast)
            {
                free.Add((next, AstralLast));
            }

            AddPairs(alternatives, free);
        }

        return $"(?:{string.Join('|', alternatives)})";
    }

    /// <summary>A range of code points beyond the basic plane as at most three products of lead and trail units.</summary>
    private static void AddPairs(List<string> alternatives, List<(int First, int Last)> ranges)
    {
        foreach (var (first, last) in ranges)
        {
            var (from, to) = (char.ConvertFromUtf32(first), char.ConvertFromUtf32(last));
            if (from[0] == to[0])
            {
                alternatives.Add($"{Unit(from[0])}[{Unit(from[1])}-{Unit(to[1])}]");
                continue;
            }

            alternatives.Add($@"{Unit(from[0])}[{Unit(from[1])}-\udfff]");
            if (to[0] - from[0] > 1)
            {
                alternatives.Add($@"[{Unit(from[0] + 1)}-{Unit(to[0] - 1)}][\udc00-\udfff]");
            }

            alternatives.Add($@"{Unit(to[0])}[\udc00-{Unit(to[1])}]");
        }
    }
}
