using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>A live fork repeats no effect of its source that nobody has seen on its list, whatever it is that would take it back.</summary>
public sealed class ForkLimitTests
{
    private const string Sized = """ "handoff": {"claims": {"records": {"said": "output.count", "seen": "size(output.items)"}}} """;

    [Theory]
    [InlineData("rollback")]
    [InlineData("edit")]
    public void HandoffReview_ThatWouldTakeBackTheSourcesEffect_IsRefused(string decision)
    {
        var fork = Forked(Flow.Of(
            string.Join(',', Call("p", more: ", \"checkpoint\": false", tool: "pay"), Agent("s", "p"), Call("b")), Edge("s", "b", Sized)));
        fork.Answer("s~1~1~m1", """{"count": 100, "items": [1, 2]}""");
        Assert.Equal("handoff", fork.State.Reviews[Assert.Single(fork.State.OpenReviews)].Request.Kind);
        var refused = fork.Decide(decision, decision == "edit" ? new AgentEdit("count them", null, null) : null);
        Assert.Equal("past_fork_point", refused.Rejection?.Code);
        Assert.Empty(fork.Due());
        Laws.Check(fork);
    }

    [Fact]
    public void WithheldRollback_ThatWouldTakeBackTheSourcesEffect_IsNotDoneByAcceptingWhatStays()
    {
        var fork = Forked(Flow.Of(string.Join(',', Call("p", more: ", \"checkpoint\": false", tool: "pay"), Agent("s", "p")), recovery: """{"rules": [{"do": [{"rollback_to": "last"}]}]}"""));
        fork.Failure("s~1~1~m1", new EffectFailure("model_error", "x", "m", Permanent: true));
        var refused = fork.Decide("accept_residue");
        Assert.Equal("past_fork_point", refused.Rejection?.Code);
        Assert.True(fork.Decide("approve").Accepted);
        Assert.Equal(["s~1~2~m1"], fork.Due());
        Laws.Check(fork);
    }

    [Fact]
    public void StaleRead_OfAStepOfTheSourceThatHadAnEffect_IsShownToAPersonAndNotRunAgain()
    {
        var fork = Forked(Flow.Of(string.Join(',', Call("p", more: ", \"reads\": [\"stock/s1#v\"]", tool: "pay"), Agent("s", "p"), Call("q", "s", ", \"input\": {\"x\": \"${{ steps.p.output }}\"}", "pay"))));
        fork.Answer("s~1~1~m1", "{}");
        var current = new CurrentValue("stock/s1#v", 1, [new ValueChange(1, KernelHarness.Json("2"), "exe_other/w~1~1", 0)]);
        fork.Send(new BeginCall(fork.NowMs, "q~1~1~c1", "runner-1", 5_000, [current]));
        Assert.Equal("stale_read", fork.Events.OfType<StepFailed>().Last().Code);
        Assert.Empty(fork.Events.OfType<RollbackPlanned>());
        Assert.Equal((ExecutionStatus.Paused, VisitStatus.Committed), (fork.State.Status, fork.Status("p")));
        Assert.Equal("failure", fork.State.Reviews[Assert.Single(fork.State.OpenReviews)].Request.Kind);
        Laws.Check(fork);
    }

    [Fact]
    public void Migration_ThatWouldRunAStepOfTheSourceAgain_IsRefused()
    {
        var fork = Forked(Flow.Of(string.Join(',', Call("p", tool: "pay"), Agent("s", "p"))));
        fork.Send(new PauseExecution(fork.NowMs, "ada", "r1", null));
        var next = Flow.Of(string.Join(',', Call("p", tool: "pay"), Agent("s", "p"), Call("t", "s"))).Plan;
        var difference = MigrationDifference.Between(fork.State, fork.Plan, next, 2, "next");
        var refused = fork.Migrate(new MigrateExecution(fork.NowMs, "ada", "r2", 2, "next", difference.Digest, ["p"]), next);
        Assert.Equal("past_fork_point", refused.Rejection?.Code);
        Assert.True(fork.Migrate(new MigrateExecution(fork.NowMs, "ada", "r3", 2, "next", difference.Digest, ["s"]), next).Accepted);
    }

    /// <summary>A live fork of a run whose step p has paid and whose agent s is between two turns.</summary>
    private static KernelHarness Forked(KernelHarness source)
    {
        source.Start();
        if (source.Pending[0].Kind == PendingKind.Gather)
        {
            source.CarryOut(source.Pending[0], (_, _) => Ok("{}"));
        }

        source.Send(new BeginCall(source.NowMs, "p~1~1~c1", "runner-1", 5_000, [new CurrentValue("stock/s1#v", 0, null)]));
        source.Settle("p~1~1~c1", Ok("{}"), 1);
        Assert.Equal(VisitStatus.Committed, source.Status("p"));

        var (fork, outcome) = source.Fork(source.Log.Count, mode: ForkModes.Live);
        Assert.True(outcome.Accepted, outcome.Rejection?.Message);
        Assert.Equal(["s~1~1~m1"], fork.Due());
        return fork;
    }
}
