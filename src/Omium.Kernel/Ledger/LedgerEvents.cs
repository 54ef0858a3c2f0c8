using System.Text.Json.Serialization;

namespace Omium.Kernel.Ledger;

/// <summary>
/// What has happened in a ledger. Names and fields are stored: they never change their meaning. Whatever moves credits says from where to where;
/// the entries of each event sum to 0.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(LedgerOpened), "ledger.opened")]
[JsonDerivedType(typeof(PlanChanged), "plan.changed")]
[JsonDerivedType(typeof(AllowanceGranted), "allowance.granted")]
[JsonDerivedType(typeof(AllowanceExpired), "allowance.expired")]
[JsonDerivedType(typeof(KeyCapSet), "key_cap.set")]
[JsonDerivedType(typeof(CreditsReserved), "credits.reserved")]
[JsonDerivedType(typeof(CreditsSettled), "credits.settled")]
[JsonDerivedType(typeof(CreditsToppedUp), "credits.topped_up")]
[JsonDerivedType(typeof(CreditsAdjusted), "credits.adjusted")]
[JsonDerivedType(typeof(CreditsLow), "credits.low")]
public abstract record LedgerEvent
{
    /// <summary>What it moves; empty when it moves nothing.</summary>
    [JsonIgnore]
    public virtual IReadOnlyList<Entry> Moves => [];
}

/// <summary>An account of a ledger. What came into the ledger stands negative on the account it came from, so that all accounts sum to 0.</summary>
public enum Account
{
    /// <summary>Credits the tenant has bought or was given; never negative.</summary>
    [JsonStringEnumMemberName("balance")]
    Balance,

    /// <summary>What is left of the month's allowance; never negative.</summary>
    [JsonStringEnumMemberName("allowance")]
    Allowance,

    /// <summary>Put aside for work under way; never negative.</summary>
    [JsonStringEnumMemberName("reserved")]
    Reserved,

    /// <summary>Used. Omium's revenue.</summary>
    [JsonStringEnumMemberName("spent")]
    Spent,

    /// <summary>Used beyond what there was; never positive. The next credits that come pay it back.</summary>
    [JsonStringEnumMemberName("overdraft")]
    Overdraft,

    /// <summary>Source: what was paid for.</summary>
    [JsonStringEnumMemberName("payments")]
    Payments,

    /// <summary>Source: what plans granted.</summary>
    [JsonStringEnumMemberName("grants")]
    Grants,

    /// <summary>Allowance that was not used in its month.</summary>
    [JsonStringEnumMemberName("expired")]
    Expired,

    /// <summary>Source or sink: what people corrected.</summary>
    [JsonStringEnumMemberName("adjustments")]
    Adjustments,
}

/// <summary>One side of a move: micro-credits that an account gains, or with a minus loses.</summary>
public readonly record struct Entry([property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] Account Account, long Micro);

/// <summary>The ledger of a tenant began.</summary>
public sealed record LedgerOpened(string Tenant) : LedgerEvent;

/// <summary>From now on these terms.</summary>
public sealed record PlanChanged(PlanTerms Plan) : LedgerEvent;

/// <summary>The allowance of a month (yyyymm).</summary>
public sealed record AllowanceGranted(int Period, IReadOnlyList<Entry>? Entries) : LedgerEvent
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override IReadOnlyList<Entry> Moves => Entries ?? [];
}

/// <summary>What was left of a month's allowance is gone.</summary>
public sealed record AllowanceExpired(int Period, IReadOnlyList<Entry> Entries) : LedgerEvent
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override IReadOnlyList<Entry> Moves => Entries;
}

/// <summary>The monthly limit of an API key.</summary>
public sealed record KeyCapSet(string Key, long? CapMicro) : LedgerEvent;

/// <summary>Credits were put aside. <paramref name="Token"/> is greater than every one before.</summary>
public sealed record CreditsReserved(string Owner, long Token, int Round, string? Key, TokenPrice? Price, IReadOnlyList<Entry> Entries) : LedgerEvent
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override IReadOnlyList<Entry> Moves => Entries;
}

/// <summary>
/// What was used of a reservation was charged, and what is not needed any more given back. <paramref name="ChargedMicro"/>: by this event.
/// <paramref name="KeptMicro"/>: still reserved. <paramref name="Ended"/>: the reservation is no more.
/// </summary>
public sealed record CreditsSettled(
    string Owner, long Token, long ChargedMicro, long KeptMicro, bool Ended, long InputTokens, long OutputTokens, IReadOnlyList<Entry>? Entries) : LedgerEvent
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override IReadOnlyList<Entry> Moves => Entries ?? [];
}

/// <summary>A payment was credited.</summary>
public sealed record CreditsToppedUp(string Payment, long UsdCents, IReadOnlyList<Entry> Entries) : LedgerEvent
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override IReadOnlyList<Entry> Moves => Entries;
}

/// <summary>The balance was corrected.</summary>
public sealed record CreditsAdjusted(string Id, string Reason, string By, IReadOnlyList<Entry> Entries) : LedgerEvent
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override IReadOnlyList<Entry> Moves => Entries;
}

/// <summary>Less than a tenth is left of what there was after the last credits came. Said once until more come.</summary>
public sealed record CreditsLow(long LeftMicro, long OfMicro) : LedgerEvent;
