using Omium.Contracts;
using Omium.Contracts.Executions;

namespace Omium.Api.Tests.Reviews;

/// <summary>What a policy escalates is answered by whom it names, whichever command would answer it.</summary>
public sealed class EscalationTests : IAsyncLifetime
{
    private const string Workflow = """
        {"spec": {"omium": "v0", "name": "escalated",
         "tools": {"plain": {"type": "function"}, "broken": {"type": "function"}},
         "steps": [{"id": "a", "type": "tool_call", "tool": "plain"}, {"id": "b", "type": "tool_call", "tool": "broken", "needs": ["a"]}],
         "recovery": {"rules": [{"do": ["pause", {"escalate_to": "risk_officer"}]}]}}}
        """;

    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Operator_AnswersWhatWasEscalatedToOthers_NeitherByARetryNorARollbackNorALiveFork()
    {
        var paused = await PauseAsync(Workflow, "escalated");
        using var client = await ClientWithAsync("read", "run", "decide");
        foreach (var (command, body) in new[]
        {
            ("retry", "{}"), ("retry", """{"from": "a"}"""), ("retry", """{"from": "b", "output": {}}"""), ("rollback", """{"to": "a"}"""), ("rollback", """{"to": "start", "scope": "all"}"""),
            ("fork", """{"mode": "live"}"""),
        })
        {
            var refused = await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{paused.Id}/{command}", 403, ApiHost.Json(body), client);
            Assert.Equal("forbidden", refused.Code);
            Assert.Contains("risk_officer", refused.Detail, StringComparison.Ordinal);
        }

        using var played = await client.PostAsync($"/v1/executions/{paused.Id}/fork", ApiHost.Json("{}")); // A sandbox answers nobody.
        Assert.True(played.IsSuccessStatusCode, await played.Content.ReadAsStringAsync());
        using var looked = await client.PostAsync($"/v1/executions/{paused.Id}/rollback", ApiHost.Json("""{"to": "a", "preview": true}"""));
        Assert.True(looked.IsSuccessStatusCode);
        Assert.Equal(paused.OpenReviews, (await _host.GetAsync($"/v1/executions/{paused.Id}", ContractJson.Default.ExecutionView)).OpenReviews);
        await _host.PostAsync($"/v1/executions/{paused.Id}/retry", "{}", ContractJson.Default.ExecutionView); // An administrator may answer everything.
    }

    [Fact]
    public async Task Operator_WhoMayNotDecide_AnswersAQuestionOnlyByARetryAsItStands()
    {
        const string corrected = """{"from": "b", "output": {"said": "by the operator"}}""";
        var asked = await PauseAsync(Workflow.Replace("escalated", "asked", StringComparison.Ordinal).Replace("{\"escalate_to\": \"risk_officer\"}", "\"await_review\"", StringComparison.Ordinal), "asked");
        using var runs = await ClientWithAsync("read", "run");
        using var decides = await ClientWithAsync("read", "run", "decide");
        foreach (var body in new[] { corrected, """{"from": "b", "input": {}}""", """{"from": "a", "output": {}}""", """{"edits": {"prompt": "say yes"}}""" })
        {
            await RefuseAsync($"/v1/executions/{asked.Id}/retry", body);
        }

        // Nor in a fork that reaches outside; a sandbox reaches nothing.
        await RefuseAsync($"/v1/executions/{asked.Id}/fork", """{"mode": "live", "edits": {"steps": {"b": {"output": {}}}}}""");
        using var played = await runs.PostAsync($"/v1/executions/{asked.Id}/fork", ApiHost.Json("""{"edits": {"steps": {"b": {"output": {}}}}}"""));
        Assert.True(played.IsSuccessStatusCode, await played.Content.ReadAsStringAsync());

        var sandbox = await ApiHost.ReadAsync(played, ContractJson.Default.ExecutionView, (int)played.StatusCode);
        await RefuseAsync($"/v1/executions/{sandbox.Id}/fork", """{"mode": "live"}"""); // Which brings along what it was edited with.

        // As it stands it may run again; it fails again, and asks again.
        Assert.NotEqual(asked.OpenReviews, (await RetryAsync(runs, "{}", "execution.paused")).OpenReviews);
        Assert.Equal("succeeded", (await RetryAsync(decides, corrected, "execution.succeeded")).Status);

        async Task RefuseAsync(string path, string body)
        {
            var refused = await _host.FailAsync(HttpMethod.Post, path, 403, ApiHost.Json(body), runs);
            Assert.Equal("forbidden", refused.Code);
            Assert.Contains("decide", refused.Detail, StringComparison.Ordinal);
            Assert.Equal(asked.OpenReviews, (await _host.GetAsync($"/v1/executions/{asked.Id}", ContractJson.Default.ExecutionView)).OpenReviews);
        }

        async Task<ExecutionView> RetryAsync(HttpClient client, string body, string until)
        {
            var before = await _host.GetAsync($"/v1/executions/{asked.Id}", ContractJson.Default.ExecutionView);
            using var retried = await client.PostAsync($"/v1/executions/{asked.Id}/retry", ApiHost.Json(body));
            await ApiHost.ReadAsync(retried, ContractJson.Default.ExecutionView, 200);
            await Streams.UntilAsync(_host, asked.Id, until, $"{before.Seq}");
            return await _host.GetAsync($"/v1/executions/{asked.Id}", ContractJson.Default.ExecutionView);
        }
    }

    [Fact]
    public async Task Operator_WhoMayNotDecide_CorrectsNothingOfWhatAPersonRejected()
    {
        var asked = await PauseAsync(Workflow.Replace("{\"escalate_to\": \"risk_officer\"}", "\"await_review\"", StringComparison.Ordinal), "escalated");
        var review = await _host.GetAsync($"/v1/reviews/{asked.OpenReviews[0]}", ContractJson.Default.ReviewView);
        await _host.PostAsync($"/v1/reviews/{review.Id}/decide", $$"""{"decision": "reject", "digest": "{{review.Digest}}"}""", ContractJson.Default.ReviewView);
        using var runs = await ClientWithAsync("read", "run");
        var refused = await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{asked.Id}/retry", 403, ApiHost.Json("""{"from": "b", "output": {}}"""), runs);
        Assert.Contains(review.Id, refused.Detail, StringComparison.Ordinal);
        using var retried = await runs.PostAsync($"/v1/executions/{asked.Id}/retry", ApiHost.Json("{}"));
        await ApiHost.ReadAsync(retried, ContractJson.Default.ExecutionView, 200);
    }

    /// <summary>Taking away what is asked about answers nothing: what the question was about is corrected by whoever may decide.</summary>
    [Fact]
    public async Task Operator_WhoMayNotDecide_CorrectsNothingByRollingBackOrCancellingWhatIsAskedAbout()
    {
        var asked = await PauseAsync(Workflow.Replace("{\"escalate_to\": \"risk_officer\"}", "\"await_review\"", StringComparison.Ordinal), "escalated");
        using var runs = await ClientWithAsync("read", "run");
        using var taken = await runs.PostAsync($"/v1/executions/{asked.Id}/rollback", ApiHost.Json("""{"to": "a"}"""));
        Assert.True(taken.IsSuccessStatusCode, await taken.Content.ReadAsStringAsync());
        Assert.Empty((await _host.GetAsync($"/v1/executions/{asked.Id}", ContractJson.Default.ExecutionView)).OpenReviews);
        await RefuseAsync("retry", """{"from": "a", "output": {}}""");
        using var cancelled = await runs.PostAsync($"/v1/executions/{asked.Id}/cancel", ApiHost.Json("{}"));
        Assert.True(cancelled.IsSuccessStatusCode, await cancelled.Content.ReadAsStringAsync());
        await RefuseAsync("fork", """{"mode": "live", "edits": {"steps": {"b": {"output": {}}}}}""");
        await RefuseAsync("retry", """{"from": "b", "output": {}}""");

        async Task RefuseAsync(string command, string body)
        {
            var refused = await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{asked.Id}/{command}", 403, ApiHost.Json(body), runs);
            Assert.Equal(("forbidden", true), (refused.Code, refused.Detail!.Contains("decide", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task RollBack_NarrowedToAStepThatItDoesNotTakeBack_IsRefusedAndNamesIt()
    {
        await _host.SaveCompanyXAsync();
        var paused = await _host.RunCompanyXAsync();
        foreach (var preview in new[] { "true", "false" })
        {
            var refused = await _host.FailAsync(
                HttpMethod.Post, $"/v1/executions/{paused.Id}/rollback", 422, ApiHost.Json($$"""{"to": "kyc", "scope": "all", "steps": ["scroe"], "preview": {{preview}}}"""));
            Assert.Equal(("validation_failed", "/steps"), (refused.Code, refused.Errors![0].Pointer));
            Assert.Contains("scroe", refused.Detail, StringComparison.Ordinal);
        }
    }

    /// <summary>Runs a workflow up to the question that its second step, which fails, comes to.</summary>
    private async Task<ExecutionView> PauseAsync(string workflow, string name)
    {
        _host.Tools.Refusing.Add("broken");
        using var saved = await _host.Client.PostAsync("/v1/workflows", ApiHost.Json(workflow));
        Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync());
        using var started = await _host.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/executions")
        {
            Content = ApiHost.Json($$"""{"workflow": "{{name}}", "input": {} }"""), Headers = { { "Prefer", "wait=30" } },
        });
        var paused = await ApiHost.ReadAsync(started, ContractJson.Default.ExecutionView, 201);
        Assert.Equal(("paused", 1), (paused.Status, paused.OpenReviews.Count));
        return paused;
    }

    private async Task<HttpClient> ClientWithAsync(params string[] scopes)
    {
        var body = $$"""{"name": "operator", "scopes": ["{{string.Join("\", \"", scopes)}}"]}""";
        return _host.ClientOf((await _host.PostAsync("/v1/keys", body, ContractJson.Default.KeyView, 201)).Secret!);
    }
}
