using System.Collections.Concurrent;
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
    private readonly ConcurrentDictionary<StreamId, long> _lookAgain = new();

    /// <summary>The activities over one writer.</summary>
    public PumpActivities(Advancer advancer, EffectRunner runner, IPumpHost host)
    {
        ArgumentNullException.ThrowIfNull(runner);
        (_advancer, _runner, _host) = (advancer, runner, host);
        runner.Shared.OnNudge = OnNudge;
    }

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

        Tasks?.Offer(cell);
        var now = _advancer.NowMs;
        // Tasks of workers are pulled; nothing here runs them.
        var pending = cell.Pending.Where(effect => effect.Kind != PendingKind.Task).ToList();
        var due = pending.Where(effect => effect.DueMs <= now).ToList();
        long? next = pending.Where(effect => effect.DueMs > now).Select(effect => (long?)effect.DueMs).Min();
        if (_lookAgain.TryRemove(input.Stream, out var again))
        {
            next = Math.Min(next ?? long.MaxValue, again);
        }

        return new PumpPage(
            [.. due.Take(PumpPage.EffectsMax).Select(effect => new EffectInput(input.Tenant, input.Execution, effect.Id))],
            due.Count > PumpPage.EffectsMax, next, IsDone: cell.State.Ended && cell.Pending.Count == 0);
    }

    /// <summary>Runs one effect to its record and tells the pump. Does nothing when the effect is no longer outstanding.</summary>
    /// <exception cref="StorageUnavailableException">The record could not be written; run it again.</exception>
    public async Task RunEffectAsync(EffectInput input, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (await _advancer.FindAsync(input.Stream, cancellation) is not { } cell)
        {
            return;
        }

        if (HasForeignIntent(cell))
        {
            cell = (await _runner.RecoverAsync(cell, isAlone: false, cancellation)).Cell; // Its runner may have put the result aside and died.
        }

        foreach (var effect in cell.Pending.Where(pending => pending.Id == input.Effect && pending.DueMs <= _advancer.NowMs).Take(1))
        {
            await _runner.RunAsync(cell, effect, cancellation);
        }

        await _host.NudgeAsync(input.Stream, cancellation);
    }

    private bool HasForeignIntent(ExecutionCell cell) => cell.State.Open.Values.Any(key =>
        cell.State.Visits[key].Calls.Any(call => call is { Status: CallStatus.Intent, IsTask: false } && call.Owner != _runner.Owner));

    /// <summary>Something an execution waited for has happened, or may have by then. Losing this costs time, never correctness.</summary>
    private void OnNudge(StreamId stream, long dueMs)
    {
        if (dueMs > _advancer.NowMs)
        {
            _lookAgain.AddOrUpdate(stream, dueMs, (_, known) => Math.Min(known, dueMs));
        }

        _ = NudgeAsync(stream);
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
}
