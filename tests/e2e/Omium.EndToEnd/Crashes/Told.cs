using Omium.EndToEnd.Harness;
using Omium.EndToEnd.Stories;

namespace Omium.EndToEnd.Crashes;

/// <summary>What was told to the outside before a kill must be there after it.</summary>
internal static class Told
{
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(30);

    /// <summary>Waits until the event stream has told an event of this type.</summary>
    public static async Task UntilAsync(OmiumProcess omium, string execution, string type)
    {
        using var limit = new CancellationTokenSource(Most);
        await foreach (var record in new EventStream(omium, execution).ReadAsync(0, limit.Token))
        {
            if (new[] { record }.Events(type).Count > 0)
            {
                return;
            }
        }

        Assert.Fail($"{execution} ended without {type}.");
    }

    /// <summary>No record is acknowledged before its sync: every commit of the store so far has one of its own.</summary>
    public static async Task AssertSyncedAsync(World world)
    {
        var counted = await world.Client.GetAsync("/v1/dev/statistics");
        var (appends, commits, syncs) = ((long)counted["appends"]!, (long)counted["commits"]!, (long)counted["wal_syncs"]!);
        Assert.InRange(commits, 1, long.MaxValue);
        Assert.True(syncs >= commits, $"{appends} records were acknowledged in {commits} commits with {syncs} syncs.");
    }

    /// <summary>The records told before are the beginning of the log, byte for byte, and the whole of it verifies.</summary>
    public static async Task AssertKeptAsync(World world, string execution, IReadOnlyList<JsonNode> told)
    {
        var records = await world.Client.RecordsAsync(execution);
        Assert.Equal(told.Select(record => (string)record["hash"]!), records.Take(told.Count).Select(record => (string)record["hash"]!));
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }
}
