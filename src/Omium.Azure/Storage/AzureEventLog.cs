using Omium.Runtime.Ports;

namespace Omium.Azure.Storage;

/// <summary>
/// The event log on Azure Tables: partition = stream, row = place in twenty digits, insert-only. Who inserts the row has the place; nobody ever
/// changes or removes it, so that a place once seen taken stays taken. Safe for use by many threads and processes.
/// </summary>
/// <remarks>See <see cref="AzureStore"/> for what happens when a process dies inside an append.</remarks>
public sealed class AzureEventLog : IEventLog
{
    private const int StreamsMax = 50_000;
    private readonly RecordTable _records;
    private readonly AzurePayloadStore _payloads;
    private readonly AzureIndex _index;
    private readonly StreamMarks _marks;
    private readonly Outbox _outbox;
    private readonly AzureStoreOptions _options;

    // Ends of streams as this process made or saw them. An entry is out of the cache while an append is under way: after a failure nothing is assumed.
    private readonly BoundedCache<StreamId, StreamEnd> _ends = new(StreamsMax);

    internal AzureEventLog(RecordTable records, AzurePayloadStore payloads, AzureIndex index, StreamMarks marks, Outbox outbox, AzureStoreOptions options) =>
        (_records, _payloads, _index, _marks, _outbox, _options) = (records, payloads, index, marks, outbox, options);

    /// <inheritdoc/>
    /// <exception cref="StorageUnavailableException">The service did not answer; repeat the append with the same append id.</exception>
    public async Task<AppendOutcome> AppendAsync(Append append, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(append);
        var (stream, expected) = (append.Stream, append.ExpectedSeq);
        if (expected < 0 || append.Record.Seq != expected + 1 || (append.StreamKey is not null && expected != 0))
        {
            throw new ArgumentException("The append contradicts itself.", nameof(append));
        }

        cancellation.ThrowIfCancellationRequested();
        if (!_ends.TryTake(stream, out var end))
        {
            end = StreamEnd.Unknown;
        }

        if (end.Seq > expected)
        {
            return await TakenAsync(append, end.Seq, MarksSet.None, cancellation);
        }

        if (end.Seq < expected)
        {
            if (await _records.GetAsync(stream, expected, cancellation) is not { } before)
            {
                return new AppendOutcome(AppendStatus.Conflict, await _records.FindEndAsync(stream, end.Seq, cancellation));
            }

            // Who wrote it may have died before its listings. Nobody appends before those of the record before are in order: so at most the last ones are not.
            await _index.ProjectAsync(stream, before.Record.Seq, before.Index, cancellation);
            end = StreamEnd.Unknown with { Seq = expected };
        }

        return await InsertAsync(append, end, cancellation);
    }

    /// <inheritdoc/>
    /// <exception cref="StorageCorruptException">A record's bytes are not all there, or a place is missing.</exception>
    public async Task<IReadOnlyList<LogRecord>> ReadAsync(StreamId stream, long afterSeq, int countMax, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(countMax);
        var records = await _records.ReadAsync(stream, afterSeq, countMax, cancellation);
        var expected = Math.Max(0, afterSeq);
        foreach (var stored in records)
        {
            if (stored.Record.Seq != ++expected)
            {
                throw new StorageCorruptException($"OM5005 storage_corrupt: {stream} has no record {expected}, but one behind it.");
            }
        }

        return [.. records.Select(stored => stored.Record)];
    }

    /// <inheritdoc/>
    public Task<byte[]?> ReadKeyAsync(StreamId stream, CancellationToken cancellation = default) => _records.ReadKeyAsync(stream, cancellation);

    /// <inheritdoc/>
    /// <remarks>The row is gone at once for every reader; the service's own copies follow its documented deletion.</remarks>
    public Task DestroyKeyAsync(StreamId stream, CancellationToken cancellation = default) => _records.DeleteKeyAsync(stream, cancellation);

    /// <summary>Puts the listings of a stream's last record in order. Answers the stream's end; 0 when there is no such stream.</summary>
    internal async Task<long> RepairAsync(StreamId stream, CancellationToken cancellation)
    {
        var end = await _records.FindEndAsync(stream, 0, cancellation);
        if (end > 0 && await _records.GetAsync(stream, end, cancellation) is { } last)
        {
            await _index.ProjectAsync(stream, end, last.Index, cancellation);
        }

        return end;
    }

    /// <summary>Removes the mark of a stream as it was read.</summary>
    internal Task UnmarkAsync(StreamMark mark, CancellationToken cancellation) => _marks.RemoveAsync(mark, cancellation);

    private async Task<AppendOutcome> InsertAsync(Append append, StreamEnd end, CancellationToken cancellation)
    {
        var own = append.StreamKey is null ? [] : append.Payloads.Where(payload => payload.Scope == append.Stream.Id).ToList();
        if (append.Payloads.Count > 0)
        {
            if (!end.IsOwn && await _records.ExistsAsync(append.Stream, append.Record.Seq, cancellation))
            {
                return await TakenAsync(append, append.Record.Seq, MarksSet.None, cancellation); // Spares the blobs of an append that is lost already.
            }

            await Task.WhenAll(append.Payloads.Select(payload => own.Contains(payload)
                ? _payloads.PutOwnAsync(append.Stream, append.Record.AppendId, payload, cancellation)
                : _payloads.PutIfAbsentAsync(append.Stream.Tenant, payload, cancellation)));
        }

        var rows = await _records.WriteAsync(append, [.. own.Select(payload => payload.Key)], cancellation);
        if (HasOutboxEvent(append.Record))
        {
            await _outbox.MarkAsync(append.Stream, append.Record.Seq, cancellation);
        }

        var marked = await _marks.MarkAsync(append, end.Active, cancellation);
        if (!(await _records.InsertAsync(rows, cancellation)).IsDone)
        {
            return await TakenAsync(append, append.Record.Seq, marked, cancellation);
        }

        await FinishAsync(append, append.Index, marked, cancellation);
        _ends.Set(append.Stream, new StreamEnd(append.Record.Seq, IsOwn: true, marked.StillActive));
        return new AppendOutcome(AppendStatus.Appended, append.Record.Seq);
    }

    /// <summary>The place is taken: by this very append, whose answer was lost or which was sent twice, or by another writer's.</summary>
    private async Task<AppendOutcome> TakenAsync(Append append, long endAtLeast, MarksSet marked, CancellationToken cancellation)
    {
        var there = await _records.GetAsync(append.Stream, append.Record.Seq, cancellation);
        var end = await _records.FindEndAsync(append.Stream, there is null ? 0 : endAtLeast, cancellation);
        if (there?.Record.AppendId != append.Record.AppendId)
        {
            return new AppendOutcome(AppendStatus.Conflict, end);
        }

        await FinishAsync(append, there.Index, end == append.Record.Seq ? marked : MarksSet.None, cancellation);
        return new AppendOutcome(AppendStatus.Appended, end);
    }

    /// <summary>What follows a record. All of it may be done again.</summary>
    private async Task FinishAsync(Append append, IReadOnlyList<IndexRow> index, MarksSet marked, CancellationToken cancellation)
    {
        await Task.WhenAll(
        [
            _index.ProjectAsync(append.Stream, append.Record.Seq, index, cancellation),
            .. append.RemovedPayloads.Select(key => _payloads.RemoveAsync(append.Stream, key, cancellation)),
        ]);
        foreach (var mark in marked.Superfluous)
        {
            await _marks.RemoveAsync(mark, cancellation);
        }
    }

    private bool HasOutboxEvent(LogRecord record) =>
        _options.OutboxEvents.Count > 0 && record.EventTypes.Split(' ').Any(_options.OutboxEvents.Contains);

    /// <summary>What this process knows of a stream's end.</summary>
    /// <param name="Seq">The last place known to be taken.</param>
    /// <param name="IsOwn">True when this process appended that record itself, so that the next place is probably free.</param>
    /// <param name="Active">Marks that stand since this process's own last append, by execution.</param>
    private sealed record StreamEnd(long Seq, bool IsOwn, IReadOnlyDictionary<string, StreamMark> Active)
    {
        public static readonly StreamEnd Unknown = new(0, IsOwn: false, new Dictionary<string, StreamMark>());
    }
}
