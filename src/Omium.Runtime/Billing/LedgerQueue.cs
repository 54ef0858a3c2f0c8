using System.Collections.Concurrent;
using Omium.Kernel.Ledger;

namespace Omium.Runtime.Billing;

/// <summary>
/// Gathers the requests that come while a ledger's record is being written and posts them with the next one: a thousand starts at once cost a few
/// appends, not a thousand. Guarantees: a reply is given after its record is durable; requests of one tenant are decided in the order they came.
/// </summary>
public sealed class LedgerQueue(LedgerAdvancer ledger)
{
    /// <summary>Requests of one record at most.</summary>
    private const int BatchMax = 1_000;

    private readonly ConcurrentDictionary<string, TenantQueue> _tenants = new(StringComparer.Ordinal);

    /// <summary>What a ledger begins with when its tenant's first request comes; null = it must have been opened before.</summary>
    public Func<string, OpenLedger?>? Opening { get; init; }

    /// <summary>Told after each record: the tenant and what came of it.</summary>
    public Action<string, LedgerOutcome>? OnPosted { get; set; }

    /// <summary>Posts one request. The reply is what became of it; a refusal is data.</summary>
    public Task<LedgerReply> PostAsync(string tenant, LedgerRequest request)
    {
        var queue = _tenants.GetOrAdd(tenant, static _ => new TenantQueue());
        var waiting = new Waiting(request, new TaskCompletionSource<LedgerReply>(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (queue)
        {
            queue.Waiting.Enqueue(waiting);
            if (queue.IsPosting)
            {
                return waiting.Reply.Task;
            }

            queue.IsPosting = true;
        }

        _ = PostAllAsync(tenant, queue);
        return waiting.Reply.Task;
    }

    private async Task PostAllAsync(string tenant, TenantQueue queue)
    {
        await Task.Yield();
        while (true)
        {
            var batch = new List<Waiting>();
            lock (queue)
            {
                while (batch.Count < BatchMax && queue.Waiting.TryDequeue(out var waiting))
                {
                    batch.Add(waiting);
                }

                if (batch.Count == 0)
                {
                    queue.IsPosting = false;
                    return;
                }
            }

            await PostAsync(tenant, batch);
        }
    }

    private async Task PostAsync(string tenant, List<Waiting> batch)
    {
        try
        {
            var opening = (await ledger.StateAsync(tenant)).Tenant.Length == 0 ? Opening?.Invoke(tenant) : null;
            var requests = batch.Select(waiting => waiting.Request);
            var outcome = await ledger.AdvanceAsync(tenant, [.. opening is null ? requests : requests.Prepend(opening)]);
            for (var index = 0; index < batch.Count; index++)
            {
                batch[index].Reply.SetResult(outcome.Replies[opening is null ? index : index + 1]);
            }

            OnPosted?.Invoke(tenant, outcome);
        }
        catch (Exception error)
        {
            foreach (var waiting in batch)
            {
                waiting.Reply.TrySetException(error); // Each of them hears it; whether it was recorded is for the log to say.
            }
        }
    }

    private sealed record Waiting(LedgerRequest Request, TaskCompletionSource<LedgerReply> Reply);

    private sealed class TenantQueue
    {
        public Queue<Waiting> Waiting { get; } = new();

        public bool IsPosting { get; set; }
    }
}
