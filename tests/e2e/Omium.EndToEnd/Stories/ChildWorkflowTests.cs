using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>
/// A step that is a workflow of its own: one child however often it is started, its news never lost, its rollback the step's compensation. Effects
/// are counted at the receiver.
/// </summary>
public sealed class ChildWorkflowTests
{
    private const int AfterRecordMaxMs = 30;

    [Fact]
    public async Task Child_RunsOnceAndItsOutputIsTheSteps()
    {
        await using var world = await World.StartAsync();
        var order = await RunAsync(world, "o-1");
        var ship = StepOf(order, "ship");
        var child = await world.Client.GetAsync($"/v1/executions/{ship["child"]}");
        Assert.Equal(("shipping", "succeeded"), ((string?)child["workflow"], (string?)child["status"]));
        Assert.Equal(((string?)order["id"], "ship"), ((string?)child["parent"]!["execution"], (string?)child["parent"]!["step"]));
        Assert.Equal(child["output"]!.ToJsonString(), ship["output"]!.ToJsonString());
        await AssertCountsAsync(world, reserve: 1, book: 1, label: 1);
        var graph = await world.Client.GetAsync($"/v1/executions/{order["id"]}/graph");
        Assert.Contains(graph["nodes"]!.AsArray(), node => (string?)node!["child"] == (string?)child["id"]);
        await Payments.AssertVerifiesAsync(world.Client, (string)order["id"]!);
        await Payments.AssertVerifiesAsync(world.Client, (string)child["id"]!);
    }

    [Fact]
    public async Task Child_KilledAtRandomMoments_HasEachEffectOnce()
    {
        await using var world = await World.StartAsync();
        var undisturbed = await RunAsync(world, "o-0");
        var records = (await world.Client.RecordsAsync((string)undisturbed["id"]!)).Count;
        var random = new Random(Surroundings.Seed);
        for (var kill = 1; kill <= Surroundings.Kills; kill++)
        {
            var (record, afterMs) = (random.Next(1, records + 1), random.Next(AfterRecordMaxMs));
            World.Say($"kill {kill}: {afterMs} ms after record {record} of {records}");
            using var caller = new OmiumClient(world.Omium, isPersistent: true);
            var start = Start($"o-{kill}");
            start["start_key"] = $"o-{kill}";
            var execution = (string)(await caller.PostAsync("/v1/executions", start)).Json["id"]!;
            await AppearsAsync(world.Omium, execution, record);
            await Task.Delay(afterMs); // The fault itself, not a wait for something: this is the moment that was drawn.
            world.Omium.KillHard();
            await world.Omium.StartAgainAsync();
            var done = await caller.WaitForStatusAsync(execution, "succeeded");
            foreach (var effect in new[] { "reserve", "book", "label" })
            {
                var lines = (await world.Receiver.CountAsync(effect)).Lines.Where(line => (string?)line["body"]!["order"] == $"o-{kill}").ToList();
                Assert.Single(lines, line => (string?)line["kind"] == "effect");
            }

            await Payments.AssertVerifiesAsync(caller, execution);
            await Payments.AssertVerifiesAsync(caller, (string)StepOf(done, "ship")["child"]!);
        }
    }

    [Fact]
    public async Task RollBack_OfTheParent_TakesTheChildBack()
    {
        await using var world = await World.StartAsync();
        var order = await RunAsync(world, "o-1");
        var child = (string)StepOf(order, "ship")["child"]!;

        // What the parent has used is not the child's alone to take back.
        (await Bookings.RollBackAsync(world.Client, child, "start")).ExpectProblem(HttpStatusCode.Conflict, "rollback_orphans_consumer");
        (await Bookings.RollBackAsync(world.Client, (string)order["id"]!, "reserve")).Expect(HttpStatusCode.OK);
        await world.Client.WaitForStatusAsync((string)order["id"]!, "paused");
        Assert.Equal("cancelled", (string?)(await world.Client.GetAsync($"/v1/executions/{child}"))["status"]);
        foreach (var (undo, times) in new[] { ("unbook", 1), ("unlabel", 1), ("release", 0) })
        {
            Assert.Equal((undo, times), (undo, (await world.Receiver.CountAsync(undo)).Requests));
        }

        // Going on runs another child, under keys of its own.
        (await world.Client.PostAsync($"/v1/executions/{order["id"]}/resume", new JsonObject())).Expect(HttpStatusCode.OK);
        var again = await world.Client.WaitForStatusAsync((string)order["id"]!, "succeeded");
        Assert.NotEqual(child, (string?)StepOf(again, "ship")["child"]);
        await AssertCountsAsync(world, reserve: 1, book: 2, label: 2);
        await Payments.AssertVerifiesAsync(world.Client, (string)order["id"]!);
        await Payments.AssertVerifiesAsync(world.Client, child);
    }

    [Fact]
    public async Task RollBack_KilledWhileTheChildIsTakenBack_UndoesEachEffectOnce()
    {
        await using var world = await World.StartAsync();
        var order = await RunAsync(world, "o-1");
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = "unbook", ["hold_before_count"] = true });
        (await Bookings.RollBackAsync(world.Client, (string)order["id"]!, "reserve")).Expect(HttpStatusCode.OK);
        await world.Receiver.WaitAsync("unbook", holding: 1);
        world.Omium.KillHard();
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = "unbook" });
        await world.Receiver.ReleaseAsync("unbook");
        await world.Omium.StartAgainAsync();
        await world.Client.WaitForStatusAsync((string)order["id"]!, "paused");
        Assert.Equal((1, 1), ((await world.Receiver.CountAsync("unbook")).Effects, (await world.Receiver.CountAsync("unlabel")).Effects));
        await Payments.AssertVerifiesAsync(world.Client, (string)order["id"]!);
    }

    [Fact]
    public async Task Child_Fails_TheStepFailsWithItsClass()
    {
        await using var world = await World.StartAsync();
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = "label", ["fail_times"] = 100, ["status"] = 422 });
        var order = await RunAsync(world, "o-1", "failed");
        Assert.Equal(("ship", "tool_error"), ((string?)order["failure"]!["step"], (string?)order["failure"]!["class"]));
        Assert.Contains("failed at label", (string)order["failure"]!["message"]!, StringComparison.Ordinal);
        Assert.Equal(1, (await world.Receiver.CountAsync("book")).Effects);
    }

    [Fact]
    public async Task Cancel_OfTheParent_ReachesTheChild()
    {
        await using var world = await World.StartAsync();
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = "label", ["hold_before_count"] = true });
        await SaveAsync(world);
        var execution = (string)(await world.Client.PostAsync("/v1/executions", Start("o-1"))).Expect(HttpStatusCode.Created)["id"]!;
        await world.Receiver.WaitAsync("label", holding: 1);
        var waiting = await world.Client.WaitForStatusAsync(execution, "waiting");
        Assert.Equal("child", (string?)waiting["waiting_for"]);
        var child = (string)StepOf(waiting, "ship")["child"]!;
        (await world.Client.PostAsync($"/v1/executions/{execution}/cancel", new JsonObject())).Expect(HttpStatusCode.OK);
        await world.Client.WaitForStatusAsync(child, "cancelled");
        await world.Receiver.ReleaseAsync("label");
        Assert.Equal("cancelled", (string?)(await world.Client.GetAsync($"/v1/executions/{execution}"))["status"]);
    }

    [Fact]
    public async Task Child_OfItself_EndsAtTheDepthThatIsStated()
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync("""
            omium: v0
            name: mirror
            steps:
              - {id: again, type: workflow, workflow: mirror}
            """);
        var failed = (await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "mirror" }, waitSeconds: 30)).Expect(HttpStatusCode.Created);
        Assert.Equal(("failed", "no_termination"), ((string?)failed["status"], (string?)failed["failure"]!["class"]));
        var all = await world.Client.GetAsync("/v1/executions?workflow=mirror");
        Assert.Equal(9, all["items"]!.AsArray().Count); // Itself and 8 below.
    }

    /// <summary>What the parent has locked is not in its child's way, and is in everybody else's for as long as the child works.</summary>
    [Fact]
    public async Task Child_UnderItsParentsLock_WorksWhileOthersWait()
    {
        await using var world = await World.StartAsync();
        string Of(string text) => text.Replace("RECEIVER", world.Receiver.Address.ToString(), StringComparison.Ordinal);
        await world.Client.SaveAsync(Of("""
            omium: v0
            name: part
            tools:
              pack: {type: http, url: "RECEIVEReffects/pack", effect: {kind: idempotent, compensate: unpack} }
              unpack: {type: http, url: "RECEIVEReffects/unpack", effect: {kind: idempotent} }
            steps:
              - {id: pack, type: tool_call, tool: pack, locks: ["order/${{ input.order }}/parcel"], input: {order: "${{ input.order }}"}, writes: [{key: "order/${{ input.order }}#packed", value: "true"}]}
            """));
        await world.Client.SaveAsync("""
            omium: v0
            name: whole
            steps:
              - {id: ship, type: workflow, workflow: part, locks: ["order/${{ input.order }}"], input: {order: "${{ input.order }}"}}
            """);
        await world.Client.SaveAsync("""
            omium: v0
            name: other
            steps:
              - {id: look, type: decision, locks: ["order/${{ input.order }}/parcel"], reads: ["order/${{ input.order }}#packed"], input: {packed: "${{ state.packed }}"}}
            """);
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = "pack", ["hold_before_count"] = true });
        var shipping = Orders.RunAsync(world.Client, "whole", new JsonObject { ["order"] = "7" });
        await world.Receiver.WaitAsync("pack", holding: 1);
        var looking = await Orders.RunAsync(world.Client, "other", new JsonObject { ["order"] = "7" }, waitSeconds: 1);
        var waiting = await world.Client.GetAsync($"/v1/executions/{looking["id"]}");
        Assert.Equal(("waiting", "lock"), ((string?)waiting["status"], (string?)waiting["waiting_for"]));

        await world.Receiver.ReleaseAsync("pack");
        Assert.Equal("succeeded", (string?)(await shipping)["status"]);
        var looked = await world.Client.WaitForStatusAsync((string)looking["id"]!, "succeeded");
        Assert.True((bool?)StepOf(looked, "look")["output"]!["packed"]);
        Assert.Equal(1, (await world.Receiver.CountAsync("pack")).Requests);
    }

    [Fact]
    public async Task Save_WithAChildThatIsNotSaved_NamesThePlace()
    {
        await using var world = await World.StartAsync();
        var reply = await world.Client.SendAsync(HttpMethod.Post, "/v1/workflows", Parent(world.Receiver.Address), "text/yaml");
        var problem = reply.ExpectProblem(HttpStatusCode.UnprocessableEntity, "validation_failed");
        var finding = Assert.Single(problem["errors"]!.AsArray())!;
        Assert.Equal(("unknown_reference", "/steps/1/workflow"), ((string?)finding["code"], (string?)finding["pointer"]));
    }

    private static string Shipping(Uri receiver) => $$$"""
        omium: v0
        name: shipping
        tools:
          book: {type: http, url: "{{{receiver}}}effects/book", effect: {kind: idempotent, compensate: unbook} }
          unbook: {type: http, url: "{{{receiver}}}effects/unbook", effect: {kind: idempotent} }
          label: {type: http, url: "{{{receiver}}}effects/label", effect: {kind: idempotent, compensate: unlabel} }
          unlabel: {type: http, url: "{{{receiver}}}effects/unlabel", effect: {kind: idempotent} }
        steps:
          - {id: book, type: tool_call, tool: book, input: {order: "${{ input.order }}"} }
          - {id: label, type: tool_call, tool: label, needs: [book], input: {order: "${{ input.order }}", booking: "${{ steps.book.output.id }}"} }
        """;

    private static string Parent(Uri receiver) => $$$"""
        omium: v0
        name: orders
        tools:
          reserve: {type: http, url: "{{{receiver}}}effects/reserve", effect: {kind: idempotent, compensate: release} }
          release: {type: http, url: "{{{receiver}}}effects/release", effect: {kind: idempotent} }
          close: {type: http, url: "{{{receiver}}}effects/close"}
        steps:
          - {id: reserve, type: tool_call, tool: reserve, input: {order: "${{ input.order }}"} }
          - {id: ship, type: workflow, workflow: shipping, needs: [reserve], input: {order: "${{ input.order }}"} }
          - {id: close, type: tool_call, tool: close, needs: [ship], input: {label: "${{ steps.ship.output.label.id }}"} }
        """;

    private static async Task SaveAsync(World world)
    {
        await world.Client.SaveAsync(Shipping(world.Receiver.Address));
        await world.Client.SaveAsync(Parent(world.Receiver.Address));
    }

    private static JsonObject Start(string order) => new() { ["workflow"] = "orders", ["input"] = new JsonObject { ["order"] = order } };

    private static async Task<JsonNode> RunAsync(World world, string order, string status = "succeeded")
    {
        await SaveAsync(world);
        var execution = (string)(await world.Client.PostAsync("/v1/executions", Start(order))).Expect(HttpStatusCode.Created)["id"]!;
        return await world.Client.WaitForStatusAsync(execution, status);
    }

    private static async Task AppearsAsync(OmiumProcess omium, string execution, int record)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await foreach (var seen in new EventStream(omium, execution).ReadAsync(0, limit.Token))
        {
            if ((long)seen["seq"]! >= record)
            {
                return;
            }
        }
    }

    private static async Task AssertCountsAsync(World world, int reserve, int book, int label)
    {
        foreach (var (effect, times) in new[] { ("reserve", reserve), ("book", book), ("label", label) })
        {
            var counted = await world.Receiver.CountAsync(effect);
            Assert.Equal((effect, times, times), (effect, counted.Effects, counted.Requests));
        }
    }

    private static JsonNode StepOf(JsonNode view, string step) =>
        view["steps"]!.AsArray().Last(candidate => (string?)candidate!["step"] == step)!;
}
