using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Xunit;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Traced executions: what is recorded answers, what is not runs under a lease, and a transaction follows its kind.</summary>
public sealed class TracedTests
{
    private const long LeaseMs = 30_000;

    [Fact]
    public void Checkpoint_BegunAndFinished_AnswersWhenAskedAgain()
    {
        var harness = Started();
        Begin(harness, "quote");
        Finish(harness, "quote@1~1~1~1", """{"usd": 12}""");
        var visit = harness.State.StandingVisit("quote@1")!;
        Assert.Equal((VisitStatus.Committed, "quote"), (visit.Status, visit.Checkpoint));
        var length = harness.Log.Count;
        Begin(harness, "quote", owner: "b");
        Assert.Equal(length, harness.Log.Count); // Answered from the record.
        Complete(harness, """{"ok": true}""");
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Steps_FiveInARow_AreSixRecords()
    {
        var harness = Started(Operation(TraceWords.Begin, "s1"));
        for (var number = 1; number < 5; number++)
        {
            Tell(harness, "a", Told($"s{number}@1~1~1~1", "{}"), Operation(TraceWords.Begin, $"s{number + 1}"));
        }

        Tell(harness, "a", Told("s5@1~1~1~1", "{}"), new TraceOperation(TraceWords.Complete));
        Assert.Equal((6, ExecutionStatus.Succeeded), (harness.Log.Count, harness.State.Status));
        Assert.Equal([new VisitKey("s4@1", 1)], harness.State.StandingVisit("s5@1")!.After);
        Laws.Check(harness);
    }

    [Fact]
    public void Step_AskedForWithAnotherInput_IsRefusedByName()
    {
        var harness = Started();
        Tell(harness, "a", Operation(TraceWords.Begin, "quote") with { InputDigest = "d1" });
        Finish(harness, "quote@1~1~1~1", "1");
        var refused = Tell(harness, "b", Operation(TraceWords.Begin, "quote") with { InputDigest = "d2" });
        Assert.Equal("replay_mismatch", refused.Rejection!.Code);
        Assert.Contains("quote", refused.Rejection.Message, StringComparison.Ordinal);
        var asTransaction = Tell(harness, "b", Operation(TraceWords.Begin, "quote", TracedKinds.Transaction, EffectKind.Irreversible));
        Assert.Equal("replay_mismatch", asTransaction.Rejection!.Code);
    }

    [Fact]
    public void Lease_HeldByAnother_RunsNothingUntilItIsOver()
    {
        var harness = Started();
        Begin(harness, "quote");
        Assert.Empty(Begin(harness, "quote", owner: "b").Events);
        harness.Wake(LeaseMs + 1);
        Assert.Single(harness.Events.OfType<TracedLeaseLost>());
        Begin(harness, "quote", owner: "b");
        Assert.Equal("task_fenced", Finish(harness, "quote@1~1~1~1", "1").Rejection!.Code);
        Finish(harness, "quote@1~1~1~2", "2", owner: "b");
        Assert.Equal("2", harness.State.StandingVisit("quote@1")!.Output!.Value.GetRawText());
        Laws.Check(harness);
    }

    [Fact]
    public void Lease_Renewed_LastsFromThen()
    {
        var harness = Started();
        Begin(harness, "quote");
        harness.NowMs += LeaseMs - 1;
        Tell(harness, "a", new TraceOperation(TraceWords.Renew));
        harness.Wake(LeaseMs - 1);
        Assert.Equal("a", harness.State.StandingVisit("quote@1")!.Traced!.Owner);
        Tell(harness, "b", new TraceOperation(TraceWords.Lost) { Gone = "a" });
        Assert.Null(harness.State.StandingVisit("quote@1")!.Traced!.Owner);
        Laws.Check(harness);
    }

    [Fact]
    public void Output_ThatBreaksItsChecks_IsNotCommitted()
    {
        var harness = Started();
        var checks = KernelHarness.Json("""{"constraints": {"max": 850, "min": 300}, "schema": {"properties": {"score": {"type": "integer"}}, "required": ["score"], "type": "object"}}""");
        foreach (var (name, output, failureClass) in new[] { ("a", """{"score": 900}""", "guard_failed"), ("b", """{"points": 1}""", "schema_violation"), ("c", """{"n": 1, "score": 700}""", "guard_failed") })
        {
            Tell(harness, "a", Operation(TraceWords.Begin, name) with { Declared = new TracedDeclaration(TracedKinds.Checkpoint, Checks: checks) });
            Finish(harness, $"{name}@1~1~1~1", output);
            var visit = harness.State.StandingVisit($"{name}@1")!;
            Assert.Equal((VisitStatus.Failed, failureClass), (visit.Status, visit.Failures[^1].Failure.Class));
        }

        Assert.Equal(ExecutionStatus.Running, harness.State.Status); // What follows is for the program to say.
        Laws.Check(harness);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Cancelled_WithATransactionInDoubtThatOnlyAProcessWouldLookUp_AsksAPerson(bool isKnownBefore)
    {
        var harness = Started();
        Tell(harness, "a", Operation(TraceWords.Begin, "pay", TracedKinds.Transaction, EffectKind.Verifiable));
        harness.NowMs += LeaseMs + 1;
        if (isKnownBefore)
        {
            harness.Wake();
            Assert.Equal("verify", TheCall(harness, "pay").Next);
        }

        harness.Send(new CancelExecution(harness.NowMs, "ada", "r1"));
        harness.Wake();
        Assert.Equal((CallStatus.InDoubt, "review"), (TheCall(harness, "pay").Status, TheCall(harness, "pay").Next));
        harness.Decide("done", output: "{}");
        Assert.Equal((ExecutionStatus.Cancelled, CallStatus.Settled), (harness.State.Status, TheCall(harness, "pay").Status));
        Laws.Check(harness);
    }

    [Theory]
    [InlineData(EffectKind.Idempotent, "rerun")]
    [InlineData(EffectKind.Verifiable, "verify")]
    [InlineData(EffectKind.Irreversible, "review")]
    public void Transaction_WhoseProcessIsGone_FollowsItsKind(EffectKind kind, string next)
    {
        var harness = Started();
        var pay = Operation(TraceWords.Begin, "pay", TracedKinds.Transaction, kind);
        Tell(harness, "a", pay);
        var key = TheCall(harness, "pay").Key;
        harness.Wake(LeaseMs + 1);
        Assert.Equal((CallStatus.InDoubt, next), (TheCall(harness, "pay").Status, TheCall(harness, "pay").Next));
        Tell(harness, "b", pay);
        switch (kind)
        {
            case EffectKind.Idempotent:
                Assert.Equal((CallStatus.Intent, key, 2), (TheCall(harness, "pay").Status, TheCall(harness, "pay").Key, TheCall(harness, "pay").Runs));
                Finish(harness, "pay@1~1~1~2", "{}", owner: "b");
                break;
            case EffectKind.Verifiable:
                Tell(harness, "b", new TraceOperation(TraceWords.Verified) { Lease = "pay@1~1~1~1", Status = "done", Output = KernelHarness.Json("{}") });
                break;
            default:
                Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
                harness.Decide("done", output: "{}");
                break;
        }

        Assert.Equal(VisitStatus.Committed, harness.State.StandingVisit("pay@1")!.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Transaction_NotDone_RunsAgainAndOnlyItsNewestRunIsHeard()
    {
        var harness = Started();
        var pay = Operation(TraceWords.Begin, "pay", TracedKinds.Transaction, EffectKind.Verifiable);
        Tell(harness, "a", pay);
        Tell(harness, "b", new TraceOperation(TraceWords.Lost) { Gone = "a" });
        Tell(harness, "b", pay);
        Tell(harness, "b", new TraceOperation(TraceWords.Verified) { Lease = "pay@1~1~1~1", Status = "not_done" });
        Tell(harness, "b", pay);
        Assert.Equal("task_fenced", Finish(harness, "pay@1~1~1~1", "1").Rejection!.Code);
        Finish(harness, "pay@1~1~1~2", "2", owner: "b");
        Assert.Equal("2", harness.State.StandingVisit("pay@1")!.Output!.Value.GetRawText());
        Laws.Check(harness);
    }

    [Fact]
    public void Transaction_AboveTheLimit_WaitsForAPerson()
    {
        var harness = Started();
        var pay = Operation(TraceWords.Begin, "pay") with { Declared = new TracedDeclaration(TracedKinds.Transaction, EffectKind.Irreversible, AmountUsd: 20_000) };
        Tell(harness, "a", pay);
        Assert.Equal(CallStatus.AwaitingApproval, TheCall(harness, "pay").Status);
        Assert.Empty(Tell(harness, "a", pay).Events);
        harness.Decide("approve");
        Tell(harness, "a", pay);
        Assert.Equal(CallStatus.Intent, TheCall(harness, "pay").Status);
        Finish(harness, "pay@1~1~1~1", "{}");
        Laws.Check(harness);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Transaction_ThatAPersonRefuses_IsNotRunHoweverOftenTheProgramAsks(bool before)
    {
        var harness = Started();
        var pay = Operation(TraceWords.Begin, "pay") with { Declared = new TracedDeclaration(TracedKinds.Transaction, EffectKind.Irreversible, Approval: before) };
        Tell(harness, "a", pay);
        harness.Wake(LeaseMs + 1);
        Tell(harness, "b", pay);
        harness.Decide("reject");
        Assert.Empty(Tell(harness, "b", pay).Events);
        Tell(harness, "b", new TraceOperation(TraceWords.Complete) { Failure = new EffectFailure("rejected", "x", "x", Permanent: true) });
        Tell(harness, "c", new TraceOperation(TraceWords.Attach));
        Assert.Empty(Tell(harness, "c", pay).Events);
        Assert.Equal(VisitStatus.Failed, harness.State.StandingVisit("pay@1")!.Status);
        harness.Send(new RetryExecution(harness.NowMs, "ada", "req_1", null, null));
        Tell(harness, "c", pay);
        Assert.Equal(before ? CallStatus.AwaitingApproval : CallStatus.Intent, TheCall(harness, "pay").Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Rollback_OfTransactions_UndoesThemInReverseOrderOnceEach()
    {
        var harness = Started();
        Begin(harness, "quote");
        Finish(harness, "quote@1~1~1~1", "1");
        foreach (var name in new[] { "pay", "book" })
        {
            Tell(harness, "a", Undoable(name));
            Finish(harness, $"{name}@1~1~1~1", $"\"{name}\"");
        }

        harness.Send(new RollBackExecution(harness.NowMs, "ada", "req_1", "quote", "all"));
        Assert.Equal((ExecutionStatus.RollingBack, "book@1~1~1~c1"), (harness.State.Status, TracedState.NextUndo(harness.State)!.Id.ToString()));
        Assert.Equal("effect_not_due", Tell(harness, "a", Undo(TraceWords.Undo, "pay@1~1~1~c1")).Rejection!.Code);
        Tell(harness, "a", Undo(TraceWords.Undo, "book@1~1~1~c1"));
        Assert.Empty(Tell(harness, "b", Undo(TraceWords.Undo, "book@1~1~1~c1")).Events);
        Tell(harness, "a", Undo(TraceWords.Undone, "book@1~1~1~c1", 1));
        Assert.Empty(Tell(harness, "a", Undo(TraceWords.Undone, "book@1~1~1~c1", 1)).Events);
        Tell(harness, "a", Undo(TraceWords.Undo, "pay@1~1~1~c1"), Undo(TraceWords.Undone, "pay@1~1~1~c1", 1));
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        harness.Send(new ResumeExecution(harness.NowMs, "ada", "req_2"));
        Tell(harness, "a", Undoable("pay"));
        Assert.Equal((2, new VisitKey("quote@1", 1)), (harness.State.StandingVisit("pay@1")!.Key.Visit, Assert.Single(harness.State.StandingVisit("pay@1")!.After)));
        Assert.NotEqual(harness.State.Visits[new("pay@1", 1)].Calls[0].Key, harness.State.Visits[new("pay@1", 2)].Calls[0].Key);
        Laws.Check(harness);
    }

    [Fact]
    public void Failure_OfAStep_EndsNothingUntilTheProgramSaysSo()
    {
        var harness = Started();
        Begin(harness, "quote");
        var broken = new EffectFailure("tool_error", "value_error", "no price", Permanent: true);
        Tell(harness, "a", new TraceOperation(TraceWords.Fail) { Lease = "quote@1~1~1~1", Failure = broken });
        Assert.Equal(ExecutionStatus.Running, harness.State.Status);
        Tell(harness, "a", new TraceOperation(TraceWords.Complete) { Failure = broken });
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
        Assert.Equal("quote@1", harness.Events.OfType<ExecutionFailed>().Single().Step);
        Tell(harness, "b", new TraceOperation(TraceWords.Attach), Operation(TraceWords.Begin, "quote"));
        Finish(harness, "quote@1~1~2~2", "1", owner: "b");
        Complete(harness, "1", "b");
        Assert.Equal((ExecutionStatus.Succeeded, null), (harness.State.Status, harness.State.FailedVisit));
        Laws.Check(harness);
    }

    [Fact]
    public void Failure_AfterWhichTheProgramWentOn_IsPlayedAgain()
    {
        var harness = Started();
        Begin(harness, "quote");
        Tell(harness, "a", new TraceOperation(TraceWords.Fail) { Lease = "quote@1~1~1~1", Failure = new EffectFailure("tool_error", "x", "x", Permanent: true) });
        Begin(harness, "otherwise");
        var length = harness.Log.Count;
        Begin(harness, "quote", owner: "b");
        Assert.Equal((length, VisitStatus.Failed), (harness.Log.Count, harness.State.StandingVisit("quote@1")!.Status));
        Laws.Check(harness);
    }

    [Fact]
    public void Program_ThatFails_IsAFailureUntilItSucceeds()
    {
        var harness = Started();
        Tell(harness, "a", new TraceOperation(TraceWords.Complete) { Failure = new EffectFailure("tool_error", "key_error", "x", Permanent: true) });
        Assert.Equal((ExecutionStatus.Failed, new VisitKey("program@1", 1)), (harness.State.Status, harness.State.FailedVisit));
        Tell(harness, "b", new TraceOperation(TraceWords.Attach));
        Complete(harness, "1", "b");
        Assert.Equal((ExecutionStatus.Succeeded, null), (harness.State.Status, harness.State.FailedVisit));
        Laws.Check(harness);
    }

    [Fact]
    public void Steps_BegunAtOnce_AreFollowedByWhatComesAfterBoth()
    {
        var harness = Started();
        Begin(harness, "a");
        Begin(harness, "b");
        Finish(harness, "a@1~1~1~1", "1");
        Begin(harness, "c");
        Assert.Equal([new VisitKey("a@1", 1)], harness.State.StandingVisit("c@1")!.After);
        Finish(harness, "b@1~1~1~1", "1");
        Finish(harness, "c@1~1~1~1", "1");
        Begin(harness, "d");
        Assert.Equal([new VisitKey("b@1", 1), new VisitKey("c@1", 1)], harness.State.StandingVisit("d@1")!.After);
        Assert.Equal("steps_open", Complete(harness, "1").Rejection!.Code);
        Laws.Check(harness);
    }

    [Fact]
    public void Message_HandedOver_IsTheSameWhenItIsReceivedAgain()
    {
        var harness = Started();
        Assert.Empty(Receive(harness).Events);
        Send(harness, "1", """{"records": 100}""");
        Receive(harness);
        Send(harness, "2", """{"records": 200}""");
        var visit = harness.State.StandingVisit("receive:kyc@1")!;
        Assert.Equal(("""{"records":100}""", new VisitKey("handoff:kyc@1", 1)), (visit.Output!.Value.GetRawText(), Assert.Single(visit.Reads)));
        var length = harness.Log.Count;
        Receive(harness);
        Assert.Equal(length, harness.Log.Count);
        Laws.Check(harness);
    }

    [Fact]
    public void Message_ReceiverHasSeenSomethingElse_HaltsWithBothViews()
    {
        var harness = Started();
        Send(harness, "1", """{"records": 100}""", claims: """{"records": 100}""");
        Receive(harness, """{"records": 47}""");
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        var failure = harness.State.StandingVisit("receive:kyc@1")!.Failures[^1].Failure;
        Assert.Equal((FailureClasses.HandoffDisputed, "records = 100", """{"records":47}"""), (failure.Class, failure.Expected, failure.Actual!.Value.GetRawText()));
        harness.Decide("approve");
        Receive(harness, """{"records": 100}""");
        Assert.Equal(VisitStatus.Committed, harness.State.StandingVisit("receive:kyc@1")!.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Policy_ThatRetries_AsksForTheStepAgain()
    {
        var harness = Started("""{"rules": [{"on": ["tool_error"], "do": ["retry"], "limit": 1}], "retry_policy": {"max_retries": 2, "backoff": "constant(1s)"}}""");
        Begin(harness, "quote");
        Tell(harness, "a", new TraceOperation(TraceWords.Fail) { Lease = "quote@1~1~1~1", Failure = new EffectFailure("tool_error", "x", "x", Permanent: true) });
        Assert.Empty(Begin(harness, "quote").Events); // Not due yet.
        harness.NowMs += 1_001;
        Begin(harness, "quote");
        Finish(harness, "quote@1~1~2~2", "1");
        Assert.Equal(VisitStatus.Committed, harness.State.StandingVisit("quote@1")!.Status);
        Laws.Check(harness);
    }

    /// <summary>One of everything: checkpoints, a message, a process that is lost within a transaction, a rollback that undoes another.</summary>
    internal static KernelHarness Told()
    {
        var harness = Started(Operation(TraceWords.Begin, "quote") with { Input = KernelHarness.Json("""{"sku": 7}"""), InputDigest = "d7" });
        Finish(harness, "quote@1~1~1~1", """{"usd": 12}""");
        Send(harness, "1", """{"records": 100}""", claims: """{"records": 100}""");
        Receive(harness, """{"records": 100}""");
        Tell(harness, "a", Undoable("book"));
        Tell(harness, "a", new TraceOperation(TraceWords.Renew));
        harness.Wake(LeaseMs);
        Tell(harness, "b", Undoable("book"));
        Finish(harness, "book@1~1~1~2", """{"booking": 1}""", owner: "b");
        Begin(harness, "letter", owner: "b");
        harness.Wake(LeaseMs);
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "req_1", "quote", "all"));
        Tell(harness, "b", Undo(TraceWords.Undo, "book@1~1~1~c1"));
        Tell(harness, "b", Undo(TraceWords.Undone, "book@1~1~1~c1", 1));
        harness.Send(new ResumeExecution(harness.NowMs, "ada", "req_2"));
        Tell(harness, "b", Operation(TraceWords.Begin, "letter"));
        Tell(harness, "b", new TraceOperation(TraceWords.Fail) { Lease = "letter@1~2~1~1", Failure = new EffectFailure("tool_error", "os_error", "no paper", Permanent: true) });
        Tell(harness, "b", new TraceOperation(TraceWords.Complete) { Failure = new EffectFailure("tool_error", "os_error", "no paper", Permanent: true) });
        Tell(harness, "c", new TraceOperation(TraceWords.Attach), Operation(TraceWords.Begin, "letter"));
        Tell(harness, "c", Told("letter@1~2~2~2", "{}"), new TraceOperation(TraceWords.Complete) { Output = KernelHarness.Json("""{"sent": true}""") });
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        return harness;
    }

    [Theory]
    [InlineData(TraceWords.Begin)]
    [InlineData(TraceWords.Record)]
    [InlineData(TraceWords.Complete)]
    public void Program_ThatWasTakenBackBetweenTwoRequests_BeginsAnew(string word)
    {
        var harness = Started();
        Tell(harness, "a", Operation(TraceWords.Record, "quote"), Operation(TraceWords.Record, "price"));
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "req_1", "quote", "all"));
        harness.Send(new ResumeExecution(harness.NowMs, "ada", "req_2"));
        Assert.Equal((ExecutionStatus.Running, 1), (harness.State.Status, harness.State.Epoch));

        var next = Operation(word, "book");
        var records = harness.Log.Count;
        Assert.Equal("task_fenced", harness.Send(new TraceExecution(harness.NowMs, "a", LeaseMs, [next], Epoch: 0)).Rejection?.Code);
        Assert.Equal(records, harness.Log.Count);
        Assert.Null(harness.Send(new TraceExecution(harness.NowMs, "a", LeaseMs, [next], Epoch: 1)).Rejection);
        Assert.Equal(records + 1, harness.Log.Count);
    }

    [Fact]
    public void Transaction_OfAProgramThatWasTakenBack_IsHeardAllTheSame()
    {
        var harness = Started();
        Tell(harness, "a", Operation(TraceWords.Record, "quote"), Undoable("pay"));
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "req_1", "quote", "all"));
        var told = harness.Send(new TraceExecution(harness.NowMs, "a", LeaseMs, [Told("pay@1~1~1~1", "{}")], Epoch: 0));
        Assert.Contains(told.Events, happened => happened is IntentSettled);
        Assert.NotNull(TracedState.NextUndo(harness.State));
    }

    private static KernelHarness Started(params TraceOperation[] first)
    {
        var harness = Traced();
        harness.Send(new StartExecution(harness.NowMs, "exe_test", "ten_a", "checkout", 0, "digest", KernelHarness.Json("{}"), 7, "key_a", 10_000, First: first.Length == 0 ? null : new TraceExecution(harness.NowMs, "a", LeaseMs, first)));
        return harness;
    }

    private static KernelHarness Started(string recovery)
    {
        var harness = Traced(recovery);
        harness.Send(new StartExecution(harness.NowMs, "exe_test", "ten_a", "checkout", 0, "digest", KernelHarness.Json("{}"), 7, "key_a", 10_000));
        return harness;
    }

    private static DecisionOutcome Tell(KernelHarness harness, string owner, params TraceOperation[] operations) => harness.Send(new TraceExecution(harness.NowMs, owner, LeaseMs, operations));

    private static DecisionOutcome Begin(KernelHarness harness, string name, string owner = "a") => Tell(harness, owner, Operation(TraceWords.Begin, name));

    private static DecisionOutcome Finish(KernelHarness harness, string lease, string output, string owner = "a") => Tell(harness, owner, Told(lease, output));

    private static DecisionOutcome Complete(KernelHarness harness, string output, string owner = "a") => Tell(harness, owner, new TraceOperation(TraceWords.Complete) { Output = KernelHarness.Json(output) });

    private static TraceOperation Told(string lease, string output) => new(TraceWords.Finish) { Lease = lease, Output = KernelHarness.Json(output) };

    private static TraceOperation Operation(string word, string name, string kind = TracedKinds.Checkpoint, EffectKind effect = EffectKind.None) =>
        new(word) { Name = name, Key = "1", InputDigest = "d", Declared = new TracedDeclaration(kind, effect) };

    private static TraceOperation Undoable(string name) =>
        Operation(TraceWords.Begin, name) with { Declared = new TracedDeclaration(TracedKinds.Transaction, EffectKind.Idempotent, Compensate: "refund") };

    private static TraceOperation Undo(string word, string effect, int attempt = 0) => new(word) { Effect = effect, Attempt = attempt };

    private static void Send(KernelHarness harness, string key, string message, string? claims = null) => Tell(harness, "a", new TraceOperation(TraceWords.Record)
    {
        Name = "handoff:kyc", Key = key, Output = KernelHarness.Json(message), InputDigest = "",
        Declared = new TracedDeclaration(TracedKinds.Handoff, Agent: "kyc", Claims: claims is null ? null : KernelHarness.Json(claims)),
    });

    private static DecisionOutcome Receive(KernelHarness harness, string? seen = null) => Tell(harness, "a", new TraceOperation(TraceWords.Receive)
    {
        Name = "receive:kyc", Key = "1", InputDigest = "", Output = seen is null ? null : KernelHarness.Json(seen), Declared = new TracedDeclaration(TracedKinds.Receive, Agent: "score"),
    });

    private static CallState TheCall(KernelHarness harness, string name) => harness.State.StandingVisit(name + "@1")!.Calls[^1];
}
