using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Omium.Cli.Client;
using Omium.Cli.Commands;
using Omium.Cli.Hosting;

namespace Omium.Cli.Bench;

/// <summary>A server under measurement: this very program as <c>omium dev</c>, in a process of its own.</summary>
internal sealed class BenchServer : IAsyncDisposable
{
    private static readonly TimeSpan ReadyMax = TimeSpan.FromSeconds(30);
    private readonly Process _process;
    private readonly HttpClient _http;

    private BenchServer(Process process, Uri address, string key)
    {
        (_process, Address, Key) = (process, address, key);
        _http = new HttpClient { BaseAddress = address };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Its key.</summary>
    public string Key { get; }

    /// <summary>Resident memory, in bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Processor time used so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Starts one on a free port; ready when it returns.</summary>
    public static async Task<BenchServer> StartAsync(string dataDirectory, int port, CancellationToken cancellation, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        foreach (var argument in (string[])["dev", "--data", dataDirectory, "--port", port.ToString(CultureInfo.InvariantCulture), "--json", "--no-console"])
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start) ?? throw new CommandFailedException(ExitCodes.Error, "the server could not be started");
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(cancellation).AsTask().WaitAsync(ReadyMax, cancellation)
                ?? throw new CommandFailedException(ExitCodes.Error, "the server ended before it was ready; its message stands above");
            var ready = JsonElement.Parse(line);
            return new BenchServer(process, new Uri(ready.GetProperty("url").GetString()!), ready.GetProperty("key").GetString()!);
        }
        catch
        {
            process.Kill();
            process.Dispose();
            throw;
        }
    }

    /// <summary>Saves the workflow that is run: five steps, each calling a function of the server that does nothing.</summary>
    public async Task SaveWorkflowAsync(CancellationToken cancellation)
    {
        var steps = new StringBuilder();
        for (var step = 1; step <= 5; step++)
        {
            var needs = step == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $", needs: [s{step - 1}]");
            steps.Append(CultureInfo.InvariantCulture, $"  - {{id: s{step}, type: tool_call, tool: noop, input: {{n: {step}}}{needs}}}\n");
        }

        using var content = new StringContent(
            $"omium: v0\nname: {LoadGenerator.Workflow}\ntools:\n  noop: {{type: function, function: noop, effect: {{kind: none}}}}\nsteps:\n{steps}",
            Encoding.UTF8, "text/yaml");
        using var answer = await _http.PostAsync("v1/workflows", content, cancellation);
        if (!answer.IsSuccessStatusCode)
        {
            throw new CommandFailedException(ExitCodes.Error, $"the workflow was refused: {await answer.Content.ReadAsStringAsync(cancellation)}");
        }
    }

    /// <summary>What the store has counted.</summary>
    public async Task<StoreCounts> CountAsync(CancellationToken cancellation)
    {
        var counted = JsonElement.Parse(await _http.GetByteArrayAsync(StatisticsEndpoint.Path, cancellation));
        long Number(string name) => counted.GetProperty(name).GetInt64();
        return new StoreCounts(Number("appends"), Number("commits"), Number("wal_syncs") + Number("database_syncs"));
    }

    /// <summary>Records in the log of one run.</summary>
    public async Task<int> CountRecordsAsync(string execution, CancellationToken cancellation)
    {
        var answer = JsonElement.Parse(await _http.GetByteArrayAsync($"v1/executions/{execution}/events", cancellation));
        return (answer.ValueKind == JsonValueKind.Array ? answer : answer.GetProperty("items")).GetArrayLength();
    }

    /// <summary>Ends it the way a user does.</summary>
    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        Machine.Terminate(_process);
        try
        {
            await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
        }
        catch (TimeoutException)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}

/// <summary>Counts of the store.</summary>
internal sealed record StoreCounts(long Appends, long Commits, long Syncs);
