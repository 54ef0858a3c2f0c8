using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Executions;

/// <summary>Which index rows a record changes. Rows hold envelope data only.</summary>
public static class IndexProjector
{
    /// <summary>The rows that a record changes, each once, and the execution's failures after it.</summary>
    internal static (IReadOnlyList<IndexRow> Rows, FailureLedger Failures) Rows(
        ExecutionCell cell, ExecutionState after, IReadOnlyList<ExecutionEvent> events, IReadOnlyList<PendingEffect> pending, long atMs)
    {
        var rows = new List<IndexRow>();
        var row = ExecutionRow(cell, after, events, pending);
        if (cell.ExecutionRow is not { } known || known with { UpdatedUnixMs = row.UpdatedUnixMs } != row)
        {
            rows.Add(row);
        }

        var (failures, changed) = cell.Failures.After(after, events, atMs);
        rows.AddRange(changed.Select(failure => FailureRow(after, failure)));
        foreach (var happened in events)
        {
            switch (happened)
            {
                case ReviewRequested e:
                    rows.Add(ReviewRow(after, e, "open", atMs));
                    break;
                case ReviewExpired e:
                    rows.Add(ReviewRow(after, after.Reviews[e.Review].Request, "expired", after.Reviews[e.Review].RequestedMs));
                    break;
                case ResidueRecorded or ResidueResolved:
                    rows.Add(ResidueRow(after, happened is ResidueRecorded left ? left.Effect : ((ResidueResolved)happened).Effect));
                    break;
                case ReviewDecided e:
                    rows.Add(ReviewRow(after, after.Reviews[e.Review].Request, "decided", after.Reviews[e.Review].RequestedMs));
                    break;
            }
        }

        return (rows, failures);
    }

    private static IndexRow FailureRow(ExecutionState state, ListedFailure failure) => new(state.Tenant, IndexKinds.Failure, failure.Id, state.ExecutionId)
    {
        Workflow = state.Workflow,
        WorkflowVersion = state.WorkflowVersion,
        Status = failure.Answered ? "resolved" : failure.Ignored ? "ignored" : "open",
        FailureClass = failure.Class,
        Step = failure.Step,
        Label = failure.Code,
        By = failure.Way,
        CreatedUnixMs = failure.AtMs,
        UpdatedUnixMs = state.UpdatedMs,
        EndedUnixMs = failure.OverMs,
    };

    /// <summary>The id of what was left in the world: execution and effect.</summary>
    public static string ResidueId(string execution, string effect) => $"{execution}.{effect}";

    private static IndexRow ResidueRow(ExecutionState state, string effect)
    {
        var residue = state.Residue.First(candidate => candidate.Left.Effect == effect);
        return new(state.Tenant, IndexKinds.Residue, ResidueId(state.ExecutionId, effect), state.ExecutionId)
        {
            Workflow = state.Workflow,
            WorkflowVersion = state.WorkflowVersion,
            Status = residue.Resolved is null ? "open" : "resolved",
            Step = effect[..effect.IndexOf('~', StringComparison.Ordinal)],
            Label = residue.Left.Reason,
            CreatedUnixMs = residue.AtMs,
            UpdatedUnixMs = state.UpdatedMs,
        };
    }

    internal static IndexRow ExecutionRow(ExecutionCell cell, ExecutionState state, IReadOnlyList<ExecutionEvent> events, IReadOnlyList<PendingEffect> pending) => new(state.Tenant, IndexKinds.Execution, state.ExecutionId, state.ExecutionId)
    {
        Workflow = state.Workflow,
        WorkflowVersion = state.WorkflowVersion,
        Status = ExecutionWords.StatusOf(state),
        FailureClass = state.FailedVisit is { } failed ? state.Visits[failed].Failures[^1].Failure.Class : state.DisputedHandoffs.Any() ? FailureClasses.HandoffDisputed : "",
        StartedBy = StarterAmong(events) ?? cell.ExecutionRow?.StartedBy ?? "",
        Active = pending.Count > 0,
        CreatedUnixMs = state.CreatedMs,
        UpdatedUnixMs = state.UpdatedMs,
        EndedUnixMs = state.EndedMs,
    };

    private static string? StarterAmong(IReadOnlyList<ExecutionEvent> events)
    {
        foreach (var happened in events)
        {
            if (happened is ExecutionStarted or ExecutionForked)
            {
                return happened is ExecutionStarted started ? started.StartedBy : ((ExecutionForked)happened).ForkedBy;
            }
        }

        return null;
    }

    private static IndexRow ReviewRow(ExecutionState state, ReviewRequested review, string status, long atMs) =>
        new(state.Tenant, IndexKinds.Review, review.Review, state.ExecutionId)
        {
            Workflow = state.Workflow,
            WorkflowVersion = state.WorkflowVersion,
            Status = status,
            Step = review.Step,
            Label = review.Kind,
            CreatedUnixMs = atMs,
            UpdatedUnixMs = state.UpdatedMs,
        };
}

/// <summary>The words that the outside sees.</summary>
public static class ExecutionWords
{
    /// <summary>Every word that <see cref="StatusOf"/> answers.</summary>
    public static readonly string[] Statuses = ["queued", "running", "waiting", "paused", "rolling_back", "succeeded", "failed", "cancelled"];

    /// <summary>queued, running, waiting, paused, rolling_back, succeeded, failed or cancelled. Waiting: everything outstanding waits for a time or a person.</summary>
    public static string StatusOf(ExecutionState state) => state.Status switch
    {
        ExecutionStatus.None => "queued",
        ExecutionStatus.Running => WaitingFor(state) is null ? "running" : "waiting",
        ExecutionStatus.Paused => "paused",
        ExecutionStatus.RollingBack => "rolling_back",
        ExecutionStatus.Succeeded => "succeeded",
        ExecutionStatus.Failed => "failed",
        _ => "cancelled",
    };

    /// <summary>
    /// review when every open visit waits for a person, lock, timer or child when the others wait for a lock, a retry or a child workflow, null when something runs; review
    /// while paused for one, or while a rollback cannot go on without. Credits when they are short: one that has only asked for its next lease runs.
    /// </summary>
    public static string? WaitingFor(ExecutionState state)
    {
        if (state.Status == ExecutionStatus.Paused)
        {
            return state.OpenReviews.Count > 0 ? "review" : null;
        }

        if (state is { Status: ExecutionStatus.RollingBack, Rollback.Remaining: [var next, ..] })
        {
            return state.OpenReviews.Any(id => state.Reviews[id].Request is { Kind: "in_doubt" } request && request.Effect == next) ? "review" : null; // Only the answer tells whether it is to be undone.
        }

        if (state.Status != ExecutionStatus.Running || state.Credits is { Requested: not null, IsShort: false })
        {
            return null;
        }

        var proposed = state.LiveHandoffs.Where(handoff => handoff.Status == HandoffStatus.Proposed).ToArray();
        if (!proposed.All(IsWithItsReceiver))
        {
            return null; // What was handed over is being measured.
        }

        var awaitsCredits = state.Credits is { IsShort: true };
        if (state.Open.Count == 0 && state.OpenReviews.Count == 0)
        {
            return proposed.Length > 0 ? "worker" : awaitsCredits ? "credits" : null;
        }

        var waits = proposed.Length > 0 ? "worker" : "review";
        foreach (var key in state.Open.Values)
        {
            var visit = state.Visits[key];
            if (visit.Items is { Open: > 0 } || (awaitsCredits && (visit.Items is not null || state.Credits!.Requested!.Effect is { } effect && effect.StartsWith($"{key}~", StringComparison.Ordinal))))
            {
                continue; // It waits for its items, which are looked at themselves.
            }

            var retryWaits = visit.RetryDueMs > state.UpdatedMs && !visit.CurrentCalls.Any();
            var lockWaits = visit.Shared is { Gathering: true, Scopes.Count: > 0 };
            var workerWaits = visit.CurrentCalls.Any(call => call is { IsTask: true, Outstanding: true }) || visit.Traced is { Owner: null };
            var childRuns = visit.CurrentCalls.Any(call => call is { Child: not null, Status: CallStatus.Running });
            if (!visit.WaitsForPerson && !retryWaits && !lockWaits && !workerWaits && !childRuns)
            {
                return null;
            }

            waits = lockWaits || waits == "lock" ? "lock" : retryWaits || waits == "timer" ? "timer" : childRuns || waits == "child" ? "child" : visit.WaitsForPerson ? waits : "worker";
        }

        return awaitsCredits ? "credits" : waits;
    }

    private static bool IsWithItsReceiver(HandoffState handoff) => handoff.Claims.All(claim => claim.Measured || claim.Claim.By == "receiver");
}
