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
}
