using System.Diagnostics;
using System.Globalization;
using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S15: a thread stores at most twice its useful bytes, 50 MB pass, and a run of 10,000 steps costs at its end what it costs at its beginning.</summary>
public sealed class S15HundredTurnsTests
{
    private const int MessageBytes = 4_000;

    [Theory]
    [InlineData(50)]
    [InlineData(100)]
    [InlineData(200)]
    public async Task S15_AThreadOfFourKilobyteTurns_StoresAtMostTwiceItsUsefulBytes(int turns)
    {
        await using var service = new AppendingService(MessageBytes, Surroundings.Seed);
        var empty = await StoredBytesAsync(service.Address, turns, run: false);
        var stored = await StoredBytesAsync(service.Address, turns, run: true) - empty;

        var ratio = stored / (double)service.UsefulBytes;
        World.Say(string.Create(CultureInfo.InvariantCulture, $"{turns} turns: useful {service.UsefulBytes:N0} bytes, stored {stored:N0}: {ratio:0.00}x"));
        Assert.Equal((long)turns * MessageBytes, service.UsefulBytes);
        Assert.InRange(ratio, 0, 2);
    }

    [Fact]
    public async Task S15_FiftyMegabytes_PassAsInputResultAndOutput()
    {
        const int bytes = 50 * 1024 * 1024;
        const long residentMax = 1_500L * 1024 * 1024;
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync("""
            omium: v0
            name: carrying
            tools: {carry: {type: function, function: noop}}
            steps: [{id: carry, type: tool_call, tool: carry}]
            """);
        var clock = Stopwatch.StartNew();
        var start = new JsonObject { ["workflow"] = "carrying", ["input"] = new JsonObject { ["text"] = new string('x', bytes) } };
        var reply = (await world.Client.PostAsync("/v1/executions", start)).Expect(HttpStatusCode.Created);
        var finished = await world.Client.WaitForStatusAsync((string)reply["id"]!, "succeeded");
        var passed = clock.Elapsed;

        var digest = (string)finished["input"]!["omium_ref"]!;
        Assert.Equal(digest, (string?)finished["output"]!["carry"]!["omium_ref"] ?? (string?)finished["steps"]![0]!["output"]!["omium_ref"]);
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(60) };
        http.DefaultRequestHeaders.Authorization = new("Bearer", world.Omium.Key);
        var whole = await http.GetByteArrayAsync(new Uri(world.Omium.Address, $"/v1/executions/{reply["id"]}/payloads/{digest}"));
        Assert.Equal(bytes, JsonNode.Parse(whole)!["text"]!.GetValue<string>().Length);
        var resident = world.Omium.Process.ResidentBytes();
        World.Say(string.Create(CultureInfo.InvariantCulture, $"50 MB passed in {passed.TotalMilliseconds:0} ms; the process has {resident / 1024 / 1024} MiB resident"));
        Assert.InRange(resident, 0, residentMax);
        Assert.Equal("identical", (string?)(await world.Client.GetAsync($"/v1/executions/{reply["id"]}/verify"))["verdict"]);
    }

    [Fact]
    public async Task S15_ARunOfTenThousandSteps_IsEvenPagedAndVerified()
    {
        const int turns = 5_000;
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync("""
            omium: v0
            name: long
            tools: {work: {type: function, function: noop}}
            steps:
              - {id: work, type: tool_call, tool: work, input: {n: "${{ has(steps.look) ? steps.look.output.n + 1 : 1 }}"}, output: {schema: {type: object, properties: {n: {type: integer}}}}}
              - {id: look, type: decision, needs: [work], input: {n: "${{ steps.work.output.n }}"}}
            edges: [{from: look, to: work, when: "output.n < 5000", max_visits: 10000}]
            """);
        var clock = Stopwatch.StartNew();
        var started = (await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "long" })).Expect(HttpStatusCode.Created);
        var id = (string)started["id"]!;
        var finished = await FollowAsync(world, id);
        var took = clock.Elapsed;

        Assert.Equal((1_000, (2 * turns) - 1_000), (finished["steps"]!.AsArray().Count, (int)finished["steps_omitted"]!));
        var seq = (long)finished["seq"]!;
        await world.Client.GetAsync($"/v1/executions/{id}/state?at={seq / 2}"); // The first look fills the snapshots.
        clock.Restart();
        await world.Client.GetAsync($"/v1/executions/{id}/state?at={(seq / 2) + 50}");
        var viewed = clock.Elapsed;
        clock.Restart();
        var verdict = await world.Client.GetAsync($"/v1/executions/{id}/verify");
        World.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{2 * turns:N0} steps in {took.TotalSeconds:0.0} s, a view in the middle with 1,000 visits in {viewed.TotalMilliseconds:0} ms, verified in {clock.Elapsed.TotalSeconds:0.0} s"));
        Assert.Equal(("identical", seq), ((string?)verdict["verdict"], (long)verdict["records"]!));

        var timeline = await world.Client.GetAsync($"/v1/executions/{id}/timeline?limit=500");
        Assert.InRange(timeline["items"]!.AsArray().Count, 400, 500);
        Assert.NotNull(timeline["next_cursor"]);
    }

    /// <summary>Reads the records of a run to their end, which costs less than to look at all of it again and again.</summary>
    private static async Task<JsonNode> FollowAsync(World world, string execution)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        await foreach (var _ in new EventStream(world.Omium, execution).ReadAsync(0, limit.Token))
        {
        }

        var ended = await world.Client.GetAsync($"/v1/executions/{execution}");
        Assert.Equal("succeeded", (string?)ended["status"]);
        return ended;
    }

    /// <summary>Bytes of the data directory of a process that was stopped, after one thread of turns or none.</summary>
    private static async Task<long> StoredBytesAsync(Uri service, int turns, bool run)
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync($$$"""
            omium: v0
            name: thread
            tools:
              say:
                type: http
                url: {{{service}}}
                effect: {kind: none}
            steps:
              - id: chat
                type: tool_call
                tool: say
                input: {history: "${{ has(steps.keep) ? steps.keep.output.history : [] }}"}
                output: {schema: {type: object, required: [history, count], properties: {history: {type: array}, count: {type: integer} } } }
              - id: keep
                type: decision
                needs: [chat]
                input: {history: "${{ steps.chat.output.history }}", count: "${{ steps.chat.output.count }}"}
            edges: [{from: keep, to: chat, when: "output.count < {{{turns}}}", max_visits: 10000}]
            """);
        if (run)
        {
            var started = (await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "thread" })).Expect(HttpStatusCode.Created);
            await FollowAsync(world, (string)started["id"]!);
        }

        Assert.Equal(0, await world.Omium.TerminateAsync(TimeSpan.FromSeconds(10)));
        return Directory.EnumerateFiles(world.Omium.DataDirectory, "omium.db*").Sum(file => new FileInfo(file).Length);
    }
}
