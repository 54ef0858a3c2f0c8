using System.Collections.Immutable;
using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Rules of a policy: what they apply to, what does not follow from them, and what waits for whom they ask.</summary>
public sealed class RuleTests
{
    [Fact]
    public void Retry_OfARule_IsNoRetryOfWhatNoRuleNames()
    {
        var harness = Flow.Of(Call("a", more: Guard("output.n > 3")), recovery: """{"rules": [{"on": ["rate_limited"], "do": ["retry"]}]}""");
        harness.Start();
        harness.Result("a~1~1~c1", """{"n": 1}""");
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
        Assert.Empty(harness.Events.OfType<RetryScheduled>());
    }

    [Fact]
    public void Retry_OfARule_EndsAtItsLimit()
    {
        var harness = Flow.Of(Call("a"), recovery: """{"rules": [{"on": ["tool_error"], "do": ["retry"], "limit": 1}]}""");
        harness.Start();
        harness.Run((_, _) => Fails("tool_error", "http_500"));
        Assert.Equal((ExecutionStatus.Failed, 2), (harness.State.Status, harness.State.LatestVisit("a")!.Attempt));
    }

    [Theory]
    [InlineData("\"skip\"")]
    [InlineData("\"fail\"")]
    [InlineData("\"retry\"")]
    [InlineData("{\"use_agent\": \"spare\"}")]
    public void Conclusion_BehindAQuestion_WaitsForWhoeverIsAsked(string conclusion)
    {
        var harness = Flow.Of(string.Join(',', Agent("a"), Call("b", "a")), recovery: $$"""{"rules": [{"do": ["await_review", {{conclusion}}]}]}""");
        harness.Start();
        harness.Failure("a~1~1~m1", new EffectFailure("model_error", "x", "m", Permanent: true));
        Assert.Equal((ExecutionStatus.Running, VisitStatus.FailedAttempt), (harness.State.Status, harness.Status("a")));
        Assert.Empty(harness.Due());
        Assert.True(harness.Decide("override", output: "{}").Accepted);
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal((ExecutionStatus.Succeeded, VisitStatus.Committed), (harness.State.Status, harness.Status("a")));
        Laws.Check(harness);
    }

    [Theory]
    [InlineData("output.n > 3")] // Asks for an output that there is not: it cannot be evaluated.
    [InlineData("output != null")]
    public void Skip_TakesTheEdgesThatAskForNoOutput_WhateverStandsBeforeThem(string condition)
    {
        var edges = string.Join(',', Edge("a", "b", $"\"when\": \"{condition}\""), Edge("a", "c"), Edge("a", "d", "\"on\": \"failure\""), Edge("a", "e", "\"on\": \"always\""));
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b"), Call("c"), Call("d"), Call("e")), edges, """{"rules": [{"do": ["skip"]}]}""");
        harness.Start();
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "x", "m"));
        Assert.Equal(["c~1~1~c1", "e~1~1~c1"], harness.Due());
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal((VisitStatus.Skipped, VisitStatus.Skipped), (harness.Status("b"), harness.Status("d")));
        Laws.Check(harness);
    }

    [Theory]
    [InlineData("-20000")]
    [InlineData("20000")]
    public void Amount_BeyondTheLimitInEitherDirection_IsOfHighValue(string amount)
    {
        var harness = Flow.Of(Call("p", more: $$""", "input": {"amount": {{amount}}}""", tool: "pay"));
        harness.Start();
        Assert.Equal("call_approval", harness.State.Reviews[Assert.Single(harness.State.OpenReviews)].Request.Kind);
        Assert.Empty(harness.Due());
    }

    [Fact]
    public void Trial_OfAPolicy_SaysOfAnItemWhatTheRunWouldDo_AndCountsNoUseOfARule()
    {
        var harness = Flow.Of(
            Call("a", more: """, "for_each": {"items": "[1, 2]", "on_item_failure": "pause"}""" + Guard("output.n > 3", "hallucination")),
            recovery: """{"rules": [{"on": ["hallucination"], "do": ["pause", "await_review"]}]}""");
        harness.Start();
        var before = harness.State;
        harness.Result("a-0~1~1~c1", """{"n": 1}""");
        var failure = Assert.Single(harness.Events.OfType<StepFailed>());
        var verdict = PolicyTrial.Judge(before, ValuesFor(harness.Plan, before, new WakeTimers(harness.NowMs), harness.Payloads), failure, ImmutableDictionary<int, int>.Empty, harness.NowMs);
        Assert.Equal(("none", false), (verdict.By, verdict.Catches));
        Assert.Empty(harness.Events.OfType<RuleApplied>());
    }
}
