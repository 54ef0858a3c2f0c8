using System.Text.Json.Serialization;

namespace Omium.Kernel.Ledger;

/// <summary>
/// The only command of a ledger: requests that are decided one after the other and recorded together. So many executions pay with one append.
/// Stored are the requests that led to something.
/// </summary>
public sealed record PostRequests(long AtMs, string Tenant, IReadOnlyList<LedgerRequest> Requests)
{
    /// <summary>Stable name, as stored in the envelope.</summary>
    public const string Name = "post";
}

/// <summary>What somebody wants of a ledger. The same request twice is a no-op: each names what makes it known.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(OpenLedger), "open")]
[JsonDerivedType(typeof(ChangePlan), "change_plan")]
[JsonDerivedType(typeof(SetKeyCap), "set_key_cap")]
[JsonDerivedType(typeof(ReserveCredits), "reserve")]
[JsonDerivedType(typeof(SettleCredits), "settle")]
[JsonDerivedType(typeof(TopUpCredits), "top_up")]
[JsonDerivedType(typeof(AdjustCredits), "adjust")]
public abstract record LedgerRequest;

/// <summary>Begin a tenant's ledger, unless it has begun. Everything else is refused before.</summary>
/// <param name="Plan">The plan it begins with.</param>
/// <param name="WelcomeMicro">Credits given to begin with.</param>
public sealed record OpenLedger(PlanTerms Plan, long WelcomeMicro) : LedgerRequest;

/// <summary>Change the plan. What of this month's old allowance is left gives way to the new one, less what was used of it.</summary>
public sealed record ChangePlan(PlanTerms Plan) : LedgerRequest;

/// <summary>What an API key may use in a calendar month; null = no limit of its own.</summary>
public sealed record SetKeyCap(string Key, long? CapMicro) : LedgerRequest;

/// <summary>
/// Put credits aside before the work: at most <paramref name="WantedMicro"/>, at least <paramref name="NeededMicro"/>, else refused with
/// <c>CREDITS_EXHAUSTED</c> or <c>key_cap_reached</c>.
/// </summary>
/// <param name="Owner">Who: an execution, or the effect id of a model call. One reservation of an owner is open at a time.</param>
/// <param name="Round">Which time this owner asks, from 1: asking again for the same round changes nothing.</param>
/// <param name="Key">The API key it counts for; null for none.</param>
/// <param name="NeededMicro">Less is of no use.</param>
/// <param name="WantedMicro">More is not needed. Near the end of the balance less is given than wanted: a fair share.</param>
/// <param name="Price">Of a model call: what its tokens will cost. These come from the balance only; an allowance is of checkpoints.</param>
public sealed record ReserveCredits(string Owner, int Round, string? Key, long NeededMicro, long WantedMicro, TokenPrice? Price = null) : LedgerRequest;

/// <summary>
/// Say what was used of a reservation and how much of the rest is still needed. Unknown to the ledger (settled before, or never made): no-op.
/// </summary>
/// <param name="Owner">Whose.</param>
/// <param name="Token">The reservation's number; another one of the same owner is not meant.</param>
/// <param name="SpentMicro">Used in all since the reservation was made (a total, so that saying it twice charges once). Ignored for a model call.</param>
/// <param name="KeptMicro">Of the rest, what stays reserved; with 0 the reservation ends.</param>
/// <param name="InputTokens">Of a model call: tokens read.</param>
/// <param name="OutputTokens">Of a model call: tokens written.</param>
/// <param name="Round">The last round that the sender knows of: what was granted in a later one is not given back by it, whatever is kept. 0 = all of it.</param>
public sealed record SettleCredits(string Owner, long Token, long SpentMicro, long KeptMicro = 0, long InputTokens = 0, long OutputTokens = 0, int Round = 0) : LedgerRequest;

/// <summary>A payment has arrived. An overdraft is paid back first.</summary>
/// <param name="Payment">The payment's id at the payment service: counted once, whatever is delivered how often.</param>
/// <param name="UsdCents">What was paid.</param>
public sealed record TopUpCredits(string Payment, long UsdCents) : LedgerRequest;

/// <summary>A person corrects the balance. A debit beyond the balance goes to the overdraft.</summary>
/// <param name="Id">What makes it known.</param>
/// <param name="Micro">Positive: given; negative: taken.</param>
/// <param name="Reason">For people.</param>
/// <param name="By">Who.</param>
public sealed record AdjustCredits(string Id, long Micro, string Reason, string By) : LedgerRequest;

/// <summary>What a plan grants.</summary>
/// <param name="Name">Name of the plan.</param>
/// <param name="AllowanceMicro">Micro-credits a calendar month for checkpoints, before credits are touched; null = without limit.</param>
/// <param name="Seats">People who may sign in; 0 = without limit.</param>
public sealed record PlanTerms(string Name, long? AllowanceMicro, int Seats);
