using Omium.Kernel.Expressions;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>Moving a run to another version: nothing is skipped in silence, nothing is decided by two plans at once.</summary>
internal sealed partial class Decision
{
    private WorkflowPlan? _migrated;

    private Rejection? Migrate(MigrateExecution command)
    {
        if (_state.Requests.Contains(command.RequestId))
        {
            return null;
        }

        if (RefuseMigration(command, out var difference) is { } refused)
        {
            return refused;
        }

        var (from, to) = (Plan, values.Target!);
        var again = difference.Restarted.Select(key => key.Step).Concat(command.Again ?? []).Distinct(StringComparer.Ordinal).ToArray();
        var kept = difference.Affected.Where(key => !again.Contains(key.Step)).ToArray();
        var map = MigrationDifference.EdgeMap(from, to);
        if (!TryNewEdges(from, to, out var taken, out var problem))
        {
            return new Rejection("migration_refused", problem);
        }

        var seeds = again.Select(_state.StandingVisit).OfType<VisitState>().Select(visit => visit.Key);
        var affected = Ordered(Descendants(seeds));
        var effects = StandingEffects(affected);
        _migrated = to;
        if (!TryProposeNew(taken, affected, out var proposals, out problem))
        {
            return new Rejection("migration_refused", problem);
        }

        if (PastFork(affected) is { } past)
        {
            return past;
        }

        if (effects.FirstOrDefault(call => EffectOf(call).Compensate is null) is { } blocked)
        {
            return new Rejection("rollback_irreversible", $"{blocked.Tool} ({blocked.Id}) cannot be undone, so its step cannot run again");
        }

        Emit(new ExecutionMigrated(
            _state.WorkflowVersion, command.Version, command.SpecDigest, command.By, command.RequestId, difference.Digest, kept.Length == 0 ? null : kept, again.Length == 0 ? null : again,
            map, taken.Count == 0 ? null : taken, !difference.PolicyChanged));
        Propose(proposals);
        if (affected.Length > 0)
        {
            CloseReviews("migrated", command.By, id => IsFailure(id) && affected.Contains(new VisitKey(_state.Reviews[id].Request.Step, _state.Reviews[id].Request.Visit)));
            PlanRollback(again[0], "from", affected, [.. effects.Select(call => call.Id.ToString())], "person", command.By, null, new RollbackSequel(null, [new RecoveryAction("pause")], false, false));
        }

        return null;
    }

    private Rejection? RefuseMigration(MigrateExecution command, out MigrationDifference difference)
    {
        difference = default!;
        if (values.Target is not { } target)
        {
            return new Rejection("workflow_not_found", $"version {command.Version} of {_state.Workflow} is not saved");
        }

        if (_state.Rollback is not null)
        {
            return new Rejection("rollback_in_progress", "a rollback is under way; move the run when it is complete");
        }

        if (_state.Status is not (ExecutionStatus.Paused or ExecutionStatus.Failed))
        {
            return _state.Ended
                ? new Rejection("execution_ended", $"the execution is {Word(_state.Status)}: there is nothing to move")
                : new Rejection("execution_not_paused", "a run is moved while it is paused");
        }

        difference = MigrationDifference.Between(_state, Plan, target, command.Version, command.SpecDigest);
        if (difference.Obstacles.Count > 0)
        {
            return new Rejection("migration_refused", string.Join("; ", difference.Obstacles));
        }

        if (difference.Digest != command.Difference)
        {
            return new Rejection("migration_unacknowledged", "what would change is not what you acknowledged: look at the difference as it is now");
        }

        return (command.Again ?? []).FirstOrDefault(step => target.Step(step) is null || _state.StandingVisit(step) is null) is { } unknown
            ? new Rejection("validation_failed", $"'{unknown}' has no visit that could run again in the new version")
            : null;
    }

    /// <summary>Which of the new edges the settled visits take: as if they had been there when the visit settled.</summary>
    private bool TryNewEdges(WorkflowPlan from, WorkflowPlan to, out List<TakenEdge> taken, out string problem)
    {
        (taken, problem) = ([], "");
        var known = from.Edges.Select(edge => SpecDigests.Of(edge.Spec)).ToHashSet(StringComparer.Ordinal);
        foreach (var edge in to.Edges.Where(edge => !edge.IsLoop && !known.Contains(SpecDigests.Of(edge.Spec))))
        {
            if (_state.StandingVisit(edge.Spec.From) is not { } visit || !Follows(visit, edge))
            {
                continue;
            }

            var scope = new DecisionScope(_state, to, values, atMs) { Output = visit.Output is { } output ? (output, to.Step(edge.Spec.From)!.Spec.OutputSchema) : null };
            var holds = edge.When?.Evaluate(scope);
            if (holds is { Value: not CelBool })
            {
                problem = $"the condition of the new edge {edge.Spec.From} -> {edge.Spec.To} ({edge.When!.Text}) {holds.Error?.Message ?? "is not true or false"}";
                return false;
            }

            if (holds is null or { Value: CelBool { Value: true } })
            {
                taken.Add(new TakenEdge(visit.Key, edge.Index));
            }
        }

        return true;
    }

    /// <summary>What settled visits hand over by new edges: proposed now, as if the edge had been there when they were settled.</summary>
    private bool TryProposeNew(List<TakenEdge> taken, VisitKey[] affected, out List<HandoffProposed> proposals, out string problem)
    {
        (proposals, problem) = ([], "");
        foreach (var (key, edge) in taken.Where(edge => !affected.Contains(edge.Visit)))
        {
            if (Visit(key).Output is { } output)
            {
                if (!TryPropose(Plan.Step(key.Step)!, key, output, [edge], out var made, out var failing))
                {
                    problem = failing.Message;
                    return false;
                }

                proposals.AddRange(made);
            }
        }

        return true;
    }

    private static bool Follows(VisitState visit, EdgePlan edge) => visit.Status switch
    {
        VisitStatus.Committed => edge.Spec.On is EdgeOn.Success or EdgeOn.Always,
        VisitStatus.Failed => edge.Spec.On is EdgeOn.Failure or EdgeOn.Always,
        _ => false,
    };
}
