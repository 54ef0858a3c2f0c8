using Omium.Contracts;
using Omium.Contracts.Executions;

namespace Omium.Api.Tests.Executions;

/// <summary>Answers about ended executions are kept, and never outlive what changed.</summary>
public sealed class EndedAnswersTests : IAsyncLifetime
{
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Get_OfAnEndedExecution_IsTheSameAgain_AndChangesWithARetry()
    {
        const string Spec = """
            {"spec": {"omium": "v0", "name": "picky", "steps": [{"id": "check", "type": "decision", "input": {"n": "${{ input.n }}"},
                "retry": {"max_attempts": 1}, "guards": {"post": [{"check": "output.n < 10", "code": "too_large", "message": "It is too large"}]}}]}}
            """;
        await _host.PostAsync("/v1/workflows", Spec, ContractJson.Default.WorkflowView, 201);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/executions") { Content = ApiHost.Json("""{"workflow": "picky", "input": {"n": 20}}""") };
        request.Headers.Add("Prefer", "wait=10");
        using var started = await _host.Client.SendAsync(request);
        var failed = await ApiHost.ReadAsync(started, ContractJson.Default.ExecutionView, 201);
        Assert.Equal("failed", failed.Status);
        var path = $"/v1/executions/{failed.Id}";

        Assert.Equal(await _host.Client.GetStringAsync(path), await _host.Client.GetStringAsync(path));
        var before = await _host.GetAsync(path, ContractJson.Default.ExecutionView);
        await _host.PostAsync($"{path}/retry", "", ContractJson.Default.ExecutionView);
        var after = await _host.GetAsync(path, ContractJson.Default.ExecutionView);
        Assert.True(after.Seq > before.Seq, $"{after.Seq} is not behind {before.Seq}");
    }

    [Fact]
    public async Task Get_WithAnotherTenantsKey_Is404_AlsoWhenItIsKept()
    {
        var cancelled = await _host.RunCompanyXAsync();
        await _host.PostAsync($"/v1/executions/{cancelled.Id}/cancel", "", ContractJson.Default.ExecutionView);
        await _host.GetAsync($"/v1/executions/{cancelled.Id}", ContractJson.Default.ExecutionView);
        using var other = _host.ClientOf((await _host.Keys.CreateAsync("ten_b", "other", "local")).Secret!);
        Assert.Equal("execution_not_found", (await _host.FailAsync(HttpMethod.Get, $"/v1/executions/{cancelled.Id}", 404, client: other)).Code);
    }
}
