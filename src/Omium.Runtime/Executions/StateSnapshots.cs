using Omium.Kernel.Executions;

namespace Omium.Runtime.Executions;

/// <summary>
/// States after every so many records of one history. Only a cache: snapshot + suffix = full fold is a law of the kernel. States share what did
/// not change, so that one costs a small part of the whole. Safe for concurrent use.
/// </summary>
internal sealed class StateSnapshots
{
    /// <summary>Records between two snapshots: what a look back folds at most.</summary>
    private const int Every = 200;

    private readonly Lock _gate = new();
    private readonly SortedList<long, ExecutionState> _states = [];

    /// <summary>Keeps the state after a record, if it is its turn.</summary>
    public void Offer(long seq, ExecutionState state)
    {
        if (seq % Every == 0)
        {
            lock (_gate)
            {
                _states[seq] = state;
            }
        }
    }

    /// <summary>The newest state kept that is not after a record; the empty one before the first.</summary>
    public (long Seq, ExecutionState State) Before(long seq)
    {
        lock (_gate)
        {
            for (var kept = Math.Min(seq / Every, _states.Count); kept > 0; kept--)
            {
                if (_states.GetKeyAtIndex((int)kept - 1) is var at && at <= seq)
                {
                    return (at, _states.GetValueAtIndex((int)kept - 1));
                }
            }

            return (0, ExecutionState.Empty);
        }
    }
}
