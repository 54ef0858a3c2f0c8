namespace Omium.Runtime.Executions;

/// <summary>
/// The system's clock, except that it never runs backwards: while the system's is set back, it goes on from where it was at the pace of the
/// monotonic timer, until the system's has caught up. Set forward, it follows at once. So a wait of ten seconds is one of ten seconds on a night
/// when the clock is set back an hour, and the times of an execution's records never decrease.
/// </summary>
/// <remarks>See docs/decisions/0013-clock-set-back.md. Safe for use by many threads.</remarks>
/// <param name="system">The system's clock.</param>
public sealed class SteadyClock(TimeProvider system) : TimeProvider
{
    /// <summary>How far ahead of the system's clock a last record may be and still be believed when a process starts. Beyond, it was the record's clock that was wrong.</summary>
    public static readonly TimeSpan AheadMax = TimeSpan.FromHours(24);

    private readonly Lock _gate = new();
    private DateTimeOffset _last = system.GetUtcNow();
    private long _lastStamp = system.GetTimestamp();

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => system.LocalTimeZone;

    /// <inheritdoc/>
    public override long TimestampFrequency => system.TimestampFrequency;

    /// <summary>Goes on from a time that an earlier process has put on record, if that is not too far ahead to be believed.</summary>
    public void NotBefore(long unixMs)
    {
        lock (_gate)
        {
            var recorded = DateTimeOffset.FromUnixTimeMilliseconds(unixMs);
            if (recorded > _last && recorded - _last <= AheadMax)
            {
                (_last, _lastStamp) = (recorded, system.GetTimestamp());
            }
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            var (now, stamp) = (system.GetUtcNow(), system.GetTimestamp());
            var steady = _last + system.GetElapsedTime(_lastStamp, stamp);
            (_last, _lastStamp) = (now > steady ? now : steady, stamp);
            return _last;
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp() => system.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => system.CreateTimer(callback, state, dueTime, period);
}
