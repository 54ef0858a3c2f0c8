using System.Text.Json;
using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

#pragma warning disable CS1591 // Name is documented on the base; the records below say what each command means.

/// <summary>What code that runs elsewhere tells of a traced execution.</summary>
[JsonDerivedType(typeof(TraceExecution), "trace")]
public abstract partial record ExecutionCommand;

/// <summary>
/// A process tells what it does, and asks what it may do. The operations are decided in order, as one: either all of them go on record, in one append, or
/// the first that is refused refuses all (a late result is the exception: it is recorded, discarded and refused).
/// </summary>
/// <param name="AtMs">Time of the command.</param>
/// <param name="Owner">The process: leases are its own.</param>
/// <param name="LeaseMs">How long a step it begins is its own without a sign of life.</param>
/// <param name="Operations">What it tells and asks.</param>
/// <param name="Epoch">The <see cref="ExecutionState.Epoch"/> that what it goes on with is of; null = it does not say, and nothing is compared.</param>
public sealed record TraceExecution(long AtMs, string Owner, long LeaseMs, IReadOnlyList<TraceOperation> Operations, int? Epoch = null) : ExecutionCommand(AtMs)
{
    public override string Name => "trace";
}

/// <summary>One thing that a process tells or asks; which members count is said by <see cref="TraceWords"/>.</summary>
/// <param name="Do">One of <see cref="TraceWords"/>.</param>
public sealed record TraceOperation(string Do)
{
    /// <summary>begin, record: the step's name. receive: the agent whose message is wanted.</summary>
    public string? Name { get; init; }

    /// <summary>begin, record, receive: which call of that name it is.</summary>
    public string? Key { get; init; }

    /// <summary>begin, record: the step's input; absent when only its digest is told.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>begin, record: digest of the input; empty when the step has none to compare.</summary>
    public string? InputDigest { get; init; }

    /// <summary>begin, record, receive: what the step is.</summary>
    public TracedDeclaration? Declared { get; init; }

    /// <summary>finish, fail, verified: the lease, <see cref="TracedLease"/> as text.</summary>
    public string? Lease { get; init; }

    /// <summary>finish, record, complete: the output. verified: what the call gave. receive: what the receiver has seen of each claim.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>fail, undone, complete: why there is none.</summary>
    public EffectFailure? Failure { get; init; }

    /// <summary>verified: done, not_done or unknown.</summary>
    public string? Status { get; init; }

    /// <summary>undo, undone: the effect.</summary>
    public string? Effect { get; init; }

    /// <summary>undone: the attempt, from 1.</summary>
    public int Attempt { get; init; }

    /// <summary>lost: the process that is known to be gone.</summary>
    public string? Gone { get; init; }
}

/// <summary>The words of <see cref="TraceOperation.Do"/>.</summary>
public static class TraceWords
{
    /// <summary>The program runs (again): an execution that failed goes on from what is recorded.</summary>
    public const string Attach = "attach";

    /// <summary>May this step run?</summary>
    public const string Begin = "begin";

    /// <summary>A step that was begun has an output.</summary>
    public const string Finish = "finish";

    /// <summary>A step that was begun has failed.</summary>
    public const string Fail = "fail";

    /// <summary>Begin and finish in one: a checkpoint that the caller knows not to be recorded, or a message handed over.</summary>
    public const string Record = "record";

    /// <summary>The newest message that an agent handed over.</summary>
    public const string Receive = "receive";

    /// <summary>Whether a transaction in doubt happened, as the caller's verify function says.</summary>
    public const string Verified = "verified";

    /// <summary>The process is alive: its leases begin anew.</summary>
    public const string Renew = "renew";

    /// <summary>Another process is known to be gone: its leases are over.</summary>
    public const string Lost = "lost";

    /// <summary>May this compensation run?</summary>
    public const string Undo = "undo";

    /// <summary>What became of it.</summary>
    public const string Undone = "undone";

    /// <summary>The program has ended.</summary>
    public const string Complete = "complete";
}

/// <summary>What a traced step is, as its code declares it.</summary>
/// <param name="Kind">checkpoint, transaction, handoff or receive.</param>
/// <param name="Effect">transaction: idempotent, verifiable or irreversible.</param>
/// <param name="Checks">Schema and constraints that its output is held to.</param>
/// <param name="Compensate">transaction: the name under which the caller finds what undoes it.</param>
/// <param name="EffectKey">transaction: the idempotency key; absent = one is made.</param>
/// <param name="Agent">Who does it.</param>
/// <param name="Claims">handoff: what is claimed of the message.</param>
/// <param name="To">handoff: who it is for; absent = whoever asks.</param>
/// <param name="Approval">transaction: true when a person has to approve it before it runs.</param>
/// <param name="AmountUsd">transaction: value at stake; above the tenant's limit a person has to approve it.</param>
public sealed record TracedDeclaration(
    string Kind, Specs.EffectKind Effect = Specs.EffectKind.None, JsonElement? Checks = null, string? Compensate = null, string? EffectKey = null, string? Agent = null,
    JsonElement? Claims = null, string? To = null, bool Approval = false, double AmountUsd = 0);
