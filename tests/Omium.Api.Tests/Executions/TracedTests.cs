using System.Text.Json;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Contracts.Failures;
using Omium.Contracts.Reviews;

namespace Omium.Api.Tests.Executions;

/// <summary>Code that runs elsewhere, over HTTP: what it is answered, and what people see of it.</summary>
public sealed class TracedTests : IAsyncLifetime
{
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Steps_FiveInARow_AreSixRequestsAndSixRecords()
    {
        var started = await StartAsync("""[{"do": "begin", "name": "s1", "input": {"n": 1}}]""");
        var sid = started.Trace!.Results[0].Sid!;
        TraceView view = null!;
        for (var number = 2; number <= 5; number++)
        {
            view = await TraceAsync(started.Id, $$$"""[{"do": "finish", "sid": "{{{sid}}}", "output": {"n": {{{number}}}}}, {"do": "begin", "name": "s{{{number}}}"}]""");
            Assert.Equal(["committed", "run"], view.Results.Select(result => result.State));
            sid = view.Results[1].Sid!;
        }

        view = await TraceAsync(started.Id, $$$"""[{"do": "finish", "sid": "{{{sid}}}", "output": {}}, {"do": "complete", "output": {"done": true}}]""");
        Assert.Equal(("succeeded", 6L, """{"done":true}"""), (view.Status, view.Seq, Compact(view.Output)));
        Assert.Equal("identical", (await _host.GetAsync($"/v1/executions/{started.Id}/verify", ContractJson.Default.VerifyView)).Verdict);
        var graph = await _host.GetAsync($"/v1/executions/{started.Id}/graph", ContractJson.Default.GraphView);
        Assert.Equal(["s1@1", "s2@1", "s3@1", "s4@1", "s5@1"], graph.Nodes.Select(node => node.Step));
        Assert.Equal(4, graph.Edges.Count);
    }

    [Fact]
    public async Task Program_StartedAgainUnderItsKey_IsAnsweredFromTheRecord()
    {
        var first = await StartAsync("""[{"do": "record", "name": "big", "output": "BIG"}]""".Replace("BIG", new string('x', 9_000), StringComparison.Ordinal), key: "order-1");
        Assert.Equal("committed", first.Trace!.Results[0].State);
        var again = await StartAsync("""[{"do": "begin", "name": "big"}]""", key: "order-1", owner: "b", status: 200);
        Assert.Equal((first.Id, "replay", 9_000), (again.Id, again.Trace!.Results[0].State, again.Trace.Results[0].Output!.Value.GetString()!.Length));
        var byId = await _host.PostAsync("/v1/executions", $$"""{"mode": "traced", "id": "{{first.Id}}"}""", ContractJson.Default.ExecutionView);
        Assert.Equal(first.Id, byId.Id);
    }

    [Fact]
    public async Task Step_WithAnotherInput_IsRefusedByName()
    {
        var started = await StartAsync("""[{"do": "record", "name": "quote", "input": {"sku": 1}, "output": 1}]""");
        var problem = await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{started.Id}/steps", 409, ApiHost.Json("""{"owner": "b", "name": "quote", "input": {"sku": 2}}"""));
        Assert.Equal("replay_mismatch", problem.Code);
        Assert.Contains("'quote'", problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("handoffs/receive", """{"owner": "b", "from": "a", "schema": 1e400}""", "/schema")]
    [InlineData("steps", """{"owner": "b", "name": "s", "constraints": {"min": -1e400}}""", "/constraints")]
    [InlineData("steps", """{"owner": "b", "name": "s", "schema": {"const": "\ud800"}}""", "/schema")]
    [InlineData("intents", """{"owner": "b", "name": "s", "amount_usd": 1e400}""", "/amount_usd")]
    [InlineData("trace", """{"owner": "b", "operations": [null]}""", "")]
    public async Task Operation_OfNoValue_IsRefusedWithItsPlace(string place, string body, string pointer)
    {
        var started = await StartAsync("""[{"do": "record", "name": "first", "output": 1}]""");
        var problem = await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{started.Id}/{place}", 422, ApiHost.Json(body));
        Assert.Equal(("validation_failed", pointer), (problem.Code, Assert.Single(problem.Errors!).Pointer));
    }

    [Fact]
    public async Task Output_ThatBreaksAConstraint_IsAFailureWithBothSides()
    {
        var started = await StartAsync("""[{"do": "begin", "name": "score", "constraints": {"min": 300, "max": 850}}]""");
        var view = await _host.PutAsync($"/v1/executions/{started.Id}/steps/score@1~1~1~1", """{"owner": "a", "output": {"score": 900}}""", ContractJson.Default.TraceView);
        Assert.Equal(("failed", "guard_failed"), (view.Results[0].State, view.Results[0].Failure!.Class));
        var failures = (await _host.GetAsync($"/v1/failures?execution={started.Id}", ContractJson.Default.FailurePage)).Items;
        var story = await _host.GetAsync($"/v1/failures/{Uri.EscapeDataString(Assert.Single(failures).Id)}", ContractJson.Default.FailureView);
        Assert.Equal("score@1", story.Failure.Step);
        await TraceAsync(started.Id, """[{"do": "complete", "output": 1}]""");
        Assert.Equal("resolved", Assert.Single((await _host.GetAsync($"/v1/failures?execution={started.Id}", ContractJson.Default.FailurePage)).Items).Status);
    }

    [Fact]
    public async Task Transaction_WhoseProcessIsGone_IsAQuestionToAPerson()
    {
        var started = await StartAsync("""[{"do": "begin", "name": "pay", "kind": "transaction", "input": {"usd": 12}}]""");
        var view = await TraceAsync(started.Id, """[{"do": "lost", "gone": "a"}, {"do": "begin", "name": "pay", "kind": "transaction", "input": {"usd": 12}}]""", owner: "b");
        Assert.Equal(("wait", "review"), (view.Results[1].State, view.Results[1].Reason));
        var review = await _host.GetAsync($"/v1/reviews/{view.Results[1].Review}", ContractJson.Default.ReviewView);
        Assert.Equal(("in_doubt", "pay"), (review.Kind, review.Shown!.Value.GetProperty("tool").GetString()));
        await _host.PostAsync($"/v1/reviews/{review.Id}/decide", $$$"""{"decision": "done", "digest": "{{{review.Digest}}}", "output": {"receipt": 7}}""", ContractJson.Default.ReviewView);
        view = await TraceAsync(started.Id, """[{"do": "begin", "name": "pay", "kind": "transaction", "input": {"usd": 12}}]""", owner: "b");
        Assert.Equal(("replay", """{"receipt":7}"""), (view.Results[0].State, Compact(view.Results[0].Output)));
    }

    [Fact]
    public async Task Rollback_OfATransaction_IsUndoneByTheCodeThatKnowsHow()
    {
        var started = await StartAsync("""[{"do": "record", "name": "quote", "output": 1}, {"do": "begin", "name": "pay", "kind": "transaction", "effect": "idempotent", "compensate": "shop:refund"}]""");
        var key = started.Trace!.Results[1].IdempotencyKey;
        await TraceAsync(started.Id, """[{"do": "finish", "sid": "pay@1~1~1~1", "output": {"receipt": 7}}]""");
        await _host.PostAsync($"/v1/executions/{started.Id}/rollback", """{"to": "quote", "scope": "all"}""", ContractJson.Default.RollbackView);
        var undo = (await TraceAsync(started.Id, """[{"do": "attach"}]""")).Undo!;
        Assert.Equal(("shop:refund", """{"receipt":7}""", $"{key}-undo"), (undo.Compensate, Compact(undo.Output), undo.IdempotencyKey));
        var view = await TraceAsync(started.Id, $$"""[{"do": "undo", "effect_id": "{{undo.EffectId}}"}, {"do": "undone", "effect_id": "{{undo.EffectId}}", "attempt": 1}]""");
        Assert.Equal((null, "paused"), (view.Undo, view.Status));
        var problem = await _host.FailAsync(HttpMethod.Put, $"/v1/executions/{started.Id}/steps/pay@1~1~1~1", 409, ApiHost.Json("""{"owner": "a", "output": 2}"""));
        Assert.Equal("task_fenced", problem.Code);
    }

    [Fact]
    public async Task Receive_BeforeAnythingWasHandedOver_WaitsForIt()
    {
        var started = await StartAsync("[]");
        var receiving = _host.PostAsync($"/v1/executions/{started.Id}/handoffs/receive", """{"owner": "b", "from": "kyc", "wait_ms": 20000}""", ContractJson.Default.TraceView);
        var sent = await _host.PostAsync($"/v1/executions/{started.Id}/handoffs", """{"owner": "a", "from": "kyc", "output": {"name": "ada"}}""", ContractJson.Default.TraceView);
        Assert.Equal("committed", sent.Results[0].State);
        Assert.Equal("""{"name":"ada"}""", Compact((await receiving).Results[0].Output));
    }

    [Fact]
    public async Task Requests_ThatMakeNoSense_SayWhere()
    {
        var started = await StartAsync("[]");
        foreach (var (path, body, pointer) in new[]
        {
            ("/v1/executions", """{"mode": "traced"}""", "/name"),
            ("/v1/executions", """{"mode": "other", "name": "x"}""", "/mode"),
            ("/v1/executions", """{"mode": "traced", "name": "x", "recovery": {"rules": 1}}""", "/recovery/rules"),
            ($"/v1/executions/{started.Id}/trace", """{"owner": "a", "operations": []}""", "/operations"),
            ($"/v1/executions/{started.Id}/trace", """{"owner": "a", "operations": [{"do": "attach"}, {"do": "nothing"}]}""", "/operations/1/do"),
            ($"/v1/executions/{started.Id}/steps", """{"owner": "a", "name": "a/b"}""", "/name"),
            ($"/v1/executions/{started.Id}/steps", """{"owner": "a", "name": "program"}""", "/name"),
            ($"/v1/executions/{started.Id}/steps", """{"owner": "a", "name": "x", "effect": "idempotent"}""", "/effect"),
            ($"/v1/executions/{started.Id}/steps", """{"owner": "a", "name": "x", "lease_ms": 1}""", "/lease_ms"),
        })
        {
            var problem = await _host.FailAsync(HttpMethod.Post, path, 422, ApiHost.Json(body));
            Assert.Equal(pointer, Assert.Single(problem.Errors!).Pointer);
        }
    }

    [Fact]
    public async Task Handoff_WithMoreToCompareThanARecordKeeps_SaysSo()
    {
        var started = await StartAsync("""[{"do": "handoff", "from": "kyc", "output": 1, "claims": {"text": "short"}}]""");
        var large = $$"""{"owner": "a", "from": "kyc", "PART": {"text": "{{new string('x', 5_000)}}"} }""";
        foreach (var (path, part) in new[] { ("handoffs/receive", "seen"), ("handoffs", "claims") })
        {
            var problem = await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{started.Id}/{path}", 422, ApiHost.Json(large.Replace("PART", part, StringComparison.Ordinal)));
            Assert.Equal("/" + part, Assert.Single(problem.Errors!).Pointer);
            Assert.Contains("at most 4096 bytes", problem.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Execution_OfAWorkflow_IsNotTraced()
    {
        var run = await _host.RunCompanyXAsync();
        Assert.Equal("execution_not_traced", (await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{run.Id}/steps", 409, ApiHost.Json("""{"owner": "a", "name": "x"}"""))).Code);
    }

    private Task<ExecutionView> StartAsync(string operations, string? key = null, string owner = "a", int status = 201) => _host.PostAsync(
        "/v1/executions",
        $$$"""{"mode": "traced", "name": "checkout", {{{(key is null ? "" : $"\"start_key\": \"{key}\", ")}}}"trace": {"owner": "{{{owner}}}", "operations": {{{operations}}}}}""",
        ContractJson.Default.ExecutionView, status);

    private Task<TraceView> TraceAsync(string id, string operations, string owner = "a") =>
        _host.PostAsync($"/v1/executions/{id}/trace", $$"""{"owner": "{{owner}}", "operations": {{operations}}}""", ContractJson.Default.TraceView);

    private static string? Compact(JsonElement? value) => value is { } given ? JsonSerializer.Serialize(given, ContractJson.Default.JsonElement) : null;
}
