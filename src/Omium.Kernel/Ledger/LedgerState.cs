using System.Collections.Immutable;

namespace Omium.Kernel.Ledger;

/// <summary>The fold of a ledger's events. Immutable. Proportional to what is open, not to what has happened (but for the ids of payments).</summary>
public sealed record LedgerState
{
    /// <summary>Before the first record.</summary>
    public static readonly LedgerState Empty = new();

    /// <summary>Adjustments whose ids are remembered: the same id within that many is a repetition.</summary>
    public const int AdjustmentsKept = 1_000;

    private const int AccountCount = (int)Account.Adjustments + 1;

    /// <summary>Tenant; empty before the first record.</summary>
    public string Tenant { get; init; } = "";

    /// <summary>The plan.</summary>
    public PlanTerms Plan { get; init; } = new("none", 0, 1);

    /// <summary>The month (yyyymm) whose allowance was granted last; 0 before.</summary>
    public int Period { get; init; }

    /// <summary>Micro-credits of each account, in the order of <see cref="Account"/>.</summary>
    public ImmutableArray<long> Accounts { get; init; } = [.. new long[AccountCount]];

    /// <summary>The last token handed out.</summary>
    public long Token { get; init; }

    /// <summary>Open reservations by owner.</summary>
    public ImmutableDictionary<string, Reservation> Reservations { get; init; } = ImmutableDictionary<string, Reservation>.Empty;

    /// <summary>Keys with a cap or with use this month.</summary>
    public ImmutableSortedDictionary<string, KeyUse> Keys { get; init; } = ImmutableSortedDictionary.Create<string, KeyUse>(StringComparer.Ordinal);

    /// <summary>Payments that were credited.</summary>
    public ImmutableHashSet<string> Payments { get; init; } = [];

    /// <summary>The newest adjustments' ids, the oldest first.</summary>
    public ImmutableList<string> Adjustments { get; init; } = [];

    /// <summary>What was available after the last credits came: a tenth of it is low.</summary>
    public long HighMicro { get; init; }

    /// <summary>True once it was said that little is left.</summary>
    public bool Low { get; init; }

    /// <summary>Micro-credits of an account.</summary>
    public long this[Account account] => Accounts[(int)account];

    /// <summary>What can be reserved for checkpoints now: allowance and balance. <see cref="long.MaxValue"/> for a plan without limit.</summary>
    public long AvailableMicro => Plan.AllowanceMicro is null ? long.MaxValue : this[Account.Allowance] + this[Account.Balance];

    /// <summary>What is shown as remaining: allowance and balance, less an overdraft. Of a plan without limit, the balance.</summary>
    public long RemainingMicro => this[Account.Allowance] + this[Account.Balance] + this[Account.Overdraft];

    /// <summary>What is not used yet: what remains, and what is put aside.</summary>
    public long LeftMicro => RemainingMicro + this[Account.Reserved];
}

/// <summary>Credits put aside. The parts are what is left of it, by where it came from and is given back to.</summary>
/// <param name="Owner">An execution, or the effect id of a model call.</param>
/// <param name="Token">Its number.</param>
/// <param name="AtMs">When it was made or last changed, Unix ms.</param>
public sealed record Reservation(string Owner, long Token, long AtMs)
{
    /// <summary>The last round that was granted.</summary>
    public int Round { get; init; }

    /// <summary>The API key it counts for.</summary>
    public string? Key { get; init; }

    /// <summary>Of a model call: its price.</summary>
    public TokenPrice? Price { get; init; }

    /// <summary>The month whose allowance it drew on.</summary>
    public int Period { get; init; }

    /// <summary>Left, from an allowance without limit.</summary>
    public long UnlimitedMicro { get; init; }

    /// <summary>Left, from the month's allowance.</summary>
    public long AllowanceMicro { get; init; }

    /// <summary>Left, from the balance.</summary>
    public long BalanceMicro { get; init; }

    /// <summary>Charged so far.</summary>
    public long SpentMicro { get; init; }

    /// <summary>Left in all.</summary>
    public long LeftMicro => UnlimitedMicro + AllowanceMicro + BalanceMicro;

    /// <summary>Granted in all, without what was given back: charged and left.</summary>
    public long GrantedMicro => SpentMicro + LeftMicro;

    /// <summary>Charges so much: allowances first, then the balance. The second part: what was more than is left.</summary>
    internal (Reservation After, long ExcessMicro) Charge(long micro)
    {
        var unlimited = Math.Min(micro, UnlimitedMicro);
        var allowance = Math.Min(micro - unlimited, AllowanceMicro);
        var balance = Math.Min(micro - unlimited - allowance, BalanceMicro);
        var rest = this with
        {
            SpentMicro = SpentMicro + micro, UnlimitedMicro = UnlimitedMicro - unlimited, AllowanceMicro = AllowanceMicro - allowance, BalanceMicro = BalanceMicro - balance,
        };
        return (rest, micro - unlimited - allowance - balance);
    }

    /// <summary>Gives back all but so much: the balance first.</summary>
    internal Reservation Keep(long micro)
    {
        var back = Math.Max(0, LeftMicro - micro);
        var balance = Math.Min(back, BalanceMicro);
        var allowance = Math.Min(back - balance, AllowanceMicro);
        return this with { BalanceMicro = BalanceMicro - balance, AllowanceMicro = AllowanceMicro - allowance, UnlimitedMicro = UnlimitedMicro - (back - balance - allowance) };
    }
}

/// <summary>What a key has used this month, and may.</summary>
/// <param name="CapMicro">Its limit; null = none.</param>
/// <param name="SpentMicro">Charged this month.</param>
/// <param name="ReservedMicro">Put aside now.</param>
public sealed record KeyUse(long? CapMicro, long SpentMicro, long ReservedMicro)
{
    /// <summary>Nothing used, no limit.</summary>
    public static readonly KeyUse None = new(null, 0, 0);
}
