using System.Security.Cryptography;
using Omium.Kernel.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Executions;

/// <summary>
/// The loop that every writer of a stream shares: load, decide, append at the expected version; on a conflict load what came first and decide
/// again. One at a time for each cell; the log keeps processes apart.
/// </summary>
internal sealed class StreamAppender(IEventLog log, IKeyWrap keys, TimeProvider time)
{
    private const int ConflictsMax = 50, PageRecords = 1_000, AppendTriesMax = 4;
    private readonly HistoryReader _history = new(log, keys);

    /// <summary>Told what the store says to each write; the writers of one store share it.</summary>
    public StorageWatch Watch { get; set; } = new(time);

    /// <summary>
    /// Runs one command to its answer. <paramref name="tryOnce"/> answers null when another record came first; <paramref name="isRecorded"/> tells
    /// whether an answer went with a record.
    /// </summary>
    public static async ValueTask<TResult> RunAsync<TCell, TResult>(
        CellCache<TCell> cells, StreamId stream, Func<TCell, CancellationToken, ValueTask> load, Func<TCell, CancellationToken, ValueTask<TResult?>> tryOnce,
        Func<TResult, bool> isRecorded, CancellationToken cancellation)
        where TCell : StreamCell
        where TResult : class
    {
        var cell = await cells.EnterAsync(stream, cancellation);
        try
        {
            var loaded = false;
            for (var conflicts = 0; ; conflicts++)
            {
                if (!cell.Fresh)
                {
                    await load(cell, cancellation);
                    loaded = true;
                }

                var seq = cell.Seq;
                if (await tryOnce(cell, cancellation) is { } result)
                {
                    if (loaded || isRecorded(result))
                    {
                        return result;
                    }

                    // Nothing came of it, so no append has shown whether another writer was here meanwhile: what is refused must be refused by
                    // the log, not by a cache.
                    await load(cell, cancellation);
                    loaded = true;
                    if (cell.Seq == seq)
                    {
                        return result;
                    }

                    continue;
                }

                cell.Fresh = false;
                if (conflicts >= ConflictsMax)
                {
                    throw new TimeoutException($"{cell.Stream}: {ConflictsMax} writers came first one after another");
                }
            }
        }
        catch
        {
            cell.Fresh = false; // Whether the append happened is not known: the log will say.
            throw;
        }
        finally
        {
            cell.Gate.Exit();
        }
    }

    /// <summary>The cell of a stream, loaded; one that holds no record is not kept. <paramref name="current"/>: with every record that is in the log by now.</summary>
    public static async ValueTask<TCell> FindAsync<TCell>(
        CellCache<TCell> cells, StreamId stream, Func<TCell, CancellationToken, ValueTask> load, bool current, CancellationToken cancellation)
        where TCell : StreamCell
    {
        var cell = cells.Of(stream);
        if (!current && cell is { Fresh: true, Seq: > 0 })
        {
            return cell;
        }

        cell = await cells.EnterAsync(stream, cancellation);
        try
        {
            if (current || !cell.Fresh)
            {
                await load(cell, cancellation);
            }

            if (cell.Seq == 0)
            {
                cells.Drop(cell);
            }

            return cell;
        }
        finally
        {
            cell.Gate.Exit();
        }
    }

    /// <summary>Writes, and raises or ends the alarm by what the store says.</summary>
    public async ValueTask<T> WriteAsync<T>(Task<T> write)
    {
        try
        {
            var outcome = await write;
            Watch.Taken();
            return outcome;
        }
        catch (StorageUnavailableException refused)
        {
            Watch.Refused(refused);
            throw;
        }
    }

    /// <summary>
    /// Reads the records of its history that the cell has not folded, checks the chain, opens and decodes each (several at a time) and gives them in order
    /// to <paramref name="fold"/>. Where it ends: the caller takes it over together with the state, or not at all.
    /// </summary>
    public async ValueTask<(long Seq, byte[] Hash)> ReadOnAsync<TBody>(
        StreamCell cell, Func<byte[], TBody> decode, Action<LogRecord, TBody> fold, CancellationToken cancellation)
    {
        var (seq, hash) = (cell.Seq, cell.LastHash);
        if (cell.DataKey is null || seq == 0)
        {
            (cell.Lineage, cell.DataKey) = await _history.FindAsync(cell.Stream, cancellation);
        }

        while (cell.DataKey is not null)
        {
            var page = await _history.ReadAsync(cell.Lineage!, seq, PageRecords, cancellation);
            foreach (var (_, record) in page)
            {
                if (!record.PrevHash.AsSpan().SequenceEqual(hash))
                {
                    throw new CorruptLogException($"{cell.Stream}: record {record.Seq} does not follow the one before it");
                }

                hash = record.Hash;
            }

            var bodies = RecordCodec.DecodeAll(page, cell.DataKey, decode);
            for (var index = 0; index < bodies.Length; index++)
            {
                var numbered = page[index].Segment.Numbered(page[index].Stored);
                fold(numbered, bodies[index]);
                seq = numbered.Seq;
            }

            if (page.Count < PageRecords)
            {
                break;
            }
        }

        return (seq, hash);
    }

    /// <summary>Seals and appends the next record of a cell; a new stream gets its key with it. Null when another record stands there.</summary>
    public async ValueTask<LogRecord?> AppendAsync(StreamCell cell, RecordEnvelope envelope, byte[] body, AppendExtras extras, CancellationToken cancellation)
    {
        var (isFirst, offset) = (cell.IsUnborn, cell.Offset);
        cell.DataKey ??= Seal.NewKey();
        var record = RecordCodec.Encode(cell.Stream, cell.Seq + 1 - offset, cell.LastHash, cell.Cipher, NewAppendId(), envelope, body);
        var append = new Append(cell.Stream, cell.Seq - offset, record)
        {
            StreamKey = isFirst ? extras.StreamKey ?? keys.Wrap(cell.DataKey) : null,
            Payloads = extras.Payloads is { } payloads ? await payloads() : [],
            RemovedPayloads = extras.RemovedPayloads,
            Index = extras.Index,
        };
        for (var tries = 1; ; tries++)
        {
            try
            {
                var appended = await log.AppendAsync(append, cancellation);
                Watch.Taken();
                if (appended.Status == AppendStatus.Conflict)
                {
                    if (isFirst)
                    {
                        cell.Reset();
                    }

                    return null;
                }

                cell.Lineage ??= Lineage.Of(cell.Stream);
                (cell.Seq, cell.LastHash) = (offset + record.Seq, record.Hash);
                return cell.Lineage.Own.Numbered(record);
            }
            catch (StorageUnavailableException refused)
            {
                Watch.Refused(refused);
                if (refused.Code != StorageUnavailableException.Failed || tries >= AppendTriesMax)
                {
                    throw;
                }

                // Whether it was appended is not known: it is asked for again with the same append id, which the log recognises. Only an append that is
                // known to have failed may be forgotten: an intent on record that its writer knows nothing of would be in doubt for nothing.
            }
        }
    }

    private static string NewAppendId()
    {
        Span<byte> random = stackalloc byte[12];
        RandomBytes.Fill(random);
        return Convert.ToHexStringLower(random);
    }
}

/// <summary>
/// What goes with a record in one append; <see cref="Payloads"/> is asked for once the stream has its key. <see cref="StreamKey"/>: with a first
/// record, what the stream has in place of a key of its own.
/// </summary>
internal readonly record struct AppendExtras(
    IReadOnlyList<IndexRow> Index, Func<ValueTask<IReadOnlyList<SealedPayload>>>? Payloads, IReadOnlyList<string> RemovedPayloads, byte[]? StreamKey = null);

/// <summary>The readable part of a record that its body determines.</summary>
internal readonly record struct RecordEnvelope(int Kernel, long AtMs, string Command, string EventTypes);
