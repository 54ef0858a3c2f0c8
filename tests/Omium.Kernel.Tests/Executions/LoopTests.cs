using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Loops: visits, resets, bounds, and what a pause or a rollback makes of them.</summary>
public sealed class LoopTests
{
    private const string Again = "\"when\": \"output.n > 5\"";

    [Fact]
    public void Loop_TakenTwice_VisitsAreNumberedAndTheBodyRunsAnew()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a"), Call("c")), string.Join(',', Edge("b", "a", Again + ", \"max_visits\": 3"), Edge("b", "c", "\"when\": \"output.n <= 5\"")));
        harness.Start();
        harness.Run(Numbers(1, 9, 2, 9, 3, 1, 0));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Assert.Equal((3, 3, 1), (harness.State.Latest["a"], harness.State.Latest["b"], harness.State.Latest["c"]));
        Assert.Equal([new VisitKey("b", 1)], harness.State.Visits[new("a", 2)].After);
        Assert.Equal("""{"a":{"n":3}}""", harness.State.Visits[new("b", 3)].Input.GetRawText());
    }

    [Fact]
    public void Loop_Exhausted_FailsWithNoTermination()
    {
        var harness = Flow.Of(Call("a"), Edge("a", "a", "\"when\": \"true\", \"max_visits\": 2"));
        harness.Start();
        harness.Run(Numbers(9));
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
        Assert.Equal(("no_termination", "loop_exhausted", 3), (harness.Events.OfType<StepFailed>().Single().Class, harness.Events.OfType<StepFailed>().Single().Code, harness.State.Latest["a"]));
    }

    [Fact]
    public void Loop_OfDecisionsTenThousandTimes_NeitherOverflowsNorHangsNorFillsOneRecord()
    {
        var harness = new KernelHarness("""{"omium": "v0", "name": "spin", "steps": [{"id": "a", "type": "decision", "input": {"n": 1}}], "edges": [{"from": "a", "to": "a", "max_visits": 10000}]}""");
        harness.Start();
        Assert.Equal(ExecutionStatus.Running, harness.State.Status);
        harness.Run((_, _) => throw new InvalidOperationException("a decision calls nothing"));
        Assert.InRange(harness.Log.Max(record => record.Length), 1, 16 * 1_024);
        Assert.Equal((ExecutionStatus.Failed, 10_001), (harness.State.Status, harness.State.Latest["a"]));
    }

    [Fact]
    public void NestedLoops_InnerAndOuter_EachVisitStandsForItsOwnTurn()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a"), Call("c")),
            string.Join(',', Edge("b", "b", "\"when\": \"output.n == 7\", \"max_visits\": 5"), Edge("b", "c", "\"when\": \"output.n != 7\""), Edge("c", "a", Again + ", \"max_visits\": 2")));
        harness.Start();
        harness.Run(Numbers(0, 7, 1, 9, 0, 7, 1, 2));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Assert.Equal((2, 4, 2), (harness.State.Latest["a"], harness.State.Latest["b"], harness.State.Latest["c"]));
    }

    /// <summary>Twice inside is taken for each turn outside: max_visits bounds a stay in the loop, not the execution.</summary>
    [Fact]
    public void NestedLoops_InnerEnteredAnew_CountsItsVisitsAnew()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a"), Call("c")),
            string.Join(',', Edge("b", "b", "\"when\": \"output.n == 7\", \"max_visits\": 2"), Edge("b", "c", "\"when\": \"output.n != 7\""), Edge("c", "a", Again + ", \"max_visits\": 2")));
        harness.Start();
        harness.Run(Numbers(0, 7, 7, 1, 9, 0, 7, 7, 1, 9, 0, 7, 7, 1, 2));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Assert.Equal((3, 9), (harness.State.Latest["a"], harness.State.Latest["b"]));
        Assert.Equal(harness.Events.OfType<LoopTriggered>().First(loop => loop.Step == "b").Edge, Assert.Single(harness.Events.OfType<LoopTriggered>().Last(loop => loop.Step == "a").Restarted!));
        Laws.Check(harness);
    }

    /// <summary>Two loops back to one step are not within each other: neither sets the other back, or they would turn for ever.</summary>
    [Fact]
    public void TwoLoopsToOneStep_Alternating_AreBoundedByTheirSum()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a"), Call("c", "b")),
            string.Join(',', Edge("b", "a", "\"when\": \"output.n == 7\", \"max_visits\": 2"), Edge("c", "a", "\"when\": \"output.n == 7\", \"max_visits\": 2")));
        harness.Start();
        var turn = 0;
        harness.Run((tool, effect) => Ok(effect[0] == 'a' ? "{}" : effect[0] == 'c' ? """{"n": 7}""" : $$"""{"n": {{(turn++ % 2 == 0 ? 7 : 1)}}}"""));
        Assert.Equal((ExecutionStatus.Failed, "no_termination"), (harness.State.Status, harness.Events.OfType<ExecutionFailed>().Single().Class));
        Assert.InRange(harness.State.Latest["a"], 4, 5);
    }

    /// <summary>A failure that loops back ends as what it is: a loop without end, whatever failed in it last.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("""{"rules": [{"on": ["tool_error"], "do": ["fail"]}]}""")]
    public void Loop_OnFailureExhausted_FailsWithNoTermination(string recovery)
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a")), Edge("b", "a", "\"on\": \"failure\", \"max_visits\": 2"), recovery);
        harness.Start();
        harness.Run((_, effect) => effect[0] == 'a' ? Ok("{}") : Fails("tool_error", "refused", permanent: true));
        var failed = harness.Events.OfType<ExecutionFailed>().Single();
        Assert.Equal(("no_termination", "loop_exhausted", 3), (failed.Class, failed.Code, harness.State.Latest["b"]));
        Assert.Contains("refused happened", failed.Message, StringComparison.Ordinal);
        Laws.Check(harness);
    }

    [Fact]
    public void Loop_OnFailureExhausted_ThePolicyIsAskedAboutThat()
    {
        var harness = Flow.Of(Call("a"), Edge("a", "a", "\"on\": \"failure\", \"max_visits\": 1"), """{"rules": [{"on": ["no_termination"], "do": ["skip"]}]}""");
        harness.Start();
        harness.Run((_, _) => Fails("tool_error", "refused", permanent: true));
        Assert.Equal((ExecutionStatus.Succeeded, VisitStatus.Skipped), (harness.State.Status, harness.Status("a")));
    }

    [Fact]
    public void Loop_WithDiamondInside_JoinWaitsForBothBranchesOfEachTurn()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a"), Call("c", "a"), Call("d", "b c")), Edge("d", "a", Again + ", \"max_visits\": 1"));
        harness.Start();
        harness.Run((_, effect) => effect == "d~1~1~c1" ? Ok("""{"n": 9}""") : Ok("""{"n": 1}"""));
        Assert.Equal([new VisitKey("b", 2), new VisitKey("c", 2)], harness.State.Visits[new("d", 2)].After);
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
    }

    [Fact]
    public void Loop_WhileABranchOfTheBodyStillRuns_ItsNextVisitWaitsForIt()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a"), Call("slow", "a")), Edge("b", "a", Again + ", \"max_visits\": 1"));
        harness.Start();
        harness.Result("a~1~1~c1", "{}");
        harness.Result("b~1~1~c1", """{"n": 9}""");
        harness.Result("a~2~1~c1", "{}");
        Assert.Equal(["slow~1~1~c1", "b~2~1~c1"], harness.Due());
        harness.Result("slow~1~1~c1", "{}");
        Assert.Equal(["b~2~1~c1", "slow~2~1~c1"], harness.Due());
        harness.Run(Numbers(1));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
    }

    [Fact]
    public void Loop_TakenWhilePaused_ServedOnceOnResume()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a")), Edge("b", "a", Again + ", \"max_visits\": 2"));
        harness.Start();
        harness.Result("a~1~1~c1", "{}");
        harness.Send(new PauseExecution(harness.NowMs, "ada", "r1", null));
        harness.Result("b~1~1~c1", """{"n": 9}""");
        harness.Send(new ResumeExecution(harness.NowMs, "ada", "r2"));
        Assert.Equal([new VisitKey("b", 1)], harness.State.LatestVisit("a")!.After);
        harness.Run(Numbers(1));
        Assert.Equal((ExecutionStatus.Succeeded, 2), (harness.State.Status, harness.State.Latest["a"]));
    }

    [Fact]
    public void Rollback_BeforeTheLoopWasTaken_UndoesItsResetAndRunsTheBodyAgain()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a"), Call("c", "b")), Edge("c", "a", Again + ", \"max_visits\": 2"));
        harness.Start();
        harness.Run(Numbers(1, 1, 9, 2, 2, 2));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        var first = harness.State.Visits[new("a", 1)];
        Assert.True(first.Detached);

        Assert.True(harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "start", "all")).Accepted);
        harness.Send(new ResumeExecution(harness.NowMs, "ada", "r2"));
        Assert.Equal(["a~3~1~c1"], harness.Due());
        harness.Run(Numbers(1));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
    }

    [Fact]
    public void Rollback_OfAFailureInTheSecondTurn_RunsThatTurnAgainNotTheFirst()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a", Guard("output.n != 3"))), Edge("b", "a", Again + ", \"max_visits\": 2"));
        harness.Start();
        harness.Run(Numbers(1, 9, 1, 3));
        Assert.Equal((ExecutionStatus.Failed, 2), (harness.State.Status, harness.State.Latest["b"]));
        Assert.True(harness.Send(new RetryExecution(harness.NowMs, "ada", "r1", null, null)).Accepted);
        Assert.Equal(["b~3~1~c1"], harness.Due());
        Assert.Equal([new VisitKey("a", 2)], harness.State.LatestVisit("b")!.After);

        Assert.True(harness.Send(new RollBackExecution(harness.NowMs, "ada", "r2", "b", "all")).Accepted);
        harness.Send(new ResumeExecution(harness.NowMs, "ada", "r3"));
        Assert.Equal([new VisitKey("b", 1)], harness.State.LatestVisit("a")!.After);
        Assert.Equal(3, harness.State.Latest["a"]);
    }
}
