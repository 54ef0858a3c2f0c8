using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Omium.Azure.Lifecycle;
using Omium.Azure.Storage;
using Omium.Conformance.Storage;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Conformance.Azure;

/// <summary>
/// This program started once more, to be killed: it appends lifecycle events to several streams without end and publishes them at the same time.
/// </summary>
internal sealed class PublishingProcess : IDisposable
{
    public const string Argument = "--publish-until-killed";
    public const int Streams = 6;

    private readonly Process process;

    private PublishingProcess(Process process) => this.process = process;

    public static StreamId StreamOf(int number) => Sample.Stream($"exe_{number}");

    public static PublishingProcess Start(int blobPort, int tablePort, int busPort, string prefix)
    {
        var start = new ProcessStartInfo("dotnet");
        foreach (var argument in new[] { typeof(PublishingProcess).Assembly.Location, Argument, $"{blobPort}", $"{tablePort}", $"{busPort}", prefix })
        {
            start.ArgumentList.Add(argument);
        }

        return new PublishingProcess(Process.Start(start)!);
    }

    public static async Task<int> RunAsync(int blobPort, int tablePort, int busPort, string prefix)
    {
        var store = Store(blobPort, tablePort, prefix);
        var publisher = Publisher(store, new Uri($"http://127.0.0.1:{busPort}"));
        var appending = Enumerable.Range(0, Streams).Select(number => Task.Run(() => AppendAsync(store, StreamOf(number))));
        await Task.WhenAny([.. appending, Task.Run(async () =>
        {
            while (true)
            {
                await publisher.RunOnceAsync();
            }
        })]);
        return 1; // None of them ends by itself.
    }

    public static AzureStore Store(int blobPort, int tablePort, string prefix) =>
        AzuriteBackend.Store(AzuriteBackend.Options with { Prefix = prefix, OutboxEvents = LifecycleMessages.Events }, blobPort, tablePort);

    public static LifecyclePublisher Publisher(AzureStore store, Uri bus, int retriesMax = 1) => new(
        store.Outbox, store.Log, new LocalKeyWrap(Seal.NewKey()),
        new ServiceBusSender(
            ServiceBusTarget.WithKey(bus, LocalServiceBus.Topic, LocalServiceBus.KeyName, LocalServiceBus.Key),
            new ServiceBusSenderOptions { RetriesMax = retriesMax, RetryDelay = TimeSpan.FromMilliseconds(10) }),
        NullLogger<LifecyclePublisher>.Instance);

    /// <summary>SIGKILL: the process gets no chance to finish anything.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public bool HasExited => process.HasExited;

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
        }

        process.Dispose();
    }

    /// <summary>A record with no, one or two published events, by its place; the same in every life of the process.</summary>
    private static async Task AppendAsync(AzureStore store, StreamId stream)
    {
        for (long seq = 0; ;)
        {
            var append = Sample.Append(stream, seq, Guid.NewGuid().ToString("N"));
            var outcome = await store.Log.AppendAsync(append with { Record = append.Record with { EventTypes = EventsAt(seq + 1) } });
            seq = outcome.LastSeq;
        }
    }

    private static string EventsAt(long seq) => (seq % 4) switch
    {
        0 => "step.committed",
        1 => "execution.paused",
        2 => "review.requested execution.paused",
        _ => "step.committed execution.resumed",
    };
}
