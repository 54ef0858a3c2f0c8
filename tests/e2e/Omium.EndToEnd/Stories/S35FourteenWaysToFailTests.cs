using System.Globalization;
using System.Net;
using System.Text;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>
/// S35: each of the fourteen modes of MAST is injected into a team of agents and is caught before anything leaves; each has a clean twin that must
/// pass. docs/reference/mast.md is what this test saw: it fails when the page says something else (OMIUM_GOLDEN=write writes it).
/// </summary>
public sealed class S35FourteenWaysToFailTests
{
    [Fact]
    public async Task S35_EveryMode_IsCaughtBeforeAnEffect_AndItsCleanTwinPasses()
    {
        await using var world = await World.StartAsync(Script());
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = "lookup_order", ["answer"] = new JsonObject { ["total"] = 59.9, ["flag"] = "late parcel" } });
        await world.Client.SaveAsync(RefundTeam.Spec(world.Receiver.Address));
        var rows = new List<string>();
        foreach (var mode in MastCase.All)
        {
            var caught = await InjectedAsync(world, mode);
            var twin = await TwinAsync(world, mode);
            rows.Add($"| {mode.Mode} | {mode.Name} | {mode.Injected} | {caught.Where} | `{caught.Class}` | {caught.Leaked} | {caught.Guard} | {mode.Twin} | {twin} | {(mode.Judge.Length == 0 ? "" : mode.Judge)} |");
        }

        Assert.Equal(14, rows.Count);
        AssertPage(Page(rows));
    }

    private static string Script()
    {
        var rules = new StringBuilder("rules:\n");
        foreach (var mode in MastCase.All)
        {
            Add(rules, mode.Rules, Tag(mode, "injected"));
            Add(rules, mode.TwinRules, Tag(mode, "clean"));
        }

        return rules.Append(RefundTeam.Clean).ToString();
    }

    private static void Add(StringBuilder script, string rules, string tag)
    {
        foreach (var line in rules.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            script.Append("  ").AppendLine(line.Replace("CASE", tag, StringComparison.Ordinal));
        }
    }

    private static string Tag(MastCase mode, string which) => $"{mode.Mode} {which}";

    /// <summary>The injected run fails with the mode's class, nothing is paid or unpaid, and the failure page shows class and mode.</summary>
    private static async Task<(string Where, string Class, int Leaked, string Guard)> InjectedAsync(World world, MastCase mode)
    {
        var before = await PaidAsync(world);
        await CoverAsync(world, mode.Class != "incorrect_verification");
        var view = await RunAsync(world, mode, "injected");
        Assert.True((string?)view["status"] == "failed", $"{mode.Mode} was not caught: {view.ToJsonString()}");
        var execution = (string)view["id"]!;
        var records = await world.Client.RecordsAsync(execution);
        var failed = records.Events("step.failed").Single();
        Assert.Equal(mode.Class, (string?)failed["class"]);
        var leaked = await PaidAsync(world) - before;
        Assert.Equal(0, leaked);
        Assert.Empty(records.Events("intent.recorded"));

        var page = await world.Client.GetAsync($"/v1/failures/{execution}.{failed["step"]}.{failed["visit"]}.{failed["attempt"]}");
        Assert.Equal(mode.Class, (string?)page["failure"]!["class"]);
        Assert.Equal($"{mode.Mode} {mode.Name}", (string?)page["mode"]);
        var (where, guard) = Place(records, failed);
        return (where, (string)failed["class"]!, leaked, guard);
    }

    /// <summary>The twin succeeds without a failed attempt and pays what it should.</summary>
    private static async Task<string> TwinAsync(World world, MastCase mode)
    {
        var before = await PaidAsync(world);
        await CoverAsync(world, covered: true);
        var view = await RunAsync(world, mode, "clean");
        var records = await world.Client.RecordsAsync((string)view["id"]!);
        var alarms = records.Events("step.failed").Concat(records.Events("guard.failed")).Select(alarm => alarm.ToJsonString());
        Assert.True((string?)view["status"] == "succeeded", $"A false alarm for {mode.Mode}: {string.Join("\n", alarms)}");
        Assert.Empty(alarms);
        var paid = await PaidAsync(world) - before;
        Assert.Equal(mode.TwinPays, paid);
        return string.Create(CultureInfo.InvariantCulture, $"passes, {paid} paid");
    }

    private static async Task<JsonNode> RunAsync(World world, MastCase mode, string which)
    {
        var input = new JsonObject { ["case"] = Tag(mode, which), ["order_id"] = "A-17", ["message"] = "My parcel came late." };
        if (mode.Account)
        {
            input["account"] = "DE-44";
        }

        return (await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "refund-team", ["input"] = input }, waitSeconds: 30)).Expect(HttpStatusCode.Created);
    }

    private static async Task<int> PaidAsync(World world) =>
        (await world.Receiver.CountAsync(RefundTeam.Pay)).Requests + (await world.Receiver.CountAsync("team_unpay")).Requests;

    private static Task CoverAsync(World world, bool covered) =>
        world.Receiver.ControlAsync(new JsonObject { ["name"] = "check_ledger", ["answer"] = new JsonObject { ["covered"] = covered } });

    /// <summary>Where it was caught and by which guard of the author's, as the log says.</summary>
    private static (string Where, string Guard) Place(IReadOnlyList<JsonNode> records, JsonNode failed)
    {
        var step = (string)failed["step"]!;
        if (records.Events("guard.failed") is not [.., var guard])
        {
            return ($"`{step}`, by the kernel: `{failed["code"]}`", "none: built in");
        }

        var check = (string)guard["check"]!;
        var form = check switch
        {
            _ when check.StartsWith("unused(", StringComparison.Ordinal) => "`uses`",
            _ when check.StartsWith("ungrounded(", StringComparison.Ordinal) => "`grounded`",
            _ when check.StartsWith("planned(", StringComparison.Ordinal) => "`plan: turn`",
            _ when check.StartsWith("undone(", StringComparison.Ordinal) => "`called`",
            _ when check.Contains("blank(", StringComparison.Ordinal) => "`asks`",
            _ => "`check`",
        };
        return (string?)guard["phase"] == "call"
            ? ($"`{step}`, on the call, before it is on record", $"{form} in `guards.calls`".Replace("`plan: turn` in `guards.calls`", "`plan: turn`", StringComparison.Ordinal))
            : ($"`{step}`, on the answer, before the commit", $"{form} in `guards.post`");
    }

    private static string Page(IEnumerable<string> rows) => $"""
        # MAST: fourteen ways to fail, and what catches them

        One team of five scripted agents (intake, research, decision, check, payment) with one set of guards plays every mode of
        [MAST](failure-classes.md#the-fourteen-modes-of-mast) once wrongly and once rightly. The receiver outside Omium counts what leaked. The table is what the test of
        story S35 saw in its last run; the test fails when it sees something else. The workflow and the script are `RefundTeam.cs` and `MastCases.cs` beside it.

        The models are scripted: the table shows that these guards catch these injections and let these twins pass, not how often real models fail so. *Needs a judge for* is
        what of the mode no guard can find, and a person or a model as judge must.

        | mode | name | injected | caught where | class | effects leaked | guard the author wrote | clean twin | its result | needs a judge for |
        |---|---|---|---|---|---|---|---|---|---|
        {string.Join('\n', rows)}

        """;

    private static void AssertPage(string page)
    {
        var path = Path.Combine(Surroundings.Root, "docs", "reference", "mast.md");
        World.Say(page);
        if (Environment.GetEnvironmentVariable("OMIUM_GOLDEN") == "write")
        {
            File.WriteAllText(path, page);
        }

        Assert.Equal(File.ReadAllText(path), page);
    }
}
