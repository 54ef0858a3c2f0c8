using Omium.Kernel.Executions;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Executions;

/// <summary>
/// States of executions at every two hundredth record, as they were folded: only a cache. Snapshot and suffix give what a full fold gives, which is
/// a tested law. States share what they have in common, so that one more costs what changed since the one before. Safe for use by many threads.
/// </summary>
internal sealed class StateSnapshots
{
    /// <summary>Records between two snapshots: folding as many takes some milliseconds.</summary>
    public const int Interval = 200;

    /// <summary>Executions whose snapshots are kept; the one looked at longest ago makes room.</summary>
    public const int ExecutionsMax = 64;

    private readonly Dictionary<StreamId, LinkedListNode<Kept>> _kept = [];
    private readonly LinkedList<Kept> _newestFirst = [];
    private readonly Lock _gate = new();

    /// <summary>The latest snapshot at or before a record; before the first there is the empty state.</summary>
    public (long Seq, ExecutionState State) Nearest(StreamId stream, long seq)
    {
        lock (_gate)
        {
            if (!_kept.TryGetValue(stream, out var node))
            {
                return (0, ExecutionState.Empty);
            }

            _newestFirst.Remove(node);
            _newestFirst.AddFirst(node);
            for (var place = seq / Interval; place > 0; place--)
            {
                if (node.Value.States.TryGetValue(place * Interval, out var state))
                {
                    return (place * Interval, state);
                }
            }

            return (0, ExecutionState.Empty);
        }
    }

    /// <summary>Offers a state after a record; it is kept when it is due.</summary>
    public void Offer(StreamId stream, long seq, ExecutionState state)
    {
        if (seq % Interval != 0)
        {
            return;
        }

        lock (_gate)
        {
            if (!_kept.TryGetValue(stream, out var node))
            {
                _kept[stream] = node = _newestFirst.AddFirst(new Kept(stream, []));
                if (_kept.Count > ExecutionsMax)
                {
                    _kept.Remove(_newestFirst.Last!.Value.Stream);
                    _newestFirst.RemoveLast();
                }
            }

            node.Value.States.TryAdd(seq, state);
        }
    }

    /// <summary>Drops what is kept of an execution.</summary>
    public void Forget(StreamId stream)
    {
        lock (_gate)
        {
            if (_kept.Remove(stream, out var node))
            {
                _newestFirst.Remove(node);
            }
        }
    }

    private sealed record Kept(StreamId Stream, Dictionary<long, ExecutionState> States);
}
