using System.Text.Json;
using Omium.Kernel.Specs;
using Xunit;

namespace Omium.Kernel.Tests.Specs;

public class RecoveryPolicyReaderTests
{
    /// <summary>The policy that the design promises to load as written, after YAML parsing.</summary>
    private const string PromisedPolicy = """
        {
          "rollback_triggers": [{"hallucination_detected": true}, {"policy_violation": true}, {"high_value_operation": true}],
          "recovery_actions": [
            {"rollback_to_last_checkpoint": true}, {"pause_and_notify": true}, {"await_human_review": true},
            {"allowed_edits": ["prompt", "constraints", "tool_selection"]}, {"forbidden_edits": ["core_logic", "agent_count"]}
          ],
          "retry_policy": {"max_retries": 3, "backoff": "exponential(1s, 10s)", "condition": "same_failure_not_detected_twice"}
        }
        """;

    [Fact]
    public void Read_PromisedPolicy_MeansWhatTheDesignSays()
    {
        var policy = ReadClean(PromisedPolicy);

        Assert.Equal(["hallucination", "policy_violation", "high_value_operation"], policy.Triggers);
        Assert.Equal(
            [new RecoveryAction("rollback_to", "last"), new RecoveryAction("pause"), new RecoveryAction("notify"), new RecoveryAction("await_review")],
            policy.Actions);
        Assert.Equal(["prompt", "constraints", "tool_selection"], policy.AllowedEdits);
        Assert.Equal(["core_logic", "agent_count"], policy.ForbiddenEdits);
        Assert.Equal(new PolicyRetry(3, new Backoff(true, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), true), true), policy.Retry);
        Assert.False(policy.RetryTransientOnly);
        Assert.Empty(policy.Rules);
    }

    [Fact]
    public void Read_TriggerFalse_IsOff()
    {
        var policy = ReadClean("""{"rollback_triggers": [{"hallucination_detected": false}, "policy_violation"], "recovery_actions": [{"pause_and_notify": false}, "fail"]}""");

        Assert.Equal(["policy_violation"], policy.Triggers);
        Assert.Equal([new RecoveryAction("fail")], policy.Actions);
        Assert.Null(policy.Retry);
    }

    [Fact]
    public void Read_ConstantBackoff_WaitsTheSameEachTime()
    {
        var policy = ReadClean("""{"retry_policy": {"max_retries": 2, "backoff": "constant(2s)"}}""");

        Assert.Equal(new PolicyRetry(2, new Backoff(false, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2), false), false), policy.Retry);
    }

    [Fact]
    public void Read_RulesForm_KeepsOrderAndArguments()
    {
        var policy = ReadClean("""
            {"rules": [
              {"on": ["tool_error", "over_limit"], "when": "failure.attempt < 3", "do": ["retry"], "limit": 5},
              {"do": [{"rollback_to": "score"}, "compensate", {"notify": "ops"}, {"escalate_to": "approver"}, {"use_agent": "backup"}, "skip"]}
            ]}
            """);

        Assert.Equal(2, policy.Rules.Count);
        Assert.Equal(["tool_error", "over_limit"], policy.Rules[0].On);
        Assert.Equal("failure.attempt < 3", policy.Rules[0].When);
        Assert.Equal(5, policy.Rules[0].Limit);
        Assert.Equal(
            [
                new("rollback_to", "score"), new("compensate"), new("notify", "ops"), new("escalate_to", "approver"), new("use_agent", "backup"), new RecoveryAction("skip"),
            ],
            policy.Rules[1].Do);
        Assert.Null(policy.Retry); // What a rule tries again says nothing about what no rule names.
    }

    [Theory]
    [InlineData("""{"rollback_triggers": [{"halucination_detected": true}]}""", "unknown_trigger", "/rollback_triggers/0/halucination_detected", "hallucination_detected")]
    [InlineData("""{"recovery_actions": [{"rolback_to_last_checkpoint": true}]}""", "unknown_action", "/recovery_actions/0/rolback_to_last_checkpoint", "rollback_to_last_checkpoint")]
    [InlineData("""{"recovery_actions": [{"pause": true, "fail": true}]}""", "invalid_value", "/recovery_actions/0", "own dash")]
    [InlineData("""{"recovery_actions": [{"allowed_edits": ["core_logic"]}]}""", "unknown_edit", "/recovery_actions/0/allowed_edits/0", "forbidden_edits")]
    [InlineData("""{"recovery_actions": ["rollback_to"]}""", "required_missing", "/recovery_actions/0", "rollback_to: last")]
    [InlineData("""{"allowed_edits": ["prompt"], "forbidden_edits": ["prompt"]}""", "contradictory_edits", "/allowed_edits/0", "one of the two")]
    [InlineData("""{"retry_policy": {"max_retries": 3, "backoff": "exponential(1s)"}}""", "invalid_value", "/retry_policy/backoff", "exponential(1s, 10s)")]
    [InlineData("""{"retry_policy": {"max_retries": 3, "condition": "same_failure"}}""", "invalid_value", "/retry_policy/condition", "same_failure_not_detected_twice")]
    [InlineData("""{"rules": [{"do": ["fail"]}], "rollback_triggers": []}""", "mixed_policy_forms", "/rollback_triggers", "one form")]
    [InlineData("""{"retry_polcy": {}}""", "unknown_property", "/retry_polcy", "retry_policy")]
    public void Read_Mistake_IsOneFindingThatSaysHowToMend(string source, string code, string pointer, string mend)
    {
        var finding = Assert.Single(RecoveryPolicyReader.Read(Parse(source)).Findings);

        Assert.Equal((code, pointer, SpecSeverity.Error), (finding.Code, finding.Pointer, finding.Severity));
        Assert.Contains(mend, finding.Mend, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"rules": [{"do": ["retry", "notify"]}]}""", "/rules/0/do", "before \"retry\"")]
    [InlineData("""{"rules": [{"do": ["await_review", "skip"]}]}""", "/rules/0/do", "whoever is asked")]
    [InlineData("""{"rules": [{"do": [{"escalate_to": "lead"}, "notify", {"use_agent": "backup"}]}]}""", "/rules/0/do", "whoever is asked")]
    [InlineData("""{"rules": [{"do": ["fail"]}, {"on": ["timeout"], "do": ["retry"]}]}""", "/rules/1", "before that rule")]
    [InlineData("""{"recovery_actions": ["pause_and_notify"]}""", "/recovery_actions", "rollback_triggers")]
    [InlineData("""{"rollback_triggers": [{"timeout": false}], "recovery_actions": ["fail"]}""", "/recovery_actions", "rollback_triggers")]
    [InlineData("""{"rollback_triggers": ["timeout"], "recovery_actions": ["fail", "pause"]}""", "/recovery_actions", "before \"fail\"")]
    public void CheckPolicy_WhatIsNeverCarriedOut_IsWarnedOfWithHowToMend(string source, string pointer, string mend)
    {
        var finding = Assert.Single(SpecChecker.CheckPolicy(ReadClean(source)));

        Assert.Equal((SpecCodes.NeverApplied, pointer, SpecSeverity.Warning), (finding.Code, finding.Pointer, finding.Severity));
        Assert.Contains(mend, finding.Mend, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"rules": [{"do": ["notify", "pause", "retry"]}]}""")]
    [InlineData("""{"rules": [{"do": ["await_review", {"rollback_to": "last"}, "retry"]}]}""")]
    [InlineData("""{"rules": [{"do": ["retry"], "limit": 2}, {"when": "failure.attempt < 3", "do": ["skip"]}, {"do": ["pause", "notify", "await_review"]}]}""")]
    public void CheckPolicy_WhatCanBeCarriedOut_IsNotWarnedOf(string source) => Assert.Empty(SpecChecker.CheckPolicy(ReadClean(source)));

    private static RecoveryPolicy ReadClean(string source)
    {
        var (policy, findings) = RecoveryPolicyReader.Read(Parse(source));
        Assert.Empty(findings);
        return policy!;
    }

    private static JsonElement Parse(string text) => JsonElement.Parse(text);
}
