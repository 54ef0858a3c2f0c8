using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json;
using Omium.Cli.Client;
using Omium.Cli.Commands;

namespace Omium.Cli.Bench;

/// <summary>First pages of listings and searches over many executions, over HTTP, each asked again and again after the first time, which is told apart.</summary>
internal static class ListingBench
{
    private const int Asks = 50;
    private const double PageMsMax = 50, SearchMsMax = 200;

    public static async Task<ListingResult> MeasureAsync(string directory, int executions, TextWriter progress, CancellationToken cancellation)
    {
        await progress.WriteLineAsync($"Loading {executions} executions ...");
        var (seconds, anId) = await ListingLoad.RunAsync(directory, executions, cancellation);
        var bytes = new DirectoryInfo(directory).EnumerateFiles().Sum(file => file.Length);
        await using var server = await BenchServer.StartAsync(directory, 0, cancellation);
        using var http = new HttpClient { BaseAddress = server.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.Key);
        var middle = Uri.EscapeDataString((TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(15)).ToString("O"));
        var rows = new List<ListingRow>();
        foreach (var (name, path, msMax) in Questions(anId, middle))
        {
            rows.Add(await AskAsync(http, name, path, msMax, cancellation));
        }

        return new ListingResult(executions, seconds, bytes / 1024.0 / 1024.0, rows);
    }

    private static IEnumerable<(string Name, string Path, double MsMax)> Questions(string anId, string middle) =>
    [
        ("newest", "v1/executions", PageMsMax),
        ("status=failed", "v1/executions?status=failed", PageMsMax),
        ("workflow", "v1/executions?workflow=claim-review", PageMsMax),
        ("rare workflow", $"v1/executions?workflow={ListingLoad.RareWorkflow}", PageMsMax),
        ("workflow and status", "v1/executions?workflow=claim-review&status=succeeded", PageMsMax),
        ("what does not occur together", "v1/executions?workflow=claim-review&status=cancelled", PageMsMax),
        ("two common filters, nothing fits both", $"v1/executions?workflow={ListingLoad.NeverFailing}&status=failed", PageMsMax),
        ("failure class", "v1/executions?failure_class=policy_violation", PageMsMax),
        ("from and to", $"v1/executions?from={middle}", PageMsMax),
        ("to, oldest half", $"v1/executions?to={middle}&status=failed", PageMsMax),
        ("failures", "v1/failures", PageMsMax),
        ("failures of a workflow", "v1/failures?workflow=customer-onboarding&status=open", PageMsMax),
        ("q: common word", "v1/executions?q=customer", SearchMsMax),
        ("q: rare word", $"v1/executions?q={ListingLoad.RareWord}", SearchMsMax),
        ("q: two common words", "v1/executions?q=claim+review", SearchMsMax),
        ("q: common words, never together", "v1/executions?q=claim+matching+invoice", SearchMsMax),
        ("q: common and rare word", $"v1/executions?q=check+{ListingLoad.RareWord}", SearchMsMax),
        ("q: with filters", $"v1/executions?q=good+customer&status=failed&to={middle}", SearchMsMax),
        ("q: no such word", "v1/executions?q=nowhere", SearchMsMax),
        ("q: an id", $"v1/executions?q={anId}", SearchMsMax),
        ("q: failures", "v1/failures?q=decided+about+shipment", SearchMsMax),
        ("analytics of 7 days", "v1/analytics?group_by=workflow&bucket=day", PageMsMax),
        ("recovery of 7 days", "v1/analytics/recovery", PageMsMax),
        ("health summary", "v1/health-summary", PageMsMax),
    ];

    private static async Task<ListingRow> AskAsync(HttpClient http, string name, string path, double msMax, CancellationToken cancellation)
    {
        var times = new List<double>(Asks);
        var rows = 0;
        for (var ask = 0; ask < Asks; ask++)
        {
            var start = Stopwatch.GetTimestamp();
            using var answer = await http.GetAsync(path, cancellation);
            var body = await answer.Content.ReadAsByteArrayAsync(cancellation);
            times.Add(Percentiles.MsSince(start));
            if (!answer.IsSuccessStatusCode)
            {
                throw new CommandFailedException(ExitCodes.Error, $"{path} answered {(int)answer.StatusCode}");
            }

            rows = JsonElement.Parse(body).TryGetProperty("items", out var items) ? items.GetArrayLength() : 1;
        }

        return new ListingRow(name, rows, times[0], Percentiles.Median(times.Skip(1)), times.Skip(1).Max(), msMax);
    }
}
