using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>Transactions of traced executions: the one call of their step, made, verified and undone by the caller's code.</summary>
internal sealed partial class Decision
{
    /// <summary>
    /// The intent of a transaction, before its code runs. One that is in doubt runs again when that is safe (idempotent, or known not to have happened);
    /// a verifiable one is given to the process to be looked up; anything else waits for a person.
    /// </summary>
    private void LeaseTransaction(VisitKey key, TracedDeclaration declared)
    {
        var call = Visit(key).CurrentCalls.FirstOrDefault();
        if (call is null)
        {
            RequestTransaction(key, declared);
            return;
        }

        if (call.Status == CallStatus.Intent)
        {
            Doubt(Visit(key), call, "no_result"); // Its lease is over, or it would be held.
            call = CallOf(call.Id.ToString());
        }

        if (call is { Status: CallStatus.InDoubt, Kind: EffectKind.Idempotent, Next: "rerun" } && KeyExpired(call))
        {
            Doubt(Visit(key), call, "key_expired");
            call = CallOf(call.Id.ToString());
        }

        var untilMs = atMs + _trace.LeaseMs;
        if (call.Status == CallStatus.Requested || (call.Status == CallStatus.InDoubt && call.Next is "rerun" or "redo" && atMs >= call.NextDueMs))
        {
            if (_state.Status != ExecutionStatus.Running)
            {
                return;
            }

            Hold(key, declared, call.Runs + 1, untilMs);
            Emit(new IntentRecorded(call.Id.ToString(), _trace.Owner, untilMs, call.Runs + 1));
        }
        else if (call is { Status: CallStatus.InDoubt, Next: "verify" })
        {
            Hold(key, declared, call.Runs, untilMs); // One process looks it up at a time.
        }
    }

    private void RequestTransaction(VisitKey key, TracedDeclaration declared)
    {
        var visit = Visit(key);
        var id = EffectId.Call(key, visit.Attempt, 1);
        var tool = WorkflowPlan.TracedTool(declared.Effect, declared.Compensate is not null, TracedNames.NameOf(key.Step));
        var idempotencyKey = declared.EffectKey is { } given
            ? RepeatedKeys.Of(given, _state.Undone.GetValueOrDefault(ExecutionState.UndoneName(tool, given)))
            : DefaultKey(id, tool, visit.InputDigest);
        var highValue = !(declared.AmountUsd <= _state.HighValueUsd); // What is no number is not small.
        var approval = declared.Approval || highValue;
        var untilMs = approval ? 0 : atMs + _trace.LeaseMs;
        Hold(key, declared, 1, untilMs);
        Emit(new CallRequested(id.ToString(), tool, visit.Input, visit.InputDigest, declared.Effect, idempotencyKey, null, approval, 0));
        if (!approval)
        {
            Emit(new IntentRecorded(id.ToString(), _trace.Owner, untilMs, 1));
            return;
        }

        var reason = highValue
            ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{FailureClasses.HighValueOperation}: {declared.AmountUsd} USD is above {_state.HighValueUsd} USD")
            : "its code asks for approval";
        Ask(key, "call_approval", id.ToString(), ["approve", "reject"], JsonMake.Object(
            ("tool", JsonMake.Text(TracedNames.NameOf(key.Step))), ("arguments", visit.Input), ("reason", JsonMake.Text(reason)),
            ("effect_kind", JsonMake.Text(declared.Effect.ToString().ToLowerInvariant()))));
        Notify("review_requested", key.Step, $"{TracedNames.NameOf(key.Step)} waits for approval: {reason}");
    }

    /// <summary>What became of a transaction. Its process is the only witness: it is heard however late, unless another run has begun since.</summary>
    private Rejection? FinishTransaction(VisitState visit, TracedLease lease, EffectOutcome outcome)
    {
        if (visit.Calls.Find(candidate => candidate.Id == EffectId.Call(visit.Key, lease.Attempt, 1)) is not { } call || call.Runs < lease.Run)
        {
            return new Rejection("task_not_found", $"no transaction was begun under {lease}");
        }

        if (call.Status is CallStatus.Settled or CallStatus.Failed && call.Runs == lease.Run && IsSettledBy(call, outcome))
        {
            return null;
        }

        if (call.Runs != lease.Run || !call.Unsettled)
        {
            return Fenced(lease.ToString());
        }

        var isLive = !_state.Ended && IsLive(visit, call);
        var refused = SettleCall(StepOf(visit.Key, outcome.Result), visit, call, lease.Run, outcome);
        return refused ?? (isLive ? null : Fenced(lease.ToString()) with { RecordsEvents = true });
    }

    private static bool IsSettledBy(CallState call, EffectOutcome outcome) => outcome.Failure is null
        ? call.Status == CallStatus.Settled && DigestOf(call.Result ?? JsonMake.Null) == DigestOf(outcome.Result ?? JsonMake.Null)
        : call.Failure?.Code == outcome.Failure.Code && call.Failure.Message == outcome.Failure.Message;

    /// <summary>The caller's verify function has said whether a transaction in doubt happened.</summary>
    private Rejection? VerifyStep(TraceOperation operation)
    {
        if (!TracedLease.TryParse(operation.Lease ?? "", out var lease) || !_state.Visits.TryGetValue(lease.Visit, out var visit)
            || visit.Calls.Find(candidate => candidate.Id == EffectId.Call(visit.Key, lease.Attempt, 1)) is not { } call)
        {
            return new Rejection("task_not_found", $"no transaction was begun under {operation.Lease}");
        }

        if (visit.Traced is not { Owner: not null } use || use.Owner != _trace.Owner || call is not { Status: CallStatus.InDoubt, Next: "verify" } || !IsLive(visit, call))
        {
            return call.Status == CallStatus.InDoubt ? Fenced(operation.Lease!) : null; // It is known meanwhile.
        }

        var status = JsonMake.Text(operation.Status is "done" or "not_done" ? operation.Status : "unknown");
        var told = operation.Output is { } output ? JsonMake.Object(("output", output), ("status", status)) : JsonMake.Object(("status", status));
        return SettleProbe(StepOf(visit.Key, operation.Output), visit, call, call.Probes + 1, new EffectOutcome { Result = told });
    }

    /// <summary>The next compensation of a rollback, for one process at a time.</summary>
    private Rejection? LeaseUndo(string effect)
    {
        if (NextUndo(_state) is not { } call || call.Id.ToString() != effect)
        {
            return new Rejection("effect_not_due", $"{effect} is not the next to be undone");
        }

        if (atMs >= call.CompensationDueMs && (_state.Undoing is not { } undoing || undoing.LeaseUntilMs <= atMs))
        {
            Emit(new TracedUndoLeased(effect, call.CompensationAttempts + 1, _trace.Owner, atMs + _trace.LeaseMs));
        }

        return null;
    }

    private Rejection? SettleUndone(TraceOperation operation)
    {
        if (!EffectId.TryParse(operation.Effect ?? "", out var id) || !_state.Visits.TryGetValue(id.Key, out var visit) || visit.Calls.Find(call => call.Id == id) is not { IsTraced: true } call)
        {
            return new Rejection("effect_not_found", $"no effect {operation.Effect} is known here");
        }

        if (call.Status == CallStatus.Compensated || operation.Attempt <= call.CompensationAttempts)
        {
            return null;
        }

        return _state.Undoing is { } undoing && undoing.Effect == operation.Effect && undoing.Owner == _trace.Owner
            ? SettleCompensation(call, operation.Attempt, new EffectOutcome { Failure = operation.Failure })
            : Fenced(operation.Effect!);
    }

    /// <summary>The transaction that a rollback undoes next; null when none is under way, or when it must first be found out whether it happened.</summary>
    internal static CallState? NextUndo(ExecutionState state) =>
        state.Rollback?.Remaining.FirstOrDefault() is { } next && EffectId.TryParse(next, out var id) && state.Visits[id.Key].Calls.Find(call => call.Id == id) is { MayStand: true, IsTraced: true } call
            ? call
            : null;

    /// <summary>No process goes on with a cancelled execution: whether a transaction in doubt happened, a person says.</summary>
    private void AskAboutAbandoned()
    {
        foreach (var (visit, call) in UnsettledIntents(call => call is { Status: CallStatus.InDoubt, Next: "verify", IsTraced: true }))
        {
            Emit(new IntentInDoubt(call.Id.ToString(), "cancelled", "review", atMs));
            AskInDoubt(visit.Key, call);
        }
    }

    /// <summary>Nobody looks up a transaction any more whose step was taken back: a person says whether it happened.</summary>
    private void AskAboutTaken(IReadOnlyList<string> compensations)
    {
        foreach (var call in compensations.Select(CallOf).Where(call => call is { Status: CallStatus.InDoubt, Next: "verify", IsTraced: true }).ToArray())
        {
            Emit(new IntentInDoubt(call.Id.ToString(), "taken_back", "review", atMs));
            AskInDoubt(call.Id.Key, call);
        }
    }
}
