using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>
/// S05 with tools of a real MCP server process: a seat is booked, and Omium is killed before it has recorded so. Another tool of the server is asked, or the
/// booking is repeated with its key. The server writes each booking into a ledger: that is where they are counted.
/// </summary>
public sealed class S05McpToolTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("omium-seats-").FullName;

    private string Ledger => Path.Combine(_folder, "ledger");

    /// <summary>While this file is there, the server keeps its answer.</summary>
    private string Hold => Path.Combine(_folder, "hold");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <param name="effect">What the workflow says about booking.</param>
    /// <param name="intents">How often Omium set out to book.</param>
    [Theory]
    [InlineData("{kind: verifiable, verify: find, verify_after: 300ms, compensate: cancel}", 1)]
    [InlineData("{kind: idempotent, compensate: cancel}", 2)]
    public async Task S05_BookedByAnMcpTool_KilledBeforeItIsRecorded_IsBookedOnce(string effect, int intents)
    {
        await using var world = await StartAsync();
        await world.Client.SaveAsync(Workflow(effect));
        await File.WriteAllTextAsync(Hold, "", TestContext.Current.CancellationToken);
        var execution = await StartRunAsync(world, new JsonObject { ["seat"] = "12A", ["hold"] = Hold });
        await WaitForAsync("book");
        world.Omium.KillHard();
        File.Delete(Hold);
        await world.Omium.StartAgainAsync();

        var finished = await world.Client.WaitForStatusAsync(execution, "succeeded");

        Assert.Equal("12A", (string?)finished["output"]!["book"]!["seat"]);
        var booking = Assert.Single(Entries("book"));
        Assert.Equal((string?)booking["key"], (string?)finished["output"]!["book"]!["key"]);
        Assert.StartsWith(execution, (string?)booking["effect"], StringComparison.Ordinal);
        Assert.Empty(Entries("cancel"));
        var records = await world.Client.RecordsAsync(execution);
        Assert.Equal(intents, records.Events("intent.recorded").Count);
        Assert.Single(records.Events("step.committed", "book"));
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    [Fact]
    public async Task S05_TakenBackByAPerson_ItIsCancelledByAnotherToolOfTheServer()
    {
        await using var world = await StartAsync();
        await world.Client.SaveAsync(Workflow("{kind: idempotent, compensate: cancel}", more: """
              - {id: pay, type: tool_call, tool: refuse, needs: [book], input: {happened: "no"}}
            """));
        var execution = await StartRunAsync(world, new JsonObject { ["seat"] = "12A", ["hold"] = "" });
        await world.Client.WaitForStatusAsync(execution, "failed");
        (await Bookings.RollBackAsync(world.Client, execution, "start")).Expect(HttpStatusCode.OK);
        await WaitForAsync("cancel");
        Assert.Equal((string?)Assert.Single(Entries("book"))["key"], (string?)Assert.Single(Entries("cancel"))["key"]);
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    private static string Workflow(string effect, string more = "") => $$$"""
        omium: v0
        name: seats
        tools:
          book:
            type: mcp
            server: seats
            timeout: 20s
            effect: {{{effect}}}
          find: {type: mcp, server: seats}
          cancel: {type: mcp, server: seats, effect: {kind: idempotent}}
          refuse: {type: mcp, server: seats}
        steps:
          - id: book
            type: tool_call
            tool: book
            input: {seat: "${{ input.seat }}", while_exists: "${{ input.hold }}", once: true}
        {{{more}}}
        """;

    private async Task<World> StartAsync()
    {
        var servers = Path.Combine(_folder, "mcp.json");
        var server = new JsonObject { ["command"] = "python3", ["args"] = new JsonArray(Path.Combine(Surroundings.Root, "tests", "mcp", "server.py"), "--ledger", Ledger) };
        await File.WriteAllTextAsync(servers, new JsonObject { ["mcpServers"] = new JsonObject { ["seats"] = server } }.ToJsonString());
        return await World.StartAsync(variables: _ => new Dictionary<string, string> { ["OMIUM_MCP_SERVERS"] = servers });
    }

    private static async Task<string> StartRunAsync(World world, JsonObject input) =>
        (string)(await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "seats", ["input"] = input })).Expect(HttpStatusCode.Created)["id"]!;

    private async Task WaitForAsync(string what)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (Entries(what).Count == 0)
        {
            await Task.Delay(20, patience.Token);
        }
    }

    private List<JsonNode> Entries(string what) => File.Exists(Ledger)
        ? [.. File.ReadAllLines(Ledger).Where(line => line.EndsWith('}')).Select(line => JsonNode.Parse(line)!).Where(entry => (string?)entry["do"] == what)]
        : [];
}
