using System.Runtime.InteropServices;
using System.Text;
using Omium.Runtime.Ports;

namespace Omium.Embedded.Storage;

/// <summary>
/// Counts and percentiles over a time: whole hours from what <see cref="CountWriter"/> keeps, and the rows of an hour only where the time asked for begins or
/// ends within it. Exact: one read sees one state of the store, in which both agree.
/// </summary>
internal static class SqliteCounts
{
    private const string Rows = "index_row INDEXED BY index_row_newest";

    /// <summary>True for spans of whole hours, and for one that is longer than any time.</summary>
    public static bool AreHours(long spanMs, long originMs) => (spanMs % CountDay.HourMs == 0 || spanMs == long.MaxValue) && originMs % CountDay.HourMs == 0;

    /// <summary>True when hours are kept for what is asked for.</summary>
    public static bool AreCounted(IndexQuery query) => CountWriter.IsCounted(query.Kind) && query.Execution is null;

    /// <summary>True when times are kept for what is asked for.</summary>
    public static bool AreTimed(IndexQuery query, IndexField? field) =>
        CountWriter.IsTimed(query.Kind) && field is not IndexField.StartedBy && query.Execution is null && query.Status is null;

    /// <summary>As <see cref="IIndex.CountAsync"/>, of what is counted, by spans of hours.</summary>
    public static IReadOnlyList<IndexCount> Count(SqliteConnection connection, (IndexQuery Query, IndexField Field, long SpanMs, long OriginMs) asked)
    {
        var sums = new Sums(asked.SpanMs, asked.OriginMs);
        var (query, field) = (asked.Query, SqliteIndex.ColumnOf(asked.Field));
        connection.Prepare("BEGIN").Run();
        try
        {
            var (from, to) = (query.FromUnixMs ?? long.MinValue, query.ToUnixMs ?? long.MaxValue);
            var (hoursFrom, hoursTo) = (Begin(connection, query, from), End(connection, query, to));
            if (hoursFrom < hoursTo)
            {
                AddHours(connection, query, field, (hoursFrom, hoursTo), sums);
                AddRows(connection, query, field, (from, hoursFrom), sums);
                AddRows(connection, query, field, (hoursTo, to), sums);
            }
            else
            {
                AddRows(connection, query, field, (from, to), sums);
            }
        }
        finally
        {
            // A read that fails may have ended it already; what failed is told, and not that.
            if (connection.InTransaction)
            {
                connection.Prepare("COMMIT").Run();
            }
        }

        return sums.InOrder();
    }

    /// <summary>As <see cref="IIndex.CountByStatusAsync"/>, of what is counted.</summary>
    public static IReadOnlyDictionary<string, long> CountByStatus(SqliteConnection connection, IndexQuery query) =>
        Count(connection, (query, IndexField.Workflow, long.MaxValue, 0)).GroupBy(count => count.Status, StringComparer.Ordinal)
            .ToDictionary(counts => counts.Key, counts => counts.Sum(count => count.Count), StringComparer.Ordinal);

    /// <summary>As <see cref="IIndex.PercentilesAsync"/>, of what is timed.</summary>
    public static IReadOnlyList<IndexDurations> Percentiles(SqliteConnection connection, (IndexQuery Query, IndexField? Field, IReadOnlyList<int> Percents) asked)
    {
        var durations = new SortedDictionary<string, List<long>>(StringComparer.Ordinal);
        var (from, to) = (asked.Query.FromUnixMs ?? long.MinValue, asked.Query.ToUnixMs ?? long.MaxValue);
        var statement = connection.Prepare(TimesText(asked.Query, asked.Field is { } field ? SqliteIndex.ColumnOf(field) : "''"));
        try
        {
            BindDays(statement, asked.Query, (from, to));
            while (statement.Step())
            {
                var value = statement.Text(0);
                if (!durations.TryGetValue(value, out var known))
                {
                    durations[value] = known = [];
                }

                CountDay.AddDurations(statement.Span(1), from, to, known);
            }
        }
        finally
        {
            statement.Reset();
        }

        return [.. durations.Where(known => known.Value.Count > 0).Select(known => IndexDurations.Of(known.Key, known.Value, asked.Percents))];
    }

    /// <summary>Value, times.</summary>
    internal static string TimesText(IndexQuery query, string field) =>
        $"SELECT {field}, times FROM index_time WHERE {Conditions(query)} AND day_unix_ms >= ?7 AND day_unix_ms < ?8";

    /// <summary>Value, status, by, day, hours.</summary>
    internal static string HoursText(IndexQuery query, string field) =>
        $"SELECT {field}, status, brought_by, day_unix_ms, hours FROM index_count WHERE {Conditions(query)} AND day_unix_ms >= ?7 AND day_unix_ms < ?8";

    /// <summary>Value, status, by, creation, end.</summary>
    internal static string RowsText(IndexQuery query, string field) =>
        $"SELECT {field}, status, brought_by, created_unix_ms, ended_unix_ms FROM {Rows} WHERE {Conditions(query)} AND created_unix_ms >= ?7 AND created_unix_ms < ?8";

    private static void AddHours(SqliteConnection connection, IndexQuery query, string field, (long From, long To) time, Sums sums)
    {
        var statement = connection.Prepare(HoursText(query, field));
        Span<HourCount> hours = stackalloc HourCount[CountDay.Hours];
        try
        {
            BindDays(statement, query, time);
            while (statement.Step())
            {
                CountDay.Read(statement.Span(4), hours);
                sums.Add((statement.Text(0), statement.Text(1), statement.Text(2)), statement.Int64(3), hours, time);
            }
        }
        finally
        {
            statement.Reset();
        }
    }

    private static void AddRows(SqliteConnection connection, IndexQuery query, string field, (long From, long To) time, Sums sums)
    {
        if (time.From >= time.To)
        {
            return;
        }

        var statement = connection.Prepare(RowsText(query, field));
        try
        {
            SqliteIndex.Bind(statement, query with { FromUnixMs = time.From, ToUnixMs = time.To });
            while (statement.Step())
            {
                var (created, ended) = (statement.Int64(3), statement.Int64(4));
                sums.Add((statement.Text(0), statement.Text(1), statement.Text(2)), created, new HourCount(1, ended > 0 ? 1 : 0, ended > 0 ? ended - created : 0));
            }
        }
        finally
        {
            statement.Reset();
        }
    }

    private static string Conditions(IndexQuery query)
    {
        var sql = new StringBuilder("tenant = ?1 AND kind = ?2");
        sql.Append(query.Workflow is null ? "" : " AND workflow = ?3");
        sql.Append(query.Status is null ? "" : " AND status = ?4");
        sql.Append(query.FailureClass is null ? "" : " AND failure_class = ?5");
        return sql.ToString();
    }

    /// <summary>Every day that has a part in the time.</summary>
    private static void BindDays(SqliteStatement statement, IndexQuery query, (long From, long To) time) =>
        SqliteIndex.Bind(statement, query with { FromUnixMs = time.From < long.MinValue + CountDay.DayMs ? long.MinValue : CountDay.Of(time.From), ToUnixMs = time.To });

    /// <summary>The first hour that counts as a whole: nothing in it lies before the time asked for.</summary>
    private static long Begin(SqliteConnection connection, IndexQuery query, long from)
    {
        if (from < long.MinValue + CountDay.HourMs)
        {
            return from;
        }

        var hour = CountDay.HourOf(from);
        return HasRows(connection, query, hour, from) ? hour + CountDay.HourMs : hour;
    }

    /// <summary>The end of the last hour that counts as a whole: nothing in it lies behind the time asked for, as when that is now.</summary>
    private static long End(SqliteConnection connection, IndexQuery query, long to)
    {
        if (to > long.MaxValue - CountDay.HourMs)
        {
            return to;
        }

        var hour = CountDay.HourOf(to);
        return hour == to || HasRows(connection, query, to, hour + CountDay.HourMs) ? hour : hour + CountDay.HourMs;
    }

    private static bool HasRows(SqliteConnection connection, IndexQuery query, long from, long to)
    {
        if (from >= to)
        {
            return false;
        }

        var statement = connection.Prepare($"SELECT 1 FROM {Rows} WHERE tenant = ?1 AND kind = ?2 AND created_unix_ms >= ?3 AND created_unix_ms < ?4 LIMIT 1");
        try
        {
            return statement.Bind(1, query.Tenant).Bind(2, query.Kind).Bind(3, from).Bind(4, to).Step();
        }
        finally
        {
            statement.Reset();
        }
    }

    /// <summary>What was counted so far, by span and words.</summary>
    private sealed class Sums(long spanMs, long originMs)
    {
        private readonly Dictionary<(long Span, (string Value, string Status, string By) Words), HourCount> counts = [];

        public void Add((string Value, string Status, string By) words, long atUnixMs, HourCount count)
        {
            ref var sum = ref CollectionsMarshal.GetValueRefOrAddDefault(counts, (atUnixMs - ((atUnixMs - originMs) % spanMs), words), out _);
            sum += count;
        }

        /// <summary>The hours of a day that lie in the time; those that lie behind each other in one span at once.</summary>
        public void Add((string Value, string Status, string By) words, long day, ReadOnlySpan<HourCount> hours, (long From, long To) time)
        {
            var (sum, spanOfSum) = (default(HourCount), 0L);
            for (var place = 0; place < hours.Length; place++)
            {
                var hour = day + (place * CountDay.HourMs);
                if (hours[place].Rows == 0 || hour < time.From || hour >= time.To)
                {
                    continue;
                }

                var span = hour - ((hour - originMs) % spanMs);
                if (span != spanOfSum && sum.Rows > 0)
                {
                    Add(words, spanOfSum, sum);
                    sum = default;
                }

                (sum, spanOfSum) = (sum + hours[place], span);
            }

            if (sum.Rows > 0)
            {
                Add(words, spanOfSum, sum);
            }
        }

        public IReadOnlyList<IndexCount> InOrder() =>
        [
            .. counts.Select(count => new IndexCount(count.Key.Words.Value, count.Key.Span, count.Key.Words.Status, count.Value.Rows, count.Value.Ended, count.Value.DurationMs, count.Key.Words.By))
                .OrderBy(count => count.FromUnixMs).ThenBy(count => count.Value, StringComparer.Ordinal).ThenBy(count => count.Status, StringComparer.Ordinal)
                .ThenBy(count => count.By, StringComparer.Ordinal),
        ];
    }
}
