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
    public async Task NudgeAsync(StreamId stream, CancellationToken cancellation) =>
        await Client.RaiseEventAsync(PumpInput.InstanceOf(stream), ExecutionPump.Nudge, "", cancellation);

    /// <summary>Has an effect run, unless it is running.</summary>
    public Task StartEffectAsync(EffectInput effect, CancellationToken cancellation) =>
        EnsureStartedAsync(ExecutionPump.EffectName, effect.Instance, effect, cancellation);

    private DurableTaskClient Client =>
        Volatile.Read(ref _client) ?? throw new InvalidOperationException("No function with a Durable client was called yet.");

    private async Task EnsureStartedAsync(string name, string instance, object input, CancellationToken cancellation)
    {
        if (await IsRunningAsync(instance, cancellation))
        {
            return;
        }

        // Without this an instance that another host has just started would be ended and begun anew.
        var options = new StartOrchestrationOptions(instance)
            .WithDedupeStatuses(OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Suspended);
        try
        {
            await Client.ScheduleNewOrchestrationInstanceAsync(name, input, options, cancellation);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Another host was first. Where it was not, the caller must hear of it.
            if (!await IsRunningAsync(instance, cancellation))
            {
                throw;
            }
        }
    }

    private async Task<bool> IsRunningAsync(string instance, CancellationToken cancellation) =>
        await Client.GetInstanceAsync(instance, getInputsAndOutputs: false, cancellation) is { IsCompleted: false };
}
