using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S11: three reviewers, two must agree. Two against one passes and records the dissent; one, one and one pauses for a person.</summary>
public sealed class S11QuorumTests
{
    [Fact]
    public async Task S11_TwoAgainstOne_PassesAndRecordsTheDissent()
    {
        await using var world = await World.StartAsync(Script("approve", "reject", "approve"));
        var execution = await StartAsync(world);
        var finished = await world.Client.WaitForStatusAsync(execution, "succeeded");

        Assert.Equal("4.5", finished["output"]!["terms"]!["apr"]!.ToJsonString());
        var records = await world.Client.RecordsAsync(execution);
        var verdicts = Assert.Single(Assert.Single(finished["steps"]!.AsArray())!["verifications"]!.AsArray())!["verdicts"]!.AsArray();
        Assert.Equal("reject", (string?)verdicts.Single(verdict => (string?)verdict!["agent"] == "reviewer_b")!["verdict"]);
        var agreed = Assert.Single(records.Events("verification.agreed"));
        Assert.Equal(2, (int?)agreed["for"]);
        Assert.Equal(("reviewer_b", "too low for this risk"), Dissent(records));
        Assert.All(["Reviewer A", "Reviewer B", "Reviewer C"], role => Assert.Equal(1, world.Model.CountOf(role)));
        Assert.All(world.Model.Requests().Skip(1), request => Assert.Empty(request["tools"]?.AsArray() ?? []));
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    [Fact]
    public async Task S11_OneOneOne_PausesWithEveryVerdictAndAPersonHasTheLastWord()
    {
        await using var world = await World.StartAsync(Script("approve", "reject", "abstain"));
        var execution = await StartAsync(world);
        var paused = await world.Client.WaitForStatusAsync(execution, "paused");
        var review = await world.Client.GetAsync($"/v1/reviews/{Assert.Single(paused["open_reviews"]!.AsArray())}");
        Assert.Equal("verification", (string?)review["kind"]);
        Assert.Equal(["reviewer_a approve", "reviewer_b reject", "reviewer_c abstain"], review["shown"]!["verdicts"]!.AsArray().Select(verdict => $"{verdict!["agent"]} {verdict["verdict"]}"));
        Assert.Equal("4.5", review["shown"]!["output"]!["apr"]!.ToJsonString());

        world.Omium.KillHard();
        await world.Omium.StartAgainAsync();
        Assert.Equal("paused", (string?)(await world.Client.GetAsync($"/v1/executions/{execution}"))["status"]);
        (await Payments.DecideAsync(world.Client, review, "approve", note: "B misread the risk.")).Expect(HttpStatusCode.OK);
        await world.Client.WaitForStatusAsync(execution, "succeeded");

        Assert.Equal(4, world.Model.Requests().Count); // Nobody was asked a second time.
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    /// <summary>Two have answered and the third thinks when Omium is killed: only the third is asked again.</summary>
    [Fact]
    public async Task S11_KilledBetweenTheAnswers_AsksNobodyTwiceWhoseAnswerIsOnRecord()
    {
        await using var world = await World.StartAsync(Script("reject", "approve", "approve", slowThird: true));
        var execution = await StartAsync(world);
        await UntilAnsweredAsync(world, execution, 2);
        world.Omium.KillHard();
        await world.Omium.StartAgainAsync();
        await world.Client.WaitForStatusAsync(execution, "succeeded");

        Assert.Equal((1, 1, 2), (world.Model.CountOf("Reviewer A"), world.Model.CountOf("Reviewer B"), world.Model.CountOf("Reviewer C")));
        Assert.Equal(("reviewer_a", "too low for this risk"), Dissent(await world.Client.RecordsAsync(execution)));
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    /// <summary>A call that cannot be made unseen: its arguments are judged before the intent, and refused arguments never leave.</summary>
    [Fact]
    public async Task S11_ArgumentsOfACall_AreVerifiedBeforeItsIntent()
    {
        await using var world = await World.StartAsync(Script("reject", "reject", "approve"));
        await world.Client.SaveAsync(CallSpec(world.Receiver.Address));
        var execution = (string)(await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "verified-call" })).Expect(HttpStatusCode.Created)["id"]!;
        await world.Client.WaitForStatusAsync(execution, "failed");

        var records = await world.Client.RecordsAsync(execution);
        Assert.Equal("missing_verification", (string?)Assert.Single(records.Events("execution.failed"))["class"]);
        Assert.Empty(records.Events("intent.recorded"));
        Assert.Equal(0, (await world.Receiver.CountAsync("pay")).Requests);
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    private static async Task UntilAnsweredAsync(World world, string execution, int count)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while ((await world.Client.RecordsAsync(execution)).Events("verifier.answered").Count < count)
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    private static (string?, string?) Dissent(IReadOnlyList<JsonNode> records)
    {
        var dissent = Assert.Single(Assert.Single(records.Events("verification.agreed"))["dissent"]?.AsArray() ?? [], verdict => (string?)verdict!["verdict"] == "reject")!;
        return ((string?)dissent["agent"], (string?)dissent["reason"]);
    }

    private static async Task<string> StartAsync(World world)
    {
        await world.Client.SaveAsync(Spec);
        return (string)(await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "verified" })).Expect(HttpStatusCode.Created)["id"]!;
    }

    /// <summary>The dissenter answers at once, the others a little later, so that its word is in before the decision.</summary>
    private static string Script(string a, string b, string c, bool slowThird = false)
    {
        var rules = new List<string> { "{when: {agent: Terms}, answer: {json: {apr: 4.5}}}", Rule("agent: Reviewer A", Delay(a), a), Rule("agent: Reviewer B", Delay(b), b) };
        if (slowThird)
        {
            rules.Add(Rule("agent: Reviewer C, nth: 1", "60s", c));
        }

        rules.Add(Rule("agent: Reviewer C", Delay(c), c));
        return "rules:\n" + string.Concat(rules.Select(rule => $"  - {rule}\n"));
    }

    private static string Rule(string when, string delay, string verdict)
    {
        var reason = verdict switch { "reject" => "too low for this risk", "approve" => "within the rules", _ => "no data to judge by" };
        return $$$"""{when: { {{{when}}} }, delay: {{{delay}}}, answer: {json: {verdict: {{{verdict}}}, reason: "{{{reason}}}"} } }""";
    }

    private static string Delay(string verdict) => verdict == "reject" ? "1ms" : "400ms";

    private const string Agents = """
          reviewer_a: {role: Reviewer A, prompt: Check the terms.}
          reviewer_b: {role: Reviewer B, prompt: Check the risk.}
          reviewer_c: {role: Reviewer C, prompt: Check the sums.}
        """;

    private const string Spec = $"""
        omium: v0
        name: verified
        agents:
          terms:
            role: Terms
            prompt: Offer terms.
        {Agents}
        steps:
          - id: terms
            type: agent_task
            agent: terms
            output:
              schema:
                type: object
                required: [apr]
            verifiers:
              quorum: 2
              of: [reviewer_a, reviewer_b, reviewer_c]
        """;

    private static string CallSpec(Uri receiver) => $$$"""
        omium: v0
        name: verified-call
        agents:
        {{{Agents}}}
        tools:
          pay: {type: http, url: "{{{receiver}}}effects/pay", effect: {kind: idempotent, compensate: refund} }
          refund: {type: http, url: "{{{receiver}}}effects/refund", effect: {kind: idempotent, compensate: refund} }
        steps:
          - id: pay
            type: tool_call
            tool: pay
            input: {amount: 12}
            verifiers:
              quorum: 2
              of: [reviewer_a, reviewer_b, reviewer_c]
        """;
}
