using System.Net;
using System.Net.Sockets;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.DurableTask.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Omium.Azure.Pump;
using Omium.Functions.Pump;

namespace Omium.Functions.Tests.Pump;

/// <summary>What the pump's activities do in a test; each is given the client of the host, which is not there yet when they are made.</summary>
/// <param name="GetPending">What is outstanding.</param>
/// <param name="StartEffects">Has each effect run.</param>
/// <param name="RunEffect">Runs one.</param>
/// <param name="DeliverApproval">Delivers a decision.</param>
internal sealed record PumpPlay(
    Func<PumpInput, DurableTaskClient, Task<PumpPage>> GetPending,
    Func<EffectInput[], DurableTaskClient, Task> StartEffects,
    Func<EffectInput, DurableTaskClient, Task<EffectRun>> RunEffect,
    Func<ApprovalInput, DurableTaskClient, Task<bool>> DeliverApproval);

/// <summary>
/// The app's own orchestrators on Durable Task's test host: its worker, client and protocol, and a task hub in memory. Instances end with the process;
/// storage, scale-out and the Functions host are not there.
/// </summary>
internal static class DurableHost
{
    public static async Task<DurableTaskTestHost> StartAsync(PumpPlay play)
    {
        Environment.SetEnvironmentVariable("Logging__LogLevel__Default", "None"); // The host's own server logs each call, and takes no other word for it.
        DurableTaskTestHost? host = null;
        host = await DurableTaskTestHost.StartAsync(
            tasks =>
            {
                tasks.AddOrchestratorFunc<PumpInput>(ExecutionPump.Name, (context, _) => ExecutionPump.PumpAsync(context));
                tasks.AddOrchestratorFunc<EffectInput>(ExecutionPump.EffectName, (context, _) => ExecutionPump.RunEffectAsync(context));
                tasks.AddActivityFunc<PumpInput, PumpPage>(ExecutionPump.GetPending, (_, input) => play.GetPending(input, host!.Client));
                tasks.AddActivityFunc<EffectInput[]>(ExecutionPump.StartEffects, (_, effects) => play.StartEffects(effects, host!.Client));
                tasks.AddActivityFunc<EffectInput, EffectRun>(ExecutionPump.RunEffect, (_, effect) => play.RunEffect(effect, host!.Client));
                tasks.AddActivityFunc<ApprovalInput, bool>(ExecutionPump.DeliverApproval, (_, approval) => play.DeliverApproval(approval, host!.Client));
            },
            new DurableTaskTestHostOptions { Port = FreePort(), LoggerFactory = NullLoggerFactory.Instance });
        return host;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
