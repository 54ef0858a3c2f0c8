using Omium.Azure.Tables;
using Omium.Runtime.Ports;

namespace Omium.Azure.Storage;

/// <summary>
/// Listings on Azure Tables. One partition per tenant and kind holds each row under its id and once more under each order in which it is listed; they
/// change in one transaction. Safe for use by many threads and processes.
/// </summary>
/// <remarks>
/// A row is written after the record that changed it, and only over an older one of the same stream, so that rows may arrive twice and in any
/// order. A cursor names the last row of its page, so rows added meanwhile neither repeat nor hide any row of the pages that follow. A filter with one
/// of execution, status, failure class or workflow reads only what matches it; further filters are applied by the service while it reads.
/// </remarks>
public sealed class AzureIndex : IIndex
{
    private const int LimitMax = 200, CountPageRows = 1_000;
    private readonly TableService _tables;
    private readonly AzureStoreOptions _options;

    internal AzureIndex(TableService tables, AzureStoreOptions options) => (_tables, _options) = (tables, options);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The limit is not 1 to 200.</exception>
    public async Task<IndexPage> QueryAsync(IndexQuery query, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1, nameof(query));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Limit, LimitMax, nameof(query));
        if (query.Terms.Count > 0)
        {
            throw new NotSupportedException("Tables hold no postings of words: CanSearch is false.");
        }

        var asked = IndexEntities.QueryOf(query, query.Cursor);
        var rows = await _tables.QueryAllAsync(TableNames.Index, asked, query.Limit + 1, cancellation);

        // The row beyond the page tells whether there is a next one.
        var page = rows.Take(query.Limit).Select(IndexEntities.RowOf).ToList();
        return new IndexPage(page, rows.Count > query.Limit ? IndexEntities.CursorOf(page[^1]) : null);
    }

    /// <inheritdoc/>
    public async Task<IndexRow?> GetAsync(string tenant, string kind, string id, CancellationToken cancellation = default) =>
        await _tables.GetAsync(TableNames.Index, IndexEntities.PartitionOf(tenant, kind), IndexEntities.BaseKey(id), cancellation) is { } entity
            ? IndexEntities.RowOf(entity)
            : null;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<StreamId>> ListActiveAsync(StreamId? after, int countMax, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(countMax);
        var filter = "PartitionKey ge ''";
        if (after is { } last)
        {
            var (tenant, id) = (TableQuery.Quote(TableKeys.Of(last.Tenant)), TableQuery.Quote(TableKeys.Of(last.Id)));
            filter = $"(PartitionKey eq {tenant} and RowKey gt {id}) or PartitionKey gt {tenant}";
        }

        var rows = await _tables.QueryAllAsync(TableNames.Active, new TableQuery(filter, "PartitionKey,RowKey"), countMax, cancellation);
        return [.. rows.Select(row => new StreamId(TableKeys.TextOf(row.Partition), TableKeys.TextOf(row.Row)))];
    }

    /// <inheritdoc/>
    /// <exception cref="StorageIncapableException">More rows would have to be read than <see cref="AzureStoreOptions.CountRowsMax"/>.</exception>
    public async Task<IReadOnlyDictionary<string, long>> CountByStatusAsync(IndexQuery query, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        var counts = new Dictionary<string, long>();
        var asked = IndexEntities.QueryOf(query, cursor: null) with { Select = IndexEntities.Status };
        await ReadAllAsync(asked, row => counts[row.Text(IndexEntities.Status)] = counts.GetValueOrDefault(row.Text(IndexEntities.Status)) + 1, cancellation);
        return counts;
    }

    /// <inheritdoc/>
    /// <exception cref="StorageIncapableException">More rows would have to be read than <see cref="AzureStoreOptions.CountRowsMax"/>.</exception>
    public async Task<IReadOnlyList<IndexCount>> CountAsync(
        IndexQuery query, IndexField field, long spanMs, long originMs = 0, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(spanMs, 1);
        var rows = new List<IndexRow>();
        await ReadAllAsync(IndexEntities.QueryOf(query, cursor: null), row => rows.Add(IndexEntities.RowOf(row)), cancellation);
        var groups = rows.GroupBy(row => (
            From: row.CreatedUnixMs - ((row.CreatedUnixMs - originMs) % spanMs), Value: ValueOf(row, field), row.Status, row.By));
        return
        [
            .. groups.OrderBy(group => group.Key.From).ThenBy(group => group.Key.Value, StringComparer.Ordinal).ThenBy(group => group.Key.Status, StringComparer.Ordinal)
                .ThenBy(group => group.Key.By, StringComparer.Ordinal)
                .Select(group => new IndexCount(
                    group.Key.Value, group.Key.From, group.Key.Status, group.LongCount(), group.LongCount(row => row.EndedUnixMs > 0),
                    group.Sum(row => row.EndedUnixMs > 0 ? row.EndedUnixMs - row.CreatedUnixMs : 0), group.Key.By)),
        ];
    }

    /// <inheritdoc/>
    /// <exception cref="StorageIncapableException">More rows would have to be read than <see cref="AzureStoreOptions.CountRowsMax"/>.</exception>
    public async Task<IReadOnlyList<IndexDurations>> PercentilesAsync(
        IndexQuery query, IndexField? field, IReadOnlyList<int> percents, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(percents);
        var ended = new List<IndexRow>();
        await ReadAllAsync(IndexEntities.QueryOf(query, cursor: null), entity => ended.Add(IndexEntities.RowOf(entity)), cancellation);
        return
        [
            .. ended.Where(row => row.EndedUnixMs > 0).GroupBy(row => field is { } by ? ValueOf(row, by) : "").OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => IndexDurations.Of(group.Key, [.. group.Select(row => row.EndedUnixMs - row.CreatedUnixMs)], percents)),
        ];
    }

    private static string ValueOf(IndexRow row, IndexField field) =>
        field switch { IndexField.Workflow => row.Workflow, IndexField.StartedBy => row.StartedBy, _ => row.FailureClass };

    private async Task ReadAllAsync(TableQuery asked, Action<TableEntity> take, CancellationToken cancellation)
    {
        TableContinuation? next = null;
        var read = 0;
        do
        {
            var page = await _tables.QueryAsync(TableNames.Index, asked, CountPageRows, next, cancellation);
            foreach (var row in page.Rows)
            {
                take(row);
            }

            (next, read) = (page.Next, read + page.Rows.Count);
            if (next is not null && read >= _options.CountRowsMax)
            {
                throw new StorageIncapableException(
                    StorageIncapableException.Count, $"count_unavailable: more than {_options.CountRowsMax} rows match; this store counts by reading them.");
            }
        }
        while (next is not null);
    }

    /// <summary>Writes the listing rows of one record, each unless a later record of the same stream has written it.</summary>
    internal Task ProjectAsync(StreamId source, long seq, IReadOnlyList<IndexRow> rows, CancellationToken cancellation) =>
        rows.Count == 0 ? Task.CompletedTask : Task.WhenAll(rows.GroupBy(row => (row.Tenant, row.Kind)).Select(async partition =>
        {
            foreach (var row in partition)
            {
                await ProjectAsync(source, seq, row, cancellation);
            }
        }));

    private async Task ProjectAsync(StreamId source, long seq, IndexRow row, CancellationToken cancellation)
    {
        var partition = IndexEntities.PartitionOf(row.Tenant, row.Kind);
        var name = TableNames.PartitionOf(source);
        while (true)
        {
            var current = await _tables.GetAsync(TableNames.Index, partition, IndexEntities.BaseKey(row.Id), cancellation);
            if (current is not null && current.Text(IndexEntities.Source) == name && current.Number(IndexEntities.SourceSeq) >= seq)
            {
                return;
            }

            var whole = row.StartedBy.Length > 0 || current is null ? row : row with { StartedBy = IndexEntities.RowOf(current).StartedBy };
            var made = IndexEntities.EntityOf(whole, partition, IndexEntities.BaseKey(row.Id)).With(IndexEntities.Source, name).With(IndexEntities.SourceSeq, seq);
            var listed = IndexEntities.ListKeys(row).ToList();
            var unlisted = current is null ? [] : IndexEntities.ListKeys(IndexEntities.RowOf(current)).Except(listed);
            List<TableOperation> operations =
            [
                current is null ? TableOperation.Insert(made) : TableOperation.Replace(made, current.ETag),
                .. listed.Select(key => TableOperation.Put(IndexEntities.EntityOf(whole, partition, key))),
                .. unlisted.Select(key => TableOperation.Delete(partition, key)),
            ];
            if ((await _tables.ChangeAllAsync(TableNames.Index, operations, cancellation)).IsDone)
            {
                return; // Refused = another record of the stream was projected meanwhile: look again which is later.
            }
        }
    }
}
