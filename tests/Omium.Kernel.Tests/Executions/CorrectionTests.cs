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
    public void Retry_WithAnInputBehindAnApproval_AsksAboutTheCallThatTheApprovalDidNotShow()
    {
        var run = Flow.Of(string.Join(',', Call("a"), Approval("ok", "a"), Call("b", "ok", """, "input": {"to": "ada"}""", tool: "wire")));
        Approved(run, (step, _) => step.StartsWith('b') ? Fails("tool_error", "http_400", permanent: true) : Ok("{}"));
        Retry(run, new StepChange("b", KernelHarness.Json("""{"to": "eve"}"""), null));
        run.Run(Numbers(1));

        Assert.Empty(run.Carried);
        var review = run.State.Reviews[Assert.Single(run.State.OpenReviews)].Request;
        Assert.Equal("call_approval", review.Kind);
        Assert.Contains("eve", review.Shown.GetRawText(), StringComparison.Ordinal);
        run.Decide("approve");
        run.Run(Numbers(1));
        Assert.Equal(["wire"], run.Carried);
        Laws.Check(run);
    }

    [Fact]
    public void Retry_WithWhatIsMadeBehindAnApproval_AsksOnceAboutAnyEffectMadeFromIt()
    {
        var run = Flow.Of(string.Join(',',
            Call("a"), Approval("ok", "a"), Call("mid", "ok"), Call("b", "mid", """, "input": {"amount": "${{ steps.mid.output.n }}"}, "retry": {"max_attempts": 2}""", tool: "pay")));
        Approved(run, (step, _) => step.StartsWith('b') ? Fails("tool_error", "http_400", permanent: true) : Ok("""{"n": 1}"""));
        Retry(run, new StepChange("mid", null, KernelHarness.Json("""{"n": 900}""")));
        run.Run(Numbers(1));
        Assert.Empty(run.Carried);
        Assert.Equal("call_approval", run.State.Reviews[Assert.Single(run.State.OpenReviews)].Request.Kind);
        run.Decide("approve");

        var failures = 1; // The same call again, after it was refused once: what it does was approved.
        run.Run((_, _) => failures-- > 0 ? Fails("rate_limited", "http_429") : Ok("{}"));
        Assert.Equal(ExecutionStatus.Succeeded, run.State.Status);
        Laws.Check(run);
    }

    [Fact]
    public void Retry_WithTheInputOfAChildBehindAnApproval_DoesNotStartIt()
    {
        var run = Flow.Of(string.Join(',', Call("a"), Approval("ok", "a"), Call("mid", "ok"), """{"id": "sub", "type": "workflow", "workflow": "other", "needs": ["mid"], "input": {"to": "ada"}}"""));
        Approved(run, (step, _) => step.StartsWith("mid", StringComparison.Ordinal) ? Fails("tool_error", "http_400", permanent: true) : Ok("{}"));
        Retry(run, new StepChange("mid", null, KernelHarness.Json("{}")));
        Assert.Equal(("policy_violation", "approval_outdated"), (run.State.LatestVisit("sub")!.Failures[^1].Failure.Class, run.State.LatestVisit("sub")!.Failures[^1].Failure.Code));
        Assert.Empty(run.State.LatestVisit("sub")!.Calls);
        Laws.Check(run);
    }

    [Fact]
    public void Retry_WithWhatLiesBeforeAnApproval_AsksForThatApprovalAnew_AndForNothingElse()
    {
        var run = Flow.Of(string.Join(',', Call("a"), Approval("ok", "a"), Call("b", "ok", """, "input": {"n": "${{ steps.a.output.n }}"}""", tool: "wire")));
        Approved(run, (step, _) => step.StartsWith('b') ? Fails("tool_error", "http_400", permanent: true) : Ok("""{"n": 1}"""));
        Retry(run, new StepChange("a", null, KernelHarness.Json("""{"n": 2}""")));
        run.Run(Numbers(1));
        var review = run.State.Reviews[Assert.Single(run.State.OpenReviews)].Request;
        Assert.Equal("approval", review.Kind);
        Assert.Contains("2", review.Shown.GetRawText(), StringComparison.Ordinal);
        run.Decide("approve");
        run.Run(Numbers(1));
        Assert.Equal(["wire"], run.Carried);
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

    /// <summary>Ran up to its approval, was approved, and failed behind it.</summary>
    private static void Approved(KernelHarness run, Func<string, string, EffectOutcome> outcome)
    {
        run.Start();
        run.Run((_, effect) => outcome(effect, effect));
        run.Decide("approve");
        run.Run((_, effect) => outcome(effect, effect));
        Assert.Equal(ExecutionStatus.Failed, run.State.Status);
        run.Carried.Clear();
    }

    private static void Retry(KernelHarness run, StepChange change) =>
        Assert.Null(run.Send(new RetryExecution(run.NowMs, "ada", "r1", change.Step, null, change)).Rejection);
}
