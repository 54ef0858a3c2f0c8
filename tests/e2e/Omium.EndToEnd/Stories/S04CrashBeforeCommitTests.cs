using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S04: the process dies before the commit; after the restart only the commit runs.</summary>
public sealed class S04CrashBeforeCommitTests
{
    private static readonly string[] BeforeCommit = ["get_data", "validate", "prepare_write"];

    /// <param name="hold">Whether the receiver is killed upon before or after it has counted the commit.</param>
    /// <param name="repeats">How often the receiver sees a key that it has already served.</param>
    [Theory]
    [InlineData("hold_before_count", 0)]
    [InlineData("hold_after_count", 1)]
    public async Task S04_KilledWhileTheCommitIsInFlight_OnlyTheCommitRunsAgain(string hold, int repeats)
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Surroundings.ExampleSpec("pipeline.yaml", world.Receiver.Address));
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = "commit_write", [hold] = true });
        var start = new JsonObject { ["workflow"] = "data-pipeline", ["input"] = new JsonObject { ["dataset"] = "orders" } };
        var execution = (string)(await world.Client.PostAsync("/v1/executions", start)).Expect(HttpStatusCode.Created)["id"]!;

        await world.Receiver.WaitAsync("commit_write", holding: 1);
        var before = await world.Client.RecordsAsync(execution);
        Assert.Equal(BeforeCommit, before.Events("step.committed").Select(committed => (string)committed["step"]!));
        world.Omium.KillHard();
        await Held.UntilGoneAsync(world.Receiver, "commit_write");
        await world.Receiver.ReleaseAsync("commit_write");
        await world.Omium.StartAgainAsync();
        await world.Client.WaitForStatusAsync(execution, "succeeded");

        foreach (var name in BeforeCommit)
        {
            var counted = await world.Receiver.CountAsync(name);
            Assert.Equal((1, 1), (counted.Effects, counted.Requests));
        }

        var commits = await world.Receiver.CountAsync("commit_write");
        Assert.Equal((1, repeats), (commits.Effects, commits.Duplicates));
        Assert.NotNull((string?)commits.Lines[0]["idempotency_key"]);
        Assert.Single(commits.Lines.Select(line => (string?)line["idempotency_key"]).Distinct());
        Assert.Equal(0, (await world.Receiver.CountAsync("revert_write")).Requests + (await world.Receiver.CountAsync("discard_write")).Requests);

        var records = await world.Client.RecordsAsync(execution);
        Assert.All([.. BeforeCommit, "commit_write"], step => Assert.Single(records.Events("step.committed", step)));
        Assert.Equal(before.Select(record => (string)record["hash"]!), records.Take(before.Count).Select(record => (string)record["hash"]!));
        Assert.Equal("identical", (string?)(await world.Client.GetAsync($"/v1/executions/{execution}/verify"))["verdict"]);
    }
}
