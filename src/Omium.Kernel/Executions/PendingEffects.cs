using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>What kind of work is outstanding.</summary>
public enum PendingKind
{
    /// <summary>Ask the agent's model for its next turn.</summary>
    Model,

    /// <summary>Run a call that has no external effect.</summary>
    Run,

    /// <summary>Call the tool that measures a claim of a handoff; it has no external effect.</summary>
    Measure,

    /// <summary>Answer a sandbox's call with what its source has on record.</summary>
    Replay,

    /// <summary>Record an intent, then call.</summary>
    Call,

    /// <summary>Offer a task to the workers of its queue: a step's call, or what one of them must acknowledge. Nothing to run here.</summary>
    Task,

    /// <summary>Ask the verify tool whether a call happened.</summary>
    Verify,

    /// <summary>Undo a call.</summary>
    Compensate,

    /// <summary>Start a child workflow.</summary>
    StartChild,

    /// <summary>Tell the child of a cancelled execution to end.</summary>
    CancelChild,

    /// <summary>Tell the parent how its child ended, or that it was rolled back.</summary>
    TellParent,

    /// <summary>Tell somebody.</summary>
    Notify,

    /// <summary>Nothing to run: wake the timers when due.</summary>
    Timer,

    /// <summary>Acquire locks and read shared values.</summary>
    Gather,

    /// <summary>Prepare writes of shared values.</summary>
    Prepare,

    /// <summary>Release locks; commit or drop writes.</summary>
    SettleSharing,

    /// <summary>Take committed writes back.</summary>
    Restore,

    /// <summary>Reserve credits in the tenant's ledger; while there are none, it waits.</summary>
    Reserve,

    /// <summary>A review that a person may decide until then: wake the timers when due. Nothing else waits for it.</summary>
    Deadline,
}

/// <summary>One outstanding effect. <paramref name="DueMs"/>: not before this time (Unix ms); 0 = at once.</summary>
public readonly record struct PendingEffect(string Id, PendingKind Kind, long DueMs);

/// <summary>Derives outstanding work from the state: proportional to what is outstanding, not to what has happened.</summary>
internal static partial class PendingEffects
{
    public static IReadOnlyList<PendingEffect> Of(ExecutionState state, WorkflowPlan plan)
    {
        var pending = new List<PendingEffect>();
        if (state.Status == ExecutionStatus.Running)
        {
            foreach (var (_, key) in state.Open)
            {
                AddVisit(pending, state.Visits[key], plan, state.Credits);
            }

            AddMeasurements(pending, state, plan);
        }
        else if (state.Status != ExecutionStatus.None)
        {
            foreach (var key in state.Open.Values)
            {
                AddUnsettled(pending, state.Visits[key], startNew: false);
            }
        }

        foreach (var effect in state.FencedCalls.IsEmpty ? Enumerable.Empty<string>() : state.FencedCalls.Order(StringComparer.Ordinal))
        {
            if (EffectId.TryParse(effect, out var id) && state.Visits[id.Key].Calls.Find(call => call.Id == id) is { } call)
            {
                AddCall(pending, call, startNew: false);
            }
        }

        if (state.Rollback is { } rollback && rollback.Remaining.FirstOrDefault() is { } next && EffectId.TryParse(next, out var undone))
        {
            AddCompensation(pending, rollback, state.Visits[undone.Key]);
        }

        AddChildren(pending, state);
        AddSharing(pending, state);
        foreach (var notification in state.Notifications.IsEmpty ? Enumerable.Empty<int>() : state.Notifications.Keys.Order())
        {
            pending.Add(new PendingEffect($"notify~{notification}", PendingKind.Notify, state.NotificationAttempts.GetValueOrDefault(notification).DueMs));
        }

        AddPeople(pending, state);
        AddCredits(pending, state);

        return pending;
    }

    private static void AddVisit(List<PendingEffect> pending, VisitState visit, WorkflowPlan plan, CreditUse? credits)
    {
        if (visit.Status != VisitStatus.Open)
        {
            AddUnsettled(pending, visit, startNew: false);
            return;
        }

        if (AddShared(pending, visit))
        {
            AddUnsettled(pending, visit, startNew: false);
            return;
        }

        if (plan.Expands(visit.Key) && !WaitsForRetry(visit, plan))
        {
            AddItems(pending, visit, plan.Step(visit.Key.Step)!.Spec.ForEach!, credits is { Requested: not null });
            return;
        }

        if (visit.Reviews.Count > 0 && !visit.CurrentCalls.Any(call => call.Outstanding))
        {
            return;
        }

        var awaitsModel = credits is { Requested.Effect: not null }; // What a model costs is not there: nobody asks one.
        if (AddUnsettled(pending, visit, startNew: true) || awaitsModel || AddQuestions(pending, visit))
        {
            return;
        }

        if (WaitsForRetry(visit, plan))
        {
            pending.Add(new PendingEffect($"retry~{visit.Key}~{visit.Attempt}", PendingKind.Timer, visit.RetryDueMs));
        }
        else if (plan.Step(visit.Key.Step)?.Spec.Type == StepType.AgentTask)
        {
            pending.Add(new PendingEffect(EffectId.Model(visit.Key, visit.Attempt, visit.Turns.Count + 1).ToString(), PendingKind.Model, visit.RetryDueMs));
        }

        AddLease(pending, visit);
    }

    /// <summary>
    /// True while a retried attempt must be begun by a decision when it is due. An agent's without preconditions needs none: its next turn is
    /// simply not due before, which saves an append.
    /// </summary>
    public static bool WaitsForRetry(VisitState visit, WorkflowPlan plan) =>
        visit is { Status: VisitStatus.Open, RetryDueMs: > 0 } && plan.Step(visit.Key.Step) is { } step
        && (step.Spec.Type != StepType.AgentTask || step.Pre.Count > 0 || plan.Expands(visit.Key) || (step.Shared is { Gathers: true } && !visit.Key.IsItem));

    /// <summary>Adds the calls of the current attempt (and unsettled ones of earlier attempts). True when any is outstanding.</summary>
    private static bool AddUnsettled(List<PendingEffect> pending, VisitState visit, bool startNew)
    {
        var outstanding = false;
        if (visit.Rollback is { } rollback)
        {
            AddCompensation(pending, rollback, visit);
        }

        foreach (var call in visit.Calls)
        {
            if (call.Outstanding && (call.Id.Attempt == visit.Attempt || call.Unsettled))
            {
                outstanding = true;
                AddCall(pending, call, startNew && call.Id.Attempt == visit.Attempt);
            }
        }

        return outstanding;
    }

    private static void AddCall(List<PendingEffect> pending, CallState call, bool startNew)
    {
        var id = call.Id.ToString();
        switch (call.Status)
        {
            case CallStatus.Requested or CallStatus.InDoubt when call.IsTraced:
                break; // The caller's code does what is to be done, when it asks.
            case CallStatus.Requested when startNew:
                pending.Add(new PendingEffect(id, call.Sandboxed ? PendingKind.Replay : call.Child is not null ? PendingKind.StartChild : call.IsTask ? PendingKind.Task : call.Kind == EffectKind.None ? PendingKind.Run : PendingKind.Call, 0));
                break;
            case CallStatus.Intent:
                pending.Add(new PendingEffect($"doubt~{id}~{call.Runs}", PendingKind.Timer, call.InDoubtAtMs));
                break;
            case CallStatus.InDoubt when call.Next is "rerun" or "redo" && startNew:
                pending.Add(new PendingEffect(id, call.IsTask ? PendingKind.Task : PendingKind.Call, call.NextDueMs));
                break;
            case CallStatus.InDoubt when call.Next == "verify":
                pending.Add(new PendingEffect(call.Id.Probe(call.Probes + 1).ToString(), PendingKind.Verify, call.NextDueMs));
                break;
        }
    }
}
