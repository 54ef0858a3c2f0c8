using System.Text;
using Omium.Runtime.Ports;

namespace Omium.Conformance.Memory;

/// <summary>All stores in memory, under one lock: the plainest reading of the ports, for tests that need no disk. Loses all with the process.</summary>
public sealed class MemoryStore : IEventLog, IPayloadStore, IDocumentStore, IIndex
{
    private static readonly Comparison<string> ByBytes =
        (left, right) => Encoding.UTF8.GetBytes(left).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right));

    private readonly Lock gate = new();
    private readonly Dictionary<StreamId, List<LogRecord>> streams = [];
    private readonly Dictionary<StreamId, byte[]> keys = [];
    private readonly Dictionary<(string Tenant, string Scope, string Key), byte[]> payloads = [];
    private readonly Dictionary<DocumentKey, StoredDocument> documents = [];
    private readonly Dictionary<(string Tenant, string Kind, string Id), IndexRow> rows = [];
    private readonly Dictionary<(string Tenant, string Kind, string Id), HashSet<long>> terms = [];

    public bool CanSearch => true;

    public Task<AppendOutcome> AppendAsync(Append append, CancellationToken cancellation = default)
    {
        if (append.ExpectedSeq < 0 || append.Record.Seq != append.ExpectedSeq + 1 || (append.StreamKey is not null && append.ExpectedSeq != 0))
        {
            throw new ArgumentException("The append contradicts itself.", nameof(append));
        }

        return Locked(() => Append(append), cancellation);
    }

    public Task<IReadOnlyList<LogRecord>> ReadAsync(
        StreamId stream, long afterSeq, int countMax, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(countMax);
        return Locked<IReadOnlyList<LogRecord>>(
            () => streams.TryGetValue(stream, out var records) ? [.. records.Where(record => record.Seq > afterSeq).Take(countMax)] : [],
            cancellation);
    }

    public Task<byte[]?> ReadKeyAsync(StreamId stream, CancellationToken cancellation = default) =>
        Locked(() => keys.GetValueOrDefault(stream), cancellation);

    public Task DestroyKeyAsync(StreamId stream, CancellationToken cancellation = default) =>
        Locked(
            () =>
            {
                foreach (var name in terms.Keys.Where(name => rows[name].Tenant == stream.Tenant && rows[name].Execution == stream.Id).ToArray())
                {
                    terms.Remove(name);
                }

                return keys.Remove(stream);
            },
            cancellation);

    public Task<bool> PutIfAbsentAsync(string tenant, SealedPayload payload, CancellationToken cancellation = default) =>
        Locked(() => payloads.TryAdd((tenant, payload.Scope, payload.Key), payload.Bytes), cancellation);

    public Task<byte[]?> GetAsync(string tenant, string scope, string key, CancellationToken cancellation = default) =>
        Locked(() => payloads.GetValueOrDefault((tenant, scope, key)), cancellation);

    public Task<StoredDocument?> GetAsync(DocumentKey key, CancellationToken cancellation = default) =>
        Locked(() => documents.GetValueOrDefault(key), cancellation);

    public Task<string?> PutAsync(DocumentKey key, byte[] content, string? expectedETag, CancellationToken cancellation = default) =>
        Locked(
            () =>
            {
                if (expectedETag is not null && expectedETag != (documents.GetValueOrDefault(key)?.ETag ?? ""))
                {
                    return null;
                }

                var etag = Guid.NewGuid().ToString("N");
                documents[key] = new StoredDocument(key, content, etag);
                return etag;
            },
            cancellation);

    public Task<bool> DeleteAsync(DocumentKey key, string? expectedETag, CancellationToken cancellation = default) =>
        Locked(
            () => documents.TryGetValue(key, out var current)
                && (expectedETag is null || expectedETag == current.ETag)
                && documents.Remove(key),
            cancellation);

    public Task<IReadOnlyList<StoredDocument>> ListAsync(
        string tenant, string kind, string prefix, string? afterId, int countMax, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(countMax);
        return Locked<IReadOnlyList<StoredDocument>>(
            () =>
            [
                .. documents.Values
                    .Where(document => document.Key.Tenant == tenant && document.Key.Kind == kind)
                    .Where(document => document.Key.Id.StartsWith(prefix, StringComparison.Ordinal))
                    .Where(document => afterId is null || ByBytes(document.Key.Id, afterId) > 0)
                    .OrderBy(document => document.Key.Id, Comparer<string>.Create(ByBytes))
                    .Take(countMax),
            ],
            cancellation);
    }

    public Task<IndexPage> QueryAsync(IndexQuery query, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1, nameof(query));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Limit, 200, nameof(query));
        var after = query.Cursor is null ? default((long Created, string Id)?) : ParseCursor(query.Cursor);
        return Locked(
            () =>
            {
                var found = Matching(query)
                    .Where(row => query.Terms.All(term => terms.GetValueOrDefault((row.Tenant, row.Kind, row.Id))?.Contains(term) == true) || (query.Terms.Count > 0 && row.Id == query.AlsoId))
                    .OrderByDescending(row => row.CreatedUnixMs)
                    .ThenByDescending(row => row.Id, Comparer<string>.Create(ByBytes))
                    .Where(row => after is not { } last
                        || row.CreatedUnixMs < last.Created
                        || (row.CreatedUnixMs == last.Created && ByBytes(row.Id, last.Id) < 0))
                    .Take(query.Limit + 1)
                    .ToList();
                var page = found.Take(query.Limit).ToList();
                return new IndexPage(page, found.Count > page.Count ? $"{page[^1].CreatedUnixMs} {page[^1].Id}" : null);
            },
            cancellation);
    }

    Task<IndexRow?> IIndex.GetAsync(string tenant, string kind, string id, CancellationToken cancellation) =>
        Locked(() => rows.GetValueOrDefault((tenant, kind, id)), cancellation);

    public Task<IReadOnlyList<StreamId>> ListActiveAsync(StreamId? after, int countMax, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(countMax);
        return Locked<IReadOnlyList<StreamId>>(
            () =>
            [
                .. rows.Values
                    .Where(row => row.Active && row.Kind == IndexKinds.Execution)
                    .Select(row => new StreamId(row.Tenant, row.Id))
                    .Order(Comparer<StreamId>.Create(ByTenantThenId))
                    .Where(stream => after is not { } last || ByTenantThenId(stream, last) > 0)
                    .Take(countMax),
            ],
            cancellation);
    }

    public Task<IReadOnlyDictionary<string, long>> CountByStatusAsync(IndexQuery query, CancellationToken cancellation = default) =>
        Locked<IReadOnlyDictionary<string, long>>(
            () => Matching(query).GroupBy(row => row.Status, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.LongCount()),
            cancellation);

    public Task<IReadOnlyList<IndexCount>> CountAsync(IndexQuery query, IndexField field, long spanMs, long originMs = 0, CancellationToken cancellation = default) =>
        Locked<IReadOnlyList<IndexCount>>(
            () =>
            [
                .. Matching(query)
                    .GroupBy(row => (
                        From: row.CreatedUnixMs - ((row.CreatedUnixMs - originMs) % spanMs),
                        Value: ValueOf(row, field),
                        row.Status,
                        row.By))
                    .OrderBy(group => group.Key.From).ThenBy(group => group.Key.Value, Comparer<string>.Create(ByBytes)).ThenBy(group => group.Key.Status, Comparer<string>.Create(ByBytes))
                    .ThenBy(group => group.Key.By, Comparer<string>.Create(ByBytes))
                    .Select(group => new IndexCount(
                        group.Key.Value, group.Key.From, group.Key.Status, group.LongCount(), group.LongCount(row => row.EndedUnixMs > 0), group.Sum(row => row.EndedUnixMs > 0 ? row.EndedUnixMs - row.CreatedUnixMs : 0), group.Key.By)),
            ],
            cancellation);

    public Task<IReadOnlyList<IndexDurations>> PercentilesAsync(
        IndexQuery query, IndexField? field, IReadOnlyList<int> percents, CancellationToken cancellation = default) =>
        Locked<IReadOnlyList<IndexDurations>>(
            () =>
            [
                .. Matching(query).Where(row => row.EndedUnixMs > 0)
                    .GroupBy(row => field is { } by ? ValueOf(row, by) : "", StringComparer.Ordinal).OrderBy(group => group.Key, Comparer<string>.Create(ByBytes))
                    .Select(group => IndexDurations.Of(group.Key, [.. group.Select(row => row.EndedUnixMs - row.CreatedUnixMs)], percents)),
            ],
            cancellation);

    private static string ValueOf(IndexRow row, IndexField field) =>
        field switch { IndexField.Workflow => row.Workflow, IndexField.StartedBy => row.StartedBy, _ => row.FailureClass };

    private static int ByTenantThenId(StreamId left, StreamId right) =>
        ByBytes(left.Tenant, right.Tenant) is var order and not 0 ? order : ByBytes(left.Id, right.Id);

    private static (long Created, string Id) ParseCursor(string cursor)
    {
        var parts = cursor.Split(' ', 2);
        return parts.Length == 2 && long.TryParse(parts[0], out var created)
            ? (created, parts[1])
            : throw new InvalidCursorException();
    }

    private AppendOutcome Append(Append append)
    {
        var records = streams.GetValueOrDefault(append.Stream) ?? [];
        if (append.ExpectedSeq != records.Count)
        {
            var isRepetition = append.ExpectedSeq < records.Count && records[(int)append.ExpectedSeq].AppendId == append.Record.AppendId;
            return new AppendOutcome(isRepetition ? AppendStatus.Appended : AppendStatus.Conflict, records.Count);
        }

        records.Add(append.Record);
        streams[append.Stream] = records;
        if (append.StreamKey is not null)
        {
            keys[append.Stream] = append.StreamKey;
        }

        foreach (var payload in append.Payloads)
        {
            payloads.TryAdd((append.Stream.Tenant, payload.Scope, payload.Key), payload.Bytes);
        }

        foreach (var key in append.RemovedPayloads)
        {
            payloads.Remove((append.Stream.Tenant, append.Stream.Id, key));
        }

        foreach (var row in append.Index)
        {
            var name = (row.Tenant, row.Kind, row.Id);
            rows[name] = row with { Terms = null, StartedBy = row.StartedBy.Length > 0 ? row.StartedBy : rows.GetValueOrDefault(name)?.StartedBy ?? "" };
            if (row.Terms is { Count: > 0 } added)
            {
                (terms.TryGetValue(name, out var known) ? known : terms[name] = []).UnionWith(added);
            }
        }

        return new AppendOutcome(AppendStatus.Appended, records.Count);
    }

    private IEnumerable<IndexRow> Matching(IndexQuery query) => rows.Values
        .Where(row => row.Tenant == query.Tenant && row.Kind == query.Kind)
        .Where(row => query.Workflow is null || row.Workflow == query.Workflow)
        .Where(row => query.Status is null || row.Status == query.Status)
        .Where(row => query.FailureClass is null || row.FailureClass == query.FailureClass)
        .Where(row => query.Execution is null || row.Execution == query.Execution)
        .Where(row => query.IdPrefix is null || row.Id.StartsWith(query.IdPrefix, StringComparison.Ordinal))
        .Where(row => query.FromUnixMs is null || row.CreatedUnixMs >= query.FromUnixMs)
        .Where(row => query.ToUnixMs is null || row.CreatedUnixMs < query.ToUnixMs);

    private Task<T> Locked<T>(Func<T> act, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            return Task.FromCanceled<T>(cancellation);
        }

        lock (gate)
        {
            return Task.FromResult(act());
        }
    }
}
