using Omium.Runtime.Ports;
using Omium.Simulation.Storage;

namespace Omium.Simulation.Running;

/// <summary>Specs do not change and reading them has no course of its own; all processes of a simulation share what they compile to.</summary>
internal sealed class SpecDocuments(SimulatedStore store) : IDocumentStore, IEventLog, IPayloadStore
{
    public Task<StoredDocument?> GetAsync(DocumentKey key, CancellationToken cancellation = default) => Task.FromResult(store.Document(key));

    public Task<IReadOnlyList<LogRecord>> ReadAsync(StreamId stream, long afterSeq, int countMax, CancellationToken cancellation = default) =>
        Task.FromResult<IReadOnlyList<LogRecord>>([.. store.Records(stream).Skip((int)afterSeq).Take(countMax)]);

    public Task<byte[]?> ReadKeyAsync(StreamId stream, CancellationToken cancellation = default) => Task.FromResult(store.Key(stream));

    public Task<byte[]?> GetAsync(string tenant, string scope, string key, CancellationToken cancellation = default) => Task.FromResult(store.Payload(tenant, scope, key));

    public Task<string?> PutAsync(DocumentKey key, byte[] content, string? expectedETag, CancellationToken cancellation = default) => throw ReadOnly();

    public Task<bool> DeleteAsync(DocumentKey key, string? expectedETag, CancellationToken cancellation = default) => throw ReadOnly();

    public Task<IReadOnlyList<StoredDocument>> ListAsync(string tenant, string kind, string prefix, string? afterId, int countMax, CancellationToken cancellation = default) => throw ReadOnly();

    public Task<AppendOutcome> AppendAsync(Append append, CancellationToken cancellation = default) => throw ReadOnly();

    public Task DestroyKeyAsync(StreamId stream, CancellationToken cancellation = default) => throw ReadOnly();

    public Task<bool> PutIfAbsentAsync(string tenant, SealedPayload payload, CancellationToken cancellation = default) => throw ReadOnly();

    private static NotSupportedException ReadOnly() => new("the laws look and change nothing");
}
