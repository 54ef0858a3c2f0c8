using System.Text;
using Omium.Azure;
using Omium.Azure.Storage;
using Omium.Azure.Tables;
using Omium.Conformance.Storage;
using Omium.Runtime.Ports;

namespace Omium.Conformance.Azure;

/// <summary>What only a store of many processes must show: writers with caches of their own, deaths inside an append, and the service's limits.</summary>
public sealed class AzureStoreTests
{
    private static readonly StreamId Stream = Sample.Stream();
    private readonly AzureStoreOptions options = AzuriteBackend.Options with { Prefix = AzuriteBackend.NewPrefix() };

    [Fact]
    public async Task AppendAsync_TwoProcessesRacing_ExactlyOneWinsEachPlace()
    {
        const int Places = 60;
        var won = await Task.WhenAll(Enumerable.Range(0, 2).Select(writer => Task.Run(async () =>
        {
            var store = AzuriteBackend.Store(options);
            var places = new List<long>();
            for (long last = 0; last < Places;)
            {
                var outcome = await store.Log.AppendAsync(Sample.Append(Stream, last, $"w{writer}_{last}") with { Index = [Row(last + 1)] });
                if (outcome.Status == AppendStatus.Appended)
                {
                    places.Add(last + 1);
                }

                last = outcome.LastSeq;
            }

            return places;
        })));

        var reader = AzuriteBackend.Store(options);
        var records = await reader.Log.ReadAsync(Stream, 0, int.MaxValue);
        Assert.Equal(Enumerable.Range(1, records.Count).Select(place => (long)place), won.SelectMany(places => places).Order());
        Assert.Equal(records.Count, (await reader.Index.GetAsync(Stream.Tenant, IndexKinds.Execution, Stream.Id))!.UpdatedUnixMs);
    }

    [Fact]
    public async Task AppendAsync_ProcessDiesAtAnyRequest_NothingIsHalfDoneAfterTheSweep()
    {
        var server = AzuriteServer.Shared;
        for (var requests = 0; ; requests++)
        {
            await using var blobs = FaultyProxy.Start(server.BlobPort);
            await using var tables = FaultyProxy.Start(server.TablePort);
            var own = options with { Prefix = AzuriteBackend.NewPrefix() };
            var dying = AzuriteBackend.Store(own with { RetriesMax = 0 }, blobs.Port, tables.Port);
            var first = await dying.Log.AppendAsync(First());
            Assert.Equal(AppendStatus.Appended, first.Status);

            var left = requests;
            blobs.Decide = tables.Decide = _ => Interlocked.Decrement(ref left) >= 0 ? Fault.None : Fault.DropBefore;
            var died = await Record.ExceptionAsync(() => dying.Log.AppendAsync(Last()));
            Assert.True(died is null or StorageUnavailableException, died?.ToString());

            await AssertWholeAsync(AzuriteBackend.Store(own), wasAcknowledged: died is null);
            if (died is null)
            {
                Assert.InRange(requests, 5, 30); // Every request before was a place to die at.
                return;
            }
        }
    }

    [Fact]
    public async Task AppendAsync_FirstRecordsRacing_PayloadsAreTheWinners()
    {
        var (slow, fast) = (AzuriteBackend.Store(options), AzuriteBackend.Store(options));
        var payload = new SealedPayload(Stream.Id, "digest", [1]);
        await slow.Payloads.PutOwnAsync(Stream, "app_slow", payload, CancellationToken.None); // As far as a writer came that then lost.

        var won = await fast.Log.AppendAsync(Sample.Append(Stream, 0, "app_fast") with { StreamKey = [2], Payloads = [payload with { Bytes = [2] }] });
        var lost = await slow.Log.AppendAsync(Sample.Append(Stream, 0, "app_slow") with { StreamKey = [1], Payloads = [payload] });

        Assert.Equal((AppendStatus.Appended, AppendStatus.Conflict), (won.Status, lost.Status));
        Assert.Equal([2], await slow.Payloads.GetAsync(Stream.Tenant, Stream.Id, "digest"));
        Assert.Equal([2], await slow.Log.ReadKeyAsync(Stream));
        Assert.False(await slow.Payloads.PutIfAbsentAsync(Stream.Tenant, payload));
    }

    [Fact]
    public async Task ChangeAllAsync_HundredRows_AreStoredTogetherAndOneMoreIsRefused()
    {
        var tables = AzuriteBackend.Store(options).Tables;
        await tables.ChangeAllAsync(TableNames.Log, [.. Rows(TableBatch.OperationsMax)], CancellationToken.None);

        Assert.Equal(100, (await All(tables)).Count);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => tables.ChangeAllAsync(TableNames.Log, [.. Rows(101)], CancellationToken.None));
        var clash = new List<TableOperation> { TableOperation.Insert(new TableEntity("batch", "new")), TableOperation.Insert(new TableEntity("batch", "0042")) };
        Assert.False((await tables.ChangeAllAsync(TableNames.Log, clash, CancellationToken.None)).IsDone);
        Assert.Equal(100, (await All(tables)).Count);

        static IEnumerable<TableOperation> Rows(int count) =>
            Enumerable.Range(0, count).Select(number => TableOperation.Insert(new TableEntity("batch", $"{number:D4}").With("Number", (long)number)));

        static Task<List<TableEntity>> All(TableService tables) =>
            tables.QueryAllAsync(TableNames.Log, new TableQuery("PartitionKey eq 'batch'"), int.MaxValue, CancellationToken.None);
    }

    [Fact]
    public async Task ListActiveAsync_MoreThanAPageOfTheService_FollowsItsContinuationTokens()
    {
        var store = AzuriteBackend.Store(options);
        const int Count = 2_150;
        foreach (var tenant in new[] { "a/b", "acme" })
        {
            foreach (var part in Enumerable.Range(0, Count).Chunk(100))
            {
                await store.Tables.ChangeAllAsync(
                    TableNames.Active, [.. part.Select(number => TableOperation.Put(new TableEntity(TableKeys.Of(tenant), $"exe_{number:D5}")))], CancellationToken.None);
            }
        }

        var streams = await store.Index.ListActiveAsync(null, int.MaxValue);

        Assert.Equal(Count * 2, streams.Count);
        Assert.Equal([new("a/b", "exe_00000"), new StreamId("a/b", "exe_00001")], streams.Take(2));
        Assert.Equal(new StreamId("acme", "exe_02149"), streams[^1]);
        Assert.Equal(streams.Skip(Count - 1).Take(1_200), await store.Index.ListActiveAsync(streams[Count - 2], 1_200));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(64 * 1024)]
    [InlineData((64 * 1024 * 13) + 1)]
    [InlineData(2_800_001)]
    public async Task AppendAsync_BodyAtALimitOfTheService_IsReadBack(int bytes)
    {
        var store = AzuriteBackend.Store(options);
        var body = Sample.Bytes(bytes);
        await store.Log.AppendAsync(Sample.Append(Stream, 0, body: body) with { Index = [Row(1)] });
        await store.Log.AppendAsync(Sample.Append(Stream, 1, body: body));

        Assert.Equal([1L, 2], (await store.Log.ReadAsync(Stream, 0, 2)).Where(record => body.AsSpan().SequenceEqual(record.Body)).Select(record => record.Seq));
        Assert.Equal(2, Assert.Single(await store.Log.ReadAsync(Stream, 1, 1)).Seq);
    }

    [Fact]
    public async Task PutAsync_DocumentLargerThanARow_IsReadBackAndReplaced()
    {
        var store = AzuriteBackend.Store(options);
        var key = new DocumentKey("acme", "workflow", "large");
        var (first, second) = (Sample.Bytes(3_000_000), Sample.Bytes(1_500_000, seed: 2));

        var tag = await store.Documents.PutAsync(key, first, "");
        Assert.Equal(first, (await store.Documents.GetAsync(key))!.Content);
        Assert.NotNull(await store.Documents.PutAsync(key, second, tag));
        Assert.Equal(second, Assert.Single(await store.Documents.ListAsync("acme", "workflow", "", null, 10)).Content);
        Assert.True(await store.Documents.DeleteAsync(key, null));
    }

    [Fact]
    public async Task CountByStatusAsync_MoreThanTheStoreCounts_AnswersACode()
    {
        var store = AzuriteBackend.Store(options with { CountRowsMax = 1_000 });
        foreach (var part in Enumerable.Range(0, 1_100).Chunk(100))
        {
            await store.Tables.ChangeAllAsync(
                TableNames.Index, [.. part.Select(number => TableOperation.Put(new TableEntity("t.acme.k.execution", $"n.{number:D4}").With("Status", "running")))], CancellationToken.None);
        }

        var refused = await Assert.ThrowsAsync<StorageIncapableException>(() => store.Index.CountByStatusAsync(new IndexQuery("acme", IndexKinds.Execution)));
        Assert.Equal("count_unavailable", refused.Code);
    }

    [Fact]
    public void TableKeys_OfAnyTexts_KeepTheirOrderAndAreOfAllowedCharacters()
    {
        var random = new Random(5);
        var texts = Enumerable.Range(0, 400).Select(_ => new string([.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => "/\\#?%'.~-_!: aZ09\u00e9\u4e2d"[random.Next(18)])])).Distinct().ToList();

        var byBytes = texts.OrderBy(Encoding.UTF8.GetBytes, Comparer<byte[]>.Create((left, right) => left.AsSpan().SequenceCompareTo(right))).ToList();
        Assert.Equal(byBytes, texts.OrderBy(TableKeys.Of, StringComparer.Ordinal));
        Assert.Equal(byBytes.AsEnumerable().Reverse(), texts.OrderBy(TableKeys.Reversed, StringComparer.Ordinal));
        Assert.Equal(texts, texts.Select(text => TableKeys.TextOf(TableKeys.Of(text))));
        Assert.All(texts.Select(TableKeys.Of), key => Assert.DoesNotContain(key, c => c is '/' or '\\' or '#' or '?' or '%' or < ' ' or > '~'));
    }

    private static IndexRow Row(long updated, string status = "running") =>
        new(Stream.Tenant, IndexKinds.Execution, Stream.Id, Stream.Id) { Active = true, Status = status, UpdatedUnixMs = updated, CreatedUnixMs = 1 };

    private static Append First() => Sample.Append(Stream, 0, "app_first") with { StreamKey = [1], Index = [Row(1)] };

    private static Append Last() => Sample.Append(Stream, 1, "app_last") with
    {
        Payloads = [new SealedPayload(Stream.Id, "output", [7])],
        Index =
        [
            Row(2, "succeeded") with { Active = false },
            new IndexRow(Stream.Tenant, IndexKinds.Review, "rev_1", Stream.Id) { Status = "decided", CreatedUnixMs = 2 },
        ],
    };

    /// <summary>After the sweep, and again after the append was repeated: log, payload, listings and marks tell the same.</summary>
    private static async Task AssertWholeAsync(AzureStore store, bool wasAcknowledged)
    {
        var records = await store.Log.ReadAsync(Stream, 0, 10);
        await store.Maintenance.RunAsync((_, _) => ValueTask.FromResult(records.Count == 1));
        await AssertAsync(records.Count == 2);
        Assert.True(records.Count == 2 || !wasAcknowledged);

        Assert.Equal(new AppendOutcome(AppendStatus.Appended, 2), await store.Log.AppendAsync(Last()));
        await store.Maintenance.RunAsync((_, _) => ValueTask.FromResult(false));
        await AssertAsync(isIn: true);

        async Task AssertAsync(bool isIn)
        {
            Assert.Equal(isIn ? 2 : 1, (await store.Log.ReadAsync(Stream, 0, 10)).Count);
            Assert.Equal(isIn ? "succeeded" : "running", (await store.Index.GetAsync(Stream.Tenant, IndexKinds.Execution, Stream.Id))?.Status);
            Assert.Equal(isIn, await store.Index.GetAsync(Stream.Tenant, IndexKinds.Review, "rev_1") is not null);
            Assert.Equal(isIn, (await store.Index.ListActiveAsync(null, 10)).Count == 0);
            var listed = (await store.Index.QueryAsync(new IndexQuery(Stream.Tenant, IndexKinds.Execution) { Status = "running" })).Rows.Count;
            Assert.Equal(isIn ? 0 : 1, listed);
            if (isIn)
            {
                Assert.Equal([7], await store.Payloads.GetAsync(Stream.Tenant, Stream.Id, "output"));
            }
        }
    }
}
