using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Workers;

/// <summary>
/// What several hosts over one store need to know of each other's tasks: which executions may have some for a queue, and until when a lease holds.
/// <code>
/// whoever looks at an execution -> announces its queues -> whoever is polled looks at those executions -> BeginCall: the log says who has it
/// heartbeat, at any host -> the time of the lease -> whoever looks at the execution: past it = LoseTask
/// </code>
/// Documents, and only hints: who has a task and what became of it is said by the log alone. An announcement without a task costs a look, and is then
/// taken away; a lease without its document begins anew.
/// </summary>
public sealed class SharedTasks(IDocumentStore documents, Advancer advancer)
{
    private const string OfferKind = "worker_offer", LeaseKind = "worker_lease";
    private const int LookedAtMax = 20, AnnouncedMax = 10_000;
    private readonly ConcurrentDictionary<StreamId, long> _announced = new();
    private readonly ConcurrentDictionary<(string Tenant, string Queue), string> _places = new();

    /// <summary>How often a poll looks at what other hosts announced, while it waits. Default 1 s.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Lets every host know that an execution has tasks for these queues.</summary>
    public async ValueTask AnnounceAsync(ExecutionCell cell, IEnumerable<string> queues, CancellationToken cancellation)
    {
        // At the same record it was said before: who takes an announcement away has seen that record, and would have seen the task.
        if (_announced.TryGetValue(cell.Stream, out var seq) && seq == cell.Seq)
        {
            return;
        }

        foreach (var queue in queues.Distinct(StringComparer.Ordinal))
        {
            // Written also when it is there: whoever is about to take it away for want of a task then finds another tag.
            await documents.PutAsync(OfferOf(cell.Stream, queue), "{}"u8.ToArray(), null, cancellation);
        }

        if (_announced.Count > AnnouncedMax)
        {
            _announced.Clear();
        }

        _announced[cell.Stream] = cell.Seq;
    }

    /// <summary>Brings what other hosts announced for these queues onto the board, a bounded number of executions at a time, those later that were not reached.</summary>
    public async ValueTask LookAsync(string tenant, IReadOnlyList<string> queues, TaskBoard board, CancellationToken cancellation)
    {
        foreach (var queue in queues)
        {
            var after = _places.GetValueOrDefault((tenant, queue));
            var page = await documents.ListAsync(tenant, OfferKind, queue + ".", after, LookedAtMax, cancellation);
            foreach (var announced in page)
            {
                await LookAsync(announced, queue, board, cancellation);
            }

            if (page.Count == LookedAtMax)
            {
                _places[(tenant, queue)] = page[^1].Key.Id;
            }
            else
            {
                _places.TryRemove((tenant, queue), out _);
            }
        }
    }

    /// <summary>Until when a lease holds, Unix ms. One that nothing is known of, or nothing that can be read, begins now.</summary>
    public async ValueTask<long> ExpiresAsync(StreamId stream, string effect, int run, TimeSpan lease, CancellationToken cancellation)
    {
        var key = LeaseOf(stream, effect, run);
        while (true)
        {
            var known = await documents.GetAsync(key, cancellation);
            if (known is not null && Read(known) is { } until)
            {
                return until;
            }

            var expires = advancer.NowMs + (long)lease.TotalMilliseconds;
            if (await documents.PutAsync(key, Write(expires), known?.ETag ?? "", cancellation) is not null)
            {
                return expires;
            }
        }
    }

    /// <summary>Extends a lease that the log says is held.</summary>
    public Task ExtendAsync(StreamId stream, string effect, int run, TimeSpan lease, CancellationToken cancellation) =>
        documents.PutAsync(LeaseOf(stream, effect, run), Write(advancer.NowMs + (long)lease.TotalMilliseconds), null, cancellation);

    /// <summary>
    /// Takes what leaves no record when it is leased (an acknowledgement, run 0). Null: it was taken. Else another host gave it out, for so long as far as is
    /// known.
    /// </summary>
    public async ValueTask<TimeSpan?> HoldAsync(StreamId stream, string effect, TimeSpan lease, CancellationToken cancellation)
    {
        var key = LeaseOf(stream, effect, 0);
        while (true)
        {
            var (known, nowMs) = (await documents.GetAsync(key, cancellation), advancer.NowMs);
            if (known is not null && Read(known) is { } until && until > nowMs)
            {
                return TimeSpan.FromMilliseconds(until - nowMs);
            }

            if (await documents.PutAsync(key, Write(nowMs + (long)lease.TotalMilliseconds), known?.ETag ?? "", cancellation) is not null)
            {
                return null;
            }
        }
    }

    /// <summary>Extends such a hold; false when it is over.</summary>
    public async ValueTask<bool> TryExtendHoldAsync(StreamId stream, string effect, TimeSpan lease, CancellationToken cancellation)
    {
        var key = LeaseOf(stream, effect, 0);
        return await documents.GetAsync(key, cancellation) is { } known && Read(known) > advancer.NowMs
            && await documents.PutAsync(key, Write(advancer.NowMs + (long)lease.TotalMilliseconds), known.ETag, cancellation) is not null;
    }

    /// <summary>Forgets a lease that is over.</summary>
    public Task EndAsync(StreamId stream, string effect, int run, CancellationToken cancellation) => documents.DeleteAsync(LeaseOf(stream, effect, run), null, cancellation);

    /// <summary>Forgets every lease of an execution that has ended, also of what was taken back or kept by a heartbeat that came late.</summary>
    public async ValueTask ForgetAsync(StreamId stream, CancellationToken cancellation)
    {
        while (await documents.ListAsync(stream.Tenant, LeaseKind, stream.Id + ".", null, LookedAtMax, cancellation) is { Count: > 0 } leases)
        {
            foreach (var lease in leases)
            {
                await documents.DeleteAsync(lease.Key, null, cancellation);
            }
        }
    }

    private async ValueTask LookAsync(StoredDocument announced, string queue, TaskBoard board, CancellationToken cancellation)
    {
        var dot = announced.Key.Id.LastIndexOf('.');
        if (dot != queue.Length)
        {
            return; // Another queue, whose name begins like this one.
        }

        // After the announcement was read: what it was made for is in the log by now.
        var stream = new StreamId(announced.Key.Tenant, announced.Key.Id[(dot + 1)..]);
        try
        {
            if (await advancer.FindCurrentAsync(stream, cancellation) is { } cell)
            {
                board.Offer(cell);
                if (TaskBoard.OffersOf(cell).Any(offer => offer.Queue == queue))
                {
                    return;
                }
            }
        }
        catch (Exception error) when (error is CorruptLogException or CryptographicException or InvalidDataException or JsonException)
        {
            return; // What is stored of it cannot be read; the others of this queue are not kept from workers by it.
        }

        await documents.DeleteAsync(announced.Key, announced.ETag, cancellation);
    }

    private static DocumentKey OfferOf(StreamId stream, string queue) => new(stream.Tenant, OfferKind, $"{queue}.{stream.Id}");

    private static DocumentKey LeaseOf(StreamId stream, string effect, int run) => new(stream.Tenant, LeaseKind, new TaskName(stream.Id, effect, run).ToString());

    private static byte[] Write(long expiresMs) => Encoding.ASCII.GetBytes(expiresMs.ToString(CultureInfo.InvariantCulture));

    private static long? Read(StoredDocument stored) =>
        long.TryParse(Encoding.ASCII.GetString(stored.Content), NumberStyles.None, CultureInfo.InvariantCulture, out var expiresMs) ? expiresMs : null;
}
