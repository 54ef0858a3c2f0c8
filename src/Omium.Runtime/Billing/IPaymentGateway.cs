namespace Omium.Runtime.Billing;

/// <summary>
/// Whoever takes the money. It makes a page where somebody pays, and tells by a signed event when that has happened; Omium never sees a card. Nothing
/// is credited by what the page says: only by the event.
/// </summary>
public interface IPaymentGateway
{
    /// <summary><c>stripe</c>, or <c>sandbox</c> where no money moves.</summary>
    string Name { get; }

    /// <summary>Secrets that events may be signed with: one, or two while one replaces the other. Never shown.</summary>
    IReadOnlyList<string> WebhookSecrets { get; }

    /// <summary>Makes a page to pay on. The event that follows carries <see cref="CheckoutRequest.Tenant"/> back.</summary>
    /// <exception cref="PaymentUnavailableException">The gateway cannot be reached, or refuses.</exception>
    Task<CheckoutPage> CreateAsync(CheckoutRequest request, CancellationToken cancellation);
}

/// <summary>A top-up that somebody wants to pay.</summary>
/// <param name="Tenant">Whose credits they will be.</param>
/// <param name="UsdCents">How much.</param>
/// <param name="ReturnUrl">Where the page leads back to; null = it says that it may be closed.</param>
public sealed record CheckoutRequest(string Tenant, long UsdCents, string? ReturnUrl);

/// <summary>Where to pay. <paramref name="Id"/> is what the ledger knows the payment by.</summary>
public sealed record CheckoutPage(string Id, string Url);

/// <summary>The gateway did not make a page.</summary>
public sealed class PaymentUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
