namespace Omium.Runtime.Billing;

/// <summary>
/// Whoever takes the money. It makes a page where somebody pays, and tells by a signed event when that has happened; Omium never sees a card. Nothing
/// is credited by what the page says: only by the event.
/// </summary>
public interface IPaymentGateway
{
    /// <summary><c>stripe</c>, or <c>sandbox</c> where no money moves.</summary>
    string Name { get; }

    /// <summary>What a person should know of it; null when there is nothing.</summary>
    string? Note { get; }

    /// <summary>Secrets that events may be signed with: one, or two while one replaces the other. Never shown.</summary>
    IReadOnlyList<string> WebhookSecrets { get; }

    /// <summary>Makes a page to pay on. The event that follows carries <see cref="CheckoutRequest.Tenant"/> back.</summary>
    /// <exception cref="PaymentUnavailableException">The gateway cannot be reached, or refuses.</exception>
    Task<CheckoutPage> CreateAsync(CheckoutRequest request, CancellationToken cancellation);
}

/// <summary>A top-up that somebody wants to pay.</summary>
/// <param name="Tenant">Whose credits they will be.</param>
/// <param name="UsdCents">How much.</param>
public sealed record CheckoutRequest(string Tenant, long UsdCents);

/// <summary>Where to pay. <paramref name="Id"/> is what the ledger knows the payment by.</summary>
public sealed record CheckoutPage(string Id, string Url);

/// <summary>The gateway did not make a page.</summary>
public sealed class PaymentUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>No payment service is configured: nothing can be bought, and no event is believed.</summary>
public sealed class NoPayments : IPaymentGateway
{
    /// <inheritdoc/>
    public string Name => "none";

    /// <inheritdoc/>
    public string? Note => "No payment service is configured here.";

    /// <inheritdoc/>
    public IReadOnlyList<string> WebhookSecrets => [];

    /// <inheritdoc/>
    public Task<CheckoutPage> CreateAsync(CheckoutRequest request, CancellationToken cancellation) =>
        throw new PaymentUnavailableException("No payment service is configured here.");
}
