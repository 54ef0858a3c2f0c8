using System.Collections.Immutable;

namespace Omium.Kernel.Executions;

/// <summary>What a fork makes of its source's state.</summary>
internal static partial class ExecutionEvolver
{
    private static ExecutionState Forked(ExecutionState source, ExecutionForked e, long atMs)
    {
        if (source.ExecutionId != e.From)
        {
            throw new CorruptLogException($"a fork of {e.From} does not follow from {source.ExecutionId}");
        }

        var takenBack = (e.TakenBack ?? []).ToHashSet();
        var visits = source.Visits.Values.Select(visit => Inherit(source, visit, takenBack)).ToImmutableDictionary(visit => visit.Key);
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
            Rollback = null,
            Parent = null,
            Notice = null,
            Consumed = false,
            Residue = [],
            Notifications = ImmutableDictionary<int, NotificationRequested>.Empty,
            Requests = [],
            FailedVisit = source.FailedVisit is { } failed && takenBack.Contains(failed) ? null : source.FailedVisit,
            FencedCalls = [],
            DiscardedResults = [],
        };
    }

    private static VisitState Inherit(ExecutionState source, VisitState visit, HashSet<VisitKey> takenBack) => visit with
    {
        Inherited = true,
        Status = takenBack.Contains(visit.Key) ? VisitStatus.RolledBack : visit.Status,
        Review = null,
        Deferred = null,
        Rollback = null,
        DetachedBy = visit.DetachedBy is { } by && takenBack.Contains(by) ? null : visit.DetachedBy,
        Calls = visit.Calls.ConvertAll(call => call with
        {
            Origin = call.Origin ?? source.ExecutionId,
            Status = call.Outstanding ? CallStatus.Refused : call.Status,
            Refusal = call.Outstanding ? "it had not settled where the fork began" : call.Refusal,
            Next = null,
        }),
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
