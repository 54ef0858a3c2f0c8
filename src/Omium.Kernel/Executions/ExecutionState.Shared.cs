using System.Collections.Immutable;

namespace Omium.Kernel.Executions;

public sealed partial record ExecutionState
{
    /// <summary>Visits that hold or wait for locks, or whose writes of shared values are not settled, in the order they were scheduled.</summary>
    public ImmutableSortedDictionary<int, VisitKey> Sharing { get; init; } = ImmutableSortedDictionary<int, VisitKey>.Empty;

    /// <summary>Visits taken back because what they had read changed; what only came after them, and was not made from their output, stands.</summary>
    public ImmutableHashSet<VisitKey> RunAgainStale { get; init; } = [];

    /// <summary>What became of a transaction (<c>step~visit~attempt</c>) of this execution; once it is not open, it never changes again.</summary>
    public TransactionOutcome OutcomeOf(VisitKey key, int attempt)
    {
        if (!Visits.TryGetValue(key, out var visit) || visit.Shared is not { } shared)
        {
            return TransactionOutcome.Aborted;
        }

        return shared.CommittedAttempt == attempt ? TransactionOutcome.Committed
            : shared.Writing is { } writing && writing.Attempt == attempt && visit.Status == VisitStatus.Open && Status != ExecutionStatus.Cancelled ? TransactionOutcome.Open
            : TransactionOutcome.Aborted;
    }

    /// <summary>True while a visit still needs its locks: it goes on, or an effect of it is in doubt.</summary>
    public bool NeedsLocks(VisitKey key) =>
        Visits.TryGetValue(key, out var visit) && visit.Shared is { Scopes.Count: > 0 } shared && !Settles(visit)
        && (shared.Gathering || shared.Locks is LockPhase.Requested or LockPhase.Held or LockPhase.Yielded);

    /// <summary>
    /// True when a visit has to give back what it shares: it is settled or the execution has ended, and nothing of it is in doubt. A call that is
    /// only to be made again is under way nowhere once the execution has ended; if it goes on after all, the locks are asked for first.
    /// </summary>
    internal bool Settles(VisitState visit) =>
        Ended ? !HasCall(visit, call => MayAct(call) && call.Next is not ("rerun" or "redo"))
        : visit.Status is not (VisitStatus.Open or VisitStatus.FailedAttempt) && !HasCall(visit, MayAct);

    /// <summary>
    /// True while a call may change something outside and nobody knows yet. A task without an external effect changes nothing, and once its visit is over
    /// nobody waits for its worker: it must not keep the locks.
    /// </summary>
    private static bool MayAct(CallState call) => call.ChildRuns || (call.Unsettled && call.Kind != Specs.EffectKind.None);

    /// <summary>True while an effect of a visit, or of one of its items, has begun and its outcome is not known; a child that runs works under its locks.</summary>
    internal bool HasUnsettled(VisitState visit) => HasCall(visit, call => call.Unsettled || call.ChildRuns);

    private bool HasCall(VisitState visit, Func<CallState, bool> which) =>
        visit.Calls.Any(which) || (visit.Items is not null && Visits.Values.Any(item => item.ItemOf == visit.Key && item.Calls.Any(which)));

    /// <summary>What a visit shares with other executions; an item's is its step's.</summary>
    internal SharedUse? SharedOf(VisitKey key) =>
        !Visits.TryGetValue(key, out var visit) ? null : visit.ItemOf is { } parent ? Visits[parent].Shared : visit.Shared;

    /// <summary>The same, or it has given its locks up and cannot ask for them again before the execution goes on.</summary>
    internal bool GivesBack(VisitState visit) => Settles(visit) || (Status != ExecutionStatus.Running && visit.Shared is { Locks: LockPhase.Yielded });
}

/// <summary>What became of a transaction.</summary>
public enum TransactionOutcome
{
    /// <summary>Not decided yet.</summary>
    Open,

    /// <summary>Its writes stand.</summary>
    Committed,

    /// <summary>Its writes come to nothing.</summary>
    Aborted,
}

public sealed partial record VisitState
{
    /// <summary>What the visit shares with other executions; null when its step names nothing.</summary>
    public SharedUse? Shared { get; init; }
}

/// <summary>Where a visit's locks are.</summary>
public enum LockPhase
{
    /// <summary>None wanted.</summary>
    None,

    /// <summary>Asked for.</summary>
    Requested,

    /// <summary>Held.</summary>
    Held,

    /// <summary>Given up to somebody who had waited too long, and asked for again.</summary>
    Yielded,

    /// <summary>Given back.</summary>
    Released,
}

/// <summary>What a visit shares with other executions.</summary>
public sealed record SharedUse
{
    /// <summary>Locks.</summary>
    public LockPhase Locks { get; init; }

    /// <summary>True while locks or reads are outstanding.</summary>
    public bool Gathering { get; init; }

    /// <summary>How often it has asked.</summary>
    public int Gathers { get; init; }

    /// <summary>The attempt whose input was made; 0 before the first.</summary>
    public int PreparedAttempt { get; init; }

    /// <summary>Scopes asked for.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Values asked for.</summary>
    public IReadOnlyList<ReadRequest> Wanted { get; init; } = [];

    /// <summary>Lease, ms.</summary>
    public long LeaseMs { get; init; }

    /// <summary>Locks held; while <see cref="LockPhase.Yielded"/>, those that were given up.</summary>
    public IReadOnlyList<LockGrant> Grants { get; init; } = [];

    /// <summary>Values read by the present attempt.</summary>
    public IReadOnlyList<ReadValue> Reads { get; init; } = [];

    /// <summary>The accepted output whose writes are being prepared; null when there is none.</summary>
    public WritesRequested? Writing { get; init; }

    /// <summary>How often its writes were begun: when an execution ends meanwhile they are dropped, and begun again when it goes on.</summary>
    public int WriteRound { get; init; } = 1;

    /// <summary>Since when, Unix ms.</summary>
    public long WritingMs { get; init; }

    /// <summary>Every key written or to be written, as written, of all attempts: what must be settled.</summary>
    public IReadOnlyList<string> WriteKeys { get; init; } = [];

    /// <summary>Keys of the committed writes, resolved.</summary>
    public IReadOnlyList<string> Written { get; init; } = [];

    /// <summary>What it would have written, when it ran in a sandbox.</summary>
    public IReadOnlyList<WriteRequest> Sandboxed { get; init; } = [];

    /// <summary>The attempt whose writes were committed; 0 = none.</summary>
    public int CommittedAttempt { get; init; }

    /// <summary>True when the committed writes stand under their roots.</summary>
    public bool WritesSettled { get; init; }

    /// <summary>True when a rollback has taken the committed writes back, as far as it could.</summary>
    public bool WritesRestored { get; init; }
}
