using Omium.Azure.Lifecycle;
using Omium.Azure.Storage;
using Omium.Conformance.Storage;
using Omium.Runtime.Ports;

namespace Omium.Conformance.Azure;

/// <summary>Nothing is published that was not committed, and nothing committed is not published.</summary>
public sealed class LifecyclePublisherTests
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(60);
    private readonly string prefix = AzuriteBackend.NewPrefix();

    [Fact]
    public async Task RunOnceAsync_ProcessKilledAgainAndAgain_PublishesWhatIsInTheLogInOrder()
    {
        var server = AzuriteServer.Shared;
        await using var bus = await LocalServiceBus.StartAsync();
        var sends = 0;
        bus.Decide = () => (Interlocked.Increment(ref sends) % 7) switch { 2 => Fault.DropAfter, 4 => Fault.Busy, 6 => Fault.DropBefore, _ => Fault.None };
        for (var life = 1; life <= 4; life++)
        {
            using var process = PublishingProcess.Start(server.BlobPort, server.TablePort, bus.Address.Port, prefix);
            await WaitAsync(() => process.HasExited || bus.Taken.Count >= life * 25);
            Assert.False(process.HasExited);
            await process.KillAsync();
        }

        bus.Decide = () => Fault.None;
        var store = PublishingProcess.Store(server.BlobPort, server.TablePort, prefix);
        await PublishingProcess.Publisher(store, bus.Address).RunOnceAsync();
        await AssertPublishedAsync(store, bus);

        var before = bus.Taken.Count;
        var again = await PublishingProcess.Publisher(store, bus.Address).RunOnceAsync();
        Assert.Equal(0, again.Sent);
        Assert.Equal(before, bus.Taken.Count);
    }

    [Fact]
    public async Task RunOnceAsync_BusRefuses_HoldsTheStreamAndSendsTheRestLater()
    {
        var (store, stream) = (Store(), Sample.Stream());
        await using var bus = await LocalServiceBus.StartAsync();
        for (var seq = 0; seq < 5; seq++)
        {
            await AppendAsync(store, stream, seq, "execution.paused");
        }

        var sends = 0;
        bus.Decide = () => Interlocked.Increment(ref sends) <= 2 ? Fault.None : Fault.Busy;
        var publisher = PublishingProcess.Publisher(store, bus.Address, retriesMax: 0);

        Assert.Equal(new PublishReport(0, 1), await publisher.RunOnceAsync());
        Assert.Equal([1L, 2], bus.Taken.Select(message => message.Seq));
        bus.Decide = () => Fault.None;
        Assert.Equal(new PublishReport(3, 0), await publisher.RunOnceAsync());
        Assert.Equal([1L, 2, 3, 4, 5], bus.Taken.Select(message => message.Seq));
        Assert.Empty(await store.Outbox.ListAsync(null));
    }

    [Fact]
    public async Task RunOnceAsync_WriterBetweenMarkAndRecord_KeepsTheMark()
    {
        var (store, stream) = (Store(), Sample.Stream());
        await using var bus = await LocalServiceBus.StartAsync();
        var publisher = PublishingProcess.Publisher(store, bus.Address);
        await AppendAsync(store, stream, 0, "execution.paused");
        await store.Outbox.MarkAsync(stream, 2, CancellationToken.None); // A writer has come this far, and is slow.

        await publisher.RunOnceAsync();
        Assert.Equal(2, Assert.Single(await store.Outbox.ListAsync(null)).From);
        await AppendAsync(Store(marks: false), stream, 1, "execution.failed"); // It goes on.
        await publisher.RunOnceAsync();

        Assert.Equal(["execution.paused", "execution.failed"], bus.Taken.Select(message => message.Label));
        Assert.Empty(await store.Outbox.ListAsync(null));
    }

    [Fact]
    public async Task RunOnceAsync_MarkedAgainWhilePublishing_ForgetsNothing()
    {
        var (store, stream) = (Store(), Sample.Stream());
        await using var bus = await LocalServiceBus.StartAsync();
        await AppendAsync(store, stream, 0, "execution.paused");
        bus.Decide = () =>
        {
            bus.Decide = () => Fault.None;
            AppendAsync(store, stream, 1, "execution.failed").GetAwaiter().GetResult();
            return Fault.None;
        };

        var publisher = PublishingProcess.Publisher(store, bus.Address);
        await publisher.RunOnceAsync();
        await publisher.RunOnceAsync();

        Assert.Equal([1L, 2], bus.Taken.Select(message => message.Seq));
        Assert.Empty(await store.Outbox.ListAsync(null));
    }

    [Fact]
    public async Task SendAsync_WrongKey_SaysWhatIsMissing()
    {
        await using var bus = await LocalServiceBus.StartAsync();
        var sender = new ServiceBusSender(ServiceBusTarget.Parse($"Endpoint={bus.Address};SharedAccessKeyName=send;SharedAccessKey=bm90aXQ=;EntityPath={LocalServiceBus.Topic}"));

        var unsent = await Assert.ThrowsAsync<LifecycleUnsentException>(() => sender.SendAsync(new LifecycleMessage("id", "session", "type", [123, 125]), CancellationToken.None));

        Assert.Contains("401", unsent.Message, StringComparison.Ordinal);
        Assert.Contains("Azure Service Bus Data Sender", unsent.Message, StringComparison.Ordinal);
    }

    private AzureStore Store(bool marks = true) =>
        AzuriteBackend.Store(AzuriteBackend.Options with { Prefix = prefix, OutboxEvents = marks ? LifecycleMessages.Events : new HashSet<string>() });

    private static async Task AppendAsync(AzureStore store, StreamId stream, long expected, string events)
    {
        var append = Sample.Append(stream, expected);
        Assert.Equal(AppendStatus.Appended, (await store.Log.AppendAsync(append with { Record = append.Record with { EventTypes = events } })).Status);
    }

    private static async Task AssertPublishedAsync(AzureStore store, LocalServiceBus bus)
    {
        var taken = bus.Taken;
        Assert.All(taken.GroupBy(message => message.Id), same => Assert.Single(same.Distinct()));
        var committed = new List<string>();
        for (var number = 0; number < PublishingProcess.Streams; number++)
        {
            var stream = PublishingProcess.StreamOf(number);
            var records = await store.Log.ReadAsync(stream, 0, int.MaxValue);
            var expected = records.SelectMany(record => LifecycleMessages.Of(stream, record, null)).Select(message => message.Id).ToList();
            Assert.NotEmpty(expected);
            // The first of each event, in the order of the log; repetitions may follow.
            Assert.Equal(expected, taken.Where(message => message.Session == $"{stream.Tenant}.{stream.Id}").Select(message => message.Id).Distinct());
            committed.AddRange(expected);
        }

        Assert.Equal(committed.Order(), taken.Select(message => message.Id).Distinct().Order());
    }

    private static async Task WaitAsync(Func<bool> reached)
    {
        using var limit = new CancellationTokenSource(WaitMax);
        while (!reached())
        {
            await Task.Delay(5, limit.Token);
        }
    }
}
