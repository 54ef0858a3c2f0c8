using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>A retry that corrects one step: it and what depends on it run again, after what they did is undone.</summary>
public sealed class CorrectionTests
{
    [Fact]
    public void Retry_WithAnOutput_RunsWhatDependsOnItAfterItsEffectsAreUndone()
    {
        var run = Failed();
        Retry(run, new StepChange("a", null, KernelHarness.Json("""{"n": 1}""")));
        Assert.Equal(ExecutionStatus.RollingBack, run.State.Status);
        run.Run(Numbers(1));
        Assert.Equal(["undo pay", "pay", "plain"], run.Carried);
        Assert.Equal(ExecutionStatus.Succeeded, run.State.Status);
        Assert.Equal((2, 1), (run.State.LatestVisit("a")!.Key.Visit, run.State.LatestVisit("side")!.Key.Visit));
        Laws.Check(run);
    }

    [Fact]
    public void Retry_OfTheStepItself_RunsItAgainToo()
    {
        var run = Failed();
        Retry(run, new StepChange("a", null, null));
        run.Run(Numbers(1));
        Assert.Equal(["undo pay", "plain", "pay", "plain"], run.Carried);
        Laws.Check(run);
    }

    [Fact]
    public void Retry_WithAnApprovalGivenAsAnOutput_IsRefused()
    {
        var run = Flow.Of(string.Join(',', Approval("ok"), Call("b", "ok", tool: "wire")));
        run.Start();
        run.Decide("reject");
        Assert.Equal(ExecutionStatus.Failed, run.State.Status);
        var change = new StepChange("ok", null, KernelHarness.Json("""{"approved": true}"""));
        Assert.Equal("validation_failed", run.Send(new RetryExecution(run.NowMs, "ada", "r1", "ok", null, change)).Rejection?.Code);
    }

    [Fact]
    public void Retry_WithAnOutputThatTheChecksRefuse_ChangesNothing()
    {
        var run = Failed();
        var records = run.Log.Count;
        var refused = run.Send(new RetryExecution(run.NowMs, "ada", "r1", "c", null, new StepChange("c", null, KernelHarness.Json("""{"n": 8}"""))));
        Assert.Equal("override_refused", refused.Rejection?.Code);
        Assert.Equal("checkpoint_not_found", run.Send(new RetryExecution(run.NowMs, "ada", "r2", "x", null, new StepChange("x", null, null))).Rejection?.Code);
        Assert.Equal(records, run.Log.Count);
    }

    [Fact]
    public void Trace_OfAValueHandedOn_FindsTheFirstStepThatHeldIt()
    {
        var run = Flow.Of(string.Join(',',
            Call("a"), Call("b", "a", """, "input": {"rate": "${{ steps.a.output.rate }}"}"""), Call("c", "b", """, "input": {"given": "${{ steps.b.output.rate }}"}"""),
            Call("d", "c", """, "guards": {"pre": [{"check": "steps.c.output.rate >= 0 && steps.c.output.n < 5", "code": "negative"}]}""")));
        run.Start();
        run.Run((_, _) => Ok("""{"rate": -17, "n": 1}"""));
        var failed = run.State.LatestVisit("d")!;
        var trail = DataFlow.Trace(run.State, new DecisionValues(run.Plan), failed, failed.Failures[^1].Failure, run.NowMs);
        Assert.Equal(["a~1 output.rate", "b~1 output.rate", "c~1 output.rate"], trail.Select(hop => $"{hop.Visit} {hop.Path}"));
        Assert.Equal(-17, trail[0].Value.GetInt32());
    }

    /// <summary>a, then b (which pays), then c, whose guard fails; side depends on nothing.</summary>
    private static KernelHarness Failed()
    {
        var run = Flow.Of(string.Join(',', Call("a"), Call("b", "a", tool: "pay"), Call("c", "b", Guard("output.n < 5")), Call("side")));
        run.Start();
        run.Run((_, effect) => Ok(effect.StartsWith('c') ? """{"n": 9}""" : """{"n": 2}"""));
        Assert.Equal(ExecutionStatus.Failed, run.State.Status);
        run.Carried.Clear();
        return run;
    }

    private static void Retry(KernelHarness run, StepChange change) =>
        Assert.Null(run.Send(new RetryExecution(run.NowMs, "ada", "r1", change.Step, null, change)).Rejection);
}
