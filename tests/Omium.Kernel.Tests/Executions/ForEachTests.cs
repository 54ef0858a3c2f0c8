using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>for_each: every item is an atomic action of its own.</summary>
public sealed class ForEachTests
{
    private const string Bounced = """, "guards": {"post": [{"check": "!output.bounced", "code": "bounced"}]}""";

    [Fact]
    public void Items_MoreThanMayRunAtOnce_TheNextBeginsWhenOneSettles()
    {
        var harness = Mail("plain", """{"items": "input.mails", "max_parallel": 2}""");
        harness.Start("""{"mails": ["a", "b", "c"]}""");
        Assert.Equal(["send-0~1~1~c1", "send-1~1~1~c1"], harness.Due());

        harness.Result("send-1~1~1~c1", """{"bounced": false}""");
        Assert.Equal(["send-0~1~1~c1", "send-2~1~1~c1"], harness.Due());

        harness.Run((_, _) => Ok("""{"bounced": false}"""));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Assert.Equal(
            """{"failed":0,"items":[{"index":0,"output":{"bounced":false},"status":"succeeded"},{"index":1,"output":{"bounced":false},"status":"succeeded"},{"index":2,"output":{"bounced":false},"status":"succeeded"}],"skipped":0,"succeeded":3,"total":3}""",
            harness.State.LatestVisit("send")!.Output!.Value.GetRawText());
        Laws.Check(harness);
    }

    [Fact]
    public void ItemRoots_InputGuardsKeyAndAmount_SeeTheItem()
    {
        var harness = new KernelHarness("""
            {"omium": "v0", "name": "flow",
             "input": {"schema": {"type": "object", "properties": {"orders": {"type": "array", "items": {"type": "object", "properties": {"usd": {"type": "number"}}}}}}},
             "tools": {"undo": {"type": "function", "effect": {"kind": "idempotent", "compensate": "undo"}}, "pay": {"type": "function"}},
             "steps": [{"id": "pay", "type": "tool_call", "tool": "pay", "for_each": {"items": "input.orders", "max_failed_ratio": 0.5},
               "input": {"n": "${{ item_index + 1 }}", "usd": "${{ item.usd * 2.0 }}"}, "guards": {"pre": [{"check": "item.usd * 1.5 < 100.0", "code": "policy_violation"}]},
               "effect": {"kind": "idempotent", "compensate": "undo", "key": "'order-' + item.id", "amount": "item.usd"}}]}
            """) { Checks = true };
        harness.Start("""{"orders": [{"id": "a", "usd": 3}, {"id": "b", "usd": 70}]}""");

        var call = Assert.Single(harness.State.Visits[new VisitKey("pay-0", 1)].Calls);
        Assert.Equal(("order-a", """{"n":1,"usd":6}"""), (call.Key, call.Arguments.GetRawText()));
        Assert.Empty(harness.State.Visits[new VisitKey("pay-1", 1)].Calls);
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(VisitStatus.Failed, harness.Status("pay-1"));
        Assert.Equal("policy_violation", Items(harness, "pay")[1].GetProperty("failure").GetProperty("class").GetString());
        Laws.Check(harness);
    }

    [Fact]
    public void RollbackItem_SomeFailAfterTheirEffect_OnlyTheirsIsUndone()
    {
        var harness = Mail("pay", """{"items": "input.mails", "max_failed_ratio": 0.6}""", Bounced);
        harness.Start("""{"mails": ["a", "b", "c", "d", "e"]}""");
        harness.Run((name, effect) => Ok($$"""{"bounced": {{(effect.StartsWith("send-1", StringComparison.Ordinal) || effect.StartsWith("send-3", StringComparison.Ordinal) ? "true" : "false")}}}"""));

        Assert.Equal(2, harness.Carried.Count(name => name == "undo pay"));
        Assert.Equal(5, harness.Carried.Count(name => name == "pay"));
        Assert.Equal([CallStatus.Settled, CallStatus.Compensated, CallStatus.Settled, CallStatus.Compensated, CallStatus.Settled],
            Enumerable.Range(0, 5).Select(index => harness.TheCall($"send-{index}").Status));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Assert.Null(harness.State.FailedVisit);
        Assert.Equal("""{"after":"a","failed":2}""", harness.State.LatestVisit("after")!.Input.GetRawText());
        Laws.Check(harness);
    }

    [Fact]
    public void RollbackItem_WhileOneIsUndone_TheOthersGoOn()
    {
        var harness = Mail("pay", """{"items": "input.mails", "max_parallel": 2, "max_failed_ratio": 0.6}""", Bounced);
        harness.Start("""{"mails": ["a", "b", "c", "d"]}""");
        harness.Begin("send-0~1~1~c1");
        harness.Settle("send-0~1~1~c1", Ok("""{"bounced": true}"""));

        Assert.Equal(ExecutionStatus.Running, harness.State.Status);
        Assert.Equal(["send-0~1~1~c1~u1", "send-1~1~1~c1"], harness.Due());
        harness.Begin("send-1~1~1~c1");
        harness.Settle("send-1~1~1~c1", Ok("""{"bounced": false}"""));
        Assert.Equal(["send-0~1~1~c1~u1", "send-2~1~1~c1"], harness.Due());

        harness.Settle("send-0~1~1~c1~u1", Ok("{}"));
        Assert.Equal(["send-2~1~1~c1", "send-3~1~1~c1"], harness.Due());
        Laws.Check(harness);
    }

    [Fact]
    public void MaxFailedRatio_Exceeded_TheStepFailsNamingCountsAndTheFirst()
    {
        var harness = Mail("pay", """{"items": "input.mails", "max_failed_ratio": 0.5}""", Bounced);
        harness.Start("""{"mails": ["a", "b", "c"]}""");
        harness.Run((_, effect) => Ok(effect.StartsWith("send-0", StringComparison.Ordinal) ? """{"bounced": false}""" : """{"bounced": true}"""));

        var failure = harness.State.LatestVisit("send")!.Failures[^1].Failure;
        Assert.Equal(("items_failed", "too_many_items_failed"), (failure.Class, failure.Code));
        Assert.Contains("2 of 3 items failed", failure.Message, StringComparison.Ordinal);
        Assert.Contains("item 1: bounced", failure.Message, StringComparison.Ordinal);
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
        Assert.Equal(CallStatus.Settled, harness.TheCall("send-0").Status);
        Laws.Check(harness);
    }

    [Theory]
    [InlineData(0.6, ExecutionStatus.Succeeded)]
    [InlineData(0.59, ExecutionStatus.Failed)]
    public void MaxFailedRatio_ThirtyOfFifty_IsExactlySixtyPerCent(double ratio, ExecutionStatus expected)
    {
        var harness = Mail("plain", $$"""{"items": "input.mails", "max_failed_ratio": {{ratio.ToString(System.Globalization.CultureInfo.InvariantCulture)}}}""", Bounced);
        harness.Start($$"""{"mails": [{{string.Join(", ", Enumerable.Range(0, 50).Select(number => $"\"{number}\""))}}]}""");
        var sent = 0;
        harness.Run((name, _) => Ok(name == "plain" && sent++ < 30 ? """{"bounced": true}""" : """{"bounced": false}"""));

        Assert.Equal(expected, harness.State.Status);
        Assert.Equal(30, harness.State.LatestVisit("send")!.Items!.Failed.Count);
        Laws.Check(harness);
    }

    [Fact]
    public void Retry_OfTheStep_RepeatsTheItemAlone()
    {
        var harness = Mail("pay", """{"items": "input.mails"}""", """, "retry": {"max_attempts": 3, "backoff": "constant", "initial": "2s", "max": "2s"}""");
        harness.Start("""{"mails": ["a", "b"]}""");
        harness.Run((_, effect) => effect is "send-1~1~1~c1" ? Fails("tool_error", "http_503") : Ok("""{"bounced": false}"""));

        Assert.Equal((1, 2), (harness.State.LatestVisit("send-0")!.Attempt, harness.State.LatestVisit("send-1")!.Attempt));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void FailStep_OneFails_NothingFurtherBeginsAndTheStepFailsAsTheItem()
    {
        var harness = Mail("pay", """{"items": "input.mails", "max_parallel": 2, "on_item_failure": "fail_step"}""");
        harness.Start("""{"mails": ["a", "b", "c", "d"]}""");
        harness.Begin("send-0~1~1~c1");
        harness.Begin("send-1~1~1~c1");
        harness.Settle("send-0~1~1~c1", Fails("tool_error", "http_400", permanent: true));
        Assert.DoesNotContain(harness.Due(), effect => effect.StartsWith("send-2", StringComparison.Ordinal));
        Assert.Equal(VisitStatus.Open, harness.Status("send"));

        harness.Settle("send-1~1~1~c1", Ok("{}"));
        var failure = harness.State.LatestVisit("send")!.Failures[^1].Failure;
        Assert.Equal(("tool_error", "http_400"), (failure.Class, failure.Code));
        Assert.Equal(CallStatus.Settled, harness.TheCall("send-1").Status);
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void FailStep_ThePolicyRollsBack_EveryItemIsUndone()
    {
        var harness = Mail("pay", """{"items": "input.mails", "on_item_failure": "fail_step"}""", Bounced, recovery: """{"rules": [{"on": ["bounced"], "do": [{"rollback_to": "start"}, "pause"]}]}""");
        harness.Start("""{"mails": ["a", "b", "c"]}""");
        harness.Run((name, effect) => Ok(effect.StartsWith("send-2", StringComparison.Ordinal) ? """{"bounced": true}""" : """{"bounced": false}"""));

        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        Assert.Equal(3, harness.Carried.Count(name => name == "undo pay"));
        Assert.All(new[] { "send", "send-0", "send-1", "send-2" }, name => Assert.Equal(VisitStatus.RolledBack, harness.Status(name)));

        harness.Send(new ResumeExecution(harness.NowMs, "ada", "req_1"));
        harness.Run((_, _) => Ok("""{"bounced": false}"""));
        Assert.Equal((ExecutionStatus.Succeeded, 2), (harness.State.Status, harness.State.Latest["send-0"]));
        Laws.Check(harness);
    }

    [Theory]
    [InlineData("approve", 3, 0, 0)]
    [InlineData("skip", 2, 0, 1)]
    [InlineData("override", 3, 0, 0)]
    [InlineData("reject", 2, 1, 0)]
    public void Pause_OneFails_APersonDecidesAboutThatItem(string decision, int succeeded, int failed, int skipped)
    {
        var harness = Mail("pay", """{"items": "input.mails", "on_item_failure": "pause", "max_failed_ratio": 1}""", Bounced);
        harness.Start("""{"mails": ["a", "b", "c"]}""");
        var bounces = true;
        EffectOutcome Answer(string name, string effect) => Ok(effect.StartsWith("send-1", StringComparison.Ordinal) && bounces ? """{"bounced": true}""" : """{"bounced": false}""");
        harness.Run(Answer);
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        var request = harness.State.Reviews[Assert.Single(harness.State.OpenReviews)].Request;
        Assert.Equal(("failure", "send-1"), (request.Kind, request.Step));

        bounces = false;
        Assert.True(harness.Decide(decision, output: decision == "override" ? """{"bounced": false}""" : null).Accepted);
        harness.Run(Answer);
        var output = harness.State.LatestVisit("send")!.Output!.Value;
        Assert.Equal((succeeded, failed, skipped), (output.GetProperty("succeeded").GetInt32(), output.GetProperty("failed").GetInt32(), output.GetProperty("skipped").GetInt32()));
        Assert.Equal(decision is "approve" or "reject" ? 1 : 0, harness.Carried.Count(name => name == "undo pay"));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Approve_ThatTooManyFailed_OnlyTheFailedOnesRunAgain()
    {
        var harness = Mail("pay", """{"items": "input.mails"}""", Bounced, recovery: """{"rules": [{"on": ["too_many_items_failed"], "do": ["pause", {"escalate_to": "ops"}]}]}""");
        harness.Start("""{"mails": ["a", "b", "c"]}""");
        var bounces = true;
        EffectOutcome Answer(string name, string effect) => Ok(effect.StartsWith("send-1", StringComparison.Ordinal) && bounces ? """{"bounced": true}""" : """{"bounced": false}""");
        harness.Run(Answer);
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);

        bounces = false;
        harness.Decide("approve");
        harness.Run(Answer);
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Assert.Equal(4, harness.Carried.Count(name => name == "pay"));
        Assert.Equal((2, 1, 2), (harness.State.Latest["send-1"], harness.State.Latest["send-0"], harness.State.LatestVisit("send")!.Attempt));
        Laws.Check(harness);
    }

    [Theory]
    [InlineData("input.mails", """{"mails": []}""", null, null)]
    [InlineData("input.mails", """{"mails": "a"}""", "items_expression", "is not a list")]
    [InlineData("input.gone", "{}", "items_expression", "gone")]
    [InlineData("input.mails", null, "too_many_items", "10001 items")]
    public void Items_NoneOrNoList_CommitsAtOnceOrFails(string items, string? input, string? code, string? message)
    {
        var harness = Mail("plain", $$"""{"items": "{{items}}"}""", after: false);
        harness.Start(input ?? $$"""{"mails": [{{string.Join(',', Enumerable.Repeat("1", SpecLimits.ItemsMax + 1))}}]}""");

        var visit = harness.State.LatestVisit("send")!;
        if (code is null)
        {
            Assert.Equal((ExecutionStatus.Succeeded, """{"failed":0,"items":[],"skipped":0,"succeeded":0,"total":0}"""), (harness.State.Status, visit.Output!.Value.GetRawText()));
        }
        else
        {
            Assert.Equal(code, visit.Failures[^1].Failure.Code);
            Assert.Contains(message!, visit.Failures[^1].Failure.Message, StringComparison.Ordinal);
        }

        Laws.Check(harness);
    }

    [Fact]
    public void Intent_RunnerLostInTheMiddle_FinishedItemsAreNotRunAgain()
    {
        var harness = Mail("pay", """{"items": "input.mails", "max_parallel": 3}""");
        harness.Start("""{"mails": ["a", "b", "c", "d"]}""");
        harness.Begin("send-0~1~1~c1");
        harness.Settle("send-0~1~1~c1", Ok("""{"bounced": false}"""));
        harness.Begin("send-1~1~1~c1");
        harness.Send(new LoseRunner(harness.NowMs, "runner-2"));

        Assert.Equal(["send-1~1~1~c1", "send-2~1~1~c1", "send-3~1~1~c1"], harness.Due());
        harness.Run((_, _) => Ok("""{"bounced": false}"""));
        Assert.Equal(2, harness.TheCall("send-1").Runs);
        Assert.Equal(1, harness.TheCall("send-0").Runs);
        Laws.Check(harness);
    }

    [Fact]
    public void LongList_AllFailInTheirPreconditions_EveryRecordStaysSmall()
    {
        var harness = Mail("plain", """{"items": "input.mails", "max_failed_ratio": 1}""", """, "guards": {"pre": [{"check": "item > 100000", "code": "too_small"}]}""");
        harness.Start($$"""{"mails": [{{string.Join(',', Enumerable.Range(0, 1_000))}}]}""");
        harness.Run((_, _) => Ok("{}"));

        Assert.Equal(1_000, harness.State.LatestVisit("send")!.Items!.Failed.Count);
        Assert.All(harness.Log.Take(harness.Log.Count - 1), record => Assert.InRange(record.Length, 1, 150_000));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
    }

    [Fact]
    public void Agents_EachItemIsAskedForItself_AndReviewsWork()
    {
        var harness = Flow.Of(Agent("write", more: """, "for_each": {"items": "input.names", "max_failed_ratio": 0.5}, "input": {"name": "${{ item }}"}, "guards": {"post": [{"check": "output.contains(item)", "code": "hallucination"}]}"""));
        harness.Start("""{"names": ["ada", "bob"]}""");
        Assert.Equal(["write-0~1~1~m1", "write-1~1~1~m1"], harness.Due());
        var request = AgentConversation.Build(harness.State, harness.Plan, harness.State.LatestVisit("write-1")!, null, value => value);
        Assert.Contains("bob", request.Messages[1].Content, StringComparison.Ordinal);

        harness.Answer("write-0~1~1~m1", "dear ada");
        harness.Answer("write-1~1~1~m1", "dear eve");
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Assert.Equal("hallucination", Items(harness, "write")[1].GetProperty("failure").GetProperty("code").GetString());
        Laws.Check(harness);
    }

    [Fact]
    public void List_InALargeOutputOfAnEarlierStep_IsReadWhenItsTurnComes()
    {
        var harness = Flow.Of(string.Join(',', Call("find"), Approval("ask", "find"),
            Call("send", "ask", """, "for_each": {"items": "steps.find.output.rows", "max_parallel": 1}, "input": {"to": "${{ item.to }}", "n": "${{ steps.find.output.small }}"}"""),
            Call("after", "send", """, "input": {"last": "${{ steps.find.output.small }}"}""")), checks: false);
        harness.Start();
        var rows = Enumerable.Range(0, 1_000).Select(number => $$"""{"to": "person-{{number}}@example.org", "name": "a name that makes the list larger than a piece of it"}""");
        harness.Result("find~1~1~c1", $$"""{"small": 7, "rows": [{{string.Join(',', rows)}}]}""");
        Assert.True(harness.State.LatestVisit("find")!.Output!.Value.TryGetProperty("omium_ref", out _));

        harness.Decide("approve");
        harness.Run((_, _) => Ok("{}"), 20_000);
        Assert.Equal((ExecutionStatus.Succeeded, 1_000), (harness.State.Status, harness.State.LatestVisit("send")!.Items!.Succeeded));
        Assert.InRange(harness.State.LatestVisit("send")!.Items!.Chunks.Count, 4, 12);
        Assert.All(Enumerable.Range(0, 1_000).Where(number => number % 111 == 0), number =>
            Assert.Equal($$"""{"n":7,"to":"person-{{number}}@example.org"}""", harness.TheCall($"send-{number}").Arguments.GetRawText()));
        Assert.True(harness.State.LatestVisit("send")!.Output!.Value.TryGetProperty("omium_ref", out _));
        Laws.Check(harness.Log.Take(40).ToList(), harness.Plan, harness.Payloads);
    }

    [Fact]
    public void List_InALargeOutput_WithoutApprovalBetween_IsReadAtOnce()
    {
        var harness = Flow.Of(string.Join(',', Call("find"), Call("other"),
            Call("send", "find other", """, "for_each": {"items": "steps.find.output.rows", "max_parallel": 2}, "input": {"to": "${{ item }}"}""")));
        harness.Start();
        harness.Result("find~1~1~c1", $$"""{"rows": [{{string.Join(',', Enumerable.Range(100_000, 5_000))}}]}""");
        harness.Result("other~1~1~c1", "{}");
        Assert.Equal(["send-0~1~1~c1", "send-1~1~1~c1"], harness.Due());
        Laws.Check(harness);
    }

    [Fact]
    public void RetryAndReview_OfAnItemFarDownTheList_SeeItsItem()
    {
        var harness = Flow.Of(Call("send", tool: "wire", more: """, "for_each": {"items": "input.mails", "max_parallel": 3}, "input": {"to": "${{ item.to }}"}, "guards": {"pre": [{"check": "item.to.startsWith('p')", "code": "no_person"}], "post": [{"check": "item_index < 2000 || item.to == output.to", "code": "other"}]}, "retry": {"max_attempts": 2, "backoff": "constant", "initial": "5s", "max": "5s"}"""), checks: false);
        harness.Start($$"""{"mails": [{{string.Join(',', Enumerable.Range(0, 600).Select(number => $$"""{"to": "person-{{number}}", "name": "a name that makes the list larger than a piece of it"}"""))}}]}""");
        for (var index = 0; index < 600; index++)
        {
            var request = harness.State.Reviews[harness.State.OpenReviews[0]].Request;
            Assert.Equal("call_approval", request.Kind);
            harness.Decide("approve");
            var effect = request.Effect!;
            harness.Begin(effect);
            harness.Settle(effect, index == 500 ? Fails("rate_limited", "http_429") : Ok("{}"));
        }

        Assert.Equal(["retry~send-500~1~2"], harness.Due());
        harness.Wake(5_000);
        Assert.Equal("""{"to":"person-500"}""", harness.TheCall("send-500", 2).Arguments.GetRawText());
        harness.Decide("approve");
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
    }

    [Fact]
    public void ItemTooLarge_FailsNamingIt()
    {
        var harness = Mail("plain", """{"items": "input.mails"}""", after: false);
        harness.Start($$"""{"mails": ["a", "{{new string('x', SpecLimits.ItemBytesMax)}}"]}""");
        Assert.Equal("item_too_large", harness.State.LatestVisit("send")!.Failures[^1].Failure.Code);
        Assert.Contains("item 1 has", harness.State.LatestVisit("send")!.Failures[^1].Failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RollbackItem_WhatCannotBeUndone_APersonIsAsked()
    {
        var harness = Mail("wire", """{"items": "input.mails", "max_failed_ratio": 1}""", Bounced, after: false);
        harness.Start("""{"mails": ["a"]}""");
        harness.Decide("approve");
        harness.Run((_, _) => Ok("""{"bounced": true}"""));
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        harness.Decide("reject");
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(("send-0~1~1~c1", "irreversible"), (Assert.Single(harness.State.Residue).Left.Effect, harness.State.Residue[0].Left.Reason));
        Assert.Equal((ExecutionStatus.Succeeded, 1), (harness.State.Status, harness.State.LatestVisit("send")!.Items!.Failed.Count));
        Laws.Check(harness);
    }

    [Fact]
    public void RollbackItem_TheUndoFailsForGood_IsResidueAndCountsAsFailed()
    {
        var harness = Mail("pay", """{"items": "input.mails", "max_failed_ratio": 1}""", Bounced, after: false);
        harness.Start("""{"mails": ["a", "b"]}""");
        harness.Run((name, effect) => name == "undo pay" ? Fails("tool_error", "http_422", permanent: true) : Ok(effect.StartsWith("send-0", StringComparison.Ordinal) ? """{"bounced": true}""" : """{"bounced": false}"""));
        Assert.Equal("compensation_failed", Assert.Single(harness.State.Residue).Left.Reason);
        Assert.Equal((ExecutionStatus.Succeeded, 1, 1), (harness.State.Status, harness.State.LatestVisit("send")!.Items!.Failed.Count, harness.State.LatestVisit("send")!.Items!.Succeeded));
        Laws.Check(harness);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhileAnItemIsUndone_CancelOrRollback_ItIsUndoneOnce(bool cancel)
    {
        var harness = Mail("pay", """{"items": "input.mails", "max_parallel": 2, "max_failed_ratio": 1}""", Bounced, after: false);
        harness.Start("""{"mails": ["a", "b", "c"]}""");
        harness.Begin("send-1~1~1~c1");
        harness.Settle("send-1~1~1~c1", Ok("""{"bounced": false}"""));
        harness.Begin("send-0~1~1~c1");
        harness.Settle("send-0~1~1~c1", Ok("""{"bounced": true}"""));
        Assert.Contains("send-0~1~1~c1~u1", harness.Due());

        harness.Send(cancel ? new CancelExecution(harness.NowMs, "ada", "req_1") : new RollBackExecution(harness.NowMs, "ada", "req_1", "start", "all"));
        harness.Run((_, _) => Ok("{}"));
        Assert.Equal(cancel ? ExecutionStatus.Cancelled : ExecutionStatus.Paused, harness.State.Status);
        Assert.Equal(cancel ? 1 : 2, harness.Carried.Count(name => name == "undo pay"));
        Assert.Equal(CallStatus.Compensated, harness.TheCall("send-0").Status);
        Assert.Equal(cancel ? CallStatus.Settled : CallStatus.Compensated, harness.TheCall("send-1").Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Pause_InTheMiddle_BeginsNoItemAndResumeGoesOn()
    {
        var harness = Mail("pay", """{"items": "input.mails", "max_parallel": 1}""", after: false);
        harness.Start("""{"mails": ["a", "b"]}""");
        harness.Begin("send-0~1~1~c1");
        harness.Send(new PauseExecution(harness.NowMs, "ada", "req_1", null));
        harness.Settle("send-0~1~1~c1", Ok("{}"));
        Assert.Empty(harness.Due());
        harness.Send(new ResumeExecution(harness.NowMs, "ada", "req_2"));
        Assert.Equal(["send-1~1~1~c1"], harness.Due());
        Laws.Check(harness);
    }

    [Fact]
    public void RetryCommand_WhileAPersonIsAskedAboutAnItem_RunsThatItemAgainAlone()
    {
        var harness = Mail("pay", """{"items": "input.mails", "on_item_failure": "pause"}""", Bounced, after: false);
        harness.Start("""{"mails": ["a", "b"]}""");
        harness.Run((_, effect) => Ok(effect.StartsWith("send-0", StringComparison.Ordinal) ? """{"bounced": true}""" : """{"bounced": false}"""));
        Assert.True(harness.Send(new RetryExecution(harness.NowMs, "ada", "req_1", null, null)).Accepted);
        harness.Run((_, _) => Ok("""{"bounced": false}"""));
        Assert.Equal((ExecutionStatus.Succeeded, 2, 1, 1), (harness.State.Status, harness.State.Latest["send-0"], harness.State.Latest["send-1"], harness.State.Latest["send"]));
        Assert.Equal(1, harness.Carried.Count(name => name == "undo pay"));
        Laws.Check(harness);
    }

    [Fact]
    public void GuardsOfTheWhole_AndEdges_ReadWhatBecameOfTheItems()
    {
        var harness = Flow.Of(
            string.Join(',', Call("send", more: """, "for_each": {"items": "input.mails", "max_failed_ratio": 1, "guards": {"pre": [{"check": "size(input.mails) < 5", "code": "too_long"}], "post": [{"check": "output.succeeded > 0", "code": "none_sent"}]}}""" + Bounced), Call("mend"), Call("done")),
            string.Join(',', Edge("send", "mend", "\"when\": \"output.failed > 0\""), Edge("send", "done", "\"when\": \"output.failed == 0\"")));
        harness.Start("""{"mails": ["a", "b"]}""");
        harness.Result("send-0~1~1~c1", """{"bounced": true}""");
        harness.Result("send-1~1~1~c1", """{"bounced": false}""");
        Assert.Equal(["mend~1~1~c1"], harness.Due());
        Assert.Equal("\"a\"", harness.TheCall("send-0").Arguments.GetRawText()); // Without an input of its own an item is its own input.

        var none = Flow.Of(Call("send", more: """, "for_each": {"items": "input.mails", "max_failed_ratio": 1, "guards": {"post": [{"check": "output.succeeded > 0", "code": "none_sent"}]}}""" + Bounced));
        none.Start("""{"mails": ["a"]}""");
        none.Run((_, _) => Ok("""{"bounced": true}"""));
        Assert.Equal((ExecutionStatus.Failed, "none_sent"), (none.State.Status, none.State.LatestVisit("send")!.Failures[^1].Failure.Code));
        Laws.Check(harness);
        Laws.Check(none);
    }

    private static JsonElement[] Items(KernelHarness harness, string step) => [.. harness.State.LatestVisit(step)!.Output!.Value.GetProperty("items").EnumerateArray()];

    private static KernelHarness Mail(string tool, string forEach, string more = "", string recovery = "", bool after = true)
    {
        var steps = Call("send", more: $", \"for_each\": {forEach}, \"input\": {{\"to\": \"${{{{ item }}}}\"}}{more}", tool: tool);
        return Flow.Of(after ? string.Join(',', steps, Call("after", "send", """, "input": {"after": "a", "failed": "${{ steps.send.output.failed }}"}""")) : steps, recovery: recovery);
    }
}
