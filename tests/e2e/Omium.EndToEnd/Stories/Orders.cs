using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>Orders that share stock and status: what the stories of consistency have in common.</summary>
internal static class Orders
{
    /// <summary>Puts units of a thing on stock.</summary>
    public const string Deliver = """
        omium: v0
        name: deliver
        steps:
          - {id: put, type: decision, input: {free: "${{ input.units }}"}, writes: ["stock/${{ input.sku }}#free"]}
        """;

    /// <summary>Takes one unit, the one with the number that is free, and ships it. Each unit is one thing: shipped twice, somebody gets nothing.</summary>
    public static string Order(Uri receiver) => $$$"""
        omium: v0
        name: order
        tools:
          ship: {type: http, url: "{{{receiver}}}effects/ship", effect: {kind: idempotent, compensate: take_back}}
          take_back: {type: http, url: "{{{receiver}}}effects/take_back", effect: {kind: idempotent}}
        steps:
          - id: allocate
            type: decision
            locks: ["stock/${{ input.sku }}"]
            reads: ["stock/${{ input.sku }}#free"]
            guards: {pre: [{check: "state.free > 0", code: sold_out, message: Nothing is left.}]}
            input: {unit: "${{ state.free }}", free: "${{ state.free - 1 }}"}
            writes: ["stock/${{ input.sku }}#free"]
          - {id: ship, type: tool_call, tool: ship, needs: [allocate], input: {sku: "${{ input.sku }}", unit: "${{ steps.allocate.output.unit }}", order: "${{ input.order }}"}}
        """;

    /// <summary>Starts a workflow and waits until it ended or waits.</summary>
    public static async Task<JsonNode> RunAsync(OmiumClient client, string workflow, JsonObject input, string? startKey = null, int waitSeconds = 30)
    {
        var start = new JsonObject { ["workflow"] = workflow, ["input"] = input };
        if (startKey is not null)
        {
            start["start_key"] = startKey;
        }

        var reply = await client.PostAsync("/v1/executions", start, waitSeconds);
        Assert.True(reply.Status is HttpStatusCode.Created or HttpStatusCode.Accepted or HttpStatusCode.OK, $"{reply.Status}: {reply.Text}");
        return reply.Json;
    }

    /// <summary>A shared value, once it has at least this version.</summary>
    public static async Task<JsonNode> ValueAsync(OmiumClient client, string key, long version)
    {
        var path = $"/v1/state?key={Uri.EscapeDataString(key)}";
        var until = DateTime.UtcNow.AddSeconds(20);
        while (true)
        {
            var value = await client.GetAsync(path);
            if ((long)value["version"]! >= version)
            {
                return value;
            }

            Assert.True(DateTime.UtcNow < until, $"{key} has version {value["version"]}, {version} was awaited");
            await Task.Delay(20);
        }
    }
}
