using System.Collections.Concurrent;
using System.Threading.Channels;
using Omium.Azure.Pump;
using Omium.Runtime.Ports;

namespace Omium.Conformance.Engine;

/// <summary>
/// A stand-in for Durable Functions in this process. It runs the same activities in the same order as the pump's orchestrators, and is worse to them than
/// the real service: instances die with the process, every third event is lost, and every fifth activity is run twice. With several workers each activity
/// goes to the next of them, so that no two steps of a run need come from one instance of the app. It shows nothing about Durable Functions itself.
/// </summary>
internal sealed class StandInPumps : IPumpHost, IAsyncDisposable
{
    private readonly ConcurrentDictionary<StreamId, Instance> pumps = new();
    private readonly ConcurrentDictionary<string, Instance> effects = new();
    private readonly CancellationTokenSource killed = new();
    private readonly List<PumpActivities> workers = [];
    private int raised, ran, asked, looked;

    /// <summary>How often an activity asked what is outstanding, and how often one ran an effect.</summary>
    public (int Looks, int Runs) Counted => (Volatile.Read(ref looked), Volatile.Read(ref ran));

    /// <summary>Adds an instance of the app.</summary>
    public void Add(PumpActivities activities) => workers.Add(activities);

    public Task EnsureStartedAsync(StreamId stream, CancellationToken cancellation)
    {
        if (!killed.IsCancellationRequested && pumps.TryAdd(stream, new Instance()))
        {
            _ = Task.Run(() => PumpAsync(stream), CancellationToken.None);
        }

        return Task.CompletedTask;
    }

    public Task NudgeAsync(StreamId stream, CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref raised) % 3 != 0 && pumps.TryGetValue(stream, out var pump))
        {
            pump.Tell();
        }

        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync() => await killed.CancelAsync();

    private PumpActivities Next => workers[(int)((uint)Interlocked.Increment(ref asked) % workers.Count)];

    /// <summary>ExecutionPump_v1: ask, have run, wait for one nudge or one timer, begin again.</summary>
    private async Task PumpAsync(StreamId stream)
    {
        try
        {
            while (true)
            {
                Interlocked.Increment(ref looked);
                var page = await Next.GetPendingAsync(PumpInput.Of(stream), killed.Token);
                foreach (var effect in page.Effects)
                {
                    StartEffect(effect);
                }

                if (page.IsDone)
                {
                    return;
                }

                var wait = page.NextDueUnixMs is { } due ? WaitMs(due) : page.More ? 1_000 : long.MaxValue;
                await pumps[stream].WaitAsync(wait, killed.Token);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or StorageUnavailableException or ObjectDisposedException)
        {
            // Gone: the sweeper will start it again.
        }
        finally
        {
            pumps.TryRemove(stream, out _);
        }
    }

    private void StartEffect(EffectInput effect)
    {
        var instance = new Instance();
        if (effects.TryAdd(effect.Instance, instance))
        {
            _ = Task.Run(() => RunAsync(effect, instance), CancellationToken.None);
        }
        else if (effect.MayWait && effects.TryGetValue(effect.Instance, out var running))
        {
            running.Tell();
        }
    }

    /// <summary>RunEffect_v1: run; one that waits for others is run again when it is told or after a while.</summary>
    private async Task RunAsync(EffectInput effect, Instance instance)
    {
        try
        {
            while (true)
            {
                EffectRun run;
                var times = Interlocked.Increment(ref ran) % 5 == 0 ? 2 : 1;
                do
                {
                    run = await Next.RunEffectAsync(effect, killed.Token);
                }
                while (--times > 0);

                if (run.LookAgainUnixMs is not { } lookAgain)
                {
                    return;
                }

                await instance.WaitAsync(WaitMs(lookAgain), killed.Token);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or StorageUnavailableException or ObjectDisposedException)
        {
            // A failed activity: the effect is still outstanding, and a later look runs it again.
        }
        finally
        {
            effects.TryRemove(effect.Instance, out _);
        }
    }

    private static long WaitMs(long dueUnixMs) => dueUnixMs - DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    private sealed class Instance
    {
        private readonly Channel<bool> events = Channel.CreateUnbounded<bool>();

        public void Tell() => events.Writer.TryWrite(true);

        public async Task WaitAsync(long waitMs, CancellationToken cancellation)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(TimeSpan.FromMilliseconds(Math.Clamp(waitMs, 0, 60_000)));
            try
            {
                await events.Reader.ReadAsync(limit.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                // The timer.
            }
        }
    }
}
