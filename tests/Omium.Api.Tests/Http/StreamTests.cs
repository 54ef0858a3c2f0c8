using Omium.Contracts;
using Omium.Runtime.Executions;

namespace Omium.Api.Tests.Http;

/// <summary>Event streams of hosts that cut long answers off, and that are not alone on their store.</summary>
public sealed class StreamTests
{
    [Fact]
    public async Task Stream_OfAHostThatCutsLongAnswers_EndsByItselfAndIsTakenUpWithoutALoss()
    {
        await using var host = await ApiHost.StartAsync(options => options.StreamFor = TimeSpan.FromMilliseconds(200));
        var paused = await host.RunCompanyXAsync();

        // The execution stands open; it is the stream that ends, each time, and what follows begins where the one before ended.
        var first = await Streams.UntilEndedAsync(host, paused.Id);
        var before = first[^2].Seq;
        var next = await Streams.UntilEndedAsync(host, paused.Id, $"{before}");
        Assert.InRange(first.Count, paused.Seq, paused.Seq + 1); // The notification of the pause may follow it.
        Assert.Equal(Enumerable.Range(1, first.Count), first.Select(record => (int)record.Seq));
        Assert.Equal(Enumerable.Range((int)before + 1, next.Count), next.Select(record => (int)record.Seq));
        Assert.NotEmpty(next);
    }

    [Fact]
    public async Task Stream_OfAHostThatIsNotAlone_ShowsWhatOthersWrote()
    {
        await using var host = await ApiHost.StartAsync(options => options.LookEvery = TimeSpan.FromMilliseconds(20));
        var paused = await host.RunCompanyXAsync();
        var ended = Streams.UntilAsync(host, paused.Id, "execution.cancelled");

        // Another process on the same store: its writer is none that this host's streams listen to.
        var plans = new PlanCache(host.Store.Documents);
        var other = new Advancer(host.Store.Log, host.Store.Payloads, plans, host.KeyWrap, TimeProvider.System) { IsAlone = false };
        var stream = new Runtime.Ports.StreamId("ten_a", paused.Id);
        Assert.Null((await other.AdvanceAsync(stream, new Kernel.Executions.CancelExecution(other.NowMs, "ada", "no longer needed"))).Rejection);

        Assert.Contains("execution.cancelled", (await ended)[^1].Events.Select(happened => happened.GetProperty("type").GetString()));
    }
}
