using System.Collections.Concurrent;
using System.Diagnostics;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>
/// S09: two agents at the same order, and two hundred at the same stock. One waits, or finds out in time that what it read is no longer true;
/// nothing is ever given away twice, also when the server is killed in the middle of it. Units are counted outside.
/// </summary>
public sealed class S09SameOrderTests
{
    private const string Pay = """
        omium: v0
        name: payment
        tools:
          charge: {type: http, url: "RECEIVEReffects/charge", effect: {kind: idempotent, compensate: refund}}
          refund: {type: http, url: "RECEIVEReffects/refund", effect: {kind: idempotent}}
        steps:
          - {id: pay, type: tool_call, tool: charge, input: {order: "${{ input.order }}"}, locks: ["order/${{ input.order }}"], writes: [{key: "order/${{ input.order }}#status", value: "'paid'"}]}
        """;

    private const string Inventory = """
        omium: v0
        name: inventory
        tools:
          weigh: {type: http, url: "RECEIVEReffects/weigh"}
          pick: {type: http, url: "RECEIVEReffects/pick", effect: {kind: idempotent, compensate: put_back}}
          put_back: {type: http, url: "RECEIVEReffects/put_back", effect: {kind: idempotent}}
        steps:
          - {id: look, type: decision, reads: ["order/${{ input.order }}#status"], input: {status: "${{ state.status }}"} LOCKS}
          - {id: weigh, type: tool_call, tool: weigh, needs: [look], input: {order: "${{ input.order }}"}}
          - {id: pick, type: tool_call, tool: pick, needs: [weigh], input: {order: "${{ input.order }}", status: "${{ steps.look.output.status }}"}}
        """;

    [Fact]
    public async Task S09_PaymentWhileInventoryReads_WithALock_TheReaderWaitsAndSeesPaid()
    {
        await using var world = await StartAsync(", locks: [\"order/${{ input.order }}\"]");
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = "charge", ["hold_before_count"] = true });
        var paying = Orders.RunAsync(world.Client, "payment", new JsonObject { ["order"] = "7" });
        await world.Receiver.WaitAsync("charge", holding: 1);
        var picking = await Orders.RunAsync(world.Client, "inventory", new JsonObject { ["order"] = "7" }, waitSeconds: 1);
        var waiting = await world.Client.GetAsync($"/v1/executions/{picking["id"]}");
        Assert.Equal(("waiting", "lock"), ((string?)waiting["status"], (string?)waiting["waiting_for"]));
        var root = Assert.Single((await world.Client.GetAsync("/v1/locks"))["items"]!.AsArray())!;
        Assert.Equal(("order/7", "payment", "look"), ((string?)root["root"], await WorkflowOfAsync(world, root["holders"]![0]!), (string?)root["queue"]![0]!["step"]));

        await world.Receiver.ReleaseAsync("charge");
        Assert.Equal("succeeded", (string?)(await paying)["status"]);
        await world.Client.WaitForStatusAsync((string)picking["id"]!, "succeeded");
        var picked = Assert.Single((await world.Receiver.CountAsync("pick")).Lines);
        Assert.Equal("paid", (string?)picked["body"]!["status"]);
    }

    [Fact]
    public async Task S09_PaymentWhileInventoryReads_WithoutALock_TheOldStatusIsNeverActedUpon()
    {
        await using var world = await StartAsync("");
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = "weigh", ["hold_before_count"] = true });
        var picking = Orders.RunAsync(world.Client, "inventory", new JsonObject { ["order"] = "7" });
        await world.Receiver.WaitAsync("weigh", holding: 1);
        await Orders.RunAsync(world.Client, "payment", new JsonObject { ["order"] = "7" });
        await Orders.ValueAsync(world.Client, "order/7#status", 1);
        await world.Receiver.ReleaseAsync("weigh");

        var ended = await picking;
        Assert.Equal("succeeded", (string?)ended["status"]);
        var picked = Assert.Single((await world.Receiver.CountAsync("pick")).Lines);
        Assert.Equal("paid", (string?)picked["body"]!["status"]);
        Assert.Equal(1, (await world.Receiver.CountAsync("weigh")).Requests); // It was not made from what had changed.
        var records = await world.Client.RecordsAsync((string)ended["id"]!);
        Assert.Single(records.Events("step.failed"), failed => (string?)failed["class"] == "stale_read");
        await Payments.AssertVerifiesAsync(world.Client, (string)ended["id"]!);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task S09_TwoHundredOrdersOfFewThings_NoUnitIsShippedTwice(int kills)
    {
        const int OrderCount = 200, SkuCount = 6, Units = 40, Callers = 24;
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Orders.Deliver);
        await world.Client.SaveAsync(Orders.Order(world.Receiver.Address));
        for (var sku = 0; sku < SkuCount; sku++)
        {
            await Orders.RunAsync(world.Client, "deliver", new JsonObject { ["sku"] = $"s{sku}", ["units"] = Units });
            await Orders.ValueAsync(world.Client, $"stock/s{sku}#free", 1);
        }

        var random = new Random(Surroundings.Seed);
        int[] wanted = [.. Enumerable.Range(0, OrderCount).Select(_ => Math.Min(random.Next(SkuCount), random.Next(SkuCount)))]; // Half of them want the first two.
        var clock = Stopwatch.StartNew();
        using var caller = new OmiumClient(world.Omium, isPersistent: true);
        var killing = KillAsync(world, kills, random);
        var executions = new string[OrderCount];
        var reasons = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(Enumerable.Range(0, OrderCount), new ParallelOptions { MaxDegreeOfParallelism = Callers }, async (order, _) =>
        {
            var begun = await Orders.RunAsync(caller, "order", new JsonObject { ["sku"] = $"s{wanted[order]}", ["order"] = order }, $"order-{order}", waitSeconds: 0);
            executions[order] = (string)begun["id"]!;
            var ended = await caller.WaitForStatusAsync(executions[order], "succeeded", "failed");
            reasons.Add((string?)ended["failure"]?["code"] ?? "");
        });
        await killing;
        World.Say(string.Join(", ", reasons.Where(reason => reason.Length > 0).CountBy(reason => reason).Select(reason => $"{reason.Value} failed: {reason.Key}")));
        World.Say($"{OrderCount} orders, {kills} kills: {OrderCount / clock.Elapsed.TotalSeconds:F1} a second");
        await AssertStockAsync(world, wanted, SkuCount, Units);
        await Payments.AssertVerifiesAsync(world.Client, executions[0]);
    }

    /// <summary>Counted outside: every unit at most once, and as many as there were orders, as long as there was stock.</summary>
    private static async Task AssertStockAsync(World world, int[] wanted, int skuCount, int units)
    {
        var shipped = (await world.Receiver.CountAsync("ship")).Lines.Where(line => (string?)line["kind"] == "effect")
            .Select(line => (Sku: (string)line["body"]!["sku"]!, Unit: (int)line["body"]!["unit"]!, Order: (int)line["body"]!["order"]!)).ToArray();
        Assert.Equal(shipped.Length, shipped.Select(line => (line.Sku, line.Unit)).Distinct().Count());
        Assert.Equal(shipped.Length, shipped.Select(line => line.Order).Distinct().Count());
        for (var sku = 0; sku < skuCount; sku++)
        {
            var orders = wanted.Count(want => want == sku);
            Assert.Equal((sku, Math.Min(orders, units)), (sku, shipped.Count(line => line.Sku == $"s{sku}")));
            var left = await Orders.ValueAsync(world.Client, $"stock/s{sku}#free", 1 + Math.Min(orders, units));
            Assert.Equal(units - Math.Min(orders, units), (int)left["value"]!);
            Assert.Equal("identical", (string?)(await world.Client.GetAsync($"/v1/scopes/verify?scope=stock/s{sku}"))["verdict"]);
        }

        Assert.Empty((await world.Client.GetAsync("/v1/locks"))["items"]!.AsArray());
    }

    private static async Task KillAsync(World world, int kills, Random random)
    {
        for (var kill = 1; kill <= kills; kill++)
        {
            await world.Receiver.WaitAsync("ship", effects: kill * 25); // In the middle of it, and not at a moment that the log chose.
            await Task.Delay(random.Next(30)); // The fault itself, not a wait for something.
            world.Omium.KillHard();
            await world.Omium.StartAgainAsync();
        }
    }

    private static async Task<World> StartAsync(string locks)
    {
        var world = await World.StartAsync();
        await world.Client.SaveAsync(Pay.Replace("RECEIVER", world.Receiver.Address.ToString(), StringComparison.Ordinal));
        await world.Client.SaveAsync(Inventory.Replace("RECEIVER", world.Receiver.Address.ToString(), StringComparison.Ordinal).Replace(" LOCKS", locks, StringComparison.Ordinal));
        return world;
    }

    private static async Task<string?> WorkflowOfAsync(World world, JsonNode holder) => (string?)(await world.Client.GetAsync($"/v1/executions/{holder["execution"]}"))["workflow"];
}
