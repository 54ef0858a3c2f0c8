using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Runtime.Audit;
using Omium.Runtime.Payloads;
using Omium.Runtime.Ports;
using Omium.Runtime.Search;
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

    /// <summary>What makes executions and failures found by their words; null = they are not.</summary>
    public SearchTerms? Search { get; init; }

    /// <summary>
    /// True (default): no other process writes to this log, so what this one has cached is what is there. False: each reading looks for what others
    /// have appended since (a decision always does, by the place that it appends at).
    /// </summary>
    public bool IsAlone { get; init; } = true;

    private readonly StateSnapshots _snapshots = new();
    private readonly PayloadVault _vault = new(payloads);
    private readonly StreamAppender _appender = new(log, keys, time);
    private readonly HistoryReader _history = new(log, keys);
    private readonly CellCache<ExecutionCell> _cells = new(stream => new ExecutionCell(stream));

    /// <summary>Raised after each append, in order per stream, outside any lock that callers could wait for.</summary>
    public event Action<ExecutionCell, LogRecord, RecordBody>? Appended;

    /// <summary>Raised when an execution was forgotten: who keeps anything made of it forgets it too.</summary>
    public event Action<StreamId>? Forgotten;

    /// <summary>That the store does not take records at present, as far as this process has tried; null when it took the last one.</summary>
    public StorageAlarm? StorageAlarm => Storage.Alarm;

    /// <summary>What the store says to each write; default: to this writer's. Writers of the same store are given the same one.</summary>
    public StorageWatch Storage
    {
        get => _appender.Watch;
        init => _appender.Watch = value;
    }

    internal TimeProvider Time => time;

    /// <summary>Time now, Unix ms: what hosts put into commands.</summary>
    public long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The newest version of a saved workflow, as an execution that starts now is pinned to it; null when there is none of that name.</summary>
    public ValueTask<ChildVersion?> FindWorkflowAsync(string tenant, string name, CancellationToken cancellation = default) => plans.FindNewestAsync(tenant, name, cancellation);

    /// <summary>Decides and records a command. <paramref name="given"/>: payloads the caller has at hand (digest to value), already stored or to be stored with this record.</summary>
    public ValueTask<AdvanceResult> AdvanceAsync(
        StreamId stream, ExecutionCommand command, IReadOnlyDictionary<string, byte[]>? given = null, CancellationToken cancellation = default) =>
        StreamAppender.RunAsync(_cells, stream, LoadAsync, (cell, cancel) => TryAdvanceAsync(cell, command, given, cancel), static answer => answer.Changed, cancellation);

    /// <summary>The cell of an execution, loaded; null when there is no such stream.</summary>
    public async ValueTask<ExecutionCell?> FindAsync(StreamId stream, CancellationToken cancellation = default)
    {
        var cell = await StreamAppender.FindAsync(_cells, stream, LoadAsync, current: !IsAlone, cancellation);
        return cell.Seq > 0 ? cell : null;
    }

    /// <summary>The same with every record that is in the log by now. Where several processes write, what is cached may lag behind: nothing is taken from others on its word.</summary>
    public async ValueTask<ExecutionCell?> FindCurrentAsync(StreamId stream, CancellationToken cancellation = default)
    {
        var cell = await StreamAppender.FindAsync(_cells, stream, LoadAsync, current: true, cancellation);
        return cell.Seq > 0 ? cell : null;
    }

    /// <summary>
    /// Forgets what is cached of an execution and of its forks: the next use reads the log. After an erasure of their root nobody reads what is sealed
    /// with its key any more, out of no cell either.
    /// </summary>
    public void Forget(StreamId stream)
    {
        foreach (var member in _cells.Where(cell => cell.Root == stream).Append(stream).Distinct())
        {
            _cells.Forget(member);
            _snapshots.Forget(member);
        }

        Forgotten?.Invoke(stream);
    }

    /// <summary>Opened records after <paramref name="afterSeq"/>, each with its body; a fork's history begins with its source's.</summary>
    public async ValueTask<IReadOnlyList<(LogRecord Record, RecordBody Body)>> ReadAsync(StreamId stream, long afterSeq, int countMax, CancellationToken cancellation = default)
    {
        if (await FindAsync(stream, cancellation) is not { DataKey: { } key, Lineage: { } lineage })
        {
            return [];
        }

        var records = await _history.ReadAsync(lineage, afterSeq, countMax, cancellation);
        var bodies = RecordCodec.DecodeAll(records, key, body => KernelJson.Deserialize(body));
        return [.. records.Select((found, index) => (found.Segment.Numbered(found.Stored), bodies[index]))];
    }

    /// <summary>
    /// The state after the first <paramref name="seq"/> records: from the nearest snapshot on, which costs the same anywhere in a long history. In a
    /// fork, the state before its own first record is that of its source.
    /// </summary>
    public async ValueTask<ExecutionState> StateAtAsync(StreamId stream, long seq, CancellationToken cancellation = default)
    {
        if (await FindAsync(stream, cancellation) is not { DataKey: { } key, Lineage: { } lineage })
        {
            return ExecutionState.Empty;
        }

        if (lineage.SegmentOf(seq).Stream is var source && source != stream)
        {
            return await StateAtAsync(source, seq, cancellation);
        }

        var (at, state) = _snapshots.Nearest(stream, seq);
        if (lineage.IsFork && at < lineage.Own.Offset)
        {
            (at, state) = (lineage.Own.Offset, await StateAtAsync(lineage.SegmentOf(lineage.Own.Offset).Stream, lineage.Own.Offset, cancellation));
        }

        while (at < seq)
        {
            var page = await _history.ReadAsync(lineage, at, (int)Math.Min(StateSnapshots.Interval, seq - at), cancellation);
            if (page.Count == 0)
            {
                break;
            }

            var bodies = RecordCodec.DecodeAll(page, key, body => KernelJson.DeserializeEvents(body));
            for (var index = 0; index < bodies.Length; index++)
            {
                state = ExecutionKernel.Fold(state, bodies[index]);
                at = page[index].Segment.Numbered(page[index].Stored).Seq;
                _snapshots.Offer(stream, at, state);
            }
        }

        return state;
    }

    /// <summary>A payload of an execution, whole; null when it is not there.</summary>
    public ValueTask<byte[]?> ReadPayloadAsync(ExecutionCell cell, string key, CancellationToken cancellation = default) => _vault.ReadAsync(cell, key, cancellation);

    /// <summary>Stores bytes apart from an append (the raw result of an effect, before its record). True when they were not there before.</summary>
    public async ValueTask<bool> StorePayloadAsync(ExecutionCell cell, string key, byte[] plain, CancellationToken cancellation = default) =>
        await _appender.WriteAsync(payloads.PutIfAbsentAsync(cell.Stream.Tenant, PayloadVault.Close(cell, key, plain), cancellation));

    /// <summary>Stores values, by the SHA-256 of their canonical bytes, before the command that refers to them: durable when it returns.</summary>
    public async ValueTask StoreValuesAsync(ExecutionCell cell, IReadOnlyDictionary<string, byte[]> values, CancellationToken cancellation = default)
    {
        await cell.Gate.EnterAsync(cancellation);
        try
        {
            var parts = await _vault.TakeApartAsync(cell, values, cancellation);
            foreach (var part in parts)
            {
                await _appender.WriteAsync(payloads.PutIfAbsentAsync(cell.Stream.Tenant, part, cancellation));
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
        if (cell.Plan is null && !await TryBeginAsync(cell, command, cancellation))
        {
            return AdvanceResult.Of(cell, DecisionRejected);
        }

        if (command.AtMs < cell.State.UpdatedMs)
        {
            command = command with { AtMs = cell.State.UpdatedMs }; // The times of a stream never run backwards, whatever a host's clock does.
        }

        var values = await ValuesAsync(cell, command, given, cancellation);
        var before = cell.State;
        var outcome = ExecutionKernel.Decide(before, command, values);
        while (outcome.Wishes.Count > 0 && await GrantAsync(cell, outcome.Wishes, values, given, cancellation))
        {
            outcome = ExecutionKernel.Decide(before, command, values);
        }

        var isFirst = cell.IsUnborn;
        if (outcome.Events.Count == 0)
        {
            if (isFirst)
            {
                cell.Reset();
            }

            return AdvanceResult.Of(cell, outcome);
        }

        var after = outcome.State!;
        // After a migration the run is decided by the version it moved to.
        var plan = after.SpecDigest == before.SpecDigest ? cell.Plan! : await plans.GetAsync(cell.Stream.Tenant, after.SpecDigest, cancellation);
        var pending = ExecutionKernel.Pending(after, plan);
        var body = new RecordBody(command, outcome.Events);
        var (rows, failures) = IndexProjector.Rows(cell, after, outcome.Events, pending, command.AtMs);
        if (Search is not null)
        {
            rows = await SearchProjector.WithTermsAsync(
                Search, cell.Lineage is { IsFork: true }, after, rows, () => IndexProjector.ExecutionRow(cell, after, outcome.Events, pending), outcome.Events, cancellation);
        }

        if (ExecutionAudit.Owed(after, cell.Seq + 1, command, outcome.Events) is { } owed)
        {
            rows = [.. rows, owed];
        }

        IReadOnlyList<SealedPayload> stored = [];
        var extras = new AppendExtras(
            rows,
            outcome.Payloads.Count == 0 && given is null or { Count: 0 }
                ? null
                : async () => stored = await _vault.TakeApartAsync(cell, given is null ? outcome.Payloads : outcome.Payloads.Concat(given), cancellation),
            RawResults.SettledBy(command),
            isFirst && cell.Lineage is { IsFork: true } lineage ? ForkMarker.Write(lineage.Root.Id, before.ExecutionId, cell.Offset) : null);
        var record = await _appender.AppendAsync(cell, RecordCodec.EnvelopeOf(body), KernelJson.Serialize(body), extras, cancellation);
        if (record is null)
        {
            return isFirst && await IsErasedAsync(cell, cancellation) ? new AdvanceResult(cell, false, AdvanceResult.Erased(cell.Stream)) : null;
        }

        PayloadVault.Remember(cell, stored);
        (cell.State, cell.Plan, cell.Pending, cell.Failures) = (after, plan, pending, failures);
        _snapshots.Offer(cell.Stream, cell.Seq, after);
        if (rows.FirstOrDefault(row => row.Kind == IndexKinds.Execution) is { } row)
        {
            cell.ExecutionRow = row with { Terms = null };
        }

        if (after.Ended && pending.Count == 0)
        {
            _cells.Drop(cell); // Nobody advances it by itself any more; a reader folds it anew.
        }

        Appended?.Invoke(cell, record, body);
        return AdvanceResult.Of(cell, outcome);
    }

    /// <summary>Asked of a stream that a first record found taken: no key opens what stands there.</summary>
    private async ValueTask<bool> IsErasedAsync(ExecutionCell cell, CancellationToken cancellation) => (await _history.FindAsync(cell.Stream, cancellation)).DataKey is null;

    private static readonly DecisionOutcome DecisionRejected =
        ExecutionKernel.Decide(ExecutionState.Empty, new WakeTimers(0), null!);

    private async ValueTask<DecisionValues> ValuesAsync(
        ExecutionCell cell, ExecutionCommand command, IReadOnlyDictionary<string, byte[]>? given, CancellationToken cancellation)
    {
        var target = command is MigrateExecution migrate ? await plans.GetAsync(cell.Stream.Tenant, migrate.SpecDigest, cancellation) : null;
        var values = new DecisionValues(cell.Plan!) { Target = target };
        foreach (var digest in ExecutionKernel.Needs(cell.State, command, cell.Plan!))
        {
            if (await ReadAsync(cell, digest, given, cancellation) is { } bytes)
            {
                values.TryGive(digest, CanonicalJson.ParseTrusted(bytes));
            }
        }

        return values;
    }

    /// <summary>Gives a decision what it wished for; false when there is none of it.</summary>
    private async ValueTask<bool> GrantAsync(
        ExecutionCell cell, IReadOnlyList<PayloadWish> wishes, DecisionValues values, IReadOnlyDictionary<string, byte[]>? given, CancellationToken cancellation)
    {
        var hasGiven = false;
        foreach (var wish in wishes)
        {
            if (await ReadAsync(cell, wish.Digest, given, cancellation) is { } bytes)
            {
                hasGiven |= values.TryGive(wish, CanonicalJson.ParseTrusted(bytes));
            }
        }

        return hasGiven;
    }

    private async ValueTask<byte[]?> ReadAsync(ExecutionCell cell, string digest, IReadOnlyDictionary<string, byte[]>? given, CancellationToken cancellation) =>
        given is not null && given.TryGetValue(digest, out var known) ? known : await ReadPayloadAsync(cell, digest, cancellation);

    /// <summary>Makes a cell ready for the first record of its stream. False: the command is none that begins one, or there is no such place to fork.</summary>
    private async ValueTask<bool> TryBeginAsync(ExecutionCell cell, ExecutionCommand command, CancellationToken cancellation)
    {
        switch (command)
        {
            case StartExecution start:
                cell.Plan = await plans.GetAsync(start.Tenant, start.SpecDigest, cancellation);
                return true;
            case ForkExecution fork:
                return await TryBeginForkAsync(cell, fork, cancellation);
            default:
                return false;
        }
    }

    /// <summary>
    /// Puts a cell where its source stood after the records that the fork begins with. A fork is sealed with its root's key: destroying that one
    /// erases the whole family, because all of it is about the same people.
    /// </summary>
    private async ValueTask<bool> TryBeginForkAsync(ExecutionCell cell, ForkExecution fork, CancellationToken cancellation)
    {
        if (fork.From == cell.Stream.Id || await FindAsync(new StreamId(cell.Stream.Tenant, fork.From), cancellation) is not { DataKey: { } key, Lineage: { } lineage } source
            || fork.At < 1 || fork.At > source.Seq
            || await ReadAsync(source.Stream, fork.At - 1, 1, cancellation) is not [var last] || Convert.ToHexStringLower(last.Record.Hash) != fork.SourceHash)
        {
            return false;
        }

        var state = await StateAtAsync(source.Stream, fork.At, cancellation);
        var plan = await plans.GetAsync(cell.Stream.Tenant, state.SpecDigest, cancellation);
        (cell.State, cell.Plan, cell.DataKey, cell.Lineage) = (state, plan, key, lineage.ForkAt(fork.At, cell.Stream));
        (cell.Seq, cell.LastHash) = (fork.At, last.Record.Hash);
        return true;
    }

    private async ValueTask LoadAsync(ExecutionCell cell, CancellationToken cancellation)
    {
        // What has ended may be erased by another process, and its key must then be forgotten here as well.
        if (cell.IsUnborn || (!IsAlone && cell.State.Ended && await log.ReadKeyAsync(cell.Root, cancellation) is null))
        {
            cell.Reset(); // What was prepared for a first record that was not written is not there.
        }

        var (state, failures) = (cell.State, cell.Failures);
        var (seq, hash) = await _appender.ReadOnAsync(
            cell,
            body => KernelJson.DeserializeEvents(body),
            (record, body) =>
            {
                state = ExecutionKernel.Fold(state, body);
                if (record.Seq > cell.Offset)
                {
                    failures = failures.After(state, body.Events, body.AtMs).Ledger;
                    _snapshots.Offer(cell.Stream, record.Seq, state);
                }
            },
            cancellation);
        if (seq > 0)
        {
            cell.Plan = await plans.GetAsync(cell.Stream.Tenant, state.SpecDigest, cancellation);
            cell.Pending = ExecutionKernel.Pending(state, cell.Plan);
        }

        if (seq != cell.Seq)
        {
            cell.ExecutionRow = null; // Another writer was here: what the index says now is not known.
        }

        (cell.State, cell.Failures, cell.Seq, cell.LastHash, cell.Fresh) = (state, failures, seq, hash, true);
    }
}

/// <summary>What an advance came to.</summary>
/// <param name="Cell">The cell after it.</param>
/// <param name="Changed">True when something was recorded.</param>
/// <param name="Rejection">Why the command was refused; null when it was accepted.</param>
public sealed record AdvanceResult(ExecutionCell Cell, bool Changed, Rejection? Rejection)
{
    /// <summary>Code of the refusal to begin what was there before and has been erased; the same that any other command to it is refused with.</summary>
    public const string ErasedCode = "execution_not_found";

    internal static Rejection Erased(StreamId stream) => new(ErasedCode, $"{stream.Id} was begun before, and has been erased since: begin another, under another key");

    internal static AdvanceResult Of(ExecutionCell cell, DecisionOutcome outcome) => new(cell, outcome.Events.Count > 0, outcome.Rejection);
}
