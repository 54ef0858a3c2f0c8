using System.Runtime.CompilerServices;
using Omium.Kernel.Executions;
using Omium.Kernel.Resources;
using Omium.Runtime.Executions;

namespace Omium.Runtime.Resources;

/// <summary>What a rollback gives back: the values that stood before a visit's writes.</summary>
public sealed partial class SharedRunner
{
    private async ValueTask<AdvanceResult?> RestoreAsync(SharedVisit visit, CancellationToken cancellation)
    {
        var transaction = SharedNames.Transaction(visit.Cell.Stream.Id, visit.Key, visit.Shared.CommittedAttempt);
        var (restored, conflicts) = (new List<string>(), new List<RestoreConflict>());
        var ancestors = await AncestorsAsync(visit, cancellation);
        foreach (var root in visit.Shared.Written.GroupBy(StateKey.RootOf, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            await ResolvePreparedAsync(visit.Tenant, [.. root], cancellation);
            var outcome = await AdvanceAsync(visit.Tenant, new RestoreValues(resources.NowMs, root.Key, transaction, [.. root], ancestors), cancellation);
            if (outcome.Rejection is not null)
            {
                await LookAfterAsync(visit.Tenant, outcome.State, visit.Owner, ancestors, [StateKey.ScopeOf(outcome.Key!)], cancellation);
                OnNudge?.Invoke(visit.Cell.Stream, advancer.NowMs + (long)PrepareAgainAfter.TotalMilliseconds);
                return null;
            }

            // From the record, because an earlier run may have done it and not come back.
            await foreach (var happened in EventsAsync(visit.Tenant, root.Key, cancellation))
            {
                switch (happened)
                {
                    case StateRestored e when e.Transaction == transaction:
                        restored.Add(e.Key);
                        break;
                    case StateConflicted e when e.Transaction == transaction:
                        conflicts.Add(new RestoreConflict(e.Key, e.Version, e.Writer));
                        break;
                }
            }
        }

        return await SettleAsync(
            visit, new SettleRestore(advancer.NowMs, visit.Effect, restored.Count == 0 ? null : restored, conflicts.Count == 0 ? null : conflicts), cancellation);
    }

    private async IAsyncEnumerable<ResourceEvent> EventsAsync(string tenant, string root, [EnumeratorCancellation] CancellationToken cancellation)
    {
        const int PageRecords = 500;
        var after = 0L;
        while (true)
        {
            var page = await resources.ReadAsync(tenant, root, after, PageRecords, cancellation);
            foreach (var (record, body) in page)
            {
                after = record.Seq;
                foreach (var happened in body.Events)
                {
                    yield return happened;
                }
            }

            if (page.Count < PageRecords)
            {
                yield break;
            }
        }
    }
}
