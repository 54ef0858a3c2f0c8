using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

/// <summary>Traced executions: which process does which step. Everything else that happens to them are the events of every execution.</summary>
[JsonDerivedType(typeof(TracedStepLeased), "traced.step_leased")]
[JsonDerivedType(typeof(TracedLeasesRenewed), "traced.leases_renewed")]
[JsonDerivedType(typeof(TracedLeaseLost), "traced.lease_lost")]
[JsonDerivedType(typeof(TracedUndoLeased), "traced.undo_leased")]
public abstract partial record ExecutionEvent;

/// <summary>A process may run a step (of a transaction: together with its intent), or has recorded it.</summary>
/// <param name="Step">Step.</param>
/// <param name="Visit">Its visit.</param>
/// <param name="Attempt">Its attempt.</param>
/// <param name="Run">Number of the lease within the visit, from 1.</param>
/// <param name="Owner">The process.</param>
/// <param name="LeaseUntilMs">The lease is over then, unless it is renewed, Unix ms; 0 = nothing is to be run (a transaction that waits for approval).</param>
/// <param name="Declared">What the step is; absent when it is what it was.</param>
public sealed record TracedStepLeased(string Step, int Visit, int Attempt, int Run, string Owner, long LeaseUntilMs, TracedDeclaration? Declared) : ExecutionEvent;

/// <summary>A process is alive: everything that it runs is its own until then, Unix ms.</summary>
public sealed record TracedLeasesRenewed(string Owner, long LeaseUntilMs) : ExecutionEvent;

/// <summary>
/// Nothing was heard of the process that ran a checkpoint: the step waits for the next one that asks. A transaction is in doubt instead.
/// <paramref name="Reason"/>: expired, or lost when the process is known to be gone.
/// </summary>
public sealed record TracedLeaseLost(string Step, int Visit, int Attempt, int Run, string Owner, string Reason) : ExecutionEvent;

/// <summary>A process undoes a transaction. Repeated after a lease that is over: what undoes it is idempotent.</summary>
public sealed record TracedUndoLeased(string Effect, int Attempt, string Owner, long LeaseUntilMs) : ExecutionEvent;
