using System.Text.Json;
using Omium.Api.Executions;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;

namespace Omium.Api.Traced;

/// <summary>What is answered to operations: derived from the state after them. Pure but for large values, which are read by whoever answers.</summary>
internal static class TracedViews
{
    /// <summary>The answer to one operation of a process at a time.</summary>
    public static TraceResult Result(ExecutionState state, TraceOperation operation, string owner, long nowMs) => operation.Do switch
    {
        TraceWords.Begin or TraceWords.Receive => OfStep(state, TracedNames.Of(operation.Name!, operation.Key!), operation, owner, nowMs),
        TraceWords.Record => Recorded(state, operation, owner, nowMs),
        TraceWords.Finish or TraceWords.Fail or TraceWords.Verified => OfLease(state, operation, owner, nowMs),
        TraceWords.Complete when !state.Ended => Waiting(state, null, nowMs),
        TraceWords.Undo => state.Undoing is { } undoing && undoing.Effect == operation.Effect && undoing.Owner == owner
            ? new TraceResult { State = "run", Attempt = undoing.Attempt, LeaseMs = undoing.LeaseUntilMs - nowMs }
            : new TraceResult { State = "busy", Owner = state.Undoing?.Owner, RetryAfterMs = state.Undoing is { } other ? Math.Max(0, other.LeaseUntilMs - nowMs) : null },
        _ => new TraceResult { State = "ok" },
    };

    /// <summary>True while the operation has no answer yet, so that it is worth asking again.</summary>
    public static bool Waits(TraceResult result) => result.State is "wait" or "busy";

    /// <summary>The transaction that is to be undone next; null when none is.</summary>
    public static TraceUndo? Undo(ExecutionState state, long nowMs)
    {
        if (TracedState.NextUndo(state) is not { } call || state.Visits[call.Id.Key].Traced?.Declared.Compensate is not { } compensate)
        {
            return null;
        }

        var undoing = state.Undoing is { } known && known.LeaseUntilMs > nowMs ? known : null;
        return new TraceUndo
        {
            EffectId = call.Id.ToString(),
            Attempt = call.CompensationAttempts + 1,
            Name = TracedNames.NameOf(call.Id.Step),
            Compensate = compensate,
            Input = call.Arguments,
            Output = call.Result,
            IdempotencyKey = $"{call.Key}-undo",
            Owner = undoing?.Owner,
            RetryAfterMs = Later(Math.Max(call.CompensationDueMs, undoing?.LeaseUntilMs ?? 0), nowMs),
        };
    }

    private static TraceResult Recorded(ExecutionState state, TraceOperation operation, string owner, long nowMs)
    {
        var result = OfStep(state, TracedNames.Of(operation.Name!, operation.Key!), operation, owner, nowMs);
        var isOurs = result.State == "replay" && result.Failure is null && state.StandingVisit(TracedNames.Of(operation.Name!, operation.Key!))!.Traced?.Owner == owner;
        return isOurs ? result with { State = "committed" } : result.State == "replay" && result.Failure is not null ? result with { State = "failed" } : result;
    }

    private static TraceResult OfStep(ExecutionState state, string step, TraceOperation operation, string owner, long nowMs)
    {
        if (state.StandingVisit(step) is not { } visit)
        {
            return Waiting(state, null, nowMs, operation.Do == TraceWords.Receive ? "message" : "paused");
        }

        return visit.Status switch
        {
            VisitStatus.Committed => new TraceResult { State = "replay", Output = visit.Output },
            VisitStatus.Skipped => new TraceResult { State = "skipped" },
            VisitStatus.Failed => new TraceResult { State = operation.Do == TraceWords.Receive ? "failed" : "replay", Failure = FailureOf(visit) },
            VisitStatus.Open => OfOpen(state, visit, owner, nowMs),
            _ => Waiting(state, visit, nowMs),
        };
    }

    private static TraceResult OfOpen(ExecutionState state, VisitState visit, string owner, long nowMs)
    {
        if (visit.Traced is { Owner: { } holder } use && use.Attempt == visit.Attempt && use.LeaseUntilMs > nowMs)
        {
            if (holder != owner)
            {
                return new TraceResult { State = "busy", Owner = holder, RetryAfterMs = use.LeaseUntilMs - nowMs };
            }

            var call = visit.CurrentCalls.FirstOrDefault();
            return new TraceResult
            {
                State = call is { Status: CallStatus.InDoubt } ? "verify" : "run",
                Sid = new TracedLease(visit.Key, visit.Attempt, use.Run).ToString(),
                Attempt = visit.Attempt,
                LeaseMs = use.LeaseUntilMs - nowMs,
                IdempotencyKey = call?.Key,
            };
        }

        return Waiting(state, visit, nowMs);
    }

    /// <summary>What became of a step that this process had begun.</summary>
    private static TraceResult OfLease(ExecutionState state, TraceOperation operation, string owner, long nowMs)
    {
        _ = TracedLease.TryParse(operation.Lease!, out var lease);
        var visit = state.Visits[lease.Visit];
        return visit.Status switch
        {
            VisitStatus.Committed => new TraceResult { State = "committed", Output = operation.Do == TraceWords.Verified ? visit.Output : null },
            VisitStatus.Failed => new TraceResult { State = "failed", Failure = FailureOf(visit) },
            VisitStatus.RolledBack => new TraceResult { State = "rolled_back", Failure = FailureOf(visit) },
            VisitStatus.Skipped => new TraceResult { State = "skipped", Failure = FailureOf(visit) },
            VisitStatus.Open when visit.Attempt > lease.Attempt || visit.CurrentCalls.Any(call => call is { Status: CallStatus.InDoubt, Next: "rerun" or "redo" or "verify" }) =>
                new TraceResult { State = "retry", Failure = FailureOf(visit), RetryAfterMs = Later(visit.RetryDueMs, nowMs) ?? 0 },
            _ => Waiting(state, visit, nowMs),
        };
    }

    private static TraceResult Waiting(ExecutionState state, VisitState? visit, long nowMs, string otherwise = "paused")
    {
        var review = visit?.Reviews.FirstOrDefault() ?? state.OpenReviews.FirstOrDefault();
        var reason = state.Status == ExecutionStatus.RollingBack ? "rolling_back"
            : review is not null ? "review"
            : visit is { RetryDueMs: > 0 } ? "retry"
            : state.Status != ExecutionStatus.Running || visit is not null ? "paused"
            : state.Credits is { Requested: not null } ? "credits" : otherwise;
        return new TraceResult { State = "wait", Reason = reason, Review = review, Failure = visit is null ? null : FailureOf(visit), RetryAfterMs = visit is null ? null : Later(visit.RetryDueMs, nowMs) };
    }

    private static StepFailure? FailureOf(VisitState visit) => visit.Failures.Count == 0 ? null : ExecutionViews.Failure(visit.Failures[^1].Failure, visit.Failures[^1].AtMs);

    private static long? Later(long dueMs, long nowMs) => dueMs > nowMs ? dueMs - nowMs : null;
}
