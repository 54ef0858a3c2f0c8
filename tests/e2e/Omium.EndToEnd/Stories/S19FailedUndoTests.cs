using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S19: of three effects that a rollback undoes, the middle one's undo is refused for good. The others are undone all the same; what is left is listed, and a person resolves it.</summary>
public sealed class S19FailedUndoTests
{
    private const int Refusal = 422;

    /// <param name="inFlight">The undo that is in flight when Omium is killed: the first, before anything is left over, or the last, after it; none = it is not killed.</param>
    [Theory]
    [InlineData(null)]
    [InlineData("cancel_courier")]
    [InlineData("release")]
    public async Task S19_TheMiddleUndoIsRefused_TheOthersRunOnceAndTheResidueIsListed(string? inFlight)
    {
        await using var world = await World.StartAsync();
        var (execution, _) = await Bookings.StartAsync(world);
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = "refund", ["fail_times"] = 1_000, ["status"] = Refusal });
        if (inFlight is not null)
        {
            await world.Receiver.ControlAsync(new JsonObject { ["name"] = inFlight, ["hold_after_count"] = true });
        }

        Assert.Empty(await ResidueAsync(world, execution));
        var charged = (await world.Receiver.CountAsync("charge")).Lines.Single();
        (await Bookings.RollBackAsync(world.Client, execution, "start")).Expect(HttpStatusCode.OK);
        if (inFlight is not null)
        {
            await KillWhileUndoingAsync(world, execution, inFlight);
        }

        await world.Client.WaitForStatusAsync(execution, "paused");
        await AssertUndoneAsync(world, execution, inFlight);
        AssertLeft(Assert.Single(await ResidueAsync(world, execution)), execution, charged);

        // Each once ever: neither another rollback nor another start begins any of it again, and what is left stays on the list.
        (await Bookings.RollBackAsync(world.Client, execution, "start")).Expect(HttpStatusCode.OK);
        world.Omium.KillHard();
        await world.Omium.StartAgainAsync();
        await world.Client.WaitForStatusAsync(execution, "paused");
        await AssertUndoneAsync(world, execution, inFlight);
        AssertLeft(Assert.Single(await ResidueAsync(world, execution)), execution, charged);
        await AssertResolvedByAPersonAsync(world, execution);
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    /// <summary>A person deals with it outside and says so: who, when and how are in the log, also after a kill, and the list of what is open is empty.</summary>
    private static async Task AssertResolvedByAPersonAsync(World world, string execution)
    {
        var open = (await world.Client.GetAsync("/v1/residue?status=open"))["items"]!.AsArray().Single()!;
        Assert.Equal(execution, (string?)open["execution"]);
        var path = $"/v1/residue/{open["id"]}/resolve";
        var note = new JsonObject { ["note"] = "refunded at the counter" };
        var resolved = (await world.Client.PostAsync(path, note)).Expect(HttpStatusCode.OK);
        Assert.Equal(("resolved", "refunded at the counter"), ((string?)resolved["status"], (string?)resolved["resolved"]!["note"]));
        world.Omium.KillHard();
        await world.Omium.StartAgainAsync();
        (await world.Client.PostAsync(path, note.DeepClone().AsObject())).Expect(HttpStatusCode.OK);
        (await world.Client.PostAsync(path, new JsonObject { ["note"] = "no, by me" })).ExpectProblem(HttpStatusCode.Conflict, "residue_resolved");

        Assert.Empty((await world.Client.GetAsync("/v1/residue?status=open"))["items"]!.AsArray());
        var happened = Assert.Single((await world.Client.RecordsAsync(execution)).Events("residue.resolved"));
        Assert.Equal((string?)(await world.Client.GetAsync("/v1/me"))["key_id"], (string?)happened["by"]);
        Assert.Equal(0, (await world.Receiver.CountAsync("refund")).Effects); // Saying so does nothing outside.
    }

    private static async Task KillWhileUndoingAsync(World world, string execution, string inFlight)
    {
        await world.Receiver.WaitAsync(inFlight, effects: 1, holding: 1);
        Assert.Equal("rolling_back", (string?)(await world.Client.GetAsync($"/v1/executions/{execution}"))["status"]);
        Assert.Equal(inFlight == "release" ? 1 : 0, (await ResidueAsync(world, execution)).Count);
        world.Omium.KillHard();
        await Held.UntilGoneAsync(world.Receiver, inFlight);
        await world.Receiver.ReleaseAsync(inFlight);
        await world.Omium.StartAgainAsync();
    }

    private static async Task AssertUndoneAsync(World world, string execution, string? inFlight)
    {
        // The one that was in flight is asked for again with its key, and has one effect. A refusal for good is not asked for again.
        foreach (var undo in new[] { "cancel_courier", "release", "strike_note" })
        {
            var counted = await world.Receiver.CountAsync(undo);
            Assert.Equal((undo, 1, undo == inFlight ? 1 : 0, 0), (undo, counted.Effects, counted.Duplicates, counted.Failed));
            Assert.Single(counted.Lines.Select(line => (string?)line["idempotency_key"]).Distinct());
        }

        var refused = await world.Receiver.CountAsync("refund");
        Assert.Equal((0, 1), (refused.Effects, refused.Failed));
        foreach (var effect in new[] { "reserve", "charge", "book_courier", "file_note" })
        {
            Assert.Equal(1, (await world.Receiver.CountAsync(effect)).Requests);
        }

        var records = await world.Client.RecordsAsync(execution);
        var settled = records.Events("compensation.settled");
        Assert.Equal(4, settled.Count);
        var chain = settled.Select(undo => ((string)undo["effect"]!).Split('~')[0]).Where(step => step != "file_note");
        Assert.Equal(["book_courier", "charge", "reserve"], chain); // What depends on another goes before it.
        var completed = records.Events("rollback.completed")[0];
        Assert.Equal((3, 1), ((int)completed["compensated"]!, (int)completed["residue"]!));
        Assert.Equal("charge", (string?)Assert.Single(records.Events("residue.recorded"))["tool"]);
    }

    /// <summary>What stands, where, and why.</summary>
    private static void AssertLeft(JsonNode left, string execution, JsonNode charged)
    {
        Assert.Equal((execution, "bookings"), ((string?)left["execution"], (string?)left["workflow"]));
        Assert.Equal(("charge", "charge", 1), ((string?)left["tool"], (string?)left["step"], (int?)left["visit"]));
        Assert.Equal((string?)charged["effect_id"], (string?)left["effect_id"]);
        Assert.Equal((string?)charged["idempotency_key"], (string?)left["idempotency_key"]);
        Assert.Equal(charged["body"]!.ToJsonString(), left["arguments"]!.ToJsonString());
        Assert.Equal("charge-1", (string?)left["result"]!["id"]);
        Assert.Equal("compensation_failed", (string?)left["reason"]);
        Assert.Contains($"{Refusal}", (string)left["message"]!, StringComparison.Ordinal);
    }

    private static async Task<IReadOnlyList<JsonNode>> ResidueAsync(World world, string execution) =>
        [.. (await world.Client.GetAsync($"/v1/residue?execution={execution}"))["items"]!.AsArray().Select(left => left!)];
}
