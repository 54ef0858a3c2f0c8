using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Both sides of a child workflow, each from its own stream.</summary>
public sealed class ChildTests
{
    private const string Step = """{"id": "w", "type": "workflow", "workflow": "other", "needs": []}""";

    [Fact]
    public void Parent_Begun_WantsOneChildOfAnIdThatFollowsFromTheEffect()
    {
        var parent = Begun();
        var effect = Assert.Single(parent.Pending);
        Assert.Equal((PendingKind.StartChild, "w~1~1~c1"), (effect.Kind, effect.Id));
        Assert.Equal(ChildIds.Of("ten_a", "exe_test", EffectId.Call(new VisitKey("w", 1), 1, 1)), parent.TheCall("w").Child);
        Assert.Equal("effect_not_due", parent.Begin(effect.Id).Rejection?.Code);
        parent.Send(new RecordChildStarted(parent.NowMs, effect.Id, 3, "spec"));
        Assert.Empty(parent.Pending);
        Assert.Equal(new ChildVersion(3, "spec"), parent.State.ChildVersions["other"]);
        Laws.Check(parent);
    }

    [Fact]
    public void Parent_ToldTwice_TakesTheNewsOnce()
    {
        var parent = Begun();
        parent.Result("w~1~1~c1", """{"ok": true}""");
        Assert.Equal(ExecutionStatus.Succeeded, parent.State.Status);
        var records = parent.Log.Count;
        parent.Result("w~1~1~c1", """{"ok": false}""");
        parent.Send(new RecordChildStarted(parent.NowMs, "w~1~1~c1", 3, "spec")); // The news may come before the record of the start.
        Assert.Equal(records + 1, parent.Log.Count);
        Assert.Equal("""{"w":{"ok":true}}""", parent.State.Output!.Value.GetRawText());
        Laws.Check(parent);
    }

    [Fact]
    public void Parent_OfAFailedChild_FailsWithItsClassAndOwesNoRetry()
    {
        var parent = Begun();
        parent.Failure("w~1~1~c1", new EffectFailure("tool_error", "http_503", "other failed"));
        Assert.Equal(ExecutionStatus.Failed, parent.State.Status);
        Assert.Equal("tool_error", parent.State.LatestVisit("w")!.Failures[^1].Failure.Class);
        Laws.Check(parent);
    }

    [Fact]
    public void Parent_RolledBack_TakesItsChildBackAndWaitsForTheNews()
    {
        var parent = Begun();
        parent.Result("w~1~1~c1", "{}");
        parent.Send(new RollBackExecution(parent.NowMs, "ada", "r1", "start", "all"));
        var undo = Assert.Single(parent.Pending);
        Assert.Equal((PendingKind.Compensate, "w~1~1~c1~u1"), (undo.Kind, undo.Id));
        parent.Result(undo.Id, "{}");
        Assert.Equal((ExecutionStatus.Paused, CallStatus.Compensated), (parent.State.Status, parent.State.Visits[new VisitKey("w", 1)].Calls[0].Status));
        Laws.Check(parent);
    }

    [Fact]
    public void Parent_Cancelled_TellsItsChildOnce()
    {
        var parent = Begun();
        parent.Send(new CancelExecution(parent.NowMs, "ada", "r1"));
        Assert.Equal(PendingKind.CancelChild, Assert.Single(parent.Pending).Kind);
        parent.Send(new RecordChildCancel(parent.NowMs, "w~1~1~c1"));
        Assert.Empty(parent.Pending);
        parent.Failure("w~1~1~c1", new EffectFailure("rejected", "child_cancelled", "it was cancelled", Permanent: true));
        Assert.Equal(ExecutionStatus.Cancelled, parent.State.Status);
        Laws.Check(parent);
    }

    [Fact]
    public void Child_Ended_OwesTheNewsUntilItIsTaken()
    {
        var child = Child(Call("a", tool: "pay"));
        child.CarryOut(child.Pending[0], Numbers(1));
        var notice = Assert.Single(child.Pending, effect => effect.Kind == PendingKind.TellParent);
        Assert.Equal("parent~1", notice.Id);
        child.Send(new RecordParentNotice(child.NowMs, 1));
        Assert.Empty(child.Pending);

        // Nobody but the parent takes back what the parent has used.
        Assert.Equal("rollback_orphans_consumer", child.Send(new RollBackExecution(child.NowMs, "ada", "r1", "start", "all")).Rejection?.Code);
        Assert.Null(child.Send(new RollBackExecution(child.NowMs, "exe_parent", "exe_parent/w~1~1~c1~u1", "start", "all", End: true)).Rejection);
        child.CarryOut(Assert.Single(child.Pending), (_, _) => Ok("{}"));
        Assert.Equal(ExecutionStatus.Cancelled, child.State.Status);
        Assert.Equal(new ParentNotice(2, "w~1~1~c1~u1", true, 0), child.State.Notice);
        Laws.Check(child);
    }

    [Fact]
    public void Child_WhoseNewsIsUnderWay_IsNotTakenBackByAPerson()
    {
        var child = Child(Call("a"));
        child.CarryOut(child.Pending[0], Numbers(1));
        Assert.Equal(PendingKind.TellParent, Assert.Single(child.Pending).Kind); // The parent may have taken the news: only the record of it is missing here.
        Assert.Equal("rollback_orphans_consumer", child.Send(new RollBackExecution(child.NowMs, "ada", "r1", "start", "all")).Rejection?.Code);
        Assert.Null(child.Send(new RollBackExecution(child.NowMs, "exe_parent", "exe_parent/w~1~1~c1~u1", "start", "all", End: true)).Rejection);
        Laws.Check(child);
    }

    [Fact]
    public void Child_TooDeep_IsNotStarted()
    {
        var deep = Flow.Of(Step);
        deep.Send(new StartExecution(deep.NowMs, "exe_deep", "ten_a", "flow", 1, "digest", KernelHarness.Json("{}"), 7, "key_a", 10_000, new ParentLink("exe_parent", "w~1~1~c1", 8)));
        Assert.Equal("child_too_deep", deep.State.LatestVisit("w")!.Failures[^1].Failure.Code);
        Laws.Check(deep);
    }

    [Fact]
    public void Parent_WithLocks_KeepsThemAsLongAsItsChildRuns()
    {
        var parent = Flow.Of("""{"id": "w", "type": "workflow", "workflow": "other", "needs": [], "locks": ["customer/1"]}""");
        parent.Start();
        parent.CarryOut(parent.Pending[0], Numbers(1));
        parent.Send(new RecordChildStarted(parent.NowMs, "w~1~1~c1", 3, "spec"));
        Assert.Equal("locks_in_use", parent.Send(new YieldLocks(parent.NowMs, "w", 1, "exe_other/x~1")).Rejection?.Code);
        parent.Send(new CancelExecution(parent.NowMs, "ada", "r1"));
        parent.Send(new RecordChildCancel(parent.NowMs, "w~1~1~c1"));
        Assert.DoesNotContain(parent.Pending, effect => effect.Kind == PendingKind.SettleSharing);
        parent.Failure("w~1~1~c1", new EffectFailure("rejected", "child_cancelled", "it was cancelled", Permanent: true));
        Assert.Equal(PendingKind.SettleSharing, Assert.Single(parent.Pending).Kind);
        Laws.Check(parent);
    }

    private static KernelHarness Begun()
    {
        var parent = Flow.Of(Step);
        parent.Start();
        return parent;
    }

    private static KernelHarness Child(string step)
    {
        var child = Flow.Of(step);
        child.Send(new StartExecution(child.NowMs, "exe_child", "ten_a", "flow", 1, "digest", KernelHarness.Json("{}"), 7, "exe_parent", 10_000, new ParentLink("exe_parent", "w~1~1~c1", 1)));
        return child;
    }
}
