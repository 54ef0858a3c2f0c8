using Omium.Kernel.Ledger;

namespace Omium.Runtime.Billing;

/// <summary>
/// A tenant's money, for those who ask about it and those who move it: reads its ledger, and posts to it. What executions
/// reserve and settle goes the same way.
/// </summary>
public sealed class BillingService(LedgerAdvancer ledger, LedgerQueue queue)
{
    private const int RecordsScannedMax = 2_000, RecordsPage = 100;

    /// <summary>The writer of ledgers.</summary>
    public LedgerAdvancer Ledger => ledger;

    /// <summary>The ledger as it stands; opened with the terms of the installation when the tenant has none.</summary>
    public async ValueTask<LedgerState> StateAsync(string tenant, CancellationToken cancellation = default)
    {
        var state = await ledger.StateAsync(tenant, cancellation);
        if (state.Tenant.Length == 0 && queue.Opening?.Invoke(tenant) is { } opening)
        {
            await queue.PostAsync(tenant, opening);
            state = await ledger.StateAsync(tenant, cancellation);
        }

        return state;
    }

    /// <summary>Posts one request.</summary>
    public Task<LedgerReply> PostAsync(string tenant, LedgerRequest request) => queue.PostAsync(tenant, request);

    /// <summary>
    /// What moved, the newest first, at most <paramref name="countMax"/>. <paramref name="before"/>: the place that the page before ended at.
    /// <paramref name="isWanted"/> chooses; a page may be short although more follow, when little is wanted of much.
    /// </summary>
    /// <returns>The moves, and the place to go on from; null at the end.</returns>
    public async Task<(IReadOnlyList<LedgerMove> Moves, LedgerPlace? Next)> MovesAsync(
        string tenant, LedgerPlace? before, int countMax, Func<LedgerEvent, bool> isWanted, CancellationToken cancellation = default)
    {
        var cell = await ledger.FindAsync(tenant, cancellation);
        var moves = new List<LedgerMove>(countMax);
        var last = Math.Min(before?.Seq ?? cell.Seq, cell.Seq);
        for (var scanned = 0; last > 0 && scanned < RecordsScannedMax; scanned += RecordsPage)
        {
            var first = Math.Max(0, last - RecordsPage);
            var page = await ledger.ReadAsync(tenant, first, (int)(last - first), cancellation);
            foreach (var (record, body) in page.Reverse())
            {
                for (var index = body.Events.Count - 1; index >= 0; index--)
                {
                    var place = new LedgerPlace(record.Seq, index);
                    if ((before is null || place.IsBefore(before.Value)) && isWanted(body.Events[index]))
                    {
                        if (moves.Count == countMax)
                        {
                            return (moves, moves[^1].Place);
                        }

                        moves.Add(new LedgerMove(place, record.AtUnixMs, body.Events[index]));
                    }
                }
            }

            last = first;
        }

        return (moves, last == 0 ? null : new LedgerPlace(last, int.MaxValue));
    }
}

/// <summary>An event of a ledger by its place.</summary>
public sealed record LedgerMove(LedgerPlace Place, long AtUnixMs, LedgerEvent Happened);

/// <summary>A place in a ledger: record, and event within it from 0.</summary>
public readonly record struct LedgerPlace(long Seq, int Index)
{
    /// <summary>True when this place is the older one.</summary>
    public bool IsBefore(LedgerPlace other) => Seq < other.Seq || (Seq == other.Seq && Index < other.Index);
}
