using Omium.Kernel.Executions;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Executions;

/// <summary>Which index rows a record changes. Rows hold envelope data only.</summary>
public static class IndexProjector
{
    internal static IReadOnlyList<IndexRow> Rows(
        ExecutionCell cell, ExecutionState before, ExecutionState after, IReadOnlyList<ExecutionEvent> events, IReadOnlyList<PendingEffect> pending, long atMs)
    {
        var rows = new List<IndexRow>();
        var row = ExecutionRow(after, pending);
        if (cell.ExecutionRow is not { } known || known with { UpdatedUnixMs = row.UpdatedUnixMs } != row)
        {
            rows.Add(row);
        }

        foreach (var happened in events)
        {
            switch (happened)
            {
                // An item's failure is a row of its own only when a person is asked about it: else it is in its step's output, and its step's failure names it.
                case StepFailed e when !ItemName.Is(e.Step) && !events.OfType<RetryScheduled>().Any(retry => retry.Step == e.Step && retry.Visit == e.Visit):
                    rows.Add(FailureRow(after, e, "open", atMs));
                    break;
                case StepCommitted e:
                    rows.AddRange(Resolved(before, after, e.Step));
                    break;
                case StepSkipped e when e.Reason != "no_edge_taken":
                    rows.AddRange(Resolved(before, after, e.Step));
                    break;
                case ReviewRequested e:
                    rows.Add(ReviewRow(after, e, "open", atMs));
                    if (e.Kind == "failure" && ItemName.Is(e.Step) && after.Visits[new VisitKey(e.Step, e.Visit)].Failures is { Count: > 0 } failures)
                    {
                        rows.Add(FailureRow(after, failures[^1].Failure, "open", failures[^1].AtMs));
                    }

                    break;
                case ReviewDecided e:
                    rows.Add(ReviewRow(after, after.Reviews[e.Review].Request, "decided", after.Reviews[e.Review].RequestedMs));
                    break;
            }
        }

        return rows;
    }

    /// <summary>The id of a failure: execution, step, visit, attempt.</summary>
    public static string FailureId(string execution, string step, int visit, int attempt) => $"{execution}.{step}.{visit}.{attempt}";

    /// <summary>
    /// Failures of a step that its commit (or a decision to skip it) settles: the one a retry would begin with, and those people were asked about
    /// (an approved retry clears the first mark long before the step commits).
    /// </summary>
    private static IEnumerable<IndexRow> Resolved(ExecutionState before, ExecutionState after, string step)
    {
        var attempts = before.FailureReviews.GetValueOrDefault(step, [])
            .Select(id => before.Reviews[id].Request)
            .Select(request => (new VisitKey(step, request.Visit), request.Attempt));
        if (before.FailedVisit is { } failed && failed.Step == step && before.Visits[failed].Failures is { Count: > 0 } failures)
        {
            attempts = attempts.Append((failed, failures[^1].Failure.Attempt));
        }

        foreach (var (key, attempt) in attempts.Distinct())
        {
            if (after.Visits[key].Failures.Find(failure => failure.Failure.Attempt == attempt) is { Failure: not null } known)
            {
                yield return FailureRow(after, known.Failure, "resolved", known.AtMs);
            }
        }
    }

    private static IndexRow ExecutionRow(ExecutionState state, IReadOnlyList<PendingEffect> pending) => new(state.Tenant, IndexKinds.Execution, state.ExecutionId, state.ExecutionId)
    {
        Workflow = state.Workflow,
        WorkflowVersion = state.WorkflowVersion,
        Status = ExecutionWords.StatusOf(state),
        FailureClass = state.FailedVisit is { } failed ? state.Visits[failed].Failures[^1].Failure.Class : "",
        Active = pending.Count > 0,
        CreatedUnixMs = state.CreatedMs,
        UpdatedUnixMs = state.UpdatedMs,
        EndedUnixMs = state.EndedMs,
    };

    private static IndexRow FailureRow(ExecutionState state, StepFailed failure, string status, long atMs) =>
        new(state.Tenant, IndexKinds.Failure, FailureId(state.ExecutionId, failure.Step, failure.Visit, failure.Attempt), state.ExecutionId)
        {
            Workflow = state.Workflow,
            WorkflowVersion = state.WorkflowVersion,
            Status = status,
            FailureClass = failure.Class,
            Step = failure.Step,
            Label = failure.Code,
            CreatedUnixMs = atMs,
            UpdatedUnixMs = state.UpdatedMs,
        };

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

    /// <summary>review when every open visit waits for a person, timer when the others wait for a retry, child when they wait for one, null when something runs; review while paused for one.</summary>
    public static string? WaitingFor(ExecutionState state)
    {
        if (state.Status == ExecutionStatus.Paused)
        {
            return state.OpenReviews.Count > 0 ? "review" : null;
        }

        if (state.Status != ExecutionStatus.Running || state.Open.Count == 0 && state.OpenReviews.Count == 0)
        {
            return null;
        }

        var waits = "review";
        foreach (var key in state.Open.Values)
        {
            var visit = state.Visits[key];
            if (visit.Items is { Open: > 0 })
            {
                continue; // It waits for its items, which are looked at themselves.
            }

            var retryWaits = visit.RetryDueMs > state.UpdatedMs && !visit.CurrentCalls.Any();
            var childRuns = visit.CurrentCalls.Any(call => call is { Child: not null, Status: CallStatus.Running });
            if (visit.Review is null && !retryWaits && !childRuns)
            {
                return null;
            }

            waits = childRuns ? "child" : retryWaits ? "timer" : waits;
        }

        return waits;
    }
}
