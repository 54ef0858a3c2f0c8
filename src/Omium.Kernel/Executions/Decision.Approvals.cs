using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>What an approval covers: what follows from what was shown, once, in the execution in which it was given.</summary>
internal sealed partial class Decision
{
    /// <summary>True when a human_approval step lies before this one on a path that was taken.</summary>
    private bool HasApprovalBefore(StepPlan step)
    {
        if (_state.LatestVisit(step.Spec.Id)?.Approval is not { } approval)
        {
            return false;
        }

        if (IsCovering(Visit(approval)))
        {
            return true;
        }

        // The nearest one does not stand; another may.
        var queue = new Queue<VisitKey>(_state.LatestVisit(step.Spec.Id)?.After ?? []);
        var seen = new HashSet<VisitKey>();
        while (queue.TryDequeue(out var key))
        {
            if (!seen.Add(key))
            {
                continue;
            }

            if (Plan.Step(key.Step)?.Spec.Type == StepType.HumanApproval && IsCovering(Visit(key)))
            {
                return true;
            }

            foreach (var before in Visit(key).After)
            {
                queue.Enqueue(before);
            }
        }

        return false;
    }

    /// <summary>One that was given in a fork's source covered the source's call.</summary>
    private static bool IsCovering(VisitState approval) => approval is { Status: VisitStatus.Committed, Inherited: false };

    /// <summary>
    /// True when a person gave an input or output between the approvals that stand before a step and the step itself: whoever approved has not seen what it
    /// does now. What was given before an approval was part of what that one showed, because it was asked for anew.
    /// </summary>
    private bool IsChangedSinceApproval(StepPlan step)
    {
        if (_state.Corrections.IsEmpty || _state.LatestVisit(step.Spec.Id) is not { Approval: not null } visit)
        {
            return false;
        }

        var before = Ancestors(visit.Key);
        before.Add(visit.Key);
        var shown = new HashSet<VisitKey>();
        foreach (var approval in before.Where(key => Plan.Step(key.Step)?.Spec.Type == StepType.HumanApproval && Visit(key).Status == VisitStatus.Committed))
        {
            shown.UnionWith(Ancestors(approval));
            shown.Add(approval);
        }

        return shown.Count > 0 && before.Any(key => !shown.Contains(key) && _state.Corrections.ContainsKey(key.Step));
    }

    /// <summary>True when a person approved this very call in an earlier attempt of its visit.</summary>
    private bool IsCallApproved(VisitKey key, string tool, string argumentsDigest) => Visit(key).Calls.Any(call =>
        call.Tool == tool && call.ArgumentsDigest == argumentsDigest
        && _state.Reviews.Values.Any(review => review is { Request.Kind: "call_approval", Decided.Decision: "approve" } && review.Request.Effect == call.Id.ToString()));
}
