using Omium.Kernel.Executions;
using Xunit;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Versions read are compared before a call: a newer one fails the attempt, unless the reader had its turn.</summary>
public sealed class FreshnessTests
{
    private const string Key = "stock/s1#free";

    [Fact]
    public void BeginCall_OthersWroteAfterTheReadersOwnWrite_Begins()
    {
        var harness = Allocated();
        var outcome = harness.Send(Begin(harness, Change(2, "exe_test/allocate~1~1"), Change(3, "exe_other/allocate~1~1")));
        Assert.True(outcome.Accepted, outcome.Rejection?.Message);
        Assert.Single(outcome.Events.OfType<IntentRecorded>());
        Laws.Check(harness);
    }

    [Fact]
    public void BeginCall_AnotherWroteBetween_IsStale()
    {
        var harness = Allocated();
        var outcome = harness.Send(Begin(harness, Change(2, "exe_other/allocate~1~1"), Change(3, "exe_test/allocate~1~1"), Change(4, "exe_third/allocate~1~1")));
        Assert.Equal("effect_not_due", outcome.Rejection?.Code);
        Assert.Equal("stale_read", Assert.Single(outcome.Events.OfType<StepFailed>()).Code);
        Laws.Check(harness);
    }

    [Fact]
    public void BeginCall_HistoryForgotTheReadersOwnWrite_IsStale()
    {
        var harness = Allocated();
        var outcome = harness.Send(Begin(harness, Change(3, "exe_other/allocate~1~1")));
        Assert.Equal("effect_not_due", outcome.Rejection?.Code);
        Laws.Check(harness);
    }

    private static ValueChange Change(long version, string writer) => new(version, KernelHarness.Json("1"), writer, 0);

    private static BeginCall Begin(KernelHarness harness, params ValueChange[] changes) =>
        new(harness.NowMs, "ship~1~1~c1", "owner", 5_000, [new CurrentValue(Key, changes[^1].Version, changes)]);

    /// <summary>A step has read version 1 and written version 2; a call that depends on it is due.</summary>
    private static KernelHarness Allocated()
    {
        var harness = new KernelHarness("""
            {"omium": "v0", "name": "order", "tools": {"ship": {"type": "function", "function": "noop", "effect": {"kind": "idempotent"}}},
             "steps": [
              {"id": "allocate", "type": "decision", "reads": ["stock/s1#free"], "input": {"unit": "${{ state.free }}", "free": "${{ state.free - 1 }}"}, "writes": ["stock/s1#free"]},
              {"id": "ship", "type": "tool_call", "tool": "ship", "needs": ["allocate"], "input": {"unit": "${{ steps.allocate.output.unit }}"}}]}
            """);
        harness.Start();
        harness.Send(new SettleGather(harness.NowMs, "allocate~1~1~g1", null, [new ReadValue("free", Key, 1, KernelHarness.Json("40"), "exe_put/put~1~1")], null));
        harness.Send(new SettleWrites(harness.NowMs, "allocate~1~1~p1", [Key], null, null, null));
        Assert.Equal(VisitStatus.Committed, harness.State.LatestVisit("allocate")!.Status);
        Assert.Contains("ship~1~1~c1", harness.Due());
        return harness;
    }
}
