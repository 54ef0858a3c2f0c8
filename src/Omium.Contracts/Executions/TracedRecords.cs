using System.Text.Json;

namespace Omium.Contracts.Executions;

/// <summary>Body of <c>POST /v1/executions/{id}/trace</c>: operations that are decided in order, as one, and cost one record together.</summary>
/// <param name="Owner">The process: any text of 1 to 200 characters that no other process uses.</param>
/// <param name="Operations">1 to 100 operations.</param>
/// <param name="LeaseMs">How long a step that is begun is this process's own without a sign of life, 100 to 3,600,000; default 30,000.</param>
/// <param name="WaitMs">How long to wait while the last operation can neither run nor be answered, 0 to 60,000; default 0.</param>
/// <param name="Epoch">The <c>epoch</c> that the program was answered when it began: refused with <c>task_fenced</c> when steps were taken back since. Absent: not compared.</param>
public sealed record TraceRequest(string Owner, IReadOnlyList<TraceOperationRequest> Operations, long? LeaseMs = null, int? WaitMs = null, int? Epoch = null);

/// <summary>One operation; which members count is said in docs/reference/traced-executions.md.</summary>
public record TraceOperationRequest
{
    /// <summary>attach, begin, record, finish, fail, verified, handoff, receive, renew, lost, undo, undone or complete. The single endpoints name it by their path.</summary>
    public string? Do { get; init; }

    /// <summary>begin, record: the step's name.</summary>
    public string? Name { get; init; }

    /// <summary>begin, record, handoff, receive: which call of that name it is; the n-th by convention.</summary>
    public string? Key { get; init; }

    /// <summary>begin, record: checkpoint (default) or transaction.</summary>
    public string? Kind { get; init; }

    /// <summary>begin, record: the input; its digest is then made of it.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>begin, record: SHA-256 of the canonical input (lower-case hex), when the input itself stays with the caller; absent = inputs are not compared.</summary>
    public string? InputDigest { get; init; }

    /// <summary>JSON Schema that the output, or the message, has to meet.</summary>
    public JsonElement? Schema { get; init; }

    /// <summary><c>{"min", "max"}</c>: bounds of a number; or a list of expressions (or of <c>{"check", "message"}</c>) over <c>output</c>.</summary>
    public JsonElement? Constraints { get; init; }

    /// <summary>transaction: idempotent, verifiable or irreversible (default).</summary>
    public string? Effect { get; init; }

    /// <summary>transaction: the name under which the caller finds the function that undoes it; absent = nothing does.</summary>
    public string? Compensate { get; init; }

    /// <summary>transaction: the key to send along; absent = one is made.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>transaction: true = a person has to approve it before it runs.</summary>
    public bool? Approval { get; init; }

    /// <summary>transaction: value at stake in USD; above the tenant's limit a person has to approve it.</summary>
    public double? AmountUsd { get; init; }

    /// <summary>begin, record: the agent that does it. receive: the agent that receives.</summary>
    public string? Agent { get; init; }

    /// <summary>finish, fail, verified: the lease that begin answered.</summary>
    public string? Sid { get; init; }

    /// <summary>finish, record, complete: the output. handoff: the message. verified: what the transaction gave. An absent one is null.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>fail, undone, complete: why there is none.</summary>
    public TraceFailureRequest? Failure { get; init; }

    /// <summary>verified: done, not_done or unknown.</summary>
    public string? Status { get; init; }

    /// <summary>handoff, receive: the producing agent.</summary>
    public string? From { get; init; }

    /// <summary>handoff: the agent it is for; absent = whoever asks.</summary>
    public string? To { get; init; }

    /// <summary>handoff: an object of what is claimed of the message.</summary>
    public JsonElement? Claims { get; init; }

    /// <summary>receive: an object of what the receiver has seen of each claim; absent = claims are not compared.</summary>
    public JsonElement? Seen { get; init; }

    /// <summary>lost: the owner that is known to be gone.</summary>
    public string? Gone { get; init; }

    /// <summary>undo, undone: the effect that <c>undo</c> of the answer named.</summary>
    public string? EffectId { get; init; }

    /// <summary>undone: the attempt that <c>undo</c> of the answer named.</summary>
    public int? Attempt { get; init; }
}

/// <summary>A failure as the caller's code saw it.</summary>
/// <param name="Message">What went wrong, for people.</param>
/// <param name="Class">Failure class; default tool_error.</param>
/// <param name="Code">Short code, such as the exception's name; default the class.</param>
/// <param name="Permanent">False: another attempt may help, and the recovery policy may ask for one. Default true.</param>
/// <param name="MayHaveHappened">transaction: whether the effect may have happened all the same; default true.</param>
public sealed record TraceFailureRequest(string Message, string? Class = null, string? Code = null, bool? Permanent = null, bool? MayHaveHappened = null);

/// <summary>Body of the endpoints that carry one operation: the members of the operation, with the process and its lease beside them.</summary>
public sealed record TraceStepRequest : TraceOperationRequest
{
    /// <summary>The process, as in <see cref="TraceRequest"/>.</summary>
    public required string Owner { get; init; }

    /// <summary>As in <see cref="TraceRequest"/>.</summary>
    public long? LeaseMs { get; init; }

    /// <summary>As in <see cref="TraceRequest"/>.</summary>
    public int? WaitMs { get; init; }

    /// <summary>As in <see cref="TraceRequest"/>.</summary>
    public int? Epoch { get; init; }
}

/// <summary>What a traced execution answers.</summary>
public sealed record TraceView
{
    /// <summary>Execution.</summary>
    public required string Execution { get; init; }

    /// <summary>Its status.</summary>
    public required string Status { get; init; }

    /// <summary>Records so far.</summary>
    public required long Seq { get; init; }

    /// <summary>How often steps of it were taken back. A program keeps what it was answered when it began, and sends it with what it asks.</summary>
    public required int Epoch { get; init; }

    /// <summary>What it ended with, when it has succeeded.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>An answer to each operation, in their order.</summary>
    public required IReadOnlyList<TraceResult> Results { get; init; }

    /// <summary>A transaction that a rollback takes back: ask with <c>undo</c>, run what undoes it, tell with <c>undone</c>. Absent while there is none.</summary>
    public TraceUndo? Undo { get; init; }
}

/// <summary>An answer to one operation.</summary>
public sealed record TraceResult
{
    /// <summary>
    /// run: do it, and tell under <c>sid</c>. replay: it is recorded, with <c>output</c> or <c>failure</c>. committed: recorded now. skipped: a person or policy
    /// decided that it is left out. verify: look up whether it happened, and tell. busy: another process does it. wait: nothing may run now (<c>reason</c>). retry: the
    /// attempt failed, begin it again after <c>retry_after_ms</c>. failed: for good. rolled_back: taken back. ok: told.
    /// </summary>
    public required string State { get; init; }

    /// <summary>run, verify: the lease.</summary>
    public string? Sid { get; init; }

    /// <summary>run, verify: the attempt, from 1.</summary>
    public int? Attempt { get; init; }

    /// <summary>run, verify: when the lease is over without a sign of life, milliseconds from now.</summary>
    public long? LeaseMs { get; init; }

    /// <summary>transaction: the key to send along, the same each time.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>replay, committed: the output.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>replay, failed, retry, wait: the failure.</summary>
    public StepFailure? Failure { get; init; }

    /// <summary>wait: paused, review, rolling_back, message, retry or approval.</summary>
    public string? Reason { get; init; }

    /// <summary>wait: the review that a person has to decide.</summary>
    public string? Review { get; init; }

    /// <summary>busy: the process that does it.</summary>
    public string? Owner { get; init; }

    /// <summary>busy, wait, retry: not before this time, milliseconds from now.</summary>
    public long? RetryAfterMs { get; init; }
}

/// <summary>A transaction to be undone.</summary>
public sealed record TraceUndo
{
    /// <summary>Its effect.</summary>
    public required string EffectId { get; init; }

    /// <summary>Attempt to undo it, from 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>Name of the transaction.</summary>
    public required string Name { get; init; }

    /// <summary>The name that its code gave for what undoes it.</summary>
    public required string Compensate { get; init; }

    /// <summary>Its input, when that was told.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>Its output; absent when nobody knows whether it happened.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>Its key, followed by <c>-undo</c>: the same for each attempt.</summary>
    public required string IdempotencyKey { get; init; }

    /// <summary>The process that undoes it now; absent when none does.</summary>
    public string? Owner { get; init; }

    /// <summary>Not before this time, milliseconds from now.</summary>
    public long? RetryAfterMs { get; init; }
}
