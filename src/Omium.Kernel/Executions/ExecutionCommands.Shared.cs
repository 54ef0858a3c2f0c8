using System.Text.Json;
using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

[JsonDerivedType(typeof(SettleGather), "settle_gather")]
[JsonDerivedType(typeof(SettleWrites), "settle_writes")]
[JsonDerivedType(typeof(SettleSharing), "settle_sharing")]
[JsonDerivedType(typeof(SettleRestore), "settle_restore")]
[JsonDerivedType(typeof(YieldLocks), "yield_locks")]
public abstract partial record ExecutionCommand;

#pragma warning disable CS1591 // Name is documented on the base; the records below say what each command means.

/// <summary>Every lock that the visit asked for is held and every value read; or <paramref name="Failure"/> says why that cannot be.</summary>
public sealed record SettleGather(long AtMs, string Effect, IReadOnlyList<LockGrant>? Grants, IReadOnlyList<ReadValue>? Values, EffectFailure? Failure) : ExecutionCommand(AtMs)
{
    public override string Name => "settle_gather";
}

/// <summary>
/// Every write is prepared (<paramref name="Keys"/>, aliases resolved); or something is in the way: <paramref name="Changed"/> (the value is not what
/// was read), <paramref name="BlockedBy"/> (a lock or an open write of somebody else: wait, for a time), <paramref name="Failure"/>.
/// </summary>
public sealed record SettleWrites(long AtMs, string Effect, IReadOnlyList<string>? Keys, CurrentValue? Changed, string? BlockedBy, EffectFailure? Failure) : ExecutionCommand(AtMs)
{
    public override string Name => "settle_writes";
}

/// <summary>Under every root of the visit, its locks are released and the outcome of its writes is known.</summary>
public sealed record SettleSharing(long AtMs, string Effect) : ExecutionCommand(AtMs)
{
    public override string Name => "settle_sharing";
}

/// <summary>The visit's committed writes were taken back where they were the newest.</summary>
public sealed record SettleRestore(long AtMs, string Effect, IReadOnlyList<string>? Restored, IReadOnlyList<RestoreConflict>? Conflicts) : ExecutionCommand(AtMs)
{
    public override string Name => "settle_restore";
}

/// <summary>Somebody (<paramref name="To"/>) has waited for longer than the lease of this visit's locks. Refused while an effect of it is in doubt.</summary>
public sealed record YieldLocks(long AtMs, string Step, int Visit, string To) : ExecutionCommand(AtMs)
{
    public override string Name => "yield_locks";
}

/// <summary>A shared value as it is now.</summary>
/// <param name="Key">The key, its alias resolved.</param>
/// <param name="Version">Version; 0 when there is none.</param>
/// <param name="Changes">The changes since the version that was read, oldest first.</param>
public sealed record CurrentValue(string Key, long Version, IReadOnlyList<ValueChange>? Changes);

/// <summary>One change of a value. <paramref name="RestoredFrom"/>: the version whose value a rollback put back; 0 = written.</summary>
public sealed record ValueChange(long Version, JsonElement? Value, string Writer, long AtMs, long RestoredFrom = 0);
