using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>What a rollback leaves behind or would cut off, and whether what stands after it agrees with the log.</summary>
internal sealed partial class Decision
{
    /// <summary>The decision of a failure review that has a withheld rollback done all the same.</summary>
    private const string AcceptResidue = "accept_residue";

    /// <summary>A rollback of the policy would leave something behind: a person decides, and is shown what.</summary>
    private void Withhold(VisitKey key, string to, IReadOnlyList<string> irreversible, RecoveryAction[] rest)
    {
        Emit(new RollbackWithheld(key.Step, key.Visit, to, irreversible, rest.Length == 0 ? null : rest));
        var told = rest.Where(action => action.Kind == "notify").DefaultIfEmpty(new RecoveryAction("notify"));
        var asked = Array.Find(rest, action => action.Kind == "escalate_to") ?? new RecoveryAction("await_review");
        Act(key, [new RecoveryAction("pause"), .. told, asked]);
    }

    /// <summary>A person accepts what stays: the withheld rollback is done, and the policy's actions that were to follow it follow.</summary>
    private Rejection? RollBackWithResidue(VisitKey key, DecideReview command)
    {
        if (Visit(key).Withheld is not { } withheld || !TryAffected(key, withheld.To, out var target, out var affected))
        {
            return new Rejection("checkpoint_not_found", $"what {key.Step} was to be rolled back to does not stand any more");
        }

        if (PastFork(affected) is { } past)
        {
            return past;
        }

        Emit(Decided(command));
        var effects = StandingEffects(affected);
        LeaveBehind(effects.Where(call => EffectOf(call).Compensate is null), command.By);
        if (_state.Status == ExecutionStatus.Paused && !_state.OpenReviews.Any(IsFailure) && OpenDoubt() is null)
        {
            Emit(new ExecutionResumed(command.By, null)); // What follows is what the policy says, as if nothing had stood in the way.
            RetryPaused(key);
        }

        PlanRollback(target, "failure", affected, Undoable(effects), "person", command.By, null, new RollbackSequel(key, withheld.Actions ?? [], false, false));
        return null;
    }

    /// <summary>What of these effects nothing can undo; a rejection that names it while nobody has accepted that it stays.</summary>
    private Rejection? Irreversible(IReadOnlyList<CallState> effects, bool isAccepted, out IReadOnlyList<CallState> left)
    {
        left = [.. effects.Where(call => EffectOf(call).Compensate is null)];
        return left.Count == 0 || isAccepted
            ? null
            : new Rejection("rollback_irreversible", $"this would leave effects that cannot be undone: {string.Join(", ", left.Select(call => $"{call.Tool} ({call.Id})"))}");
    }

    /// <summary>Puts what nothing can undo on the residue ledger, under the name of who accepted that.</summary>
    private void LeaveBehind(IEnumerable<CallState> irreversible, string by)
    {
        foreach (var call in irreversible.ToArray())
        {
            Leftover(call, "irreversible", "there is no way to undo it", by);
        }
    }

    private string[] Undoable(IEnumerable<CallState> effects) => [.. effects.Where(call => EffectOf(call).Compensate is not null).Select(call => call.Id.ToString())];

    /// <summary>
    /// Visits outside a set that were scheduled by one in it, made from its output or from a shared value that it wrote, and stand or are under way. None for a set that was drawn from
    /// a checkpoint (it holds its own descendants); a person may have narrowed it.
    /// </summary>
    internal IReadOnlyList<VisitKey> Orphans(IReadOnlyList<VisitKey> affected)
    {
        var set = affected.ToHashSet();
        return [.. _state.Visits.Values
            .Where(visit => !set.Contains(visit.Key) && visit.Status is VisitStatus.Open or VisitStatus.FailedAttempt or VisitStatus.Committed)
            .Where(visit => visit.After.Any(set.Contains) || visit.Reads.Any(set.Contains) || ReadsWriteOf(visit, set))
            .OrderBy(visit => visit.Ordinal).Select(visit => visit.Key)];
    }

    /// <summary>Something stands on what was taken back: a fault of Omium. Nothing is built on it; a person is told and may look.</summary>
    private bool IsStoppedBy(RollbackCompleted completed)
    {
        if (completed.Disagreeing is not { } disagreeing)
        {
            return false;
        }

        Notify("inconsistent", disagreeing[0].Step, $"after rollback {completed.Rollback}, {string.Join(", ", disagreeing)} stand on what was taken back");
        if (_state.Status == ExecutionStatus.Running)
        {
            Emit(new ExecutionPaused("inconsistent", "policy", null));
        }

        return true;
    }

    /// <summary>The consistency check that ends a rollback; what disagrees stops the execution.</summary>
    private RollbackCompleted Compared(RollbackCompleted completed)
    {
        var (count, disagreeing) = Consistency.Check(_state, Plan);
        return completed with { Checked = count, Disagreeing = disagreeing.Count == 0 ? null : disagreeing };
    }
}

/// <summary>Whether what stands agrees with the log.</summary>
internal static class Consistency
{
    /// <summary>
    /// Takes the last committed visit of every agent, tool and other actor and follows it back through the visits that scheduled it and the ones it
    /// read: all of them must stand. Answers how many were compared, and which stand on something that was taken back.
    /// </summary>
    public static (int Checked, IReadOnlyList<VisitKey> Disagreeing) Check(ExecutionState state, WorkflowPlan plan)
    {
        var last = new SortedDictionary<string, VisitState>(StringComparer.Ordinal);
        foreach (var visit in state.Visits.Values.Where(visit => visit is { Status: VisitStatus.Committed, CommitOrdinal: > 0 }))
        {
            var spec = plan.Step(visit.Key.Step)?.Spec;
            var actor = spec?.Agent ?? spec?.Tool ?? spec?.Target ?? visit.Key.Step;
            if (!last.TryGetValue(actor, out var known) || known.CommitOrdinal < visit.CommitOrdinal)
            {
                last[actor] = visit;
            }
        }

        var disagreeing = last.Values.Where(visit => StandsOnTakenBack(state, visit.Key)).OrderBy(visit => visit.Ordinal).Select(visit => visit.Key).ToArray();
        return (last.Count, disagreeing);
    }

    private static bool StandsOnTakenBack(ExecutionState state, VisitKey key)
    {
        var seen = new HashSet<VisitKey> { key };
        var queue = new Queue<VisitKey>(seen);
        while (queue.TryDequeue(out var next))
        {
            if (state.Visits[next].Status == VisitStatus.RolledBack)
            {
                return true;
            }

            // What only came after a step whose values had changed was not made from them: it stands when that step is run again.
            foreach (var before in state.Visits[next].After.Where(source => !state.RunAgainStale.Contains(source)).Concat(state.Visits[next].Reads).Where(seen.Add))
            {
                queue.Enqueue(before);
            }
        }

        return false;
    }
}
