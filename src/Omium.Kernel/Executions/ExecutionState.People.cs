using System.Collections.Immutable;

namespace Omium.Kernel.Executions;

public sealed partial record ExecutionState
{
    /// <summary>While paused: why (failure, in_doubt, rolled_back, or what the person said).</summary>
    public string? PauseReason { get; init; }

    /// <summary>Calls that a person has approved before they are made again, and that were not made yet.</summary>
    public ImmutableHashSet<CallApproved> Approvals { get; init; } = [];

    /// <summary>Steps that are looked at in the next record; null when none are.</summary>
    public IReadOnlyList<string>? DeferredSteps { get; init; }

    /// <summary>Notifications that were given up, with what they failed with.</summary>
    public ImmutableList<UndeliveredNotification> Undelivered { get; init; } = [];

    /// <summary>Fixes that were proposed so far.</summary>
    public int ProposalCount { get; init; }

    /// <summary>Attempts of notifications that are not delivered yet, each with the time of the next, Unix ms.</summary>
    public ImmutableDictionary<int, (int Attempts, long DueMs)> NotificationAttempts { get; init; } = ImmutableDictionary<int, (int, long)>.Empty;
}

public sealed partial record VisitState
{
    /// <summary>Open reviews it waits for, oldest first.</summary>
    public ImmutableList<string> Reviews { get; init; } = [];

    /// <summary>A rollback that was not begun because it would leave something behind; null when there is none.</summary>
    public RollbackWithheld? Withheld { get; init; }

    /// <summary>True while a person is what it waits for: nothing of it can go on by itself.</summary>
    public bool WaitsForPerson => Reviews.Count > 0 && !CurrentCalls.Any(call => call.Status is CallStatus.Requested or CallStatus.Intent || call is { Status: CallStatus.InDoubt, Next: not "review" });
}

public sealed partial record CallState
{
    /// <summary>The compensation under way, when it needs a record of its beginning; null when there is none.</summary>
    public UndoState? Undo { get; init; }
}

/// <summary>A compensation whose beginning is on record.</summary>
/// <param name="Owner">The runner that may call.</param>
/// <param name="BegunMs">When it was recorded, Unix ms.</param>
/// <param name="InDoubtAtMs">After this time without a result it is in doubt.</param>
public sealed record UndoState(string Owner, long BegunMs, long InDoubtAtMs)
{
    /// <summary>When its verify tool may be asked, Unix ms; null while its result is awaited.</summary>
    public long? VerifyDueMs { get; init; }

    /// <summary>Probes answered.</summary>
    public int Probes { get; init; }
}

/// <summary>What could not be undone, and what a person did about it.</summary>
/// <param name="Left">The record of it.</param>
/// <param name="AtMs">When it was recorded, Unix ms.</param>
public sealed record ResidueState(ResidueRecorded Left, long AtMs)
{
    /// <summary>What a person did about it; null while it is open.</summary>
    public ResidueResolved? Resolved { get; init; }

    /// <summary>When, Unix ms; 0 while it is open.</summary>
    public long ResolvedMs { get; init; }
}

/// <summary>A notification that was given up.</summary>
public sealed record UndeliveredNotification(NotificationRequested Requested, NotificationFailed Failed, long AtMs);
