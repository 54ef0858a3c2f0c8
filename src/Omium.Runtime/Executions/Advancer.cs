using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Runtime.Payloads;
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

    private const int ConflictsMax = 50, PageRecords = 1_000, AppendTriesMax = 4;
    private readonly ConcurrentDictionary<StreamId, ExecutionCell> _cells = new();
    private readonly StateSnapshots _snapshots = new();
    private readonly PayloadVault _vault = new(payloads);
    private long _uses;
    private int _cellCount;
    private int _evicting;
    private StorageAlarm? _storageAlarm;

    /// <summary>Raised after each append, in order per stream, outside any lock that callers could wait for.</summary>
    public event Action<ExecutionCell, LogRecord, RecordBody>? Appended;

    /// <summary>That the store does not take records at present, as far as this process has tried; null when it took the last one.</summary>
    public StorageAlarm? StorageAlarm => Volatile.Read(ref _storageAlarm);
    internal TimeProvider Time => time;

    /// <summary>Time now, Unix ms: what hosts put into commands.</summary>
    public long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Decides and records a command. <paramref name="given"/>: payloads the caller has at hand (digest to value), already stored or to be stored with this record.</summary>
    public async ValueTask<AdvanceResult> AdvanceAsync(
        StreamId stream, ExecutionCommand command, IReadOnlyDictionary<string, byte[]>? given = null, CancellationToken cancellation = default)
    {
        var cell = await EnterAsync(stream, cancellation);
        try
        {
            var loaded = false;
            for (var conflicts = 0; ; conflicts++)
            {
                if (!cell.Fresh)
                {
                    await LoadAsync(cell, cancellation);
                    loaded = true;
                }

                var seq = cell.Seq;
                if (await TryAdvanceAsync(cell, command, given, cancellation) is { } result)
                {
                    if (result.Changed || loaded)
                    {
                        return result;
                    }

                    // Nothing came of it, so no append has shown whether another writer was here meanwhile: what is refused must be refused by
                    // the log, not by a cache.
                    await LoadAsync(cell, cancellation);
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
            cell.Gate.Exit();
        }
    }

    /// <summary>The cell of an execution, loaded; null when there is no such stream.</summary>
    public async ValueTask<ExecutionCell?> FindAsync(StreamId stream, CancellationToken cancellation = default)
    {
        var cell = CellOf(stream);
        if (cell is { Fresh: true, Seq: > 0 })
        {
            return cell;
        }

        cell = await EnterAsync(stream, cancellation);
        try
        {
            if (!cell.Fresh)
            {
                await LoadAsync(cell, cancellation);
            }

            if (cell.Seq > 0)
            {
                return cell;
            }

            Drop(cell);
            return null;
        }
        finally
        {
            cell.Gate.Exit();
        }
    }

    /// <summary>The cell of a stream, its gate held by the caller.</summary>
    private async ValueTask<ExecutionCell> EnterAsync(StreamId stream, CancellationToken cancellation)
    {
        while (true)
        {
            var cell = CellOf(stream);
            await cell.Gate.EnterAsync(cancellation);
            if (!cell.Dropped)
            {
                return cell;
            }

            cell.Gate.Exit();
        }
    }

    /// <summary>Forgets what is cached of an execution: the next use reads the log.</summary>
    public void Forget(StreamId stream)
    {
        if (_cells.TryGetValue(stream, out var cell))
        {
            Drop(cell);
        }

        _snapshots.Forget(stream);
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

    /// <summary>The state after the first <paramref name="seq"/> records: from the nearest snapshot on, which costs the same anywhere in a long history.</summary>
    public async ValueTask<ExecutionState> StateAtAsync(StreamId stream, long seq, CancellationToken cancellation = default)
    {
        var (at, state) = _snapshots.Nearest(stream, seq);
        while (at < seq)
        {
            var page = await ReadAsync(stream, at, (int)Math.Min(StateSnapshots.Interval, seq - at), cancellation);
            if (page.Count == 0)
            {
                break;
            }

            foreach (var (record, body) in page)
            {
                state = ExecutionKernel.Fold(state, body);
                at = record.Seq;
                _snapshots.Offer(stream, at, state);
            }
        }

        return state;
    }

    /// <summary>A payload of an execution, whole; null when it is not there.</summary>
    public ValueTask<byte[]?> ReadPayloadAsync(ExecutionCell cell, string key, CancellationToken cancellation = default) => _vault.ReadAsync(cell, key, cancellation);

    /// <summary>Stores bytes apart from an append (the raw result of an effect, before its record). True when they were not there before.</summary>
    public async ValueTask<bool> StorePayloadAsync(ExecutionCell cell, string key, byte[] plain, CancellationToken cancellation = default) =>
        await WriteAsync(payloads.PutIfAbsentAsync(cell.Stream.Tenant, PayloadVault.Close(cell, key, plain), cancellation));

    /// <summary>Stores values, by the SHA-256 of their canonical bytes, before the command that refers to them: durable when it returns.</summary>
    public async ValueTask StoreValuesAsync(ExecutionCell cell, IReadOnlyDictionary<string, byte[]> values, CancellationToken cancellation = default)
    {
        await cell.Gate.EnterAsync(cancellation);
        try
        {
            var parts = await _vault.TakeApartAsync(cell, values, cancellation);
            foreach (var part in parts)
            {
                await WriteAsync(payloads.PutIfAbsentAsync(cell.Stream.Tenant, part, cancellation));
            }

            PayloadVault.Remember(cell, parts);
        }
        finally
        {
            cell.Gate.Exit();
        }
    }

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

        if (command.AtMs < cell.State.UpdatedMs)
        {
            command = command with { AtMs = cell.State.UpdatedMs }; // The times of a stream never run backwards, whatever a host's clock does.
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
            Payloads = await _vault.TakeApartAsync(cell, given is null ? outcome.Payloads : outcome.Payloads.Concat(given), cancellation),
            RemovedPayloads = RawResults.SettledBy(command),
            Index = rows,
        };
        var appended = await AppendAsync(append, cancellation);
        if (appended.Status == AppendStatus.Conflict)
        {
            if (isFirst)
            {
                cell.DataKey = null;
            }

            return null;
        }

        PayloadVault.Remember(cell, append.Payloads);
        (cell.State, cell.Seq, cell.LastHash, cell.Pending) = (after, record.Seq, record.Hash, pending);
        _snapshots.Offer(cell.Stream, cell.Seq, after);
        if (rows.FirstOrDefault(row => row.Kind == IndexKinds.Execution) is { } row)
        {
            cell.ExecutionRow = row;
        }

        if (after.Ended && pending.Count == 0)
        {
            Drop(cell); // Nobody advances it by itself any more; a reader folds it anew.
        }

        Appended?.Invoke(cell, record, body);
        return AdvanceResult.Of(cell, outcome);
    }

    /// <summary>
    /// Appends, and raises or ends the alarm by what the store says. Where the answer was lost it asks again with the same append id, which the log
    /// recognises. Only an append that is known to have failed may be forgotten: an intent on record that its writer knows nothing of would be in
    /// doubt for nothing.
    /// </summary>
    private async ValueTask<AppendOutcome> AppendAsync(Append append, CancellationToken cancellation)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await WriteAsync(log.AppendAsync(append, cancellation));
            }
            catch (StorageUnavailableException error) when (error.Code == StorageUnavailableException.Failed && tries < AppendTriesMax)
            {
                // Whether it was appended is not known: the log will say.
            }
        }
    }

    /// <summary>Writes, and raises or ends the alarm by what the store says.</summary>
    private async ValueTask<T> WriteAsync<T>(Task<T> write)
    {
        try
        {
            var outcome = await write;
            if (_storageAlarm is not null)
            {
                Volatile.Write(ref _storageAlarm, null);
            }

            return outcome;
        }
        catch (StorageUnavailableException refused)
        {
            Volatile.Write(ref _storageAlarm, new StorageAlarm(refused.Code, refused.Message, StorageAlarm?.SinceUnixMs ?? NowMs));
            throw;
        }
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
                _snapshots.Offer(cell.Stream, seq, state);
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

        if (seq != cell.Seq)
        {
            cell.ExecutionRow = null; // Another writer was here: what the index says now is not known.
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

    /// <summary>Lets go of a cell; the caller holds its gate.</summary>
    private void Drop(ExecutionCell cell)
    {
        cell.Dropped = true;
        if (_cells.TryRemove(KeyValuePair.Create(cell.Stream, cell)))
        {
            Interlocked.Decrement(ref _cellCount);
        }
    }

    /// <summary>
    /// Drops the longest unused tenth. Those with work under way stay (one that only waits for a person has none); one that is dropped while somebody holds it is simply made anew by its next
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
            if (cell.Gate.TryEnter())
            {
                if (cell.Pending.All(effect => effect.Kind == PendingKind.Deadline))
                {
                    Drop(cell);
                }

                cell.Gate.Exit();
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
