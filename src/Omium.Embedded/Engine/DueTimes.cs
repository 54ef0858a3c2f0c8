using Omium.Runtime.Ports;

namespace Omium.Embedded.Engine;

/// <summary>
/// Times at which a stream must be looked at again, the next one of each. Whoever looks adds what is due later, so that one time is enough; with more,
/// two things that wait and look again would add twice as many times with every look. Looking too often does no harm. Bounded: of more than
/// <paramref name="countMax"/> times the furthest are let go of, and before the first of those comes the host is told to look at all active streams
/// again (<see cref="TryBeginLook"/>), which adds the times that are near by then. So a million reviews that are open for a month cost a look around now
/// and then, not memory.
/// </summary>
/// <param name="time">Clock.</param>
/// <param name="countMax">Most times kept; at least 2.</param>
internal sealed class DueTimes(TimeProvider time, int countMax = DueTimes.CountMaxDefault) : IDisposable
{
    /// <summary>About 25 MB.</summary>
    public const int CountMaxDefault = 100_000;

    /// <summary>How long before the first time that was let go of the host looks around (that takes its time), and how long it then rests at least.</summary>
    private const long LookAheadMs = 60_000, RestMs = 1_000;

    private static readonly TimeSpan WaitMax = TimeSpan.FromHours(1);
    private readonly SortedSet<(long DueMs, StreamId Stream)> _kept = new(Comparer<(long DueMs, StreamId Stream)>.Create(Compare));
    private readonly Dictionary<StreamId, long> _next = [];
    private readonly SemaphoreSlim _changed = new(0);
    private readonly Lock _gate = new();
    private long _horizonMs = long.MaxValue; // Times from here on are not kept.
    private long _lookMs = long.MaxValue;    // When to look around; never while somebody does.
    private long _restedMs;
    private bool _isLooking;

    public void Dispose() => _changed.Dispose();

    public void Add(StreamId stream, long dueMs)
    {
        lock (_gate)
        {
            if (dueMs >= _horizonMs)
            {
                return; // Not known from here on: the look around will find it.
            }

            if (_next.TryGetValue(stream, out var next))
            {
                if (next <= dueMs)
                {
                    return;
                }

                _kept.Remove((next, stream));
            }

            _next[stream] = dueMs;
            var first = _kept.Count == 0 || dueMs < _kept.Min.DueMs;
            _kept.Add((dueMs, stream));

            if (_kept.Count > countMax)
            {
                _horizonMs = _kept.Max.DueMs;
                while (_kept.Count > 0 && _kept.Max.DueMs >= _horizonMs)
                {
                    Remove(_kept.Max);
                }

                _lookMs = Math.Max(_horizonMs - LookAheadMs, _restedMs);
                first = true; // What is to be waited for may have changed.
            }

            if (!first)
            {
                return;
            }
        }

        _changed.Release();
    }

    /// <summary>How many times are kept.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _kept.Count;
            }
        }
    }

    /// <summary>The earliest time at which something is to be done, Unix ms; null when there is none.</summary>
    public long? NextDueMs
    {
        get
        {
            lock (_gate)
            {
                var lookMs = _isLooking ? long.MaxValue : _lookMs;
                var nextMs = _kept.Count == 0 ? lookMs : Math.Min(_kept.Min.DueMs, lookMs);
                return nextMs == long.MaxValue ? null : nextMs;
            }
        }
    }

    /// <summary>
    /// True when times that were let go of have come near: the caller looks at all active streams, adds what they wait for, and says
    /// <see cref="EndLook"/>. One at a time.
    /// </summary>
    public bool TryBeginLook()
    {
        lock (_gate)
        {
            if (_isLooking || time.GetUtcNow().ToUnixTimeMilliseconds() < _lookMs)
            {
                return false;
            }

            (_horizonMs, _lookMs, _isLooking) = (long.MaxValue, long.MaxValue, true);
            return true;
        }
    }

    /// <summary>The end of a look around; one that could not see everything is made again.</summary>
    public void EndLook(bool sawAll)
    {
        lock (_gate)
        {
            _isLooking = false;
            _restedMs = time.GetUtcNow().ToUnixTimeMilliseconds() + RestMs;
            _lookMs = sawAll && _lookMs == long.MaxValue ? long.MaxValue : Math.Max(sawAll ? _lookMs : 0, _restedMs);
        }

        _changed.Release();
    }

    /// <summary>Takes what is due by now.</summary>
    public IReadOnlyList<StreamId> TakeDue()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var due = new List<StreamId>();
            while (_kept.Count > 0 && _kept.Min is var first && first.DueMs <= now)
            {
                Remove(first);
                due.Add(first.Stream);
            }

            return due;
        }
    }

    /// <summary>Waits until something is due, or all are to be looked at, and takes what is due.</summary>
    public async Task<IReadOnlyList<StreamId>> NextAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var due = TakeDue();
            var waitMs = NextDueMs - time.GetUtcNow().ToUnixTimeMilliseconds() ?? (long)WaitMax.TotalMilliseconds;
            if (due.Count > 0 || waitMs <= 0)
            {
                return due;
            }

            var wait = TimeSpan.FromMilliseconds(Math.Min(waitMs, (long)WaitMax.TotalMilliseconds));
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var changed = _changed.WaitAsync(either.Token);
            await Task.WhenAny(changed, Task.Delay(wait, time, either.Token));
            cancellation.ThrowIfCancellationRequested();
            await either.CancelAsync();
            await changed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Remove((long DueMs, StreamId Stream) entry)
    {
        _kept.Remove(entry);
        _next.Remove(entry.Stream);
    }

    private static int Compare((long DueMs, StreamId Stream) x, (long DueMs, StreamId Stream) y)
    {
        var order = x.DueMs.CompareTo(y.DueMs);
        order = order != 0 ? order : string.CompareOrdinal(x.Stream.Tenant, y.Stream.Tenant);
        return order != 0 ? order : string.CompareOrdinal(x.Stream.Id, y.Stream.Id);
    }
}
