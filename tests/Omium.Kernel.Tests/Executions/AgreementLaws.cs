using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Xunit;

namespace Omium.Kernel.Tests.Executions;

/// <summary>What must hold of agents that agree.</summary>
internal static class AgreementLaws
{
    /// <summary>A receiver never starts before it is agreed what it was handed; nothing is committed that its verifiers did not let through.</summary>
    public static void CheckStarts(ExecutionState before, RecordBody record, WorkflowPlan plan)
    {
        var state = before;
        foreach (var happened in record.Events)
        {
            if (happened is StepScheduled scheduled)
            {
                CheckReceiver(state, scheduled, plan);
            }

            if (happened is StepCommitted { By: null } committed && !plan.Expands(new VisitKey(committed.Step, committed.Visit)) && plan.Step(committed.Step) is { Spec: { Verifiers: not null, Type: not StepType.HumanApproval } } step
                && (!step.OwnsCall || step.Effect.Kind == EffectKind.None)) // Arguments may have been agreed on in an earlier attempt.
            {
                Assert.Equal(VerificationOutcome.Agreed, state.Visits[new VisitKey(committed.Step, committed.Visit)].Verification?.Outcome);
            }

            if (happened is CallRequested { Turn: 0 } call && EffectId.TryParse(call.Effect, out var id) && plan.Step(id.Step) is { Spec.Verifiers: not null } caller && caller.Effect.Kind != EffectKind.None)
            {
                Assert.Contains(state.Visits[id.Key].Verifications, known => known.Outcome == VerificationOutcome.Agreed && known.Request.ValueDigest == call.ArgumentsDigest);
            }

            state = ExecutionKernel.Evolve(state, happened, record.Command.AtMs);
        }
    }

    /// <summary>Nobody is asked again whose answer is on record, and no answer is recorded twice.</summary>
    public static void CheckQuestions(HashSet<string> answered, RecordBody record, IReadOnlyList<PendingEffect> pending)
    {
        foreach (var happened in record.Events)
        {
            var effect = happened switch { VerifierAnswered e => e.Effect, VerifierFailed e => e.Effect, HandoffMeasured { Effect: { } e } => e, _ => null };
            Assert.True(effect is null || answered.Add(effect), $"{effect} was answered twice");
        }

        Assert.All(pending, effect => Assert.DoesNotContain(effect.Id, answered));
    }

    private static void CheckReceiver(ExecutionState state, StepScheduled scheduled, WorkflowPlan plan)
    {
        var step = plan.Step(scheduled.Step)!;
        foreach (var edge in step.Incoming.Concat(step.LoopsIn).Where(edge => edge.Handoff is not null))
        {
            foreach (var sender in (scheduled.After ?? []).Where(after => after.Step == edge.Spec.From).Select(after => state.Visits[after]))
            {
                if (sender.Status != VisitStatus.RolledBack && sender.TakenEdges.Contains(edge.Index))
                {
                    var handoff = state.Handoffs.GetValueOrDefault(new HandoffKey(edge.Index, sender.Key));
                    Assert.True(handoff is { Status: HandoffStatus.Agreed }, $"{scheduled.Step}~{scheduled.Visit} starts before {sender.Key} and it agreed ({handoff?.Status})");
                }
            }
        }
    }
}
