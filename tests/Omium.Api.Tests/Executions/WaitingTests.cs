using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;

namespace Omium.Api.Tests.Executions;

/// <summary>What nothing goes on with says for whom or what it waits.</summary>
public sealed class WaitingTests : IAsyncLifetime
{
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("")]
    [InlineData("""{"id": "ask", "type": "human_approval"},""")]
    public async Task Handoff_WithItsReceiver_WaitsForAWorker_WithoutClaimsAndBesideAPersonToo(string beside)
    {
        var execution = await RunAsync($$$"""
            {"omium": "v0", "name": "handed", "steps": [{{{beside}}} {"id": "s", "type": "decision"}, {"id": "r", "type": "worker", "worker": "q"}],
             "edges": [{"from": "s", "to": "r", "handoff": {"acknowledge": true}}]}
            """);
        await Streams.UntilAsync(_host, execution, "handoff.proposed");
        Assert.Equal(("waiting", "worker"), await WaitsAsync(execution));
    }

    [Fact]
    public async Task Rollback_ThatCannotGoOnBeforeAPersonHasSaidWhatHappened_WaitsForAReview()
    {
        _host.Tools.Answer = request => Task.FromResult(request.Tool.Name == "book"
            ? new EffectOutcome { Failure = new EffectFailure("timeout", "timeout", "no answer", MayHaveHappened: true) }
            : new EffectOutcome { Result = System.Text.Json.JsonElement.Parse("""{"status": "unknown"}""") });
        var execution = await RunAsync("""
            {"omium": "v0", "name": "doubtful",
             "tools": {"book": {"type": "function", "effect": {"kind": "verifiable", "verify": "look", "verify_after": "1ms", "compensate": "cancel"}}, "look": {"type": "function"},
                       "cancel": {"type": "function", "effect": {"kind": "idempotent"}}},
             "steps": [{"id": "a", "type": "tool_call", "tool": "book"}]}
            """);
        await Streams.UntilAsync(_host, execution, "execution.paused");
        Assert.Equal(("paused", "review"), await WaitsAsync(execution));
        await _host.PostAsync($"/v1/executions/{execution}/rollback", """{"to": "start", "scope": "all"}""", ContractJson.Default.RollbackView);
        Assert.Equal(("rolling_back", "review"), await WaitsAsync(execution));
    }

    private async Task<string> RunAsync(string spec)
    {
        using var saved = await _host.Client.PostAsync("/v1/workflows", ApiHost.Json("{\"spec\": " + spec + "}"));
        var workflow = await ApiHost.ReadAsync(saved, ContractJson.Default.WorkflowView, 201);
        return (await _host.PostAsync("/v1/executions", $$"""{"workflow": "{{workflow.Name}}"}""", ContractJson.Default.ExecutionView, 201)).Id;
    }

    private async Task<(string Status, string? WaitingFor)> WaitsAsync(string execution) =>
        await _host.GetAsync($"/v1/executions/{execution}", ContractJson.Default.ExecutionView) is { } view ? (view.Status, view.WaitingFor) : default;
}
