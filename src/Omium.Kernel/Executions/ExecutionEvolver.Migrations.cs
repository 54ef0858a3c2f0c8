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
            : VisitDictionary.Of(state.Visits.Values.Select(visit => visit with { TakenEdges = Mapped(visit), Verifications = MappedVerifications(visit, e.EdgeMap) }));
        var loops = e.EdgeMap is { } edges
            ? state.Loops.Where(loop => edges[loop.Key] >= 0).ToImmutableDictionary(loop => edges[loop.Key], loop => loop.Value)
            : state.Loops;
        return Requested(state, e.RequestId) with
        {
            WorkflowVersion = e.Version,
            SpecDigest = e.SpecDigest,
            Visits = visits,
            Loops = loops,
            Handoffs = e.EdgeMap is { } mapped ? MappedHandoffs(state, mapped) : state.Handoffs,
            OpenHandoffs = e.EdgeMap is { } moved ? MappedOpenHandoffs(state, moved) : state.OpenHandoffs,
            RuleUses = e.KeepsRules ? state.RuleUses : ImmutableDictionary<int, int>.Empty,
        };
    }

    /// <summary>An output that is being verified leaves by the edges it was shown with, by their new numbers.</summary>
    private static ImmutableList<VerificationState> MappedVerifications(VisitState visit, IReadOnlyList<int>? edges) => edges is null
        ? visit.Verifications
        : visit.Verifications.ConvertAll(verification => verification with
        {
            Request = verification.Request with { Edges = verification.Request.Edges?.Select(edge => edges[edge]).Where(edge => edge >= 0).ToArray() },
        });

    /// <summary>Handoffs over edges that are gone are of no consequence any more; the others keep what was agreed on.</summary>
    private static ImmutableDictionary<HandoffKey, HandoffState> MappedHandoffs(ExecutionState state, IReadOnlyList<int> edges) =>
        state.Handoffs.Values.Where(handoff => edges[handoff.Key.Edge] >= 0)
            .Select(handoff => handoff with { Proposal = handoff.Proposal with { Edge = edges[handoff.Key.Edge] } })
            .ToImmutableDictionary(handoff => handoff.Key);

    private static ImmutableSortedDictionary<int, HandoffKey> MappedOpenHandoffs(ExecutionState state, IReadOnlyList<int> edges) =>
        state.OpenHandoffs.Where(open => edges[open.Value.Edge] >= 0)
            .ToImmutableSortedDictionary(open => open.Key, open => open.Value with { Edge = edges[open.Value.Edge] });
}
