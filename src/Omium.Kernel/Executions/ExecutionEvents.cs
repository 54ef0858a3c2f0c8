using System.Text.Json;
using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

/// <summary>
/// What has happened. The names given here are what is stored: they never change, and a field once written is never given another meaning.
/// An effect is named by its local id, <c>step~visit~attempt[~suffix]</c>; outside the stream the execution's id stands before it. Values that are
/// always there are marked as never left out, which spares the serializer to compare each with none (by reflection, for that type).
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ExecutionStarted), "execution.started")]
[JsonDerivedType(typeof(StepScheduled), "step.scheduled")]
[JsonDerivedType(typeof(GuardFailed), "guard.failed")]
[JsonDerivedType(typeof(ModelAnswered), "model.answered")]
[JsonDerivedType(typeof(CallRequested), "call.requested")]
[JsonDerivedType(typeof(CallRefused), "call.refused")]
[JsonDerivedType(typeof(IntentRecorded), "intent.recorded")]
[JsonDerivedType(typeof(IntentSettled), "intent.settled")]
[JsonDerivedType(typeof(IntentInDoubt), "intent.in_doubt")]
[JsonDerivedType(typeof(CallSettled), "call.settled")]
[JsonDerivedType(typeof(StepCommitted), "step.committed")]
[JsonDerivedType(typeof(CheckpointCommitted), "checkpoint.committed")]
[JsonDerivedType(typeof(StepFailed), "step.failed")]
[JsonDerivedType(typeof(StepGivenUp), "step.given_up")]
[JsonDerivedType(typeof(StepSkipped), "step.skipped")]
[JsonDerivedType(typeof(RetryScheduled), "retry.scheduled")]
[JsonDerivedType(typeof(AttemptStarted), "attempt.started")]
[JsonDerivedType(typeof(LoopTriggered), "loop.triggered")]
[JsonDerivedType(typeof(RuleApplied), "rule.applied")]
[JsonDerivedType(typeof(ActionsDeferred), "actions.deferred")]
[JsonDerivedType(typeof(ActionsTakenUp), "actions.taken_up")]
[JsonDerivedType(typeof(RollbackPlanned), "rollback.planned")]
[JsonDerivedType(typeof(CompensationSettled), "compensation.settled")]
[JsonDerivedType(typeof(ResidueRecorded), "residue.recorded")]
[JsonDerivedType(typeof(RollbackCompleted), "rollback.completed")]
[JsonDerivedType(typeof(ReviewRequested), "review.requested")]
[JsonDerivedType(typeof(ReviewDecided), "review.decided")]
[JsonDerivedType(typeof(ReviewRefused), "review.refused")]
[JsonDerivedType(typeof(ReviewTested), "review.tested")]
[JsonDerivedType(typeof(EditsApplied), "edits.applied")]
[JsonDerivedType(typeof(AgentSubstituted), "agent.substituted")]
[JsonDerivedType(typeof(NotificationRequested), "notification.requested")]
[JsonDerivedType(typeof(NotificationSent), "notification.sent")]
[JsonDerivedType(typeof(ResultDiscarded), "result.discarded")]
[JsonDerivedType(typeof(ExecutionPaused), "execution.paused")]
[JsonDerivedType(typeof(ExecutionResumed), "execution.resumed")]
[JsonDerivedType(typeof(ExecutionSucceeded), "execution.succeeded")]
[JsonDerivedType(typeof(ExecutionFailed), "execution.failed")]
[JsonDerivedType(typeof(ExecutionCancelled), "execution.cancelled")]
public abstract partial record ExecutionEvent;

/// <summary>A step's visit, as events and state name it.</summary>
public readonly record struct VisitKey(string Step, int Visit)
{
    /// <summary>True when it is an item of a for_each step (<see cref="ItemName"/>).</summary>
    [JsonIgnore]
    public bool IsItem => ItemName.Is(Step);

    /// <inheritdoc/>
    public override string ToString() => $"{Step}~{Visit}";
}

/// <summary>The execution began; the workflow version is pinned by digest.</summary>
public sealed record ExecutionStarted(
    string ExecutionId, string Tenant, string Workflow, int WorkflowVersion, string SpecDigest, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] JsonElement Input, long Seed, string StartedBy, double HighValueUsd, ParentLink? Parent = null)
    : ExecutionEvent;

/// <summary>A visit was scheduled with its input.</summary>
/// <param name="Step">Step.</param>
/// <param name="Visit">Visit, from 1.</param>
/// <param name="Input">Input, or a payload reference.</param>
/// <param name="InputDigest">SHA-256 of the canonical input.</param>
/// <param name="After">Visits whose taken edges scheduled it.</param>
/// <param name="Reads">Visits whose outputs its input was made from.</param>
public sealed record StepScheduled(
    string Step, int Visit, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] JsonElement Input, string InputDigest, IReadOnlyList<VisitKey>? After, IReadOnlyList<VisitKey>? Reads) : ExecutionEvent;

/// <summary>A check was not met. Phase: pre, post, schema, arguments (a tool's guards), call (a step's guards on its agent's calls).</summary>
/// <param name="Step">Step.</param>
/// <param name="Visit">Visit.</param>
/// <param name="Attempt">Attempt.</param>
/// <param name="Phase">Where in the life of the step.</param>
/// <param name="Index">Which check of that phase, from 0.</param>
/// <param name="Code">The guard's code.</param>
/// <param name="Message">What people are told.</param>
/// <param name="Check">The check as written.</param>
/// <param name="Actual">Every path the check reads, with the value it had.</param>
public sealed record GuardFailed(
    string Step, int Visit, int Attempt, string Phase, int Index, string Code, string Message, string Check, JsonElement? Actual) : ExecutionEvent;

/// <summary>A model answered a turn and asked for calls (an answer that ends the step is in <see cref="StepCommitted"/> or <see cref="StepFailed"/>).</summary>
public sealed record ModelAnswered(string Step, int Visit, int Attempt, int Turn, string? Content, IReadOnlyList<ModelToolCall> ToolCalls, long InputTokens, long OutputTokens)
    : ExecutionEvent;

/// <summary>A call of a tool was asked for, by a step or by an agent in its loop.</summary>
/// <param name="Effect">Local effect id.</param>
/// <param name="Tool">Tool.</param>
/// <param name="Arguments">Arguments, or a payload reference.</param>
/// <param name="ArgumentsDigest">SHA-256 of the canonical arguments.</param>
/// <param name="Kind">Effect kind.</param>
/// <param name="Key">Idempotency key; null for kind none.</param>
/// <param name="ToolCallId">The model's id of the call.</param>
/// <param name="Approval">True: a person must approve it first.</param>
/// <param name="Turn">The agent's turn that asked for it; 0 for a tool_call step.</param>
/// <param name="ApprovedBy">Who had approved this very call before it was asked for (<see cref="CallApproved"/>).</param>
public sealed record CallRequested(
    string Effect, string Tool, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] JsonElement Arguments, string ArgumentsDigest, Specs.EffectKind Kind, string? Key, string? ToolCallId, bool Approval, int Turn,
    string? ApprovedBy = null) : ExecutionEvent;

/// <summary>A call will not be made; an agent is told why.</summary>
public sealed record CallRefused(string Effect, string Tool, string? ToolCallId, string Reason, int Turn) : ExecutionEvent;

/// <summary>Durable before the effect runs, and when a worker leases a task: only the owner of this record calls out.</summary>
/// <param name="Effect">Local effect id.</param>
/// <param name="Owner">The runner (process incarnation) that may call.</param>
/// <param name="InDoubtAtMs">After this time without a result, the intent is in doubt.</param>
/// <param name="Run">How often an intent of this call was recorded, this one included.</param>
public sealed record IntentRecorded(string Effect, string Owner, long InDoubtAtMs, int Run) : ExecutionEvent;

/// <summary>What became of an intent.</summary>
/// <param name="Effect">Local effect id.</param>
/// <param name="Done">True: it happened.</param>
/// <param name="Result">Its result.</param>
/// <param name="Failure">Why it did not happen.</param>
/// <param name="Via">call, verify or person.</param>
public sealed record IntentSettled(string Effect, bool Done, JsonElement? Result, EffectFailure? Failure, string Via) : ExecutionEvent;

/// <summary>Nobody can say yet whether it happened.</summary>
/// <param name="Effect">Local effect id.</param>
/// <param name="Reason">runner_lost, worker_lost, no_result, unclear_answer, key_expired, verified_not_done, verify_failed, verify_unknown or person_says_redo.</param>
/// <param name="Next">rerun, redo, verify or review.</param>
/// <param name="DueMs">When that may be done.</param>
public sealed record IntentInDoubt(string Effect, string Reason, string Next, long DueMs) : ExecutionEvent;

/// <summary>Result of a call without external effect, inside an agent's loop.</summary>
public sealed record CallSettled(string Effect, JsonElement? Result, EffectFailure? Failure) : ExecutionEvent;

/// <summary>The commit point of a visit.</summary>
/// <param name="Step">Step.</param>
/// <param name="Visit">Visit.</param>
/// <param name="Attempt">Attempt that was committed.</param>
/// <param name="Output">Output, or a payload reference.</param>
/// <param name="Projection">Of a referenced output: the parts that expressions read.</param>
/// <param name="Edges">Indexes of the outgoing edges that are taken; the others are not.</param>
/// <param name="By">Who gave the output when it was a person's override.</param>
/// <param name="InputTokens">Tokens read in the last turn.</param>
/// <param name="OutputTokens">Tokens written in the last turn.</param>
public sealed record StepCommitted(
    string Step, int Visit, int Attempt, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] JsonElement Output, JsonElement? Projection, IReadOnlyList<int>? Edges, string? By, long InputTokens, long OutputTokens) : ExecutionEvent;

/// <summary>A place to come back to.</summary>
public sealed record CheckpointCommitted(string Name, string Step, int Visit) : ExecutionEvent;

/// <summary>An attempt failed.</summary>
/// <param name="Step">Step.</param>
/// <param name="Visit">Visit.</param>
/// <param name="Attempt">Attempt.</param>
/// <param name="Class">Failure class.</param>
/// <param name="Code">Code within the class.</param>
/// <param name="Message">For people.</param>
/// <param name="Fingerprint">workflow/step/class/code.</param>
/// <param name="Output">What was answered, if anything.</param>
/// <param name="Expected">The check that was not met.</param>
/// <param name="Actual">What it saw.</param>
/// <param name="Final">True: the visit has failed for good and its edges are settled.</param>
/// <param name="Edges">With Final: the outgoing edges taken.</param>
/// <param name="InputTokens">Tokens read in the turn that failed.</param>
/// <param name="OutputTokens">Tokens written in the turn that failed.</param>
/// <param name="Repeats">The visit whose failure this is, said again by another visit that holds the end: that one was taken back and then given up.</param>
public sealed record StepFailed(
    string Step, int Visit, int Attempt, string Class, string Code, string Message, string Fingerprint, JsonElement? Output, string? Expected, JsonElement? Actual, bool Final,
    IReadOnlyList<int>? Edges, long InputTokens = 0, long OutputTokens = 0, int? Repeats = null) : ExecutionEvent;

/// <summary>A failed attempt that a policy or a person decided about is failed for good; these outgoing edges are taken.</summary>
public sealed record StepGivenUp(string Step, int Visit, IReadOnlyList<int>? Edges) : ExecutionEvent;

/// <summary>A step will not run. Reason: no_edge_taken, policy or person.</summary>
public sealed record StepSkipped(string Step, int Visit, string Reason, IReadOnlyList<VisitKey>? After, IReadOnlyList<int>? Edges) : ExecutionEvent;

/// <summary>The next attempt of a visit waits until it is due.</summary>
public sealed record RetryScheduled(string Step, int Visit, int Attempt, long DueMs) : ExecutionEvent;

/// <summary>A retried attempt that was waiting began: its preconditions are checked next.</summary>
public sealed record AttemptStarted(string Step, int Visit, int Attempt) : ExecutionEvent;

/// <summary>A loop edge was taken: what lies behind its target runs anew.</summary>
/// <param name="Edge">Edge.</param>
/// <param name="Step">Its target.</param>
/// <param name="Visit">The target's next visit.</param>
/// <param name="Reset">Steps that run anew.</param>
/// <param name="From">The visit that took the edge: taking it back undoes the reset.</param>
/// <param name="Restarted">Loop edges within it, which are entered anew: their <c>max_visits</c> counts from 0 again.</param>
public sealed record LoopTriggered(int Edge, string Step, int Visit, IReadOnlyList<string> Reset, VisitKey From, IReadOnlyList<int>? Restarted = null) : ExecutionEvent;

/// <summary>A rule of the recovery policy was applied.</summary>
public sealed record RuleApplied(int Rule, string Step, int Visit) : ExecutionEvent;

/// <summary>The policy's actions for a failed visit wait: one rollback at a time.</summary>
public sealed record ActionsDeferred(string Step, int Visit, IReadOnlyList<Specs.RecoveryAction> Actions) : ExecutionEvent;

/// <summary>The rollback is over; the actions that waited follow.</summary>
public sealed record ActionsTakenUp(string Step, int Visit) : ExecutionEvent;

/// <summary>Phase one of a rollback: the visits it takes back are fenced, their effects listed for compensation.</summary>
/// <param name="Rollback">Number of the rollback in this execution.</param>
/// <param name="To">Checkpoint it goes back to; "start" when there is none.</param>
/// <param name="Scope">failure, all, attempt, or item: only the effects of one item, beside everything else (<see cref="RollbackScopes"/>).</param>
/// <param name="Affected">Visits taken back.</param>
/// <param name="Compensations">Effects to compensate, in the order they will be.</param>
/// <param name="Cause">policy, person or retry.</param>
/// <param name="By">Who asked for it.</param>
/// <param name="RequestId">The request it answers.</param>
/// <param name="Then">What follows when it is complete.</param>
public sealed record RollbackPlanned(
    int Rollback, string To, string Scope, IReadOnlyList<VisitKey> Affected, IReadOnlyList<string> Compensations, string Cause, string? By, string? RequestId, RollbackSequel Then)
    : ExecutionEvent;

/// <summary>What follows a rollback.</summary>
/// <param name="Visit">The failed visit it concerns, if any.</param>
/// <param name="Actions">Policy actions still to run.</param>
/// <param name="Reschedule">True: run the affected steps again.</param>
/// <param name="Cancel">True: the execution ends as cancelled.</param>
public sealed record RollbackSequel(VisitKey? Visit, IReadOnlyList<Specs.RecoveryAction>? Actions, bool Reschedule, bool Cancel);

/// <summary>A compensation was done, or given up after its attempts.</summary>
public sealed record CompensationSettled(string Effect, int Attempt, bool Done, EffectFailure? Failure, long? RetryDueMs) : ExecutionEvent;

/// <summary>Something could not be undone and is a person's business. <paramref name="By"/>: the person who accepted that, if one did.</summary>
public sealed record ResidueRecorded(string Effect, string Tool, string Reason, string Message, string? By = null) : ExecutionEvent;

/// <summary>Phase two is done: every compensation is settled, and the last checkpoint of every agent, tool and person was compared with the log.</summary>
/// <param name="Rollback">Number of the rollback.</param>
/// <param name="Compensated">Effects undone.</param>
/// <param name="Residue">Effects left, of those it tried to undo.</param>
/// <param name="Checked">Last checkpoints compared.</param>
/// <param name="Disagreeing">Those that stand although something they were made from was taken back: never, unless Omium has a fault; the execution is then paused.</param>
public sealed record RollbackCompleted(int Rollback, int Compensated, int Residue, int Checked = 0, IReadOnlyList<VisitKey>? Disagreeing = null) : ExecutionEvent;

/// <summary>A person is asked.</summary>
/// <param name="Review">Review id.</param>
/// <param name="Kind">failure, approval, call_approval, in_doubt, handoff or verification.</param>
/// <param name="Step">Step concerned.</param>
/// <param name="Visit">Visit concerned.</param>
/// <param name="Attempt">Attempt concerned.</param>
/// <param name="Effect">Effect concerned, if any.</param>
/// <param name="Decisions">What may be answered.</param>
/// <param name="Shown">What is shown.</param>
/// <param name="Digest">SHA-256 of what is shown, the kind and the decisions.</param>
/// <param name="ExpiresMs">Afterwards every decision is refused.</param>
/// <param name="Role">Role it is escalated to, if any.</param>
public sealed record ReviewRequested(
    string Review, string Kind, string Step, int Visit, int Attempt, string? Effect, IReadOnlyList<string> Decisions, JsonElement Shown, string Digest, long ExpiresMs, string? Role)
    : ExecutionEvent
{
    /// <summary>True for questions that the whole execution waits for: it was paused for them.</summary>
    [JsonIgnore]
    public bool HaltsExecution => Kind is "failure" or "handoff" or "verification";
}

/// <summary>The one decision of a review.</summary>
/// <param name="Review">Review id.</param>
/// <param name="Decision">What was decided.</param>
/// <param name="By">By whom.</param>
/// <param name="Edits">Edits of the agent, where the decision takes some.</param>
/// <param name="Note">What was said about it.</param>
/// <param name="ContentDigest">
/// SHA-256 of the edits, output, place and note as they were given, null when there was none of them: tells a decision that is sent again from another one.
/// </param>
public sealed record ReviewDecided(string Review, string Decision, string By, AgentEdit? Edits, string? Note, string? ContentDigest = null) : ExecutionEvent;

/// <summary>A decision came too late or contradicted the one that stands.</summary>
public sealed record ReviewRefused(string Review, string Decision, string By, string Code) : ExecutionEvent;

/// <summary>A fix was tested beside the execution.</summary>
public sealed record ReviewTested(string Review, string By, AgentEdit Edits, string Outcome, string? Problem, long InputTokens, long OutputTokens, string? RequestId = null) : ExecutionEvent;

/// <summary>An agent was changed for this execution.</summary>
public sealed record EditsApplied(string Agent, AgentEdit Edits, string By) : ExecutionEvent;

/// <summary>Another agent stands in for one: its model, role, goal, prompt, constraints and tools serve from now on.</summary>
public sealed record AgentSubstituted(string Agent, string Substitute, string By) : ExecutionEvent;

/// <summary>Edits of one agent; null fields stay.</summary>
public sealed record AgentEdit(string? Prompt, IReadOnlyList<string>? Constraints, IReadOnlyList<string>? Tools);

/// <summary>Somebody must be told.</summary>
public sealed record NotificationRequested(int Notification, string Channel, string Kind, string Step, string Message) : ExecutionEvent;

/// <summary>They were told.</summary>
public sealed record NotificationSent(int Notification) : ExecutionEvent;

/// <summary>A result came for an effect that was given up (fenced, or its execution ended); it is on record once and has no consequence.</summary>
public sealed record ResultDiscarded(string Effect, string Reason) : ExecutionEvent;

/// <summary>Nothing new is begun.</summary>
public sealed record ExecutionPaused(string Reason, string By, string? RequestId) : ExecutionEvent;

/// <summary>Goes on.</summary>
public sealed record ExecutionResumed(string By, string? RequestId) : ExecutionEvent;

/// <summary>Ended well.</summary>
public sealed record ExecutionSucceeded([property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] JsonElement Output) : ExecutionEvent;

/// <summary>Ended badly; a person may retry from a checkpoint.</summary>
public sealed record ExecutionFailed(string Step, int Visit, string Class, string Code, string Message) : ExecutionEvent;

/// <summary>Ended by a person.</summary>
public sealed record ExecutionCancelled(string By, string? RequestId) : ExecutionEvent;
