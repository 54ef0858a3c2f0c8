using System.Security.Cryptography;
using Omium.Kernel.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Executions;

/// <summary>
/// The loop that every writer of a stream shares: load, decide, append at the expected version; on a conflict load what came first and decide
/// again. One at a time for each cell; the log keeps processes apart.
/// </summary>
internal sealed class StreamAppender(IEventLog log, IKeyWrap keys)
{
    private const int ConflictsMax = 50, PageRecords = 1_000;

    /// <summary>Runs one command to its answer. <paramref name="tryOnce"/> answers null when another record came first.</summary>
    public static async ValueTask<TResult> RunAsync<TCell, TResult>(
        TCell cell, Func<TCell, CancellationToken, ValueTask> load, Func<TCell, CancellationToken, ValueTask<TResult?>> tryOnce, CancellationToken cancellation)
        where TCell : StreamCell
        where TResult : class
    {
        await cell.Gate.WaitAsync(cancellation);
        try
        {
            for (var conflicts = 0; ; conflicts++)
            {
                if (!cell.Fresh)
                {
                    await load(cell, cancellation);
                }

                if (await tryOnce(cell, cancellation) is { } result)
                {
                    return result;
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
            cell.Gate.Release();
        }
    }

    /// <summary>Loads under the gate unless that was done.</summary>
    public static async ValueTask EnsureFreshAsync<TCell>(TCell cell, Func<TCell, CancellationToken, ValueTask> load, CancellationToken cancellation)
        where TCell : StreamCell
    {
        if (cell.Fresh)
        {
            return;
        }

        await cell.Gate.WaitAsync(cancellation);
        try
        {
            if (!cell.Fresh)
            {
                await load(cell, cancellation);
            }
        }
        finally
        {
            cell.Gate.Release();
        }
    }

    /// <summary>
    /// Reads the records that the cell has not folded, checks the chain and opens each for <paramref name="fold"/>. Where it ends: the caller
    /// takes it over together with the state, or not at all.
    /// </summary>
    public async ValueTask<(long Seq, byte[] Hash)> ReadOnAsync(StreamCell cell, Action<LogRecord, byte[]> fold, CancellationToken cancellation)
    {
        var (seq, hash) = (cell.Seq, cell.LastHash);
        if (cell.DataKey is null || seq == 0)
        {
            cell.DataKey = await log.ReadKeyAsync(cell.Stream, cancellation) is { } wrapped ? keys.Unwrap(wrapped) : null;
        }

        while (cell.DataKey is not null)
        {
            var page = await log.ReadAsync(cell.Stream, seq, PageRecords, cancellation);
            foreach (var record in page)
            {
                if (!record.PrevHash.AsSpan().SequenceEqual(hash))
                {
                    throw new CorruptLogException($"{cell.Stream}: record {record.Seq} does not follow the one before it");
                }

                fold(record, RecordCodec.Open(cell.Stream, record, cell.DataKey));
                (seq, hash) = (record.Seq, record.Hash);
            }

            if (page.Count < PageRecords)
            {
                break;
            }
        }

        return (seq, hash);
    }

    /// <summary>Seals and appends the next record of a cell; a new stream gets its key with it. Null when another record stands there.</summary>
    public async ValueTask<LogRecord?> AppendAsync(
        StreamCell cell, RecordEnvelope envelope, byte[] body, Func<IReadOnlyList<SealedPayload>>? payloads, IReadOnlyList<IndexRow> index, CancellationToken cancellation)
    {
        var isFirst = cell.Seq == 0;
        cell.DataKey ??= Seal.NewKey();
        var appendId = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
        var record = RecordCodec.Encode(cell.Stream, cell.Seq + 1, cell.LastHash, cell.Cipher, appendId, envelope, body);
        var append = new Append(cell.Stream, cell.Seq, record)
        {
            StreamKey = isFirst ? keys.Wrap(cell.DataKey) : null,
            Payloads = payloads?.Invoke() ?? [],
            Index = index,
        };
        var appended = await log.AppendAsync(append, cancellation);
        if (appended.Status == AppendStatus.Conflict)
        {
            if (isFirst)
            {
                cell.DataKey = null;
            }

            return null;
        }

        (cell.Seq, cell.LastHash) = (record.Seq, record.Hash);
        return record;
    }
}

/// <summary>The readable part of a record that its body determines.</summary>
internal readonly record struct RecordEnvelope(int Kernel, long AtMs, string Command, string EventTypes);
