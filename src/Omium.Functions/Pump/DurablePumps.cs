using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Omium.Azure.Pump;
using Omium.Runtime.Ports;

namespace Omium.Functions.Pump;

/// <summary>
/// The pumps as orchestrations of Durable Functions. The client comes with each call that the host makes into this process; all clients speak to the same
/// task hub, so the newest serves every caller.
/// </summary>
public sealed class DurablePumps : IPumpHost
{
    private DurableTaskClient? _client;

    /// <summary>Takes the client of the call that is being made.</summary>
    public void Use(DurableTaskClient client) => Volatile.Write(ref _client, client);

    /// <inheritdoc/>
    public Task EnsureStartedAsync(StreamId stream, CancellationToken cancellation) =>
        EnsureStartedAsync(ExecutionPump.Name, PumpInput.InstanceOf(stream), PumpInput.Of(stream), cancellation);

    /// <inheritdoc/>
    public Task NudgeAsync(StreamId stream, CancellationToken cancellation) => RaiseAsync(PumpInput.InstanceOf(stream), ExecutionPump.Nudge, cancellation);

    /// <summary>Has an effect run, unless it is running; one that may wait for others is then told to look again.</summary>
    public async Task StartEffectAsync(EffectInput effect, CancellationToken cancellation)
    {
        if (!await EnsureStartedAsync(ExecutionPump.EffectName, effect.Instance, effect, cancellation) && effect.MayWait)
        {
            await RaiseAsync(effect.Instance, ExecutionPump.Look, cancellation);
        }
    }

    private DurableTaskClient Client =>
        Volatile.Read(ref _client) ?? throw new InvalidOperationException("No function with a Durable client was called yet.");

    /// <summary>
    /// Tells an instance to look. One that has ended or is not there has nothing to look at, and the extension refuses the event as an error that would have
    /// a recorded effect's activity repeated: the last effect of an execution often finds its pump gone.
    /// </summary>
    private async Task RaiseAsync(string instance, string name, CancellationToken cancellation)
    {
        try
        {
            await Client.RaiseEventAsync(instance, name, "", cancellation);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            if (await IsRunningAsync(instance, cancellation))
            {
                throw;
            }
        }
    }

    /// <summary>False when it was running before.</summary>
    private async Task<bool> EnsureStartedAsync(string name, string instance, object input, CancellationToken cancellation)
    {
        if (await IsRunningAsync(instance, cancellation))
        {
            return false;
        }

        // Without this an instance that another host has just started would be ended and begun anew.
        var options = new StartOrchestrationOptions(instance)
            .WithDedupeStatuses(OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Suspended);
        try
        {
            await Client.ScheduleNewOrchestrationInstanceAsync(name, input, options, cancellation);
            return true;
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Another host was first. Where it was not, the caller must hear of it.
            if (!await IsRunningAsync(instance, cancellation))
            {
                throw;
            }

            return false;
        }
    }

    private async Task<bool> IsRunningAsync(string instance, CancellationToken cancellation) =>
        await Client.GetInstanceAsync(instance, getInputsAndOutputs: false, cancellation) is { IsCompleted: false };
}
