using System.Text.Json;

namespace Omium.Cli.Tests;

/// <summary>The benches of the API in small: that they measure what they say, not how fast this machine is.</summary>
public sealed class BenchTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("omium-bench-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Listing_OfAFewHundred_FindsWhatIsThereAndNothingElse()
    {
        var listing = (await RunAsync("listing", "--executions", "600")).GetProperty("listing");
        Assert.Equal(600, listing.GetProperty("executions").GetInt32());
        var rows = listing.GetProperty("rows").EnumerateArray().ToDictionary(row => row.GetProperty("name").GetString()!, row => row.GetProperty("rows").GetInt32());
        Assert.Equal((50, 50, 0), (rows["newest"], rows["status=failed"], rows["two common filters, nothing fits both"]));
        Assert.Equal((1, 1, 1), (rows["rare workflow"], rows["q: rare word"], rows["q: an id"]));
        Assert.Equal((50, 0, 0), (rows["q: common word"], rows["q: no such word"], rows["q: common words, never together"]));
        Assert.InRange(rows["q: failures"], 1, 50);
    }

    [Fact]
    public async Task Listeners_AllHaveEachEvent()
    {
        var listeners = (await RunAsync("listeners", "--listeners", "50")).GetProperty("listeners");
        Assert.Equal(50, listeners.GetProperty("listeners").GetInt32());
        Assert.True(listeners.GetProperty("max_ms").GetDouble() > 0);
    }

    private async Task<JsonElement> RunAsync(string name, params string[] more)
    {
        var outcome = await OmiumProgram.RunAsync(_directory, new Dictionary<string, string>(), ["bench", "--only", name, "--data", _directory, "--json", .. more]);
        Assert.True(outcome.Output.StartsWith('{'), $"{outcome.ExitCode}: {outcome.Error}");
        return JsonElement.Parse(outcome.Output);
    }
}
