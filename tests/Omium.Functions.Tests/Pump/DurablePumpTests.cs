using System.Net;
using System.Net.Sockets;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Testing;
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
/// The engine suite with the app's own orchestrators, activities and client on the in-process test host of Durable Task, which keeps its instances in
/// memory: a life that ends takes them along, and the sweeper of the next one begins them anew.
/// </summary>
public sealed class DurablePumpTests() : EngineConformance(AzuriteBackend.Open, BeginAsync)
{
    protected override string CallTimeout => "2s";

    private static async Task<(IExecutionEngine Engine, Func<ValueTask> Stop)> BeginAsync(EngineLife life, StorageBackend storage, bool isAlone)
    {
        var pumps = new DurablePumps();
        var functions = new PumpFunctions(new PumpActivities(life.Advancer, life.Runner, pumps), pumps);
        var killed = new CancellationTokenSource();
        DurableTaskTestHost? host = null;
        Environment.SetEnvironmentVariable("Logging__LogLevel__Default", "None"); // The test host's own server logs each call, and takes no other word for it.
        host = await DurableTaskTestHost.StartAsync(
            tasks =>
            {
                tasks.AddOrchestratorFunc<PumpInput>(ExecutionPump.Name, (context, _) => ExecutionPump.PumpAsync(context));
                tasks.AddOrchestratorFunc<EffectInput>(ExecutionPump.EffectName, (context, _) => ExecutionPump.RunEffectAsync(context));
                tasks.AddActivityFunc<PumpInput, PumpPage>(ExecutionPump.GetPending, (_, input) => functions.GetPendingAsync(input, host!.Client, killed.Token));
                tasks.AddActivityFunc<EffectInput[]>(ExecutionPump.StartEffects, (_, effects) => functions.StartEffectsAsync(effects, host!.Client, killed.Token));
                tasks.AddActivityFunc<EffectInput>(ExecutionPump.RunEffect, (_, effect) => functions.RunEffectAsync(effect, host!.Client, killed.Token));
            },
            new DurableTaskTestHostOptions { Port = FreePort(), LoggerFactory = NullLoggerFactory.Instance });
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

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
