namespace Omium.Simulation.Scheduling;

/// <summary>
/// Chance from a seed: SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014). The same numbers on every machine
/// and in every version of .NET. <see cref="Split"/> gives a stream of its own, so that one more draw in one place changes nothing elsewhere.
/// </summary>
internal sealed class Dice(ulong seed)
{
    private ulong _state = seed;

    /// <summary>A stream of its own for one purpose.</summary>
    public Dice Split(int purpose)
    {
        var other = new Dice(_state ^ (0x9E3779B97F4A7C15UL * (ulong)(purpose + 1)));
        other.Next();
        return other;
    }

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>0 to <paramref name="count"/> - 1.</summary>
    public int Below(int count) => (int)(Next() % (ulong)count);

    /// <summary><paramref name="least"/> to <paramref name="most"/>, both included.</summary>
    public int Between(int least, int most) => least + Below(most - least + 1);

    /// <summary>True once in <paramref name="count"/> times on average; never when it is 0.</summary>
    public bool OneIn(int count) => count > 0 && Below(count) == 0;

    /// <summary>One of them.</summary>
    public T Of<T>(IReadOnlyList<T> items) => items[Below(items.Count)];
}
