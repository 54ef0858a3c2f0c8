namespace Omium.Kernel.Executions;

internal static partial class PendingEffects
{
    /// <summary>The next of a compensation: to call, to wait for the result, or to look whether it happened.</summary>
    private static PendingEffect Undoing(CallState call)
    {
        var id = call.Id.Compensation(call.CompensationAttempts + 1).ToString();
        return call.Undo switch
        {
            null => new PendingEffect(id, PendingKind.Compensate, call.CompensationDueMs),
            { VerifyDueMs: { } due } undo => new PendingEffect(call.Id.UndoProbe(undo.Probes + 1).ToString(), PendingKind.Verify, due),
            { } undo => new PendingEffect($"doubt~{id}", PendingKind.Timer, undo.InDoubtAtMs),
        };
    }

    /// <summary>What waits for people has an end; and what was too much for one record goes on in the next.</summary>
    private static void AddPeople(List<PendingEffect> pending, ExecutionState state)
    {
        if (state.DeferredSteps is not null && state.Status == ExecutionStatus.Running)
        {
            pending.Add(new PendingEffect($"schedule~{state.Ordinal}", PendingKind.Timer, 0));
        }

        foreach (var id in state.OpenReviews)
        {
            var request = state.Reviews[id].Request;
            if (!state.Ended || request.Kind == "in_doubt")
            {
                pending.Add(new PendingEffect($"review~{id}", PendingKind.Deadline, request.ExpiresMs + 1));
            }
        }
    }
}
