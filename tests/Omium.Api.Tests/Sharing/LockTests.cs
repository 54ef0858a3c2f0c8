using System.Collections.Concurrent;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;

namespace Omium.Api.Tests.Sharing;

/// <summary>Locks between executions: one at a time, in turn, shown to the operator, given back whatever happens.</summary>
public sealed class LockTests : IAsyncLifetime
{
    private const string Spec = """
        omium: v0
        name: payment
        tools:
          pay: {type: http, url: "https://bank.example/pay", effect: {kind: idempotent, compensate: refund}}
          refund: {type: http, url: "https://bank.example/refund", effect: {kind: idempotent}}
        steps:
          - {id: pay, type: tool_call, tool: pay, input: {customer: "${{ input.customer }}"}, locks: ["${{ input.scope }}", "order/${{ input.order }}"], lock_lease: "${LEASE}"}
        """;

    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Locks_ManyExecutionsOfOneCustomer_ActOneAfterTheOtherWithGrowingTokens()
    {
        const int Executions = 24;
        await SaveAsync();
        var (inside, most) = (0, 0);
        var tokens = new ConcurrentQueue<long>();
        _host.Tools.Answer = async request =>
        {
            most = Math.Max(most, Interlocked.Increment(ref inside));
            tokens.Enqueue(TokenOf(request, "customer/42"));
            await Task.Yield();
            Interlocked.Decrement(ref inside);
            return Sent();
        };
        var started = await Task.WhenAll(Enumerable.Range(1, Executions).Select(order => RunAsync("customer/42", order % 5)));
        Assert.All(started, execution => Assert.Equal("succeeded", execution.Status));
        Assert.Equal(1, most);
        Assert.Equal(Executions, tokens.Distinct().Count());
        Assert.Equal(tokens.Order(), tokens);
        await EventuallyAsync(async () => (await _host.GetAsync("/v1/locks", ContractJson.Default.RootPage)).Items.Count == 0);
        Assert.Equal("identical", (await _host.GetAsync("/v1/scopes/verify?scope=customer/42", ContractJson.Default.VerifyView)).Verdict);
    }

    [Fact]
    public async Task Locks_Held_OthersWaitAndTheOperatorSeesWho()
    {
        await SaveAsync();
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _host.Tools.Held = go.Task;
        var first = await StartAsync("customer/42/email", 1);
        await _host.Tools.FirstCall.Task;
        var second = await StartAsync("customer/42", 2);
        await EventuallyAsync(async () => (await ViewAsync(second.Id)) is { Status: "waiting", WaitingFor: "lock" });
        await EventuallyAsync(async () => (await _host.GetAsync("/v1/locks?scope=customer/42", ContractJson.Default.RootPage)).Items[0].Queue.Count == 1);

        var root = Assert.Single((await _host.GetAsync("/v1/locks?scope=customer/42", ContractJson.Default.RootPage)).Items);
        Assert.Equal(("customer/42", first.Id, "pay", 1), (root.Root, root.Holders[0].Execution, root.Holders[0].Step, root.Holders[0].Visit));
        Assert.Equal((second.Id, null), (root.Queue[0].Execution, root.Queue[0].Token));
        Assert.Equal(["customer/42/email"], root.Holders[0].Scopes);

        go.SetResult();
        await EventuallyAsync(async () => (await ViewAsync(second.Id)).Status == "succeeded");
    }

    [Fact]
    public async Task Locks_WaiterCancelled_LeavesTheQueue()
    {
        await SaveAsync();
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _host.Tools.Held = go.Task;
        await StartAsync("customer/42", 1);
        await _host.Tools.FirstCall.Task;
        var second = await StartAsync("customer/42", 2);
        await EventuallyAsync(async () => (await _host.GetAsync("/v1/locks?scope=customer/42", ContractJson.Default.RootPage)).Items[0].Queue.Count == 1);
        await _host.PostAsync($"/v1/executions/{second.Id}/cancel", "{}", ContractJson.Default.ExecutionView);
        await EventuallyAsync(async () => (await _host.GetAsync("/v1/locks?scope=customer/42", ContractJson.Default.RootPage)).Items[0].Queue.Count == 0);
        go.SetResult();
        await EventuallyAsync(async () => (await _host.GetAsync("/v1/locks", ContractJson.Default.RootPage)).Items.Count == 0);
        Assert.Single(_host.Tools.Called);
    }

    [Fact]
    public async Task Locks_LeaseOverWhileACallIsUnderWay_IsKept()
    {
        await SaveAsync("1s");
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _host.Tools.Held = go.Task;
        var first = await StartAsync("customer/42", 1);
        await _host.Tools.FirstCall.Task;
        var second = await StartAsync("customer/42", 2);
        await EventuallyAsync(async () => (await _host.GetAsync("/v1/locks?scope=customer/42", ContractJson.Default.RootPage)).Items[0] is { Queue: [{ AgeMs: > 4_500 }] }, 30);
        Assert.Equal(first.Id, (await _host.GetAsync("/v1/locks?scope=customer/42", ContractJson.Default.RootPage)).Items[0].Holders[0].Execution);
        Assert.Single(_host.Tools.Called);
        go.SetResult();
        await EventuallyAsync(async () => (await ViewAsync(second.Id)).Status == "succeeded");
    }

    [Fact]
    public async Task Locks_LeaseOverWhilePaused_AreGivenToWhoWaitsAndAskedForAgain()
    {
        const string Agent = """
            omium: v0
            name: slow
            agents: {terms: {role: r, goal: g, prompt: p}}
            tools:
              pay: {type: http, url: "https://bank.example/pay", effect: {kind: idempotent, compensate: pay}}
            steps:
              - {id: ask, type: human_approval, locks: ["customer/42"], lock_lease: 1s}
              - {id: pay, type: tool_call, tool: pay, needs: [ask], locks: ["customer/42"]}
            """;
        using (var saved = await _host.Client.PostAsync("/v1/workflows", ApiHost.Yaml(Agent)))
        {
            Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync());
        }

        await SaveAsync();
        var asking = await _host.PostAsync("/v1/executions", """{"workflow": "slow", "input": {}}""", ContractJson.Default.ExecutionView, 201);
        await EventuallyAsync(async () => (await ViewAsync(asking.Id)).OpenReviews.Count == 1);
        var paid = await RunAsync("customer/42", 7); // It waits for the lease of the one that asks.
        Assert.Equal("succeeded", paid.Status);
        var timeline = await _host.GetAsync($"/v1/executions/{asking.Id}/timeline", ContractJson.Default.TimelinePage);
        Assert.Contains(timeline.Items, line => line.Title.Contains("gives its locks up", StringComparison.Ordinal));

        var review = Assert.Single((await _host.GetAsync($"/v1/reviews?execution={asking.Id}", ContractJson.Default.ReviewPage)).Items);
        await EventuallyAsync(async () => (await _host.GetAsync("/v1/locks?scope=customer/42", ContractJson.Default.RootPage)).Items[0].Holders is [{ } holder] && holder.Execution == asking.Id);
        await _host.PostAsync($"/v1/reviews/{review.Id}/decide", $$"""{"decision": "approve", "digest": "{{review.Digest}}"}""", ContractJson.Default.ReviewView);
        await EventuallyAsync(async () => (await ViewAsync(asking.Id)).Status == "succeeded");
    }

    [Fact]
    public async Task Aliases_OfOneScope_ExcludeEachOtherAndAreSetOnce()
    {
        await SaveAsync();
        await _host.PostAsync("/v1/scope-aliases", """{"alias": "email:ada@x.org", "scope": "customer/42"}""", ContractJson.Default.ScopeAliasView, 201);
        await _host.PostAsync("/v1/scope-aliases", """{"alias": "email:ada@x.org", "scope": "customer/42"}""", ContractJson.Default.ScopeAliasView);
        var taken = await _host.FailAsync(HttpMethod.Post, "/v1/scope-aliases", 409, ApiHost.Json("""{"alias": "email:ada@x.org", "scope": "customer/43"}"""));
        Assert.Equal("alias_taken", taken.Code);
        Assert.Equal("email:ada@x.org", Assert.Single((await _host.GetAsync("/v1/scope-aliases", ContractJson.Default.ScopeAliasPage)).Items).Alias);

        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _host.Tools.Held = go.Task;
        await StartAsync("email:ada@x.org/inbox", 1);
        await _host.Tools.FirstCall.Task;
        var second = await StartAsync("customer/42", 2);
        await EventuallyAsync(async () => (await _host.GetAsync("/v1/locks?scope=email:ada@x.org", ContractJson.Default.RootPage)).Items[0].Queue.Count == 1);
        go.SetResult();
        await EventuallyAsync(async () => (await ViewAsync(second.Id)).Status == "succeeded");
    }

    [Theory]
    [InlineData("email:nobody@x.org", "alias_unknown")]
    [InlineData("customer", "invalid_scope")]
    [InlineData("customer/../43", "invalid_scope")]
    public async Task Locks_NoSuchScope_FailsBeforeAnythingRuns(string scope, string code)
    {
        await SaveAsync();
        var failed = await RunAsync(scope, 1);
        Assert.Equal(("failed", code), (failed.Status, failed.Failure!.Code));
        Assert.Empty(_host.Tools.Called);
    }

    internal static EffectOutcome Sent() => new() { Result = JsonMake.Object(("status", JsonMake.Text("sent"))) };

    internal static long TokenOf(ToolRequest request, string root)
    {
        var token = request.FencingTokens!.Split(", ").Single(pair => pair.StartsWith(root + "=", StringComparison.Ordinal));
        return long.Parse(token[(root.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    private async Task SaveAsync(string lease = "10m")
    {
        using var saved = await _host.Client.PostAsync("/v1/workflows", ApiHost.Yaml(Spec.Replace("${LEASE}", lease, StringComparison.Ordinal)));
        Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync());
    }

    private static string Body(string scope, int order) => $$$"""{"workflow": "payment", "input": {"customer": "42", "scope": "{{{scope}}}", "order": {{{order}}}}}""";

    private Task<ExecutionView> StartAsync(string scope, int order) => _host.PostAsync("/v1/executions", Body(scope, order), ContractJson.Default.ExecutionView, 201);

    private async Task<ExecutionView> RunAsync(string scope, int order)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/executions") { Content = ApiHost.Json(Body(scope, order)) };
        request.Headers.Add("Prefer", "wait=25");
        using var response = await _host.Client.SendAsync(request);
        return await ApiHost.ReadAsync(response, ContractJson.Default.ExecutionView, 201);
    }

    private Task<ExecutionView> ViewAsync(string id) => _host.GetAsync($"/v1/executions/{id}", ContractJson.Default.ExecutionView);

    internal static async Task EventuallyAsync(Func<Task<bool>> holds, int seconds = 20)
    {
        var until = DateTime.UtcNow.AddSeconds(seconds);
        while (!await holds())
        {
            Assert.True(DateTime.UtcNow < until, "it did not come to hold in time");
            await Task.Delay(20);
        }
    }
}
