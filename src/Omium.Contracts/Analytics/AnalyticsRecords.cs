namespace Omium.Contracts.Analytics;

/// <summary><c>GET /v1/analytics</c>: executions (by workflow or key) or failures (by class) over time.</summary>
/// <param name="From">Begin, included.</param>
/// <param name="To">End, not included.</param>
/// <param name="GroupBy">workflow, api_key or failure_class.</param>
/// <param name="Bucket">hour, day or week; each in UTC, a week from Monday on.</param>
/// <param name="Groups">One for each value, the largest first.</param>
public sealed record AnalyticsView(
    DateTimeOffset From, DateTimeOffset To, [property: Words("workflow", "api_key", "failure_class")] string GroupBy,
    [property: Words("hour", "day", "week")] string Bucket, IReadOnlyList<AnalyticsGroup> Groups);

/// <summary>One workflow, key or failure class.</summary>
/// <param name="Key">Its name; empty where it is not known.</param>
/// <param name="Count">How many began in the time.</param>
/// <param name="ByStatus">The same by the status they have now.</param>
/// <param name="MeanDurationMs">Mean time from begin to end of those that have ended, milliseconds; absent when none has. Of failures: mean time to recovery.</param>
/// <param name="Points">Spans of time in order; those in which nothing began are left out.</param>
public sealed record AnalyticsGroup(
    string Key, long Count, IReadOnlyDictionary<string, long> ByStatus, long? MeanDurationMs, IReadOnlyList<AnalyticsPoint> Points);

/// <summary>One span of time.</summary>
/// <param name="At">Its begin.</param>
/// <param name="Count">How many began in it.</param>
/// <param name="ByStatus">The same by the status they have now.</param>
public sealed record AnalyticsPoint(DateTimeOffset At, long Count, IReadOnlyDictionary<string, long> ByStatus);
