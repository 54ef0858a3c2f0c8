using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Forks of what executions share and agree on: locks, shared values, items, handoffs.</summary>
public sealed class ForkSharingTests
{
    private const string Key = "customer/1#n";
    private const string Locks = """, "locks": ["customer/1"]""", Writes = """, "writes": ["customer/1#n"]""", Reads = """, "reads": ["customer/1#n"], "input": {"n": "${{ state.n }}"}""";
    private const string Counted = """ "handoff": {"claims": {"records": {"said": "output.n", "seen": {"tool": "look", "value": "output.n"}}}} """;
    private const string Sized = """ "handoff": {"claims": {"records": {"said": "output.n", "seen": "7"}}} """;

    [Theory]
    [InlineData(ForkModes.Live)]
    [InlineData(ForkModes.Sandbox)]
    public void Fork_OfAVisitThatHoldsLocks_RunsItAnewAndTouchesNoLockOfTheSource(string mode)
    {
        var source = Flow.Of(Call("a", more: Locks));
        source.Start();
        source.CarryOut(source.Pending[0], Numbers(1));
        Assert.Equal(LockPhase.Held, source.State.LatestVisit("a")!.Shared!.Locks);

        var (fork, outcome) = source.Fork(source.Log.Count, mode: mode);
        Assert.Equal([new VisitKey("a", 1)], ((ExecutionForked)outcome.Events[0]).TakenBack);
        Assert.DoesNotContain(fork.Pending, effect => effect.Kind is PendingKind.SettleSharing or PendingKind.Restore);
        Assert.Equal(mode == ForkModes.Live ? ["customer/1"] : [], outcome.Events.OfType<LocksRequested>().SelectMany(wanted => wanted.Scopes ?? []));
        Assert.Equal(mode == ForkModes.Live ? ["a~2"] : [], fork.State.Sharing.Values.Select(key => key.ToString()));
        fork.Run(Numbers(3));
        Assert.Equal(ExecutionStatus.Succeeded, fork.State.Status);
        Assert.Equal("""{"n":3}""", fork.State.LatestVisit("a")!.Output!.Value.GetRawText());
        Laws.Check(fork);
    }

    [Fact]
    public void Fork_Sandbox_KeepsItsWritesToItselfAndReadsThem()
    {
        var source = Written();
        var (fork, _) = source.Fork(source.Log.Count, new ForkEdits(null, null, [new StepChange("w", null, KernelHarness.Json("""{"n": 42}"""))]));
        Assert.Equal(Key, Assert.Single(fork.Events.OfType<WritesSandboxed>().Single().Writes).Key);
        Assert.DoesNotContain(fork.Events, happened => happened is WritesRequested);

        fork.Shared[Key] = (5, KernelHarness.Json("1"), "exe_other/x~1~1");
        fork.Run(Numbers(3));
        Assert.Equal("""{"n":42}""", fork.State.LatestVisit("r")!.Input.GetRawText());
        Assert.Equal(5, fork.Shared[Key].Version);
        Assert.Equal(ExecutionStatus.Succeeded, fork.State.Status);
        Assert.Empty(fork.State.Sharing);

        fork.Send(new RollBackExecution(fork.NowMs, "ada", "req_1", "start", "all"));
        Assert.DoesNotContain(fork.Pending, effect => effect.Kind == PendingKind.Restore);
        Assert.Equal(ExecutionStatus.Paused, fork.State.Status);
        Laws.Check(fork);
    }

    [Fact]
    public void Fork_Live_WritesAgainOnlyWhatItRunsAndNeverTakesBackWhatItInherited()
    {
        var source = Written();
        var whole = new ForkEdits(null, null, [new StepChange("w", null, null)]);
        Assert.Equal([(new VisitKey("w", 1), Key)], ExecutionKernel.PreviewFork(source.State, source.State, new DecisionValues(source.Plan), whole, ForkModes.Live).Rewrites);
        Assert.Empty(ExecutionKernel.PreviewFork(source.State, source.State, new DecisionValues(source.Plan), null, ForkModes.Live).Rewrites);

        var (fork, _) = source.Fork(source.Log.Count, mode: ForkModes.Live);
        var back = fork.Send(new RollBackExecution(fork.NowMs, "ada", "req_1", "start", "all"));
        Assert.Equal("past_fork_point", back.Rejection?.Code);
        Assert.Contains($"{Key} (written by w~1)", back.Rejection!.Message, StringComparison.Ordinal);

        var (again, _) = source.Fork(source.Log.Count, whole, ForkModes.Live, "exe_again");
        again.Run(Numbers(9));
        Assert.Equal(["w~2"], again.Events.OfType<WritesRequested>().Select(wanted => $"{wanted.Step}~{wanted.Visit}"));
        Laws.Check(again);
    }

    [Fact]
    public void Fork_LiveOfASandbox_RunsForRealWhatWasOnlyPlayed()
    {
        var source = Flow.Of(string.Join(',', Call("a"), Call("b", "a", tool: "pay"), Call("c", "b")));
        source.Start();
        source.Run(Numbers(1, 2, 3));
        var (sandbox, _) = source.Fork(source.Log.Count, new ForkEdits(null, null, [new StepChange("b", null, null)]));
        sandbox.Settle("b~2~1~c1", Ok("""{"n": 2}"""));
        sandbox.Run(Numbers(3));
        Assert.Equal(ExecutionStatus.Succeeded, sandbox.State.Status);

        var preview = ExecutionKernel.PreviewFork(sandbox.State, sandbox.State, new DecisionValues(sandbox.Plan), null, ForkModes.Live);
        Assert.Equal(["b~2", "c~2"], preview.RunsAgain.Select(key => key.ToString()));
        Assert.Equal(["b~1~1~c1", "b~2~1~c1"], preview.Repeats.Select(call => call.Id.ToString()));
        var (live, _) = sandbox.Fork(sandbox.Log.Count, mode: ForkModes.Live, id: "exe_live");
        Assert.Equal([PendingKind.Call], live.Pending.Select(effect => effect.Kind));
    }

    [Fact]
    public void Fork_WithItemsUnderWay_RunsTheStepsItemsAgainAndReusesFinishedOnes()
    {
        var each = """, "for_each": {"items": "[1, 2, 3]", "max_parallel": 1}, "input": {"i": "${{ item }}"}""";
        var source = Flow.Of(string.Join(',', Call("a", more: each), Call("b", "a", more: each, tool: "pay")));
        source.Start();
        source.Run(Numbers(1));
        var at = Enumerable.Range(1, source.Log.Count).First(count => source.At(count).LatestVisit("b-1")?.Status == VisitStatus.Committed);
        var (fork, outcome) = source.Fork(at, mode: ForkModes.Live);
        Assert.Equal(["b~1", "b-0~1", "b-1~1", "b-2~1"], ((ExecutionForked)outcome.Events[0]).TakenBack!.Select(key => key.ToString()));
        fork.Run(Numbers(5));
        Assert.Equal(["pay", "pay", "pay"], fork.Carried);
        Assert.Equal(3, fork.State.LatestVisit("b")!.Items!.Succeeded);
        Assert.Equal(3, fork.State.LatestVisit("a")!.Items!.Succeeded);
        Assert.Equal(ExecutionStatus.Succeeded, fork.State.Status);
        Laws.Check(fork);
    }

    [Fact]
    public void Fork_OfAnOpenHandoff_MeasuresItAnewUnderItsOwnName()
    {
        var source = Flow.Of(string.Join(',', Call("a"), Call("b")), Edge("a", "b", Counted));
        source.Start();
        source.Result("a~1~1~c1", """{"n": 100}""");
        source.Result("a~1~1~h1~k1", """{"n": 47}""");
        Assert.Equal(ExecutionStatus.Paused, source.State.Status);

        var (fork, _) = source.Fork(source.Log.Count);
        Assert.Equal(ExecutionStatus.Running, fork.State.Status);
        Assert.Equal(["a~1~2~h1~k1"], fork.Due());
        fork.Result("a~1~2~h1~k1", """{"n": 100}""");
        fork.Run(Numbers(1));
        Assert.Equal(ExecutionStatus.Succeeded, fork.State.Status);
        Laws.Check(fork);
    }

    [Fact]
    public void Fork_OfADisputeThatAnExpressionSees_AsksAnew()
    {
        var source = Flow.Of(string.Join(',', Call("a"), Call("b")), Edge("a", "b", Sized));
        source.Start();
        source.Result("a~1~1~c1", """{"n": 100}""");
        var (fork, _) = source.Fork(source.Log.Count);
        Assert.Equal("handoff", fork.State.Reviews[Assert.Single(fork.State.OpenReviews)].Request.Kind);
        Assert.Equal(ExecutionStatus.Paused, fork.State.Status);

        var (mended, _) = source.Fork(source.Log.Count, new ForkEdits(null, null, [new StepChange("a", null, KernelHarness.Json("""{"n": 7}"""))]), id: "exe_mended");
        mended.Run(Numbers(1));
        Assert.Equal(ExecutionStatus.Succeeded, mended.State.Status);
        Assert.Equal([HandoffStatus.Revoked, HandoffStatus.Agreed], mended.State.Handoffs.Values.OrderBy(handoff => handoff.Ordinal).Select(handoff => handoff.Status));
        Laws.Check(mended);
    }

    [Fact]
    public void Correction_OfAStepThatLocks_IsTakenOnceItHoldsThem()
    {
        var run = Flow.Of(string.Join(',', Call("a", more: Locks + """, "input": {"x": 1}"""), Call("b", "a", Guard("output.n < 5"))));
        run.Start();
        run.Run((_, effect) => Ok(effect[0] == 'b' ? """{"n": 9}""" : """{"n": 1}"""));
        Assert.True(run.Send(new RetryExecution(run.NowMs, "ada", "req_1", "a", null, new StepChange("a", KernelHarness.Json("""{"x": 2}"""), null))).Accepted);
        run.CarryOut(run.Pending.First(effect => effect.Kind == PendingKind.Gather), Numbers(1));
        Assert.Equal("""{"x":2}""", run.State.LatestVisit("a")!.Input.GetRawText());
        Assert.Equal(LockPhase.Held, run.State.LatestVisit("a")!.Shared!.Locks);
    }

    /// <summary>w writes a value that r has read.</summary>
    private static KernelHarness Written()
    {
        var source = Flow.Of(string.Join(',', Call("w", more: Writes), Call("r", "w", more: Reads)));
        source.Start();
        source.Run(Numbers(1, 3));
        Assert.Equal(1, source.Shared[Key].Version);
        Assert.Equal(ExecutionStatus.Succeeded, source.State.Status);
        return source;
    }
}
