using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

[JsonDerivedType(typeof(LeaseRequested), "credits.requested")]
[JsonDerivedType(typeof(LeaseRefused), "credits.refused")]
[JsonDerivedType(typeof(LeaseGranted), "credits.reserved")]
[JsonDerivedType(typeof(LeaseReturned), "credits.returned")]
public abstract partial record ExecutionEvent;

/// <summary>What is reserved for this execution does not cover its next step: nothing further begins until more is. The ledger is asked at once.</summary>
/// <param name="Round">Which time it asks; the lease it began with is round 1.</param>
/// <param name="NeededMicro">Micro-credits without which nothing can begin.</param>
/// <param name="WantedMicro">More than that is not needed for now.</param>
/// <param name="Effect">The model call that cannot be paid (the ledger has been asked); absent when it is a step.</param>
public sealed record LeaseRequested(int Round, long NeededMicro, long WantedMicro, string? Effect = null) : ExecutionEvent;

/// <summary>
/// The ledger cannot reserve what was asked for: from now on the execution waits for credits. Asked again whenever credits come; recorded once a round.
/// </summary>
/// <param name="Round">Which time it asked.</param>
/// <param name="Code">Why: <c>CREDITS_EXHAUSTED</c> or <c>key_cap_reached</c>.</param>
public sealed record LeaseRefused(int Round, string Code) : ExecutionEvent;

/// <summary>Credits are reserved for this execution in its tenant's ledger.</summary>
/// <param name="Round">Which time.</param>
/// <param name="Token">Number of the reservation; 0 = what a model call needs is there again, and the lease is as it was.</param>
/// <param name="GrantedMicro">What it holds in all, with what was charged to it before.</param>
/// <param name="CheckpointMicro">With the first: price of a committed checkpoint, for the whole execution.</param>
/// <param name="ItemMicro">With the first: price of a committed item.</param>
public sealed record LeaseGranted(int Round, long Token, long GrantedMicro, long CheckpointMicro = 0, long ItemMicro = 0) : ExecutionEvent;

/// <summary>
/// What is not needed while it is paused or waits for a person is handed back. An execution that ends hands everything back; its end says so.
/// </summary>
/// <param name="Token">Number of the reservation.</param>
/// <param name="SpentMicro">Used of it in all.</param>
/// <param name="KeptMicro">Kept for steps under way; 0 = the reservation ends.</param>
public sealed record LeaseReturned(long Token, long SpentMicro, long KeptMicro) : ExecutionEvent;
