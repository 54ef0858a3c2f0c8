using Omium.Kernel.Executions;
using Omium.Runtime.Effects;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Workers;

namespace Omium.Azure.Pump;

/// <summary>
/// What a pump's activities do, whatever hosts them. A pump is small and frozen and knows nothing of the kernel: it asks what is outstanding, has each
/// effect run, and waits. Everything here may run twice, on two hosts at a time, or be cut off anywhere: the log decides what counts.
/// </summary>
public sealed class PumpActivities
{
    private readonly Advancer _advancer;
    private readonly EffectRunner _runner;
    private readonly IPumpHost _host;
    private readonly AsyncLocal<Waiting?> _waiting = new();

    /// <summary>The activities over one writer.</summary>
    public PumpActivities(Advancer advancer, EffectRunner runner, IPumpHost host)
    {
        ArgumentNullException.ThrowIfNull(runner);
        (_advancer, _runner, _host) = (advancer, runner, host);
        runner.Shared.OnNudge = OnNudge;
        if (runner.Credits is { } credits)
        {
            credits.OnNudge = OnNudge;
        }
    }

    /// <summary>How soon an effect that waits and does not say until when is looked at again. Default 1 s.</summary>
    public TimeSpan LookAgainAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Where tasks of workers are offered; null = none are.</summary>
    public TaskBoard? Tasks { get; init; }

    /// <summary>What is outstanding now.</summary>
    public async Task<PumpPage> GetPendingAsync(PumpInput input, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (await _advancer.FindAsync(input.Stream, cancellation) is not { } cell)
        {
            // Marked and started, and its first record not there yet or never: the start, if it comes, starts the pump again.
            return new PumpPage([], More: false, null, IsDone: true);
        }

        var lapses = await ServeWorkersAsync(cell, cancellation);
        var now = _advancer.NowMs;
        // Tasks of workers are pulled; nothing here runs them.
        var pending = cell.Pending.Where(effect => effect.Kind != PendingKind.Task).ToList();
        var due = pending.Where(effect => effect.DueMs <= now).ToList();
        var next = pending.Where(effect => effect.DueMs > now).Select(effect => (long?)effect.DueMs).Append(lapses).Min();
        return new PumpPage(
            [.. due.Take(PumpPage.EffectsMax).Select(effect => new EffectInput(input.Tenant, input.Execution, effect.Id, MayWait(effect)))],
            due.Count > PumpPage.EffectsMax, next, IsDone: cell.State.Ended && cell.Pending.Count == 0);
    }

    /// <summary>Offers what workers may take, here and to other hosts, and ends leases whose time is over. Answers when the next one ends, Unix ms.</summary>
    private async Task<long?> ServeWorkersAsync(ExecutionCell cell, CancellationToken cancellation)
    {
        if (Tasks is not { } board || cell.Plan is not { HasWorkers: true })
        {
            return null;
        }

        board.Offer(cell);
        if (board.Shared is not { } shared)
        {
            return null;
        }

        if (cell.State.Ended && cell.Pending.Count == 0)
        {
            await shared.ForgetAsync(cell.Stream, cancellation);
            return null;
        }

        await shared.AnnounceAsync(cell, TaskBoard.OffersOf(cell).Select(offer => offer.Queue), cancellation);
        long? next = null;
        foreach (var (effect, run) in TaskBoard.LeasedOf(cell.State).ToList())
        {
            var expires = await shared.ExpiresAsync(cell.Stream, effect, run, board.Lease, cancellation);
            if (expires > _advancer.NowMs)
            {
                next = Math.Min(next ?? long.MaxValue, expires);
                continue;
            }

            await board.Submit!(cell.Stream, new LoseTask(_advancer.NowMs, effect, run)); // Nudges this pump: what follows is seen then.
            await shared.EndAsync(cell.Stream, effect, run, cancellation);
        }

        return next;
    }

    /// <summary>
    /// Runs one effect to its record and tells the pump. Does nothing when the effect is no longer outstanding. One that waits for others records nothing
    /// and tells nobody: the pump would have it run again at once, and again.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The record could not be written; run it again.</exception>
    public async Task<EffectRun> RunEffectAsync(EffectInput input, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (await _advancer.FindAsync(input.Stream, cancellation) is not { } cell)
        {
            return new EffectRun(null);
        }

        if (HasForeignIntent(cell))
        {
            cell = (await _runner.RecoverAsync(cell, isAlone: false, cancellation)).Cell; // Its runner may have put the result aside and died.
        }

        if (Due(cell, input.Effect) is { } effect && await RunAsync(cell, effect, cancellation) is { } lookAgain)
        {
            return new EffectRun(lookAgain);
        }

        // Also when it was not outstanding any more: who recorded it may have died before it told the pump.
        await _host.NudgeAsync(input.Stream, cancellation);
        return new EffectRun(null);
    }

    /// <summary>Null when it was recorded, or is not outstanding any more; else when to look again.</summary>
    private async Task<long?> RunAsync(ExecutionCell cell, PendingEffect effect, CancellationToken cancellation)
    {
        var waiting = _waiting.Value = new Waiting();
        var recorded = await _runner.RunAsync(cell, effect, cancellation);
        return recorded is null && await _advancer.FindAsync(cell.Stream, cancellation) is { } after && Due(after, effect.Id) is not null
            ? waiting.UntilMs ?? _advancer.NowMs + (long)LookAgainAfter.TotalMilliseconds
            : null;
    }

    private PendingEffect? Due(ExecutionCell cell, string effect)
    {
        foreach (var pending in cell.Pending.Where(pending => pending.Id == effect && pending.DueMs <= _advancer.NowMs))
        {
            return pending;
        }

        return null;
    }

    private static bool MayWait(PendingEffect effect) => effect.Kind is PendingKind.Gather or PendingKind.Prepare or PendingKind.Reserve;

    private bool HasForeignIntent(ExecutionCell cell) => cell.State.Open.Values.Any(key =>
        cell.State.Visits[key].Calls.Any(call => call is { Status: CallStatus.Intent, IsTask: false } && call.Owner != _runner.Owner));

    /// <summary>
    /// Something an execution waited for has happened; or, from then on, it may have: the effect that says so is running right here, and is looked at
    /// again. Losing this costs time, never correctness.
    /// </summary>
    private void OnNudge(StreamId stream, long dueMs)
    {
        if (dueMs <= _advancer.NowMs)
        {
            _ = NudgeAsync(stream);
        }
        else if (_waiting.Value is { } waiting)
        {
            waiting.UntilMs = Math.Min(waiting.UntilMs ?? long.MaxValue, dueMs);
        }
    }

    private async Task NudgeAsync(StreamId stream)
    {
        try
        {
            await _host.NudgeAsync(stream, CancellationToken.None);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // A raise that fails counts as lost: what is owed is in the execution's own Pending, and the sweeper looks.
        }
    }

    /// <summary>Told by what runs in one effect's own flow.</summary>
    private sealed class Waiting
    {
        public long? UntilMs { get; set; }
    }
}
