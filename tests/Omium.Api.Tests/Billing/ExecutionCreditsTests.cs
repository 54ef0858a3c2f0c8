using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Omium.Contracts;
using Omium.Contracts.Billing;
using Omium.Contracts.Executions;
using Omium.Kernel.Ledger;
using Omium.Runtime.Billing;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Api.Tests.Billing;

/// <summary>What executions reserve, use and hand back, over the real engine and store.</summary>
public sealed class ExecutionCreditsTests
{
    private const string Start = """{"workflow": "steps"}""";

    private static Task<ApiHost> HostAsync(long credits, BillingOptions? options = null) =>
        ApiHost.StartAsync(billing: (options ?? new BillingOptions()) with { Plan = Plans.PayAsYouGo, WelcomeCredits = credits });

    private static async Task SaveAsync(ApiHost host, int steps, string more = "", string tail = "")
    {
        var text = new StringBuilder("omium: v0\nname: steps\ntools:\n  noop: {type: function, function: noop, effect: {kind: none}}\nsteps:\n");
        for (var step = 1; step <= steps; step++)
        {
            text.Append(CultureInfo.InvariantCulture, $"  - {{id: s{step}, type: tool_call, tool: noop{(step > 1 ? $", needs: [s{step - 1}]" : "")}{more}}}\n");
        }

        using var saved = await host.Client.PostAsync("/v1/workflows", ApiHost.Yaml(text + tail));
        Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync());
    }

    private static async Task<ExecutionView> RunAsync(ApiHost host, string body = Start)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/executions") { Content = ApiHost.Json(body) };
        request.Headers.Add("Prefer", "wait=20");
        using var response = await host.Client.SendAsync(request);
        return await ApiHost.ReadAsync(response, ContractJson.Default.ExecutionView, 201);
    }

    private static Task<BillingView> BillingAsync(ApiHost host) => host.GetAsync("/v1/billing", ContractJson.Default.BillingView);

    private static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        for (var until = DateTime.UtcNow.AddSeconds(20); !await holds();)
        {
            Assert.True(DateTime.UtcNow < until, "it did not come to pass within 20 s");
            await Task.Delay(10);
        }
    }

    private static async Task<(string Event, int Times)[]> CountsAsync(ApiHost host, string execution, params string[] events)
    {
        var records = await host.Store.Log.ReadAsync(new StreamId("ten_a", execution), 0, int.MaxValue);
        return [.. events.Select(name => (name, records.Count(record => record.EventTypes.Split(' ', ',').Contains(name))))];
    }

    /// <summary>What it was said to wait for after each of its records.</summary>
    private static async Task<IReadOnlyList<string?>> WaitsAsync(ApiHost host, string execution)
    {
        var (stream, waits) = (new StreamId("ten_a", execution), new List<string?>());
        var last = (await host.Advancer.FindAsync(stream))!.Seq;
        for (var at = 1L; at <= last; at++)
        {
            waits.Add(ExecutionWords.WaitingFor(await host.Advancer.StateAtAsync(stream, at)));
        }

        return waits;
    }

    private static Task<LedgerReply> TopUpAsync(ApiHost host, long cents) => host.Billing.PostAsync("ten_a", new TopUpCredits($"cs_{Guid.NewGuid():N}", cents));

    [Fact]
    public async Task Run_FiveSteps_CostsTwentyFiveCreditsAndNoRecordOfItsOwn()
    {
        await using var host = await HostAsync(1_000);
        await SaveAsync(host, 5);
        var done = await RunAsync(host);
        Assert.Equal(("succeeded", 6), (done.Status, done.Seq));
        await EventuallyAsync(async () => (await BillingAsync(host)) is { Reserved: 0 });
        var billing = await BillingAsync(host);
        Assert.Equal((975, 25), (billing.Balance, billing.Spent));
        var usage = Assert.Single((await host.GetAsync("/v1/billing/transactions?kind=usage", ContractJson.Default.TransactionPage)).Items);
        Assert.Equal((done.Id, -25, "5 checkpoints."), (usage.Execution, usage.Credits, usage.Description));
        Assert.Equal("identical", (await host.GetAsync($"/v1/executions/{done.Id}/verify", ContractJson.Default.VerifyView)).Verdict);
    }

    [Fact]
    public async Task Steps_WithoutACheckpoint_CostNothing()
    {
        await using var host = await HostAsync(0);
        await SaveAsync(host, 2, ", checkpoint: false");
        Assert.Equal("succeeded", (await RunAsync(host)).Status);
        Assert.Equal(0, (await BillingAsync(host)).Spent);
    }

    [Fact]
    public async Task Items_CountAsOnePerHundred()
    {
        await using var host = await HostAsync(1_000);
        await SaveAsync(host, 0, tail: """
              - {id: each, type: tool_call, tool: noop, input: {n: "${{ item }}"}, for_each: {items: "input.list"}}
            """);
        var list = string.Join(',', Enumerable.Range(0, 250));
        Assert.Equal("succeeded", (await RunAsync(host, $$$"""{"workflow": "steps", "input": {"list": [{{{list}}}]}}""")).Status);
        await EventuallyAsync(async () => (await BillingAsync(host)) is { Reserved: 0 });
        Assert.Equal(5 + (250 * 0.05), (await BillingAsync(host)).Spent, 6);
    }

    [Fact]
    public async Task Start_WithoutCredits_IsRefusedAndStartsNothing()
    {
        await using var host = await HostAsync(4);
        await SaveAsync(host, 1);
        var problem = await host.FailAsync(HttpMethod.Post, "/v1/executions", 402, ApiHost.Json(Start));
        Assert.Equal("CREDITS_EXHAUSTED", problem.Code);
        Assert.Empty((await host.GetAsync("/v1/executions", ContractJson.Default.ExecutionPage)).Items);
    }

    [Fact]
    public async Task Start_AHundredAtOnceOnTheLastCredits_OneRunsAndNothingIsOverspent()
    {
        await using var host = await HostAsync(5);
        await SaveAsync(host, 1);
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => host.Client.PostAsync("/v1/executions", ApiHost.Json(Start))));
        Assert.Equal(1, answers.Count(answer => answer.StatusCode == HttpStatusCode.Created));
        Assert.Equal(99, answers.Count(answer => answer.StatusCode == HttpStatusCode.PaymentRequired));
        await EventuallyAsync(async () => (await BillingAsync(host)) is { Reserved: 0 });
        var billing = await BillingAsync(host);
        Assert.Equal((0, 5, 0), (billing.Balance, billing.Spent, billing.Overdraft));
        Assert.Equal("identical", (await host.GetAsync("/v1/billing/verify", ContractJson.Default.VerifyView)).Verdict);
    }

    [Fact]
    public async Task Run_OutOfCredits_WaitsAtTheStepBoundaryAndGoesOnAfterATopUp()
    {
        await using var host = await HostAsync(10);
        await SaveAsync(host, 5);
        var started = await host.PostAsync("/v1/executions", Start, ContractJson.Default.ExecutionView, 201);
        Task<ExecutionView> ViewAsync() => host.GetAsync($"/v1/executions/{started.Id}", ContractJson.Default.ExecutionView);
        await EventuallyAsync(async () => (await ViewAsync()) is { Status: "waiting", WaitingFor: "credits" } view && view.Steps.Count(step => step.Status == "committed") == 2);
        Assert.Equal(["s1", "s2"], (await ViewAsync()).Steps.Select(step => step.Step));
        Assert.Equal((0, 0), ((await BillingAsync(host)).Balance, (await BillingAsync(host)).Overdraft));
        Assert.Equal([("credits.requested", 2), ("credits.refused", 1)], await CountsAsync(host, started.Id, "credits.requested", "credits.refused"));
        await host.FailAsync(HttpMethod.Post, "/v1/executions", 402, ApiHost.Json(Start));
        await TopUpAsync(host, 1_000);
        await EventuallyAsync(async () => (await ViewAsync()).Status == "succeeded");
        await EventuallyAsync(async () => (await BillingAsync(host)) is { Reserved: 0 });
        Assert.Equal((25, 9_985), ((await BillingAsync(host)).Spent, (await BillingAsync(host)).Balance));
        Assert.Equal("identical", (await host.GetAsync($"/v1/executions/{started.Id}/verify", ContractJson.Default.VerifyView)).Verdict);
    }

    [Fact]
    public async Task Run_ThatWaitsForAPerson_HandsBackWhatItDoesNotNeed()
    {
        await using var host = await HostAsync(1_000);
        var paused = await host.RunCompanyXAsync();
        Assert.Equal("paused", paused.Status);
        await EventuallyAsync(async () => (await BillingAsync(host)).Reserved <= 5);
        Assert.Equal(10, (await BillingAsync(host)).Spent); // KYC and scoring; the terms were not accepted, and a failed attempt costs no checkpoint.
        var review = (await host.GetAsync("/v1/reviews", ContractJson.Default.ReviewPage)).Items.Single(item => item.Status == "open");
        using var decided = await host.Client.PostAsync($"/v1/reviews/{review.Id}/decide", ApiHost.Json(
            $$$"""{"decision": "edit", "digest": "{{{review.Digest}}}", "edits": {"prompt": "APR must be between 2.5 % and 8.5 %, never 0 %."}}"""));
        Assert.True(decided.IsSuccessStatusCode, await decided.Content.ReadAsStringAsync());
        await EventuallyAsync(async () => (await host.GetAsync($"/v1/executions/{paused.Id}", ContractJson.Default.ExecutionView)).Status == "succeeded");
        await EventuallyAsync(async () => (await BillingAsync(host)) is { Reserved: 0 });
        Assert.Equal(20, (await BillingAsync(host)).Spent); // Four checkpoints in all: none is counted twice.

        // It asked for credits again when it went on, and got them: nobody was ever told that it waits for them.
        Assert.Equal([("credits.requested", 1), ("credits.refused", 0)], await CountsAsync(host, paused.Id, "credits.requested", "credits.refused"));
        Assert.DoesNotContain("credits", await WaitsAsync(host, paused.Id));

        Assert.Equal("identical", (await host.GetAsync($"/v1/executions/{paused.Id}/verify", ContractJson.Default.VerifyView)).Verdict);
    }

    [Fact]
    public async Task Start_WithAnInputThatDoesNotFit_GivesItsReservationBack()
    {
        await using var host = await HostAsync(1_000);
        await host.SaveCompanyXAsync();
        await host.FailAsync(HttpMethod.Post, "/v1/executions", 422, ApiHost.Json("""{"workflow": "customer-onboarding", "input": {}}"""));
        Assert.Equal((1_000, 0), ((await BillingAsync(host)).Balance, (await BillingAsync(host)).Reserved));
    }

    [Theory]
    [InlineData(422, """{"workflow": "customer-onboarding", "start_key": "k1", "input": {}}""")]
    [InlineData(404, """{"mode": "traced", "name": "flow", "start_key": "k1", "trace": {"owner": "a", "operations": [{"do": "finish", "sid": "step@1~1~1~1", "output": 1}]}}""")]
    public async Task Start_ThatIsRefused_LeavesTheReservationOfAnotherWithItsStartKey(int status, string refused)
    {
        await using var host = await HostAsync(1_000);
        await host.SaveCompanyXAsync();
        await host.FailAsync(HttpMethod.Post, "/v1/executions", status, ApiHost.Json(refused));
        var claim = Assert.Single(await host.Store.Documents.ListAsync("ten_a", "start_key", "", null, 10));
        var stream = new StreamId("ten_a", JsonDocument.Parse(claim.Content).RootElement.GetProperty("execution").GetString()!);

        // Another request with the key has reserved and is about to begin; meanwhile one comes that is refused.
        var saved = await host.GetAsync("/v1/workflows/customer-onboarding", ContractJson.Default.WorkflowView);
        var plan = await host.Services.GetRequiredService<PlanCache>().GetAsync("ten_a", saved.Digest, CancellationToken.None);
        var (lease, _) = await host.Services.GetRequiredService<CreditDesk>().Executions!.LeaseAsync(stream, "key_a", null, plan);
        await host.FailAsync(HttpMethod.Post, "/v1/executions", status, ApiHost.Json(refused));
        Assert.Equal(lease!.Token, (await host.Billing.StateAsync("ten_a")).Reservations[stream.Id].Token);
    }

    [Fact]
    public async Task Cap_OfAKey_RefusesItsStartsOnly()
    {
        await using var host = await HostAsync(1_000);
        await SaveAsync(host, 1);
        var key = await host.PostAsync("/v1/keys", """{"name": "capped", "spend_cap_credits": 5}""", ContractJson.Default.KeyView, 201);
        using var capped = host.ClientOf(key.Secret!);
        using var first = await capped.PostAsync("/v1/executions", ApiHost.Json(Start));
        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        Assert.Equal("key_cap_reached", (await host.FailAsync(HttpMethod.Post, "/v1/executions", 402, ApiHost.Json(Start), capped)).Code);
        Assert.Equal("succeeded", (await RunAsync(host)).Status);
        Assert.Equal(5, (await BillingAsync(host)).Keys.Single(use => use.Id == key.Id).Cap);
    }

    [Fact]
    public async Task Cap_OfAKey_HoldsForWhatItForks()
    {
        await using var host = await HostAsync(1_000);
        await SaveAsync(host, 3);
        var source = await RunAsync(host);
        using var capped = await CappedAsync(host, 0);
        using var forked = await capped.PostAsync($"/v1/executions/{source.Id}/fork", ApiHost.Json("""{"at": 1}"""));
        var fork = await ApiHost.ReadAsync(forked, ContractJson.Default.ExecutionView, 201);
        await EventuallyAsync(async () => (await host.GetAsync($"/v1/executions/{fork.Id}", ContractJson.Default.ExecutionView)) is { Status: "waiting", WaitingFor: "credits" });
        Assert.Equal(15, (await BillingAsync(host)).Spent);
    }

    [Fact]
    public async Task Cap_OfAKey_HoldsForTheChildrenOfWhatItStarts()
    {
        await using var host = await HostAsync(1_000);
        await SaveAsync(host, 3);
        using var saved = await host.Client.PostAsync("/v1/workflows", ApiHost.Yaml("omium: v0\nname: whole\nsteps:\n  - {id: w, type: workflow, workflow: steps}\n"));
        Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync());
        using var capped = await CappedAsync(host, 10);
        using var begun = await capped.PostAsync("/v1/executions", ApiHost.Json("""{"workflow": "whole"}"""));
        var started = await ApiHost.ReadAsync(begun, ContractJson.Default.ExecutionView, 201);
        string? child = null;
        await EventuallyAsync(async () => (child = (await host.GetAsync($"/v1/executions/{started.Id}", ContractJson.Default.ExecutionView)).Steps is [{ Child: { } its }, ..] ? its : null) is not null);
        await EventuallyAsync(async () =>
        {
            using var seen = await host.Client.GetAsync($"/v1/executions/{child}");
            // Its parent names it before it begins: until then there is none.
            return seen.StatusCode != HttpStatusCode.NotFound && await ApiHost.ReadAsync(seen, ContractJson.Default.ExecutionView, 200) is { Status: "waiting", WaitingFor: "credits" };
        });
        var billing = await BillingAsync(host);
        Assert.Equal((5, 10), (billing.Spent, billing.Spent + billing.Reserved)); // One step of the child; its parent's own is covered, and nothing more.
    }

    [Fact]
    public async Task Traced_EveryCommittedStepIsACheckpoint_WhatIsNotCoveredWaitsUntilATopUp()
    {
        await using var host = await HostAsync(10);
        var begun = await host.PostAsync(
            "/v1/executions", """{"mode": "traced", "name": "flow", "trace": {"owner": "a", "operations": [{"do": "record", "name": "one", "output": 1}]}}""", ContractJson.Default.ExecutionView, 201);
        var second = await host.PostAsync(
            $"/v1/executions/{begun.Id}/trace", """{"owner": "a", "wait_ms": 20000, "operations": [{"do": "record", "name": "two", "output": 2}]}""", ContractJson.Default.TraceView);
        Assert.Equal("committed", Assert.Single(second.Results).State);
        var next = """{"owner": "a", "wait_ms": WAIT, "operations": [{"do": "record", "name": "three", "output": 3}, {"do": "begin", "name": "four"}]}""";
        Task<TraceView> NextAsync(int waitMs) =>
            host.PostAsync($"/v1/executions/{begun.Id}/trace", next.Replace("WAIT", waitMs.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal), ContractJson.Default.TraceView);
        var little = await NextAsync(0);
        Assert.Equal([("wait", "credits"), ("wait", "credits")], little.Results.Select(result => (result.State, result.Reason)));
        await EventuallyAsync(async () => (await host.GetAsync($"/v1/executions/{begun.Id}", ContractJson.Default.ExecutionView)) is { Status: "waiting", WaitingFor: "credits" });
        Assert.Equal((0, 10), ((await BillingAsync(host)).Balance, (await BillingAsync(host)).Spent + (await BillingAsync(host)).Reserved));
        using var refused = await host.Client.PostAsync("/v1/executions", ApiHost.Json("""{"mode": "traced", "name": "flow"}"""));
        Assert.Equal(HttpStatusCode.PaymentRequired, refused.StatusCode);

        var waiting = NextAsync(20_000);
        await TopUpAsync(host, 1_000);
        Assert.Equal(["committed", "run"], (await waiting).Results.Select(result => result.State));
        var sid = (await NextAsync(0)).Results[1].Sid;
        var done = await host.PostAsync(
            $"/v1/executions/{begun.Id}/trace", $$"""{"owner": "a", "operations": [{"do": "finish", "sid": "{{sid}}", "output": 4}, {"do": "complete"}]}""", ContractJson.Default.TraceView);
        Assert.Equal("succeeded", done.Status);
        await EventuallyAsync(async () => (await BillingAsync(host)) is { Reserved: 0 });
        Assert.Equal(20, (await BillingAsync(host)).Spent);
        Assert.Equal("identical", (await host.GetAsync($"/v1/executions/{begun.Id}/verify", ContractJson.Default.VerifyView)).Verdict);
    }

    [Fact]
    public async Task Cap_BelowTheNextModelCall_WaitsWithoutAskingOverAndOver()
    {
        await using var host = await HostAsync(1_000, new BillingOptions { MetersModel = true });
        await host.SaveCompanyXAsync();
        using var capped = await CappedAsync(host, 21); // Its checkpoints, and not the longest answer beside them.
        using var begun = await capped.PostAsync("/v1/executions", ApiHost.Json(ApiHost.CompanyXStart));
        var started = await ApiHost.ReadAsync(begun, ContractJson.Default.ExecutionView, 201);
        await EventuallyAsync(async () => (await host.GetAsync($"/v1/executions/{started.Id}", ContractJson.Default.ExecutionView)) is { Status: "waiting", WaitingFor: "credits" });
        for (var looks = 0; looks < 20; looks++)
        {
            await host.Billing.PostAsync("ten_a", new AdjustCredits($"look{looks}", Credits.MicroPerCredit, "wakes who waits", "test"));
        }

        Assert.Equal([("credits.requested", 1)], await CountsAsync(host, started.Id, "credits.requested"));
        Assert.Empty(host.Model.Asked);
    }

    private static async Task<HttpClient> CappedAsync(ApiHost host, long credits)
    {
        var key = await host.PostAsync("/v1/keys", $$"""{"name": "capped", "spend_cap_credits": {{credits}}}""", ContractJson.Default.KeyView, 201);
        return host.ClientOf(key.Secret!);
    }

    [Fact]
    public async Task Sweep_AReservationWhoseExecutionNeverBegan_IsReleased()
    {
        await using var host = await HostAsync(1_000);
        await host.Billing.PostAsync("ten_a", new ReserveCredits("exe_00000000000000000000000000", 1, null, 5_000_000, 5_000_000));
        var patient = new ExecutionCredits(host.Advancer, host.Billing.Ledger, host.Queue, Microsoft.Extensions.Logging.Abstractions.NullLogger<ExecutionCredits>.Instance);
        await patient.SweepAsync("ten_a", CancellationToken.None);
        Assert.Equal(5, (await BillingAsync(host)).Reserved); // It may be about to begin.
        var hasty = new ExecutionCredits(host.Advancer, host.Billing.Ledger, host.Queue, Microsoft.Extensions.Logging.Abstractions.NullLogger<ExecutionCredits>.Instance) { UnknownReleasedAfter = TimeSpan.Zero };
        await hasty.SweepAsync("ten_a", CancellationToken.None);
        Assert.Equal((0, 1_000), ((await BillingAsync(host)).Reserved, (await BillingAsync(host)).Balance));
    }

    /// <summary>As after a kill: what the process before left reserved is given back when the ledger is first read, not a sweep's interval later.</summary>
    [Fact]
    public async Task Sweep_OfALedgerThatIsReadForTheFirstTime_ComesAtOnce()
    {
        await using var host = await HostAsync(1_000);
        await host.Billing.PostAsync("ten_a", new ReserveCredits("exe_00000000000000000000000000", 1, null, 5_000_000, 5_000_000));
        var ledger = new LedgerAdvancer(host.Store.Log, host.Services.GetRequiredService<IKeyWrap>(), TimeProvider.System);
        var next = new ExecutionCredits(host.Advancer, ledger, new LedgerQueue(ledger), Microsoft.Extensions.Logging.Abstractions.NullLogger<ExecutionCredits>.Instance)
        {
            UnknownReleasedAfter = TimeSpan.Zero, SweepEvery = TimeSpan.FromHours(1),
        };
        next.Attach();
        using var stopping = new CancellationTokenSource();
        var sweeping = next.RunAsync(TimeProvider.System, stopping.Token);
        Assert.Equal(5 * Credits.MicroPerCredit, (await ledger.StateAsync("ten_a"))[Account.Reserved]);
        await EventuallyAsync(async () => (await ledger.StateAsync("ten_a"))[Account.Reserved] == 0);
        await stopping.CancelAsync();
        await sweeping;
    }

    [Fact]
    public async Task Models_ThroughTheInstallationsAccount_AreChargedByTokensWhetherTheAttemptHoldsOrNot()
    {
        await using var host = await HostAsync(1_000, new BillingOptions { MetersModel = true });
        await host.RunCompanyXAsync();
        var price = PriceTable.Current.PriceOf("gpt-4o");
        await EventuallyAsync(async () => (await host.GetAsync("/v1/billing/transactions?kind=usage", ContractJson.Default.TransactionPage)).Items.Count(item => item.Effect is not null) == 3);
        var usage = (await host.GetAsync("/v1/billing/transactions?kind=usage", ContractJson.Default.TransactionPage)).Items.Where(item => item.Effect is not null).ToArray();
        Assert.Equal(["kyc~1~1~m1", "score~1~1~m1", "terms~1~1~m1"], usage.Select(item => item.Effect!).Order(StringComparer.Ordinal));
        Assert.All(usage, item => Assert.Equal(-price.Of(10, 5) / 1e6, item.Credits, 6));
    }

    [Fact]
    public async Task Models_AskedByATestOfAFix_ArePaidForAndRefusedWhenTheyCannotBe()
    {
        await using var host = await HostAsync(1_000, new BillingOptions { MetersModel = true });
        var paused = await host.RunCompanyXAsync();
        await EventuallyAsync(async () => (await UsageAsync(host)).Count == 3);
        var path = $"/v1/reviews/{Assert.Single(paused.OpenReviews)}/test";
        const string Fix = """{"edits": {"prompt": "apr between 2.5 and 8.5"}}""";
        Assert.Equal("passed", (await host.PostAsync(path, Fix, ContractJson.Default.TestFixView)).Outcome);
        var price = PriceTable.Current.PriceOf("gpt-4o").Of(10, 5) / 1e6;
        Assert.Equal(-price, (await UsageAsync(host)).Single(item => item.Effect!.StartsWith("trial~", StringComparison.Ordinal)).Credits, 6);

        using var capped = await CappedAsync(host, 0);
        Assert.Equal("key_cap_reached", (await host.FailAsync(HttpMethod.Post, path, 402, ApiHost.Json(Fix), capped)).Code);
        Assert.Equal(4, host.Model.Asked.Count);
    }

    private static async Task<IReadOnlyList<TransactionView>> UsageAsync(ApiHost host) =>
        [.. (await host.GetAsync("/v1/billing/transactions?kind=usage", ContractJson.Default.TransactionPage)).Items.Where(item => item.Effect is not null)];

    [Fact]
    public async Task Models_ThatCannotBePaid_WaitAndGoOnAfterATopUp()
    {
        await using var host = await HostAsync(30, new BillingOptions { MetersModel = true }); // Enough for the checkpoints, not for the longest answer.
        await host.SaveCompanyXAsync();
        var started = await host.PostAsync("/v1/executions", ApiHost.CompanyXStart, ContractJson.Default.ExecutionView, 201);
        await EventuallyAsync(async () => (await host.GetAsync($"/v1/executions/{started.Id}", ContractJson.Default.ExecutionView)) is { Status: "waiting", WaitingFor: "credits" });
        Assert.Empty(host.Model.Asked);
        await TopUpAsync(host, 2_000);
        await EventuallyAsync(async () => (await host.GetAsync($"/v1/executions/{started.Id}", ContractJson.Default.ExecutionView)).Status == "paused");
    }
}
