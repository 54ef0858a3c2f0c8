using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>
/// S14: any point of the past is shown, compared and verified without asking a model or a tool anything; a fork runs again what its edit concerns and
/// nothing else. Counted at the model and the receiver, which are processes of their own.
/// </summary>
public sealed class S14TimeMachineTests
{
    private const string Script = """
        rules:
          - when: {agent: Researcher}
            answer: {json: {topic: kettles, facts: 3}}
          - when: {agent: Writer, system_contains: in two words}
            answer: {json: {title: Short one}}
          - when: {agent: Writer}
            answer: {json: {title: A long title}}
        """;

    [Fact]
    public async Task S14_ViewDiffAndVerify_AskNoModelAndNoTool()
    {
        await using var world = await World.StartAsync(Script);
        var (execution, ended) = await RunAsync(world);
        var before = await CountAsync(world);
        var last = (long)ended["seq"]!;

        Assert.Equal("identical", (string?)(await world.Client.GetAsync($"/v1/executions/{execution}/verify"))["verdict"]);
        for (var at = 1; at <= last; at++)
        {
            var state = await world.Client.GetAsync($"/v1/executions/{execution}/state?at={at}");
            Assert.Equal((at, execution), ((int)state["seq"]!, (string?)state["id"]));
        }

        var first = await world.Client.GetAsync($"/v1/executions/{execution}/state?at=1");
        Assert.Equal(["research"], first["steps"]!.AsArray().Select(step => (string)step!["step"]!));
        var now = await world.Client.GetAsync($"/v1/executions/{execution}/state?at={last}");
        Assert.Equal(ended["steps"]!.ToJsonString(), now["steps"]!.ToJsonString());
        var diff = await world.Client.GetAsync($"/v1/executions/{execution}/diff?from=1&to={last}");
        Assert.Contains(diff["changes"]!.AsArray(), change => (string?)change!["pointer"] == "/status");
        Assert.Equal(before, await CountAsync(world));
    }

    [Fact]
    public async Task S14_ForkWithAnEdit_RunsAgainOnlyWhatDependsOnIt()
    {
        await using var world = await World.StartAsync(Script);
        var (execution, ended) = await RunAsync(world);
        var before = await CountAsync(world);

        // The writer is told something else: it alone is asked again. What it now says leads to another call, which is shown and not made.
        var edits = new JsonObject { ["agents"] = new JsonObject { ["writer"] = new JsonObject { ["prompt"] = "Write a title in two words." } } };
        var fork = await ForkAsync(world, execution, new JsonObject { ["edits"] = edits });
        var id = (string)fork["id"]!;
        Assert.Equal("waiting", (string?)fork["status"]);
        Assert.Equal((1, 2, 1, 1), await CountAsync(world));
        var review = await Payments.ReviewAsync(world.Client, id, "sandbox_call");
        Assert.Equal("Short one", (string?)review["shown"]!["arguments"]!["title"]);
        (await Payments.DecideAsync(world.Client, review, "answer", output: new JsonObject { ["ok"] = true, ["id"] = "played" })).Expect(HttpStatusCode.OK);
        var done = await world.Client.WaitForStatusAsync(id, "succeeded");
        Assert.Equal("Short one", (string?)StepOf(done, "write", 2)["output"]!["title"]);
        Assert.True((bool?)StepOf(done, "reserve", 1)["inherited"]);
        Assert.Equal((1, 2, 1, 1), await CountAsync(world));

        // The same point without an edit: every call of what runs again is answered from the records.
        var at = (await world.Client.RecordsAsync(execution)).First(record => new[] { record }.Events("step.committed", "write").Count > 0)["seq"]!.GetValue<long>();
        var replayed = await ForkAsync(world, execution, new JsonObject { ["at"] = at });
        Assert.Equal("succeeded", (string?)replayed["status"]);
        Assert.Equal(ended["output"]!.ToJsonString(), replayed["output"]!.ToJsonString());
        Assert.Equal((1, 2, 1, 1), await CountAsync(world));

        foreach (var fork2 in new[] { id, (string)replayed["id"]! })
        {
            await Payments.AssertVerifiesAsync(world.Client, fork2);
        }

        World.Say($"model and tool calls before the forks {before}, after {await CountAsync(world)}");
    }

    [Fact]
    public async Task S14_LiveFork_ListsWhatWouldHappenAgainAndUsesNewKeys()
    {
        await using var world = await World.StartAsync(Script);
        var (execution, _) = await RunAsync(world);
        var records = await world.Client.RecordsAsync(execution);
        var at = records.First(record => new[] { record }.Events("step.committed", "write").Count > 0)["seq"]!.GetValue<long>();
        var body = new JsonObject { ["at"] = at, ["mode"] = "live" };

        var refused = (await world.Client.PostAsync($"/v1/executions/{execution}/fork", body)).ExpectProblem(HttpStatusCode.Conflict, "effects_unacknowledged");
        var repeated = Assert.Single(refused["shown"]!["repeats"]!.AsArray())!;
        Assert.Equal(("publish", $"{execution}/publish~1~1~c1"), ((string?)repeated["tool"], (string?)repeated["effect_id"]));
        body["acknowledge"] = "another";
        (await world.Client.PostAsync($"/v1/executions/{execution}/fork", body)).ExpectProblem(HttpStatusCode.Conflict, "effects_unacknowledged");
        Assert.Equal(1, (await world.Receiver.CountAsync("publish")).Requests);

        body["acknowledge"] = (string)refused["digest"]!;
        var fork = await ForkAsync(world, execution, body);
        Assert.Equal("succeeded", (string?)fork["status"]);
        var published = await world.Receiver.CountAsync("publish");
        Assert.Equal((2, 2), (published.Effects, published.Requests));
        Assert.Equal(2, published.Lines.Select(line => (string?)line["idempotency_key"]).Distinct().Count());
        Assert.Equal((1, 1, 1, 2), await CountAsync(world));

        // What the source did is not the fork's to undo: only the fork's own call is taken back.
        (await Bookings.RollBackAsync(world.Client, (string)fork["id"]!, "start")).ExpectProblem(HttpStatusCode.Conflict, "past_fork_point");
        (await Bookings.RollBackAsync(world.Client, (string)fork["id"]!, "write")).Expect(HttpStatusCode.OK);
        var undone = await world.Receiver.WaitAsync("withdraw", effects: 1);
        Assert.Equal(1, undone.Requests);
        Assert.Equal(0, (await world.Receiver.CountAsync("release")).Requests);
        await Payments.AssertVerifiesAsync(world.Client, (string)fork["id"]!);
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    [Fact]
    public async Task S14_ForkOfAForkAcrossAKill_IsThere()
    {
        await using var world = await World.StartAsync(Script);
        var (execution, _) = await RunAsync(world);
        var first = await ForkAsync(world, execution, new JsonObject { ["at"] = 3 });
        var second = await ForkAsync(world, (string)first["id"]!, []);
        var counted = await CountAsync(world);
        world.Omium.KillHard();
        await world.Omium.StartAgainAsync();
        foreach (var (id, view) in new[] { first, second }.Select(view => ((string)view["id"]!, view)))
        {
            var again = await world.Client.GetAsync($"/v1/executions/{id}");
            Assert.Equal(view["steps"]!.ToJsonString(), again["steps"]!.ToJsonString());
            await Payments.AssertVerifiesAsync(world.Client, id);
        }

        Assert.Equal(counted, await CountAsync(world));
    }

    private static string Spec(Uri receiver) => $$$"""
        omium: v0
        name: articles
        agents:
          researcher: {role: Researcher, prompt: "Answer with JSON {topic, facts}."}
          writer: {role: Writer, prompt: "Answer with JSON {title}."}
        tools:
          reserve: {type: http, url: "{{{receiver}}}effects/reserve", effect: {kind: idempotent, compensate: release} }
          release: {type: http, url: "{{{receiver}}}effects/release", effect: {kind: idempotent} }
          publish: {type: http, url: "{{{receiver}}}effects/publish", effect: {kind: idempotent, compensate: withdraw} }
          withdraw: {type: http, url: "{{{receiver}}}effects/withdraw", effect: {kind: idempotent} }
        steps:
          - {id: research, type: agent_task, agent: researcher, input: {about: "${{ input.about }}"} }
          - {id: reserve, type: tool_call, tool: reserve, needs: [research], input: {topic: "${{ steps.research.output.topic }}"} }
          - {id: write, type: agent_task, agent: writer, needs: [reserve], input: {topic: "${{ steps.research.output.topic }}"} }
          - {id: publish, type: tool_call, tool: publish, needs: [write], input: {title: "${{ steps.write.output.title }}"} }
        """;

    private static async Task<(string Execution, JsonNode View)> RunAsync(World world)
    {
        await world.Client.SaveAsync(Spec(world.Receiver.Address));
        var start = new JsonObject { ["workflow"] = "articles", ["input"] = new JsonObject { ["about"] = "kettles" } };
        var ended = (await world.Client.PostAsync("/v1/executions", start, waitSeconds: 20)).Expect(HttpStatusCode.Created);
        Assert.Equal("succeeded", (string?)ended["status"]);
        Assert.Equal((1, 1, 1, 1), await CountAsync(world));
        return ((string)ended["id"]!, ended);
    }

    /// <summary>Requests at the researcher, the writer, and for the two effects.</summary>
    private static async Task<(int Researcher, int Writer, int Reserve, int Publish)> CountAsync(World world) =>
        (world.Model.CountOf("Researcher"), world.Model.CountOf("Writer"), (await world.Receiver.CountAsync("reserve")).Requests, (await world.Receiver.CountAsync("publish")).Requests);

    private static async Task<JsonNode> ForkAsync(World world, string execution, JsonObject body) =>
        (await world.Client.PostAsync($"/v1/executions/{execution}/fork", body, waitSeconds: 20)).Expect(HttpStatusCode.Created);

    private static JsonNode StepOf(JsonNode view, string step, int visit) =>
        view["steps"]!.AsArray().Single(candidate => (string?)candidate!["step"] == step && (int?)candidate["visit"] == visit)!;
}
