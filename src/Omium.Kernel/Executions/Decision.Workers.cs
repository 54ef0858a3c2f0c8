using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>
/// Workers. A task is the one call of its step: leasing it is the intent, and the time it may take is the intent's. The short lease that heartbeats
/// extend is its host's to keep; when it lapses the host says so, and what follows is decided here by the effect's kind.
/// </summary>
internal sealed partial class Decision
{
    /// <summary>A worker's answer. Refused when its lease is over and another may hold the task; repeated, it is the same answer.</summary>
    private Rejection? Settle(SettleTask command)
    {
        if (!EffectId.TryParse(command.Effect, out var id) || !_state.Visits.TryGetValue(id.Key, out var visit) || visit.Calls.Find(c => c.Id == id) is not { IsTask: true } call)
        {
            return new Rejection("task_not_found", $"no task {command.Effect} is known here");
        }

        if (call.Status is CallStatus.Settled or CallStatus.Failed && call.Runs == command.Run && command.Run > 0 && IsAnswered(call, command.Outcome))
        {
            return null;
        }

        // Whether something that cannot be repeated happened, its worker knows best, however late; another cannot hold the task meanwhile.
        var isWitness = call is { Status: CallStatus.InDoubt, Next: "verify" or "review" };
        if (call.Runs != command.Run || (call.Status != CallStatus.Intent && !isWitness))
        {
            return Fenced(command.Effect);
        }

        if (call.Kind == EffectKind.None)
        {
            return _state.Ended || !IsLive(visit, call) || atMs >= call.InDoubtAtMs ? Fenced(command.Effect) : SettleCall(Plan.Step(id.Step)!, visit, call, command.Run, command.Outcome);
        }

        var isLive = !_state.Ended && IsLive(visit, call);
        var refused = SettleCall(Plan.Step(id.Step)!, visit, call, command.Run, command.Outcome);
        return refused ?? (isLive ? null : Fenced(command.Effect) with { RecordsEvents = true });
    }

    private static bool IsAnswered(CallState call, EffectOutcome outcome) => outcome.Failure is null
        ? call.Status == CallStatus.Settled && (call.Result ?? JsonMake.Null).GetRawText() == (outcome.Result ?? JsonMake.Null).GetRawText()
        : call.Failure == outcome.Failure;

    private static Rejection Fenced(string effect) => new("task_fenced", $"the lease of {effect} is over, or what asked for it was taken back: stop working on it");

    /// <summary>The host has not heard of a worker for the time of its lease.</summary>
    private Rejection? Lose(LoseTask command)
    {
        if (EffectId.TryParse(command.Effect, out var id) && _state.Visits.TryGetValue(id.Key, out var visit)
            && visit.Calls.Find(c => c.Id == id) is { IsTask: true, Status: CallStatus.Intent } call && call.Runs == command.Run)
        {
            Doubt(visit, call, "worker_lost");
        }

        return null;
    }

    /// <summary>
    /// A task without an external effect whose worker is gone: the attempt failed, and may be made again. Where the execution has failed meanwhile, that is
    /// for whoever has it run again, and the task is then given out anew: nothing else would ever come of its step.
    /// </summary>
    private void LoseTask(VisitState visit, CallState call)
    {
        if (_state.Status == ExecutionStatus.Failed && IsLive(visit, call))
        {
            Emit(new IntentInDoubt(call.Id.ToString(), FailureClasses.WorkerLost, "rerun", atMs));
            return;
        }

        var lost = new EffectFailure(FailureClasses.WorkerLost, FailureClasses.WorkerLost, $"nothing was heard of worker {call.Owner} any more");
        Emit(new CallSettled(call.Id.ToString(), null, lost));
        if (IsLive(visit, call) && !_state.Ended)
        {
            Fail(visit.Key, Failing(lost));
        }
    }

    /// <summary>The receiving worker says what it holds of a message.</summary>
    private Rejection? Acknowledge(AcknowledgeHandoff command)
    {
        if (!EffectId.TryParse(command.Effect, out var id) || id is not { Part: 'h', Sub: '\0' } || !_state.Handoffs.TryGetValue(new HandoffKey(id.Number - 1, id.Key), out var handoff))
        {
            return new Rejection("task_not_found", $"no task {command.Effect} is known here");
        }

        var open = handoff.Claims.Where(claim => claim.Claim.By == OfReceiver).Select(claim => claim.Claim).ToArray();
        if (handoff.AcknowledgedBy == command.Worker && handoff.Round == id.Attempt && !PendingEffects.AwaitsReceiver(handoff, Plan) && IsSame(handoff, command))
        {
            return null;
        }

        if (handoff.Round != id.Attempt || _state.Ended || !_state.IsLive(handoff) || !PendingEffects.AwaitsReceiver(handoff, Plan))
        {
            return Fenced(command.Effect);
        }

        if (command.Failure is null && open.FirstOrDefault(claim => !TrySeen(command.Seen, claim.Name, out _)) is { } missing)
        {
            return new Rejection("validation_failed", $"say what you have seen of every claim: '{missing.Name}' is missing");
        }

        foreach (var claim in open)
        {
            var seen = TrySeen(command.Seen, claim.Name, out var value) && command.Failure is null ? Present(value) : null;
            Emit(new HandoffMeasured(handoff.Key.Edge, id.Step, id.Visit, claim.Name, null, seen, command.Failure, null));
        }

        Acknowledge(handoff.Key, command.Worker);
        return null;
    }

    private static bool IsSame(HandoffState handoff, AcknowledgeHandoff command) => handoff.Claims.Where(claim => claim.Claim.By == OfReceiver).All(claim =>
        command.Failure is not null ? claim.Failure == command.Failure
        : TrySeen(command.Seen, claim.Claim.Name, out var seen) && seen.GetRawText() == (claim.Seen ?? JsonMake.Null).GetRawText());

    private static bool TrySeen(JsonElement? seen, string claim, out JsonElement value)
    {
        value = default;
        return seen is { ValueKind: JsonValueKind.Object } given && given.TryGetProperty(claim, out value);
    }
}
