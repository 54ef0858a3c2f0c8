using System.Collections.Immutable;
using Omium.Kernel.Executions;

namespace Omium.Kernel.Ledger;

/// <summary>Evolve: what each event changes. Total: what cannot follow from the state, or does not sum to 0, is a corrupt log.</summary>
internal static class LedgerEvolver
{
    public static LedgerState Evolve(LedgerState state, LedgerEvent happened, long atMs)
    {
        if ((state.Tenant.Length == 0) != (happened is LedgerOpened))
        {
            throw new CorruptLogException($"a ledger begins once: {happened.GetType().Name}");
        }

        var next = Moved(state, happened.Moves);
        return happened switch
        {
            LedgerOpened e => next with { Tenant = e.Tenant },
            PlanChanged e => next with { Plan = e.Plan },
            AllowanceGranted e => Granted(next, e),
            AllowanceExpired => next,
            KeyCapSet e => WithKey(next, e.Key, use => use with { CapMicro = e.CapMicro }),
            CreditsReserved e => Reserved(next, e, atMs),
            CreditsSettled e => Settled(next, e, atMs),
            CreditsToppedUp e => Replenished(next with { Payments = next.Payments.Add(e.Payment) }),
            CreditsAdjusted e => Adjusted(next, e),
            CreditsLow => next with { Low = true },
            _ => throw new CorruptLogException($"an event of an unknown kind: {happened.GetType().Name}"),
        };
    }

    /// <summary>Double entry: what is moved sums to 0, and only sources and the overdraft may stand below it.</summary>
    private static LedgerState Moved(LedgerState state, IReadOnlyList<Entry> moves)
    {
        if (moves.Count == 0)
        {
            return state;
        }

        var accounts = state.Accounts.ToBuilder();
        var sum = 0L;
        foreach (var (account, micro) in moves)
        {
            if (!Enum.IsDefined(account))
            {
                throw new CorruptLogException("an entry names no account");
            }

            sum = checked(sum + micro);
            accounts[(int)account] = checked(accounts[(int)account] + micro);
        }

        return sum != 0 ? throw new CorruptLogException($"entries sum to {sum}, not to 0")
            : accounts[(int)Account.Balance] < 0 || accounts[(int)Account.Allowance] < 0 || accounts[(int)Account.Reserved] < 0 || accounts[(int)Account.Overdraft] > 0
            ? throw new CorruptLogException("an account is on the wrong side of 0")
            : state with { Accounts = accounts.ToImmutable() };
    }

    private static LedgerState Replenished(LedgerState state) => state with { HighMicro = Math.Max(0, state.LeftMicro), Low = false };

    private static LedgerState Granted(LedgerState state, AllowanceGranted e)
    {
        // Caps count by the month: with a new one everybody begins anew.
        var keys = e.Period == state.Period
            ? state.Keys
            : state.Keys.Where(pair => pair.Value is not { CapMicro: null, ReservedMicro: 0 })
                .ToImmutableSortedDictionary(pair => pair.Key, pair => pair.Value with { SpentMicro = 0 }, StringComparer.Ordinal);
        return Replenished(state with { Period = e.Period, Keys = keys });
    }

    private static LedgerState Adjusted(LedgerState state, CreditsAdjusted e)
    {
        var ids = state.Adjustments.Count < LedgerState.AdjustmentsKept ? state.Adjustments : state.Adjustments.RemoveAt(0);
        var next = state with { Adjustments = ids.Add(e.Id) };
        return e.Entries.Any(entry => entry is { Account: Account.Adjustments, Micro: < 0 }) ? Replenished(next) : next;
    }

    private static LedgerState Reserved(LedgerState state, CreditsReserved e, long atMs)
    {
        var open = state.Reservations.GetValueOrDefault(e.Owner);
        if (open is null ? e.Token != state.Token + 1 : open.Token != e.Token || e.Round <= open.Round)
        {
            throw new CorruptLogException($"reservation {e.Token} cannot be made for {e.Owner}");
        }

        var made = (open ?? new Reservation(e.Owner, e.Token, atMs)) with { AtMs = atMs, Round = e.Round, Key = e.Key, Price = e.Price, Period = state.Period };
        foreach (var (account, micro) in e.Entries)
        {
            made = account switch
            {
                Account.Grants => made with { UnlimitedMicro = made.UnlimitedMicro - micro },
                Account.Allowance => made with { AllowanceMicro = made.AllowanceMicro - micro },
                Account.Balance => made with { BalanceMicro = made.BalanceMicro - micro },
                _ => made,
            };
        }

        var next = state with { Token = Math.Max(state.Token, e.Token), Reservations = state.Reservations.SetItem(e.Owner, made) };
        return Counted(next, open, made, 0);
    }

    private static LedgerState Settled(LedgerState state, CreditsSettled e, long atMs)
    {
        if (state.Reservations.GetValueOrDefault(e.Owner) is not { } open || open.Token != e.Token)
        {
            throw new CorruptLogException($"{e.Owner} has no reservation {e.Token} to settle");
        }

        var rest = open.Charge(e.ChargedMicro).After.Keep(e.KeptMicro) with { AtMs = atMs };
        var reservations = e.Ended ? state.Reservations.Remove(e.Owner) : state.Reservations.SetItem(e.Owner, rest);
        return Counted(state with { Reservations = reservations }, open, rest, e.ChargedMicro);
    }

    /// <summary>Of the key that a reservation counts for: what is put aside now, and what was charged.</summary>
    private static LedgerState Counted(LedgerState state, Reservation? before, Reservation after, long chargedMicro) => after.Key is not { } key
        ? state
        : WithKey(state, key, use => use with
        {
            ReservedMicro = use.ReservedMicro + after.LeftMicro - (before?.LeftMicro ?? 0), SpentMicro = use.SpentMicro + chargedMicro,
        });

    private static LedgerState WithKey(LedgerState state, string key, Func<KeyUse, KeyUse> change) =>
        state with { Keys = state.Keys.SetItem(key, change(state.Keys.GetValueOrDefault(key, KeyUse.None))) };
}
