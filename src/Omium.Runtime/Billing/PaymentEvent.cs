using System.Text.Json;
using System.Text.Json.Serialization;

namespace Omium.Runtime.Billing;

/// <summary>
/// An event of a payment service, in the form that Stripe sends (https://docs.stripe.com/api/events/object): of a checkout session, what Omium reads of it. Unknown
/// members are passed over, as the format grows.
/// </summary>
public sealed record PaymentEvent(string Id, string Type, long Created, PaymentEventData Data)
{
    /// <summary>A checkout was completed; paid or not yet is said in the session.</summary>
    public const string Completed = "checkout.session.completed";

    /// <summary>A slow payment (a bank transfer) of a completed checkout has arrived.</summary>
    public const string Arrived = "checkout.session.async_payment_succeeded";

    /// <summary>Nobody paid in time.</summary>
    public const string Expired = "checkout.session.expired";

    /// <summary>Name of the session's metadata that says whose credits they are.</summary>
    public const string TenantKey = "omium_tenant";

    /// <summary>The top-up it reports; null when it reports none: another type, not paid, another currency, or not made by Omium.</summary>
    public (string Payment, string Tenant, long UsdCents)? TopUp =>
        Type is Completed or Arrived && Data.Object is { PaymentStatus: "paid", Currency: "usd", AmountTotal: > 0 and <= 100_000_000 } session
            && session.Id.Length is > 0 and <= 255 && session.Metadata is { } metadata && metadata.TryGetValue(TenantKey, out var tenant) && tenant.Length is > 0 and <= 64
            ? (session.Id, tenant, session.AmountTotal.Value)
            : null;

    /// <summary>Reads a body; null when it is none.</summary>
    public static PaymentEvent? Read(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return JsonSerializer.Deserialize(utf8, PaymentJson.Default.PaymentEvent) is { Id.Length: > 0, Type: not null, Data.Object.Id: not null } read ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The body that is signed and sent.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, PaymentJson.Default.PaymentEvent);
}

/// <summary>What an event is about.</summary>
public sealed record PaymentEventData(CheckoutSession Object);

/// <summary>A checkout session, as far as it is read.</summary>
public sealed record CheckoutSession(
    string Id, long? AmountTotal, string? Currency, string? PaymentStatus, IReadOnlyDictionary<string, string>? Metadata);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PaymentEvent))]
internal sealed partial class PaymentJson : JsonSerializerContext;
