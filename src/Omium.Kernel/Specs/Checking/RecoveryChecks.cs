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
        }

        if (context is not null)
        {
            CheckNames(policy, pointer, context);
        }
    }

    private static void CheckNames(RecoveryPolicy policy, string pointer, CheckContext context)
    {
        CheckActions(context, policy.Actions, pointer + "/recovery_actions");
        var codes = context.Guards().Select(guard => guard.Guard.Code).ToHashSet(StringComparer.Ordinal);
        foreach (var (rule, rulePointer) in SpecWalk.Numbered(policy.Rules, pointer + "/rules"))
        {
            CheckActions(context, rule.Do, rulePointer + "/do");
            foreach (var (code, codePointer) in SpecWalk.Numbered(rule.On, rulePointer + "/on"))
            {
                if (code.Length > 0 && !FailureClasses.Groups.ContainsKey(code) && !codes.Contains(code))
                {
                    context.Findings.Warning(
                        SpecCodes.UnmatchedCode,
                        codePointer,
                        $"\"{ObjectReader.Shorten(code)}\" is no failure class, and no guard of this workflow has this code.",
                        Suggestion.Mend(code, [.. FailureClasses.Groups.Keys, .. codes], "Name a failure class or the code of a guard."));
                }
            }
        }
    }

    private static void CheckActions(CheckContext context, IReadOnlyList<RecoveryAction> actions, string pointer)
    {
        IReadOnlyCollection<string> checkpoints =
            ["last", .. context.Spec.Steps.Where(step => step.Checkpoint && step.Id.Length > 0).Select(step => step.CheckpointName ?? step.Id)];
        IReadOnlyCollection<string> agents = [.. context.Spec.Agents.Keys];
        foreach (var action in actions)
        {
            if (action.Kind == "rollback_to")
            {
                ReferenceChecks.Require(context, action.Argument, checkpoints, pointer, "checkpoint");
            }

            if (action.Kind == "use_agent")
            {
                ReferenceChecks.Require(context, action.Argument, agents, pointer, "agent");
            }
        }
    }
}
