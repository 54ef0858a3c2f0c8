using System.CommandLine;
using System.Text.Json;
using Omium.Cli.Client;

namespace Omium.Cli.Commands;

/// <summary>What every command that talks to the API has: <c>--url</c>, <c>--key</c>, <c>--json</c>, and errors that become exit codes.</summary>
internal sealed class ClientCommand : Command
{
    private readonly Option<string?> _url = new("--url") { Description = "Address of the API. Default: OMIUM_BASE_URL, the configuration file, http://127.0.0.1:7600.", HelpName = "URL" };
    private readonly Option<string?> _key = new("--key") { Description = "API key. Default: OMIUM_API_KEY, the configuration file, the local installation's.", HelpName = "KEY" };
    private readonly Option<bool> _json = new("--json") { Description = "Print JSON." };

    /// <summary>A command with its own options and arguments added by the caller.</summary>
    public ClientCommand(string name, string description)
        : base(name, description)
    {
        Options.Add(_url);
        Options.Add(_key);
        Options.Add(_json);
    }

    /// <summary>What it does; <paramref name="isOffline"/>: whether it will not ask the server, so that no key is needed.</summary>
    public ClientCommand Does(Func<ParseResult, ApiClient, Report, CancellationToken, Task<int>> action, Func<ParseResult, bool>? isOffline = null)
    {
        SetAction(async (parsed, cancellation) =>
        {
            try
            {
                using var client = new ApiClient(
                    isOffline?.Invoke(parsed) == true ? ClientSettings.Offline : ClientSettings.Resolve(parsed.GetValue(_url), parsed.GetValue(_key)));
                return await action(parsed, client, new Report(parsed.GetValue(_json)), cancellation);
            }
            catch (CommandFailedException failed)
            {
                await Console.Error.WriteLineAsync($"omium {Name}: {failed.Message}");
                return failed.ExitCode;
            }
            catch (Exception broken) when (broken is IOException or UnauthorizedAccessException or JsonException or HttpRequestException)
            {
                await Console.Error.WriteLineAsync($"omium {Name}: {broken.Message}");
                return ExitCodes.Error;
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return ExitCodes.Error;
            }
        });
        return this;
    }

    /// <summary>The text itself, or with <c>@</c> in front the content of a file.</summary>
    public static async Task<string> TextOrFileAsync(string given, CancellationToken cancellation)
    {
        if (!given.StartsWith('@'))
        {
            return given;
        }

        try
        {
            return await File.ReadAllTextAsync(given[1..], cancellation);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException(ExitCodes.Error, $"{given[1..]} cannot be read: {unreadable.Message}");
        }
    }

    /// <summary>A JSON value, or with <c>@</c> in front one from a file.</summary>
    public static async Task<JsonElement> JsonOrFileAsync(string given, string option, CancellationToken cancellation)
    {
        try
        {
            return JsonElement.Parse(await TextOrFileAsync(given, cancellation));
        }
        catch (JsonException wrong)
        {
            throw new CommandFailedException(ExitCodes.Usage, $"{option} is no JSON: {wrong.Message}");
        }
    }
}
