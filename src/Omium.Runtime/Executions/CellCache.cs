using System.Collections.Concurrent;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Executions;

/// <summary>Cells kept in memory, the longest unused dropped beyond a number. Only a cache: what is dropped is folded from the log again.</summary>
internal sealed class CellCache<TCell>(Func<StreamId, TCell> make)
    where TCell : StreamCell
{
    private readonly ConcurrentDictionary<StreamId, TCell> _cells = new();
    private long _uses;
    private int _cellCount;
    private int _evicting;

    public int CellsMax { get; set; } = 5_000;

    public TCell Of(StreamId stream)
    {
        if (!_cells.TryGetValue(stream, out var cell))
        {
            // Touched before others can see it: an eviction must not take the newest for the longest unused.
            var made = make(stream);
            made.TouchedTicks = Interlocked.Increment(ref _uses);
            cell = _cells.GetOrAdd(stream, made);
            // Counted here, because the dictionary's own count takes every lock it has.
            if (cell == made && Interlocked.Increment(ref _cellCount) > CellsMax)
            {
                EvictSome();
            }
        }

        cell.TouchedTicks = Interlocked.Increment(ref _uses);
        return cell;
    }

    /// <summary>The cell of a stream, its gate held by the caller.</summary>
    public async ValueTask<TCell> EnterAsync(StreamId stream, CancellationToken cancellation)
    {
        while (true)
        {
            var cell = Of(stream);
            await cell.Gate.EnterAsync(cancellation);
            if (!cell.Dropped)
            {
                return cell;
            }

            cell.Gate.Exit();
        }
    }

    /// <summary>Lets go of a cell; the caller holds its gate.</summary>
    public void Drop(TCell cell)
    {
        cell.Dropped = true;
        if (_cells.TryRemove(KeyValuePair.Create(cell.Stream, cell)))
        {
            Interlocked.Decrement(ref _cellCount);
        }
    }

    /// <summary>Streams of the cells that are kept and meant.</summary>
    public IReadOnlyList<StreamId> Where(Func<TCell, bool> isMeant) => [.. _cells.Values.Where(isMeant).Select(cell => cell.Stream)];

    /// <summary>Lets go of a stream's cell, whoever holds it: its next user reads the log.</summary>
    public void Forget(StreamId stream)
    {
        if (_cells.TryGetValue(stream, out var cell))
        {
            Drop(cell);
        }
    }

    /// <summary>
    /// Drops the longest unused tenth. Those with work under way stay; one that is dropped while somebody holds it is simply made anew by its next
    /// user (the log keeps writers apart).
    /// </summary>
    private void EvictSome()
    {
        if (Interlocked.Exchange(ref _evicting, 1) == 1)
        {
            return; // Somebody is at it; a tenth each would empty the cache of what is in use.
        }

        foreach (var cell in _cells.Values.OrderBy(cell => cell.TouchedTicks).Take(CellsMax / 10).ToArray())
        {
            if (cell.Gate.TryEnter())
            {
                if (cell.Idle)
                {
                    Drop(cell);
                }

                cell.Gate.Exit();
            }
        }

        Volatile.Write(ref _evicting, 0);
    }
}
