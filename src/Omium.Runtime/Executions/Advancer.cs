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
    public int CellsMax
    {
        get => _cells.CellsMax;
        init => _cells.CellsMax = value;
    }

    private readonly StreamAppender _appender = new(log, keys);

    private readonly CellCache<ExecutionCell> _cells = new(stream => new ExecutionCell(stream));

    /// <summary>Raised after each append, in order per stream, outside any lock that callers could wait for.</summary>
    public event Action<ExecutionCell, LogRecord, RecordBody>? Appended;

    /// <summary>Time now, Unix ms: what hosts put into commands.</summary>
    public long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Decides and records a command. <paramref name="given"/>: payloads the caller has at hand (digest to value), already stored or to be stored with this record.</summary>
    public async ValueTask<AdvanceResult> AdvanceAsync(
        StreamId stream, ExecutionCommand command, IReadOnlyDictionary<string, byte[]>? given = null, CancellationToken cancellation = default)
    {
        var advanced = await StreamAppender.RunAsync(_cells.Of(stream), LoadAsync, (cell, cancel) => TryAdvanceAsync(cell, command, given, cancel), cancellation);
        return advanced.Result;
    }

    /// <summary>The cell of an execution, loaded; null when there is no such stream.</summary>
    public async ValueTask<ExecutionCell?> FindAsync(StreamId stream, CancellationToken cancellation = default)
    {
        var cell = _cells.Of(stream);
        await StreamAppender.EnsureFreshAsync(cell, LoadAsync, cancellation);
        if (cell.Seq == 0)
        {
            _cells.Drop(stream);
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

    private async ValueTask<Advanced?> TryAdvanceAsync(
        ExecutionCell cell, ExecutionCommand command, IReadOnlyDictionary<string, byte[]>? given, CancellationToken cancellation)
    {
        if (cell.Plan is null)
        {
            if (command is not StartExecution start)
            {
                return new Advanced(AdvanceResult.Of(cell, DecisionRejected));
            }

            cell.Plan = await plans.GetAsync(start.Tenant, start.SpecDigest, cancellation);
        }

        var values = await ValuesAsync(cell, command, given, cancellation);
        var before = cell.State;
        var outcome = ExecutionKernel.Decide(before, command, values);
        if (outcome.Events.Count == 0)
        {
            return new Advanced(AdvanceResult.Of(cell, outcome));
        }

        var after = outcome.State!;
        var pending = ExecutionKernel.Pending(after, cell.Plan);
        var body = new RecordBody(command, outcome.Events);
        var rows = IndexProjector.Rows(cell, before, after, outcome.Events, pending, command.AtMs);
        var record = await _appender.AppendAsync(
            cell, RecordCodec.EnvelopeOf(body), KernelJson.Serialize(body), () => SealAll(cell, outcome.Payloads, given), rows, cancellation);
        if (record is null)
        {
            return null;
        }

        (cell.State, cell.Pending) = (after, pending);
        if (rows.FirstOrDefault(row => row.Kind == IndexKinds.Execution) is { } row)
        {
            cell.ExecutionRow = row;
        }

        if (after.Ended && pending.Count == 0)
        {
            _cells.Drop(cell.Stream); // Nobody advances it by itself any more; a reader folds it anew.
        }

        Appended?.Invoke(cell, record, body);
        return new Advanced(AdvanceResult.Of(cell, outcome));
    }

    /// <summary>A result that can be absent.</summary>
    private sealed record Advanced(AdvanceResult Result);

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
        var state = cell.State;
        var (seq, hash) = await _appender.ReadOnAsync(cell, (_, body) => state = ExecutionKernel.Fold(state, KernelJson.Deserialize(body)), cancellation);
        if (seq > 0)
        {
            cell.Plan ??= await plans.GetAsync(cell.Stream.Tenant, state.SpecDigest, cancellation);
            cell.Pending = ExecutionKernel.Pending(state, cell.Plan);
        }

        (cell.State, cell.Seq, cell.LastHash, cell.Fresh) = (state, seq, hash, true);
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
