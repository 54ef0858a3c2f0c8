using Omium.Runtime.Ports;

namespace Omium.Conformance.Storage;

/// <summary>One open store, as the suite sees it. A new backend is one of these and a small subclass per suite.</summary>
public sealed record StorageBackend(
    IEventLog Log, IPayloadStore Payloads, IDocumentStore Documents, IIndex Index, Func<ValueTask> Close)
{
    /// <summary>The whole store, for tests of what only this backend has.</summary>
    public object? Store { get; init; }
}

/// <summary>Opens an empty store for each test and closes it afterwards.</summary>
public abstract class StorageConformance(Func<StorageBackend> open) : IAsyncLifetime
{
    private readonly StorageBackend backend = open();

    protected IEventLog Log => backend.Log;

    protected IPayloadStore Payloads => backend.Payloads;

    protected IDocumentStore Documents => backend.Documents;

    protected IIndex Index => backend.Index;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await backend.Close();
        GC.SuppressFinalize(this);
    }
}
