using System.CommandLine;
using System.Text;
using Omium.Cli.Client;
using Omium.Kernel.Json;
using Spectre.Console;

namespace Omium.Cli.Commands;

/// <summary><c>init</c>: takes a key, shows what it may do, and keeps it where every program of Omium looks.</summary>
internal static class InitCommand
{
    private const UnixFileMode OwnFile = UnixFileMode.UserRead | UnixFileMode.UserWrite, OwnDirectory = OwnFile | UnixFileMode.UserExecute;

    public static Command Create() => new ClientCommand("init", "Keep an API key in the configuration file (mode 0600), after showing what it may do. Without --key it is read from standard input.").Does(
        async (parsed, _, report, cancellation) =>
        {
            var key = parsed.GetValue<string?>("--key") ?? await ReadKeyAsync(cancellation);
            var settings = ClientSettings.Resolve(parsed.GetValue<string?>("--url"), key);
            using var client = new ApiClient(settings);
            var me = await client.GetAsync("v1/me", cancellation); // A key that is not accepted is not kept.
            Keep(settings);
            report.Show(me, () =>
            {
                JsonTable.Print(me, ("tenant", "tenant"), ("environment", "environment"), ("may", "scopes"), ("credits", "credits"));
                Console.WriteLine($"{"kept in",-14}{ClientSettings.ConfigurationPath}");
            });
            return ExitCodes.Done;
        },
        isOffline: _ => true);

    private static async Task<string> ReadKeyAsync(CancellationToken cancellation)
    {
        var given = Console.IsInputRedirected
            ? await Console.In.ReadLineAsync(cancellation)
            : await new TextPrompt<string>("API key:").Secret().ShowAsync(AnsiConsole.Console, cancellation);
        return given?.Trim() is { Length: > 0 } key ? key : throw new CommandFailedException(ExitCodes.Usage, "no key was given.");
    }

    /// <summary>Written beside and moved into its place, so that nobody reads half a file, and with its mode from the first byte on.</summary>
    private static void Keep(ClientSettings settings)
    {
        var path = ClientSettings.ConfigurationPath;
        var folder = Path.GetDirectoryName(path)!;
        var content = JsonMake.Object(("base_url", JsonMake.Text(settings.BaseUrl.ToString().TrimEnd('/'))), ("api_key", JsonMake.Text(settings.ApiKey)));
        var (options, beside) = (new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write }, path + ".new");
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, OwnDirectory);
            options.UnixCreateMode = OwnFile;
        }

        File.Delete(beside); // One that was left there may have another mode.
        using (var file = new FileStream(beside, options))
        {
            file.Write(Encoding.UTF8.GetBytes(ClientJson.Print(content) + "\n"));
        }

        File.Move(beside, path, overwrite: true);
    }
}
