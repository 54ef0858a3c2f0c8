using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>What agreement owes: questions to verifiers, measurements of claims, a worker's acknowledgement.</summary>
internal static partial class PendingEffects
{
    /// <summary>Adds the questions of a visit that is being verified. True when it is: nothing else of it is done meanwhile.</summary>
    private static bool AddQuestions(List<PendingEffect> pending, VisitState visit)
    {
        if (visit.Verification is not { Outcome: VerificationOutcome.Open } verification)
        {
            return false;
        }

        for (var index = 0; index < verification.Verifiers.Count; index++)
        {
            if (verification.Verifiers[index] is { Verdict: null } verifier)
            {
                pending.Add(new PendingEffect(verification.Question(index).ToString(), PendingKind.Model, verifier.DueMs));
            }
        }

        return true;
    }

    /// <summary>Adds the measurements of handoffs that wait for one.</summary>
    private static void AddMeasurements(List<PendingEffect> pending, ExecutionState state, WorkflowPlan plan)
    {
        foreach (var handoff in state.LiveHandoffs)
        {
            if (handoff.Status != HandoffStatus.Proposed)
            {
                continue;
            }

            for (var index = 0; index < handoff.Claims.Count; index++)
            {
                if (handoff.Claims[index] is { Measured: false, Claim.By: "tool" } claim)
                {
                    pending.Add(new PendingEffect(handoff.Measurement(index).ToString(), PendingKind.Measure, claim.DueMs));
                }
            }

            if (AwaitsReceiver(handoff, plan))
            {
                pending.Add(new PendingEffect(handoff.Acknowledgement.ToString(), PendingKind.Task, 0));
            }
        }
    }

    /// <summary>True while the receiving worker itself has still to say what it holds: it is asked last, once Omium has measured its part.</summary>
    public static bool AwaitsReceiver(HandoffState handoff, WorkflowPlan plan) =>
        handoff.Status == HandoffStatus.Proposed && handoff.Claims.All(claim => claim.Measured || claim.Claim.By == "receiver") && IsAcknowledgedByWorker(handoff, plan);

    /// <summary>True when the receiver is a worker that must answer itself.</summary>
    public static bool IsAcknowledgedByWorker(HandoffState handoff, WorkflowPlan plan) =>
        plan.Edges[handoff.Proposal.Edge].Handoff!.Spec.Acknowledge && plan.Step(handoff.Proposal.To)?.Spec.Type == StepType.Worker;
}
