using System.Collections.Concurrent;
using System.Text.Json;
using Omium.Azure.Hosting;
using Omium.Conformance.Engine;
using Omium.Runtime.Security;

namespace Omium.Conformance.Azure;

/// <summary>
/// Tasks of workers over several instances: one instance pumps, as on a plan where orchestrations have instances of their own, and workers poll, beat and
/// complete at whichever instance they meet.
/// </summary>
public sealed class AzureTaskTests : IAsyncLifetime
{
    private const int Items = 12, Workers = 4;
    private const string Spec = """
        {"spec":{"omium":"v0","name":"mailing","steps":[
          {"id":"send","type":"worker","worker":"mails","input":{"n":"${{ item }}"},"for_each":{"items":"[1,2,3,4,5,6,7,8,9,10,11,12]","max_parallel":6}}]}}
        """;

    private readonly StandInPumps hub = new();
    private readonly Dictionary<string, string?> settings = new()
    {
        [AzureSettings.StorageConnection] = AzuriteServer.ConnectionString(AzuriteServer.Shared.BlobPort, AzuriteServer.Shared.TablePort),
        [AzureSettings.StoragePrefix] = AzuriteBackend.NewPrefix(),
        [AzureSettings.MasterKey] = Convert.ToBase64String(Seal.NewKey()),
    };

    private AzureHost serving = null!, pumping = null!;
    private string key = "";

    public async ValueTask InitializeAsync()
    {
        serving = await AzureHost.StartAsync(settings, hub, isPumping: false);
        pumping = await AzureHost.StartAsync(settings, hub);
        key = await serving.NewKeyAsync();
        var saved = await serving.SendAsync("POST", "/v1/workflows", key, Spec);
        Assert.True(saved.Status == 201, saved.Answer.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        await hub.DisposeAsync();
        await serving.DisposeAsync();
        await pumping.DisposeAsync();
    }

    [Fact]
    public async Task Tasks_OfARunThatAnotherInstancePumps_AreLeasedOnceEachAndDone()
    {
        var execution = (await serving.SendAsync("POST", "/v1/executions", key, """{"workflow":"mailing","input":{}}""")).Answer.GetProperty("id").GetString()!;
        var leased = new ConcurrentQueue<string>();
        using var ended = new CancellationTokenSource();
        var working = Task.WhenAll(Enumerable.Range(0, Workers).Select(number => WorkAsync(number % 2 == 0 ? serving : pumping, number % 2 == 0 ? pumping : serving, leased, ended.Token)));

        await pumping.UntilAsync($"/v1/executions/{execution}", key, answer => answer.GetProperty("status").GetString() == "succeeded");
        await ended.CancelAsync();
        await working;

        Assert.Equal(Items, leased.Count);
        Assert.Equal(Items, leased.Distinct(StringComparer.Ordinal).Count());
        Assert.All(leased, task => Assert.EndsWith(".1", task, StringComparison.Ordinal)); // No second run of any.
        Assert.Equal("identical", (await serving.SendAsync("GET", $"/v1/executions/{execution}/verify", key, "")).Answer.GetProperty("verdict").GetString());
    }

    /// <summary>Polls and beats at one instance, completes at the other.</summary>
    private async Task WorkAsync(AzureHost polled, AzureHost other, ConcurrentQueue<string> leased, CancellationToken ended)
    {
        while (!ended.IsCancellationRequested)
        {
            var (status, task) = await polled.SendAsync("POST", "/v1/workers/poll", key, """{"queues":["mails"],"wait_ms":200}""");
            if (status == 204)
            {
                continue;
            }

            Assert.True(status == 200, task.ToString());
            var id = task.GetProperty("id").GetString()!;
            leased.Enqueue(id);
            Assert.Equal(200, (await other.SendAsync("POST", $"/v1/tasks/{id}/heartbeat", key, "")).Status);
            var done = JsonSerializer.Serialize(new { output = new { sent = id } });
            Assert.Equal(204, (await other.SendAsync("POST", $"/v1/tasks/{id}/complete", key, done)).Status);
        }
    }
}
