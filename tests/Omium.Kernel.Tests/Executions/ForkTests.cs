using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Going on from a point of the past: what is reused, what runs again, what is nobody's to undo.</summary>
public sealed class ForkTests
{
    [Fact]
    public void Fork_OfTheEndWithoutEdits_RunsNothingAndHasTheSameOutput()
    {
        var source = Ran(Chain());
        var (fork, _) = source.Fork(source.Log.Count);
        Assert.Equal(ExecutionStatus.Succeeded, fork.State.Status);
        Assert.Equal(source.State.Output!.Value.GetRawText(), fork.State.Output!.Value.GetRawText());
        Assert.Single(fork.Log);
        Assert.All(fork.State.Visits.Values, visit => Assert.True(visit.Inherited));
        Laws.Check(fork);
    }

    [Fact]
    public void Fork_OfAPointBetween_RunsOnlyWhatLiesAfterIt()
    {
        var source = Ran(Flow.Of(string.Join(',', Call("a"), Call("b", "a"), Call("c", "b"))));
        var (fork, _) = source.Fork(2);
        fork.Run(Numbers(7));
        Assert.Equal(["b", "c"], fork.State.Visits.Values.Where(visit => visit.Calls.Any(call => !call.Inherited)).Select(visit => visit.Key.Step).Order());
        Assert.Equal(ExecutionStatus.Succeeded, fork.State.Status);
        Laws.Check(fork);
    }

    [Fact]
    public void Fork_WithAnOutputGiven_RunsWhatDependsOnItAndNothingElse()
    {
        var source = Ran(Flow.Of(string.Join(',', Call("a"), Call("b", "a"), Call("side"), Call("c", "b side"))));
        var (fork, outcome) = source.Fork(source.Log.Count, Change(new StepChange("a", null, KernelHarness.Json("""{"n": 42}"""))));
        Assert.Null(outcome.Rejection);
        fork.Run(Numbers(7));
        Assert.Equal(2, fork.Carried.Count);
        Assert.Equal(["a~2", "b~2", "c~2"], fork.State.Visits.Keys.Where(key => key.Visit == 2).Select(key => key.ToString()).Order());
        Assert.Equal("""{"n":42}""", fork.State.LatestVisit("a")!.Output!.Value.GetRawText());
        Assert.True(fork.State.LatestVisit("side")!.Inherited);
        Laws.Check(fork);
    }

    [Fact]
    public void Fork_WithAnInputGiven_RunsTheStepWithIt()
    {
        var source = Ran(Chain());
        var (fork, _) = source.Fork(source.Log.Count, Change(new StepChange("b", KernelHarness.Json("""{"x": 5}"""), null)));
        Assert.Equal("""{"x":5}""", fork.State.LatestVisit("b")!.Input.GetRawText());
        fork.Run(Numbers(7));
        Assert.Equal(2, fork.Carried.Count);
        Laws.Check(fork);
    }

    [Fact]
    public void Fork_WithAnOutputThatTheChecksRefuse_IsRefused()
    {
        var source = Ran(Flow.Of(Call("a", more: Guard("output.n < 10"))), 5);
        var (_, outcome) = source.Fork(source.Log.Count, Change(new StepChange("a", null, KernelHarness.Json("""{"n": 42}"""))));
        Assert.Equal("override_refused", outcome.Rejection?.Code);
    }

    [Fact]
    public void Fork_LiveWithAnApprovalGivenAsAnOutput_IsRefusedAndTheApproverIsAsked()
    {
        var source = Flow.Of(string.Join(',', Call("a"), Approval("ok", "a"), Call("b", "ok", tool: "wire")));
        source.Start();
        source.Run(Numbers(1));
        var given = Change(new StepChange("ok", null, KernelHarness.Json("""{"approved": true, "by": "usr_boss"}""")));
        var (_, refused) = source.Fork(source.Log.Count, given, ForkModes.Live);
        Assert.Equal("validation_failed", refused.Rejection?.Code);
        var (fork, _) = source.Fork(source.Log.Count, mode: ForkModes.Live);
        fork.Run(Numbers(1));
        Assert.Empty(fork.Carried);
        Assert.Equal("approval", fork.State.Reviews[Assert.Single(fork.State.OpenReviews)].Request.Kind);
    }

    [Fact]
    public void Fork_LiveBehindAnApproval_AsksAnew_BecauseItCoveredTheCallOfTheSource()
    {
        var source = Flow.Of(string.Join(',', Call("a"), Approval("ok", "a"), Call("b", "ok", tool: "wire")));
        source.Start();
        source.Run(Numbers(1));
        source.Decide("approve");
        var (fork, _) = source.Fork(source.Log.Count, mode: ForkModes.Live);
        fork.Run(Numbers(1));
        Assert.Empty(fork.Carried);
        Assert.Equal("call_approval", fork.State.Reviews[Assert.Single(fork.State.OpenReviews)].Request.Kind);
    }

    [Fact]
    public void Fork_WithAnOutputOfAStepThatHasNotRun_TakesItWhenItIsReached()
    {
        var source = Ran(Chain());
        var (fork, _) = source.Fork(1, Change(new StepChange("b", null, KernelHarness.Json("""{"n": 42}"""))));
        fork.Run(Numbers(1));
        Assert.Equal(2, fork.Carried.Count);
        Assert.Equal("""{"n":42}""", fork.State.LatestVisit("b")!.Output!.Value.GetRawText());
        Laws.Check(fork);
    }

    [Fact]
    public void Fork_WithAnotherWorkflowInput_RunsWhatReadsIt()
    {
        var source = Flow.Of(string.Join(',', Call("a", more: """, "input": {"v": "${{ input.x }}"}"""), Call("b", more: """, "input": {"v": 1}"""), Call("c", "a")));
        source.Start("""{"x": 1}""");
        source.Run(Numbers(3));
        var (fork, _) = source.Fork(source.Log.Count, new ForkEdits(KernelHarness.Json("""{"x": 2}"""), null, null));
        fork.Run(Numbers(4));
        Assert.Equal(2, fork.Carried.Count);
        Assert.True(fork.State.LatestVisit("b")!.Inherited);
        Assert.Equal("""{"v":2}""", fork.State.LatestVisit("a")!.Input.GetRawText());
        Laws.Check(fork);
    }

    [Fact]
    public void Fork_WithAnAgentEdited_AsksThatAgentAgainAndReusesTheOthers()
    {
        var source = Flow.Of(string.Join(',', Agent("a"), Call("b", "a"), Call("side")));
        source.Start();
        source.Run((name, _) => name == "a" ? Says("""{"n": 1}""") : Ok("""{"n": 1}"""));
        var (fork, _) = source.Fork(source.Log.Count, new ForkEdits(null, [new AgentChange("one", new AgentEdit("better", null, null))], null));
        fork.Run((name, _) => name == "a" ? Says("""{"n": 2}""") : Ok("""{"n": 2}"""));
        Assert.Equal(["a", "plain"], fork.Carried);
        Assert.Equal("better", fork.State.Edits["one"].Prompt);
        Laws.Check(fork);
    }

    [Fact]
    public void Fork_Sandbox_AnswersEffectsFromTheRecords()
    {
        var source = Ran(Flow.Of(string.Join(',', Call("a"), Call("b", "a", tool: "pay"), Call("c", "b"))));
        var (fork, _) = source.Fork(2);
        var replay = Assert.Single(fork.Pending);
        Assert.Equal((PendingKind.Replay, "b~2~1~c1"), (replay.Kind, replay.Id));
        var recorded = RecordedResults.Find(fork.State, fork.TheCall("b"), source.State)!;
        Assert.Equal("exe_test/b~1~1~c1", RecordedResults.NameOf(source.State, recorded));
        fork.Settle(replay.Id, new EffectOutcome { Result = recorded.Result, Source = "exe_test/b~1~1~c1" });
        fork.Run(Numbers(3));
        Assert.Equal(ExecutionStatus.Succeeded, fork.State.Status);
        Assert.Equal(["plain"], fork.Carried);
        Assert.DoesNotContain(fork.Events, happened => happened is IntentRecorded);
        Laws.Check(fork);
    }

    [Fact]
    public void Fork_SandboxWithoutARecord_AsksAPersonAndGoesOnWithTheirAnswer()
    {
        var source = Ran(Flow.Of(string.Join(',', Call("a"), Call("b", "a", tool: "pay"))));
        var (fork, _) = source.Fork(source.Log.Count, Change(new StepChange("a", null, KernelHarness.Json("""{"other": 1}"""))));
        var call = fork.TheCall("b");
        Assert.Null(RecordedResults.Find(fork.State, call, source.State));
        fork.Settle(call.Id.ToString(), Fails("tool_error", "not_recorded", permanent: true));
        Assert.Equal("sandbox_call", fork.State.Reviews[Assert.Single(fork.State.OpenReviews)].Request.Kind);
        Assert.Equal(PendingKind.Deadline, Assert.Single(fork.Pending).Kind);
        Assert.Equal("effect_not_due", fork.Begin(call.Id.ToString()).Rejection?.Code);
        fork.Decide("answer", output: """{"paid": true}""");
        Assert.Equal(ExecutionStatus.Succeeded, fork.State.Status);
        Laws.Check(fork);
    }

    [Theory]
    [InlineData(ForkModes.Sandbox, false)]
    [InlineData(ForkModes.Live, true)]
    public void Fork_ThatFails_TellsOthersOnlyWhenItIsLive(string mode, bool isTold)
    {
        var source = Ran(Flow.Of(Call("a", more: Guard("output.n < 10")), recovery: """{"rules": [{"do": ["pause", {"notify": "ops"}, "await_review"]}]}"""), 5);
        var (fork, _) = source.Fork(1, mode: mode);
        fork.Run(Numbers(11));
        Assert.Equal("failure", fork.State.Reviews[Assert.Single(fork.State.OpenReviews)].Request.Kind);
        Assert.Equal(isTold, fork.Events.OfType<NotificationRequested>().Any());
        Laws.Check(fork);
    }

    [Fact]
    public void Fork_Sandbox_ARefusedCallFailsItsStep()
    {
        var source = Ran(Flow.Of(string.Join(',', Call("a"), Call("b", "a", tool: "pay"))));
        var (fork, _) = source.Fork(source.Log.Count, Change(new StepChange("a", null, KernelHarness.Json("""{"other": 1}"""))));
        fork.Settle(fork.TheCall("b").Id.ToString(), Fails("tool_error", "not_recorded", permanent: true));
        fork.Decide("reject");
        Assert.Equal(ExecutionStatus.Failed, fork.State.Status);
        Laws.Check(fork);
    }

    [Fact]
    public void Fork_Live_MakesTheEffectsUnderKeysOfItsOwn()
    {
        var source = Flow.Of(string.Join(',', Call("a", tool: "pay"), Call("b", "a", tool: "keyed", more: """, "input": {"x": 1}""")));
        source.Start();
        source.Run(Numbers(1));
        var (fork, _) = source.Fork(1, mode: ForkModes.Live);
        fork.Run(Numbers(1));
        Assert.Equal(ExecutionStatus.Succeeded, fork.State.Status);
        Assert.Equal(2, fork.Carried.Count);
        Assert.Empty(Keys(source).Intersect(Keys(fork)));
        Assert.StartsWith("order-1~exe_fork", fork.TheCall("b").Key, StringComparison.Ordinal);
        Laws.Check(fork);
    }

    [Fact]
    public void Fork_OfAnOpenIntent_SchedulesTheStepAnew()
    {
        var source = Flow.Of(Call("a", tool: "pay"));
        source.Start();
        source.Begin("a~1~1~c1");
        var (fork, outcome) = source.Fork(2);
        Assert.Equal([new VisitKey("a", 1)], outcome.Events.OfType<ExecutionForked>().Single().TakenBack!);
        Assert.Equal("a~2~1~c1", Assert.Single(fork.Pending).Id);
        Assert.True(fork.Settle("a~1~1~c1", Ok("{}")).Accepted);
        Assert.Single(fork.Log);
        Laws.Check(fork);
    }

    [Fact]
    public void Fork_OfAFailedRun_TriesTheFailedStepAgain()
    {
        var source = Flow.Of(string.Join(',', Call("a"), Call("b", "a", Guard("output.n < 5"))));
        source.Start();
        source.Run(Numbers(1, 9));
        Assert.Equal(ExecutionStatus.Failed, source.State.Status);
        var (fork, _) = source.Fork(source.Log.Count);
        fork.Run(Numbers(1));
        Assert.Equal((ExecutionStatus.Succeeded, 1), (fork.State.Status, fork.Carried.Count));
        Laws.Check(fork);
    }

    [Fact]
    public void RollBack_InAFork_UndoesNothingOfTheSource()
    {
        var source = Ran(Flow.Of(string.Join(',', Call("a", tool: "pay"), Call("b", "a"))));
        var (sandbox, _) = source.Fork(3);
        var undone = sandbox.Send(new RollBackExecution(sandbox.NowMs, "ada", "r1", "start", "all"));
        Assert.Empty(undone.Events.OfType<RollbackPlanned>().Single().Compensations);
        var (live, _) = source.Fork(3, mode: ForkModes.Live, id: "exe_live");
        Assert.Equal("past_fork_point", live.Send(new RollBackExecution(live.NowMs, "ada", "r1", "start", "all")).Rejection?.Code);
        Laws.Check(sandbox);
        Laws.Check(live);
    }

    [Fact]
    public void Fork_OfAFork_InheritsFromBoth()
    {
        var source = Ran(Flow.Of(string.Join(',', Call("a"), Call("b", "a", tool: "pay"), Call("c", "b"))));
        var (first, _) = source.Fork(2, mode: ForkModes.Live);
        first.Run(Numbers(4));
        var (second, _) = first.Fork(first.Log.Count, id: "exe_second");
        Assert.Equal("exe_fork", second.State.Fork!.From);
        Assert.Equal(["exe_test", "exe_fork", "exe_fork"], new[] { "a", "b", "c" }.Select(step => second.TheCall(step).Origin));
        Assert.Equal(ExecutionStatus.Succeeded, second.State.Status);
        Laws.Check(second);
    }

    [Fact]
    public void Fork_TwiceUnderOneId_IsOnce()
    {
        var source = Ran(Chain());
        var (fork, _) = source.Fork(2);
        Assert.True(fork.Send(new ForkExecution(fork.NowMs, "exe_fork", "exe_test", 2, "hash", ForkModes.Sandbox, null, 9, "ada", null)).Accepted);
        Assert.Single(fork.Log);
    }

    [Fact]
    public void PreviewFork_OfALiveFork_ListsWhatWouldHappenAgain()
    {
        var source = Ran(Flow.Of(string.Join(',', Call("a", tool: "pay"), Call("b", "a", tool: "pay"), Call("c", "b"))));
        var after = source.Events.ToList().FindIndex(happened => happened is StepCommitted { Step: "a" });
        Assert.True(after > 0);
        var at = 1 + Enumerable.Range(1, source.Log.Count).First(count => source.At(count).LatestVisit("a")?.Status == VisitStatus.Committed);
        var preview = ExecutionKernel.PreviewFork(source.At(at), source.State, new DecisionValues(source.Plan), null, ForkModes.Live);
        Assert.Equal("b~1~1~c1", Assert.Single(preview.Repeats).Id.ToString());
        var edited = ExecutionKernel.PreviewFork(source.At(at), source.State, new DecisionValues(source.Plan), Change(new StepChange("a", null, null)), ForkModes.Live);
        Assert.Equal(["a~1~1~c1", "b~1~1~c1"], edited.Repeats.Select(call => call.Id.ToString()));
    }

    private static KernelHarness Chain() => Flow.Of(string.Join(',', Call("a"), Call("b", "a"), Call("c", "b")));

    private static KernelHarness Ran(KernelHarness harness, int number = 3)
    {
        harness.Start();
        harness.Run(Numbers(number));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        return harness;
    }

    private static ForkEdits Change(StepChange change) => new(null, null, [change]);

    private static IEnumerable<string?> Keys(KernelHarness harness) =>
        harness.State.Visits.Values.SelectMany(visit => visit.Calls).Where(call => !call.Inherited).Select(call => call.Key);
}
