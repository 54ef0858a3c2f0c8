using Omium.Conformance.Memory;

namespace Omium.Conformance.Storage;

public sealed class MemoryEventLogTests() : EventLogConformance(MemoryBackend.Open);

public sealed class MemoryPayloadTests() : PayloadConformance(MemoryBackend.Open);

public sealed class MemoryDocumentTests() : DocumentConformance(MemoryBackend.Open);

public sealed class MemoryIndexTests() : IndexConformance(MemoryBackend.Open);

internal static class MemoryBackend
{
    public static StorageBackend Open()
    {
        var store = new MemoryStore();
        return new StorageBackend(store, store, store, store, () => ValueTask.CompletedTask);
    }
}
