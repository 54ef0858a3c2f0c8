using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>What waits for people: doubts that pause, questions that nobody answers, several questions at once, calls of high value.</summary>
public sealed class PeopleTests
{
    private const long DayMs = 24L * 3_600_000;
    private const string Verbatim = """
        {"rollback_triggers": [{"high_value_operation": true}],
         "recovery_actions": [{"rollback_to_last_checkpoint": true}, {"pause_and_notify": true}, {"await_human_review": true}],
         "retry_policy": {"max_retries": 3, "backoff": "exponential(1s, 10s)", "condition": "same_failure_not_detected_twice"}}
        """;

    [Theory]
    [InlineData("done")]
    [InlineData("redo")]
    [InlineData("reject")]
    public void InDoubt_ForAPerson_PausesTheOtherBranchesUntilItIsSaid(string decision)
    {
        var harness = Doubtful();
        Assert.Equal((ExecutionStatus.Paused, "in_doubt"), (harness.State.Status, harness.State.PauseReason));
        harness.Result("b~1~1~c1", "{}");
        Assert.Empty(harness.Due()); // c is not begun: it follows b, and the execution is paused.
        Assert.Equal("review_open", harness.Send(new ResumeExecution(harness.NowMs, "ada", "r1")).Rejection!.Code);

        Assert.True(harness.Decide(decision, output: """{"n": 1}""").Accepted);
        Assert.Equal(decision == "reject" ? ExecutionStatus.Failed : ExecutionStatus.Running, harness.State.Status);
        Assert.Null(harness.State.PauseReason);
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(decision == "reject" ? ExecutionStatus.Failed : ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void InDoubt_PausedByAPersonMeanwhile_StaysPausedAfterTheAnswer()
    {
        var harness = Doubtful();
        Assert.True(harness.Send(new PauseExecution(harness.NowMs, "ada", "r1", null)).Accepted);
        Assert.True(harness.Decide("done", output: "{}").Accepted);
        Assert.Equal((ExecutionStatus.Paused, "person"), (harness.State.Status, harness.State.PauseReason));
        Assert.True(harness.Send(new ResumeExecution(harness.NowMs, "ada", "r2")).Accepted);
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
    }

    [Fact]
    public void Pause_ByAPersonWhoCallsItInDoubt_IsRefusedAndNeverEndsByItself()
    {
        var harness = Flow.Of(string.Join(',', Call("a", tool: "pay"), Call("b", "a")));
        harness.Start();
        harness.Begin("a~1~1~c1");
        Assert.Equal("validation_failed", harness.Send(new PauseExecution(harness.NowMs, "ada", "r1", "in_doubt")).Rejection!.Code);
        Assert.True(harness.Send(new PauseExecution(harness.NowMs, "ada", "r2", "is it in doubt?")).Accepted);
        harness.Settle("a~1~1~c1", Ok("{}"), 1);
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
    }

    [Fact]
    public void InDoubt_AndAFailureThatWaits_GoesOnWhenBothAreAnswered_WhicheverIsFirst()
    {
        foreach (var doubtFirst in new[] { true, false })
        {
            var harness = Doubtful("""{"rules": [{"on": ["tool_error"], "do": ["pause", "await_review"]}]}""");
            harness.Failure("b~1~1~c1", new EffectFailure("tool_error", "http_500", "m"));
            Assert.Equal(2, harness.State.OpenReviews.Count);
            Decide(harness, doubtFirst ? "in_doubt" : "failure", doubtFirst ? "done" : "approve");
            Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
            Decide(harness, doubtFirst ? "failure" : "in_doubt", doubtFirst ? "approve" : "done");
            Assert.Equal(ExecutionStatus.Running, harness.State.Status);
            harness.Run((_, _) => Ok("{}"));
            Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
            Laws.Check(harness);
        }
    }

    [Fact]
    public void Approval_PastItsTimeout_FailsTheStepWithTimeout_AndNeverIsRetriedBySilence()
    {
        var harness = Flow.Of(string.Join(',', Approval("ask", more: ", \"timeout\": \"1h\""), Call("a", "ask"), Call("late")), Edge("ask", "late", "\"on\": \"failure\""));
        harness.Start();
        var deadline = Assert.Single(harness.Pending, effect => effect.Kind == PendingKind.Deadline);
        Assert.Equal(harness.NowMs + 3_600_001, deadline.DueMs);
        Assert.Empty(harness.Wake(3_600_000).Events);
        harness.Wake(1);
        var failed = harness.Events.OfType<StepFailed>().Single();
        Assert.Equal(("timeout", "approval_timeout", true), (failed.Class, failed.Code, failed.Final));
        Assert.Equal("step_failed", harness.Events.OfType<ReviewExpired>().Single().Next);
        Assert.Equal(["late~1~1~c1"], harness.Due());
        Assert.Equal("review_expired", harness.Decide("approve").Rejection!.Code);
        Assert.Empty(harness.Wake(3_600_000).Events);
        Laws.Check(harness);
    }

    [Fact]
    public void Review_PastItsTime_IsAskedAgainUnderANewIdAndSomebodyIsTold()
    {
        var harness = Begun("wire");
        harness.Decide("approve");
        harness.Begin("a~1~1~c1");
        harness.Wake(15_000);
        var first = harness.State.OpenReviews.Single();
        harness.NowMs += (30 * DayMs) + 1;
        var outcome = harness.Wake();
        Assert.Equal([nameof(ReviewExpired), nameof(ReviewRequested), nameof(NotificationRequested)], Kinds(outcome.Events));
        var second = harness.State.OpenReviews.Single();
        Assert.NotEqual(first, second);
        Assert.Equal(harness.State.Reviews[first].Request.Shown.GetRawText(), harness.State.Reviews[second].Request.Shown.GetRawText());
        Assert.NotEqual(harness.State.Reviews[first].Request.Digest, harness.State.Reviews[second].Request.Digest);
        var late = harness.Send(new DecideReview(harness.NowMs, first, "redo", harness.State.Reviews[first].Request.Digest, "ada", null, null, null, null));
        Assert.Equal("review_expired", late.Rejection!.Code);
        Assert.True(harness.Decide("redo").Accepted);
        Assert.Equal(["a~1~1~c1"], harness.Due());
        Laws.Check(harness);
    }

    [Fact]
    public void TwoCallsOfOneTurn_BothAwaitApproval_EachIsDecidedByItself()
    {
        foreach (var (first, second) in new[] { ("approve", "reject"), ("reject", "approve"), ("approve", "approve") })
        {
            var harness = Flow.Of(Agent("a"));
            harness.Start();
            harness.Settle("a~1~1~m1", Asks(("wire", """{"to": 1}"""), ("wire", """{"to": 2}""")));
            Assert.Equal(2, harness.State.OpenReviews.Count);
            Assert.Equal(harness.State.OpenReviews, harness.State.LatestVisit("a")!.Reviews);
            Assert.True(harness.State.LatestVisit("a")!.WaitsForPerson);
            Assert.Equal(["""{"to":1}""", """{"to":2}"""], harness.State.OpenReviews.Select(id => harness.State.Reviews[id].Request.Shown.GetProperty("arguments").GetRawText()));

            harness.Decide(first);
            Assert.Equal(first != "approve", harness.State.LatestVisit("a")!.WaitsForPerson);
            Assert.Equal(first == "approve" ? ["a~1~1~c1"] : [], harness.Due());
            harness.Decide(second);
            Assert.False(harness.State.LatestVisit("a")!.WaitsForPerson);
            harness.Run((name, _) => name == "a" ? Says("done") : Ok("{}"));
            Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
            Assert.Equal(first == second ? 2 : 1, harness.Carried.Count(name => name == "wire"));
            Laws.Check(harness);
        }
    }

    [Fact]
    public void HighValue_AsATrigger_RunsTheActionsAsWritten_AndAnApprovalCoversThatCallOnce()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("p", "a", ", \"input\": {\"amount\": 20000}", "pay"), Call("q", "p", ", \"input\": {\"amount\": 20000}", "pay")), recovery: Verbatim);
        harness.Start();
        harness.Result("a~1~1~c1", "{}");
        Assert.Equal(
            [
                nameof(CallRequested), nameof(CallRefused), nameof(StepFailed), nameof(RollbackPlanned), nameof(RollbackCompleted), nameof(ExecutionPaused),
                nameof(NotificationRequested), nameof(ReviewRequested),
            ],
            Kinds(harness.Events)[^8..]);
        Assert.Equal(("high_value_operation", VisitStatus.RolledBack), (harness.State.LatestVisit("p")!.Failures[^1].Failure.Class, harness.Status("p")));
        Assert.Equal(20_000, harness.State.Reviews[harness.State.OpenReviews[0]].Request.Shown.GetProperty("actual").GetProperty("amount").GetDouble());

        Assert.True(harness.Decide("approve").Accepted);
        Assert.Equal("ada", harness.TheCall("p").Status == CallStatus.Requested ? harness.Events.OfType<CallRequested>().Last().ApprovedBy : null);
        Assert.Empty(harness.State.Approvals);
        harness.Begin("p~2~1~c1");
        harness.Result("p~2~1~c1", "{}");

        // The same amount in another step is another call: it is asked about anew.
        Assert.Equal("high_value_operation", harness.State.LatestVisit("q")!.Failures[^1].Failure.Class);
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void HighValue_RetriedByAPersonWithoutAnApproval_IsStoppedAgain()
    {
        var harness = Flow.Of(Call("p", more: ", \"input\": {\"amount\": 20000}", tool: "pay"), recovery: Verbatim);
        harness.Start();
        Assert.True(harness.Send(new RetryExecution(harness.NowMs, "ada", "r1", null, null)).Accepted);
        Assert.Equal((ExecutionStatus.Paused, 2), (harness.State.Status, harness.Events.OfType<StepFailed>().Count(failed => failed.Class == "high_value_operation")));
        Assert.Empty(harness.Due());
    }

    [Fact]
    public void HighValue_NamedByARule_FollowsTheRule_AndWithoutOneWaitsForApproval()
    {
        var skipped = Flow.Of(Call("p", more: ", \"input\": {\"amount\": 20000}", tool: "pay"), recovery: """{"rules": [{"on": ["high_value_operation"], "do": ["skip"]}]}""");
        skipped.Start();
        Assert.Equal((ExecutionStatus.Succeeded, VisitStatus.Skipped), (skipped.State.Status, skipped.Status("p")));
        var asked = Flow.Of(Call("p", more: ", \"input\": {\"amount\": 20000}", tool: "pay"), recovery: """{"rules": [{"do": ["retry"]}]}""");
        asked.Start();
        Assert.Equal("call_approval", asked.State.Reviews[asked.State.OpenReviews.Single()].Request.Kind);
    }

    [Fact]
    public void Test_SentTwiceWithOneRequestId_IsOnRecordOnce()
    {
        var harness = Flow.Of(Agent("a", more: Guard("false")), recovery: """{"rules": [{"do": ["pause", "await_review"]}]}""");
        harness.Start();
        harness.Answer("a~1~1~m1", "no");
        var test = new RecordTest(harness.NowMs, harness.State.OpenReviews[0], "ada", new AgentEdit("p", null, null), "passed", null, 1, 1, "r1");
        Assert.Single(harness.Send(test).Events);
        Assert.Empty(harness.Send(test with { AtMs = harness.NowMs + 1 }).Events);
        Assert.Single(harness.Send(test with { RequestId = "r2" }).Events);
    }

    [Fact]
    public void Proposal_IsHeldToThePolicy_ShownToWhoeverDecides_AndChangesNothing()
    {
        var harness = Flow.Of(
            Agent("a", more: Guard("false")), recovery: """{"rules": [{"do": ["pause", "await_review"]}], "allowed_edits": ["prompt"]}""");
        harness.Start();
        harness.Answer("a~1~1~m1", "no");
        var review = harness.State.OpenReviews[0];
        var proposal = new ProposeFix(harness.NowMs, review, harness.State.Reviews[review].Request.Digest, "key_assistant", new AgentEdit("p", null, null), "why", "r1");
        Assert.Equal("review_digest_mismatch", harness.Send(proposal with { Digest = "old" }).Rejection!.Code);
        Assert.Equal("edit_forbidden", harness.Send(proposal with { Edits = new AgentEdit(null, ["c"], null) }).Rejection!.Code);
        Assert.Equal("review_not_found", harness.Send(proposal with { Review = "rev_9" }).Rejection!.Code);
        Assert.IsType<FixProposed>(Assert.Single(harness.Send(proposal).Events));
        Assert.Empty(harness.Send(proposal).Events);
        for (var more = 2; more <= 25; more++)
        {
            Assert.Single(harness.Send(proposal with { RequestId = $"r{more}" }).Events);
        }

        Assert.Equal(Enumerable.Range(6, 20), harness.State.Reviews[review].Proposals.Select(made => made.Proposed.Proposal));
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        Assert.Equal([review], harness.State.OpenReviews);
        Assert.Equal(PendingKind.Deadline, Assert.Single(harness.Pending).Kind);
        Laws.Check(harness);
        harness.Decide("reject");
        Assert.Equal("review_closed", harness.Send(proposal with { RequestId = "late" }).Rejection!.Code);
    }

    [Fact]
    public void Notification_NotDelivered_IsTriedAgainLaterAndGivenUpAtLast()
    {
        var harness = Flow.Of(Call("a"), recovery: """{"rules": [{"do": [{"notify": "ops"}, "fail"]}]}""");
        harness.Start();
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "x", "m"));
        var waits = new List<long>();
        while (harness.Pending is [{ Kind: PendingKind.Notify } next])
        {
            waits.Add(Math.Max(0, next.DueMs - harness.NowMs));
            harness.NowMs = Math.Max(harness.NowMs, next.DueMs);
            var attempt = waits.Count;
            Assert.Single(harness.Send(new RecordNotification(harness.NowMs, 1, "refused", attempt)).Events);
            Assert.Empty(harness.Send(new RecordNotification(harness.NowMs, 1, "refused", attempt)).Events);
        }

        Assert.Equal([0, 5_000, 20_000, 80_000, 320_000, 1_280_000], waits);
        var lost = Assert.Single(harness.State.Undelivered);
        Assert.Equal(("ops", 6, "refused"), (lost.Requested.Channel, lost.Failed.Attempt, lost.Failed.Message));
        Laws.Check(harness);
    }

    /// <summary>a's call is in doubt for a person, b is under way beside it, c follows b.</summary>
    private static KernelHarness Doubtful(string recovery = "")
    {
        var harness = Flow.Of(string.Join(',', Call("a", tool: "wire"), Call("b"), Call("c", "b")), recovery: recovery);
        harness.Start();
        harness.Decide("approve");
        harness.Begin("a~1~1~c1");
        harness.Wake(15_000);
        return harness;
    }

    private static string[] Kinds(IEnumerable<ExecutionEvent> events) => [.. events.Select(happened => happened.GetType().Name)];

    private static KernelHarness Begun(string tool)
    {
        var harness = Flow.Of(Call("a", tool: tool));
        harness.Start();
        return harness;
    }

    private static void Decide(KernelHarness harness, string kind, string decision)
    {
        var request = harness.State.OpenReviews.Select(id => harness.State.Reviews[id].Request).Single(asked => asked.Kind == kind);
        Assert.True(harness.Send(new DecideReview(harness.NowMs, request.Review, decision, request.Digest, "ada", null, decision == "done" ? KernelHarness.Json("{}") : null, null, null)).Accepted);
    }
}
