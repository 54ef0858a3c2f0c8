using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Tests.Executions;

public sealed class StorageWatchTests
{
    private readonly TurnedClock _clock = new();
    private readonly StorageWatch _watch;
    private readonly List<bool> _told = [];

    public StorageWatchTests()
    {
        _watch = new StorageWatch(_clock);
        _watch.Changed += alarm => _told.Add(alarm is not null);
    }

    [Fact]
    public void Refused_Often_IsTold_Once_WithTheFirstTimeAndTheLastDetail()
    {
        _watch.Refused(Full("first"));
        _clock.Turn(TimeSpan.FromMinutes(5));
        _watch.Refused(Full("last"));

        Assert.Equal(("last", 0), (_watch.Alarm!.Detail, _watch.Alarm.SinceUnixMs));
        Assert.Equal([true], _told);
    }

    [Fact]
    public void Taken_BetweenRefusals_DoesNotEndIt()
    {
        for (var round = 0; round < 10; round++)
        {
            _watch.Refused(Full("full"));
            _watch.Taken(); // A small record that still fits.
            _clock.Turn(StorageWatch.StandsAtLeast / 2);
            Assert.NotNull(_watch.Alarm);
        }

        Assert.Equal([true], _told);
    }

    [Fact]
    public void Taken_AfterTheLastRefusal_EndsIt_OnceItHasStoodLongEnough()
    {
        _watch.Refused(Full("full"));
        _watch.Taken();
        _clock.Turn(StorageWatch.StandsAtLeast);

        Assert.Null(_watch.Alarm); // Without another write.
        Assert.Equal([true, false], _told);
    }

    [Fact]
    public void Silence_AfterARefusal_DoesNotEndIt()
    {
        _watch.Refused(Full("full"));
        _clock.Turn(TimeSpan.FromDays(1));

        Assert.NotNull(_watch.Alarm);
    }

    private static StorageUnavailableException Full(string detail) => new(StorageUnavailableException.Full, detail);

    private sealed class TurnedClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Turn(TimeSpan by) => _ticks += by.Ticks;

        public override long GetTimestamp() => _ticks;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(_ticks);
    }
}
