using Omium.Runtime.Ports;

namespace Omium.Embedded.Storage;

/// <summary>Documents on SQLite. Ids are listed in the order of their UTF-8 bytes. Safe for use by many threads.</summary>
public sealed class SqliteDocumentStore : IDocumentStore
{
    private readonly CommitQueue queue;
    private readonly ReaderPool readers;

    internal SqliteDocumentStore(CommitQueue queue, ReaderPool readers)
    {
        this.queue = queue;
        this.readers = readers;
    }

    /// <inheritdoc/>
    public Task<StoredDocument?> GetAsync(DocumentKey key, CancellationToken cancellation = default) =>
        readers.Read(key, Read, cancellation);

    /// <inheritdoc/>
    /// <exception cref="StorageUnavailableException">No space, or the medium failed.</exception>
    public Task<string?> PutAsync(DocumentKey key, byte[] content, string? expectedETag, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        return queue.Enqueue(new PutOperation(key, content, expectedETag), cancellation);
    }

    /// <inheritdoc/>
    /// <exception cref="StorageUnavailableException">No space, or the medium failed.</exception>
    public Task<bool> DeleteAsync(DocumentKey key, string? expectedETag, CancellationToken cancellation = default) =>
        queue.Enqueue(new DeleteOperation(key, expectedETag), cancellation);

    /// <inheritdoc/>
    public Task<IReadOnlyList<StoredDocument>> ListAsync(
        string tenant, string kind, string prefix, string? afterId, int countMax, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentOutOfRangeException.ThrowIfNegative(countMax);
        return readers.Read((tenant, kind, prefix, afterId, countMax), List, cancellation);
    }

    private static StoredDocument? Read(SqliteConnection connection, DocumentKey key)
    {
        var statement = connection.Prepare("SELECT etag, content FROM document WHERE tenant = ?1 AND kind = ?2 AND id = ?3");
        try
        {
            return statement.Bind(1, key.Tenant).Bind(2, key.Kind).Bind(3, key.Id).Step()
                ? new StoredDocument(key, statement.Bytes(1), statement.Text(0))
                : null;
        }
        finally
        {
            statement.Reset();
        }
    }

    private static IReadOnlyList<StoredDocument> List(
        SqliteConnection connection, (string Tenant, string Kind, string Prefix, string? AfterId, int CountMax) query)
    {
        var documents = new List<StoredDocument>();
        var statement = connection.Prepare("""
            SELECT id, etag, content FROM document
            WHERE tenant = ?1 AND kind = ?2 AND id >= ?3 AND (?4 = 0 OR id > ?5) ORDER BY id LIMIT ?6
            """);
        try
        {
            // The range starts at the prefix, or after the last id if that is further on; ids with the prefix are neighbours.
            statement.Bind(1, query.Tenant).Bind(2, query.Kind)
                .Bind(3, query.AfterId is null || string.CompareOrdinal(query.AfterId, query.Prefix) < 0 ? query.Prefix : query.AfterId)
                .Bind(4, query.AfterId is null ? 0 : 1).Bind(5, query.AfterId ?? "").Bind(6, query.CountMax);
            while (statement.Step())
            {
                var id = statement.Text(0);
                if (!id.StartsWith(query.Prefix, StringComparison.Ordinal))
                {
                    break;
                }

                documents.Add(new StoredDocument(new DocumentKey(query.Tenant, query.Kind, id), statement.Bytes(2), statement.Text(1)));
            }
        }
        finally
        {
            statement.Reset();
        }

        return documents;
    }

    private sealed class PutOperation(DocumentKey key, byte[] content, string? expectedETag)
        : CommitOperation<string?>(content.LongLength)
    {
        protected override string? Run(CommitWriter writer)
        {
            var current = writer.Documents.FindETag(key);
            if (expectedETag is not null && expectedETag != (current ?? ""))
            {
                return null;
            }

            // Random, so that a document made again after its deletion never has a tag that someone still holds.
            var etag = Guid.NewGuid().ToString("N");
            writer.Documents.Put(key, etag, content);
            return etag;
        }
    }

    private sealed class DeleteOperation(DocumentKey key, string? expectedETag) : CommitOperation<bool>(sizeBytes: 0)
    {
        protected override bool Run(CommitWriter writer)
        {
            var current = writer.Documents.FindETag(key);
            if (current is null || (expectedETag is not null && expectedETag != current))
            {
                return false;
            }

            writer.Documents.Delete(key);
            return true;
        }
    }
}

/// <summary>Writes documents inside the writer's transaction.</summary>
internal sealed class DocumentWriter(SqliteConnection connection)
{
    private readonly SqliteStatement find =
        connection.Prepare("SELECT etag FROM document WHERE tenant = ?1 AND kind = ?2 AND id = ?3");

    private readonly SqliteStatement put = connection.Prepare("""
        INSERT INTO document (tenant, kind, id, etag, content) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (tenant, kind, id) DO UPDATE SET etag = excluded.etag, content = excluded.content
        """);

    private readonly SqliteStatement delete =
        connection.Prepare("DELETE FROM document WHERE tenant = ?1 AND kind = ?2 AND id = ?3");

    public string? FindETag(DocumentKey key)
    {
        try
        {
            return find.Bind(1, key.Tenant).Bind(2, key.Kind).Bind(3, key.Id).Step() ? find.Text(0) : null;
        }
        finally
        {
            find.Reset();
        }
    }

    public void Put(DocumentKey key, string etag, byte[] content) =>
        put.Bind(1, key.Tenant).Bind(2, key.Kind).Bind(3, key.Id).Bind(4, etag).Bind(5, content).Run();

    public void Delete(DocumentKey key) => delete.Bind(1, key.Tenant).Bind(2, key.Kind).Bind(3, key.Id).Run();
}
