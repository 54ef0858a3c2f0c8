using System.Globalization;
using System.Text;
using Omium.Runtime.Ports;

namespace Omium.Embedded.Storage;

/// <summary>Listings on SQLite. Safe for use by many threads.</summary>
/// <remarks>A cursor names the last row of its page, so rows added meanwhile neither repeat nor hide any row of the pages that follow.</remarks>
public sealed class SqliteIndex : IIndex
{
    private const int LimitMax = 200;

    /// <summary>What <see cref="Row"/> reads, of a row called r.</summary>
    internal const string Columns = """
        r.tenant, r.kind, r.id, r.execution, r.workflow, r.workflow_version, r.status, r.failure_class, r.step, r.label, r.active,
        r.created_unix_ms, r.updated_unix_ms, r.ended_unix_ms, r.started_by, r.brought_by
        """;

    internal const int ColumnCount = 16;

    private readonly ReaderPool readers;

    /// <inheritdoc/>
    public bool CanSearch => true;

    internal SqliteIndex(ReaderPool readers) => this.readers = readers;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The cursor is none of this store's, or the limit is not 1 to 200.</exception>
    public Task<IndexPage> QueryAsync(IndexQuery query, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1, nameof(query));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Limit, LimitMax, nameof(query));
        var after = query.Cursor is null ? null : IndexCursor.Parse(query.Cursor);
        return readers.Read((query, after), static (connection, asked) => SqliteIndexPage.Read(connection, asked.query, asked.after), cancellation);
    }

    /// <inheritdoc/>
    public Task<IndexRow?> GetAsync(string tenant, string kind, string id, CancellationToken cancellation = default) =>
        readers.Read((tenant, kind, id), Get, cancellation);

    /// <inheritdoc/>
    public Task<IReadOnlyList<StreamId>> ListActiveAsync(StreamId? after, int countMax, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(countMax);
        return readers.Read((after, countMax), ListActive, cancellation);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<IndexCount>> CountAsync(IndexQuery query, IndexField field, long spanMs, long originMs = 0, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(spanMs, 1);
        return readers.Read((query, field, spanMs, originMs), Count, cancellation);
    }

    /// <inheritdoc/>
    /// <remarks>Reads the time of every row that matches, eight bytes each, and keeps them while it sorts: those of failures by hours, else the rows.</remarks>
    public Task<IReadOnlyList<IndexDurations>> PercentilesAsync(
        IndexQuery query, IndexField? field, IReadOnlyList<int> percents, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(percents);
        return readers.Read((query, field, percents), Percentiles, cancellation);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<string, long>> CountByStatusAsync(IndexQuery query, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        return readers.Read(query, CountByStatus, cancellation);
    }

    private static IReadOnlyList<IndexCount> Count(SqliteConnection connection, (IndexQuery Query, IndexField Field, long SpanMs, long OriginMs) asked)
    {
        if (SqliteCounts.AreCounted(asked.Query) && SqliteCounts.AreHours(asked.SpanMs, asked.OriginMs))
        {
            return SqliteCounts.Count(connection, asked);
        }

        var field = ColumnOf(asked.Field);
        var statement = connection.Prepare($"""
            SELECT {field}, created_unix_ms - (created_unix_ms - ?10) % ?9, status, count(*), sum(ended_unix_ms > 0), sum(CASE WHEN ended_unix_ms > 0 THEN ended_unix_ms - created_unix_ms ELSE 0 END), brought_by
            FROM index_row WHERE {Conditions(asked.Query)} GROUP BY 2, 1, 3, 7 ORDER BY 2, 1, 3, 7
            """);
        var counts = new List<IndexCount>();
        try
        {
            Bind(statement, asked.Query);
            statement.Bind(9, asked.SpanMs).Bind(10, asked.OriginMs);
            while (statement.Step())
            {
                counts.Add(new IndexCount(statement.Text(0), statement.Int64(1), statement.Text(2), statement.Int64(3), statement.Int64(4), statement.Int64(5), statement.Text(6)));
            }
        }
        finally
        {
            statement.Reset();
        }

        return counts;
    }

    private static IReadOnlyList<IndexDurations> Percentiles(SqliteConnection connection, (IndexQuery Query, IndexField? Field, IReadOnlyList<int> Percents) asked)
    {
        if (SqliteCounts.AreTimed(asked.Query, asked.Field))
        {
            return SqliteCounts.Percentiles(connection, asked);
        }

        var statement = connection.Prepare($"""
            SELECT {(asked.Field is { } field ? ColumnOf(field) : "''")}, ended_unix_ms - created_unix_ms FROM index_row WHERE {Conditions(asked.Query)} AND ended_unix_ms > 0
            """);
        var durations = new SortedDictionary<string, List<long>>(StringComparer.Ordinal);
        try
        {
            Bind(statement, asked.Query);
            while (statement.Step())
            {
                var value = statement.Text(0);
                if (!durations.TryGetValue(value, out var known))
                {
                    durations[value] = known = [];
                }

                known.Add(statement.Int64(1));
            }
        }
        finally
        {
            statement.Reset();
        }

        return [.. durations.Select(known => IndexDurations.Of(known.Key, known.Value, asked.Percents))];
    }

    internal static string ColumnOf(IndexField field) => field switch { IndexField.Workflow => "workflow", IndexField.StartedBy => "started_by", _ => "failure_class" };

    internal static IndexRow? Get(SqliteConnection connection, (string Tenant, string Kind, string Id) name)
    {
        var statement = connection.Prepare($"SELECT {Columns} FROM index_row AS r WHERE tenant = ?1 AND kind = ?2 AND id = ?3");
        try
        {
            return statement.Bind(1, name.Tenant).Bind(2, name.Kind).Bind(3, name.Id).Step() ? Row(statement) : null;
        }
        finally
        {
            statement.Reset();
        }
    }

    private static IReadOnlyList<StreamId> ListActive(SqliteConnection connection, (StreamId? After, int CountMax) query)
    {
        const string Active = "SELECT tenant, id FROM index_row WHERE active = 1 AND kind = 'execution'";
        var statement = connection.Prepare(
            query.After is null ? $"{Active} ORDER BY tenant, id LIMIT ?1" : $"{Active} AND (tenant, id) > (?2, ?3) ORDER BY tenant, id LIMIT ?1");
        var streams = new List<StreamId>();
        try
        {
            statement.Bind(1, query.CountMax);
            if (query.After is { } after)
            {
                statement.Bind(2, after.Tenant).Bind(3, after.Id);
            }

            while (statement.Step())
            {
                streams.Add(new StreamId(statement.Text(0), statement.Text(1)));
            }
        }
        finally
        {
            statement.Reset();
        }

        return streams;
    }

    private static IReadOnlyDictionary<string, long> CountByStatus(SqliteConnection connection, IndexQuery query)
    {
        // Where a status is given, its index has no more to read than there is to count.
        if (query.Status is null && SqliteCounts.AreCounted(query))
        {
            return SqliteCounts.CountByStatus(connection, query);
        }

        var statement = connection.Prepare($"SELECT status, count(*) FROM index_row WHERE {Conditions(query)} GROUP BY status");
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        try
        {
            Bind(statement, query);
            while (statement.Step())
            {
                counts.Add(statement.Text(0), statement.Int64(1));
            }
        }
        finally
        {
            statement.Reset();
        }

        return counts;
    }

    /// <summary>Only constants and parameters enter the text, so there are few texts, and each stays prepared.</summary>
    private static string Conditions(IndexQuery query)
    {
        var sql = new StringBuilder("tenant = ?1 AND kind = ?2");
        sql.Append(query.Workflow is null ? "" : " AND workflow = ?3");
        sql.Append(query.Status is null ? "" : " AND status = ?4");
        // Said twice so that SQLite may use the index that leaves the empty class out.
        sql.Append(string.IsNullOrEmpty(query.FailureClass) ? "" : " AND failure_class <> ''");
        sql.Append(query.FailureClass is null ? "" : " AND failure_class = ?5");
        sql.Append(query.Kind == IndexKinds.Execution ? "" : " AND kind <> 'execution'");
        sql.Append(query.Execution is null ? "" : " AND execution = ?6");
        sql.Append(query.FromUnixMs is null ? "" : " AND created_unix_ms >= ?7");
        sql.Append(query.ToUnixMs is null ? "" : " AND created_unix_ms < ?8");
        return sql.ToString();
    }

    internal static void Bind(SqliteStatement statement, IndexQuery query)
    {
        statement.Bind(1, query.Tenant).Bind(2, query.Kind);
        BindIfAny(statement, 3, query.Workflow);
        BindIfAny(statement, 4, query.Status);
        BindIfAny(statement, 5, query.FailureClass);
        BindIfAny(statement, 6, query.Execution);
        if (query.FromUnixMs is { } from)
        {
            statement.Bind(7, from);
        }

        if (query.ToUnixMs is { } to)
        {
            statement.Bind(8, to);
        }
    }

    private static void BindIfAny(SqliteStatement statement, int parameter, string? value)
    {
        if (value is not null)
        {
            statement.Bind(parameter, value);
        }
    }

    internal static IndexRow Row(SqliteStatement statement) =>
        new(statement.Text(0), statement.Text(1), statement.Text(2), statement.Text(3))
        {
            Workflow = statement.Text(4),
            WorkflowVersion = statement.Int32(5),
            Status = statement.Text(6),
            FailureClass = statement.Text(7),
            Step = statement.Text(8),
            Label = statement.Text(9),
            Active = statement.Int64(10) != 0,
            CreatedUnixMs = statement.Int64(11),
            UpdatedUnixMs = statement.Int64(12),
            EndedUnixMs = statement.Int64(13),
            StartedBy = statement.Text(14),
            By = statement.Text(15),
        };
}
