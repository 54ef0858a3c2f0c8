using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Handoffs: agreed before the receiver starts, halted with both views when they differ.</summary>
public sealed class HandoffTests
{
    private const string Sized = """ "handoff": {"claims": {"records": {"said": "output.count", "seen": "size(output.items)"}}} """;
    private const string Counted = """ "handoff": {"claims": {"records": {"said": "output.count", "seen": {"tool": "look", "arguments": {"of": "${{ output.list }}"}, "value": "output.n"}}}} """;

    [Fact]
    public void Propose_ExpressionSeesTheSame_ReceiverStartsInTheSameAppend()
    {
        var harness = Of(Call("a") + ", " + Call("b", more: """, "input": {"got": "${{ handoff.items }}"}"""), Edge("a", "b", Sized));
        harness.Start();
        var outcome = harness.Result("a~1~1~c1", """{"count": 2, "items": [1, 2]}""");

        Assert.Equal(["StepCommitted", "CheckpointCommitted", "HandoffProposed", "HandoffMeasured", "HandoffAcknowledged", "HandoffAgreed", "StepScheduled", "CallRequested"], Names(outcome));
        Assert.Equal("""{"got":[1,2]}""", harness.State.LatestVisit("b")!.Input.GetRawText());
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Propose_ClaimsDiffer_HaltsWithBothViewsAndTheReceiverIsNotScheduled()
    {
        var harness = Of(Call("a") + ", " + Call("b") + ", " + Call("beside", "a") + ", " + Call("after", "beside"), Edge("a", "b", Sized));
        harness.Start();
        harness.Result("a~1~1~c1", """{"count": 100, "items": [1, 2]}""");

        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        Assert.Null(harness.State.LatestVisit("b"));
        var request = harness.State.Reviews[harness.State.OpenReviews[0]].Request;
        Assert.Equal("handoff", request.Kind);
        Assert.Equal(["rollback", "reject"], request.Decisions);
        Assert.Contains("""{"claim":"records","said":100,"seen":2}""", request.Shown.GetRawText());
        Assert.Equal("review_open", harness.Send(new ResumeExecution(harness.NowMs, "ada", "req_1")).Rejection!.Code);
        Laws.Check(harness);
    }

    [Fact]
    public void Repeat_TheSourceWasFixed_AgreesAndFinishes()
    {
        var harness = Of(Call("a") + ", " + Call("b"), Edge("a", "b", Counted));
        harness.Start();
        harness.Result("a~1~1~c1", """{"count": 100, "list": "l1"}""");
        Assert.Equal(["a~1~1~h1~k1"], harness.Due());
        Assert.Null(harness.State.LatestVisit("b"));

        harness.Result("a~1~1~h1~k1", """{"n": 47}""");
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        harness.Decide("repeat");
        Assert.Equal(["a~1~2~h1~k1"], harness.Due());
        Assert.Empty(harness.Result("a~1~1~h1~k1", """{"n": 100}""").Events); // Late: of the round before.
        harness.Result("a~1~2~h1~k1", """{"n": 100}""");
        Assert.Equal(VisitStatus.Open, harness.Status("b"));
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Assert.Equal(1, harness.State.Latest["a"]);
        Laws.Check(harness);
    }

    [Fact]
    public void Rollback_OfADispute_RunsTheSenderAgainAndRevokesTheHandoff()
    {
        var harness = Of(Call("first") + ", " + Call("a", "first", tool: "pay") + ", " + Call("b"), Edge("a", "b", Sized));
        harness.Start();
        harness.Result("first~1~1~c1", "{}");
        harness.Begin("a~1~1~c1");
        harness.Result("a~1~1~c1", """{"count": 100, "items": []}""");
        harness.Decide("rollback");
        harness.Run((name, _) => Ok(name == "pay" ? """{"count": 0, "items": []}""" : "{}"));

        Assert.Equal(["undo pay", "pay", "plain"], harness.Carried);
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Assert.Equal(1, harness.State.Latest["first"]);
        Assert.Equal(HandoffStatus.Revoked, harness.State.Handoffs[new HandoffKey(1, new VisitKey("a", 1))].Status);
        Assert.Equal(HandoffStatus.Agreed, harness.State.Handoffs[new HandoffKey(1, new VisitKey("a", 2))].Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Edit_OfADispute_RunsTheSendingAgentWithIt()
    {
        var harness = Of(Agent("a") + ", " + Call("b"), Edge("a", "b", Sized));
        harness.Start();
        harness.Answer("a~1~1~m1", """{"count": 3, "items": [1]}""");
        harness.Decide("edit", new AgentEdit("count what you hand over", null, null));
        Assert.Equal("count what you hand over", harness.State.Edits["one"].Prompt);
        harness.Answer("a~2~1~m1", """{"count": 1, "items": [1]}""");
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Reject_OfADispute_FailsTheExecutionAndARetryRunsTheSenderAgain()
    {
        var harness = Of(Call("a") + ", " + Call("b"), Edge("a", "b", Sized));
        harness.Start();
        harness.Result("a~1~1~c1", """{"count": 3, "items": [1]}""");
        var outcome = harness.Decide("reject");
        Assert.Equal("handoff_disputed", Assert.Single(outcome.Events.OfType<ExecutionFailed>()).Class);

        harness.Send(new RetryExecution(harness.NowMs, "ada", "req_1", null, null));
        harness.Result("a~2~1~c1", """{"count": 1, "items": [1]}""");
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    [Theory]
    [InlineData("""{"count": 1}""", "information_withholding", "handoff_schema")]
    [InlineData("""{"count": 1, "items": 4}""", "schema_violation", "handoff_schema")]
    [InlineData("""{"count": -1, "items": []}""", "guard_failed", "handoff_constraint")]
    [InlineData("""{"items": []}""", "information_withholding", "claim_not_stated")]
    public void Finish_MessageBreaksTheHandoff_SendersAttemptFailsBeforeTheCommit(string output, string failureClass, string code)
    {
        const string Strict = """ "handoff": {"schema": {"type": "object", "required": ["items"], "properties": {"items": {"type": "array"}}}, "constraints": ["!has(output.count) || output.count >= 0"], "claims": {"records": {"said": "output.count", "seen": "size(output.items)"}}} """;
        var harness = Of(Call("a", more: """, "retry": {"max_attempts": 2, "backoff": "constant", "initial": "1s", "max": "1s"}""") + ", " + Call("b"), Edge("a", "b", Strict));
        harness.Start();
        var outcome = harness.Result("a~1~1~c1", output);
        var failed = Assert.Single(outcome.Events.OfType<StepFailed>());
        Assert.Equal((failureClass, code), (failed.Class, failed.Code));
        Assert.Empty(outcome.Events.OfType<StepCommitted>());

        harness.Wake(2_000);
        harness.Result("a~1~2~c1", """{"count": 1, "items": [7]}"""); // A retry mends it.
        Assert.Equal(VisitStatus.Open, harness.Status("b"));
        Laws.Check(harness);
    }

    [Fact]
    public void Measure_ToolFails_IsTriedAgainAndInTheEndHaltsAsNotMeasured()
    {
        var harness = Of(Call("a") + ", " + Call("b"), Edge("a", "b", Counted));
        harness.Start();
        harness.Result("a~1~1~c1", """{"count": 100, "list": "l1"}""");
        harness.Run((_, _) => Fails("tool_error", "http_503"));

        Assert.Equal(5, harness.Carried.Count(name => name == "measure look"));
        var handoff = Assert.Single(harness.State.Handoffs.Values);
        Assert.Equal("not_measured", handoff.Dispute!.Code);
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        harness.Decide("repeat");
        harness.Run((name, _) => Ok(name == "measure look" ? """{"n": 100}""" : "{}"));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void LoopEdge_WithAHandoff_TargetWaitsForTheAgreement()
    {
        var harness = Of(Call("a") + ", " + Call("b", "a"), Edge("b", "a", """ "when": "output.again", "max_visits": 2, "handoff": {"claims": {"n": {"said": "output.n", "seen": {"tool": "look"}}}} """));
        harness.Start();
        harness.Result("a~1~1~c1", "{}");
        harness.Result("b~1~1~c1", """{"again": true, "n": {"x": 1.0}}""");
        Assert.Equal(1, harness.State.Latest["a"]);
        harness.Result("b~1~1~h2~k1", """{"x": 1}""");
        Assert.Equal(2, harness.State.Latest["a"]);
        harness.Result("a~2~1~c1", "{}");
        harness.Result("b~2~1~c1", """{"again": false, "n": 1}""");
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Skip_OfTheSender_HandsNothingOver()
    {
        var harness = Of(Call("a") + ", " + Call("b"), Edge("a", "b", Sized), """{"rules": [{"on": ["tool_error"], "do": ["skip"]}]}""");
        harness.Start();
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "gone", "gone", Permanent: true));
        Assert.Equal(VisitStatus.Skipped, harness.Status("b"));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
    }

    private static string[] Names(DecisionOutcome outcome) => [.. outcome.Events.Select(happened => happened.GetType().Name)];
}
