using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Values above 4 KiB: stored once, referenced, read through projections or not at all.</summary>
public sealed class LargeValueTests
{
    private static readonly string Big = new('x', 5_000);

    [Fact]
    public void Output_Large_IsReferencedOnceAndItsReadPartsAreProjected()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("slow"), Call("b", "a slow", """, "input": {"n": "${{ steps.a.output.n }}"}""")));
        harness.Start();
        harness.Result("a~1~1~c1", Whole(3));
        Assert.True(PayloadReference.TryRead(harness.State.LatestVisit("a")!.Output!.Value, out var digest, out _));
        Assert.Equal([digest], harness.Payloads.Keys);
        Assert.Equal("""{"n":3}""", harness.State.LatestVisit("a")!.Projection!.Value.GetRawText());
        harness.Result("slow~1~1~c1", "{}");
        Assert.Equal("""{"n":3}""", harness.State.LatestVisit("b")!.Input.GetRawText());
        Laws.Check(harness);
    }

    [Fact]
    public void Input_OfALargeOutputWhole_IsItsReference_NotTheProjection()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("slow"), Call("b", "a slow", """, "input": {"n": "${{ steps.a.output.n }}", "all": "${{ steps.a.output }}"}""")));
        harness.Start();
        harness.Result("a~1~1~c1", Whole(3));
        harness.Result("slow~1~1~c1", "{}");
        var input = harness.State.LatestVisit("b")!.Input;
        Assert.True(PayloadReference.TryRead(input.GetProperty("all"), out var digest, out _));
        Assert.Equal(CanonicalJson.Digest(KernelHarness.Json(Whole(3))), digest);
        Assert.Equal(3, input.GetProperty("n").GetInt32());
    }

    [Theory]
    [InlineData("${{ size(steps.a.output) }}", "2")]
    [InlineData("${{ steps.a.output[input.name] }}", "3")]
    [InlineData("${{ steps.a.output.filter(k, k == 'n') }}", "[\"n\"]")]
    [InlineData("${{ steps.a.output == {'n': 3} }}", "false")]
    [InlineData("${{ steps.a.output == null }}", "false")]
    [InlineData("${{ input.name in steps.a.output }}", "true")]
    [InlineData("${{ 'other' in steps.a.output }}", "false")]
    public void Read_OfALargeValueThatWasNotGiven_IsMadeWithIt(string template, string read)
    {
        var harness = ReadsLate(template, Whole(3));
        Assert.Equal(read, harness.State.LatestVisit("b")!.Input.GetProperty("x").GetRawText());
        Laws.Check(harness);
    }

    [Theory]
    [InlineData("${{ size(steps.a.output) }}")]
    [InlineData("${{ steps.a.output[input.name] }}")]
    [InlineData("${{ steps.a.output.all(k, k == 'n') }}")]
    [InlineData("${{ steps.a.output == {} }}")]
    [InlineData("${{ [steps.a.output] != [{}] }}")]
    [InlineData("${{ input.name in steps.a.output }}")]
    [InlineData("say ${{ steps.a.output }}")]
    public void Read_OfAValueAboveOneMebibyte_FailsAndSaysSo(string template)
    {
        var harness = ReadsLate(template, $$"""{"n": 3, "text": "{{new string('x', PayloadReference.DecisionBytesMax)}}"}""");
        Assert.Contains("too large to be read", harness.Events.OfType<StepFailed>().Single().Message, StringComparison.Ordinal);
        Laws.Check(harness);
    }

    [Theory]
    [InlineData("${{ size(steps.b.output) }}", "")]
    [InlineData("x", """, "guards": {"pre": [{"check": "size(steps.b.output) > 0", "code": "empty"}]}""")]
    public void Read_OfAValueThatAReferenceCallsSmall_CountsWhatItIs(string template, string guards)
    {
        var whole = $$"""{"n": 3, "text": "{{new string('x', PayloadReference.DecisionBytesMax)}}"}""";
        var harness = Flow.Of(string.Join(',',
            Call("a"), Call("slow"), """{"id": "b", "type": "decision", "needs": ["a"], "input": {"omium_ref": "${{ input.digest }}", "size": 1}}""", Call("c", "b slow", $$""", "input": {"x": "{{template}}"}{{guards}}""")));
        harness.Start($$"""{"digest": "{{CanonicalJson.Digest(KernelHarness.Json(whole))}}"}""");
        harness.Result("a~1~1~c1", whole);
        harness.Result("slow~1~1~c1", "{}");
        Assert.Contains("too large to be read", harness.Events.OfType<StepFailed>().Single().Message, StringComparison.Ordinal);
        Laws.Check(harness);
    }

    [Fact]
    public void Values_AreCountedAsTheyAre_NotAsTheirReferencesSay()
    {
        var half = KernelHarness.Json($"\"{new string('x', PayloadReference.DecisionBytesMax / 2)}\"");
        var values = new DecisionValues(Flow.Of(Call("a")).Plan);
        Assert.True(values.TryGive("one", half));
        Assert.False(values.TryGive("two", half));
        Assert.True(values.TryGive(new PayloadWish("two", 1), half));
        Assert.False(values.TryGive(new PayloadWish("three", 1), half));
        Assert.Equal(["one", "two"], values.Payloads.Keys.Order());
    }

    [Fact]
    public void Text_WithALargeValueInIt_HoldsTheValueNotItsReference()
    {
        var input = ReadsLate("say ${{ steps.a.output }}", Whole(3)).State.LatestVisit("b")!.Input;
        Assert.True(PayloadReference.TryRead(input, out _, out _));
    }

    [Fact]
    public void Member_OfALargeOutput_IsReadAfterAWaitForCredits()
    {
        const long price = 1_000_000;
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b", "a", """, "input": {"text": "${{ has(steps.a) ? steps.a.output.text : '' }}"}""")));
        harness.Send(new StartExecution(
            harness.NowMs, "exe_test", "ten_a", harness.Plan.Spec.Name, 1, "digest", KernelHarness.Json("{}"), 7, "key_a", 10_000, Lease: new CreditLease(1, price, price, price)));
        harness.Result("a~1~1~c1", Whole(3));
        Assert.Null(harness.State.LatestVisit("b"));
        harness.Send(new GrantCredits(harness.NowMs, harness.State.Credits!.Requested!.Round, 2, 5 * price));
        Assert.True(PayloadReference.TryRead(harness.State.LatestVisit("b")!.Input, out _, out _));
        Laws.Check(harness);
    }

    /// <summary>A step reads the output of one that was committed in a record before the last.</summary>
    private static KernelHarness ReadsLate(string template, string output)
    {
        var harness = Flow.Of(string.Join(',', Call("a"), Call("slow"), Call("b", "a slow", $$""", "input": {"x": "{{template}}"}""")));
        harness.Start("""{"name": "n"}""");
        harness.Result("a~1~1~c1", output);
        harness.Result("slow~1~1~c1", "{}");
        return harness;
    }

    [Fact]
    public void Retry_OfAStepWithALargeInput_ChecksTheValueNotItsReference()
    {
        var harness = Flow.Of(Call("a", tool: "shaped"));
        harness.Start(JsonSerializer.Serialize(new { a = 1, text = Big }));
        Assert.True(PayloadReference.TryRead(harness.State.LatestVisit("a")!.Input, out _, out _));
        harness.Failure("a~1~1~c1", new EffectFailure("tool_error", "x", "m"));
        harness.Wake(1_000);
        Assert.Equal(["a~1~2~c1"], harness.Due());
        Laws.Check(harness);
    }

    [Fact]
    public void Decide_LeavesItsCallersValuesAsTheyWere()
    {
        var harness = Flow.Of(Call("a"));
        harness.Start();
        var values = new DecisionValues(harness.Plan);
        var settle = new SettleEffect(harness.NowMs, "a~1~1~c1", new EffectOutcome { Result = KernelHarness.Json(Whole(1)) });
        Assert.Single(ExecutionKernel.Decide(harness.State, settle, values).Payloads);
        Assert.Empty(values.Payloads);
    }

    private static string Whole(int n) => $$"""{"n": {{n}}, "text": "{{Big}}"}""";
}
