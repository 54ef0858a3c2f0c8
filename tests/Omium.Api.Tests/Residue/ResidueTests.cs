using Omium.Contracts;
using Omium.Contracts.Executions;

namespace Omium.Api.Tests.Residue;

/// <summary><c>GET /v1/residue</c>: what, where and why, of one's own executions only.</summary>
public sealed class ResidueTests : IAsyncLifetime
{
    private const string Spec = """
        omium: v0
        name: booking
        tools:
          charge: {type: http, url: "https://bank.example/charge", effect: {kind: idempotent, key: "'charge-' + input.booking", compensate: refund}}
          refund: {type: http, url: "https://bank.example/refund", effect: {kind: idempotent}}
        steps:
          - {id: charge, type: tool_call, tool: charge, input: {booking: "${{ input.booking }}", note: "${{ input.note }}"}}
        """;

    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task List_BeforeAndAfterAnUndoThatFailed_SaysWhatWhereAndWhy()
    {
        var execution = await RunAsync();
        Assert.Empty((await _host.GetAsync($"/v1/residue?execution={execution}", ContractJson.Default.ResiduePage)).Items);

        _host.Tools.Refusing.Add("refund");
        await RollBackAsync(execution);

        var page = await _host.GetAsync($"/v1/residue?execution={execution}", ContractJson.Default.ResiduePage);
        Assert.Null(page.NextCursor);
        var left = Assert.Single(page.Items);
        Assert.Equal((execution, "booking", "charge", 1, "charge"), (left.Execution, left.Workflow, left.Step, left.Visit, left.Tool));
        Assert.Equal(($"{execution}/charge~1~1~c1", "charge-b-1"), (left.EffectId, left.IdempotencyKey));
        Assert.Equal(50_000, left.Arguments!.Value.GetProperty("note").GetString()!.Length); // A large value is shown in its place.
        Assert.Equal("sent", left.Result!.Value.GetProperty("status").GetString());
        Assert.Equal(("compensation_failed", "it was refused: 422"), (left.Reason, left.Message));
        Assert.Equal(["charge", "refund"], _host.Tools.Called);
    }

    [Fact]
    public async Task List_UndoneWithoutRemainder_IsEmpty()
    {
        var execution = await RunAsync();
        await RollBackAsync(execution);
        Assert.Equal(["charge", "refund"], _host.Tools.Called);
        Assert.Empty((await _host.GetAsync($"/v1/residue?execution={execution}", ContractJson.Default.ResiduePage)).Items);
    }

    [Fact]
    public async Task List_NoExecutionOrAnothersOrUnknown_IsRefused()
    {
        var execution = await RunAsync();
        var unnamed = await _host.FailAsync(HttpMethod.Get, "/v1/residue", 422);
        Assert.Equal(("validation_failed", "/execution"), (unnamed.Code, unnamed.Errors![0].Pointer));
        Assert.Equal("execution_not_found", (await _host.FailAsync(HttpMethod.Get, "/v1/residue?execution=exe_nothing", 404)).Code);
        using var stranger = _host.ClientOf((await _host.Keys.CreateAsync("ten_b", "stranger", "local")).Secret!);
        Assert.Equal("execution_not_found", (await _host.FailAsync(HttpMethod.Get, $"/v1/residue?execution={execution}", 404, client: stranger)).Code);
    }

    private async Task<string> RunAsync()
    {
        using var saved = await _host.Client.PostAsync("/v1/workflows", ApiHost.Yaml(Spec));
        Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync());
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/executions")
        {
            Content = ApiHost.Json($$"""{"workflow": "booking", "input": {"booking": "b-1", "note": "{{new string('n', 50_000)}}"} }"""),
        };
        request.Headers.Add("Prefer", "wait=10");
        using var response = await _host.Client.SendAsync(request);
        var ended = await ApiHost.ReadAsync(response, ContractJson.Default.ExecutionView, 201);
        Assert.Equal("succeeded", ended.Status);
        return ended.Id;
    }

    private async Task RollBackAsync(string execution)
    {
        await _host.PostAsync($"/v1/executions/{execution}/rollback", """{"to": "start", "scope": "all"}""", ContractJson.Default.RollbackView);
        await Streams.UntilAsync(_host, execution, "rollback.completed");
    }
}
