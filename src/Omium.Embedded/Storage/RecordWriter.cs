using Omium.Runtime.Ports;

namespace Omium.Embedded.Storage;

/// <summary>Decides and writes appends inside the writer's transaction.</summary>
internal sealed class RecordWriter
{
    /// <summary>Envelope, hashes and index entry of a record: what it writes beside its body, about.</summary>
    public const int OverheadBytes = 300;

    /// <summary>Four parts fill a page of 4,096 bytes.</summary>
    private const int PartBytes = 1_000;

    /// <summary>Shorter bodies share pages as they are; longer ones fill pages of their own.</summary>
    private const int PartedFromBytes = 1_400, PartedToBytes = 64 * 1024;

    private readonly CommitWriter writer;
    private readonly SqliteStatement insertStream;
    private readonly SqliteStatement insertKey;
    private readonly SqliteStatement insertRecord;
    private readonly SqliteStatement insertPart;
    private readonly SqliteStatement selectAppendId;
    private readonly SqliteStatement deleteKey;
    private long appends;
    private long repeated;
    private long conflicts;

    public RecordWriter(CommitWriter writer)
    {
        this.writer = writer;
        insertStream = writer.Connection.Prepare("INSERT INTO stream (tenant, id, number) VALUES (?1, ?2, ?3)");
        insertKey = writer.Connection.Prepare("INSERT INTO stream_key (stream, wrapped) VALUES (?1, ?2)");
        insertRecord = writer.Connection.Prepare("""
            INSERT INTO record (stream, seq, append_id, kernel, at_unix_ms, command, event_types, prev_hash, hash, body, part, parts)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
            """);
        insertPart = writer.Connection.Prepare("INSERT INTO record_part (bytes) VALUES (?1)");
        selectAppendId = writer.Connection.Prepare("SELECT append_id FROM record WHERE stream = ?1 AND seq = ?2");
        deleteKey = writer.Connection.Prepare("DELETE FROM stream_key WHERE stream = ?1");
    }

    public long Appends => Volatile.Read(ref appends);

    public long Repeated => Volatile.Read(ref repeated);

    public long Conflicts => Volatile.Read(ref conflicts);

    public AppendOutcome Append(Append append, out bool isRepetition)
    {
        var head = writer.FindHead(append.Stream);
        var lastSeq = head?.LastSeq ?? 0;
        if (append.ExpectedSeq != lastSeq)
        {
            isRepetition = append.ExpectedSeq < lastSeq && FindAppendId(head!, append.Record.Seq) == append.Record.AppendId;
            return new AppendOutcome(isRepetition ? AppendStatus.Appended : AppendStatus.Conflict, lastSeq);
        }

        isRepetition = false;
        head ??= AddStream(append);
        Insert(head, append.Record);
        foreach (var payload in append.Payloads)
        {
            writer.Payloads.PutIfAbsent(append.Stream.Tenant, payload);
        }

        foreach (var key in append.RemovedPayloads)
        {
            writer.Payloads.Remove(append.Stream.Tenant, append.Stream.Id, key);
        }

        foreach (var row in append.Index)
        {
            writer.Index.Put(row);
        }

        head.LastSeq = append.Record.Seq;
        return new AppendOutcome(AppendStatus.Appended, head.LastSeq);
    }

    /// <summary>Called once per answered append.</summary>
    public void Count(AppendOutcome outcome, bool isRepetition)
    {
        ref var counter = ref outcome.Status == AppendStatus.Conflict ? ref conflicts : ref isRepetition ? ref repeated : ref appends;
        Volatile.Write(ref counter, counter + 1);
    }

    public bool DestroyKey(StreamId stream)
    {
        var head = writer.FindHead(stream);
        if (head is null)
        {
            return false;
        }

        deleteKey.Bind(1, head.Number).Run();
        writer.Index.Erase(stream);
        return true;
    }

    private StreamHead AddStream(Append append)
    {
        var head = writer.AddHead(append.Stream);
        insertStream.Bind(1, append.Stream.Tenant).Bind(2, append.Stream.Id).Bind(3, head.Number).Run();
        if (append.StreamKey is not null)
        {
            insertKey.Bind(1, head.Number).Bind(2, append.StreamKey).Run();
        }

        return head;
    }

    private void Insert(StreamHead head, LogRecord record)
    {
        var (first, count) = InsertParts(record.Body);
        insertRecord
            .Bind(1, head.Number)
            .Bind(2, record.Seq)
            .Bind(3, record.AppendId)
            .Bind(4, record.Kernel)
            .Bind(5, record.AtUnixMs)
            .Bind(6, record.Command)
            .Bind(7, record.EventTypes)
            .Bind(8, record.PrevHash)
            .Bind(9, record.Hash)
            .Bind(10, record.Body.AsSpan(count * PartBytes))
            .Bind(11, first)
            .Bind(12, count)
            .Run();
    }

    /// <summary>The whole parts at the front of a body, and where they lie; what is left goes into the record's own row.</summary>
    private (long First, int Count) InsertParts(byte[] body)
    {
        if (body.Length is < PartedFromBytes or > PartedToBytes)
        {
            return (0, 0);
        }

        var (first, count) = (0L, body.Length / PartBytes);
        for (var part = 0; part < count; part++)
        {
            insertPart.Bind(1, body.AsSpan(part * PartBytes, PartBytes)).Run();
            first = part == 0 ? writer.Connection.LastRowId : first;
        }

        return (first, count);
    }

    private string? FindAppendId(StreamHead head, long seq)
    {
        try
        {
            return selectAppendId.Bind(1, head.Number).Bind(2, seq).Step() ? selectAppendId.Text(0) : null;
        }
        finally
        {
            selectAppendId.Reset();
        }
    }
}
