using Microsoft.Extensions.Logging.Abstractions;
using Omium.Embedded.Engine;
using Omium.Runtime.Effects;
using Omium.Runtime.Executions;

namespace Omium.Simulation.Scheduling;

/// <summary>
/// One incarnation of one host: the real engine, runner and writer, on a context whose callbacks the scheduler runs. A process that is killed
/// simply never runs again; what it was waiting for never comes.
/// </summary>
internal sealed class SimulatedProcess
{
    private readonly Scheduler _scheduler;
    private long _tickAtMs = long.MaxValue;
    private bool _ticking;

    public SimulatedProcess(Scheduler scheduler, SimulatedHost host, int incarnation)
    {
        (_scheduler, Host, Owner) = (scheduler, host, $"{host.Name}.{incarnation}");
        Context = new ProcessContext(this, scheduler);
        Time = new HostTime(scheduler, host, this);
    }

    public SimulatedHost Host { get; }

    /// <summary>Its name in intents.</summary>
    public string Owner { get; }

    public bool Alive { get; private set; } = true;

    /// <summary>The process stands still until then (a collector's pause, a suspended machine).</summary>
    public long StalledUntilMs { get; set; }

    public SynchronizationContext Context { get; }

    public TimeProvider Time { get; }

    public EmbeddedEngine Engine { get; private set; } = null!;

    public Advancer Advancer { get; private set; } = null!;

    /// <summary>What it reserves and charges with; null where nothing is metered.</summary>
    public Omium.Runtime.Billing.ExecutionCredits? Credits { get; set; }

    /// <summary>The way to its tenant's ledger.</summary>
    public Omium.Runtime.Billing.LedgerQueue? Billing { get; set; }

    /// <summary>Tasks that it offers to workers.</summary>
    public Omium.Runtime.Workers.TaskBoard? Board => Engine?.Tasks;

    /// <summary>True once recovery is through.</summary>
    public bool Recovered { get; private set; }

    /// <summary>What escaped from the engine: a bug, always.</summary>
    public Exception? Escaped { get; private set; }

    public void Start(Advancer advancer, EffectRunner runner, Omium.Runtime.Ports.IIndex index, bool ownsStore)
    {
        Advancer = advancer;
        var options = new EmbeddedEngineOptions { OwnsStore = ownsStore };
        Engine = new EmbeddedEngine(advancer, runner, index, NullLogger<EmbeddedEngine>.Instance, Time, options) { Tasks = new Omium.Runtime.Workers.TaskBoard(Time) };
        Do(async () =>
        {
            await Engine.RecoverAllAsync(CancellationToken.None);
            Recovered = true;
        });
    }

    /// <summary>Runs something inside the process.</summary>
    public void Do(Func<Task> work) => _scheduler.Ready(this, _ => _ = WatchAsync(work), null);

    /// <summary>What is due later than this is nothing but the end of a review.</summary>
    private const long ReviewDeadlineMs = 20L * 24 * 3_600_000;

    /// <summary>Plans the engine's next tick when what it waits for has changed.</summary>
    public void PlanTick()
    {
        if (!Alive || _ticking || Engine.NextDueMs is not { } dueMs)
        {
            return;
        }

        var atMs = Math.Max(_scheduler.NowMs, dueMs - SimulatedHost.EpochMs - Host.ClockOffsetMs);
        if (atMs - _scheduler.NowMs > ReviewDeadlineMs)
        {
            return; // The end of a question to people: here they always answer sooner, and a run does not sit out a month.
        }

        if (atMs >= _tickAtMs && _tickAtMs > _scheduler.NowMs)
        {
            return;
        }

        _tickAtMs = atMs;
        _scheduler.Plan(new Step(this, "tick", "", () => Tick(atMs)), atMs - _scheduler.NowMs);
    }

    /// <summary>Ends it at once.</summary>
    public void Kill() => Alive = false;

    private void Tick(long plannedMs)
    {
        if (plannedMs != _tickAtMs || _ticking)
        {
            return; // A tick that was planned sooner has taken its place.
        }

        _tickAtMs = long.MaxValue;
        _ticking = true;
        Do(async () =>
        {
            await Engine.TickAsync(CancellationToken.None);
            _ticking = false;
        });
    }

    private async Task WatchAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception error)
        {
            Escaped ??= error;
        }
    }

    private sealed class ProcessContext(SimulatedProcess process, Scheduler scheduler) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => scheduler.Ready(process, d, state);

        public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("nothing in Omium waits for another thread");

        public override SynchronizationContext CreateCopy() => this;
    }

    /// <summary>The clock of the host: true time, wrong by its offset.</summary>
    private sealed class HostTime(Scheduler scheduler, SimulatedHost host, SimulatedProcess process) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(SimulatedHost.EpochMs + scheduler.NowMs + host.ClockOffsetMs);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new StepTimer((due, isCurrent) => scheduler.Plan(new Step(process, "timer", "", () =>
            {
                if (isCurrent())
                {
                    scheduler.Ready(process, _ => callback(state), null); // Whatever it begins goes on in the process, too.
                }
            }), (long)Math.Ceiling(due.TotalMilliseconds)));
            timer.Change(dueTime, period);
            return timer;
        }
    }

    private sealed class StepTimer(Action<TimeSpan, Func<bool>> plan) : ITimer
    {
        private int _changes;
        private bool _disposed;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var change = ++_changes;
            if (!_disposed && dueTime != Timeout.InfiniteTimeSpan)
            {
                plan(dueTime, () => !_disposed && change == _changes);
            }

            return !_disposed;
        }

        public void Dispose() => _disposed = true;

        public ValueTask DisposeAsync()
        {
            _disposed = true;
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>A machine: its clock outlives its processes.</summary>
internal sealed class SimulatedHost(string name)
{
    /// <summary>True time 0, Unix ms.</summary>
    public const long EpochMs = 1_700_000_000_000;

    public string Name { get; } = name;

    /// <summary>How wrong its clock is, ms.</summary>
    public long ClockOffsetMs { get; set; }

    public int Incarnations { get; set; }

    public SimulatedProcess? Process { get; set; }

    public Omium.Simulation.Outside.SimulatedTools? Tools { get; set; }
}
