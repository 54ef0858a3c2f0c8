using System.Text.Json;
using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

/// <summary>
/// What somebody wants. Time, ids and randomness arrive in here and nowhere else. The same command twice is a no-op:
/// results are known by their effect, operator commands by their request id, decisions by review, decision and person.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(StartExecution), "start")]
[JsonDerivedType(typeof(SettleEffect), "settle_effect")]
[JsonDerivedType(typeof(BeginCall), "begin_call")]
[JsonDerivedType(typeof(WakeTimers), "wake_timers")]
[JsonDerivedType(typeof(LoseRunner), "lose_runner")]
[JsonDerivedType(typeof(DecideReview), "decide_review")]
[JsonDerivedType(typeof(RecordTest), "record_test")]
[JsonDerivedType(typeof(PauseExecution), "pause")]
[JsonDerivedType(typeof(ResumeExecution), "resume")]
[JsonDerivedType(typeof(CancelExecution), "cancel")]
[JsonDerivedType(typeof(RollBackExecution), "rollback")]
[JsonDerivedType(typeof(RetryExecution), "retry")]
[JsonDerivedType(typeof(RecordNotification), "record_notification")]
public abstract partial record ExecutionCommand(long AtMs)
{
    /// <summary>Stable name, as stored in the envelope.</summary>
    [JsonIgnore]
    public abstract string Name { get; }

    /// <summary>
    /// From where a person sent it, sealed with a key of that person's alone, for whoever accounts for it. Nothing is decided by it; null = not known.
    /// </summary>
    public JsonElement? Origin { get; init; }
}

#pragma warning disable CS1591 // Name is documented on the base; the records below say what each command means.

/// <summary>
/// Begins an execution of a workflow version. <paramref name="First"/>: what the process that starts a traced one tells at once, in the same append.
/// <paramref name="Lease"/>: credits reserved for it; null where nothing is metered.
/// </summary>
public sealed record StartExecution(
    long AtMs, string ExecutionId, string Tenant, string Workflow, int WorkflowVersion, string SpecDigest, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] JsonElement Input, long Seed, string StartedBy, double HighValueUsd, ParentLink? Parent = null,
    TraceExecution? First = null, CreditLease? Lease = null) : ExecutionCommand(AtMs)
{
    public override string Name => "start";
}

/// <summary>
/// A runner reports what became of an effect. <paramref name="Run"/>: for a call, the number of the intent it carried out
/// (<see cref="CallState.Runs"/>), so that a failure of an earlier run is not taken for one of the run under way; 0 = not known.
/// </summary>
public sealed record SettleEffect(long AtMs, string Effect, EffectOutcome Outcome, int Run = 0) : ExecutionCommand(AtMs)
{
    public override string Name => "settle_effect";
}

/// <summary>
/// A runner asks for the right to call out. <paramref name="MarginMs"/> is added to the call's time-out before it is in doubt.
/// <paramref name="Current"/>: the values that <see cref="ExecutionKernel.FreshnessOf"/> names, as they are now.
/// </summary>
public sealed record BeginCall(long AtMs, string Effect, string Owner, long MarginMs, IReadOnlyList<CurrentValue>? Current = null) : ExecutionCommand(AtMs)
{
    public override string Name => "begin_call";
}

/// <summary>
/// Time has passed: whatever is due by then happens. <paramref name="UnderWay"/>: calls (local effect ids) that the sender is making right now; they
/// are not in doubt.
/// </summary>
public sealed record WakeTimers(long AtMs, IReadOnlyList<string>? UnderWay = null) : ExecutionCommand(AtMs)
{
    public override string Name => "wake_timers";
}

/// <summary>Every runner but the one named is known to be gone (the embedded engine holds its data directory alone).</summary>
public sealed record LoseRunner(long AtMs, string SurvivingOwner) : ExecutionCommand(AtMs)
{
    public override string Name => "lose_runner";
}

/// <summary>A person decides a review.</summary>
/// <param name="AtMs">When, Unix ms.</param>
/// <param name="Review">Review id.</param>
/// <param name="Decision">One that the review takes.</param>
/// <param name="Digest">Digest of what was shown.</param>
/// <param name="By">Who.</param>
/// <param name="Edits">With <c>edit</c>.</param>
/// <param name="Output">With <c>override</c>, <c>done</c> and <c>answer</c>.</param>
/// <param name="To">With <c>rollback</c>: where to; null = everything is taken back.</param>
/// <param name="Note">What was said about it.</param>
/// <param name="AcceptResidue">With <c>rollback</c> of a failed step. True: effects that nothing can undo stay, on the residue ledger; else they make it refused.</param>
public sealed record DecideReview(
    long AtMs, string Review, string Decision, string Digest, string By, AgentEdit? Edits, JsonElement? Output, string? To, string? Note, bool AcceptResidue = false)
    : ExecutionCommand(AtMs)
{
    public override string Name => "decide_review";
}

/// <summary>A person tested a fix; the test ran beside the execution.</summary>
public sealed record RecordTest(
    long AtMs, string Review, string By, AgentEdit Edits, string Outcome, string? Problem, long InputTokens, long OutputTokens, string? RequestId = null)
    : ExecutionCommand(AtMs)
{
    public override string Name => "record_test";
}

/// <summary>Begin nothing new.</summary>
public sealed record PauseExecution(long AtMs, string By, string RequestId, string? Reason) : ExecutionCommand(AtMs)
{
    public override string Name => "pause";
}

/// <summary>Go on.</summary>
public sealed record ResumeExecution(long AtMs, string By, string RequestId) : ExecutionCommand(AtMs)
{
    public override string Name => "resume";
}

/// <summary>End; what has been done stays done.</summary>
public sealed record CancelExecution(long AtMs, string By, string RequestId) : ExecutionCommand(AtMs)
{
    public override string Name => "cancel";
}

/// <summary>Take back what came after a checkpoint.</summary>
/// <param name="AtMs">Time of the command.</param>
/// <param name="By">Who wants it.</param>
/// <param name="RequestId">Request.</param>
/// <param name="To">Checkpoint or step.</param>
/// <param name="Scope">failure or all.</param>
/// <param name="AcceptResidue">True: effects that nothing can undo stay, on the residue ledger; else they make it refused.</param>
/// <param name="End">True: then it ends as cancelled (a parent takes its child back).</param>
/// <param name="Steps">Only these of the steps it would take back; null = all of them. Refused when something committed was made from one of them.</param>
public sealed record RollBackExecution(
    long AtMs, string By, string RequestId, string To, string Scope, bool AcceptResidue = false, IReadOnlyList<string>? Steps = null, bool End = false) : ExecutionCommand(AtMs)
{
    public override string Name => "rollback";
}

/// <summary>
/// Run again what failed, from its last checkpoint or from the one named, with edits if there are any. <paramref name="Correction"/>: a step that itself
/// runs again, with the input or instead of the output that a person gives, and whatever depends on it.
/// </summary>
public sealed record RetryExecution(long AtMs, string By, string RequestId, string? From, AgentEdit? Edits, StepChange? Correction = null) : ExecutionCommand(AtMs)
{
    public override string Name => "retry";
}

/// <summary>A notification was delivered, or was not (<paramref name="Problem"/>) at this attempt, counted from 1.</summary>
public sealed record RecordNotification(long AtMs, int Notification, string? Problem = null, int Attempt = 0) : ExecutionCommand(AtMs)
{
    public override string Name => "record_notification";
}
