using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Workers: a lease is an intent, and one that runs out follows the kind of the effect.</summary>
public sealed class WorkerTests
{
    private const string Idempotent = """, "effect": {"kind": "idempotent", "compensate": "undo"}""";
    private const string Verifiable = """, "effect": {"kind": "verifiable", "verify": "look", "verify_after": "1s", "compensate": "undo"}""";
    private const string Irreversible = """, "effect": {"kind": "irreversible"}""";

    [Fact]
    public void Task_LeasedAndCompleted_CommitsItsStep()
    {
        var harness = Of(Worker("a"));
        harness.Start("""{"x": 1}""");
        Assert.Equal(new PendingEffect("a~1~1~c1", PendingKind.Task, 0), Assert.Single(harness.Pending));
        harness.Begin("a~1~1~c1", "w1");
        Assert.Equal(PendingKind.Timer, Assert.Single(harness.Pending).Kind);
        Complete(harness, 1, """{"n": 1}""");
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Assert.Empty(Complete(harness, 1, """{"n": 1}""").Events); // Sent again because the reply was lost: the same answer.
        Assert.Equal("task_fenced", Complete(harness, 1, """{"n": 2}""").Rejection!.Code);
        Laws.Check(harness);
    }

    [Fact]
    public void Lease_RunsOutOfATaskWithoutEffect_IsLostAndRetried()
    {
        var harness = Of(Worker("a"), recovery: """{"retry_policy": {"max_retries": 1, "backoff": "constant(1s)"}}""");
        harness.Start();
        harness.Begin("a~1~1~c1", "w1");
        var outcome = harness.Send(new LoseTask(harness.NowMs, "a~1~1~c1", 1));
        Assert.Equal("worker_lost", Assert.Single(outcome.Events.OfType<StepFailed>()).Class);
        Assert.Equal("task_fenced", Complete(harness, 1, "{}").Rejection!.Code);
        harness.Wake(2_000);
        Assert.Equal("a~1~2~c1", Assert.Single(harness.Pending).Id);
        Laws.Check(harness);
    }

    [Theory]
    [InlineData("")]
    [InlineData(Idempotent)]
    public void Lease_RunsOutAfterTheExecutionHasFailed_IsGivenOutAnewWhenItRunsAgain(string effect)
    {
        var harness = Of(string.Join(',', Worker("a", effect), Call("b"), Call("c", "a")), recovery: """{"rules": [{"on": ["tool_error"], "do": ["fail"]}]}""");
        harness.Start();
        harness.Begin("a~1~1~c1", "w1");
        harness.Failure("b~1~1~c1", new EffectFailure("tool_error", "x", "m", Permanent: true));
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
        harness.Send(new LoseTask(harness.NowMs, "a~1~1~c1", 1));
        Assert.Empty(harness.Pending); // Nobody is to do anything until somebody has it run again.

        Assert.True(harness.Send(new RetryExecution(harness.NowMs, "ada", "r1", null, null)).Accepted);
        harness.Begin("a~1~1~c1", "w2");
        Assert.Equal("task_fenced", Complete(harness, 1, "{}").Rejection!.Code);
        Complete(harness, 2, "{}");
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Lease_RunsOutOfAnIdempotentTask_IsLeasedAgainWithTheSameKey()
    {
        var harness = Of(Worker("a", Idempotent));
        harness.Start();
        harness.Begin("a~1~1~c1", "w1");
        var key = harness.TheCall("a").Key;
        harness.Send(new LoseTask(harness.NowMs, "a~1~1~c1", 1));
        Assert.Equal(PendingKind.Task, Assert.Single(harness.Pending).Kind);
        harness.Begin("a~1~1~c1", "w2");
        Assert.Equal((key, 2), (harness.TheCall("a").Key, harness.TheCall("a").Runs));
        Assert.Equal("task_fenced", Complete(harness, 1, "{}").Rejection!.Code);
        Complete(harness, 2, "{}");
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Lease_RunsOutOfAVerifiableTask_AsksTheVerifyTool()
    {
        var harness = Of(Worker("a", Verifiable));
        harness.Start();
        harness.Begin("a~1~1~c1", "w1");
        harness.Send(new LoseTask(harness.NowMs, "a~1~1~c1", 1));
        harness.NowMs += 2_000;
        Assert.Equal(["a~1~1~c1~v1"], harness.Due());
        harness.Result("a~1~1~c1~v1", """{"status": "done", "output": {"n": 4}}""");
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Lease_RunsOutOfAnIrreversibleTask_AsksAPersonAndItsOwnWorkerMayStillSay()
    {
        var harness = Of(Approval("ok") + ", " + Worker("a", Irreversible + """, "needs": ["ok"]"""));
        harness.Start();
        harness.Decide("approve");
        harness.Begin("a~1~1~c1", "w1");
        harness.Send(new LoseTask(harness.NowMs, "a~1~1~c1", 1));
        Assert.Equal("in_doubt", harness.State.Reviews[Assert.Single(harness.State.OpenReviews)].Request.Kind);
        Complete(harness, 1, """{"sent": true}""");
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Assert.Empty(harness.State.OpenReviews);
        Laws.Check(harness);
    }

    [Fact]
    public void Runner_Lost_LeavesTheTasksOfWorkersAlone()
    {
        var harness = Of(Worker("a", Irreversible.Replace("irreversible", "idempotent\", \"compensate\": \"undo", StringComparison.Ordinal)));
        harness.Start();
        harness.Begin("a~1~1~c1", "w1");
        Assert.Empty(harness.Send(new LoseRunner(harness.NowMs, "runner-2")).Events);
        Assert.Equal(CallStatus.Intent, harness.TheCall("a").Status);
    }

    [Fact]
    public void Rollback_OfALeasedTask_FencesItsWorkerAndUndoesWhatItDid()
    {
        var harness = Of(Worker("a", Idempotent));
        harness.Start();
        harness.Begin("a~1~1~c1", "w1");
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "req_1", "start", "all"));
        Assert.Equal("task_fenced", Complete(harness, 1, "{}").Rejection!.Code);
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(["undo " + "worker:q"], harness.Carried);
        Laws.Check(harness);
    }

    [Fact]
    public void Rollback_OfALeasedTaskWithoutEffect_GivesItsLocksBack()
    {
        var harness = Of(Worker("a", """, "locks": ["customer/1"]"""));
        harness.Start();
        harness.CarryOut(harness.Pending[0], (_, _) => Ok("{}"));
        harness.Begin("a~1~1~c1", "w1");
        Assert.Equal("locks_in_use", harness.Send(new YieldLocks(harness.NowMs, "a", 1, "exe_other/x~1")).Rejection?.Code); // Its worker works under them.
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "req_1", "start", "all"));
        Assert.Equal("task_fenced", Complete(harness, 1, "{}").Rejection!.Code);
        harness.CarryOut(Assert.Single(harness.Pending, effect => effect.Kind == PendingKind.SettleSharing), (_, _) => Ok("{}"));
        Assert.Equal(LockPhase.Released, harness.State.Visits[new VisitKey("a", 1)].Shared!.Locks);
        Laws.Check(harness);
    }

    [Fact]
    public void Handoff_ToAWorkerThatAcknowledges_IsMeasuredByIt()
    {
        const string Asked = """ "handoff": {"claims": {"records": {"said": "output.count"}, "size": {"said": "2", "seen": {"tool": "look"}}}, "acknowledge": true} """;
        var harness = Of(Call("a") + ", " + Worker("b"), Edge("a", "b", Asked));
        harness.Start();
        harness.Result("a~1~1~c1", """{"count": 100}""");
        Assert.Equal(["a~1~1~h1~k2"], harness.Due());
        harness.Result("a~1~1~h1~k2", "2");
        Assert.Equal(["a~1~1~h1"], harness.Due()); // The worker is asked last.
        Assert.Equal("validation_failed", Acknowledge(harness, 1, "{}").Rejection!.Code);
        Acknowledge(harness, 1, """{"records": 47}""");
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        Assert.Null(harness.State.LatestVisit("b"));
        harness.Decide("repeat");
        Assert.Equal("task_fenced", Acknowledge(harness, 1, """{"records": 47}""").Rejection!.Code);
        harness.Result("a~1~2~h1~k2", "2");
        Acknowledge(harness, 2, """{"records": 100}""");
        Assert.Empty(Acknowledge(harness, 2, """{"records": 100}""").Events);
        Assert.Equal(["b~1~1~c1"], harness.Due());
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    private static string Worker(string id, string more = "") => $$"""{"id": "{{id}}", "type": "worker", "worker": "q"{{more}}}""";

    private static DecisionOutcome Complete(KernelHarness harness, int run, string output) =>
        harness.Send(new SettleTask(harness.NowMs, "a~1~1~c1", run, Ok(output)));

    private static DecisionOutcome Acknowledge(KernelHarness harness, int round, string seen) =>
        harness.Send(new AcknowledgeHandoff(harness.NowMs, $"a~1~{round}~h1", "w1", KernelHarness.Json(seen), null));
}
