using System.Text;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>What moving a run to another version changes. A person sees it before it is done; its digest binds what they saw.</summary>
public sealed record MigrationDifference
{
    /// <summary>Version now.</summary>
    public required int FromVersion { get; init; }

    /// <summary>Version to move to.</summary>
    public required int ToVersion { get; init; }

    /// <summary>Steps that are new. Those behind settled steps run when the execution goes on.</summary>
    public required IReadOnlyList<string> Added { get; init; }

    /// <summary>Steps that are gone.</summary>
    public required IReadOnlyList<string> Removed { get; init; }

    /// <summary>Steps that do something else: themselves, their agent or a tool of theirs.</summary>
    public required IReadOnlyList<string> Changed { get; init; }

    /// <summary>Edges that are new, as <c>from -> to</c>.</summary>
    public required IReadOnlyList<string> EdgesAdded { get; init; }

    /// <summary>Edges that are gone.</summary>
    public required IReadOnlyList<string> EdgesRemoved { get; init; }

    /// <summary>True when the recovery policy is another.</summary>
    public required bool PolicyChanged { get; init; }

    /// <summary>Settled visits that a change concerns: kept as they are unless the person has their steps run again.</summary>
    public required IReadOnlyList<VisitKey> Affected { get; init; }

    /// <summary>Visits that were at work on a step that changed: they run again in any case.</summary>
    public required IReadOnlyList<VisitKey> Restarted { get; init; }

    /// <summary>Why it cannot be done; empty when it can.</summary>
    public required IReadOnlyList<string> Obstacles { get; init; }

    /// <summary>SHA-256 of all of it and of the spec to move to.</summary>
    public string Digest { get; init; } = "";

    /// <summary>Compares the run with another plan of its workflow.</summary>
    public static MigrationDifference Between(ExecutionState state, WorkflowPlan from, WorkflowPlan to, int toVersion, string specDigest)
    {
        var changed = to.Steps.Where(step => from.Step(step.Spec.Id) is { } old && SpecDigests.Of(from.Spec, old.Spec) != SpecDigests.Of(to.Spec, step.Spec)).Select(step => step.Spec.Id).ToArray();
        var removed = from.Steps.Where(step => to.Step(step.Spec.Id) is null).Select(step => step.Spec.Id).ToArray();
        var added = to.Steps.Where(step => from.Step(step.Spec.Id) is null).Select(step => step.Spec.Id).ToArray();
        var oldEdges = from.Edges.ToLookup(edge => SpecDigests.Of(edge.Spec));
        var newEdges = to.Edges.ToLookup(edge => SpecDigests.Of(edge.Spec));
        var (gone, come) = (from.Edges.Where(edge => !newEdges.Contains(SpecDigests.Of(edge.Spec))).ToArray(), to.Edges.Where(edge => !oldEdges.Contains(SpecDigests.Of(edge.Spec))).ToArray());
        var concerned = changed.Concat(removed).Concat(added).Concat(gone.Concat(come).Select(edge => edge.Spec.To)).ToHashSet(StringComparer.Ordinal);
        // A step that an earlier move took away may come back, and find what it did then: that stands unless it is said otherwise.
        var standing = from.Steps.Select(step => step.Spec.Id).Concat(added).Select(state.StandingVisit).OfType<VisitState>().Where(visit => concerned.Contains(visit.Key.Step)).ToArray();
        var open = standing.Where(IsAtWork).ToArray();
        var difference = new MigrationDifference
        {
            FromVersion = state.WorkflowVersion,
            ToVersion = toVersion,
            Added = added,
            Removed = removed,
            Changed = changed,
            EdgesAdded = [.. come.Select(Name)],
            EdgesRemoved = [.. gone.Select(Name)],
            PolicyChanged = SpecDigests.Of(from.Spec.Recovery) != SpecDigests.Of(to.Spec.Recovery),
            Affected = [.. standing.Where(visit => !IsAtWork(visit)).Select(visit => visit.Key)],
            Restarted = [.. open.Where(visit => changed.Contains(visit.Key.Step)).Select(visit => visit.Key)],
            Obstacles = [.. Find(state, to, changed, removed), .. FindAgreements(state, from, to, [.. gone.Concat(come)])],
        };
        return difference with { Digest = difference.DigestOf(specDigest) };
    }

    /// <summary>New index of each old edge, -1 for one that is gone; null when all stay.</summary>
    internal static IReadOnlyList<int>? EdgeMap(WorkflowPlan from, WorkflowPlan to)
    {
        var targets = to.Edges.GroupBy(edge => SpecDigests.Of(edge.Spec)).ToDictionary(group => group.Key, group => group.First().Index, StringComparer.Ordinal);
        var map = from.Edges.Select(edge => targets.GetValueOrDefault(SpecDigests.Of(edge.Spec), -1)).ToArray();
        return map.Select((target, index) => target == index).All(same => same) ? null : map;
    }

    private static IEnumerable<string> Find(ExecutionState state, WorkflowPlan to, string[] changed, string[] removed)
    {
        foreach (var visit in state.Visits.Values.Where(visit => visit.Status != VisitStatus.RolledBack).OrderBy(visit => visit.Ordinal))
        {
            var (isRemoved, isChanged) = (removed.Contains(ItemName.StepOf(visit.Key.Step)), changed.Contains(ItemName.StepOf(visit.Key.Step)));
            if (isRemoved && IsAtWork(visit))
            {
                yield return $"{visit.Key} is at work, and its step is not in the new version";
            }
            else if (isRemoved && visit.Calls.FirstOrDefault(call => call.MayStand || call.Unsettled) is { } standing)
            {
                yield return $"{visit.Key} has an effect in the world ({standing.Tool}), and the new version, which has no such step, could not undo it";
            }
            else if (isChanged && IsAtWork(visit) && visit.Calls.FirstOrDefault(call => call.MayStand || call.Unsettled || call.Status == CallStatus.Running) is { } busy)
            {
                yield return $"{visit.Key} is at work with an effect ({busy.Tool}), and its step is another in the new version: let it settle first";
            }
            else if (visit.Calls.FirstOrDefault(call => call.Child is null && call.MayStand && to.Tool(call.Tool) is null) is { } orphan)
            {
                yield return $"{visit.Key} has an effect of the tool {orphan.Tool}, which the new version does not have";
            }
        }
    }

    /// <summary>What agents are about to agree on cannot be agreed on by two versions.</summary>
    private static IEnumerable<string> FindAgreements(ExecutionState state, WorkflowPlan from, WorkflowPlan to, EdgePlan[] other)
    {
        if (EdgeMap(from, to) is { } map)
        {
            foreach (var handoff in state.LiveHandoffs.Where(handoff => map[handoff.Key.Edge] != handoff.Key.Edge))
            {
                yield return $"the handoff of {handoff.Key.From} to {handoff.Proposal.To} is not agreed, and its edge is another in the new version: settle it first";
            }
        }

        foreach (var visit in state.Open.Values.Select(key => state.Visits[key]).Where(visit => visit.Verification is { Outcome: VerificationOutcome.Open or VerificationOutcome.Split }))
        {
            if (other.Any(edge => edge.Spec.From == ItemName.StepOf(visit.Key.Step)))
            {
                yield return $"{visit.Key} is being verified with the edges it leaves by, and those are others in the new version: let it settle first";
            }
        }
    }

    private static bool IsAtWork(VisitState visit) => visit.Status is VisitStatus.Open or VisitStatus.FailedAttempt;

    private static string Name(EdgePlan edge) =>
        $"{edge.Spec.From} -> {edge.Spec.To}{(edge.Spec.On == EdgeOn.Success ? "" : $" on {edge.Spec.On.ToString().ToLowerInvariant()}")}{(edge.Spec.When is { } when ? $" when {when}" : "")}";

    private string DigestOf(string specDigest)
    {
        var text = new StringBuilder(specDigest);
        IEnumerable<IEnumerable<string>> parts =
        [
            Added, Removed, Changed, EdgesAdded, EdgesRemoved, [PolicyChanged.ToString()], Affected.Select(key => key.ToString()), Restarted.Select(key => key.ToString()), Obstacles,
        ];
        foreach (var part in parts)
        {
            text.Append('\n').Append(string.Join('|', part));
        }

        return CanonicalJson.Digest(Encoding.UTF8.GetBytes(text.ToString()));
    }
}
