using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Company X in the kernel alone: the 0 % offer is caught, rolled back, fixed and finished.</summary>
public sealed class CompanyXTests
{
    internal const string Spec = """
        {
          "omium": "v0", "name": "customer-onboarding",
          "input": {"schema": {"type": "object", "required": ["customer_id"], "properties": {"customer_id": {"type": "string"}, "email": {"type": "string"}}}},
          "agents": {
            "kyc_agent": {"role": "KYC verification agent", "prompt": "Verify."},
            "score_agent": {"role": "Credit scoring agent", "prompt": "Score."},
            "terms_agent": {"role": "Terms generation agent", "prompt": "Generate customer terms."}
          },
          "tools": {
            "send_offer": {"type": "http", "method": "POST", "url": "http://127.0.0.1:1/send", "effect": {"kind": "idempotent", "compensate": "withdraw_offer"}},
            "withdraw_offer": {"type": "http", "method": "POST", "url": "http://127.0.0.1:1/withdraw", "effect": {"kind": "idempotent", "compensate": "withdraw_offer"}}
          },
          "steps": [
            {"id": "kyc", "type": "agent_task", "agent": "kyc_agent", "output": {"schema": {"type": "object", "required": ["verified"], "properties": {"verified": {"type": "boolean"}}}}},
            {"id": "score", "type": "agent_task", "agent": "score_agent", "needs": ["kyc"], "output": {"schema": {"type": "object", "properties": {"credit_score": {"type": "integer"}, "risk_level": {"type": "string"}}}}},
            {"id": "terms", "type": "agent_task", "agent": "terms_agent", "needs": ["score"],
             "input": {"score": "${{ steps.score.output.credit_score }}"},
             "output": {"schema": {"type": "object", "properties": {"apr": {"type": "number"}}}},
             "guards": {"post": [{"check": "output.apr >= 2.5 && output.apr <= 8.5", "code": "hallucination", "message": "APR must be between 2.5 % and 8.5 %"}]}},
            {"id": "offer", "type": "tool_call", "tool": "send_offer", "needs": ["terms"],
             "input": {"customer": "${{ input.customer_id }}", "apr": "${{ steps.terms.output.apr }}"}}
          ],
          "recovery": {
            "rollback_triggers": [{"hallucination_detected": true}, {"policy_violation": true}, {"high_value_operation": true}],
            "recovery_actions": [{"rollback_to_last_checkpoint": true}, {"pause_and_notify": true}, {"await_human_review": true},
              {"allowed_edits": ["prompt", "constraints", "tool_selection"]}, {"forbidden_edits": ["core_logic", "agent_count"]}],
            "retry_policy": {"max_retries": 3, "backoff": "exponential(1s, 10s)", "condition": "same_failure_not_detected_twice"}
          }
        }
        """;

    private double _apr;

    [Fact]
    public void Run_TermsAnswerZeroApr_RolledBackPausedEditedAndFinished()
    {
        var harness = new KernelHarness(Spec);
        harness.Start("""{"customer_id": "c-42"}""");
        harness.Run(Answer);

        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        Assert.Equal(VisitStatus.Committed, harness.State.LatestVisit("score")!.Status);
        Assert.Equal(VisitStatus.RolledBack, harness.State.LatestVisit("terms")!.Status);
        Assert.Null(harness.State.LatestVisit("offer"));
        var guard = Assert.Single(harness.Events.OfType<GuardFailed>());
        Assert.Equal("0", guard.Actual!.Value.GetProperty("output.apr").GetRawText());
        var rollback = Assert.Single(harness.Events.OfType<RollbackPlanned>());
        Assert.Equal(("score", "terms~1"), (rollback.To, string.Join(' ', rollback.Affected)));
        Assert.Equal("failure", harness.State.Reviews[Assert.Single(harness.State.OpenReviews)].Request.Kind);

        _apr = 5.2;
        Assert.True(harness.Decide("edit", new AgentEdit("APR must be between 2.5 % and 8.5 %, never 0 %", null, null)).Accepted);
        harness.Run(Answer);

        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Assert.Equal(["kyc", "score", "terms", "terms", "send_offer"], harness.Carried);
        Assert.Equal(2, harness.State.LatestVisit("terms")!.Key.Visit);
        Assert.Contains("never 0 %", AgentConversation.Build(harness.State, harness.Plan, harness.State.LatestVisit("terms")!, null, v => v).Messages[0].Content);
    }

    [Fact]
    public void Run_FivePlainSteps_SixRecords()
    {
        var steps = string.Join(',', Enumerable.Range(1, 5).Select(Step));
        var harness = new KernelHarness("""{"omium": "v0", "name": "five", "tools": {"noop": {"type": "function"} }, "steps": [STEPS]}""".Replace("STEPS", steps, StringComparison.Ordinal));
        harness.Start();
        harness.Run((_, _) => Ok("{}"));

        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Assert.Equal(6, harness.Log.Count);
    }

    [Fact]
    public void Decide_EditOfForbiddenKind_RefusedAndReviewStaysOpen()
    {
        var harness = new KernelHarness(Spec.Replace("[\"prompt\", \"constraints\"", "[\"constraints\"", StringComparison.Ordinal));
        harness.Start("""{"customer_id": "c-42"}""");
        harness.Run(Answer);
        var outcome = harness.Decide("edit", new AgentEdit("x", null, null));
        Assert.Equal("edit_forbidden", outcome.Rejection!.Code);
        Assert.Single(harness.State.OpenReviews);
    }

    [Fact]
    public void Decide_SecondContradictingDecision_RefusedAndOnRecord()
    {
        var harness = new KernelHarness(Spec);
        harness.Start("""{"customer_id": "c-42"}""");
        harness.Run(Answer);
        Assert.True(harness.Decide("reject", by: "ada").Accepted);
        Assert.Equal(ExecutionStatus.Failed, harness.State.Status);
        var second = harness.Decide("approve", by: "bob");
        Assert.Equal("review_closed", second.Rejection!.Code);
        Assert.Single(harness.Events.OfType<ReviewRefused>());
        Assert.Empty(harness.Decide("reject", by: "ada").Events);
    }

    [Fact]
    public void Decide_TheSameWordWithOtherContent_IsRefusedAndOnRecord_TheVerySameIsNothing()
    {
        var harness = new KernelHarness(Spec);
        harness.Start("""{"customer_id": "c-42"}""");
        harness.Run(Answer);
        var review = harness.State.Reviews[Assert.Single(harness.State.OpenReviews)].Request;
        var first = new DecideReview(harness.NowMs, review.Review, "edit", review.Digest, "ada", new AgentEdit("APR between 2.5 and 8.5", ["never 0"], null), null, null, "as agreed");
        Assert.True(harness.Send(first).Accepted);

        Assert.Empty(harness.Send(first with { Edits = new AgentEdit("APR between 2.5 and 8.5", ["never 0"], null) }).Events);
        foreach (var other in new[]
        {
            first with { Edits = first.Edits! with { Prompt = "APR of 5.2" } }, first with { Edits = first.Edits! with { Constraints = ["never 1"] } },
            first with { Edits = null }, first with { Note = null }, first with { To = "kyc" }, first with { Output = KernelHarness.Json("1") },
        })
        {
            var refused = harness.Send(other);
            Assert.Equal("review_closed", refused.Rejection!.Code);
            Assert.Contains("with other edits", refused.Rejection.Message, StringComparison.Ordinal);
            Assert.Equal(("edit", "review_closed"), (Assert.IsType<ReviewRefused>(Assert.Single(refused.Events)).Decision, refused.Rejection.Code));
        }
    }

    [Fact]
    public void Decide_OverrideThatBreaksTheGuard_Refused_ThatMeetsIt_Finishes()
    {
        var harness = new KernelHarness(Spec);
        harness.Start("""{"customer_id": "c-42"}""");
        harness.Run(Answer);
        Assert.Equal("override_refused", harness.Decide("override", output: """{"apr": 9.9}""").Rejection!.Code);
        Assert.True(harness.Decide("override", output: """{"apr": 4.4}""").Accepted);
        harness.Run(Answer);
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Assert.Equal("ada", harness.Events.OfType<StepCommitted>().Single(e => e.Step == "terms").By);
    }

    [Fact]
    public void Decide_Rollback_UndoesEverythingAndEndsCancelled()
    {
        var harness = new KernelHarness(Spec);
        harness.Start("""{"customer_id": "c-42"}""");
        harness.Run(Answer);
        Assert.True(harness.Decide("rollback").Accepted);
        harness.Run(Answer);
        Assert.Equal(ExecutionStatus.Cancelled, harness.State.Status);
        Assert.All(harness.State.Visits.Values, visit => Assert.Equal(VisitStatus.RolledBack, visit.Status));
    }

    private static string Step(int number) =>
        """{"id": "s#", "type": "tool_call", "tool": "noop", "needs": [BEFORE]}"""
            .Replace("#", $"{number}", StringComparison.Ordinal)
            .Replace("BEFORE", number == 1 ? "" : $"\"s{number - 1}\"", StringComparison.Ordinal);

    private EffectOutcome Answer(string what, string effect) => what switch
    {
        "kyc" => Says("""{"verified": true}"""),
        "score" => Says("""{"credit_score": 750, "risk_level": "low"}"""),
        "terms" => Says(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{{\"apr\": {_apr}}}")),
        _ => Ok("""{"ok": true}"""),
    };
}
