using System.Collections.Immutable;
using System.Text.Json;

namespace Omium.Kernel.Resources;

/// <summary>
/// The fold of one root's events: who holds what under it, who waits, and the values kept under it. Immutable.
/// An <em>owner</em> is a visit, <c>execution/step~visit</c>; a <em>transaction</em> is one attempt of it, <c>execution/step~visit~attempt</c>.
/// </summary>
public sealed record ResourceState
{
    /// <summary>Before the first record.</summary>
    public static readonly ResourceState Empty = new();

    /// <summary>Versions of one value that are kept here, the present one included: how far a rollback can reach back. Older ones are in the log.</summary>
    public const int VersionsKept = 32;

    /// <summary>The root; empty before the first record.</summary>
    public string Root { get; init; } = "";

    /// <summary>The last fencing token handed out; tokens only grow.</summary>
    public long Token { get; init; }

    /// <summary>The last place in the queue that was given.</summary>
    public long Ticket { get; init; }

    /// <summary>Who holds, the oldest grant first.</summary>
    public ImmutableList<LockHolder> Holders { get; init; } = [];

    /// <summary>Who waits, in the order they came.</summary>
    public ImmutableList<LockWaiter> Queue { get; init; } = [];

    /// <summary>Values by key.</summary>
    public ImmutableSortedDictionary<string, SharedValue> Values { get; init; } = ImmutableSortedDictionary.Create<string, SharedValue>(StringComparer.Ordinal);

    /// <summary>Writes that wait for the outcome of their transaction, by key.</summary>
    public ImmutableSortedDictionary<string, PreparedWrite> Prepared { get; init; } = ImmutableSortedDictionary.Create<string, PreparedWrite>(StringComparer.Ordinal);

    /// <summary>The grant of an owner, or null.</summary>
    public LockHolder? HolderOf(string owner) => Holders.Find(holder => holder.Owner == owner);

    /// <summary>An owner's place in the queue, or null.</summary>
    public LockWaiter? WaiterOf(string owner) => Queue.Find(waiter => waiter.Owner == owner);

    /// <summary>True when nobody holds or waits and no write is open: nothing here needs anybody.</summary>
    public bool Idle => Holders.Count == 0 && Queue.Count == 0 && Prepared.Count == 0;
}

/// <summary>A grant.</summary>
/// <param name="Owner">The visit.</param>
/// <param name="Scopes">What it holds under this root.</param>
/// <param name="Token">Its fencing token.</param>
/// <param name="GrantedMs">When, Unix ms.</param>
/// <param name="LeaseMs">How long it may keep others waiting before it is asked to yield.</param>
/// <param name="Ancestors">Owners whose locks it inherited.</param>
/// <param name="Round">How often it had asked before the last time.</param>
public sealed record LockHolder(string Owner, IReadOnlyList<string> Scopes, long Token, long GrantedMs, long LeaseMs, IReadOnlyList<string> Ancestors, int Round);

/// <summary>A place in the queue.</summary>
/// <param name="Owner">The visit.</param>
/// <param name="Scopes">What it waits for.</param>
/// <param name="Ticket">Its place: smaller came earlier.</param>
/// <param name="SinceMs">Since when, Unix ms.</param>
/// <param name="LeaseMs">As in the grant that follows.</param>
/// <param name="Ancestors">Owners whose locks do not keep it out.</param>
/// <param name="Round">How often it had asked before the last time.</param>
public sealed record LockWaiter(string Owner, IReadOnlyList<string> Scopes, long Ticket, long SinceMs, long LeaseMs, IReadOnlyList<string> Ancestors, int Round);

/// <summary>One version of a value.</summary>
/// <param name="Version">From 1, without gaps.</param>
/// <param name="Value">The value; null when there was none (a first write that was taken back).</param>
/// <param name="Transaction">Who wrote it.</param>
/// <param name="AtMs">When, Unix ms.</param>
/// <param name="RestoredFrom">The version whose value a rollback put back; 0 = written.</param>
public sealed record ValueVersion(long Version, JsonElement? Value, string Transaction, long AtMs, long RestoredFrom = 0);

/// <summary>A value with the versions that a rollback may still go back to.</summary>
/// <param name="Stack">The versions that stand, oldest first; the last is the present one. A version that was taken back is not among them.</param>
/// <param name="Changes">The latest changes, oldest first, those that were taken back included.</param>
public sealed record SharedValue(ImmutableList<ValueVersion> Stack, ImmutableList<ValueVersion> Changes)
{
    /// <summary>The present version.</summary>
    public ValueVersion Current => Stack[^1];

    /// <summary>Transactions whose writes were taken back or found overwritten: asked again, nothing more happens.</summary>
    public ImmutableList<string> Undone { get; init; } = [];
}

/// <summary>A write that waits for the outcome of its transaction.</summary>
/// <param name="Transaction">The transaction.</param>
/// <param name="Value">What it would write.</param>
/// <param name="AtMs">Since when, Unix ms.</param>
public sealed record PreparedWrite(string Transaction, JsonElement? Value, long AtMs);
