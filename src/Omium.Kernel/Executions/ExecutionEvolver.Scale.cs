using System.Collections.Immutable;

namespace Omium.Kernel.Executions;

/// <summary>Keeps what decisions look up (ExecutionState.Scale).</summary>
internal static partial class ExecutionEvolver
{
    /// <summary>The nearest approval before a visit: it is told once, when the visit is scheduled.</summary>
    private static VisitKey? ApprovalBefore(ExecutionState state, IReadOnlyList<VisitKey>? after)
    {
        foreach (var key in after ?? [])
        {
            if (state.Visits.GetValueOrDefault(key)?.Approval is { } approval)
            {
                return approval;
            }
        }

        return null;
    }

    /// <summary>What a commit (or a decision to skip) has settled is not looked at with the next one again.</summary>
    private static ExecutionState WithoutAskedFailures(ExecutionState state, string step) =>
        state.FailureReviews.ContainsKey(step) ? state with { FailureReviews = state.FailureReviews.Remove(step) } : state;

    private static ExecutionState WithDeadEnd(ExecutionState state, string step, IReadOnlyList<int>? edges) =>
        edges is { Count: > 0 } ? state : state with { DeadEndSteps = state.DeadEndSteps.Add(step) };
}
