using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>
/// S02 under kill -9. A caller goes through the whole story and repeats whatever request the death of the server broke; a killer ends the
/// server at a random moment of it and starts it again. A moment is a record of the log and a time after it, long enough for the calls that
/// follow the record to be under way, answered, or recorded; record 0 is the start as it is sent. Every third time the next server is killed too, while it takes up what it found.
/// </summary>
/// <remarks>
/// Asserted each time: the run succeeds; the offer has one effect, with the mended rate, under one key; every step is committed once in the
/// log; the log verifies. A model call that was in flight at the kill has no result and is asked again, so an agent is asked at most once
/// more than without the kill. What is in flight is made longer (20 ms a call), so that many kills meet a call.
/// </remarks>
public sealed class S02KillTests
{
    private const int CallMs = 20;
    private const int AfterRecordMaxMs = 30;

    /// <summary>By the records: from the failure to the commit of the step that failed.</summary>
    private readonly List<long> _recoveriesMs = [];

    [Fact]
    public async Task S02_KilledAtRandomMoments_AlwaysEndsTheSame()
    {
        await using var world = await World.StartAsync(CompanyX.Script.Replace("    answer:", $"    delay: {CallMs}ms\n    answer:", StringComparison.Ordinal));
        await CompanyX.SaveAsync(world.Client, world.Receiver);
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = "send_offer", ["delay"] = $"{CallMs}ms" });
        var records = await TellAsync(world, "cus_0", _ => Task.FromResult(0));
        World.Say($"undisturbed: {records} records; seed {Surroundings.Seed}, {Surroundings.Kills} kills");

        var random = new Random(Surroundings.Seed);
        for (var kill = 1; kill <= Surroundings.Kills; kill++)
        {
            var (record, afterMs) = (random.Next(records + 1), random.Next(AfterRecordMaxMs));
            int[] againAfterMs = kill % 3 == 0 ? [random.Next(AfterRecordMaxMs)] : [];
            World.Say($"kill {kill}: {afterMs} ms after record {record}{string.Concat(againAfterMs.Select(ms => $", and {ms} ms after the next start"))}");
            await TellAsync(world, $"cus_{kill}", started => KillAsync(world.Omium, started, record, [afterMs, .. againAfterMs]));
        }

        await AssertFiguresAsync(world);
    }

    /// <summary>After all the kills every failure, recovery and decision is counted once, and the percentiles are those of the records.</summary>
    private async Task AssertFiguresAsync(World world)
    {
        var runs = _recoveriesMs.Count;
        var total = (await world.Client.GetAsync("/v1/analytics/recovery"))["total"]!;
        Assert.Equal((runs, runs, 1.0), ((int)total["executions"]!, (int)total["succeeded"]!, (double)total["success_rate"]!));
        Assert.Equal((runs, 0, runs, runs), ((int)total["failures"]!, (int)total["open"]!, (int)total["recovered"]!, (int)total["recovered_by"]!["rollback"]!));
        Assert.Equal(runs, (int)total["interventions"]!);
        _recoveriesMs.Sort();
        Assert.Equal((_recoveriesMs[(runs - 1) / 2], _recoveriesMs[^1]), ((long)total["recovery_ms_p50"]!, (long)total["recovery_ms_p99"]!));
    }

    /// <summary>The story from start to end; <paramref name="kill"/> runs beside it and answers how often it killed. Answers the number of records.</summary>
    private async Task<int> TellAsync(World world, string customer, Func<Task<string>, Task<int>> kill)
    {
        using var caller = new OmiumClient(world.Omium, isPersistent: true);
        var before = world.Model.Requests().Count;
        var started = new TaskCompletionSource<string>();
        var killing = kill(started.Task);

        // Repeated with the same start_key, a start that was cut off begins nothing new.
        var begun = (await caller.PostAsync("/v1/executions", CompanyX.Start(customer, startKey: customer))).Json;
        var execution = (string)begun["id"]!;
        started.SetResult(execution);
        var paused = await caller.WaitForStatusAsync(execution, "paused");
        var failure = await CompanyX.FailureAsync(caller, paused);
        Assert.Equal("passed", (string?)(await CompanyX.TestAsync(caller, failure))["outcome"]);
        (await CompanyX.DecideEditAsync(caller, failure)).Expect(HttpStatusCode.OK);
        await caller.WaitForStatusAsync(execution, "succeeded");
        var kills = await killing;

        var records = await AssertOutcomeAsync(world, caller, execution, customer);
        AssertAsked([.. world.Model.Requests().Skip(before)], kills, caller.Repeated);
        _recoveriesMs.Add((long)(records.TimeOf("step.committed", "terms") - records.TimeOf("step.failed", "terms")).TotalMilliseconds);
        return records.Count;
    }

    private static async Task<IReadOnlyList<JsonNode>> AssertOutcomeAsync(World world, OmiumClient caller, string execution, string customer)
    {
        var offers = (await world.Receiver.CountAsync("send_offer")).Lines.Where(line => (string?)line["body"]!["customer_id"] == customer).ToList();
        var offer = Assert.Single(offers, line => (string?)line["kind"] == "effect");
        Assert.Equal(5.2, (double)offer["body"]!["apr"]!);
        Assert.All(offers, line => Assert.Equal((string?)offer["idempotency_key"], (string?)line["idempotency_key"]));

        var records = await caller.RecordsAsync(execution);
        Assert.All(["kyc", "score", "terms", "offer"], step => Assert.Equal(1, CompanyX.Committed(records, step)));
        Assert.Single(records.Events("review.decided"));
        Assert.Equal("identical", (string?)(await caller.GetAsync($"/v1/executions/{execution}/verify"))["verdict"]);
        return records;
    }

    private static void AssertAsked(List<JsonNode> requests, int kills, int repeated)
    {
        int Of(string role) => requests.Count(request => (string?)request["agent"] == role);
        var asked = (Of(CompanyX.Kyc), Of(CompanyX.Score), Of(CompanyX.Terms));
        World.Say($"  asked {asked}, requests sent again {repeated}");
        Assert.InRange(asked.Item1, 1, 1 + kills);
        Assert.InRange(asked.Item2, 1, 1 + kills);
        Assert.InRange(asked.Item3, 3, 3 + kills);
        Assert.InRange(requests.Count, 5, 5 + kills); // One kill meets at most one call in flight.
    }

    private static async Task<int> KillAsync(OmiumProcess omium, Task<string> started, int record, int[] momentsMs)
    {
        if (record > 0 && !await AppearsAsync(omium, await started, record))
        {
            return 0;
        }

        foreach (var ms in momentsMs)
        {
            await Task.Delay(ms); // The fault itself, not a wait for something: this is the moment that was drawn.
            omium.KillHard();
            await omium.StartAgainAsync();
        }

        return momentsMs.Length;
    }

    private static async Task<bool> AppearsAsync(OmiumProcess omium, string execution, int record)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await foreach (var seen in new EventStream(omium, execution).ReadAsync(0, limit.Token))
        {
            if ((long)seen["seq"]! >= record)
            {
                return true;
            }
        }

        return false;
    }
}
