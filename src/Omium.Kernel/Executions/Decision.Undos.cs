using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>
/// Compensations that are verifiable and not idempotent: begun on record, looked up after a crash or an unclear answer, and called again only when
/// they are known not to have happened. Each undo happens once ever; what cannot be found out is a person's business.
/// </summary>
internal sealed partial class Decision
{
    private Rejection? BeginUndo(BeginCall command, EffectId id, CallState call)
    {
        var isDue = IsNextUndo(call) && call is { MayStand: true, Undo: null }
            && id.SubNumber == call.CompensationAttempts + 1 && atMs >= call.CompensationDueMs;
        if (!isDue)
        {
            return new Rejection("effect_not_due", $"{command.Effect} may not be called now");
        }

        var tool = Plan.Tool(EffectOf(call).Compensate!)!;
        var timeoutMs = (long)tool.Spec.Timeout.TotalMilliseconds;
        Emit(new CompensationBegun(call.Id.ToString(), id.SubNumber, command.Owner, atMs + timeoutMs + command.MarginMs));
        return null;
    }

    private bool IsNextUndo(CallState call) => RollbackOf(call)?.Remaining.FirstOrDefault() == call.Id.ToString();

    /// <summary>The calls whose compensation is next or under way: one of the execution's rollback, and one of each item that is undone beside it.</summary>
    private CallState[] UndosUnderWay() =>
        [.. _state.Open.Values.Select(key => Visit(key).Rollback).Prepend(_state.Rollback).Select(rollback => rollback?.Remaining.FirstOrDefault()).OfType<string>().Select(CallOf)];

    private void DoubtUndo(CallState call, string reason)
    {
        var attempt = call.CompensationAttempts + 1;
        if (ToolRendering.UndoEffect(Plan, call) is { Verify: not null } effect)
        {
            Emit(new CompensationInDoubt(call.Id.ToString(), attempt, reason, Math.Max(atMs, call.Undo!.BegunMs + (long)effect.VerifyAfter.TotalMilliseconds)));
            return;
        }

        LeaveUndoInDoubt(call, attempt);
    }

    private Rejection? SettleUndoProbe(CallState call, int number, EffectOutcome outcome)
    {
        if (!IsNextUndo(call) || call.Undo is not { VerifyDueMs: not null } undo || number != undo.Probes + 1)
        {
            return null;
        }

        var attempt = call.CompensationAttempts + 1;
        switch (StatusOf(outcome))
        {
            case "done":
                Emit(new CompensationSettled(call.Id.ToString(), attempt, true, null, null));
                break;
            case "not_done":
                UndoFailed(call, attempt, new EffectFailure(FailureClasses.ToolError, "verified_not_done", "the verify tool says that it was not undone"));
                break;
            case null when outcome.Failure is { Permanent: false } failure && number < ProbesMax:
                Emit(new CompensationInDoubt(call.Id.ToString(), attempt, "verify_failed", atMs + Math.Max(WaitBetween(number), failure.RetryAfterMs ?? 0)));
                break;
            default:
                LeaveUndoInDoubt(call, attempt);
                break;
        }

        ContinueRollback(call);
        return null;
    }

    private void LeaveUndoInDoubt(CallState call, int attempt)
    {
        var failure = new EffectFailure(FailureClasses.InDoubt, "compensation_in_doubt", "nobody can say whether it was undone; look at the other side", MayHaveHappened: true, Permanent: true);
        Emit(new CompensationSettled(call.Id.ToString(), attempt, false, failure, null));
        Leftover(call, "compensation_in_doubt", failure.Message);
    }
}
