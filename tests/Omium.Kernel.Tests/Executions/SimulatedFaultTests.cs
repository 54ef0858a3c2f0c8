using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Faults of the kernel that the simulation found (docs/simulation.md), each in its smallest form.</summary>
public sealed class SimulatedFaultTests
{
    [Fact]
    public void Resume_WhenAnotherBranchHasFailedForGood_BeginsNoAttemptOfAnEndedExecution()
    {
        var harness = Flow.Of(Call("a") + "," + Call("b"), "", """{"rules": [{"on": ["tool_error"], "do": ["pause"]}, {"on": ["timeout"], "do": ["fail"]}]}""");
        harness.Start();
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "http_500", "broke"));
        harness.Failure("b~1~1~c1", new EffectFailure("timeout", "tool_timeout", "silent"));
        harness.Send(new ResumeExecution(harness.NowMs, "ada", "r1"));
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
        Assert.DoesNotContain(harness.Events, happened => happened is AttemptStarted);
    }

    [Fact]
    public void Fail_ForGoodWithAnotherCallInDoubt_TheOtherIsStillLookedUp()
    {
        var harness = Flow.Of(Agent("a").Replace("\"one\"", "\"two\"", StringComparison.Ordinal), "", """{"rules": [{"do": ["fail"]}]}""");
        harness.Start();
        harness.Send(new SettleEffect(harness.NowMs, "a~1~1~m1", Asks(("pay", "{}"), ("book", "{}"))));
        harness.Send(new BeginCall(harness.NowMs, "a~1~1~c1", "runner", 5_000));
        harness.Send(new BeginCall(harness.NowMs, "a~1~1~c2", "runner", 5_000));
        harness.Failure("a~1~1~c2", new EffectFailure("tool_error", "http_503", "broke", MayHaveHappened: true));
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "http_503", "broke", MayHaveHappened: true));
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
        Assert.Contains(harness.Pending, effect => effect is { Kind: PendingKind.Verify, Id: "a~1~1~c2~v1" });
        harness.NowMs += 60_000;
        harness.Result("a~1~1~c2~v1", """{"status": "not_done"}""");
        Assert.DoesNotContain(harness.Pending, effect => effect.Kind == PendingKind.Verify);
        Assert.Equal(CallStatus.Failed, harness.State.Visits[new("a", 1)].Calls[1].Status);
    }

    [Fact]
    public void Fail_ForGoodWithAnotherCallToBeMadeAgain_TheOtherCountsAsOneThatMayStand()
    {
        var harness = Flow.Of(Agent("a") + "," + Call("b"), Edge("a", "b", "\"on\": \"failure\""), """{"rules": [{"do": ["fail"]}]}""");
        harness.Start();
        harness.Send(new SettleEffect(harness.NowMs, "a~1~1~m1", Asks(("pay", """{"a": 1}"""), ("pay", """{"a": 2}"""), ("shaped", """{"a": 3}"""))));
        harness.Send(new BeginCall(harness.NowMs, "a~1~1~c1", "runner", 5_000));
        harness.Send(new LoseRunner(harness.NowMs, "other"));
        harness.Result("a~1~1~c3", "{}");
        Assert.Equal(VisitStatus.Failed, harness.Status("a"));
        Assert.Equal((CallStatus.Failed, true), (harness.State.Visits[new("a", 1)].Calls[0].Status, harness.State.Visits[new("a", 1)].Calls[0].MayStand));
    }

    [Fact]
    public void Cancel_WhileNobodyKnowsWhetherACallHappened_TheQuestionStays()
    {
        var harness = Flow.Of(Approval("ok") + "," + Call("a", "ok", tool: "wire"));
        harness.Start();
        harness.Decide("approve");
        harness.Send(new BeginCall(harness.NowMs, "a~1~1~c1", "runner", 5_000));
        harness.Send(new LoseRunner(harness.NowMs, "other"));
        harness.Send(new CancelExecution(harness.NowMs, "ada", "r1"));
        Assert.Equal(ExecutionStatus.Cancelled, harness.State.Status);
        Assert.Single(harness.State.OpenReviews);
        Assert.True(harness.Decide("reject").Accepted);
        Assert.Equal(CallStatus.Failed, harness.State.Visits[new("a", 1)].Calls[0].Status);
        Assert.Equal(ExecutionStatus.Cancelled, harness.State.Status);
    }

    [Fact]
    public void Probe_WithAnAnswerTooLargeForTheRecord_IsReadAllTheSame()
    {
        var harness = Flow.Of(Call("a", tool: "book"));
        harness.Start();
        harness.Send(new BeginCall(harness.NowMs, "a~1~1~c1", "runner", 5_000));
        harness.Send(new LoseRunner(harness.NowMs, "other"));
        harness.NowMs += 60_000;
        harness.LargeResult("a~1~1~c1~v1", $$$"""{"status": "done", "output": {"n": 1, "pad": "{{{new string('x', 6_000)}}}"}}""");
        Assert.Equal((ExecutionStatus.Succeeded, VisitStatus.Committed), (harness.State.Status, harness.Status("a")));
    }

    [Fact]
    public void Wake_WithTheSendersOwnCallUnderWay_LeavesItAlone()
    {
        var harness = Flow.Of(Call("a", tool: "book"));
        harness.Start();
        harness.Send(new BeginCall(harness.NowMs, "a~1~1~c1", "runner", 5_000));
        harness.NowMs += 7_200_000;
        Assert.Empty(harness.Send(new WakeTimers(harness.NowMs, ["a~1~1~c1"])).Events);
        Assert.Single(harness.Send(new WakeTimers(harness.NowMs)).Events);
    }

    [Theory]
    [InlineData("pay", null)]
    [InlineData("keyed", "order-7~again2")]
    public void Approve_OverAnUndoThatMayHaveHappened_TheRepetitionHasAKeyOfItsOwn(string tool, string? key)
    {
        var harness = Flow.Of(Call("a", tool: tool, more: Guard("output.n == 1") + """, "retry": {"max_attempts": 2, "backoff": "constant", "initial": "1s", "max": "1s"}"""));
        harness.Start("""{"x": 7}""");
        harness.Run((name, effect) => name.StartsWith("undo", StringComparison.Ordinal) ? Fails("timeout", "tool_timeout", mayHaveHappened: true) : Ok("""{"n": 0}"""));
        Assert.Equal("compensation_failed", Assert.Single(harness.State.Residue).Left.Reason);
        var shown = harness.State.Reviews[harness.State.OpenReviews.Single()].Request.Shown;
        Assert.Equal($"{tool} (a~1~1~c1)", shown.GetProperty("residue")[0].GetString());
        Assert.True(harness.Decide("approve").Accepted);
        harness.Run((_, _) => Ok("""{"n": 1}"""));
        var keys = harness.State.LatestVisit("a")!.Calls.Select(call => call.Key).ToArray();
        Assert.Equal((2, 2), (keys.Length, keys.Distinct().Count()));
        Assert.True(key is null || keys[1] == key, keys[1]);
        Laws.Check(harness);
    }

    [Fact]
    public void Override_WhileACallOfTheFailedAttemptIsLookedUp_WaitsForIt()
    {
        var harness = Flow.Of(Agent("a").Replace("\"one\"", "\"two\"", StringComparison.Ordinal), "", """{"rules": [{"do": ["await_review"]}]}""");
        harness.Start();
        harness.Send(new SettleEffect(harness.NowMs, "a~1~1~m1", Asks(("pay", """{"a": 1}"""), ("pay", """{"a": 2}"""), ("book", "{}"))));
        foreach (var effect in new[] { "a~1~1~c1", "a~1~1~c2", "a~1~1~c3" })
        {
            harness.Send(new BeginCall(harness.NowMs, effect, "runner", 5_000));
        }

        harness.Send(new LoseRunner(harness.NowMs, "other"));
        harness.Send(new BeginCall(harness.NowMs, "a~1~1~c1", "other", 5_000));
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "http_422", "refused", Permanent: true));
        Assert.Equal("effect_unsettled", harness.Decide("override", output: """{"n": 1}""").Rejection!.Code);

        harness.NowMs += 60_000;
        harness.Result("a~1~1~c3~v1", """{"status": "not_done"}""");
        Assert.True(harness.Decide("override", output: """{"n": 1}""").Accepted);
        Assert.Equal((ExecutionStatus.Succeeded, VisitStatus.Committed), (harness.State.Status, harness.Status("a")));
        Assert.DoesNotContain(harness.State.LatestVisit("a")!.Calls, call => call.Unsettled); // The second is not made again: it counts as one that may stand.
        Laws.Check(harness);
    }

    [Fact]
    public void Decide_OfOneQuestion_AlsoTriesAgainWhatThePolicyOnlyPausedFor()
    {
        var harness = Flow.Of(Call("a") + "," + Call("b"), "", """{"rules": [{"on": ["timeout"], "do": ["pause", "await_review"]}, {"on": ["tool_error"], "do": ["pause"]}]}""");
        harness.Start();
        harness.Failure("a~1~1~c1", new EffectFailure("timeout", "tool_timeout", "silent"));
        harness.Failure("b~1~1~c1", new EffectFailure("tool_error", "http_500", "broke"));
        Assert.True(harness.Decide("approve").Accepted);
        Assert.Equal(ExecutionStatus.Running, harness.State.Status);
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal((ExecutionStatus.Succeeded, 2), (harness.State.Status, harness.State.LatestVisit("b")!.Attempt));
        Laws.Check(harness);
    }

    [Theory]
    [InlineData("reject")]
    [InlineData("skip")]
    public void Decide_ThatTheOneFailureIsNotTriedAgain_IsNotOverruled(string decision)
    {
        var harness = Flow.Of(Call("a"), "", """{"rules": [{"do": ["pause", "await_review"]}]}""");
        harness.Start();
        harness.Failure("a~1~1~c1", new EffectFailure("timeout", "tool_timeout", "silent"));
        Assert.True(harness.Decide(decision).Accepted);
        Assert.Equal(1, harness.State.LatestVisit("a")!.Attempt);
        Assert.True(harness.State.Ended);
    }

    [Fact]
    public void Retry_WhileVerifiersOfAnotherStepDoNotAgree_GoesOnOnlyAfterThat()
    {
        const string Verifiers = """, "verifiers": {"quorum": 3, "of": ["spare", "two", "three"]}""";
        var harness = Flow.Of(Agent("a", more: Verifiers) + "," + Call("b"), "", """{"rules": [{"on": ["tool_error"], "do": ["pause"]}]}""");
        harness.Start();
        harness.Answer("a~1~1~m1", """{"n": 1}""");
        harness.Answer("a~1~1~j1~t1", """{"verdict": "approve", "reason": "fine"}""");
        harness.Answer("a~1~1~j2~t1", """{"verdict": "reject", "reason": "low"}""");
        harness.Answer("a~1~1~j3~t1", """{"verdict": "abstain", "reason": "hm"}""");
        harness.Failure("b~1~1~c1", new EffectFailure("tool_error", "http_500", "broke"));
        Assert.True(harness.Send(new RetryExecution(harness.NowMs, "ada", "r1", null, null)).Accepted);
        Assert.Equal((ExecutionStatus.Paused, "verification_split"), (harness.State.Status, harness.State.PauseReason));
        Assert.True(harness.Decide("approve").Accepted);
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Retry_OfAnItemUnderItsStepsLock_AsksForNoLockOfItsOwn()
    {
        const string Sharing = """, "locks": ["customer/1"], "for_each": {"items": "[{'i': 0}]"}, "retry": {"max_attempts": 2, "backoff": "constant", "initial": "1s", "max": "1s"}""";
        var harness = Flow.Of(Call("send", more: Sharing));
        harness.Start();
        harness.Send(new SettleGather(harness.NowMs, "send~1~1~g1", [new LockGrant("customer/1", "customer/1", "customer/1", 1)], null, null));
        harness.Failure("send-0~1~1~c1", new EffectFailure("tool_error", "http_500", "broke"));
        harness.NowMs += 2_000;
        harness.Send(new WakeTimers(harness.NowMs));
        Assert.Equal(["send-0~1~2~c1"], harness.Due());
        Assert.Single(harness.Events.OfType<LocksRequested>());
    }

    [Fact]
    public void Retry_AfterLocksWereGivenUp_GivesThemBackBeforeItWaits()
    {
        var harness = Flow.Of(Call("a", more: """, "locks": ["customer/1", "order/9"], "retry": {"max_attempts": 2, "backoff": "constant", "initial": "1s", "max": "1s"}"""));
        harness.Start();
        harness.Send(new SettleGather(harness.NowMs, "a~1~1~g1", [new LockGrant("customer/1", "customer/1", "customer/1", 1), new LockGrant("order/9", "order/9", "order/9", 1)], null, null));
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "http_500", "broke"));
        harness.Send(new YieldLocks(harness.NowMs, "a", 1, "exe_other/a~1"));
        harness.NowMs += 2_000;
        harness.Send(new WakeTimers(harness.NowMs));
        var shared = harness.State.LatestVisit("a")!.Shared!;
        Assert.Equal((LockPhase.Yielded, true, 2), (shared.Locks, shared.Gathering, shared.Grants.Count));
    }

    [Theory]
    [InlineData(true, LockPhase.Yielded)]
    [InlineData(false, LockPhase.Held)]
    public void Retry_OfAnEndedExecution_GivesUpOnlyLocksUnderWhichNothingIsUnderWay(bool lost, LockPhase expected)
    {
        var harness = Flow.Of(Call("a", more: """, "locks": ["customer/1"]""", tool: "pay") + "," + Call("b"), "", """{"rules": [{"do": ["fail"]}]}""");
        harness.Start();
        harness.Send(new SettleGather(harness.NowMs, "a~1~1~g1", [new LockGrant("customer/1", "customer/1", "customer/1", 1)], null, null));
        harness.Send(new BeginCall(harness.NowMs, "a~1~1~c1", "runner", 5_000));
        if (lost)
        {
            harness.Send(new LoseRunner(harness.NowMs, "other")); // The call is only to be made again: while the execution is over, nobody makes it.
        }

        harness.Failure("b~1~1~c1", new EffectFailure("tool_error", "http_500", "broke", Permanent: true));
        Assert.Equal((ExecutionStatus.Failed, lost), (harness.State.Status, harness.Pending.Any(effect => effect.Kind == PendingKind.SettleSharing)));
        Assert.True(harness.Send(new RetryExecution(harness.NowMs, "ada", "r1", null, null)).Accepted);
        Assert.Equal(expected, harness.State.LatestVisit("a")!.Shared!.Locks);
    }

    [Fact]
    public void RollBack_OfAnEndedExecution_WhatItsVisitsAskedForIsAskedForOnceMore()
    {
        var harness = Flow.Of(Call("a", more: """, "locks": ["customer/1"]""") + "," + Call("b"), "", """{"rules": [{"do": ["fail"]}]}""");
        harness.Start();
        harness.Failure("b~1~1~c1", new EffectFailure("tool_error", "http_500", "broke", Permanent: true));
        Assert.True(harness.Send(new RollBackExecution(harness.NowMs, "bob", "r1", "start", "failure")).Accepted);
        var late = harness.Send(new SettleGather(harness.NowMs, "a~1~1~g1", [new LockGrant("customer/1", "customer/1", "customer/1", 1)], null, null));
        Assert.Equal("effect_not_due", late.Rejection!.Code);
        Assert.True(harness.Send(new ResumeExecution(harness.NowMs, "ada", "r2")).Accepted);
        Assert.Contains(harness.Pending, effect => effect is { Kind: PendingKind.Gather, Id: "a~1~1~g2" });
    }
}
