using Omium.Runtime.Ports;

namespace Omium.Embedded.Storage;

/// <summary>Sealed payloads on SQLite, up to 512 MiB each. Safe for use by many threads.</summary>
public sealed class SqlitePayloadStore : IPayloadStore
{
    /// <summary>Largest payload, in bytes; SQLite's own limit is 1,000,000,000.</summary>
    public const int SizeMaxBytes = 512 * 1024 * 1024;

    private readonly CommitQueue queue;
    private readonly ReaderPool readers;

    internal SqlitePayloadStore(CommitQueue queue, ReaderPool readers)
    {
        this.queue = queue;
        this.readers = readers;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The payload is larger than <see cref="SizeMaxBytes"/>.</exception>
    /// <exception cref="StorageUnavailableException">No space, or the medium failed.</exception>
    public Task<bool> PutIfAbsentAsync(string tenant, SealedPayload payload, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        ArgumentNullException.ThrowIfNull(payload);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Bytes.Length, SizeMaxBytes, nameof(payload));
        return queue.Enqueue(new PutOperation(tenant, payload), cancellation);
    }

    /// <inheritdoc/>
    public Task<byte[]?> GetAsync(string tenant, string scope, string key, CancellationToken cancellation = default) =>
        readers.Read((tenant, scope, key), Read, cancellation);

    private static byte[]? Read(SqliteConnection connection, (string Tenant, string Scope, string Key) name)
    {
        var statement = connection.Prepare(
            "SELECT p.bytes FROM payload_name n JOIN payload p ON p.number = n.payload WHERE n.tenant = ?1 AND n.scope = ?2 AND n.key = ?3");
        try
        {
            return statement.Bind(1, name.Tenant).Bind(2, name.Scope).Bind(3, name.Key).Step() ? statement.Bytes(0) : null;
        }
        finally
        {
            statement.Reset();
        }
    }

    private sealed class PutOperation(string tenant, SealedPayload payload) : CommitOperation<bool>(payload.Bytes.LongLength)
    {
        protected override bool Run(CommitWriter writer) => writer.Payloads.PutIfAbsent(tenant, payload);
    }
}

/// <summary>Writes payloads inside the writer's transaction.</summary>
internal sealed class PayloadWriter(CommitWriter writer)
{
    private readonly SqliteStatement find =
        writer.Connection.Prepare("SELECT 1 FROM payload_name WHERE tenant = ?1 AND scope = ?2 AND key = ?3");

    private readonly SqliteStatement insertBytes = writer.Connection.Prepare("INSERT INTO payload (bytes) VALUES (?1)");

    private readonly SqliteStatement insertName =
        writer.Connection.Prepare("INSERT INTO payload_name (tenant, scope, key, payload) VALUES (?1, ?2, ?3, ?4)");

    private readonly SqliteStatement findNumber =
        writer.Connection.Prepare("SELECT payload FROM payload_name WHERE tenant = ?1 AND scope = ?2 AND key = ?3");

    private readonly SqliteStatement deleteName =
        writer.Connection.Prepare("DELETE FROM payload_name WHERE tenant = ?1 AND scope = ?2 AND key = ?3");

    private readonly SqliteStatement deleteBytes = writer.Connection.Prepare("DELETE FROM payload WHERE number = ?1");

    /// <summary>Drops a payload; nothing happens when it is not there.</summary>
    public void Remove(string tenant, string scope, string key)
    {
        long number;
        try
        {
            if (!findNumber.Bind(1, tenant).Bind(2, scope).Bind(3, key).Step())
            {
                return;
            }

            number = findNumber.Int64(0);
        }
        finally
        {
            findNumber.Reset();
        }

        deleteName.Bind(1, tenant).Bind(2, scope).Bind(3, key).Run();
        deleteBytes.Bind(1, number).Run();
    }

    /// <summary>True when it was not there.</summary>
    public bool PutIfAbsent(string tenant, SealedPayload payload)
    {
        try
        {
            if (find.Bind(1, tenant).Bind(2, payload.Scope).Bind(3, payload.Key).Step())
            {
                return false;
            }
        }
        finally
        {
            find.Reset();
        }

        insertBytes.Bind(1, payload.Bytes).Run();
        insertName.Bind(1, tenant).Bind(2, payload.Scope).Bind(3, payload.Key).Bind(4, writer.Connection.LastRowId).Run();
        return true;
    }
}
