using Omium.Kernel.Executions;
using Omium.Kernel.Specs;

namespace Omium.Simulation.Laws;

/// <summary>Laws of rollbacks: exactly the affected, everything of theirs that may stand, each once, newest first, and nothing left over unsaid.</summary>
internal sealed partial class Chronicle
{
    private RollbackPlanned? _plan;
    private List<string> _remaining = [];
    private bool _wasPaused;

    /// <summary>Compensations of items that were perhaps under way when a rollback of the execution took them over.</summary>
    private readonly HashSet<string> _takenOver = [];

    /// <summary>Effects that a rollback ever listed for compensation.</summary>
    public HashSet<string> EverListed { get; } = [];

    private void Planned(RollbackPlanned e)
    {
        Law(_plan is null, $"rollback {e.Rollback} began while {_plan?.Rollback} is under way");
        var affected = e.Affected.Select(key => Visit(key.Step, key.Visit)).ToArray();
        var set = e.Affected.ToHashSet();
        foreach (var visit in affected)
        {
            Law(visit.Standing != Standing.TakenBack, $"{visit.Key} is taken back twice");
        }

        // An orphan would stand on what is gone.
        foreach (var visit in _visits.Values.Where(visit => visit.Standing != Standing.TakenBack && !set.Contains(visit.Key)))
        {
            var stands = e.Scope == "stale" ? visit.Reads : visit.After.Concat(visit.Reads);
            Law(!stands.Any(set.Contains) && !ReadsWriteOf(visit, set.Contains), $"{visit.Key} stands on what rollback {e.Rollback} takes back, and is not taken back itself");
        }

        CheckReach(e, set);
        CheckListed(e, affected);
        foreach (var visit in affected)
        {
            visit.Standing = Standing.TakenBack;
        }

        foreach (var visit in _visits.Values.Where(visit => visit.DetachedBy is { } by && set.Contains(by) && !set.Contains(visit.Key)))
        {
            visit.DetachedBy = null;
        }

        foreach (var (rollback, plan) in _itemPlans.Where(plan => set.Contains(plan.Value.Item)).ToArray())
        {
            _itemPlans.Remove(rollback); // Undone with the rest; what has been begun of it is not called back.
            _takenOver.UnionWith(plan.Remaining.Take(1));
        }

        Reopen();
        EverListed.UnionWith(e.Compensations);
        (_plan, _remaining, _wasPaused, Status) = (e, [.. e.Compensations], Status == "paused", "rolling_back");
    }

    /// <summary>Nothing outside: every visit in the set is a failed one, lies between the place to go back to and a failed one, or stands on such a visit.</summary>
    private void CheckReach(RollbackPlanned e, HashSet<VisitKey> set)
    {
        if (e.Scope == "stale")
        {
            CheckStaleReach(e, set);
            return;
        }

        if (_record.Events.OfType<ExecutionMigrated>().FirstOrDefault() is { } moved)
        {
            CheckMovedReach(e, moved.Again ?? [], set);
            return;
        }

        if (e is { To: "start", Scope: "failure", Then.Visit: { } failed })
        {
            foreach (var key in AncestorsOf(failed).Where(key => !set.Contains(key)))
            {
                Law(false, $"rollback {e.Rollback} goes back to the start and leaves {key}, which came before {failed}");
            }
        }

        if (e.To is "start" or "attempt" || set.Count == 0)
        {
            return;
        }

        var place = _visits.Values.Where(visit => visit.Standing == Standing.Committed && !set.Contains(visit.Key) && (visit.Checkpoint == e.To || visit.Step == e.To)).Select(visit => visit.Key).ToHashSet();
        Law(place.Count > 0, $"rollback {e.Rollback} goes back to {e.To}, which does not stand");
        var reached = new HashSet<VisitKey>(place);
        Spread(reached, visit => visit.Standing is Standing.Failing or Standing.Failed || visit.SkippedByDecision
            || _handoffs.Values.Any(handoff => handoff.From == visit.Key && handoff.Disputed) || visit.After.Concat(visit.Reads).Any(reached.Contains) || ReadsWriteOf(visit, reached.Contains));
        foreach (var key in set.Where(key => !reached.Contains(key)))
        {
            Law(false, $"rollback {e.Rollback} to {e.To} touches {key}, which has nothing to do with it");
        }
    }

    /// <summary>What was made from a value that has changed: the one that read it, what was made from that, and the one that found out.</summary>
    private void CheckStaleReach(RollbackPlanned e, HashSet<VisitKey> set)
    {
        var failing = _record.Events.OfType<StepFailed>().LastOrDefault();
        var made = _visits.Values.Where(visit => visit.Step == e.To && set.Contains(visit.Key) && visit.Shared.Values.Count > 0).Select(visit => visit.Key).ToHashSet();
        Law(made.Count > 0, $"rollback {e.Rollback} runs {e.To} again, which has read nothing that is shared");
        Spread(made, visit => visit.Reads.Any(made.Contains) || (visit.Parent is { } parent && made.Contains(parent)) || ReadsWriteOf(visit, made.Contains)
            || visit.After.Any(source => made.Contains(source) && Workflow.Edges.Any(edge => edge.From == source.Step && edge.To == visit.Step && edge.Above is not null)));
        foreach (var key in set.Where(key => !made.Contains(key) && !(failing is not null && key == new VisitKey(failing.Step, failing.Visit))))
        {
            Law(false, $"rollback {e.Rollback} of what {e.To} read touches {key}, which was not made from it");
        }
    }

    /// <summary>What stands and came before a visit, by edges and by what was read.</summary>
    private IEnumerable<VisitKey> AncestorsOf(VisitKey key)
    {
        var before = new HashSet<VisitKey> { Visit(key.Step, key.Visit).Parent ?? key };
        Spread(before, visit => before.Any(known => Visit(known.Step, known.Visit) is var later && (later.After.Contains(visit.Key) || later.Reads.Contains(visit.Key))));
        return before.Where(known => Visit(known.Step, known.Visit).Standing != Standing.TakenBack);
    }

    /// <summary>Adds what follows from a set until nothing is added: what was opened early may have read what was written late.</summary>
    private void Spread(HashSet<VisitKey> set, Func<VisitFacts, bool> follows)
    {
        while (_visits.Values.Any(visit => !set.Contains(visit.Key) && follows(visit) && set.Add(visit.Key)))
        {
        }
    }

    private void CheckListed(RollbackPlanned e, VisitFacts[] affected)
    {
        foreach (var call in affected.SelectMany(visit => visit.Calls).Where(call => call.MayStand))
        {
            Law(call.Requested.Kind == EffectKind.Irreversible || e.Compensations.Contains(call.Id.ToString()), $"rollback {e.Rollback} forgets {call.Id}, which may stand");
            Law(call.Requested.Kind != EffectKind.Irreversible || call.Unsettled || record is DecideReview, $"rollback {e.Rollback} leaves {call.Id} standing without a word");
        }

        CheckOrderWithin(e);
        var last = int.MaxValue;
        foreach (var effect in e.Compensations)
        {
            if (!_calls.TryGetValue(effect, out var call))
            {
                Law(false, $"rollback {e.Rollback} undoes {effect}, which was never requested");
                continue;
            }

            Law(call.MayStand, $"rollback {e.Rollback} undoes {effect}, which is {call.Happened}{(call.Undone ? ", undone" : "")}{(call.Residue ? ", residue" : "")}");
            Law(e.To == "attempt" || e.Affected.Contains(call.Id.Key), $"rollback {e.Rollback} undoes {effect}, which it does not take back");
            var order = Visit(call.Id.Step, call.Id.Visit).CommitOrder;
            Law(order == 0 || order <= last, $"rollback {e.Rollback} undoes {effect} out of order");
            last = order == 0 ? last : order;
        }
    }

    /// <summary>What one visit did may build on what it did before: the later call is undone first.</summary>
    private void CheckOrderWithin(RollbackPlanned e)
    {
        foreach (var ofVisit in e.Compensations.Select(effect => _calls.GetValueOrDefault(effect)).OfType<CallFacts>().GroupBy(call => call.Id.Key))
        {
            var places = ofVisit.Select(call => Visit(call.Id.Step, call.Id.Visit).Calls.IndexOf(call)).ToArray();
            Law(places.SequenceEqual(places.OrderDescending()), $"rollback {e.Rollback} undoes the calls of {ofVisit.Key} in another order than from the last to the first");
        }
    }

    private void Compensated(CompensationSettled e)
    {
        var call = _calls[e.Effect];
        var remaining = RemainingOf(e.Effect);
        Law(remaining.FirstOrDefault() == e.Effect || (remaining.Contains(e.Effect) && (!e.Done || _takenOver.Contains(e.Effect))), $"{e.Effect} was undone out of turn");
        call.UndoTries = e.Attempt;
        if (e.Done)
        {
            Law(!call.Undone, $"{e.Effect} was undone twice");
            Law(call.MayStand, $"{e.Effect} was undone and is {call.Happened}");
            Law(world.Undoings.Any(undoing => undoing.Execution == Stream.Id && undoing.Key == call.Requested.Key), $"{e.Effect} is on record as undone, and nobody outside was asked to");
            call.Undone = true;
        }

        if (e.Done || e.RetryDueMs is null)
        {
            remaining.Remove(e.Effect);
        }
    }

    private void Completed(RollbackCompleted e)
    {
        if (CompletedForItem(e))
        {
            return;
        }

        Law(!OwesRestore, $"rollback {e.Rollback} is complete and a value that was written is not put back");
        Law(_plan?.Rollback == e.Rollback && _remaining.Count == 0, $"rollback {e.Rollback} is complete while {string.Join(", ", _remaining)} remain");
        foreach (var call in (_plan?.Compensations ?? []).Select(effect => _calls[effect]))
        {
            Law(!call.MayStand, $"rollback {e.Rollback} is complete while {call.Id} may stand");
        }

        _plan = null;
        Status = Status != "rolling_back" ? Status : _wasPaused ? "paused" : "running";
    }

    private void GiveUpDeeds(string effect)
    {
        foreach (var deed in world.Deeds.Where(deed => deed.AskedBy.Contains($"{Stream.Id}/{effect}")))
        {
            deed.GivenUp = true;
        }
    }

    /// <summary>Between records: a rollback that has nothing left to undo is complete.</summary>
    private void AfterRecord()
    {
        Law(_plan is null || _remaining.Count > 0 || OwesRestore, $"rollback {_plan?.Rollback} has nothing left to undo and is not complete");
        CheckHalted();
    }
}
