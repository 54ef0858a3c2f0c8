using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>
/// Intents whose outcome nobody has reported: in doubt until a rerun with the same key, a probe or a person tells. A call that was given up
/// (its visit taken back, its attempt over) is never made again: it is probed, shown to a person, or taken for one that may stand and undone.
/// </summary>
internal sealed partial class Decision
{
    /// <summary>Probes of one run of a call that may fail for good before a person is asked.</summary>
    private const int ProbesMax = 5;

    /// <summary>What follows when nobody knows whether it happened.</summary>
    private void Doubt(VisitState visit, CallState call, string reason)
    {
        if (call.Kind == EffectKind.None)
        {
            LoseTask(visit, call);
            return;
        }

        var effect = EffectOf(call);
        if (call.Kind == EffectKind.Idempotent && !KeyExpired(call))
        {
            if (IsLive(visit, call))
            {
                Emit(new IntentInDoubt(call.Id.ToString(), reason, "rerun", atMs));
            }
            else
            {
                SettleAsUnclear(call, reason);
            }

            return;
        }

        if (effect.Verify is not null && (!call.IsTraced || (IsLive(visit, call) && _state.Status != ExecutionStatus.Cancelled)))
        {
            Emit(new IntentInDoubt(call.Id.ToString(), reason, "verify", Math.Max(atMs, call.IntentMs + (long)effect.VerifyAfter.TotalMilliseconds)));
            return;
        }

        Emit(new IntentInDoubt(call.Id.ToString(), reason, "review", atMs));
        AskInDoubt(visit.Key, call);
    }

    /// <summary>True when the receiver need not honour the call's key any more: the same key may then do it twice.</summary>
    private bool KeyExpired(CallState call) => call.KeyUsedMs > 0 && atMs >= call.KeyUsedMs + (long)EffectOf(call).KeyTtl.TotalMilliseconds;

    /// <summary>True while a call may still be made: its visit is open and its attempt is the present one.</summary>
    private static bool IsLive(VisitState visit, CallState call) => visit.Status == VisitStatus.Open && call.Id.Attempt == visit.Attempt;

    /// <summary>A call that was given up and whose outcome is not known counts as one that may have happened: undoing it is safe, making it again is not meant.</summary>
    private void SettleAsUnclear(CallState call, string reason)
    {
        var unclear = new EffectFailure(FailureClasses.InDoubt, reason, "it was given up while nobody knew whether it happened", MayHaveHappened: true);
        Emit(new IntentSettled(call.Id.ToString(), false, null, unclear, "given_up"));
        SettleFenced(call.Id);
    }

    private void AskInDoubt(VisitKey key, CallState call)
    {
        var shown = JsonMake.Object(
            ("tool", JsonMake.Text(WorkflowPlan.ToldTool(call.Tool))), ("arguments", call.Arguments), ("reason", JsonMake.Text("Omium cannot know whether this call happened. Look at the other side, then say.")));
        Ask(key, "in_doubt", call.Id.ToString(), ["done", "redo", "reject"], shown);
        Notify("in_doubt", key.Step, $"nobody can say whether {WorkflowPlan.ToldTool(call.Tool)} happened");
        if (_state.Status == ExecutionStatus.Running && IsLive(Visit(key), call))
        {
            Emit(new ExecutionPaused(PausedInDoubt, "policy", null));
        }
    }

    private Rejection? SettleProbe(StepPlan step, VisitState visit, CallState call, int number, EffectOutcome outcome)
    {
        if (call.Status != CallStatus.InDoubt || call.Next != "verify" || number != call.Probes + 1)
        {
            return null;
        }

        var id = call.Id.ToString();
        var told = outcome.Result is { } result ? values.Resolve(result) : default; // An answer may be large, and then it is a reference.
        switch (StatusOf(told))
        {
            case "done":
                var output = told.TryGetProperty("output", out var value) ? Externalize(value) : outcome.Result!.Value;
                SettleIntent(step, visit, call, new EffectOutcome { Result = output }, "verify");
                break;
            case "not_done" when IsLive(visit, call):
                Emit(new IntentInDoubt(id, "verified_not_done", "redo", atMs));
                break;
            case "not_done":
                SettleIntent(step, visit, call, new EffectOutcome { Failure = new EffectFailure(FailureClasses.ToolError, "verified_not_done", "the verify tool says that it did not happen") }, "verify");
                break;
            case null when outcome.Failure is { Permanent: false } failure && number - call.ProbesBefore < ProbesMax:
                Emit(new IntentInDoubt(id, "verify_failed", "verify", atMs + Math.Max(WaitBetween(number - call.ProbesBefore), failure.RetryAfterMs ?? 0)));
                break;
            default:
                Emit(new IntentInDoubt(id, "verify_unknown", "review", atMs));
                AskInDoubt(visit.Key, call);
                break;
        }

        return null;
    }

    private static string? StatusOf(JsonElement told) =>
        told.ValueKind == JsonValueKind.Object && told.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.String
            ? status.GetString()
            : null;

    /// <summary>The wait after the n-th try of something the kernel itself repeats (probes, compensations), ms.</summary>
    private static long WaitBetween(int tries)
    {
        var backoff = RecoveryPolicy.Default.Retry!.Backoff;
        return (long)Math.Min(backoff.Initial.TotalMilliseconds * Math.Pow(2, tries - 1), backoff.Max.TotalMilliseconds);
    }

    /// <summary>Time has passed: intents without a result are in doubt, retries that are due begin.</summary>
    private Rejection? Wake(WakeTimers command)
    {
        foreach (var (visit, call) in UnsettledIntents(call => call.Status == CallStatus.Intent && atMs >= call.InDoubtAtMs && command.UnderWay?.Contains(call.Id.ToString()) != true))
        {
            Doubt(visit, call, "no_result");
        }

        foreach (var undone in UndosUnderWay().Where(call => call.Undo is { VerifyDueMs: null } undo && atMs >= undo.InDoubtAtMs))
        {
            DoubtUndo(undone, "no_result");
            ContinueRollback(undone);
        }

        foreach (var key in _state.Open.Values.ToArray())
        {
            if (Plan.Expands(key))
            {
                _expanded.Enqueue(key);
            }

            if (_state.Status == ExecutionStatus.Running && Visit(key) is { Status: VisitStatus.Open, RetryDueMs: > 0 } visit
                && atMs >= visit.RetryDueMs && PendingEffects.WaitsForRetry(visit, Plan))
            {
                _due.Enqueue(key);
            }
        }

        if (_state is { DeferredSteps: { } deferred, Status: ExecutionStatus.Running })
        {
            Emit(new SchedulingTakenUp());
            foreach (var step in deferred)
            {
                _ready.Enqueue(step);
            }
        }

        ExpireLeases();
        ExpireReviews();
        return null;
    }

    private Rejection? LoseRunners(LoseRunner command)
    {
        foreach (var (visit, call) in UnsettledIntents(call => call is { Status: CallStatus.Intent, IsTask: false, IsTraced: false } && call.Owner != command.SurvivingOwner))
        {
            Doubt(visit, call, "runner_lost");
        }

        foreach (var undone in UndosUnderWay().Where(call => call.Undo is { VerifyDueMs: null } undo && undo.Owner != command.SurvivingOwner))
        {
            DoubtUndo(undone, "runner_lost");
            ContinueRollback(undone);
        }

        return null;
    }

    private EffectSpec EffectOf(CallState call)
    {
        if (call.Child is not null)
        {
            return ChildEffect;
        }

        var step = Plan.Step(call.Id.Step)!;
        return step.OwnsCall ? step.Effect : Plan.Tool(call.Tool)?.Spec.Effect ?? EffectSpec.None;
    }

    private (VisitState, CallState)[] UnsettledIntents(Func<CallState, bool> filter)
    {
        var open = _state.Open.Values.Select(Visit).SelectMany(visit => visit.Calls.Select(call => (visit, call)));
        var fenced = _state.FencedCalls.Order(StringComparer.Ordinal).Select(text =>
        {
            _ = EffectId.TryParse(text, out var id);
            var visit = Visit(id.Key);
            return (visit, call: visit.Calls.Find(call => call.Id == id)!);
        });
        return [.. open.Concat(fenced).Where(pair => filter(pair.call))];
    }
}
