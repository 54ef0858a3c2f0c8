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

        if (context is not null)
        {
            CheckNames(policy, pointer, context);
        }
    }

    private static void CheckNames(RecoveryPolicy policy, string pointer, CheckContext context)
    {
        var checkpoints = context.Spec.Steps.Where(step => step.Checkpoint && step.Id.Length > 0).Select(step => step.CheckpointName ?? step.Id).Append("last").ToHashSet(StringComparer.Ordinal);
        var agents = context.Spec.Agents.Keys.ToHashSet(StringComparer.Ordinal);
        var ofItems = context.Spec.Steps.Any(step => step.ForEach is not null) ? new[] { ForEachSpec.TooManyFailedCode } : [];
        var codes = context.Guards().Select(guard => guard.Guard.Code).Concat(FailureClasses.Groups.Keys).Concat(ofItems).ToHashSet(StringComparer.Ordinal);
        CheckActions(policy.Actions, pointer + "/recovery_actions");
        foreach (var (rule, rulePointer) in SpecWalk.Numbered(policy.Rules, pointer + "/rules"))
        {
            CheckActions(rule.Do, rulePointer + "/do");
            foreach (var (code, codePointer) in SpecWalk.Numbered(rule.On, rulePointer + "/on"))
            {
                if (code.Length > 0 && !codes.Contains(code))
                {
                    context.Findings.Warning(
                        SpecCodes.UnmatchedCode,
                        codePointer,
                        $"\"{ObjectReader.Shorten(code)}\" is no failure class, and no guard of this workflow has this code.",
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
