using System.Text.Json.Serialization;

namespace Omium.Kernel.Resources;

/// <summary>What somebody wants of a root. The same command twice is a no-op: owners and transactions are known by their names.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(AcquireLocks), "acquire")]
[JsonDerivedType(typeof(ReadValues), "read")]
[JsonDerivedType(typeof(PrepareWrites), "prepare")]
[JsonDerivedType(typeof(SettleOwner), "settle_owner")]
[JsonDerivedType(typeof(RestoreValues), "restore")]
public abstract record ResourceCommand(long AtMs, string Root)
{
    /// <summary>Stable name, as stored in the envelope.</summary>
    [JsonIgnore]
    public abstract string Name { get; }
}

#pragma warning disable CS1591 // Name is documented on the base; the records below say what each command means.

/// <summary>
/// Hold these scopes, all or none. When others are in the way: queue (<paramref name="Wait"/>), or be refused with <c>lock_conflict</c>.
/// Locks of <paramref name="Ancestors"/> are not in the way; below a scope that one of them holds, the queue is not either (who waits there
/// waits for that ancestor, and so for this owner). <paramref name="Round"/>: how often the owner had asked before; who asks again keeps what it has, and
/// a settlement that knows of earlier rounds alone does not take it away.
/// </summary>
public sealed record AcquireLocks(long AtMs, string Root, string Owner, IReadOnlyList<string> Scopes, IReadOnlyList<string>? Ancestors, bool Wait, long LeaseMs, int Round = 0)
    : ResourceCommand(AtMs, Root)
{
    public override string Name => "acquire";
}

/// <summary>Put on record that a visit read these values: who depends on a version is found by it.</summary>
public sealed record ReadValues(long AtMs, string Root, string Reader, IReadOnlyList<string> Keys) : ResourceCommand(AtMs, Root)
{
    public override string Name => "read";
}

/// <summary>
/// Prepare these writes, all or none. Refused with <c>write_prepared</c> (another transaction's outcome is open), <c>lock_conflict</c> (somebody
/// else holds the value's scope or one above) or <c>stale_read</c> (a version newer than the one that was read).
/// </summary>
public sealed record PrepareWrites(long AtMs, string Root, string Owner, string Transaction, IReadOnlyList<ValueWrite> Writes, IReadOnlyList<string>? Ancestors)
    : ResourceCommand(AtMs, Root)
{
    public override string Name => "prepare";
}

/// <summary>
/// The owner's visit is settled: commit <paramref name="Committed"/> (a transaction of it, if one was), drop its other prepared writes, and when
/// <paramref name="Release"/> release what it holds, or withdraw it from the queue. Who waited is granted in order. <paramref name="TokenMax"/>:
/// a grant with a greater token stays: it is a later one than the caller knows of (0 = release whatever there is). <paramref name="Withdraw"/>: it
/// does not wait any more either, also where a greater token would stay; if it goes on after all, it asks again. <paramref name="AttemptMax"/>: what
/// later attempts have prepared stays, for the same reason (null = drop whatever there is). <paramref name="RoundMax"/>: what was asked for again in a later
/// round stays, held or waited for (null = whatever there is).
/// </summary>
public sealed record SettleOwner(
    long AtMs, string Root, string Owner, string? Committed, bool Release, long TokenMax = 0, bool Withdraw = false, int? AttemptMax = null, int? RoundMax = null) : ResourceCommand(AtMs, Root)
{
    public override string Name => "settle_owner";
}

/// <summary>
/// Put back what stood before a committed transaction, value by value, where its version is still the newest. Refused with <c>lock_conflict</c> while
/// another execution holds the value's scope or one above; one of <paramref name="Ancestors"/>, or one that has its locks from this one, is not in the way.
/// </summary>
public sealed record RestoreValues(long AtMs, string Root, string Transaction, IReadOnlyList<string> Keys, IReadOnlyList<string>? Ancestors = null) : ResourceCommand(AtMs, Root)
{
    public override string Name => "restore";
}
