using System.Globalization;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Executions;

/// <summary>Which index rows a record changes. Rows hold envelope data only.</summary>
public static class IndexProjector
{
    internal static IReadOnlyList<IndexRow> Rows(
        ExecutionCell cell, ExecutionState before, ExecutionState after, IReadOnlyList<ExecutionEvent> events, IReadOnlyList<PendingEffect> pending, long atMs)
    {
        var rows = new List<IndexRow>();
        var row = ExecutionRow(cell, after, events, pending);
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
                case ExecutionSucceeded when cell.Plan is { IsTraced: true }:
                    rows.AddRange(Overcome(after));
                    break;
                case HandoffDisputed e:
                    rows.Add(DisputeRow(after, e, "open", atMs));
                    break;
                case HandoffRepeated e:
                    rows.AddRange(Answered(before, after, e.Edge, e.Step, e.Visit));
                    break;
                case HandoffRevoked e:
                    rows.AddRange(Answered(before, after, e.Edge, e.Step, e.Visit));
                    break;
                case ReviewRequested e:
                    rows.Add(ReviewRow(after, e, "open", atMs));
                    if (e.Kind == "failure" && ItemName.Is(e.Step) && after.Visits[new VisitKey(e.Step, e.Visit)].Failures is { Count: > 0 } failures)
                    {
                        rows.Add(FailureRow(after, failures[^1].Failure, "open", failures[^1].AtMs));
                    }

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

        return rows;
    }

    /// <summary>A traced execution that has come to its end has dealt with every failure on its way: by itself, or started again.</summary>
    private static IEnumerable<IndexRow> Overcome(ExecutionState after) => after.Visits.Values
        .Where(visit => visit.Failures.Count > 0).OrderBy(visit => visit.Ordinal)
        .SelectMany(visit => visit.Failures.Select(known => FailureRow(after, known.Failure, "resolved", known.AtMs)));

    /// <summary>The id of a failure: execution, step, visit, attempt.</summary>
    public static string FailureId(string execution, string step, int visit, int attempt) => $"{execution}.{step}.{visit}.{attempt}";

    /// <summary>The id of a dispute: execution, sender, visit, then the edge (from 1) and the measurement.</summary>
    public static string DisputeId(string execution, HandoffDisputed dispute) =>
        string.Create(CultureInfo.InvariantCulture, $"{execution}.{dispute.Step}.{dispute.Visit}.h{dispute.Edge + 1}r{dispute.Round}");

    /// <summary>A dispute that was answered by measuring again, or by taking the sender back.</summary>
    private static IEnumerable<IndexRow> Answered(ExecutionState before, ExecutionState after, int edge, string step, int visit) =>
        before.Handoffs.GetValueOrDefault(new HandoffKey(edge, new VisitKey(step, visit))) is { Status: HandoffStatus.Disputed or HandoffStatus.Rejected, Dispute: { } dispute } handoff
            ? [DisputeRow(after, dispute, "resolved", handoff.DisputedMs)]
            : [];

    private static IndexRow DisputeRow(ExecutionState state, HandoffDisputed dispute, string status, long atMs) =>
        new(state.Tenant, IndexKinds.Failure, DisputeId(state.ExecutionId, dispute), state.ExecutionId)
        {
            Workflow = state.Workflow,
            WorkflowVersion = state.WorkflowVersion,
            Status = status,
            FailureClass = FailureClasses.HandoffDisputed,
            Step = dispute.Step,
            Label = dispute.Code,
            CreatedUnixMs = atMs,
            UpdatedUnixMs = state.UpdatedMs,
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

    /// <summary>
    /// review when every open visit waits for a person, lock, timer or child when the others wait for a lock, a retry or a child workflow, null when something runs; review
    /// while paused for one. Credits when they are short: one that has only asked for its next lease runs.
    /// </summary>
    public static string? WaitingFor(ExecutionState state)
    {
        if (state.Status == ExecutionStatus.Paused)
        {
            return state.OpenReviews.Count > 0 ? "review" : null;
        }

        if (state.Status != ExecutionStatus.Running || state.Credits is { Requested: not null, IsShort: false })
        {
            return null;
        }

        if (state.LiveHandoffs.Any(handoff => handoff.Status == HandoffStatus.Proposed))
        {
            return state.Open.Count == 0 && state.LiveHandoffs.All(IsWithItsReceiver) ? "worker" : null; // What was handed over is being measured.
        }

        var awaitsCredits = state.Credits is { IsShort: true };
        if (state.Open.Count == 0 && state.OpenReviews.Count == 0)
        {
            return awaitsCredits ? "credits" : null;
        }

        var waits = "review";
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

    private static bool IsWithItsReceiver(HandoffState handoff) =>
        handoff.Status == HandoffStatus.Proposed && handoff.Claims.Count > 0 && handoff.Claims.All(claim => claim.Measured || claim.Claim.By == "receiver");
}
