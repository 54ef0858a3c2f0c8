using System.Globalization;
using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S21: retries wait exponentially, end after three, and end at once when the same failure is seen twice.</summary>
public sealed class S21RetryTests
{
    /// <summary>How late a due retry may begin and be recorded, in milliseconds: a second, and on a busy machine as long again as the program took to start.</summary>
    private static double LatenessMaxMs(World world) => 1_000 + world.Omium.StartMs;

    [Fact]
    public async Task S21_DifferentFailures_AreRetriedThreeTimesWithGrowingWaits()
    {
        await using var world = await World.StartAsync();
        await using var service = new FailingService(500, 502, 503, 504);
        await world.Client.SaveAsync(Spec(service.Address, "exponential(50ms, 150ms)"));

        var failed = await StartAsync(world, waitSeconds: 20);

        Assert.Equal("failed", (string?)failed["status"]);
        Assert.Equal(4, service.Arrivals.Count); // max_retries: 3 is four attempts.
        var records = await world.Client.RecordsAsync((string)failed["id"]!);
        Assert.Equal(4, records.Events("step.failed").Select(failure => (string)failure["fingerprint"]!).Distinct().Count());
        AssertWaits(world, records, service.Arrivals, 50, 100, 150); // The third would be 200: it ends at the maximum.
    }

    [Fact]
    public async Task S21_TheSameFailureTwice_StopsAtOnce()
    {
        await using var world = await World.StartAsync();
        await using var service = new FailingService(500, 502, 500, 504);
        await world.Client.SaveAsync(Spec(service.Address, "exponential(50ms, 150ms)"));

        var failed = await StartAsync(world, waitSeconds: 20);

        Assert.Equal("failed", (string?)failed["status"]);
        Assert.Equal(3, service.Arrivals.Count);
        Assert.Equal(2, (await world.Client.RecordsAsync((string)failed["id"]!)).Events("retry.scheduled").Count);
    }

    [Fact]
    public async Task S21_OneFailureThenNone_SucceedsOnTheSecondAttempt()
    {
        await using var world = await World.StartAsync();
        await using var service = new FailingService(503, 200);
        await world.Client.SaveAsync(Spec(service.Address, "exponential(50ms, 150ms)"));

        Assert.Equal("succeeded", (string?)(await StartAsync(world, waitSeconds: 20))["status"]);
        Assert.Equal(2, service.Arrivals.Count);
    }

    /// <summary>The text of the story as it stands there; also that a wait outlives the process.</summary>
    [Fact]
    public async Task S21_ExponentialOneToTenSeconds_FirstRetryIsDueAfterASecondAlsoAcrossAKill()
    {
        await using var world = await World.StartAsync();
        await using var service = new FailingService(503, 200);
        await world.Client.SaveAsync(Spec(service.Address, "exponential(1s, 10s)"));
        var execution = (string)(await StartAsync(world, waitSeconds: null))["id"]!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await foreach (var record in new EventStream(world.Omium, execution).ReadAsync(0, limit.Token))
        {
            if (new[] { record }.Events("retry.scheduled").Count > 0)
            {
                break;
            }
        }

        world.Omium.KillHard();
        await world.Omium.StartAgainAsync();
        var ready = DateTimeOffset.UtcNow;
        await world.Client.WaitForStatusAsync(execution, "succeeded");

        var records = await world.Client.RecordsAsync(execution);
        var failed = records.First(record => new[] { record }.Events("step.failed").Count > 0);
        var due = (long)records.Events("retry.scheduled").Single()["due_ms"]! - Records.TimeOf(failed).ToUnixTimeMilliseconds();
        var waited = (service.Arrivals[1] - Records.TimeOf(failed)).TotalMilliseconds;
        World.Say($"due after {due} ms, begun after {waited:F0} ms (a kill and a start in between)");
        Assert.InRange(due, 500, 1_000);
        var possible = Math.Max(due, (ready - Records.TimeOf(failed)).TotalMilliseconds); // Nobody could begin it while nothing ran.
        Assert.InRange(waited, due - 1, possible + LatenessMaxMs(world));
        Assert.Equal(2, service.Arrivals.Count);
    }

    /// <summary>Jitter spreads a wait over its upper half: half of the nominal wait to all of it.</summary>
    private static void AssertWaits(World world, IReadOnlyList<JsonNode> records, IReadOnlyList<DateTimeOffset> arrivals, params long[] nominalMs)
    {
        var retries = records.Where(record => new[] { record }.Events("retry.scheduled").Count > 0).ToList();
        Assert.Equal(nominalMs.Length, retries.Count);
        for (var index = 0; index < nominalMs.Length; index++)
        {
            var at = Records.TimeOf(retries[index]);
            var due = (long)new[] { retries[index] }.Events("retry.scheduled")[0]["due_ms"]! - at.ToUnixTimeMilliseconds();
            var waited = (arrivals[index + 1] - at).TotalMilliseconds;
            World.Say(string.Create(CultureInfo.InvariantCulture, $"retry {index + 1}: nominal {nominalMs[index]} ms, due after {due} ms, begun after {waited:F1} ms"));
            Assert.InRange(due, nominalMs[index] / 2, nominalMs[index]);
            Assert.InRange(waited, due - 1, due + LatenessMaxMs(world)); // Times are recorded in whole milliseconds.
        }
    }

    private static async Task<JsonNode> StartAsync(World world, int? waitSeconds) =>
        (await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "retries" }, waitSeconds)).Expect(HttpStatusCode.Created);

    private static string Spec(Uri service, string backoff) => $"""
        omium: v0
        name: retries
        tools:
          ask:
            type: http
            method: GET
            url: {service}
            timeout: 5s
        steps:
          - id: ask
            type: tool_call
            tool: ask
        recovery:
          retry_policy:
            max_retries: 3
            backoff: {backoff}
            condition: "same_failure_not_detected_twice"
        """;
}
