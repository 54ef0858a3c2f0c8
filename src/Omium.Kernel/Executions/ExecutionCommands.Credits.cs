using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

[JsonDerivedType(typeof(GrantCredits), "grant_credits")]
[JsonDerivedType(typeof(RefuseCredits), "refuse_credits")]
[JsonDerivedType(typeof(AwaitCredits), "await_credits")]
public abstract partial record ExecutionCommand;

#pragma warning disable CS1591 // Name is documented on the base; the records below say what each command means.

/// <summary>What an execution asked for is reserved. <paramref name="Token"/> 0: there is enough again for the model call that waited.</summary>
public sealed record GrantCredits(long AtMs, int Round, long Token, long GrantedMicro) : ExecutionCommand(AtMs)
{
    public override string Name => "grant_credits";
}

/// <summary>What an execution asked for cannot be reserved now.</summary>
public sealed record RefuseCredits(long AtMs, int Round, string Code) : ExecutionCommand(AtMs)
{
    public override string Name => "refuse_credits";
}

/// <summary>A model call cannot be paid: wait until it can.</summary>
public sealed record AwaitCredits(long AtMs, string Effect, long NeededMicro) : ExecutionCommand(AtMs)
{
    public override string Name => "await_credits";
}

/// <summary>Credits reserved for an execution before it begins, and what its checkpoints cost.</summary>
/// <param name="Token">Number of the reservation.</param>
/// <param name="GrantedMicro">Micro-credits it holds.</param>
/// <param name="CheckpointMicro">Price of a committed checkpoint.</param>
/// <param name="ItemMicro">Price of a committed item of a for_each.</param>
public sealed record CreditLease(long Token, long GrantedMicro, long CheckpointMicro, long ItemMicro);
