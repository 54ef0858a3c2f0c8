using Omium.Runtime.Ports;

namespace Omium.Embedded.Storage;

/// <summary>
/// A data directory on this machine, opened by this process alone: log, payloads, documents and index in one SQLite database.
/// </summary>
/// <remarks>
/// Guarantees: what a store acknowledged is synced to the medium, in one order for all; a killed process loses nothing that was
/// acknowledged; a failed write (no space, medium error) fails its own callers and leaves the store usable. The directory has mode 0700 and
/// its files 0600. Dispose it to finish what is queued and to leave the database in one file.
/// </remarks>
public sealed class EmbeddedStore : IAsyncDisposable
{
    private readonly DataDirectory directory;
    private readonly SyncCountingVfs vfs;
    private readonly CommitWriter writer;
    private readonly CommitQueue queue;
    private readonly ReaderPool readers;
    private bool disposed;

    private EmbeddedStore(DataDirectory directory, SyncCountingVfs vfs, CommitWriter writer)
    {
        this.directory = directory;
        this.vfs = vfs;
        this.writer = writer;
        queue = new CommitQueue(writer);
        readers = new ReaderPool(directory.DatabasePath, vfs.Name);
        Log = new SqliteEventLog(queue, readers);
        Payloads = new SqlitePayloadStore(queue, readers);
        Documents = new SqliteDocumentStore(queue, readers);
        Index = new SqliteIndex(readers);
    }

    /// <summary>The SQLite library of this process; hosts log it when they start.</summary>
    public static SqliteLibraryInfo Sqlite => SqliteLibrary.Info;

    /// <summary>The data directory, as a full path.</summary>
    public string Directory => directory.Path;

    /// <summary>Time of the last record that was there when the store was opened, milliseconds since the Unix epoch; 0 when there was none.</summary>
    public long LastRecordUnixMs { get; private init; }

    /// <summary>The event log.</summary>
    public SqliteEventLog Log { get; }

    /// <summary>The payloads.</summary>
    public SqlitePayloadStore Payloads { get; }

    /// <summary>The documents.</summary>
    public SqliteDocumentStore Documents { get; }

    /// <summary>The listings.</summary>
    public SqliteIndex Index { get; }

    /// <summary>Opens the directory, creating or upgrading what is in it. Blocks for the time of the file operations.</summary>
    /// <exception cref="DataDirectoryInUseException">Another process holds the directory.</exception>
    /// <exception cref="DataDirectoryTooNewException">A newer build wrote it; it is left untouched.</exception>
    /// <exception cref="StorageCorruptException">The database is damaged, or is none.</exception>
    /// <exception cref="StorageUnavailableException">No space, or the medium failed.</exception>
    public static EmbeddedStore Open(EmbeddedStoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var directory = DataDirectory.Acquire(options.Directory, options.Time);
        SyncCountingVfs? vfs = null;
        SqliteConnection? connection = null;
        try
        {
            vfs = new SyncCountingVfs();
            connection = new SqliteConnection(directory.DatabasePath, vfs.Name, readOnly: false);
            SqliteSchema.RefuseNewer(connection, directory.DatabasePath);
            CommitWriter.Configure(connection);
            SqliteSchema.Migrate(connection);
            connection.CountWalPages();
            var writer = new CommitWriter(connection, options);
            writer.EmptyLog();
            return new EmbeddedStore(directory, vfs, writer) { LastRecordUnixMs = connection.ScalarInt64("SELECT at_unix_ms FROM record ORDER BY position DESC LIMIT 1") };
        }
        catch
        {
            connection?.Dispose();
            vfs?.Dispose();
            directory.Dispose();
            throw;
        }
    }

    /// <summary>Changes <see cref="EmbeddedStoreOptions.SizeMaxBytes"/> from the next commit on; 0 lifts the limit.</summary>
    public void SetSizeMax(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        writer.SetSizeMax(bytes);
    }

    /// <summary>The counts so far.</summary>
    public EmbeddedStoreStatistics ReadStatistics() => new()
    {
        Appends = writer.Log.Appends,
        AppendsRepeated = writer.Log.Repeated,
        AppendConflicts = writer.Log.Conflicts,
        Operations = queue.Operations,
        OperationsFailed = queue.OperationsFailed,
        Commits = queue.Commits,
        BatchOperationsMax = queue.LargestBatch,
        BatchSizes = queue.BatchSizes,
        Checkpoints = writer.Checkpoints,
        WalSyncs = vfs.WalSyncs,
        DatabaseSyncs = vfs.DatabaseSyncs,
    };

    /// <summary>Takes no more operations, finishes those that are queued, and lets the directory go.</summary>
    public async ValueTask DisposeAsync()
    {
        if (disposed)
        {
            return;
        }

        disposed = true;
        await Task.Run(() =>
        {
            queue.Dispose();
            readers.Dispose();
            writer.Dispose();
            vfs.Dispose();
            directory.Dispose();
        });
    }
}
