namespace Omium.Kernel.Executions;

/// <summary>What operators do: pause, resume, cancel, roll back, retry.</summary>
internal sealed partial class Decision
{
    private Rejection? Pause(PauseExecution command)
    {
        var byDoubt = _state is { Status: ExecutionStatus.Paused, PauseReason: PausedInDoubt };
        if (_state.Requests.Contains(command.RequestId) || (_state.Status == ExecutionStatus.Paused && !byDoubt))
        {
            return null; // Paused because of a doubt it would go on once that is over; a person's pause stays.
        }

        if (_state.Status == ExecutionStatus.RollingBack)
        {
            return new Rejection("rollback_in_progress", "a rollback is under way; pause when it is complete");
        }

        if (_state.Status != ExecutionStatus.Running && !byDoubt)
        {
            return new Rejection("execution_ended", $"the execution is {Word(_state.Status)}: there is nothing to pause");
        }

        if (command.Reason == PausedInDoubt)
        {
            return new Rejection("validation_failed", $"'{PausedInDoubt}' is the reason of a pause that ends by itself, once nothing is in doubt; yours shall not: say it in other words");
        }

        Emit(new ExecutionPaused(command.Reason ?? "person", command.By, command.RequestId));
        return null;
    }

    private Rejection? Resume(ResumeExecution command)
    {
        if (_state.Requests.Contains(command.RequestId) || _state.Status == ExecutionStatus.Running)
        {
            return null;
        }

        if (_state.Status != ExecutionStatus.Paused)
        {
            return new Rejection("execution_not_paused", $"the execution is {Word(_state.Status)}, not paused");
        }

        if ((_state.OpenReviews.FirstOrDefault(id => _state.Reviews[id].Request.HaltsExecution) ?? OpenDoubt()) is { } review)
        {
            return new Rejection("review_open", $"review {review} waits for a decision: decide it, and the execution goes on");
        }

        Emit(new ExecutionResumed(command.By, command.RequestId));
        foreach (var key in _state.Open.Values.Where(key => Visit(key) is { Failing: true, Rollback: null }).ToArray())
        {
            RetryAttempt(key, 0, byPerson: true); // The policy paused without asking anybody: going on means trying again.
        }

        EnqueueAll();
        return null;
    }

    private Rejection? Cancel(CancelExecution command)
    {
        if (_state.Requests.Contains(command.RequestId) || _state.Status == ExecutionStatus.Cancelled)
        {
            return null;
        }

        if (_state.Ended)
        {
            return new Rejection("execution_ended", $"the execution is {Word(_state.Status)} already");
        }

        CloseReviews("cancelled", command.By, IsNotInDoubt);
        Emit(new ExecutionCancelled(command.By, command.RequestId));
        AskAboutAbandoned();
        return null;
    }

    private Rejection? RollBack(RollBackExecution command)
    {
        if (_state.Requests.Contains(command.RequestId))
        {
            return null;
        }

        if (_state.Rollback is not null)
        {
            return new Rejection("rollback_in_progress", "a rollback is under way; wait for it to complete");
        }

        if (OrphansParent(command.RequestId) is { } orphaned)
        {
            return orphaned;
        }

        if (command.Scope is not ("failure" or "all"))
        {
            return new Rejection("validation_failed", "the scope is failure or all");
        }

        if (Radius(command.To, command.Scope) is not { } radius)
        {
            return new Rejection("checkpoint_not_found", $"there is no committed checkpoint or step '{command.To}' to go back to");
        }

        if (radius.Unaffected(command.Steps) is { Count: > 0 } unaffected)
        {
            return new Rejection("validation_failed", $"'steps' names {string.Join(", ", unaffected)}, and this takes back nothing of that; look at the preview, and name steps from it");
        }

        radius = radius.Only(command.Steps);
        if (command.Steps is not null && radius.Affected.Count == 0)
        {
            return new Rejection("validation_failed", "'steps' is empty: name what is to be taken back, or leave it out for all of it");
        }

        if (Orphans(radius.Affected) is { Count: > 0 } orphans)
        {
            return new Rejection("rollback_orphans_consumer", $"this would leave {string.Join(", ", orphans)} without what it was made from; take that back as well");
        }

        if (PastFork(radius.Affected) is { } past)
        {
            return past;
        }

        if (Irreversible(radius.Effects, command.AcceptResidue, out var left) is { } blocked)
        {
            return blocked;
        }

        LeaveBehind(left, command.By);
        PlanRollback(radius.To, command.Scope, radius.Affected, Undoable(radius.Effects), "person", command.By, command.RequestId,
            command.End || _state.Status == ExecutionStatus.Cancelled ? new RollbackSequel(null, null, false, Cancel: true) : new RollbackSequel(null, [new Specs.RecoveryAction("pause")], false, false));
        return null;
    }

    /// <summary>What a rollback to a checkpoint or step would take back and undo; null when there is no such place.</summary>
    internal BlastRadius? Radius(string to, string scope)
    {
        if (scope == "failure" && _state.FailedVisit is { } failed && Visit(failed).Status != VisitStatus.RolledBack)
        {
            return TryAffected(failed, to, out var target, out var affected) ? new BlastRadius(target, affected, StandingEffects(affected)) : null;
        }

        if (to == "start")
        {
            var all = Ordered(_state.Visits.Keys);
            return new BlastRadius("start", all, StandingEffects(all));
        }

        if (Place(to) is not { } checkpoint)
        {
            return null;
        }

        var behind = Ordered(Descendants([checkpoint.Key]).Where(key => key != checkpoint.Key));
        return new BlastRadius(to, behind, StandingEffects(behind));
    }

    /// <summary>The newest committed visit of a checkpoint's or step's name that stands.</summary>
    private VisitState? Place(string to) => _state.Visits.Values
        .Where(visit => visit.Status == VisitStatus.Committed && !visit.Key.IsItem && (visit.Checkpoint == to || visit.Key.Step == to))
        .MaxBy(visit => visit.CommitOrdinal);

    private Rejection? Retry(RetryExecution command)
    {
        if (_state.Requests.Contains(command.RequestId))
        {
            return null;
        }

        if (_state.Rollback is not null)
        {
            return new Rejection("rollback_in_progress", "a rollback is under way; wait for it to complete");
        }

        if (_state.Status is ExecutionStatus.Succeeded or ExecutionStatus.Cancelled)
        {
            return new Rejection("execution_ended", $"the execution is {Word(_state.Status)}: there is nothing to retry");
        }

        if (OpenDoubt() is { } doubt)
        {
            return new Rejection("review_open", $"review {doubt} asks whether a call happened: say that first");
        }

        var failed = FailedVisits();
        if (command.Correction is not null)
        {
            return RetryCorrected(command, failed);
        }

        if (command.From is null && failed.Length == 0)
        {
            return new Rejection("validation_failed", "nothing has failed; name with 'from' the checkpoint to run again from");
        }

        if (command.Edits is { } wanted && CheckRetryEdits(failed, wanted) is { } refused)
        {
            return refused;
        }

        if (RetryRadius(command.From, failed) is not { } radius)
        {
            return new Rejection("checkpoint_not_found", $"there is no committed checkpoint '{command.From}'");
        }

        if (RefuseRetry(radius) is { } blocked)
        {
            return blocked;
        }

        CloseReviews(command.Edits is null ? "approve" : "edit", command.By, IsFailure, command.Edits);
        if (command.Edits is { } edits)
        {
            Emit(new EditsApplied(Plan.Step(failed[^1].Step)!.Spec.Agent!, edits, command.By));
        }

        RunAgain(command, radius, "failure");
        return null;
    }

    /// <summary>Runs a step again with what a person gave, and what depends on it; nothing else.</summary>
    private Rejection? RetryCorrected(RetryExecution command, VisitKey[] failed)
    {
        var change = command.Correction!;
        var step = Plan.Step(change.Step) ?? Plan.Steps.FirstOrDefault(candidate => candidate.CheckpointName == change.Step);
        if (step is null || _state.LatestVisit(step.Spec.Id) is not { } visit)
        {
            return new Rejection("checkpoint_not_found", $"no step or checkpoint '{change.Step}' has run");
        }

        change = change with { Step = step.Spec.Id };
        if (CheckChange(change) is { } refused || (command.Edits is { } edits && (refused = CheckEdits(step, edits)) is not null))
        {
            return refused;
        }

        var again = new HashSet<VisitKey>(Descendants([_state.StandingVisit(change.Step)?.Key ?? visit.Key]));
        again.UnionWith(RetryRadius(null, failed)?.Affected ?? []);
        var ordered = Ordered(again);
        var radius = new BlastRadius(change.Step, ordered, StandingEffects(ordered));
        if (RefuseRetry(radius) is { } blocked)
        {
            return blocked;
        }

        CloseReviews(command.Edits is null ? "approve" : "edit", command.By, IsFailure, command.Edits);
        if (command.Edits is { } wanted)
        {
            Emit(new EditsApplied(step.Spec.Agent!, wanted, command.By));
        }

        if (change is not { Input: null, Output: null } || _state.Corrections.ContainsKey(change.Step))
        {
            Emit(new StepCorrected(change.Step, change.Input, change.Output, command.By));
        }

        RunAgain(command, radius, "from");
        return null;
    }

    private Rejection? RefuseRetry(BlastRadius radius) =>
        PastFork(radius.Affected)
        ?? (radius.Effects.FirstOrDefault(call => EffectOf(call).Compensate is null) is { } blocked
            ? new Rejection("rollback_irreversible", $"{blocked.Tool} ({blocked.Id}) cannot be undone; retry from a later checkpoint")
            : null);

    private void RunAgain(RetryExecution command, BlastRadius radius, string scope)
    {
        if (_state.Status != ExecutionStatus.Running)
        {
            Emit(new ExecutionResumed(command.By, null));
        }

        PlanRollback(radius.To, scope, radius.Affected, [.. radius.Effects.Select(call => call.Id.ToString())], "person", command.By, command.RequestId,
            new RollbackSequel(null, null, true, false));
    }

    private Rejection? CheckRetryEdits(VisitKey[] failed, AgentEdit edits) => failed.Length == 0
        ? new Rejection("edit_forbidden", "no step has failed whose agent could be edited")
        : CheckEdits(Plan.Step(failed[^1].Step)!, edits);

    /// <summary>Visits whose failure nothing has answered yet, the newest last.</summary>
    private VisitKey[] FailedVisits()
    {
        var open = _state.Visits.Values.Where(visit => visit is { Failing: true, Rollback: null } || (IsDeadEnd(visit) && !visit.Key.IsItem)).OrderBy(visit => visit.Ordinal).Select(visit => visit.Key);
        var disputed = _state.DisputedHandoffs.Select(handoff => handoff.Key.From).Distinct();
        return [.. disputed, .. open.Where(key => key != _state.FailedVisit), .. _state.FailedVisit is { } newest ? new[] { newest } : []];
    }

    /// <summary>What a retry takes back: from a checkpoint, or from the last one before each failure; the failures themselves, unless the checkpoint stands on them.</summary>
    private BlastRadius? RetryRadius(string? from, VisitKey[] failed)
    {
        var named = from is null ? null : Radius(from, "all");
        if (from is not null && named is null)
        {
            return null;
        }

        var (places, set) = (new List<string>(), new HashSet<VisitKey>(named?.Affected ?? []));
        foreach (var key in failed)
        {
            if (key.IsItem)
            {
                set.Add(key); // Only that item begins again; the others stand or go on.
            }
            else if (TryAffected(key, "last", out var last, out var affected) && (from is null || Place(from) is not { } place || !affected.Contains(place.Key)))
            {
                // A failure whose edge led to the place that was named is answered: the place would be taken back with it.
                set.UnionWith(affected);
                places.Add(last);
            }
        }

        // One failure may take back the place that another goes back to: what is named must stand.
        var target = named?.To ?? (failed.Length > 0 && failed.All(key => key.IsItem)
            ? RollbackScopes.Attempt
            : places.FindLast(place => Place(place) is { } stands && !set.Contains(stands.Key)) ?? "start");
        var ordered = Ordered(set);
        return new BlastRadius(target, ordered, StandingEffects(ordered));
    }

    /// <summary>Whether something happened outside stays a question when nothing follows from it any more: nothing may be left in doubt.</summary>
    private bool IsNotInDoubt(string review) => _state.Reviews[review].Request.Kind != "in_doubt";

    private bool IsFailure(string review) => _state.Reviews[review].Request.Kind == "failure";

    private void CloseReviews(string decision, string by, Func<string, bool> which, AgentEdit? edits = null)
    {
        foreach (var review in _state.OpenReviews.Where(which).ToArray())
        {
            Emit(new ReviewDecided(review, decision, by, edits, null));
        }
    }

    private static string Word(ExecutionStatus status) => status switch
    {
        ExecutionStatus.RollingBack => "rolling back",
        ExecutionStatus.None => "not started",
        _ => status.ToString().ToLowerInvariant(),
    };
}

/// <summary>What a rollback takes back, and the effects it undoes, newest first.</summary>
internal sealed record BlastRadius(string To, IReadOnlyList<VisitKey> Affected, IReadOnlyList<CallState> Effects)
{
    /// <summary>Of it, only what belongs to these steps; null = all.</summary>
    public BlastRadius Only(IReadOnlyList<string>? steps) => steps is null
        ? this
        : new BlastRadius(To, [.. Affected.Where(key => steps.Contains(ItemName.StepOf(key.Step)))], [.. Effects.Where(call => steps.Contains(ItemName.StepOf(call.Id.Step)))]);

    /// <summary>Of these steps, those that it does not touch, as they are named.</summary>
    public IReadOnlyList<string> Unaffected(IReadOnlyList<string>? steps) =>
        steps is null ? [] : [.. steps.Where(step => !Affected.Any(key => ItemName.StepOf(key.Step) == step)).Distinct(StringComparer.Ordinal).Take(UnaffectedNamedMax)];

    private const int UnaffectedNamedMax = 5;
}
