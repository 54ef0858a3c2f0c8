using System.Diagnostics.CodeAnalysis;

namespace Omium.Kernel.Expressions;

/// <summary>A list of values.</summary>
public abstract class CelList : CelValue
{
    /// <summary>The empty list.</summary>
    public static CelList Empty { get; } = new CelArray([]);

    /// <inheritdoc/>
    public sealed override CelKind Kind => CelKind.List;

    /// <summary>Number of elements.</summary>
    public abstract int Count { get; }

    /// <summary>The element at a position from 0 to <see cref="Count"/> - 1.</summary>
    public abstract CelValue this[int index] { get; }

    /// <summary>A list of these values.</summary>
    public static CelList Of(IReadOnlyList<CelValue> values) => values.Count == 0 ? Empty : new CelArray(values);
}

/// <summary>
/// A map. Keys are bool, int, uint or string; an int, a uint and an integral double are the same key. Iteration is in insertion order.
/// </summary>
public abstract class CelMap : CelValue
{
    /// <summary>The empty map.</summary>
    public static CelMap Empty { get; } = new CelMapBuilder().Build();

    /// <inheritdoc/>
    public sealed override CelKind Kind => CelKind.Map;

    /// <summary>Number of entries.</summary>
    public abstract int Count { get; }

    /// <summary>The keys, in insertion order.</summary>
    public abstract IEnumerable<CelValue> Keys { get; }

    /// <summary>Finds the value of a key. False when there is none, also for a value that cannot be a key.</summary>
    public abstract bool TryGet(CelValue key, out CelValue value);

    /// <summary>A map with string keys; a later duplicate replaces the value and keeps the place.</summary>
    public static CelMap Of(IEnumerable<KeyValuePair<string, CelValue>> entries) =>
        Of(entries.Select(entry => new KeyValuePair<CelValue, CelValue>(new CelString(entry.Key), entry.Value)));

    /// <summary>A map with keys of any kind that a key may have; a later duplicate replaces the value and keeps the place.</summary>
    /// <exception cref="ArgumentException">A key is no bool, int, uint or string.</exception>
    public static CelMap Of(IEnumerable<KeyValuePair<CelValue, CelValue>> entries)
    {
        var builder = new CelMapBuilder();
        foreach (KeyValuePair<CelValue, CelValue> entry in entries)
        {
            if (!IsKey(entry.Key))
            {
                throw new ArgumentException($"a {entry.Key.Type.Name} cannot be the key of a map", nameof(entries));
            }

            builder.Set(entry.Key, entry.Value);
        }

        return builder.Build();
    }

    /// <summary>Whether a value of this kind may be a key of a map.</summary>
    internal static bool IsKey(CelValue key) => key.Kind is CelKind.String or CelKind.Int or CelKind.Uint or CelKind.Bool;
}

/// <summary>A map with string keys whose values are looked up on demand, for roots such as <c>steps</c>.</summary>
/// <param name="lookup">Answers the value of a key, or null when there is none. Called on every read: nothing is cached.</param>
/// <param name="keys">Answers every key, in a fixed order without duplicates.</param>
public sealed class LazyCelMap(Func<string, CelValue?> lookup, Func<IEnumerable<string>> keys) : CelMap
{
    /// <inheritdoc/>
    public override int Count => keys().Count();

    /// <inheritdoc/>
    public override IEnumerable<CelValue> Keys => keys().Select(key => new CelString(key));

    /// <inheritdoc/>
    public override bool TryGet(CelValue key, out CelValue value)
    {
        value = (key is CelString text ? lookup(text.Value) : null)!;
        if (value is not null)
        {
            return true;
        }

        value = CelNull.Instance;
        return false;
    }
}

internal sealed class CelArray(IReadOnlyList<CelValue> values) : CelList
{
    public override int Count => values.Count;

    public override CelValue this[int index] => values[index];
}

/// <summary>A map over entries kept in insertion order with a hash of their places.</summary>
internal sealed class CelDictionary(List<KeyValuePair<CelValue, CelValue>> entries, Dictionary<CelValue, int> places) : CelMap
{
    public override int Count => entries.Count;

    public override IEnumerable<CelValue> Keys => entries.Select(entry => entry.Key);

    public override bool TryGet(CelValue key, out CelValue value)
    {
        if (places.TryGetValue(key, out int place))
        {
            value = entries[place].Value;
            return true;
        }

        value = CelNull.Instance;
        return false;
    }
}

/// <summary>Collects the entries of one map.</summary>
internal sealed class CelMapBuilder
{
    private readonly List<KeyValuePair<CelValue, CelValue>> _entries = [];
    private readonly Dictionary<CelValue, int> _places = new(CelKeyComparer.Instance);

    /// <summary>Adds an entry; false when the key is there already.</summary>
    public bool TryAdd(CelValue key, CelValue value)
    {
        if (!_places.TryAdd(key, _entries.Count))
        {
            return false;
        }

        _entries.Add(new(key, value));
        return true;
    }

    /// <summary>Adds an entry or replaces the value of the one that is there.</summary>
    public void Set(CelValue key, CelValue value)
    {
        if (!TryAdd(key, value))
        {
            _entries[_places[key]] = new(key, value);
        }
    }

    public CelMap Build() => new CelDictionary(_entries, _places);
}

/// <summary>Equality of map keys: numbers by value across their kinds.</summary>
internal sealed class CelKeyComparer : IEqualityComparer<CelValue>
{
    public static CelKeyComparer Instance { get; } = new();

    public bool Equals(CelValue? left, CelValue? right)
    {
        if (ReferenceEquals(left, right))
        {
            return true;
        }

        return (left, right) switch
        {
            (CelString one, CelString other) => one.Value == other.Value,
            (CelBool one, CelBool other) => one.Value == other.Value,
            ({ } one, { } other) when TryInteger(one, out Int128 first) && TryInteger(other, out Int128 second) => first == second,
            _ => false,
        };
    }

    public int GetHashCode([DisallowNull] CelValue value) => value switch
    {
        CelString text => text.Value.GetHashCode(StringComparison.Ordinal),
        CelBool flag => flag.Value ? 1 : 2,
        _ when TryInteger(value, out Int128 integer) => integer.GetHashCode(),
        _ => 0,
    };

    private static bool TryInteger(CelValue value, out Int128 integer)
    {
        switch (value)
        {
            case CelInt signed:
                integer = signed.Value;
                return true;
            case CelUint unsigned:
                integer = unsigned.Value;
                return true;
            case CelDouble number when Math.Abs(number.Value) < 1e20 && Math.Truncate(number.Value) == number.Value:
                integer = (Int128)number.Value;
                return true;
            default:
                integer = 0;
                return false;
        }
    }
}
