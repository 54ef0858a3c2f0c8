using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Rollback of the affected only: what is taken back, what is undone, what stays.</summary>
public sealed class RollbackTests
{
    private const string RollBack = """{"rollback_triggers": [{"hallucination_detected": true}], "recovery_actions": [{"rollback_to": "a"}, {"pause_and_notify": true}, {"await_human_review": true}]}""";

    [Fact]
    public void Policy_RollsBackTheAncestryAfterTheCheckpoint_ASiblingBranchIsUntouched()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a", tool: "pay"), Call("side", "a", tool: "pay"), Call("c", "b", Guard("output.n == 1", "hallucination"))), recovery: RollBack);
        harness.Start();
        harness.Run(Numbers(0));
        Assert.Equal("b~1 c~1", string.Join(' ', harness.Events.OfType<RollbackPlanned>().Single().Affected));
        Assert.Equal((VisitStatus.Committed, VisitStatus.Committed), (harness.Status("a"), harness.Status("side")));
        Assert.Equal(CallStatus.Settled, harness.TheCall("side").Status);
        Assert.Equal(CallStatus.Compensated, harness.TheCall("b").Status);
    }

    [Fact]
    public void Policy_RollsBackToTheStart_TakesTheWholeAncestryBack()
    {
        const string ToStart = """{"rules": [{"on": ["hallucination"], "do": [{"rollback_to": "start"}, "retry"], "limit": 1}]}""";
        var harness = Flow.Of(string.Join(',', Call("a", tool: "pay"), Call("b", "a", Guard("output.n == 1", "hallucination")), Call("side")), recovery: ToStart);
        harness.Start();
        harness.Run(Numbers(0, 0, 0, 0, 1));
        var planned = harness.Events.OfType<RollbackPlanned>().First();
        Assert.Equal(("start", "a~1 b~1", "a~1~1~c1"), (planned.To, string.Join(' ', planned.Affected), string.Join(' ', planned.Compensations)));
        Assert.Equal((2, 2, 1), (harness.State.Latest["a"], harness.State.Latest["b"], harness.State.Latest["side"]));
        Laws.Check(harness);
    }

    [Fact]
    public void Rollback_FollowsReadsAsWellAsEdges()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b"), Call("reader", "a", """, "input": {"x": "${{ steps.b.output.n }}"}""")));
        harness.Start();
        harness.Result("b~1~1~c1", """{"n": 1}""");
        harness.Result("a~1~1~c1", "{}");
        Assert.Equal([new VisitKey("a", 1)], harness.State.LatestVisit("reader")!.After);
        Assert.Equal([new VisitKey("b", 1)], harness.State.LatestVisit("reader")!.Reads);
        var preview = ExecutionKernel.PreviewRollback(harness.State, new DecisionValues(harness.Plan), "b", "all", 0)!;
        Assert.Equal([new VisitKey("reader", 1)], preview.Affected);
    }

    [Fact]
    public void Rollback_FollowsAValueToAVisitThatWasOpenedBeforeItsWriter()
    {
        const string Reads = """, "reads": ["customer/1#n"]""", Writes = """, "writes": ["customer/1#n"]""";
        var harness = Flow.Of(string.Join(',', Call("early", more: Reads), Call("between"), Call("writer", "between", Writes), Call("after", "early")));
        harness.Start();
        harness.Result("between~1~1~c1", """{"n": 1}""");
        harness.Result("writer~1~1~c1", """{"n": 2}""");
        harness.CarryOut(harness.Pending.Single(effect => effect.Kind == PendingKind.Prepare), Numbers(1));
        harness.CarryOut(harness.Pending.Single(effect => effect.Kind == PendingKind.Gather), Numbers(1)); // It has waited all the time, and reads what was written meanwhile.
        harness.Run(Numbers(3));
        var keys = (string[])["early~1", "writer~1", "after~1"];
        Assert.Equal(keys, ExecutionKernel.PreviewRollback(harness.State, new DecisionValues(harness.Plan), "between", "all", 0)!.Affected.Select(key => key.ToString()));
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "between", "all"));
        Assert.Equal(keys, harness.Events.OfType<RollbackPlanned>().Single().Affected.Select(key => key.ToString()));
        Laws.Check(harness);
    }

    [Fact]
    public void Compensations_RunInReverseOrderEachOnce_PreviewEqualsWhatIsDone()
    {
        var harness = Finished();
        var preview = ExecutionKernel.PreviewRollback(harness.State, new DecisionValues(harness.Plan), "start", "all", 0)!;
        Assert.True(harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "start", "all")).Accepted);
        harness.Run(Numbers(1));
        var planned = harness.Events.OfType<RollbackPlanned>().Single();
        Assert.Equal(["c~1~1~c1", "b~1~1~c1", "a~1~1~c1"], planned.Compensations);
        Assert.Equal(preview.Compensations, planned.Compensations);
        Assert.Equal(preview.Affected, planned.Affected);
        Assert.Equal(planned.Compensations, harness.Events.OfType<CompensationSettled>().Select(settled => settled.Effect));
        Assert.Equal((ExecutionStatus.Paused, null), (harness.State.Status, harness.State.Output));
        Assert.Empty(harness.Result("a~1~1~c1~u1", "{}").Events);

        harness.Send(new ResumeExecution(harness.NowMs, "ada", "r2"));
        harness.Run(Numbers(1));
        Assert.Equal((ExecutionStatus.Succeeded, 2), (harness.State.Status, harness.State.Latest["c"]));
    }

    [Fact]
    public void Rollback_OfAFinishedRun_ToAStep_ReRunsOnlyWhatCameAfter()
    {
        var harness = Finished();
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "a", "all"));
        harness.Run(Numbers(1));
        harness.Send(new ResumeExecution(harness.NowMs, "ada", "r2"));
        Assert.Equal(["b~2~1~c1"], harness.Due());
        harness.Run(Numbers(1));
        Assert.Equal((1, 2, 2), (harness.State.Latest["a"], harness.State.Latest["b"], harness.State.Latest["c"]));
    }

    [Fact]
    public void Compensation_ThatFails_IsRetriedThenResidue_AndTheRestContinues()
    {
        var harness = Finished();
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "start", "all"));
        harness.Failure("c~1~1~c1~u1", new EffectFailure("tool_error", "x", "m"));
        Assert.Empty(harness.Failure("c~1~1~c1~u1", new EffectFailure("tool_error", "x", "m")).Events);
        Assert.Equal(new PendingEffect("c~1~1~c1~u2", PendingKind.Compensate, harness.NowMs + 1_000), Assert.Single(harness.Pending));
        harness.Run((_, effect) => effect.StartsWith("c~", StringComparison.Ordinal) ? Fails("tool_error", "x") : Ok("{}"));
        Assert.Equal(5, harness.TheCall("c").CompensationAttempts);
        Assert.Equal((2, 1), (harness.Events.OfType<RollbackCompleted>().Single().Compensated, harness.Events.OfType<RollbackCompleted>().Single().Residue));
        Assert.Equal("c~1~1~c1", Assert.Single(harness.State.Residue).Left.Effect);
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
    }

    [Theory]
    [InlineData("succeeds", true, 0)]
    [InlineData("fails", false, 0)]
    [InlineData("lost", true, 0)]
    public void Call_InFlightAtRollback_IsFenced_RecordedAndUndoneIfItMayHaveHappened(string course, bool undone, int residue)
    {
        var harness = Flow.Of(Call("a", tool: "pay"));
        harness.Start();
        harness.Begin("a~1~1~c1");
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "start", "all"));
        Assert.Equal(ExecutionStatus.RollingBack, harness.State.Status);
        Assert.Equal("effect_not_due", harness.Begin("a~1~1~c1").Rejection!.Code);
        var outcome = course switch
        {
            "succeeds" => harness.Result("a~1~1~c1", """{"n": 1}"""),
            "fails" => harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "refused", "m")),
            _ => harness.Wake(15_000),
        };
        Assert.Single(outcome.Events.OfType<ResultDiscarded>());
        harness.Run(Numbers(1));
        Assert.Equal((ExecutionStatus.Paused, undone ? CallStatus.Compensated : CallStatus.Failed), (harness.State.Status, harness.TheCall("a").Status));
        Assert.Equal((undone ? 1 : 0, residue), (harness.Events.OfType<RollbackCompleted>().Single().Compensated, harness.Events.OfType<RollbackCompleted>().Single().Residue));
    }

    [Fact]
    public void Call_InDoubtAtRollback_WithAnOpenQuestion_StillWaitsForItsAnswer()
    {
        var harness = Flow.Of(Call("a", tool: "book"));
        harness.Start();
        harness.Begin("a~1~1~c1");
        harness.Wake(30_000);
        harness.Result("a~1~1~c1~v1", """{"status": "unknown"}""");
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "start", "all"));
        Assert.Single(harness.State.OpenReviews);
        Assert.Equal(ExecutionStatus.RollingBack, harness.State.Status);
        harness.Decide("done");
        harness.Run(Numbers(1));
        Assert.Equal((ExecutionStatus.Paused, CallStatus.Compensated), (harness.State.Status, harness.TheCall("a").Status));
    }

    [Fact]
    public void Irreversible_InTheSet_ManualIsRejected_AutomaticBecomesAReview()
    {
        var manual = Flow.Of(string.Join(',', Approval("ask"), Call("a", "ask", tool: "wire")));
        manual.Start();
        manual.Decide("approve");
        manual.Run(Numbers(1));
        Assert.Equal("rollback_irreversible", manual.Send(new RollBackExecution(manual.NowMs, "ada", "r1", "start", "all")).Rejection!.Code);
        Assert.Equal(["a~1~1~c1"], ExecutionKernel.PreviewRollback(manual.State, new DecisionValues(manual.Plan), "start", "all", 0)!.Irreversible);

        var automatic = Flow.Of(string.Join(',', Approval("ask"), Call("a", "ask", Guard("output.n == 1", "hallucination"), "wire")),
            recovery: """{"rollback_triggers": [{"hallucination_detected": true}], "recovery_actions": [{"rollback_to_last_checkpoint": true}]}""");
        automatic.Start();
        automatic.Decide("approve");
        automatic.Run(Numbers(0));
        Assert.Equal(ExecutionStatus.Paused, automatic.State.Status);
        Assert.Single(automatic.State.OpenReviews);
        Assert.Empty(automatic.Events.OfType<RollbackPlanned>());
        Assert.True(automatic.Decide("rollback", acceptResidue: true).Accepted);
        Assert.Equal(("irreversible", ExecutionStatus.Cancelled), (Assert.Single(automatic.State.Residue).Left.Reason, automatic.State.Status));
    }

    [Fact]
    public void SecondFailure_WhileRollingBack_WaitsAndFollows()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a", Guard("output.n == 1", "hallucination"), "pay"), Call("c", "a", Guard("output.n == 1", "hallucination"), "pay"), Call("d", "a"), Call("e", "d")), recovery: RollBack);
        harness.Start();
        harness.Result("a~1~1~c1", "{}");
        harness.Begin("b~1~1~c1");
        harness.Begin("c~1~1~c1");
        harness.Result("b~1~1~c1", """{"n": 0}""");
        harness.Result("c~1~1~c1", """{"n": 0}""");
        Assert.Single(harness.Events.OfType<ActionsDeferred>());
        harness.Result("d~1~1~c1", "{}");
        harness.Result("b~1~1~c1~u1", "{}");
        harness.Result("c~1~1~c1~u1", "{}");
        Assert.Equal((2, 2), (harness.Events.OfType<RollbackCompleted>().Count(), harness.State.OpenReviews.Count));
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        harness.Decide("approve");
        harness.Decide("approve");
        Assert.Equal(["b~2~1~c1", "c~2~1~c1", "e~1~1~c1"], harness.Due().Order());
        harness.Run(Numbers(1));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
    }

    [Fact]
    public void RollbackOnlyPolicy_ThatNeverHelps_AsksAPersonInTheEnd()
    {
        var harness = Flow.Of(Call("a", more: Guard("output.n == 1", "hallucination")), recovery: """{"rollback_triggers": [{"hallucination_detected": true}], "recovery_actions": [{"rollback_to_last_checkpoint": true}]}""");
        harness.Start();
        harness.Run(Numbers(0));
        Assert.Equal((ExecutionStatus.Paused, 4), (harness.State.Status, harness.State.Latest["a"]));
        Assert.Single(harness.State.OpenReviews);
    }

    [Fact]
    public void Expressions_DoNotSeeWhatWasTakenBack()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a"), Call("c", "a", """, "input": {"seen": "${{ has(steps.b.output) }}"}""")));
        harness.Start();
        harness.Result("a~1~1~c1", "{}");
        harness.Result("b~1~1~c1", "{}");
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "a", "all"));
        harness.Send(new ResumeExecution(harness.NowMs, "ada", "r2"));
        Assert.Equal("""{"seen":false}""", harness.State.LatestVisit("c")!.Input.GetRawText());
    }

    [Fact]
    public void Cancel_WhileRollingBack_UndoesTheRestAndStaysCancelled()
    {
        var harness = Finished();
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "start", "all"));
        harness.Send(new CancelExecution(harness.NowMs, "ada", "r2"));
        harness.Run(Numbers(1));
        Assert.Equal((ExecutionStatus.Cancelled, 3), (harness.State.Status, harness.Events.OfType<CompensationSettled>().Count()));
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("a")] // Stands before the place that is gone back to.
    [InlineData("")]
    public void RollBack_NarrowedToWhatItDoesNotTakeBack_IsRefusedAndChangesNothing(string steps)
    {
        var harness = Finished();
        string[] named = steps.Length == 0 ? [] : ["c", steps];
        var outcome = harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "a", "all", false, named));
        Assert.Equal("validation_failed", outcome.Rejection!.Code);
        Assert.Equal((ExecutionStatus.Succeeded, 0), (harness.State.Status, outcome.Events.Count));
        var preview = ExecutionKernel.PreviewRollback(harness.State, new DecisionValues(harness.Plan), "a", "all", harness.NowMs, named)!;
        Assert.Equal(named.Skip(1), preview.Unaffected);
        Assert.True(harness.Send(new RollBackExecution(harness.NowMs, "ada", "r2", "a", "all", false, ["c"])).Accepted);
    }

    private static KernelHarness Finished()
    {
        var harness = Flow.Of(string.Join(',', Call("a", tool: "pay"), Call("b", "a", tool: "book"), Call("c", "b", tool: "pay")));
        harness.Start();
        harness.Run(Numbers(1));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        return harness;
    }
}
