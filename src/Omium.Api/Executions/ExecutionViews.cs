using System.Text.Json;
using Omium.Api.Failures;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Executions;

/// <summary>A state as answered. Pure: the same state gives the same view.</summary>
internal static class ExecutionViews
{
    /// <summary>Visits that one answer shows: the newest.</summary>
    public const int StepsMax = 1_000;

    public static ExecutionView View(ExecutionState state, long seq, WorkflowPlan plan, AnswerPayloads payloads)
    {
        var failed = (state.FailedVisit ?? AskedAbout(state)) is { } key ? LastFailure(state.Visits[key]) : null;
        var disputed = failed is null ? state.DisputedHandoffs.LastOrDefault() : null;
        return new ExecutionView
        {
            Id = state.ExecutionId,
            Workflow = state.Workflow,
            WorkflowVersion = state.WorkflowVersion,
            Status = ExecutionWords.StatusOf(state),
            Parent = state.Parent is { } parent && EffectId.TryParse(parent.Effect, out var effect) ? new ParentView(parent.Execution, effect.Step, effect.Visit) : null,
            Fork = state.Fork is { } fork ? new ForkView(fork.From, fork.At, fork.Mode) : null,
            WaitingFor = ExecutionWords.WaitingFor(state),
            Seq = seq,
            CreatedAt = Time(state.CreatedMs),
            UpdatedAt = Time(state.UpdatedMs),
            EndedAt = TimeOrNone(state.EndedMs),
            Input = payloads.Show((JsonElement?)state.Input),
            Output = payloads.Show(state.Output),
            Steps = [.. Newest(state).Select(visit => Step(state, visit, plan, payloads))],
            StepsOmitted = Math.Max(0, Visits(state, 0).Count() - StepsMax),
            Failure = failed is { } failure ? Failure(failure.Failure, failure.AtMs) : disputed is { } handoff ? Failure(FailureStory.FailureOf(state, handoff.Dispute!), handoff.DisputedMs) : null,
            FailureId = failed is { } last ? FailureLedger.ListedId(state, last.Failure)
                : disputed is null ? null : FailureLedger.DisputeId(state.ExecutionId, disputed.Dispute!),
            Handoffs = state.Handoffs.IsEmpty ? null : AgreementViews.Handoffs(state, payloads),
            OpenReviews = state.OpenReviews,
            PauseReason = state.PauseReason,
            UndeliveredNotifications = [.. state.Undelivered.Select(lost => new UndeliveredNotificationView(
                lost.Requested.Channel, lost.Requested.Kind, lost.Requested.Message, lost.Failed.Attempt, lost.Failed.Message, Time(lost.AtMs)))],
        };
    }

    /// <summary>Visits of steps after an ordinal, in order; items are counted with their step.</summary>
    public static IEnumerable<VisitState> Visits(ExecutionState state, long afterOrdinal) =>
        state.Visits.Values.Where(visit => !visit.Key.IsItem && visit.Ordinal > afterOrdinal).OrderBy(visit => visit.Ordinal);

    /// <summary>The visits that an answer shows.</summary>
    public static IEnumerable<VisitState> Newest(ExecutionState state) => Visits(state, 0).TakeLast(StepsMax);

    public static ExecutionSummary Summary(IndexRow row) => new(
        row.Id, row.Workflow, row.WorkflowVersion, row.Status, row.FailureClass.Length == 0 ? null : row.FailureClass,
        Time(row.CreatedUnixMs), Time(row.UpdatedUnixMs), TimeOrNone(row.EndedUnixMs));

    public static StepFailure Failure(StepFailed failure, long atMs) => new()
    {
        Step = failure.Step,
        Visit = failure.Visit,
        Attempt = failure.Attempt,
        Class = failure.Class,
        Code = failure.Code,
        Message = failure.Message,
        Fingerprint = failure.Fingerprint,
        At = Time(atMs),
        Expected = failure.Expected,
        Actual = failure.Actual,
    };

    /// <summary>scheduled, running, waiting, committed, failed, skipped, rolled_back or in_doubt.</summary>
    public static string StatusOf(ExecutionState state, VisitState visit) => visit.Status switch
    {
        VisitStatus.Committed => "committed",
        VisitStatus.FailedAttempt when visit.Key.IsItem => visit.Reviews.Count == 0 ? "running" : "waiting", // What it did is being undone, or a person is asked.
        VisitStatus.FailedAttempt or VisitStatus.Failed => "failed",
        VisitStatus.Skipped => "skipped",
        VisitStatus.RolledBack => "rolled_back",
        _ when visit.Items is { Open: > 0 } => ItemViews.StatusOf(state, visit),
        _ when visit.CurrentCalls.Any(call => call.Status == CallStatus.InDoubt) => "in_doubt",
        _ when visit.WaitsForPerson || IsRetryWaiting(state, visit) || visit.Shared is { Gathering: true } => "waiting",
        _ when state.Status != ExecutionStatus.Running && visit.Turns.Count == 0 && !visit.CurrentCalls.Any() => "scheduled",
        _ => "running",
    };

    public static string? ActorOf(StepPlan? step) => step?.Spec.Agent ?? step?.Spec.Tool ?? step?.Spec.Target;

    /// <summary>The type of a step; of a traced one its kind.</summary>
    public static string TypeOf(StepPlan? step, VisitState? visit) => step?.Spec.Type switch
    {
        StepType.Traced => visit?.Traced?.Declared.Kind ?? TracedKinds.Program,
        StepType.AgentTask => "agent_task",
        StepType.ToolCall => "tool_call",
        StepType.Decision => "decision",
        StepType.HumanApproval => "human_approval",
        StepType.Workflow => "workflow",
        _ => "worker",
    };

    public static DateTimeOffset Time(long unixMs) => DateTimeOffset.FromUnixTimeMilliseconds(unixMs);

    public static StepReference Reference(VisitKey key) => new(key.Step, key.Visit);

    private static DateTimeOffset? TimeOrNone(long unixMs) => unixMs == 0 ? null : Time(unixMs);

    private static bool IsRetryWaiting(ExecutionState state, VisitState visit) =>
        visit.RetryDueMs > state.UpdatedMs && visit.Turns.Count == 0 && !visit.CurrentCalls.Any();

    /// <summary>The failed item that a person is asked about: an item is no failure of the execution before its step is.</summary>
    private static VisitKey? AskedAbout(ExecutionState state) => state.OpenReviews
        .Select(id => state.Reviews[id].Request)
        .Where(request => request.Kind == "failure").Select(request => (VisitKey?)new VisitKey(request.Step, request.Visit)).FirstOrDefault();

    private static (StepFailed Failure, long AtMs)? LastFailure(VisitState visit) => visit.Failures.Count == 0 ? null : visit.Failures[^1];

    public static StepView Step(ExecutionState state, VisitState visit, WorkflowPlan plan, AnswerPayloads payloads)
    {
        var step = plan.Step(visit.Key.Step);
        var status = StatusOf(state, visit);
        var answered = visit.Output ?? (status is "failed" or "rolled_back" && visit.Failures.Count > 0 ? visit.Failures[^1].Failure.Output : null);
        return new StepView
        {
            Step = visit.Key.Step,
            Visit = visit.Key.Visit,
            Attempt = visit.Attempt,
            Type = TypeOf(step, visit),
            Actor = visit.Traced?.Declared.Agent ?? ActorOf(step),
            Status = status,
            ScheduledAt = Time(visit.ScheduledMs),
            SettledAt = TimeOrNone(visit.SettledMs),
            RetryDueAt = IsRetryWaiting(state, visit) && visit.Status == VisitStatus.Open ? Time(visit.RetryDueMs) : null,
            Inherited = visit.Inherited ? true : null,
            Child = ChildOf(visit),
            Input = payloads.Show((JsonElement?)visit.Input),
            Output = payloads.Show(answered),
            Checkpoint = visit.Checkpoint,
            Reads = [.. visit.Reads.Select(Reference)],
            Calls = [.. visit.Calls.Select(call => Call(state, call, payloads))],
            Tokens = visit.InputTokens + visit.OutputTokens == 0 ? null : new TokensView(visit.InputTokens, visit.OutputTokens),
            Verifications = AgreementViews.Verifications(visit),
            Failures = [.. visit.Failures.Select(failure => Failure(failure.Failure, failure.AtMs))],
            Items = visit.Items is null ? null : ItemViews.Counts(state, visit),
            Item = ItemName.TryRead(visit.Key.Step, out _, out var index) ? index : null,
        };
    }

    /// <summary>The child that a visit's present attempt has; null when it has none.</summary>
    public static string? ChildOf(VisitState visit) => visit.CurrentCalls.LastOrDefault(call => call is { Child: not null, Sandboxed: false })?.Child;

    private static CallView Call(ExecutionState state, CallState call, AnswerPayloads payloads) => new()
    {
        EffectId = RecordedResults.NameOf(state, call),
        Tool = WorkflowPlan.ToldTool(call.Tool),
        Status = WordOf(call.Status),
        EffectKind = WordOf(call.Kind),
        Arguments = payloads.Show((JsonElement?)call.Arguments),
        Result = payloads.Show(call.Result),
        IdempotencyKey = call.Key,
        Sandboxed = call.Sandboxed ? true : null,
    };

    public static string WordOf(CallStatus status) => status switch
    {
        CallStatus.Requested => "requested",
        CallStatus.AwaitingApproval => "awaiting_approval",
        CallStatus.Intent => "intent",
        CallStatus.Running => "running",
        CallStatus.InDoubt => "in_doubt",
        CallStatus.Settled => "settled",
        CallStatus.Failed => "failed",
        CallStatus.Refused => "refused",
        _ => "compensated",
    };

    public static string WordOf(EffectKind kind) => kind switch
    {
        EffectKind.Idempotent => "idempotent",
        EffectKind.Verifiable => "verifiable",
        EffectKind.Irreversible => "irreversible",
        _ => "none",
    };
}
