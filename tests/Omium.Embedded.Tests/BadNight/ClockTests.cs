using Omium.Kernel.Executions;
using Omium.Runtime.Executions;

namespace Omium.Embedded.Tests.BadNight;

/// <summary>S37, clock set back an hour: waits keep their length, and the times of a stream never run backwards.</summary>
public sealed class ClockTests
{
    private static readonly DateTimeOffset Start = new(2026, 10, 25, 2, 59, 0, TimeSpan.Zero);

    [Fact]
    public void SteadyClock_SetBackAnHour_GoesOnAtItsPaceUntilTheSystemHasCaughtUp()
    {
        var system = new SetClock(Start);
        var clock = new SteadyClock(system);
        system.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(Start.AddSeconds(10), clock.GetUtcNow());

        system.Set(Start.AddHours(-1));
        system.Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(Start.AddSeconds(15), clock.GetUtcNow());
        system.Pass(TimeSpan.FromMinutes(30));
        Assert.Equal(Start.AddSeconds(15).AddMinutes(30), clock.GetUtcNow());

        system.Set(Start.AddHours(2)); // Set forward, it follows.
        Assert.Equal(Start.AddHours(2), clock.GetUtcNow());
    }

    [Fact]
    public void SteadyClock_RestartedWithinTheHour_GoesOnFromTheLastRecordButNotFromNonsense()
    {
        var clock = new SteadyClock(new SetClock(Start));
        clock.NotBefore(Start.AddHours(1).ToUnixTimeMilliseconds());
        Assert.Equal(Start.AddHours(1), clock.GetUtcNow());

        var other = new SteadyClock(new SetClock(Start));
        other.NotBefore(Start.AddYears(70).ToUnixTimeMilliseconds());
        Assert.Equal(Start, other.GetUtcNow());
    }

    /// <summary>Without the steady clock too, whatever a host does: the writer itself holds the law.</summary>
    [Fact]
    public async Task Records_WithAClockThatIsSetBack_NeverRunBackwards()
    {
        var clock = new SetClock(DateTimeOffset.UtcNow);
        var options = new RigOptions
        {
            Time = clock,
            Call = (request, _) =>
            {
                clock.Pass(TimeSpan.FromSeconds(1));
                if (request.Arguments.GetProperty("n").GetInt32() == 3)
                {
                    clock.Set(clock.GetUtcNow().AddHours(-1));
                }

                return Task.FromResult(new EffectOutcome { Result = request.Arguments });
            },
        };
        await using var rig = await Rig.OpenAsync(options);
        var ended = await rig.RunAsync("""
            omium: v0
            name: ticking
            tools: {work: {type: function, function: work, effect: {kind: idempotent}}}
            steps:
              - {id: a, type: tool_call, tool: work, input: {n: 1}}
              - {id: b, type: tool_call, tool: work, needs: [a], input: {n: 3}}
              - {id: c, type: tool_call, tool: work, needs: [b], input: {n: 5}}
            """);

        Assert.Equal(ExecutionStatus.Succeeded, ended.Status);
        var records = await rig.Advancer.ReadAsync(Rig.Stream(ended.ExecutionId), 0, 100);
        Assert.All(records.Zip(records.Skip(1)), pair => Assert.True(pair.First.Record.AtUnixMs <= pair.Second.Record.AtUnixMs));
        Assert.Equal(VerifyVerdict.Identical, (await rig.Verifier.VerifyAsync(Rig.Stream(ended.ExecutionId)))!.Verdict);
    }

    /// <summary>A wall clock that is set by hand and a monotonic timer that only passes; timers run in real time.</summary>
    private sealed class SetClock(DateTimeOffset now) : TimeProvider
    {
        private readonly Lock _gate = new();
        private DateTimeOffset _now = now;
        private TimeSpan _passed;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Set(DateTimeOffset wall)
        {
            lock (_gate)
            {
                _now = wall;
            }
        }

        public void Pass(TimeSpan time)
        {
            lock (_gate)
            {
                (_now, _passed) = (_now + time, _passed + time);
            }
        }

        public override DateTimeOffset GetUtcNow()
        {
            lock (_gate)
            {
                return _now;
            }
        }

        public override long GetTimestamp()
        {
            lock (_gate)
            {
                return _passed.Ticks;
            }
        }
    }
}
