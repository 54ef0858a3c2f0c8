using System.Collections.Immutable;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>What a policy does about a failure.</summary>
/// <param name="By">trigger, rule, retry or none.</param>
/// <param name="Rule">Index of the rule, if one applies.</param>
/// <param name="Actions">Actions in order.</param>
public sealed record PolicyVerdict(string By, int? Rule, IReadOnlyList<RecoveryAction> Actions)
{
    /// <summary>True when something is done about it: anything but another attempt by itself, or failing.</summary>
    public bool Catches => Actions.Any(action => action.Kind != "fail");
}

/// <summary>Asks a policy about past failures, beside their executions, with the very decisions that a run under it would have made.</summary>
public static class PolicyTrial
{
    /// <summary>The plan of an execution with another policy; null when a condition of it does not compile.</summary>
    public static WorkflowPlan? Under(WorkflowPlan plan, RecoveryPolicy policy, out string? problem) => WorkflowPlan.TryCompile(plan.Spec with { Recovery = policy }, out problem);

    /// <summary>
    /// What the policy of <paramref name="values"/> does about a failure in the state just before it. <paramref name="ruleUses"/>: how often its rules were
    /// applied to earlier failures of that execution; whether the failure was permanent is not on record, so that a retry is only a possible one.
    /// </summary>
    public static PolicyVerdict Judge(ExecutionState before, DecisionValues values, StepFailed failure, IReadOnlyDictionary<int, int> ruleUses, long atMs) =>
        new Decision(before with { RuleUses = ruleUses.ToImmutableDictionary() }, values, atMs).Judge(failure);
}

internal sealed partial class Decision
{
    internal PolicyVerdict Judge(StepFailed failure)
    {
        var failing = new Failing(failure.Class, failure.Code, failure.Message);
        var visit = Visit(new VisitKey(failure.Step, failure.Visit));
        var isItem = visit.Key.IsItem; // Triggers and rules act on the step alone.
        if (!isItem && Plan.Policy.Triggers.Contains(failing.Class))
        {
            return new PolicyVerdict("trigger", null, Plan.Policy.Actions);
        }

        if (!isItem && MatchingRule(failing, visit) is { } rule)
        {
            return new PolicyVerdict("rule", rule, Plan.Rules[rule].Spec.Do);
        }

        var isRetried = Plan.Step(failure.Step) is { } step && RetryOf(step, visit, failing, failure.Fingerprint) is not null;
        return new PolicyVerdict(isRetried ? "retry" : "none", null, []);
    }
}
