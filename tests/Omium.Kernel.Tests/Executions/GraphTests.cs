using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Edges, joins, skips and ends.</summary>
public sealed class GraphTests
{
    [Fact]
    public void Diamond_BothBranchesTaken_JoinRunsOnceAfterBoth()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a"), Call("c", "a"), Call("d", "b c")));
        harness.Start();
        harness.Result("a~1~1~c1", "{}");
        harness.Result("b~1~1~c1", """{"n": 1}""");
        Assert.Null(harness.State.LatestVisit("d"));
        harness.Result("c~1~1~c1", """{"n": 2}""");
        Assert.Equal("""{"b":{"n":1},"c":{"n":2}}""", harness.State.LatestVisit("d")!.Input.GetRawText());
        harness.Run(Numbers(1));
        Assert.Single(harness.Events.OfType<StepCommitted>(), e => e.Step == "d");
    }

    [Fact]
    public void Join_OneEdgeNotTaken_RunsWithTheOther_NoneTaken_SkipsDownward()
    {
        const string When = "\"when\": \"output.n > 5\"";
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b"), Call("c"), Call("d", "c")), string.Join(',', Edge("a", "c", When), Edge("b", "c", When)));
        harness.Start();
        harness.Result("a~1~1~c1", """{"n": 1}""");
        harness.Result("b~1~1~c1", """{"n": 9}""");
        Assert.Equal([new VisitKey("b", 1)], harness.State.LatestVisit("c")!.After);

        var none = Flow.Of(string.Join(',', Call("a"), Call("b"), Call("c"), Call("d", "c")), string.Join(',', Edge("a", "c", When), Edge("b", "c", When)));
        none.Start();
        none.Run(Numbers(1));
        Assert.Equal((VisitStatus.Skipped, VisitStatus.Skipped, ExecutionStatus.Succeeded), (none.Status("c"), none.Status("d"), none.State.Status));
    }

    [Fact]
    public void Failure_WithFailureAndAlwaysEdges_BothTakenAndSuccessEdgeNot()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("good", "a"), Call("bad"), Call("any")), string.Join(',', Edge("a", "bad", "\"on\": \"failure\""), Edge("a", "any", "\"on\": \"always\"")));
        harness.Start();
        harness.Run((name, effect) => effect.StartsWith("a~", StringComparison.Ordinal) ? Fails("tool_error", "x", permanent: true) : Ok("{}"));
        Assert.Equal((VisitStatus.Skipped, VisitStatus.Committed, VisitStatus.Committed, ExecutionStatus.Succeeded), (harness.Status("good"), harness.Status("bad"), harness.Status("any"), harness.State.Status));
    }

    [Fact]
    public void EdgeCondition_CannotBeEvaluated_FailsTheStepAndCommitsNothing()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b")), Edge("a", "b", "\"when\": \"output.missing > 1\""));
        harness.Start();
        harness.Run(Numbers(1));
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
        var failed = Assert.Single(harness.Events.OfType<StepFailed>());
        Assert.Equal(("expression_failed", "edge_condition", true), (failed.Class, failed.Code, failed.Final));
        Assert.Empty(harness.Events.OfType<StepCommitted>());
    }

    [Fact]
    public void Input_CannotBeEvaluated_FailsThatVisitOnly()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a", """, "input": {"x": "${{ steps.a.output.missing }}"}"""), Call("c")), Edge("b", "c", "\"on\": \"failure\""));
        harness.Start();
        harness.Run(Numbers(1));
        Assert.Equal("input_expression", harness.Events.OfType<StepFailed>().Single().Code);
        Assert.Equal((VisitStatus.Committed, ExecutionStatus.Succeeded), (harness.Status("c"), harness.State.Status));
    }

    [Fact]
    public void DecisionChain_ThousandSteps_DecidedInOneRecord()
    {
        var steps = Enumerable.Range(1, 1_000).Select(n => $$"""{"id": "d{{n}}", "type": "decision", "needs": [{{(n == 1 ? "" : $"\"d{n - 1}\"")}}], "input": {"n": {{n}} } }""");
        var harness = new KernelHarness($$"""{"omium": "v0", "name": "chain", "steps": [{{string.Join(',', steps)}}]}""");
        harness.Start();
        Assert.Equal((ExecutionStatus.Succeeded, 1), (harness.State.Status, harness.Log.Count));
        Assert.Equal("""{"d1000":{"n":1000}}""", harness.State.Output!.Value.GetRawText());
    }

    [Fact]
    public void Output_SeveralEndSteps_OneMemberEach()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a"), Call("c", "a")));
        harness.Start();
        harness.Run(Numbers(1, 2, 3));
        Assert.Equal("""{"b":{"n":2},"c":{"n":3}}""", harness.State.Output!.Value.GetRawText());
    }

    [Fact]
    public void HumanApproval_Approved_OutputSaysWho_Rejected_TakesFailureEdge()
    {
        var steps = string.Join(',', Approval("ask"), Call("yes", "ask"), Call("no"));
        foreach (var (decision, ran, skipped) in new[] { ("approve", "yes", "no"), ("reject", "no", "yes") })
        {
            var harness = Flow.Of(steps, Edge("ask", "no", "\"on\": \"failure\""));
            harness.Start();
            Assert.Empty(harness.Due());
            Assert.True(harness.Decide(decision).Accepted);
            harness.Run(Numbers(1));
            Assert.Equal((VisitStatus.Committed, VisitStatus.Skipped, ExecutionStatus.Succeeded), (harness.Status(ran), harness.Status(skipped), harness.State.Status));
        }
    }

    [Fact]
    public void Failure_WithOpenParallelBranch_EndsAtOnceAndDiscardsTheLateResultOnce()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b")));
        harness.Start();
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "x", "m", Permanent: true));
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
        Assert.Empty(harness.Due());
        Assert.Equal("ended", Assert.IsType<ResultDiscarded>(Assert.Single(harness.Result("b~1~1~c1", "{}").Events)).Reason);
        Assert.Empty(harness.Result("b~1~1~c1", "{}").Events);
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
    }

    [Fact]
    public void Pause_WithBranchesInFlight_RecordsTheirResultsAndGoesOnAfterResume()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b"), Call("c", "a b")));
        harness.Start();
        harness.Send(new PauseExecution(harness.NowMs, "ada", "r1", null));
        harness.Result("a~1~1~c1", "{}");
        harness.Result("b~1~1~c1", "{}");
        Assert.Null(harness.State.LatestVisit("c"));
        Assert.Empty(harness.Due());
        harness.Send(new ResumeExecution(harness.NowMs, "ada", "r2"));
        Assert.Equal(["c~1~1~c1"], harness.Due());
        harness.Run(Numbers(1));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
    }

    [Fact]
    public void DeadEnd_WhileAnotherBranchWaitsForAPerson_EndsTheExecutionOnResume()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b")));
        harness.Start();
        harness.Send(new PauseExecution(harness.NowMs, "ada", "r1", null));
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "x", "m", Permanent: true));
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        harness.Send(new ResumeExecution(harness.NowMs, "ada", "r2"));
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
    }
}
