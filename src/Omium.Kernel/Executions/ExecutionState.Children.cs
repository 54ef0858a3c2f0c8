using System.Collections.Immutable;

namespace Omium.Kernel.Executions;

public sealed partial record ExecutionState
{
    /// <summary>Whose child it is; null for one that was started by itself.</summary>
    public ParentLink? Parent { get; init; }

    /// <summary>What the parent has not been told yet.</summary>
    public ParentNotice? Notice { get; init; }

    /// <summary>Number of notices so far.</summary>
    public int Notices { get; init; }

    /// <summary>True when the parent knows that this child succeeded, and may have used its output.</summary>
    public bool Consumed { get; init; }

    /// <summary>Versions pinned by the first child of each workflow.</summary>
    public ImmutableDictionary<string, ChildVersion> ChildVersions { get; init; } = ImmutableDictionary<string, ChildVersion>.Empty;
}

/// <summary>A version of a workflow.</summary>
public readonly record struct ChildVersion(int Version, string SpecDigest);

/// <summary>What a child owes its parent. Told at least once; the parent takes it once.</summary>
/// <param name="Number">Number of the notice in this execution.</param>
/// <param name="Effect">The parent's local effect id that it settles: the child's own, or that of the order to roll back.</param>
/// <param name="IsRollback">True: it was rolled back; false: it ended.</param>
/// <param name="Residue">With a rollback: how many effects could not be undone.</param>
public sealed record ParentNotice(int Number, string Effect, bool IsRollback, int Residue);

public sealed partial record CallState
{
    /// <summary>Execution id of the child, when the call is a child workflow.</summary>
    public string? Child { get; init; }

    /// <summary>Depth of the child.</summary>
    public int ChildDepth { get; init; }

    /// <summary>True when a cancelled execution has told its child to end.</summary>
    public bool CancelSent { get; init; }

    /// <summary>True while the child is under way, as far as its parent knows.</summary>
    internal bool ChildRuns => Child is not null && Status == CallStatus.Running && !Inherited && !Sandboxed;

    /// <summary>True for a child that is not known to have been rolled back, whether or not it has begun.</summary>
    private bool ChildMayStand => !Residue && !Inherited && !Sandboxed && Status is CallStatus.Requested or CallStatus.Running or CallStatus.Settled or CallStatus.Failed;
}
