using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Omium.Kernel.Executions;
using Omium.Kernel.Ledger;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Billing;

/// <summary>
/// What executions owe to their tenant's ledger, and the ledger to them. Two streams and no transaction over both, so each of these may be repeated at
/// any point:
/// <code>
/// start    reserve -> the start record names the reservation
/// wait     charge what was used -> reserve more -> grant_credits; refused: refuse_credits, and look again when credits come
/// return   the record that pauses or ends the execution says what it used -> settle
/// sweep    every open reservation: what does its execution say of it? settle, release, or leave it
/// </code>
/// What must still be settled is nowhere kept apart: it is the ledger's open reservations held against the executions' records.
/// </summary>
public sealed partial class ExecutionCredits(Advancer advancer, LedgerAdvancer ledger, LedgerQueue queue, ILogger<ExecutionCredits> logger)
{
    private const int WokenBySettlement = 8;
    private readonly ConcurrentDictionary<StreamId, long> _waiting = new();
    private readonly ConcurrentDictionary<string, bool> _tenants = new(StringComparer.Ordinal);
    private readonly WorkUnderWay _underWay = new();
    private TaskCompletionSource _firstUse = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _order;

    /// <summary>How soon who waits for credits looks again, if nobody tells it before. Default 10 s.</summary>
    public TimeSpan LookAgainAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How old a reservation must be that no execution knows of, before it is released: its start may be under way. Default 5 min.</summary>
    public TimeSpan UnknownReleasedAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Time between two sweeps of a ledger that is in use. Default 1 min.</summary>
    public TimeSpan SweepEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Told when an execution may go on, and from when (Unix ms). Losing it costs time, never correctness.</summary>
    public Action<StreamId, long>? OnNudge { get; set; }

    /// <summary>Follows what the writers of both kinds of streams record. Called once, before anything runs.</summary>
    public void Attach()
    {
        advancer.Appended += (cell, _, body) => OnAppended(cell, body);
        queue.OnPosted = OnPosted;
        ledger.Loaded = OnLoaded;
    }

    /// <summary>
    /// Sweeps the ledgers that this process uses, until it is cancelled: each when it is first read, since the process before this one may have ended
    /// with something unsettled, and all of them again and again.
    /// </summary>
    public async Task RunAsync(TimeProvider time, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var firstUse = _firstUse = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); // Before it looks: one that is read meanwhile counts.
            await SweepAllAsync(stopping);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            await Task.WhenAny(firstUse.Task, Task.Delay(SweepEvery, time, either.Token));
            await either.CancelAsync();
        }
    }

    /// <summary>Waits until what has been used is settled as far as it is under way, at most so long. What is not is settled by the next sweep.</summary>
    public Task WaitAsync(TimeSpan timeMax) => _underWay.WaitAsync(timeMax);

    /// <summary>Sweeps every ledger that this process has loaded.</summary>
    public async Task SweepAllAsync(CancellationToken cancellation)
    {
        foreach (var tenant in _tenants.Keys.Order(StringComparer.Ordinal))
        {
            try
            {
                await SweepAsync(tenant, cancellation);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                LogNotSwept(logger, tenant, error); // The next sweep tries again; nothing is lost meanwhile.
            }
        }
    }

    /// <summary>Reserves the first lease of an execution. A refusal means that it must not start. A workflow with nothing that costs begins with an empty lease.</summary>
    /// <param name="stream">The execution.</param>
    /// <param name="key">Who starts it.</param>
    /// <param name="capCredits">What that key may use in a month; null = no limit of its own.</param>
    /// <param name="plan">What it will run.</param>
    public async Task<(CreditLease? Lease, Rejection? Refused)> LeaseAsync(StreamId stream, string key, long? capCredits, WorkflowPlan plan)
    {
        if (plan.LeaseCheckpoints == 0)
        {
            return (new CreditLease(0, 0, Credits.CheckpointMicro, Credits.ItemMicro), null); // It costs nothing now, and may be moved to a version that does.
        }

        await TellCapAsync(stream.Tenant, key, capCredits);
        var reply = await queue.PostAsync(
            stream.Tenant, new ReserveCredits(stream.Id, 1, key, Credits.CheckpointMicro, plan.LeaseCheckpoints * Credits.CheckpointMicro));
        return reply.Reservation is { } made
            ? (new CreditLease(made.Token, made.GrantedMicro, Credits.CheckpointMicro, Credits.ItemMicro), null)
            : (null, reply.Rejection);
    }

    /// <summary>What the key says holds: the ledger is told when it is used, before anything that counts for it begins.</summary>
    public async Task TellCapAsync(string tenant, string key, long? capCredits)
    {
        var cap = capCredits is { } credits ? Math.Min(credits, Credits.MicroMax / Credits.MicroPerCredit) * Credits.MicroPerCredit : (long?)null;
        if ((await ledger.StateAsync(tenant)).Keys.GetValueOrDefault(key, KeyUse.None).CapMicro != cap)
        {
            await queue.PostAsync(tenant, new SetKeyCap(key, cap));
        }
    }

    /// <summary>A start was refused: what was reserved for it goes back, unless the execution runs by it.</summary>
    public async Task AbandonAsync(StreamId stream, CreditLease lease, ExecutionState state)
    {
        if (lease.Token > 0 && (state.Credits is null || (state.Credits.Token != lease.Token && state.Credits.ClosedToken != lease.Token)))
        {
            await queue.PostAsync(stream.Tenant, new SettleCredits(stream.Id, lease.Token, 0, Round: 1)); // Not what it has asked for itself meanwhile.
        }
    }

    /// <summary>Runs a pending reservation to its record. Null when it waits, or is no longer wanted.</summary>
    public async ValueTask<AdvanceResult?> RunAsync(ExecutionCell cell, PendingEffect effect, CancellationToken cancellation)
    {
        if (cell.State.Credits is not { Requested: { } requested } credits || effect.Id != string.Create(CultureInfo.InvariantCulture, $"credits~{requested.Round}"))
        {
            return null;
        }

        var stream = cell.Stream;
        _waiting.TryAdd(stream, Interlocked.Increment(ref _order)); // Before it asks, so that credits that come just now are not missed.
        if (requested.Effect is not null)
        {
            var state = await ledger.StateAsync(stream.Tenant, cancellation);
            var use = await KeyOfAsync(cell, cancellation) is { } key ? state.Keys.GetValueOrDefault(key, KeyUse.None) : KeyUse.None;

            // As the ledger will judge it: a call that its key's cap refuses would ask again at once, and again.
            var hasRoom = use.CapMicro is not { } cap || cap - use.SpentMicro - use.ReservedMicro >= requested.NeededMicro;
            return hasRoom && state[Account.Balance] >= requested.NeededMicro
                ? await GrantAsync(stream, new GrantCredits(advancer.NowMs, requested.Round, 0, 0), cancellation)
                : LookAgain(stream);
        }

        if (SettlementOf(stream.Id, credits) is { } settlement)
        {
            await queue.PostAsync(stream.Tenant, settlement);
        }

        var reply = await queue.PostAsync(
            stream.Tenant, new ReserveCredits(stream.Id, requested.Round, await KeyOfAsync(cell, cancellation), requested.NeededMicro, requested.WantedMicro));
        if (reply.Reservation is { } made)
        {
            return await GrantAsync(stream, new GrantCredits(advancer.NowMs, requested.Round, made.Token, made.GrantedMicro), cancellation);
        }

        if (credits.RefusedCode is null)
        {
            await advancer.AdvanceAsync(stream, new RefuseCredits(advancer.NowMs, requested.Round, reply.Rejection!.Code), null, cancellation);
        }

        return LookAgain(stream);
    }

    /// <summary>Holds every open reservation of a ledger against what its execution says.</summary>
    public async Task SweepAsync(string tenant, CancellationToken cancellation)
    {
        var state = await ledger.StateAsync(tenant, cancellation);
        foreach (var open in state.Reservations.Values.OrderBy(open => open.Token))
        {
            if (await ClaimAsync(tenant, open, cancellation) is { } settlement)
            {
                await queue.PostAsync(tenant, settlement);
            }
        }
    }

    /// <summary>
    /// The key or person that an execution counts for: of a child whoever began the first of its parents, or a cap would end where a workflow has its
    /// work done by another. Null where nobody is known.
    /// </summary>
    private async ValueTask<string?> KeyOfAsync(ExecutionCell cell, CancellationToken cancellation)
    {
        var state = cell.State;
        for (var depth = 0; state.Parent is { } parent; depth++)
        {
            if (depth > SpecLimits.ChildDepthMax || await advancer.FindAsync(new StreamId(cell.Stream.Tenant, parent.Execution), cancellation) is not { } above)
            {
                return null;
            }

            state = above.State;
        }

        return state.StartedBy.Length == 0 ? null : state.StartedBy;
    }

    private async ValueTask<AdvanceResult?> GrantAsync(StreamId stream, GrantCredits command, CancellationToken cancellation)
    {
        var granted = await advancer.AdvanceAsync(stream, command, null, cancellation);
        _waiting.TryRemove(stream, out _);
        if (granted.Rejection is null)
        {
            return granted;
        }

        // Not wanted any more: it was cancelled meanwhile, or another runner was first.
        if (command.Token > 0 && granted.Cell.State.Credits is { } credits && credits.Token != command.Token)
        {
            var spent = credits.ClosedToken == command.Token ? credits.ClosedSpentMicro : 0;
            await queue.PostAsync(stream.Tenant, new SettleCredits(stream.Id, command.Token, spent, Round: command.Round));
        }

        return null;
    }

    private AdvanceResult? LookAgain(StreamId stream)
    {
        OnNudge?.Invoke(stream, advancer.NowMs + (long)LookAgainAfter.TotalMilliseconds);
        return null;
    }

    /// <summary>What an execution has used so far, for the reservation it draws on or, with none, for the last one that has ended.</summary>
    private static SettleCredits? SettlementOf(string execution, CreditUse credits) => credits switch
    {
        { Token: > 0 } => new SettleCredits(execution, credits.Token, credits.SpentMicro, Math.Max(0, credits.GrantedMicro - credits.SpentMicro), Round: credits.Round),
        { ClosedToken: > 0 } => new SettleCredits(execution, credits.ClosedToken, credits.ClosedSpentMicro, Round: credits.Round),
        _ => null,
    };

    /// <summary>What must be said of an open reservation; null while it is in use, or may yet be.</summary>
    private async ValueTask<SettleCredits?> ClaimAsync(string tenant, Reservation open, CancellationToken cancellation)
    {
        var cut = open.Owner.IndexOf('/', StringComparison.Ordinal);
        var stream = new StreamId(tenant, cut < 0 ? open.Owner : open.Owner[..cut]);
        var cell = await advancer.FindCurrentAsync(stream, cancellation); // Nothing is taken from an execution on the word of a cache.
        if (cut >= 0)
        {
            return cell is null ? Unknown(open) : await ModelClaimAsync(cell, open, open.Owner[(cut + 1)..], cancellation);
        }

        if (cell?.State.Credits is not { } credits)
        {
            return Unknown(open);
        }

        if (credits.ClosedToken == open.Token)
        {
            return new SettleCredits(open.Owner, open.Token, credits.ClosedSpentMicro, Round: credits.Round);
        }

        if (credits.Requested is not null)
        {
            return null; // It may have been reserved for this very request, whose record is on its way.
        }

        if (credits.Token != open.Token)
        {
            return Unknown(open);
        }

        var kept = Math.Max(0, credits.GrantedMicro - credits.SpentMicro);
        return open.Round == credits.Round && kept > 0 && open.LeftMicro > kept ? new SettleCredits(open.Owner, open.Token, credits.SpentMicro, kept, Round: credits.Round) : null;
    }

    private SettleCredits? Unknown(Reservation open) =>
        ledger.NowMs - open.AtMs >= (long)UnknownReleasedAfter.TotalMilliseconds ? new SettleCredits(open.Owner, open.Token, open.SpentMicro, Round: open.Round) : null;

    private void OnLoaded(string tenant)
    {
        if (_tenants.TryAdd(tenant, true))
        {
            _firstUse.TrySetResult();
        }
    }

    private void OnAppended(ExecutionCell cell, RecordBody body)
    {
        if (cell.State.Credits is not { } credits)
        {
            return;
        }

        foreach (var happened in body.Events)
        {
            var settlement = happened switch
            {
                LeaseReturned e => new SettleCredits(cell.Stream.Id, e.Token, e.SpentMicro, e.KeptMicro, Round: credits.Round),
                ExecutionSucceeded or ExecutionFailed or ExecutionCancelled when credits.ClosedToken > 0 => new SettleCredits(cell.Stream.Id, credits.ClosedToken, credits.ClosedSpentMicro, Round: credits.Round),
                _ => null,
            };
            if (settlement is not null)
            {
                _ = SettleAsync(cell.Stream.Tenant, settlement);
            }
        }
    }

    private async Task SettleAsync(string tenant, SettleCredits settlement)
    {
        using var piece = _underWay.Begin();
        try
        {
            await queue.PostAsync(tenant, settlement);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            LogNotSettled(logger, settlement.Owner, error); // It stays an open reservation, which the next sweep settles.
        }
    }

    /// <summary>Credits came, or were handed back: who waits for them looks again, those who have waited longest first.</summary>
    private void OnPosted(string tenant, LedgerOutcome outcome)
    {
        _tenants.TryAdd(tenant, true);
        if (_waiting.IsEmpty)
        {
            return;
        }

        var come = outcome.Events.Any(happened => happened is CreditsToppedUp or CreditsAdjusted or AllowanceGranted or PlanChanged or KeyCapSet);
        var back = outcome.Events.OfType<CreditsSettled>().Any(settled => settled.Moves.Any(entry => entry is { Account: Account.Balance or Account.Allowance, Micro: > 0 }));
        foreach (var (stream, _) in _waiting.Where(pair => pair.Key.Tenant == tenant).OrderBy(pair => pair.Value).Take(come ? int.MaxValue : back ? WokenBySettlement : 0).ToArray())
        {
            if (!advancer.IsAlone)
            {
                _waiting.TryRemove(stream, out _); // Another process may take it up, and nothing would tell this one. Who still waits comes again.
            }

            OnNudge?.Invoke(stream, 0);
        }
    }

    [LoggerMessage(1301, LogLevel.Warning, "What {Owner} has used is not settled yet; the next sweep settles it")]
    private static partial void LogNotSettled(ILogger logger, string owner, Exception error);

    [LoggerMessage(1302, LogLevel.Warning, "The ledger of {Tenant} was not swept; the next sweep tries again")]
    private static partial void LogNotSwept(ILogger logger, string tenant, Exception error);
}
