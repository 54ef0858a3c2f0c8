using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

[JsonDerivedType(typeof(ForkExecution), "fork")]
public abstract partial record ExecutionCommand;

#pragma warning disable CS1591 // Name is documented on the base; the records below say what each command means.

/// <summary>
/// Goes on from the source's first <paramref name="At"/> records as an execution of its own. Decided on the state after those records; the
/// parameters are those of <see cref="ExecutionForked"/>.
/// </summary>
public sealed record ForkExecution(
    long AtMs, string ExecutionId, string From, long At, string SourceHash, string Mode, ForkEdits? Edits, long Seed, string ForkedBy, string? Acknowledged)
    : ExecutionCommand(AtMs)
{
    public override string Name => "fork";
}
