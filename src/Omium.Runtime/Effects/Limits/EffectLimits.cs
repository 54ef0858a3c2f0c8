using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;

namespace Omium.Runtime.Effects.Limits;

/// <summary>Which limits an outstanding effect is under, and what their answers mean to it.</summary>
public sealed class EffectLimits(ICallLimiter limiter)
{
    /// <summary>Code of a call that was not made because the breaker of its agent or tool is open.</summary>
    public const string BreakerOpen = "breaker_open";

    /// <summary>Waits until the effect may run. It may not be wanted any more by then.</summary>
    public ValueTask<CallPermit> EnterAsync(ExecutionCell cell, PendingEffect effect, CancellationToken cancellation) =>
        TargetOf(cell, effect) is var (target, limits) && limits is not null ? limiter.EnterAsync(target, limits, cancellation) : new(CallPermit.Unlimited);

    /// <summary>The outcome of a call that the permit refuses; null when it may be made.</summary>
    public static EffectOutcome? Refusal(CallPermit permit, PendingKind kind) => permit.RetryAfter is not { } wait ? null : new EffectOutcome
    {
        Failure = new EffectFailure(
            kind == PendingKind.Model ? FailureClasses.ModelError : FailureClasses.ToolError, BreakerOpen,
            $"too many calls failed one after another: no call is made for another {Math.Ceiling(wait.TotalSeconds)} s", RetryAfterMs: (long)Math.Ceiling(wait.TotalMilliseconds)),
    };

    /// <summary>Tells the permit how a call went. Only what may be the other side's trouble counts against it: not a refusal of this one request.</summary>
    public static void Report(CallPermit permit, EffectOutcome outcome) => permit.Report(outcome.Failure is not { Permanent: false });

    private static (LimitedTarget Target, LimitsSpec? Limits) TargetOf(ExecutionCell cell, PendingEffect effect)
    {
        if (cell.Plan is not { } plan || !EffectId.TryParse(effect.Id, out var id) || plan.Step(id.Step) is not { } step)
        {
            return default;
        }

        if (id.Part == 'j')
        {
            var verifiers = cell.State.Visits.GetValueOrDefault(id.Key)?.Verifications.Find(known => known.Request.Attempt == id.Attempt)?.Verifiers ?? [];
            if (id.Number > verifiers.Count)
            {
                return default;
            }

            var named = verifiers[id.Number - 1].Agent;
            var asked = plan.Spec.Agents[cell.State.Substitutes.GetValueOrDefault(named) is { } substitute && plan.Spec.Agents.ContainsKey(substitute) ? substitute : named];
            return (new LimitedTarget(cell.Stream.Tenant, "agent", asked.Id), asked.Limits);
        }

        if (id.Part == 'h')
        {
            var claims = cell.State.Handoffs.GetValueOrDefault(new HandoffKey(id.Number - 1, id.Key))?.Claims ?? [];
            return id.SubNumber <= claims.Count && id.SubNumber > 0 && plan.Tool(claims[id.SubNumber - 1].Claim.Tool ?? "") is { } measures
                ? (new LimitedTarget(cell.Stream.Tenant, "tool", measures.Spec.Name), measures.Spec.Limits)
                : default;
        }

        if (effect.Kind == PendingKind.Model)
        {
            var agent = AgentConversation.Standing(cell.State, plan, step);
            return (new LimitedTarget(cell.Stream.Tenant, "agent", agent.Id), agent.Limits);
        }

        if (cell.State.Visits.GetValueOrDefault(id.Key)?.Calls.Find(call => call.Id == id.WithoutSub) is not { } call)
        {
            return default;
        }

        var declared = step.OwnsCall ? step.Effect : plan.Tool(call.Tool)?.Spec.Effect;
        var name = effect.Kind switch { PendingKind.Verify => declared?.Verify, PendingKind.Compensate => declared?.Compensate, _ => call.Tool };
        return name is not null && plan.Tool(name) is { } tool ? (new LimitedTarget(cell.Stream.Tenant, "tool", name), tool.Spec.Limits) : default;
    }
}
