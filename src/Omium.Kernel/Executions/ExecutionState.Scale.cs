using System.Collections.Immutable;

namespace Omium.Kernel.Executions;

/// <summary>
/// What decisions would otherwise look for in everything that has happened: kept by the fold, so that a step of an execution costs the same
/// after ten thousand others as after ten.
/// </summary>
public sealed partial record ExecutionState
{
    /// <summary>Steps a visit of which has failed for good with no edge taken; what stands of them now is for the visit to say.</summary>
    public ImmutableHashSet<string> DeadEndSteps { get; init; } = [];
}

/// <summary>The same, of a visit.</summary>
public sealed partial record VisitState
{
    /// <summary>A visit on its ancestry that asked a person for approval, or itself if it did; null when there is none.</summary>
    public VisitKey? Approval { get; init; }
}
