using System.Globalization;
using Omium.Azure.Blobs;
using Omium.Azure.Tables;
using Omium.Runtime.Ports;

namespace Omium.Azure.Storage;

/// <summary>
/// Documents on Azure Tables: partition = tenant and kind, row = id; content above 800 KiB lies in a blob that the row names. Ids are listed in
/// the order of their UTF-8 bytes. Safe for use by many threads and processes.
/// </summary>
public sealed class AzureDocumentStore : IDocumentStore
{
    private const int ChunkBytes = 64 * 1024, ChunksMax = 13;
    private readonly TableService _tables;
    private readonly BlobService _blobs;

    internal AzureDocumentStore(TableService tables, BlobService blobs) => (_tables, _blobs) = (tables, blobs);

    /// <inheritdoc/>
    public async Task<StoredDocument?> GetAsync(DocumentKey key, CancellationToken cancellation = default)
    {
        while (await RowAsync(key, cancellation) is { } row)
        {
            // The blob of a document that was just replaced may be gone: the row then names another.
            if (await ContentAsync(key, row, cancellation) is { } content)
            {
                return new StoredDocument(key, content, row.Text("Tag"));
            }

            if (await RowAsync(key, cancellation) is { } again && again.ETag == row.ETag)
            {
                throw new StorageCorruptException($"OM5005 storage_corrupt: the blob of document {key.Kind} {key.Id} is gone.");
            }
        }

        return null;
    }

    /// <inheritdoc/>
    /// <exception cref="StorageUnavailableException">The service did not answer.</exception>
    public async Task<string?> PutAsync(DocumentKey key, byte[] content, string? expectedETag, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        var current = expectedETag == "" ? null : await RowAsync(key, cancellation);
        if (expectedETag is { Length: > 0 } && current?.Text("Tag") != expectedETag)
        {
            return null;
        }

        // Random, so that a document made again after its deletion never has a tag that someone still holds.
        var tag = Guid.NewGuid().ToString("N");
        var row = await EntityAsync(key, content, tag, cancellation);
        var operation = expectedETag switch
        {
            null => TableOperation.Put(row),
            "" => TableOperation.Insert(row),
            _ => TableOperation.Replace(row, current!.ETag),
        };
        var changed = await _tables.ChangeAsync(TableNames.Documents, operation, cancellation);
        // Refused after a repetition: the first try may have done it.
        var isDone = changed.IsDone || (changed.WasRepeated && (await RowAsync(key, cancellation))?.Text("Tag") == tag);
        await DropBlobAsync(key, isDone ? current : row, cancellation);
        return isDone ? tag : null;
    }

    /// <inheritdoc/>
    /// <exception cref="StorageUnavailableException">The service did not answer.</exception>
    public async Task<bool> DeleteAsync(DocumentKey key, string? expectedETag, CancellationToken cancellation = default)
    {
        while (await RowAsync(key, cancellation) is { } current)
        {
            if (expectedETag is not null && expectedETag != current.Text("Tag"))
            {
                return false;
            }

            var changed = await _tables.DeleteAsync(TableNames.Documents, current.Partition, current.Row, current.ETag, cancellation);
            if (changed.IsDone || (changed.WasRepeated && await RowAsync(key, cancellation) is null))
            {
                await DropBlobAsync(key, current, cancellation);
                return true;
            }
        }

        return false;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<StoredDocument>> ListAsync(
        string tenant, string kind, string prefix, string? afterId, int countMax, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentOutOfRangeException.ThrowIfNegative(countMax);
        var partition = PartitionOf(tenant, kind);
        var from = TableKeys.Of(prefix);
        var filter = $"PartitionKey eq {TableQuery.Quote(partition)} and RowKey ge {TableQuery.Quote(from)} and RowKey lt {TableQuery.Quote(TableKeys.After(from))}";
        if (afterId is not null)
        {
            filter += $" and RowKey gt {TableQuery.Quote(TableKeys.Of(afterId))}";
        }

        var documents = new List<StoredDocument>();
        foreach (var row in await _tables.QueryAllAsync(TableNames.Documents, new TableQuery(filter), countMax, cancellation))
        {
            var key = new DocumentKey(tenant, kind, TableKeys.TextOf(row.Row));
            if (await ContentAsync(key, row, cancellation) is { } content)
            {
                documents.Add(new StoredDocument(key, content, row.Text("Tag")));
            }
            else if (await GetAsync(key, cancellation) is { } replaced)
            {
                documents.Add(replaced);
            }
        }

        return documents;
    }

    private static string PartitionOf(string tenant, string kind) => $"t.{TableKeys.Of(tenant)}.k.{TableKeys.Of(kind)}";

    private static string BlobOf(DocumentKey key, string tag) =>
        AzurePayloadStore.BlobOf(key.Tenant, "~documents", $"{TableKeys.Of(key.Kind)}/{TableKeys.Of(key.Id)}/{tag}");

    private Task<TableEntity?> RowAsync(DocumentKey key, CancellationToken cancellation) =>
        _tables.GetAsync(TableNames.Documents, PartitionOf(key.Tenant, key.Kind), TableKeys.Of(key.Id), cancellation);

    private async Task<TableEntity> EntityAsync(DocumentKey key, byte[] content, string tag, CancellationToken cancellation)
    {
        var isInline = content.Length <= ChunkBytes * ChunksMax;
        var row = new TableEntity(PartitionOf(key.Tenant, key.Kind), TableKeys.Of(key.Id)).With("Tag", tag).With("InBlob", !isInline);
        if (!isInline)
        {
            await _blobs.PutIfAbsentAsync(AzurePayloadStore.Container, BlobOf(key, tag), content, cancellation);
            return row;
        }

        foreach (var (chunk, number) in content.Chunk(ChunkBytes).Select((chunk, number) => (chunk, number)))
        {
            row.With(ChunkName(number), chunk);
        }

        return row;
    }

    private async Task<byte[]?> ContentAsync(DocumentKey key, TableEntity row, CancellationToken cancellation)
    {
        if (row.Truth("InBlob"))
        {
            return await _blobs.GetAsync(AzurePayloadStore.Container, BlobOf(key, row.Text("Tag")), cancellation);
        }

        using var content = new MemoryStream();
        for (var chunk = 0; chunk < ChunksMax && row.Bytes(ChunkName(chunk)) is { } bytes; chunk++)
        {
            content.Write(bytes);
        }

        return content.ToArray();
    }

    /// <summary>Removes the blob of a row that no longer counts.</summary>
    private async Task DropBlobAsync(DocumentKey key, TableEntity? row, CancellationToken cancellation)
    {
        if (row is not null && row.Truth("InBlob"))
        {
            await _blobs.DeleteAsync(AzurePayloadStore.Container, BlobOf(key, row.Text("Tag")), cancellation);
        }
    }

    private static string ChunkName(int chunk) => string.Create(CultureInfo.InvariantCulture, $"B{chunk:D2}");
}
