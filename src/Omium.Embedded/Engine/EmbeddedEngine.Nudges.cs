using System.Collections.Concurrent;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Embedded.Engine;

/// <summary>
/// Nudges: something else has happened that an execution waited for (a lock was granted). What it owes is in its own Pending all the while, so
/// that a nudge only says "look now". One that comes while the effect is just looking is kept until it is done.
/// </summary>
public sealed partial class EmbeddedEngine
{
    /// <summary>Those that look again after a while do so at the same moments: however many wait, the engine wakes up ten times a second for them.</summary>
    private const long NudgeGridMs = 100;

    private readonly ConcurrentDictionary<(StreamId, string), bool> _again = new();

    private void Nudge(StreamId stream, long dueMs)
    {
        if (_stopping.IsCancellationRequested)
        {
            return; // The next start looks at everything.
        }

        if (dueMs > _advancer.NowMs)
        {
            _dueTimes.Add(stream, (dueMs + NudgeGridMs - 1) / NudgeGridMs * NudgeGridMs);
        }
        else
        {
            _ = NudgeAsync(stream);
        }
    }

    private async Task NudgeAsync(StreamId stream)
    {
        using var piece = _underWay.Begin();
        await Task.Yield();
        try
        {
            if (await _advancer.FindAsync(stream, _stopping.Token) is not { } cell)
            {
                return;
            }

            foreach (var effect in cell.Pending.Where(effect => effect.Kind is PendingKind.Gather or PendingKind.Prepare or PendingKind.Reserve))
            {
                _again[(stream, effect.Id)] = true;
            }

            Dispatch(cell);
            foreach (var effect in cell.Pending.Where(effect => !_inFlight.ContainsKey((stream, effect.Id))))
            {
                TakeUpNudge(cell, effect); // It was done between the two: nobody else will.
            }
        }
        catch (Exception error) when (_stopping.IsCancellationRequested && error is OperationCanceledException or ObjectDisposedException)
        {
            // The next start looks at everything.
        }
        catch (StorageUnavailableException)
        {
            _dueTimes.Add(stream, _advancer.NowMs + (long)_options.RetryStorageAfter.TotalMilliseconds);
        }
        catch (Exception error)
        {
            Quarantine(stream, error);
        }
    }

    private void TakeUpNudge(ExecutionCell cell, PendingEffect effect)
    {
        if (_again.TryRemove((cell.Stream, effect.Id), out _))
        {
            Dispatch(cell);
        }
    }
}
