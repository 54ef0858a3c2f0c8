using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Omium.Cli.Client;
using Omium.Cli.Commands;
using Omium.Cli.Servers;

namespace Omium.Cli.Bench;

/// <summary>
/// Contention: agents take orders over a few things whose demand follows Zipf's law; each order locks its thing, reads how much is free, ships the
/// unit of that number (a call outside that takes a while), and writes what is left. Counted outside: no unit may be shipped twice, none may be
/// missing. The same with one lock for everything, in the same run on the same server, says what scopes are worth.
/// </summary>
internal sealed class Contention(BenchServer server, ReceiverServer receiver, ContentionOptions options) : IDisposable
{
    private readonly HttpClient _http = new()
    {
        BaseAddress = server.Address, Timeout = TimeSpan.FromMinutes(5), DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", server.Key) },
    };

    public void Dispose() => _http.Dispose();

    /// <summary>Measures every exponent, with a lock for each thing and with one lock for all.</summary>
    public async Task<ContentionResult> MeasureAsync(CancellationToken cancellation)
    {
        var delay = string.Create(CultureInfo.InvariantCulture, $"{options.WorkMs}ms");
        using (var control = new StringContent(new JsonObject { ["name"] = "ship", ["delay"] = delay }.ToJsonString(), Encoding.UTF8, "application/json"))
        using (await _http.PostAsync(new Uri(receiver.Address, "control"), control, cancellation))
        {
        }

        await SaveAsync(Deliver, cancellation);
        await SaveAsync(OrderOf(receiver.Address), cancellation);
        var rows = new List<ContentionRow>();
        await RunAsync("warm", 0, isGlobal: false, cancellation);
        foreach (var exponent in options.Exponents)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"z{exponent * 10:0}");
            var scoped = await RunAsync(name, exponent, isGlobal: false, cancellation);
            var global = await RunAsync(name + "g", exponent, isGlobal: true, cancellation);
            rows.Add(new ContentionRow(exponent, scoped.OrdersPerSecond, global.OrdersPerSecond, scoped.Violations + global.Violations, scoped.HottestShare));
        }

        return new ContentionResult(options.Agents, options.Orders, options.Keys, options.WorkMs, rows);
    }

    private async Task<(double OrdersPerSecond, int Violations, double HottestShare)> RunAsync(string name, double exponent, bool isGlobal, CancellationToken cancellation)
    {
        for (var key = 0; key < options.Keys; key++)
        {
            await StartAsync("bench-deliver", new JsonObject { ["sku"] = $"{name}-{key}", ["units"] = options.Orders }, cancellation);
        }

        var wanted = Draw(exponent);
        var orders = new ConcurrentQueue<int>(Enumerable.Range(0, options.Orders));
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, options.Agents).Select(async _ =>
        {
            while (orders.TryDequeue(out var order))
            {
                var sku = $"{name}-{wanted[order]}";
                await StartAsync("bench-order", new JsonObject { ["sku"] = sku, ["order"] = order, ["scope"] = isGlobal ? "bench/everything" : $"stock/{sku}" }, cancellation);
            }
        }));
        var perSecond = options.Orders / clock.Elapsed.TotalSeconds;
        return (perSecond, await ViolationsAsync(name, wanted, cancellation), wanted.GroupBy(key => key).Max(group => group.Count()) / (double)options.Orders);
    }

    /// <summary>Units that were shipped twice, and units that are missing or too many.</summary>
    private async Task<int> ViolationsAsync(string name, int[] wanted, CancellationToken cancellation)
    {
        var counted = JsonElement.Parse(await _http.GetByteArrayAsync(new Uri(receiver.Address, "effects?name=ship"), cancellation));
        var shipped = counted.GetProperty("lines").EnumerateArray()
            .Where(line => line.GetProperty("kind").GetString() == "effect" && line.GetProperty("body").GetProperty("sku").GetString()!.StartsWith(name + "-", StringComparison.Ordinal))
            .Select(line => (Sku: line.GetProperty("body").GetProperty("sku").GetString()!, Unit: line.GetProperty("body").GetProperty("unit").GetInt32()))
            .ToArray();
        var violations = shipped.Length - shipped.Distinct().Count() + Math.Abs(shipped.Length - options.Orders);
        foreach (var key in wanted.Distinct())
        {
            // The units go down one by one: the lowest that was shipped tells how many there were, if none was left out.
            var units = shipped.Where(line => line.Sku == $"{name}-{key}").Select(line => line.Unit).ToArray();
            violations += units.Length == 0 ? 1 : Math.Abs(options.Orders - units.Min() + 1 - units.Length);
        }

        return violations;
    }

    private int[] Draw(double exponent)
    {
        var random = new Random(options.Seed);
        var weights = Enumerable.Range(1, options.Keys).Select(rank => 1 / Math.Pow(rank, exponent)).ToArray();
        var total = weights.Sum();
        return [.. Enumerable.Range(0, options.Orders).Select(_ => Pick(weights, random.NextDouble() * total))];
    }

    private static int Pick(double[] weights, double at)
    {
        for (var key = 0; key < weights.Length; key++)
        {
            at -= weights[key];
            if (at < 0)
            {
                return key;
            }
        }

        return weights.Length - 1;
    }

    private async Task StartAsync(string workflow, JsonObject input, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/executions")
        {
            Content = new StringContent(new JsonObject { ["workflow"] = workflow, ["input"] = input }.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("Prefer", "wait=60");
        using var answer = await _http.SendAsync(request, cancellation);
        var text = await answer.Content.ReadAsStringAsync(cancellation);
        if (!answer.IsSuccessStatusCode || JsonElement.Parse(text).GetProperty("status").GetString() != "succeeded")
        {
            throw new CommandFailedException(ExitCodes.Error, $"{workflow} did not succeed: {text}");
        }
    }

    private async Task SaveAsync(string spec, CancellationToken cancellation)
    {
        using var content = new StringContent(spec, Encoding.UTF8, "text/yaml");
        using var answer = await _http.PostAsync("v1/workflows", content, cancellation);
        if (!answer.IsSuccessStatusCode)
        {
            throw new CommandFailedException(ExitCodes.Error, $"the workflow was refused: {await answer.Content.ReadAsStringAsync(cancellation)}");
        }
    }

    private const string Deliver = """
        omium: v0
        name: bench-deliver
        steps:
          - {id: put, type: decision, input: {free: "${{ input.units }}"}, writes: ["stock/${{ input.sku }}#free"]}
        """;

    private static string OrderOf(Uri receiver) => $$$"""
        omium: v0
        name: bench-order
        tools:
          ship: {type: http, url: "{{{receiver}}}effects/ship", effect: {kind: idempotent, compensate: take_back}}
          take_back: {type: http, url: "{{{receiver}}}effects/take_back", effect: {kind: idempotent}}
        steps:
          - id: ship
            type: tool_call
            tool: ship
            locks: ["${{ input.scope }}"]
            reads: ["stock/${{ input.sku }}#free"]
            input: {sku: "${{ input.sku }}", unit: "${{ state.free }}", order: "${{ input.order }}"}
            writes: [{key: "stock/${{ input.sku }}#free", value: "state.free - 1"}]
        """;
}

/// <summary>What contention is measured with.</summary>
internal sealed record ContentionOptions
{
    /// <summary>Agents that take orders, each one at a time.</summary>
    public int Agents { get; init; } = 20;

    /// <summary>Orders of one run.</summary>
    public int Orders { get; init; } = 200;

    /// <summary>Things that are ordered.</summary>
    public int Keys { get; init; } = 20;

    /// <summary>How long the call outside takes, in milliseconds.</summary>
    public int WorkMs { get; init; } = 20;

    /// <summary>Exponents of Zipf's law: 0 = all things alike, 2 = most orders want the first.</summary>
    public IReadOnlyList<double> Exponents { get; init; } = [0, 0.5, 1, 1.5, 2];

    /// <summary>Seed of the draws.</summary>
    public int Seed { get; init; } = 2503;
}
