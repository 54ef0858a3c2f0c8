using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

/// <summary>Commands about what people were left with.</summary>
[JsonDerivedType(typeof(ResolveResidue), "resolve_residue")]
[JsonDerivedType(typeof(ProposeFix), "propose_fix")]
[JsonDerivedType(typeof(IgnoreFailure), "ignore_failure")]
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

/// <summary>A person says that a failure needs nobody's attention. The execution stays as it is, and so does every question about it.</summary>
/// <param name="AtMs">When, Unix ms.</param>
/// <param name="By">Who.</param>
/// <param name="RequestId">Tells a request that is sent again.</param>
/// <param name="Failure">The failure's id behind the execution's: <c>{step}.{visit}.{attempt}</c>, of a dispute <c>{step}.{visit}.h{edge}r{measurement}</c>.</param>
public sealed record IgnoreFailure(long AtMs, string By, string RequestId, string Failure) : ExecutionCommand(AtMs)
{
    public override string Name => "ignore_failure";
}
