using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Omium.Cli.Servers;

namespace Omium.Cli.Bench;

/// <summary>Runs the workloads one after another, each on a server and a data directory of its own.</summary>
internal sealed class Benchmark(BenchOptions options, TextWriter progress)
{
    private const int Probes = 200;

    /// <summary>Measures; what it made on the disk is removed again.</summary>
    public async Task<BenchResults> RunAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(options.Directory);
        return new BenchResults(
            Machine.Facts,
            Wanted("w1") ? await InDirectoryAsync("w1", directory => MeasureSequentialAsync(directory, cancellation)) : null,
            Wanted("w2") ? await InDirectoryAsync("w2", directory => MeasureParallelAsync(directory, cancellation)) : null,
            Wanted("w8") ? await InDirectoryAsync("w8", directory => MeasureStartAsync(directory, cancellation)) : null,
            Wanted("contention") ? await InDirectoryAsync("contention", directory => MeasureContentionAsync(directory, cancellation)) : null)
        {
            Listing = Named("listing") ? await InDirectoryAsync("listing", directory => ListingBench.MeasureAsync(directory, options.ListedExecutions, progress, cancellation)) : null,
            Reads = Named("reads") ? await InDirectoryAsync("reads", directory => MeasureReadsAsync(directory, cancellation)) : null,
            Listeners = Named("listeners") ? await InDirectoryAsync("listeners", directory => MeasureListenersAsync(directory, cancellation)) : null,
        };
    }

    private bool Wanted(string name) => options.Only.Count == 0 || Named(name);

    /// <summary>Some take minutes, or are about the API alone: they are measured when they are named.</summary>
    private bool Named(string name) => options.Only.Contains(name);

    private async Task<ReadsResult> MeasureReadsAsync(string directory, CancellationToken cancellation)
    {
        await using var server = await BenchServer.StartAsync(directory, 0, cancellation);
        return await new ReadsBench(server, options.Reads).MeasureAsync(cancellation);
    }

    private async Task<ListenersResult> MeasureListenersAsync(string directory, CancellationToken cancellation)
    {
        await using var server = await BenchServer.StartAsync(directory, 0, cancellation);
        return await new ListenersBench(server, options.Listeners, options.ListenerRounds).MeasureAsync(cancellation);
    }

    private async Task<TResult> InDirectoryAsync<TResult>(string name, Func<string, Task<TResult>> measure)
    {
        await progress.WriteLineAsync($"Measuring {name} ...");
        var directory = Path.Combine(options.Directory, $"{name}-{Environment.ProcessId}");
        try
        {
            return await measure(directory);
        }
        finally
        {
            if (Directory.Exists(directory))
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }

    private async Task<ContentionResult> MeasureContentionAsync(string directory, CancellationToken cancellation)
    {
        await using var receiver = await ReceiverServer.StartAsync(new ReceiverOptions(), cancellation);
        await using var server = await BenchServer.StartAsync(directory, 0, cancellation, ("OMIUM_TOOLS_ALLOW_PRIVATE_ADDRESSES", "true"));
        using var contention = new Contention(server, receiver, options.Contention);
        return await contention.MeasureAsync(cancellation);
    }

    private async Task<SequentialResult> MeasureSequentialAsync(string directory, CancellationToken cancellation)
    {
        await using var server = await BenchServer.StartAsync(directory, 0, cancellation);
        await server.SaveWorkflowAsync(cancellation);
        using var load = new LoadGenerator(server);
        await load.RunSequentialAsync(options.SequentialWarmUpRuns, cancellation);
        var probes = Machine.ProbeSyncs(options.Directory, Probes);
        var before = await server.CountAsync(cancellation);
        var times = await load.RunSequentialAsync(options.SequentialRuns, cancellation);
        var after = await server.CountAsync(cancellation);
        probes.AddRange(Machine.ProbeSyncs(options.Directory, Probes));
        return new SequentialResult(
            times.Count, options.SequentialWarmUpRuns, times.Count / times.Sum() * 1000, Percentiles.Median(times), Percentiles.At(times, 0.99),
            await RecordsPerRunAsync(server, load, cancellation), PerRun(after.Syncs - before.Syncs, times.Count), Percentiles.Median(probes));
    }

    private async Task<ParallelResult> MeasureParallelAsync(string directory, CancellationToken cancellation)
    {
        await using var server = await BenchServer.StartAsync(directory, 0, cancellation);
        await server.SaveWorkflowAsync(cancellation);
        using var load = new LoadGenerator(server);
        async Task<double> RoundAsync() => options.ParallelRuns / await load.RunParallelAsync(options.ParallelRuns, options.InFlight, cancellation);
        var processorAtStart = server.ProcessorTime;
        var cold = await RoundAsync();
        var coldCpuMs = (server.ProcessorTime - processorAtStart).TotalMilliseconds / options.ParallelRuns;
        for (var i = 0; i < options.WarmUpRounds; i++)
        {
            await RoundAsync();
        }

        var (before, processorBefore) = (await server.CountAsync(cancellation), server.ProcessorTime);
        var rounds = new List<double>();
        for (var i = 0; i < options.Rounds; i++)
        {
            rounds.Add(await RoundAsync());
        }

        var (after, processorAfter) = (await server.CountAsync(cancellation), server.ProcessorTime);
        var runs = options.Rounds * options.ParallelRuns;
        return new ParallelResult(
            options.ParallelRuns, options.InFlight, cold, (options.WarmUpRounds + 1) * options.ParallelRuns, Percentiles.Median(rounds), rounds,
            await RecordsPerRunAsync(server, load, cancellation), PerRun(after.Appends - before.Appends, runs), PerRun(after.Commits - before.Commits, runs),
            PerRun(after.Syncs - before.Syncs, runs), (processorAfter - processorBefore).TotalMilliseconds / runs, coldCpuMs);
    }

    private async Task<StartResult> MeasureStartAsync(string directory, CancellationToken cancellation)
    {
        var (first, next) = (new List<double>(), new List<double>());
        for (var i = 0; i < options.Starts; i++)
        {
            var data = Path.Combine(directory, i.ToString(System.Globalization.CultureInfo.InvariantCulture));
            first.Add(await TimeStartAsync(data, cancellation));
            next.Add(await TimeStartAsync(data, cancellation));
        }

        await using var server = await BenchServer.StartAsync(Path.Combine(directory, "idle"), 0, cancellation);
        await Task.Delay(options.Idle, cancellation);
        return new StartResult(options.Starts, Percentiles.Median(first), Percentiles.Median(next), server.ResidentBytes / 1024.0 / 1024.0);
    }

    /// <summary>From just before the process is made to the first 200 of <c>/readyz</c>, asked again every other millisecond.</summary>
    private static async Task<double> TimeStartAsync(string directory, CancellationToken cancellation)
    {
        var port = FreePort();
        using var http = new HttpClient();
        var start = Stopwatch.GetTimestamp();
        var starting = BenchServer.StartAsync(directory, port, cancellation);
        while (!await IsReadyAsync(http, port, cancellation) && !starting.IsFaulted)
        {
            await Task.Delay(2, cancellation);
        }

        var elapsed = Percentiles.MsSince(start);
        await (await starting).DisposeAsync();
        return elapsed;
    }

    private static async Task<bool> IsReadyAsync(HttpClient http, int port, CancellationToken cancellation)
    {
        try
        {
            using var answer = await http.GetAsync($"http://127.0.0.1:{port}/readyz", cancellation);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<double> RecordsPerRunAsync(BenchServer server, LoadGenerator load, CancellationToken cancellation)
    {
        var counts = new List<int>();
        foreach (var execution in load.Sample)
        {
            counts.Add(await server.CountRecordsAsync(execution, cancellation));
        }

        return counts.Average();
    }

    private static double PerRun(long count, int runs) => (double)count / runs;
}
