using System.Text.Json;

namespace Omium.Transport;

/// <summary>Where Omium is and with which key, looked for where every program of Omium looks (docs/reference/cli.md).</summary>
internal sealed record ClientSettings(Uri BaseUrl, string ApiKey)
{
    private const string StandardUrl = "http://127.0.0.1:7600";
    private static readonly string DevKeyPath = Path.Combine(".omium", "data", "dev.key");

    /// <exception cref="OmiumException">No key is known, or the configuration file cannot be used.</exception>
    public static ClientSettings Resolve(OmiumOptions options)
    {
        var (fileUrl, fileKey) = ReadFile();
        var url = options.BaseUrl ?? Address(Variable("OMIUM_BASE_URL") ?? fileUrl ?? StandardUrl);
        var key = options.ApiKey ?? Variable("OMIUM_API_KEY") ?? fileKey ?? (url.IsLoopback ? DevKey() : null);
        return key is null
            ? throw new NotAllowedException("no API key: set OMIUM_API_KEY, run 'omium init', or start 'omium dev' in this directory, which makes one")
            : new ClientSettings(new Uri(url.ToString().TrimEnd('/') + "/"), key);
    }

    private static Uri Address(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url is not null
        ? url
        : throw new OmiumException($"'{text}' is no address: OMIUM_BASE_URL begins with http:// or https://", "invalid_address");

    private static (string? Url, string? Key) ReadFile()
    {
        var home = Variable("XDG_CONFIG_HOME") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config");
        var path = Path.Combine(home, "omium", "config.json");
        if (!File.Exists(path))
        {
            return default;
        }

        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)) != 0)
        {
            throw new OmiumException($"{path} holds a key and can be read by others; run: chmod 600 {path}", "configuration_readable");
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return (Text(document.RootElement, "base_url"), Text(document.RootElement, "api_key"));
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new OmiumException($"{path} cannot be read: {wrong.Message}", "configuration_unreadable", wrong);
        }
    }

    private static string? DevKey()
    {
        try
        {
            return File.ReadAllText(DevKeyPath).Trim() is { Length: > 0 } key ? key : null;
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement settings, string name) => settings.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
