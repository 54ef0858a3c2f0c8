using System.Globalization;
using Microsoft.Extensions.Logging;
using Omium.Kernel.Ledger;
using Omium.Runtime.Billing;
using Stripe;
using Stripe.Checkout;

namespace Omium.Functions.Billing;

/// <summary>
/// Top-ups by Stripe Checkout (https://docs.stripe.com/api/checkout/sessions/create): a session per top-up, paid on Stripe's own page. What is credited is
/// what the signed event says, at <c>/v1/webhooks/stripe</c>; the session carries the tenant in its metadata for that.
/// </summary>
/// <remarks>
/// Every POST carries an <c>Idempotency-Key</c> of its own, the same at each repetition: an answer that was lost makes no second session. Telemetry to Stripe
/// is off.
/// </remarks>
public sealed partial class StripeCheckout : IPaymentGateway, IDisposable
{
    /// <summary>Repetitions after a dropped connection, a time-out, 409 or 5xx; Stripe.net waits between them, half a second to five.</summary>
    private const int RepetitionsMax = 2;

    private static readonly TimeSpan AttemptTimeout = TimeSpan.FromSeconds(20);
    private readonly StripeOptions _options;
    private readonly ILogger _logger;
    private readonly HttpClient _http = new() { Timeout = AttemptTimeout };
    private readonly SessionService _sessions;

    /// <summary>The gateway of one account.</summary>
    public StripeCheckout(StripeOptions options, ILogger<StripeCheckout> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _logger) = (options, logger);
        _sessions = new SessionService(new StripeClient(new StripeClientOptions
        {
            ApiKey = options.ApiKey,
            ApiBase = options.Address?.ToString().TrimEnd('/') ?? StripeClient.DefaultApiBase,
            HttpClient = new SystemNetHttpClient(_http, RepetitionsMax, enableTelemetry: false),
        }));
    }

    /// <inheritdoc/>
    public string Name => "stripe";

    /// <inheritdoc/>
    public string? Note => _options.IsTest ? "Stripe's test mode: no money moves." : null;

    /// <inheritdoc/>
    public IReadOnlyList<string> WebhookSecrets => _options.WebhookSecrets;

    /// <inheritdoc/>
    public async Task<CheckoutPage> CreateAsync(CheckoutRequest request, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        try
        {
            var session = await _sessions.CreateAsync(Session(request), new RequestOptions { IdempotencyKey = $"omium-topup-{Guid.NewGuid():N}" }, cancellation);
            return session is { Id.Length: > 0, Url.Length: > 0 }
                ? new CheckoutPage(session.Id, session.Url)
                : throw new PaymentUnavailableException("Stripe made no page to pay on. Nothing was charged.");
        }
        catch (StripeException refused)
        {
            // Its own message may quote the key in part; type, code and the id of the request are what Stripe's support asks for.
            LogRefused(_logger, (int)refused.HttpStatusCode, refused.StripeError?.Type, refused.StripeError?.Code, refused.StripeResponse?.RequestId);
            throw new PaymentUnavailableException("Stripe refused to make a page to pay on. Nothing was charged; the operator sees why.", refused);
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            LogUnreachable(_logger, error);
            throw new PaymentUnavailableException("Stripe did not answer. Nothing was charged; try again in a moment.", error);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private SessionCreateOptions Session(CheckoutRequest request)
    {
        var credits = (Credits.OfUsdCents(request.UsdCents) / Credits.MicroPerCredit).ToString("#,0", CultureInfo.InvariantCulture);
        return new SessionCreateOptions
        {
            Mode = "payment",
            ClientReferenceId = request.Tenant,
            Metadata = new Dictionary<string, string> { [PaymentEvent.TenantKey] = request.Tenant },
            PaymentIntentData = new SessionPaymentIntentDataOptions { Metadata = new Dictionary<string, string> { [PaymentEvent.TenantKey] = request.Tenant } },
            LineItems =
            [
                new SessionLineItemOptions
                {
                    Quantity = 1,
                    PriceData = new SessionLineItemPriceDataOptions
                    {
                        Currency = "usd",
                        UnitAmount = request.UsdCents,
                        ProductData = new SessionLineItemPriceDataProductDataOptions { Name = $"{credits} Omium credits" },
                    },
                },
            ],
            SuccessUrl = _options.ReturnTo.ToString(),
            CancelUrl = _options.ReturnTo.ToString(),
        };
    }

    [LoggerMessage(3401, LogLevel.Error, "Stripe answered {Status} to a new checkout session: {Type} {Code}, request {Request}")]
    private static partial void LogRefused(ILogger logger, int status, string? type, string? code, string? request);

    [LoggerMessage(3402, LogLevel.Warning, "Stripe could not be reached for a new checkout session")]
    private static partial void LogUnreachable(ILogger logger, Exception error);
}
