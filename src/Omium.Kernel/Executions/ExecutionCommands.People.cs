using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

/// <summary>Commands about what people were left with.</summary>
[JsonDerivedType(typeof(ResolveResidue), "resolve_residue")]
[JsonDerivedType(typeof(ProposeFix), "propose_fix")]
public abstract partial record ExecutionCommand;

#pragma warning disable CS1591 // Name is documented on the base.

/// <summary>A person has dealt with an effect that could not be undone.</summary>
public sealed record ResolveResidue(long AtMs, string By, string RequestId, string Effect, string? Note) : ExecutionCommand(AtMs)
{
    public override string Name => "resolve_residue";
}

/// <summary>Somebody who may not decide, an assistant for example, proposes an edit to whoever does.</summary>
public sealed record ProposeFix(long AtMs, string Review, string Digest, string By, AgentEdit Edits, string? Note, string? RequestId = null) : ExecutionCommand(AtMs)
{
    public override string Name => "propose_fix";
}
