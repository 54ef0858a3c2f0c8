using Omium.Simulation.Workflows;

namespace Omium.Simulation.Outside;

/// <summary>
/// The world outside: what truly happened, counted without a look at the kernel. Receivers of idempotent calls honour a key for its time, also
/// after what it did was undone; the others do what they are asked as often as they are asked.
/// </summary>
internal sealed class World(Func<long> nowMs)
{
    private readonly Dictionary<(string Tool, string Key), Deed> _byKey = [];

    /// <summary>Everything that was ever done, in order.</summary>
    public List<Deed> Deeds { get; } = [];

    /// <summary>Undo requests that arrived: call, key, in order.</summary>
    public List<(string Execution, string Effect, string Key)> Undoings { get; } = [];

    /// <summary>Requests sent, per effect: no more than there are intents for it.</summary>
    public Dictionary<string, int> Sent { get; } = [];

    /// <summary>Looks at each request as it is sent.</summary>
    public Action<string>? Sending { get; set; }

    /// <summary>Requests under way, per effect: a person who looks waits until they have arrived.</summary>
    public Dictionary<string, int> UnderWay { get; } = [];

    /// <summary>Which effect made an answer: its tag, told in the answer itself.</summary>
    public Dictionary<string, string> EffectOfTag { get; } = [];

    /// <summary>What tools and workers that were asked to measure a claim told, per effect; who is asked twice may see something else the second time.</summary>
    public HashSet<(string Effect, double Seen)> Measured { get; } = [];

    /// <summary>Verdicts as verifiers gave them, by the reason that came with each.</summary>
    public Dictionary<string, string> VerdictOfReason { get; } = [];

    /// <summary>Limits of tools, and how calls under them went.</summary>
    public LimitLaws Limits { get; } = new();

    /// <summary>
    /// How far clocks were set back so far, and how long processes stood still after they looked at theirs: so much later a key may come than its
    /// sender could know. Receivers honour keys at least that much longer (docs/simulation.md).
    /// </summary>
    public long ClockLossMs { get; set; }

    public List<string> Violations { get; } = [];

    /// <summary>A request with an effect arrives and is carried out. Gives the deed that stands for it.</summary>
    public Deed Do(string effect, string tool, string key)
    {
        if (DrawnTools.KindOf(tool) == "idempotent" && _byKey.TryGetValue((tool, key), out var known))
        {
            if (nowMs() < known.AtMs + DrawnTools.KeyTtlMs(tool) + ClockLossMs)
            {
                known.AskedBy.Add(effect);
                return known;
            }

            if (known.Stands && !known.GivenUp)
            {
                Violations.Add($"{effect}: the key {key} was used again after its time, and {tool} happened twice");
            }
        }

        var deed = new Deed(Deeds.Count + 1, tool, key, nowMs()) { Stands = true };
        deed.AskedBy.Add(effect);
        Deeds.Add(deed);
        _byKey[(tool, key)] = deed;
        return deed;
    }

    /// <summary>An undo arrives: everything that stands under the key is taken back.</summary>
    public void Undo(string execution, string effect, string key)
    {
        Undoings.Add((execution, effect, key));
        foreach (var deed in Deeds.Where(deed => deed.Key == key && DrawnTools.KindOf(deed.Tool) != "irreversible"))
        {
            deed.Stands = false;
        }
    }

    /// <summary>What somebody who looks under a key sees.</summary>
    public bool Stands(string key) => Deeds.Any(deed => deed.Key == key && deed.Stands);
}

/// <summary>Something that was done.</summary>
internal sealed record Deed(int Number, string Tool, string Key, long AtMs)
{
    /// <summary>True until it is undone.</summary>
    public bool Stands { get; set; }

    /// <summary>True when it could not be undone and people were told so (residue).</summary>
    public bool GivenUp { get; set; }

    /// <summary>The effects that asked for it, full ids.</summary>
    public List<string> AskedBy { get; } = [];
}
