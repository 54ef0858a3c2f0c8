using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>
/// S05: the payment reached the receiver, and Omium is killed before it has recorded the result. What follows depends on what can be known: a
/// verify tool is asked, a key is repeated, and where neither is, a person says what happened; Omium never guesses.
/// </summary>
public sealed class S05LostRecordTests
{
    private const string AfterCounting = "hold_after_count";
    private const string BeforeCounting = "hold_before_count";

    /// <param name="hold">Whether the receiver had paid when Omium died: the verify tool tells, and the payment is then called again or not.</param>
    /// <param name="intents">How often Omium set out to pay.</param>
    [Theory]
    [InlineData(AfterCounting, 1)]
    [InlineData(BeforeCounting, 2)]
    public async Task S05_WithAVerifyTool_FinishesAndIsPaidOnce(string hold, int intents)
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Payments.Verifiable(world.Receiver.Address));
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = Payments.Pay, [hold] = true });
        var execution = await Payments.StartAsync(world.Client);
        await KillWhilePayingAsync(world, hold);

        var finished = await world.Client.WaitForStatusAsync(execution, "succeeded");

        Assert.Equal("pay-1", (string?)finished["output"]!["pay"]!["id"]); // Also when it is the verify tool that told.
        var paid = await world.Receiver.CountAsync(Payments.Pay);
        Assert.Equal((1, 1), (paid.Effects, paid.Requests));
        var records = await world.Client.RecordsAsync(execution);
        Assert.Equal(intents, records.Events("intent.recorded").Count);
        Assert.Contains(records.Events("intent.in_doubt"), doubt => (string?)doubt["next"] == "verify");
        var intentAt = Records.TimeOf(records.First(record => new[] { record }.Events("intent.recorded").Count > 0));
        var toldAt = Records.TimeOf(records.Last(record => new[] { record }.Events(hold == AfterCounting ? "intent.settled" : "intent.in_doubt").Count > 0));
        Assert.InRange((toldAt - intentAt).TotalMilliseconds, Payments.VerifyAfterMs, double.MaxValue); // Not believed earlier.
        await AssertEndedOnceAsync(world, execution, records);
    }

    [Fact]
    public async Task S05_WithAKey_IsRepeatedWithTheSameKeyAndCountedOnce()
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Payments.Idempotent(world.Receiver.Address));
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = Payments.Pay, [AfterCounting] = true });
        var execution = await Payments.StartAsync(world.Client);
        await KillWhilePayingAsync(world, AfterCounting);

        var finished = await world.Client.WaitForStatusAsync(execution, "succeeded");

        Assert.Equal("pay-1", (string?)finished["output"]!["pay"]!["id"]);
        var paid = await world.Receiver.CountAsync(Payments.Pay);
        Assert.Equal((1, 1, 0), (paid.Effects, paid.Duplicates, paid.Failed));
        Assert.NotNull((string?)paid.Lines[0]["idempotency_key"]);
        Assert.Single(paid.Lines.Select(line => (string?)line["idempotency_key"]).Distinct());
        await AssertEndedOnceAsync(world, execution, await world.Client.RecordsAsync(execution));
    }

    /// <param name="decision">What the person says after looking at the other side.</param>
    /// <param name="payments">How often is paid in all: again only because the person said so.</param>
    [Theory]
    [InlineData("done", 1)]
    [InlineData("redo", 2)]
    public async Task S05_WithNeither_IsPausedInDoubtUntilAPersonSays(string decision, int payments)
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Payments.Irreversible(world.Receiver.Address));
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = Payments.Pay, [AfterCounting] = true });
        var execution = await Payments.StartAsync(world.Client);
        (await Payments.DecideAsync(world.Client, await Payments.ReviewAsync(world.Client, execution, "approval"), "approve")).Expect(HttpStatusCode.OK);
        await KillWhilePayingAsync(world, AfterCounting);

        var asked = await Payments.ReviewAsync(world.Client, execution, "in_doubt");
        Assert.Equal(("pay", "inv-1"), ((string?)asked["shown"]!["tool"], (string?)asked["shown"]!["arguments"]!["invoice"]));
        Assert.Equal(["done", "redo", "reject"], asked["decisions"]!.AsArray().Select(item => (string)item!));
        Assert.Equal("in_doubt", (string?)(await world.Client.GetAsync($"/v1/executions/{execution}"))["steps"]!.AsArray()[^1]!["status"]);

        // Neither another death nor another start makes Omium guess: the same question is still open.
        world.Omium.KillHard();
        await world.Omium.StartAgainAsync();
        Assert.Equal((string?)asked["id"], (string?)(await Payments.ReviewAsync(world.Client, execution, "in_doubt"))["id"]);
        Assert.Equal(1, (await world.Receiver.CountAsync(Payments.Pay)).Requests);

        // What the step must give must be said: a bare 'done' would go on with nothing.
        if (decision == "done")
        {
            (await Payments.DecideAsync(world.Client, asked, "done")).ExpectProblem(HttpStatusCode.UnprocessableEntity, "override_refused");
        }

        (await Payments.DecideAsync(world.Client, asked, decision, output: decision == "done" ? new JsonObject { ["id"] = "seen-in-the-bank" } : null)).Expect(HttpStatusCode.OK);
        var finished = await world.Client.WaitForStatusAsync(execution, "succeeded");
        Assert.Equal(decision == "done" ? "seen-in-the-bank" : "pay-2", (string?)finished["output"]!["pay"]!["id"]);
        var paid = await world.Receiver.CountAsync(Payments.Pay);
        Assert.Equal((payments, payments), (paid.Effects, paid.Requests));
        await AssertEndedOnceAsync(world, execution, await world.Client.RecordsAsync(execution));
    }

    /// <summary>Kills Omium while the receiver keeps its payment, and starts it again once the receiver knows that its caller is gone.</summary>
    private static async Task KillWhilePayingAsync(World world, string hold)
    {
        await world.Receiver.WaitAsync(Payments.Pay, effects: hold == AfterCounting ? 1 : 0, holding: 1);
        world.Omium.KillHard();
        await Held.UntilGoneAsync(world.Receiver, Payments.Pay);
        await world.Receiver.ReleaseAsync(Payments.Pay);
        await world.Omium.StartAgainAsync();
    }

    private static async Task AssertEndedOnceAsync(World world, string execution, IReadOnlyList<JsonNode> records)
    {
        Assert.Single(records.Events("step.committed", "pay"));
        Assert.Single(records.Events("intent.settled"));
        Assert.Equal(0, (await world.Receiver.CountAsync("refund")).Requests);
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }
}
