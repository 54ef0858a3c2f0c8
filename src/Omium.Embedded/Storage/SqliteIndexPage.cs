using System.Globalization;
using System.Text;
using Omium.Runtime.Ports;

namespace Omium.Embedded.Storage;

/// <summary>
/// One page of a listing. The narrowest condition drives: an index (or the postings of a term) is read in the order of the listing, and each row is
/// held to the other conditions, at most <see cref="RowsMax"/> of them: however large the store and however rare what is asked for, a page comes in
/// bounded time. A page that ends early has a cursor to where it stopped.
/// </summary>
internal static class SqliteIndexPage
{
    /// <summary>Rows looked at for one page.</summary>
    public const int RowsMax = 10_000;

    /// <summary>Where two conditions have indexes, each is counted up to here to see which is the narrower.</summary>
    private const int CountMax = 2_000;

    /// <summary>Numbers of parameters. The limit's is the highest, and stands in every statement: a number beyond the highest cannot be bound.</summary>
    private const int FirstTerm = 14, LimitParameter = FirstTerm + IndexQuery.TermsMax;

    public static IndexPage Read(SqliteConnection connection, IndexQuery query, IndexCursor? after)
    {
        var page = ReadFound(connection, query, after);
        return query.AlsoId is { } id && query.Terms.Count > 0 && SqliteIndex.Get(connection, (query.Tenant, query.Kind, id)) is { } row && Fits(row, query)
            ? With(page, row, query.Limit, after)
            : page;
    }

    /// <summary>The page with one more row in its place, if that lies on this page.</summary>
    private static IndexPage With(IndexPage page, IndexRow row, int limit, IndexCursor? after)
    {
        var place = new IndexCursor(row.CreatedUnixMs, row.Id);
        var isBefore = after is not null && place.CompareTo(after) >= 0;
        var isBehind = page.NextCursor is { } next && place.CompareTo(IndexCursor.Parse(next)) < 0;
        if (isBefore || isBehind || page.Rows.Any(known => known.Id == row.Id))
        {
            return page;
        }

        IndexRow[] all = [.. page.Rows.Append(row).OrderByDescending(known => new IndexCursor(known.CreatedUnixMs, known.Id))];
        return all.Length <= limit ? page with { Rows = all } : new IndexPage(all[..limit], CursorBehind(all[limit - 1]));
    }

    private static bool Fits(IndexRow row, IndexQuery query) =>
        (query.Workflow is null || row.Workflow == query.Workflow) && (query.Status is null || row.Status == query.Status)
        && (query.FailureClass is null || row.FailureClass == query.FailureClass) && (query.Execution is null || row.Execution == query.Execution)
        && (query.FromUnixMs is null || row.CreatedUnixMs >= query.FromUnixMs) && (query.ToUnixMs is null || row.CreatedUnixMs < query.ToUnixMs);

    private static IndexPage ReadFound(SqliteConnection connection, IndexQuery query, IndexCursor? after)
    {
        var source = Narrowest(connection, query);
        var statement = connection.Prepare(string.Create(CultureInfo.InvariantCulture, $"""
            SELECT {SqliteIndex.Columns}, ({Fitting(query.Terms.Count)}) FROM {source.From}
            WHERE {source.Where} AND {source.Created} >= ?7 AND {source.Created} < ?8 AND ({source.Created}, {source.Id}) < (?9, ?10)
            ORDER BY {source.Created} DESC, {source.Id} DESC LIMIT ?{LimitParameter}
            """));
        try
        {
            Bind(statement, query, source);
            statement.Bind(7, query.FromUnixMs ?? long.MinValue).Bind(8, query.ToUnixMs ?? long.MaxValue);
            statement.Bind(9, after?.CreatedUnixMs ?? long.MaxValue).Bind(10, after?.Id ?? "");
            return Read(statement.Bind(LimitParameter, RowsMax), query.Limit);
        }
        finally
        {
            statement.Reset();
        }
    }

    private static IndexPage Read(SqliteStatement statement, int limit)
    {
        var rows = new List<IndexRow>();
        for (var looked = 1; statement.Step(); looked++)
        {
            var fits = statement.Int64(SqliteIndex.ColumnCount) != 0;
            if (fits && rows.Count == limit)
            {
                return new IndexPage(rows, CursorBehind(rows[^1]));
            }

            if (fits)
            {
                rows.Add(SqliteIndex.Row(statement));
            }

            if (looked == RowsMax)
            {
                return new IndexPage(rows, CursorBehind(rows.Count == limit ? rows[^1] : SqliteIndex.Row(statement)));
            }
        }

        return new IndexPage(rows, null);
    }

    private static string CursorBehind(IndexRow row) => new IndexCursor(row.CreatedUnixMs, row.Id).ToString();

    /// <summary>The condition to read along, of those that an index stands for.</summary>
    private static Source Narrowest(SqliteConnection connection, IndexQuery query)
    {
        var sources = Sources(query).ToArray();
        return sources.Length < 2 ? sources.FirstOrDefault(Source.Newest) : sources.MinBy(source => Count(connection, query, source))!;
    }

    private static List<Source> Sources(IndexQuery query)
    {
        if (query.IdPrefix is not null)
        {
            return [Source.Named]; // Nothing is narrower than (most of) a name.
        }

        var sources = query.Terms.Select(term => Source.Posted with { Term = term }).ToList();
        AddIf(query.Execution is not null && query.Kind != IndexKinds.Execution, Source.OfExecution);
        AddIf(!string.IsNullOrEmpty(query.FailureClass), Source.Failed);
        AddIf(query.Status is not null, Source.InStatus);
        AddIf(query.Workflow is not null, Source.OfWorkflow);
        return sources;

        void AddIf(bool holds, Source source)
        {
            if (holds)
            {
                sources.Add(source);
            }
        }
    }

    private static long Count(SqliteConnection connection, IndexQuery query, Source source)
    {
        var statement = connection.Prepare(string.Create(CultureInfo.InvariantCulture, $"SELECT count(*) FROM (SELECT 1 FROM {source.CountFrom} WHERE {source.CountWhere} LIMIT ?{LimitParameter})"));
        try
        {
            Bind(statement, query, source);
            return statement.Bind(LimitParameter, CountMax).Step() ? statement.Int64(0) : 0;
        }
        finally
        {
            statement.Reset();
        }
    }

    /// <summary>All conditions, as a value: 1 where a row fits. One text whatever is asked for, so that few statements are kept prepared.</summary>
    private static string Fitting(int terms)
    {
        var sql = new StringBuilder(
            "(?3 IS NULL OR r.workflow = ?3) AND (?4 IS NULL OR r.status = ?4) AND (?5 IS NULL OR r.failure_class = ?5) AND (?6 IS NULL OR r.execution = ?6)");
        for (var place = 0; place < terms; place++)
        {
            sql.Append(CultureInfo.InvariantCulture, $" AND EXISTS (SELECT 1 FROM search_term AS q WHERE q.term = ?{FirstTerm + place} AND q.created_unix_ms = r.created_unix_ms AND q.id = r.id)");
        }

        return sql.ToString();
    }

    private static void Bind(SqliteStatement statement, IndexQuery query, Source source)
    {
        SqliteIndex.Bind(statement, query);
        if (query.IdPrefix is { } prefix)
        {
            statement.Bind(12, prefix).Bind(13, prefix + char.MaxValue);
        }

        if (source.Term is { } driving)
        {
            statement.Bind(11, driving);
        }

        for (var place = 0; place < query.Terms.Count; place++)
        {
            statement.Bind(FirstTerm + place, query.Terms[place]);
        }
    }

    /// <summary>What is read along, in the order of the listing.</summary>
    private sealed record Source(string From, string Where)
    {
        private const string OfTenant = "r.tenant = ?1 AND r.kind = ?2";

        public static readonly Source Newest = new("index_row AS r INDEXED BY index_row_newest", OfTenant);

        /// <summary>The few rows that are named lie together under the primary key, and are sorted: the plus keeps SQLite from reading all rows in the order of an index.</summary>
        public static readonly Source Named = new("index_row AS r", $"{OfTenant} AND r.id >= ?12 AND r.id < ?13") { Created = "+r.created_unix_ms" };

        public static readonly Source OfExecution = new("index_row AS r INDEXED BY index_row_execution", $"{OfTenant} AND r.kind <> 'execution' AND r.execution = ?6");

        public static readonly Source Failed = new("index_row AS r INDEXED BY index_row_failure", $"{OfTenant} AND r.failure_class <> '' AND r.failure_class = ?5");

        public static readonly Source InStatus = new("index_row AS r INDEXED BY index_row_status", $"{OfTenant} AND r.status = ?4");

        public static readonly Source OfWorkflow = new("index_row AS r INDEXED BY index_row_workflow", $"{OfTenant} AND r.workflow = ?3");

        public static readonly Source Posted = new("search_term AS p CROSS JOIN index_row AS r", $"p.term = ?11 AND {OfTenant} AND r.id = p.id")
        {
            Created = "p.created_unix_ms", Id = "p.id", CountFrom = "search_term AS p", CountWhere = "p.term = ?11",
        };

        public string Created { get; private init; } = "r.created_unix_ms";

        public string Id { get; private init; } = "r.id";

        public string CountFrom { get; private init; } = From;

        public string CountWhere { get; private init; } = Where;

        /// <summary>The term whose postings it reads.</summary>
        public long? Term { get; init; }
    }
}

/// <summary>The last row of a page, as <c>base64url("{created} {id}")</c>.</summary>
internal sealed record IndexCursor(long CreatedUnixMs, string Id) : IComparable<IndexCursor>
{
    /// <summary>By time, then by the bytes of the id, as SQLite compares them.</summary>
    public int CompareTo(IndexCursor? other) => other is null ? 1
        : CreatedUnixMs != other.CreatedUnixMs ? CreatedUnixMs.CompareTo(other.CreatedUnixMs)
        : Encoding.UTF8.GetBytes(Id).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(other.Id));

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
