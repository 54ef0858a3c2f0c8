using System.Globalization;
using Omium.Embedded.Storage;
using Omium.Runtime.Ports;

namespace Omium.Conformance.Storage;

/// <summary>What survives: a restart, a kill -9, a torn log, a full disk.</summary>
public sealed class SqliteDurabilityTests : IDisposable
{
    private static readonly StreamId Stream = Sample.Stream();
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Open_AfterDispose_FindsEverything()
    {
        var document = new DocumentKey("acme", "workflow", "a");
        var row = new IndexRow("acme", IndexKinds.Execution, Stream.Id, Stream.Id) { Active = true };
        string? tag;
        await using (var store = Open())
        {
            await store.Log.AppendAsync(Sample.Append(Stream, 0) with { StreamKey = [5], Index = [row], Payloads = [new("s", "k", [6])] });
            tag = await store.Documents.PutAsync(document, [7], "");
        }

        await using var reopened = Open();
        Sample.AssertEqual(Sample.Record(1), Assert.Single(await reopened.Log.ReadAsync(Stream, 0, 10)));
        Assert.Equal<byte[]>([5], await reopened.Log.ReadKeyAsync(Stream));
        Assert.Equal<byte[]>([6], await reopened.Payloads.GetAsync("acme", "s", "k"));
        Assert.Equal(tag, (await reopened.Documents.GetAsync(document))?.ETag);
        Assert.Equal([Stream], await reopened.Index.ListActiveAsync(null, 10));
        Assert.Equal(new AppendOutcome(AppendStatus.Appended, 1), await reopened.Log.AppendAsync(Sample.Append(Stream, 0)));
        Assert.Equal(new AppendOutcome(AppendStatus.Appended, 2), await reopened.Log.AppendAsync(Sample.Append(Stream, 1)));
        Assert.Equal(new AppendOutcome(AppendStatus.Appended, 1), await reopened.Log.AppendAsync(Sample.Append(Sample.Stream("exe_2"), 0)));
        Assert.Single(await reopened.Log.ReadAsync(Sample.Stream("exe_2"), 0, 10));
    }

    [Fact]
    public async Task AppendAsync_ProcessKilled_KeepsEveryAcknowledgedRecord()
    {
        var acknowledged = new Dictionary<string, long>();
        using (var process = AppendingProcess.Start(directory.Path))
        {
            // Enough for several checkpoints; then the kill hits whatever is under way.
            for (var line = 0; line < 5_000; line++)
            {
                Note(acknowledged, await process.Acknowledged.ReadLineAsync());
            }

            var refused = Assert.Throws<DataDirectoryInUseException>(Open);
            Assert.Equal(process.Id, refused.HolderProcessId);
            await process.KillAsync();
            while (await process.Acknowledged.ReadLineAsync() is { } line)
            {
                Note(acknowledged, line);
            }
        }

        await using var store = Open();
        Assert.Equal(8, acknowledged.Count);
        foreach (var (id, lastSeq) in acknowledged)
        {
            var records = await store.Log.ReadAsync(Sample.Stream(id), 0, int.MaxValue);
            Assert.True(records.Count >= lastSeq, $"{id}: {lastSeq} acknowledged, {records.Count} found");
            Assert.All(records, record => Sample.AssertEqual(Sample.Record(record.Seq), record));
            Assert.Equal(Enumerable.Range(1, records.Count).Select(seq => (long)seq), records.Select(record => record.Seq));
            // The index row was written with the last record, not before or after it.
            Assert.Equal(records.Count, (await store.Index.GetAsync("acme", IndexKinds.Execution, id))?.UpdatedUnixMs);
        }
    }

    [Fact]
    public async Task Open_LogTornInItsLastCommit_KeepsAllBeforeIt()
    {
        using var copy = new TemporaryDirectory();
        await using (var store = Open())
        {
            for (var seq = 0; seq < 5; seq++)
            {
                await store.Log.AppendAsync(Sample.Append(Stream, seq, body: Sample.Bytes(10_000, seq)));
            }

            // The files as a power cut would leave them, but for the last sector of the log.
            Directory.CreateDirectory(copy.Path);
            File.Copy(Path.Combine(directory.Path, "omium.db"), Path.Combine(copy.Path, "omium.db"));
            File.Copy(Path.Combine(directory.Path, "omium.db-wal"), Path.Combine(copy.Path, "omium.db-wal"));
        }

        using (var wal = new FileStream(Path.Combine(copy.Path, "omium.db-wal"), FileMode.Open))
        {
            wal.SetLength(wal.Length - 512);
        }

        await using var torn = EmbeddedStore.Open(new EmbeddedStoreOptions(copy.Path));
        var records = await torn.Log.ReadAsync(Stream, 0, 10);
        Assert.Equal([1L, 2, 3, 4], records.Select(record => record.Seq));
        Assert.All(records, record => Assert.Equal(Sample.Bytes(10_000, (int)record.Seq - 1), record.Body));
        Assert.Equal(new AppendOutcome(AppendStatus.Appended, 5), await torn.Log.AppendAsync(Sample.Append(Stream, 4)));
    }

    [Fact]
    public async Task AppendAsync_NoSpace_FailsClearlyLosesNothingAndGoesOnAfterwards()
    {
        const int SizeMaxBytes = 2 * 1024 * 1024;
        var acknowledged = 0;
        await using (var store = EmbeddedStore.Open(new EmbeddedStoreOptions(directory.Path) { SizeMaxBytes = SizeMaxBytes }))
        {
            var full = await Assert.ThrowsAsync<StorageUnavailableException>(async () =>
            {
                while (acknowledged < 100)
                {
                    await store.Log.AppendAsync(Sample.Append(Stream, acknowledged, body: Sample.Bytes(100_000, acknowledged)));
                    acknowledged++;
                }
            });

            Assert.Equal("storage_full", full.Code);
            Assert.InRange(acknowledged, 10, 20);
            Assert.Equal(acknowledged, (await store.Log.ReadAsync(Stream, 0, 1000)).Count);
            Assert.Equal(1, store.ReadStatistics().OperationsFailed);

            store.SetSizeMax(0);
            Assert.Equal(
                new AppendOutcome(AppendStatus.Appended, acknowledged + 1),
                await store.Log.AppendAsync(Sample.Append(Stream, acknowledged, body: Sample.Bytes(100_000, acknowledged))));
        }

        await using var reopened = Open();
        var records = await reopened.Log.ReadAsync(Stream, 0, 1000);
        Assert.Equal(acknowledged + 1, records.Count);
        Assert.All(records, record => Assert.Equal(Sample.Bytes(100_000, (int)record.Seq - 1), record.Body));
    }

    [Fact]
    public async Task AppendAsync_TogetherWithPayloadsThatDoNotFit_OnlyThoseFail()
    {
        const int Appends = 500;
        await using var store = EmbeddedStore.Open(new EmbeddedStoreOptions(directory.Path) { SizeMaxBytes = 4 * 1024 * 1024 });
        var bytes = Sample.Bytes(10_000_000);
        var appends = new List<Task<AppendOutcome>>();
        var tooLarge = new List<Task<bool>>();

        // Queued in one go and mixed, so that transactions hold both what fits and what does not.
        for (var number = 0; number < Appends; number++)
        {
            appends.Add(store.Log.AppendAsync(Sample.Append(Sample.Stream($"exe_{number % 100}"), number / 100)));
            if (number % 50 == 0)
            {
                tooLarge.Add(store.Payloads.PutIfAbsentAsync("acme", new SealedPayload("s", $"large_{number}", bytes)));
            }
        }

        Assert.All(await Task.WhenAll(appends), outcome => Assert.Equal(AppendStatus.Appended, outcome.Status));
        foreach (var put in tooLarge)
        {
            Assert.Equal("storage_full", (await Assert.ThrowsAsync<StorageUnavailableException>(() => put)).Code);
        }

        Assert.Null(await store.Payloads.GetAsync("acme", "s", "large_0"));
        Assert.Equal(Appends, store.ReadStatistics().Appends);
        for (var number = 0; number < 100; number++)
        {
            Assert.Equal([1L, 2, 3, 4, 5], (await store.Log.ReadAsync(Sample.Stream($"exe_{number}"), 0, 10)).Select(record => record.Seq));
        }
    }

    [Fact]
    public async Task AppendAsync_FirstRecordThatDidNotFit_CanBeRepeated()
    {
        var first = Sample.Append(Stream, 0, body: Sample.Bytes(10_000_000)) with { StreamKey = [1] };
        await using var store = EmbeddedStore.Open(new EmbeddedStoreOptions(directory.Path) { SizeMaxBytes = 4 * 1024 * 1024 });

        await Assert.ThrowsAsync<StorageUnavailableException>(() => store.Log.AppendAsync(first));
        Assert.Empty(await store.Log.ReadAsync(Stream, 0, 10));
        Assert.Null(await store.Log.ReadKeyAsync(Stream));
        store.SetSizeMax(0);

        Assert.Equal(new AppendOutcome(AppendStatus.Appended, 1), await store.Log.AppendAsync(first));
        Assert.Single(await store.Log.ReadAsync(Stream, 0, 10));
        Assert.Equal<byte[]>([1], await store.Log.ReadKeyAsync(Stream));
    }

    [Fact]
    public async Task DestroyKeyAsync_KeyBytes_AreInNoFileAnyMore()
    {
        var key = Sample.Bytes(64, seed: 42);
        await using var store = Open();
        await store.Log.AppendAsync(Sample.Append(Stream, 0) with { StreamKey = key });
        Assert.Contains(Files(), file => Holds(file, key));

        await store.Log.DestroyKeyAsync(Stream);

        Assert.DoesNotContain(Files(), file => Holds(file, key));
    }

    private static void Note(Dictionary<string, long> acknowledged, string? line)
    {
        // The kill may cut the last line; an acknowledgement that was not printed whole binds nobody.
        if (line?.Split(' ') is [var id, var seq] && long.TryParse(seq, CultureInfo.InvariantCulture, out var number))
        {
            acknowledged[id] = Math.Max(number, acknowledged.GetValueOrDefault(id));
        }
    }

    private static bool Holds(string file, byte[] bytes)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content.AsSpan().IndexOf(bytes) >= 0;
    }

    private IEnumerable<string> Files() => Directory.EnumerateFiles(directory.Path, "omium.db*");

    private EmbeddedStore Open() => EmbeddedStore.Open(new EmbeddedStoreOptions(directory.Path));
}
