using Omium.Kernel.Expressions;
using Omium.Kernel.Schemas;

namespace Omium.Kernel.Specs;

/// <summary>Handoffs, compiled.</summary>
public sealed partial class WorkflowPlan
{
    /// <summary>The one edge with a handoff into a step; null when there is none (or more than one, which no expression may then read).</summary>
    public EdgePlan? HandoffInto(string receiver)
    {
        var step = Step(receiver);
        var edges = step is null ? [] : step.Incoming.Concat(step.LoopsIn).Where(edge => edge.Handoff is not null).Take(2).ToArray();
        return edges.Length == 1 ? edges[0] : null;
    }

    /// <summary>What a receiver reads of a message by the root <c>handoff</c> is a part of its sender's output, and is kept inline with it.</summary>
    private static void ProjectHandoffs(WorkflowPlan plan)
    {
        foreach (var edge in plan.Edges.Where(edge => edge.Handoff is not null))
        {
            if (plan.Step(edge.Spec.From) is not { } sender || plan.Step(edge.Spec.To) is not { } receiver)
            {
                continue;
            }

            foreach (var path in receiver.Expressions.SelectMany(expression => expression.Paths).Where(path => path.Root == "handoff" && path.Segments.Count > 0))
            {
                sender.AddProjection(path.Segments);
            }
        }
    }
}

/// <summary>A compiled handoff.</summary>
public sealed record HandoffPlan(HandoffSpec Spec, JsonSchema? Schema, IReadOnlyList<CelExpression> Constraints, IReadOnlyList<ClaimPlan> Claims)
{
    /// <summary>Expressions that read the outputs of steps.</summary>
    internal IEnumerable<CelExpression> Expressions => Constraints
        .Concat(Claims.Select(claim => claim.Said))
        .Concat(Claims.Select(claim => claim.Seen).OfType<CelExpression>())
        .Concat(Claims.SelectMany(claim => claim.Arguments?.Expressions.Select(e => e.Expression) ?? []));
}

/// <summary>A compiled claim.</summary>
public sealed record ClaimPlan(ClaimSpec Spec, CelExpression Said, CelExpression? Seen, Template? Arguments, CelExpression? Value);

/// <summary>Compiles handoffs.</summary>
internal sealed partial class PlanCompiler
{
    public HandoffPlan? Handoff(HandoffSpec? handoff)
    {
        if (handoff is null)
        {
            return null;
        }

        var claims = handoff.Claims
            .Select(claim => (claim, said: Expression(claim.Said), seen: Expression(claim.Seen), arguments: Template(claim.Arguments), value: Expression(claim.Value)))
            .Where(parts => parts.said is not null)
            .Select(parts => new ClaimPlan(parts.claim, parts.said!, parts.seen, parts.arguments, parts.value));
        return new HandoffPlan(handoff, Schema(handoff.Schema), [.. handoff.Constraints.Select(Expression).OfType<CelExpression>()], [.. claims]);
    }
}
