using System.Text.Json;
using Omium.Contracts.Failures;
using Omium.Contracts.Reviews;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;

namespace Omium.Api.Failures;

/// <summary>What may mend a failure, best first. Made from the checks that were not met, never from a model.</summary>
internal static class SuggestedFixes
{
    public static IReadOnlyList<SuggestedFix> For(StepFailed failure, IReadOnlyList<CheckResult> checks, AgentSpec? agent, StepPlan step, RecoveryPolicy policy)
    {
        var fixes = new List<SuggestedFix>();
        var allowed = policy.AllowedEdits.Except(policy.ForbiddenEdits).ToArray();
        if (agent is not null && (ConductWords.Rule(failure, step, agent) ?? Sentence(failure, checks, step)) is { } rule)
        {
            if (allowed.Contains(EditKinds.Prompt))
            {
                var prompt = agent.Prompt.Length == 0 ? rule : $"{agent.Prompt.TrimEnd()}\n\n{rule}";
                fixes.Add(new SuggestedFix("prompt", $"Say it in the prompt of {agent.Id}", rule, new AgentEdits(Prompt: prompt)));
            }

            if (allowed.Contains(EditKinds.Constraints))
            {
                fixes.Add(new SuggestedFix("constraint", $"Make it a constraint of {agent.Id}", rule, new AgentEdits(Constraints: [.. agent.Constraints, rule])));
            }
        }

        if (failure is { Class: FailureClasses.DisobeyRoleSpecification, Code: "tool_of_another_role" })
        {
            fixes.Add(new SuggestedFix("tool", "If the task needs that tool, give it to the agent", "Edit the agent's tools; else leave the work to the agent whose tool it is, in a step of its own."));
        }

        if (failure.Class == FailureClasses.InDoubt)
        {
            fixes.Add(new SuggestedFix("decide", "Say whether it happened", "Look at the receiver, then decide the review with done or redo; Omium does not repeat the call on its own."));
            return fixes;
        }

        fixes.Add(FailureClasses.Transient.Contains(failure.Class)
            ? new SuggestedFix("retry", "Try again", $"{failure.Class.Replace('_', ' ')} is often over by itself; committed steps stay as they are.")
            : new SuggestedFix("retry", "Try again without a change", "A model may answer differently; without a change the same failure may come again."));
        fixes.Add(new SuggestedFix("override", "Give the output yourself", "Your output is held to the same schema and checks, and the steps behind it use it."));
        return fixes;
    }

    /// <summary>Every check that was not met, as one instruction: the rule, and the wrong value as what it must never be.</summary>
    private static string? Sentence(StepFailed failure, IReadOnlyList<CheckResult> checks, StepPlan step)
    {
        var failing = checks.Where(check => !check.Passed && check.Phase == "post").ToArray();
        if (failing.Length == 0)
        {
            return failure.Class == FailureClasses.SchemaViolation ? $"Answer with JSON that meets the schema exactly ({failure.Message})." : null;
        }

        return string.Join(' ', failing.Select(check =>
            ConductWords.OfGuard(step, check.Check, check.Message) ?? $"In your answer, {GuardWords.Rule(check.Check)}{Never(check.Actual)}."));
    }

    private static string Never(JsonElement? actual)
    {
        var wrong = actual is { ValueKind: JsonValueKind.Object } seen
            ? seen.EnumerateObject().Where(member => member.Name.StartsWith("output.", StringComparison.Ordinal) && member.Value.ValueKind == JsonValueKind.Number).ToArray()
            : [];
        return wrong.Length == 1 ? $", never {wrong[0].Value.GetRawText()}" : "";
    }
}
