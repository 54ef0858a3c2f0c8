using System.Text.Json;
using Omium.Azure.Hosting;
using Omium.Conformance.Engine;
using Omium.Kernel.Ledger;
using Omium.Runtime.Security;

namespace Omium.Conformance.Azure;

/// <summary>
/// What executions use is metered also where no two steps of a run need come from one instance: two instances of the app on one account and one task hub,
/// whose activities go to them in turn.
/// </summary>
public sealed class AzureMeteringTests : IAsyncLifetime
{
    private const int CheckpointCredits = 5;
    private const string Spec = """
        {"spec":{"omium":"v0","name":"steps","tools":{"work":{"type":"function","function":"noop","effect":{"kind":"none"}}},
         "steps":[{"id":"a","type":"tool_call","tool":"work","input":{"n":1}},{"id":"b","type":"tool_call","tool":"work","needs":["a"],"input":{"n":2}},
                  {"id":"c","type":"tool_call","tool":"work","needs":["b"],"input":{"n":3}},{"id":"d","type":"tool_call","tool":"work","needs":["c"],"input":{"n":4}}]}}
        """;

    private readonly StandInPumps hub = new();
    private readonly Dictionary<string, string?> settings = new()
    {
        [AzureSettings.StorageConnection] = AzuriteServer.ConnectionString(AzuriteServer.Shared.BlobPort, AzuriteServer.Shared.TablePort),
        [AzureSettings.StoragePrefix] = AzuriteBackend.NewPrefix(),
        [AzureSettings.MasterKey] = Convert.ToBase64String(Seal.NewKey()),
        ["OMIUM_BILLING_PLAN"] = "pay_as_you_go",
    };

    private AzureHost one = null!, two = null!;
    private string key = "";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await hub.DisposeAsync();
        await one.DisposeAsync();
        await two.DisposeAsync();
    }

    [Fact]
    public async Task Runs_PumpedByTwoInstances_AreChargedOnceEachAndNothingStaysReserved()
    {
        const int Runs = 6, Welcome = 1_000;
        await BeginAsync(Welcome);
        var ids = new List<string>();
        for (var run = 0; run < Runs; run++)
        {
            ids.Add(await StartAsync(run % 2 == 0 ? one : two));
        }

        foreach (var id in ids)
        {
            await one.UntilAsync($"/v1/executions/{id}", key, answer => Status(answer) == "succeeded");
        }

        await Task.WhenAll(one.Platform.Credits.SweepAllAsync(CancellationToken.None), two.Platform.Credits.SweepAllAsync(CancellationToken.None));
        const int Spent = Runs * 4 * CheckpointCredits;
        foreach (var host in new[] { one, two })
        {
            var billing = await host.UntilAsync("/v1/billing", key, answer => answer.GetProperty("reserved").GetDouble() == 0);
            Assert.Equal((Welcome - Spent, Spent), (billing.GetProperty("balance").GetDouble(), billing.GetProperty("spent").GetDouble()));
            var verified = (await host.SendAsync("GET", "/v1/billing/verify", key, "")).Answer;
            Assert.Equal("identical", verified.GetProperty("verdict").GetString());
        }
    }

    [Fact]
    public async Task Run_OutOfCredits_WaitsAndGoesOnAfterATopUpAtTheOtherInstance()
    {
        await BeginAsync(2 * CheckpointCredits);
        var id = await StartAsync(one);
        await one.UntilAsync($"/v1/executions/{id}", key, answer => answer.TryGetProperty("waiting_for", out var reason) && reason.GetString() == "credits");
        var (status, refused) = await two.SendAsync("POST", "/v1/executions", key, """{"workflow":"steps","input":{}}""");
        Assert.Equal((402, "CREDITS_EXHAUSTED"), (status, refused.GetProperty("code").GetString()));

        var topped = await two.Platform.LedgerQueue.PostAsync("ten_a", new TopUpCredits("pay_1", 1_000));
        Assert.Null(topped.Rejection);
        await one.UntilAsync($"/v1/executions/{id}", key, answer => Status(answer) == "succeeded");

        await Task.WhenAll(one.Platform.Credits.SweepAllAsync(CancellationToken.None), two.Platform.Credits.SweepAllAsync(CancellationToken.None));
        var billing = await two.UntilAsync("/v1/billing", key, answer => answer.GetProperty("reserved").GetDouble() == 0);
        Assert.Equal(4 * CheckpointCredits, billing.GetProperty("spent").GetDouble());
        Assert.Equal((2 * CheckpointCredits) + 10_000 - (4 * CheckpointCredits), billing.GetProperty("balance").GetDouble());
    }

    private async Task BeginAsync(int welcomeCredits)
    {
        settings["OMIUM_BILLING_WELCOME_CREDITS"] = $"{welcomeCredits}";
        one = await AzureHost.StartAsync(settings, hub);
        two = await AzureHost.StartAsync(settings, hub);
        key = await one.NewKeyAsync();
        Assert.Equal(201, (await one.SendAsync("POST", "/v1/workflows", key, Spec)).Status);
    }

    private async Task<string> StartAsync(AzureHost host)
    {
        var (status, started) = await host.SendAsync("POST", "/v1/executions", key, """{"workflow":"steps","input":{}}""");
        Assert.True(status is 201 or 202, started.ToString());
        return started.GetProperty("id").GetString()!;
    }

    private static string? Status(JsonElement answer) => answer.GetProperty("status").GetString();
}
