namespace Omium.Kernel.Specs;

public sealed partial class WorkflowPlan
{
    /// <summary>Checkpoints that one lease of credits covers at most.</summary>
    public const int LeaseCheckpointsMax = 100;

    /// <summary>Checkpoints that one lease of a traced execution covers: how many its program will commit is not known, and one that never comes back holds what it has.</summary>
    public const int TracedLeaseCheckpoints = 20;

    /// <summary>
    /// Checkpoints to reserve for at a time: as many as the steps can commit, a hundred items of a for_each counting as one; at most
    /// <see cref="LeaseCheckpointsMax"/>, which is also what a workflow with loops asks for. <see cref="TracedLeaseCheckpoints"/> where it is traced.
    /// </summary>
    public int LeaseCheckpoints => IsTraced ? TracedLeaseCheckpoints : Edges.Any(edge => edge.IsLoop)
        ? LeaseCheckpointsMax
        : Math.Min(LeaseCheckpointsMax, Steps.Count(step => step.CheckpointName is not null) + Steps.Count(step => step.Spec.ForEach is not null));
}
