using System.Collections.Immutable;

namespace Omium.Kernel.Executions;

/// <summary>What a fork makes of its source's state.</summary>
internal static partial class ExecutionEvolver
{
    private static ExecutionState? EvolveForks(ExecutionState state, ExecutionEvent happened, long atMs) => happened switch
    {
        ExecutionForked e => Forked(state, e, atMs),
        StepCorrected e => Corrected(state, e),
        CallReplayed e => WithCall(state, e.Effect, c => c with { Status = CallStatus.Settled, Result = e.Result }),
        CallUnrecorded e => WithCall(state, e.Effect, c => c with { Status = CallStatus.AwaitingApproval }),
        WritesSandboxed e => Sharing(state, new(e.Step, e.Visit), s => s with { Sandboxed = e.Writes }),
        ExecutionMigrated e => Migrated(state, e),
        _ => null,
    };

    private static ExecutionState Forked(ExecutionState source, ExecutionForked e, long atMs)
    {
        if (source.ExecutionId != e.From)
        {
            throw new CorruptLogException($"a fork of {e.From} does not follow from {source.ExecutionId}");
        }

        var takenBack = (e.TakenBack ?? []).ToHashSet();
        var visits = VisitDictionary.Of(source.Visits.Values.Select(visit => Inherit(source, visit, takenBack)));
        var handoffs = source.Handoffs.Values.Select(handoff => Inherit(handoff, takenBack)).ToImmutableDictionary(handoff => handoff.Key);
        return source with
        {
            ExecutionId = e.ExecutionId,
            Fork = new ForkOrigin(e.From, e.At, e.Mode),
            Input = e.Edits?.Input ?? source.Input,
            Seed = e.Seed,
            Status = ExecutionStatus.Running,
            CreatedMs = atMs,
            EndedMs = 0,
            Output = null,
            Visits = visits,
            Open = source.Open.RemoveRange(source.Open.Where(open => takenBack.Contains(open.Value)).Select(open => open.Key)),
            Loops = WithoutLoopsOf(source, takenBack),
            Reviews = ImmutableDictionary<string, ReviewState>.Empty,
            OpenReviews = [],
            IgnoredFailures = [],
            Rollback = null,
            Parent = null,
            Notice = null,
            Consumed = false,
            Credits = source.Credits is { } credits ? new CreditUse(credits.CheckpointMicro, credits.ItemMicro) : null, // What it inherits is paid for; the lease is its source's.
            StartedBy = e.ForkedBy,
            Residue = [],
            Notifications = ImmutableDictionary<int, NotificationRequested>.Empty,
            NotificationAttempts = ImmutableDictionary<int, (int, long)>.Empty,
            Undelivered = [],
            Requests = [],
            PauseReason = null,
            Approvals = [],
            DeferredSteps = null,
            FailureReviews = ImmutableDictionary<string, ImmutableList<string>>.Empty,
            Sharing = ImmutableSortedDictionary<int, VisitKey>.Empty,
            Handoffs = handoffs,
            OpenHandoffs = source.OpenHandoffs.RemoveRange(source.OpenHandoffs.Where(open => handoffs[open.Value].Status == HandoffStatus.Revoked).Select(open => open.Key)),
            FailedVisit = source.FailedVisit is { } failed && takenBack.Contains(failed) ? null : source.FailedVisit,
            FencedCalls = [],
            DiscardedResults = [],
        };
    }

    private static VisitState Inherit(ExecutionState source, VisitState visit, HashSet<VisitKey> takenBack) => visit with
    {
        Origin = visit.Origin ?? source.ExecutionId,
        Status = takenBack.Contains(visit.Key) ? VisitStatus.RolledBack : visit.Status,
        Reviews = [],
        Deferred = null,
        Withheld = null,
        Rollback = null,
        DetachedBy = visit.DetachedBy is { } by && takenBack.Contains(by) ? null : visit.DetachedBy,
        Shared = Inherit(visit.Shared),
        Calls = visit.Calls.ConvertAll(call => call with
        {
            Origin = call.Origin ?? source.ExecutionId,
            Status = call.Outstanding ? CallStatus.Refused : call.Status,
            Refusal = call.Outstanding ? "it had not settled where the fork began" : call.Refusal,
            Next = null,
            Undo = null,
        }),
    };

    /// <summary>
    /// What was read stays known, with its versions: a live fork's calls depend on it. Locks are the source's and are not held here; its writes are the
    /// source's to settle and to take back.
    /// </summary>
    private static SharedUse? Inherit(SharedUse? shared) => shared is null
        ? null
        : shared with
        {
            Locks = shared.Locks == LockPhase.None ? LockPhase.None : LockPhase.Released, Grants = [], Gathering = false, Writing = null, WritesSettled = true, WritesRestored = true,
        };

    /// <summary>A handoff that was not agreed where the fork began is measured anew; what a visit handed over that runs again is void.</summary>
    private static HandoffState Inherit(HandoffState handoff, HashSet<VisitKey> takenBack) => handoff.Status switch
    {
        _ when takenBack.Contains(handoff.Key.From) => handoff with { Status = HandoffStatus.Revoked },
        HandoffStatus.Agreed or HandoffStatus.Revoked => handoff,
        _ => handoff with { Status = HandoffStatus.Proposed, Round = handoff.Round + 1, Claims = [.. handoff.Claims.Select(Unmeasured)] },
    };

    /// <summary>A loop that a visit took which runs again was not taken yet.</summary>
    private static ImmutableDictionary<int, int> WithoutLoopsOf(ExecutionState source, HashSet<VisitKey> takenBack)
    {
        var loops = source.Loops;
        foreach (var (edge, times) in source.Loops)
        {
            loops = loops.SetItem(edge, times - takenBack.Count(key => source.Visits[key] is { Status: not VisitStatus.RolledBack } visit && visit.TakenEdges.Contains(edge)));
        }

        return loops;
    }

    private static ExecutionState Corrected(ExecutionState state, StepCorrected e) => state with
    {
        Corrections = e is { Input: null, Output: null } ? state.Corrections.Remove(e.Step) : state.Corrections.SetItem(e.Step, e),
    };
}
