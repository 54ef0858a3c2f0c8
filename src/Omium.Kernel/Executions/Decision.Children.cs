using System.Globalization;
using System.Text;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>
/// Child workflows. The step requests its child; a runner starts it under an id that follows from the effect's; the child tells its parent how it
/// ended, at least once, until the parent has it on record. Rolling the child back is the step's compensation, told in the same way.
/// </summary>
internal sealed partial class Decision
{
    /// <summary>A child's effect: repeatable by its id, undone by rolling the child back.</summary>
    private static readonly EffectSpec ChildEffect = new() { Kind = EffectKind.Idempotent, Compensate = "rollback" };

    private void RequestChild(StepPlan step, VisitKey key)
    {
        var visit = Visit(key);
        var depth = (_state.Parent?.Depth ?? 0) + 1;
        if (depth > SpecLimits.ChildDepthMax)
        {
            Fail(key, new Failing(FailureClasses.NoTermination, "child_too_deep", $"this would be a child of a child {depth} deep; at most {SpecLimits.ChildDepthMax} are run") { Permanent = true });
            return;
        }

        if (!_state.IsSandbox && IsChangedSinceApproval(step))
        {
            Fail(key, new Failing(FailureClasses.PolicyViolation, "approval_outdated",
                "a person gave an input or output after this was approved, and what a child would do cannot be shown beforehand: correct it before the approval, or run it again without the correction") { Permanent = true });
            return;
        }

        var id = EffectId.Call(key, visit.Attempt, 1);
        Emit(new ChildRequested(id.ToString(), step.Spec.Target!, ChildIds.Of(_state.Tenant, _state.ExecutionId, id), visit.Input, DigestOf(visit.Input), depth));
    }

    private Rejection? ChildBegan(RecordChildStarted command)
    {
        if (!TryChild(command.Effect, out _, out var call))
        {
            return new Rejection("effect_not_found", $"no child {command.Effect} is known here");
        }

        if (call.Status == CallStatus.Requested || !_state.ChildVersions.ContainsKey(call.Tool))
        {
            Emit(new ChildStarted(command.Effect, command.Version, command.SpecDigest));
        }

        return null;
    }

    private Rejection? ChildCancelled(RecordChildCancel command)
    {
        if (TryChild(command.Effect, out _, out var call) && !call.CancelSent)
        {
            Emit(new ChildCancelSent(command.Effect));
        }

        return null;
    }

    private Rejection? NoticeTaken(RecordParentNotice command)
    {
        if (_state.Notice?.Number == command.Notice)
        {
            Emit(new ParentNotified(command.Notice));
        }

        return null;
    }

    private bool TryChild(string effect, out VisitState visit, out CallState call)
    {
        (visit, call) = (default!, default!);
        return EffectId.TryParse(effect, out var id) && _state.Visits.TryGetValue(id.Key, out visit!) && (call = visit.Calls.Find(candidate => candidate.Id == id)!) is { Child: not null };
    }

    /// <summary>How a child ended, as its parent takes it: once. What came of a child whose visit was taken back is on record and has no consequence.</summary>
    private Rejection? SettleChild(StepPlan step, VisitState visit, CallState call, EffectOutcome outcome)
    {
        if (call.Status is not (CallStatus.Requested or CallStatus.Running))
        {
            return null;
        }

        var failure = outcome.Failure is { } told ? told with { Permanent = told.Permanent || step.Spec.Retry is null } : null;
        Emit(new CallSettled(call.Id.ToString(), Recordable(outcome), failure));
        if (IsLive(visit, call) && _state.Status != ExecutionStatus.Cancelled)
        {
            Conclude(step, visit.Key, call.Id, outcome with { Failure = failure }, recorded: true);
        }
        else if (!_state.DiscardedResults.Contains(call.Id.ToString()))
        {
            Emit(new ResultDiscarded(call.Id.ToString(), "fenced"));
        }

        return null;
    }

    /// <summary>
    /// Why a person may not take back or run again what the parent has used; null when they may. The parent itself may always. News of a success that
    /// are on their way may have arrived already: only the record of that is missing.
    /// </summary>
    private Rejection? OrphansParent(string requestId) =>
        _state is { Parent: { } parent } && (_state.Consumed || _state is { Status: ExecutionStatus.Succeeded, Notice: not null }) && !requestId.StartsWith($"{parent.Execution}/", StringComparison.Ordinal)
        ? new Rejection("rollback_orphans_consumer", $"{parent.Execution} has used the output of this child ({parent.Effect}): roll that one back, and it takes its child with it")
        : null;
}

/// <summary>Ids of children: what an execution's id looks like, made from the parent's effect alone.</summary>
public static class ChildIds
{
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int Digits = 26;

    /// <summary>The id of the child of an effect.</summary>
    public static string Of(string tenant, string parent, EffectId effect)
    {
        var value = UInt128.Parse(CanonicalJson.Digest(Encoding.UTF8.GetBytes($"child\n{tenant}\n{parent}\n{effect}"))[..32], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        var text = new char[Digits];
        for (var at = Digits - 1; at >= 0; at--)
        {
            text[at] = Alphabet[(int)(value & 31)];
            value >>= 5;
        }

        return "exe_" + new string(text);
    }
}
