using System.Collections.Immutable;

namespace Omium.Kernel.Executions;

/// <summary>Another version of the workflow: edges are known by other numbers.</summary>
internal static partial class ExecutionEvolver
{
    private static ExecutionState Migrated(ExecutionState state, ExecutionMigrated e)
    {
        var extra = (e.Taken ?? []).ToLookup(taken => taken.Visit, taken => taken.Edge);
        int[] Mapped(VisitState visit) => [.. visit.TakenEdges.Select(edge => e.EdgeMap is { } map ? map[edge] : edge).Where(edge => edge >= 0).Concat(extra[visit.Key])];
        var visits = e.EdgeMap is null && extra.Count == 0
            ? state.Visits
            : state.Visits.ToImmutableDictionary(pair => pair.Key, pair => pair.Value with { TakenEdges = Mapped(pair.Value) });
        var loops = e.EdgeMap is { } edges
            ? state.Loops.Where(loop => edges[loop.Key] >= 0).ToImmutableDictionary(loop => edges[loop.Key], loop => loop.Value)
            : state.Loops;
        return Requested(state, e.RequestId) with
        {
            WorkflowVersion = e.Version,
            SpecDigest = e.SpecDigest,
            Visits = visits,
            Loops = loops,
            RuleUses = e.KeepsRules ? state.RuleUses : ImmutableDictionary<int, int>.Empty,
        };
    }
}
