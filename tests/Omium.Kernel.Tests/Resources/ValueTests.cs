using Omium.Kernel.Resources;
using Xunit;

namespace Omium.Kernel.Tests.Resources;

public sealed class ValueTests
{
    private readonly RootHarness _root = new();

    [Fact]
    public void Commit_Prepared_IsTheNextVersion()
    {
        _root.Write("a/s~1", "count", "10");
        _root.Write("b/s~1", "count", "9");
        Assert.Equal((2, "9", "b/s~1~1"), (_root.Value("count").Version, _root.Value("count").Value!.Value.GetRawText(), _root.Value("count").Transaction));
        Assert.True(_root.State.Idle);
    }

    [Fact]
    public void Prepare_ReadVersionOvertaken_IsStale()
    {
        _root.Write("a/s~1", "count", "10");
        _root.Write("b/s~1", "count", "9");
        var refused = _root.Prepare("c/s~1", 1, "count", "9", readVersion: 1);
        Assert.Equal(("stale_read", "b/s~1~1"), (refused.Rejection!.Code, refused.BlockedBy));
        Assert.Null(_root.Prepare("c/s~1", 2, "count", "8", readVersion: 2).Rejection);
    }

    [Fact]
    public void Prepare_OpenWriteOfAnother_IsRefusedUntilItsOutcomeIsKnown()
    {
        _root.Prepare("a/s~1", 1, "count", "10");
        Assert.Equal(("write_prepared", "a/s~1~1"), (_root.Prepare("b/s~1", 1, "count", "9").Rejection!.Code, _root.Prepare("b/s~1", 1, "count", "9").BlockedBy));
        _root.Send(new SettleOwner(_root.NowMs, "stock/7", "a/s~1", null, Release: false));
        Assert.Null(_root.Prepare("b/s~1", 1, "count", "9").Rejection);
        _root.Commit("b/s~1", 1);
        Assert.Equal(1, _root.Value("count").Version);
    }

    [Fact]
    public void Prepare_ScopeHeldByAnother_IsRefused()
    {
        _root.Acquire("a/s~1", "stock/7");
        Assert.Equal("lock_conflict", _root.Prepare("b/s~1", 1, "count", "9").Rejection!.Code);
        Assert.Null(_root.Prepare("a/s~1", 1, "count", "9").Rejection);
    }

    [Fact]
    public void Prepare_ScopeBelowHeldByAnother_IsAccepted()
    {
        _root.Acquire("a/s~1", "stock/7/berlin");
        Assert.Null(_root.Prepare("b/s~1", 1, "count", "9").Rejection);
    }

    [Fact]
    public void PrepareAndCommit_Twice_CountOnce()
    {
        _root.Prepare("a/s~1", 1, "count", "10");
        Assert.Empty(_root.Prepare("a/s~1", 1, "count", "10").Events);
        _root.Commit("a/s~1", 1);
        Assert.Empty(_root.Commit("a/s~1", 1).Events);
        Assert.Empty(_root.Prepare("a/s~1", 1, "count", "10").Events);
        Assert.Equal(1, _root.Value("count").Version);
    }

    [Fact]
    public void Settle_OlderAttempt_IsDroppedWhenTheLaterOneCommits()
    {
        _root.Prepare("a/s~1", 1, "count", "10");
        _root.Prepare("a/s~1", 2, "name", "\"x\"");
        _root.Commit("a/s~1", 2);
        Assert.False(_root.State.Values.ContainsKey("stock/7#count"));
        Assert.True(_root.State.Idle);
    }

    [Fact]
    public void Settle_ByWhoKnowsOnlyOfAnEarlierAttempt_LeavesWhatALaterOnePrepared()
    {
        _root.Prepare("a/s~1", 2, "count", "5");
        Assert.Empty(_root.Send(new SettleOwner(_root.NowMs, "stock/7", "a/s~1", null, Release: true, AttemptMax: 1)).Events);
        Assert.IsType<StateAborted>(Assert.Single(_root.Send(new SettleOwner(_root.NowMs, "stock/7", "a/s~1", null, Release: true, AttemptMax: 2)).Events));
    }

    [Fact]
    public void Settle_ByWhoKnowsOnlyOfAnEarlierRound_LeavesWhatWasAskedForAgain()
    {
        _root.Acquire("a/s~1", "stock/7");
        _root.Acquire("b/s~1", "stock/7");
        AskAgain("a/s~1");
        AskAgain("b/s~1");
        Assert.Empty(_root.Send(new SettleOwner(_root.NowMs, "stock/7", "a/s~1", null, Release: true, RoundMax: 0)).Events);
        Assert.Empty(_root.Send(new SettleOwner(_root.NowMs, "stock/7", "b/s~1", null, Release: true, Withdraw: true, RoundMax: 0)).Events);
        Assert.Collection(
            _root.Send(new SettleOwner(_root.NowMs, "stock/7", "a/s~1", null, Release: true, RoundMax: 1)).Events,
            happened => Assert.IsType<LockReleased>(happened),
            happened => Assert.Equal(1, Assert.IsType<LockGranted>(happened).Round));

        void AskAgain(string owner) => Assert.Equal(
            new LockAskedAgain(owner, 1), Assert.Single(_root.Send(new AcquireLocks(_root.NowMs, "stock/7", owner, ["stock/7"], null, Wait: true, 600_000, Round: 1)).Events));
    }

    [Fact]
    public void Settle_OfOneWhoWaitsAndIsOver_WithdrawsIt()
    {
        _root.Acquire("a/s~1", "stock/7");
        _root.Acquire("b/s~1", "stock/7");
        Assert.Empty(_root.Send(new SettleOwner(_root.NowMs, "stock/7", "b/s~1", null, Release: true, TokenMax: 1)).Events);
        Assert.IsType<LockWithdrawn>(Assert.Single(_root.Send(new SettleOwner(_root.NowMs, "stock/7", "b/s~1", null, Release: true, TokenMax: 1, Withdraw: true)).Events));
    }

    [Fact]
    public void Restore_UnderALockOfAnotherExecution_WaitsForIt_OfItsOwnFamilyNot()
    {
        _root.Write("a/s~1", "count", "1");
        _root.Acquire("b/s~1", "stock/7");
        Assert.Equal("lock_conflict", _root.Restore("a/s~1", 1, "count").Rejection!.Code);
        Assert.Null(_root.Send(new RestoreValues(_root.NowMs, "stock/7", "a/s~1~1", ["stock/7#count"], ["b/parent~1"])).Rejection);
        Assert.Equal(2, _root.Value("count").Version);
    }

    [Fact]
    public void Restore_Newest_PutsTheOldValueBackAsANewVersion()
    {
        _root.Write("a/s~1", "name", "\"Ann\"");
        _root.Write("b/s~1", "name", "\"Bea\"");
        _root.Restore("b/s~1", 1, "name");
        Assert.Equal((3, "\"Ann\"", "a/s~1~1", 1), (_root.Value("name").Version, _root.Value("name").Value!.Value.GetRawText(), _root.Value("name").Transaction, _root.Value("name").RestoredFrom));
        Assert.Empty(_root.Restore("b/s~1", 1, "name").Events);
    }

    [Fact]
    public void Restore_OneAfterTheOther_GoesBackStepByStep()
    {
        _root.Write("a/s~1", "name", "\"Ann\"");
        _root.Write("b/s~1", "name", "\"Bea\"");
        _root.Write("c/s~1", "name", "\"Cleo\"");
        _root.Restore("c/s~1", 1, "name");
        _root.Restore("b/s~1", 1, "name");
        Assert.Equal((5, "\"Ann\""), (_root.Value("name").Version, _root.Value("name").Value!.Value.GetRawText()));
        _root.Restore("a/s~1", 1, "name");
        Assert.Equal((6, (System.Text.Json.JsonElement?)null), (_root.Value("name").Version, _root.Value("name").Value));
    }

    [Fact]
    public void Restore_WrittenAgainSince_IsAConflictAndChangesNothing()
    {
        _root.Write("a/s~1", "name", "\"Ann\"");
        _root.Write("b/s~1", "name", "\"Bea\"");
        var outcome = _root.Restore("a/s~1", 1, "name");
        Assert.Equal(new StateConflicted("a/s~1~1", "stock/7#name", 2, "b/s~1~1"), Assert.Single(outcome.Events));
        Assert.Equal("\"Bea\"", _root.Value("name").Value!.Value.GetRawText());
    }
}
