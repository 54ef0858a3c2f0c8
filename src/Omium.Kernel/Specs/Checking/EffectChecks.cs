namespace Omium.Kernel.Specs.Checking;

/// <summary>
/// Effect safety: every step with an external effect has a rollback path, or is irreversible by declaration with an approval before it.
/// A tool that an agent calls asks for approval at run time when it is irreversible, so that needs no step.
/// </summary>
internal static class EffectChecks
{
    public static void Check(CheckContext context)
    {
        foreach (var (effect, pointer) in context.Effects())
        {
            CheckDeclaration(context, effect, pointer);
        }

        CheckToolsOfAgents(context);
        var isReachedUnapproved = ReachedUnapproved(context);
        foreach (var (step, index, pointer) in context.Steps())
        {
            if (step.Type is StepType.ToolCall or StepType.Worker)
            {
                CheckStep(context, step, pointer, isReachedUnapproved[index]);
            }
        }
    }

    private static void CheckDeclaration(CheckContext context, EffectSpec effect, string pointer)
    {
        if (effect.Kind == EffectKind.Verifiable && effect.Verify is null)
        {
            context.Findings.Error(
                SpecCodes.VerifyMissing, pointer, "A verifiable effect names no tool that verifies it.", "Add \"verify\" with a tool that answers {\"status\": \"done\" | \"not_done\" | \"unknown\"}, or choose another kind.");
        }

        if (effect.Verify is { } verify && context.Spec.Tools.TryGetValue(verify, out var verifier) && verifier.Effect.Kind != EffectKind.None)
        {
            context.Findings.Error(
                SpecCodes.VerifyHasEffect, pointer + "/verify", $"Tool \"{verify}\" verifies, but has an effect of its own.", "Name a tool of kind none: looking must change nothing.");
        }

        var isUnrepeatable = effect.Compensate is { } compensate
            && context.Spec.Tools.TryGetValue(compensate, out var compensation)
            && compensation.Effect.Kind is not (EffectKind.Idempotent or EffectKind.Verifiable);
        if (isUnrepeatable)
        {
            context.Findings.Error(
                SpecCodes.CompensationNotRepeatable,
                pointer + "/compensate",
                $"Tool \"{effect.Compensate}\" compensates, but is neither idempotent nor verifiable: after a crash nobody could tell whether it ran.",
                "Declare its effect as idempotent or verifiable, if it is.");
        }
    }

    private static void CheckToolsOfAgents(CheckContext context)
    {
        foreach (var (id, agent) in context.Spec.Agents)
        {
            foreach (var (name, pointer) in SpecWalk.Numbered(agent.Tools, CheckContext.AgentPointer(id) + "/tools"))
            {
                if (context.Spec.Tools.TryGetValue(name, out var tool))
                {
                    RequireRollback(context, tool.Effect, pointer, $"Tool \"{name}\", which agent \"{id}\" may call,");
                }
            }
        }
    }

    private static void CheckStep(CheckContext context, StepSpec step, string pointer, bool isReachedUnapproved)
    {
        var effect = context.EffectOf(step);
        var effectPointer = step.Effect is null && step.Type == StepType.ToolCall ? pointer + "/tool" : pointer + "/effect";
        RequireRollback(context, effect, effectPointer, $"Step \"{step.Id}\"");
        if (effect.Kind != EffectKind.Irreversible)
        {
            return;
        }

        if (isReachedUnapproved)
        {
            context.Findings.Error(
                SpecCodes.IrreversibleWithoutApproval,
                effectPointer,
                $"Step \"{step.Id}\" cannot be taken back, and a path leads to it without an approval.",
                "Put a human_approval step before it on every path, left by an edge on success, or make the effect reversible with \"compensate\".");
        }

        foreach (var (_, guardPointer) in SpecWalk.Numbered(step.Post, pointer + "/guards/post"))
        {
            context.Findings.Warning(
                SpecCodes.PostGuardTooLate, guardPointer, "This guard looks when the effect has happened, and the effect is irreversible.", "Check the arguments before: in guards.pre, or in the guards of the tool.");
        }
    }

    private static void RequireRollback(CheckContext context, EffectSpec effect, string pointer, string what)
    {
        if (effect.Kind is EffectKind.Idempotent or EffectKind.Verifiable && effect.Compensate is null)
        {
            context.Findings.Error(
                SpecCodes.EffectWithoutRollback,
                pointer,
                $"{what} changes the world outside and has no rollback path.",
                "Name in effect.compensate a tool that undoes it, or declare kind irreversible and have it approved first.");
        }
    }

    /// <summary>Steps that some path reaches without leaving an approval by its edge on success.</summary>
    private static bool[] ReachedUnapproved(CheckContext context) =>
        context.Graph.Reachable(
            context.Graph.Starts(),
            (step, edge) => context.Spec.Steps[step].Type != StepType.HumanApproval || context.Spec.Edges[edge].On != EdgeOn.Success);
}
