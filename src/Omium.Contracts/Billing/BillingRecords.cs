namespace Omium.Contracts.Billing;

/// <summary><c>GET /v1/billing</c>. Credits are exact to a millionth; 1,000 credits are 1 USD.</summary>
/// <param name="Balance">Credits bought or given that are neither used nor reserved.</param>
/// <param name="Usd">The same in US dollars.</param>
/// <param name="Remaining">Allowance and balance, less an overdraft: what can still be used. Of a plan without limit, the balance.</param>
/// <param name="Reserved">Put aside for runs and calls under way; what they do not use comes back.</param>
/// <param name="Overdraft">Used beyond what there was, 0 or less; the next credits that come pay it back.</param>
/// <param name="Spent">Used since the ledger began.</param>
/// <param name="Low">True when less than a tenth is left of what there was after the last credits came.</param>
/// <param name="Plan">The plan, and what is left of its allowance.</param>
/// <param name="Keys">Keys with a monthly limit or with use this month.</param>
/// <param name="TopUp">How to buy more.</param>
public sealed record BillingView(
    double Balance, double Usd, double Remaining, double Reserved, double Overdraft, double Spent, bool Low, PlanView Plan, IReadOnlyList<KeyUseView> Keys, TopUpTermsView TopUp);

/// <summary>A plan.</summary>
/// <param name="Name">pay_as_you_go, starter, professional, enterprise or sandbox.</param>
/// <param name="CheckpointsPerMonth">Checkpoints that a calendar month (UTC) grants before credits are touched; absent = without limit.</param>
/// <param name="CheckpointsLeft">Of them, still to use; absent = without limit.</param>
/// <param name="Seats">People who may sign in; absent = without limit.</param>
/// <param name="Period">The month, as yyyy-mm.</param>
public sealed record PlanView(string Name, long? CheckpointsPerMonth, double? CheckpointsLeft, int? Seats, string Period);

/// <summary>What a key has used this month.</summary>
/// <param name="Id">The key.</param>
/// <param name="Cap">Credits it may use a month; absent = no limit of its own.</param>
/// <param name="Used">Credits used this month.</param>
/// <param name="Reserved">Credits put aside for it now.</param>
public sealed record KeyUseView(string Id, double? Cap, double Used, double Reserved);

/// <summary>How credits are bought.</summary>
/// <param name="Gateway">stripe, sandbox (no money moves), or none.</param>
/// <param name="MinimumUsd">Least amount.</param>
/// <param name="PresetsUsd">Amounts on offer.</param>
/// <param name="Note">What a person should know of the gateway; absent when there is nothing.</param>
public sealed record TopUpTermsView(string Gateway, double MinimumUsd, IReadOnlyList<double> PresetsUsd, string? Note);

/// <summary>Body of <c>POST /v1/billing/topups</c>.</summary>
/// <param name="AmountUsd">From 10 to 10,000, in whole cents.</param>
public sealed record TopUpRequest(double AmountUsd);

/// <summary>A page to pay on. Nothing is credited until the payment service reports the payment.</summary>
/// <param name="Id">The payment, as transactions name it.</param>
/// <param name="AmountUsd">How much.</param>
/// <param name="Credits">What it buys.</param>
/// <param name="CheckoutUrl">Where to pay.</param>
/// <param name="Gateway">Who takes the money.</param>
public sealed record TopUpView(string Id, double AmountUsd, double Credits, string CheckoutUrl, string Gateway);

/// <summary>One move of a ledger.</summary>
/// <param name="Id">Its place in the ledger: record and event.</param>
/// <param name="At">When.</param>
/// <param name="Kind">What.</param>
/// <param name="Credits">What the tenant gained, or with a minus used or lost; 0 for what only moves aside or is said.</param>
/// <param name="Description">For people.</param>
/// <param name="Execution">The execution concerned, if one is.</param>
/// <param name="Effect">Of a model call: its effect.</param>
/// <param name="Payment">Of a top-up: the payment.</param>
/// <param name="Entries">Double entry: what each account gained or lost; the sum is 0.</param>
public sealed record TransactionView(
    string Id, DateTimeOffset At, [property: Words("topup", "usage", "allowance", "expiry", "adjustment", "plan", "cap", "warning", "reservation")] string Kind,
    double Credits, string Description, string? Execution, string? Effect, string? Payment, IReadOnlyList<EntryView> Entries);

/// <summary>One side of a move.</summary>
/// <param name="Account">balance, allowance, reserved, spent, overdraft, payments, grants, expired or adjustments.</param>
/// <param name="Credits">What it gained, or with a minus lost.</param>
public sealed record EntryView(string Account, double Credits);

/// <summary>Answer to a payment event. <paramref name="Credited"/>: true when this delivery credited it, false when there was nothing (more) to credit.</summary>
public sealed record PaymentReceipt(bool Received, bool Credited);
