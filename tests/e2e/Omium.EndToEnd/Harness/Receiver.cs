using System.Globalization;
using System.Net.Http.Json;

namespace Omium.EndToEnd.Harness;

/// <summary>What a receiver has counted for one name.</summary>
/// <param name="Effects">Requests that had an effect.</param>
/// <param name="Duplicates">Requests that repeated an Idempotency-Key: answered again, no second effect.</param>
/// <param name="Failed">Requests that were refused without an effect.</param>
/// <param name="Holding">Requests held now.</param>
/// <param name="Lines">Its lines, oldest first.</param>
internal sealed record Counted(int Effects, int Duplicates, int Failed, int Holding, IReadOnlyList<JsonNode> Lines)
{
    /// <summary>Requests of any outcome.</summary>
    public int Requests => Effects + Duplicates + Failed;
}

/// <summary>The world outside, as a process of its own: counts effects where Omium cannot reach.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly ChildProcess _process;
    private readonly HttpClient _http;

    private Receiver(ChildProcess process, Uri address)
    {
        _process = process;
        Address = address;
        _http = new HttpClient { BaseAddress = address };
    }

    /// <summary>Where it listens, without a path.</summary>
    public Uri Address { get; }

    /// <summary>Starts it; <paramref name="failRate"/> of its requests fail, the same ones for the same seed.</summary>
    public static async Task<Receiver> StartAsync(string directory, double failRate = 0, int seed = 1)
    {
        string[] arguments =
        [
            "receiver", "--port", "0", "--log", Path.Combine(directory, "receiver.jsonl"),
            "--fail-rate", failRate.ToString(CultureInfo.InvariantCulture), "--seed", seed.ToString(CultureInfo.InvariantCulture),
        ];
        var process = ChildProcess.Start("omium receiver", arguments);
        return new Receiver(process, await LogFile.ReadAddressAsync(process));
    }

    /// <summary>Counts and lines of one name.</summary>
    public async Task<Counted> CountAsync(string name) => Read((await _http.GetFromJsonAsync<JsonNode>($"/effects?name={name}"))!);

    /// <summary>The counts of one name, once so many effects are counted and so many requests are held.</summary>
    public async Task<Counted> WaitAsync(string name, int effects = 0, int holding = 0)
    {
        using var response = await _http.GetAsync($"/wait?name={name}&effects={effects}&holding={holding}&timeout=30s");
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{name}: {effects} effects and {holding} held requests were awaited; there is {text}");
        return Read(JsonNode.Parse(text)!);
    }

    /// <summary>Sets how it behaves for one name (docs/reference/scripted-model.md).</summary>
    public async Task ControlAsync(JsonObject control)
    {
        using var response = await _http.PostAsync("/control", JsonContent.Create(control));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Lets go what is held for a name.</summary>
    public async Task ReleaseAsync(string name)
    {
        using var response = await _http.PostAsync("/release", JsonContent.Create(new JsonObject { ["name"] = name }));
        response.EnsureSuccessStatusCode();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
    }

    private static Counted Read(JsonNode view) => new(
        (int)view["effects"]!, (int)view["duplicates"]!, (int)view["failed"]!, (int)view["holding"]!, [.. view["lines"]!.AsArray().Select(line => line!)]);
}
