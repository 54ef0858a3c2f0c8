using System.Collections.Concurrent;
using Omium.Embedded.Engine;
using Omium.Kernel.Executions;
using Omium.Runtime.Ports;

namespace Omium.Embedded.Tests.Scale;

/// <summary>However much waits for a time, only so many times are in memory; the others are found in the store when they come near.</summary>
public sealed class TimersTests
{
    private const int CountMax = 3;

    [Theory]
    [InlineData(3_600_000)]
    [InlineData(1_000)]
    [InlineData(0)]
    public void DueTimes_MoreThanAreKept_EachIsTakenInItsTime(long apartMs)
    {
        var clock = new SetClock { NowMs = 1_000_000 };
        using var times = new DueTimes(clock, CountMax);
        var waiting = Enumerable.Range(1, 10).ToDictionary(number => new StreamId("ten_a", $"exe_{number:D2}"), number => clock.NowMs + 3_600_000 + (number * apartMs));
        foreach (var (stream, dueMs) in waiting)
        {
            times.Add(stream, dueMs);
            Assert.InRange(times.Count, 0, CountMax);
        }

        var late = new List<long>();
        while (waiting.Count > 0)
        {
            clock.NowMs = Math.Max(clock.NowMs, times.NextDueMs!.Value);
            IEnumerable<StreamId> looked = times.TakeDue();
            if (times.TryBeginLook())
            {
                looked = [.. looked, .. waiting.Keys];
                times.EndLook(sawAll: true);
            }

            foreach (var stream in looked.Distinct().Where(waiting.ContainsKey).ToArray())
            {
                if (waiting[stream] > clock.NowMs)
                {
                    times.Add(stream, waiting[stream]);
                }
                else
                {
                    late.Add(clock.NowMs - waiting[stream]);
                    waiting.Remove(stream);
                }
            }

            Assert.InRange(times.Count, 0, CountMax);
        }

        Assert.All(late, lateMs => Assert.InRange(lateMs, 0, 2_000));
        Assert.Null(times.NextDueMs);
    }

    [Fact]
    public void DueTimes_LookThatFailed_IsMadeAgain()
    {
        var clock = new SetClock { NowMs = 1_000_000 };
        using var times = new DueTimes(clock, 2);
        for (var number = 1; number <= 5; number++)
        {
            times.Add(new StreamId("ten_a", $"exe_{number}"), clock.NowMs + (number * 10L));
        }

        Assert.True(times.TryBeginLook());
        Assert.False(times.TryBeginLook());
        times.EndLook(sawAll: false);
        Assert.False(times.TryBeginLook());
        clock.NowMs += 1_000;
        Assert.True(times.TryBeginLook());
    }

    [Fact]
    public async Task Engine_WithRoomForFourTimers_RunsTwelveRetries()
    {
        var failed = new ConcurrentDictionary<string, bool>();
        var options = new RigOptions
        {
            Engine = new EmbeddedEngineOptions { TimersMax = 4, RetryStorageAfter = TimeSpan.FromMilliseconds(50) },
            Call = (request, _) => Task.FromResult(failed.TryAdd(request.EffectId, true) && request.EffectId.Contains("~1~1~", StringComparison.Ordinal)
                ? new EffectOutcome { Failure = new EffectFailure("tool_error", "not_yet", "the first attempt fails") }
                : new EffectOutcome { Result = request.Arguments }),
        };
        await using var rig = await Rig.OpenAsync(options);
        const string Spec = """
            omium: v0
            name: again
            tools: {work: {type: function, function: work, effect: {kind: none}}}
            steps:
              - {id: work, type: tool_call, tool: work, input: {n: 1}, retry: {max_attempts: 2, initial: 1s}}
            """;
        var ends = await Task.WhenAll(Enumerable.Range(1, 12).Select(number => rig.RunAsync(Spec, id: $"exe_timer{number:D2}")));

        Assert.All(ends, end => Assert.Equal(ExecutionStatus.Succeeded, end.Status));
        Assert.Equal(24, failed.Count);
    }

    private sealed class SetClock : TimeProvider
    {
        public long NowMs { get; set; }

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);
    }
}
