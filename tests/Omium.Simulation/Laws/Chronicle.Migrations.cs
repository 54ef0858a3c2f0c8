using Omium.Kernel.Executions;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Laws;

/// <summary>Laws of moving a run to another version: nothing that changes goes unsaid, nothing that stands outside loses its step, what runs again is taken back whole.</summary>
internal sealed partial class Chronicle
{
    private int _version = 1;

    /// <summary>The versions that there are of its workflow, by number.</summary>
    public IReadOnlyDictionary<int, DrawnWorkflow> Versions { get; init; } = new Dictionary<int, DrawnWorkflow>();

    private void Migrated(ExecutionMigrated e)
    {
        Law(record is MigrateExecution, $"it was moved to version {e.Version} and no person said so");
        Law(Status is "paused" or "failed", $"it was moved to version {e.Version} while {Status}");
        Law(_plan is null, $"it was moved to version {e.Version} while rollback {_plan?.Rollback} is under way");
        Law(e.FromVersion == _version, $"it was moved from version {e.FromVersion} and ran version {_version}");
        var (before, after) = (Workflow, Versions[e.Version]);
        foreach (var step in DrawnVersions.Concerned(before, after).Order(StringComparer.Ordinal))
        {
            if (StandingVisit(step) is { Settled: true } visit)
            {
                Law(e.Kept?.Contains(visit.Key) == true || e.Again?.Contains(step) == true, $"{visit.Key} is of a step that version {e.Version} changes, and that was not said");
            }
        }

        foreach (var visit in _visits.Values.Where(visit => visit.Standing != Standing.TakenBack))
        {
            var isGone = after.Steps.All(step => step.Id != ItemNames.StepOf(visit.Step));
            Law(!isGone || visit.Settled, $"{visit.Key} is at work and version {e.Version} has no such step");
            Law(!isGone || !visit.Calls.Any(call => call.MayStand || call is { HasEffect: true, Unsettled: true }), $"{visit.Key} has an effect that stands and version {e.Version} could not undo it");
            Law(isGone || visit.Settled || ItemNames.IsItem(visit.Step) || !DrawnVersions.IsChanged(before, after, visit.Step) || e.Again?.Contains(visit.Step) == true, $"{visit.Key} is at work on a step that version {e.Version} changes, and does not run again");
        }

        foreach (var (name, handoff) in _handoffs.ToArray())
        {
            handoff.Edge = e.EdgeMap is { } map ? map[handoff.Edge] : handoff.Edge;
            if (handoff.Edge < 0)
            {
                _handoffs.Remove(name); // Over an edge that is gone; should it come back, it is handed over anew.
            }
        }

        (_version, Workflow) = (e.Version, after with { Former = [.. before.Steps, .. before.Former] });
    }

    /// <summary>What a move takes back: the steps that run again, and what stands on them.</summary>
    private void CheckMovedReach(RollbackPlanned e, IReadOnlyList<string> again, HashSet<VisitKey> set)
    {
        var reached = again.Select(StandingVisit).OfType<VisitFacts>().Select(visit => visit.Key).ToHashSet();
        Law(reached.IsSubsetOf(set), $"{string.Join(", ", again)} run again and rollback {e.Rollback} leaves them standing");
        Spread(reached, visit => visit.After.Concat(visit.Reads).Any(reached.Contains) || (visit.Parent is { } parent && reached.Contains(parent)) || ReadsWriteOf(visit, reached.Contains));
        foreach (var key in set.Where(key => !reached.Contains(key)))
        {
            Law(false, $"rollback {e.Rollback} of a move touches {key}, which has nothing to do with {string.Join(", ", again)}");
        }
    }
}
