namespace Omium.Kernel.Executions;

internal static partial class ExecutionEvolver
{
    /// <summary>Events about people; null when it is none of them.</summary>
    private static ExecutionState? EvolvePeople(ExecutionState state, ExecutionEvent happened, long atMs) => happened switch
    {
        ReviewExpired e => Expired(state, e, atMs),
        CallApproved e => state with { Approvals = state.Approvals.Add(e) },
        SchedulingDeferred e => state with { DeferredSteps = e.Steps },
        SchedulingTakenUp => state with { DeferredSteps = null },
        CompensationBegun e => WithCall(state, e.Effect, c => c with { Undo = new UndoState(e.Owner, atMs, e.InDoubtAtMs) }),
        CompensationInDoubt e => WithCall(state, e.Effect, c => c with
        {
            Undo = c.Undo! with { VerifyDueMs = e.DueMs, Probes = c.Undo.Probes + (e.Reason.StartsWith("verif", StringComparison.Ordinal) ? 1 : 0) },
        }),
        RollbackWithheld e => With(state, new(e.Step, e.Visit), v => v with { Withheld = e }),
        ResidueResolved e => Resolved(state, e, atMs),
        NotificationFailed e => NotDelivered(state, e, atMs),
        FixProposed e => Proposed(state, e, atMs),
        FailureIgnored e => Requested(state, e.RequestId) with { IgnoredFailures = state.IgnoredFailures.Add(e.Failure) },
        _ => null,
    };

    private static ExecutionState Expired(ExecutionState state, ReviewExpired e, long atMs)
    {
        if (!state.OpenReviews.Contains(e.Review))
        {
            throw new CorruptLogException($"review {e.Review} expired, but was not open");
        }

        var review = state.Reviews[e.Review];
        var key = new VisitKey(review.Request.Step, review.Request.Visit);
        var next = With(state, key, v => v with { Reviews = v.Reviews.Remove(e.Review) });
        return next with { Reviews = next.Reviews.SetItem(e.Review, review with { ExpiredMs = atMs }), OpenReviews = next.OpenReviews.Remove(e.Review) };
    }

    private static ExecutionState Resolved(ExecutionState state, ResidueResolved e, long atMs)
    {
        var at = state.Residue.FindIndex(left => left.Left.Effect == e.Effect);
        return at < 0 || state.Residue[at].Resolved is not null
            ? throw new CorruptLogException($"{e.Effect} is no open residue")
            : Requested(state, e.RequestId) with { Residue = state.Residue.SetItem(at, state.Residue[at] with { Resolved = e, ResolvedMs = atMs }) };
    }

    /// <summary>The newest are kept: what a person is shown stays short, whatever a program goes on proposing. The log holds all.</summary>
    private static ExecutionState Proposed(ExecutionState state, FixProposed e, long atMs)
    {
        if (!state.OpenReviews.Contains(e.Review))
        {
            throw new CorruptLogException($"a fix was proposed for review {e.Review}, which was not open");
        }

        var review = state.Reviews[e.Review];
        var kept = review.Proposals.Count < ReviewState.ProposalsMax ? review.Proposals : review.Proposals.RemoveAt(0);
        var next = review with { Proposals = kept.Add(new ProposalState(e, atMs)) };
        return Requested(state, e.RequestId) with { Reviews = state.Reviews.SetItem(e.Review, next), ProposalCount = e.Proposal };
    }

    private static ExecutionState NotDelivered(ExecutionState state, NotificationFailed e, long atMs)
    {
        if (!state.Notifications.TryGetValue(e.Notification, out var requested))
        {
            throw new CorruptLogException($"notification {e.Notification} is not outstanding");
        }

        return e.RetryDueMs is { } due
            ? state with { NotificationAttempts = state.NotificationAttempts.SetItem(e.Notification, (e.Attempt, due)) }
            : state with
            {
                Notifications = state.Notifications.Remove(e.Notification),
                NotificationAttempts = state.NotificationAttempts.Remove(e.Notification),
                Undelivered = state.Undelivered.Add(new UndeliveredNotification(requested, e, atMs)),
            };
    }

    /// <summary>A call that uses up a person's approval.</summary>
    private static ExecutionState UseApproval(ExecutionState state, CallRequested e) => e.ApprovedBy is { } by
        ? state with { Approvals = state.Approvals.Remove(new CallApproved(Parse(e.Effect).Step, e.Tool, e.ArgumentsDigest, by)) }
        : state;
}
