using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S12: duplicate, late and reordered results, an agent that repeats itself, an agent and a loop that never end: each is bounded, classified and contained.</summary>
public sealed class S12LoopsAndDisorderTests
{
    private const string Pay = "disorder_pay";
    private const int TurnsMax = 5;
    private const int LoopVisitsMax = 4;
    private const int VisitsMax = 9;

    private static string Script
    {
        get
        {
            var rules = new List<string>
            {
                "rules:",
                // Asks for two look-ups at once; the first is answered last.
                "  - {when: {agent: Clerk, user_contains: reordered, turn: 1}, answer: {tool_calls: [{name: slow, arguments: {q: 1}}, {name: quick, arguments: {q: 2}}]}}",
                "  - {when: {agent: Clerk, user_contains: reordered}, answer: {json: {done: true}}}",
                // Pays, and pays the same again.
                "  - {when: {agent: Clerk, user_contains: repeats}, answer: {tool_calls: [{name: pay, arguments: {invoice: inv-1}}]}}",
                // Looks the same thing up for ever.
                "  - {when: {agent: Clerk, user_contains: circles}, answer: {tool_calls: [{name: quick, arguments: {q: 1}}]}}",
                "  - {when: {agent: Clerk, user_contains: loops}, answer: {json: {again: true}}}",
            };
            rules.AddRange(Enumerable.Range(1, TurnsMax).Select(turn =>
                $"  - {{when: {{agent: Clerk, user_contains: endless, turn: {turn}}}, answer: {{tool_calls: [{{name: quick, arguments: {{q: {turn}}}}}]}}}}"));
            return string.Join('\n', rules);
        }
    }

    /// <summary>The receiver breaks the connection after it has paid: the call is repeated with its key, and is answered twice; one result counts.</summary>
    [Fact]
    public async Task S12_DuplicateResult_IsOneEffectAndOneRecord()
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Payments.Idempotent(world.Receiver.Address));
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = Payments.Pay, ["fail_times"] = 1, ["fail_counts"] = true, ["drop_connection"] = true });
        var execution = await Payments.StartAsync(world.Client);
        var finished = await world.Client.WaitForStatusAsync(execution, "succeeded", "failed");
        Assert.Equal("succeeded", (string?)finished["status"]);
        var paid = await world.Receiver.CountAsync(Payments.Pay);
        Assert.Equal(1, paid.Effects);
        Assert.True(paid.Requests > 1, "The call was not repeated, so nothing was shown.");
        Assert.Single((await world.Client.RecordsAsync(execution)).Events("step.committed", "pay"));
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    /// <summary>The answer comes when nobody waits for it any more: the run was cancelled. It is settled or discarded on record, and nothing follows from it.</summary>
    [Fact]
    public async Task S12_LateResult_ChangesNothing()
    {
        await using var world = await World.StartAsync(Script);
        await world.Client.SaveAsync(Spec(world.Receiver.Address));
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = "slow", ["hold_before_count"] = true });
        var execution = await StartAsync(world, "reordered");
        await world.Receiver.WaitAsync("slow", holding: 1);
        (await world.Client.PostAsync($"/v1/executions/{execution}/cancel", new JsonObject())).Expect(HttpStatusCode.OK);
        await world.Receiver.ReleaseAsync("slow");
        await world.Receiver.WaitAsync("slow", effects: 1);

        var view = await world.Client.WaitForStatusAsync(execution, "cancelled");
        Assert.Equal("cancelled", (string?)view["status"]);
        var records = await world.Client.RecordsAsync(execution);
        Assert.Empty(records.Events("step.committed"));
        Assert.Equal(1, world.Model.CountOf("Clerk"));
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    /// <summary>Two calls asked for at once, settled in the other order: recorded as they came, told to the agent as it asked.</summary>
    [Fact]
    public async Task S12_ReorderedResults_AreToldInTheOrderAsked()
    {
        await using var world = await World.StartAsync(Script);
        await world.Client.SaveAsync(Spec(world.Receiver.Address));
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = "slow", ["hold_before_count"] = true });
        var execution = await StartAsync(world, "reordered");
        await world.Receiver.WaitAsync("slow", holding: 1);
        await UntilAsync(world, execution, "call.settled");
        await world.Receiver.ReleaseAsync("slow");

        await world.Client.WaitForStatusAsync(execution, "succeeded");
        var settled = (await world.Client.RecordsAsync(execution)).Events("call.settled").Select(call => (string)call["effect"]!).ToArray();
        Assert.Equal(["work~1~1~c2", "work~1~1~c1"], settled);
        var told = world.Model.Requests()[1]["messages"]!.AsArray().Where(message => (string?)message!["role"] == "tool").Select(message => (string)message!["content"]!).ToArray();
        Assert.Equal(2, told.Length);
        Assert.Contains("slow-1", told[0], StringComparison.Ordinal);
        Assert.Contains("quick-1", told[1], StringComparison.Ordinal);
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    /// <param name="how">What the clerk does, and with which step.</param>
    /// <param name="failureClass">Class.</param>
    /// <param name="code">Code within it.</param>
    /// <param name="asked">How often the model was asked in all.</param>
    /// <param name="payments">What was paid: what repeats itself pays once.</param>
    [Theory]
    [InlineData("repeats", "step_repetition", "same_effect_again", 2, 1)]
    [InlineData("circles", "step_repetition", "same_call_again", 4, 0)]
    [InlineData("endless", "no_termination", "turns_exhausted", TurnsMax, 0)]
    public async Task S12_AnAgentThatDoesNotEnd_IsBoundedAndClassified(string how, string failureClass, string code, int asked, int payments)
    {
        await using var world = await World.StartAsync(Script);
        await world.Client.SaveAsync(Spec(world.Receiver.Address));
        await AssertFailsAsync(world, await StartAsync(world, how), failureClass, code);
        Assert.Equal(asked, world.Model.CountOf("Clerk"));
        var paid = await world.Receiver.CountAsync(Pay);
        Assert.Equal((payments, payments), (paid.Effects, paid.Requests));
    }

    /// <param name="more">The bounds of the workflow.</param>
    /// <param name="loopMost">max_visits of its loop.</param>
    /// <param name="failureClass">Class.</param>
    /// <param name="code">Code within it.</param>
    /// <param name="visits">Visits of the agent's step.</param>
    [Theory]
    [InlineData("bounds: {max_same_visits: 1000}", LoopVisitsMax, "no_termination", "loop_exhausted", LoopVisitsMax + 1)]
    [InlineData("bounds: {max_same_visits: 1000, max_visits: 9}", 100, "no_termination", "visits_exhausted", (VisitsMax + 1) / 2)]
    [InlineData("bounds: {max_same_visits: 2}", 100, "step_repetition", "same_visit_again", 3)]
    public async Task S12_ALoopThatDoesNotEnd_IsBoundedAndClassified(string more, int loopMost, string failureClass, string code, int visits)
    {
        await using var world = await World.StartAsync(Script);
        await world.Client.SaveAsync(Loop(more, loopMost));
        var execution = await StartAsync(world, "loops");
        await AssertFailsAsync(world, execution, failureClass, code);
        Assert.Equal(visits, world.Model.CountOf("Clerk"));
    }

    private static async Task AssertFailsAsync(World world, string execution, string failureClass, string code)
    {
        var view = await world.Client.WaitForStatusAsync(execution, "failed", "succeeded");
        Assert.Equal("failed", (string?)view["status"]);
        var records = await world.Client.RecordsAsync(execution);
        var failed = records.Events("step.failed").Single();
        Assert.Equal((failureClass, code), ((string?)failed["class"], (string?)failed["code"]));
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    /// <summary>Waits, told by the event stream, until an event of this type is on record.</summary>
    private static async Task UntilAsync(World world, string execution, string type)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await foreach (var record in new EventStream(world.Omium, execution).ReadAsync(0, limit.Token))
        {
            if (new[] { record }.Events(type).Count > 0)
            {
                return;
            }
        }

        Assert.Fail($"The execution ended without {type}.");
    }

    private static async Task<string> StartAsync(World world, string how) =>
        (string)(await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "disorder", ["input"] = new JsonObject { ["how"] = how } })).Expect(HttpStatusCode.Created)["id"]!;

    private static string Spec(Uri receiver) => $$$"""
        omium: v0
        name: disorder
        agents:
          clerk: {role: Clerk, prompt: Do the work., tools: [slow, quick, pay], max_turns: {{{TurnsMax}}} }
        tools:
          slow: {type: http, url: "{{{receiver}}}effects/slow", effect: {kind: none} }
          quick: {type: http, url: "{{{receiver}}}effects/quick", effect: {kind: none} }
          pay: {type: http, url: "{{{receiver}}}effects/{{{Pay}}}", effect: {kind: idempotent, compensate: unpay} }
          unpay: {type: http, url: "{{{receiver}}}effects/disorder_unpay", effect: {kind: idempotent} }
        steps:
          - {id: work, type: agent_task, agent: clerk}
        """;

    private static string Loop(string bounds, int most) => $$$"""
        omium: v0
        name: disorder
        {{{bounds}}}
        agents:
          clerk: {role: Clerk, prompt: Do the work.}
        steps:
          - {id: work, type: agent_task, agent: clerk, input: {how: "${{ input.how }}"} }
          - {id: again, type: decision, needs: [work]}
        edges:
          - {from: again, to: work, max_visits: {{{most}}} }
        """;
}
