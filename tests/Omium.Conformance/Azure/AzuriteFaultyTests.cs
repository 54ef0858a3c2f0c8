using Omium.Conformance.Storage;

namespace Omium.Conformance.Azure;

// The same suites once more, while every few requests fail: throttled, refused, or cut off before or after the service has done its work.
public sealed class AzuriteFaultyEventLogTests() : EventLogConformance(FaultyBackend.Open)
{
    protected override int LongStreamRecords => 600;
}

public sealed class AzuriteFaultyPayloadTests() : PayloadConformance(FaultyBackend.Open);

public sealed class AzuriteFaultyDocumentTests() : DocumentConformance(FaultyBackend.Open);

public sealed class AzuriteFaultyIndexTests() : IndexConformance(FaultyBackend.Open);

internal static class FaultyBackend
{
    private static readonly Fault[] Faults = [Fault.DropAfter, Fault.Throttle, Fault.DropBefore, Fault.Busy];

    public static StorageBackend Open()
    {
        var server = AzuriteServer.Shared;
        var (blobs, tables) = (FaultyProxy.Start(server.BlobPort), FaultyProxy.Start(server.TablePort));
        var store = AzuriteBackend.Store(AzuriteBackend.Options with { Prefix = AzuriteBackend.NewPrefix(), RetriesMax = 8 }, blobs.Port, tables.Port);
        var requests = 0;
        blobs.Decide = tables.Decide = _ => Interlocked.Increment(ref requests) is var number && number % 3 == 0 ? Faults[number / 3 % Faults.Length] : Fault.None;
        return AzuriteBackend.Of(store, async () =>
        {
            Assert.Equal(requests / 3, blobs.Faults + tables.Faults);
            await blobs.DisposeAsync();
            await tables.DisposeAsync();
        });
    }
}
