using System.Diagnostics.CodeAnalysis;

namespace Omium.Azure.Storage;

/// <summary>What was read and may be read again: when it is full, the half that was set longest ago goes. Safe for use by many threads.</summary>
internal sealed class BoundedCache<TKey, TValue>(int countMax)
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private Dictionary<TKey, TValue> _young = [], _old = [];

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        lock (_gate)
        {
            return _young.TryGetValue(key, out value) || _old.TryGetValue(key, out value);
        }
    }

    public void Set(TKey key, TValue value)
    {
        lock (_gate)
        {
            _old.Remove(key);
            _young[key] = value;
            if (_young.Count > countMax / 2)
            {
                (_old, _young) = (_young, []);
            }
        }
    }

    /// <summary>Takes a value out.</summary>
    public bool TryTake(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        lock (_gate)
        {
            return _young.Remove(key, out value) || _old.Remove(key, out value);
        }
    }
}
