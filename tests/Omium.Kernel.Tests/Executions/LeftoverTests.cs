using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>What a rollback would leave behind or cut off, what people accept and resolve, and that what stands agrees with the log.</summary>
public sealed class LeftoverTests
{
    private const string RollBackThenAsk = """{"rules": [{"on": ["hallucination"], "do": [{"rollback_to": "a"}, "pause", {"notify": "ops"}, {"escalate_to": "lead"}]}]}""";

    [Fact]
    public void RollBack_NarrowedToTheWriterOfWhatAnotherStepHasRead_OrphansItsReader()
    {
        var harness = new KernelHarness("""
            {"omium": "v0", "name": "shared", "tools": {"plain": {"type": "function"}},
             "steps": [
              {"id": "w", "type": "decision", "input": {"v": 1}, "writes": ["stock/s1#v"]},
              {"id": "gate", "type": "tool_call", "tool": "plain"},
              {"id": "r", "type": "decision", "needs": ["gate"], "reads": ["stock/s1#v"], "input": {"v": "${{ state.v }}"}}]}
            """) { Checks = true };
        harness.Start();
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal("""{"v":1}""", harness.State.LatestVisit("r")!.Output!.Value.GetRawText());
        var refused = harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "start", "all", false, ["w"])).Rejection!;
        Assert.Equal("rollback_orphans_consumer", refused.Code);
        Assert.Contains("r~1", refused.Message, StringComparison.Ordinal);
        Assert.True(harness.Send(new RollBackExecution(harness.NowMs, "ada", "r2", "start", "all", false, ["w", "r"])).Accepted);
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal((VisitStatus.RolledBack, VisitStatus.Committed), (harness.Status("r"), harness.Status("gate")));
        Laws.Check(harness);
    }

    [Fact]
    public void AutomaticRollback_OverAnIrreversibleEffect_IsWithheldAndAPersonIsAsked()
    {
        var harness = Failed();
        var withheld = harness.Events.OfType<RollbackWithheld>().Single();
        Assert.Equal(("c", "a", "wired~1~1~c1"), (withheld.Step, withheld.To, Assert.Single(withheld.Irreversible)));
        Assert.Empty(harness.Events.OfType<RollbackPlanned>());
        var request = harness.State.Reviews[harness.State.OpenReviews.Single()].Request;
        Assert.Equal(("failure", "lead", "accept_residue"), (request.Kind, request.Role, request.Decisions[0]));
        Assert.Equal("wired~1~1~c1", request.Shown.GetProperty("irreversible")[0].GetString());
        Assert.Equal("ops", harness.Events.OfType<NotificationRequested>().Last().Channel);
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void AutomaticRollback_ResidueAccepted_IsDoneAndThePolicyGoesOnAsWritten()
    {
        var harness = Failed();
        Assert.True(harness.Decide("accept_residue").Accepted);
        Assert.Equal(ExecutionStatus.RollingBack, harness.State.Status);
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal("undo pay", harness.Carried[^1]);
        var left = harness.State.Residue.Single();
        Assert.Equal(("wired~1~1~c1", "irreversible", "ada"), (left.Left.Effect, left.Left.Reason, left.Left.By));
        Assert.Equal([VisitStatus.Committed, VisitStatus.RolledBack, VisitStatus.RolledBack], [harness.Status("a"), harness.Status("wired"), harness.Status("c")]);

        // What follows the rollback in the policy follows it now: the person it is escalated to decides what becomes of the failure.
        var request = harness.State.Reviews[harness.State.OpenReviews.Single()].Request;
        Assert.Equal(("failure", "lead", false), (request.Kind, request.Role, request.Decisions.Contains("accept_residue")));
        Laws.Check(harness);
    }

    [Fact]
    public void AutomaticRollback_NotAccepted_LeavesEverythingAndTriesAgain()
    {
        var harness = Failed();
        Assert.True(harness.Decide("approve").Accepted);
        harness.Run((_, _) => Ok("""{"n": 1}"""));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Assert.Equal((0, 1), (harness.State.Residue.Count, harness.Carried.Count(name => name == "wire")));
        Laws.Check(harness);
    }

    [Fact]
    public void Rollback_ByAPersonOverAnIrreversibleEffect_IsRefusedUnlessTheResidueIsAccepted()
    {
        var harness = Failed();
        Assert.Equal("rollback_irreversible", harness.Send(new RollBackExecution(harness.NowMs, "bob", "r1", "start", "all")).Rejection!.Code);
        Assert.True(harness.Send(new RollBackExecution(harness.NowMs, "bob", "r2", "start", "all", AcceptResidue: true)).Accepted);
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(("wired~1~1~c1", "bob"), (harness.State.Residue.Single().Left.Effect, harness.State.Residue.Single().Left.By));
        Assert.Equal(1, harness.Events.OfType<RollbackCompleted>().Single().Compensated);
        Laws.Check(harness);
    }

    [Fact]
    public void Rollback_DecidedInAReviewOverAnIrreversibleEffect_IsRefusedUnlessTheResidueIsAccepted()
    {
        var harness = Failed();
        var refused = harness.Decide("rollback");
        Assert.Equal("rollback_irreversible", refused.Rejection?.Code);
        Assert.Contains("wire (wired~1~1~c1)", refused.Rejection!.Message, StringComparison.Ordinal);
        Assert.Single(harness.State.OpenReviews);
        Assert.True(harness.Decide("rollback", by: "bob", acceptResidue: true).Accepted);
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(("wired~1~1~c1", "bob"), (harness.State.Residue.Single().Left.Effect, harness.State.Residue.Single().Left.By));
        Assert.Equal(ExecutionStatus.Cancelled, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Rollback_NarrowedToAStepThatSomethingStandsOn_IsRefusedWithTheConsumersName()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a"), Call("c", "b"), Call("side", "a"), Approval("end", "c side")));
        harness.Start();
        harness.Run((_, _) => Ok("{}"));
        var preview = ExecutionKernel.PreviewRollback(harness.State, new DecisionValues(harness.Plan), "a", "all", harness.NowMs, ["b"])!;
        Assert.Equal((1, "c~1"), (preview.Affected.Count, string.Join(' ', preview.Orphans)));
        var refused = harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "a", "all", Steps: ["b"])).Rejection!;
        Assert.Equal("rollback_orphans_consumer", refused.Code);
        Assert.Contains("c~1", refused.Message, StringComparison.Ordinal);

        // Also what is only under way was made from it.
        Assert.Contains("end~1", harness.Send(new RollBackExecution(harness.NowMs, "ada", "r2", "a", "all", Steps: ["b", "c"])).Rejection!.Message, StringComparison.Ordinal);
        Assert.True(harness.Send(new RollBackExecution(harness.NowMs, "ada", "r3", "a", "all", Steps: ["b", "c", "end"])).Accepted);
        Assert.Equal([VisitStatus.RolledBack, VisitStatus.RolledBack, VisitStatus.Committed], [harness.Status("b"), harness.Status("c"), harness.Status("side")]);
        harness.Send(new ResumeExecution(harness.NowMs, "ada", "r4"));
        Assert.Equal(["b~2~1~c1"], harness.Due());
        Laws.Check(harness);
    }

    [Fact]
    public void Consistency_EveryActorsLastCheckpoint_IsComparedAndAFaultIsFound()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a", tool: "look"), Call("c", "b", tool: "shaped", more: ", \"input\": {\"a\": 1}"), Approval("end", "c")));
        harness.Start();
        harness.Run((_, _) => Ok("""{"n": 1}"""));
        Assert.Equal((3, 0), Read(harness.State, harness));
        var sound = harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "b", "all")).Events.OfType<RollbackCompleted>().Single();
        Assert.Equal((2, null), (sound.Checked, sound.Disagreeing));

        // No decision makes such a record: b taken back, and c, which was made from it, still there.
        var broken = ExecutionKernel.Evolve(
            Rebuilt(harness), new RollbackPlanned(1, "a", "all", [new VisitKey("b", 1)], [], "person", "ada", null, new RollbackSequel(null, null, false, false)), harness.NowMs);
        Assert.Equal((2, 1), Read(broken, harness));

        static (int, int) Read(ExecutionState state, KernelHarness harness)
        {
            var (count, disagreeing) = Consistency.Check(state, harness.Plan);
            return (count, disagreeing.Count);
        }

        static ExecutionState Rebuilt(KernelHarness harness) =>
            harness.Log.SkipLast(1).Aggregate(ExecutionState.Empty, (state, bytes) => ExecutionKernel.Fold(state, KernelJson.Deserialize(bytes)));
    }

    [Fact]
    public void Residue_Resolved_OnceByOnePerson_ARepeatWritesNothing()
    {
        var harness = Failed();
        harness.Decide("accept_residue");
        harness.Run((_, _) => Ok("{}"));
        var resolve = new ResolveResidue(harness.NowMs, "ada", "r1", "wired~1~1~c1", "called the bank");
        Assert.Equal("residue_not_found", harness.Send(resolve with { Effect = "a~1~1~c1" }).Rejection!.Code);
        Assert.Single(harness.Send(resolve).Events);
        Assert.Empty(harness.Send(resolve with { AtMs = harness.NowMs + 5 }).Events);
        Assert.Empty(harness.Send(resolve with { RequestId = "r2" }).Events);
        Assert.Equal("residue_resolved", harness.Send(resolve with { RequestId = "r3", By = "bob" }).Rejection!.Code);
        Assert.Equal(("ada", "called the bank"), (harness.State.Residue[0].Resolved!.By, harness.State.Residue[0].Resolved!.Note));
        Laws.Check(harness);
    }

    [Fact]
    public void Failure_Ignored_IsOnRecordOnceAndLeavesTheQuestionOpen()
    {
        var harness = Failed();
        var ignore = new IgnoreFailure(harness.NowMs, "ada", "r1", "c.1.1");
        foreach (var unknown in new[] { "c.1.2", "c.2.1", "a.1.1", "c.1", "", "c.1.h1r1", "c.x.1" })
        {
            Assert.Equal("failure_not_found", harness.Send(ignore with { Failure = unknown }).Rejection?.Code);
        }

        Assert.Equal(new FailureIgnored("c.1.1", "ada", "r1"), Assert.Single(harness.Send(ignore).Events));
        Assert.Empty(harness.Send(ignore).Events);
        Assert.Empty(harness.Send(ignore with { RequestId = "r2", By = "bob" }).Events);
        Assert.Equal((ExecutionStatus.Paused, 1), (harness.State.Status, harness.State.OpenReviews.Count));
        Assert.True(harness.Decide("approve").Accepted);
        Laws.Check(harness);
    }

    [Theory]
    [InlineData(true, "http_404", true)]
    [InlineData(true, "http_410", true)]
    [InlineData(true, "http_422", false)]
    [InlineData(false, "http_404", false)]
    public void Compensation_OfACallThatMayNeverHaveHappened_TakesNotFoundForNothingToUndo(bool unclear, string answer, bool undone)
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("p", "a", tool: "pay"), Approval("end", "p")), recovery: """{"rules": [{"do": ["pause", "await_review"]}]}""");
        harness.Start();
        harness.Run((name, _) => name == "pay" && unclear ? Fails("timeout", "response_timeout", mayHaveHappened: true) : Ok("{}"));
        var told = ToolRendering.TryRenderCompensation(harness.State, new DecisionValues(harness.Plan), harness.TheCall("p"), KernelHarness.Json("{}"), harness.TheCall("p").Result, out _)!.Arguments;
        Assert.Equal(unclear ? "unknown" : "yes", told.GetProperty("happened").GetString());
        Assert.True(harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "a", "all")).Accepted);
        harness.Run((name, _) => name == "undo pay" ? Fails("tool_error", answer, permanent: true) : Ok("{}"));
        Assert.Equal(undone ? 0 : 1, harness.State.Residue.Count);
        Assert.Equal(undone ? CallStatus.Compensated : unclear ? CallStatus.Failed : CallStatus.Settled, harness.TheCall("p").Status);
        Laws.Check(harness);
    }

    /// <summary>An undo at a receiver that honours no keys: begun on record, and called again only when it is known not to have happened.</summary>
    [Theory]
    [InlineData("done", 0, 0)]
    [InlineData("not_done", 1, 0)]
    [InlineData("unknown", 0, 1)]
    public void Compensation_Verifiable_InDoubt_IsLookedUpBeforeItIsCalledAgain(string told, int again, int left)
    {
        var harness = new KernelHarness(Verifiable) { Checks = true };
        harness.Start();
        harness.Run((_, _) => Ok("{}"));
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "start", "all"));
        Assert.Equal("no_intent", harness.Result("p~1~1~c1~u1", "{}").Rejection!.Code);
        Assert.True(harness.Begin("p~1~1~c1~u1").Accepted);
        Assert.Equal("effect_not_due", harness.Begin("p~1~1~c1~u1", "runner-2").Rejection!.Code);
        Assert.Equal(["doubt~p~1~1~c1~u1"], harness.Due());
        harness.Send(new LoseRunner(harness.NowMs, "runner-2"));
        Assert.Equal(["p~1~1~c1~w1"], harness.Due());
        Assert.Equal(harness.NowMs + 10_000, harness.Pending[0].DueMs);
        harness.Carried.Clear();
        harness.Run((name, _) => name == "verify undo pay" ? Ok($$"""{"status": "{{told}}"}""") : Ok("{}"));
        Assert.Equal(again, harness.Carried.Count(name => name == "undo pay"));
        Assert.Equal(left, harness.State.Residue.Count(residue => residue.Left.Reason == "compensation_in_doubt"));
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Compensation_Verifiable_UnclearAnswerTwice_IsInDoubtOnce()
    {
        var harness = new KernelHarness(Verifiable) { Checks = true };
        harness.Start();
        harness.Run((_, _) => Ok("{}"));
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "r1", "start", "all"));
        harness.Begin("p~1~1~c1~u1");
        var unclear = new EffectFailure("timeout", "response_timeout", "m", MayHaveHappened: true);
        Assert.Single(harness.Failure("p~1~1~c1~u1", unclear).Events);
        Assert.Empty(harness.Failure("p~1~1~c1~u1", unclear).Events);
        harness.Result("p~1~1~c1~u1", "{}"); // The real answer, come late: it counts.
        Assert.Equal(CallStatus.Compensated, harness.TheCall("p").Status);
        Laws.Check(harness);
    }

    private const string Verifiable = """
        {"omium": "v0", "name": "undone",
         "tools": {
           "look": {"type": "function"},
           "pay": {"type": "function", "effect": {"kind": "idempotent", "compensate": "back"}},
           "back": {"type": "function", "timeout": "10s", "effect": {"kind": "verifiable", "verify": "look", "verify_after": "10s"}}},
         "steps": [{"id": "p", "type": "tool_call", "tool": "pay"}, {"id": "q", "type": "human_approval", "needs": ["p"]}]}
        """;

    /// <summary>a; then wired (irreversible) and paid (undoable) behind it; then c, which hallucinates: the policy would go back to a.</summary>
    private static KernelHarness Failed()
    {
        var harness = Flow.Of(
            string.Join(',', Call("a"), Call("wired", "a", tool: "wire"), Call("paid", "a", tool: "pay"), Call("c", "wired paid", Guard("!has(output.n) || output.n != 3", "hallucination"))), recovery: RollBackThenAsk);
        harness.Start();
        harness.Result("a~1~1~c1", "{}");
        harness.Decide("approve");
        harness.Run((name, effect) => Ok(effect[0] == 'c' ? """{"n": 3}""" : "{}"));
        return harness;
    }
}
