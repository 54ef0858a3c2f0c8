namespace Omium.Runtime.Ports;

/// <summary>
/// The append-only log of all streams. One append is one record; the expected sequence number is the only concurrency control.
/// Guarantees: when <see cref="AppendAsync"/> answers <see cref="AppendStatus.Appended"/> the record, its payloads, its index rows and
/// (for a first record) its stream key are durable together, synced to the medium. Records of one stream are gapless from 1.
/// </summary>
public interface IEventLog
{
    /// <summary>
    /// Appends one record at <see cref="Append.ExpectedSeq"/> + 1. A second append of the same <see cref="LogRecord.AppendId"/> at the same
    /// place answers <see cref="AppendStatus.Appended"/> again and changes nothing (so a caller whose first try timed out may repeat it).
    /// </summary>
    Task<AppendOutcome> AppendAsync(Append append, CancellationToken cancellation = default);

    /// <summary>Reads at most <paramref name="countMax"/> records with Seq greater than <paramref name="afterSeq"/>, in order.</summary>
    Task<IReadOnlyList<LogRecord>> ReadAsync(StreamId stream, long afterSeq, int countMax, CancellationToken cancellation = default);

    /// <summary>The wrapped data key stored with the first record; null when there is no stream or its key was destroyed.</summary>
    Task<byte[]?> ReadKeyAsync(StreamId stream, CancellationToken cancellation = default);

    /// <summary>
    /// Destroys the stream's data key: its bodies and payloads can never be read again, while its chain still verifies. The terms that its rows are
    /// found by are taken out with it.
    /// </summary>
    Task DestroyKeyAsync(StreamId stream, CancellationToken cancellation = default);
}

/// <summary>Names one stream: the tenant and the id (of an execution, for execution streams).</summary>
public readonly record struct StreamId(string Tenant, string Id)
{
    /// <summary>A key safe for tables and URLs: <c>t.{tenant}.x.{id}</c>.</summary>
    public override string ToString() => $"t.{Tenant}.x.{Id}";
}

/// <summary>One stored record. The envelope is readable; <see cref="Body"/> is sealed and the chain hashes the sealed bytes.</summary>
/// <param name="Seq">Position in the stream, from 1.</param>
/// <param name="AppendId">Identity of this append, made by the writer; lets a timed-out append be recognised.</param>
/// <param name="Kernel">Version of the kernel that decided it.</param>
/// <param name="AtUnixMs">The command's time, milliseconds since the Unix epoch.</param>
/// <param name="Command">Stable name of the command.</param>
/// <param name="EventTypes">Stable names of the events in order, separated by one space.</param>
/// <param name="PrevHash">Hash of the record before (32 zero bytes for the first).</param>
/// <param name="Hash">SHA-256 over PrevHash, the envelope and Body.</param>
/// <param name="Body">The sealed command and events.</param>
public sealed record LogRecord(
    long Seq, string AppendId, int Kernel, long AtUnixMs, string Command, string EventTypes, byte[] PrevHash, byte[] Hash, byte[] Body);

/// <summary>One append: the record and everything that must become durable with it.</summary>
public sealed record Append(StreamId Stream, long ExpectedSeq, LogRecord Record)
{
    /// <summary>The wrapped data key of a new stream; only with the first record.</summary>
    public byte[]? StreamKey { get; init; }

    /// <summary>Sealed payloads that the record refers to (create if absent).</summary>
    public IReadOnlyList<SealedPayload> Payloads { get; init; } = [];

    /// <summary>
    /// Keys of payloads in the stream's own scope that are dropped with this record: raw results of effects, which the record has made its own.
    /// A store that cannot drop them in one transaction with the record drops them afterwards, or never.
    /// </summary>
    public IReadOnlyList<string> RemovedPayloads { get; init; } = [];

    /// <summary>Index rows to insert or replace with this record.</summary>
    public IReadOnlyList<IndexRow> Index { get; init; } = [];
}

/// <summary>A payload by scope and key. The key of a content-addressed payload is its SHA-256; of a raw effect result, <c>result.{effect}</c>.</summary>
public sealed record SealedPayload(string Scope, string Key, byte[] Bytes);

/// <summary>What became of an append.</summary>
public enum AppendStatus
{
    /// <summary>Durable.</summary>
    Appended,

    /// <summary>Another record stands at that place; reload and decide again.</summary>
    Conflict,
}

/// <summary>The status, and the stream's last sequence number as the log knows it.</summary>
public readonly record struct AppendOutcome(AppendStatus Status, long LastSeq);
