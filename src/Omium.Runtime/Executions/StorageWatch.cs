using Omium.Runtime.Ports;

namespace Omium.Runtime.Executions;

/// <summary>
/// Whether a store takes what is written to it, as its writers in this process have found: executions, what they share, ledgers and the audit trail are
/// written apart, and whichever is refused first is what a person has to hear. Guarantees: <see cref="Changed"/> is raised once when the first write is
/// refused and once when one is taken again, however many are refused between. Any thread may call.
/// </summary>
public sealed class StorageWatch(TimeProvider time)
{
    private readonly Lock _gate = new();
    private StorageAlarm? _alarm;

    /// <summary>Raised with the alarm when it begins, and with null when it ends; inside a write, so it must be quick and must not throw.</summary>
    public event Action<StorageAlarm?>? Changed;

    /// <summary>That the store does not take records at present, as far as this process has tried; null when it took the last one.</summary>
    public StorageAlarm? Alarm => Volatile.Read(ref _alarm);

    /// <summary>The store has refused a write.</summary>
    public void Refused(StorageUnavailableException refused)
    {
        ArgumentNullException.ThrowIfNull(refused);
        lock (_gate)
        {
            var before = _alarm;
            var alarm = new StorageAlarm(refused.Code, refused.Message, before?.SinceUnixMs ?? time.GetUtcNow().ToUnixTimeMilliseconds());
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
        if (Alarm is null)
        {
            return; // The way of every append: nothing to lock for.
        }

        lock (_gate)
        {
            if (_alarm is not null)
            {
                Volatile.Write(ref _alarm, null);
                Changed?.Invoke(null);
            }
        }
    }
}

/// <summary>The store has lately refused a record.</summary>
/// <param name="Code">storage_full or storage_failed.</param>
/// <param name="Detail">What the store said.</param>
/// <param name="SinceUnixMs">First refusal since the last record that was taken.</param>
public sealed record StorageAlarm(string Code, string Detail, long SinceUnixMs);
