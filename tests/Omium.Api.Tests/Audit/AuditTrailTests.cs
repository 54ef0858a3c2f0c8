using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging.Abstractions;
using Omium.Api.Audit;
using Omium.Embedded.Storage;
using Omium.Runtime.Audit;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Api.Tests.Audit;

public sealed class AuditTrailTests : IAsyncDisposable
{
    private const string Tenant = "ten_a";
    private static readonly DocumentKey Key = new(Tenant, "counter", "one");
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"omium-audit-{Guid.NewGuid():N}");
    private readonly EmbeddedStore _store;
    private readonly LocalKeyWrap _keys = new(Seal.NewKey());

    public AuditTrailTests() => _store = EmbeddedStore.Open(new EmbeddedStoreOptions(_directory));

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Append_OfManyAtOnceFromTwoProcesses_ChainsEachOnce()
    {
        AuditTrail[] processes = [Trail(), Trail()];
        await Task.WhenAll(Enumerable.Range(0, 40).Select(at => processes[at % 2].AppendAsync(Tenant, Entry($"evt_{at / 2}")).AsTask()));
        var (rows, head, problem) = await Trail().VerifyAsync(Tenant);
        Assert.Equal((20, null), (rows, problem));
        Assert.Equal((20, head), await Trail().HeadAsync(Tenant));
        Assert.Equal(20, (await Trail().ReadAsync(Tenant, 0, 100)).Select(row => row.Entry.Id).Distinct().Count());
    }

    [Fact]
    public async Task Append_BehindALongTrail_BeginsAtItsEndAndStillKnowsTheLastIds()
    {
        for (var at = 1; at <= 30; at++)
        {
            await Trail().AppendAsync(Tenant, Entry($"evt_{at}"));
        }

        var restarted = new AuditTrail(_store.Log, _keys, TimeProvider.System) { KnownIdsMax = 5 };
        Assert.Null(await restarted.AppendAsync(Tenant, Entry("evt_30")));
        Assert.Equal(31, (await restarted.AppendAsync(Tenant, Entry("evt_31")))!.Seq);
        var (rows, _, problem) = await Trail().VerifyAsync(Tenant);
        Assert.Equal((31, null), (rows, problem));
    }

    [Fact]
    public async Task Verify_OfAStoreThatWasTamperedWith_NamesTheRow()
    {
        var trail = Trail();
        for (var at = 1; at <= 5; at++)
        {
            await trail.AppendAsync(Tenant, Entry($"evt_{at}"));
        }

        Assert.Null(await ProblemAsync(records => records));
        Assert.StartsWith("row 3:", await ProblemAsync(records => [.. records.Where(record => record.Seq != 3)]), StringComparison.Ordinal);
        Assert.StartsWith("row 3:", await ProblemAsync(records => [records[0], records[1], records[3] with { Seq = 3 }, records[2] with { Seq = 4 }, records[4]]), StringComparison.Ordinal);
        Assert.StartsWith("row 3:", await ProblemAsync(records => [.. records.Select(record => record.Seq == 3 ? record with { Command = "key.revoked" } : record)]), StringComparison.Ordinal);
        Assert.StartsWith("row 3:", await ProblemAsync(records => [.. records.Select(record => record.Seq == 3 ? record with { Body = [.. record.Body[..^1], (byte)(record.Body[^1] ^ 1)] } : record)]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Change_WhereTheProcessDiesAtAnyWrite_HasItsRowExactlyWhenItHappened(int writes)
    {
        // Every write of a change is one of: mark, document with its row, document without it, unmark; a dead process writes none after the n-th.
        var dying = new DyingDocuments(_store.Documents, writes);
        await Assert.ThrowsAnyAsync<Exception>(() => RaiseAsync(new AuditedStore(dying, Trail(), NullLogger<AuditedStore>.Instance), "evt_1"));

        var restarted = new AuditedStore(_store.Documents, Trail(), NullLogger<AuditedStore>.Instance);
        await restarted.SettleAllAsync(CancellationToken.None);

        var count = (await restarted.ReadAsync(Key, CounterJson.Default.Counter, CancellationToken.None)).Value?.Count ?? 0;
        Assert.Equal(count, (await Trail().ReadAsync(Tenant, 0, 10)).Count);
        await RaiseAsync(restarted, "evt_2");
        Assert.Equal(count + 1, (await Trail().ReadAsync(Tenant, 0, 10)).Count);
        Assert.Empty(await _store.Documents.ListAsync("", "audit_owed", "", null, 10));
        Assert.Null((await Trail().VerifyAsync(Tenant)).Problem);
    }

    private static Task<Counter?> RaiseAsync(AuditedStore store, string id) =>
        store.ChangeAsync(Tenant, Key, CounterJson.Default.Counter, known => ((known ?? new Counter(0)) with { Count = (known?.Count ?? 0) + 1 }, Entry(id)), CancellationToken.None);

    private async Task<string?> ProblemAsync(Func<IReadOnlyList<LogRecord>, IReadOnlyList<LogRecord>> tamper) =>
        (await new AuditTrail(new TamperedLog(_store.Log, tamper), _keys, TimeProvider.System).VerifyAsync(Tenant)).Problem;

    private AuditTrail Trail() => new(_store.Log, _keys, TimeProvider.System);

    private static AuditEntry Entry(string id) => new(id, 1_000, "key.created", "usr_a", "key_a");

    private sealed class TamperedLog(IEventLog inner, Func<IReadOnlyList<LogRecord>, IReadOnlyList<LogRecord>> tamper) : IEventLog
    {
        public Task<AppendOutcome> AppendAsync(Append append, CancellationToken cancellation = default) => inner.AppendAsync(append, cancellation);

        public async Task<IReadOnlyList<LogRecord>> ReadAsync(StreamId stream, long afterSeq, int countMax, CancellationToken cancellation = default) =>
            tamper(await inner.ReadAsync(stream, afterSeq, countMax, cancellation));

        public Task<byte[]?> ReadKeyAsync(StreamId stream, CancellationToken cancellation = default) => inner.ReadKeyAsync(stream, cancellation);

        public Task DestroyKeyAsync(StreamId stream, CancellationToken cancellation = default) => inner.DestroyKeyAsync(stream, cancellation);
    }

    /// <summary>A store whose process ends before its n-th write.</summary>
    private sealed class DyingDocuments(IDocumentStore inner, int diesAt) : IDocumentStore
    {
        private int _writes;

        public Task<StoredDocument?> GetAsync(DocumentKey key, CancellationToken cancellation = default) => inner.GetAsync(key, cancellation);

        public Task<string?> PutAsync(DocumentKey key, byte[] content, string? expectedETag, CancellationToken cancellation = default) =>
            Lives() ? inner.PutAsync(key, content, expectedETag, cancellation) : throw new OperationCanceledException("the process is dead");

        public Task<bool> DeleteAsync(DocumentKey key, string? expectedETag, CancellationToken cancellation = default) =>
            Lives() ? inner.DeleteAsync(key, expectedETag, cancellation) : throw new OperationCanceledException("the process is dead");

        public Task<IReadOnlyList<StoredDocument>> ListAsync(string tenant, string kind, string prefix, string? afterId, int countMax, CancellationToken cancellation = default) =>
            inner.ListAsync(tenant, kind, prefix, afterId, countMax, cancellation);

        private bool Lives() => ++_writes < diesAt;
    }
}

internal sealed record Counter(int Count) : AuditedDocument;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Counter))]
internal sealed partial class CounterJson : JsonSerializerContext;
