using System.Globalization;
using Omium.Api.Executions;
using Omium.Contracts.Billing;
using Omium.Kernel.Ledger;
using Omium.Runtime.Billing;

namespace Omium.Api.Billing;

/// <summary>What people are shown of a ledger.</summary>
internal static class BillingViews
{
    public static BillingView View(LedgerState state, IPaymentGateway gateway) => new(
        Shown(state[Account.Balance]), Shown(state[Account.Balance]) / Credits.PerUsd, Shown(state.RemainingMicro), Shown(state[Account.Reserved]), Shown(state[Account.Overdraft]),
        Shown(state[Account.Spent]), state.Low,
        new PlanView(
            state.Plan.Name, state.Plan.AllowanceMicro / Credits.CheckpointMicro, state.Plan.AllowanceMicro is null ? null : (double)state[Account.Allowance] / Credits.CheckpointMicro,
            state.Plan.Seats == 0 ? null : state.Plan.Seats, string.Create(CultureInfo.InvariantCulture, $"{state.Period / 100:0000}-{state.Period % 100:00}")),
        [.. state.Keys.Select(pair => new KeyUseView(
            pair.Key, pair.Value.CapMicro is { } cap ? Shown(cap) : null, Shown(pair.Value.SpentMicro), Shown(pair.Value.ReservedMicro)))],
        new TopUpTermsView(gateway.Name, BillingEndpoints.MinimumUsd, BillingEndpoints.PresetsUsd, gateway.Note));

    public static TransactionView View(LedgerMove move)
    {
        var moves = move.Happened.Moves;
        var gained = moves.Where(entry => entry.Account is Account.Balance or Account.Allowance or Account.Reserved or Account.Overdraft).Sum(entry => entry.Micro);
        var (execution, effect) = move.Happened switch
        {
            CreditsReserved e => Parties(e.Owner),
            CreditsSettled e => Parties(e.Owner),
            _ => (null, null),
        };
        var credits = move.Happened is CreditsReserved ? 0 : move.Happened is CreditsSettled e2 ? -e2.ChargedMicro : gained;
        return new TransactionView(
            string.Create(CultureInfo.InvariantCulture, $"{move.Place.Seq}.{move.Place.Index}"), ExecutionViews.Time(move.AtUnixMs), KindOf(move.Happened), Shown(credits),
            Describe(move.Happened), execution, effect, (move.Happened as CreditsToppedUp)?.Payment,
            [.. moves.Select(entry => new EntryView(entry.Account.ToString().ToLowerInvariant(), Shown(entry.Micro)))]);
    }

    /// <summary>Word for the kind of an event.</summary>
    public static string KindOf(LedgerEvent happened) => happened switch
    {
        CreditsToppedUp => "topup",
        CreditsSettled => "usage",
        AllowanceGranted => "allowance",
        AllowanceExpired => "expiry",
        CreditsAdjusted => "adjustment",
        KeyCapSet => "cap",
        CreditsLow => "warning",
        CreditsReserved => "reservation",
        _ => "plan",
    };

    /// <summary>Credits as people read them, exact to a millionth.</summary>
    public static double Shown(long micro) => (double)(new decimal(micro) / Credits.MicroPerCredit);

    private static (string? Execution, string? Effect) Parties(string owner)
    {
        var cut = owner.IndexOf('/', StringComparison.Ordinal);
        return cut < 0 ? (owner, null) : (owner[..cut], owner[(cut + 1)..]);
    }

    private static string Describe(LedgerEvent happened) => happened switch
    {
        LedgerOpened => "The ledger began.",
        PlanChanged e => $"Plan {e.Plan.Name}.",
        AllowanceGranted { Entries: null } => "A new month began.",
        AllowanceGranted => "The month's allowance.",
        AllowanceExpired => "What was left of the month's allowance.",
        CreditsToppedUp e => string.Create(CultureInfo.InvariantCulture, $"Top-up of {e.UsdCents / 100m:0.00} USD."),
        CreditsAdjusted e => $"{Http.ApiCall.Sentence(e.Reason)} By {e.By}.",
        CreditsSettled { InputTokens: 0, OutputTokens: 0, ChargedMicro: Credits.CheckpointMicro } => "1 checkpoint.",
        CreditsSettled { InputTokens: 0, OutputTokens: 0 } e => string.Create(CultureInfo.InvariantCulture, $"{(decimal)e.ChargedMicro / Credits.CheckpointMicro:0.##} checkpoints."),
        CreditsSettled e => string.Create(CultureInfo.InvariantCulture, $"{e.InputTokens} tokens read and {e.OutputTokens} written."),
        CreditsReserved e => string.Create(CultureInfo.InvariantCulture, $"{Shown(e.Moves.Where(entry => entry.Account == Account.Reserved).Sum(entry => entry.Micro)):0.######} credits put aside."),
        KeyCapSet e => e.CapMicro is { } cap ? string.Create(CultureInfo.InvariantCulture, $"Key {e.Key} may use {Shown(cap):0.######} credits a month.") : $"Key {e.Key} has no limit of its own.",
        CreditsLow e => string.Create(CultureInfo.InvariantCulture, $"Less than a tenth is left: {Shown(e.LeftMicro):0.######} credits."),
        _ => happened.GetType().Name,
    };
}
