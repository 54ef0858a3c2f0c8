namespace Omium.Kernel.Specs.Checking;

/// <summary>The graph: it starts, every step can be reached, every cycle is bounded.</summary>
internal static class GraphChecks
{
    private const int StepsShownMax = 8;

    public static void Check(CheckContext context)
    {
        if (context.Spec.Steps.Count == 0)
        {
            context.Findings.Error(SpecCodes.NoSteps, "/steps", "The workflow has no steps.", "Add at least one step.");
            return;
        }

        CheckSelfEdges(context);
        CheckReach(context);
        CheckCycles(context);
        CheckDecisions(context);
    }

    private static void CheckSelfEdges(CheckContext context)
    {
        foreach (var edge in context.Spec.Edges)
        {
            if (edge.From == edge.To && edge.From.Length > 0)
            {
                context.Findings.Error(
                    SpecCodes.SelfEdge, edge.Pointer, $"Step \"{edge.From}\" leads to itself.", "Use \"retry\" to repeat a step, or loop through a decision with \"max_visits\".");
            }
        }
    }

    private static void CheckReach(CheckContext context)
    {
        var starts = context.Graph.Starts();
        if (starts.Count == 0)
        {
            if (context.StepIds.Count > 0)
            {
                context.Findings.Error(
                    SpecCodes.NoStartStep, "/steps", "No step can run first: an edge leads to every one.", "Leave one step without incoming edges (a loop back to it with \"max_visits\" does not count).");
            }

            return;
        }

        var isReached = context.Graph.Reachable(starts, (_, _) => true);
        foreach (var (step, index, pointer) in context.Steps())
        {
            var isFirstOfItsId = context.StepIndex(step.Id) == index;
            if (!isReached[index] && isFirstOfItsId)
            {
                context.Findings.Error(
                    SpecCodes.UnreachableStep, pointer, $"Step \"{step.Id}\" can never run: no path leads to it from a first step.", "Add an edge from a step that runs, or remove the step.");
            }
        }
    }

    private static void CheckCycles(CheckContext context)
    {
        var graph = context.Graph;
        var (componentOf, count) = graph.Components(edge => !graph.IsLoop(edge));
        var sizes = new int[count];
        foreach (var component in componentOf)
        {
            sizes[component]++;
        }

        var isReported = new bool[count];
        for (var step = 0; step < graph.Count; step++)
        {
            var component = componentOf[step];
            if (sizes[component] < 2 || isReported[component])
            {
                continue;
            }

            isReported[component] = true;
            var cycle = ShortestCycle(graph, step, componentOf);
            var ids = cycle.Select(pair => context.Spec.Steps[pair.From].Id).Append(context.Spec.Steps[step].Id).ToList();
            var shown = ids.Count <= StepsShownMax ? ids : [.. ids.Take(StepsShownMax - 2), "…", ids[^1]];
            context.Findings.Error(
                SpecCodes.UnboundedCycle,
                context.Spec.Edges[cycle[^1].Edge].Pointer,
                $"These steps wait for each other or repeat without end: {string.Join(" -> ", shown)}.",
                "Remove the edge, or write it under \"edges\" with \"max_visits\" if a loop is meant.");
        }
    }

    /// <summary>The edges of a shortest cycle through a step inside its component, in order.</summary>
    private static List<(int From, int Edge)> ShortestCycle(StepGraph graph, int start, int[] componentOf)
    {
        var cameBy = new Dictionary<int, (int From, int Edge)>();
        var open = new Queue<int>([start]);
        while (!cameBy.ContainsKey(start))
        {
            var step = open.Dequeue();
            foreach (var (to, edge) in graph.Outgoing(step))
            {
                if (!graph.IsLoop(edge) && componentOf[to] == componentOf[start] && cameBy.TryAdd(to, (step, edge)))
                {
                    open.Enqueue(to);
                }
            }
        }

        var cycle = new List<(int From, int Edge)>();
        var at = start;
        do
        {
            cycle.Add(cameBy[at]);
            at = cameBy[at].From;
        }
        while (at != start);
        cycle.Reverse();
        return cycle;
    }

    private static void CheckDecisions(CheckContext context)
    {
        foreach (var (step, index, pointer) in context.Steps())
        {
            var decides = step.Type != StepType.Decision || step.Id.Length == 0 || context.Graph.Outgoing(index).Any(pair => context.Spec.Edges[pair.Edge].When is not null);
            if (!decides)
            {
                context.Findings.Warning(
                    SpecCodes.DecisionWithoutCondition, pointer, $"Decision \"{step.Id}\" decides nothing: no edge that leaves it has a \"when\".", "Give its edges conditions, for example when: \"output.risk == 'low'\".");
            }
        }
    }
}
