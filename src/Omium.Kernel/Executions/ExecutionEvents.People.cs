using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

/// <summary>What people are asked, told and left with: expiry, approvals of calls, residue, notifications that nobody took.</summary>
[JsonDerivedType(typeof(ReviewExpired), "review.expired")]
[JsonDerivedType(typeof(CallApproved), "call.approved")]
[JsonDerivedType(typeof(SchedulingDeferred), "scheduling.deferred")]
[JsonDerivedType(typeof(SchedulingTakenUp), "scheduling.taken_up")]
[JsonDerivedType(typeof(CompensationBegun), "compensation.begun")]
[JsonDerivedType(typeof(CompensationInDoubt), "compensation.in_doubt")]
[JsonDerivedType(typeof(RollbackWithheld), "rollback.withheld")]
[JsonDerivedType(typeof(ResidueResolved), "residue.resolved")]
[JsonDerivedType(typeof(NotificationFailed), "notification.failed")]
[JsonDerivedType(typeof(FixProposed), "fix.proposed")]
[JsonDerivedType(typeof(FailureIgnored), "failure.ignored")]
public abstract partial record ExecutionEvent;

/// <summary>Nobody decided in time: the review is closed for good.</summary>
/// <param name="Review">Review.</param>
/// <param name="Next">asked_again (a new review follows in this record) or step_failed (a human_approval past its time-out).</param>
public sealed record ReviewExpired(string Review, string Next) : ExecutionEvent;

/// <summary>
/// A person approved a failure of class high_value_operation: the same call (step, tool, arguments) may be made once, without another question.
/// <see cref="CallRequested"/> with <c>approved_by</c> uses it up.
/// </summary>
public sealed record CallApproved(string Step, string Tool, string ArgumentsDigest, string By) : ExecutionEvent;

/// <summary>Enough for one record: these steps are looked at in the next (a loop of decisions alone would have no end within one).</summary>
public sealed record SchedulingDeferred(IReadOnlyList<string> Steps) : ExecutionEvent;

/// <summary>What was deferred is looked at now.</summary>
public sealed record SchedulingTakenUp : ExecutionEvent;

/// <summary>
/// Durable before a compensation that is verifiable and not idempotent runs: without it nobody could tell after a crash whether to look first. (An
/// idempotent one is simply sent again with its key.)
/// </summary>
public sealed record CompensationBegun(string Effect, int Attempt, string Owner, long InDoubtAtMs) : ExecutionEvent;

/// <summary>Nobody can say yet whether a compensation happened: its verify tool is asked when that is due.</summary>
public sealed record CompensationInDoubt(string Effect, int Attempt, string Reason, long DueMs) : ExecutionEvent;

/// <summary>
/// A rollback that the policy asked for was not begun, because it would leave effects that nothing can undo. A person may have it done all the
/// same (<c>accept_residue</c>).
/// </summary>
/// <param name="Step">Failed step.</param>
/// <param name="Visit">Its visit.</param>
/// <param name="To">Checkpoint it was to go back to, as the policy names it.</param>
/// <param name="Irreversible">Effects that would be left.</param>
/// <param name="Actions">Actions of the policy that follow the rollback.</param>
public sealed record RollbackWithheld(string Step, int Visit, string To, IReadOnlyList<string> Irreversible, IReadOnlyList<Specs.RecoveryAction>? Actions) : ExecutionEvent;

/// <summary>A person has dealt with what could not be undone.</summary>
public sealed record ResidueResolved(string Effect, string By, string? Note, string? RequestId) : ExecutionEvent;

/// <summary>A person has said that a failure needs nobody's attention; it stays so until the execution is past it.</summary>
/// <param name="Failure">As in <see cref="IgnoreFailure"/>.</param>
/// <param name="By">Who.</param>
/// <param name="RequestId">Request.</param>
public sealed record FailureIgnored(string Failure, string By, string? RequestId) : ExecutionEvent;

/// <summary>A notification was not delivered. Without a due time it is given up: nobody was told through this channel.</summary>
public sealed record NotificationFailed(int Notification, int Attempt, string Message, long? RetryDueMs) : ExecutionEvent;

/// <summary>An edit is laid before whoever decides a review. Nothing follows from it: the review stays open.</summary>
/// <param name="Review">Review.</param>
/// <param name="Proposal">Its number within the execution, from 1.</param>
/// <param name="By">Who proposes it.</param>
/// <param name="Edits">What to edit.</param>
/// <param name="Note">Why, for people.</param>
/// <param name="RequestId">The request, so that one that is sent again proposes once.</param>
public sealed record FixProposed(string Review, int Proposal, string By, AgentEdit Edits, string? Note, string? RequestId = null) : ExecutionEvent;
