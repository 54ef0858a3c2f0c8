using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>
/// S08: one agent says that it handed over 100 records, the other one holds 47. Nothing goes on; a person sees both views, sets the source right,
/// and both agree. Here Omium itself measures on the receiver's side, with a tool or with an expression.
/// </summary>
public sealed class S08HandoffTests
{
    private const string ByTool = "{tool: crm_count, arguments: {list: \"${{ output.list }}\"}, value: output.count}";

    [Fact]
    public async Task S08_SaysHundredSeesFortySeven_HaltsWithBothViewsAndFinishesOnceTheSourceIsRight()
    {
        await using var world = await World.StartAsync();
        await world.Receiver.ControlAsync(Answer("export", """{"record_count": 100, "list": "spring"}"""));
        await world.Receiver.ControlAsync(Answer("crm_count", """{"count": 47}"""));
        var (execution, review) = await DisputeAsync(world, ByTool);

        AssertBothViews(review);
        Assert.Equal(["repeat", "rollback", "reject"], review["decisions"]!.AsArray().Select(decision => (string?)decision));
        var failure = await world.Client.GetAsync($"/v1/failures/{review["failure_id"]}");
        Assert.Equal(("handoff_disputed", "claims_differ"), ((string?)failure["failure"]!["class"], (string?)failure["failure"]!["code"]));
        Assert.Equal(("records = 100", 47), ((string?)failure["failure"]!["expected"], (int?)failure["failure"]!["actual"]!["records"]));
        Assert.Equal(("inter_agent_misalignment", "open"), ((string?)failure["group"], (string?)failure["status"]));
        var listed = (await world.Client.GetAsync("/v1/failures?class=handoff_disputed"))["items"]!.AsArray();
        Assert.Equal((string?)review["failure_id"], (string?)Assert.Single(listed)!["id"]);
        Assert.Contains((await world.Client.GetAsync($"/v1/executions/{execution}/timeline"))["items"]!.AsArray(), line => ((string?)line!["detail"])?.Contains("said to be 100, seen 47", StringComparison.Ordinal) == true);

        // What halted stays halted: going on is refused, and a kill changes nothing.
        (await world.Client.PostAsync($"/v1/executions/{execution}/resume", new JsonObject())).ExpectProblem(HttpStatusCode.Conflict, "review_open");
        world.Omium.KillHard();
        await world.Omium.StartAgainAsync();
        Assert.Equal("paused", (string?)(await world.Client.GetAsync($"/v1/executions/{execution}"))["status"]);
        Assert.Equal(0, (await world.Receiver.CountAsync("mailing")).Requests);

        await world.Receiver.ControlAsync(Answer("crm_count", """{"count": 100}"""));
        (await Payments.DecideAsync(world.Client, review, "repeat", note: "The import has caught up.")).Expect(HttpStatusCode.OK);
        var finished = await world.Client.WaitForStatusAsync(execution, "succeeded");

        Assert.Equal(1, (await world.Receiver.CountAsync("export")).Effects);
        Assert.Equal(2, (await world.Receiver.CountAsync("crm_count")).Effects);
        Assert.Equal((1, 1), ((await world.Receiver.CountAsync("mailing")).Effects, (await world.Receiver.CountAsync("mailing")).Requests));
        var handoff = Assert.Single(finished["handoffs"]!.AsArray())!;
        Assert.Equal(("agreed", 2), ((string?)handoff["status"], (int?)handoff["round"]));
        await AssertToldAsync(world, execution, "handoff.proposed", "handoff.measured", "handoff.acknowledged", "handoff.disputed", "handoff.repeated", "handoff.measured", "handoff.acknowledged", "handoff.agreed");
        Assert.Equal("resolved", (string?)(await world.Client.GetAsync($"/v1/failures/{review["failure_id"]}"))["status"]);
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    [Fact]
    public async Task S08_MessageHoldsFewerThanItSays_TheSenderRunsAgainAndBothAgree()
    {
        await using var world = await World.StartAsync();
        await world.Receiver.ControlAsync(Answer("export", $$"""{"record_count": 100, "list": [{{Numbers(47)}}]}"""));
        var (execution, review) = await DisputeAsync(world, "size(output.list)");

        AssertBothViews(review);
        Assert.Equal(["rollback", "reject"], review["decisions"]!.AsArray().Select(decision => (string?)decision)); // The same message will not hold more.
        await world.Receiver.ControlAsync(Answer("export", $$"""{"record_count": 100, "list": [{{Numbers(100)}}]}"""));
        (await Payments.DecideAsync(world.Client, review, "rollback")).Expect(HttpStatusCode.OK);
        var finished = await world.Client.WaitForStatusAsync(execution, "succeeded");

        Assert.Equal(2, (await world.Receiver.CountAsync("export")).Effects);
        Assert.Equal(1, (await world.Receiver.CountAsync("mailing")).Requests);
        Assert.Equal(["revoked", "agreed"], finished["handoffs"]!.AsArray().Select(handoff => (string?)handoff!["status"]));
        await AssertToldAsync(world, execution, "handoff.proposed", "handoff.measured", "handoff.acknowledged", "handoff.disputed", "handoff.revoked", "handoff.proposed", "handoff.measured", "handoff.acknowledged", "handoff.agreed");
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    /// <summary>The tool that measures is held, and Omium dies while it waits: nothing was agreed, it measures again, and the receiver starts once.</summary>
    [Fact]
    public async Task S08_KilledWhileMeasuring_MeasuresAgainAndStartsTheReceiverOnce()
    {
        await using var world = await World.StartAsync();
        await world.Receiver.ControlAsync(Answer("export", """{"record_count": 100, "list": "spring"}"""));
        var held = Answer("crm_count", """{"count": 100}""");
        held["hold_after_count"] = true;
        await world.Receiver.ControlAsync(held);
        await world.Client.SaveAsync(Spec(world.Receiver.Address, ByTool));
        var execution = await StartAsync(world);
        await world.Receiver.WaitAsync("crm_count", effects: 1, holding: 1);
        Assert.Equal(0, (await world.Receiver.CountAsync("mailing")).Requests);

        world.Omium.KillHard();
        await world.Receiver.ReleaseAsync("crm_count");
        await world.Omium.StartAgainAsync();
        await world.Client.WaitForStatusAsync(execution, "succeeded");

        Assert.Equal(2, (await world.Receiver.CountAsync("crm_count")).Effects);
        Assert.Equal((1, 1), ((await world.Receiver.CountAsync("export")).Effects, (await world.Receiver.CountAsync("mailing")).Requests));
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    private static async Task<(string Execution, JsonNode Review)> DisputeAsync(World world, string seen)
    {
        await world.Client.SaveAsync(Spec(world.Receiver.Address, seen));
        var execution = await StartAsync(world);
        var halted = await world.Client.WaitForStatusAsync(execution, "paused");
        Assert.Equal("review", (string?)halted["waiting_for"]);
        Assert.Equal(["export"], halted["steps"]!.AsArray().Select(step => (string?)step!["step"])); // The receiver was never scheduled.
        Assert.Equal(0, (await world.Receiver.CountAsync("mailing")).Requests);
        return (execution, await world.Client.GetAsync($"/v1/reviews/{Assert.Single(halted["open_reviews"]!.AsArray())}"));
    }

    private static async Task<string> StartAsync(World world) =>
        (string)(await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "spring-mailing" })).Expect(HttpStatusCode.Created)["id"]!;

    private static void AssertBothViews(JsonNode review)
    {
        Assert.Equal(("handoff", "export"), ((string?)review["kind"], (string?)review["step"]));
        var claim = Assert.Single(review["shown"]!["claims"]!.AsArray())!;
        Assert.Equal(("records", 100, 47), ((string?)claim["claim"], (int?)claim["said"], (int?)claim["seen"]));
    }

    private static async Task AssertToldAsync(World world, string execution, params string[] types)
    {
        var records = await world.Client.RecordsAsync(execution);
        var told = records.SelectMany(record => record["events"]!.AsArray()).Select(happened => (string)happened!["type"]!).Where(type => type.StartsWith("handoff.", StringComparison.Ordinal));
        Assert.Equal(types, told);
    }

    private static JsonObject Answer(string name, string json) => new() { ["name"] = name, ["answer"] = JsonNode.Parse(json) };

    private static string Numbers(int count) => string.Join(", ", Enumerable.Range(1, count));

    private static string Spec(Uri receiver, string seen) => $$$"""
        omium: v0
        name: spring-mailing
        tools:
          export: {type: http, url: "{{{receiver}}}effects/export"}
          crm_count: {type: http, url: "{{{receiver}}}effects/crm_count", timeout: 30s}
          mailing: {type: http, url: "{{{receiver}}}effects/mailing", effect: {kind: idempotent, compensate: recall} }
          recall: {type: http, url: "{{{receiver}}}effects/recall", effect: {kind: idempotent} }
        steps:
          - {id: export, type: tool_call, tool: export}
          - {id: mailing, type: tool_call, tool: mailing, input: {records: "${{ handoff.record_count }}"} }
        edges:
          - from: export
            to: mailing
            handoff:
              schema: {type: object, required: [record_count, list]}
              claims:
                records: {said: output.record_count, seen: {{{(seen.StartsWith('{') ? seen : $"\"{seen}\"")}}} }
              acknowledge: true
        """;
}
