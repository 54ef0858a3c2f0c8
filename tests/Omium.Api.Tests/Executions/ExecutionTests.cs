using System.Net;
using Omium.Contracts;
using Omium.Contracts.Executions;

namespace Omium.Api.Tests.Executions;

public sealed class ExecutionTests : IAsyncLifetime
{
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Start_WithoutPrefer_AnswersTheFirstStateAtOnce()
    {
        await _host.SaveCompanyXAsync();
        var started = await _host.PostAsync("/v1/executions", ApiHost.CompanyXStart, ContractJson.Default.ExecutionView, 201);
        Assert.Matches("^exe_[0-9a-hjkmnp-tv-z]{26}$", started.Id);
        Assert.Equal("kyc", started.Steps[0].Step);
    }

    [Fact]
    public async Task Start_TheSameStartKeyTwice_StartsOnce()
    {
        await _host.SaveCompanyXAsync();
        var body = ApiHost.CompanyXStart.Insert(1, "\"start_key\": \"order-7\", ");
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => _host.Client.PostAsync("/v1/executions", ApiHost.Json(body))));
        var ids = new HashSet<string>();
        foreach (var answer in answers)
        {
            Assert.True(answer.IsSuccessStatusCode);
            ids.Add((await ApiHost.ReadAsync(answer, ContractJson.Default.ExecutionView, (int)answer.StatusCode)).Id);
        }

        var again = await _host.PostAsync("/v1/executions", body, ContractJson.Default.ExecutionView, 200);
        Assert.Equal(again.Id, Assert.Single(ids));
        Assert.Single((await _host.GetAsync("/v1/executions", ContractJson.Default.ExecutionPage)).Items);
    }

    [Fact]
    public async Task Start_TheSameIdempotencyKeyWithAnotherBody_IsRefused()
    {
        await _host.SaveCompanyXAsync();
        _host.Client.DefaultRequestHeaders.Add("Idempotency-Key", "k1");
        var first = await _host.PostAsync("/v1/executions", ApiHost.CompanyXStart, ContractJson.Default.ExecutionView, 201);
        Assert.Equal(first.Id, (await _host.PostAsync("/v1/executions", ApiHost.CompanyXStart, ContractJson.Default.ExecutionView)).Id);
        var other = ApiHost.CompanyXStart.Replace("12000", "12001", StringComparison.Ordinal);
        Assert.Equal("idempotency_mismatch", (await _host.FailAsync(HttpMethod.Post, "/v1/executions", 422, ApiHost.Json(other))).Code);
    }

    [Theory]
    [InlineData("{\"customer_id\": \"c\"}", "input_invalid", "/input")]
    [InlineData("{\"omium_ref\": \"x\", \"size\": 1}", "validation_failed", "/input")]
    [InlineData("{\"amount\": 9007199254740993}", "validation_failed", "/input")]
    public async Task Start_InputThatDoesNotFit_Is422(string input, string code, string pointer)
    {
        await _host.SaveCompanyXAsync();
        var problem = await _host.FailAsync(HttpMethod.Post, "/v1/executions", 422, ApiHost.Json($$"""{"workflow": "customer-onboarding", "input": {{input}} }"""));
        Assert.Equal(code, problem.Code);
        Assert.Contains(problem.Errors!, error => error.Pointer.StartsWith(pointer, StringComparison.Ordinal));
    }

    [Fact]
    public async Task LargeInput_IsStoredOnceAndShownWhole()
    {
        const string Spec = """{"spec": {"omium": "v0", "name": "large", "steps": [{"id": "one", "type": "decision", "input": {"text": "${{ input.text }}"}}]}}""";
        await _host.PostAsync("/v1/workflows", Spec, ContractJson.Default.WorkflowView, 201);
        var text = new string('é', 50_000);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/executions") { Content = ApiHost.Json($$"""{"workflow": "large", "input": {"text": "{{text}}"} }""") };
        request.Headers.Add("Prefer", "wait=10");
        using var response = await _host.Client.SendAsync(request);
        var ended = await ApiHost.ReadAsync(response, ContractJson.Default.ExecutionView, 201);

        Assert.Equal("succeeded", ended.Status);
        Assert.Equal(text, ended.Input!.Value.GetProperty("text").GetString());
        Assert.Equal(text, ended.Output!.Value.GetProperty("one").GetProperty("text").GetString());
        Assert.Equal("identical", (await VerifyAsync(ended.Id)).Verdict);
    }

    [Fact]
    public async Task History_OfAPausedRun_AgreesWithItself()
    {
        var paused = await _host.RunCompanyXAsync();
        var path = $"/v1/executions/{paused.Id}";
        var events = await _host.GetAsync($"{path}/events?limit=2", ContractJson.Default.EventPage);
        Assert.Equal(("2", 2), (events.NextCursor, events.Items.Count));
        Assert.Equal(3, (await _host.GetAsync($"{path}/events?limit=2&cursor=2", ContractJson.Default.EventPage)).Items[0].Seq);

        var before = await _host.GetAsync($"{path}/state?at=1", ContractJson.Default.ExecutionView);
        Assert.Equal(("running", 1L, 1), (before.Status, before.Seq, before.Steps.Count));
        var diff = await _host.GetAsync($"{path}/diff?from=1&to=2", ContractJson.Default.DiffView);
        Assert.Contains(diff.Changes, change => change is { Pointer: "/steps/kyc~11/status", Kind: "changed" });
        Assert.Contains(diff.Changes, change => change is { Pointer: "/steps/score~11", Kind: "added" });
        Assert.Empty((await _host.GetAsync($"{path}/diff?from=2&to=2", ContractJson.Default.DiffView)).Changes);

        var timeline = await _host.GetAsync($"{path}/timeline", ContractJson.Default.TimelinePage);
        Assert.Equal("Started customer-onboarding version 1", timeline.Items[0].Title);
        Assert.Contains(timeline.Items, line => line is { Severity: "error", Step: "terms", Kind: "step.failed" });
        var graph = await _host.GetAsync($"{path}/graph", ContractJson.Default.GraphView);
        Assert.Equal(["committed", "committed", "rolled_back", "scheduled"], graph.Nodes.Select(node => node.Status));
        Assert.Equal([true, true, null], graph.Edges.Select(edge => edge.Taken));
        Assert.True(graph.Nodes[^1].ExternalEffect);
        var page = await _host.GetAsync("/v1/executions?status=paused&failure_class=hallucination", ContractJson.Default.ExecutionPage);
        Assert.Equal(paused.Id, Assert.Single(page.Items).Id);
        var health = await _host.GetAsync("/v1/health-summary", ContractJson.Default.HealthSummary);
        Assert.Equal((1L, 1L, 1L, 1L), (health.ExecutionsByStatus["paused"], health.OpenFailures, health.OpenReviews, health.Workflows));
    }

    [Fact]
    public async Task Commands_OnAPausedRun_FollowTheReview()
    {
        var paused = await _host.RunCompanyXAsync();
        var path = $"/v1/executions/{paused.Id}";
        Assert.Equal("review_open", (await _host.FailAsync(HttpMethod.Post, $"{path}/resume", 409)).Code);
        Assert.Equal("checkpoint_not_found", (await _host.FailAsync(HttpMethod.Post, $"{path}/rollback", 404, ApiHost.Json("""{"to": "nowhere", "scope": "all"}"""))).Code);
        Assert.Equal("/scope", (await _host.FailAsync(HttpMethod.Post, $"{path}/rollback", 422, ApiHost.Json("""{"to": "kyc", "scope": "some"}"""))).Errors![0].Pointer);

        var preview = await _host.PostAsync($"{path}/rollback", """{"to": "kyc", "scope": "all", "preview": true}""", ContractJson.Default.RollbackView);
        Assert.Equal((false, "score"), (preview.Applied, Assert.Single(preview.Affected).Step));
        var applied = await _host.PostAsync($"{path}/rollback", """{"to": "kyc", "scope": "all"}""", ContractJson.Default.RollbackView);
        Assert.True(applied.Applied);

        var cancelled = await _host.PostAsync($"{path}/cancel", "", ContractJson.Default.ExecutionView);
        Assert.Equal("cancelled", cancelled.Status);
        Assert.Equal("execution_ended", (await _host.FailAsync(HttpMethod.Post, $"{path}/retry", 409)).Code);
        Assert.Equal("identical", (await VerifyAsync(paused.Id)).Verdict);
    }

    [Fact]
    public async Task Retry_WithEdits_FinishesAndClosesTheReview()
    {
        var paused = await _host.RunCompanyXAsync();
        await _host.PostAsync($"/v1/executions/{paused.Id}/retry", """{"edits": {"prompt": "between 2.5 and 8.5"}}""", ContractJson.Default.ExecutionView);
        await Streams.UntilEndedAsync(_host, paused.Id);
        var ended = await _host.GetAsync($"/v1/executions/{paused.Id}", ContractJson.Default.ExecutionView);
        Assert.Equal(("succeeded", 0), (ended.Status, ended.OpenReviews.Count));
        Assert.Equal(["send_offer"], _host.Tools.Called);
    }

    [Fact]
    public async Task Stream_ResumedAfterARecord_GivesExactlyTheRest()
    {
        var paused = await _host.RunCompanyXAsync();
        var following = Streams.UntilEndedAsync(_host, paused.Id);
        await _host.PostAsync($"/v1/executions/{paused.Id}/retry", """{"edits": {"prompt": "between 2.5 and 8.5"}}""", ContractJson.Default.ExecutionView);

        var whole = await following;
        Assert.Equal(Enumerable.Range(1, whole.Count), whole.Select(record => (int)record.Seq));
        var rest = await Streams.UntilEndedAsync(_host, paused.Id, lastEventId: "3");
        Assert.Equal(whole.Skip(3).Select(record => record.Hash), rest.Select(record => record.Hash));
    }

    [Fact]
    public async Task Get_AnIllFormedId_Is404()
    {
        Assert.Equal("execution_not_found", (await _host.FailAsync(HttpMethod.Get, "/v1/executions/exe_nothing", 404)).Code);
        Assert.Equal(HttpStatusCode.NotFound, (await _host.Client.GetAsync("/v1/reviews/rev_x")).StatusCode);
        Assert.Equal("failure_not_found", (await _host.FailAsync(HttpMethod.Get, "/v1/failures/a.b.1.1", 404)).Code);
    }

    private Task<VerifyView> VerifyAsync(string id) => _host.GetAsync($"/v1/executions/{id}/verify", ContractJson.Default.VerifyView);
}
