using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Omium.Cli.Hosting;
using Omium.Runtime.Ports;

namespace Omium.Cli.Commands;

/// <summary><c>omium dev</c>: the whole platform on this machine, until ctrl-C.</summary>
internal static class DevCommand
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "Data directory; made when it is not there.", DefaultValueFactory = _ => DevOptions.StandardDataDirectory, HelpName = "DIR" };
        var port = new Option<int>("--port") { CustomParser = result => int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0, Description = "Port on 127.0.0.1; 0 takes a free one.", DefaultValueFactory = _ => DevOptions.StandardPort, HelpName = "N" };
        port.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > 65535))
            {
                result.AddError($"--port is {text}; expected 0 to 65535.");
            }
        });
        var demo = new Option<bool>("--demo") { Description = "Also run a scripted model and a receiver, and save the example workflows." };
        var noConsole = new Option<bool>("--no-console") { Description = "Serve the API only." };
        var json = new Option<bool>("--json") { Description = "Print one line {\"url\",\"key\",\"data\"} when ready, and nothing else." };
        var command = new Command("dev", "Run the whole platform on this machine.") { data, port, demo, noConsole, json };
        command.SetAction((parsed, cancellation) => RunAsync(
            new DevOptions
            {
                DataDirectory = parsed.GetValue(data)!,
                Port = parsed.GetValue(port),
                Demo = parsed.GetValue(demo),
                Console = !parsed.GetValue(noConsole),
            },
            parsed.GetValue(json),
            cancellation));
        return command;
    }

    private static async Task<int> RunAsync(DevOptions options, bool json, CancellationToken cancellation)
    {
        try
        {
            await using var host = await DevHost.StartAsync(options, cancellation);
            Console.Write(json ? Line(host) : DevGreeting.Of(host));
            var ended = new TaskCompletionSource();
            using var registration = cancellation.Register(ended.SetResult);
            await ended.Task;
            return ExitCodes.Done;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return ExitCodes.Done;
        }
        catch (Exception expected) when (expected is StorageException or IOException or UnauthorizedAccessException or InvalidDataException or InvalidOperationException)
        {
            await Console.Error.WriteLineAsync($"omium dev: {expected.Message}");
            return ExitCodes.Error;
        }
    }

    private static string Line(DevHost host)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("url", host.Address.GetLeftPart(UriPartial.Authority));
            writer.WriteString("key", host.Key);
            writer.WriteString("data", host.DataDirectory);
            if (host.Demo is { } demo)
            {
                writer.WriteString("receiver", demo.Receiver.GetLeftPart(UriPartial.Authority));
                writer.WriteString("model", demo.ModelUrl.ToString());
            }

            writer.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }
}
