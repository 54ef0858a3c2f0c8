using Omium.Contracts;
using Omium.Contracts.Executions;

namespace Omium.Api.Tests.Residue;

/// <summary><c>/v1/residue</c>: what, where and why, of the whole tenant and of nobody else, until a person has dealt with it.</summary>
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
    public async Task List_WholeTenant_FilteredAndPaged_NewestFirst()
    {
        _host.Tools.Refusing.Add("refund");
        string[] executions = [await RunAsync(), await RunAsync("b-2"), await RunAsync("b-3")];
        foreach (var execution in executions)
        {
            await RollBackAsync(execution);
        }

        var all = await _host.GetAsync("/v1/residue?limit=2", ContractJson.Default.ResiduePage);
        var rest = await _host.GetAsync($"/v1/residue?limit=2&cursor={Uri.EscapeDataString(all.NextCursor!)}", ContractJson.Default.ResiduePage);
        Assert.Equal(executions.Order(), all.Items.Concat(rest.Items).Select(left => left.Execution).Order());
        Assert.Equal((2, 1, null), (all.Items.Count, rest.Items.Count, rest.NextCursor));
        Assert.All(all.Items, left => Assert.InRange(left.At, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1)));
        Assert.Equal(3, (await _host.GetAsync("/v1/residue?workflow=booking&status=open", ContractJson.Default.ResiduePage)).Items.Count);
        Assert.Empty((await _host.GetAsync("/v1/residue?workflow=other", ContractJson.Default.ResiduePage)).Items);
        Assert.Empty((await _host.GetAsync("/v1/residue?to=2020-01-01T00:00:00Z", ContractJson.Default.ResiduePage)).Items);
        Assert.Equal("/status", (await _host.FailAsync(HttpMethod.Get, "/v1/residue?status=lost", 422)).Errors![0].Pointer);
        using var stranger = _host.ClientOf((await _host.Keys.CreateAsync("ten_b", "stranger", "local")).Secret!);
        Assert.Empty((await ApiHost.GetAsync(stranger, "/v1/residue", ContractJson.Default.ResiduePage)).Items);
        Assert.Equal("residue_not_found", (await _host.FailAsync(HttpMethod.Post, $"/v1/residue/{all.Items[0].Id}/resolve", 404, client: stranger)).Code);
    }

    [Fact]
    public async Task Resolve_ByAPerson_IsOnRecordOnceAndLeavesTheOpenList()
    {
        _host.Tools.Refusing.Add("refund");
        var execution = await RunAsync();
        await RollBackAsync(execution);
        var left = Assert.Single((await _host.GetAsync("/v1/residue?status=open", ContractJson.Default.ResiduePage)).Items);
        Assert.Equal(($"{execution}.charge~1~1~c1", "open", null), (left.Id, left.Status, left.Resolved));

        var resolved = await _host.PostAsync($"/v1/residue/{left.Id}/resolve", """{"note": "refunded by hand"}""", ContractJson.Default.ResidueView);
        Assert.Equal(("resolved", "refunded by hand"), (resolved.Status, resolved.Resolved!.Note));
        var again = await _host.PostAsync($"/v1/residue/{left.Id}/resolve", """{"note": "refunded by hand"}""", ContractJson.Default.ResidueView);
        Assert.Equal(resolved.Resolved, again.Resolved);
        Assert.Equal("residue_resolved", (await _host.FailAsync(HttpMethod.Post, $"/v1/residue/{left.Id}/resolve", 409, ApiHost.Json("""{"note": "no, by me"}"""))).Code);

        Assert.Empty((await _host.GetAsync("/v1/residue?status=open", ContractJson.Default.ResiduePage)).Items);
        Assert.Equal(resolved.Resolved, Assert.Single((await _host.GetAsync("/v1/residue?status=resolved", ContractJson.Default.ResiduePage)).Items).Resolved);
        var lines = await _host.GetAsync($"/v1/executions/{execution}/timeline", ContractJson.Default.TimelinePage);
        Assert.Contains("refunded by hand", Assert.Single(lines.Items, line => line.Kind == "residue.resolved").Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_OfAnothersOrUnknownExecution_IsRefused()
    {
        var execution = await RunAsync();
        Assert.Equal("execution_not_found", (await _host.FailAsync(HttpMethod.Get, "/v1/residue?execution=exe_nothing", 404)).Code);
        using var stranger = _host.ClientOf((await _host.Keys.CreateAsync("ten_b", "stranger", "local")).Secret!);
        Assert.Equal("execution_not_found", (await _host.FailAsync(HttpMethod.Get, $"/v1/residue?execution={execution}", 404, client: stranger)).Code);
    }

    [Fact]
    public async Task Rollback_DecidedInAReview_AsksWhetherWhatCannotBeUndoneMayStay()
    {
        _host.Tools.Refusing.Add("broken");
        using var saved = await _host.Client.PostAsync("/v1/workflows", ApiHost.Json("""
            {"spec": {"omium": "v0", "name": "wired", "tools": {"wire": {"type": "function", "effect": {"kind": "irreversible"}}, "broken": {"type": "function"}},
             "steps": [{"id": "ask", "type": "human_approval"}, {"id": "wire", "type": "tool_call", "tool": "wire", "needs": ["ask"]}, {"id": "b", "type": "tool_call", "tool": "broken", "needs": ["wire"]}],
             "recovery": {"rules": [{"do": ["pause", "await_review"]}]}}}
            """));
        Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync());
        var started = await _host.PostAsync("/v1/executions", """{"workflow": "wired", "input": {}}""", ContractJson.Default.ExecutionView, 201);
        await DecideAsync("approve", "");
        await Streams.UntilAsync(_host, started.Id, "execution.paused");

        var review = await ReviewAsync();
        var refused = await _host.FailAsync(HttpMethod.Post, $"/v1/reviews/{review.Id}/decide", 409, ApiHost.Json($$"""{"decision": "rollback", "digest": "{{review.Digest}}"}"""));
        Assert.Equal("rollback_irreversible", refused.Code);
        Assert.Contains("wire~1~1~c1", refused.Detail, StringComparison.Ordinal);
        Assert.Empty((await _host.GetAsync("/v1/residue", ContractJson.Default.ResiduePage)).Items);
        await DecideAsync("rollback", ", \"accept_residue\": true");
        await Streams.UntilAsync(_host, started.Id, "rollback.completed");
        var left = Assert.Single((await _host.GetAsync("/v1/residue", ContractJson.Default.ResiduePage)).Items);
        Assert.Equal(("wire", "irreversible"), (left.Tool, left.Reason));

        async Task<Contracts.Reviews.ReviewView> ReviewAsync() =>
            Assert.Single((await _host.GetAsync($"/v1/reviews?execution={started.Id}&status=open", ContractJson.Default.ReviewPage)).Items);

        async Task DecideAsync(string decision, string more)
        {
            await Streams.UntilAsync(_host, started.Id, "review.requested");
            var open = await ReviewAsync();
            await _host.PostAsync($"/v1/reviews/{open.Id}/decide", $$"""{"decision": "{{decision}}", "digest": "{{open.Digest}}"{{more}}}""", ContractJson.Default.ReviewView);
        }
    }

    private async Task<string> RunAsync(string booking = "b-1")
    {
        using var saved = await _host.Client.PostAsync("/v1/workflows", ApiHost.Yaml(Spec));
        Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync());
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/executions")
        {
            Content = ApiHost.Json($$"""{"workflow": "booking", "input": {"booking": "{{booking}}", "note": "{{new string('n', 50_000)}}"} }"""),
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
