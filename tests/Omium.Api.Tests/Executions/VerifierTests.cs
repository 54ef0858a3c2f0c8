using System.Text;
using Omium.Contracts;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Api.Tests.Executions;

/// <summary>Streams that somebody has changed are never called sound.</summary>
public sealed class VerifierTests : IAsyncLifetime
{
    private ApiHost _host = null!;
    private StreamId _stream;

    public async ValueTask InitializeAsync()
    {
        _host = await ApiHost.StartAsync();
        _stream = new StreamId("ten_a", (await _host.RunCompanyXAsync()).Id);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Verify_AnErasedStream_SaysErased()
    {
        await _host.Store.Log.DestroyKeyAsync(_stream);
        Assert.Equal("erased", (await _host.GetAsync($"/v1/executions/{_stream.Id}/verify", ContractJson.Default.VerifyView)).Verdict);
    }

    [Fact]
    public async Task Verify_AChangedByte_IsCorruptAtThatRecord()
    {
        var report = await VerifyAsync(record => record.Seq == 2 ? record with { Body = [.. record.Body.Select((value, at) => at == 40 ? (byte)(value ^ 1) : value)] } : record);
        Assert.Equal((VerifyVerdict.Corrupt, 1L), (report.Verdict, report.Records));
        Assert.Contains("record 2", report.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_ARecordMissing_IsCorrupt()
    {
        var report = await VerifyAsync(record => record.Seq == 2 ? null : record);
        Assert.Equal(VerifyVerdict.Corrupt, report.Verdict);
    }

    /// <summary>A forger who holds every key and rewrites an event, the seal and the chain behind it: the command gives other events.</summary>
    [Fact]
    public async Task Verify_ARewrittenHistoryWithASoundChain_IsCorrupt()
    {
        var keys = _host.KeyWrap;
        var dataKey = keys.Unwrap((await _host.Store.Log.ReadKeyAsync(_stream))!);
        using var cipher = Omium.Runtime.Security.Seal.NewCipher(dataKey);
        var last = RecordCodec.Genesis;
        var report = await VerifyAsync(record =>
        {
            var body = RecordCodec.Decode(_stream, record, dataKey);
            var text = Encoding.UTF8.GetString(KernelJson.Serialize(body));
            var forged = KernelJson.Deserialize(Encoding.UTF8.GetBytes(record.Seq == 3 ? ReplaceLast(text, "750", "850") : text));
            var rewritten = RecordCodec.Encode(_stream, record.Seq, last, cipher, record.AppendId, forged);
            last = rewritten.Hash;
            return rewritten;
        });
        Assert.Equal(VerifyVerdict.Corrupt, report.Verdict);
        Assert.Equal("record 3: decided again, 'settle_effect' gives other events", report.Detail);
    }

    [Fact]
    public async Task Verify_AnotherKernel_IsConsistentAtMost()
    {
        var last = RecordCodec.Genesis;
        var report = await VerifyAsync(record =>
        {
            var rewritten = record with { Kernel = record.Kernel - 1, PrevHash = last };
            rewritten = rewritten with { Hash = RecordCodec.HashOf(rewritten) };
            last = rewritten.Hash;
            return rewritten;
        });
        Assert.Equal(VerifyVerdict.Consistent, report.Verdict);
    }

    [Fact]
    public async Task Verify_ASpecWithOtherBytes_IsCorrupt()
    {
        var spec = (await _host.Store.Documents.ListAsync("ten_a", PlanCache.Kind, "", null, 10)).Single();
        await _host.Store.Documents.PutAsync(spec.Key, "{}"u8.ToArray(), null);
        var report = await VerifyAsync(record => record);
        Assert.Equal(VerifyVerdict.Corrupt, report.Verdict);
        Assert.Contains("spec", report.Detail, StringComparison.Ordinal);
    }

    private async Task<VerifyReport> VerifyAsync(Func<LogRecord, LogRecord?> change)
    {
        var log = new ChangedLog(_host.Store.Log, change);
        return (await new Verifier(log, _host.Store.Payloads, _host.Store.Documents, _host.KeyWrap).VerifyAsync(_stream))!;
    }

    private static string ReplaceLast(string text, string what, string with)
    {
        var at = text.LastIndexOf(what, StringComparison.Ordinal);
        Assert.True(at >= 0, text);
        return string.Concat(text.AsSpan(0, at), with, text.AsSpan(at + what.Length));
    }

    private sealed class ChangedLog(IEventLog inner, Func<LogRecord, LogRecord?> change) : IEventLog
    {
        public Task<AppendOutcome> AppendAsync(Append append, CancellationToken cancellation = default) => throw new NotSupportedException();

        public async Task<IReadOnlyList<LogRecord>> ReadAsync(StreamId stream, long afterSeq, int countMax, CancellationToken cancellation = default) =>
            [.. (await inner.ReadAsync(stream, afterSeq, countMax, cancellation)).Select(change).OfType<LogRecord>()];

        public Task<byte[]?> ReadKeyAsync(StreamId stream, CancellationToken cancellation = default) => inner.ReadKeyAsync(stream, cancellation);

        public Task DestroyKeyAsync(StreamId stream, CancellationToken cancellation = default) => throw new NotSupportedException();
    }
}
