using Omium.Azure;
using Omium.Azure.Rest;
using Omium.Azure.Storage;
using Omium.Conformance.Storage;

namespace Omium.Conformance.Azure;

public sealed class AzuriteEventLogTests() : EventLogConformance(AzuriteBackend.Open);

public sealed class AzuritePayloadTests() : PayloadConformance(AzuriteBackend.Open);

public sealed class AzuriteDocumentTests() : DocumentConformance(AzuriteBackend.Open);

public sealed class AzuriteIndexTests() : IndexConformance(AzuriteBackend.Open);

internal static class AzuriteBackend
{
    public static AzureStoreOptions Options { get; } = new() { RetryDelay = TimeSpan.FromMilliseconds(10), RetryDelayMax = TimeSpan.FromMilliseconds(100) };

    public static StorageBackend Open() => Of(Store(Options with { Prefix = NewPrefix() }), () => ValueTask.CompletedTask);

    /// <summary>Tables of its own for each test.</summary>
    public static string NewPrefix() => "t" + Guid.NewGuid().ToString("N")[..15];

    public static AzureStore Store(AzureStoreOptions options)
    {
        var server = AzuriteServer.Shared;
        return Store(options, server.BlobPort, server.TablePort);
    }

    public static AzureStore Store(AzureStoreOptions options, int blobPort, int tablePort) => AzureStore.OpenAsync(
        StorageAccount.Parse(AzuriteServer.ConnectionString(blobPort, tablePort)), options).GetAwaiter().GetResult();

    public static StorageBackend Of(AzureStore store, Func<ValueTask> close) => new(store.Log, store.Payloads, store.Documents, store.Index, close);
}
