using System.Text.Json;
using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

#pragma warning disable CS1591 // Name is documented on the base; the records below say what each command means.

/// <summary>What workers say.</summary>
[JsonDerivedType(typeof(SettleTask), "settle_task")]
[JsonDerivedType(typeof(LoseTask), "lose_task")]
[JsonDerivedType(typeof(AcknowledgeHandoff), "acknowledge_handoff")]
public abstract partial record ExecutionCommand;

/// <summary>A worker reports what became of a task. <paramref name="Run"/>: the lease it holds (<see cref="CallState.Runs"/>).</summary>
public sealed record SettleTask(long AtMs, string Effect, int Run, EffectOutcome Outcome) : ExecutionCommand(AtMs)
{
    public override string Name => "settle_task";
}

/// <summary>A lease lapsed: its worker sent no heartbeat in time.</summary>
public sealed record LoseTask(long AtMs, string Effect, int Run) : ExecutionCommand(AtMs)
{
    public override string Name => "lose_task";
}

/// <summary>A receiving worker says what it has seen: an object with a member for each claim that asks it, or why it cannot say.</summary>
public sealed record AcknowledgeHandoff(long AtMs, string Effect, string Worker, JsonElement? Seen, EffectFailure? Failure) : ExecutionCommand(AtMs)
{
    public override string Name => "acknowledge_handoff";
}
