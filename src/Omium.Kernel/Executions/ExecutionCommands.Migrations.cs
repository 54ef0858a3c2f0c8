using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

[JsonDerivedType(typeof(MigrateExecution), "migrate")]
public abstract partial record ExecutionCommand;

#pragma warning disable CS1591 // Name is documented on the base; the records below say what each command means.

/// <summary>
/// Move a paused or failed run to another version of its workflow. <paramref name="Difference"/>: digest of the difference that the person saw.
/// <paramref name="Again"/>: steps that are to run again; whatever else has settled is kept.
/// </summary>
public sealed record MigrateExecution(long AtMs, string By, string RequestId, int Version, string SpecDigest, string Difference, IReadOnlyList<string>? Again) : ExecutionCommand(AtMs)
{
    public override string Name => "migrate";
}
