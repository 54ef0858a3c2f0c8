using Omium.Api;
using Omium.Api.Sessions;

namespace Omium.Cli.Hosting;

/// <summary>Who may come in and how, from <c>OMIUM_*</c> in the environment; docs/reference/configuration.md has the table.</summary>
internal static class AccessSettings
{
    /// <summary>Reads the settings; what is absent keeps its default.</summary>
    /// <exception cref="InvalidOperationException">A value cannot be read; the message names it.</exception>
    public static void Apply(OmiumApiOptions options, IConfiguration configuration)
    {
        options.SignUp = !string.Equals(configuration["OMIUM_SIGN_UP"], "false", StringComparison.OrdinalIgnoreCase);
        options.ClientAddressHeader = configuration["OMIUM_CLIENT_ADDRESS_HEADER"] is { Length: > 0 } header ? header : null;
        if (configuration["OMIUM_PUBLIC_URL"] is { Length: > 0 } text)
        {
            options.PublicUrl = Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
                ? url
                : throw new InvalidOperationException($"OMIUM_PUBLIC_URL is '{text}'; expected http://... or https://...");
        }
    }

    /// <summary>Where mails go; null where none are sent.</summary>
    public static IMailer? Mailer(IConfiguration configuration, TimeProvider time) =>
        configuration["OMIUM_MAIL_DIRECTORY"] is { Length: > 0 } directory ? new DirectoryMailer(directory, configuration["OMIUM_MAIL_FROM"] ?? "omium@localhost", time) : null;
}
