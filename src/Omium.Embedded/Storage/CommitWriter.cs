using Omium.Runtime.Ports;

namespace Omium.Embedded.Storage;

/// <summary>The writing connection, its transaction, what it knows of the streams' ends, and the checkpoints. Used by the commit thread alone.</summary>
internal sealed class CommitWriter : IDisposable
{
    /// <summary>Streams whose end is remembered; beyond it the memory starts anew.</summary>
    private const int HeadsMax = 100_000;
    private const int PageBytes = 4096;
    private const long WalKeptBytes = 64 * 1024 * 1024;

    private readonly Dictionary<StreamId, StreamHead> heads = [];
    private readonly SqliteStatement begin;
    private readonly SqliteStatement commit;
    private readonly SqliteStatement findHead;
    private readonly int checkpointPages;
    private long lastStreamNumber;
    private int nextCheckpointPages;
    private bool mustErase;
    private long checkpoints;
    private long sizeMaxBytes;
    private long sizeMaxBytesInForce;

    public CommitWriter(SqliteConnection connection, EmbeddedStoreOptions options)
    {
        Connection = connection;
        checkpointPages = Math.Max(1, options.CheckpointBytes / PageBytes);
        nextCheckpointPages = checkpointPages;
        sizeMaxBytes = options.SizeMaxBytes;
        begin = connection.Prepare("BEGIN IMMEDIATE");
        commit = connection.Prepare("COMMIT");
        findHead = connection.Prepare(
            "SELECT s.number, (SELECT max(r.seq) FROM record r WHERE r.stream = s.number) FROM stream s WHERE s.tenant = ?1 AND s.id = ?2");
        lastStreamNumber = connection.ScalarInt64("SELECT max(stream) FROM record");
        Log = new RecordWriter(this);
        Payloads = new PayloadWriter(this);
        Documents = new DocumentWriter(connection);
        Index = new IndexWriter(connection);
    }

    public SqliteConnection Connection { get; }

    public RecordWriter Log { get; }

    public PayloadWriter Payloads { get; }

    public DocumentWriter Documents { get; }

    public IndexWriter Index { get; }

    public long Checkpoints => Volatile.Read(ref checkpoints);

    /// <summary>Sets how the connection writes; fails if the durable mode is not in force afterwards.</summary>
    public static void Configure(SqliteConnection connection)
    {
        // FULL: the log is synced in every commit. secure_delete: a destroyed key is overwritten. Checkpoints are made here, between commits.
        connection.Execute($"""
            PRAGMA page_size = {PageBytes};
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            PRAGMA secure_delete = ON;
            PRAGMA wal_autocheckpoint = 0;
            PRAGMA journal_size_limit = {WalKeptBytes};
            PRAGMA cache_size = -32768;
            PRAGMA temp_store = MEMORY;
            """);
        if (connection.ScalarInt64("PRAGMA synchronous") != 2)
        {
            throw new InvalidOperationException("SQLite did not accept synchronous = FULL.");
        }
    }

    /// <summary>At opening: drops what a destruction of keys, cut short by a crash, has left in the log; later, where the disk is full now.</summary>
    public void EmptyLog()
    {
        mustErase = true;
        try
        {
            Checkpoint(truncate: true);
        }
        catch (StorageUnavailableException)
        {
            // A store on a full disk can still be read, and tries again with each commit.
        }
    }

    /// <summary>May be called from any thread; in force from the next transaction on.</summary>
    public void SetSizeMax(long bytes) => Volatile.Write(ref sizeMaxBytes, bytes);

    public void Begin()
    {
        var sizeMax = Volatile.Read(ref sizeMaxBytes);
        if (sizeMax != sizeMaxBytesInForce)
        {
            // 2^32 - 2 is SQLite's own limit; see https://sqlite.org/limits.html
            var pagesMax = sizeMax == 0 ? 4_294_967_294 : Math.Max(1, sizeMax / PageBytes);
            _ = Connection.ScalarInt64(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"PRAGMA max_page_count = {pagesMax}"));
            sizeMaxBytesInForce = sizeMax;
        }

        begin.Run();
    }

    /// <summary>Commits and syncs. With <paramref name="erases"/> the write-ahead log is emptied too, as it still holds what was erased.</summary>
    public void Commit(bool erases)
    {
        Index.FlushCounts();
        commit.Run();
        mustErase |= erases;
        if (mustErase)
        {
            CheckpointIfDue();
        }
    }

    /// <summary>Undoes the open transaction; answers the failure to report.</summary>
    public Exception TryRollback(Exception failure)
    {
        heads.Clear();
        Index.ForgetCounts();
        try
        {
            if (Connection.InTransaction)
            {
                Connection.Execute("ROLLBACK");
            }

            return failure;
        }
        catch (StorageException second)
        {
            return new AggregateException(failure, second);
        }
    }

    /// <summary>The end of a stream; null when there is no such stream.</summary>
    public StreamHead? FindHead(StreamId stream)
    {
        if (heads.TryGetValue(stream, out var head))
        {
            return head;
        }

        try
        {
            if (!findHead.Bind(1, stream.Tenant).Bind(2, stream.Id).Step())
            {
                return null;
            }

            return Remember(stream, new StreamHead(findHead.Int64(0)) { LastSeq = findHead.Int64(1) });
        }
        finally
        {
            findHead.Reset();
        }
    }

    public StreamHead AddHead(StreamId stream) => Remember(stream, new StreamHead(++lastStreamNumber));

    /// <summary>
    /// Copies the log into the database when it has grown enough. Between commits and on this thread: SQLite's checkpoints beside a writer
    /// never catch up with it, and the log would grow without end.
    /// </summary>
    public void CheckpointIfDue()
    {
        if (Connection.WalPages < nextCheckpointPages && !mustErase)
        {
            return;
        }

        try
        {
            Checkpoint(truncate: mustErase);
        }
        catch (StorageException)
        {
            // Nothing is lost: the log still holds everything. Tried again after as much has been written again, or, to erase, after the next commit.
        }
    }

    public void Dispose()
    {
        try
        {
            Checkpoint(truncate: true);
        }
        catch (StorageException)
        {
            // The log stays and is read when the store is opened again.
        }

        Connection.Dispose();
    }

    private StreamHead Remember(StreamId stream, StreamHead head)
    {
        if (heads.Count >= HeadsMax)
        {
            heads.Clear();
        }

        heads[stream] = head;
        return head;
    }

    private void Checkpoint(bool truncate)
    {
        // A reader may hold pages back; then the next try comes once the log has grown by as much again.
        nextCheckpointPages = Connection.WalPages + checkpointPages;
        var framesLeft = Connection.Checkpoint(truncate);
        if (framesLeft == 0)
        {
            // The next commit begins the log anew and tells its length.
            Connection.ForgetWalPages();
            nextCheckpointPages = checkpointPages;
        }

        mustErase &= framesLeft > 0;
        Volatile.Write(ref checkpoints, checkpoints + 1);
    }
}

/// <summary>A stream's number and its last sequence number.</summary>
internal sealed class StreamHead(long number)
{
    public long Number { get; } = number;

    public long LastSeq { get; set; }
}
