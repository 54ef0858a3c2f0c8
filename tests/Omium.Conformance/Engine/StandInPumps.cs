using System.Collections.Concurrent;
using System.Threading.Channels;
using Omium.Azure.Pump;
using Omium.Runtime.Ports;

namespace Omium.Conformance.Engine;

/// <summary>
/// A stand-in for Durable Functions in this process. It runs the same activities in the same order as the pump's orchestrator, and is worse to them than
/// the real service: instances die with the process, every third event is lost, and every fifth activity is run twice. It shows nothing about
/// Durable Functions itself.
/// </summary>
internal sealed class StandInPumps : IPumpHost, IAsyncDisposable
{
    private readonly ConcurrentDictionary<StreamId, Instance> pumps = new();
    private readonly ConcurrentDictionary<string, bool> effects = new();
    private readonly CancellationTokenSource killed = new();
    private int raised, ran;

    public PumpActivities? Activities { get; set; }

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
            pump.Nudge();
        }

        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync() => await killed.CancelAsync();

    /// <summary>ExecutionPump_v1: ask, have run, wait for one nudge or one timer, begin again.</summary>
    private async Task PumpAsync(StreamId stream)
    {
        try
        {
            while (true)
            {
                var page = await Activities!.GetPendingAsync(PumpInput.Of(stream), killed.Token);
                foreach (var effect in page.Effects.Where(effect => effects.TryAdd(effect.Instance, true)))
                {
                    _ = Task.Run(() => RunAsync(effect), CancellationToken.None);
                }

                if (page.IsDone)
                {
                    return;
                }

                var wait = page.NextDueUnixMs is { } due ? due - DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() : page.More ? 1_000 : long.MaxValue;
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

    private async Task RunAsync(EffectInput effect)
    {
        try
        {
            for (var times = Interlocked.Increment(ref ran) % 5 == 0 ? 2 : 1; times > 0; times--)
            {
                await Activities!.RunEffectAsync(effect, killed.Token);
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

    private sealed class Instance
    {
        private readonly Channel<bool> nudges = Channel.CreateUnbounded<bool>();

        public void Nudge() => nudges.Writer.TryWrite(true);

        public async Task WaitAsync(long waitMs, CancellationToken cancellation)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(TimeSpan.FromMilliseconds(Math.Clamp(waitMs, 0, 60_000)));
            try
            {
                await nudges.Reader.ReadAsync(limit.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                // The timer.
            }
        }
    }
}
