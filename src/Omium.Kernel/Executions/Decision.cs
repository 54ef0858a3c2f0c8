using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>
/// One decision in the making: a working state that every emitted event evolves, so that what follows sees what was just decided.
/// The parts: Scheduling (edges, joins, inputs), Results (answers, outputs, commits), Calls (intents), Failures (policy), Rollbacks, Reviews,
/// Operations (pause, resume, cancel, retry).
/// </summary>
internal sealed partial class Decision(ExecutionState state, DecisionValues values, long atMs)
{
    /// <summary>Loops taken in one record; what follows goes into the next. A loop of decisions alone would otherwise put all its turns into one.</summary>
    private const int LoopsPerRecordMax = 16;

    private readonly List<ExecutionEvent> _events = [];
    private readonly Dictionary<string, byte[]> _payloads = new(StringComparer.Ordinal);
    private readonly Queue<string> _ready = new();
    private readonly Queue<VisitKey> _due = new();
    private int _loops;
    private long _inputTokens;
    private long _outputTokens;
    private ExecutionState _state = state;

    private WorkflowPlan Plan => _migrated ?? values.Plan;

    /// <summary>Decides, then does whatever became possible by it.</summary>
    public DecisionOutcome Run(ExecutionCommand command)
    {
        var rejection = command switch
        {
            StartExecution c => Start(c),
            SettleEffect c => Settle(c),
            BeginCall c => Begin(c),
            WakeTimers c => Wake(c),
            LoseRunner c => LoseRunners(c),
            DecideReview c => Decide(c),
            RecordTest c => Record(c),
            ProposeFix c => Propose(c),
            PauseExecution c => Pause(c),
            ResumeExecution c => Resume(c),
            CancelExecution c => Cancel(c),
            ForkExecution c => Fork(c),
            MigrateExecution c => Migrate(c),
            RecordChildStarted c => ChildBegan(c),
            RecordChildCancel c => ChildCancelled(c),
            RecordParentNotice c => NoticeTaken(c),
            RollBackExecution c => RollBack(c),
            RetryExecution c => Retry(c),
            RecordNotification c => Deliver(c),
            SettleGather c => Settle(c),
            SettleWrites c => Settle(c),
            SettleSharing c => Settle(c),
            SettleRestore c => Settle(c),
            YieldLocks c => Yield(c),
            SettleTask c => Settle(c),
            LoseTask c => Lose(c),
            AcknowledgeHandoff c => Acknowledge(c),
            ResolveResidue c => Resolve(c),
            IgnoreFailure c => Ignore(c),
            TraceExecution c => Trace(c),
            GrantCredits c => Grant(c),
            RefuseCredits c => Refuse(c),
            AwaitCredits c => Await(c),
            _ => new Rejection("unknown_command", $"no command {command.Name} is known to this kernel"),
        };
        if (rejection is { RecordsEvents: false })
        {
            return DecisionOutcome.Rejected(rejection) with { Wishes = values.Wishes };
        }

        HaltIfDisputed();
        EndIfFailed();
        Work();
        AskForCredits();
        FinishIfDone();
        ReturnCredits();
        return new DecisionOutcome(_events, _payloads, _state, rejection) { Wishes = values.Wishes };
    }

    private void Emit(ExecutionEvent happened)
    {
        _state = ExecutionEvolver.Evolve(_state, happened, atMs);
        _events.Add(happened);
    }

    private Rejection? Start(StartExecution command)
    {
        if (_state.Status != ExecutionStatus.None)
        {
            return _state.ExecutionId == command.ExecutionId && _state.SpecDigest == command.SpecDigest
                ? null
                : new Rejection("execution_exists", "an execution of this id has already been started with another workflow");
        }

        if (Plan.InputSchema?.Validate(values.Resolve(command.Input)) is { IsValid: false } invalid)
        {
            return new Rejection("input_invalid", string.Join("; ", invalid.Errors.Select(error => $"{Pointer(error.InstancePointer)}: {error.Message}")));
        }

        Emit(new ExecutionStarted(
            command.ExecutionId, command.Tenant, command.Workflow, command.WorkflowVersion, command.SpecDigest, command.Input, command.Seed, command.StartedBy, command.HighValueUsd, command.Parent));
        if (command.Lease is { } lease)
        {
            Emit(new LeaseGranted(1, lease.Token, lease.GrantedMicro, lease.CheckpointMicro, lease.ItemMicro));
        }

        foreach (var step in Plan.Steps)
        {
            if (step.Incoming.Count == 0 && !step.LoopTargetOnly)
            {
                _ready.Enqueue(step.Spec.Id);
            }
        }

        return command.First is { } first ? Trace(first with { AtMs = atMs }) : null;
    }

    /// <summary>Schedules what became ready, until nothing more does.</summary>
    private void Work()
    {
        while (true)
        {
            if (_loops >= LoopsPerRecordMax && _ready.Count > 0)
            {
                Emit(new SchedulingDeferred([.. _ready.Distinct(StringComparer.Ordinal)]));
                return;
            }

            if (_due.TryDequeue(out var retried))
            {
                if (_state.Status == ExecutionStatus.Running)
                {
                    EnterRetry(retried); // Else it ended in this very record; its timer stays for a person's retry.
                }
            }
            else if (_expanded.TryDequeue(out var expanded))
            {
                ContinueItems(expanded);
            }
            else if (_ready.TryDequeue(out var step))
            {
                TrySchedule(Plan.Step(step)!);
            }
            else
            {
                return;
            }
        }
    }

    /// <summary>A failure that nothing follows ends the execution as soon as it runs; while it was paused or rolling back, that had to wait.</summary>
    private void EndIfFailed()
    {
        EndIfRejected();
        if (_state.FailedVisit is not null && _events.Count > 0 && _state.Status == ExecutionStatus.Running && DeadEnds().FirstOrDefault() is { } failed)
        {
            EndFailed(failed.Key);
        }
    }

    private IEnumerable<VisitState> DeadEnds() => _state.DeadEndSteps.IsEmpty
        ? []
        : Plan.Steps.Where(step => _state.DeadEndSteps.Contains(step.Spec.Id)).Select(step => _state.StandingVisit(step.Spec.Id)).OfType<VisitState>().Where(IsDeadEnd);

    private void FinishIfDone()
    {
        if (Plan.IsTraced || _state.Status != ExecutionStatus.Running || _state.Open.Count > 0 || _state.OpenReviews.Count > 0 || _state.Rollback is not null
            || _state.DeferredSteps is not null || _state.Credits is { Requested: not null } || _events.Count == 0 || _state.LiveHandoffs.Any())
        {
            return;
        }

        if (DeadEnds().FirstOrDefault() is { } failed)
        {
            EndFailed(failed.Key);
            return;
        }

        var outputs = Plan.Steps
            .Select(step => _state.StandingVisit(step.Spec.Id))
            .OfType<VisitState>()
            .Where(visit => visit.Status == VisitStatus.Committed && visit.TakenEdges.Count == 0)
            .Select(visit => (visit.Key.Step, visit.Output!.Value))
            .ToArray();
        Emit(new ExecutionSucceeded(Externalize(JsonMake.Object(outputs))));
    }

    private static bool IsDeadEnd(VisitState visit) => visit is { Status: VisitStatus.Failed, TakenEdges.Count: 0 };

    private DecisionScope Scope() => new(_state, Plan, values, atMs);

    /// <summary>What a step's own expressions see: the visit with the shared values that it has read, what was agreed on with it, and an item's also the item.</summary>
    internal DecisionScope Scope(VisitKey key) => new(_state, Plan, values, atMs)
    {
        Item = key.IsItem ? ItemOf(key) : null,
        Visit = _state.Visits.GetValueOrDefault(key),
        SharedReads = _state.SharedOf(key)?.Reads,
        Receiver = Plan.Step(key.Step)?.Spec.Id,
    };

    /// <summary>A value for an event: itself when it is small, else a reference, its bytes becoming a payload of this append.</summary>
    private JsonElement Externalize(JsonElement value)
    {
        var size = PayloadReference.BytesOf(value).Length;
        if (size <= PayloadReference.InlineBytesMax)
        {
            return value;
        }

        var bytes = CanonicalJson.Canonicalize(value);
        var digest = CanonicalJson.Digest(bytes);
        _payloads[digest] = bytes;
        values.Payloads[digest] = value;
        return PayloadReference.Of(digest, bytes.Length);
    }

    private static string DigestOf(JsonElement value) => PayloadReference.TryRead(value, out var digest, out _) ? digest : CanonicalJson.Digest(value);

    /// <summary>Every path an expression reads, with the value it has: what people are shown as "actual".</summary>
    internal static JsonElement? ActualOf(CelExpression check, DecisionScope scope)
    {
        var members = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var path in check.Paths.Take(20))
        {
            if (Read(path, scope) is { } value && value.TryToJson(out var json, out _))
            {
                members[path.ToString()] = PayloadReference.BytesOf(json).Length > 1_024 ? JsonMake.Text("(too large to show)") : json;
            }
        }

        return members.Count == 0 ? null : JsonMake.Object([.. members.Select(member => (member.Key, member.Value))]);
    }

    private static CelValue? Read(ExpressionPath path, DecisionScope scope)
    {
        if (!scope.TryResolve(path.Root, out var value))
        {
            return null;
        }

        foreach (var segment in path.Segments)
        {
            if (value is not CelMap map || !map.TryGet(new CelString(segment), out var inner))
            {
                return null;
            }

            value = inner;
        }

        return value;
    }

    private static string Pointer(string pointer) => pointer.Length == 0 ? "(whole value)" : pointer;

    private VisitState Visit(VisitKey key) => _state.Visits[key];
}

/// <summary>Why a command is refused. <see cref="RecordsEvents"/>: the refusal itself goes on record (a contradicting decision).</summary>
public sealed record Rejection(string Code, string Message, bool RecordsEvents = false);

/// <summary>What a decision came to: events and payloads to append, the state after them, and the rejection if it was refused.</summary>
public sealed record DecisionOutcome(
    IReadOnlyList<ExecutionEvent> Events, IReadOnlyDictionary<string, byte[]> Payloads, ExecutionState? State, Rejection? Rejection)
{
    /// <summary>
    /// Payloads that an expression turned out to read and was not given. While there are any that can be had, nothing of this outcome may be used: the
    /// host gives them (<see cref="DecisionValues.Give"/>) and decides again.
    /// </summary>
    public IReadOnlyList<PayloadWish> Wishes { get; init; } = [];

    /// <summary>True when the command was accepted (a no-op has no events).</summary>
    public bool Accepted => Rejection is null;

    internal static DecisionOutcome Rejected(Rejection rejection) => new([], new Dictionary<string, byte[]>(), null, rejection);
}
