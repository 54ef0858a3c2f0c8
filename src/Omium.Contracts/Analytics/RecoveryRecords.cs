namespace Omium.Contracts.Analytics;

/// <summary><c>GET /v1/analytics/recovery</c>: how what ran in a time came out, what failed in it and how it was got over.</summary>
/// <param name="From">Begin, included.</param>
/// <param name="To">End, not included.</param>
/// <param name="GroupBy">workflow or failure_class.</param>
/// <param name="Total">All groups together; its percentiles are those of all recoveries, not a mean of the groups'.</param>
/// <param name="Groups">One for each value that something is counted of, the one with the most failures first.</param>
public sealed record RecoveryView(
    DateTimeOffset From, DateTimeOffset To, [property: Words("workflow", "failure_class")] string GroupBy, RecoveryFigures Total, IReadOnlyList<RecoveryGroup> Groups);

/// <summary>One workflow or failure class.</summary>
/// <param name="Key">Its name.</param>
/// <param name="Figures">Its figures.</param>
public sealed record RecoveryGroup(string Key, RecoveryFigures Figures);

/// <summary>What is counted. Executions count when they began in the time, failures when they were detected in it, interventions when they were made in it.</summary>
/// <param name="Failures">Failures on the list: of a step that was not simply tried again at once, and disputes.</param>
/// <param name="Open">Of them, those that wait to be decided about or whose execution ended badly, and that nobody has ignored.</param>
/// <param name="Recovered">Of them, those that their execution has got over.</param>
/// <param name="RecoveredBy">The same by how: rollback, retry, override, skip, fallback.</param>
public sealed record RecoveryFigures(long Failures, long Open, long Recovered, IReadOnlyDictionary<string, long> RecoveredBy)
{
    /// <summary>Of the failures, those that a person has said need nobody's attention, and that their execution has not got over.</summary>
    public long Ignored { get; init; }

    /// <summary>Executions; absent by failure class.</summary>
    public long? Executions { get; init; }

    /// <summary>Of them, those that ended well; absent by failure class.</summary>
    public long? Succeeded { get; init; }

    /// <summary>Of them, those that have ended, well or badly or by a person; absent by failure class.</summary>
    public long? Ended { get; init; }

    /// <summary>Succeeded of those that ended, 0 to 1; absent when none has, and by failure class.</summary>
    public double? SuccessRate { get; init; }

    /// <summary>Times that a person changed the course of a run; absent by failure class.</summary>
    public long? Interventions { get; init; }

    /// <summary>Median of the recovery times, milliseconds, exact by nearest rank; absent when nothing was recovered.</summary>
    public long? RecoveryMsP50 { get; init; }

    /// <summary>99th percentile of the same.</summary>
    public long? RecoveryMsP99 { get; init; }
}
