using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S08 with a worker as the receiver: it says itself what it holds of what it was handed, before it is given the step.</summary>
public sealed class S08WorkerHandoffTests
{
    [Fact]
    public async Task S08_WorkerHoldsFortySeven_HaltsWithBothViewsAndFinishesOnceItHoldsAHundred()
    {
        await using var world = await World.StartAsync();
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = "export", ["answer"] = new JsonObject { ["record_count"] = 100, ["list"] = "spring" } });
        await world.Client.SaveAsync(Spec(world.Receiver.Address));
        var worker = new TestWorker(world.Client, "mailings");
        var execution = (string)(await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "worker-mailing" })).Expect(HttpStatusCode.Created)["id"]!;

        var asked = await worker.TakeAsync("handoff");
        Assert.Equal(("export", "mailing", "spring"), ((string?)asked["from"], (string?)asked["step"], (string?)asked["message"]!["list"]));
        Assert.Equal(["records"], asked["claims"]!.AsArray().Select(claim => (string?)claim));
        (await worker.HeartbeatAsync(asked)).Expect(HttpStatusCode.OK);

        // The server dies before the worker answers: the question stands, and is asked again.
        world.Omium.KillHard();
        await world.Omium.StartAgainAsync();
        asked = await worker.TakeAsync("handoff");
        (await worker.CompleteAsync(asked, new JsonObject())).ExpectProblem(HttpStatusCode.UnprocessableEntity, "validation_failed");
        (await worker.CompleteAsync(asked, new JsonObject { ["records"] = 47 })).Expect(HttpStatusCode.NoContent);
        (await worker.CompleteAsync(asked, new JsonObject { ["records"] = 47 })).Expect(HttpStatusCode.NoContent); // The reply was lost; it says the same again.
        (await worker.CompleteAsync(asked, new JsonObject { ["records"] = 48 })).ExpectProblem(HttpStatusCode.Conflict, "task_fenced");

        var halted = await world.Client.WaitForStatusAsync(execution, "paused");
        Assert.Equal(["export"], halted["steps"]!.AsArray().Select(step => (string?)step!["step"]));
        var review = await world.Client.GetAsync($"/v1/reviews/{Assert.Single(halted["open_reviews"]!.AsArray())}");
        var claim = Assert.Single(review["shown"]!["claims"]!.AsArray())!;
        Assert.Equal((100, 47), ((int?)claim["said"], (int?)claim["seen"]));
        Assert.Null(await worker.PollAsync(waitMs: 200)); // Nothing is given out while it is halted.
        world.Omium.KillHard();
        await world.Omium.StartAgainAsync();

        (await Payments.DecideAsync(world.Client, review, "repeat")).Expect(HttpStatusCode.OK);
        (await worker.CompleteAsync(await worker.TakeAsync("handoff"), new JsonObject { ["records"] = 100 })).Expect(HttpStatusCode.NoContent);
        var task = await worker.TakeAsync("step");
        Assert.Equal("spring", (string?)task["input"]!["list"]);
        world.Omium.KillHard();
        await world.Omium.StartAgainAsync(); // The lease is on record: the worker goes on and completes, nobody else is given the task.
        Assert.Null(await new TestWorker(world.Client, "mailings", "w2").PollAsync(waitMs: 200));
        (await worker.HeartbeatAsync(task)).Expect(HttpStatusCode.OK);
        (await worker.CompleteAsync(task, new JsonObject { ["sent"] = 100 })).Expect(HttpStatusCode.NoContent);

        var finished = await world.Client.WaitForStatusAsync(execution, "succeeded");
        Assert.Equal(100, (int?)finished["output"]!["mailing"]!["sent"]);
        Assert.Equal(1, (await world.Receiver.CountAsync("export")).Effects);
        (await worker.HeartbeatAsync(task)).ExpectProblem(HttpStatusCode.Conflict, "task_fenced");
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    [Fact]
    public async Task Workers_ALeaseThatLapses_IsLostAndTheTaskIsGivenToAnother()
    {
        await using var world = await World.StartAsync(workerLeaseMs: 300);
        await world.Client.SaveAsync(Plain);
        var (first, second) = (new TestWorker(world.Client, "q"), new TestWorker(world.Client, "q", "w2"));
        var polling = second.PollAsync(); // Waits before there is anything.
        var execution = (string)(await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "plain-worker", ["input"] = new JsonObject { ["x"] = 1 } })).Expect(HttpStatusCode.Created)["id"]!;
        var lost = (await polling)!;
        var again = (await first.PollAsync())!; // Comes once the lease of the silent one is over, and the retry is due.

        Assert.Equal((1, 2), ((int?)lost["attempt"], (int?)again["attempt"]));
        (await second.CompleteAsync(lost, new JsonObject())).ExpectProblem(HttpStatusCode.Conflict, "task_fenced");
        (await second.HeartbeatAsync(lost)).ExpectProblem(HttpStatusCode.Conflict, "task_fenced");
        (await first.CompleteAsync(again, new JsonObject { ["done"] = true })).Expect(HttpStatusCode.NoContent);
        var finished = await world.Client.WaitForStatusAsync(execution, "succeeded");
        Assert.Equal("worker_lost", (string?)Assert.Single(finished["steps"]![0]!["failures"]!.AsArray())!["class"]);
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    [Fact]
    public async Task Workers_ManyTasksOfOneExecution_DoNotKeepAnotherWaiting()
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Wide);
        await world.Client.SaveAsync(Plain);
        var wide = (string)(await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "wide-worker" })).Expect(HttpStatusCode.Created)["id"]!;
        var plain = (string)(await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "plain-worker" })).Expect(HttpStatusCode.Created)["id"]!;
        var worker = new TestWorker(world.Client, "q");
        var taken = new[] { await worker.TakeAsync("step"), await worker.TakeAsync("step") };
        Assert.Equal(new[] { wide, plain }.Order(StringComparer.Ordinal), taken.Select(task => (string)task["execution"]!).Order(StringComparer.Ordinal));

        // Whoever fails for good says so; the run fails with its words.
        (await worker.FailAsync(taken.Single(task => (string?)task["execution"] == plain), "no such customer")).Expect(HttpStatusCode.NoContent);
        var records = await world.Client.RecordsAsync(plain);
        Assert.Equal("no such customer", (string?)Assert.Single(records.Events("step.failed"))["message"]);
    }

    private const string Plain = """
        omium: v0
        name: plain-worker
        steps:
          - {id: work, type: worker, worker: q, retry: {max_attempts: 2, backoff: constant, initial: 1ms, max: 1ms} }
        """;

    private const string Wide = """
        omium: v0
        name: wide-worker
        steps:
          - {id: a, type: worker, worker: q}
          - {id: b, type: worker, worker: q}
          - {id: c, type: worker, worker: q}
        """;

    private static string Spec(Uri receiver) => $$$"""
        omium: v0
        name: worker-mailing
        tools:
          export: {type: http, url: "{{{receiver}}}effects/export"}
          recall: {type: http, url: "{{{receiver}}}effects/recall", effect: {kind: idempotent, compensate: recall} }
        steps:
          - {id: export, type: tool_call, tool: export}
          - {id: mailing, type: worker, worker: mailings, input: {list: "${{ handoff.list }}"}, effect: {kind: idempotent, compensate: recall} }
        edges:
          - from: export
            to: mailing
            handoff: {claims: {records: {said: output.record_count} }, acknowledge: true}
        """;
}
