using System.Net;
using System.Text.Json;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Tests.Executions;

/// <summary>What starts or is moved is pinned to the tenant's recovery policy of that moment; what goes on is not.</summary>
public sealed class PinnedPolicyTests : IAsyncLifetime
{
    private const string Policy = """{"retry_policy": {"max_retries": 2, "backoff": "exponential(1s, 10s)"}}""";
    private const string Child = "omium: v0\nname: part\nsteps:\n  - {id: a, type: decision, input: {n: 1}}\n";
    private const string Parent = "omium: v0\nname: whole\nsteps:\n  - {id: ask, type: human_approval}\n  - {id: w, type: workflow, workflow: part, needs: [ask]}\n";
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Child_ThatStartsAfterThePolicyWasPut_HasItAndItsParentHasNot()
    {
        var run = await WaitingAsync();
        await PutPolicyAsync();
        var review = await _host.GetAsync($"/v1/reviews/{Assert.Single(run.OpenReviews)}", ContractJson.Default.ReviewView);
        await _host.PostAsync($"/v1/reviews/{review.Id}/decide", $$"""{"decision": "approve", "digest": "{{review.Digest}}"}""", ContractJson.Default.ReviewView);
        await Streams.UntilAsync(_host, run.Id, "execution.succeeded");
        var ended = await _host.GetAsync($"/v1/executions/{run.Id}", ContractJson.Default.ExecutionView);
        Assert.Null((await CellAsync(run.Id)).Plan!.Spec.Recovery);
        Assert.Equal(2, (await CellAsync(ended.Steps.Single(step => step.Step == "w").Child!)).Plan!.Spec.Recovery!.Retry!.RetriesMax);
    }

    [Fact]
    public async Task Migrate_ToItsOwnVersionUnderANewPolicy_ShowsThatAndPinsIt()
    {
        var run = await WaitingAsync();
        await _host.PostAsync($"/v1/executions/{run.Id}/pause", "{}", ContractJson.Default.ExecutionView);
        await RefusedAsync(run.Id, """{"version": 1}""", HttpStatusCode.UnprocessableEntity);
        await PutPolicyAsync();

        var shown = await RefusedAsync(run.Id, """{"version": 1}""", HttpStatusCode.Conflict);
        Assert.Equal("migration_unacknowledged", shown.Code);
        Assert.True(shown.Shown!.Value.GetProperty("policy_changed").GetBoolean());
        Assert.Empty(shown.Shown!.Value.GetProperty("changed").EnumerateArray());
        await _host.PostAsync($"/v1/executions/{run.Id}/migrate", $$"""{"version": 1, "acknowledge": "{{shown.Digest}}"}""", ContractJson.Default.ExecutionView);
        Assert.Equal(2, (await CellAsync(run.Id)).Plan!.Spec.Recovery!.Retry!.RetriesMax);
        await RefusedAsync(run.Id, """{"version": 1}""", HttpStatusCode.UnprocessableEntity);
    }

    private async Task<ExecutionView> WaitingAsync()
    {
        foreach (var spec in new[] { Child, Parent })
        {
            using var saved = await _host.Client.PostAsync("/v1/workflows", ApiHost.Yaml(spec), TestContext.Current.CancellationToken);
            Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        using var response = await _host.Client.PostAsync("/v1/executions", ApiHost.Json("""{"workflow": "whole"}"""), TestContext.Current.CancellationToken);
        var started = await ApiHost.ReadAsync(response, ContractJson.Default.ExecutionView, 201);
        await Streams.UntilAsync(_host, started.Id, "review.requested");
        return await _host.GetAsync($"/v1/executions/{started.Id}", ContractJson.Default.ExecutionView);
    }

    private async Task PutPolicyAsync()
    {
        using var put = await _host.Client.PutAsync("/v1/policies", ApiHost.Json($$"""{"policy": {{Policy}}}"""), TestContext.Current.CancellationToken);
        Assert.True(put.IsSuccessStatusCode, await put.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private async Task<Problem> RefusedAsync(string execution, string body, HttpStatusCode status)
    {
        using var response = await _host.Client.PostAsync($"/v1/executions/{execution}/migrate", ApiHost.Json(body), TestContext.Current.CancellationToken);
        Assert.Equal(status, response.StatusCode);
        return JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), ContractJson.Default.Problem)!;
    }

    private async Task<ExecutionCell> CellAsync(string execution)
    {
        var advancer = new Advancer(_host.Store.Log, _host.Store.Payloads, new PlanCache(_host.Store.Documents), _host.KeyWrap, TimeProvider.System);
        return (await advancer.FindAsync(new StreamId("ten_a", execution), TestContext.Current.CancellationToken))!;
    }
}
