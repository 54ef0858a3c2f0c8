using System.Text.Json;
using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

/// <summary>Handoffs: proposed with the sender's commit, agreed before the receiver is scheduled. A handoff is named by its edge and the sender's visit.</summary>
[JsonDerivedType(typeof(HandoffProposed), "handoff.proposed")]
[JsonDerivedType(typeof(HandoffMeasured), "handoff.measured")]
[JsonDerivedType(typeof(HandoffAcknowledged), "handoff.acknowledged")]
[JsonDerivedType(typeof(HandoffAgreed), "handoff.agreed")]
[JsonDerivedType(typeof(HandoffDisputed), "handoff.disputed")]
[JsonDerivedType(typeof(HandoffRepeated), "handoff.repeated")]
[JsonDerivedType(typeof(HandoffRevoked), "handoff.revoked")]
public abstract partial record ExecutionEvent;

/// <summary>A sender hands over: the message as the receiver gets it, and what is claimed of it.</summary>
/// <param name="Edge">Index of the edge.</param>
/// <param name="Step">Sender.</param>
/// <param name="Visit">Its visit.</param>
/// <param name="To">Receiver.</param>
/// <param name="Message">The message, or a payload reference: exactly what is delivered.</param>
/// <param name="MessageDigest">SHA-256 of the canonical message.</param>
/// <param name="Claims">What the sender states, in the order of the names.</param>
public sealed record HandoffProposed(
    int Edge, string Step, int Visit, string To, JsonElement Message, string MessageDigest, IReadOnlyList<HandoffClaim> Claims) : ExecutionEvent;

/// <summary>One claim as it was made.</summary>
/// <param name="Name">Name.</param>
/// <param name="Said">What the sender states.</param>
/// <param name="By">Who measures: expression, tool or receiver.</param>
/// <param name="Tool">By tool: which.</param>
/// <param name="Arguments">By tool: its arguments.</param>
public sealed record HandoffClaim(string Name, JsonElement Said, string By, string? Tool = null, JsonElement? Arguments = null);

/// <summary>A claim was measured on the receiver's side, or could not be.</summary>
/// <param name="Edge">Index of the edge.</param>
/// <param name="Step">Sender.</param>
/// <param name="Visit">Its visit.</param>
/// <param name="Claim">Claim.</param>
/// <param name="Effect">The call that measured it; null for an expression and for the receiver's own word.</param>
/// <param name="Seen">What was seen (JSON null is left out).</param>
/// <param name="Failure">Why nothing was seen.</param>
/// <param name="RetryDueMs">With a failure: when it is tried again; null = it is not, the claim counts as not measured.</param>
public sealed record HandoffMeasured(
    int Edge, string Step, int Visit, string Claim, string? Effect, JsonElement? Seen, EffectFailure? Failure, long? RetryDueMs) : ExecutionEvent;

/// <summary>The receiver has what it needs to answer: every claim is measured.</summary>
/// <param name="Edge">Index of the edge.</param>
/// <param name="Step">Sender.</param>
/// <param name="Visit">Its visit.</param>
/// <param name="Round">How often it was measured, this time included.</param>
/// <param name="By">omium, or the worker that answered.</param>
public sealed record HandoffAcknowledged(int Edge, string Step, int Visit, int Round, string By) : ExecutionEvent;

/// <summary>What is said is what is seen: the receiver may start.</summary>
public sealed record HandoffAgreed(int Edge, string Step, int Visit, int Round) : ExecutionEvent;

/// <summary>What is said is not what is seen: the workflow halts with both views.</summary>
/// <param name="Edge">Index of the edge.</param>
/// <param name="Step">Sender.</param>
/// <param name="Visit">Its visit.</param>
/// <param name="Round">The measurement it is about.</param>
/// <param name="Code">claims_differ, or not_measured when nothing was seen of a claim.</param>
/// <param name="Message">For people.</param>
/// <param name="Fingerprint">workflow/step/handoff_disputed/code.</param>
/// <param name="Differences">Both views of every claim that differs.</param>
public sealed record HandoffDisputed(
    int Edge, string Step, int Visit, int Round, string Code, string Message, string Fingerprint, IReadOnlyList<HandoffDifference> Differences) : ExecutionEvent;

/// <summary>Both views of a claim.</summary>
/// <param name="Claim">Claim.</param>
/// <param name="Said">What the sender states.</param>
/// <param name="Seen">What was measured; absent when it is null or nothing was.</param>
/// <param name="Problem">Why nothing was measured.</param>
public sealed record HandoffDifference(string Claim, JsonElement Said, JsonElement? Seen, string? Problem);

/// <summary>A person has the claims measured again that are measured outside: the source was set right.</summary>
public sealed record HandoffRepeated(int Edge, string Step, int Visit, int Round, string By) : ExecutionEvent;

/// <summary>A rollback took the sender back: what it handed over counts no more.</summary>
public sealed record HandoffRevoked(int Edge, string Step, int Visit, int Rollback) : ExecutionEvent;
