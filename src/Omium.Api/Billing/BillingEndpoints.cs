using System.Globalization;
using Microsoft.AspNetCore.Http;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Billing;
using Omium.Contracts.Executions;
using Omium.Kernel.Ledger;
using Omium.Runtime.Billing;
using Omium.Runtime.Executions;

namespace Omium.Api.Billing;

/// <summary><c>/v1/billing</c> and <c>/v1/webhooks/stripe</c>.</summary>
internal static class BillingEndpoints
{
    /// <summary>Least and greatest amount of one top-up, in USD.</summary>
    public const double MinimumUsd = 10, MaximumUsd = 10_000;

    private static readonly string[] Kinds = ["topup", "usage", "allowance", "expiry", "adjustment", "plan", "cap", "warning", "reservation"];

    /// <summary>Amounts on offer, in USD.</summary>
    public static IReadOnlyList<double> PresetsUsd { get; } = [20, 50, 100];

    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/v1/billing", GetAsync).As("get_billing", "Balance, plan and what is reserved.").Answers(ContractJson.Default.BillingView);
        routes.Map("GET", "/v1/billing/transactions", TransactionsAsync)
            .As("list_transactions", "What moved, the newest first. Without `kind`, all but what was only reserved.").Query("kind", "Only of this kind.", Kinds)
            .Paged().Answers(ContractJson.Default.TransactionPage);
        routes.Map("GET", "/v1/billing/verify", VerifyAsync).As("verify_billing", "Folds and decides the ledger again from the log, and says whether it is what is stored.")
            .Answers(ContractJson.Default.VerifyView);
        routes.Map("POST", "/v1/billing/topups", TopUpAsync).As("create_top_up", "Makes a page to pay on.").Reads(RequestJson.Default.TopUpRequest)
            .Answers(ContractJson.Default.TopUpView, 201, "Made; nothing is credited before it is paid.").Refuses("payments_unavailable");
        routes.MapOpen("POST", "/v1/webhooks/stripe", ReceiveAsync).As("receive_payment_event", "Where the payment service reports payments; signed with `Stripe-Signature`.")
            .Header("Stripe-Signature", "`t={Unix seconds},v1={HMAC-SHA256 of the time, a dot and the body}`; 5 minutes are tolerated.")
            .Answers(ContractJson.Default.PaymentReceipt).Refuses("webhook_signature_invalid", "invalid_json", "body_too_large", "storage_failed", "storage_full");
    }

    private static async Task GetAsync(ApiCall call) => await call.JsonAsync(
        BillingViews.View(await call.Services.Billing.StateAsync(call.Caller.Tenant, call.Cancellation), call.Services.Payments), ContractJson.Default.BillingView);

    private static async Task TransactionsAsync(ApiCall call)
    {
        if (await call.TryIntegerAsync("limit", 50, 1, 200) is not { } limit || !await call.TryWordAsync("kind", Kinds))
        {
            return;
        }

        LedgerPlace? before = null;
        if (call.Query("cursor") is { } cursor)
        {
            var parts = cursor.Split('.');
            if (parts.Length != 2 || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var seq) || seq < 1
                || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var index))
            {
                await call.InvalidAsync("/cursor", "'cursor' is the `next_cursor` of the page before, whole.");
                return;
            }

            before = new LedgerPlace(seq, index);
        }

        await call.Services.Billing.StateAsync(call.Caller.Tenant, call.Cancellation);
        var kind = call.Query("kind");
        var (moves, next) = await call.Services.Billing.MovesAsync(
            call.Caller.Tenant, before, (int)limit, happened => kind is null ? happened is not (CreditsReserved or LedgerOpened or CreditsSettled { ChargedMicro: 0 }) : BillingViews.KindOf(happened) == kind,
            call.Cancellation);
        var following = next is { } place ? string.Create(CultureInfo.InvariantCulture, $"{place.Seq}.{place.Index}") : null;
        await call.JsonAsync(new Page<TransactionView>([.. moves.Select(BillingViews.View)], following), ContractJson.Default.TransactionPage);
    }

    private static async Task VerifyAsync(ApiCall call)
    {
        await call.Services.Billing.StateAsync(call.Caller.Tenant, call.Cancellation);
        var report = await call.Services.LedgerVerifier.VerifyAsync(call.Caller.Tenant, call.Cancellation) ?? new VerifyReport(VerifyVerdict.Identical, 0, null);
        await call.JsonAsync(new VerifyView(report.Verdict.ToString().ToLowerInvariant(), report.Records, report.Detail), ContractJson.Default.VerifyView);
    }

    private static async Task TopUpAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.TopUpRequest) is not { } request)
        {
            return;
        }

        var cents = Math.Round(request.AmountUsd * 100);
        if (!(request.AmountUsd is >= MinimumUsd and <= MaximumUsd) || Math.Abs((request.AmountUsd * 100) - cents) > 1e-6)
        {
            await call.InvalidAsync("/amount_usd", $"A top-up is of {MinimumUsd:0} to {MaximumUsd:0} USD, in whole cents.");
            return;
        }

        try
        {
            var gateway = call.Services.Payments;
            var page = await gateway.CreateAsync(new CheckoutRequest(call.Caller.Tenant, (long)cents), call.Cancellation);
            call.Context.Response.Headers.Location = page.Url;
            await call.JsonAsync(
                new TopUpView(page.Id, cents / 100, BillingViews.Shown(Credits.OfUsdCents((long)cents)), page.Url, gateway.Name), ContractJson.Default.TopUpView, StatusCodes.Status201Created);
        }
        catch (PaymentUnavailableException unavailable)
        {
            await call.ProblemAsync("payments_unavailable", unavailable.Message);
        }
    }

    /// <summary>
    /// Anybody can send this: only the signature counts. Answered 200 once it needs no further delivery, credited or not; everything else makes the
    /// payment service deliver again.
    /// </summary>
    private static async Task ReceiveAsync(ApiCall call)
    {
        if (await call.TryBodyAsync() is not { } body)
        {
            return;
        }

        if (!StripeSignature.TryVerify(body.Span, call.Request.Headers[StripeSignature.Header], call.Services.Payments.WebhookSecrets, call.Services.Time.GetUtcNow(), out var problem))
        {
            await call.ProblemAsync("webhook_signature_invalid", ApiCall.Sentence(problem));
            return;
        }

        if (PaymentEvent.Read(body.Span) is not { } happened)
        {
            await call.ProblemAsync("invalid_json", "The body is signed but is no event of a payment service.");
            return;
        }

        var isCredited = false;
        if (happened.TopUp is { } paid)
        {
            var reply = await call.Services.Billing.PostAsync(paid.Tenant, new TopUpCredits(paid.Payment, paid.UsdCents));
            if (reply.Rejection is { } refused)
            {
                // Paid and not credited: it must not be answered as done, so that it is delivered again once the cause is mended.
                throw new InvalidOperationException($"payment {paid.Payment} was not credited: {refused.Code}, {refused.Message}");
            }

            isCredited = reply.Changed;
        }

        await call.JsonAsync(new PaymentReceipt(true, isCredited), ContractJson.Default.PaymentReceipt);
    }
}
