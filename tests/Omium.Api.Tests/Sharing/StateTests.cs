using System.Collections.Concurrent;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;

namespace Omium.Api.Tests.Sharing;

/// <summary>Shared values: versions, no lost update, nothing acted upon that has changed, rollback only where nobody has written since.</summary>
public sealed class StateTests : IAsyncLifetime
{
    private const string Write = """
        omium: v0
        name: write
        steps:
          - {id: set, type: decision, input: {name: "${{ input.name }}"}, writes: ["customer/${{ input.customer }}#name"]}
        """;

    private const string Count = """
        omium: v0
        name: count
        steps:
          - id: add
            type: decision
            reads: ["counter/1#n"]
            input: {n: "${{ state.n == null ? 1 : state.n + 1 }}"}
            writes: ["counter/1#n"]
        """;

    /// <summary>The name is read by terms, changed by rename, and used by letter.</summary>
    private const string Letter = """
        omium: v0
        name: letter
        tools:
          send: {type: http, url: "https://post.example/send", effect: {kind: idempotent, compensate: send}}
          work: {type: http, url: "https://work.example/do"}
        steps:
          - {id: terms, type: tool_call, tool: work, reads: ["customer/${{ input.customer }}#name"], input: {name: "${{ state.name }}"}}
          - {id: other, type: tool_call, tool: work, needs: [terms], input: {x: 1}}
          - {id: rename, type: decision, needs: [other], input: {name: "${{ input.name }}"}, writes: ["customer/${{ input.customer }}#name"], guards: {pre: [{check: "input.name != ''"}]}}
          - {id: letter, type: tool_call, tool: send, needs: [rename], input: {text: "${{ steps.terms.output.name }}"}}
        """;

    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Writes_OneAfterTheOther_AreVersionsWithTheirWriters()
    {
        await SaveAsync(Write);
        var first = await RunAsync("write", """{"customer": "42", "name": "Ann"}""");
        var second = await RunAsync("write", """{"customer": "42", "name": "Bea"}""");
        await LockTests.EventuallyAsync(async () => (await ValueAsync("customer/42%23name")).Version == 2);
        var value = await ValueAsync("customer/42%23name");
        Assert.Equal(("Bea", second.Id, "set", 1), (value.Value!.Value.GetString(), value.Writer!.Execution, value.Writer.Step, value.Writer.Attempt));
        Assert.Equal([(2, second.Id), (1, first.Id)], value.History.Select(change => ((int)change.Version, change.Writer!.Execution)));
        Assert.Equal("identical", (await _host.GetAsync($"/v1/executions/{second.Id}/verify", ContractJson.Default.VerifyView)).Verdict);
        Assert.Equal("identical", (await _host.GetAsync("/v1/scopes/verify?scope=customer/42", ContractJson.Default.VerifyView)).Verdict);
    }

    [Fact]
    public async Task Writes_ManyAtOnceFromWhatWasRead_LoseNoUpdate()
    {
        const int Executions = 12;
        await SaveAsync(Count);
        var ended = await Task.WhenAll(Enumerable.Range(0, Executions).Select(_ => RunAsync("count", "{}")));
        var succeeded = ended.Count(execution => execution.Status == "succeeded");
        Assert.All(ended, execution => Assert.True(execution.Status == "succeeded" || execution.Failure!.Class == "stale_read", execution.Failure?.Message));
        Assert.True(succeeded > Executions / 2, $"{succeeded} of {Executions}");
        await LockTests.EventuallyAsync(async () => (await ValueAsync("counter/1%23n")).Version == succeeded);
        Assert.Equal(succeeded, (await ValueAsync("counter/1%23n")).Value!.Value.GetInt32());
    }

    [Fact]
    public async Task Letter_NameChangedAtAStepBetween_RunsOnlyTermsAgainBeforeItIsSent()
    {
        var sent = await PlayLetterAsync("""{"customer": "42", "name": "Bea"}""");
        Assert.True(sent.Execution.Status == "succeeded", $"{sent.Execution.Failure} {string.Join(" | ", sent.Calls)} {string.Join(" | ", sent.Execution.Steps.Select(step => $"{step.Step} {step.Visit} {step.Status} {string.Join(",", step.Failures)}"))}");
        Assert.Equal(["work Ann", "work 1", "work Bea", "send Bea"], sent.Calls);
        Assert.Equal(["terms 2", "other 1", "rename 1", "letter 2"], Standing(sent.Execution));
        var failed = sent.Execution.Steps.Single(step => step is { Step: "letter", Visit: 1 });
        Assert.Equal("stale_read", Assert.Single(failed.Failures).Class);
        Assert.Contains("terms read customer/42#name as \"Ann\" (version 1); since then step rename of this execution has written \"Bea\" (version 2)", failed.Failures[0].Message, StringComparison.Ordinal);
        Assert.Equal("identical", (await _host.GetAsync($"/v1/executions/{sent.Execution.Id}/verify", ContractJson.Default.VerifyView)).Verdict);
    }

    [Fact]
    public async Task Letter_FreshFalse_IsSentAsItIs()
    {
        var sent = await PlayLetterAsync("""{"customer": "42", "name": "Bea"}""", Letter.Replace("compensate: send}", "compensate: send, fresh: false}", StringComparison.Ordinal));
        Assert.Equal(["work Ann", "work 1", "send Ann"], sent.Calls);
    }

    [Fact]
    public async Task Rollback_NewestVersion_PutsTheOldValueBack()
    {
        await SaveAsync(Write);
        await RunAsync("write", """{"customer": "42", "name": "Ann"}""");
        var second = await RunAsync("write", """{"customer": "42", "name": "Bea"}""");
        await LockTests.EventuallyAsync(async () => (await ValueAsync("customer/42%23name")).Version == 2);
        await RollBackAsync(second.Id);
        await LockTests.EventuallyAsync(async () => (await ValueAsync("customer/42%23name")).Version == 3);
        Assert.Equal("Ann", (await ValueAsync("customer/42%23name")).Value!.Value.GetString());
        Assert.Empty((await _host.GetAsync($"/v1/residue?execution={second.Id}", ContractJson.Default.ResiduePage)).Items);
        Assert.Equal("identical", (await _host.GetAsync($"/v1/executions/{second.Id}/verify", ContractJson.Default.VerifyView)).Verdict);
    }

    [Fact]
    public async Task Rollback_WrittenAgainSince_StaysAndIsResidue()
    {
        await SaveAsync(Write);
        var first = await RunAsync("write", """{"customer": "42", "name": "Ann"}""");
        await RunAsync("write", """{"customer": "42", "name": "Bea"}""");
        await LockTests.EventuallyAsync(async () => (await ValueAsync("customer/42%23name")).Version == 2);
        await RollBackAsync(first.Id);
        await LockTests.EventuallyAsync(async () => (await _host.GetAsync($"/v1/residue?execution={first.Id}", ContractJson.Default.ResiduePage)).Items.Count == 1);
        var left = Assert.Single((await _host.GetAsync($"/v1/residue?execution={first.Id}", ContractJson.Default.ResiduePage)).Items);
        Assert.Equal(("state_conflict", "customer/42#name", "set"), (left.Reason, left.Tool, left.Step));
        Assert.Equal("Bea", (await ValueAsync("customer/42%23name")).Value!.Value.GetString());
        await LockTests.EventuallyAsync(async () => (await _host.GetAsync($"/v1/executions/{first.Id}", ContractJson.Default.ExecutionView)).Status != "rolling_back");
    }

    [Fact]
    public async Task Write_IntoAScopeThatAnotherHolds_WaitsForIt()
    {
        const string Hold = """
            omium: v0
            name: hold
            tools: {work: {type: http, url: "https://work.example/do"}}
            steps:
              - {id: hold, type: tool_call, tool: work, input: {x: 1}, locks: ["customer/42"]}
            """;
        await SaveAsync(Write);
        await SaveAsync(Hold);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _host.Tools.Held = go.Task;
        await _host.PostAsync("/v1/executions", """{"workflow": "hold", "input": {}}""", ContractJson.Default.ExecutionView, 201);
        await _host.Tools.FirstCall.Task;
        var writing = await _host.PostAsync("/v1/executions", """{"workflow": "write", "input": {"customer": "42", "name": "Ann"}}""", ContractJson.Default.ExecutionView, 201);
        await LockTests.EventuallyAsync(async () => (await _host.GetAsync($"/v1/executions/{writing.Id}/timeline", ContractJson.Default.TimelinePage)).Items.Any(line => line.Kind == "writes.requested"));
        Assert.Equal(0, (await ValueAsync("customer/42%23name")).Version);
        go.SetResult();
        await LockTests.EventuallyAsync(async () => (await ValueAsync("customer/42%23name")).Version == 1);
    }

    private async Task<(ExecutionView Execution, string[] Calls)> PlayLetterAsync(string input, string spec = Letter)
    {
        var calls = new ConcurrentQueue<string>();
        _host.Tools.Answer = request =>
        {
            var said = request.Arguments.EnumerateObject().First().Value;
            calls.Enqueue($"{request.Tool.Name} {said}");
            return Task.FromResult(new EffectOutcome { Result = JsonMake.Object(("name", said)) });
        };
        await SaveAsync(Write);
        await SaveAsync(spec);
        await RunAsync("write", """{"customer": "42", "name": "Ann"}""");
        await LockTests.EventuallyAsync(async () => (await ValueAsync("customer/42%23name")).Version == 1);
        var execution = await RunAsync("letter", input);
        return (execution, [.. calls]);
    }

    private static string[] Standing(ExecutionView execution) =>
        [.. execution.Steps.Where(step => step.Status == "committed").GroupBy(step => step.Step).Select(group => $"{group.Key} {group.Max(step => step.Visit)}").OrderBy(text => Array.IndexOf(["terms", "other", "rename", "letter"], text.Split(' ')[0]))];

    private async Task RollBackAsync(string execution)
    {
        using var response = await _host.Client.PostAsync($"/v1/executions/{execution}/rollback", ApiHost.Json("""{"to": "start", "scope": "all"}"""));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    private Task<Contracts.Sharing.SharedValueView> ValueAsync(string key) => _host.GetAsync($"/v1/state?key={key}", ContractJson.Default.SharedValueView);

    private async Task SaveAsync(string spec)
    {
        using var saved = await _host.Client.PostAsync("/v1/workflows", ApiHost.Yaml(spec));
        Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync());
    }

    private async Task<ExecutionView> RunAsync(string workflow, string input)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/executions") { Content = ApiHost.Json($$"""{"workflow": "{{workflow}}", "input": {{input}}}""") };
        request.Headers.Add("Prefer", "wait=25");
        using var response = await _host.Client.SendAsync(request);
        return await ApiHost.ReadAsync(response, ContractJson.Default.ExecutionView, 201);
    }
}
