using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Laws;

/// <summary>Laws of calls: the intent comes first, one at a time, approved where it must be, under one key as long as it may stand.</summary>
internal sealed partial class Chronicle
{
    private void Requested(CallRequested e)
    {
        _ = EffectId.TryParse(e.Effect, out var id);
        var visit = Visit(id.Step, id.Visit);
        var occurrence = visit.Calls.Count(call => call.Id.Attempt == id.Attempt && IsSame(call.Requested, e)) + 1;
        var call = new CallFacts(e, id, occurrence);
        Law(_calls.TryAdd(e.Effect, call), $"{e.Effect} was requested twice");
        Law(visit.Standing == Standing.Open && id.Attempt == visit.Attempt, $"{e.Effect} was requested while its visit is {visit.Standing} at attempt {visit.Attempt}");
        var drawnKind = DrawnTools.KindOf(e.Tool);
        // The recorded result of an earlier attempt may answer a call; then it has no effect of its own.
        Law(e.Kind.ToString().Equals(drawnKind, StringComparison.OrdinalIgnoreCase) || (e.Kind == EffectKind.None && Earlier(visit, call).Any(earlier => earlier.MayStand)), $"{e.Effect} calls {e.Tool} as {e.Kind}");
        visit.Calls.Add(call);
        if (!call.HasEffect)
        {
            return;
        }

        Law(e.Key is { Length: > 0 }, $"{e.Effect} has no key");
        CheckKey(visit, call);
        CheckVerified(visit, e);
        CheckApproval(call);
        var arguments = resolve(e.Arguments);
        Law(e.Tool != "twice" || Member(arguments, "a") is not > DrawnTools.ArgumentMax, $"{e.Effect} was requested although a guard forbids its arguments");
    }

    /// <summary>The same call of another attempt: as long as the first may stand, the receiver must be able to recognise the second.</summary>
    private void CheckKey(VisitFacts visit, CallFacts call)
    {
        foreach (var earlier in Earlier(visit, call).Where(earlier => earlier.MayStand && earlier.Requested.Kind == EffectKind.Idempotent && !IsUndone(earlier.Requested.Key)))
        {
            Law(earlier.Requested.Key == call.Requested.Key, $"{call.Id} has another key than {earlier.Id}, which may stand");
        }

        foreach (var undone in _calls.Values.Where(other => other != call && other.Undone && other.Requested.Tool == call.Requested.Tool))
        {
            Law(undone.Requested.Key != call.Requested.Key, $"{call.Id} has the key of {undone.Id}, which was undone: the receiver would do nothing");
        }

        foreach (var left in _calls.Values.Where(other => other is { Residue: true, UndoTries: > 0 } && other.Requested.Tool == call.Requested.Tool))
        {
            Law(left.Requested.Key != call.Requested.Key, $"{call.Id} has the key of {left.Id}, which may have been undone: the receiver may do nothing");
        }
    }

    /// <summary>Undoing what a key did undoes it for every call under that key; so does an undo that may have happened.</summary>
    private bool IsUndone(string? key) => _calls.Values.Any(call => (call.Undone || call is { Residue: true, UndoTries: > 0 }) && call.Requested.Key == key);

    private static IEnumerable<CallFacts> Earlier(VisitFacts visit, CallFacts call) =>
        visit.Calls.Where(other => other.Id.Attempt < call.Id.Attempt && other.Occurrence == call.Occurrence && IsSame(other.Requested, call.Requested));

    private static bool IsSame(CallRequested one, CallRequested other) => one.Tool == other.Tool && one.ArgumentsDigest == other.ArgumentsDigest;

    private void CheckApproval(CallFacts call)
    {
        var e = call.Requested;
        if (e.Tool == "pricey" && Member(resolve(e.Arguments), "amount") is > DrawnTools.HighValueUsd)
        {
            Law(e.Approval, $"{e.Effect} is about more than the limit and nobody is asked");
        }

        if (e.Kind == EffectKind.Irreversible && !e.Approval && !Workflow.IsTraced)
        {
            Law(Workflow.Step(call.Id.Step)!.Type == "tool_call" && HasApprovalBefore(call.Id.Key), $"{e.Effect} cannot be taken back and nobody is asked");
        }
    }

    private bool HasApprovalBefore(VisitKey key)
    {
        var visit = Visit(key.Step, key.Visit);
        return visit.After.Any(before => (Workflow.Step(before.Step)!.Type == "human_approval" && Visit(before.Step, before.Visit).Standing == Standing.Committed) || HasApprovalBefore(before));
    }

    private void Intended(IntentRecorded e)
    {
        if (!_calls.TryGetValue(e.Effect, out var call))
        {
            Law(false, $"{e.Effect} has an intent and was never requested");
            return;
        }

        var visit = Visit(call.Id.Step, call.Id.Visit);
        Law(Status == "running", $"{e.Effect} was begun while {Status}");
        Law(visit.Standing == Standing.Open && visit.Attempt == call.Id.Attempt, $"{e.Effect} was begun while its visit is {visit.Standing} at attempt {visit.Attempt}");
        Law(e.Run == call.Runs + 1, $"{e.Effect} has run {e.Run} after {call.Runs}");
        Law(!call.Refused && (!call.Requested.Approval || call.Approved), $"{e.Effect} was begun without its approval");
        Law(e.InDoubtAtMs > record.AtMs, $"{e.Effect} is in doubt as soon as it begins");
        CheckSharing(visit, call);
        switch (call.Happened)
        {
            case Happened.NotAsked:
                break;
            case Happened.InDoubt when call.Next == "rerun":
                Law(call.Requested.Kind is EffectKind.Idempotent or EffectKind.None, $"{e.Effect} is {call.Requested.Kind} and was made again while nobody knows whether it happened");
                break;
            case Happened.InDoubt when call.Next == "redo":
                break;
            default:
                Law(false, $"{e.Effect} was begun again while it is {call.Happened}");
                break;
        }

        (call.Happened, call.Runs, call.Next) = (Happened.UnderWay, e.Run, null);
    }

    private void Doubted(IntentInDoubt e)
    {
        var call = _calls[e.Effect];
        // A call under the key of an earlier attempt, which is past its time, is in doubt before it is made.
        var underOldKey = call.Happened == Happened.NotAsked && Visit(call.Id.Step, call.Id.Visit).Calls.Any(other => other != call && other.MayStand && other.Requested.Key == call.Requested.Key);
        Law(call.Unsettled || underOldKey, $"{e.Effect} came in doubt while it is {call.Happened}");
        CheckAnswer(call);
        Law(e.Next != "redo" || e.Reason is "verified_not_done" or "person_says_redo", $"{e.Effect} is to be done again because of {e.Reason}");
        Law(e.Reason != "person_says_redo" || record is DecideReview { Decision: "redo" }, $"{e.Effect} is done again and no person said so");
        (call.Happened, call.Next) = (Happened.InDoubt, e.Next);
    }

    private void Settled(IntentSettled e)
    {
        var call = _calls[e.Effect];
        CheckAnswer(call);
        Law(call.Unsettled, $"{e.Effect} was settled while it is {call.Happened}");
        Law(e.Via != "person" || record is DecideReview, $"{e.Effect} was settled by a person, and none spoke");
        call.Happened = e.Done ? Happened.Yes : e.Failure is { MayHaveHappened: true } ? Happened.Perhaps : Happened.No;
        call.Next = null;
    }

    private static double? Member(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.Number ? member.GetDouble() : null;
}
