using Omium.Runtime.Ports;
using Omium.Simulation.Running;
using Omium.Simulation.Scheduling;

namespace Omium.Simulation.Storage;

/// <summary>
/// The stores as one process sees them. A write is four steps (sent, written, synced, acknowledged) and a crash may come between any two; an
/// acknowledgement may be lost, and then the writer is told that the store failed though the write is in.
/// </summary>
internal sealed class ProcessStore(SimulatedStore store, Scheduler scheduler, SimulatedProcess process, Weather weather, Tally tally) : IEventLog, IPayloadStore, IDocumentStore, IIndex
{
    public Task<AppendOutcome> AppendAsync(Append append, CancellationToken cancellation = default) =>
        WriteAsync("append", append.Record.EventTypes, medium =>
        {
            var outcome = medium.Append(append);
            if (outcome.Status == AppendStatus.Conflict)
            {
                tally.Met("lost the race", append.Record.EventTypes);
            }

            return outcome;
        }, outcome =>
        {
            if (outcome.Status == AppendStatus.Appended)
            {
                store.Acknowledged.Add((append.Stream, append.Record.Seq, append.Record.AppendId));
            }
        });

    public Task<IReadOnlyList<LogRecord>> ReadAsync(StreamId stream, long afterSeq, int countMax, CancellationToken cancellation = default) =>
        ReadAsync("read", () => (IReadOnlyList<LogRecord>)[.. store.Records(stream).Skip((int)afterSeq).Take(countMax)]);

    public Task<byte[]?> ReadKeyAsync(StreamId stream, CancellationToken cancellation = default) => ReadAsync("read key", () => store.Key(stream));

    public Task DestroyKeyAsync(StreamId stream, CancellationToken cancellation = default) => throw new NotSupportedException("nothing is erased here");

    public Task<bool> PutIfAbsentAsync(string tenant, SealedPayload payload, CancellationToken cancellation = default) =>
        WriteAsync("put aside", "", medium => medium.PutIfAbsent(tenant, payload), _ => { });

    public Task<byte[]?> GetAsync(string tenant, string scope, string key, CancellationToken cancellation = default) =>
        ReadAsync("read payload", () => store.Payload(tenant, scope, key));

    public Task<StoredDocument?> GetAsync(DocumentKey key, CancellationToken cancellation = default) => Task.FromResult(store.Document(key));

    public Task<string?> PutAsync(DocumentKey key, byte[] content, string? expectedETag, CancellationToken cancellation = default) =>
        throw new NotSupportedException("an engine writes no documents");

    public Task<bool> DeleteAsync(DocumentKey key, string? expectedETag, CancellationToken cancellation = default) =>
        throw new NotSupportedException("an engine writes no documents");

    public Task<IReadOnlyList<StoredDocument>> ListAsync(string tenant, string kind, string prefix, string? afterId, int countMax, CancellationToken cancellation = default) =>
        throw new NotSupportedException("an engine lists no documents");

    public Task<IndexPage> QueryAsync(IndexQuery query, CancellationToken cancellation = default) => throw new NotSupportedException("an engine lists no rows");

    Task<IndexRow?> IIndex.GetAsync(string tenant, string kind, string id, CancellationToken cancellation) => ReadAsync("read row", () => store.Row(kind, id));

    public Task<IReadOnlyList<StreamId>> ListActiveAsync(StreamId? after, int countMax, CancellationToken cancellation = default) =>
        ReadAsync("list active", () => store.Active(after, countMax));

    public Task<IReadOnlyDictionary<string, long>> CountByStatusAsync(IndexQuery query, CancellationToken cancellation = default) =>
        throw new NotSupportedException("an engine counts no rows");

    public Task<IReadOnlyList<IndexCount>> CountAsync(IndexQuery query, IndexField field, long spanMs, long originMs = 0, CancellationToken cancellation = default) =>
        throw new NotSupportedException("an engine counts no rows");

    public Task<IReadOnlyList<IndexDurations>> PercentilesAsync(
        IndexQuery query, IndexField? field, IReadOnlyList<int> percents, CancellationToken cancellation = default) =>
        throw new NotSupportedException("an engine counts no rows");

    private Task<T> ReadAsync<T>(string name, Func<T> read)
    {
        if (!weather.SlowReads)
        {
            return Task.FromResult(read()); // Between two writes nothing can be seen that differs: the step would only cost time.
        }

        var done = new TaskCompletionSource<T>();
        scheduler.Plan(new Step(process, name, "", () => done.SetResult(read())), weather.StoreDelayMs());
        return done.Task;
    }

    private Task<T> WriteAsync<T>(string name, string subject, Func<SimulatedStore, T> apply, Action<T> acknowledged)
    {
        var done = new TaskCompletionSource<T>();
        if (weather.StoreFull())
        {
            tally.Met("store full", subject);
            scheduler.Plan(new Step(process, "refused", subject, () => done.SetException(new StorageUnavailableException(StorageUnavailableException.Full, "the disk is full"))), weather.StoreDelayMs());
            return done.Task;
        }

        scheduler.Plan(new Step(process, name, subject, () =>
        {
            store.Write(new Write(process, medium => Acknowledge(name, subject, apply(medium), done, acknowledged)));
            scheduler.Plan(new Step(null, "sync", subject, store.Sync), weather.StoreDelayMs());
        }), weather.StoreDelayMs());
        return done.Task;
    }

    private void Acknowledge<T>(string name, string subject, T outcome, TaskCompletionSource<T> done, Action<T> acknowledged)
    {
        if (weather.AnswerLost())
        {
            tally.Met("answer lost", subject);
            scheduler.Plan(
                new Step(process, "time out", subject, () => done.SetException(new StorageUnavailableException(StorageUnavailableException.Failed, "the store did not answer"))), weather.StoreDelayMs());
            return;
        }

        scheduler.Plan(new Step(process, $"{name} acknowledged", subject, () =>
        {
            acknowledged(outcome);
            done.SetResult(outcome);
        }), weather.StoreDelayMs());
    }
}
