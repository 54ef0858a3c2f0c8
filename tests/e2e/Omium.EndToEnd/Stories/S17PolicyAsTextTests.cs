using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>
/// S17: the recovery policy as text. It is put once for the tenant and serves every workflow that names none; an execution keeps the one that it was
/// started under. A dry run says what a policy would have caught, and touches nothing.
/// </summary>
public sealed class S17PolicyAsTextTests
{
    /// <summary>As the design writes it, to the letter.</summary>
    private const string Verbatim = """
        rollback_triggers:
          - hallucination_detected: true
          - policy_violation: true
          - high_value_operation: true  # > $10K
        recovery_actions:
          - rollback_to_last_checkpoint: true
          - pause_and_notify: true
          - await_human_review: true
          - allowed_edits: ["prompt", "constraints", "tool_selection"]
          - forbidden_edits: ["core_logic", "agent_count"]
        retry_policy:
          max_retries: 3
          backoff: exponential(1s, 10s)
          condition: "same_failure_not_detected_twice"
        """;

    private const string Rules = """
        rules:
          - on: [hallucination]
            when: has(input.lenient) && input.lenient && failure.attempt == 1
            do: [skip]
          - on: [hallucination]
            do: [retry]
            limit: 1
          - on: [hallucination]
            do: [{notify: ops}, pause, {escalate_to: risk_officer}]
        retry_policy: {max_retries: 3, backoff: constant(10ms)}
        """;

    private const string Script = """
        rules:
          - name: mended
            when: {agent: Terms agent, prompt_contains: never 0}
            answer: {json: {apr: 5.2}}
          - name: makes it up
            when: {agent: Terms agent}
            answer: {json: {apr: 0}}
        """;

    [Fact]
    public async Task S17_TheTextAsWritten_ServesTheTenantAndIsPinnedAtTheStart()
    {
        await using var world = await World.StartAsync(Script);
        await world.Client.SaveAsync(Spec("offers"));
        var none = await world.Client.GetAsync("/v1/policies");
        Assert.Equal((0, null), ((int?)none["version"], none["policy"]));
        Assert.Equal("failed", (string?)(await RunAsync(world, "offers", "succeeded", "failed"))["status"]); // The built-in policy fails it.

        var put = (await PutAsync(world, Verbatim)).Expect(HttpStatusCode.OK);
        Assert.Equal((1, 0), ((int?)put["version"], put["warnings"]!.AsArray().Count));
        Assert.Equal(1, (int?)(await PutAsync(world, Verbatim)).Expect(HttpStatusCode.OK)["version"]); // The same again is no new version.
        var paused = await RunAsync(world, "offers", "paused");
        Assert.Equal(["score committed", "terms rolled_back"], paused["steps"]!.AsArray().Select(step => $"{step!["step"]} {step["status"]}"));
        var review = await ReviewAsync(world, paused);
        Assert.Equal(["prompt", "constraints", "tool_selection"], review["allowed_edits"]!.AsArray().Select(edit => (string)edit!));
        Assert.Equal(["core_logic", "agent_count"], review["forbidden_edits"]!.AsArray().Select(edit => (string)edit!));

        // The next version serves what is started afterwards; what was started before keeps its own.
        Assert.Equal(2, (int?)(await PutAsync(world, """{rules: [{on: [hallucination], do: [skip]}]}""")).Expect(HttpStatusCode.OK)["version"]);
        Assert.Equal("succeeded", (string?)(await RunAsync(world, "offers", "succeeded", "paused"))["status"]);
        await DecideAsync(world, review, "approve");
        var again = await world.Client.WaitForStatusAsync((string)paused["id"]!, "paused");
        Assert.Equal("prompt", (string?)(await ReviewAsync(world, again))["allowed_edits"]![0]);
        await DecideAsync(world, await ReviewAsync(world, again), "edit", new JsonObject { ["prompt"] = "An APR is never 0." });
        await world.Client.WaitForStatusAsync((string)paused["id"]!, "succeeded");
        await Payments.AssertVerifiesAsync(world.Client, (string)paused["id"]!);

        // A workflow that names a policy has that one.
        await world.Client.SaveAsync(Spec("strict") + "\nrecovery:\n" + Indented(Verbatim));
        await RunAsync(world, "strict", "paused");
        Assert.Equal([1, 2], (await world.Client.GetAsync("/v1/policies/versions"))["items"]!.AsArray().Select(version => (int)version!["version"]!));
    }

    [Fact]
    public async Task S17_ForbiddenEditsAndBadPolicies_AreRefused()
    {
        await using var world = await World.StartAsync(Script);
        await world.Client.SaveAsync(Spec("offers"));
        var strict = Verbatim.Replace("\"prompt\", \"constraints\", \"tool_selection\"", "\"constraints\"", StringComparison.Ordinal).Replace("\"core_logic\"", "\"prompt\", \"core_logic\"", StringComparison.Ordinal);
        (await PutAsync(world, strict)).Expect(HttpStatusCode.OK);
        var review = await ReviewAsync(world, await RunAsync(world, "offers", "paused"));
        var prompt = new JsonObject { ["prompt"] = "An APR is never 0." };
        var edit = new JsonObject { ["decision"] = "edit", ["digest"] = (string)review["digest"]!, ["edits"] = prompt.DeepClone() };
        (await world.Client.PostAsync($"/v1/reviews/{review["id"]}/decide", edit)).ExpectProblem(HttpStatusCode.Forbidden, "edit_forbidden");
        (await world.Client.PostAsync($"/v1/reviews/{review["id"]}/test", new JsonObject { ["edits"] = prompt.DeepClone() })).ExpectProblem(HttpStatusCode.Forbidden, "edit_forbidden");
        edit["edits"] = new JsonObject { ["core_logic"] = "skip the guard" };
        (await world.Client.PostAsync($"/v1/reviews/{review["id"]}/decide", edit)).ExpectProblem(HttpStatusCode.UnprocessableEntity, "validation_failed");
        edit["edits"] = new JsonObject { ["tools"] = new JsonArray() };
        (await world.Client.PostAsync($"/v1/reviews/{review["id"]}/decide", edit)).ExpectProblem(HttpStatusCode.Forbidden, "edit_forbidden"); // Not allowed is forbidden, too.

        var wrong = (await PutAsync(world, """{rollback_triggers: [{halucination: true}], recovery_actions: [{roll_back: true}], retry_policy: {max_retries: 1000}}"""))
            .ExpectProblem(HttpStatusCode.UnprocessableEntity, "validation_failed");
        Assert.Equal(
            ["/recovery_actions/0/roll_back unknown_action", "/retry_policy/max_retries out_of_bounds", "/rollback_triggers/0/halucination unknown_trigger"],
            wrong["errors"]!.AsArray().Select(error => $"{error!["pointer"]} {error["code"]}").Order(StringComparer.Ordinal));
        var stale = await world.Client.SendAsync(HttpMethod.Put, "/v1/policies", Verbatim, "text/yaml", ("If-Match", "\"made-up\""));
        stale.ExpectProblem(HttpStatusCode.PreconditionFailed, "precondition_failed");
        Assert.Equal(1, (int?)(await world.Client.GetAsync("/v1/policies"))["version"]);
    }

    [Fact]
    public async Task S17_TheRulesForm_WhenLimitNotifyAndEscalate_AsWritten()
    {
        await using var world = await World.StartAsync(Script, variables: receiver => new Dictionary<string, string>
        {
            ["OMIUM_NOTIFY_CHANNELS"] = "ops", ["OMIUM_NOTIFY_OPS_URL"] = $"{receiver}effects/told", ["OMIUM_NOTIFY_OPS_SECRET"] = "s3cret",
        });
        await world.Client.SaveAsync(Spec("offers"));
        (await PutAsync(world, Rules)).Expect(HttpStatusCode.OK);

        var lenient = await RunAsync(world, "offers", ["succeeded", "paused"], new JsonObject { ["lenient"] = true });
        Assert.Equal(("succeeded", "skipped"), ((string?)lenient["status"], (string?)lenient["steps"]![1]!["status"]));

        var paused = await RunAsync(world, "offers", "paused", "failed");
        Assert.Equal(2, paused["steps"]![1]!["failures"]!.AsArray().Count); // Once by the rule with a limit of one.
        var review = await ReviewAsync(world, paused);
        Assert.Equal("risk_officer", (string?)review["role"]);
        var told = Assert.Single((await world.Receiver.WaitAsync("told", effects: 1)).Lines)!["body"]!;
        Assert.Equal(("ops", "failure", (string?)paused["id"], "terms"), ((string?)told["channel"], (string?)told["kind"], (string?)told["execution"], (string?)told["step"]));
        Assert.Empty((await world.Client.GetAsync($"/v1/executions/{paused["id"]}"))["undelivered_notifications"]!.AsArray());
    }

    [Fact]
    public async Task S17_DryRunOverPastFailures_ListsWhatItWouldHaveCaughtAndTouchesNothing()
    {
        await using var world = await World.StartAsync(Script);
        await world.Client.SaveAsync(Spec("offers"));
        await world.Client.SaveAsync(Spec("broken", "int('x') == 1"));
        var runs = new List<string>();
        for (var run = 1; run <= 5; run++)
        {
            runs.Add((string)(await RunAsync(world, run % 3 == 0 ? "broken" : "offers", "failed"))["id"]!);
        }

        var before = await Task.WhenAll(runs.Select(world.Client.RecordsAsync));
        var asked = world.Model.Requests().Count;
        var trial = await DryRunAsync(world, new JsonObject { ["policy"] = Verbatim });

        Assert.Equal((4, 5, null), ((int)trial["caught"]!, (int)trial["examined"]!, (string?)trial["next_cursor"]));
        Assert.Equal(runs.AsEnumerable().Reverse(), trial["items"]!.AsArray().Select(item => (string)item!["execution"]!));
        var caught = trial["items"]![0]!;
        Assert.Equal(("hallucination", "trigger", true, "failed"), ((string?)caught["class"], (string?)caught["by"], (bool)caught["caught"]!, (string?)caught["outcome"]));
        Assert.Equal(["rollback_to: last", "pause", "notify", "await_review"], caught["would"]!.AsArray().Select(action => (string)action!));
        Assert.Contains("Failed at terms: hallucination", caught["was"]!.AsArray().Select(action => (string)action!));
        var missed = trial["items"]!.AsArray().Single(item => !(bool)item!["caught"]!)!;
        Assert.Equal(("broken", "guard_failed"), ((string?)missed["workflow"], (string?)missed["class"]));

        // By pages it comes to the same, and its limits are honoured; a rule's condition and limit are, too.
        var (found, cursor) = (0, (string?)null);
        do
        {
            var page = await DryRunAsync(world, new JsonObject { ["policy"] = Verbatim, ["limit"] = 2, ["cursor"] = cursor });
            found += (int)page["caught"]!;
            cursor = (string?)page["next_cursor"];
        }
        while (cursor is not null);
        Assert.Equal(4, found);
        Assert.Equal(0, (int)(await DryRunAsync(world, new JsonObject { ["policy"] = Verbatim, ["workflow"] = "broken" }))["caught"]!);
        var ruled = await DryRunAsync(world, new JsonObject { ["policy"] = Rules });
        Assert.Equal(("rule", 2), ((string?)ruled["items"]![0]!["by"], (int?)ruled["items"]![0]!["rule"]));
        (await world.Client.PostAsync("/v1/policies/dry-run", new JsonObject { ["policy"] = "rules: [{do: [explode]}]" })).ExpectProblem(HttpStatusCode.UnprocessableEntity, "validation_failed");

        Assert.Equal(before.SelectMany(Hashes), (await Task.WhenAll(runs.Select(world.Client.RecordsAsync))).SelectMany(Hashes));
        Assert.Equal(asked, world.Model.Requests().Count);
    }

    private static IEnumerable<string> Hashes(IReadOnlyList<JsonNode> records) => records.Select(record => (string)record["hash"]!);

    private static async Task<JsonNode> DryRunAsync(World world, JsonObject body) => (await world.Client.PostAsync("/v1/policies/dry-run", body)).Expect(HttpStatusCode.OK);

    private static Task<Reply> PutAsync(World world, string yaml) => world.Client.SendAsync(HttpMethod.Put, "/v1/policies", yaml, "text/yaml");

    private static Task<JsonNode> RunAsync(World world, string workflow, params string[] statuses) => RunAsync(world, workflow, statuses, []);

    private static async Task<JsonNode> RunAsync(World world, string workflow, string[] statuses, JsonObject input)
    {
        var start = new JsonObject { ["workflow"] = workflow, ["input"] = input };
        var run = (string)(await world.Client.PostAsync("/v1/executions", start)).Expect(HttpStatusCode.Created)["id"]!;
        return await world.Client.WaitForStatusAsync(run, statuses);
    }

    private static Task<JsonNode> ReviewAsync(World world, JsonNode view) => world.Client.GetAsync($"/v1/reviews/{Assert.Single(view["open_reviews"]!.AsArray())}");

    private static async Task DecideAsync(World world, JsonNode review, string decision, JsonObject? edits = null)
    {
        var body = new JsonObject { ["decision"] = decision, ["digest"] = (string)review["digest"]! };
        if (edits is not null)
        {
            body["edits"] = edits;
        }

        (await world.Client.PostAsync($"/v1/reviews/{review["id"]}/decide", body)).Expect(HttpStatusCode.OK);
    }

    private static string Indented(string yaml) => string.Join('\n', yaml.Split('\n').Select(line => "  " + line));

    /// <summary>A decision, then terms from an agent that are checked; it names no policy.</summary>
    private static string Spec(string name, string? broken = null) => $$$"""
        omium: v0
        name: {{{name}}}
        agents:
          terms: {role: Terms agent, prompt: Give terms.}
        steps:
          - {id: score, type: decision, input: {score: 750} }
          - id: terms
            type: agent_task
            agent: terms
            needs: [score]
            input: {score: "${{ steps.score.output.score }}"}
            output: {schema: {type: object, required: [apr], properties: {apr: {type: number} } } }
            guards:
              post:
                - {check: "{{{broken ?? "output.apr >= 2.5"}}}", code: {{{(broken is null ? "hallucination" : "guard_failed")}}}, message: The APR is made up. }
        """;
}
