using System.Globalization;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Workers;

/// <summary>
/// What waits for workers, and the leases of those at work. A cache of what Pending says, made anew by every host that takes executions up: nothing is
/// stored here, so nothing can be lost here.
/// <code>
/// Pending -> Offer -> poll: lease = BeginCall (durable) -> heartbeat (in memory) -> complete, or the lease lapses -> LoseTask (durable)
/// </code>
/// The time a task may take is in the log with its intent. The lease that heartbeats extend is shorter and only here: it tells a dead worker from a
/// slow one, and a record for each heartbeat would say nothing that the log needs. After a restart every lease begins anew, once.
/// Executions take turns: one that offers a thousand tasks does not keep another's first from being taken.
/// </summary>
public sealed class TaskBoard(TimeProvider time) : IDisposable
{
    /// <summary>Time between two heartbeats after which a worker counts as lost. Default 30 s.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Records a command; set by the host before anything is offered.</summary>
    public Func<StreamId, ExecutionCommand, ValueTask<AdvanceResult>>? Submit { get; set; }

    /// <summary>What shared values that a task depends on are now, for its intent (null = it depends on none); set by the host with <see cref="Submit"/>.</summary>
    public Func<ExecutionCell, string, ValueTask<IReadOnlyList<CurrentValue>?>>? Current { get; set; }

    /// <summary>
    /// What hosts over one store know of each other's tasks; null (default): this process is alone. With it the time of a lease is not kept here but there,
    /// and whoever looks at the execution ends it.
    /// </summary>
    public SharedTasks? Shared { get; init; }

    private readonly Lock _gate = new();
    private readonly Dictionary<StreamId, List<TaskOffer>> _offers = [];
    private readonly Dictionary<(string Tenant, string Queue), LinkedList<StreamId>> _turns = [];
    private readonly Dictionary<(StreamId Stream, string Effect, int Run), ITimer> _leases = [];
    private readonly HashSet<(StreamId Stream, string Effect)> _taken = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Takes over what an execution owes to workers now; called after every advance.</summary>
    public void Offer(ExecutionCell cell)
    {
        if (cell.Plan is not { HasWorkers: true })
        {
            return;
        }

        var offers = OffersOf(cell);
        HashSet<(string Effect, int Run)> leased = Shared is null ? [.. LeasedOf(cell.State)] : [];
        lock (_gate)
        {
            Replace(cell.Stream, offers);
            foreach (var lease in _leases.Keys.Where(lease => lease.Stream == cell.Stream && EffectId.TryParse(lease.Effect, out var id) && id.Part == 'c' && !leased.Contains((lease.Effect, lease.Run))).ToArray())
            {
                EndLease(lease);
            }

            foreach (var (effect, run) in leased)
            {
                BeginLease((cell.Stream, effect, run), Lease); // One that is there already stays as it is.
            }

            if (offers.Count > 0)
            {
                Wake();
            }
        }
    }

    /// <summary>Takes back what an execution offers: nothing of it can be begun now. It is offered again when its host takes it up again.</summary>
    public void Withdraw(StreamId stream)
    {
        lock (_gate)
        {
            Replace(stream, []);
        }
    }

    /// <summary>What an execution owes to workers and nobody has.</summary>
    public static List<TaskOffer> OffersOf(ExecutionCell cell) => cell.Plan is { HasWorkers: true } plan
        ? [.. cell.Pending.Where(effect => effect.Kind == PendingKind.Task).Select(effect => OfferOf(cell.Stream, cell.State, plan, effect.Id)).OfType<TaskOffer>()]
        : [];

    /// <summary>The tasks of steps that workers have, by effect and run.</summary>
    public static IEnumerable<(string Effect, int Run)> LeasedOf(ExecutionState state) => state.Ended
        ? []
        : state.Open.Values.SelectMany(key => state.Visits[key].CurrentCalls).Where(call => call is { IsTask: true, Status: CallStatus.Intent }).Select(call => (call.Id.ToString(), call.Runs));

    /// <summary>The next task of these queues that is free, taken for the caller; it must be leased or put back. Null when there is none.</summary>
    public TaskOffer? TryTake(string tenant, IReadOnlyList<string> queues)
    {
        lock (_gate)
        {
            foreach (var queue in queues)
            {
                if (!_turns.TryGetValue((tenant, queue), out var turns))
                {
                    continue;
                }

                for (var turn = turns.First; turn is not null; turn = turn.Next)
                {
                    if (_offers[turn.Value].Find(offer => offer.Queue == queue && !_taken.Contains((offer.Stream, offer.Effect))) is { } free)
                    {
                        turns.Remove(turn);
                        turns.AddLast(turn);
                        _taken.Add((free.Stream, free.Effect));
                        return free;
                    }
                }
            }

            return null;
        }
    }

    /// <summary>Ends a taking: the task was leased in the log, or somebody else has it.</summary>
    public void PutBack(TaskOffer offer)
    {
        lock (_gate)
        {
            _taken.Remove((offer.Stream, offer.Effect));
            Wake();
        }
    }

    /// <summary>
    /// A task that leaves no record when it is leased (an acknowledgement changes nothing outside): it stays taken until its lease lapses, or for as long as
    /// another host's lease of it is known to last.
    /// </summary>
    public void Hold(TaskOffer offer, TimeSpan? time = null)
    {
        lock (_gate)
        {
            BeginLease((offer.Stream, offer.Effect, 0), time ?? Lease);
        }
    }

    /// <summary>Extends a lease; false when there is none of that run any more.</summary>
    public bool Extend(StreamId stream, string effect, int run)
    {
        lock (_gate)
        {
            return _leases.TryGetValue((stream, effect, run), out var timer) && timer.Change(Lease, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Ends the hold of an acknowledgement: it was given, or given up.</summary>
    public void Release(StreamId stream, string effect)
    {
        lock (_gate)
        {
            EndLease((stream, effect, 0));
            _taken.Remove((stream, effect));
            Wake();
        }
    }

    /// <summary>Done at the next change of the board. Ask for it before looking, so that no change is missed.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate)
            {
                return _changed.Task;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var lease in _leases.Values)
            {
                lease.Dispose();
            }

            _leases.Clear();
        }
    }

    private static TaskOffer? OfferOf(StreamId stream, ExecutionState state, WorkflowPlan plan, string effect)
    {
        if (!EffectId.TryParse(effect, out var id))
        {
            return null;
        }

        var receiver = id.Part == 'h' ? state.Handoffs.GetValueOrDefault(new HandoffKey(id.Number - 1, id.Key))?.Proposal.To : id.Step;
        return plan.Step(receiver ?? "")?.Spec.Target is { } queue ? new TaskOffer(stream, queue, effect, id.Part == 'h') : null;
    }

    private void Replace(StreamId stream, List<TaskOffer> offers)
    {
        if (_offers.Remove(stream, out var before))
        {
            foreach (var queue in before.Select(offer => offer.Queue).Except(offers.Select(offer => offer.Queue)).Distinct())
            {
                _turns[(stream.Tenant, queue)].Remove(stream);
            }

            foreach (var gone in before.Where(offer => offer.IsHandoff && !offers.Contains(offer)))
            {
                EndLease((stream, gone.Effect, 0));
                _taken.Remove((stream, gone.Effect));
            }
        }

        if (offers.Count == 0)
        {
            return;
        }

        _offers[stream] = offers;
        foreach (var queue in offers.Select(offer => offer.Queue).Except((before ?? []).Select(offer => offer.Queue)).Distinct())
        {
            if (!_turns.TryGetValue((stream.Tenant, queue), out var turns))
            {
                _turns[(stream.Tenant, queue)] = turns = new LinkedList<StreamId>();
            }

            turns.AddLast(stream);
        }
    }

    private void BeginLease((StreamId Stream, string Effect, int Run) lease, TimeSpan lasts)
    {
        if (!_leases.ContainsKey(lease))
        {
            _leases[lease] = time.CreateTimer(_ => Lapse(lease), null, lasts, Timeout.InfiniteTimeSpan);
        }
    }

    private void EndLease((StreamId Stream, string Effect, int Run) lease)
    {
        if (_leases.Remove(lease, out var timer))
        {
            timer.Dispose();
        }
    }

    private void Lapse((StreamId Stream, string Effect, int Run) lease)
    {
        lock (_gate)
        {
            EndLease(lease);
        }

        if (lease.Run == 0)
        {
            Release(lease.Stream, lease.Effect);
        }
        else if (Submit is { } submit)
        {
            _ = LoseAsync(submit, lease);
        }
    }

    private async Task LoseAsync(Func<StreamId, ExecutionCommand, ValueTask<AdvanceResult>> submit, (StreamId Stream, string Effect, int Run) lease)
    {
        try
        {
            await submit(lease.Stream, new LoseTask(time.GetUtcNow().ToUnixTimeMilliseconds(), lease.Effect, lease.Run));
        }
        catch (StorageUnavailableException)
        {
            lock (_gate)
            {
                BeginLease(lease, Lease); // The store cannot take the record now: said again when the lease lapses once more.
            }
        }
    }

    private void Wake()
    {
        var waiting = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting.TrySetResult();
    }
}

/// <summary>A task that waits for a worker.</summary>
/// <param name="Stream">Execution.</param>
/// <param name="Queue">Queue.</param>
/// <param name="Effect">Local effect id.</param>
/// <param name="IsHandoff">True: the worker is asked what it holds of a message; false: a step is to be done.</param>
public sealed record TaskOffer(StreamId Stream, string Queue, string Effect, bool IsHandoff);

/// <summary>Names a leased task: <c>{execution}.{effect}.{run}</c>; the run of an acknowledgement is 0.</summary>
public readonly record struct TaskName(string Execution, string Effect, int Run)
{
    /// <summary>Reads a name; null when it is none.</summary>
    public static TaskName? Parse(string text)
    {
        var parts = text.Split('.');
        return parts.Length == 3 && EffectId.TryParse(parts[1], out _) && int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var run)
            ? new TaskName(parts[0], parts[1], run)
            : null;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Execution}.{Effect}.{Run}");
}
