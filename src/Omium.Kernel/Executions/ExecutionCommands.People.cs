using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

/// <summary>Commands about what people were left with.</summary>
[JsonDerivedType(typeof(ResolveResidue), "resolve_residue")]
public abstract partial record ExecutionCommand;

#pragma warning disable CS1591 // Name is documented on the base.

/// <summary>A person has dealt with an effect that could not be undone.</summary>
public sealed record ResolveResidue(long AtMs, string By, string RequestId, string Effect, string? Note) : ExecutionCommand(AtMs)
{
    public override string Name => "resolve_residue";
}
