using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Omium.Azure.Pump;
using Omium.Conformance.Storage;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Conformance.Engine;

/// <summary>The pump's activities one by one, by hand.</summary>
public sealed class PumpActivitiesTests
{
    private const string Spec = """
        omium: v0
        name: held
        steps:
          - {id: ask, type: human_approval, locks: ["customer/42"]}
        """;

    private readonly Told told = new();
    private PumpActivities activities = null!;

    /// <summary>A wait costs a look now and then, not as many as the hub can carry: who waits for a lock says until when, and nudges nobody.</summary>
    [Fact]
    public async Task RunEffect_LockIsTaken_SaysWhenToLookAgainAndIsToldWhenItIsFree()
    {
        await using var life = await BeginAsync();
        var holder = await life.StartAsync(Spec, "exe_holder");
        await RunAllAsync(holder);
        var waiter = await life.StartAsync(Spec, "exe_waiter");
        var gather = Assert.Single((await activities.GetPendingAsync(PumpInput.Of(waiter), default)).Effects);
        Assert.True(gather.MayWait);
        told.Nudged.Clear();

        for (var look = 0; look < 3; look++)
        {
            var run = await activities.RunEffectAsync(gather, default);
            Assert.InRange(run.LookAgainUnixMs ?? 0, life.Advancer.NowMs + 1, life.Advancer.NowMs + 60_000);
            Assert.DoesNotContain(waiter, told.Nudged);
        }

        var review = (await life.WaitAsync(holder, state => state.OpenReviews.Count > 0)).Reviews.Values.Single().Request;
        Assert.Null((await life.SubmitAsync(holder, new DecideReview(life.Advancer.NowMs, review.Review, "approve", review.Digest, "ada", null, null, null, null))).Rejection);
        await RunAllAsync(holder);
        Assert.Contains(waiter, told.Nudged);
        Assert.Null((await activities.RunEffectAsync(gather, default)).LookAgainUnixMs);
        Assert.NotEmpty((await life.WaitAsync(waiter, _ => true)).OpenReviews);
    }

    /// <summary>Its first run may have recorded it and died before it told the pump.</summary>
    [Fact]
    public async Task RunEffect_RecordedBefore_TellsThePumpAgain()
    {
        await using var life = await BeginAsync();
        var stream = await life.StartAsync(Spec, "exe_twice");
        var effect = Assert.Single((await activities.GetPendingAsync(PumpInput.Of(stream), default)).Effects);
        Assert.Null((await activities.RunEffectAsync(effect, default)).LookAgainUnixMs);
        told.Nudged.Clear();

        Assert.Null((await activities.RunEffectAsync(effect, default)).LookAgainUnixMs);
        Assert.Contains(stream, told.Nudged);
    }

    private Task<EngineLife> BeginAsync() => EngineLife.BeginAsync(
        MemoryBackend.Open(), Seal.NewKey(), new OutsideWorld(),
        (life, _, _) =>
        {
            activities = new PumpActivities(life.Advancer, life.Runner, told);
            IExecutionEngine engine = new PumpEngine(life.Advancer, life.Runner, told, NullLogger<PumpEngine>.Instance);
            return Task.FromResult((engine, (Func<ValueTask>)(() => ValueTask.CompletedTask)));
        },
        isAlone: false);

    /// <summary>Until nothing is due.</summary>
    private async Task RunAllAsync(StreamId stream)
    {
        while (await activities.GetPendingAsync(PumpInput.Of(stream), default) is { Effects.Count: > 0 } page)
        {
            foreach (var effect in page.Effects)
            {
                Assert.Null((await activities.RunEffectAsync(effect, default)).LookAgainUnixMs);
            }
        }
    }

    /// <summary>Runs nothing, and keeps whom it was told of.</summary>
    private sealed class Told : IPumpHost
    {
        public ConcurrentQueue<StreamId> Nudged { get; } = new();

        public Task EnsureStartedAsync(StreamId stream, CancellationToken cancellation) => Task.CompletedTask;

        public Task NudgeAsync(StreamId stream, CancellationToken cancellation)
        {
            Nudged.Enqueue(stream);
            return Task.CompletedTask;
        }
    }
}
