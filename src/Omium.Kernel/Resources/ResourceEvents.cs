using System.Text.Json;
using System.Text.Json.Serialization;

namespace Omium.Kernel.Resources;

/// <summary>What has happened under a root. Names and fields are stored: they never change their meaning.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(RootOpened), "root.opened")]
[JsonDerivedType(typeof(LockQueued), "lock.queued")]
[JsonDerivedType(typeof(LockGranted), "lock.granted")]
[JsonDerivedType(typeof(LockAskedAgain), "lock.asked_again")]
[JsonDerivedType(typeof(LockReleased), "lock.released")]
[JsonDerivedType(typeof(LockWithdrawn), "lock.withdrawn")]
[JsonDerivedType(typeof(ValuesRead), "values.read")]
[JsonDerivedType(typeof(StatePrepared), "state.prepared")]
[JsonDerivedType(typeof(StateCommitted), "state.committed")]
[JsonDerivedType(typeof(StateAborted), "state.aborted")]
[JsonDerivedType(typeof(StateRestored), "state.restored")]
[JsonDerivedType(typeof(StateConflicted), "state.conflicted")]
public abstract record ResourceEvent;

/// <summary>The stream of a root began.</summary>
public sealed record RootOpened(string Root) : ResourceEvent;

/// <summary>An owner waits: somebody holds what it wants, or came earlier.</summary>
public sealed record LockQueued(string Owner, IReadOnlyList<string> Scopes, long Ticket, long LeaseMs, IReadOnlyList<string>? Ancestors, int Round = 0) : ResourceEvent;

/// <summary>An owner holds these scopes; its token is greater than every one handed out before.</summary>
public sealed record LockGranted(string Owner, IReadOnlyList<string> Scopes, long Token, long LeaseMs, IReadOnlyList<string>? Ancestors, int Round = 0) : ResourceEvent;

/// <summary>
/// An owner that holds or waits has asked once more (its execution had ended and goes on, or its attempt is made again): it keeps what it has, and what was
/// sent to give back what it had before comes too late.
/// </summary>
public sealed record LockAskedAgain(string Owner, int Round) : ResourceEvent;

/// <summary>An owner holds nothing here any more.</summary>
public sealed record LockReleased(string Owner) : ResourceEvent;

/// <summary>An owner waits no more, without having been granted.</summary>
public sealed record LockWithdrawn(string Owner) : ResourceEvent;

/// <summary>A visit read values; version 0 = there was none.</summary>
public sealed record ValuesRead(string Reader, IReadOnlyList<VersionRead> Reads) : ResourceEvent;

/// <summary>A value and the version that was read.</summary>
public sealed record VersionRead(string Key, long Version);

/// <summary>Writes wait for the outcome of their transaction.</summary>
public sealed record StatePrepared(string Transaction, IReadOnlyList<ValueWrite> Writes) : ResourceEvent;

/// <summary>A write. <paramref name="ReadVersion"/>: the version its writer had read, null when it had not read the value.</summary>
public sealed record ValueWrite(string Key, JsonElement? Value, long? ReadVersion);

/// <summary>The transaction was committed: its writes are the newest versions.</summary>
public sealed record StateCommitted(string Transaction, IReadOnlyList<VersionRead> Versions) : ResourceEvent;

/// <summary>The transaction came to nothing: its writes are dropped.</summary>
public sealed record StateAborted(string Transaction) : ResourceEvent;

/// <summary>A rollback put the value back that stood before the transaction, as a new version.</summary>
/// <param name="Transaction">The transaction whose write was taken back.</param>
/// <param name="Key">The value.</param>
/// <param name="Version">The new version.</param>
/// <param name="From">The version whose value it has; 0 = there was none.</param>
public sealed record StateRestored(string Transaction, string Key, long Version, long From) : ResourceEvent;

/// <summary>A rollback could not put a value back: somebody wrote it since (<paramref name="Writer"/>), or what stood before is not kept any more.</summary>
public sealed record StateConflicted(string Transaction, string Key, long Version, string Writer) : ResourceEvent;
