using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;

namespace Omium.Api.Tests.Sharing;

/// <summary>Limits of agents and tools, over executions.</summary>
public sealed class LimitTests : IAsyncLifetime
{
    private const string Slow = """
        omium: v0
        name: slow
        tools:
          crm: {type: http, url: "https://crm.example/look", limits: {concurrent: 2}}
        steps:
          - {id: look, type: tool_call, tool: crm, input: {x: 1}}
        """;

    private const string Breaking = """
        omium: v0
        name: breaking
        agents:
          terms: {role: r, goal: g, prompt: "the first", limits: {breaker: {failures: 2, cool_down: 1h}}}
          spare: {role: r, goal: g, prompt: "the spare"}
        steps:
          - {id: write, type: agent_task, agent: terms}
        recovery:
          rules: [{on: [breaker_open], do: [{use_agent: spare}]}]
        """;

    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Concurrent_ManyExecutions_NeverMoreAtATimeAndNoneFails()
    {
        await SaveAsync(Slow);
        var (inside, most) = (0, 0);
        _host.Tools.Answer = async _ =>
        {
            most = Math.Max(most, Interlocked.Increment(ref inside));
            await Task.Yield();
            await Task.Yield();
            Interlocked.Decrement(ref inside);
            return LockTests.Sent();
        };
        var ended = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => RunAsync("slow")));
        Assert.All(ended, execution => Assert.Equal("succeeded", execution.Status));
        Assert.InRange(most, 1, 2);
    }

    [Fact]
    public async Task Breaker_OpenedByOtherExecutions_FailsFastAndTheSpareAgentSteps()
    {
        await SaveAsync(Breaking);
        _host.Model.Terms = (request, _) => request.Messages[0].Content!.Contains("the spare", StringComparison.Ordinal)
            ? PlayedModel.Say("done by the spare")
            : new EffectOutcome { Failure = new EffectFailure("model_error", "http_503", "not now", MayHaveHappened: true) };
        for (var failing = 0; failing < 2; failing++)
        {
            Assert.Equal("http_503", (await RunAsync("breaking")).Steps[0].Failures[0].Code);
        }

        var asked = _host.Model.Asked.Count(system => system.Contains("the first", StringComparison.Ordinal));
        var helped = await RunAsync("breaking");
        Assert.Equal("succeeded", helped.Status);
        Assert.Equal("breaker_open", Assert.Single(helped.Steps[0].Failures).Code);
        Assert.Equal(asked, _host.Model.Asked.Count(system => system.Contains("the first", StringComparison.Ordinal)));
    }

    private async Task SaveAsync(string spec)
    {
        using var saved = await _host.Client.PostAsync("/v1/workflows", ApiHost.Yaml(spec));
        Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync());
    }

    private async Task<ExecutionView> RunAsync(string workflow)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/executions") { Content = ApiHost.Json($$$"""{"workflow": "{{{workflow}}}", "input": {}}""") };
        request.Headers.Add("Prefer", "wait=20");
        using var response = await _host.Client.SendAsync(request);
        return await ApiHost.ReadAsync(response, ContractJson.Default.ExecutionView, 201);
    }
}
