using Omium.Embedded.Storage;

namespace Omium.Conformance.Storage;

public sealed class SqliteEventLogTests() : EventLogConformance(SqliteBackend.Open);

public sealed class SqlitePayloadTests() : PayloadConformance(SqliteBackend.Open);

public sealed class SqliteDocumentTests() : DocumentConformance(SqliteBackend.Open);

public sealed class SqliteIndexTests() : IndexConformance(SqliteBackend.Open);

internal static class SqliteBackend
{
    public static StorageBackend Open()
    {
        var directory = new TemporaryDirectory();
        var store = EmbeddedStore.Open(new EmbeddedStoreOptions(directory.Path));
        return new StorageBackend(store.Log, store.Payloads, store.Documents, store.Index, async () =>
        {
            await store.DisposeAsync();
            directory.Dispose();
        });
    }
}

/// <summary>A directory that does not exist yet, and is removed with what was put in it.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"omium-test-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
