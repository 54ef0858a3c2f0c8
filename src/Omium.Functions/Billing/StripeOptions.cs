using Microsoft.Extensions.Configuration;

namespace Omium.Functions.Billing;

/// <summary>How payments are taken through Stripe.</summary>
/// <param name="ApiKey">Secret or restricted key of the account; a restricted one needs to write Checkout Sessions, and nothing else.</param>
/// <param name="WebhookSecrets">Signing secrets of the endpoint <c>/v1/webhooks/stripe</c>: one, or two while one replaces the other.</param>
/// <param name="ReturnTo">Where the page leads back to, paid or not.</param>
/// <param name="Address">Where Stripe's API is; null = https://api.stripe.com.</param>
public sealed record StripeOptions(string ApiKey, IReadOnlyList<string> WebhookSecrets, Uri ReturnTo, Uri? Address = null)
{
    /// <summary>Name of the setting with the key; absent = nothing can be bought.</summary>
    public const string ApiKeyName = "OMIUM_STRIPE_API_KEY";

    /// <summary>Name of the setting with the signing secrets, separated by commas.</summary>
    public const string WebhookSecretsName = "OMIUM_STRIPE_WEBHOOK_SECRETS";

    /// <summary>Name of the setting with another address of the API, for tests.</summary>
    public const string AddressName = "OMIUM_STRIPE_ADDRESS";

    /// <summary>True when no money moves: the key is of Stripe's test mode.</summary>
    public bool IsTest => ApiKey.Contains("_test_", StringComparison.Ordinal);

    /// <summary>Reads the settings; null when payments are not configured.</summary>
    /// <param name="configuration">The settings by their names.</param>
    /// <param name="console">Origin of the console, which the page leads back to.</param>
    /// <exception cref="FormatException">A setting is missing or cannot be read; the message names it, never its value.</exception>
    public static StripeOptions? From(IConfiguration configuration, string? console)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (Secret(configuration, ApiKeyName) is not { } key)
        {
            return null;
        }

        var secrets = (Secret(configuration, WebhookSecretsName) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (secrets.Length == 0)
        {
            throw new FormatException($"{ApiKeyName} is set: set {WebhookSecretsName}, too. Without it no payment would ever be credited.");
        }

        if (!Uri.TryCreate(console, UriKind.Absolute, out var origin))
        {
            throw new FormatException($"{ApiKeyName} is set: set the origin of the console, too, which the page to pay on leads back to.");
        }

        var address = configuration[AddressName] is { Length: > 0 } text
            ? Uri.TryCreate(text, UriKind.Absolute, out var read) ? read : throw new FormatException($"{AddressName} is no address.")
            : null;
        return new StripeOptions(key, secrets, new Uri(origin, "/billing"), address);
    }

    private static string? Secret(IConfiguration configuration, string name) => configuration[name] switch
    {
        null or "" => null,
        // The platform leaves the reference as it is when it cannot resolve it.
        { } text when text.StartsWith("@Microsoft.KeyVault", StringComparison.Ordinal) =>
            throw new FormatException($"{name} is a reference to a vault that could not be resolved: the secret is missing, or the identity lacks the role Key Vault Secrets User."),
        { } text => text.Trim(),
    };
}
