using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Omium.Api;
using Omium.Api.Http;
using Omium.Api.Keys;
using Omium.Azure.Hosting;
using Omium.Conformance.Engine;
using Omium.Runtime.Billing;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Conformance.Azure;

/// <summary>
/// One instance of the app as the Functions app puts it together: settings, platform, API without a server of its own; on a stand-in for Durable Functions,
/// its own or one that several instances share.
/// </summary>
internal sealed class AzureHost(AzurePlatform platform, ServiceProvider services, StandInPumps? own) : IAsyncDisposable
{
    private readonly ApiDispatcher api = services.GetRequiredService<ApiDispatcher>();

    /// <summary>Starts an instance; with a hub it works for that (or only uses it, as instances do that serve HTTP), and leaves it running when it ends.</summary>
    public static async Task<AzureHost> StartAsync(Dictionary<string, string?> settings, StandInPumps? hub = null, bool isPumping = true)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        var pumps = hub ?? new StandInPumps();
        var read = AzureSettings.Read(settings.GetValueOrDefault);
        var platform = await AzurePlatform.CreateAsync(read, configuration, pumps, NullLoggerFactory.Instance);
        if (isPumping)
        {
            pumps.Add(platform.Activities);
        }

        var services = new ServiceCollection()
            .AddSingleton<IEventLog>(platform.Store.Log).AddSingleton<IPayloadStore>(platform.Store.Payloads)
            .AddSingleton<IDocumentStore>(platform.Store.Documents).AddSingleton<IIndex>(platform.Store.Index)
            .AddSingleton(read.Keys).AddSingleton(platform.Plans).AddSingleton(platform.Advancer).AddSingleton(platform.Resources)
            .AddSingleton(platform.Aliases).AddSingleton<IExecutionEngine>(platform.Engine).AddSingleton(platform.Tasks)
            .AddSingleton(platform.Billing).AddSingleton(platform.Ledger).AddSingleton(platform.LedgerQueue)
            .AddSingleton(new CreditDesk(platform.Billing.IsMetered ? platform.Credits : null))
            .AddSingleton(platform.Model).AddSingleton<TimeProvider>(platform.Clock)
            .AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).AddLogging().AddOmiumApi().AddSingleton<ApiDispatcher>()
            .AddSingleton(new System.Diagnostics.DiagnosticListener("test"))
            .BuildServiceProvider();
        platform.BeginSweeping();
        return new AzureHost(platform, services, hub is null ? pumps : null);
    }

    public AzurePlatform Platform => platform;

    public async Task<string> NewKeyAsync() =>
        "Bearer " + (await services.GetRequiredService<KeyService>().CreateAsync("ten_a", "suite", "local", CancellationToken.None)).Secret;

    public async Task<(int Status, JsonElement Answer)> SendAsync(string method, string path, string key, string body)
    {
        var (status, answer) = await api.SendAsync(
            method, path, new Dictionary<string, string> { ["Authorization"] = key }, Encoding.UTF8.GetBytes(body), CancellationToken.None);
        return (status, answer.Length == 0 ? default : JsonDocument.Parse(answer).RootElement);
    }

    public async Task<JsonElement> UntilAsync(string path, string key, Func<JsonElement, bool> wanted)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            var (status, answer) = await SendAsync("GET", path, key, "");
            Assert.Equal(200, status);
            if (wanted(answer))
            {
                return answer;
            }

            await platform.Sweeper.RunAsync(limit.Token); // The stand-in loses events.
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (own is not null)
        {
            await own.DisposeAsync();
        }

        await services.DisposeAsync();
        await platform.DisposeAsync();
    }
}
