using Omium.Simulation.Scheduling;

namespace Omium.Simulation.Workflows;

/// <summary>Adds to a drawn workflow what <see cref="Features"/> names. A simulation has each feature or has it not, so that they come alone and together.</summary>
internal static class FeatureDrawer
{
    private const int SimulationsWithOneIn = 3;

    /// <summary>The features of one simulation: of those that may be drawn, each in a third of the seeds.</summary>
    public static Features Choose(Dice dice, Features allowed)
    {
        var chosen = Features.None;
        foreach (var feature in Enum.GetValues<Features>().Where(feature => System.Numerics.BitOperations.IsPow2((int)feature)))
        {
            var drawn = dice.Split((int)feature).OneIn(SimulationsWithOneIn);
            chosen |= drawn && allowed.HasFlag(feature) ? feature : Features.None;
        }

        return chosen;
    }

    public static DrawnWorkflow Add(Dice dice, Features features, IReadOnlyList<DrawnLimits> limits, DrawnWorkflow workflow)
    {
        workflow = workflow with { Limits = limits };
        var needsNobody = workflow.NeedsNobody;
        if (features.HasFlag(Features.Glances))
        {
            workflow = AddGlances(dice.Split((int)Features.Glances), workflow);
        }

        if (features.HasFlag(Features.Items))
        {
            workflow = AddItems(dice.Split((int)Features.Items), workflow, needsNobody);
        }

        if (features.HasFlag(Features.Sharing))
        {
            workflow = AddSharing(dice.Split((int)Features.Sharing), workflow);
        }

        if (features.HasFlag(Features.Workers))
        {
            workflow = AddWorkers(dice.Split((int)Features.Workers), workflow);
        }

        if (features.HasFlag(Features.Verifiers) && !needsNobody)
        {
            workflow = AddVerifiers(dice.Split((int)Features.Verifiers), workflow);
        }

        if (features.HasFlag(Features.Handoffs))
        {
            workflow = AddHandoffs(dice.Split((int)Features.Handoffs), workflow, needsNobody);
        }

        return (workflow with { Edges = [.. workflow.Edges.Select(edge => edge with { Number = workflow.Step(edge.From)!.Number })] }).Written();
    }

    /// <summary>Steps look at any that come before them in the list, whether or not an edge leads there: at nothing, when those have not run.</summary>
    private static DrawnWorkflow AddGlances(Dice dice, DrawnWorkflow workflow) => workflow with
    {
        Steps = [.. workflow.Steps.Select((step, index) => index > 0 && step.Reads.Count == 0 && dice.OneIn(2) ? step with { Reads = [workflow.Steps[dice.Below(index)].Id] } : step)],
    };

    private static DrawnWorkflow AddItems(Dice dice, DrawnWorkflow workflow, bool needsNobody) => workflow with
    {
        Steps = [.. workflow.Steps.Select(step => step.Type is "agent_task" or "tool_call" && dice.OneIn(2) ? step with { Items = Items(dice, needsNobody) } : step)],
    };

    private static DrawnWorkflow AddSharing(Dice dice, DrawnWorkflow workflow) => workflow with
    {
        Steps = [.. workflow.Steps.Select(step => step.Type != "human_approval" && dice.OneIn(2) ? step with { Sharing = Sharing(dice) } : step)],
    };

    /// <summary>Counters are only ever counted up by those who read them; notes are written by anybody.</summary>
    private static DrawnSharing Sharing(Dice dice)
    {
        var scopes = dice.Of([0, 1, 1, 2]);
        string[] locks = [.. Enumerable.Range(0, scopes).Select(_ => dice.Of(DrawnSharing.Scopes)).Distinct()];
        var read = dice.OneIn(2) ? $"{dice.Of(DrawnSharing.Scopes)}#count" : null;
        string[] notes = [.. Enumerable.Range(0, dice.Of([0, 0, 1, 2])).Select(_ => $"{dice.Of(DrawnSharing.Scopes)}#note").Distinct()];
        return new DrawnSharing(locks, dice.OneIn(3), read, read is not null && dice.OneIn(2), notes);
    }

    /// <summary>The same effects, done by workers.</summary>
    private static DrawnWorkflow AddWorkers(Dice dice, DrawnWorkflow workflow) => workflow with
    {
        Steps = [.. workflow.Steps.Select(step => step is { Type: "tool_call", Performer: "plain" or "twice" or "checked" } && dice.OneIn(2) ? step with { Type = "worker" } : step)],
    };

    private static DrawnWorkflow AddVerifiers(Dice dice, DrawnWorkflow workflow) => workflow with
    {
        Steps = [.. workflow.Steps.Select(step => step.Type is "agent_task" or "tool_call" && dice.OneIn(2) ? step with { Verifiers = new DrawnVerifiers(dice.Between(1, 3)) } : step)],
    };

    /// <summary>Edges on success hand something over; where nobody shall be needed, both views are the same.</summary>
    private static DrawnWorkflow AddHandoffs(Dice dice, DrawnWorkflow workflow, bool needsNobody) => workflow with
    {
        Edges = [.. workflow.Edges.Select(edge => edge is { On: "success", IsLoop: false } && dice.OneIn(2) ? edge with { IsNeed = false, Handoff = Handoff(dice, workflow.Step(edge.To)!, needsNobody) } : edge)],
    };

    private static DrawnHandoff Handoff(Dice dice, DrawnStep receiver, bool needsNobody) => needsNobody
        ? new DrawnHandoff("expression", false)
        : new DrawnHandoff(dice.Of<string>(receiver.Type == "worker" ? ["receiver", "receiver", "tool", "expression"] : ["tool", "tool", "expression"]), dice.OneIn(2));

    /// <summary>Limits of some tools, the same for every workflow of a simulation: tools of one name count together.</summary>
    public static IReadOnlyList<DrawnLimits> Limits(Dice dice)
    {
        var limits = new List<DrawnLimits>();
        foreach (var tool in new[] { "plain", "twice", "checked" }.Where(_ => dice.OneIn(2)))
        {
            var breaker = dice.OneIn(2);
            limits.Add(new DrawnLimits(tool, breaker ? 1 : dice.Of<int?>([null, 1, 2]), dice.Of<double?>([null, 0.5, 2]), breaker));
        }

        return [.. limits.Where(limit => limit is not { Concurrent: null, PerSecond: null })];
    }

    private static DrawnItems Items(Dice dice, bool needsNobody) => new(
        dice.Of([0, 1, 2, 3, 3, 4, 5]), dice.Between(1, 3), dice.Of<string>(needsNobody ? ["rollback_item", "fail_step"] : ["rollback_item", "fail_step", "pause"]), dice.Of([0.0, 0.5, 0.5, 1.0]));
}
