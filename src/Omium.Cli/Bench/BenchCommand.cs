using System.CommandLine;
using System.Text.Json;
using Omium.Cli.Client;
using Omium.Cli.Commands;

namespace Omium.Cli.Bench;

/// <summary><c>omium bench</c>: the server and the load generator as two processes, over HTTP, every step synced to disk.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var defaults = new BenchOptions();
        var data = new Option<string>("--data") { Description = "Directory on the disk to measure; what is made in it is removed.", DefaultValueFactory = _ => defaults.Directory, HelpName = "DIR" };
        var only = new Option<string[]>("--only") { Description = "w1, w2, w8, contention (these by default), listing, reads or listeners; repeat for several.", HelpName = "NAME" };
        only.AcceptOnlyFromAmong("w1", "w2", "w8", "contention", "listing", "reads", "listeners");
        var runs = new Option<int>("--runs") { Description = "W2: runs of a round.", DefaultValueFactory = _ => defaults.ParallelRuns, HelpName = "N" };
        var inFlight = new Option<int>("--in-flight") { Description = "W2: runs in flight.", DefaultValueFactory = _ => defaults.InFlight, HelpName = "N" };
        var executions = new Option<int>("--executions") { Description = "Listing: stored executions.", DefaultValueFactory = _ => defaults.ListedExecutions, HelpName = "N" };
        var rate = new Option<int>("--rate") { Description = "Reads: requests that fall due in a second.", DefaultValueFactory = _ => defaults.Reads.PerSecond, HelpName = "N" };
        var listeners = new Option<int>("--listeners") { Description = "Listeners: open event streams.", DefaultValueFactory = _ => defaults.Listeners, HelpName = "N" };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("bench", "Measure this machine: durable steps, many runs at once, start and memory, contention.") { data, only, runs, inFlight, executions, rate, listeners, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var options = defaults with
            {
                Directory = Path.GetFullPath(parsed.GetValue(data)!),
                Only = parsed.GetValue(only) ?? [],
                ParallelRuns = parsed.GetValue(runs),
                InFlight = parsed.GetValue(inFlight),
                ListedExecutions = parsed.GetValue(executions),
                Listeners = parsed.GetValue(listeners),
                Reads = defaults.Reads with { PerSecond = parsed.GetValue(rate) },
            };
            try
            {
                var results = await new Benchmark(options, Console.Error).RunAsync(cancellation);
                Console.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(results, BenchJson.Default.BenchResults) : BenchReport.Of(results));
                return results.Fails ? ExitCodes.Error : ExitCodes.Done;
            }
            catch (CommandFailedException failed)
            {
                await Console.Error.WriteLineAsync($"omium bench: {failed.Message}");
                return failed.ExitCode;
            }
            catch (Exception broken) when (broken is IOException or UnauthorizedAccessException or HttpRequestException or TimeoutException or System.Net.Sockets.SocketException)
            {
                await Console.Error.WriteLineAsync($"omium bench: {broken.Message}");
                return ExitCodes.Error;
            }
        });
        return command;
    }
}
