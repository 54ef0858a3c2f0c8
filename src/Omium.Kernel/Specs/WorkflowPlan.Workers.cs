namespace Omium.Kernel.Specs;

/// <summary>Workers, as the plan knows them.</summary>
public sealed partial class WorkflowPlan
{
    /// <summary>How long a worker's task may take when its step names no timeout: 1 hour.</summary>
    public static readonly TimeSpan TaskTimeoutDefault = TimeSpan.FromHours(1);

    /// <summary>What stands before a queue's name where calls name their tool; no tool can be called so.</summary>
    public const string TaskPrefix = "worker:";

    /// <summary>True when a step of it is a worker's.</summary>
    public bool HasWorkers => _hasWorkers ??= Spec.Steps.Any(step => step.Type == StepType.Worker);

    private bool? _hasWorkers;
}

/// <summary>Compiles a worker's task as the one call of its step.</summary>
internal sealed partial class PlanCompiler
{
    private static ToolPlan Task(StepSpec step) => new(new ToolSpec
    {
        Name = WorkflowPlan.TaskPrefix + step.Target,
        Type = ToolType.Worker,
        Effect = step.Effect ?? EffectSpec.None,
        Timeout = step.Timeout ?? WorkflowPlan.TaskTimeoutDefault,
    });
}
