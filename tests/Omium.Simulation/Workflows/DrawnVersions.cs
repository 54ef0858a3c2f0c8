using Omium.Simulation.Scheduling;

namespace Omium.Simulation.Workflows;

/// <summary>Later versions of a drawn workflow: steps that are new, gone or held to another guard, edges that change places, another policy.</summary>
internal static class DrawnVersions
{
    private const int VersionsMax = 3;

    /// <summary>The versions of a workflow by number; the first is the one given.</summary>
    public static IReadOnlyDictionary<int, DrawnWorkflow> Of(Dice dice, DrawnWorkflow workflow)
    {
        var versions = new Dictionary<int, DrawnWorkflow> { [1] = workflow };
        for (var number = 2; number <= VersionsMax; number++)
        {
            var next = Change(dice, versions[number - 1], number);
            next = dice.OneIn(2) ? Change(dice, next, number + VersionsMax) : next;
            versions[number] = (next with { Edges = [.. next.Edges.Select(edge => edge with { Number = next.Step(edge.From)!.Number })] }).Written();
        }

        return versions;
    }

    /// <summary>Steps of the first that a move to the second concerns: gone, another, or reached by other edges.</summary>
    public static IReadOnlySet<string> Concerned(DrawnWorkflow from, DrawnWorkflow to)
    {
        var changed = from.Steps.Where(step => to.Steps.All(other => other.Id != step.Id) || IsChanged(from, to, step.Id)).Select(step => step.Id);
        var edges = from.Edges.Except(to.Edges).Concat(to.Edges.Except(from.Edges)).Select(edge => edge.To);
        return changed.Concat(edges).ToHashSet();
    }

    /// <summary>True when a step of both does something else.</summary>
    public static bool IsChanged(DrawnWorkflow from, DrawnWorkflow to, string step) =>
        to.Steps.FirstOrDefault(other => other.Id == step) is { } now && now.ForbiddenNumber != from.Steps.First(other => other.Id == step).ForbiddenNumber;

    private static DrawnWorkflow Change(Dice dice, DrawnWorkflow workflow, int number)
    {
        var steps = workflow.Steps;
        switch (dice.Below(6))
        {
            case 0 or 1: // First in the list, so that every edge after it has another number.
                var first = Added(dice, number);
                return workflow with { Steps = [first, .. steps], Edges = [new DrawnEdge(first.Id, dice.Of(steps).Id, "success", null, null, dice.OneIn(2)), .. workflow.Edges] };
            case 2:
                var last = Added(dice, number);
                return workflow with { Steps = [.. steps, last], Edges = [.. workflow.Edges, new DrawnEdge(dice.Of(steps).Id, last.Id, dice.Of(["success", "always"]), null, null, false)] };
            case 3:
                var guarded = dice.Of(steps);
                return guarded.Type is not ("agent_task" or "tool_call") ? workflow : workflow with
                {
                    Steps = [.. steps.Select(step => step == guarded ? step with { ForbiddenNumber = step.ForbiddenNumber is null ? dice.Between(3, 6) : null } : step)],
                };
            case 4:
                var (policy, index) = WorkflowDrawer.Policy(dice);
                return workflow with { Policy = policy, PolicyIndex = index };
            default:
                var sinks = steps.Where(step => step.Id != "s1" && !workflow.Edges.Any(edge => edge.From == step.Id && !edge.IsLoop) && !steps.Any(other => other.Reads.Contains(step.Id))).ToArray();
                return sinks.Length == 0 ? workflow : Without(workflow, dice.Of(sinks).Id);
        }
    }

    private static DrawnStep Added(Dice dice, int number)
    {
        var id = $"t{number}";
        return dice.Below(3) switch
        {
            0 => new DrawnStep(id, "decision", ""),
            1 => new DrawnStep(id, "tool_call", "twice"),
            _ => new DrawnStep(id, "agent_task", "one"),
        };
    }

    private static DrawnWorkflow Without(DrawnWorkflow workflow, string id) => workflow with
    {
        Steps = [.. workflow.Steps.Where(step => step.Id != id)],
        Edges = [.. workflow.Edges.Where(edge => edge.From != id && edge.To != id)],
    };
}
