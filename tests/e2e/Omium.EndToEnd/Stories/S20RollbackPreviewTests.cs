using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S20: what a rollback would take back is shown first, and it takes back exactly that.</summary>
public sealed class S20RollbackPreviewTests
{
    [Fact]
    public async Task S20_Preview_ShowsTheBlastRadiusAndChangesNothing_TheRollbackDoesExactlyThat()
    {
        await using var world = await World.StartAsync();
        var (execution, review) = await Bookings.StartAsync(world);
        var before = await world.Client.RecordsAsync(execution);

        var preview = (await Bookings.RollBackAsync(world.Client, execution, "charge", preview: true)).Expect(HttpStatusCode.OK);

        Assert.False((bool)preview["applied"]!);
        Assert.Equal("charge", (string?)preview["to"]);
        Assert.Equal(["book_courier", "approve"], Bookings.StepsOf(preview["affected"]!)); // Not file_note: it depends on neither.
        Assert.Equal(["book_courier"], preview["compensations"]!.AsArray().Select(effect => ((string)effect!).Split('~')[0]));
        Assert.Empty(preview["irreversible"]!.AsArray());
        Assert.Equal(before.Select(record => (string)record["hash"]!), (await world.Client.RecordsAsync(execution)).Select(record => (string)record["hash"]!));
        Assert.Equal((string?)review["id"], (string?)(await Payments.ReviewAsync(world.Client, execution, "approval"))["id"]);
        await AssertUndoneAsync(world);

        var applied = (await Bookings.RollBackAsync(world.Client, execution, "charge")).Expect(HttpStatusCode.OK);
        var paused = await world.Client.WaitForStatusAsync(execution, "paused");

        Assert.True((bool)applied["applied"]!);
        Assert.Equal(["to", "affected", "compensations", "irreversible"], [.. new[] { "to", "affected", "compensations", "irreversible" }
            .Where(member => JsonNode.DeepEquals(preview[member], applied[member]))]);
        await AssertUndoneAsync(world, "cancel_courier");
        var steps = paused["steps"]!.AsArray().ToDictionary(step => (string)step!["step"]!, step => (string)step!["status"]!);
        Assert.Equal(["approve", "book_courier"], steps.Where(step => step.Value == "rolled_back").Select(step => step.Key).Order());
        Assert.Equal(["charge", "file_note", "reserve"], steps.Where(step => step.Value == "committed").Select(step => step.Key).Order());
        var planned = Assert.Single((await world.Client.RecordsAsync(execution)).Events("rollback.planned"));
        Assert.Equal(Bookings.StepsOf(preview["affected"]!), Bookings.StepsOf(planned["affected"]!));

        // The question that was open was taken back with its step: nobody can answer it any more.
        (await Payments.DecideAsync(world.Client, review, "approve")).ExpectProblem(HttpStatusCode.Conflict, "review_closed");
        await AssertGoesOnAsync(world, execution);
    }

    [Fact]
    public async Task S20_SomethingIrreversibleStands_TheRollbackIsRefusedWithItsName()
    {
        await using var world = await World.StartAsync();
        var (execution, review) = await Bookings.StartAsync(world);
        (await Payments.DecideAsync(world.Client, review, "approve")).Expect(HttpStatusCode.OK);
        await world.Receiver.WaitAsync("send_letter", effects: 1);
        Assert.Equal("close", (string?)(await ClosingAsync(world, execution))["step"]);
        var before = await world.Client.RecordsAsync(execution);

        var preview = (await Bookings.RollBackAsync(world.Client, execution, "charge", preview: true)).Expect(HttpStatusCode.OK);
        Assert.Equal(["book_courier", "approve", "send_letter", "close"], Bookings.StepsOf(preview["affected"]!));
        Assert.Equal(["send_letter"], preview["irreversible"]!.AsArray().Select(effect => ((string)effect!).Split('~')[0]));
        var refused = (await Bookings.RollBackAsync(world.Client, execution, "charge")).ExpectProblem(HttpStatusCode.Conflict, "rollback_irreversible");

        Assert.Contains("send_letter", (string)refused["detail"]!, StringComparison.Ordinal);
        Assert.Equal(before.Count, (await world.Client.RecordsAsync(execution)).Count);
        await AssertUndoneAsync(world);

        // Behind the letter there is nothing of that kind: so far it may go back.
        (await Bookings.RollBackAsync(world.Client, execution, "send_letter")).Expect(HttpStatusCode.OK);
        await world.Client.WaitForStatusAsync(execution, "paused");
        await AssertUndoneAsync(world);
        Assert.Equal(1, (await world.Receiver.CountAsync("send_letter")).Requests);

        // And whoever accepts that the letter stays may go back further all the same: that is on the ledger, under their name.
        await AssertAcceptedAsync(world, execution);
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    /// <summary>A rollback that was narrowed to a step is refused when a committed step was made from it, and says which.</summary>
    [Fact]
    public async Task S20_ACommittedConsumerWouldBeOrphaned_TheRollbackIsRefusedWithItsName()
    {
        await using var world = await World.StartAsync();
        var (execution, _) = await Bookings.StartAsync(world);
        var before = await world.Client.RecordsAsync(execution);
        JsonObject Asked(bool preview, params string[] steps) => new()
        {
            ["to"] = "start", ["scope"] = "all", ["preview"] = preview, ["steps"] = new JsonArray([.. steps.Select(step => JsonValue.Create(step))]),
        };
        var path = $"/v1/executions/{execution}/rollback";

        var preview = (await world.Client.PostAsync(path, Asked(preview: true, "charge"))).Expect(HttpStatusCode.OK);
        Assert.Equal(["charge"], Bookings.StepsOf(preview["affected"]!));
        Assert.Equal(["book_courier"], Bookings.StepsOf(preview["orphans"]!));
        var refused = (await world.Client.PostAsync(path, Asked(preview: false, "charge"))).ExpectProblem(HttpStatusCode.Conflict, "rollback_orphans_consumer");
        Assert.Contains("book_courier", (string)refused["detail"]!, StringComparison.Ordinal);
        Assert.Equal(before.Count, (await world.Client.RecordsAsync(execution)).Count);
        await AssertUndoneAsync(world);

        // With its consumers it is taken back, and the note, which depends on none of them, stays.
        (await world.Client.PostAsync(path, Asked(preview: false, "charge", "book_courier", "approve"))).Expect(HttpStatusCode.OK);
        await world.Client.WaitForStatusAsync(execution, "paused");
        await AssertUndoneAsync(world, "refund", "cancel_courier");
        var completed = Assert.Single((await world.Client.RecordsAsync(execution)).Events("rollback.completed"));
        Assert.Equal((2, null), ((int?)completed["checked"], completed["disagreeing"])); // What stands agrees with the log: reserve and file_note.
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    private static async Task AssertAcceptedAsync(World world, string execution)
    {
        var body = new JsonObject { ["to"] = "charge", ["scope"] = "all", ["accept_residue"] = true };
        (await world.Client.PostAsync($"/v1/executions/{execution}/rollback", body)).Expect(HttpStatusCode.OK);
        await world.Client.WaitForStatusAsync(execution, "paused");
        await AssertUndoneAsync(world, "cancel_courier");
        var left = (await world.Client.GetAsync($"/v1/residue?execution={execution}"))["items"]!.AsArray().Single()!;
        Assert.Equal(("send_letter", "irreversible", (string?)(await world.Client.GetAsync("/v1/me"))["key_id"]), ((string?)left["tool"], (string?)left["reason"], (string?)left["accepted_by"]));
        Assert.Equal(1, (await world.Receiver.CountAsync("send_letter")).Requests);
    }

    /// <summary>Resumed, the run does again what was taken back and nothing else, and asks anew.</summary>
    private static async Task AssertGoesOnAsync(World world, string execution)
    {
        (await world.Client.PostAsync($"/v1/executions/{execution}/resume", new JsonObject())).Expect(HttpStatusCode.OK);
        var again = await Payments.ReviewAsync(world.Client, execution, "approval");
        Assert.Equal(("approve", 2), ((string?)again["step"], (int?)again["visit"]));
        foreach (var (effect, times) in new[] { ("reserve", 1), ("charge", 1), ("file_note", 1), ("book_courier", 2) })
        {
            var counted = await world.Receiver.CountAsync(effect);
            Assert.Equal((effect, times, times), (effect, counted.Effects, counted.Requests));
        }

        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    /// <summary>The question whether to close the booking, once the letter is out.</summary>
    private static async Task<JsonNode> ClosingAsync(World world, string execution)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await foreach (var record in new EventStream(world.Omium, execution).ReadAsync(0, limit.Token))
        {
            if (new[] { record }.Events("review.requested", "close").Count > 0)
            {
                break;
            }
        }

        return await Payments.ReviewAsync(world.Client, execution, "approval");
    }

    /// <summary>Asserts that these compensations ran, each once, and no other.</summary>
    private static async Task AssertUndoneAsync(World world, params string[] undone)
    {
        foreach (var undo in new[] { "release", "refund", "cancel_courier", "strike_note" })
        {
            var counted = await world.Receiver.CountAsync(undo);
            var times = undone.Contains(undo) ? 1 : 0;
            Assert.Equal((undo, times, times), (undo, counted.Effects, counted.Requests));
        }
    }
}
