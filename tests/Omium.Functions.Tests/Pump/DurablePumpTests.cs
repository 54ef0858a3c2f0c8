using Microsoft.Extensions.Logging.Abstractions;
using Omium.Azure.Pump;
using Omium.Azure.Storage;
using Omium.Conformance.Azure;
using Omium.Conformance.Engine;
using Omium.Conformance.Storage;
using Omium.Functions.Pump;
using Omium.Runtime.Executions;

namespace Omium.Functions.Tests.Pump;

/// <summary>
/// The engine suite with the app's own orchestrators and client on the test host of Durable Task, which keeps its instances in memory: a life that ends
/// takes them along, and the sweeper of the next one begins them anew.
/// </summary>
public sealed class DurablePumpTests() : EngineConformance(AzuriteBackend.Open, BeginAsync)
{
    protected override string CallTimeout => "2s";

    private static async Task<(IExecutionEngine Engine, Func<ValueTask> Stop)> BeginAsync(EngineLife life, StorageBackend storage, bool isAlone)
    {
        var pumps = new DurablePumps();
        var activities = new PumpActivities(life.Advancer, life.Runner, pumps);
        var killed = new CancellationTokenSource();
        var host = await DurableHost.StartAsync(new PumpPlay(
            (input, _) => activities.GetPendingAsync(input, killed.Token),
            async (effects, client) =>
            {
                pumps.Use(client);
                foreach (var effect in effects)
                {
                    await pumps.StartEffectAsync(effect, killed.Token);
                }
            },
            (effect, _) => activities.RunEffectAsync(effect, killed.Token),
            (_, _) => throw new InvalidOperationException("The suite's people decide by commands.")));
        pumps.Use(host.Client);
        var sweeper = new Sweeper(((AzureStore)storage.Store!).Maintenance, storage.Index, life.Advancer, pumps, NullLogger<Sweeper>.Instance);
        var sweeping = Task.Run(async () =>
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
            do
            {
                await sweeper.RunAsync(killed.Token);
            }
            while (await timer.WaitForNextTickAsync(killed.Token));
        });
        return (new PumpEngine(life.Advancer, life.Runner, pumps, NullLogger<PumpEngine>.Instance), async () =>
        {
            await killed.CancelAsync();
            await sweeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await host.DisposeAsync();
            killed.Dispose();
        });
    }
}
