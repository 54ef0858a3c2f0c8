using Omium.Kernel.Specs;
using Omium.Runtime.Effects.Limits;

namespace Omium.Runtime.Tests.Limits;

public sealed class ProcessLimiterTests : IDisposable
{
    private static readonly LimitedTarget Crm = new("ten_a", "tool", "crm");
    private readonly TurnedClock _clock = new();
    private readonly ProcessLimiter _limiter;

    public ProcessLimiterTests() => _limiter = new ProcessLimiter(_clock);

    public void Dispose() => _limiter.Dispose();

    [Fact]
    public async Task Concurrent_OneTooMany_WaitsUntilAnotherEnds()
    {
        var limits = new LimitsSpec(2, null, null, null);
        var first = await EnterAsync(limits);
        using var second = await EnterAsync(limits);
        var third = EnterAsync(limits);
        var fourth = EnterAsync(limits);
        Assert.False(third.IsCompleted);
        first.Dispose();
        using var admitted = await third;
        Assert.False(fourth.IsCompleted);
        second.Dispose();
        second.Dispose(); // Twice counts once.
        (await fourth).Dispose();
    }

    [Fact]
    public async Task Concurrent_OtherTenantOrTool_IsCountedApart()
    {
        var limits = new LimitsSpec(1, null, null, null);
        using var one = await EnterAsync(limits);
        using var other = await _limiter.EnterAsync(Crm with { Tenant = "ten_b" }, limits, TestContext.Current.CancellationToken);
        using var agent = await _limiter.EnterAsync(Crm with { Kind = "agent" }, limits, TestContext.Current.CancellationToken);
        Assert.All([one, other, agent], permit => Assert.Null(permit.RetryAfter));
    }

    [Fact]
    public async Task PerSecond_Burst_ThenOneAfterTheOtherAsTimeGoes()
    {
        var limits = new LimitsSpec(null, 2, null, null);
        (await EnterAsync(limits)).Dispose();
        (await EnterAsync(limits)).Dispose();
        var third = EnterAsync(limits);
        var fourth = EnterAsync(limits);
        _clock.Turn(TimeSpan.FromMilliseconds(400));
        Assert.False(third.IsCompleted);
        _clock.Turn(TimeSpan.FromMilliseconds(101));
        (await third).Dispose();
        Assert.False(fourth.IsCompleted);
        _clock.Turn(TimeSpan.FromMilliseconds(501));
        (await fourth).Dispose();
    }

    [Fact]
    public async Task Breaker_FailuresInARow_OpensThenOneProbeDecides()
    {
        var limits = new LimitsSpec(null, null, 3, TimeSpan.FromSeconds(30));
        await CallAsync(limits, false, false, true, false, false); // A success between: not in a row.
        Assert.Null(await CallAsync(limits, false));
        Assert.Equal(TimeSpan.FromSeconds(30), await CallAsync(limits));
        _clock.Turn(TimeSpan.FromSeconds(29));
        Assert.Equal(TimeSpan.FromSeconds(1), await CallAsync(limits));

        _clock.Turn(TimeSpan.FromSeconds(2));
        var probe = await EnterAsync(limits);
        Assert.Null(probe.RetryAfter);
        Assert.NotNull(await CallAsync(limits)); // One probe at a time.
        probe.Report(false);
        probe.Dispose();
        Assert.Equal(TimeSpan.FromSeconds(30), await CallAsync(limits));

        _clock.Turn(TimeSpan.FromSeconds(31));
        Assert.Null(await CallAsync(limits, true));
        Assert.Null(await CallAsync(limits, false));
        Assert.Null(await CallAsync(limits, true));
    }

    [Fact]
    public async Task Breaker_Opens_WhoWaitsIsAnsweredAtOnce()
    {
        var limits = new LimitsSpec(1, null, 1, TimeSpan.FromSeconds(30));
        var calling = await EnterAsync(limits);
        var waiting = EnterAsync(limits);
        calling.Report(false);
        calling.Dispose();
        Assert.NotNull((await waiting).RetryAfter);
    }

    [Fact]
    public async Task Breaker_ProbeThatWasNotMade_LeavesTheNextOne()
    {
        var limits = new LimitsSpec(null, null, 1, TimeSpan.FromSeconds(30));
        await CallAsync(limits, false);
        _clock.Turn(TimeSpan.FromSeconds(31));
        (await EnterAsync(limits)).Dispose();
        Assert.Null(await CallAsync(limits, true));
        Assert.Null(await CallAsync(limits, true));
    }

    [Fact]
    public async Task Enter_Cancelled_LeavesItsPlaceToTheNext()
    {
        var limits = new LimitsSpec(1, null, null, null);
        var first = await EnterAsync(limits);
        using var cancelling = new CancellationTokenSource();
        var second = _limiter.EnterAsync(Crm, limits, cancelling.Token).AsTask();
        var third = EnterAsync(limits);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        first.Dispose();
        (await third).Dispose();
    }

    private Task<CallPermit> EnterAsync(LimitsSpec limits) => _limiter.EnterAsync(Crm, limits, TestContext.Current.CancellationToken).AsTask();

    /// <summary>Calls that go as told; what the last permit said.</summary>
    private async Task<TimeSpan?> CallAsync(LimitsSpec limits, params bool?[] succeed)
    {
        TimeSpan? last = null;
        foreach (var succeeded in succeed.Length == 0 ? [null] : succeed)
        {
            using var permit = await EnterAsync(limits);
            last = permit.RetryAfter;
            if (succeeded is { } went)
            {
                permit.Report(went);
            }
        }

        return last;
    }

    /// <summary>A clock that goes when it is turned; timers fire by it.</summary>
    private sealed class TurnedClock : TimeProvider
    {
        private readonly List<TurnedTimer> _timers = [];
        private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => _now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new TurnedTimer(this, () => callback(state));
            timer.Change(dueTime, period);
            _timers.Add(timer);
            return timer;
        }

        public void Turn(TimeSpan by)
        {
            _now += by;
            foreach (var timer in _timers.ToArray())
            {
                timer.FireIfDue();
            }
        }

        private sealed class TurnedTimer(TurnedClock clock, Action fire) : ITimer
        {
            private DateTimeOffset? _due;

            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                _due = dueTime == Timeout.InfiniteTimeSpan ? null : clock._now + dueTime;
                return true;
            }

            public void FireIfDue()
            {
                if (_due <= clock._now)
                {
                    _due = null;
                    fire();
                }
            }

            public void Dispose() => _due = null;

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
