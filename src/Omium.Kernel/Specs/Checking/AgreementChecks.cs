using Omium.Kernel.Json;

namespace Omium.Kernel.Specs.Checking;

/// <summary>Agents that must agree: handoffs can be measured without changing anything, and verifiers are agents that can be asked.</summary>
internal static class AgreementChecks
{
    public static void Check(CheckContext context)
    {
        foreach (var edge in context.Spec.Edges)
        {
            if (edge.Handoff is { } handoff)
            {
                CheckHandoff(context, edge, handoff);
            }
        }

        foreach (var (step, _, pointer) in context.Steps())
        {
            if (step.Verifiers is { } verifiers)
            {
                CheckVerifiers(context, step, verifiers, pointer + "/verifiers");
            }
        }
    }

    /// <summary>The root <c>handoff</c> is one message: there must be exactly one handoff into the step that reads it.</summary>
    public static void CheckRoot(CheckContext context, int receiver, string pointer)
    {
        var id = context.Spec.Steps[receiver].Id;
        var count = context.Spec.Edges.Count(edge => edge.To == id && edge.Handoff is not null);
        if (count == 1)
        {
            return;
        }

        context.Findings.Error(
            SpecCodes.HandoffAmbiguous,
            pointer,
            count == 0 ? $"\"handoff\" is read, but no edge into \"{id}\" has a handoff." : $"\"handoff\" is read, but {count} edges into \"{id}\" have one: which is meant?",
            count == 0 ? "Add \"handoff\" to the edge, or read steps.<sender>.output." : "Read steps.<sender>.output of the sender that is meant.");
    }

    private static void CheckHandoff(CheckContext context, EdgeSpec edge, HandoffSpec handoff)
    {
        if (edge.On != EdgeOn.Success)
        {
            context.Findings.Error(
                SpecCodes.PropertyNotApplicable, handoff.Pointer, "\"handoff\" does not go with an edge on failure or always: a step that failed has nothing to hand over.", "Put it on an edge on success.");
        }

        var receiver = context.StepIndex(edge.To) is { } index ? context.Spec.Steps[index] : null;
        foreach (var claim in handoff.Claims)
        {
            var pointer = JsonPointer.Append(handoff.Pointer + "/claims", claim.Name);
            if (!NameChecks.IsId(claim.Name))
            {
                context.Findings.Error(
                    SpecCodes.InvalidId, pointer, $"\"{Reading.ObjectReader.Shorten(claim.Name)}\" cannot be the name of a claim.", "Use a lower-case letter, then letters, digits and _, at most 63 characters.");
            }

            ReferenceChecks.Require(context, claim.Tool, [.. context.Spec.Tools.Keys], pointer + "/seen/tool", "tool");
            if (claim.Tool is { } tool && context.Spec.Tools.TryGetValue(tool, out var known) && known.Effect.Kind != EffectKind.None)
            {
                context.Findings.Error(
                    SpecCodes.ClaimToolHasEffect, pointer + "/seen/tool", $"Tool \"{tool}\" measures, but has an effect of its own.", "Name a tool of kind none: looking must change nothing.");
            }

            if (claim.ByReceiver && receiver is not null && !(handoff.Acknowledge && receiver.Type == StepType.Worker))
            {
                context.Findings.Error(
                    SpecCodes.ClaimNotMeasured,
                    pointer,
                    $"Nobody measures claim \"{claim.Name}\": only a worker with \"acknowledge: true\" says itself what it holds.",
                    "Add \"seen\": an expression over the message, for example size(output.customers), or {tool: name}.");
            }
        }
    }

    private static void CheckVerifiers(CheckContext context, StepSpec step, VerifiersSpec verifiers, string pointer)
    {
        if (step.Type == StepType.HumanApproval)
        {
            context.Findings.Error(
                SpecCodes.PropertyNotApplicable, pointer, "\"verifiers\" does not go with a step of type human_approval: a person has the last word there.", "Remove it, or change the type.");
        }

        if (verifiers.Of.Count is 0 or > SpecLimits.VerifiersMax)
        {
            context.Findings.Error(SpecCodes.OutOfBounds, pointer + "/of", $"{verifiers.Of.Count} verifiers are out of bounds.", $"Name 1 to {SpecLimits.VerifiersMax} agents.");
        }

        foreach (var (agent, agentPointer) in SpecWalk.Numbered(verifiers.Of, pointer + "/of").GroupBy(pair => pair.Item, StringComparer.Ordinal).Where(group => group.Count() > 1).Select(group => group.Last()))
        {
            context.Findings.Error(SpecCodes.DuplicateId, agentPointer, $"Agent \"{Reading.ObjectReader.Shorten(agent)}\" is asked twice; it would agree with itself.", "Name each agent once.");
        }
    }
}
