using Omium.Runtime.Ports;

namespace Omium.Conformance.Storage;

/// <summary>What every <see cref="IPayloadStore"/> must do.</summary>
public abstract class PayloadConformance(Func<StorageBackend> open) : StorageConformance(open)
{
    [Fact]
    public async Task PutIfAbsentAsync_NewKey_CreatesIt()
    {
        Assert.True(await Payloads.PutIfAbsentAsync("acme", new SealedPayload("exe_1", "result.exe_1~a~1~1", [1, 2])));
        Assert.Equal<byte[]>([1, 2], await Payloads.GetAsync("acme", "exe_1", "result.exe_1~a~1~1"));
    }

    [Fact]
    public async Task PutIfAbsentAsync_KnownKey_KeepsTheFirstContent()
    {
        await Payloads.PutIfAbsentAsync("acme", new SealedPayload("exe_1", "key", [1]));

        Assert.False(await Payloads.PutIfAbsentAsync("acme", new SealedPayload("exe_1", "key", [2])));
        Assert.Equal<byte[]>([1], await Payloads.GetAsync("acme", "exe_1", "key"));
    }

    [Fact]
    public async Task PutIfAbsentAsync_ManyAtOnce_ExactlyOneCreates()
    {
        var created = await Task.WhenAll(Enumerable.Range(0, 20).Select(number => Task.Run(
            () => Payloads.PutIfAbsentAsync("acme", new SealedPayload("exe_1", "key", [(byte)number])))));

        var winner = Array.IndexOf(created, true);
        Assert.Single(created, wasCreated => wasCreated);
        Assert.Equal<byte[]>([(byte)winner], await Payloads.GetAsync("acme", "exe_1", "key"));
    }

    [Fact]
    public async Task PutIfAbsentAsync_Empty_IsKeptAndIsNotAbsence()
    {
        Assert.True(await Payloads.PutIfAbsentAsync("acme", new SealedPayload("exe_1", "empty", [])));
        Assert.False(await Payloads.PutIfAbsentAsync("acme", new SealedPayload("exe_1", "empty", [1])));
        Assert.Empty(await Payloads.GetAsync("acme", "exe_1", "empty") ?? [1]);
    }

    [Fact]
    public async Task PutIfAbsentAsync_FiftyMegabytes_IsReadBack()
    {
        var bytes = Sample.Bytes(50_000_000);

        Assert.True(await Payloads.PutIfAbsentAsync("acme", new SealedPayload("exe_1", "large", bytes)));
        var stored = await Payloads.GetAsync("acme", "exe_1", "large");
        Assert.True(bytes.AsSpan().SequenceEqual(stored));
    }

    [Fact]
    public async Task GetAsync_OtherTenantScopeOrKey_IsNull()
    {
        await Payloads.PutIfAbsentAsync("acme", new SealedPayload("exe_1", "key", [1]));

        Assert.Null(await Payloads.GetAsync("zeta", "exe_1", "key"));
        Assert.Null(await Payloads.GetAsync("acme", "exe_2", "key"));
        Assert.Null(await Payloads.GetAsync("acme", "exe_1", "KEY"));
    }
}
