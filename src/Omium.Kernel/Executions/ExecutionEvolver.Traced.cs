using System.Collections.Immutable;

namespace Omium.Kernel.Executions;

/// <summary>What the events of traced executions change, and what those of every execution mean for them.</summary>
internal static partial class ExecutionEvolver
{
    private static ExecutionState? EvolveTraced(ExecutionState state, ExecutionEvent happened) => happened switch
    {
        TracedStepLeased e => With(state, new(e.Step, e.Visit), v => v with
        {
            Traced = new TracedUse(
                e.Declared ?? v.Traced?.Declared ?? throw new CorruptLogException($"nothing says what {v.Key} is"), e.Run, e.Attempt, e.LeaseUntilMs == 0 ? null : e.Owner, e.LeaseUntilMs),
        }),
        TracedLeasesRenewed e => Renewed(state, e),
        TracedLeaseLost e => WithoutLease(state, new(e.Step, e.Visit)),
        TracedUndoLeased e => state with { Undoing = new TracedUndo(e.Effect, e.Attempt, e.Owner, e.LeaseUntilMs) },
        _ => null,
    };

    /// <summary>What follows for a traced execution from an event that every execution knows.</summary>
    private static ExecutionState Traced(ExecutionState state, ExecutionEvent happened)
    {
        switch (happened)
        {
            case StepCommitted e when state.Visits[new(e.Step, e.Visit)] is { Traced: not null } visit:
                return state with { Frontier = state.Frontier.RemoveAll(visit.After.Contains).Add(visit.Key) };
            case StepFailed { Final: true } e:
                return Ended(state, new(e.Step, e.Visit));
            case StepGivenUp e:
                return Ended(state, new(e.Step, e.Visit));
            case RetryScheduled e when state.Visits[new(e.Step, e.Visit)].Traced is { MayRetry: true } use:
                return With(state, new(e.Step, e.Visit), v => v with { Traced = use with { MayRetry = false } });
            case ExecutionSucceeded when state.FailedVisit is { } failed && Specs.TracedNames.Is(failed.Step):
                return state with { FailedVisit = null }; // The program handled it, and has come to its end.
            case IntentInDoubt e when Parse(e.Effect) is var id && state.Visits[id.Key].Traced is not null:
                return WithoutLease(state, id.Key);
            case CompensationSettled when state.Undoing is not null:
                return state with { Undoing = null };
            case RollbackPlanned when !state.Frontier.IsEmpty:
                return state with { Frontier = FrontierOf(state), Undoing = null };
            default:
                return state;
        }
    }

    /// <summary>The program is started again after the execution has failed: what had failed for good may run anew.</summary>
    private static ExecutionState StartedAgain(ExecutionState state) => state with
    {
        Visits = state.Visits.Set(state.Visits.Values.Where(v => v is { Status: VisitStatus.Failed, Traced: not null })
            .Select(v => v with { Traced = v.Traced! with { MayRetry = true } })),
    };

    private static ExecutionState Ended(ExecutionState state, VisitKey key) =>
        state.Visits[key].Traced is { } use ? With(state, key, v => v with { Traced = use with { EndedOrdinal = state.Ordinal, Owner = null } }) : state;

    private static ExecutionState WithoutLease(ExecutionState state, VisitKey key) =>
        With(state, key, v => v.Traced is { } use ? v with { Traced = use with { Owner = null, LeaseUntilMs = 0 } } : v);

    private static ExecutionState Renewed(ExecutionState state, TracedLeasesRenewed e)
    {
        var renewed = state.Open.Values.Select(key => state.Visits[key]).Where(v => v.Traced?.Owner == e.Owner).Select(v => v with
        {
            Traced = v.Traced! with { LeaseUntilMs = e.LeaseUntilMs },
            Calls = [.. v.Calls.Select(c => c.Status == CallStatus.Intent && c.Owner == e.Owner ? c with { InDoubtAtMs = e.LeaseUntilMs } : c)],
        });
        return state with
        {
            Visits = state.Visits.Set(renewed),
            Undoing = state.Undoing?.Owner == e.Owner ? state.Undoing with { LeaseUntilMs = e.LeaseUntilMs } : state.Undoing,
        };
    }

    /// <summary>After a rollback: of what stands, the visits that nothing that stands follows.</summary>
    private static ImmutableList<VisitKey> FrontierOf(ExecutionState state)
    {
        var standing = state.Visits.Values.Where(v => v is { Status: VisitStatus.Committed, Traced: not null }).OrderBy(v => v.CommitOrdinal).ToArray();
        var followed = standing.SelectMany(v => v.After).ToHashSet();
        return [.. standing.Where(v => !followed.Contains(v.Key)).Select(v => v.Key)];
    }
}
