using Omium.Kernel.Executions;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Tests.Executions.Properties;

/// <summary>
/// The world outside, which knows what truly happened: receivers that honour a key for its time, things that were done and undone. It is written
/// without the kernel's decisions, so that it can say when the kernel did something twice.
/// </summary>
internal sealed class World
{
    private const long KeyTtlMs = 3_600_000;
    private readonly Dictionary<string, long> _keys = [];
    private readonly Dictionary<string, int> _standing = [];
    private readonly HashSet<string> _undone = [];

    /// <summary>Call ids that truly happened and were not undone.</summary>
    public HashSet<string> Done { get; } = [];

    /// <summary>What must never be.</summary>
    public List<string> Violations { get; } = [];

    /// <summary>The call reaches the other side. <paramref name="onResidue"/>: the same call of an earlier attempt could not be undone, and a person had it made again (<see cref="Laws"/> sees to that).</summary>
    public void Do(CallState call, long nowMs, bool onResidue)
    {
        var id = call.Id.ToString();
        switch (call.Kind)
        {
            case EffectKind.Idempotent:
                if (_keys.TryGetValue(call.Key!, out var firstMs))
                {
                    if (nowMs >= firstMs + KeyTtlMs && _standing.GetValueOrDefault(call.Key!) > 0 && !onResidue)
                    {
                        Violations.Add($"{id}: the key {call.Key} was used again after its time");
                    }
                }
                else
                {
                    _keys[call.Key!] = nowMs;
                    _standing[call.Key!] = 1;
                }

                break;
            case EffectKind.Verifiable or EffectKind.Irreversible:
                if (Done.Contains(id))
                {
                    Violations.Add($"{id}: {call.Tool} was done twice");
                }

                if (call.Kind == EffectKind.Verifiable && (_standing[call.Key!] = _standing.GetValueOrDefault(call.Key!) + 1) > 1 && !onResidue)
                {
                    Violations.Add($"{id}: {call.Tool} stands twice under the key {call.Key}");
                }

                break;
        }

        Done.Add(id);
    }

    /// <summary>What the verify tool, or a person who looks, sees: whether it stands under its key.</summary>
    public bool Stands(CallState call) => call.Kind == EffectKind.Irreversible ? Done.Contains(call.Id.ToString()) : _standing.GetValueOrDefault(call.Key!) > 0;

    /// <summary>True when an undo of this call has reached the other side.</summary>
    public bool IsUndone(CallState call) => _undone.Contains(call.Id.ToString());

    /// <summary>The call is undone. Undoing what never happened does nothing. A receiver that honours no keys must never be asked twice.</summary>
    public void Undo(CallState call, bool isHonoured)
    {
        if (!_undone.Add(call.Id.ToString()) && !isHonoured)
        {
            Violations.Add($"{call.Id}: the undo of {call.Tool} was done twice");
        }

        if (!Done.Remove(call.Id.ToString()))
        {
            return; // A compensation is delivered at least once, and must be idempotent.
        }

        _standing[call.Key!] = _standing.GetValueOrDefault(call.Key!) - 1;
        _keys.Remove(call.Key!);
    }
}
