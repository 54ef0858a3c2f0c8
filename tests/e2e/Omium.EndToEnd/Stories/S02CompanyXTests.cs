using System.Diagnostics;
using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S02: a made-up 0 % offer is caught, rolled back, mended by a person and sent once.</summary>
public sealed class S02CompanyXTests
{
    private const double MomentMaxMs = 1_000;

    [Fact]
    public async Task S02_ZeroPercentOffer_IsCaughtMendedAndSentOnce()
    {
        await using var world = await World.StartAsync(CompanyX.Script);
        await CompanyX.SaveAsync(world.Client, world.Receiver);

        var paused = (await world.Client.PostAsync("/v1/executions", CompanyX.Start("cus_1"), waitSeconds: 20)).Expect(HttpStatusCode.Created);
        Assert.Equal("paused", (string?)paused["status"]);
        Assert.Equal("review", (string?)paused["waiting_for"]);
        Assert.Equal((1, 1, 1), Asked(world));
        Assert.Equal(0, (await world.Receiver.CountAsync("send_offer")).Requests);

        var failure = await CompanyX.FailureAsync(world.Client, paused);
        await AssertCaughtAsync(world, (string)paused["id"]!, failure);

        var tested = await CompanyX.TestAsync(world.Client, failure);
        Assert.True((string?)tested["outcome"] == "passed", tested.ToJsonString());
        Assert.Equal(5.2, (double)tested["output"]!["apr"]!);
        Assert.Equal(0, (await world.Receiver.CountAsync("send_offer")).Requests);

        var clock = Stopwatch.StartNew();
        (await CompanyX.DecideEditAsync(world.Client, failure)).Expect(HttpStatusCode.OK);
        var finished = await world.Client.WaitForStatusAsync((string)paused["id"]!, "succeeded");
        World.Say($"decision sent to succeeded, over HTTP: {clock.Elapsed.TotalMilliseconds:F0} ms");
        await AssertMendedAsync(world, finished, failure);
    }

    /// <summary>The moment that matters most: the offer is out, and the process dies before it knows.</summary>
    [Theory]
    [InlineData("hold_before_count", 0)]
    [InlineData("hold_after_count", 1)]
    public async Task S02_KilledWhileTheOfferIsOut_SendsItOnce(string hold, int repeats)
    {
        await using var world = await World.StartAsync(CompanyX.Script);
        await CompanyX.SaveAsync(world.Client, world.Receiver);
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = "send_offer", [hold] = true });
        var paused = (await world.Client.PostAsync("/v1/executions", CompanyX.Start("cus_1"), waitSeconds: 20)).Expect(HttpStatusCode.Created);
        var failure = await CompanyX.FailureAsync(world.Client, paused);
        (await CompanyX.DecideEditAsync(world.Client, failure)).Expect(HttpStatusCode.OK);

        await world.Receiver.WaitAsync("send_offer", holding: 1);
        world.Omium.KillHard();
        await Held.UntilGoneAsync(world.Receiver, "send_offer");
        await world.Receiver.ReleaseAsync("send_offer");
        await world.Omium.StartAgainAsync();

        await world.Client.WaitForStatusAsync((string)paused["id"]!, "succeeded");
        var offers = await world.Receiver.CountAsync("send_offer");
        Assert.Equal((1, repeats), (offers.Effects, offers.Duplicates));
        Assert.Equal((1, 1, 2), Asked(world));
    }

    private static async Task AssertCaughtAsync(World world, string execution, JsonNode failure)
    {
        var found = failure["failure"]!;
        Assert.Equal("terms", (string?)found["step"]);
        Assert.Equal("hallucination", (string?)found["class"]);
        Assert.Equal("output.apr >= 2.5 && output.apr <= 8.5", (string?)found["expected"]);
        Assert.Equal(0, (double)found["actual"]!["output.apr"]!);
        Assert.Equal(["kyc", "score", "terms"], failure["dependency_chain"]!.AsArray().Select(link => (string)link!["step"]!));
        Assert.NotEmpty(failure["suggested_fixes"]!.AsArray());
        Assert.Contains(failure["suggested_fixes"]!.AsArray(), fix => fix!["edits"] is not null);
        Assert.Equal(["kyc", "score"], failure["checkpoints"]!.AsArray().Select(checkpoint => (string)checkpoint!["step"]!));
        Assert.InRange((double)failure["detection_to_paused_ms"]!, 0, MomentMaxMs);

        var records = await world.Client.RecordsAsync(execution);
        var rollback = Assert.Single(records.Events("rollback.planned"));
        Assert.Equal("score", (string?)rollback["to"]);
        Assert.Equal(["terms"], rollback["affected"]!.AsArray().Select(visit => (string)visit!["step"]!));
        Assert.NotEmpty(records.Events("notification.requested"));

        // The same measured from outside: from the model being asked for the bad answer to the record of the pause.
        var asked = Records.TimeOf(world.Model.Requests().Last(request => (string?)request["agent"] == CompanyX.Terms));
        var paused = (records.TimeOf("execution.paused") - asked).TotalMilliseconds;
        World.Say($"detection to paused: {failure["detection_to_paused_ms"]} ms; from asking the model for the bad answer: {paused:F1} ms");
        Assert.InRange(paused, -1, MomentMaxMs);
    }

    private static async Task AssertMendedAsync(World world, JsonNode finished, JsonNode failure)
    {
        var execution = (string)finished["id"]!;
        var offers = await world.Receiver.CountAsync("send_offer");
        Assert.Equal((1, 1), (offers.Effects, offers.Requests));
        Assert.Equal(5.2, (double)offers.Lines[0]["body"]!["apr"]!);
        Assert.Equal(0, (await world.Receiver.CountAsync("withdraw_offer")).Requests);
        Assert.Equal((1, 1, 3), Asked(world)); // Terms: the bad answer, the tested fix, the good answer.

        var records = await world.Client.RecordsAsync(execution);
        Assert.All(["kyc", "score", "terms", "offer"], step => Assert.Equal(1, CompanyX.Committed(records, step)));
        var resumed = (records.TimeOf("step.committed", "terms") - records.TimeOf("review.decided")).TotalMilliseconds;
        World.Say($"decision to resumed (the mended step committed): {resumed:F0} ms");
        Assert.InRange(resumed, 0, MomentMaxMs);

        var late = await world.Client.PostAsync(
            $"/v1/reviews/{failure["review"]!["id"]}/decide", new JsonObject { ["decision"] = "reject", ["digest"] = (string)failure["review"]!["digest"]! });
        late.ExpectProblem(HttpStatusCode.Conflict, "review_closed");

        var verified = await world.Client.GetAsync($"/v1/executions/{execution}/verify");
        Assert.True((string?)verified["verdict"] == "identical", verified.ToJsonString());
        Assert.Equal("succeeded", (string?)(await world.Client.GetAsync($"/v1/executions/{execution}"))["status"]);
    }

    private static (int Kyc, int Score, int Terms) Asked(World world) =>
        (world.Model.CountOf(CompanyX.Kyc), world.Model.CountOf(CompanyX.Score), world.Model.CountOf(CompanyX.Terms));
}
