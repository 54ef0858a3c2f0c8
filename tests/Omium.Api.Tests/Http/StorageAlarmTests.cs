using Omium.Contracts;
using Omium.Contracts.Tenants;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Tests.Http;

/// <summary>A store that refuses is told to whoever looks after the installation, whichever writer met it, and once.</summary>
public sealed class StorageAlarmTests : IAsyncLifetime
{
    private readonly List<StorageAlarm?> _changes = [];
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await ApiHost.StartAsync();
        await _host.SaveCompanyXAsync();
        _host.Advancer.Storage.Changed += _changes.Add;
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("/v1/executions", ApiHost.CompanyXStart)] // The ledger is written first.
    [InlineData("/v1/keys", """{"name": "late"}""")] // A document, and a row of the audit trail.
    public async Task Refused_ByAFullStore_RaisesOneAlarmThatEndsWithTheNextRecord(string path, string body)
    {
        _host.Store.SetSizeMax(1);
        await FillAsync(path, body);
        for (var tries = 0; tries < 2; tries++)
        {
            Assert.Equal("storage_full", (await _host.FailAsync(HttpMethod.Post, path, 507, ApiHost.Json(body))).Code);
        }

        var alarm = Assert.Single((await _host.GetAsync("/v1/health-summary", ContractJson.Default.HealthSummary)).Alarms);
        Assert.Equal("storage_full", alarm.Code);
        Assert.Contains("Free space", alarm.Detail, StringComparison.Ordinal);
        Assert.StartsWith("ready\nalarm: storage_full (1)", await _host.Client.GetStringAsync("/readyz"), StringComparison.Ordinal);
        Assert.Equal(StorageUnavailableException.Full, Assert.Single(_changes)!.Code);

        _host.Store.SetSizeMax(0);
        await _host.RunCompanyXAsync();
        await CalmAsync();
        Assert.Equal([true, false], _changes.Select(change => change is not null));
    }

    /// <summary>It stands a little longer than the last refusal, and then ends without another write.</summary>
    private async Task CalmAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while ((await _host.GetAsync("/v1/health-summary", ContractJson.Default.HealthSummary)).Alarms.Count > 0)
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>What fits into the free pages of the file is taken still.</summary>
    private async Task FillAsync(string path, string body)
    {
        const int TriesMax = 1_000;
        for (var tries = 0; tries < TriesMax; tries++)
        {
            using var response = await _host.Client.PostAsync(path, ApiHost.Json(body));
            if ((int)response.StatusCode == 507)
            {
                return;
            }
        }

        Assert.Fail($"{TriesMax} requests fit into a store that may not grow");
    }
}
