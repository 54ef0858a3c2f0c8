using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Verifier quorum: enough approve, too many reject, or nobody knows.</summary>
public sealed class VerifierTests
{
    private const string Approve = """{"verdict": "approve", "reason": "fine"}""", Reject = """{"verdict": "reject", "reason": "too low"}""", Abstain = """{"verdict": "abstain", "reason": "cannot say"}""";

    [Fact]
    public void Quorum_TwoOfThreeApprove_CommitsAtOnceAndRecordsTheDissent()
    {
        var harness = Three();
        harness.Start();
        harness.Answer("a~1~1~m1", """{"n": 1}""");
        Assert.Equal(["a~1~1~j1~t1", "a~1~1~j2~t1", "a~1~1~j3~t1"], harness.Due());
        harness.Answer("a~1~1~j1~t1", Approve);
        harness.Answer("a~1~1~j2~t1", Reject);
        Assert.Equal(VisitStatus.Open, harness.Status("a"));
        var outcome = harness.Answer("a~1~1~j3~t1", Approve);

        var agreed = Assert.Single(outcome.Events.OfType<VerificationAgreed>());
        Assert.Equal((2, 1, 0), (agreed.For, agreed.Against, agreed.Abstained));
        Assert.Equal(new Verdict("two", "reject", "too low"), Assert.Single(agreed.Dissent));
        Assert.Equal(VisitStatus.Committed, harness.Status("a"));
        Assert.Equal((40, 20), (harness.State.LatestVisit("a")!.InputTokens, harness.State.LatestVisit("a")!.OutputTokens));
        Laws.Check(harness);
    }

    [Fact]
    public void Quorum_ReachedBeforeTheLastAnswer_LateAnswerIsRecordedOnceWithoutConsequence()
    {
        var harness = Three(Call("b", "a"));
        harness.Start();
        harness.Answer("a~1~1~m1", """{"n": 1}""");
        harness.Answer("a~1~1~j1~t1", Approve);
        harness.Answer("a~1~1~j3~t1", Approve);
        Assert.Equal(VisitStatus.Committed, harness.Status("a"));
        Assert.Equal(["b~1~1~c1"], harness.Due());
        Assert.True(Assert.IsType<VerifierAnswered>(Assert.Single(harness.Answer("a~1~1~j2~t1", Reject).Events)).Late);
        Assert.Empty(harness.Answer("a~1~1~j2~t1", Reject).Events);
        Laws.Check(harness);
    }

    [Fact]
    public void Quorum_MajorityRejects_FailsTheAttemptAndThePolicyRetries()
    {
        var harness = Three();
        harness.Start();
        harness.Answer("a~1~1~m1", """{"n": 1}""");
        harness.Answer("a~1~1~j1~t1", Reject);
        var outcome = harness.Answer("a~1~1~j2~t1", Reject);
        var failed = Assert.Single(outcome.Events.OfType<StepFailed>());
        Assert.Equal(("missing_verification", "quorum_refused"), (failed.Class, failed.Code));
        Assert.Equal("2 of 3 verifiers approve", failed.Expected);

        harness.NowMs += 2_000;
        harness.Answer("a~1~2~m1", """{"n": 2}""");
        harness.Answer("a~1~2~j1~t1", Approve);
        harness.Answer("a~1~2~j2~t1", Approve);
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Quorum_OneOneOne_PausesWithEveryVerdictAndNobodyIsAskedAgain()
    {
        var harness = Split();
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        var request = harness.State.Reviews[harness.State.OpenReviews[0]].Request;
        Assert.Equal("verification", request.Kind);
        var shown = request.Shown.GetRawText();
        Assert.Contains("cannot say", shown);
        Assert.Contains("too low", shown);
        Assert.Empty(harness.Due());
        harness.Decide("approve");
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Split_Repeated_AsksEverybodyANewQuestion()
    {
        var harness = Split();
        harness.Decide("repeat");
        Assert.Equal(["a~1~1~j1~t2", "a~1~1~j2~t2", "a~1~1~j3~t2"], harness.Due());
        harness.Answer("a~1~1~j1~t2", Approve);
        harness.Answer("a~1~1~j3~t2", Approve);
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Split_Rejected_FailsTheAttempt()
    {
        var harness = Split();
        var outcome = harness.Decide("reject");
        Assert.Equal("missing_verification", Assert.Single(outcome.Events.OfType<StepFailed>()).Class);
        Laws.Check(harness);
    }

    [Fact]
    public void Answer_Malformed_IsAskedAgainAndInTheEndAbstains()
    {
        var harness = Three();
        harness.Start();
        harness.Answer("a~1~1~m1", """{"n": 1}""");
        harness.Answer("a~1~1~j1~t1", Approve);
        harness.Answer("a~1~1~j2~t1", Reject);
        for (var tries = 1; tries <= 3; tries++)
        {
            Assert.Equal([$"a~1~1~j3~t{tries}"], harness.Due());
            harness.Answer($"a~1~1~j3~t{tries}", "looks fine to me");
        }

        Assert.Equal(1, harness.State.LatestVisit("a")!.Verification!.Count("abstain"));
        Assert.Equal(ExecutionStatus.Paused, harness.State.Status);
        Laws.Check(harness);
    }

    [Fact]
    public void Call_WithAnEffect_IsVerifiedBeforeItsIntentAndNotAgainOnARetry()
    {
        var harness = Of(Call("a", more: """, "input": {"x": 1}, "verifiers": {"quorum": 1, "of": ["two"]}, "retry": {"max_attempts": 2, "backoff": "constant", "initial": "1s", "max": "1s"}""", tool: "pay"));
        harness.Start();
        Assert.Equal(["a~1~1~j1~t1"], harness.Due());
        Assert.Empty(harness.State.LatestVisit("a")!.Calls);
        harness.Answer("a~1~1~j1~t1", Approve);
        Assert.Equal(["a~1~1~c1"], harness.Due());
        harness.Begin("a~1~1~c1");
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "refused", "refused"));
        harness.Wake(2_000);
        Assert.Equal(["a~1~2~c1"], harness.Due());
        harness.Begin("a~1~2~c1");
        harness.Result("a~1~2~c1", "{}");
        Assert.Equal(ExecutionStatus.Succeeded, harness.State.Status);
        Laws.Check(harness);
    }

    private static KernelHarness Split()
    {
        var harness = Three();
        harness.Start();
        harness.Answer("a~1~1~m1", """{"n": 1}""");
        harness.Answer("a~1~1~j1~t1", Approve);
        harness.Answer("a~1~1~j2~t1", Reject);
        harness.Answer("a~1~1~j3~t1", Abstain);
        return harness;
    }

    private static KernelHarness Three(string more = "") => Of(
        Agent("a", more: """, "verifiers": {"quorum": 2, "of": ["spare", "two", "three"]}, "retry": {"max_attempts": 2, "backoff": "constant", "initial": "1s", "max": "1s"}""")
        + (more.Length == 0 ? "" : ", " + more));
}
