using Omium.Contracts;

namespace Omium.Api.Tests.Failures;

/// <summary>One failure is one row of the list, however often the execution says it.</summary>
public sealed class ToldOnceTests
{
    [Theory]
    [InlineData("\"pause\", \"await_review\"", true)]
    [InlineData("\"fail\"", false)]
    public async Task Failure_TakenBackAndThenGivenUp_IsListedOnceAndIsTheExecutionsOwn(string afterRollback, bool isRejected)
    {
        await using var host = await ApiHost.StartAsync();
        host.Tools.Refusing.Add("broken");
        using var saved = await host.Client.PostAsync("/v1/workflows", ApiHost.Json($$"""
            {"spec": {"omium": "v0", "name": "given-up", "tools": {"plain": {"type": "function"}, "broken": {"type": "function"} },
             "steps": [{"id": "a", "type": "tool_call", "tool": "plain"}, {"id": "b", "type": "tool_call", "tool": "broken", "needs": ["a"]}],
             "recovery": {"rules": [{"do": [{"rollback_to": "last"}, {{afterRollback}}]}]}
            } }
            """));
        Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync());
        var started = await host.PostAsync("/v1/executions", """{"workflow": "given-up", "input": {}}""", ContractJson.Default.ExecutionView, 201);
        if (isRejected)
        {
            await Streams.UntilAsync(host, started.Id, "review.requested");
            var review = Assert.Single((await host.GetAsync($"/v1/reviews?execution={started.Id}&status=open", ContractJson.Default.ReviewPage)).Items);
            await host.PostAsync($"/v1/reviews/{review.Id}/decide", $$"""{"decision": "reject", "digest": "{{review.Digest}}"}""", ContractJson.Default.ReviewView);
        }

        await Streams.UntilAsync(host, started.Id, "execution.failed");
        var failed = await host.GetAsync($"/v1/executions/{started.Id}", ContractJson.Default.ExecutionView);
        Assert.Equal(2, failed.Steps.Max(step => step.Visit)); // The visit that was taken back stays so; another one holds the end.
        var listed = Assert.Single((await host.GetAsync($"/v1/failures?execution={started.Id}", ContractJson.Default.FailurePage)).Items);
        Assert.Equal(($"{started.Id}.b.1.1", "open", failed.FailureId), (listed.Id, listed.Status, listed.Id));
        Assert.Equal("open", (await host.GetAsync($"/v1/failures/{started.Id}.b.2.1", ContractJson.Default.FailureView)).Status);
        Assert.Equal(1, (await host.GetAsync("/v1/analytics/recovery", ContractJson.Default.RecoveryView)).Total.Failures);
        var trial = await host.PostAsync("/v1/policies/dry-run", """{"policy": {"rules": [{"do": ["retry"], "limit": 1}]}, "workflow": "given-up"}""", ContractJson.Default.DryRunView);
        Assert.Equal((1, 1), (trial.Caught, trial.Examined));
    }

    /// <summary>The same words of a visit that a person has asked for are another failure: ignoring the one before does not hide it. Here the first is in the first record of all.</summary>
    [Fact]
    public async Task Failure_OfARetryThatSaysTheSame_IsListedOfItsOwn()
    {
        await using var host = await ApiHost.StartAsync();
        using var saved = await host.Client.PostAsync("/v1/workflows", ApiHost.Json("""
            {"spec": {"omium": "v0", "name": "never", "steps": [{"id": "a", "type": "decision", "input": {"n": "${{ 1 / input.n }}"}}]}}
            """));
        Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync());
        var started = await host.PostAsync("/v1/executions", """{"workflow": "never", "input": {"n": 0}}""", ContractJson.Default.ExecutionView, 201);
        await Streams.UntilAsync(host, started.Id, "execution.failed");
        var first = await host.GetAsync($"/v1/failures/{started.Id}.a.1.1", ContractJson.Default.FailureView);
        Assert.Equal("open", first.Status);
        for (var again = 0; again < 2; again++)
        {
            using var ignoring = new HttpRequestMessage(HttpMethod.Post, $"/v1/failures/{first.Id}/ignore") { Headers = { { "Idempotency-Key", "once" } } };
            using var ignored = await host.Client.SendAsync(ignoring);
            Assert.Equal((System.Net.HttpStatusCode.NoContent, again == 1), (ignored.StatusCode, ignored.Headers.Contains("Omium-Replayed")));
        }

        var before = await host.GetAsync($"/v1/executions/{started.Id}", ContractJson.Default.ExecutionView);
        await host.PostAsync($"/v1/executions/{started.Id}/retry", "{}", ContractJson.Default.ExecutionView);
        await Streams.UntilAsync(host, started.Id, "execution.failed", $"{before.Seq}");
        var listed = (await host.GetAsync($"/v1/failures?execution={started.Id}", ContractJson.Default.FailurePage)).Items;
        Assert.Equal(["open", "ignored"], listed.Select(failure => failure.Status));
        Assert.Equal(first.Id, listed[1].Id);
        Assert.Equal("open", (await host.GetAsync($"/v1/failures/{listed[0].Id}", ContractJson.Default.FailureView)).Status);
    }
}
