using Omium.Runtime.Ports;

namespace Omium.Runtime.Executions;

/// <summary>
/// Whether a store takes what is written to it, as its writers in this process have found: executions, what they share, ledgers and the audit trail are
/// written apart, and whichever is refused first is what a person has to hear. The alarm ends when a write was taken after the last refusal and
/// <see cref="StandsAtLeast"/> has passed since it: on a full disk small records still fit here and there, and an alarm that comes and goes says nothing.
/// Guarantees: <see cref="Changed"/> is raised once when it begins and once when it ends, however many writes are refused between. Any thread may call.
/// </summary>
public sealed class StorageWatch(TimeProvider time)
{
    /// <summary>How long the alarm stands after the last refusal at least: what waits tries again every second.</summary>
    public static readonly TimeSpan StandsAtLeast = TimeSpan.FromSeconds(3);

    private readonly Lock _gate = new();
    private StorageAlarm? _alarm;
    private long _refusedTimestamp;
    private bool _isTakenSince;

    /// <summary>Raised with the alarm when it begins, and with null when it ends; while others write, so it must be quick and must not throw.</summary>
    public event Action<StorageAlarm?>? Changed;

    /// <summary>That the store does not take records at present, as far as this process has tried; null while it takes them.</summary>
    public StorageAlarm? Alarm
    {
        get
        {
            if (Volatile.Read(ref _alarm) is null)
            {
                return null;
            }

            lock (_gate)
            {
                EndIfOver();
                return _alarm;
            }
        }
    }

    /// <summary>The store has refused a write.</summary>
    public void Refused(StorageUnavailableException refused)
    {
        ArgumentNullException.ThrowIfNull(refused);
        lock (_gate)
        {
            EndIfOver();
            var before = _alarm;
            var alarm = new StorageAlarm(refused.Code, refused.Message, before?.SinceUnixMs ?? time.GetUtcNow().ToUnixTimeMilliseconds());
            (_refusedTimestamp, _isTakenSince) = (time.GetTimestamp(), false);
            Volatile.Write(ref _alarm, alarm);
            if (before is null)
            {
                Changed?.Invoke(alarm);
            }
        }
    }

    /// <summary>The store has taken a write.</summary>
    public void Taken()
    {
        if (Volatile.Read(ref _alarm) is null)
        {
            return; // The way of every append: nothing to lock for.
        }

        lock (_gate)
        {
            _isTakenSince = true;
            EndIfOver();
        }
    }

    private void EndIfOver()
    {
        if (_alarm is not null && _isTakenSince && time.GetElapsedTime(_refusedTimestamp) >= StandsAtLeast)
        {
            Volatile.Write(ref _alarm, null);
            Changed?.Invoke(null);
        }
    }
}

/// <summary>The store has lately refused a write.</summary>
/// <param name="Code">storage_full or storage_failed.</param>
/// <param name="Detail">What the store said.</param>
/// <param name="SinceUnixMs">The refusal that it began with.</param>
public sealed record StorageAlarm(string Code, string Detail, long SinceUnixMs);
