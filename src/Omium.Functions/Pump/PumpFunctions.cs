using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Omium.Api.Reviews;
using Omium.Azure.Pump;

namespace Omium.Functions.Pump;

/// <summary>The pump's activities. Each may run twice; the log decides what counts.</summary>
public sealed class PumpFunctions(PumpActivities activities, ApprovalEvents approvals, DurablePumps pumps)
{
    /// <summary>What is outstanding.</summary>
    [Function(ExecutionPump.GetPending)]
    public Task<PumpPage> GetPendingAsync([ActivityTrigger] PumpInput input, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        pumps.Use(client);
        return activities.GetPendingAsync(input, cancellation);
    }

    /// <summary>Has each effect run.</summary>
    [Function(ExecutionPump.StartEffects)]
    public async Task StartEffectsAsync([ActivityTrigger] EffectInput[] effects, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        pumps.Use(client);
        foreach (var effect in effects)
        {
            await pumps.StartEffectAsync(effect, cancellation);
        }
    }

    /// <summary>Runs one effect to its record.</summary>
    [Function(ExecutionPump.RunEffect)]
    public Task<EffectRun> RunEffectAsync([ActivityTrigger] EffectInput input, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        pumps.Use(client);
        return activities.RunEffectAsync(input, cancellation);
    }

    /// <summary>Delivers a decision that came as an event.</summary>
    [Function(ExecutionPump.DeliverApproval)]
    public Task<bool> DeliverApprovalAsync([ActivityTrigger] ApprovalInput input, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(input);
        pumps.Use(client);
        return approvals.DeliverAsync(input.Approval, cancellation);
    }
}
