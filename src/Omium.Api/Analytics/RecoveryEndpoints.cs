using Omium.Api.Executions;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Analytics;
using Omium.Runtime.Audit;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Analytics;

/// <summary><c>GET /v1/analytics/recovery</c>. What each figure means is said in docs/reference/analytics.md.</summary>
internal static class RecoveryEndpoints
{
    private static readonly string[] Groupings = ["workflow", "failure_class"];
    private static readonly string[] EndedStatuses = ["succeeded", "failed", "cancelled"];
    private static readonly int[] Percents = [50, 99];

    public static void Map(ApiRoutes routes) =>
        routes.Map("GET", "/v1/analytics/recovery", RecoverAsync)
            .As("get_recovery", "How runs came out, what failed in them, and how long it took to get over it: counts and exact percentiles.")
            .Query("group_by", "`workflow` (default) or `failure_class`.", Groupings).Query("workflow", "Only of this workflow.")
            .QueryTime("from", "Begun, detected or decided at this time or later; default 7 days before `to`.").QueryTime("to", "The same before this time; default now.")
            .Answers(ContractJson.Default.RecoveryView);

    private static async Task RecoverAsync(ApiCall call)
    {
        if (!await call.TryWordAsync("group_by", Groupings) || await AnalyticsEndpoints.TryWindowAsync(call) is not { } window)
        {
            return;
        }

        var grouping = call.Query("group_by") ?? "workflow";
        var field = grouping == "failure_class" ? IndexField.FailureClass : IndexField.Workflow;
        var failures = new IndexQuery(call.Caller.Tenant, IndexKinds.Failure) { Workflow = call.Query("workflow"), FromUnixMs = window.From, ToUnixMs = window.To };
        var counts = new Counts
        {
            Failures = await CountAsync(call, failures, field),
            Executions = field == IndexField.Workflow ? await CountAsync(call, failures with { Kind = IndexKinds.Execution }, field) : null,
            Interventions = field == IndexField.Workflow
                ? [.. (await CountAsync(call, failures with { Kind = IndexKinds.Audit }, field)).Where(count => count.By == ExecutionAudit.ByPerson)]
                : null,
        };
        var times = (await call.Services.Index.PercentilesAsync(failures, field, Percents, call.Cancellation)).ToDictionary(time => time.Value, StringComparer.Ordinal);
        var total = await call.Services.Index.PercentilesAsync(failures, null, Percents, call.Cancellation);
        var groups = counts.ByValue().Select(of => new RecoveryGroup(of.Value, Figures(of.Counts, times.GetValueOrDefault(of.Value))))
            .OrderByDescending(group => group.Figures.Failures).ThenByDescending(group => group.Figures.Executions).ThenBy(group => group.Key, StringComparer.Ordinal);
        var view = new RecoveryView(
            ExecutionViews.Time(window.From), ExecutionViews.Time(window.To), grouping, Figures(counts, total.Count == 0 ? null : total[0]), [.. groups]);
        await call.JsonAsync(view, ContractJson.Default.RecoveryView);
    }

    /// <summary>In one span: longer than any time that is asked for.</summary>
    private static Task<IReadOnlyList<IndexCount>> CountAsync(ApiCall call, IndexQuery query, IndexField field) =>
        call.Services.Index.CountAsync(query, field, long.MaxValue, cancellation: call.Cancellation);

    private static RecoveryFigures Figures(Counts counts, IndexDurations? times)
    {
        var recovered = counts.Failures.Where(count => count.Ended > 0).ToArray();
        var succeeded = counts.Executions?.Where(count => count.Status == "succeeded").Sum(count => count.Count);
        var ended = counts.Executions?.Where(count => EndedStatuses.Contains(count.Status)).Sum(count => count.Count);
        return new RecoveryFigures(
            counts.Failures.Sum(count => count.Count), counts.Failures.Where(count => count.Status == "open").Sum(count => count.Count), recovered.Sum(count => count.Ended),
            new SortedDictionary<string, long>(RecoveryWays.All.ToDictionary(way => way, way => recovered.Where(count => count.By == way).Sum(count => count.Ended)), StringComparer.Ordinal))
        {
            Ignored = counts.Failures.Where(count => count.Status == "ignored").Sum(count => count.Count),
            Executions = counts.Executions?.Sum(count => count.Count),
            Succeeded = succeeded,
            Ended = ended,
            SuccessRate = ended > 0 ? (double)succeeded!.Value / ended.Value : null,
            Interventions = counts.Interventions?.Sum(count => count.Count),
            RecoveryMsP50 = times?.PercentilesMs[0],
            RecoveryMsP99 = times?.PercentilesMs[1],
        };
    }

    /// <summary>Counts of the index; executions and interventions are known by workflow only.</summary>
    private sealed record Counts
    {
        public required IReadOnlyList<IndexCount> Failures { get; init; }

        public IReadOnlyList<IndexCount>? Executions { get; init; }

        public IReadOnlyList<IndexCount>? Interventions { get; init; }

        public IEnumerable<(string Value, Counts Counts)> ByValue()
        {
            var (failures, executions, interventions) = (ByValue(Failures), Executions is null ? null : ByValue(Executions), Interventions is null ? null : ByValue(Interventions));
            return Failures.Concat(Executions ?? []).Concat(Interventions ?? []).Select(count => count.Value).Distinct()
                .Select(value => (value, new Counts { Failures = [.. failures[value]], Executions = executions?[value].ToArray(), Interventions = interventions?[value].ToArray() }));
        }

        private static ILookup<string, IndexCount> ByValue(IReadOnlyList<IndexCount> counts) => counts.ToLookup(count => count.Value, StringComparer.Ordinal);
    }
}
