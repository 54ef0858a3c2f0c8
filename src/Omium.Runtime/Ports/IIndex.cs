using System.Numerics;
using System.Runtime.InteropServices;

namespace Omium.Runtime.Ports;

/// <summary>
/// Listings over executions, reviews and failures. Rows are written by <see cref="IEventLog.AppendAsync"/> together with the record that
/// changed them; they hold envelope data only (ids, states, classes, times), never bodies.
/// </summary>
public interface IIndex
{
    /// <summary>Whether <see cref="IndexQuery.Terms"/> is served; where it is not, a query with terms throws <see cref="NotSupportedException"/>.</summary>
    bool CanSearch => false;

    /// <summary>
    /// One page, newest first (by CreatedUnixMs, then Id, both descending). A store looks at a bounded number of rows for a page, so that every page
    /// comes in bounded time: a page with a next cursor may then hold fewer rows than its limit, even none.
    /// </summary>
    Task<IndexPage> QueryAsync(IndexQuery query, CancellationToken cancellation = default);

    /// <summary>One row, or null.</summary>
    Task<IndexRow?> GetAsync(string tenant, string kind, string id, CancellationToken cancellation = default);

    /// <summary>
    /// Executions of every tenant that may still owe an effect (<see cref="IndexRow.Active"/>), after <paramref name="after"/> in (tenant, id) order.
    /// Recovery reads it on start.
    /// </summary>
    Task<IReadOnlyList<StreamId>> ListActiveAsync(StreamId? after, int countMax, CancellationToken cancellation = default);

    /// <summary>How many rows a filter matches (limit, cursor and terms are ignored), grouped by status.</summary>
    Task<IReadOnlyDictionary<string, long>> CountByStatusAsync(IndexQuery query, CancellationToken cancellation = default);

    /// <summary>
    /// Counts of what a filter matches (limit, cursor and terms are ignored), by a field, by spans of time, by status and by <see cref="IndexRow.By"/>; in the
    /// order of the spans, then the values, the statuses and the last. Spans lie behind each other from <paramref name="originMs"/> (Unix ms, before every row) on.
    /// </summary>
    Task<IReadOnlyList<IndexCount>> CountAsync(IndexQuery query, IndexField field, long spanMs, long originMs = 0, CancellationToken cancellation = default);

    /// <summary>
    /// Percentiles of the times from creation to end of the rows that a filter matches and that have ended (limit, cursor and terms are ignored), by a
    /// field, or of all together under the value "" when that is null; in the order of the values. Exact: each is the time of one row, by nearest rank
    /// (<see cref="IndexDurations.NearestRank"/>). A value without an ended row has none.
    /// </summary>
    /// <param name="query">Filter.</param>
    /// <param name="field">What is grouped by; null = nothing.</param>
    /// <param name="percents">Percentiles wanted, each 1 to 100.</param>
    /// <param name="cancellation">Ends it.</param>
    Task<IReadOnlyList<IndexDurations>> PercentilesAsync(IndexQuery query, IndexField? field, IReadOnlyList<int> percents, CancellationToken cancellation = default);
}

/// <summary>What rows are counted by.</summary>
public enum IndexField
{
    /// <summary><see cref="IndexRow.Workflow"/>.</summary>
    Workflow,

    /// <summary><see cref="IndexRow.StartedBy"/>.</summary>
    StartedBy,

    /// <summary><see cref="IndexRow.FailureClass"/>.</summary>
    FailureClass,
}

/// <summary>A count.</summary>
/// <param name="Value">Value of the field.</param>
/// <param name="FromUnixMs">Begin of the span of time that the rows were created in.</param>
/// <param name="Status">Status.</param>
/// <param name="Count">Rows.</param>
/// <param name="Ended">Of them, those that have ended.</param>
/// <param name="DurationMs">Sum of the times from creation to end of those.</param>
/// <param name="By">What brought the status about (<see cref="IndexRow.By"/>).</param>
public sealed record IndexCount(string Value, long FromUnixMs, string Status, long Count, long Ended, long DurationMs, string By = "");

/// <summary>Times from creation to end.</summary>
/// <param name="Value">Value of the field.</param>
/// <param name="Count">Rows that have ended.</param>
/// <param name="PercentilesMs">One for each percentile that was asked for.</param>
public sealed record IndexDurations(string Value, long Count, IReadOnlyList<long> PercentilesMs)
{
    /// <summary>The durations of one value as its percentiles; they need not be in order, and come to stand in another.</summary>
    public static IndexDurations Of(string value, List<long> durationsMs, IReadOnlyList<int> percents)
    {
        ArgumentNullException.ThrowIfNull(durationsMs);
        ArgumentNullException.ThrowIfNull(percents);
        var values = CollectionsMarshal.AsSpan(durationsMs);
        var percentiles = new long[percents.Count];
        for (var place = 0; place < percentiles.Length; place++)
        {
            percentiles[place] = Select(values, RankOf(values.Length, percents[place]) - 1);
        }

        return new IndexDurations(value, values.Length, percentiles);
    }

    /// <summary>The smallest of the sorted values that at least <paramref name="percent"/> percent of them do not exceed: the value of rank ⌈percent · n / 100⌉.</summary>
    public static long NearestRank(IReadOnlyList<long> sorted, int percent)
    {
        ArgumentNullException.ThrowIfNull(sorted);
        return sorted[RankOf(sorted.Count, percent) - 1];
    }

    private static int RankOf(int count, int percent)
    {
        ArgumentOutOfRangeException.ThrowIfZero(count);
        ArgumentOutOfRangeException.ThrowIfLessThan(percent, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percent, 100);
        return (int)((((long)count * percent) + 99) / 100);
    }

    /// <summary>
    /// The value that would stand at a place if they were sorted: C. A. R. Hoare, "Algorithm 65: Find" (CACM 4, 1961), in linear time for one place. What is
    /// left after as many halvings as a fair draw needs is sorted, so that no order of the values makes it slow.
    /// </summary>
    private static long Select(Span<long> values, int place)
    {
        for (var rounds = 4 * BitOperations.Log2((uint)values.Length); values.Length > 32 && rounds > 0; rounds--)
        {
            var middle = Math.Max(Math.Min(values[0], values[^1]), Math.Min(Math.Max(values[0], values[^1]), values[values.Length / 2]));
            var (left, right) = (0, values.Length - 1);
            while (left <= right)
            {
                while (values[left] < middle)
                {
                    left++;
                }

                while (values[right] > middle)
                {
                    right--;
                }

                if (left <= right)
                {
                    (values[left], values[right]) = (values[right], values[left]);
                    (left, right) = (left + 1, right - 1);
                }
            }

            if (place > right && place < left)
            {
                return values[place];
            }

            values = place <= right ? values[..(right + 1)] : values[left..];
            place -= place <= right ? 0 : left;
        }

        values.Sort();
        return values[place];
    }
}

/// <summary>Kinds of <see cref="IndexRow"/>.</summary>
public static class IndexKinds
{
    /// <summary>One row per execution.</summary>
    public const string Execution = "execution";

    /// <summary>One row per review.</summary>
    public const string Review = "review";

    /// <summary>One row per failure (a step's attempt that failed for good or was caught by a policy).</summary>
    public const string Failure = "failure";

    /// <summary>One row per root of shared scopes: free or held, with the label contended when somebody waits. What it is called stays sealed in its stream.</summary>
    public const string Resource = "resource";

    /// <summary>
    /// One row per record that the tenant's audit trail accounts for: owed from the record on, written once its row is in the trail. Both changes are
    /// one append with what causes them.
    /// </summary>
    public const string Audit = "audit";

    /// <summary>One row per effect that a rollback could not undo.</summary>
    public const string Residue = "residue";
}

/// <summary>One row of a listing, replaced whole whenever it changes.</summary>
public sealed record IndexRow(string Tenant, string Kind, string Id, string Execution)
{
    /// <summary>Workflow name.</summary>
    public string Workflow { get; init; } = "";

    /// <summary>Workflow version.</summary>
    public int WorkflowVersion { get; init; }

    /// <summary>Status of the thing listed.</summary>
    public string Status { get; init; } = "";

    /// <summary>Failure class, or "".</summary>
    public string FailureClass { get; init; } = "";

    /// <summary>Step concerned, or "".</summary>
    public string Step { get; init; } = "";

    /// <summary>Short machine-made text (kind of review, guard code), or "".</summary>
    public string Label { get; init; } = "";

    /// <summary>
    /// What brought its status about, where that is told: of a failure that is over how it came to be (<c>RecoveryWays</c>), of an audit row <c>person</c> when a
    /// person intervened in the run; else "".
    /// </summary>
    public string By { get; init; } = "";

    /// <summary>Key that started the execution; "" when it is not known. A row that is written with "" keeps what it had.</summary>
    public string StartedBy { get; init; } = "";

    /// <summary>
    /// Terms that the row is found by from now on, beside those it has; null = none are added. They leave the store when the execution's key is destroyed
    /// (<see cref="IEventLog.DestroyKeyAsync"/>). Not read back: null in every answer.
    /// </summary>
    public IReadOnlyList<long>? Terms { get; init; }

    /// <summary>True while an execution may still owe an effect.</summary>
    public bool Active { get; init; }

    /// <summary>Creation, milliseconds since the Unix epoch.</summary>
    public long CreatedUnixMs { get; init; }

    /// <summary>Last change, milliseconds since the Unix epoch.</summary>
    public long UpdatedUnixMs { get; init; }

    /// <summary>End, milliseconds since the Unix epoch; 0 while it has not ended. Of a failure: when its execution had got over it.</summary>
    public long EndedUnixMs { get; init; }
}

/// <summary>A filter; null fields do not restrict.</summary>
public sealed record IndexQuery(string Tenant, string Kind)
{
    /// <summary>Exact workflow name.</summary>
    public string? Workflow { get; init; }

    /// <summary>Exact status.</summary>
    public string? Status { get; init; }

    /// <summary>Exact failure class.</summary>
    public string? FailureClass { get; init; }

    /// <summary>Exact execution id.</summary>
    public string? Execution { get; init; }

    /// <summary>Only rows created at or after this time (Unix ms).</summary>
    public long? FromUnixMs { get; init; }

    /// <summary>Only rows created before this time (Unix ms).</summary>
    public long? ToUnixMs { get; init; }

    /// <summary>Only rows whose id begins so.</summary>
    public string? IdPrefix { get; init; }

    /// <summary>Most <see cref="Terms"/> of a query.</summary>
    public const int TermsMax = 16;

    /// <summary>Only rows that are found by all of these terms, at most <see cref="TermsMax"/>.</summary>
    public IReadOnlyList<long> Terms { get; init; } = [];

    /// <summary>With terms: the row of this id too, in its place, although the terms do not find it; every other condition holds for it as well.</summary>
    public string? AlsoId { get; init; }

    /// <summary>Rows per page, 1 to 200.</summary>
    public int Limit { get; init; } = 50;

    /// <summary>Opaque cursor of the page before; any other text is answered with <see cref="InvalidCursorException"/>.</summary>
    public string? Cursor { get; init; }
}

/// <summary>Rows, and the cursor of the next page or null.</summary>
public sealed record IndexPage(IReadOnlyList<IndexRow> Rows, string? NextCursor);

/// <summary>The cursor was not made by this index: a client made it up or cut it short.</summary>
public sealed class InvalidCursorException() : Exception("The cursor was not made by this index.");
