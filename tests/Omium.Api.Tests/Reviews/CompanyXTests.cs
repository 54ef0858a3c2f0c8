using System.Text.Json;
using Omium.Contracts;

namespace Omium.Api.Tests.Reviews;

/// <summary>Company X over HTTP: caught, shown, tested, fixed, finished.</summary>
public sealed class CompanyXTests : IAsyncLifetime
{
    private const string Edit = """{"prompt": "The APR must be between 2.5 and 8.5, never 0."}""";
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Failure_MendedBefore_IsShownWhatMendedIt()
    {
        var first = await _host.RunCompanyXAsync();
        var failure = await _host.GetAsync($"/v1/failures/{first.FailureId}", ContractJson.Default.FailureView);
        Assert.DoesNotContain(failure.SuggestedFixes, fix => fix.Kind == "past");
        await _host.PostAsync(
            $"/v1/reviews/{failure.Review!.Id}/decide", $$"""{"decision": "edit", "digest": "{{failure.Review.Digest}}", "note": "bounded it", "edits": {{Edit}}}""", ContractJson.Default.ReviewView);
        await Streams.UntilEndedAsync(_host, first.Id);

        var second = await _host.RunCompanyXAsync();
        var again = await _host.GetAsync($"/v1/failures/{second.FailureId}", ContractJson.Default.FailureView);
        Assert.Equal("past", again.SuggestedFixes[0].Kind);
        Assert.Contains(first.Id, again.SuggestedFixes[0].Detail, StringComparison.Ordinal);
        Assert.Contains("bounded it", again.SuggestedFixes[0].Detail, StringComparison.Ordinal);
        Assert.Equal("The APR must be between 2.5 and 8.5, never 0.", again.SuggestedFixes[0].Edits!.Prompt);
        Assert.Single(again.SuggestedFixes, fix => fix.Kind == "past");
    }

    [Fact]
    public async Task Run_HallucinatedTerms_PausesShowsTestsAndFinishesOnce()
    {
        var paused = await _host.RunCompanyXAsync();
        Assert.Equal(("paused", "review"), (paused.Status, paused.WaitingFor));
        Assert.Equal("hallucination", paused.Failure!.Class);

        var failure = await _host.GetAsync($"/v1/failures/{paused.FailureId}", ContractJson.Default.FailureView);
        Assert.Equal("output.apr >= 2.5 && output.apr <= 8.5", failure.Failure.Expected);
        Assert.Equal("""{"output.apr":0}""", failure.Failure.Actual!.Value.GetRawText());
        Assert.Equal(["kyc", "score", "terms"], failure.DependencyChain.Select(link => link.Step));
        Assert.Equal("terms", failure.RootCause!.Step);
        Assert.Equal("terms answered apr 0, although its inputs (amount 12000, credit_score 750, risk_level low) are sound: nothing in its prompt bounds apr.", failure.RootCause.Explanation);
        Assert.Equal(["Rolled back to checkpoint score", "Workflow paused", "Waiting for a person"], failure.AutomaticActions.Take(3).Select(line => line.Title)); // The notice follows in a record of its own.
        Assert.Equal(["kyc", "score"], failure.Checkpoints.Select(checkpoint => checkpoint.Name));
        Assert.Equal(["schema", "post"], failure.Guards.Select(guard => guard.Phase));
        Assert.Equal([true, false], failure.Guards.Select(guard => guard.Passed));
        Assert.Equal(("verification", "open"), (failure.Group, failure.Status));
        Assert.InRange(failure.DetectionToPausedMs!.Value, 0, 1_000);
        var fix = failure.SuggestedFixes[0];
        Assert.Equal("prompt", fix.Kind);
        Assert.EndsWith("In your answer, apr must be between 2.5 and 8.5, never 0.", fix.Edits!.Prompt, StringComparison.Ordinal);

        var review = failure.Review!;
        var bad = await _host.PostAsync($"/v1/reviews/{review.Id}/test", """{"edits": {"prompt": "Be kind."}}""", ContractJson.Default.TestFixView);
        Assert.Equal("failed", bad.Outcome);
        var test = await _host.PostAsync(
            $"/v1/reviews/{review.Id}/test", JsonSerializer.Serialize(new Contracts.Reviews.TestFixRequest(fix.Edits), ContractJson.Default.TestFixRequest), ContractJson.Default.TestFixView);
        Assert.Equal("passed", test.Outcome);
        Assert.Equal(5.2, test.Output!.Value.GetProperty("apr").GetDouble());
        Assert.Empty(_host.Tools.Called);

        var decided = await _host.PostAsync(
            $"/v1/reviews/{review.Id}/decide", $$"""{"decision": "edit", "digest": "{{review.Digest}}", "edits": {{Edit}}}""", ContractJson.Default.ReviewView);
        Assert.Equal(("decided", "edit"), (decided.Status, decided.Decided!.Decision));

        // Sent again after a lost answer it is the same decision; with another prompt it would be lost in silence, and is refused.
        var again = await _host.PostAsync(
            $"/v1/reviews/{review.Id}/decide", $$"""{"decision": "edit", "digest": "{{review.Digest}}", "edits": {{Edit}}}""", ContractJson.Default.ReviewView);
        Assert.Equal(decided.Decided.At, again.Decided!.At);
        var other = await _host.FailAsync(
            HttpMethod.Post, $"/v1/reviews/{review.Id}/decide", 409, ApiHost.Json($$"""{"decision": "edit", "digest": "{{review.Digest}}", "edits": {"prompt": "apr of 3"} }"""));
        Assert.Equal("review_closed", other.Code);
        Assert.Contains("other edits", other.Detail, StringComparison.Ordinal);
        var ended = await Streams.UntilEndedAsync(_host, paused.Id);
        Assert.Equal("execution.succeeded", ended[^1].Events[^1].GetProperty("type").GetString());

        var finished = await _host.GetAsync($"/v1/executions/{paused.Id}", ContractJson.Default.ExecutionView);
        Assert.Equal("succeeded", finished.Status);
        Assert.Equal(["send_offer"], _host.Tools.Called);
        Assert.Equal(1, finished.Steps.Count(step => step.Step == "kyc"));
        Assert.Equal("identical", (await _host.GetAsync($"/v1/executions/{paused.Id}/verify", ContractJson.Default.VerifyView)).Verdict);
        Assert.Equal("resolved", (await _host.GetAsync($"/v1/failures/{paused.FailureId}", ContractJson.Default.FailureView)).Status);
        Assert.Equal("resolved", Assert.Single((await _host.GetAsync("/v1/failures", ContractJson.Default.FailurePage)).Items).Status);
    }

    [Fact]
    public async Task Decide_TwoPeopleAtOnce_OneDecisionStands()
    {
        var paused = await _host.RunCompanyXAsync();
        var review = Assert.Single((await _host.GetAsync("/v1/reviews?status=open", ContractJson.Default.ReviewPage)).Items);
        using var second = _host.ClientOf((await _host.Keys.CreateAsync("ten_a", "second", "local")).Secret!);
        var skip = $$"""{"decision": "skip", "digest": "{{review.Digest}}"}""";
        var reject = $$"""{"decision": "reject", "digest": "{{review.Digest}}"}""";

        var answers = await Task.WhenAll(
            _host.Client.PostAsync($"/v1/reviews/{review.Id}/decide", ApiHost.Json(skip)),
            second.PostAsync($"/v1/reviews/{review.Id}/decide", ApiHost.Json(reject)));

        Assert.Equal([200, 409], answers.Select(answer => (int)answer.StatusCode).Order());
        var events = await _host.GetAsync($"/v1/executions/{paused.Id}/events?limit=1000", ContractJson.Default.EventPage);
        var types = events.Items.SelectMany(record => record.Events).Select(happened => happened.GetProperty("type").GetString()).ToArray();
        Assert.Equal(1, types.Count(type => type == "review.decided"));
        Assert.Equal(1, types.Count(type => type == "review.refused"));
        Assert.Equal("review_closed", (await _host.FailAsync(HttpMethod.Post, $"/v1/reviews/{review.Id}/test", 409, ApiHost.Json("""{"edits": {"prompt": "x"}}"""))).Code);
    }

    [Fact]
    public async Task Decide_TheSameAgainWithALargeOutputAndANote_IsTheSameAnswerAndOtherContentIsRefused()
    {
        await _host.RunCompanyXAsync();
        var review = Assert.Single((await _host.GetAsync("/v1/reviews", ContractJson.Default.ReviewPage)).Items);
        string Override(char letter) =>
            $$"""{"decision": "override", "digest": "{{review.Digest}}", "note": "by hand", "output": {"text": "{{new string(letter, 200_000)}}", "term_months": 36, "apr": 5.20} }""";
        foreach (var body in (string[])[Override('x'), Override('x'), Override('x').Replace("5.20", "5.2", StringComparison.Ordinal)])
        {
            using var answer = await _host.Client.PostAsync($"/v1/reviews/{review.Id}/decide", ApiHost.Json(body), TestContext.Current.CancellationToken);
            Assert.Equal("override", (await ApiHost.ReadAsync(answer, ContractJson.Default.ReviewView, 200)).Decided!.Decision);
        }

        Assert.Equal("review_closed", (await _host.FailAsync(HttpMethod.Post, $"/v1/reviews/{review.Id}/decide", 409, ApiHost.Json(Override('y')))).Code);
    }

    [Fact]
    public async Task Decide_WrongDigestOrForbiddenEdit_IsRefused()
    {
        await _host.RunCompanyXAsync();
        var review = Assert.Single((await _host.GetAsync("/v1/reviews", ContractJson.Default.ReviewPage)).Items);
        Assert.Equal(["prompt", "constraints", "tool_selection"], review.AllowedEdits);
        Assert.Equal(["core_logic", "agent_count"], review.ForbiddenEdits);
        var path = $"/v1/reviews/{review.Id}/decide";

        // The log keeps the words of a person, and every listener is sent them: they have a length.
        foreach (var (pointer, body) in ((string, string)[])
        [
            ("/note", $$"""{"decision": "approve", "digest": "{{review.Digest}}", "note": "{{new string('n', 4_001)}}"}"""),
            ("/edits/prompt", $$$"""{"decision": "edit", "digest": "{{{review.Digest}}}", "edits": {"prompt": "{{{new string('p', 65_537)}}}"}}"""),
        ])
        {
            Assert.Equal(pointer, (await _host.FailAsync(HttpMethod.Post, path, 422, ApiHost.Json(body))).Errors!.Single().Pointer);
        }

        Assert.Equal("review_digest_mismatch", (await _host.FailAsync(HttpMethod.Post, path, 409, ApiHost.Json("""{"decision": "approve", "digest": "0"}"""))).Code);
        Assert.Equal("decision_not_allowed", (await _host.FailAsync(HttpMethod.Post, path, 422, ApiHost.Json($$"""{"decision": "done", "digest": "{{review.Digest}}"}"""))).Code);
        Assert.Equal("edit_forbidden", (await _host.FailAsync(
            HttpMethod.Post, path, 403, ApiHost.Json($$"""{"decision": "edit", "digest": "{{review.Digest}}", "edits": {"tools": ["rm"]} }"""))).Code);
        Assert.Equal("override_refused", (await _host.FailAsync(
            HttpMethod.Post, path, 422, ApiHost.Json($$"""{"decision": "override", "digest": "{{review.Digest}}", "output": {"apr": 99, "term_months": 1, "text": "x"} }"""))).Code);
    }

    [Fact]
    public async Task Test_AgentAsksForAnUnrecordedCall_IsInconclusiveAndCallsNothing()
    {
        await _host.RunCompanyXAsync();
        var review = Assert.Single((await _host.GetAsync("/v1/reviews", ContractJson.Default.ReviewPage)).Items);
        _host.Model.Terms = (_, _) => PlayedModel.Call("send_offer", """{"apr": 5}""");

        var test = await _host.PostAsync($"/v1/reviews/{review.Id}/test", """{"edits": {"tools": ["send_offer"]}}""", ContractJson.Default.TestFixView);

        Assert.Equal("inconclusive", test.Outcome);
        Assert.Equal("""{"arguments":{"apr":5},"tool":"send_offer"}""", Assert.Single(test.UnrecordedCalls).GetRawText());
        Assert.Empty(_host.Tools.Called);
    }

    [Fact]
    public async Task Ignore_AnOpenFailure_IsListedAsIgnoredAndExported()
    {
        var paused = await _host.RunCompanyXAsync();
        using var ignored = await _host.Client.PostAsync($"/v1/failures/{paused.FailureId}/ignore", null);
        Assert.Equal(204, (int)ignored.StatusCode);
        using var again = await _host.Client.PostAsync($"/v1/failures/{paused.FailureId}/ignore", null);
        Assert.Equal(204, (int)again.StatusCode);

        // It counts as what it is, and who said so is on record, once; the question stays open.
        var total = (await _host.GetAsync("/v1/analytics/recovery", ContractJson.Default.RecoveryView)).Total;
        Assert.Equal((1L, 0L, 1L, 0L, 0L), (total.Failures, total.Open, total.Ignored, total.Recovered, total.Interventions));
        var told = Assert.Single((await _host.GetAsync($"/v1/executions/{paused.Id}/timeline", ContractJson.Default.TimelinePage)).Items, entry => entry.Kind == "failure.ignored");
        Assert.Equal("Failure of terms ignored", told.Title);
        Assert.Equal(paused.OpenReviews, (await _host.GetAsync($"/v1/executions/{paused.Id}", ContractJson.Default.ExecutionView)).OpenReviews);
        Assert.Empty((await _host.GetAsync("/v1/failures?status=open", ContractJson.Default.FailurePage)).Items);
        Assert.Single((await _host.GetAsync("/v1/failures?status=ignored", ContractJson.Default.FailurePage)).Items);
        var lines = (await _host.Client.GetStringAsync("/v1/failures/export")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var line = JsonSerializer.Deserialize(Assert.Single(lines), ContractJson.Default.FailureExport)!;
        Assert.Equal(("terms", "hallucination", "ignored"), (line.Step, line.Class, line.Status));
        Assert.Equal(750, line.Input!.Value.GetProperty("credit_score").GetInt32());
    }
}
