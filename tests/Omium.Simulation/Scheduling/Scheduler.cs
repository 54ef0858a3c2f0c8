namespace Omium.Simulation.Scheduling;

/// <summary>
/// The one thread of a simulation. Everything that would take time (a store, a tool, a model, a person) is a step with a time; between steps the
/// real code runs until it waits for one. Which step is next follows from the seed alone.
/// </summary>
internal sealed class Scheduler(Dice dice)
{
    /// <summary>Callbacks between two steps; whoever needs more never comes to wait for anything.</summary>
    private const int CallbacksMax = 20_000;

    private readonly PriorityQueue<Step, (long AtMs, ulong Tie)> _steps = new();
    private readonly Queue<(SimulatedProcess Process, SendOrPostCallback Callback, object? State)> _ready = new();

    /// <summary>True time since the simulation began, ms; the processes' clocks may say otherwise.</summary>
    public long NowMs { get; private set; }

    /// <summary>Steps taken.</summary>
    public int Taken { get; private set; }

    /// <summary>Looks at a step just before it is taken; false keeps it from being taken (the fault took its place).</summary>
    public Func<Step, bool>? Before { get; set; }

    /// <summary>Called after each step and everything that followed from it.</summary>
    public Action? Settled { get; set; }

    /// <summary>What happened, for the trace of one seed; null while nobody reads it.</summary>
    public List<string>? Trace { get; set; }

    /// <summary>Plans a step.</summary>
    public void Plan(Step step, long delayMs) => _steps.Enqueue(step, (NowMs + Math.Max(0, delayMs), dice.Next()));

    /// <summary>Plans a step that no process has to live for.</summary>
    public void Plan(string name, long delayMs, Action run) => Plan(new Step(null, name, "", run), delayMs);

    /// <summary>A callback of a process that can run now.</summary>
    public void Ready(SimulatedProcess process, SendOrPostCallback callback, object? state) => _ready.Enqueue((process, callback, state));

    /// <summary>Takes the next step. False when there is none.</summary>
    public bool Take()
    {
        RunReady();
        if (!_steps.TryDequeue(out var step, out var place))
        {
            return false;
        }

        NowMs = Math.Max(NowMs, place.AtMs);
        if (step.Process is { } process)
        {
            if (!process.Alive)
            {
                return true;
            }

            if (process.StalledUntilMs > NowMs)
            {
                _steps.Enqueue(step, (process.StalledUntilMs, dice.Next()));
                return true;
            }
        }

        Taken++;
        if (Before is null || Before(step))
        {
            Trace?.Add($"{NowMs,9} {step.Process?.Owner ?? "-",-12} {step.Name} {step.Subject}");
            step.Run();
        }

        RunReady();
        Settled?.Invoke();
        RunReady();
        return true;
    }

    private void RunReady()
    {
        var callbacks = 0;
        while (_ready.TryDequeue(out var next))
        {
            if (++callbacks > CallbacksMax)
            {
                throw new BusyLoopException($"{next.Process.Owner} runs in circles and waits for nothing");
            }

            if (!next.Process.Alive)
            {
                continue;
            }

            SynchronizationContext.SetSynchronizationContext(next.Process.Context);
            try
            {
                next.Callback(next.State);
            }
            finally
            {
                SynchronizationContext.SetSynchronizationContext(null);
            }
        }
    }
}

/// <summary>One step.</summary>
/// <param name="Process">The process it dies with; null when it happens whoever lives.</param>
/// <param name="Name">What it is, for the table of faults: append, sync, acknowledge, call, reply, ...</param>
/// <param name="Subject">What it is about: the event types of a record, the kind of an effect.</param>
/// <param name="Run">Does it.</param>
internal sealed record Step(SimulatedProcess? Process, string Name, string Subject, Action Run);

/// <summary>A process does one thing after another and no time passes.</summary>
internal sealed class BusyLoopException(string message) : Exception(message);
