using System.Collections.Immutable;
using Omium.Kernel.Json;

namespace Omium.Kernel.Executions;

/// <summary>
/// Evolve: what each event changes. Total: an event that cannot follow from the state means a corrupt log and throws
/// <see cref="CorruptLogException"/>; nothing else is ever thrown.
/// </summary>
internal static partial class ExecutionEvolver
{
    public static ExecutionState Evolve(ExecutionState state, ExecutionEvent happened, long atMs)
    {
        if (state.Status == ExecutionStatus.None && happened is not ExecutionStarted)
        {
            throw new CorruptLogException($"a stream begins with {happened.GetType().Name}");
        }

        var next = happened switch
        {
            ExecutionStarted e => Started(state, e, atMs),
            StepScheduled e => Scheduled(state, e, atMs),
            ItemsExpanded e => Expanded(state, e),
            StepSkipped e => Skipped(state, e, atMs),
            GuardFailed e => With(state, new(e.Step, e.Visit), v => v with { GuardsFailed = v.GuardsFailed.Add(e) }),
            ModelAnswered e => With(state, new(e.Step, e.Visit), v => v with
            {
                Turns = v.Turns.Add(e), InputTokens = v.InputTokens + e.InputTokens, OutputTokens = v.OutputTokens + e.OutputTokens,
            }),
            CallRequested e => Requested(state, e),
            CallRefused e => Refused(state, e),
            IntentRecorded e => WithCall(state, e.Effect, c => c with
            {
                Status = CallStatus.Intent, Owner = e.Owner, InDoubtAtMs = e.InDoubtAtMs, Runs = e.Run, ProbesBefore = c.Probes, IntentMs = atMs, KeyUsedMs = c.KeyUsedMs == 0 ? atMs : c.KeyUsedMs,
                EarlierUnclear = c.EarlierUnclear || c.Next == "rerun", Next = null,
            }),
            IntentInDoubt e => WithCall(state, e.Effect, c => c with
            {
                Status = CallStatus.InDoubt, Next = e.Next, NextDueMs = e.DueMs, Probes = c.Probes + (e.Reason.StartsWith("verif", StringComparison.Ordinal) ? 1 : 0),
            }),
            IntentSettled e => Settled(state, e),
            CallSettled e => WithCall(state, e.Effect, c => c with
            {
                Status = e.Failure is null ? CallStatus.Settled : CallStatus.Failed, Result = e.Result, Failure = e.Failure,
            }),
            StepCommitted e => Committed(state, e, atMs),
            CheckpointCommitted e => With(state, new(e.Step, e.Visit), v => v with { Checkpoint = e.Name }),
            StepFailed e => Failed(state, e, atMs),
            StepGivenUp e => GivenUp(state, e, atMs),
            AttemptStarted e => With(state, new(e.Step, e.Visit), v => v with { RetryDueMs = 0 }),
            ActionsDeferred e => With(state, new(e.Step, e.Visit), v => v with { Deferred = e.Actions }),
            ActionsTakenUp e => With(state, new(e.Step, e.Visit), v => v with { Deferred = null }),
            AgentSubstituted e => state with { Substitutes = state.Substitutes.SetItem(e.Agent, e.Substitute) },
            ResultDiscarded e => state with { DiscardedResults = state.DiscardedResults.Add(e.Effect) },
            RetryScheduled e => Retrying(state, e),
            LoopTriggered e => Looped(state, e),
            RuleApplied e => state with { RuleUses = state.RuleUses.SetItem(e.Rule, state.RuleUses.GetValueOrDefault(e.Rule) + 1) },
            RollbackPlanned e => Planned(state, e),
            CompensationSettled e => Compensated(state, e),
            ResidueRecorded e => LeftBehind(state, e) with { Residue = state.Residue.Add(new ResidueState(e, atMs)) },
            RollbackCompleted e => Completed(state, e),
            ReviewRequested e => Asked(state, e, atMs),
            ReviewDecided e => Answered(state, e, atMs),
            ReviewRefused => state,
            ReviewTested e => Requested(state, e.RequestId),
            EditsApplied e => state with { Edits = state.Edits.SetItem(e.Agent, Merge(state.Edits.GetValueOrDefault(e.Agent), e.Edits)) },
            NotificationRequested e => state with
            {
                Notifications = state.Notifications.SetItem(e.Notification, e), NotificationCount = Math.Max(state.NotificationCount, e.Notification),
            },
            NotificationSent e => state with
            {
                Notifications = state.Notifications.Remove(e.Notification), NotificationAttempts = state.NotificationAttempts.Remove(e.Notification),
            },
            ExecutionPaused e => Requested(state, e.RequestId) with { Status = ExecutionStatus.Paused, PauseReason = e.Reason },
            ExecutionResumed e => Requested(Reopened(state), e.RequestId) with
            {
                Notice = state.Notice is { IsRollback: false } ? null : state.Notice, Status = ExecutionStatus.Running, EndedMs = 0, PauseReason = null,
            },
            ExecutionSucceeded e => Owing(state) with { Status = ExecutionStatus.Succeeded, Output = e.Output, EndedMs = atMs },
            ExecutionFailed => Owing(state) with { Status = ExecutionStatus.Failed, EndedMs = atMs },
            ExecutionCancelled e => Owing(Requested(state, e.RequestId)) with { Status = ExecutionStatus.Cancelled, EndedMs = atMs },
            _ => EvolvePeople(state, happened, atMs) ?? EvolveShared(state, happened, atMs) ?? EvolveHandoffs(state, happened, atMs) ?? EvolveVerification(state, happened)
                ?? EvolveTraced(state, happened) ?? EvolveForks(state, happened, atMs) ?? EvolveChildren(state, happened) ?? EvolveCredits(state, happened) ?? throw new CorruptLogException($"an event of an unknown kind: {happened.GetType().Name}"),
        };
        next = Metered(next, happened);
        if (ItemOf(happened) is { } item)
        {
            next = Counted(state, next, item);
        }

        next = happened is ExecutionResumed && state.Status == ExecutionStatus.Failed ? StartedAgain(next) : Traced(next, happened);
        return next.UpdatedMs == atMs ? next : next with { UpdatedMs = atMs };
    }

    private static ExecutionState Started(ExecutionState state, ExecutionStarted e, long atMs) => state.Status != ExecutionStatus.None
        ? throw new CorruptLogException("an execution started twice")
        : state with
        {
            ExecutionId = e.ExecutionId,
            Tenant = e.Tenant,
            Workflow = e.Workflow,
            WorkflowVersion = e.WorkflowVersion,
            SpecDigest = e.SpecDigest,
            Input = e.Input,
            Seed = e.Seed,
            StartedBy = e.StartedBy,
            HighValueUsd = e.HighValueUsd,
            Parent = e.Parent,
            Status = ExecutionStatus.Running,
            CreatedMs = atMs,
        };

    private static ExecutionState Scheduled(ExecutionState state, StepScheduled e, long atMs)
    {
        var visit = new VisitState(new VisitKey(e.Step, e.Visit), state.Ordinal + 1)
        {
            Status = VisitStatus.Open,
            Input = e.Input,
            InputDigest = e.InputDigest,
            After = e.After ?? [],
            Reads = e.Reads ?? [],
            ScheduledMs = atMs,
            Approval = ApprovalBefore(state, e.After),
        };
        return Added(state, visit, isOpen: true);
    }

    private static ExecutionState Skipped(ExecutionState state, StepSkipped e, long atMs)
    {
        var key = new VisitKey(e.Step, e.Visit);
        if (state.Visits.TryGetValue(key, out var visit))
        {
            return Close(WithoutAskedFailures(state, e.Step), visit with { Status = VisitStatus.Skipped, SettledMs = atMs, TakenEdges = e.Edges ?? [], Reviews = [] });
        }

        return Added(state, new VisitState(key, state.Ordinal + 1)
        {
            Status = VisitStatus.Skipped, ScheduledMs = atMs, SettledMs = atMs, After = e.After ?? [], TakenEdges = e.Edges ?? [],
            Approval = ApprovalBefore(state, e.After),
        });
    }

    private static ExecutionState Added(ExecutionState state, VisitState visit, bool isOpen = false)
    {
        if (state.Visits.ContainsKey(visit.Key) || state.Latest.GetValueOrDefault(visit.Key.Step) != visit.Key.Visit - 1)
        {
            throw new CorruptLogException($"visit {visit.Key} does not follow the one before");
        }

        return state with
        {
            Ordinal = visit.Ordinal,
            Visits = state.Visits.Set(visit),
            Latest = state.Latest.SetItem(visit.Key.Step, visit.Key.Visit),
            Open = isOpen ? state.Open.Add(visit.Ordinal, visit.Key) : state.Open,
        };
    }

    private static ExecutionState Requested(ExecutionState state, CallRequested e)
    {
        var id = Parse(e.Effect);
        return With(UseApproval(state, e), id.Key, v => v with
        {
            Calls = v.Calls.Add(new CallState(id, e.Tool)
            {
                Status = e.Approval ? CallStatus.AwaitingApproval : CallStatus.Requested,
                Kind = e.Kind,
                Arguments = e.Arguments,
                ArgumentsDigest = e.ArgumentsDigest,
                Key = e.Key,
                ToolCallId = e.ToolCallId,
                Turn = e.Turn,
                Sandboxed = state.IsSandbox && e.Kind != Specs.EffectKind.None,
                KeyUsedMs = e.Key is null ? 0 : v.Calls.Where(c => c.Key == e.Key && c.MayStand).Select(c => c.KeyUsedMs).DefaultIfEmpty(0).Min(),
            }),
        });
    }

    private static ExecutionState Refused(ExecutionState state, CallRefused e)
    {
        var id = Parse(e.Effect);
        return With(state, id.Key, v =>
        {
            var at = v.Calls.FindIndex(c => c.Id == id);
            var refused = (at < 0 ? new CallState(id, e.Tool) { ToolCallId = e.ToolCallId, Turn = e.Turn } : v.Calls[at]) with
            {
                Status = CallStatus.Refused, Refusal = e.Reason,
            };
            return v with { Calls = at < 0 ? v.Calls.Add(refused) : v.Calls.SetItem(at, refused) };
        });
    }

    private static ExecutionState Settled(ExecutionState state, IntentSettled e)
    {
        var next = WithCall(state, e.Effect, c => c with
        {
            Status = e.Done ? CallStatus.Settled : CallStatus.Failed, Result = e.Result, Failure = e.Failure, Next = null,
        });
        return next with { FencedCalls = next.FencedCalls.Remove(e.Effect) };
    }

    private static ExecutionState Committed(ExecutionState state, StepCommitted e, long atMs)
    {
        var visit = Visit(state, new(e.Step, e.Visit));
        var next = Close(state, visit with
        {
            Status = VisitStatus.Committed,
            Output = e.Output,
            Projection = e.Projection,
            TakenEdges = e.Edges ?? [],
            SettledMs = atMs,
            RetryDueMs = 0,
            CommitOrdinal = state.Commits + 1,
            Reviews = [],
            InputTokens = visit.InputTokens + e.InputTokens,
            OutputTokens = visit.OutputTokens + e.OutputTokens,
        }, state.Commits + 1);
        next = WithoutAskedFailures(next, e.Step);
        return next.FailedVisit is { } failed && failed.Step == e.Step ? next with { FailedVisit = null } : next;
    }

    private static ExecutionState Failed(ExecutionState state, StepFailed e, long atMs)
    {
        var visit = Visit(state, new(e.Step, e.Visit));
        visit = visit with
        {
            Failures = visit.Failures.Add((e, atMs)),
            TakenEdges = e.Edges ?? [],
            RetryDueMs = 0,
            Reviews = [],
            Deferred = null,
            Shared = visit.Shared is { } shared ? shared with { Gathering = false, Writing = null } : null,
            Withheld = null,
            InputTokens = visit.InputTokens + e.InputTokens,
            OutputTokens = visit.OutputTokens + e.OutputTokens,
        };
        var next = e.Final
            ? Close(visit.Key.IsItem ? state : WithDeadEnd(state, e.Step, e.Edges), visit with { Status = VisitStatus.Failed, SettledMs = atMs })
            : state with { Visits = state.Visits.Set(visit with { Status = VisitStatus.FailedAttempt }) };
        return visit.Key.IsItem ? next : next with { FailedVisit = visit.Key };
    }

    private static ExecutionState GivenUp(ExecutionState state, StepGivenUp e, long atMs)
    {
        var visit = Visit(state, new(e.Step, e.Visit));
        var given = visit with { Status = VisitStatus.Failed, SettledMs = atMs, TakenEdges = e.Edges ?? [], Reviews = [] };
        var closed = Close(visit.Key.IsItem ? state : WithDeadEnd(state, e.Step, e.Edges), given);
        return visit.Key.IsItem ? closed : closed with { FailedVisit = visit.Key };
    }

    private static ExecutionState Retrying(ExecutionState state, RetryScheduled e)
    {
        var visit = Visit(state, new(e.Step, e.Visit));
        var reopened = visit with
        {
            Status = VisitStatus.Open, Attempt = e.Attempt, RetryDueMs = e.DueMs, Turns = [], SettledMs = 0, TakenEdges = [], Items = TriedAgain(visit.Items),
            Shared = visit.Shared is { } shared ? shared with { Writing = null } : null,
        };
        return state with { Visits = state.Visits.Set(reopened), Open = state.Open.SetItem(visit.Ordinal, visit.Key), FailedVisit = state.FailedVisit == visit.Key ? null : state.FailedVisit };
    }

    private static ExecutionState Looped(ExecutionState state, LoopTriggered e)
    {
        var visits = state.Visits;
        foreach (var step in e.Reset)
        {
            if (state.StandingVisit(step) is { Detached: false } standing)
            {
                visits = visits.Set(standing with { DetachedBy = e.From });
            }
        }

        var loops = state.Loops.SetItem(e.Edge, state.Loops.GetValueOrDefault(e.Edge) + 1);
        return state with { Visits = visits, Loops = loops.RemoveRange(e.Restarted ?? []) };
    }

    private static ExecutionState Planned(ExecutionState state, RollbackPlanned e)
    {
        if (e.Scope == RollbackScopes.Item)
        {
            return PlannedForItem(state, e);
        }

        var next = Reopened(state);
        foreach (var key in e.Affected)
        {
            var closed = Close(next, Visit(next, key) with { Status = VisitStatus.RolledBack, Reviews = [], Deferred = null, Rollback = null, Withheld = null });
            next = key.IsItem ? Counted(next, closed, key) : closed;
        }

        var takenBack = e.Affected.ToHashSet();
        var attached = next.Visits.Values.Where(v => v.DetachedBy is { } by && takenBack.Contains(by) && !takenBack.Contains(v.Key)).ToArray();
        next = next with { Visits = next.Visits.Set(attached.Select(v => v with { DetachedBy = null })) };
        return Requested(OwingRestores(next, e.Affected), e.RequestId) with
        {
            Output = null,
            RunAgainStale = e.Scope == "stale" ? state.RunAgainStale.Union(e.Affected) : state.RunAgainStale,
            Status = ExecutionStatus.RollingBack,
            Rollbacks = e.Rollback,
            Epoch = e.Scope == RollbackScopes.Attempt ? state.Epoch : state.Epoch + 1,
            Rollback = new RollbackState(e, [.. e.Compensations]) { WasPaused = state.Status == ExecutionStatus.Paused },
            EndedMs = 0,
        };
    }

    private static ExecutionState Compensated(ExecutionState state, CompensationSettled e)
    {
        var key = Parse(e.Effect).Key;
        var own = Visit(state, key).Rollback;
        var rollback = own ?? state.Rollback ?? throw new CorruptLogException("a compensation without a rollback");
        var settled = e.Done || e.RetryDueMs is null;
        var next = WithCall(state, e.Effect, c => c with
        {
            Status = e.Done ? CallStatus.Compensated : c.Status, CompensationAttempts = e.Attempt, CompensationDueMs = e.RetryDueMs ?? 0, Undo = null,
        });
        rollback = rollback with
        {
            Remaining = settled ? rollback.Remaining.Remove(e.Effect) : rollback.Remaining,
            Compensated = rollback.Compensated + (e.Done ? 1 : 0),
            Residue = rollback.Residue + (settled && !e.Done && e.Failure is not null ? 1 : 0),
        };
        next = e.Done ? Undone(next, e.Effect) : next;
        return own is null ? next with { Rollback = rollback } : With(next, key, v => v with { Rollback = rollback });
    }

    /// <summary>A call that could not be undone. Where it was tried, it may be undone all the same: made again, it needs another key.</summary>
    private static ExecutionState LeftBehind(ExecutionState state, ResidueRecorded e)
    {
        if (Parse(e.Effect) is not { Part: not 'w' } id)
        {
            return state;
        }

        var next = WithCall(state, e.Effect, c => c with { Residue = true });
        return Visit(next, id.Key).Calls.Find(c => c.Id == id)!.MayBeUndone ? Undone(next, e.Effect) : next;
    }

    /// <summary>Counts an undone call under its declared key: made again, it needs another one.</summary>
    private static ExecutionState Undone(ExecutionState state, string effect)
    {
        var id = Parse(effect);
        var call = Visit(state, id.Key).Calls.Find(c => c.Id == id)!;
        if (call.Key is not { } key)
        {
            return state;
        }

        var name = ExecutionState.UndoneName(call.Tool, RepeatedKeys.Declared(key));
        return state with { Undone = state.Undone.SetItem(name, state.Undone.GetValueOrDefault(name) + 1) };
    }

    private static ExecutionState Asked(ExecutionState state, ReviewRequested e, long atMs)
    {
        var next = With(state, new(e.Step, e.Visit), v => v with { Reviews = v.Reviews.Add(e.Review), Approval = e.Kind == "approval" ? v.Key : v.Approval });
        return next with
        {
            Reviews = next.Reviews.Add(e.Review, new ReviewState(e, atMs)),
            OpenReviews = next.OpenReviews.Add(e.Review),
            FailureReviews = e.Kind == "failure" ? next.FailureReviews.SetItem(e.Step, next.FailureReviews.GetValueOrDefault(e.Step, []).Add(e.Review)) : next.FailureReviews,
        };
    }

    private static ExecutionState Answered(ExecutionState state, ReviewDecided e, long atMs)
    {
        if (!state.Reviews.TryGetValue(e.Review, out var review) || review.Decided is not null || review.ExpiredMs > 0)
        {
            throw new CorruptLogException($"review {e.Review} was decided twice or never requested");
        }

        var key = new VisitKey(review.Request.Step, review.Request.Visit);
        var next = With(state, key, v => v with { Reviews = v.Reviews.Remove(e.Review) });
        if (review.Request is { Kind: "call_approval", Effect: { } effect } && e.Decision == "approve")
        {
            next = WithCall(next, effect, c => c.Status == CallStatus.AwaitingApproval ? c with { Status = CallStatus.Requested } : c);
        }

        next = RejectHandoff(next, review.Request, e.Decision);
        return next with
        {
            Reviews = next.Reviews.SetItem(e.Review, review with { Decided = e, DecidedMs = atMs }), OpenReviews = next.OpenReviews.Remove(e.Review),
        };
    }

    private static ExecutionState Requested(ExecutionState state, string? requestId) =>
        requestId is null ? state : state with { Requests = state.Requests.Add(requestId) };

    private static AgentEdit Merge(AgentEdit? older, AgentEdit newer) =>
        older is null ? newer : new AgentEdit(newer.Prompt ?? older.Prompt, newer.Constraints ?? older.Constraints, newer.Tools ?? older.Tools);

    /// <summary>The visit is at an end. Calls of it whose outcome is not known are still followed up: nothing stays in doubt for ever.</summary>
    private static ExecutionState Close(ExecutionState state, VisitState visit, int? commits = null) => state with
    {
        Commits = commits ?? state.Commits,
        Visits = state.Visits.Set(visit),
        Open = state.Open.Remove(visit.Ordinal),
        FencedCalls = Fenced(state.FencedCalls, visit),
    };

    private static ImmutableHashSet<string> Fenced(ImmutableHashSet<string> fenced, VisitState visit)
    {
        foreach (var call in visit.Calls)
        {
            fenced = call.Unsettled && call.Kind != Specs.EffectKind.None ? fenced.Add(call.Id.ToString()) : fenced;
        }

        return fenced;
    }

    private static ExecutionState With(ExecutionState state, VisitKey key, Func<VisitState, VisitState> change) =>
        state with { Visits = state.Visits.Set(change(Visit(state, key))) };

    private static ExecutionState WithCall(ExecutionState state, string effect, Func<CallState, CallState> change)
    {
        var id = Parse(effect).WithoutSub;
        var visit = Visit(state, id.Key);
        var at = visit.Calls.FindIndex(call => call.Id == id);
        return at < 0
            ? throw new CorruptLogException($"no call {effect} was requested")
            : state with { Visits = state.Visits.Set(visit with { Calls = visit.Calls.SetItem(at, change(visit.Calls[at])) }) };
    }

    private static VisitState Visit(ExecutionState state, VisitKey key) =>
        state.Visits.TryGetValue(key, out var visit) ? visit : throw new CorruptLogException($"there is no visit {key}");

    private static EffectId Parse(string effect) =>
        EffectId.TryParse(effect, out var id) ? id : throw new CorruptLogException($"'{effect}' is no effect id");
}

/// <summary>The stored events contradict each other: the stream must not be written to any more.</summary>
public sealed class CorruptLogException(string message) : Exception(message);
