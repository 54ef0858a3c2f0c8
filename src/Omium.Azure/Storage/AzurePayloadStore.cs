using Omium.Azure.Blobs;
using Omium.Azure.Tables;
using Omium.Runtime.Ports;

namespace Omium.Azure.Storage;

/// <summary>Payloads on Azure Blobs: one blob each, named tenant, scope and key, made only if absent. Safe for use by many threads and processes.</summary>
/// <remarks>
/// Payloads that come with the first record of a stream are sealed with a data key that counts only if that record wins its place. They lie under
/// the record's append id, so that a writer that loses the race leaves nothing under a name that is read.
/// </remarks>
public sealed class AzurePayloadStore : IPayloadStore
{
    internal const string Container = "payloads";
    private const int ScopesMax = 20_000;
    private readonly BlobService _blobs;
    private readonly RecordTable _records;
    private readonly BoundedCache<StreamId, FirstRecord> _firsts = new(ScopesMax);

    internal AzurePayloadStore(BlobService blobs, RecordTable records) => (_blobs, _records) = (blobs, records);

    /// <inheritdoc/>
    /// <exception cref="StorageUnavailableException">The service did not answer; the call may be repeated.</exception>
    public async Task<bool> PutIfAbsentAsync(string tenant, SealedPayload payload, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(payload);
        var first = await FirstAsync(new StreamId(tenant, payload.Scope), cancellation);
        return !first.Keys.Contains(payload.Key)
            && await _blobs.PutIfAbsentAsync(Container, BlobOf(tenant, payload.Scope, TableKeys.Of(payload.Key)), payload.Bytes, cancellation);
    }

    /// <inheritdoc/>
    /// <exception cref="StorageUnavailableException">The service did not answer.</exception>
    public async Task<byte[]?> GetAsync(string tenant, string scope, string key, CancellationToken cancellation = default) =>
        await _blobs.GetAsync(Container, await NameAsync(tenant, scope, key, cancellation), cancellation);

    /// <summary>Stores what comes with a stream's first record, under that record's append id.</summary>
    internal Task PutOwnAsync(StreamId stream, string appendId, SealedPayload payload, CancellationToken cancellation) =>
        _blobs.PutIfAbsentAsync(Container, OwnBlobOf(stream, appendId, payload.Key), payload.Bytes, cancellation);

    /// <summary>Drops a payload; nothing happens when it is not there.</summary>
    internal async Task RemoveAsync(StreamId stream, string key, CancellationToken cancellation) =>
        await _blobs.DeleteAsync(Container, await NameAsync(stream.Tenant, stream.Id, key, cancellation), cancellation);

    internal static string BlobOf(string tenant, string scope, string name) => $"t.{TableKeys.Of(tenant)}/{TableKeys.Of(scope)}/{name}";

    private static string OwnBlobOf(StreamId stream, string appendId, string key) =>
        BlobOf(stream.Tenant, stream.Id, $"~first/{TableKeys.Of(appendId)}/{TableKeys.Of(key)}");

    private async Task<string> NameAsync(string tenant, string scope, string key, CancellationToken cancellation)
    {
        var stream = new StreamId(tenant, scope);
        var first = await FirstAsync(stream, cancellation);
        return first.Keys.Contains(key) ? OwnBlobOf(stream, first.AppendId, key) : BlobOf(tenant, scope, TableKeys.Of(key));
    }

    private async Task<FirstRecord> FirstAsync(StreamId stream, CancellationToken cancellation)
    {
        if (_firsts.TryGet(stream, out var known))
        {
            return known;
        }

        if (await _records.GetAsync(stream, 1, cancellation) is not { } record)
        {
            return FirstRecord.None; // Not remembered: the stream may begin at any time.
        }

        var first = new FirstRecord(record.Record.AppendId, record.OwnPayloads.ToHashSet());
        _firsts.Set(stream, first);
        return first;
    }

    private sealed record FirstRecord(string AppendId, IReadOnlySet<string> Keys)
    {
        public static readonly FirstRecord None = new("", new HashSet<string>());
    }
}
