using Omium.Runtime.Ports;

namespace Omium.Embedded.Engine;

/// <summary>
/// A heap of times at which a stream must be looked at again, the next one of each. Whoever looks adds what is due later, so that one time is enough;
/// with more, two things that wait and look again would add twice as many times with every look.
/// </summary>
internal sealed class DueTimes(TimeProvider time) : IDisposable
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromHours(1);
    private readonly PriorityQueue<StreamId, long> _heap = new();
    private readonly Dictionary<StreamId, long> _next = [];
    private readonly SemaphoreSlim _changed = new(0);
    private readonly Lock _gate = new();

    public void Dispose() => _changed.Dispose();

    public void Add(StreamId stream, long dueMs)
    {
        lock (_gate)
        {
            if (_next.TryGetValue(stream, out var next) && next <= dueMs)
            {
                return;
            }

            _next[stream] = dueMs;
            var first = !_heap.TryPeek(out _, out var earliest) || dueMs < earliest;
            _heap.Enqueue(stream, dueMs);
            if (!first)
            {
                return;
            }
        }

        _changed.Release();
    }

    /// <summary>The earliest time in the heap, Unix ms; null when it is empty.</summary>
    public long? NextDueMs
    {
        get
        {
            lock (_gate)
            {
                return _heap.TryPeek(out _, out var next) ? next : null;
            }
        }
    }

    /// <summary>Takes what is due by now.</summary>
    public IReadOnlyList<StreamId> TakeDue()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var due = new List<StreamId>();
            while (_heap.TryPeek(out var stream, out var at) && at <= now)
            {
                _heap.Dequeue();
                if (_next.TryGetValue(stream, out var next) && next == at)
                {
                    _next.Remove(stream);
                    due.Add(stream);
                }
            }

            return due;
        }
    }

    /// <summary>Waits until something is due and takes it.</summary>
    public async Task<IReadOnlyList<StreamId>> NextAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (TakeDue() is { Count: > 0 } due)
            {
                return due;
            }

            var waitMs = NextDueMs - time.GetUtcNow().ToUnixTimeMilliseconds() ?? (long)WaitMax.TotalMilliseconds;
            var wait = TimeSpan.FromMilliseconds(Math.Clamp(waitMs, 0, (long)WaitMax.TotalMilliseconds));
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var changed = _changed.WaitAsync(either.Token);
            await Task.WhenAny(changed, Task.Delay(wait, time, either.Token));
            cancellation.ThrowIfCancellationRequested();
            await either.CancelAsync();
            await changed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
