namespace Omium.Kernel.Executions;

/// <summary>Children and what they owe their parents.</summary>
internal static partial class ExecutionEvolver
{
    private static ExecutionState? EvolveChildren(ExecutionState state, ExecutionEvent happened) => happened switch
    {
        ChildRequested e => Requested(state, e),
        ChildStarted e => Started(state, e),
        ChildCancelSent e => WithCall(state, e.Effect, c => c with { CancelSent = true }),
        ParentNotified e => Notified(state, e),
        _ => null,
    };

    private static ExecutionState Requested(ExecutionState state, ChildRequested e)
    {
        var id = Parse(e.Effect);
        return With(state, id.Key, v => v with
        {
            Calls = v.Calls.Add(new CallState(id, e.Workflow)
            {
                Status = CallStatus.Requested,
                Kind = Specs.EffectKind.Idempotent,
                Arguments = e.Input,
                ArgumentsDigest = e.InputDigest,
                Key = e.Child,
                Child = e.Child,
                ChildDepth = e.Depth,
                Sandboxed = state.IsSandbox,
            }),
        });
    }

    private static ExecutionState Started(ExecutionState state, ChildStarted e)
    {
        var next = WithCall(state, e.Effect, c => c.Status == CallStatus.Requested ? c with { Status = CallStatus.Running } : c);
        var workflow = Visit(next, Parse(e.Effect).Key).Calls.Find(c => c.Id == Parse(e.Effect))!.Tool;
        return next with { ChildVersions = next.ChildVersions.SetItem(workflow, new ChildVersion(e.Version, e.SpecDigest)) };
    }

    /// <summary>A child that has ended owes its parent the news, unless it owes it that of its rollback.</summary>
    private static ExecutionState Owing(ExecutionState state) => state.Parent is not { } parent || state.Notice is { IsRollback: true }
        ? state
        : state with { Notices = state.Notices + 1, Notice = new ParentNotice(state.Notices + 1, parent.Effect, false, 0) };

    /// <summary>A rollback that the parent asked for is complete.</summary>
    private static ExecutionState OwingRollback(ExecutionState state, RollbackState? rollback) =>
        state.Parent is not { } parent || rollback?.Plan.RequestId is not { } request || !request.StartsWith($"{parent.Execution}/", StringComparison.Ordinal)
            ? state
            : state with
            {
                Notices = state.Notices + 1, Notice = new ParentNotice(state.Notices + 1, request[(parent.Execution.Length + 1)..], true, rollback.Residue),
            };

    private static ExecutionState Notified(ExecutionState state, ParentNotified e) => state.Notice?.Number == e.Notice
        ? state with { Notice = null, Consumed = state.Consumed || state.Status == ExecutionStatus.Succeeded }
        : state;
}
