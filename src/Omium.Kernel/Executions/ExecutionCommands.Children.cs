using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

[JsonDerivedType(typeof(RecordChildStarted), "record_child_started")]
[JsonDerivedType(typeof(RecordChildCancel), "record_child_cancel")]
[JsonDerivedType(typeof(RecordParentNotice), "record_parent_notice")]
public abstract partial record ExecutionCommand;

#pragma warning disable CS1591 // Name is documented on the base; the records below say what each command means.

/// <summary>The child's first record is durable.</summary>
public sealed record RecordChildStarted(long AtMs, string Effect, int Version, string SpecDigest) : ExecutionCommand(AtMs)
{
    public override string Name => "record_child_started";
}

/// <summary>The child of a cancelled execution has the order to end, or never began.</summary>
public sealed record RecordChildCancel(long AtMs, string Effect) : ExecutionCommand(AtMs)
{
    public override string Name => "record_child_cancel";
}

/// <summary>The parent has the notice on record.</summary>
public sealed record RecordParentNotice(long AtMs, int Notice) : ExecutionCommand(AtMs)
{
    public override string Name => "record_parent_notice";
}
