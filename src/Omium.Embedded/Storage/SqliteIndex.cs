using System.Globalization;
using System.Text;
using Omium.Runtime.Ports;

namespace Omium.Embedded.Storage;

/// <summary>Listings on SQLite. Safe for use by many threads.</summary>
/// <remarks>A cursor names the last row of its page, so rows added meanwhile neither repeat nor hide any row of the pages that follow.</remarks>
public sealed class SqliteIndex : IIndex
{
    private const int LimitMax = 200;

    private const string Columns = """
        tenant, kind, id, execution, workflow, workflow_version, status, failure_class, step, label, active,
        created_unix_ms, updated_unix_ms, ended_unix_ms
        """;

    private readonly ReaderPool readers;

    internal SqliteIndex(ReaderPool readers) => this.readers = readers;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The cursor is none of this store's, or the limit is not 1 to 200.</exception>
    public Task<IndexPage> QueryAsync(IndexQuery query, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1, nameof(query));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Limit, LimitMax, nameof(query));
        var after = query.Cursor is null ? null : IndexCursor.Parse(query.Cursor);
        return readers.Read((query, after), Query, cancellation);
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
    public Task<IReadOnlyDictionary<string, long>> CountByStatusAsync(IndexQuery query, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        return readers.Read(query, CountByStatus, cancellation);
    }

    private static IndexPage Query(SqliteConnection connection, (IndexQuery Query, IndexCursor? After) asked)
    {
        var sql = new StringBuilder($"SELECT {Columns} FROM index_row WHERE ").Append(Conditions(asked.Query));
        if (asked.After is not null)
        {
            sql.Append(" AND (created_unix_ms, id) < (?9, ?10)");
        }

        sql.Append(" ORDER BY created_unix_ms DESC, id DESC LIMIT ?11");
        var statement = connection.Prepare(sql.ToString());
        var rows = new List<IndexRow>();
        try
        {
            Bind(statement, asked.Query);
            if (asked.After is not null)
            {
                statement.Bind(9, asked.After.CreatedUnixMs).Bind(10, asked.After.Id);
            }

            statement.Bind(11, asked.Query.Limit + 1);
            while (statement.Step())
            {
                rows.Add(Row(statement));
            }
        }
        finally
        {
            statement.Reset();
        }

        // The row beyond the page tells whether there is a next one.
        if (rows.Count <= asked.Query.Limit)
        {
            return new IndexPage(rows, null);
        }

        rows.RemoveAt(rows.Count - 1);
        return new IndexPage(rows, new IndexCursor(rows[^1].CreatedUnixMs, rows[^1].Id).ToString());
    }

    private static IndexRow? Get(SqliteConnection connection, (string Tenant, string Kind, string Id) name)
    {
        var statement = connection.Prepare($"SELECT {Columns} FROM index_row WHERE tenant = ?1 AND kind = ?2 AND id = ?3");
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

    /// <summary>Only constants and parameters enter the text, so there are at most 64 texts, and each stays prepared.</summary>
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

    private static void Bind(SqliteStatement statement, IndexQuery query)
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

    private static IndexRow Row(SqliteStatement statement) =>
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
        };

    /// <summary>The last row of a page, as <c>base64url("{created} {id}")</c>.</summary>
    private sealed record IndexCursor(long CreatedUnixMs, string Id)
    {
        public static IndexCursor Parse(string text)
        {
            try
            {
                var plain = Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(text));
                var space = plain.IndexOf(' ', StringComparison.Ordinal);
                if (space > 0 && long.TryParse(plain.AsSpan(0, space), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var created))
                {
                    return new IndexCursor(created, plain[(space + 1)..]);
                }
            }
            catch (FormatException)
            {
                // Answered below like every other text that is no cursor.
            }

            throw new InvalidCursorException();
        }

        public override string ToString() => System.Buffers.Text.Base64Url.EncodeToString(
            Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{CreatedUnixMs} {Id}")));
    }
}
