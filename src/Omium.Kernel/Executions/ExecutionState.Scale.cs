using System.Collections.Immutable;

namespace Omium.Kernel.Executions;

/// <summary>
/// What decisions would otherwise look for in everything that has happened: kept by the fold, so that a step of an execution costs the same
/// after ten thousand others as after ten.
/// </summary>
public sealed partial record ExecutionState
{
    /// <summary>Committed visits whose output is a reference, the newest first; visits taken back since are still among them.</summary>
    public ImmutableStack<VisitKey> LargeOutputs { get; init; } = [];

    /// <summary>
    /// How many compensated calls of a tool had an idempotency key, by tool and key. A key that was made by counting (<see cref="Decision.AgainMark"/>)
    /// counts for the key it was made from too.
    /// </summary>
    internal ImmutableDictionary<(string Tool, string Key), int> CompensatedKeys { get; init; } = ImmutableDictionary<(string, string), int>.Empty;

    /// <summary>Failures that people were asked about and that no commit of the step has settled since, by step.</summary>
    public ImmutableDictionary<string, ImmutableList<(VisitKey Visit, int Attempt)>> AskedFailures { get; init; } =
        ImmutableDictionary<string, ImmutableList<(VisitKey, int)>>.Empty;

    /// <summary>Steps a visit of which has failed for good with no edge taken; what stands of them now is for the visit to say.</summary>
    public ImmutableHashSet<string> DeadEndSteps { get; init; } = [];
}

/// <summary>The same, of a visit.</summary>
public sealed partial record VisitState
{
    /// <summary>A visit on its ancestry that asked a person for approval, or itself if it did; null when there is none.</summary>
    public VisitKey? Approval { get; init; }
}
