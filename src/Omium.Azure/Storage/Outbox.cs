using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Omium.Azure.Tables;
using Omium.Runtime.Ports;

namespace Omium.Azure.Storage;

/// <summary>
/// Which streams may hold events that are not published yet. It holds no event: what is published is read from the log, so that nothing is published
/// that was not committed. A stream is marked before a record with such an event is appended, and the mark goes only when everything up to the
/// place that was about to be taken was published: so that nothing committed is forgotten.
/// </summary>
public sealed class Outbox
{
    private const int PageRows = 200;
    private readonly TableService _tables;

    internal Outbox(TableService tables) => _tables = tables;

    /// <summary>Streams that are marked, in a fixed order, behind <paramref name="after"/>.</summary>
    public async Task<IReadOnlyList<OutboxEntry>> ListAsync(OutboxEntry? after, CancellationToken cancellation = default)
    {
        var filter = "PartitionKey ge ''";
        if (after is not null)
        {
            var (partition, row) = (TableQuery.Quote(PartitionOf(after.Stream)), TableQuery.Quote(TableNames.PartitionOf(after.Stream)));
            filter = $"(PartitionKey eq {partition} and RowKey gt {row}) or PartitionKey gt {partition}";
        }

        var rows = await _tables.QueryAllAsync(TableNames.Outbox, new TableQuery(filter), PageRows, cancellation);
        return [.. rows.Select(EntryOf)];
    }

    /// <summary>Marks a stream before its record <paramref name="seq"/> is appended.</summary>
    internal async Task MarkAsync(StreamId stream, long seq, CancellationToken cancellation)
    {
        while (true)
        {
            var current = await _tables.GetAsync(TableNames.Outbox, PartitionOf(stream), TableNames.PartitionOf(stream), cancellation);
            // An unmarked stream has everything published that stands before this place: else it were marked.
            var (from, until) = current is null ? (seq, seq) : (Math.Min(current.Number("From"), seq), Math.Max(current.Number("Until"), seq));
            var entity = Entity(stream, from, until);
            var operation = current is null ? TableOperation.Insert(entity) : TableOperation.Replace(entity, current.ETag);
            if ((await _tables.ChangeAsync(TableNames.Outbox, operation, cancellation)).IsDone)
            {
                return;
            }
        }
    }

    /// <summary>
    /// Records that everything up to <paramref name="publishedSeq"/> is published. The stream stays marked when that is not the end of its log
    /// (<paramref name="isEnd"/>), or when more may have come or be coming.
    /// </summary>
    internal async Task PublishedAsync(OutboxEntry entry, long publishedSeq, bool isEnd, CancellationToken cancellation)
    {
        var (partition, row) = (PartitionOf(entry.Stream), TableNames.PartitionOf(entry.Stream));
        for (OutboxEntry? current = entry; current is not null && publishedSeq >= current.From;)
        {
            var changed = isEnd && publishedSeq >= current.Until
                ? await _tables.DeleteAsync(TableNames.Outbox, partition, row, current.ETag, cancellation)
                : await _tables.ChangeAsync(TableNames.Outbox, TableOperation.Replace(Entity(entry.Stream, publishedSeq + 1, Math.Max(publishedSeq + 1, current.Until)), current.ETag), cancellation);
            if (changed.IsDone)
            {
                return;
            }

            // Marked again meanwhile: what was published stays published.
            current = await _tables.GetAsync(TableNames.Outbox, partition, row, cancellation) is { } entity ? EntryOf(entity) : null;
        }
    }

    // Spread over sixteen partitions, so that marking is not bound to the speed of one.
    private static string PartitionOf(StreamId stream) =>
        (SHA256.HashData(Encoding.UTF8.GetBytes(TableNames.PartitionOf(stream)))[0] >> 4).ToString("x", CultureInfo.InvariantCulture);

    private static TableEntity Entity(StreamId stream, long from, long until) => new TableEntity(PartitionOf(stream), TableNames.PartitionOf(stream))
        .With("Tenant", stream.Tenant).With("Id", stream.Id).With("From", from).With("Until", until).With("Writer", Guid.NewGuid().ToString("N"));

    private static OutboxEntry EntryOf(TableEntity row) =>
        new(new StreamId(row.Text("Tenant"), row.Text("Id")), row.Number("From"), row.Number("Until"), row.ETag);
}

/// <summary>A marked stream.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="From">Everything before this place is published.</param>
/// <param name="Until">The furthest place that somebody was about to take.</param>
/// <param name="ETag">Tag of the mark as read.</param>
public sealed record OutboxEntry(StreamId Stream, long From, long Until, string ETag);
