using System.Net;
using Omium.EndToEnd.Harness;
using Omium.EndToEnd.Stories;

namespace Omium.EndToEnd.Crashes;

/// <summary>
/// kill -9 of the program from outside at four moments of an effect: before its intent is recorded, after that and before the effect, after the
/// effect and before its record, after the record. The receiver holds its reply before or after it counts, and the event stream tells when a
/// record is in; so each moment is met exactly, every time. One kill meets one run of every kind.
/// </summary>
/// <remarks>
/// Asserted after each kill: every record that was told before it is still there, with the same hash; every run ends well; the receiver counts each
/// payment once, never twice and never not at all; a person is asked only about the irreversible payment, and only where nobody can know. And before
/// each kill: no commit was acknowledged without its sync. OMIUM_E2E_MATRIX is the number of kills at each moment: 3, and 50 for a full run.
/// </remarks>
public sealed class CrashMatrixTests
{
    /// <summary>Where Omium is killed.</summary>
    private enum Moment
    {
        BeforeIntent,
        AfterIntent,
        AfterEffect,
        AfterRecord,
    }

    [Fact]
    public Task Matrix_KilledBeforeTheIntent_EveryPaymentIsMadeOnce() => KillAllAsync(Moment.BeforeIntent);

    [Fact]
    public Task Matrix_KilledAfterTheIntent_EveryPaymentIsMadeOnceAndAskedAboutOnlyWhereNobodyKnows() => KillAllAsync(Moment.AfterIntent);

    [Fact]
    public Task Matrix_KilledAfterTheEffect_EveryPaymentIsMadeOnceAndAskedAboutOnlyWhereNobodyKnows() => KillAllAsync(Moment.AfterEffect);

    [Fact]
    public Task Matrix_KilledAfterTheRecord_EveryPaymentIsMadeOnce() => KillAllAsync(Moment.AfterRecord);

    private static async Task KillAllAsync(Moment moment)
    {
        await using var world = await World.StartAsync(MatrixWorkflows.Script);
        foreach (var kind in MatrixWorkflows.Kinds)
        {
            await world.Client.SaveAsync(MatrixWorkflows.Spec(kind, world.Receiver.Address));
        }

        var tally = MatrixWorkflows.Kinds.ToDictionary(kind => kind, _ => new Tally());
        for (var round = 1; round <= Surroundings.MatrixKills; round++)
        {
            await RoundAsync(world, moment, round, tally);
        }

        foreach (var (kind, counted) in tally)
        {
            World.Say($"{moment,-12} {kind,-12} {counted}");
            Assert.Equal((0, 0), (counted.Duplicates, counted.Lost));
            var mayBlock = kind == MatrixWorkflows.Irreversible && moment is Moment.AfterIntent or Moment.AfterEffect;
            Assert.Equal(mayBlock ? Surroundings.MatrixKills : 0, counted.Blocked);
        }
    }

    /// <summary>
    /// The same for an undo: in flight before or after it reached the other side, and once it is recorded. A receiver that honours keys may be asked
    /// again; one that does not is looked up first, and never undoes twice.
    /// </summary>
    [Theory]
    [InlineData(MatrixWorkflows.Idempotent)]
    [InlineData(MatrixWorkflows.Verifiable)]
    public async Task Matrix_KilledWhileUndoing_EveryUndoHappensOnce(string kind)
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(MatrixWorkflows.Undone(kind, world.Receiver.Address));
        foreach (var moment in new[] { Moment.AfterIntent, Moment.AfterEffect, Moment.AfterRecord })
        {
            var tally = new Tally();
            for (var round = 1; round <= Surroundings.MatrixKills; round++)
            {
                await UndoAsync(world, kind, moment, round, tally);
            }

            World.Say($"undo, {moment,-12} {kind,-12} {tally}");
            Assert.Equal((0, 0, 0), (tally.Duplicates, tally.Lost, tally.Blocked));
        }
    }

    private static async Task UndoAsync(World world, string kind, Moment moment, int round, Tally tally)
    {
        var (number, name) = ($"{moment}-{round}", $"undo-{moment}-{round}");
        var start = new JsonObject { ["workflow"] = $"undone-{kind}", ["input"] = new JsonObject { ["round"] = number } };
        var run = (string)(await world.Client.PostAsync("/v1/executions", start)).Expect(HttpStatusCode.Created)["id"]!;
        await Payments.ReviewAsync(world.Client, run, "approval");
        if (moment != Moment.AfterRecord)
        {
            await world.Receiver.ControlAsync(new JsonObject { ["name"] = name, [moment == Moment.AfterIntent ? "hold_before_count" : "hold_after_count"] = true });
        }

        (await Bookings.RollBackAsync(world.Client, run, "start")).Expect(HttpStatusCode.OK);
        if (moment == Moment.AfterRecord)
        {
            await Told.UntilAsync(world.Omium, run, "compensation.settled");
        }
        else
        {
            await world.Receiver.WaitAsync(name, holding: 1);
        }

        var told = await world.Client.RecordsAsync(run);
        await Told.AssertSyncedAsync(world);
        world.Omium.KillHard();
        if (moment != Moment.AfterRecord)
        {
            await Held.UntilGoneAsync(world.Receiver, name);
            await world.Receiver.ReleaseAsync(name);
        }

        await world.Omium.StartAgainAsync();
        await world.Client.WaitForStatusAsync(run, "paused");
        var counted = await world.Receiver.CountAsync(name);
        tally.Kills++;
        tally.Requests += counted.Requests;
        tally.Duplicates += Math.Max(0, counted.Effects - 1);
        tally.Lost += counted.Effects == 0 ? 1 : 0;
        tally.Blocked += (await world.Client.GetAsync($"/v1/residue?execution={run}"))["items"]!.AsArray().Count;
        Assert.True(counted.Effects == 1, $"{kind}, killed {moment}: {counted.Effects} undos, {string.Join("; ", counted.Lines.Select(line => line.ToJsonString()))}");
        await Told.AssertKeptAsync(world, run, told);
    }

    /// <summary>The verify tool itself does not know: then a person is asked, and nothing is paid again.</summary>
    [Fact]
    public async Task Matrix_TheVerifyToolDoesNotKnow_APersonSays()
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(MatrixWorkflows.Spec(MatrixWorkflows.Verifiable, world.Receiver.Address));
        var name = MatrixWorkflows.NameOf(MatrixWorkflows.Verifiable, 1);
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = name, ["hold_after_count"] = true, ["state"] = "unknown" });
        var run = await StartAsync(world, MatrixWorkflows.Verifiable, 1);
        await world.Receiver.WaitAsync(name, holding: 1);
        world.Omium.KillHard();
        await Held.UntilGoneAsync(world.Receiver, name);
        await world.Receiver.ReleaseAsync(name);
        await world.Omium.StartAgainAsync();

        var review = await Payments.ReviewAsync(world.Client, run, "in_doubt");
        (await Payments.DecideAsync(world.Client, review, "done", output: new JsonObject { ["id"] = "seen" })).Expect(HttpStatusCode.OK);
        await world.Client.WaitForStatusAsync(run, "succeeded");
        Assert.Equal((1, 1), ((await world.Receiver.CountAsync(name)).Effects, (await world.Receiver.CountAsync(name)).Requests));
        await Payments.AssertVerifiesAsync(world.Client, run);
    }

    private static async Task RoundAsync(World world, Moment moment, int round, Dictionary<string, Tally> tally)
    {
        var before = (await world.Receiver.CountAsync(MatrixWorkflows.Loop)).Effects;
        var held = await HoldAsync(world, moment, round);
        var runs = new Dictionary<string, string>();
        foreach (var kind in MatrixWorkflows.Kinds)
        {
            runs[kind] = await StartAsync(world, kind, round);
        }

        foreach (var (name, count) in held)
        {
            await world.Receiver.WaitAsync(name, holding: count);
        }

        if (moment == Moment.AfterRecord)
        {
            await Task.WhenAll(runs.Values.Select(run => Told.UntilAsync(world.Omium, run, "intent.settled")));
        }

        var told = new Dictionary<string, IReadOnlyList<JsonNode>>();
        foreach (var (kind, run) in runs)
        {
            told[kind] = await world.Client.RecordsAsync(run);
            Assert.Equal(moment == Moment.BeforeIntent ? 0 : 1, told[kind].Events("intent.recorded").Count); // The moment is the one that is meant.
            Assert.Equal(moment == Moment.AfterRecord ? 1 : 0, told[kind].Events("intent.settled").Count);
        }

        await Told.AssertSyncedAsync(world);
        world.Omium.KillHard();
        foreach (var (name, _) in held)
        {
            await Held.UntilGoneAsync(world.Receiver, name);
            await world.Receiver.ReleaseAsync(name);
        }

        await world.Omium.StartAgainAsync();
        foreach (var (kind, run) in runs)
        {
            var paidBefore = kind == MatrixWorkflows.Loop ? before : 0;
            await SettleAsync(world, moment, (kind, run, MatrixWorkflows.NameOf(kind, round)), told[kind], paidBefore, tally[kind]);
        }
    }

    /// <summary>Tells the receiver what to hold, and answers how many requests that will be.</summary>
    private static async Task<IReadOnlyList<(string Name, int Count)>> HoldAsync(World world, Moment moment, int round)
    {
        (string Name, int Count)[] held = moment switch
        {
            Moment.BeforeIntent => [($"before-{round}", MatrixWorkflows.Kinds.Length)],
            Moment.AfterRecord => [($"after-{round}", MatrixWorkflows.Kinds.Length)],
            _ => [.. MatrixWorkflows.Kinds.Select(kind => (MatrixWorkflows.NameOf(kind, round), 1))],
        };
        foreach (var (name, _) in held)
        {
            await world.Receiver.ControlAsync(new JsonObject { ["name"] = name, [moment == Moment.AfterIntent ? "hold_before_count" : "hold_after_count"] = true });
        }

        return held;
    }

    private static async Task<string> StartAsync(World world, string kind, int round)
    {
        var start = new JsonObject { ["workflow"] = $"matrix-{kind}", ["input"] = new JsonObject { ["round"] = $"{round}" } };
        var run = (string)(await world.Client.PostAsync("/v1/executions", start)).Expect(HttpStatusCode.Created)["id"]!;
        if (kind == MatrixWorkflows.Irreversible)
        {
            (await Payments.DecideAsync(world.Client, await Payments.ReviewAsync(world.Client, run, "approval"), "approve")).Expect(HttpStatusCode.OK);
        }

        return run;
    }

    private static async Task SettleAsync(World world, Moment moment, (string Kind, string Run, string Name) paid, IReadOnlyList<JsonNode> told, int paidBefore, Tally tally)
    {
        var view = await world.Client.WaitForStatusAsync(paid.Run, "succeeded", "paused");
        if ((string?)view["status"] == "paused")
        {
            tally.Blocked++;
            Assert.Equal("in_doubt", (string?)view["pause_reason"]);
            var happened = (await world.Receiver.CountAsync(paid.Name)).Effects > paidBefore; // A person looks at the other side.
            var review = await Payments.ReviewAsync(world.Client, paid.Run, "in_doubt");
            (await Payments.DecideAsync(world.Client, review, happened ? "done" : "redo", output: happened ? new JsonObject { ["id"] = "seen" } : null)).Expect(HttpStatusCode.OK);
            await world.Client.WaitForStatusAsync(paid.Run, "succeeded");
        }

        var counted = await world.Receiver.CountAsync(paid.Name);
        var effects = counted.Effects - paidBefore;
        tally.Kills++;
        tally.Requests += counted.Lines.Count(line => ((string?)line["effect_id"])?.StartsWith($"{paid.Run}/", StringComparison.Ordinal) == true);
        tally.Duplicates += Math.Max(0, effects - 1);
        tally.Lost += effects == 0 ? 1 : 0;
        Assert.True(effects == 1, $"{paid.Kind}, killed {moment}: {effects} payments, {string.Join("; ", counted.Lines.Select(line => line.ToJsonString()))}");
        await Told.AssertKeptAsync(world, paid.Run, told);
    }

    private sealed class Tally
    {
        public int Kills { get; set; }

        public int Duplicates { get; set; }

        public int Lost { get; set; }

        public int Blocked { get; set; }

        public int Requests { get; set; }

        public override string ToString() => $"{Kills} kills: {Duplicates} duplicates, {Lost} lost, {Blocked} asked a person, {Requests} requests reached the other side";
    }
}
