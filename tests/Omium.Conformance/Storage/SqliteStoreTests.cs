using Omium.Embedded.Storage;
using Omium.Runtime.Ports;

namespace Omium.Conformance.Storage;

/// <summary>Group commit and its syncs, and what happens to a directory that cannot be opened.</summary>
public sealed class SqliteStoreTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task AppendAsync_OneCaller_SyncsTheLogForEachAppend()
    {
        await using var store = Open();
        var syncsBefore = store.ReadStatistics().WalSyncs;
        for (var seq = 0; seq < 50; seq++)
        {
            await store.Log.AppendAsync(Sample.Append(Sample.Stream(), seq));
            var now = store.ReadStatistics();
            Assert.Equal(seq + 1, now.Commits);
            // At least one: a sync for every acknowledgement. The one more is the header of a new log.
            Assert.InRange(now.WalSyncs - syncsBefore, seq + 1, seq + 2);
        }
    }

    [Fact]
    public async Task AppendAsync_ManyCallers_ShareCommits()
    {
        const int Callers = 200;
        const int AppendsEach = 20;
        await using var store = Open();

        await Task.WhenAll(Enumerable.Range(0, Callers).Select(number => Task.Run(async () =>
        {
            for (var seq = 0; seq < AppendsEach; seq++)
            {
                await store.Log.AppendAsync(Sample.Append(Sample.Stream($"exe_{number}"), seq));
            }
        })));

        var statistics = store.ReadStatistics();
        Assert.Equal(Callers * AppendsEach, statistics.Appends);
        Assert.Equal(Callers * AppendsEach, statistics.Operations);
        Assert.InRange(statistics.Commits, 1, Callers * AppendsEach / 4);
        Assert.True(statistics.WalSyncs >= statistics.Commits, $"{statistics.WalSyncs} syncs for {statistics.Commits} commits");
        Assert.True(statistics.BatchOperationsMax > 1);
        Assert.Equal(statistics.Commits, statistics.BatchSizes.Sum());
    }

    [Fact]
    public async Task AppendAsync_RepetitionAndConflict_AreCountedApart()
    {
        await using var store = Open();
        await store.Log.AppendAsync(Sample.Append(Sample.Stream(), 0));
        await store.Log.AppendAsync(Sample.Append(Sample.Stream(), 0));
        await store.Log.AppendAsync(Sample.Append(Sample.Stream(), 0, "other"));

        var statistics = store.ReadStatistics();
        Assert.Equal((1, 1, 1), (statistics.Appends, statistics.AppendsRepeated, statistics.AppendConflicts));
    }

    [Fact]
    public async Task AppendAsync_LongLoad_KeepsTheLogShort()
    {
        const int CheckpointBytes = 1024 * 1024;
        await using var store = EmbeddedStore.Open(new EmbeddedStoreOptions(directory.Path) { CheckpointBytes = CheckpointBytes });
        for (var seq = 0; seq < 100; seq++)
        {
            await store.Log.AppendAsync(Sample.Append(Sample.Stream(), seq, body: Sample.Bytes(100_000, seq)));
        }

        var statistics = store.ReadStatistics();
        Assert.InRange(new FileInfo(Path.Combine(directory.Path, "omium.db-wal")).Length, 1, 2 * CheckpointBytes);
        Assert.InRange(statistics.Checkpoints, 5, 20);
        Assert.True(statistics.DatabaseSyncs >= statistics.Checkpoints);
    }

    [Fact]
    public async Task DisposeAsync_WithAppendsQueued_FinishesThemAndRefusesMore()
    {
        var store = Open();
        var queued = Enumerable.Range(0, 100).Select(seq => store.Log.AppendAsync(Sample.Append(Sample.Stream(), seq))).ToList();

        await store.DisposeAsync();

        Assert.All(await Task.WhenAll(queued), outcome => Assert.Equal(AppendStatus.Appended, outcome.Status));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.Log.AppendAsync(Sample.Append(Sample.Stream(), 100)));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.Log.ReadAsync(Sample.Stream(), 0, 1));
    }

    [Fact]
    public async Task Open_Twice_RefusesTheSecondAndNamesTheHolder()
    {
        await using (Open())
        {
            var refused = Assert.Throws<DataDirectoryInUseException>(Open);

            Assert.Equal("data_directory_in_use", refused.Code);
            Assert.Equal(Environment.ProcessId, refused.HolderProcessId);
            Assert.NotNull(refused.HolderStarted);
            Assert.Contains(directory.Path, refused.Message, StringComparison.Ordinal);
        }

        await using var afterwards = Open();
    }

    [Fact]
    public async Task Open_NewDirectory_IsTheOwnersAlone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        await using var store = Open();
        await store.Log.AppendAsync(Sample.Append(Sample.Stream(), 0));
        await store.Log.ReadAsync(Sample.Stream(), 0, 1);

#pragma warning disable CA1416 // Not on Windows: skipped above.
        const UnixFileMode ReadWrite = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(ReadWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(directory.Path));
        Assert.All(Directory.GetFiles(directory.Path), file => Assert.Equal(ReadWrite, File.GetUnixFileMode(file)));
#pragma warning restore CA1416
    }

    [Fact]
    public async Task Open_NewerSchema_IsRefusedAndLeftAlone()
    {
        await Open().DisposeAsync();
        // The user version stands at byte 60 of the file, big-endian (https://sqlite.org/fileformat.html).
        Overwrite(60, [0, 0, 0, 99]);
        var before = await File.ReadAllBytesAsync(DatabasePath);

        var refused = Assert.Throws<DataDirectoryTooNewException>(Open);

        Assert.Equal("data_directory_too_new", refused.Code);
        Assert.Equal(99, refused.Version);
        Assert.Equal(before, await File.ReadAllBytesAsync(DatabasePath));
    }

    [Theory]
    [InlineData("header")]
    [InlineData("schema")]
    [InlineData("truncated")]
    [InlineData("no database")]
    public async Task Open_DamagedDatabase_SaysSo(string damage)
    {
        await using (var store = Open())
        {
            await store.Log.AppendAsync(Sample.Append(Sample.Stream(), 0, body: Sample.Bytes(100_000)));
        }

        switch (damage)
        {
            case "header":
                Overwrite(0, new byte[100]);
                break;
            case "schema":
                Overwrite(100, Sample.Bytes(3_900));
                break;
            case "truncated":
                using (var file = new FileStream(DatabasePath, FileMode.Open))
                {
                    file.SetLength(file.Length / 2);
                }

                break;
            default:
                await File.WriteAllTextAsync(DatabasePath, "This is a letter, and it is longer than the header of a database would be.\n");
                break;
        }

        var corrupt = Assert.Throws<StorageCorruptException>(Open);
        Assert.Equal("storage_corrupt", corrupt.Code);
    }

    [Fact]
    public async Task ReadAsync_DamagedPages_SaysSoAndNeverAnswersWrongly()
    {
        await using (var store = Open())
        {
            for (var seq = 0; seq < 200; seq++)
            {
                await store.Log.AppendAsync(Sample.Append(Sample.Stream(), seq));
            }
        }

        const int SchemaPagesBytes = 4096 * 2;
        Overwrite(SchemaPagesBytes, new byte[new FileInfo(DatabasePath).Length - SchemaPagesBytes]);

        await Assert.ThrowsAsync<StorageCorruptException>(async () =>
        {
            await using var damaged = Open();
            await damaged.Log.ReadAsync(Sample.Stream(), 0, 1000);
        });
    }

    [Fact]
    public void Open_Sqlite_SaysWhichLibraryServes()
    {
        Assert.Matches(@"^SQLite 3\.\d+\.\d+ \((system|bundled) \S+\)$", EmbeddedStore.Sqlite.ToString());
        Assert.SkipUnless(File.Exists("/usr/lib/x86_64-linux-gnu/libsqlite3.so.0"), "This system has no SQLite of its own.");
        Assert.True(EmbeddedStore.Sqlite.IsSystem);
    }

    private string DatabasePath => Path.Combine(directory.Path, "omium.db");

    private void Overwrite(long position, byte[] bytes)
    {
        using var file = new FileStream(DatabasePath, FileMode.Open);
        file.Position = position;
        file.Write(bytes);
    }

    private EmbeddedStore Open() => EmbeddedStore.Open(new EmbeddedStoreOptions(directory.Path));
}
