namespace Omium.Kernel.Expressions;

/// <summary>Where an expression finds the values of its names. Must answer the same for the same name during one evaluation.</summary>
public interface IBindings
{
    /// <summary>
    /// True when some names have dots (<c>a.b</c>): then the longest bound prefix of a selection wins, as the CEL specification
    /// has it. False, the default, spares those look-ups.
    /// </summary>
    bool HasQualifiedNames => false;

    /// <summary>Finds the value of a name. False when nothing is bound to it.</summary>
    bool TryResolve(string name, out CelValue value);

    /// <summary>Told when an evaluation came to a failure, perhaps because a value that was resolved could not be read.</summary>
    void Failed()
    {
    }
}

/// <summary>Bindings held in a dictionary. Not safe to change while an evaluation reads it.</summary>
public sealed class DictionaryBindings : IBindings
{
    private readonly Dictionary<string, CelValue> _values = new(StringComparer.Ordinal);

    /// <summary>Bindings without any name.</summary>
    public DictionaryBindings()
    {
    }

    /// <summary>Bindings with these names; a later duplicate wins.</summary>
    public DictionaryBindings(IEnumerable<KeyValuePair<string, CelValue>> values)
    {
        foreach (KeyValuePair<string, CelValue> entry in values)
        {
            Set(entry.Key, entry.Value);
        }
    }

    /// <inheritdoc/>
    public bool HasQualifiedNames { get; private set; }

    /// <summary>Binds a name, replacing what it was bound to, and returns these bindings.</summary>
    public DictionaryBindings Set(string name, CelValue value)
    {
        _values[name] = value;
        HasQualifiedNames |= name.Contains('.', StringComparison.Ordinal);
        return this;
    }

    /// <inheritdoc/>
    public bool TryResolve(string name, out CelValue value)
    {
        if (_values.TryGetValue(name, out CelValue? found))
        {
            value = found;
            return true;
        }

        value = CelNull.Instance;
        return false;
    }
}
