using System.Collections.Concurrent;
using Omium.Kernel.Specs;

namespace Omium.Runtime.Effects.Limits;

/// <summary>
/// Limits within one process. That is the whole platform on one machine, because one process owns a data directory; on several hosts each
/// would count for itself. What was counted is forgotten when the process ends: a breaker starts closed.
/// </summary>
public sealed class ProcessLimiter(TimeProvider time) : ICallLimiter, IDisposable
{
    private readonly ConcurrentDictionary<LimitedTarget, Gate> _gates = new();

    /// <inheritdoc/>
    public ValueTask<CallPermit> EnterAsync(LimitedTarget target, LimitsSpec limits, CancellationToken cancellation) =>
        _gates.GetOrAdd(target, _ => new Gate(time)).EnterAsync(limits, cancellation);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var gate in _gates.Values)
        {
            gate.Dispose();
        }
    }

    /// <summary>
    /// One agent or tool.
    /// <code>
    /// concurrency   calls under way are counted
    /// rate          a bucket of as many tokens as a second gives (at least one), refilled evenly
    /// breaker       closed -(so many failures in a row)-> open -(cool_down)-> one probe -> closed, or open again
    /// </code>
    /// </summary>
    private sealed class Gate(TimeProvider time) : IDisposable
    {
        private readonly Lock _lock = new();
        private readonly LinkedList<Waiter> _waiting = [];
        private ITimer? _timer;
        private int _active;
        private double? _tokens;
        private DateTimeOffset _refilledAt;
        private int _failures;
        private DateTimeOffset? _openUntil;
        private bool _isProbing;

        public void Dispose() => _timer?.Dispose();

        public async ValueTask<CallPermit> EnterAsync(LimitsSpec limits, CancellationToken cancellation)
        {
            var waiter = new Waiter(limits);
            lock (_lock)
            {
                _waiting.AddLast(waiter);
                Admit();
            }

            using var registration = cancellation.Register(() =>
            {
                lock (_lock)
                {
                    if (_waiting.Remove(waiter))
                    {
                        waiter.Answer.TrySetCanceled(cancellation);
                        Admit();
                    }
                }
            });
            return await waiter.Answer.Task;
        }

        /// <summary>Admits from the front as many as may go; who waits behind the first that may not waits, too. Under the lock.</summary>
        private void Admit()
        {
            while (_waiting.First is { Value: var first })
            {
                var now = time.GetUtcNow();
                if (OpenFor(first.Limits, now) is { } retryAfter)
                {
                    _waiting.RemoveFirst();
                    first.Answer.TrySetResult(new CallPermit(null, retryAfter));
                    continue;
                }

                if (_active >= (first.Limits.Concurrent ?? int.MaxValue))
                {
                    return; // The next call that ends admits it.
                }

                if (first.Limits.PerSecond is { } rate && WaitForToken(rate, now) is { } wait)
                {
                    _timer ??= time.CreateTimer(_ => Tick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                    _timer.Change(wait, Timeout.InfiniteTimeSpan);
                    return;
                }

                _waiting.RemoveFirst();
                _active++;
                var isProbe = _isProbing = _openUntil is not null;
                first.Answer.TrySetResult(new CallPermit(succeeded => Leave(first.Limits, isProbe, succeeded)));
            }
        }

        private void Tick()
        {
            lock (_lock)
            {
                Admit();
            }
        }

        /// <summary>How long the breaker is open still; null when a call may be made (the probe included). Under the lock.</summary>
        private TimeSpan? OpenFor(LimitsSpec limits, DateTimeOffset now) => _openUntil is not { } until || limits.BreakerFailures is null ? null
            : now < until ? until - now
            : _isProbing ? CoolDown(limits)
            : null;

        private static TimeSpan CoolDown(LimitsSpec limits) => limits.BreakerCoolDown ?? TimeSpan.FromSeconds(30);

        /// <summary>Takes a token; else how long until there is one.</summary>
        private TimeSpan? WaitForToken(double rate, DateTimeOffset now)
        {
            var capacity = Math.Max(1, Math.Floor(rate));
            _tokens = Math.Min(capacity, (_tokens ?? capacity) + (_tokens is null ? 0 : Math.Max(0, (now - _refilledAt).TotalSeconds) * rate));
            _refilledAt = now;
            if (_tokens >= 1 - 1e-9)
            {
                _tokens--;
                return null;
            }

            return TimeSpan.FromSeconds(Math.Max((1 - _tokens.Value) / rate, 0.001));
        }

        private void Leave(LimitsSpec limits, bool isProbe, bool? succeeded)
        {
            lock (_lock)
            {
                _active--;
                _isProbing &= !isProbe;
                if (succeeded == true)
                {
                    (_failures, _openUntil) = (0, isProbe ? null : _openUntil);
                }
                else if (succeeded == false && limits.BreakerFailures is { } most && (isProbe || ++_failures >= most))
                {
                    (_failures, _openUntil) = (0, time.GetUtcNow() + CoolDown(limits));
                }

                Admit();
            }
        }

        private sealed record Waiter(LimitsSpec Limits)
        {
            public TaskCompletionSource<CallPermit> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
