using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Guards that judge how an answer came about, bounds, and repetition: each with what it catches and what it lets pass.</summary>
public sealed class ConductTests
{
    private static string Post(string guard) => $$""", "guards": {"post": [{{guard}}]}""";

    private static string Calls(string guard) => $$""", "guards": {"calls": [{{guard}}]}""";

    [Theory]
    [InlineData("""{"uses": ["input.amount", "input.customer"]}""", "1,250 for Ada", null)]
    [InlineData("""{"uses": ["input.amount", "input.customer"]}""", "done for Ada", "ignored_input")]
    [InlineData("""{"uses": ["input.amount"], "code": "information_withholding"}""", "done", "information_withholding")]
    [InlineData("""{"grounded": ["output"]}""", "Ada pays 1250", null)]
    [InlineData("""{"grounded": ["output"], "code": "hallucination"}""", "Ada pays 1300", "hallucination")]
    [InlineData("""{"grounded": {"values": ["output"], "allow": [30]}}""", "Ada pays 1250 in 30 days", null)]
    [InlineData("""{"grounded": {"values": ["output"], "from": ["input.customer"]}}""", "Ada pays 1250", "ignored_input")]
    [InlineData("""{"asks": "output.question", "when_missing": ["input.customer", "input.account"]}""", """{"pay": 5}""", "fail_to_ask")]
    [InlineData("""{"asks": "output.question", "when_missing": ["input.customer", "input.account"]}""", """{"question": "Which account?"}""", null)]
    [InlineData("""{"asks": "output.question", "when_missing": ["input.customer"]}""", """{"pay": 5}""", null)]
    [InlineData("""{"called": ["plain"]}""", "done", "premature_termination")]
    public void Guard_OnTheAnswer_HoldsOrGivesItsClass(string guard, string answer, string? expected)
    {
        var harness = Of(Agent("a", "", Post(guard)));
        harness.Start("""{"amount": 1250, "customer": "Ada"}""");
        harness.Answer("a~1~1~m1", answer);
        Assert.Equal(expected, harness.Events.OfType<StepFailed>().FirstOrDefault()?.Class);
        Assert.Equal(expected is null, harness.Status("a") == VisitStatus.Committed);
    }

    [Fact]
    public void Guard_ThatDoesNotHold_SaysWhichNumbersAndNames()
    {
        var harness = Of(Agent("a", "", Post("""{"grounded": ["output"]}""")));
        harness.Start("""{"amount": 1250, "customer": "Ada"}""");
        harness.Answer("a~1~1~m1", "We owe Bob 1300");
        Assert.EndsWith(" (Bob; 1300)", harness.Events.OfType<GuardFailed>().Single().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Called_WithSuccess_LetsTheAgentAnswer_AFailedCallDoesNot()
    {
        foreach (var works in new[] { true, false })
        {
            var harness = Of(Agent("a", "", Post("""{"called": ["plain"]}""")));
            harness.Start();
            harness.Settle("a~1~1~m1", Asks(("plain", "{}")));
            harness.Settle("a~1~1~c1", works ? Ok("{}") : Fails("tool_error", "http_404"));
            harness.Answer("a~1~1~m2", "done");
            Assert.Equal(works ? null : "premature_termination", harness.Events.OfType<StepFailed>().FirstOrDefault()?.Class);
        }
    }

    [Fact]
    public void Grounded_OnACall_StopsItBeforeItsIntent_ResultsOfCallsAreSources()
    {
        var guard = Calls("""{"grounded": ["call.arguments.amount"], "tools": ["pay"]}""");
        foreach (var (amount, held) in new[] { (250, false), (99, true) })
        {
            var harness = Of(Agent("a", "", guard));
            harness.Start("""{"order": 7}""");
            harness.Settle("a~1~1~m1", Asks(("plain", """{"order": 7}""")));
            harness.Result("a~1~1~c1", """{"price": 250}""");
            harness.Settle("a~1~1~m2", Asks(("pay", $$"""{"amount": {{amount}}}""")));
            Assert.Equal(held ? [] : ["a~1~1~c2"], harness.Due());
            Assert.Equal(held ? "call" : null, harness.Events.OfType<GuardFailed>().FirstOrDefault()?.Phase);
            Assert.Equal(held ? 1 : 2, harness.Events.OfType<CallRequested>().Count());
        }
    }

    [Fact]
    public void Call_GuardOnOtherTools_DoesNotConcernIt()
    {
        var harness = Of(Agent("a", "", Calls("""{"check": "call.arguments.n == 1", "tools": ["pay"], "code": "task_derailment"}""")));
        harness.Start();
        harness.Settle("a~1~1~m1", Asks(("plain", """{"q": 2}""")));
        Assert.Equal(["a~1~1~c1"], harness.Due());
        harness.Result("a~1~1~c1", "{}");
        harness.Settle("a~1~1~m2", Asks(("pay", """{"n": 2}""")));
        Assert.Equal("task_derailment", harness.Events.OfType<StepFailed>().Single().Class);
    }

    [Fact]
    public void Plan_OfTheTurn_AllowsItsCallsAndNoOther_AndMustBeDone()
    {
        const string Says = """I will pay. {"plan": [{"tool": "pay", "arguments": {"amount": 20}}]}""";
        (string Asked, bool Answers, string? Class)[] cases =
            [("""{"amount": 20}""", true, null), ("""{"amount": 200}""", false, "reasoning_action_mismatch")];
        foreach (var (asked, answers, expected) in cases)
        {
            var harness = Of(Agent("a", "", ", \"plan\": \"turn\""));
            harness.Start();
            var turn = Asks(("pay", asked));
            harness.Settle("a~1~1~m1", turn with { Answer = turn.Answer! with { Content = Says } });
            if (answers)
            {
                harness.Begin("a~1~1~c1");
                harness.Result("a~1~1~c1", "{}");
                harness.Answer("a~1~1~m2", "paid 20");
            }

            Assert.Equal(expected, harness.Events.OfType<StepFailed>().FirstOrDefault()?.Class);
            Assert.Equal(expected is null ? 1 : 0, harness.Events.OfType<CallRequested>().Count());
        }
    }

    [Fact]
    public void Plan_DeclaredAndNotDone_IsAMismatch_NoPlanAtAllAllowsNoCall()
    {
        var silent = Of(Agent("a", "", ", \"plan\": \"turn\""));
        silent.Start();
        silent.Settle("a~1~1~m1", Asks(("plain", "{}")));
        Assert.Equal("reasoning_action_mismatch", silent.Events.OfType<StepFailed>().Single().Class);

        var before = Of(Call("p") + "," + Agent("a", "p", ", \"plan\": \"steps.p.output.tools\""));
        before.Start();
        before.Result("p~1~1~c1", """{"tools": ["plain", "pay"]}""");
        before.Settle("a~1~1~m1", Asks(("plain", "{}")));
        before.Result("a~1~1~c1", "{}");
        before.Answer("a~1~1~m2", "done");
        Assert.Equal(("reasoning_action_mismatch", "the plan was declared and not carried out (pay)"), (before.Events.OfType<StepFailed>().Single().Class, before.Events.OfType<StepFailed>().Single().Message));
    }

    [Fact]
    public void Override_ByAPerson_IsNotJudgedByHowItCameAbout()
    {
        var harness = Of(Agent("a", "", Post("""{"called": ["plain"]}, {"grounded": ["output"]}""")), recovery: """{"rules": [{"on": [], "do": ["pause", "await_review"]}]}""");
        harness.Start("""{"n": 5}""");
        harness.Answer("a~1~1~m1", "5");
        harness.Decide("override", output: "\"it is 5\"");
        Assert.Equal(VisitStatus.Committed, harness.Status("a"));
    }

    [Fact]
    public void ForeignTool_AskedForAgainAndAgain_IsOutOfRole_OnceIsToldAndForgiven()
    {
        var harness = Of(Agent("a"));
        harness.Start();
        for (var turn = 1; turn <= 4; turn++)
        {
            harness.Settle($"a~1~1~m{turn}", Asks(("book", $$"""{"n": {{turn}}}""")));
        }

        Assert.Equal(("disobey_role_specification", "tool_of_another_role"), (harness.Events.OfType<StepFailed>().Single().Class, harness.Events.OfType<StepFailed>().Single().Code));

        var mended = Of(Agent("a"));
        mended.Start();
        mended.Settle("a~1~1~m1", Asks(("book", "{}")));
        mended.Answer("a~1~1~m2", "done");
        Assert.Equal(VisitStatus.Committed, mended.Status("a"));
    }

    [Fact]
    public void Effect_AskedForTwiceWithTheSameArguments_IsStepRepetition_NothingIsDoneTwice()
    {
        var harness = Of(Agent("a"));
        harness.Start();
        harness.Settle("a~1~1~m1", Asks(("pay", """{"amount": 5}""")));
        harness.Begin("a~1~1~c1");
        harness.Result("a~1~1~c1", "{}");
        harness.Settle("a~1~1~m2", Asks(("pay", """{"amount": 6}""")));
        harness.Begin("a~1~1~c2");
        harness.Result("a~1~1~c2", "{}");
        harness.Settle("a~1~1~m3", Asks(("pay", """{"amount": 5}""")));
        Assert.Equal(("step_repetition", "same_effect_again"), (harness.Events.OfType<StepFailed>().Single().Class, harness.Events.OfType<StepFailed>().Single().Code));
        Assert.Equal(2, harness.Events.OfType<IntentRecorded>().Count());
    }

    [Fact]
    public void Visit_SameInputAndOutputRoundALoop_FourthIsStepRepetition_ProgressIsNot()
    {
        foreach (var progresses in new[] { false, true })
        {
            var harness = LoopOf();
            harness.Start();
            for (var visit = 1; visit <= 6 && harness.State.Status == ExecutionStatus.Running; visit++)
            {
                harness.Answer($"a~{visit}~1~m1", progresses ? $"draft {visit}" : "the same draft");
            }

            Assert.Equal(progresses ? null : "same_visit_again", harness.Events.OfType<StepFailed>().FirstOrDefault(failed => failed.Class == "step_repetition")?.Code);
            Assert.Equal(progresses ? 6 : 4, harness.State.Latest["a"]);
        }
    }

    [Fact]
    public void Visits_BeyondTheBound_AreNoTermination()
    {
        var harness = new KernelHarness("""
            {"omium": "v0", "name": "bounded", "bounds": {"max_visits": 5}, "tools": {"plain": {"type": "function"}},
             "steps": [{"id": "a", "type": "tool_call", "tool": "plain"}, {"id": "b", "type": "decision", "needs": ["a"]}],
             "edges": [{"from": "b", "to": "a", "max_visits": 100}]}
            """) { Checks = true };
        harness.Start();
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(("no_termination", "visits_exhausted"), (harness.Events.OfType<StepFailed>().Single().Class, harness.Events.OfType<StepFailed>().Single().Code));
        Assert.Equal(6, harness.Events.OfType<StepScheduled>().Count());
    }

    [Fact]
    public void Visit_ThatFailsAsARepetition_WritesNothing()
    {
        var harness = new KernelHarness("""
            {"omium": "v0", "name": "loop", "agents": {"one": {"prompt": "p"}},
             "steps": [{"id": "a", "type": "agent_task", "agent": "one", "input": {"topic": "x"}, "writes": ["customer/1#n"], "output": {"schema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}}, {"id": "b", "type": "decision", "needs": ["a"]}],
             "edges": [{"from": "b", "to": "a", "max_visits": 5}]}
            """) { Checks = true };
        harness.Start();
        harness.Run((_, _) => new EffectOutcome { Answer = new ModelAnswer { Content = """{"n": 1}""" } });
        var failed = Assert.Single(harness.Events.OfType<StepFailed>());
        Assert.Equal("same_visit_again", failed.Code);
        var visit = harness.State.Visits[new VisitKey("a", failed.Visit)];
        Assert.Equal(TransactionOutcome.Aborted, harness.State.OutcomeOf(visit.Key, failed.Attempt));
        Assert.DoesNotContain(harness.Events.OfType<WritesSettled>(), settled => settled.Visit == failed.Visit && settled.Committed);
    }

    private static KernelHarness LoopOf() => new("""
        {"omium": "v0", "name": "loop", "agents": {"one": {"prompt": "p"}},
         "steps": [{"id": "a", "type": "agent_task", "agent": "one", "input": {"topic": "x"}}, {"id": "b", "type": "decision", "needs": ["a"]}],
         "edges": [{"from": "b", "to": "a", "max_visits": 5}]}
        """) { Checks = true };
}
