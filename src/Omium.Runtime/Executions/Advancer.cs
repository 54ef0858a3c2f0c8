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

    /// <summary>Begins the key under which an effect's raw result is put aside.</summary>
    public const string RawResultPrefix = "result.";

    private const int ConflictsMax = 50, PageRecords = 1_000;
    private readonly ConcurrentDictionary<StreamId, ExecutionCell> _cells = new();
    private readonly HistoryReader _history = new(log, keys);
    private long _uses;
    private int _cellCount;
    private int _evicting;

    /// <summary>Raised after each append, in order per stream, outside any lock that callers could wait for.</summary>
    public event Action<ExecutionCell, LogRecord, RecordBody>? Appended;

    /// <summary>Time now, Unix ms: what hosts put into commands.</summary>
    public long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The newest version of a saved workflow; null when there is none of that name.</summary>
    public ValueTask<ChildVersion?> FindWorkflowAsync(string tenant, string name, CancellationToken cancellation = default) => plans.FindNewestAsync(tenant, name, cancellation);

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
        if (await FindAsync(stream, cancellation) is not { DataKey: { } key, Lineage: { } lineage })
        {
            return [];
        }

        var records = await _history.ReadAsync(lineage, afterSeq, countMax, cancellation);
        return [.. records.Select(found => (Numbered(found.Segment, found.Stored), RecordCodec.Decode(found.Segment.Stream, found.Stored, key)))];
    }

    /// <summary>
    /// The state after the first <paramref name="count"/> records: the nearest snapshot and what follows it. Calls no tool and no model. In a fork,
    /// the state before its own first record is that of its source.
    /// </summary>
    public async ValueTask<ExecutionState> StateAtAsync(ExecutionCell cell, long count, CancellationToken cancellation = default)
    {
        if (count == cell.Seq && cell.State is var now && count == cell.Seq)
        {
            return now;
        }

        var (seq, state) = cell.Snapshots.Before(count);
        while (seq < count && await ReadAsync(cell.Stream, seq, (int)Math.Min(PageRecords, count - seq), cancellation) is { Count: > 0 } page)
        {
            foreach (var (record, body) in page)
            {
                state = ExecutionKernel.Fold(state, body);
                seq = record.Seq;
                cell.Snapshots.Offer(seq, state);
            }
        }

        return state;
    }

    private static LogRecord Numbered(Segment segment, LogRecord stored) => segment.Offset == 0 ? stored : stored with { Seq = segment.Offset + stored.Seq };

    /// <summary>A payload of an execution, opened; null when it is not there.</summary>
    public async ValueTask<byte[]?> ReadPayloadAsync(ExecutionCell cell, string key, CancellationToken cancellation = default) =>
        cell.DataKey is { } dataKey && await payloads.GetAsync(cell.Stream.Tenant, ScopeOf(cell, key).Id, key, cancellation) is { } closed
            ? Seal.Open(dataKey, closed, PayloadContext(ScopeOf(cell, key), key))
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
            switch (command)
            {
                case StartExecution start:
                    cell.Plan = await plans.GetAsync(start.Tenant, start.SpecDigest, cancellation);
                    cell.Lineage = Lineage.Of(cell.Stream);
                    break;
                case ForkExecution fork when await TryBeginForkAsync(cell, fork, cancellation):
                    break;
                default:
                    return AdvanceResult.Of(cell, DecisionRejected);
            }
        }

        var values = await ValuesAsync(cell, command, given, cancellation);
        var before = cell.State;
        var outcome = ExecutionKernel.Decide(before, command, values);
        var isFirst = cell.Seq == cell.Offset;
        if (outcome.Events.Count == 0)
        {
            if (isFirst)
            {
                cell.Reset();
            }

            return AdvanceResult.Of(cell, outcome);
        }

        var after = outcome.State!;
        // A migration: from here on the run is decided by the version it moved to.
        var plan = after.SpecDigest == before.SpecDigest ? cell.Plan! : await plans.GetAsync(cell.Stream.Tenant, after.SpecDigest, cancellation);
        var pending = ExecutionKernel.Pending(after, plan);
        cell.DataKey ??= Seal.NewKey();
        var body = new RecordBody(command, outcome.Events);
        var appendId = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
        var record = RecordCodec.Encode(cell.Stream, cell.Seq + 1 - cell.Offset, cell.LastHash, cell.Cipher, appendId, body);
        var rows = IndexProjector.Rows(cell, isFirst ? after : before, after, outcome.Events, pending, command.AtMs);
        var append = new Append(cell.Stream, cell.Seq - cell.Offset, record)
        {
            StreamKey = isFirst ? StreamKeyOf(cell) : null,
            Payloads = SealAll(cell, outcome.Payloads, given),
            Index = rows,
        };
        var appended = await log.AppendAsync(append, cancellation);
        if (appended.Status == AppendStatus.Conflict)
        {
            if (isFirst)
            {
                cell.Reset();
            }

            return null;
        }

        (cell.State, cell.Seq, cell.LastHash, cell.Pending) = (after, cell.Offset + record.Seq, record.Hash, pending);
        cell.Plan = plan;
        cell.Snapshots.Offer(cell.Seq, after);
        if (rows.FirstOrDefault(row => row.Kind == IndexKinds.Execution) is { } row)
        {
            cell.ExecutionRow = row;
        }

        if (after.Ended && pending.Count == 0)
        {
            Drop(cell.Stream); // Nobody advances it by itself any more; a reader folds it anew.
        }

        Appended?.Invoke(cell, Numbered(cell.Lineage!.Own, record), body);
        return AdvanceResult.Of(cell, outcome);
    }

    private static readonly DecisionOutcome DecisionRejected =
        ExecutionKernel.Decide(ExecutionState.Empty, new WakeTimers(0), null!);

    private async ValueTask<DecisionValues> ValuesAsync(
        ExecutionCell cell, ExecutionCommand command, IReadOnlyDictionary<string, byte[]>? given, CancellationToken cancellation)
    {
        var target = command is MigrateExecution migrate ? await plans.GetAsync(cell.Stream.Tenant, migrate.SpecDigest, cancellation) : null;
        var values = new DecisionValues(cell.Plan!) { Target = target };
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
        new(ScopeOf(cell, key).Id, key, Seal.Close(cell.DataKey!, plain, PayloadContext(ScopeOf(cell, key), key)));

    /// <summary>Values are shared by all forks of one root; the raw result of an effect is its execution's own.</summary>
    private static StreamId ScopeOf(ExecutionCell cell, string key) => key.StartsWith(RawResultPrefix, StringComparison.Ordinal) ? cell.Stream : cell.Lineage?.Root ?? cell.Stream;

    /// <summary>A fork is sealed with its root's key: destroying that one erases the whole family, because all of it is about the same people.</summary>
    private byte[] StreamKeyOf(ExecutionCell cell) =>
        cell.Lineage is { IsFork: true } lineage ? ForkMarker.Write(lineage.Root.Id, cell.State.ExecutionId, cell.Offset) : keys.Wrap(cell.DataKey!);

    /// <summary>Puts a cell where its source stood after the records that the fork begins with. False: there is no such place.</summary>
    private async ValueTask<bool> TryBeginForkAsync(ExecutionCell cell, ForkExecution fork, CancellationToken cancellation)
    {
        if (fork.From == cell.Stream.Id || await FindAsync(new StreamId(cell.Stream.Tenant, fork.From), cancellation) is not { Lineage: { } lineage } source || fork.At < 1 || fork.At > source.Seq
            || await ReadAsync(source.Stream, fork.At - 1, 1, cancellation) is not [var last] || Convert.ToHexStringLower(last.Record.Hash) != fork.SourceHash)
        {
            return false;
        }

        var state = await StateAtAsync(source, fork.At, cancellation);
        (cell.State, cell.Seq, cell.LastHash, cell.DataKey) = (state, fork.At, last.Record.Hash, source.DataKey);
        cell.Lineage = lineage.ForkAt(fork.At, cell.Stream);
        cell.Plan = await plans.GetAsync(cell.Stream.Tenant, state.SpecDigest, cancellation);
        return true;
    }

    internal static byte[] PayloadContext(StreamId stream, string key) => System.Text.Encoding.UTF8.GetBytes($"{stream}#{key}");

    private async ValueTask LoadAsync(ExecutionCell cell, CancellationToken cancellation)
    {
        var (state, seq, hash) = (cell.State, cell.Seq, cell.LastHash);
        if (cell.DataKey is null || seq == 0)
        {
            (cell.Lineage, var wrapped) = await _history.LineageAsync(cell.Stream, cancellation);
            cell.DataKey = _history.Unwrap(wrapped);
        }

        while (cell.DataKey is not null)
        {
            var page = await _history.ReadAsync(cell.Lineage!, seq, PageRecords, cancellation);
            foreach (var (segment, record) in page)
            {
                if (!record.PrevHash.AsSpan().SequenceEqual(hash))
                {
                    throw new CorruptLogException($"{cell.Stream}: record {record.Seq} does not follow the one before it");
                }

                state = ExecutionKernel.Fold(state, RecordCodec.Decode(segment.Stream, record, cell.DataKey));
                (seq, hash) = (segment.Offset + record.Seq, record.Hash);
                cell.Snapshots.Offer(seq, state);
            }

            if (page.Count < PageRecords)
            {
                break;
            }
        }

        if (seq > 0)
        {
            cell.Plan = await plans.GetAsync(cell.Stream.Tenant, state.SpecDigest, cancellation);
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
