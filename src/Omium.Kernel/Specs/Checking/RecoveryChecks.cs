using Omium.Kernel.Specs.Reading;

namespace Omium.Kernel.Specs.Checking;

/// <summary>A recovery policy: bounds, and what its rules name.</summary>
internal static class RecoveryChecks
{
    /// <param name="policy">The policy.</param>
    /// <param name="pointer">Where it is written.</param>
    /// <param name="context">The workflow; null for a policy that stands alone.</param>
    /// <param name="findings">Where findings go.</param>
    public static void Check(RecoveryPolicy policy, string pointer, CheckContext? context, FindingList findings)
    {
        if (policy.Retry is { } retry)
        {
            BoundsChecks.RequireNumber(findings, retry.RetriesMax, pointer + "/retry_policy/max_retries", 0, SpecLimits.AttemptsMax);
            BoundsChecks.CheckBackoff(findings, retry.Backoff, pointer + "/retry_policy/backoff", pointer + "/retry_policy/backoff");
        }

        foreach (var (rule, rulePointer) in SpecWalk.Numbered(policy.Rules, pointer + "/rules"))
        {
            BoundsChecks.RequireNumber(findings, rule.Limit, rulePointer + "/limit", 1, int.MaxValue);
            new ExpressionReader(findings, context).Condition(rule.When, rulePointer + "/when", ExpressionScope.RecoveryRule);
        }

        CheckReach(policy, pointer, findings);
        if (context is not null)
        {
            CheckNames(policy, pointer, context);
        }
    }

    /// <summary>Actions that say what becomes of the step.</summary>
    private static readonly string[] Concluding = ["retry", "skip", "fail", "use_agent"];

    private static readonly string[] Asking = ["await_review", "escalate_to"];

    /// <summary>What is written and can never be carried out.</summary>
    private static void CheckReach(RecoveryPolicy policy, string pointer, FindingList findings)
    {
        var isMisspelt = findings.Items.Any(finding => finding.Code is SpecCodes.UnknownTrigger or SpecCodes.MixedPolicyForms);
        if (policy is { Actions.Count: > 0, Triggers.Count: 0 } && !isMisspelt)
        {
            findings.Warning(
                SpecCodes.NeverApplied, pointer + "/recovery_actions", "No trigger names a failure, so that these actions are never carried out.",
                "Name failure classes in rollback_triggers, for example hallucination_detected; or write rules: [{do: [...]}], which serve every failure.");
        }

        CheckOrder(policy.Actions, pointer + "/recovery_actions", findings);
        var isServed = false;
        foreach (var (rule, rulePointer) in SpecWalk.Numbered(policy.Rules, pointer + "/rules"))
        {
            CheckOrder(rule.Do, rulePointer + "/do", findings);
            if (isServed)
            {
                findings.Warning(SpecCodes.NeverApplied, rulePointer, "A rule before this one matches every failure, so that this one is never applied.", "Write it before that rule.");
            }

            isServed |= rule is { On.Count: 0, When: null, Limit: null, Do.Count: > 0 };
        }
    }

    private static void CheckOrder(IReadOnlyList<RecoveryAction> actions, string pointer, FindingList findings)
    {
        string? before = null;
        foreach (var action in actions)
        {
            if (before is not null && (Concluding.Contains(before) || Concluding.Contains(action.Kind)))
            {
                var isAsked = Asking.Contains(before);
                findings.Warning(
                    SpecCodes.NeverApplied, pointer, $"\"{action.Kind}\" is never carried out: \"{before}\" before it {(isAsked ? "leaves to a person" : "says")} what becomes of the step.",
                    isAsked ? $"Remove one of the two: whoever is asked may retry, skip or reject." : $"Write it before \"{before}\".");
                return;
            }

            before = action.Kind is "rollback_to" or "compensate" ? null // It takes the question back with what was asked about.
                : Concluding.Contains(action.Kind) || Asking.Contains(action.Kind) ? action.Kind : before;
        }
    }

    private static void CheckNames(RecoveryPolicy policy, string pointer, CheckContext context)
    {
        var checkpoints = context.Spec.Steps.Where(step => step.Checkpoint && step.Id.Length > 0).Select(step => step.CheckpointName ?? step.Id).Append("last").ToHashSet(StringComparer.Ordinal);
        var agents = context.Spec.Agents.Keys.ToHashSet(StringComparer.Ordinal);
        var hasChildren = context.Spec.Steps.Any(step => step.Type == StepType.Workflow); // A child fails its step with the code that it failed with itself.
        var codes = context.Guards().Select(guard => guard.Guard.Code).Concat(FailureClasses.Groups.Keys).Concat(FailureCodes.All).ToHashSet(StringComparer.Ordinal);
        CheckActions(policy.Actions, pointer + "/recovery_actions");
        foreach (var (rule, rulePointer) in SpecWalk.Numbered(policy.Rules, pointer + "/rules"))
        {
            CheckActions(rule.Do, rulePointer + "/do");
            foreach (var (code, codePointer) in SpecWalk.Numbered(rule.On, rulePointer + "/on"))
            {
                if (code.Length > 0 && !codes.Contains(code) && !FailureCodes.IsBuiltIn(code) && !hasChildren)
                {
                    context.Findings.Warning(
                        SpecCodes.UnmatchedCode,
                        codePointer,
                        $"\"{ObjectReader.Shorten(code)}\" is no failure class and no code of Omium's own, and no guard of this workflow has this code.",
                        context.Findings.Mend(code, codes, "Name a failure class or the code of a guard."));
                }
            }
        }

        void CheckActions(IReadOnlyList<RecoveryAction> actions, string actionsPointer)
        {
            foreach (var action in actions)
            {
                if (action.Kind is "rollback_to" or "use_agent")
                {
                    var isRollback = action.Kind == "rollback_to";
                    ReferenceChecks.Require(context, action.Argument, isRollback ? checkpoints : agents, actionsPointer, isRollback ? "checkpoint" : "agent");
                }
            }
        }
    }
}
