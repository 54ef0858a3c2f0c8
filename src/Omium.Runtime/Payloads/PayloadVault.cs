using System.Text;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Payloads;

/// <summary>
/// The payloads of executions between the writer and the store: taken apart, compressed and sealed on the way in, whole on the way out. A
/// fork reads and writes the values of its root, so that what it shares with its source is stored once.
/// </summary>
internal sealed class PayloadVault(IPayloadStore store)
{
    /// <summary>Bytes of values kept in memory for all executions together.</summary>
    public const long CacheBytesMax = 64 * 1024 * 1024;

    private readonly PayloadCache _cache = new(CacheBytesMax);

    /// <summary>A value whole; null when it is not there.</summary>
    public ValueTask<byte[]?> ReadAsync(ExecutionCell cell, string key, CancellationToken cancellation) =>
        cell.DataKey is { } dataKey
            ? new PayloadReader(ScopeOf(cell, key), name => OpenAsync(store, ScopeOf(cell, name), dataKey, name, cancellation), _cache).ReadAsync(key)
            : new((byte[]?)null);

    /// <summary>What an append must bring along so that these values can be read from then on. Only under the cell's gate.</summary>
    public async ValueTask<IReadOnlyList<SealedPayload>> TakeApartAsync(
        ExecutionCell cell, IEnumerable<KeyValuePair<string, byte[]>> values, CancellationToken cancellation)
    {
        var composer = new PayloadComposer(
            cell.StoredKeys.Contains, async key => await store.GetAsync(cell.Stream.Tenant, cell.Root.Id, key, cancellation) is not null);
        foreach (var (digest, canonical) in values)
        {
            await composer.AddAsync(digest, canonical);
            _cache.Add(cell.Root, digest, canonical);
        }

        return composer.Made.Count == 0 ? [] : [.. composer.Made.Select(made => Close(cell, made.Key, made.Bytes))];
    }

    /// <summary>Remembers what an append has stored, so that the next one need not bring it again. Only under the cell's gate.</summary>
    public static void Remember(ExecutionCell cell, IReadOnlyList<SealedPayload> stored)
    {
        if (cell.StoredKeys.Count + stored.Count > ExecutionCell.StoredKeysMax)
        {
            cell.StoredKeys.Clear();
        }

        foreach (var payload in stored)
        {
            cell.StoredKeys.Add(payload.Key);
        }
    }

    /// <summary>Seals bytes under a key of their own.</summary>
    public static SealedPayload Close(ExecutionCell cell, string key, byte[] plain) =>
        new(ScopeOf(cell, key).Id, key, Seal.Close(cell.DataKey!, PackedBytes.Pack(plain), Context(ScopeOf(cell, key), key)));

    /// <summary>The bytes stored under a key, unsealed; null when there are none.</summary>
    public static async ValueTask<byte[]?> OpenAsync(IPayloadStore store, StreamId stream, byte[] dataKey, string key, CancellationToken cancellation) =>
        await store.GetAsync(stream.Tenant, stream.Id, key, cancellation) is { } closed ? Seal.Open(dataKey, closed, Context(stream, key)) : null;

    /// <summary>Values are shared by all forks of one root; the raw result of an effect is its execution's own.</summary>
    private static StreamId ScopeOf(ExecutionCell cell, string key) => RawResults.IsKey(key) ? cell.Stream : cell.Root;

    private static byte[] Context(StreamId stream, string key) => Encoding.UTF8.GetBytes($"{stream}#{key}");
}
