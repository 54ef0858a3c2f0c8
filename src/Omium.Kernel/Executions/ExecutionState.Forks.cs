using System.Collections.Immutable;
using System.Text.Json;

namespace Omium.Kernel.Executions;

public sealed partial record ExecutionState
{
    /// <summary>Where this execution was forked from; null when it was started.</summary>
    public ForkOrigin? Fork { get; init; }

    /// <summary>Inputs and outputs that a person gave, by step.</summary>
    public ImmutableDictionary<string, StepCorrected> Corrections { get; init; } = ImmutableDictionary<string, StepCorrected>.Empty;

    /// <summary>True when external effects are answered from the source's records.</summary>
    public bool IsSandbox => Fork is { Mode: ForkModes.Sandbox };
}

/// <summary>What a fork goes on from.</summary>
/// <param name="From">Source.</param>
/// <param name="At">How many records of the source it begins with.</param>
/// <param name="Mode">sandbox or live.</param>
public sealed record ForkOrigin(string From, long At, string Mode);

/// <summary>How a fork treats the world.</summary>
public static class ForkModes
{
    /// <summary>External effects are answered from the source's recorded results; a call that has none waits for a person. Nothing is reached but models and tools without effect.</summary>
    public const string Sandbox = "sandbox";

    /// <summary>External effects happen, under keys of their own.</summary>
    public const string Live = "live";
}

public sealed partial record VisitState
{
    /// <summary>The execution that scheduled it, when a fork has it from there; null when it is this execution's own.</summary>
    public string? Origin { get; init; }

    /// <summary>True when it is the source's: scheduled before the fork.</summary>
    public bool Inherited => Origin is not null;
}

public sealed partial record CallState
{
    /// <summary>The execution that made it, when a fork has it from there; null when it is this execution's own.</summary>
    public string? Origin { get; init; }

    /// <summary>True when it is the source's: what it did is not this execution's to verify, repeat or undo.</summary>
    public bool Inherited => Origin is not null;

    /// <summary>True when it is made in a sandbox: it reaches nothing.</summary>
    public bool Sandboxed { get; init; }
}
