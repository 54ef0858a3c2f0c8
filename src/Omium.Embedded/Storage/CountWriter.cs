using System.Runtime.InteropServices;
using Omium.Runtime.Ports;

namespace Omium.Embedded.Storage;

/// <summary>
/// Keeps the counts of rows by hour, and the times of recoveries, right with the rows, inside the transaction that writes them. A row that changes is taken
/// out where it stood and added where it stands; what changes in one transaction is summed and written once, at its end.
/// </summary>
/// <remarks>
/// At every commit: each count is the number of rows with its tenant, kind, hour of creation and words, and the times of a day are those of its
/// failures that are over. A row that is written again as it was changes nothing.
/// </remarks>
internal sealed class CountWriter(SqliteConnection connection)
{
    /// <summary>Rows that a rebuild sums before it writes.</summary>
    private const int RebuiltMax = 50_000;

    private const string OfDay = "tenant = ?1 AND kind = ?2 AND day_unix_ms = ?3 AND workflow = ?4 AND failure_class = ?5";
    private const string OfCounts = $"{OfDay} AND status = ?6 AND brought_by = ?7 AND started_by = ?8";

    private readonly SqliteStatement selectCounts = connection.Prepare($"SELECT hours FROM index_count WHERE {OfCounts}");
    private readonly SqliteStatement deleteCounts = connection.Prepare($"DELETE FROM index_count WHERE {OfCounts}");
    private readonly SqliteStatement putCounts = connection.Prepare("""
        INSERT OR REPLACE INTO index_count (tenant, kind, day_unix_ms, workflow, failure_class, status, brought_by, started_by, hours)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        """);

    private readonly SqliteStatement lastPart = connection.Prepare($"SELECT part, times FROM index_time WHERE {OfDay} ORDER BY part DESC LIMIT 1");
    private readonly SqliteStatement allParts = connection.Prepare($"SELECT part, times FROM index_time WHERE {OfDay} ORDER BY part");
    private readonly SqliteStatement deletePart = connection.Prepare($"DELETE FROM index_time WHERE {OfDay} AND part = ?6");
    private readonly SqliteStatement putPart = connection.Prepare(
        "INSERT OR REPLACE INTO index_time (tenant, kind, day_unix_ms, workflow, failure_class, part, times) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");

    private readonly Dictionary<(CountedSort Sort, long HourUnixMs), HourCount> counts = [];
    private readonly Dictionary<TimedSort, ChangedTimes> times = [];

    /// <summary>True for the kinds that are counted over time; the others are few, or change too often to be worth it.</summary>
    public static bool IsCounted(string kind) => kind is IndexKinds.Execution or IndexKinds.Failure or IndexKinds.Audit;

    /// <summary>True for the kinds whose times are kept.</summary>
    public static bool IsTimed(string kind) => kind is IndexKinds.Failure;

    /// <summary>A row becomes another; null = it was not there. Of a kind that is counted.</summary>
    public void Change(IndexRow? before, IndexRow after)
    {
        if (before is not null)
        {
            Add(before, -1);
        }

        Add(after, 1);
    }

    /// <summary>Writes what has changed; before the transaction commits.</summary>
    public void Flush()
    {
        foreach (var ((sort, hour), change) in counts)
        {
            Write(sort, hour, change);
        }

        foreach (var (sort, changed) in times)
        {
            Remove(sort, changed.Removed);
            Append(sort, changed.Added);
        }

        Forget();
    }

    /// <summary>Lets go of what has changed: its transaction was rolled back.</summary>
    public void Forget()
    {
        counts.Clear();
        times.Clear();
    }

    /// <summary>Counts every row anew; inside a transaction.</summary>
    public void Rebuild()
    {
        connection.Execute("DELETE FROM index_count; DELETE FROM index_time");
        var rows = connection.Prepare($"SELECT {SqliteIndex.Columns} FROM index_row AS r");
        try
        {
            for (var read = 1; rows.Step(); read++)
            {
                if (SqliteIndex.Row(rows) is var row && IsCounted(row.Kind))
                {
                    Change(null, row);
                }

                if (read % RebuiltMax == 0)
                {
                    Flush();
                }
            }
        }
        finally
        {
            rows.Reset();
        }

        Flush();
    }

    private void Add(IndexRow row, int sign)
    {
        var time = new RowTime(row.CreatedUnixMs, row.EndedUnixMs > 0 ? row.EndedUnixMs - row.CreatedUnixMs : 0);
        var (day, isEnded) = (CountDay.Of(row.CreatedUnixMs), row.EndedUnixMs > 0);
        var sort = new CountedSort(row.Tenant, row.Kind, day, row.Workflow, row.FailureClass, row.Status, row.By, row.StartedBy);
        ref var change = ref CollectionsMarshal.GetValueRefOrAddDefault(counts, (sort, CountDay.HourOf(row.CreatedUnixMs)), out _);
        change += new HourCount(sign, isEnded ? sign : 0, sign * time.DurationMs);
        if (!isEnded || !IsTimed(row.Kind))
        {
            return;
        }

        ref var changed = ref CollectionsMarshal.GetValueRefOrAddDefault(times, new TimedSort(row.Tenant, row.Kind, day, row.Workflow, row.FailureClass), out _);
        changed ??= new ChangedTimes([], []);
        var (wanted, opposite) = sign > 0 ? (changed.Added, changed.Removed) : (changed.Removed, changed.Added);
        if (!opposite.Remove(time))
        {
            wanted.Add(time);
        }
    }

    private void Write(CountedSort sort, long hour, HourCount change)
    {
        if (change == default)
        {
            return;
        }

        var hours = ReadHours(sort);
        var place = (int)((hour - sort.DayUnixMs) / CountDay.HourMs);
        hours[place] += change;
        if (Array.TrueForAll(hours, count => count == default))
        {
            Bind(deleteCounts, sort).Run();
        }
        else
        {
            Bind(putCounts, sort).Bind(9, CountDay.BytesOf(hours)).Run();
        }
    }

    private HourCount[] ReadHours(CountedSort sort)
    {
        var hours = new HourCount[CountDay.Hours];
        try
        {
            if (Bind(selectCounts, sort).Step())
            {
                CountDay.Read(selectCounts.Span(0), hours);
            }
        }
        finally
        {
            selectCounts.Reset();
        }

        return hours;
    }

    private void Append(TimedSort sort, List<RowTime> added)
    {
        if (added.Count == 0)
        {
            return;
        }

        var (part, known) = Read(lastPart, sort) is [.., var last] ? last : (0, []);
        for (var place = 0; place < added.Count; (part, known) = (part + 1, []))
        {
            var count = Math.Min(added.Count - place, CountDay.PartTimesMax - known.Count);
            if (count > 0)
            {
                known.AddRange(CollectionsMarshal.AsSpan(added).Slice(place, count));
                place += count;
                Put(sort, part, known);
            }
        }
    }

    private void Remove(TimedSort sort, List<RowTime> removed)
    {
        if (removed.Count == 0)
        {
            return;
        }

        foreach (var (part, known) in Read(allParts, sort))
        {
            if (removed.RemoveAll(known.Remove) > 0)
            {
                Put(sort, part, known);
            }
        }
    }

    private void Put(TimedSort sort, long part, List<RowTime> known)
    {
        if (known.Count == 0)
        {
            Bind(deletePart, sort).Bind(6, part).Run();
        }
        else
        {
            Bind(putPart, sort).Bind(6, part).Bind(7, CountDay.BytesOf(known)).Run();
        }
    }

    private static List<(long Part, List<RowTime> Times)> Read(SqliteStatement statement, TimedSort sort)
    {
        var parts = new List<(long, List<RowTime>)>();
        try
        {
            Bind(statement, sort);
            while (statement.Step())
            {
                parts.Add((statement.Int64(0), CountDay.ReadTimes(statement.Span(1))));
            }
        }
        finally
        {
            statement.Reset();
        }

        return parts;
    }

    private static SqliteStatement Bind(SqliteStatement statement, TimedSort sort) => statement
        .Bind(1, sort.Tenant).Bind(2, sort.Kind).Bind(3, sort.DayUnixMs).Bind(4, sort.Workflow).Bind(5, sort.FailureClass);

    private static SqliteStatement Bind(SqliteStatement statement, CountedSort sort) => statement
        .Bind(1, sort.Tenant).Bind(2, sort.Kind).Bind(3, sort.DayUnixMs).Bind(4, sort.Workflow).Bind(5, sort.FailureClass)
        .Bind(6, sort.Status).Bind(7, sort.By).Bind(8, sort.StartedBy);

    /// <summary>What a row of <c>index_count</c> counts.</summary>
    private readonly record struct CountedSort(string Tenant, string Kind, long DayUnixMs, string Workflow, string FailureClass, string Status, string By, string StartedBy);

    /// <summary>What a row of <c>index_time</c> has the times of.</summary>
    private readonly record struct TimedSort(string Tenant, string Kind, long DayUnixMs, string Workflow, string FailureClass);

    private sealed record ChangedTimes(List<RowTime> Added, List<RowTime> Removed);
}
