using System.Text.Json;
using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

[JsonDerivedType(typeof(LocksRequested), "locks.requested")]
[JsonDerivedType(typeof(LocksGranted), "locks.granted")]
[JsonDerivedType(typeof(LocksYielded), "locks.yielded")]
[JsonDerivedType(typeof(LocksReleased), "locks.released")]
[JsonDerivedType(typeof(StateRead), "state.read")]
[JsonDerivedType(typeof(StepPrepared), "step.prepared")]
[JsonDerivedType(typeof(WritesRequested), "writes.requested")]
[JsonDerivedType(typeof(WritesPrepared), "writes.prepared")]
[JsonDerivedType(typeof(WritesSettled), "writes.settled")]
[JsonDerivedType(typeof(WritesRestored), "writes.restored")]
public abstract partial record ExecutionEvent;

/// <summary>A visit needs something that executions share; until it is there, nothing else of the visit begins.</summary>
/// <param name="Step">Step.</param>
/// <param name="Visit">Visit.</param>
/// <param name="Attempt">Attempt.</param>
/// <param name="Gather">How often the visit has asked, this time included.</param>
/// <param name="Scopes">Scopes to lock, in normal form, aliases as written.</param>
/// <param name="Reads">Values to read once the locks are held.</param>
/// <param name="LeaseMs">How long the locks may keep others waiting before they are asked for back.</param>
public sealed record LocksRequested(
    string Step, int Visit, int Attempt, int Gather, IReadOnlyList<string>? Scopes, IReadOnlyList<ReadRequest>? Reads, long LeaseMs) : ExecutionEvent;

/// <summary>A value to read. <paramref name="Name"/>: what expressions call it, <c>state.name</c>.</summary>
public sealed record ReadRequest(string Name, string Key);

/// <summary>The visit holds its locks.</summary>
public sealed record LocksGranted(string Step, int Visit, IReadOnlyList<LockGrant> Grants) : ExecutionEvent;

/// <summary>A lock as it was granted.</summary>
/// <param name="Scope">As written, in normal form.</param>
/// <param name="Resolved">The scope that its alias stands for; the same without one.</param>
/// <param name="Root">First two segments.</param>
/// <param name="Token">Fencing token: of two grants under one root, the later has the greater.</param>
public sealed record LockGrant(string Scope, string Resolved, string Root, long Token);

/// <summary>Somebody had waited for longer than the lease, and nothing of this visit was in doubt: it gives its locks up and asks for them again.</summary>
public sealed record LocksYielded(string Step, int Visit, string To) : ExecutionEvent;

/// <summary>The locks of a settled visit are given back.</summary>
public sealed record LocksReleased(string Step, int Visit) : ExecutionEvent;

/// <summary>Values as they were read.</summary>
public sealed record StateRead(string Step, int Visit, IReadOnlyList<ReadValue> Values) : ExecutionEvent;

/// <summary>A value as it was read.</summary>
/// <param name="Name">What expressions call it.</param>
/// <param name="Key">The key, its alias resolved.</param>
/// <param name="Version">Version; 0 when there was none.</param>
/// <param name="Value">The value, or a payload reference; null when there was none.</param>
/// <param name="Writer">Transaction that wrote it, <c>execution/step~visit~attempt</c>.</param>
public sealed record ReadValue(string Name, string Key, long Version, JsonElement? Value, string? Writer);

/// <summary>What an attempt needs of what is shared is there, and its input was made with it.</summary>
/// <param name="Step">Step.</param>
/// <param name="Visit">Visit.</param>
/// <param name="Attempt">Attempt.</param>
/// <param name="Input">Input, or a payload reference.</param>
/// <param name="InputDigest">SHA-256 of the canonical input.</param>
/// <param name="Reads">Visits whose outputs it was made from.</param>
public sealed record StepPrepared(string Step, int Visit, int Attempt, JsonElement Input, string InputDigest, IReadOnlyList<VisitKey>? Reads) : ExecutionEvent;

/// <summary>An output was accepted; before it is committed, its writes of shared values are prepared.</summary>
/// <param name="Step">Step.</param>
/// <param name="Visit">Visit.</param>
/// <param name="Attempt">Attempt; with the step and the visit it names the transaction.</param>
/// <param name="Output">Output, or a payload reference.</param>
/// <param name="Writes">The writes, keys in normal form, aliases as written.</param>
/// <param name="By">Who gave the output when it was a person's override.</param>
/// <param name="InputTokens">Tokens read in the last turn.</param>
/// <param name="OutputTokens">Tokens written in the last turn.</param>
public sealed record WritesRequested(
    string Step, int Visit, int Attempt, JsonElement Output, IReadOnlyList<WriteRequest> Writes, string? By, long InputTokens, long OutputTokens) : ExecutionEvent;

/// <summary>A write of a shared value.</summary>
public sealed record WriteRequest(string Key, JsonElement? Value);

/// <summary>Every write is prepared under its root; the commit that follows decides about them. <paramref name="Keys"/>: aliases resolved.</summary>
public sealed record WritesPrepared(string Step, int Visit, int Attempt, IReadOnlyList<string> Keys) : ExecutionEvent;

/// <summary>The outcome of the visit's writes is known under every root.</summary>
public sealed record WritesSettled(string Step, int Visit, bool Committed) : ExecutionEvent;

/// <summary>A rollback took the visit's writes back: where its version was the newest, what stood before stands again.</summary>
public sealed record WritesRestored(string Step, int Visit, IReadOnlyList<string>? Restored, IReadOnlyList<RestoreConflict>? Conflicts) : ExecutionEvent;

/// <summary>A value that a rollback left as it is, because <paramref name="Writer"/> has written it since.</summary>
public sealed record RestoreConflict(string Key, long Version, string Writer);
