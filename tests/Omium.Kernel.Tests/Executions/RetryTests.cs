using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Retries of steps and of policies, and the rules form.</summary>
public sealed class RetryTests
{
    private const string Policy = """{"retry_policy": {"max_retries": 3, "backoff": "exponential(1s, 10s)", "condition": "same_failure_not_detected_twice"}}""";

    [Fact]
    public void MaxRetriesThree_FourAttemptsWithDoublingWaitsWithinTheJitter()
    {
        var harness = Begun(Policy);
        var waits = new List<long>();
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            var outcome = harness.Failure($"a~1~{attempt}~c1", new EffectFailure("tool_error", $"code_{attempt}", "m"));
            waits.Add(outcome.Events.OfType<RetryScheduled>().Single().DueMs - harness.NowMs);
            harness.Wake(waits[^1]);
        }

        Assert.InRange(waits[0], 500, 1_000);
        Assert.InRange(waits[1], 1_000, 2_000);
        Assert.InRange(waits[2], 2_000, 4_000);
        harness.Failure("a~1~4~c1", new EffectFailure("tool_error", "code_4", "m"));
        Assert.Equal((ExecutionStatus.Failed, 4), (harness.State.Status, harness.State.LatestVisit("a")!.Attempt));
        Assert.Equal(waits, Waits(Begun(Policy)));
        Assert.NotEqual(waits, Waits(Begun(Policy, seed: 8)));
    }

    /// <summary>Whatever orders the next attempt: an input that cannot be made is not replaced by an empty one.</summary>
    [Theory]
    [InlineData("""{"rules": [{"do": ["retry"], "limit": 3}]}""", null)]
    [InlineData("""{"rules": [{"do": ["pause"]}]}""", "resume")]
    [InlineData("""{"rules": [{"do": ["pause", "await_review"]}]}""", "approve")]
    public void InputThatCannotBeMade_IsTriedAnewByEachAttempt_AndNothingIsSent(string policy, string? answer)
    {
        var run = Flow.Of(string.Join(',', Call("a"), Call("b", "a", """, "input": {"n": "${{ 1 / int(steps.a.output.n) }}"}""", tool: "wire")), recovery: policy);
        run.Start();
        run.Run(CarryOut);
        if (answer == "resume")
        {
            run.Send(new ResumeExecution(run.NowMs, "ada", "r1"));
        }
        else if (answer is not null)
        {
            run.Decide(answer);
        }

        run.Run(CarryOut);
        var visit = run.State.LatestVisit("b")!;
        Assert.True(visit.Attempt > 1 || visit.Key.Visit > 1);
        Assert.Empty(visit.Calls);
        Assert.All(visit.Failures, failure => Assert.Equal("input_expression", failure.Failure.Code));
        Assert.NotEqual(ExecutionStatus.Succeeded, run.State.Status);
        Laws.Check(run);

        static EffectOutcome CarryOut(string tool, string arguments) =>
            tool == "plain" ? Ok("""{"n": 0}""") : throw new InvalidOperationException($"{tool} was called with {arguments}.");
    }

    [Fact]
    public void Waits_GrowToTheMaximumOnly()
    {
        var harness = Begun("""{"retry_policy": {"max_retries": 12, "backoff": "exponential(1s, 10s)"}}""");
        Assert.All(Waits(harness, 12).Skip(5), wait => Assert.InRange(wait, 5_000, 10_000));
    }

    [Fact]
    public void SameFailureTwice_Stops_EnvironmentalClassesAreLeftOut()
    {
        var harness = Begun(Policy);
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "same", "m"));
        harness.Wake(10_000);
        harness.Failure("a~1~2~c1", new EffectFailure("tool_error", "same", "another message"));
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);

        foreach (var environmental in new[] { "timeout", "rate_limited", "worker_lost" })
        {
            var patient = Begun(Policy);
            Assert.Equal(3, Waits(patient, 3, environmental, "same").Count);
            Assert.Equal(ExecutionStatus.Running, patient.State.Status);
        }
    }

    [Fact]
    public void RetryAfter_LongerThanTheWait_IsHonoured_APermanentFailureIsNotRetried()
    {
        var harness = Begun(Policy);
        harness.Failure("a~1~1~c1", new EffectFailure("rate_limited", "http_429", "m", RetryAfterMs: 60_000));
        Assert.Equal(harness.NowMs + 60_000, Assert.Single(harness.Pending).DueMs);
        Assert.Empty(harness.Wake(59_999).Events);
        harness.Wake(1);
        harness.Failure("a~1~2~c1", new EffectFailure("tool_error", "http_404", "m", Permanent: true));
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
    }

    [Fact]
    public void DefaultPolicy_RetriesTransientClassesOnly()
    {
        var transient = Begun("");
        transient.Failure("a~1~1~c1", new EffectFailure("tool_error", "x", "m"));
        Assert.Equal(["retry~a~1~2"], transient.Due());
        var guard = Flow.Of(Call("a", more: Guard("output.n == 1")));
        guard.Start();
        guard.Run(Numbers(2));
        Assert.Equal((ExecutionStatus.Failed, 1), (guard.State.Status, guard.State.LatestVisit("a")!.Attempt));
    }

    [Fact]
    public void SettledCalls_OfTheFailedAttempt_AreUndoneFirst()
    {
        var harness = Flow.Of(Call("a", tool: "book", more: Guard("output.n == 1")), recovery: Policy);
        harness.Start();
        harness.Run((_, effect) => Ok(effect == "a~1~1~c1" ? """{"n": 0}""" : """{"n": 1}"""));
        Assert.Equal(["book", "undo book", "book"], harness.Carried);
        Assert.NotEqual(harness.TheCall("a").Key, harness.TheCall("a", 2).Key);
        Assert.Equal(("attempt", ExecutionStatus.Succeeded), (harness.Events.OfType<RollbackPlanned>().Single().Scope, harness.State.Status));
    }

    [Fact]
    public void SettledCalls_ThatCannotBeUndone_APersonIsAsked_AndApprovalGoesAhead()
    {
        var harness = Flow.Of(Call("a", tool: "loose", more: Guard("output.n == 1")), recovery: Policy);
        harness.Start();
        harness.Run(Numbers(0));
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        Assert.True(harness.Decide("approve").Accepted);
        Assert.Equal(["a~1~2~c1"], harness.Due());
        Assert.Equal(harness.TheCall("a").Key, harness.TheCall("a", 2).Key);
        harness.Run(Numbers(1));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
    }

    [Fact]
    public void RetriedApproval_AsksAnewOnceHoweverOftenTimersWake()
    {
        var harness = Flow.Of(Approval("a"), recovery: """{"rules": [{"on": ["rejected"], "do": ["retry"]}]}""");
        harness.Start();
        harness.Decide("reject");
        harness.Wake(10_000);
        harness.Wake(10_000);
        Assert.Equal(2, harness.State.Reviews.Count);
    }

    [Fact]
    public void Trigger_WinsOverRetry_ActionsRunInTheOrderWritten()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a", Guard("output.n == 1", "hallucination"))), recovery: """
            {"rollback_triggers": [{"hallucination_detected": true}], "recovery_actions": [{"rollback_to_last_checkpoint": true}, {"pause_and_notify": true}, {"await_human_review": true}],
             "retry_policy": {"max_retries": 3, "backoff": "exponential(1s, 10s)"}}
            """);
        harness.Start();
        harness.Result("a~1~1~c1", "{}");
        var outcome = harness.Result("b~1~1~c1", """{"n": 0}""");
        Assert.Equal(["GuardFailed", "StepFailed", "RollbackPlanned", "RollbackCompleted", "ExecutionPaused", "NotificationRequested", "ReviewRequested"], outcome.Events.Select(happened => happened.GetType().Name));
    }

    [Fact]
    public void Rules_FirstThatMatches_LimitAndWhenAndCodesCount()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("next", "a")), recovery: """
            {"rules": [{"on": ["special"], "when": "failure.attempt == 1", "do": ["retry"]}, {"on": ["tool_error"], "do": ["retry"], "limit": 1}, {"do": ["skip"]}]}
            """);
        harness.Start();
        foreach (var (attempt, code) in new[] { (1, "special"), (2, "special") })
        {
            harness.Failure($"a~1~{attempt}~c1", new EffectFailure("tool_error", code, "m"));
            harness.Wake(10_000);
        }

        harness.Failure("a~1~3~c1", new EffectFailure("tool_error", "special", "m"));
        Assert.Equal([0, 1, 2], harness.Events.OfType<RuleApplied>().Select(applied => applied.Rule));
        Assert.Equal(VisitStatus.Skipped, harness.Status("a"));
        Assert.Equal(["next~1~1~c1"], harness.Due());
    }

    [Fact]
    public void Rule_RetryWithoutALimit_EndsWithThePolicysRetries()
    {
        var harness = Flow.Of(Call("a", more: ""","guards": {"pre": [{"check": "false", "code": "guard_failed"}]}"""), recovery: """{"rules": [{"do": ["retry"]}]}""");
        harness.Start();
        harness.Run(Numbers(1));
        Assert.Equal((ExecutionStatus.Failed, 4), (harness.State.Status, harness.State.LatestVisit("a")!.Attempt));
    }

    [Theory]
    [InlineData("""["fail"]""", ExecutionStatus.Succeeded, VisitStatus.Failed, VisitStatus.Committed)]
    [InlineData("""["skip"]""", ExecutionStatus.Succeeded, VisitStatus.Skipped, VisitStatus.Skipped)]
    [InlineData("""[{"notify": "ops"}]""", ExecutionStatus.Succeeded, VisitStatus.Failed, VisitStatus.Committed)]
    [InlineData("""[{"use_agent": "spare"}]""", ExecutionStatus.Succeeded, VisitStatus.Failed, VisitStatus.Committed)]
    public void Rule_Action_SaysWhatBecomesOfTheStep(string actions, ExecutionStatus status, VisitStatus step, VisitStatus fallback)
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b")), Edge("a", "b", "\"on\": \"failure\""), $$"""{"rules": [{"do": {{actions}}}]}""");
        harness.Start();
        harness.Run((_, effect) => effect.StartsWith("a~", StringComparison.Ordinal) ? Fails("tool_error", "x") : Ok("{}"));
        Assert.Equal((status, step, fallback), (harness.State.Status, harness.Status("a"), harness.Status("b")));
    }

    [Fact]
    public void Rule_Escalate_AsksThatRole_PauseAlone_ResumeTriesAgain()
    {
        var asked = Begun("""{"rules": [{"do": [{"escalate_to": "lead"}]}]}""");
        asked.Failure("a~1~1~c1", new EffectFailure("tool_error", "x", "m"));
        Assert.Equal("lead", asked.State.Reviews[asked.State.OpenReviews[0]].Request.Role);

        var paused = Begun("""{"rules": [{"do": ["pause"]}]}""");
        paused.Failure("a~1~1~c1", new EffectFailure("tool_error", "x", "m"));
        Assert.Equal(ExecutionStatus.Paused, paused.State.Status);
        paused.Send(new ResumeExecution(paused.NowMs, "ada", "r1"));
        Assert.Equal(["a~1~2~c1"], paused.Due());
    }

    [Fact]
    public void Rule_UseAgent_TheSubstitutesModelPromptAndToolsServe()
    {
        var harness = Flow.Of(Agent("a"), recovery: """{"rules": [{"do": [{"use_agent": "spare"}]}]}""");
        harness.Start();
        harness.Failure("a~1~1~m1", new EffectFailure("model_error", "x", "m", Permanent: true));
        var request = AgentConversation.Build(harness.State, harness.Plan, harness.State.LatestVisit("a")!, null, value => value);
        Assert.Equal(("spare-model", "plain"), (request.Model, Assert.Single(request.Tools).Name));
        Assert.Contains("spare prompt", request.Messages[0].Content, StringComparison.Ordinal);
    }

    private static KernelHarness Begun(string recovery, long seed = 7)
    {
        var harness = Flow.Of(Call("a"), recovery: recovery);
        harness.Send(new StartExecution(harness.NowMs, "exe_test", "ten_a", "flow", 1, "digest", KernelHarness.Json("{}"), seed, "key_a", 10_000));
        return harness;
    }

    private static List<long> Waits(KernelHarness harness, int count = 3, string failureClass = "tool_error", string? code = null)
    {
        var waits = new List<long>();
        for (var attempt = 1; attempt <= count; attempt++)
        {
            harness.Failure($"a~1~{attempt}~c1", new EffectFailure(failureClass, code ?? $"code_{attempt}", "m"));
            waits.Add(Assert.Single(harness.Pending).DueMs - harness.NowMs);
            harness.Wake(waits[^1]);
        }

        return waits;
    }
}
