using System.Globalization;
using System.Text.Json;
using Omium.Azure.Blobs;
using Omium.Azure.Tables;
using Omium.Runtime.Ports;

namespace Omium.Azure.Storage;

/// <summary>
/// How a record lies in the log's table: one row, or a row and further ones of the same transaction, with its bytes in binary properties of at most
/// 64 KiB. What would not fit into a transaction of 4 MiB lies in a blob, which is there before the row that names it.
/// </summary>
internal sealed class RecordTable(TableService tables, BlobService blobs)
{
    /// <summary>The row of a stream's wrapped data key; it sorts behind every record.</summary>
    public const string KeyRow = "key";

    private const int ChunkBytes = 64 * 1024;

    // A row has at most 1 MiB and a transaction 4 MiB as sent, which is base64: 13 chunks leave room for the envelope.
    private const int ChunksPerRow = 13;
    private const int InlineBytesMax = 2_800_000;

    /// <summary>The changes that store a record, with the stream's key where it brings one.</summary>
    public async Task<IReadOnlyList<TableOperation>> WriteAsync(Append append, IReadOnlyList<string> ownPayloads, CancellationToken cancellation)
    {
        var (partition, record) = (TableNames.PartitionOf(append.Stream), append.Record);
        var index = append.Index.Count == 0 ? [] : JsonSerializer.SerializeToUtf8Bytes(append.Index);
        var own = ownPayloads.Count == 0 ? [] : JsonSerializer.SerializeToUtf8Bytes(ownPayloads);
        byte[] content = [.. record.Body, .. index, .. own];
        var isInline = content.Length <= InlineBytesMax;
        if (!isInline)
        {
            await blobs.PutIfAbsentAsync(AzurePayloadStore.Container, BlobOf(append.Stream, record.AppendId), content, cancellation);
        }

        var chunks = isInline ? content.Chunk(ChunkBytes).ToList() : [];
        var further = Math.Max(0, (chunks.Count - 1) / ChunksPerRow);
        var head = new TableEntity(partition, TableKeys.Of(record.Seq))
            .With("AppendId", record.AppendId).With("Kernel", (long)record.Kernel).With("At", record.AtUnixMs)
            .With("Command", record.Command).With("Events", record.EventTypes).With("Prev", record.PrevHash).With("Hash", record.Hash)
            .With("BodyBytes", (long)record.Body.Length).With("IndexBytes", (long)index.Length).With("OwnBytes", (long)own.Length)
            .With("InBlob", !isInline).With("Further", (long)further);
        var operations = new List<TableOperation> { TableOperation.Insert(head) };
        for (var row = 0; row <= further; row++)
        {
            var entity = row == 0 ? head : new TableEntity(partition, string.Create(CultureInfo.InvariantCulture, $"{TableKeys.Of(record.Seq)}.{row:D3}"));
            for (var chunk = 0; chunk < ChunksPerRow && (row * ChunksPerRow) + chunk < chunks.Count; chunk++)
            {
                entity.With(ChunkName(chunk), chunks[(row * ChunksPerRow) + chunk]);
            }

            if (row > 0)
            {
                operations.Add(TableOperation.Insert(entity));
            }
        }

        if (append.StreamKey is { } key)
        {
            operations.Add(TableOperation.Insert(new TableEntity(partition, KeyRow).With("Wrapped", key)));
        }

        return operations;
    }

    /// <summary>Stores the changes; refused when another record stands there.</summary>
    public Task<TableChanged> InsertAsync(IReadOnlyList<TableOperation> operations, CancellationToken cancellation) =>
        tables.ChangeAllAsync(TableNames.Log, operations, cancellation);

    /// <summary>One record; null when the place is free.</summary>
    public async Task<StoredRecord?> GetAsync(StreamId stream, long seq, CancellationToken cancellation)
    {
        if (await tables.GetAsync(TableNames.Log, TableNames.PartitionOf(stream), TableKeys.Of(seq), cancellation) is not { } head)
        {
            return null;
        }

        return head.Number("Further") == 0
            ? await AssembleAsync(stream, [head], cancellation)
            : (await ReadAsync(stream, seq - 1, 1, cancellation))[0];
    }

    /// <summary>Records after <paramref name="afterSeq"/>, in order, page by page of the service.</summary>
    public async Task<List<StoredRecord>> ReadAsync(StreamId stream, long afterSeq, int countMax, CancellationToken cancellation)
    {
        var records = new List<StoredRecord>();
        if (countMax == 0)
        {
            return records;
        }

        // Rows of a record sort between its own key and the next; '~' sorts behind what follows a key, ':' behind every digit.
        var query = TableQuery.Range(TableNames.PartitionOf(stream), TableKeys.Of(Math.Max(0, afterSeq)) + "~", ":");
        var rows = new List<TableEntity>();
        TableContinuation? next = null;
        do
        {
            var wanted = countMax - records.Count + (rows.Count == 0 ? 0L : rows[0].Number("Further"));
            var page = await tables.QueryAsync(TableNames.Log, query, (int)Math.Min(wanted, int.MaxValue), next, cancellation);
            foreach (var row in page.Rows)
            {
                rows.Add(row);
                if (rows.Count <= rows[0].Number("Further"))
                {
                    continue;
                }

                records.Add(await AssembleAsync(stream, rows, cancellation));
                rows.Clear();
                if (records.Count == countMax)
                {
                    return records;
                }
            }

            next = page.Next;
        }
        while (next is not null);

        return rows.Count == 0 ? records : throw Corrupt(stream, rows[0], "rows that were stored with it are gone");
    }

    /// <summary>The last place taken, known to be at least <paramref name="from"/>: by probing ever further, then between. Places have no gaps.</summary>
    public async Task<long> FindEndAsync(StreamId stream, long from, CancellationToken cancellation)
    {
        long taken = from, step = 1;
        while (await ExistsAsync(stream, taken + step, cancellation))
        {
            taken += step;
            step *= 2;
        }

        var free = taken + step;
        while (free - taken > 1)
        {
            var middle = taken + ((free - taken) / 2);
            (taken, free) = await ExistsAsync(stream, middle, cancellation) ? (middle, free) : (taken, middle);
        }

        return taken;
    }

    /// <summary>Whether a place is taken.</summary>
    public async Task<bool> ExistsAsync(StreamId stream, long seq, CancellationToken cancellation)
    {
        var filter = $"PartitionKey eq {TableQuery.Quote(TableNames.PartitionOf(stream))} and RowKey eq {TableQuery.Quote(TableKeys.Of(seq))}";
        return (await tables.QueryAllAsync(TableNames.Log, new TableQuery(filter, "RowKey"), 1, cancellation)).Count > 0;
    }

    /// <summary>The stream's wrapped data key; null when there is none.</summary>
    public async Task<byte[]?> ReadKeyAsync(StreamId stream, CancellationToken cancellation) =>
        (await tables.GetAsync(TableNames.Log, TableNames.PartitionOf(stream), KeyRow, cancellation))?.Bytes("Wrapped");

    /// <summary>Removes the stream's data key.</summary>
    public Task DeleteKeyAsync(StreamId stream, CancellationToken cancellation) =>
        tables.ChangeAsync(TableNames.Log, TableOperation.Delete(TableNames.PartitionOf(stream), KeyRow), cancellation);

    private async Task<StoredRecord> AssembleAsync(StreamId stream, List<TableEntity> rows, CancellationToken cancellation)
    {
        var head = rows[0];
        var appendId = head.Text("AppendId");
        var content = head.Truth("InBlob")
            ? await blobs.GetAsync(AzurePayloadStore.Container, BlobOf(stream, appendId), cancellation) ?? throw Corrupt(stream, head, "its blob is gone")
            : Join(rows);
        var (bodyBytes, indexBytes, ownBytes) = ((int)head.Number("BodyBytes"), (int)head.Number("IndexBytes"), (int)head.Number("OwnBytes"));
        if (content.Length != bodyBytes + indexBytes + ownBytes)
        {
            throw Corrupt(stream, head, $"it has {content.Length} bytes instead of {bodyBytes + indexBytes + ownBytes}");
        }

        var record = new LogRecord(
            long.Parse(head.Row, CultureInfo.InvariantCulture), appendId, (int)head.Number("Kernel"), head.Number("At"), head.Text("Command"), head.Text("Events"),
            head.Bytes("Prev") ?? [], head.Bytes("Hash") ?? [], content[..bodyBytes]);
        return new StoredRecord(
            record,
            indexBytes == 0 ? [] : JsonSerializer.Deserialize<IndexRow[]>(content.AsSpan(bodyBytes, indexBytes))!,
            ownBytes == 0 ? [] : JsonSerializer.Deserialize<string[]>(content.AsSpan(bodyBytes + indexBytes))!);
    }

    private static byte[] Join(List<TableEntity> rows)
    {
        using var joined = new MemoryStream();
        foreach (var row in rows)
        {
            for (var chunk = 0; chunk < ChunksPerRow && row.Bytes(ChunkName(chunk)) is { } bytes; chunk++)
            {
                joined.Write(bytes);
            }
        }

        return joined.ToArray();
    }

    private static string ChunkName(int chunk) => string.Create(CultureInfo.InvariantCulture, $"B{chunk:D2}");

    private static string BlobOf(StreamId stream, string appendId) => AzurePayloadStore.BlobOf(stream.Tenant, stream.Id, $"~record/{TableKeys.Of(appendId)}");

    private static StorageCorruptException Corrupt(StreamId stream, TableEntity head, string what) =>
        new($"OM5005 storage_corrupt: record {head.Row.TrimStart('0')} of {stream}: {what}.");
}

/// <summary>A record with what its row holds beside it.</summary>
/// <param name="Record">The record.</param>
/// <param name="Index">Listing rows that changed with it.</param>
/// <param name="OwnPayloads">Keys of payloads that came with a stream's first record.</param>
internal sealed record StoredRecord(LogRecord Record, IReadOnlyList<IndexRow> Index, IReadOnlyList<string> OwnPayloads);
