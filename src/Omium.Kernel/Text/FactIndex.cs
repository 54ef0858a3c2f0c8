using Omium.Kernel.Expressions;

namespace Omium.Kernel.Text;

/// <summary>
/// Everything that some values say, ready to be looked up. Building it and asking it cost units of the expression under evaluation, in
/// proportion to the text read: the answer is bounded, and is the same everywhere.
/// </summary>
internal sealed class FactIndex
{
    private readonly HashSet<string> _numbers = new(StringComparer.Ordinal);
    private readonly List<string?> _words = []; // null parts two texts: no phrase runs across.
    private readonly Dictionary<string, List<int>> _places = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<int>> _records = new(StringComparer.Ordinal);
    private int _recordCount;

    /// <summary>Takes in a value with all that is in it; false when the cost limit is passed or a part of it cannot be read (<paramref name="failure"/>).</summary>
    public bool TryAdd(CelValue value, Call call, out CelFailure? failure)
    {
        failure = null;
        if (!Spend(call, 1, ref failure))
        {
            return false;
        }

        switch (value)
        {
            case OpaqueMap opaque:
                failure = opaque.Failure;
                return false;
            case CelMap map:
                return TryAddMap(map, call, out failure);
            case CelList list:
                for (var index = 0; index < list.Count; index++)
                {
                    if (!TryAdd(list[index], call, out failure))
                    {
                        return false;
                    }
                }

                return true;
            case CelString text:
                return Spend(call, text.Value.Length / 4, ref failure) && AddText(text.Value);
            default:
                return AddNumber(value);
        }
    }

    /// <summary>
    /// True when the fact is said somewhere in these values. Looking costs units, too, one for every four places that a word stands at: a word
    /// repeated without end is no way to make a decision long. Once the cost limit is passed the answer means nothing; the evaluation has failed then.
    /// </summary>
    public bool Says(Fact fact, Evaluation evaluation) => fact.Kind switch
    {
        FactKind.Number => fact.Keys.Any(_numbers.Contains),
        FactKind.Digits => _places.ContainsKey(fact.Keys[0]) || fact.Keys.Skip(1).All(part => _numbers.Contains(part) || _places.ContainsKey(part)),
        FactKind.Identifier => _places.ContainsKey(fact.Keys[0]),
        _ => SaysInARow(fact.Keys, evaluation) || SaysInOneRecord(fact.Keys, evaluation),
    };

    /// <summary>True when these words stand next to each other in one text.</summary>
    public bool SaysInARow(IReadOnlyList<string> words, Evaluation evaluation)
    {
        if (words.Count == 0 || !_places.TryGetValue(words[0], out var places))
        {
            return false;
        }

        return !evaluation.Spend(1 + (places.Count / 4))
            || places.Exists(place => words.Select((word, index) => (word, place: place + index)).All(pair => pair.place < _words.Count && _words[pair.place] == pair.word));
    }

    /// <summary>True when every word stands in a text of one and the same object: first and last name, say.</summary>
    private bool SaysInOneRecord(IReadOnlyList<string> words, Evaluation evaluation)
    {
        HashSet<int>? records = null;
        foreach (var word in words)
        {
            if (!_records.TryGetValue(word, out var having))
            {
                return false;
            }

            if (!evaluation.Spend(1 + (having.Count / 4)))
            {
                return true;
            }

            records = records is null ? [.. having] : [.. records.Where(having.Contains)];
        }

        return records is { Count: > 0 };
    }

    private static bool Spend(Call call, long units, ref CelFailure? failure)
    {
        if (call.Evaluation.Spend(units))
        {
            return true;
        }

        failure = call.Evaluation.Exhausted(call.Offset);
        return false;
    }

    private bool TryAddMap(CelMap map, Call call, out CelFailure? failure)
    {
        var record = _recordCount++;
        foreach (var key in map.Keys)
        {
            _ = map.TryGet(key, out var value);
            if (value is CelFailure unreadable)
            {
                failure = unreadable;
                return false;
            }

            if (!TryAdd(key, call, out failure) || !TryAdd(value, call, out failure))
            {
                return false;
            }

            if (value is CelString text)
            {
                foreach (var word in FactScanner.Words(text.Value))
                {
                    (_records.TryGetValue(word.Key, out var having) ? having : _records[word.Key] = []).Add(record);
                }
            }
        }

        failure = null;
        return true;
    }

    private bool AddText(string text)
    {
        foreach (var word in FactScanner.Words(text))
        {
            Place(word.Key);
            if (FactScanner.OfWord(word) is { Kind: FactKind.Number or FactKind.Digits } fact)
            {
                foreach (var key in fact.Keys)
                {
                    _numbers.Add(key);
                }
            }
        }

        _words.Add(null);
        if (text.Contains('_', StringComparison.Ordinal))
        {
            return AddText(text.Replace('_', ' ')); // credit_score, as names of members are written.
        }

        return true;
    }

    private bool AddNumber(CelValue value)
    {
        if (Number(value) is { } number)
        {
            _numbers.Add(number);
            Place(number);
            _words.Add(null);
        }

        return true;
    }

    /// <summary>The normal form of a number; null for a value of another kind.</summary>
    public static string? Number(CelValue value) => value switch
    {
        CelInt number => NumberText.TryRead(number.Value.ToString(System.Globalization.CultureInfo.InvariantCulture), out var key) ? key : null,
        CelUint number => NumberText.TryRead(number.Value.ToString(System.Globalization.CultureInfo.InvariantCulture), out var key) ? key : null,
        CelDouble number => NumberText.OfDouble(number.Value),
        _ => null,
    };

    private void Place(string word)
    {
        (_places.TryGetValue(word, out var places) ? places : _places[word] = []).Add(_words.Count);
        _words.Add(word);
    }
}
