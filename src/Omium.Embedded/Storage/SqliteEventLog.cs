using Omium.Runtime.Ports;

namespace Omium.Embedded.Storage;

/// <summary>The event log on SQLite. Appends go through the group commit; reads see every acknowledged append. Safe for use by many threads.</summary>
/// <remarks>
/// A read runs on the calling thread and blocks it for the time of the read (tens of microseconds from memory). A cancellation of an append
/// is heeded only before the append is queued.
/// </remarks>
public sealed class SqliteEventLog : IEventLog
{
    private const string SelectRecords = """
        SELECT seq, append_id, kernel, at_unix_ms, command, event_types, prev_hash, hash, body, part, parts FROM record
        WHERE stream = (SELECT number FROM stream WHERE tenant = ?1 AND id = ?2) AND seq > ?3 ORDER BY seq LIMIT ?4
        """;

    private const string SelectParts = "SELECT bytes FROM record_part WHERE position >= ?1 ORDER BY position LIMIT ?2";

    private const string SelectKey =
        "SELECT wrapped FROM stream_key WHERE stream = (SELECT number FROM stream WHERE tenant = ?1 AND id = ?2)";

    private readonly CommitQueue queue;
    private readonly ReaderPool readers;

    internal SqliteEventLog(CommitQueue queue, ReaderPool readers)
    {
        this.queue = queue;
        this.readers = readers;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The append contradicts itself: its record is not for the place after ExpectedSeq, or it brings a key for an old stream.</exception>
    /// <exception cref="StorageUnavailableException">No space, or the medium failed.</exception>
    public Task<AppendOutcome> AppendAsync(Append append, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(append);
        ArgumentOutOfRangeException.ThrowIfNegative(append.ExpectedSeq, nameof(append));
        if (append.Record.Seq != append.ExpectedSeq + 1)
        {
            throw new ArgumentException($"The record has seq {append.Record.Seq}, but its place is {append.ExpectedSeq + 1}.", nameof(append));
        }

        if (append.StreamKey is not null && append.ExpectedSeq != 0)
        {
            throw new ArgumentException("Only the first record of a stream brings its key.", nameof(append));
        }

        return queue.Enqueue(new AppendOperation(append), cancellation);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<LogRecord>> ReadAsync(
        StreamId stream, long afterSeq, int countMax, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(countMax);
        return readers.Read((stream, afterSeq, countMax), ReadRecords, cancellation);
    }

    /// <inheritdoc/>
    public Task<byte[]?> ReadKeyAsync(StreamId stream, CancellationToken cancellation = default) =>
        readers.Read(stream, ReadKey, cancellation);

    /// <inheritdoc/>
    /// <remarks>
    /// The key is overwritten in the database and its copies in the write-ahead log are dropped before this returns; should that fail, it is
    /// tried again with each later commit and when the store closes or opens. Copies that a file system or backup keeps are beyond its reach.
    /// </remarks>
    public Task DestroyKeyAsync(StreamId stream, CancellationToken cancellation = default) =>
        queue.Enqueue(new DestroyKeyOperation(stream), cancellation);

    private static IReadOnlyList<LogRecord> ReadRecords(
        SqliteConnection connection, (StreamId Stream, long AfterSeq, int CountMax) query)
    {
        var records = new List<LogRecord>();
        var statement = connection.Prepare(SelectRecords);
        try
        {
            statement.Bind(1, query.Stream.Tenant).Bind(2, query.Stream.Id).Bind(3, query.AfterSeq).Bind(4, query.CountMax);
            while (statement.Step())
            {
                records.Add(new LogRecord(
                    statement.Int64(0),
                    statement.Text(1),
                    statement.Int32(2),
                    statement.Int64(3),
                    statement.Text(4),
                    statement.Text(5),
                    statement.Bytes(6),
                    statement.Bytes(7),
                    ReadBody(connection, statement)));
            }
        }
        finally
        {
            statement.Reset();
        }

        return records;
    }

    /// <summary>The parts of a body, one after the other, and the rest that stands with the record.</summary>
    private static byte[] ReadBody(SqliteConnection connection, SqliteStatement record)
    {
        var rest = record.Bytes(8);
        var count = record.Int32(10);
        if (count == 0)
        {
            return rest;
        }

        var body = new List<byte[]>(count + 1);
        var parts = connection.Prepare(SelectParts);
        try
        {
            parts.Bind(1, record.Int64(9)).Bind(2, count);
            while (parts.Step())
            {
                body.Add(parts.Bytes(0));
            }
        }
        finally
        {
            parts.Reset();
        }

        body.Add(rest);
        var whole = new byte[body.Sum(part => part.Length)];
        var at = 0;
        foreach (var part in body)
        {
            part.CopyTo(whole, at);
            at += part.Length;
        }

        return whole;
    }

    private static byte[]? ReadKey(SqliteConnection connection, StreamId stream)
    {
        var statement = connection.Prepare(SelectKey);
        try
        {
            return statement.Bind(1, stream.Tenant).Bind(2, stream.Id).Step() ? statement.Bytes(0) : null;
        }
        finally
        {
            statement.Reset();
        }
    }

    private sealed class AppendOperation(Append append) : CommitOperation<AppendOutcome>(SizeOf(append))
    {
        private bool isRepetition;

        protected override AppendOutcome Run(CommitWriter writer) => writer.Log.Append(append, out isRepetition);

        protected override void Count(CommitWriter writer, AppendOutcome answer) => writer.Log.Count(answer, isRepetition);

        private static long SizeOf(Append append)
        {
            var bytes = RecordWriter.OverheadBytes + append.Record.Body.LongLength;
            foreach (var payload in append.Payloads)
            {
                bytes += payload.Bytes.LongLength;
            }

            return bytes + (append.Index.Count * IndexWriter.RowBytes);
        }
    }

    private sealed class DestroyKeyOperation(StreamId stream) : CommitOperation<bool>(sizeBytes: 0)
    {
        public override bool Erases => true;

        protected override bool Run(CommitWriter writer) => writer.Log.DestroyKey(stream);
    }
}
