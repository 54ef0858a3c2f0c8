using Omium.Kernel.Specs.Reading;

namespace Omium.Kernel.Specs.Checking;

/// <summary>What names something must name something that is there.</summary>
internal static class ReferenceChecks
{
    public static void Check(CheckContext context)
    {
        var spec = context.Spec;
        var toolNames = spec.Tools.Keys.ToHashSet(StringComparer.Ordinal);
        var agentIds = spec.Agents.Keys.ToHashSet(StringComparer.Ordinal);
        foreach (var (id, agent) in spec.Agents)
        {
            foreach (var (tool, pointer) in SpecWalk.Numbered(agent.Tools, CheckContext.AgentPointer(id) + "/tools"))
            {
                Require(context, tool, toolNames, pointer, "tool");
            }
        }

        foreach (var (step, _, pointer) in context.Steps())
        {
            if (step.Type == StepType.AgentTask)
            {
                Require(context, step.Agent, agentIds, pointer + "/agent", "agent");
            }

            CheckGuardTools(context, step, pointer, toolNames);
            if (step.Type == StepType.ToolCall)
            {
                Require(context, step.Tool, toolNames, pointer + "/tool", "tool");
            }
        }

        foreach (var (effect, pointer) in context.Effects())
        {
            Require(context, effect.Compensate, toolNames, pointer + "/compensate", "tool");
            Require(context, effect.Verify, toolNames, pointer + "/verify", "tool");
        }

        CheckEdges(context);
    }

    /// <summary>Reports a name that is not known; null and empty names are reported elsewhere.</summary>
    public static void Require(CheckContext context, string? name, IReadOnlyCollection<string> known, string pointer, string what)
    {
        if (string.IsNullOrEmpty(name) || known.Contains(name))
        {
            return;
        }

        context.Findings.Error(
            SpecCodes.UnknownReference,
            pointer,
            $"There is no {what} \"{ObjectReader.Shorten(name)}\".",
            context.Findings.Mend(name, known, known.Count == 0 ? $"Define the {what}." : $"Define the {what}, or name one of those that exist."));
    }

    /// <summary>A guard that waits for a tool which the step's agent may not call could never hold.</summary>
    private static void CheckGuardTools(CheckContext context, StepSpec step, string pointer, HashSet<string> toolNames)
    {
        var own = step.Agent is { } agent && context.Spec.Agents.TryGetValue(agent, out var spec) ? spec.Tools : null;
        var guards = SpecWalk.Numbered(step.Post, pointer + "/guards/post").Concat(SpecWalk.Numbered(step.Calls, pointer + "/guards/calls"));
        foreach (var (guard, guardPointer) in guards)
        {
            foreach (var tool in guard.Tools)
            {
                Require(context, tool, toolNames, guardPointer, "tool");
                if (own is not null && toolNames.Contains(tool) && !own.Contains(tool))
                {
                    context.Findings.Error(
                        SpecCodes.UnknownReference, guardPointer, $"Agent \"{step.Agent}\" has no tool \"{ObjectReader.Shorten(tool)}\".", $"Add it to agents.{step.Agent}.tools, or name a tool of the agent.");
                }
            }
        }
    }

    private static void CheckEdges(CheckContext context)
    {
        var seen = new HashSet<(string, string, EdgeOn, string?)>();
        var needs = new HashSet<(string, string)>();
        foreach (var edge in context.Spec.Edges)
        {
            var isNeed = !edge.Pointer.StartsWith("/edges/", StringComparison.Ordinal);
            Require(context, edge.From, context.StepIds, isNeed ? edge.Pointer : edge.Pointer + "/from", "step");
            if (!isNeed)
            {
                Require(context, edge.To, context.StepIds, edge.Pointer + "/to", "step");
            }

            if (edge.From.Length == 0 || edge.To.Length == 0)
            {
                continue;
            }

            var repeatsNeed = !isNeed && edge is { On: not EdgeOn.Failure, VisitsMax: null } && needs.Contains((edge.From, edge.To));
            var isNew = seen.Add((edge.From, edge.To, edge.On, edge.When));
            if (isNeed)
            {
                needs.Add((edge.From, edge.To));
            }

            if (repeatsNeed || !isNew)
            {
                context.Findings.Error(
                    SpecCodes.DuplicateEdge,
                    edge.Pointer,
                    $"The edge from \"{edge.From}\" to \"{edge.To}\" is written twice{(repeatsNeed ? ": \"needs\" is the same edge on success" : "")}.",
                    repeatsNeed ? "Remove it here or from \"needs\"; a condition goes on the edge." : "Remove one of them.");
            }
        }
    }
}
