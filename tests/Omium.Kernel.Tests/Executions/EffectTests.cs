using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Calls that change the world: intents, doubts, keys.</summary>
public sealed class EffectTests
{
    private const string TheEffect = "a~1~1~c1";
    private const long HourMs = 3_600_000;

    [Fact]
    public void Intent_BeforeTheCall_SecondRunnerIsRefusedAndAResultWithoutIntentToo()
    {
        var harness = Begun("pay");
        Assert.Equal("no_intent", harness.Result(TheEffect, "{}").Rejection!.Code);
        var intent = Assert.IsType<IntentRecorded>(Assert.Single(harness.Begin(TheEffect).Events));
        Assert.Equal(harness.NowMs + 10_000 + 5_000, intent.InDoubtAtMs);
        Assert.Equal("effect_not_due", harness.Begin(TheEffect, "runner-2").Rejection!.Code);
        Assert.Equal("effect_not_due", harness.Begin(TheEffect).Rejection!.Code);
    }

    [Fact]
    public void Result_TwiceAndContradictedLater_RecordedOnce()
    {
        var harness = Begun("pay");
        harness.Begin(TheEffect);
        harness.Result(TheEffect, """{"n": 1}""");
        Assert.Empty(harness.Result(TheEffect, """{"n": 1}""").Events);
        Assert.Empty(harness.Failure(TheEffect, new EffectFailure("timeout", "x", "m", true)).Events);
        Assert.Single(harness.Events.OfType<IntentSettled>());
        Assert.Equal("""{"n":1}""", harness.State.LatestVisit("a")!.Output!.Value.GetRawText());
    }

    [Theory]
    [InlineData("pay", "rerun")]
    [InlineData("book", "verify")]
    [InlineData("wire", "review")]
    public void Doubt_ByTimeByLossAndByUnclearAnswer_FollowsTheKind(string tool, string next)
    {
        foreach (var cause in new[] { "time", "loss", "answer" })
        {
            var harness = Begun(tool);
            harness.Begin(TheEffect);
            Assert.Empty(harness.Wake(14_999).Events);
            Assert.Empty(harness.Send(new LoseRunner(harness.NowMs, "runner-1")).Events);
            var outcome = cause switch
            {
                "time" => harness.Wake(1),
                "loss" => harness.Send(new LoseRunner(harness.NowMs, "runner-9")),
                _ => harness.Failure(TheEffect, new EffectFailure("timeout", "x", "m", MayHaveHappened: true)),
            };
            if (cause == "answer" && tool == "pay")
            {
                Assert.Equal("retry.scheduled", Kinds(outcome)[^1]); // The same key again: no doubt is needed.
                continue;
            }

            Assert.Equal(next, outcome.Events.OfType<IntentInDoubt>().Single().Next);
            Assert.Equal(next == "review" ? 1 : 0, harness.State.OpenReviews.Count);
        }
    }

    [Fact]
    public void Doubt_ByAnUnclearAnswerTwice_AsksOnce()
    {
        var harness = Begun("wire");
        harness.Begin(TheEffect);
        var unclear = new EffectFailure("timeout", "x", "m", MayHaveHappened: true);
        harness.Failure(TheEffect, unclear);
        Assert.Empty(harness.Failure(TheEffect, unclear).Events);
        Assert.Single(harness.State.OpenReviews);
    }

    [Fact]
    public void Idempotent_InDoubt_RunsAgainWithTheSameKey_PastItsTimeAPersonIsAsked()
    {
        var harness = Begun("pay");
        harness.Begin(TheEffect);
        var key = harness.TheCall("a").Key;
        harness.Wake(15_000);
        Assert.Equal([TheEffect], harness.Due());
        Assert.True(harness.Begin(TheEffect, "runner-2").Accepted);
        Assert.Equal((key, 2), (harness.TheCall("a").Key, harness.TheCall("a").Runs));

        harness.Wake(HourMs);
        Assert.Equal("review", harness.TheCall("a").Next);
    }

    [Fact]
    public void Idempotent_RerunOfferedInTimeButBegunPastTheKeysTime_IsRefusedAndAsked()
    {
        var harness = Begun("pay");
        harness.Begin(TheEffect);
        harness.Wake(15_000);
        harness.NowMs += HourMs;
        var late = harness.Begin(TheEffect, "runner-2");
        Assert.Equal(("effect_not_due", "key_expired"), (late.Rejection!.Code, late.Events.OfType<IntentInDoubt>().Single().Reason));
        Assert.Empty(harness.Due());
        Assert.True(harness.Decide("redo").Accepted);
        Assert.True(harness.Begin(TheEffect, "runner-2").Accepted);
    }

    [Fact]
    public void Key_OfANewAttemptOfACallThatMayStand_CountsItsTimeFromTheFirst()
    {
        var harness = Begun("pay");
        harness.Begin(TheEffect);
        harness.Failure(TheEffect, new EffectFailure("timeout", "x", "m", MayHaveHappened: true));
        var key = harness.TheCall("a").Key;
        harness.Wake(HourMs);
        Assert.Equal(("a~1~2~c1", key), (harness.TheCall("a", 2).Id.ToString(), harness.TheCall("a", 2).Key));
        Assert.Equal("key_expired", harness.Begin("a~1~2~c1").Events.OfType<IntentInDoubt>().Single().Reason);
    }

    [Fact]
    public void Verifiable_InDoubt_ProbedNoEarlierThanVerifyAfter_NotDoneRunsAgain_AndWaitsAnewAfterThatRun()
    {
        var harness = Begun("book");
        harness.Begin(TheEffect);
        var begunMs = harness.NowMs;
        harness.Send(new LoseRunner(harness.NowMs, "runner-9"));
        Assert.Equal(new PendingEffect("a~1~1~c1~v1", PendingKind.Verify, begunMs + 30_000), Assert.Single(harness.Pending));
        harness.NowMs += 30_000;
        harness.Result("a~1~1~c1~v1", """{"status": "not_done"}""");
        Assert.Empty(harness.Result("a~1~1~c1~v1", """{"status": "not_done"}""").Events);
        Assert.True(harness.Begin(TheEffect, "runner-9").Accepted);
        harness.Send(new LoseRunner(harness.NowMs, "runner-10"));
        Assert.Equal(new PendingEffect("a~1~1~c1~v2", PendingKind.Verify, harness.NowMs + 30_000), Assert.Single(harness.Pending));
        Assert.Empty(harness.Result("a~1~1~c1~v1", """{"status": "not_done"}""").Events);
        harness.Result("a~1~1~c1~v2", """{"status": "done", "output": {"n": 4}}""");
        Assert.Equal(("verify", ExecutionStatus.Succeeded), (harness.Events.OfType<IntentSettled>().Single().Via, harness.State.Status));
        Assert.Equal("""{"n":4}""", harness.State.LatestVisit("a")!.Output!.Value.GetRawText());
    }

    [Fact]
    public void Verifiable_ProbeFailsForNow_IsRepeated_UnknownOrFailedForGood_AsksAPerson()
    {
        var harness = Begun("book");
        harness.Begin(TheEffect);
        harness.Wake(15_000);
        harness.Failure("a~1~1~c1~v1", new EffectFailure("timeout", "x", "m"));
        Assert.Equal(new PendingEffect("a~1~1~c1~v2", PendingKind.Verify, harness.NowMs + 1_000), Assert.Single(harness.Pending));
        harness.Result("a~1~1~c1~v2", """{"status": "unknown"}""");
        Assert.Single(harness.State.OpenReviews);
        Assert.Empty(harness.Due());
    }

    [Theory]
    [InlineData("done", ExecutionStatus.Succeeded)]
    [InlineData("redo", ExecutionStatus.Running)]
    [InlineData("reject", ExecutionStatus.Failed)]
    public void Irreversible_InDoubt_APersonSays(string decision, ExecutionStatus status)
    {
        var harness = Begun("wire");
        harness.Begin(TheEffect);
        harness.Wake(15_000);
        Assert.True(harness.Decide(decision, output: """{"n": 1}""").Accepted);
        Assert.Equal(status, harness.State.Status);
        Assert.Equal(decision == "redo" ? [TheEffect] : [], harness.Due());
    }

    [Fact]
    public void InDoubt_RealResultComesLate_ItCountsAndTheReviewCloses()
    {
        var harness = Begun("wire");
        harness.Begin(TheEffect);
        harness.Wake(15_000);
        harness.Result(TheEffect, "{}");
        Assert.Empty(harness.State.OpenReviews);
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Assert.Equal("review_closed", harness.Decide("reject").Rejection!.Code);
        Assert.Equal(CallStatus.Settled, harness.TheCall("a").Status);
    }

    [Fact]
    public void Failure_OfAnEarlierRun_SaysNothingAboutTheRunUnderWay()
    {
        var harness = Begun("pay");
        harness.Begin(TheEffect);
        harness.Wake(15_000);
        harness.Begin(TheEffect, "runner-2");
        Assert.Empty(harness.Settle(TheEffect, Fails("tool_error", "connection_refused"), run: 1).Events);
        Assert.Equal(CallStatus.Intent, harness.TheCall("a").Status);
        Assert.NotEmpty(harness.Settle(TheEffect, Fails("tool_error", "connection_refused"), run: 2).Events);
    }

    [Fact]
    public void HighValue_AboveTheLimit_WaitsForApproval_AtTheLimitItRuns()
    {
        foreach (var (amount, waits) in new[] { ("10000", false), ("10000.01", true) })
        {
            var harness = Begun("pay", $$"""{"amount": {{amount}}}""");
            Assert.Equal(waits ? [] : [TheEffect], harness.Due());
            Assert.Equal(waits, harness.State.OpenReviews.Count == 1);
        }
    }

    [Fact]
    public void Irreversible_WithApprovalBefore_RunsOnceWithoutAsking_ItsRepetitionAsks()
    {
        var harness = Flow.Of(string.Join(',', Approval("ask"), Call("a", "ask", Guard("output.n == 1"), "wire")), recovery: """{"rules": [{"on": ["guard_failed"], "do": ["await_review"]}]}""");
        harness.Start();
        harness.Decide("approve");
        Assert.Equal([TheEffect], harness.Due());
        harness.Begin(TheEffect);
        harness.Result(TheEffect, """{"n": 0}""");
        harness.Decide("approve");
        Assert.Equal(CallStatus.AwaitingApproval, harness.TheCall("a", 2).Status);
    }

    [Fact]
    public void DeclaredKey_AfterTheCallWasUndone_IsAnotherKey()
    {
        var harness = Flow.Of(Call("a", tool: "keyed", more: Guard("output.n == 1") + """, "retry": {"max_attempts": 2, "backoff": "constant", "initial": "1s", "max": "1s"}"""));
        harness.Start("""{"x": 7}""");
        harness.Run((name, effect) => name.StartsWith("undo", StringComparison.Ordinal) ? Ok("{}") : Ok(effect == TheEffect ? """{"n": 0}""" : """{"n": 1}"""));
        Assert.Equal(["order-7", "order-7~again2"], harness.State.LatestVisit("a")!.Calls.Select(call => call.Key));
        Assert.Equal(["keyed", "undo keyed", "keyed"], harness.Carried);
    }

    [Fact]
    public void StaleCall_OfAFailedAttempt_MayNotBeginInTheNext()
    {
        var harness = Flow.Of(Agent("a", more: """, "retry": {"max_attempts": 3, "backoff": "constant", "initial": "1s", "max": "1s"}"""));
        harness.Start();
        harness.Settle("a~1~1~m1", Asks(("pay", """{"q": 1}"""), ("pay", """{"q": 2}""")));
        harness.Begin("a~1~1~c1");
        harness.Failure("a~1~1~c1", new EffectFailure("timeout", "x", "m", MayHaveHappened: true));
        Assert.Equal(2, harness.State.LatestVisit("a")!.Attempt);
        Assert.Equal("effect_not_due", harness.Begin("a~1~1~c2").Rejection!.Code);
    }

    [Fact]
    public void Retry_ThatAPersonAskedFor_AnswersTheSameCallFromTheRecord()
    {
        var harness = Flow.Of(Agent("a"), recovery: """{"rules": [{"on": ["model_error"], "do": ["await_review"]}]}""");
        harness.Start();
        harness.Settle("a~1~1~m1", Asks(("wire", """{"to": "x"}""")));
        harness.Decide("approve");
        harness.Begin("a~1~1~c1");
        harness.Result("a~1~1~c1", """{"sent": true}""");
        harness.Failure("a~1~1~m2", new EffectFailure("model_error", "x", "m", Permanent: true));
        harness.Decide("approve");
        harness.Settle("a~1~2~m1", Asks(("wire", """{"to": "x"}""")));
        Assert.Equal(["a~1~2~m2"], harness.Due());
        Assert.Equal("""{"sent":true}""", harness.TheCall("a", 2).Result!.Value.GetRawText());
        Assert.Single(harness.Events.OfType<IntentRecorded>());
    }

    [Theory]
    [InlineData("a~1~1~c9")]
    [InlineData("b~1~1~c1")]
    [InlineData("a~7~1~c1")]
    [InlineData("nonsense")]
    [InlineData("a~1~1~c1~u")]
    public void UnknownEffect_IsRefused(string effect)
    {
        var harness = Begun("pay");
        Assert.Equal("effect_not_found", harness.Result(effect, "{}").Rejection!.Code);
        Assert.Equal("effect_not_found", harness.Begin(effect).Rejection!.Code);
    }

    private static string[] Kinds(DecisionOutcome outcome) => [.. outcome.Events.Select(happened => happened is RetryScheduled ? "retry.scheduled" : happened.GetType().Name)];

    private static KernelHarness Begun(string tool, string input = "{}")
    {
        var harness = Flow.Of(tool == "wire" ? string.Join(',', Approval("ask"), Call("a", "ask", ", \"input\": {}", tool)) : Call("a", tool: tool));
        harness.Start(input);
        if (tool == "wire")
        {
            harness.Decide("approve");
        }

        return harness;
    }
}
