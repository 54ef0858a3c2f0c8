using Omium.Embedded.Storage;
using Omium.Runtime.Ports;

namespace Omium.Embedded.Tests.Storage;

/// <summary>What is counted by hours is what a plain count of the rows says, whatever has happened to them.</summary>
public sealed class RecountTests : IDisposable
{
    private const long HourMs = 3_600_000, BeginMs = 1_700_000_000_000;
    private const int RowsMax = 60, AppendsOfAHistory = 40;
    private static readonly string[] Kinds = [IndexKinds.Execution, IndexKinds.Failure, IndexKinds.Audit, IndexKinds.Review], Words = ["", "a", "b"], Tenants = ["ten_a", "ten_b"];
    private static readonly IndexField[] Fields = [IndexField.Workflow, IndexField.StartedBy, IndexField.FailureClass];
    private readonly string directory = Directory.CreateTempSubdirectory("omium-embedded-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Counts_OfADrawnHistory_AreThoseOfItsRows(int seed)
    {
        var random = new Random(seed);
        var rows = new Dictionary<(string, string, string), IndexRow>();
        await using (var store = Open())
        {
            // Each writer has a stream of its own, so that what they append together may share a transaction; each row is one writer's.
            await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => WriteAsync(store, writer, random.Next(), rows)));
            await AssertCountsAsync(store, rows.Values, random);
        }

        await using (var store = Open()) // What was kept over the restart.
        {
            await AssertCountsAsync(store, rows.Values, random);
        }

        AssertNothingEmptyIsKept();
        MakeVersion3();
        await using (var store = Open())
        {
            await AssertCountsAsync(store, rows.Values, random);
        }
    }

    [Fact]
    public async Task Counts_OfAnAppendThatFailed_AreAsBefore()
    {
        await using var store = Open();
        var row = Row(IndexKinds.Failure, "1", BeginMs) with { Status = "open" };
        await PutAsync(store, "writer", 0, row);
        // Its second row is none that the store takes: the whole append is rolled back, and with it what its first row would have counted.
        await Assert.ThrowsAnyAsync<Exception>(() => PutAsync(store, "writer", 1, row with { Status = "resolved", EndedUnixMs = BeginMs + 5 }, row with { Id = null! }));
        await PutAsync(store, "writer", 1, Row(IndexKinds.Failure, "2", BeginMs) with { Status = "open" });

        Assert.Equal([new IndexCount("", 0, "open", 2, 0, 0)], await store.Index.CountAsync(new IndexQuery(Tenants[0], IndexKinds.Failure), IndexField.Workflow, long.MaxValue));
        Assert.Empty(await store.Index.PercentilesAsync(new IndexQuery(Tenants[0], IndexKinds.Failure), null, [50]));
    }

    [Fact]
    public async Task Times_OfMoreThanAPart_AreAllKeptAndTakenOut()
    {
        const int Many = (5 * CountDay.PartTimesMax) + 17;
        await using var store = Open();
        var rows = Enumerable.Range(0, Many).Select(number => Row(IndexKinds.Failure, $"{number}", BeginMs + number) with { EndedUnixMs = BeginMs + number + 1_000 - (number % 7) }).ToArray();
        await PutAsync(store, "writer", 0, rows[..^5]);
        await PutAsync(store, "writer", 1, rows[^5..]);
        Assert.Equal(Many, await CountTimesAsync(store));

        await PutAsync(store, "writer", 2, [.. rows[..200].Select(row => row with { EndedUnixMs = 0 })]);
        Assert.Equal(Many - 200, await CountTimesAsync(store));
        var expected = rows[200..].Select(row => row.EndedUnixMs - row.CreatedUnixMs).Order().ToList();
        Assert.Equal([IndexDurations.NearestRank(expected, 50)], (await store.Index.PercentilesAsync(new IndexQuery(Tenants[0], IndexKinds.Failure), null, [50]))[0].PercentilesMs);

        await PutAsync(store, "writer", 3, [.. rows[200..].Select(row => row with { EndedUnixMs = 0 })]);
        Assert.Equal(0, await CountTimesAsync(store));

        static async Task<long> CountTimesAsync(EmbeddedStore store) =>
            (await store.Index.PercentilesAsync(new IndexQuery(Tenants[0], IndexKinds.Failure), null, [50])).Sum(times => times.Count);
    }

    [Fact]
    public async Task Plans_OfFigures_ReadNoMoreThanTheirTime()
    {
        await Open().DisposeAsync();
        using var connection = new SqliteConnection(Path.Combine(directory, "omium.db"), null, readOnly: true);
        foreach (var query in (IndexQuery[])[new("t", IndexKinds.Failure), new("t", IndexKinds.Execution) { Workflow = "w" }, new("t", IndexKinds.Audit) { FailureClass = "", Status = "s" }])
        {
            Assert.Equal(
                ["SEARCH index_count USING PRIMARY KEY (tenant=? AND kind=? AND day_unix_ms>? AND day_unix_ms<?)"], PlanOf(connection, SqliteCounts.HoursText(query, "workflow")));
            Assert.Equal(
                ["SEARCH index_time USING PRIMARY KEY (tenant=? AND kind=? AND day_unix_ms>? AND day_unix_ms<?)"], PlanOf(connection, SqliteCounts.TimesText(query with { Status = null }, "failure_class")));
            Assert.Equal(
                ["SEARCH index_row USING INDEX index_row_newest (tenant=? AND kind=? AND created_unix_ms>? AND created_unix_ms<?)"],
                PlanOf(connection, SqliteCounts.RowsText(query, "started_by")));
        }
    }

    private static List<string> PlanOf(SqliteConnection connection, string text)
    {
        var plan = connection.Prepare("EXPLAIN QUERY PLAN " + text);
        var lines = new List<string>();
        while (plan.Step())
        {
            lines.Add(plan.Text(3));
        }

        plan.Reset();
        return lines;
    }

    private static async Task WriteAsync(EmbeddedStore store, int writer, int seed, Dictionary<(string, string, string), IndexRow> rows)
    {
        var random = new Random(seed);
        for (var append = 0; append < AppendsOfAHistory; append++)
        {
            var drawn = Enumerable.Range(0, random.Next(1, 6)).Select(_ => Draw(random, writer)).ToArray();
            lock (rows)
            {
                for (var place = 0; place < drawn.Length; place++)
                {
                    var row = drawn[place];
                    var known = rows.GetValueOrDefault((row.Tenant, row.Kind, row.Id));
                    drawn[place] = row = random.Next(4) == 0 && known is not null ? known with { Step = "later", UpdatedUnixMs = 1 } : row; // Only what is not counted.
                    rows[(row.Tenant, row.Kind, row.Id)] = row.StartedBy.Length == 0 && known is not null ? row with { StartedBy = known.StartedBy } : row;
                }
            }

            await PutAsync(store, $"writer_{writer}", append, drawn);
        }
    }

    private static IndexRow Draw(Random random, int writer)
    {
        var created = BeginMs + random.NextInt64(-50 * HourMs, 50 * HourMs);
        created = random.Next(5) == 0 ? created - (created % HourMs) : created; // On the very hour.
        return Row(Kinds[random.Next(Kinds.Length)], $"{writer}.{random.Next(RowsMax)}", created) with
        {
            Tenant = Tenants[random.Next(8) / 7],
            Workflow = Word(random),
            FailureClass = Word(random),
            Status = Word(random),
            By = Word(random),
            StartedBy = Word(random),
            EndedUnixMs = random.Next(2) == 0 ? 0 : created + random.Next(3) * random.Next(5_000),
        };
    }

    private static string Word(Random random) => Words[random.Next(Words.Length)];

    private static async Task AssertCountsAsync(EmbeddedStore store, IReadOnlyCollection<IndexRow> rows, Random random)
    {
        for (var ask = 0; ask < 60; ask++)
        {
            var query = DrawQuery(random);
            var field = Fields[random.Next(Fields.Length)];
            var (spanMs, originMs) = random.Next(4) switch { 0 => (long.MaxValue, 0L), 1 => (HourMs, 0), 2 => (7 * 24 * HourMs, 4 * 24 * HourMs), _ => (10_000_000, 0) };
            var matching = rows.Where(row => Matches(row, query)).ToArray();

            Assert.Equal(
                matching.GroupBy(row => (From: row.CreatedUnixMs - ((row.CreatedUnixMs - originMs) % spanMs), Value: ValueOf(row, field), row.Status, row.By))
                    .Select(group => new IndexCount(group.Key.Value, group.Key.From, group.Key.Status, group.Count(), group.Count(IsEnded), group.Where(IsEnded).Sum(DurationMs), group.Key.By))
                    .OrderBy(count => count.FromUnixMs).ThenBy(count => count.Value, StringComparer.Ordinal).ThenBy(count => count.Status, StringComparer.Ordinal).ThenBy(count => count.By, StringComparer.Ordinal),
                await store.Index.CountAsync(query, field, spanMs, originMs));
            Assert.Equal(
                matching.GroupBy(row => row.Status).Select(group => (group.Key, (long)group.Count())).Order(),
                (await store.Index.CountByStatusAsync(query)).Select(count => (count.Key, count.Value)).Order());
            IndexField? timed = random.Next(3) == 0 ? null : field;
            Assert.Equal(
                matching.Where(IsEnded).GroupBy(row => timed is { } by ? ValueOf(row, by) : "").OrderBy(group => group.Key, StringComparer.Ordinal)
                    .Select(group => Shown(group.Key, [.. group.Select(DurationMs).Order()])),
                (await store.Index.PercentilesAsync(query, timed, [50, 99])).Select(times => $"{times.Value} {times.Count} {string.Join(' ', times.PercentilesMs)}"));
        }

        static string Shown(string value, List<long> sorted) => $"{value} {sorted.Count} {IndexDurations.NearestRank(sorted, 50)} {IndexDurations.NearestRank(sorted, 99)}";
    }

    private static IndexQuery DrawQuery(Random random)
    {
        long? from = random.Next(3) == 0 ? null : BeginMs + random.NextInt64(-55 * HourMs, 30 * HourMs);
        long? to = random.Next(3) == 0 ? null : (from ?? BeginMs) + random.NextInt64(0, random.Next(2) == 0 ? 2 * HourMs : 100 * HourMs);
        return new IndexQuery(Tenants[random.Next(8) / 7], Kinds[random.Next(Kinds.Length)])
        {
            FromUnixMs = random.Next(4) == 0 ? from - (from % HourMs) : from,
            ToUnixMs = to,
            Workflow = random.Next(4) == 0 ? Word(random) : null,
            Status = random.Next(6) == 0 ? Word(random) : null,
            FailureClass = random.Next(6) == 0 ? Word(random) : null,
        };
    }

    private static bool Matches(IndexRow row, IndexQuery query) =>
        row.Tenant == query.Tenant && row.Kind == query.Kind && (query.Workflow is null || row.Workflow == query.Workflow) && (query.Status is null || row.Status == query.Status)
        && (query.FailureClass is null || row.FailureClass == query.FailureClass)
        && (query.FromUnixMs is null || row.CreatedUnixMs >= query.FromUnixMs) && (query.ToUnixMs is null || row.CreatedUnixMs < query.ToUnixMs);

    private static string ValueOf(IndexRow row, IndexField field) => field switch { IndexField.Workflow => row.Workflow, IndexField.StartedBy => row.StartedBy, _ => row.FailureClass };

    private static bool IsEnded(IndexRow row) => row.EndedUnixMs > 0;

    private static long DurationMs(IndexRow row) => row.EndedUnixMs - row.CreatedUnixMs;

    private static IndexRow Row(string kind, string id, long createdUnixMs) => new(Tenants[0], kind, id, "exe_1") { CreatedUnixMs = createdUnixMs };

    private static async Task PutAsync(EmbeddedStore store, string writer, long seq, params IndexRow[] rows)
    {
        var record = new LogRecord(seq + 1, $"{writer}_{seq}", 1, 1, "start", "execution.started", new byte[32], new byte[32], new byte[64]);
        Assert.Equal(AppendStatus.Appended, (await store.Log.AppendAsync(new Append(new StreamId(Tenants[0], writer), seq, record) { Index = rows })).Status);
    }

    /// <summary>As a build left it that knew no counts.</summary>
    private void MakeVersion3()
    {
        using var old = new SqliteConnection(Path.Combine(directory, "omium.db"), null, readOnly: false);
        old.Execute("DROP TABLE index_count; DROP TABLE index_time; PRAGMA user_version = 3");
    }

    private void AssertNothingEmptyIsKept()
    {
        using var connection = new SqliteConnection(Path.Combine(directory, "omium.db"), null, readOnly: true);
        Assert.Equal(0, connection.ScalarInt64($"SELECT count(*) FROM index_count WHERE hours = zeroblob({CountDay.BytesOf(new HourCount[CountDay.Hours]).Length})"));
        Assert.Equal(0, connection.ScalarInt64("SELECT count(*) FROM index_time WHERE length(times) = 0"));
    }

    private EmbeddedStore Open() => EmbeddedStore.Open(new EmbeddedStoreOptions(directory));
}
