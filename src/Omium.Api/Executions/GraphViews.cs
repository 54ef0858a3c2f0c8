using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Api.Failures;
using Omium.Contracts.Failures;

namespace Omium.Api.Executions;

/// <summary>The workflow's graph with where the execution stands. A step that has not begun is <c>scheduled</c> with visit 0.</summary>
internal static class GraphViews
{
    public static GraphView View(ExecutionState state, WorkflowPlan plan, DecisionValues values) => plan.IsTraced
        ? Traced(state)
        : new([.. plan.Steps.Select(step => Node(state, plan, step))], [.. plan.Edges.Select(edge => Edge(state, edge))])
        {
            Data = [.. plan.Steps.Select(step => state.LatestVisit(step.Spec.Id)).OfType<VisitState>()
                .SelectMany(visit => visit.Reads.Select(read => new GraphDataEdge(ExecutionViews.Reference(read), ExecutionViews.Reference(visit.Key))))],
            RootCause = state.FailedVisit is { } key && state.Visits[key] is { Failures: [.., var last] } failed
                ? RootCauses.Traced(state, values, failed, last.Failure, last.AtMs) ?? new RootCause(key.Step, key.Visit, last.Failure.Message)
                : null,
        };

    /// <summary>A traced execution has the graph of what happened: its steps as they stand, each behind those that were done before it began.</summary>
    private static GraphView Traced(ExecutionState state)
    {
        var visits = state.Visits.Values.Where(visit => state.Latest[visit.Key.Step] == visit.Key.Visit).OrderBy(visit => visit.Ordinal).ToArray();
        var nodes = visits.Select(visit => new GraphNode(
            visit.Key.Step, visit.Traced?.Declared.Kind ?? TracedKinds.Program, visit.Traced?.Declared.Agent,
            ExecutionViews.StatusOf(state, visit), visit.Key.Visit, visit.Checkpoint, visit.Traced is { Declared.Effect: not EffectKind.None }));
        var edges = visits.SelectMany(visit => visit.After.Select(before => new GraphEdge(before.Step, visit.Key.Step, "success", null, true, null)));
        return new GraphView([.. nodes], [.. edges.Distinct()]);
    }

    private static GraphNode Node(ExecutionState state, WorkflowPlan plan, StepPlan step)
    {
        var visit = state.LatestVisit(step.Spec.Id);
        var tools = step.Agent?.Tools.Select(plan.Tool).OfType<ToolPlan>() ?? [];
        var isExternal = step.Effect.Kind != EffectKind.None || tools.Any(tool => tool.Spec.Effect.Kind != EffectKind.None);
        return new GraphNode(
            step.Spec.Id, ExecutionViews.TypeOf(step, visit), ExecutionViews.ActorOf(step), visit is null ? "scheduled" : ExecutionViews.StatusOf(state, visit),
            visit?.Key.Visit ?? 0, visit?.Checkpoint, isExternal, visit?.Items is null ? null : ItemViews.Counts(state, visit))
        {
            Inherited = visit is { Inherited: true } ? true : null,
            Child = visit is null ? null : ExecutionViews.ChildOf(visit),
        };
    }

    private static GraphEdge Edge(ExecutionState state, EdgePlan edge)
    {
        var source = state.LatestVisit(edge.Spec.From);
        bool? taken = source is { EdgesSettled: true } or { Detached: true } ? source.TakenEdges.Contains(edge.Index) : null;
        var on = edge.Spec.On switch { EdgeOn.Success => "success", EdgeOn.Failure => "failure", _ => "always" };
        return new GraphEdge(edge.Spec.From, edge.Spec.To, on, edge.Spec.When, taken, edge.Spec.VisitsMax);
    }
}
