using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>An agent's loop: what it asks for, what it is told, and when the attempt is over.</summary>
public sealed class AgentLoopTests
{
    private const string Schema = """, "output": {"schema": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}}""";

    [Fact]
    public void Calls_InParallelSettledOutOfOrder_FedBackInTheOrderAsked()
    {
        var harness = Begun();
        harness.Settle("a~1~1~m1", Asks(("plain", """{"q": 1}"""), ("plain", """{"q": 2}""")));
        Assert.Equal(["a~1~1~c1", "a~1~1~c2"], harness.Due());
        harness.Result("a~1~1~c2", """{"r": 2}""");
        Assert.Equal(["a~1~1~c1"], harness.Due());
        harness.Result("a~1~1~c1", """{"r": 1}""");
        Assert.Equal(["a~1~1~m2"], harness.Due());
        Assert.Equal([("call_1", """{"r":1}"""), ("call_2", """{"r":2}""")], Told(harness));
    }

    [Theory]
    [InlineData("missing", "{}", "there is no tool 'missing'")]
    [InlineData("plain", "{not json", "the arguments are not JSON")]
    [InlineData("plain", """{"omium_ref": "x", "size": 1}""", "a reserved name is used")]
    [InlineData("plain", """{"deep": [{"omium_ref": "x", "size": 1}]}""", "a reserved name is used")]
    [InlineData("shaped", """{"a": "text"}""", "do not meet the tool's schema")]
    public void Call_ThatCannotBeMade_RefusedAndTheAgentIsToldWhy(string tool, string arguments, string told)
    {
        var harness = Begun();
        harness.Settle("a~1~1~m1", Asks((tool, arguments)));
        Assert.Equal(["a~1~1~m2"], harness.Due());
        Assert.Contains(told, Told(harness).Single().Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Call_FailsForCertain_IsFedBack()
    {
        var harness = Begun();
        harness.Settle("a~1~1~m1", Asks(("plain", "{}")));
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "http_404", "not found"));
        Assert.Equal("""{"code":"http_404","error":"not found"}""", Told(harness).Single().Text);
        Assert.Equal(["a~1~1~m2"], harness.Due());
    }

    [Fact]
    public void Guard_OnArgumentsBroken_FailsWithPolicyViolationAndNothingRuns()
    {
        var harness = Begun();
        harness.Settle("a~1~1~m1", Asks(("plain", "{}"), ("guarded", """{"a": 99}""")));
        Assert.Equal(("policy_violation", "arguments"), (harness.Events.OfType<StepFailed>().Single().Class, harness.Events.OfType<GuardFailed>().Single().Phase));
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
        Assert.Empty(harness.Due());
    }

    [Fact]
    public void SameCall_FourthTime_IsStepRepetition()
    {
        var harness = Begun();
        for (var turn = 1; turn <= 4; turn++)
        {
            harness.Settle($"a~1~1~m{turn}", Asks(("plain", """{"q": 1}""")));
            harness.Result($"a~1~1~c{turn}", "{}");
        }

        Assert.Equal("step_repetition", harness.Events.OfType<StepFailed>().Single().Class);
    }

    [Fact]
    public void Turns_Exhausted_IsNoTermination()
    {
        var harness = new KernelHarness("""{"omium": "v0", "name": "turns", "agents": {"one": {"prompt": "p", "max_turns": 2, "tools": ["plain"]}}, "tools": {"plain": {"type": "function"}}, "steps": [{"id": "a", "type": "agent_task", "agent": "one"}]}""");
        harness.Start();
        harness.Settle("a~1~1~m1", Asks(("plain", """{"q": 1}""")));
        harness.Result("a~1~1~c1", "{}");
        harness.Settle("a~1~1~m2", Asks(("plain", """{"q": 2}""")));
        Assert.Equal(("no_termination", "turns_exhausted"), (harness.Events.OfType<StepFailed>().Single().Class, harness.Events.OfType<StepFailed>().Single().Code));
    }

    [Fact]
    public void IrreversibleCall_WaitsForApproval_ApprovedRuns_RejectedIsFedBack()
    {
        foreach (var decision in new[] { "approve", "reject" })
        {
            var harness = Begun();
            harness.Settle("a~1~1~m1", Asks(("wire", """{"to": "x"}""")));
            Assert.Empty(harness.Due());
            Assert.Equal("effect_not_due", harness.Begin("a~1~1~c1").Rejection!.Code);
            harness.Decide(decision);
            if (decision == "approve")
            {
                Assert.Equal(["a~1~1~c1"], harness.Due());
                Assert.True(harness.Begin("a~1~1~c1").Accepted);
                continue;
            }

            Assert.Equal(["a~1~1~m2"], harness.Due());
            Assert.Contains("ada rejected this call", Told(harness).Single().Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AttemptOver_WhileACallWaitsForApproval_TheReviewIsClosed()
    {
        var harness = Begun(recovery: """{"rules": [{"on": ["policy_violation"], "do": ["skip"]}]}""");
        harness.Settle("a~1~1~m1", Asks(("wire", "{}"), ("guarded", """{"a": 99}""")));
        Assert.Empty(harness.State.OpenReviews);
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
    }

    [Theory]
    [InlineData(null, "no", "stop", "model_refused")]
    [InlineData("{\"n\":", null, "length", "answer_truncated")]
    [InlineData(null, null, "content_filter", "content_filtered")]
    [InlineData("", null, "stop", "malformed_answer")]
    [InlineData("Sure! Here it is.", null, "stop", "malformed_answer")]
    [InlineData("""{"omium_ref": "x", "size": 1}""", null, "stop", "malformed_answer")]
    [InlineData("""{"n": 1, "deep": [{"omium_ref": "x", "size": 1}]}""", null, "stop", "malformed_answer")]
    [InlineData("""{"n": "text"}""", null, "stop", "schema_violation")]
    [InlineData("""{"n": 9007199254740993}""", null, "stop", "malformed_answer")]
    public void Answer_ThatIsNone_FailsWithItsCodeAndItsTokens(string? content, string? refusal, string finish, string code)
    {
        var harness = Begun(Schema);
        harness.Settle("a~1~1~m1", new EffectOutcome { Answer = new ModelAnswer { Content = content, Refusal = refusal, FinishReason = finish, InputTokens = 40, OutputTokens = 4 } });
        Assert.Equal(code, harness.Events.OfType<StepFailed>().Single().Code);
        Assert.Equal((40, 4), (harness.State.LatestVisit("a")!.InputTokens, harness.State.LatestVisit("a")!.OutputTokens));
    }

    [Theory]
    [InlineData("```json\n{\"n\": 1}\n```")]
    [InlineData("  {\"n\": 1}  ")]
    public void Answer_FencedOrPadded_IsRead(string content)
    {
        var harness = Begun(Schema);
        harness.Answer("a~1~1~m1", content);
        Assert.Equal("""{"n":1}""", harness.State.LatestVisit("a")!.Output!.Value.GetRawText());
    }

    [Theory]
    [InlineData("750", "\"750\"")]
    [InlineData("{\"a\": 1}", "\"{\\\"a\\\": 1}\"")]
    [InlineData("\"quoted\"", "\"quoted\"")]
    [InlineData("plain words", "\"plain words\"")]
    public void Answer_WithStringSchema_IsAText(string content, string output)
    {
        var harness = Begun(""", "output": {"schema": {"type": "string"}}""");
        harness.Answer("a~1~1~m1", content);
        Assert.Equal(output, harness.State.LatestVisit("a")!.Output!.Value.GetRawText());
    }

    [Fact]
    public void Tokens_OfEveryTurn_CountedOnceWhateverIsRepeated()
    {
        var harness = Begun();
        var asks = Asks(("plain", "{}"));
        harness.Settle("a~1~1~m1", asks);
        Assert.Empty(harness.Settle("a~1~1~m1", asks).Events);
        harness.Result("a~1~1~c1", "{}");
        harness.Answer("a~1~1~m2", "done");
        Assert.Empty(harness.Answer("a~1~1~m2", "done").Events);
        Assert.Equal((110, 15), (harness.State.LatestVisit("a")!.InputTokens, harness.State.LatestVisit("a")!.OutputTokens));
    }

    [Fact]
    public void Result_AgainstTheToolsSchema_FailsTheAttempt()
    {
        var harness = Begun();
        harness.Settle("a~1~1~m1", Asks(("shaped", """{"a": 1}""")));
        harness.Result("a~1~1~c1", """{"other": 1}""");
        Assert.Equal("result_schema", harness.Events.OfType<StepFailed>().Single().Code);
    }

    [Fact]
    public void Precondition_OfAnAgent_IsCheckedAgainBeforeARetriedAttempt()
    {
        var harness = Begun(""", "guards": {"pre": [{"check": "int(now) % 10 == 5", "code": "guard_failed"}]}, "retry": {"max_attempts": 3, "backoff": "constant", "initial": "1s", "max": "1s"}""");
        Assert.Equal(["retry~a~1~2"], harness.Due());
        Assert.Empty(harness.Answer("a~1~2~m1", "too early").Events);
        harness.Wake(1_000);
        Assert.Equal(2, harness.Events.OfType<GuardFailed>().Count());
        harness.NowMs = 1_700_000_005_000;
        harness.Wake();
        Assert.Equal(["a~1~3~m1"], harness.Due());
    }

    [Fact]
    public void LoneSurrogates_InAnAnswer_NeitherThrowNorDivergeFromTheLog()
    {
        var harness = Begun();
        harness.Settle("a~1~1~m1", Asks(("plain", "{\"q\": \"\ud800\"}")));
        Laws.Check(harness);
        var text = Begun();
        text.Answer("a~1~1~m1", "half \ud800 of a pair");
        Laws.Check(text);
    }

    private static KernelHarness Begun(string more = "", string recovery = "")
    {
        var harness = Flow.Of(Agent("a", more: more), recovery: recovery);
        harness.Start();
        return harness;
    }

    private static List<(string? Call, string Text)> Told(KernelHarness harness) =>
        [.. AgentConversation.Build(harness.State, harness.Plan, harness.State.LatestVisit("a")!, null, value => value).Messages
            .Where(message => message.Role == "tool").Select(message => (message.ToolCallId, message.Content!))];
}
