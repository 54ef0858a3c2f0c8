using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>
/// Rollback of the affected only. Prepare: fence the visits, list the effects to undo. Commit: compensate in reverse order, each once, past a
/// failed one; then go on with what was to follow.
/// </summary>
internal sealed partial class Decision
{
    /// <summary>Attempts of one compensation before it becomes residue.</summary>
    private const int CompensationAttemptsMax = 5;

    /// <summary>What became of an automatic rollback.</summary>
    private enum RollBackResult
    {
        /// <summary>Begun; the rest of the actions follows it.</summary>
        Begun,

        /// <summary>There is no such place.</summary>
        Impossible,

        /// <summary>Something in the set cannot be undone: a person has been asked.</summary>
        Withheld,
    }

    /// <summary>Carries out rollback_to or compensate for a failed visit; the rest of the actions goes with it.</summary>
    private RollBackResult RollBackFailed(VisitKey key, RecoveryAction action, RecoveryAction[] rest)
    {
        var to = action.Kind == "compensate" ? "last" : action.Argument ?? "last";
        if (!TryAffected(key, to, out var target, out var affected))
        {
            return RollBackResult.Impossible;
        }

        var effects = StandingEffects(affected);
        var irreversible = effects.Where(call => EffectOf(call).Compensate is null).Select(call => call.Id.ToString()).ToArray();
        if (irreversible.Length > 0 || PastFork(affected) is not null)
        {
            Withhold(key, to, irreversible, rest);
            return RollBackResult.Withheld;
        }

        PlanRollback(target, "failure", affected, [.. effects.Select(call => call.Id.ToString())], "policy", null, null, new RollbackSequel(key, rest, false, false));
        return RollBackResult.Begun;
    }

    /// <summary>
    /// What a rollback of a failed visit takes back: the visit, every visit after the checkpoint on its ancestry (all of it, when that is the start),
    /// and their descendants by edges and by what they read.
    /// </summary>
    private bool TryAffected(VisitKey failed, string to, out string target, out IReadOnlyList<VisitKey> affected)
    {
        (target, affected) = ("start", []);
        failed = Visit(failed).ItemOf ?? failed; // What reaches beyond an item is its step's.
        var ancestors = Ancestors(failed);
        var checkpoints = ancestors.Select(Visit).Where(visit => visit is { Status: VisitStatus.Committed, Checkpoint: not null });
        var checkpoint = to == "last"
            ? checkpoints.MaxBy(visit => visit.CommitOrdinal)
            : checkpoints.Where(visit => visit.Checkpoint == to || visit.Key.Step == to).MaxBy(visit => visit.CommitOrdinal);
        if (checkpoint is null && to is not ("last" or "start"))
        {
            return false;
        }

        target = checkpoint?.Checkpoint ?? "start";
        var after = checkpoint is null ? ancestors : Descendants([checkpoint.Key]); // After the start comes everything.
        affected = Ordered(Descendants(ancestors.Where(key => after.Contains(key) && key != checkpoint?.Key).Prepend(failed)));
        return true;
    }

    private HashSet<VisitKey> Ancestors(VisitKey key)
    {
        var seen = new HashSet<VisitKey>();
        var queue = new Queue<VisitKey>([key]);
        while (queue.TryDequeue(out var next))
        {
            foreach (var before in Visit(next).After.Concat(Visit(next).Reads))
            {
                if (seen.Add(before))
                {
                    queue.Enqueue(before);
                }
            }
        }

        return seen;
    }

    /// <summary>The visits themselves and everything scheduled after them or made from their outputs.</summary>
    private HashSet<VisitKey> Descendants(IEnumerable<VisitKey> roots)
    {
        var set = new HashSet<VisitKey>(roots);
        Spread(set, visit => visit.After.Any(set.Contains) || visit.Reads.Any(set.Contains) || ReadsWriteOf(visit, set));
        return set;
    }

    /// <summary>
    /// Adds the standing visits that follow from those in a set, until none is added. Once over the visits is not enough: a visit that was opened early
    /// and waited for a lock may have read what one that was opened after it has written.
    /// </summary>
    private void Spread(HashSet<VisitKey> set, Func<VisitState, bool> follows)
    {
        var others = _state.Visits.Values.Where(visit => visit.Status != VisitStatus.RolledBack && !set.Contains(visit.Key)).OrderBy(visit => visit.Ordinal).ToList();
        var known = -1;
        while (known != set.Count)
        {
            known = set.Count;
            others.RemoveAll(visit => follows(visit) && set.Add(visit.Key));
        }
    }

    private VisitKey[] Ordered(IEnumerable<VisitKey> keys) =>
        [.. keys.Where(key => Visit(key).Status != VisitStatus.RolledBack).OrderBy(key => Visit(key).Ordinal)];

    /// <summary>Effects of these visits that may stand in the world, newest first.</summary>
    private CallState[] StandingEffects(IEnumerable<VisitKey> affected) =>
        [.. affected.OrderByDescending(key => Visit(key).CommitOrdinal == 0 ? int.MaxValue : Visit(key).CommitOrdinal).ThenByDescending(key => Visit(key).Ordinal)
            .SelectMany(key => Visit(key).Calls.Where(call => call.MayStand || (call.Kind != EffectKind.None && call.Unsettled)).Reverse())];

    private void PlanRollback(
        string to, string scope, IReadOnlyList<VisitKey> affected, IReadOnlyList<string> compensations, string cause, string? by, string? requestId, RollbackSequel then)
    {
        foreach (var review in _state.OpenReviews.ToArray())
        {
            var request = _state.Reviews[review].Request;
            // Whether a call happened must still be answered, also when its visit is taken back: it decides what is to be undone.
            if (request.Kind != "in_doubt" && affected.Contains(new VisitKey(request.Step, request.Visit)))
            {
                Emit(new ReviewDecided(review, "rolled_back", by ?? cause, null, null));
            }
        }

        Emit(new RollbackPlanned(_state.Rollbacks + 1, to, scope, affected, compensations, cause, by, requestId, then));
        RevokeHandoffs(affected);
        GiveUpRepeats(compensations);
        ContinueRollback();
    }

    /// <summary>
    /// Calls that are to be undone and wait to be made again are not made again. Whether one happened that nobody is asked about any more (its
    /// review was closed when the execution was cancelled) is asked again: only that tells whether there is something to undo.
    /// </summary>
    private void GiveUpRepeats(IReadOnlyList<string> compensations)
    {
        AskAboutTaken(compensations);
        foreach (var call in compensations.Select(CallOf).Where(call => call is { Status: CallStatus.InDoubt, Next: "review" }).ToArray())
        {
            if (!_state.OpenReviews.Any(review => _state.Reviews[review].Request is { Kind: "in_doubt" } request && request.Effect == call.Id.ToString()))
            {
                AskInDoubt(call.Id.Key, call);
            }
        }

        foreach (var call in compensations.Select(CallOf).Where(call => call is { Status: CallStatus.InDoubt, Next: "rerun" or "redo" }).ToArray())
        {
            GiveUpCall(call);
        }
    }

    /// <summary>The rollback that undoes a call: its item's own, else the execution's; null when neither does.</summary>
    private RollbackState? RollbackOf(CallState call)
    {
        var rollback = Visit(call.Id.Key).Rollback ?? _state.Rollback;
        return rollback is not null && rollback.Remaining.Contains(call.Id.ToString()) ? rollback : null;
    }

    /// <summary>After a call of a rollback is settled.</summary>
    private void ContinueRollback(CallState call)
    {
        if (Visit(call.Id.Key).Rollback is not null)
        {
            ContinueItemRollback(call.Id.Key);
        }
        else
        {
            ContinueRollback();
        }
    }

    /// <summary>A call that was to be made again is not: known not to have happened, it needs nothing; else it may stand.</summary>
    private void GiveUpCall(CallState call)
    {
        if (call.Next == "rerun")
        {
            SettleAsUnclear(call, "rolled_back");
            return;
        }

        var failure = new EffectFailure(FailureClasses.InDoubt, "not_done", "it did not happen, and what asked for it was taken back", Permanent: true);
        Emit(new IntentSettled(call.Id.ToString(), false, null, failure, "given_up"));
        SettleFenced(call.Id);
    }

    private CallState CallOf(string effect)
    {
        _ = EffectId.TryParse(effect, out var id);
        return Visit(id.Key).Calls.Find(call => call.Id == id)!;
    }

    /// <summary>Completes the rollback once nothing remains to compensate, and does what was to follow.</summary>
    private void ContinueRollback()
    {
        if (_state.Rollback is not { } rollback || rollback.Remaining.Count > 0 || rollback.Plan.Affected.Any(key => ExecutionEvolver.OwesRestore(Visit(key))))
        {
            return;
        }

        var then = rollback.Plan.Then;
        var completed = Compared(new RollbackCompleted(rollback.Plan.Rollback, rollback.Compensated, rollback.Residue));
        Emit(completed);
        if (_state.Ended || IsStoppedBy(completed))
        {
            return; // Cancelled meanwhile, or nothing may be built on what stands: what was begun is undone, nothing follows.
        }

        if (then.Cancel)
        {
            CloseReviews("cancelled", rollback.Plan.By ?? rollback.Plan.Cause, IsNotInDoubt);
            Emit(new ExecutionCancelled(rollback.Plan.By ?? rollback.Plan.Cause, null));
            AskAboutAbandoned();
            return;
        }

        if (then.Visit is { } key)
        {
            if (then.Actions is { Count: > 0 } actions)
            {
                Act(key, actions);
            }
            else if (!then.Reschedule)
            {
                ActNoFurther(key); // A policy that only rolls back means: try again from there.
            }
        }
        else if (then.Actions is { Count: > 0 } && (_state.Status == ExecutionStatus.Running || _state.PauseReason == PausedInDoubt))
        {
            Emit(new ExecutionPaused("rolled_back", rollback.Plan.By ?? rollback.Plan.Cause, null));
        }

        TakeUpDeferred();
        GoOnAfterDoubt("policy");
        EnqueueAll(); // Also what other branches settled meanwhile goes on.
    }

    /// <summary>Failures that came while a rollback was under way: their actions follow now, one after another.</summary>
    private void TakeUpDeferred()
    {
        while (_state.Rollback is null && !_state.Ended
            && _state.Open.Values.Select(Visit).FirstOrDefault(visit => visit.Deferred is not null) is { Deferred: { } actions } waiting)
        {
            Emit(new ActionsTakenUp(waiting.Key.Step, waiting.Key.Visit));
            Act(waiting.Key, actions);
        }
    }

    private void EnqueueAll()
    {
        foreach (var step in Plan.Steps)
        {
            _ready.Enqueue(step.Spec.Id);
        }

        foreach (var key in _state.Open.Values.Where(Plan.Expands))
        {
            _expanded.Enqueue(key);
        }
    }

    private Rejection? SettleCompensation(CallState call, int attempt, EffectOutcome outcome)
    {
        var effect = call.Id.ToString();
        if (RollbackOf(call) is null || !call.MayStand || attempt != call.CompensationAttempts + 1)
        {
            return null;
        }

        if (call.Undo is null && ToolRendering.UndoNeedsIntent(Plan, call))
        {
            return new Rejection("no_intent", $"the undo of {effect} has no beginning on record: its result cannot be taken");
        }

        if (outcome.Failure is not { } failure)
        {
            Emit(new CompensationSettled(effect, attempt, true, null, null));
        }
        else if (call.Status == CallStatus.Failed && failure.Code is "http_404" or "http_410")
        {
            Emit(new CompensationSettled(effect, attempt, true, failure, null)); // It may never have happened, and the other side knows of nothing to undo.
        }
        else if (call.Undo is { } undo && failure.MayHaveHappened)
        {
            if (undo.VerifyDueMs is not null)
            {
                return null; // In doubt already: an answer that tells nothing changes nothing.
            }

            DoubtUndo(call, "unclear_answer");
        }
        else
        {
            UndoFailed(call, attempt, failure);
        }

        ContinueRollback(call);
        return null;
    }

    private void UndoFailed(CallState call, int attempt, EffectFailure failure)
    {
        var isLast = failure.Permanent || attempt >= CompensationAttemptsMax;
        Emit(new CompensationSettled(call.Id.ToString(), attempt, false, failure, isLast ? null : atMs + Math.Max(WaitBetween(attempt), failure.RetryAfterMs ?? 0)));
        if (isLast)
        {
            Leftover(call, "compensation_failed", failure.Message);
        }
    }

    private void Leftover(CallState call, string reason, string message, string? by = null)
    {
        Emit(new ResidueRecorded(call.Id.ToString(), call.Tool, reason, message, by));
        Notify("residue", call.Id.Step, $"{call.Tool} could not be undone: {message}");
    }

    /// <summary>The outcome of a call whose visit was taken back: what happened is undone next, what did not happen needs nothing.</summary>
    private void SettleFenced(EffectId id)
    {
        var call = Visit(id.Key).Calls.Find(candidate => candidate.Id == id)!;
        if (!_state.DiscardedResults.Contains(id.ToString()))
        {
            Emit(new ResultDiscarded(id.ToString(), "fenced"));
        }

        if (RollbackOf(call) is null || call.MayStand)
        {
            return;
        }

        Emit(new CompensationSettled(id.ToString(), call.CompensationAttempts, false, null, null));
        ContinueRollback(call);
    }
}
