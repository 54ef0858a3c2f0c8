using System.Text.Json;
using Omium.Cli.Commands;
using Omium.Cli.Hosting;

namespace Omium.Cli.Client;

/// <summary>
/// Where the API is and with which key. In this order: the flags, <c>OMIUM_BASE_URL</c> and <c>OMIUM_API_KEY</c>, the configuration file,
/// and last a local <c>omium dev</c> (its standard address, and the key in <c>./.omium/data/dev.key</c>).
/// </summary>
/// <param name="BaseUrl">Address before <c>/v1</c>.</param>
/// <param name="ApiKey">Key.</param>
internal sealed record ClientSettings(Uri BaseUrl, string ApiKey)
{
    /// <summary>The configuration file.</summary>
    public static string ConfigurationPath => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } configured
            ? configured
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config"),
        "omium",
        "config.json");

    /// <summary>For what asks no server.</summary>
    public static readonly ClientSettings Offline = new(new Uri("http://127.0.0.1"), "none");

    /// <summary>Resolves both. The key of the local installation goes to loopback addresses only.</summary>
    /// <exception cref="CommandFailedException">No key is known, the address is none, or the configuration file cannot be read.</exception>
    public static ClientSettings Resolve(string? url, string? key)
    {
        var (fileUrl, fileKey) = ReadFile();
        url ??= Given("OMIUM_BASE_URL") ?? fileUrl ?? $"http://127.0.0.1:{DevOptions.StandardPort}";
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        {
            throw new CommandFailedException(ExitCodes.Usage, $"'{url}' is no address; expected http://... or https://...");
        }

        key ??= Given("OMIUM_API_KEY") ?? fileKey ?? (address.IsLoopback ? LocalKey() : null);
        return key is null
            ? throw new CommandFailedException(
                ExitCodes.NotAllowed, "no API key: give --key, set OMIUM_API_KEY, or start `omium dev` in this directory, which makes one.")
            : new ClientSettings(address, key);
    }

    private static string? LocalKey()
    {
        try
        {
            return DataFiles.ReadKey(DevOptions.StandardDataDirectory);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static (string? Url, string? Key) ReadFile()
    {
        var path = ConfigurationPath;
        if (!File.Exists(path))
        {
            return default;
        }

        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)) != 0)
        {
            throw new CommandFailedException(ExitCodes.Error, $"{path} holds a key and can be read by others; run: chmod 600 {path}");
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return (Text(document.RootElement, "base_url"), Text(document.RootElement, "api_key"));
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException(ExitCodes.Error, $"{path} cannot be read: {wrong.Message}");
        }
    }

    private static string? Text(JsonElement settings, string name) => settings.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static string? Given(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
}
