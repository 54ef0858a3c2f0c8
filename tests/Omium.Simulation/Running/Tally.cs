namespace Omium.Simulation.Running;

/// <summary>Counts what was drawn and what met what: a simulation that never has a crash meet an intent proves nothing about it.</summary>
internal sealed class Tally
{
    private readonly Dictionary<(string Fault, string Event), long> _met = [];
    private readonly Dictionary<(string Kind, string Value), long> _drawn = [];

    public IReadOnlyDictionary<(string Fault, string Event), long> Faults => _met;

    public IReadOnlyDictionary<(string Kind, string Value), long> Drawn => _drawn;

    /// <summary>A fault met a record (its event types, separated by spaces) or another thing.</summary>
    public void Met(string fault, string subjects)
    {
        foreach (var subject in subjects.Length == 0 ? ["(none)"] : subjects.Split(' ').Distinct())
        {
            Add(_met, (fault, subject), 1);
        }
    }

    public void Count(string kind, string value, long count = 1) => Add(_drawn, (kind, value), count);

    public void Add(Tally other)
    {
        foreach (var (key, count) in other._met)
        {
            Add(_met, key, count);
        }

        foreach (var (key, count) in other._drawn)
        {
            Add(_drawn, key, count);
        }
    }

    private static void Add(Dictionary<(string, string), long> into, (string, string) key, long count) =>
        into[key] = into.GetValueOrDefault(key) + count;
}
