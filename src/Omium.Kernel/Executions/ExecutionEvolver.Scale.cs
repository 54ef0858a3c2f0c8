using System.Collections.Immutable;
using Omium.Kernel.Json;

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

    private static ExecutionState WithLargeOutput(ExecutionState state, StepCommitted e) =>
        PayloadReference.TryRead(e.Output, out _, out _) ? state with { LargeOutputs = state.LargeOutputs.Push(new(e.Step, e.Visit)) } : state;

    private static ExecutionState WithAskedFailure(ExecutionState state, ReviewRequested e) => e.Kind != "failure" ? state : state with
    {
        AskedFailures = state.AskedFailures.SetItem(e.Step, state.AskedFailures.GetValueOrDefault(e.Step, []).Add((new(e.Step, e.Visit), e.Attempt))),
    };

    private static ExecutionState WithoutAskedFailures(ExecutionState state, string step) =>
        state.AskedFailures.ContainsKey(step) ? state with { AskedFailures = state.AskedFailures.Remove(step) } : state;

    private static ExecutionState WithDeadEnd(ExecutionState state, string step, IReadOnlyList<int>? edges) =>
        edges is { Count: > 0 } ? state : state with { DeadEndSteps = state.DeadEndSteps.Add(step) };

    /// <summary>Counts a call that is being compensated under its key, and under each key that its key was made from by counting.</summary>
    private static ExecutionState WithCompensatedKey(ExecutionState state, CallState call)
    {
        if (call.Status == CallStatus.Compensated || call.Key is not { } key)
        {
            return state;
        }

        var counts = Counted(state.CompensatedKeys, call.Tool, key);
        for (var at = key.IndexOf(Decision.AgainMark, StringComparison.Ordinal); at >= 0; at = key.IndexOf(Decision.AgainMark, at + 1, StringComparison.Ordinal))
        {
            counts = Counted(counts, call.Tool, key[..at]);
        }

        return state with { CompensatedKeys = counts };
    }

    private static ImmutableDictionary<(string, string), int> Counted(ImmutableDictionary<(string, string), int> counts, string tool, string key) =>
        counts.SetItem((tool, key), counts.GetValueOrDefault((tool, key)) + 1);
}
