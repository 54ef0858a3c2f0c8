using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Questions to people: one answer each, bound to what was shown.</summary>
public sealed class ReviewTests
{
    private const string Recovery = """{"rollback_triggers": [{"hallucination_detected": true}], "recovery_actions": [{"rollback_to_last_checkpoint": true}, {"pause_and_notify": true}, {"await_human_review": true}, {"allowed_edits": ["prompt"]}]}""";
    private const long ThirtyDaysMs = 30L * 24 * 3_600_000;

    [Fact]
    public void Decide_OtherDigest_IsRefusedAndTheReviewStaysOpen()
    {
        var harness = Asked();
        Assert.Equal("review_digest_mismatch", harness.Decide("approve", digest: "other").Rejection!.Code);
        Assert.Single(harness.State.OpenReviews);
    }

    [Fact]
    public void Decide_AfterExpiry_IsRefusedAndOnRecord_AtExpiryItCounts()
    {
        var harness = Asked();
        harness.NowMs += ThirtyDaysMs + 1;
        var late = harness.Decide("approve");
        Assert.Equal(("review_expired", "review_expired"), (late.Rejection!.Code, late.Events.OfType<ReviewRefused>().Single().Code));
        harness.NowMs -= 1;
        Assert.True(harness.Decide("approve").Accepted);
    }

    [Fact]
    public void Decide_SameAnswerTwice_IsNothing_AContradictionIsRefusedAndOnRecord()
    {
        var harness = Asked();
        harness.Decide("approve", by: "ada");
        Assert.Empty(harness.Decide("approve", by: "ada").Events);
        var second = harness.Decide("reject", by: "bob");
        Assert.Equal("review_closed", second.Rejection!.Code);
        Assert.IsType<ReviewRefused>(Assert.Single(second.Events));
    }

    [Theory]
    [InlineData("redo", "decision_not_allowed")]
    [InlineData("edit", "validation_failed")]
    [InlineData("override", "validation_failed")]
    public void Decide_WhatIsNotOfferedOrIncomplete_IsRefused(string decision, string code)
    {
        var harness = Asked();
        Assert.Equal(code, harness.Decide(decision).Rejection!.Code);
        Assert.Equal("review_not_found", harness.Send(new DecideReview(harness.NowMs, "rev_none", decision, "", "ada", null, null, null, null)).Rejection!.Code);
        Assert.Single(harness.State.OpenReviews);
    }

    [Fact]
    public void Edit_OfAllowedKind_AppliesAndRunsAgain_OfOthersIsForbidden()
    {
        var harness = Asked();
        Assert.Equal("edit_forbidden", harness.Decide("edit", new AgentEdit(null, ["c"], null)).Rejection!.Code);
        Assert.True(harness.Decide("edit", new AgentEdit("new prompt", null, null)).Accepted);
        Assert.Equal(["a~2~1~m1"], harness.Due());
        Assert.Contains("new prompt", AgentConversation.Build(harness.State, harness.Plan, harness.State.LatestVisit("a")!, null, value => value).Messages[0].Content, StringComparison.Ordinal);
    }

    [Fact]
    public void Override_HeldToTheSameChecks_NullIsNone()
    {
        var harness = Asked();
        Assert.Equal("override_refused", harness.Decide("override", output: """{"n": 0}""").Rejection!.Code);
        Assert.Equal("validation_failed", harness.Decide("override", output: "null").Rejection!.Code);
        Assert.True(harness.Decide("override", output: """{"n": 1}""").Accepted);
        Assert.Equal(("ada", ExecutionStatus.Succeeded), (harness.Events.OfType<StepCommitted>().Last().By, harness.State.Status));
        Laws.Check(harness);
    }

    [Theory]
    [InlineData("skip", ExecutionStatus.Succeeded)]
    [InlineData("reject", ExecutionStatus.Failed)]
    [InlineData("rollback", ExecutionStatus.Cancelled)]
    [InlineData("approve", ExecutionStatus.Running)]
    public void Decide_EachAnswer_LeadsWhereItSays(string decision, ExecutionStatus status)
    {
        var harness = Asked();
        Assert.True(harness.Decide(decision).Accepted);
        Assert.Equal(status, harness.State.Status);
        Assert.Empty(harness.State.OpenReviews);
    }

    [Fact]
    public void RetryEndpoint_ClosesTheOpenReview_ThenNoDecisionCountsAnyMore()
    {
        var harness = Asked();
        Assert.Equal("review_open", harness.Send(new ResumeExecution(harness.NowMs, "ada", "r1")).Rejection!.Code);
        Assert.True(harness.Send(new RetryExecution(harness.NowMs, "ada", "r2", null, new AgentEdit("better", null, null))).Accepted);
        Assert.Empty(harness.State.OpenReviews);
        Assert.Equal(["a~2~1~m1"], harness.Due());
        Assert.Equal("review_closed", harness.Decide("approve", by: "bob").Rejection!.Code);
    }

    [Fact]
    public void RetryEndpoint_TwoFailedBranches_BothRunAgain()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b")), recovery: """{"rules": [{"do": ["pause", "await_review"]}]}""");
        harness.Start();
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "x", "m"));
        harness.Failure("b~1~1~c1", new EffectFailure("tool_error", "x", "m"));
        harness.Send(new RetryExecution(harness.NowMs, "ada", "r1", null, null));
        Assert.Empty(harness.State.OpenReviews);
        Assert.Equal(["a~2~1~c1", "b~2~1~c1"], harness.Due());
    }

    [Fact]
    public void Reject_WhileAnotherReviewIsOpen_EndsTheExecutionWhenThatIsDecided()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b")), recovery: """{"rules": [{"do": ["pause", "await_review"]}]}""");
        harness.Start();
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "x", "m"));
        harness.Failure("b~1~1~c1", new EffectFailure("tool_error", "x", "m"));
        harness.Decide("reject");
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        harness.Decide("approve");
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
    }

    [Fact]
    public void Operators_WhileARollbackIsUnderWay_AreToldToWait()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("c", "a", tool: "pay"), Call("b")), recovery: """{"rules": [{"do": ["await_review"]}]}""");
        harness.Start();
        harness.Failure("b~1~1~c1", new EffectFailure("tool_error", "x", "m"));
        harness.Result("a~1~1~c1", "{}");
        harness.Begin("c~1~1~c1");
        harness.Result("c~1~1~c1", "{}");
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "a", "all"));
        Assert.Equal("rollback_in_progress", harness.Decide("approve").Rejection!.Code);
        Assert.Equal("rollback_in_progress", harness.Send(new RetryExecution(harness.NowMs, "ada", "r2", null, null)).Rejection!.Code);
        Assert.Equal("rollback_in_progress", harness.Send(new PauseExecution(harness.NowMs, "ada", "r3", null)).Rejection!.Code);
        Assert.Equal("rollback_in_progress", harness.Send(new RollBackExecution(harness.NowMs, "ada", "r4", "start", "all")).Rejection!.Code);
        harness.Result("c~1~1~c1~u1", "{}");
        Assert.True(harness.Decide("approve").Accepted);
    }

    [Fact]
    public void FailureReview_AfterTheEnd_IsRefused()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b")), recovery: """{"rules": [{"on": ["tool_error"], "do": ["await_review"]}]}""");
        harness.Start();
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "x", "m"));
        harness.Failure("b~1~1~c1", new EffectFailure("model_error", "x", "m", Permanent: true));
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
        Assert.Equal("execution_ended", harness.Decide("approve").Rejection!.Code);
    }

    [Fact]
    public void Operations_AreKnownByTheirRequest_TheSecondIsNothing()
    {
        var harness = Flow.Of(Call("a"));
        harness.Start();
        ExecutionCommand[] commands =
        [
            new PauseExecution(harness.NowMs, "ada", "r1", null), new ResumeExecution(harness.NowMs, "ada", "r2"),
            new RollBackExecution(harness.NowMs, "ada", "r3", "start", "all"), new RetryExecution(harness.NowMs, "ada", "r4", "start", null), new CancelExecution(harness.NowMs, "ada", "r5"),
        ];
        foreach (var command in commands)
        {
            Assert.NotEmpty(harness.Send(command).Events);
            var again = harness.Send(command);
            Assert.True(again.Accepted && again.Events.Count == 0, command.Name);
        }
    }

    [Fact]
    public void Commands_OnAnEndedExecution_AreRefusedWithTheirCodes()
    {
        var harness = Flow.Of(Call("a"));
        Assert.Equal("execution_not_found", harness.Wake().Rejection!.Code);
        harness.Start();
        harness.Run(Numbers(1));
        Assert.Empty(harness.Start().Events);
        Assert.Equal("execution_exists", harness.Send(new StartExecution(harness.NowMs, "exe_test", "ten_a", "flow", 1, "another", KernelHarness.Json("{}"), 7, "key_a", 1)).Rejection!.Code);
        Assert.Equal("execution_ended", harness.Send(new PauseExecution(harness.NowMs, "ada", "r1", null)).Rejection!.Code);
        Assert.Equal("execution_not_paused", harness.Send(new ResumeExecution(harness.NowMs, "ada", "r2")).Rejection!.Code);
        Assert.Equal("execution_ended", harness.Send(new CancelExecution(harness.NowMs, "ada", "r3")).Rejection!.Code);
        Assert.Equal("execution_ended", harness.Send(new RetryExecution(harness.NowMs, "ada", "r4", null, null)).Rejection!.Code);
        Assert.Equal("checkpoint_not_found", harness.Send(new RollBackExecution(harness.NowMs, "ada", "r5", "nowhere", "all")).Rejection!.Code);
        Assert.Equal("validation_failed", harness.Send(new RollBackExecution(harness.NowMs, "ada", "r6", "a", "some")).Rejection!.Code);
    }

    [Fact]
    public void Failure_OnACancelledExecution_RunsNoPolicy()
    {
        var harness = Flow.Of(Call("a", tool: "pay"), recovery: """{"rules": [{"do": [{"rollback_to": "last"}, "pause", "await_review"]}]}""");
        harness.Start();
        harness.Begin("a~1~1~c1");
        harness.Send(new CancelExecution(harness.NowMs, "ada", "r1"));
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "x", "m"));
        Assert.Equal(ExecutionStatus.Cancelled, harness.State.Status);
        Assert.Empty(harness.State.OpenReviews);
        Assert.Empty(harness.Pending);
    }

    private static KernelHarness Asked()
    {
        var harness = Flow.Of(Agent("a", more: Guard("output.n == 1", "hallucination")), recovery: Recovery);
        harness.Start();
        harness.Answer("a~1~1~m1", """{"n": 0}""");
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        return harness;
    }
}
