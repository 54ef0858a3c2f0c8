using Omium.Kernel.Resources;
using Xunit;

namespace Omium.Kernel.Tests.Resources;

public sealed class LockTests
{
    private readonly RootHarness _root = new();

    [Fact]
    public void Acquire_Conflicting_QueuesInOrderAndReleaseGrantsTheFirst()
    {
        _root.Acquire("a/s~1", "stock/7");
        _root.Acquire("b/s~1", "stock/7/berlin");
        _root.Acquire("c/s~1", "stock/7");
        Assert.Equal(["a/s~1"], _root.Holding);
        Assert.Equal(["b/s~1", "c/s~1"], _root.Waiting);

        _root.Release("a/s~1");
        Assert.Equal(["b/s~1"], _root.Holding);
        Assert.Equal(["c/s~1"], _root.Waiting);
    }

    [Fact]
    public void Acquire_Siblings_HoldSideBySide()
    {
        _root.Acquire("a/s~1", "stock/7/berlin");
        _root.Acquire("b/s~1", "stock/7/bonn");
        Assert.Equal(["a/s~1", "b/s~1"], _root.Holding);
    }

    [Fact]
    public void Acquire_BehindAWaiterForTheWhole_DoesNotOvertake()
    {
        _root.Acquire("a/s~1", "stock/7/berlin");
        _root.Acquire("b/s~1", "stock/7");
        _root.Acquire("c/s~1", "stock/7/bonn"); // Free, but b has waited longer for everything.
        _root.Acquire("d/s~1", "stock/7/berlin");
        Assert.Equal(["b/s~1", "c/s~1", "d/s~1"], _root.Waiting);

        _root.Release("a/s~1");
        Assert.Equal(["b/s~1"], _root.Holding);
        _root.Release("b/s~1");
        Assert.Equal(["c/s~1", "d/s~1"], _root.Holding);
    }

    [Fact]
    public void Acquire_Again_ChangesNothing()
    {
        _root.Acquire("a/s~1", "stock/7");
        _root.Acquire("b/s~1", "stock/7");
        Assert.Empty(_root.Acquire("a/s~1", "stock/7").Events);
        Assert.Empty(_root.Acquire("b/s~1", "stock/7").Events);
        Assert.Equal(1, _root.State.HolderOf("a/s~1")!.Token);
    }

    [Fact]
    public void Withdraw_FromTheQueue_LetsThoseBehindPass()
    {
        _root.Acquire("a/s~1", "stock/7/berlin");
        _root.Acquire("b/s~1", "stock/7");
        _root.Acquire("c/s~1", "stock/7/bonn");
        _root.Release("b/s~1");
        Assert.Equal(["a/s~1", "c/s~1"], _root.Holding);
    }

    [Fact]
    public void Release_OfAnOlderGrant_LeavesTheLaterOne()
    {
        _root.Acquire("a/s~1", "stock/7");
        _root.Release("a/s~1");
        _root.Acquire("a/s~1", "stock/7");
        Assert.Empty(_root.Release("a/s~1", tokenMax: 1).Events);
        Assert.Equal(["a/s~1"], _root.Holding);
    }

    [Fact]
    public void Acquire_UnderAnAncestor_PassesItAndItsQueue()
    {
        _root.Acquire("parent/s~1", "stock/7");
        _root.Acquire("other/s~1", "stock/7/berlin");
        Assert.Null(_root.Try("child/s~1", ["parent/s~1"], "stock/7/berlin").Rejection);
        Assert.Equal(["parent/s~1", "child/s~1"], _root.Holding);
        _root.Release("parent/s~1");
        Assert.Equal(["child/s~1"], _root.Holding); // The child still holds it.
        _root.Release("child/s~1");
        Assert.Equal(["other/s~1"], _root.Holding);
    }

    [Fact]
    public void Try_WhatOthersHold_IsRefusedAndLeavesNothing()
    {
        _root.Acquire("other/s~1", "stock/7/berlin");
        var refused = _root.Try("child/s~1", ["parent/s~1"], "stock/7/berlin");
        Assert.Equal(("lock_conflict", "other/s~1"), (refused.Rejection!.Code, refused.BlockedBy));
        Assert.Empty(_root.Waiting);
    }

    [Fact]
    public void Acquire_OutsideTheRoot_IsRefused() => Assert.Equal("wrong_root", _root.Acquire("a/s~1", "stock/8").Rejection!.Code);
}
