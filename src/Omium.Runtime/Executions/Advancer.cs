using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Executions;

/// <summary>
/// Advance: the only writer of execution streams. Load state and needed values, decide, append at the expected version; on a conflict reload and
/// decide again. Guarantees: what it returns as accepted is durable; a command decided twice is recorded once.
/// </summary>
public sealed class Advancer(IEventLog log, IPayloadStore payloads, PlanCache plans, IKeyWrap keys, TimeProvider time)
{
    /// <summary>Cells kept in memory; beyond this the longest unused are dropped (they are only a cache). Default 5,000, which is some 75 MB.</summary>
    public int CellsMax { get; init; } = 5_000;

    private const int ConflictsMax = 50, PageRecords = 1_000;
    private readonly ConcurrentDictionary<StreamId, ExecutionCell> _cells = new();
    private long _uses;
    private int _cellCount;
    private int _evicting;

    /// <summary>Raised after each append, in order per stream, outside any lock that callers could wait for.</summary>
    public event Action<ExecutionCell, LogRecord, RecordBody>? Appended;

    /// <summary>Time now, Unix ms: what hosts put into commands.</summary>
    public long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Decides and records a command. <paramref name="given"/>: payloads the caller has at hand (digest to value), already stored or to be stored with this record.</summary>
    public async ValueTask<AdvanceResult> AdvanceAsync(
        StreamId stream, ExecutionCommand command, IReadOnlyDictionary<string, byte[]>? given = null, CancellationToken cancellation = default)
    {
        var cell = CellOf(stream);
        await cell.Gate.WaitAsync(cancellation);
        try
        {
            for (var conflicts = 0; ; conflicts++)
            {
                if (!cell.Fresh)
                {
                    await LoadAsync(cell, cancellation);
                }

                if (await TryAdvanceAsync(cell, command, given, cancellation) is { } result)
                {
                    return result;
                }

                cell.Fresh = false;
                if (conflicts >= ConflictsMax)
                {
                    throw new TimeoutException($"{stream}: {ConflictsMax} writers came first one after another");
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

    /// <summary>The cell of an execution, loaded; null when there is no such stream.</summary>
    public async ValueTask<ExecutionCell?> FindAsync(StreamId stream, CancellationToken cancellation = default)
    {
        var cell = CellOf(stream);
        if (!cell.Fresh)
        {
            await cell.Gate.WaitAsync(cancellation);
            try
            {
                if (!cell.Fresh)
                {
                    await LoadAsync(cell, cancellation);
                }
            }
            finally
            {
                cell.Gate.Release();
            }
        }

        if (cell.Seq == 0)
        {
            Drop(stream);
            return null;
        }

        return cell;
    }

    /// <summary>Opened records after <paramref name="afterSeq"/>, each with its body.</summary>
    public async ValueTask<IReadOnlyList<(LogRecord Record, RecordBody Body)>> ReadAsync(StreamId stream, long afterSeq, int countMax, CancellationToken cancellation = default)
    {
        if (await FindAsync(stream, cancellation) is not { DataKey: { } key })
        {
            return [];
        }

        var records = await log.ReadAsync(stream, afterSeq, countMax, cancellation);
        return [.. records.Select(record => (record, RecordCodec.Decode(stream, record, key)))];
    }

    /// <summary>A payload of an execution, opened; null when it is not there.</summary>
    public async ValueTask<byte[]?> ReadPayloadAsync(ExecutionCell cell, string key, CancellationToken cancellation = default) =>
        cell.DataKey is { } dataKey && await payloads.GetAsync(cell.Stream.Tenant, cell.Stream.Id, key, cancellation) is { } closed
            ? Seal.Open(dataKey, closed, PayloadContext(cell.Stream, key))
            : null;

    /// <summary>Stores a payload apart from an append (the raw result of an effect, before its record). True when it was not there before.</summary>
    public async ValueTask<bool> StorePayloadAsync(ExecutionCell cell, string key, byte[] plain, CancellationToken cancellation = default) =>
        await payloads.PutIfAbsentAsync(cell.Stream.Tenant, SealPayload(cell, key, plain), cancellation);

    /// <summary>The whole value with every payload reference replaced by what it stands for.</summary>
    public async ValueTask<JsonElement> MaterializeAsync(ExecutionCell cell, JsonElement value, CancellationToken cancellation = default) =>
        await PayloadResolver.MaterializeAsync(value, digest => ReadPayloadAsync(cell, digest, cancellation));

    private async ValueTask<AdvanceResult?> TryAdvanceAsync(
        ExecutionCell cell, ExecutionCommand command, IReadOnlyDictionary<string, byte[]>? given, CancellationToken cancellation)
    {
        if (cell.Plan is null)
        {
            if (command is not StartExecution start)
            {
                return AdvanceResult.Of(cell, DecisionRejected);
            }

            cell.Plan = await plans.GetAsync(start.Tenant, start.SpecDigest, cancellation);
        }

        var values = await ValuesAsync(cell, command, given, cancellation);
        var before = cell.State;
        var outcome = ExecutionKernel.Decide(before, command, values);
        if (outcome.Events.Count == 0)
        {
            return AdvanceResult.Of(cell, outcome);
        }

        var after = outcome.State!;
        var pending = ExecutionKernel.Pending(after, cell.Plan);
        var isFirst = cell.Seq == 0;
        cell.DataKey ??= Seal.NewKey();
        var body = new RecordBody(command, outcome.Events);
        var appendId = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
        var record = RecordCodec.Encode(cell.Stream, cell.Seq + 1, cell.LastHash, cell.Cipher, appendId, body);
        var rows = IndexProjector.Rows(cell, before, after, outcome.Events, pending, command.AtMs);
        var append = new Append(cell.Stream, cell.Seq, record)
        {
            StreamKey = isFirst ? keys.Wrap(cell.DataKey) : null,
            Payloads = SealAll(cell, outcome.Payloads, given),
            Index = rows,
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

        (cell.State, cell.Seq, cell.LastHash, cell.Pending) = (after, record.Seq, record.Hash, pending);
        if (rows.FirstOrDefault(row => row.Kind == IndexKinds.Execution) is { } row)
        {
            cell.ExecutionRow = row;
        }

        if (after.Ended && pending.Count == 0)
        {
            Drop(cell.Stream); // Nobody advances it by itself any more; a reader folds it anew.
        }

        Appended?.Invoke(cell, record, body);
        return AdvanceResult.Of(cell, outcome);
    }

    private static readonly DecisionOutcome DecisionRejected =
        ExecutionKernel.Decide(ExecutionState.Empty, new WakeTimers(0), null!);

    private async ValueTask<DecisionValues> ValuesAsync(
        ExecutionCell cell, ExecutionCommand command, IReadOnlyDictionary<string, byte[]>? given, CancellationToken cancellation)
    {
        var values = new DecisionValues(cell.Plan!);
        foreach (var digest in ExecutionKernel.Needs(cell.State, command, cell.Plan!))
        {
            var bytes = given is not null && given.TryGetValue(digest, out var known) ? known : await ReadPayloadAsync(cell, digest, cancellation);
            if (bytes is not null)
            {
                values.Payloads[digest] = CanonicalJson.ParseTrusted(bytes);
            }
        }

        return values;
    }

    private static List<SealedPayload> SealAll(ExecutionCell cell, IReadOnlyDictionary<string, byte[]> decided, IReadOnlyDictionary<string, byte[]>? given)
    {
        var all = new List<SealedPayload>();
        foreach (var (digest, bytes) in given is null ? decided : decided.Concat(given.Where(pair => !decided.ContainsKey(pair.Key))))
        {
            all.Add(SealPayload(cell, digest, bytes));
        }

        return all;
    }

    private static SealedPayload SealPayload(ExecutionCell cell, string key, byte[] plain) =>
        new(cell.Stream.Id, key, Seal.Close(cell.DataKey!, plain, PayloadContext(cell.Stream, key)));

    internal static byte[] PayloadContext(StreamId stream, string key) => System.Text.Encoding.UTF8.GetBytes($"{stream}#{key}");

    private async ValueTask LoadAsync(ExecutionCell cell, CancellationToken cancellation)
    {
        var (state, seq, hash) = (cell.State, cell.Seq, cell.LastHash);
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

                state = ExecutionKernel.Fold(state, RecordCodec.Decode(cell.Stream, record, cell.DataKey));
                (seq, hash) = (record.Seq, record.Hash);
            }

            if (page.Count < PageRecords)
            {
                break;
            }
        }

        if (seq > 0)
        {
            cell.Plan ??= await plans.GetAsync(cell.Stream.Tenant, state.SpecDigest, cancellation);
            cell.Pending = ExecutionKernel.Pending(state, cell.Plan);
        }

        (cell.State, cell.Seq, cell.LastHash, cell.Fresh) = (state, seq, hash, true);
    }

    private ExecutionCell CellOf(StreamId stream)
    {
        if (!_cells.TryGetValue(stream, out var cell))
        {
            // Touched before others can see it: an eviction must not take the newest for the longest unused.
            var made = new ExecutionCell(stream) { TouchedTicks = Interlocked.Increment(ref _uses) };
            cell = _cells.GetOrAdd(stream, made);
            // Counted here, because the dictionary's own count takes every lock it has.
            if (cell == made && Interlocked.Increment(ref _cellCount) > CellsMax)
            {
                EvictSome();
            }
        }

        cell.TouchedTicks = Interlocked.Increment(ref _uses);
        return cell;
    }

    private void Drop(StreamId stream)
    {
        if (_cells.TryRemove(stream, out _))
        {
            Interlocked.Decrement(ref _cellCount);
        }
    }

    /// <summary>
    /// Drops the longest unused tenth. Those with work under way stay; one that is dropped while somebody holds it is simply made anew by its next
    /// user (the log keeps writers apart).
    /// </summary>
    private void EvictSome()
    {
        if (Interlocked.Exchange(ref _evicting, 1) == 1)
        {
            return; // Somebody is at it; a tenth each would empty the cache of what is in use.
        }

        foreach (var cell in _cells.Values.OrderBy(cell => cell.TouchedTicks).Take(CellsMax / 10).ToArray())
        {
            if (cell.Gate.CurrentCount == 1 && cell.Pending.Count == 0)
            {
                Drop(cell.Stream);
            }
        }

        Volatile.Write(ref _evicting, 0);
    }
}

/// <summary>What an advance came to.</summary>
/// <param name="Cell">The cell after it.</param>
/// <param name="Changed">True when something was recorded.</param>
/// <param name="Rejection">Why the command was refused; null when it was accepted.</param>
public readonly record struct AdvanceResult(ExecutionCell Cell, bool Changed, Rejection? Rejection)
{
    internal static AdvanceResult Of(ExecutionCell cell, DecisionOutcome outcome) => new(cell, outcome.Events.Count > 0, outcome.Rejection);
}
