using System.Net;
using System.Text.Json;
using Omium.Contracts;
using Omium.Contracts.Executions;

namespace Omium.Api.Tests.Workers;

/// <summary>A queue that executions share goes on without one of them that was set aside.</summary>
public sealed class SetAsideTaskTests : IAsyncLifetime
{
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Poll_QueueWithATaskOfAnExecutionThatWasSetAside_GivesTheOthersAndWaitsForMore()
    {
        _host.Tools.Answer = _ => throw new InvalidOperationException("a bug");
        await SaveAsync("""
            {"omium": "v0", "name": "poisoned", "tools": {"burst": {"type": "function", "effect": {"kind": "none"}}},
             "steps": [{"id": "do", "type": "worker", "worker": "q"}, {"id": "call", "type": "tool_call", "tool": "burst"}]}
            """);
        await SaveAsync("""{"omium": "v0", "name": "sound", "steps": [{"id": "do", "type": "worker", "worker": "q"}]}""");
        var poisoned = await StartAsync("poisoned");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while ((await _host.GetAsync($"/v1/executions/{poisoned}", ContractJson.Default.ExecutionView)).SetAside is null)
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }

        var sound = await StartAsync("sound");
        using var task = await PollAsync();
        Assert.Equal(HttpStatusCode.OK, task.StatusCode);
        using var view = JsonDocument.Parse(await task.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(sound, view.RootElement.GetProperty("execution").GetString());
        using var none = await PollAsync();
        Assert.Equal(HttpStatusCode.NoContent, none.StatusCode);
    }

    private Task<HttpResponseMessage> PollAsync() =>
        _host.Client.PostAsync("/v1/workers/poll", ApiHost.Json("""{"queues": ["q"], "wait_ms": 0}"""), TestContext.Current.CancellationToken);

    private async Task SaveAsync(string spec) => await _host.PostAsync("/v1/workflows", "{\"spec\": " + spec + "}", ContractJson.Default.WorkflowView, 201);

    private async Task<string> StartAsync(string workflow) =>
        (await _host.PostAsync("/v1/executions", $$"""{"workflow": "{{workflow}}"}""", ContractJson.Default.ExecutionView, 201)).Id;
}
