namespace Omium.Kernel.Executions;

/// <summary>What a visit shares with other executions.</summary>
internal static partial class ExecutionEvolver
{
    private static ExecutionState? EvolveShared(ExecutionState state, ExecutionEvent happened, long atMs) => happened switch
    {
        LocksRequested e => Sharing(state, new(e.Step, e.Visit), s => s with
        {
            Gathering = true,
            Gathers = e.Gather,
            Scopes = e.Scopes ?? [],
            Wanted = e.Reads ?? [],
            LeaseMs = e.LeaseMs,
            // What was given up stays to be given back until it is granted anew, or a part of it would be held while another is waited for.
            Locks = e.Scopes is null || s.Locks is LockPhase.Held or LockPhase.Yielded ? s.Locks : LockPhase.Requested,
        }),
        LocksGranted e => Sharing(state, new(e.Step, e.Visit), s => s with { Locks = LockPhase.Held, Grants = e.Grants, Gathering = s.Gathering && s.Wanted.Count > 0 }),
        LocksYielded e => Sharing(state, new(e.Step, e.Visit), s => s with { Locks = LockPhase.Yielded, Gathering = true, Gathers = s.Gathers + 1, Wanted = [] }),
        LocksReleased e => Sharing(state, new(e.Step, e.Visit), s => Released(s, Visit(state, new(e.Step, e.Visit)))),
        StateRead e => Sharing(state, new(e.Step, e.Visit), s => s with { Reads = e.Values, Gathering = false }),
        StepPrepared e => With(state, new(e.Step, e.Visit), v => v with
        {
            Input = e.Input, InputDigest = e.InputDigest, Reads = e.Reads ?? [], Shared = v.Shared is { } shared ? shared with { PreparedAttempt = e.Attempt } : null,
        }),
        WritesRequested e => With(Sharing(state, new(e.Step, e.Visit), s => s with
            {
                Writing = e, WritingMs = atMs, WriteKeys = [.. s.WriteKeys.Union(e.Writes.Select(write => write.Key))], WritesSettled = false,
            }),
            new(e.Step, e.Visit),
            v => v with { InputTokens = v.InputTokens + e.InputTokens, OutputTokens = v.OutputTokens + e.OutputTokens }),
        WritesPrepared e => Sharing(state, new(e.Step, e.Visit), s => s with { Written = e.Keys, Writing = null, CommittedAttempt = e.Attempt, WritesSettled = false }),
        WritesSettled e => Sharing(state, new(e.Step, e.Visit), s => s with { WritesSettled = true, WriteRound = s.WriteRound + (s.Writing is null ? 0 : 1) }),
        WritesRestored e => Restored(Sharing(state, new(e.Step, e.Visit), s => s with { WritesRestored = true }), e),
        _ => null,
    };

    /// <summary>A visit that goes on although its execution had ended must ask again for what it gave back.</summary>
    private static SharedUse Released(SharedUse shared, VisitState visit)
    {
        var goesOn = visit.Status == VisitStatus.Open;
        return shared with { Locks = LockPhase.Released, Grants = [], Gathering = goesOn, Gathers = shared.Gathers + (goesOn ? 1 : 0) };
    }

    /// <summary>
    /// An execution that had ended goes on: what its open visits held may be given back at this moment, so that they give it back themselves and
    /// ask again. One with a call that is not settled has given nothing back, and keeps what it holds.
    /// </summary>
    private static ExecutionState Reopened(ExecutionState state)
    {
        foreach (var key in state.Ended ? state.Sharing.Values : [])
        {
            if (Visit(state, key) is { Status: VisitStatus.Open, Shared: { Locks: LockPhase.Held } } visit && state.Settles(visit))
            {
                state = Sharing(state, key, s => s with { Locks = LockPhase.Yielded, Gathering = true, Gathers = s.Gathers + 1, Wanted = [] });
            }
            else if (Visit(state, key) is { Status: VisitStatus.Open, Shared: { Gathering: true, Locks: LockPhase.Requested or LockPhase.Yielded } })
            {
                state = Sharing(state, key, s => s with { Gathers = s.Gathers + 1 }); // What it was granted before may be gone: it asks once more.
            }
        }

        return state;
    }

    private static ExecutionState Restored(ExecutionState state, WritesRestored e) => state.Rollback is { } rollback
        ? state with { Rollback = rollback with { Residue = rollback.Residue + (e.Conflicts?.Count ?? 0) } }
        : state;

    /// <summary>Changes what a visit shares; it is looked at as long as it owes something.</summary>
    private static ExecutionState Sharing(ExecutionState state, VisitKey key, Func<SharedUse, SharedUse> change)
    {
        var known = Visit(state, key);
        var visit = known with { Shared = change(known.Shared ?? new SharedUse()) };
        var owes = PendingEffects.OwesSettlement(visit.Shared) || OwesRestore(visit);
        return state with
        {
            Visits = state.Visits.Set(visit),
            Sharing = owes ? state.Sharing.SetItem(visit.Ordinal, key) : state.Sharing.Remove(visit.Ordinal),
        };
    }

    /// <summary>True when a rollback has yet to take the visit's committed writes back.</summary>
    internal static bool OwesRestore(VisitState visit) =>
        visit is { Status: VisitStatus.RolledBack, Shared: { CommittedAttempt: > 0, WritesRestored: false } };

    /// <summary>Visits taken back whose committed writes must be taken back, too.</summary>
    private static ExecutionState OwingRestores(ExecutionState state, IReadOnlyList<VisitKey> affected)
    {
        var sharing = state.Sharing;
        foreach (var key in affected)
        {
            var visit = Visit(state, key);
            sharing = OwesRestore(visit) ? sharing.SetItem(visit.Ordinal, key) : sharing;
        }

        return sharing == state.Sharing ? state : state with { Sharing = sharing };
    }
}
