using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Moving a run to another version: what is shown, what is kept, what is refused.</summary>
public sealed class MigrationTests
{
    [Fact]
    public void Migrate_EdgesThatChangePlaces_KeepTheirMeaning()
    {
        var run = Paused(string.Join(',', Call("a"), Call("b", "a"), Approval("c", "b")));
        var next = Flow.Of(string.Join(',', Call("x"), Call("z", "x"), Call("a"), Call("b", "a"), Approval("c", "b"))).Plan;
        Migrate(run, next);
        var edge = next.Edges.Single(edge => edge.Spec is { From: "a", To: "b" }).Index;
        Assert.Equal([edge], run.State.LatestVisit("a")!.TakenEdges);
        Assert.Equal((2, "next"), (run.State.WorkflowVersion, run.State.SpecDigest));
    }

    [Fact]
    public void Migrate_AStepPutBetweenSettledOnes_RunsWhenTheRunGoesOn()
    {
        var run = Paused(string.Join(',', Call("a"), Approval("c", "a")));
        var next = Flow.Of(string.Join(',', Call("a"), Call("b", "a"), Approval("c", "a"))).Plan;
        var difference = Migrate(run, next);
        Assert.Equal(["b"], difference.Added);
        Assert.Equal([0, 1], run.State.LatestVisit("a")!.TakenEdges.Order());
    }

    [Fact]
    public void Between_OfAStepWithAnotherPrompt_NamesItAndItsVisit()
    {
        var run = Paused(string.Join(',', Agent("a"), Approval("c", "a")));
        var next = Flow.Of(string.Join(',', Agent("a", more: Guard("true")), Approval("c", "a"))).Plan;
        var difference = MigrationDifference.Between(run.State, run.Plan, next, 2, "next");
        Assert.Equal(["a"], difference.Changed);
        Assert.Equal([new VisitKey("a", 1)], difference.Affected);
        Assert.Empty(difference.Obstacles);
        Assert.NotEqual(difference.Digest, MigrationDifference.Between(run.State, run.Plan, next, 2, "other").Digest);
    }

    [Fact]
    public void Between_OfAStepThatComesBack_NamesTheVisitThatItHasStill()
    {
        var (with, without) = (string.Join(',', Call("a"), Call("b"), Approval("c", "a")), string.Join(',', Call("a"), Approval("c", "a")));
        var run = Paused(with);
        Assert.Equal([new VisitKey("b", 1)], Migrate(run, Flow.Of(without).Plan).Affected);
        var back = MigrationDifference.Between(run.State, Flow.Of(without).Plan, Flow.Of(with).Plan, 3, "back");
        Assert.Equal(["b"], back.Added);
        Assert.Equal([new VisitKey("b", 1)], back.Affected); // It would not run: what it did before the step was taken away answers for it.
    }

    [Fact]
    public void Between_OfARemovedStepWhoseEffectStands_IsAnObstacle()
    {
        var run = Paused(string.Join(',', Call("a", tool: "pay"), Approval("c", "a")));
        var difference = MigrationDifference.Between(run.State, run.Plan, Flow.Of(Approval("c")).Plan, 2, "next");
        Assert.Contains("a~1 has an effect in the world (pay)", Assert.Single(difference.Obstacles), StringComparison.Ordinal);
    }

    [Fact]
    public void Migrate_WithAnotherDigest_IsRefused()
    {
        var run = Paused(string.Join(',', Call("a"), Approval("c", "a")));
        var next = Flow.Of(string.Join(',', Call("a"), Call("b", "a"), Approval("c", "a"))).Plan;
        var outcome = ExecutionKernel.Decide(run.State, new MigrateExecution(run.NowMs, "ada", "r2", 2, "next", "wrong", null), new DecisionValues(run.Plan) { Target = next });
        Assert.Equal("migration_unacknowledged", outcome.Rejection?.Code);
        var gone = ExecutionKernel.Decide(run.State, new MigrateExecution(run.NowMs, "ada", "r2", 2, "next", "wrong", null), new DecisionValues(run.Plan));
        Assert.Equal("workflow_not_found", gone.Rejection?.Code);
    }

    [Fact]
    public void Migrate_WithAStepAgain_UndoesItUnderTheNewVersion()
    {
        var run = Paused(string.Join(',', Call("a", tool: "pay"), Approval("c", "a")));
        var next = Flow.Of(string.Join(',', Call("a", tool: "pay", more: Guard("true")), Approval("c", "a"))).Plan;
        Migrate(run, next, ["a"]);
        Assert.Equal(["a~1~1~c1"], run.State.Rollback!.Remaining);
        Assert.Equal(VisitStatus.RolledBack, run.State.LatestVisit("c")!.Status);
    }

    [Fact]
    public void Between_OfAStepWhoseItemsAreAtWork_RestartsItOrWaitsForTheirEffects()
    {
        var each = """, "for_each": {"items": "[1, 2, 3]", "max_parallel": 1}, "input": {"i": "${{ item }}"}""";
        var run = Flow.Of(string.Join(',', Call("a", more: each), Call("b", "a")));
        run.Start();
        run.CarryOut(run.Pending[0], Numbers(1));
        run.Send(new PauseExecution(run.NowMs, "ada", "r1", null));
        Assert.Equal(VisitStatus.Open, run.Status("a-1"));
        var other = Flow.Of(string.Join(',', Call("a", more: each + Guard("true")), Call("b", "a"))).Plan;
        var difference = MigrationDifference.Between(run.State, run.Plan, other, 2, "next");
        Assert.Equal([new VisitKey("a", 1)], difference.Restarted);
        Assert.Empty(difference.Obstacles);
        Migrate(run, other);
        Assert.All(["a", "a-0", "a-1"], step => Assert.Equal(VisitStatus.RolledBack, run.Status(step)));
        run.Send(new ResumeExecution(run.NowMs, "ada", "r3"));
        run.Run(Numbers(2));
        Assert.Equal((ExecutionStatus.Succeeded, 3), (run.State.Status, run.State.LatestVisit("a")!.Items!.Succeeded));
    }

    [Fact]
    public void Between_OfAnItemWithAnEffectOfAStepThatChanges_IsAnObstacle()
    {
        var each = """, "for_each": {"items": "[1, 2, 3]", "max_parallel": 1}, "input": {"i": "${{ item }}"}""";
        var run = Flow.Of(string.Join(',', Call("a", more: each, tool: "pay")));
        run.Start();
        run.Begin("a-0~1~1~c1");
        run.Send(new PauseExecution(run.NowMs, "ada", "r1", null));
        var changed = MigrationDifference.Between(run.State, run.Plan, Flow.Of(Call("a", more: each + Guard("true"), tool: "pay")).Plan, 2, "next");
        Assert.Contains("a-0~1 is at work with an effect (pay)", Assert.Single(changed.Obstacles), StringComparison.Ordinal);
        var removed = MigrationDifference.Between(run.State, run.Plan, Flow.Of(Call("b")).Plan, 2, "next");
        Assert.Contains(removed.Obstacles, obstacle => obstacle.StartsWith("a-0~1 is at work", StringComparison.Ordinal));
        Assert.Empty(MigrationDifference.Between(run.State, run.Plan, Flow.Of(string.Join(',', Call("a", more: each, tool: "pay"), Call("b"))).Plan, 2, "next").Obstacles);
    }

    [Fact]
    public void Migrate_WithAnOpenHandoff_IsRefusedWhereItsEdgeBecomesAnother()
    {
        const string Counted = """ "handoff": {"claims": {"records": {"said": "output.n", "seen": {"tool": "look", "value": "output.n"}}}} """;
        var run = Flow.Of(string.Join(',', Call("a"), Call("b")), Edge("a", "b", Counted));
        run.Start();
        run.Result("a~1~1~c1", """{"n": 2}""");
        run.Send(new PauseExecution(run.NowMs, "ada", "r1", null));
        var moved = MigrationDifference.Between(run.State, run.Plan, Flow.Of(string.Join(',', Call("x"), Call("y"), Call("a"), Call("b")), Edge("x", "y") + ", " + Edge("a", "b", Counted)).Plan, 2, "next");
        Assert.Contains("the handoff of a~1 to b is not agreed", Assert.Single(moved.Obstacles), StringComparison.Ordinal);
        var behind = Flow.Of(string.Join(',', Call("a"), Call("b"), Call("c")), Edge("a", "b", Counted) + ", " + Edge("b", "c")).Plan;
        Migrate(run, behind);
        run.Send(new ResumeExecution(run.NowMs, "ada", "r3"));
        run.Result("a~1~1~h1~k1", """{"n": 2}""");
        run.Run(Numbers(1));
        Assert.Equal((ExecutionStatus.Succeeded, VisitStatus.Committed), (run.State.Status, run.Status("c")));
    }

    [Fact]
    public void Migrate_ToAnEdgeThatHandsOver_AgreesBeforeTheReceiverRuns()
    {
        const string Sized = """ "handoff": {"claims": {"records": {"said": "output.n", "seen": "output.n"}}} """;
        var run = Paused(string.Join(',', Call("a"), Approval("c")));
        Migrate(run, Flow.Of(string.Join(',', Call("a"), Approval("c"), Call("b")), Edge("a", "b", Sized)).Plan);
        Assert.Equal(HandoffStatus.Agreed, Assert.Single(run.State.Handoffs.Values).Status);
        run.Send(new ResumeExecution(run.NowMs, "ada", "r3"));
        run.Run(Numbers(1));
        Assert.Equal(VisitStatus.Committed, run.Status("b"));

        var bad = Paused(string.Join(',', Call("a"), Approval("c")));
        var next = Flow.Of(string.Join(',', Call("a"), Approval("c"), Call("b")), Edge("a", "b", Sized.Replace("\"output.n\", \"seen\"", "\"output.missing\", \"seen\"", StringComparison.Ordinal))).Plan;
        var difference = MigrationDifference.Between(bad.State, bad.Plan, next, 2, "next");
        Assert.Equal("migration_refused", bad.Migrate(new MigrateExecution(bad.NowMs, "ada", "r2", 2, "next", difference.Digest, null), next).Rejection?.Code);
    }

    private static KernelHarness Paused(string steps)
    {
        var run = Flow.Of(steps);
        run.Start();
        run.Run((name, _) => name == "a" ? Says("""{"n": 1}""") : Ok("""{"n": 1}"""));
        run.Send(new PauseExecution(run.NowMs, "ada", "r1", null));
        Assert.Equal(ExecutionStatus.Paused, run.State.Status);
        return run;
    }

    /// <summary>Moves the run as a person who has seen the difference; decided again from its bytes, the record is the same.</summary>
    private static MigrationDifference Migrate(KernelHarness run, Kernel.Specs.WorkflowPlan next, IReadOnlyList<string>? again = null)
    {
        var difference = MigrationDifference.Between(run.State, run.Plan, next, 2, "next");
        var outcome = run.Migrate(new MigrateExecution(run.NowMs, "ada", "r2", 2, "next", difference.Digest, again), next);
        Assert.Null(outcome.Rejection);
        return difference;
    }
}
