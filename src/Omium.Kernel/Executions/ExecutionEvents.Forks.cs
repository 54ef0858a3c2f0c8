using System.Text.Json;
using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

// Forks and corrections: going on from a point of the past, with something changed.
[JsonDerivedType(typeof(ExecutionForked), "execution.forked")]
[JsonDerivedType(typeof(StepCorrected), "step.corrected")]
[JsonDerivedType(typeof(CallReplayed), "call.replayed")]
[JsonDerivedType(typeof(CallUnrecorded), "call.unrecorded")]
[JsonDerivedType(typeof(WritesSandboxed), "writes.sandboxed")]
public abstract partial record ExecutionEvent;

/// <summary>
/// First event of a fork's own stream; what lies before it are the first <paramref name="At"/> records of its source, read there and never
/// copied. Every effect of the prefix is inherited: the fork does not verify, fire, compensate or pay it. Locks, leases and reviews are dropped.
/// </summary>
/// <param name="ExecutionId">The fork.</param>
/// <param name="From">Its source.</param>
/// <param name="At">How many records of the source it begins with.</param>
/// <param name="SourceHash">Hash of the last of them, hex: also the fork's first <c>prev_hash</c>, so that the chain goes on.</param>
/// <param name="Mode">sandbox or live.</param>
/// <param name="Edits">What is changed.</param>
/// <param name="TakenBack">Inherited visits that run again: what depends on the edits, and what had not settled.</param>
/// <param name="Seed">Randomness of the fork.</param>
/// <param name="ForkedBy">Who forked.</param>
/// <param name="Acknowledged">live: digest of the list of effects that would happen again, as it was shown.</param>
public sealed record ExecutionForked(
    string ExecutionId, string From, long At, string SourceHash, string Mode, ForkEdits? Edits, IReadOnlyList<VisitKey>? TakenBack, long Seed, string ForkedBy, string? Acknowledged)
    : ExecutionEvent;

/// <summary>What a fork changes; absent parts stay as they were.</summary>
/// <param name="Input">The workflow's input.</param>
/// <param name="Agents">Agents.</param>
/// <param name="Steps">Steps.</param>
public sealed record ForkEdits(JsonElement? Input, IReadOnlyList<AgentChange>? Agents, IReadOnlyList<StepChange>? Steps);

/// <summary>An agent as it is to be.</summary>
public sealed record AgentChange(string Agent, AgentEdit Edits);

/// <summary>A step's input or output as it is to be; with neither, the step runs again as it is.</summary>
public sealed record StepChange(string Step, JsonElement? Input, JsonElement? Output);

/// <summary>
/// A person gave a step's input or output. It stands for every later visit of the step that no loop schedules; with neither, an earlier
/// correction ends.
/// </summary>
public sealed record StepCorrected(string Step, JsonElement? Input, JsonElement? Output, string By) : ExecutionEvent;

/// <summary>In a sandbox: a call was answered with a recorded result; nothing was reached.</summary>
/// <param name="Effect">Local effect id.</param>
/// <param name="Result">The result.</param>
/// <param name="Source">The effect whose recorded result it is, <c>execution/effect</c>; null when a person gave it.</param>
/// <param name="By">Who gave it, if a person did.</param>
public sealed record CallReplayed(string Effect, JsonElement? Result, string? Source, string? By) : ExecutionEvent;

/// <summary>In a sandbox: the source has no recorded result that answers this call; a person is asked.</summary>
public sealed record CallUnrecorded(string Effect) : ExecutionEvent;

/// <summary>In a sandbox: shared values that the visit would have written. Only the sandbox's own later reads see them.</summary>
public sealed record WritesSandboxed(string Step, int Visit, int Attempt, IReadOnlyList<WriteRequest> Writes) : ExecutionEvent;
