using System.Net;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Contracts.Failures;
using Omium.Contracts.Reviews;

namespace Omium.Api.Tests.Executions;

/// <summary>for_each steps as answered: counted with their step, listed a page at a time, never ten thousand rows at once.</summary>
public sealed class ItemsTests : IAsyncLifetime
{
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task GetExecution_ForEach_CountsTheItemsAndListsNone()
    {
        var execution = await RunAsync("rollback_item", 1, 60);

        Assert.Equal(["send", "after"], execution.Steps.Select(step => step.Step));
        Assert.Equal(new ItemCounts(60, 48, 12, 12, 0, 0, 0, 0), execution.Steps[0].Items);
        Assert.Equal(("succeeded", null, 0), (execution.Status, execution.FailureId, execution.OpenReviews.Count));
        var graph = await _host.GetAsync($"/v1/executions/{execution.Id}/graph", ContractJson.Default.GraphView);
        Assert.Equal(execution.Steps[0].Items, graph.Nodes[0].Items);
        Assert.Empty((await _host.GetAsync($"/v1/failures?execution={execution.Id}", ContractJson.Default.FailurePage)).Items);
    }

    [Fact]
    public async Task GetItems_PagesAndStatuses_AreAnsweredInOrder()
    {
        var execution = await RunAsync("rollback_item", 1, 60);
        var path = $"/v1/executions/{execution.Id}/steps/send/items";

        var first = await _host.GetAsync($"{path}?limit=40", ContractJson.Default.StepPage);
        var second = await _host.GetAsync($"{path}?limit=40&cursor={first.NextCursor}", ContractJson.Default.StepPage);
        Assert.Equal(Enumerable.Range(0, 60).Select(index => (int?)index), first.Items.Concat(second.Items).Select(item => item.Item));
        Assert.Null(second.NextCursor);

        var failed = await _host.GetAsync($"{path}?status=failed&limit=12", ContractJson.Default.StepPage);
        Assert.Equal(Enumerable.Range(0, 12).Select(index => (int?)(index * 5)), failed.Items.Select(item => item.Item));
        Assert.All(failed.Items, item => Assert.Equal(("compensated", "fifth"), (Assert.Single(item.Calls).Status, Assert.Single(item.Failures).Code)));
        Assert.Null(failed.NextCursor);

        foreach (var nothing in new[] { "after/items", "gone/items", "send-3/items", "send/items?visit=2" })
        {
            using var response = await _host.Client.GetAsync($"/v1/executions/{execution.Id}/steps/{nothing}", TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            Assert.Contains("step_not_found", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }

        using var wrong = await _host.Client.GetAsync($"{path}?status=sleeping", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
    }

    [Fact]
    public async Task GetTimeline_ManyItems_ShowsTroubleUpToABoundAndTheCounts()
    {
        var execution = await RunAsync("rollback_item", 1, 200);

        var lines = (await _host.GetAsync($"/v1/executions/{execution.Id}/timeline", ContractJson.Default.TimelinePage)).Items;
        var ofItems = lines.Where(line => line.Item is not null).ToArray();
        Assert.Equal(20, ofItems.Length);
        Assert.All(ofItems, line => Assert.Equal(("send", "warning"), (line.Step, line.Severity)));
        Assert.Single(lines, line => line.Title.Contains("left out", StringComparison.Ordinal));
        Assert.Contains(lines, line => line is { Title: "send committed", Detail: "160 of 200 items succeeded, 40 failed" });

        var all = new List<TimelineEntry>();
        for (string? cursor = "0"; cursor is not null;)
        {
            var page = await _host.GetAsync($"/v1/executions/{execution.Id}/timeline?items=all&cursor={cursor}", ContractJson.Default.TimelinePage);
            all.AddRange(page.Items);
            cursor = page.NextCursor;
        }

        Assert.Equal(200, all.Count(line => line is { Kind: "step.scheduled", Item: not null }));
        Assert.Equal(40, all.Count(line => line.Title.EndsWith("was undone", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task PreviewRollback_OfTheStep_NamesTheStepAndUndoesEveryItem()
    {
        var execution = await RunAsync("rollback_item", 1, 20);

        var preview = await _host.PostAsync($"/v1/executions/{execution.Id}/rollback", """{"to": "start", "scope": "all", "preview": true}""", ContractJson.Default.RollbackView);
        Assert.Equal(["send", "after"], preview.Affected.Select(reference => reference.Step));
        Assert.Equal(16, preview.Compensations.Count);
    }

    [Fact]
    public async Task PausedForAnItem_TheFailurePageAndTheDecision_AreAboutThatItem()
    {
        var paused = await RunAsync("pause", 1, 4);
        Assert.Equal("paused", paused.Status);
        Assert.Equal(("send-0", $"{paused.Id}.send-0.1.1"), (paused.Failure!.Step, paused.FailureId));
        Assert.Equal(1, paused.Steps[0].Items!.Waiting);
        var failure = await _host.GetAsync($"/v1/failures/{paused.FailureId}", ContractJson.Default.FailureView);
        Assert.Equal(("fifth", "send"), (failure.Failure.Code, failure.DependencyChain[0].Step));
        var listed = Assert.Single((await _host.GetAsync($"/v1/failures?execution={paused.Id}", ContractJson.Default.FailurePage)).Items);
        Assert.Equal((paused.FailureId, "open"), (listed.Id, listed.Status));
        var waiting = Assert.Single((await _host.GetAsync($"/v1/executions/{paused.Id}/steps/send/items?status=waiting", ContractJson.Default.StepPage)).Items);
        Assert.Equal(0, waiting.Item);

        await _host.PostAsync($"/v1/reviews/{failure.Review!.Id}/decide", $$"""{"decision": "skip", "digest": "{{failure.Review.Digest}}"}""", ContractJson.Default.ReviewView);
        await Streams.UntilEndedAsync(_host, paused.Id);
        var ended = await _host.GetAsync($"/v1/executions/{paused.Id}", ContractJson.Default.ExecutionView);
        Assert.Equal(new ItemCounts(4, 3, 0, 0, 1, 0, 0, 0), ended.Steps[0].Items);
        Assert.Equal("resolved", Assert.Single((await _host.GetAsync($"/v1/failures?execution={paused.Id}", ContractJson.Default.FailurePage)).Items).Status);
    }

    [Fact]
    public async Task TooManyFailed_TheFailurePage_ShowsTheCounts()
    {
        var failed = await RunAsync("rollback_item", 0, 10);
        Assert.Equal("failed", failed.Status);
        var failure = await _host.GetAsync($"/v1/failures/{failed.FailureId}", ContractJson.Default.FailureView);
        Assert.Equal(("items_failed", "too_many_items_failed", "operations"), (failure.Failure.Class, failure.Failure.Code, failure.Group));
        Assert.Equal("failed / total <= 0", failure.Failure.Expected);
        Assert.Equal(2, failure.Failure.Actual!.Value.GetProperty("output.failed").GetInt32());
    }

    /// <summary>Every fifth item fails after its effect.</summary>
    private async Task<ExecutionView> RunAsync(string onItemFailure, double ratio, int count)
    {
        var spec = $$$"""
            {"omium": "v0", "name": "many",
             "tools": {"t": {"type": "http", "method": "POST", "url": "http://tool.example/t", "effect": {"kind": "idempotent", "compensate": "u"}},
                       "u": {"type": "http", "method": "POST", "url": "http://tool.example/u", "effect": {"kind": "idempotent"} } },
             "steps": [
               {"id": "send", "type": "tool_call", "tool": "t", "for_each": {"items": "input.list", "on_item_failure": "{{{onItemFailure}}}", "max_failed_ratio": {{{ratio}}} },
                "input": {"n": "${{ item }}"}, "guards": {"post": [{"check": "item % 5 != 0", "code": "fifth"}]}},
               {"id": "after", "type": "decision", "needs": ["send"], "input": {"failed": "${{ steps.send.output.failed }}"}}]}
            """;
        using (var saved = await _host.Client.PostAsync("/v1/workflows", ApiHost.Json($$"""{"spec": {{spec}}}"""), TestContext.Current.CancellationToken))
        {
            Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/executions") { Content = ApiHost.Json($$$"""{"workflow": "many", "input": {"list": [{{{string.Join(',', Enumerable.Range(0, count))}}}]}}""") };
        request.Headers.Add("Prefer", "wait=20");
        using var response = await _host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return await ApiHost.ReadAsync(response, ContractJson.Default.ExecutionView, 201);
    }
}
