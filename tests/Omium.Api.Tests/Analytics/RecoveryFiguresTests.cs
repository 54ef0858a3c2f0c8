using System.Globalization;
using Omium.Contracts;
using Omium.Contracts.Analytics;
using Omium.Contracts.Executions;
using Omium.Contracts.Reviews;
using Omium.Runtime.Audit;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Api.Tests.Analytics;

/// <summary><c>GET /v1/analytics/recovery</c>: figures of known histories against figures made by hand, and of real runs.</summary>
public sealed class RecoveryFiguresTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Day = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Recovery_OfKnownHistories_IsWhatIsCountedByHand()
    {
        // refunds: 200 recoveries of 1 s, 2 s ... 200 s, every fourth after a rollback. p50 = the 100th, p99 = the 198th.
        var rows = Enumerable.Range(1, 200).Select(number => Failure("refunds", number, "tool_error", TimeSpan.FromSeconds(number), number % 4 == 0 ? "rollback" : "retry")).ToList();
        rows.AddRange([
            Failure("orders", 201, "timeout", TimeSpan.FromMilliseconds(70), "override"), Failure("orders", 202, "timeout", null, ""),
            Run("refunds", 1, "succeeded"), Run("refunds", 2, "succeeded"), Run("refunds", 3, "failed"), Run("refunds", 4, "running"),
            Run("orders", 5, "cancelled"), Run("orders", 6, "paused"),
            Act("refunds", 1, ExecutionAudit.ByPerson), Act("refunds", 2, ExecutionAudit.ByPerson), Act("refunds", 3, ""), Act("orders", 4, ExecutionAudit.ByPerson),
        ]);
        await AppendAsync(rows);

        var view = await GetAsync("");
        Assert.Equal("workflow", view.GroupBy);
        Assert.Equal(["refunds", "orders"], view.Groups.Select(group => group.Key));
        var refunds = view.Groups[0].Figures;
        Assert.Equal((200L, 0L, 200L, 100_000L, 198_000L), (refunds.Failures, refunds.Open, refunds.Recovered, refunds.RecoveryMsP50, refunds.RecoveryMsP99));
        Assert.Equal((50L, 150L, 0L), (refunds.RecoveredBy["rollback"], refunds.RecoveredBy["retry"], refunds.RecoveredBy["override"]));
        Assert.Equal((4L, 2L, 3L, 2L), (refunds.Executions, refunds.Succeeded, refunds.Ended, refunds.Interventions));
        Assert.Equal(2.0 / 3, refunds.SuccessRate!.Value, 12);

        var orders = view.Groups[1].Figures;
        Assert.Equal((2L, 1L, 1L, 70L, 70L), (orders.Failures, orders.Open, orders.Recovered, orders.RecoveryMsP50, orders.RecoveryMsP99));
        Assert.Equal((2L, 0L, 1L, 1L), (orders.Executions, orders.Succeeded, orders.Ended, orders.Interventions));

        // Together 201 recoveries: 70 ms, then 1 s ... 200 s. The 101st is 100 s, the 199th 198 s.
        Assert.Equal((202L, 201L, 100_000L, 198_000L), (view.Total.Failures, view.Total.Recovered, view.Total.RecoveryMsP50, view.Total.RecoveryMsP99));
        Assert.Equal((6L, 4L, 0.5, 3L), (view.Total.Executions, view.Total.Ended, view.Total.SuccessRate, view.Total.Interventions));
    }

    [Fact]
    public async Task Recovery_ByClassWorkflowAndTime_CountsOnlyWhatMatches()
    {
        await AppendAsync([
            Failure("a", 1, "timeout", TimeSpan.FromSeconds(1), "retry"), Failure("a", 2, "hallucination", TimeSpan.FromSeconds(9), "rollback"),
            Failure("b", 3, "timeout", TimeSpan.FromSeconds(5), "retry"), Run("a", 4, "succeeded"),
        ]);

        var byClass = await GetAsync("&group_by=failure_class");
        Assert.Equal([("timeout", 2L, 1_000L), ("hallucination", 1L, 9_000L)], byClass.Groups.Select(group => (group.Key, group.Figures.Recovered, group.Figures.RecoveryMsP50!.Value)));
        Assert.Null(byClass.Total.Executions);
        Assert.Null(byClass.Total.SuccessRate);
        Assert.Null(byClass.Total.Interventions);
        Assert.Equal(5_000, byClass.Total.RecoveryMsP50);

        var ofA = await GetAsync("&workflow=a");
        Assert.Equal((2L, 1_000L, 9_000L), (ofA.Total.Failures, ofA.Total.RecoveryMsP50, ofA.Total.RecoveryMsP99));
        var none = await _host.GetAsync("/v1/analytics/recovery?to=2020-01-01T00:00:00Z", ContractJson.Default.RecoveryView);
        Assert.Empty(none.Groups);
        Assert.Equal((0L, 0L), (none.Total.Failures, none.Total.Executions));
        Assert.Null(none.Total.RecoveryMsP50);
        Assert.Null(none.Total.SuccessRate);
    }

    [Fact]
    public async Task Recovery_OfCompanyX_IsOpenUntilItsStepCommitsAndIsNotTheForks()
    {
        var paused = await _host.RunCompanyXAsync();
        var before = (await _host.GetAsync("/v1/analytics/recovery", ContractJson.Default.RecoveryView)).Total;
        Assert.Equal((1L, 1L, 0L, 0L), (before.Failures, before.Open, before.Recovered, before.Interventions));
        Assert.Null(before.RecoveryMsP50);

        // A fork begins with the failure; that it mends it is no recovery of a failure of its own.
        using var fork = new HttpRequestMessage(HttpMethod.Post, $"/v1/executions/{paused.Id}/fork")
        {
            Content = ApiHost.Json("""{"edits": {"agents": {"generate_terms": {"prompt": "apr between 2.5 and 8.5"}}}}"""), Headers = { { "Prefer", "wait=20" } },
        };
        using var forked = await _host.Client.SendAsync(fork, TestContext.Current.CancellationToken);
        Assert.Equal("committed", (await ApiHost.ReadAsync(forked, ContractJson.Default.ExecutionView, 201)).Steps.Single(step => step is { Step: "terms", Inherited: not true }).Status);
        Assert.Equal((1L, 1L), (await TotalAsync() is var still ? (still.Failures, still.Open) : default));

        var review = await _host.GetAsync($"/v1/reviews/{paused.OpenReviews.Single()}", ContractJson.Default.ReviewView);
        using var decide = new HttpRequestMessage(HttpMethod.Post, $"/v1/reviews/{review.Id}/decide")
        {
            Content = ApiHost.Json($$"""{"decision": "edit", "digest": "{{review.Digest}}", "edits": {"prompt": "apr between 2.5 and 8.5"} }"""), Headers = { { "Prefer", "wait=20" } },
        };
        using var decided = await _host.Client.SendAsync(decide, TestContext.Current.CancellationToken);
        Assert.True(decided.IsSuccessStatusCode);
        await Streams.UntilAsync(_host, paused.Id, "execution.succeeded");

        var total = await TotalAsync();
        Assert.Equal((1L, 0L, 1L, 1L, 1L), (total.Failures, total.Open, total.Recovered, total.RecoveredBy["rollback"], total.Interventions));
        var failure = (await _host.GetAsync("/v1/failures", ContractJson.Default.FailurePage)).Items.Single();
        var row = (await _host.Store.Index.GetAsync("ten_a", IndexKinds.Failure, failure.Id, TestContext.Current.CancellationToken))!;
        Assert.Equal(("resolved", "rollback", row.EndedUnixMs - row.CreatedUnixMs), (failure.Status, failure.RecoveredBy, failure.RecoveryMs));
        var exported = await _host.Client.GetStringAsync("/v1/failures/export", TestContext.Current.CancellationToken);
        Assert.Contains("\"recovered_by\":\"rollback\"", exported, StringComparison.Ordinal);
        Assert.Equal((row.EndedUnixMs - row.CreatedUnixMs, row.EndedUnixMs - row.CreatedUnixMs), (total.RecoveryMsP50, total.RecoveryMsP99));
        var committed = (await _host.GetAsync($"/v1/executions/{paused.Id}/events", ContractJson.Default.EventPage)).Items
            .Single(record => record.Events.Any(happened => happened.GetProperty("type").GetString() == "step.committed" && happened.GetProperty("step").GetString() == "terms"));
        Assert.Equal(committed.At.ToUnixTimeMilliseconds(), row.EndedUnixMs);
        Assert.Equal(failure.At.ToUnixTimeMilliseconds(), row.CreatedUnixMs);
    }

    [Theory]
    [InlineData("group_by=api_key", "/group_by")]
    [InlineData("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "/from")]
    public async Task Recovery_OfNoSense_Is422(string query, string pointer) =>
        Assert.Equal(pointer, (await _host.FailAsync(HttpMethod.Get, $"/v1/analytics/recovery?{query}", 422)).Errors!.Single().Pointer);

    [Theory]
    [InlineData("/recovery?to=0001-01-02T00:00:00Z")]
    [InlineData("/recovery?from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z")]
    [InlineData("?to=0001-01-02T00:00:00Z")]
    public async Task Window_AtTheEndsOfTime_IsAnswered(string query)
    {
        using var answer = await _host.Client.GetAsync($"/v1/analytics{query}", TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.OK, answer.StatusCode);
    }

    private Task<RecoveryView> GetAsync(string more) =>
        _host.GetAsync($"/v1/analytics/recovery?from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z{more}", ContractJson.Default.RecoveryView);

    private async Task<RecoveryFigures> TotalAsync() => (await _host.GetAsync("/v1/analytics/recovery", ContractJson.Default.RecoveryView)).Total;

    private static IndexRow Failure(string workflow, int second, string kind, TimeSpan? recovery, string by) => Row(workflow, IndexKinds.Failure, second) with
    {
        FailureClass = kind, Status = recovery is null ? "open" : "resolved", By = by,
        EndedUnixMs = recovery is { } time ? (Day + TimeSpan.FromSeconds(second) + time).ToUnixTimeMilliseconds() : 0,
    };

    private static IndexRow Run(string workflow, int second, string status) => Row(workflow, IndexKinds.Execution, second) with { Status = status };

    private static IndexRow Act(string workflow, int second, string by) => Row(workflow, IndexKinds.Audit, second) with { Status = ExecutionAudit.StatusWritten, By = by };

    private static IndexRow Row(string workflow, string kind, int second) =>
        new("ten_a", kind, string.Create(CultureInfo.InvariantCulture, $"{kind}_{second}"), "exe_1")
        {
            Workflow = workflow, CreatedUnixMs = (Day + TimeSpan.FromSeconds(second)).ToUnixTimeMilliseconds(),
        };

    private async Task AppendAsync(IReadOnlyList<IndexRow> rows)
    {
        var record = new LogRecord(1, "append_1", 1, 1, "start", "execution.started", [.. Enumerable.Repeat((byte)1, 32)], new byte[32], new byte[64]);
        var outcome = await _host.Store.Log.AppendAsync(
            new Append(new StreamId("ten_a", "exe_00000000000000000000known"), 0, record) { StreamKey = _host.KeyWrap.Wrap(Seal.NewKey()), Index = rows },
            TestContext.Current.CancellationToken);
        Assert.Equal(AppendStatus.Appended, outcome.Status);
    }
}
