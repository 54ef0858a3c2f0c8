using Omium.Kernel.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Executions;

/// <summary>Reads histories through their lineage: the records of a fork begin with those of its source. Calls no tool, no model and no clock.</summary>
internal sealed class HistoryReader(IEventLog log, IKeyWrap keys)
{
    /// <summary>Forks of forks of forks: a chain longer than this is no lineage but a damaged store.</summary>
    private const int DepthMax = 1_000;

    /// <summary>The lineage of a stored stream, and what its key is wrapped as; a null key: there is no such stream, or its data was erased.</summary>
    private async ValueTask<(Lineage Lineage, byte[]? Wrapped)> LineageAsync(StreamId stream, CancellationToken cancellation)
    {
        var forks = new Stack<(StreamId Stream, long At)>();
        var next = stream;
        while (forks.Count < DepthMax)
        {
            var stored = await log.ReadKeyAsync(next, cancellation);
            if (stored is null || !ForkMarker.TryRead(stored, out _, out var from, out var at))
            {
                var lineage = Lineage.Of(next);
                foreach (var fork in forks)
                {
                    lineage = lineage.ForkAt(fork.At, fork.Stream);
                }

                return (lineage, stored);
            }

            forks.Push((next, at));
            next = new StreamId(stream.Tenant, from);
        }

        throw new CorruptLogException($"{stream} is a fork of a fork more than {DepthMax} deep");
    }

    /// <summary>The lineage of a stored stream and the key that seals it; a null key: there is no such stream, or its data was erased.</summary>
    public async ValueTask<(Lineage Lineage, byte[]? DataKey)> FindAsync(StreamId stream, CancellationToken cancellation)
    {
        var (lineage, wrapped) = await LineageAsync(stream, cancellation);
        return (lineage, wrapped is null ? null : keys.Unwrap(wrapped));
    }

    /// <summary>Stored records of a history after the number given, in order, each with its segment. Fewer than asked for: there are no more.</summary>
    public async ValueTask<IReadOnlyList<(Segment Segment, LogRecord Stored)>> ReadAsync(Lineage lineage, long after, int countMax, CancellationToken cancellation)
    {
        var found = new List<(Segment, LogRecord)>();
        foreach (var segment in lineage.Segments)
        {
            while (after < segment.Last && found.Count < countMax)
            {
                var count = (int)Math.Min(countMax - found.Count, segment.Last - after);
                var page = await log.ReadAsync(segment.Stream, after - segment.Offset, count, cancellation);
                found.AddRange(page.Select(record => (segment, record)));
                after += page.Count;
                if (page.Count < count)
                {
                    return found;
                }
            }
        }

        return found;
    }
}
