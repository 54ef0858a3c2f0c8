using Microsoft.Extensions.Configuration;
using Omium.Api.Sessions;
using Omium.Runtime.Effects;

namespace Omium.Api;

/// <summary>
/// Options of the API as a deployment sets them: limits in section <c>api</c> or <c>OMIUM_API_*</c> in the environment, and who may come in and how in
/// <c>OMIUM_*</c>. Every host reads the same; docs/reference/configuration.md has the tables.
/// </summary>
public static class OmiumApiSettings
{
    private const int BytesMin = 1_024, BytesMax = 256 * 1024 * 1024;

    /// <summary>Reads the settings; what is absent stays as the host has set it, what cannot be read or is out of range is an error at start.</summary>
    /// <exception cref="InvalidOperationException">A value cannot be read or is out of range; the message names it.</exception>
    public static void Apply(OmiumApiOptions options, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(configuration);
        ApplyLimits(options, new OptionReader(configuration, "api", "OMIUM_API"));
        ApplyAccess(options, configuration);
    }

    /// <summary>Where mails go; null where none are sent.</summary>
    public static IMailer? Mailer(IConfiguration configuration, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return Text(configuration, "OMIUM_MAIL_DIRECTORY") is { } directory ? new DirectoryMailer(directory, Text(configuration, "OMIUM_MAIL_FROM") ?? "omium@localhost", time) : null;
    }

    private static void ApplyLimits(OmiumApiOptions options, OptionReader reader)
    {
        options.RatePerSecond = reader.Long("rate_per_second", (long)options.RatePerSecond, 0, 1_000_000);
        options.RateBurst = (int)reader.Long("rate_burst", options.RateBurst, 1, 1_000_000);
        options.ApprovalAttemptsMax = (int)reader.Long("approval_attempts_max", options.ApprovalAttemptsMax, 1, 1_000_000);
        options.StreamListenersMax = (int)reader.Long("stream_listeners_max", options.StreamListenersMax, 1, 100_000);
        options.StreamListenersPerTenantMax = (int)reader.Long(
            "stream_listeners_per_tenant_max", Math.Min(options.StreamListenersPerTenantMax, options.StreamListenersMax), 1, 100_000);
        options.BodyBytesMax = (int)reader.Long("body_bytes_max", options.BodyBytesMax, BytesMin, BytesMax);
        options.InputBytesMax = (int)reader.Long("input_bytes_max", options.InputBytesMax, BytesMin, BytesMax);
    }

    private static void ApplyAccess(OmiumApiOptions options, IConfiguration configuration)
    {
        options.SignUp = Text(configuration, "OMIUM_SIGN_UP") switch
        {
            null => options.SignUp,
            var word when bool.TryParse(word, out var isOpen) => isOpen,
            var word => throw new InvalidOperationException($"OMIUM_SIGN_UP is '{word}'; expected true or false"), // A door that was to be shut must not stay open.
        };
        options.ClientAddressHeader = Text(configuration, "OMIUM_CLIENT_ADDRESS_HEADER") ?? options.ClientAddressHeader;
        options.ClientPrincipalTenant = Text(configuration, "OMIUM_CLIENT_PRINCIPAL_TENANT") ?? options.ClientPrincipalTenant;
        if (Text(configuration, "OMIUM_PUBLIC_URL") is { } text)
        {
            options.PublicUrl = Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
                ? url
                : throw new InvalidOperationException($"OMIUM_PUBLIC_URL is '{text}'; expected http://... or https://...");
        }
    }

    private static string? Text(IConfiguration configuration, string name) => configuration[name] is { Length: > 0 } text ? text : null;
}
