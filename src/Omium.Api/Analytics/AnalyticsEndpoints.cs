using System.Globalization;
using Omium.Api.Executions;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Analytics;
using Omium.Runtime.Ports;

namespace Omium.Api.Analytics;

/// <summary><c>GET /v1/analytics</c>.</summary>
internal static class AnalyticsEndpoints
{
    private const int SpansMax = 1_000;
    private const long HourMs = 3_600_000, DayMs = 24 * HourMs, WeekMs = 7 * DayMs;
    private static readonly string[] Groupings = ["workflow", "api_key", "failure_class"], Buckets = ["hour", "day", "week"];

    /// <summary>The Unix epoch was a Thursday; weeks begin on Monday.</summary>
    private const long MondayMs = 4 * DayMs;

    public static void Map(ApiRoutes routes) =>
        routes.Map("GET", "/v1/analytics", AnalyzeAsync).As("get_analytics", "Executions or failures over time, in groups.")
            .Query("group_by", "`workflow` (default) and `api_key` count executions, `failure_class` counts failures.", Groupings)
            .Query("bucket", "Length of a span of time; default `day`.", Buckets).Query("workflow", "Only of this workflow.")
            .QueryTime("from", "Begun at this time or later; default 7 days before `to`.").QueryTime("to", "Begun before this time; default now.")
            .Answers(ContractJson.Default.AnalyticsView);

    private static async Task AnalyzeAsync(ApiCall call)
    {
        if (!await call.TryWordAsync("group_by", Groupings) || !await call.TryWordAsync("bucket", Buckets))
        {
            return;
        }

        var (grouping, bucket) = (call.Query("group_by") ?? "workflow", call.Query("bucket") ?? "day");
        var spanMs = bucket switch { "hour" => HourMs, "week" => WeekMs, _ => DayMs };
        if (await TryWindowAsync(call, spanMs) is not { } window)
        {
            return;
        }

        var (from, to) = window;
        var query = new IndexQuery(call.Caller.Tenant, grouping == "failure_class" ? IndexKinds.Failure : IndexKinds.Execution)
        {
            Workflow = call.Query("workflow"), FromUnixMs = from, ToUnixMs = to,
        };
        var field = grouping switch { "api_key" => IndexField.StartedBy, "failure_class" => IndexField.FailureClass, _ => IndexField.Workflow };
        var counts = await call.Services.Index.CountAsync(query, field, spanMs, bucket == "week" ? MondayMs : 0, call.Cancellation);
        var groups = counts.GroupBy(count => count.Value, StringComparer.Ordinal).Select(Group)
            .OrderByDescending(group => group.Count).ThenBy(group => group.Key, StringComparer.Ordinal);
        await call.JsonAsync(new AnalyticsView(ExecutionViews.Time(from), ExecutionViews.Time(to), grouping, bucket, [.. groups]), ContractJson.Default.AnalyticsView);
    }

    /// <summary>The time that is asked about, Unix ms; null when it makes no sense and the call has been answered.</summary>
    /// <param name="call">Call with <c>from</c> and <c>to</c>, both optional.</param>
    /// <param name="spanMs">Length of the spans it is divided into, of which there are at most a thousand; null = none.</param>
    internal static async ValueTask<(long From, long To)?> TryWindowAsync(ApiCall call, long? spanMs = null)
    {
        if (await call.TryTimeAsync("from") is not { } fromGiven || await call.TryTimeAsync("to") is not { } toGiven)
        {
            return null;
        }

        var to = toGiven.UnixMs ?? call.Services.Advancer.NowMs + 1;
        var from = fromGiven.UnixMs ?? Math.Max(to - WeekMs, DateTimeOffset.MinValue.ToUnixTimeMilliseconds());
        if (from < to && (spanMs is not { } span || (to - from) / span <= SpansMax))
        {
            return (from, to);
        }

        await call.InvalidAsync("/from", spanMs is null ? "'from' lies before 'to'." : string.Create(CultureInfo.InvariantCulture, $"'from' lies before 'to', by at most {SpansMax} times the bucket."));
        return null;
    }

    private static AnalyticsGroup Group(IGrouping<string, IndexCount> counts)
    {
        var ended = counts.Sum(count => count.Ended);
        var points = counts.GroupBy(count => count.FromUnixMs)
            .Select(point => new AnalyticsPoint(ExecutionViews.Time(point.Key), point.Sum(count => count.Count), ByStatus(point)));
        return new AnalyticsGroup(
            counts.Key, counts.Sum(count => count.Count), ByStatus(counts), ended == 0 ? null : counts.Sum(count => count.DurationMs) / ended, [.. points]);
    }

    private static SortedDictionary<string, long> ByStatus(IEnumerable<IndexCount> counts)
    {
        var totals = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var count in counts)
        {
            totals[count.Status] = totals.GetValueOrDefault(count.Status) + count.Count;
        }

        return totals;
    }
}
