using Omium.Kernel.Expressions;
using Xunit;
using Omium.Kernel.Tests.Executions;

namespace Omium.Kernel.Tests.Expressions;

/// <summary>Omium's own functions for guards: what an answer makes up, what it leaves out, what is missing, and what a plan allows.</summary>
public sealed class GuardFunctionTests
{
    private const string Source = """{"customer": {"first": "Ada", "last": "Lovelace", "city": "Zürich"}, "amount": 1250, "rate": "4.5%", "order": "INV-2041", "note": "Acme Group pays by 2026-11-21"}""";

    [Theory]
    [InlineData("""{"total": 1250.0, "rate": 0.045}""", "")]
    [InlineData("\"Ada Lovelace owes 1,250.00 at 4.5 %, see inv-2041.\"", "")]
    [InlineData("\"Lovelace, Ada\"", "")]
    [InlineData("\"The ACME GROUP pays by 2026-11-21 from ZU\u0308RICH\"", "")]
    [InlineData("""{"total": 1251}""", "1251")]
    [InlineData("\"Due 1,250 and 12.50\"", "12.50")]
    [InlineData("\"We thank Ada Group\"", "Ada Group")]
    [InlineData("\"Order INV-2042 of Bob\"", "INV-2042|Bob")]
    [InlineData("\"on 2026-11-22\"", "2026-11-22")]
    [InlineData("""["Ada", {"who": "Grace Hopper"}]""", "Grace Hopper")]
    [InlineData("true", "")]
    public void Ungrounded_ListsWhatTheSourceDoesNotSay(string value, string missing) =>
        Assert.Equal(missing, string.Join('|', Texts(Evaluate("ungrounded(a, [b])", value, Source))));

    [Theory]
    [InlineData("""{"n": 1250, "who": "Ada"}""", "\"1,250 for Ada\"", "")]
    [InlineData("""{"n": 1250, "who": "Ada"}""", "\"nothing\"", "1250|Ada")]
    [InlineData("\"premium plan\"", "\"on the Premium  plan\"", "")]
    [InlineData("\"premium plan\"", "\"plan: premium\"", "premium plan")]
    [InlineData("\"a text of more than five words says nothing to look for\"", "\"other\"", "")]
    [InlineData("null", "\"x\"", "")]
    public void Unused_ListsWhatIsLeftOut(string value, string output, string missing) =>
        Assert.Equal(missing, string.Join('|', Texts(Evaluate("unused(a, b)", value, output))));

    [Theory]
    [InlineData("null", true)]
    [InlineData("\"  \"", true)]
    [InlineData("[]", true)]
    [InlineData("{}", true)]
    [InlineData("0", false)]
    [InlineData("false", false)]
    [InlineData("\"x\"", false)]
    public void Blank_IsWhatSaysNothing(string value, bool blank) => Assert.Equal(CelBool.Of(blank), Evaluate("blank(a)", value, "null").Value);

    [Theory]
    [InlineData("""["look", "pay"]""", "[]", """{"tool": "pay", "arguments": {"n": 1}}""", true)]
    [InlineData("""["look"]""", "[]", """{"tool": "pay", "arguments": {"n": 1}}""", false)]
    [InlineData("""[{"tool": "pay", "arguments": {"n": 1}}]""", "[]", """{"tool": "pay", "arguments": {"n": 1, "to": "x"}}""", true)]
    [InlineData("""[{"tool": "pay", "arguments": {"n": 1}}]""", "[]", """{"tool": "pay", "arguments": {"n": 2}}""", false)]
    [InlineData("""[{"tool": "pay", "arguments": {"n": 1}}]""", """[{"tool": "pay", "arguments": {"n": 1}}]""", """{"tool": "pay", "arguments": {"n": 1}}""", false)]
    [InlineData("""[{"tool": "pay"}]""", """[{"tool": "pay", "arguments": {"n": 1}}]""", """{"tool": "pay", "arguments": {"n": 1}}""", true)]
    [InlineData("null", "[]", """{"tool": "pay", "arguments": {}}""", false)]
    public void Planned_AllowsWhatThePlanSaysAndNoMore(string plan, string made, string call, bool allowed) =>
        Assert.Equal(CelBool.Of(allowed), Evaluate("planned(a, b.made, b.plan)", call, $$"""{"made": {{made}}, "plan": {{plan}}}""").Value);

    [Theory]
    [InlineData("""["look"]""", """[{"tool": "look", "ok": true}]""", "")]
    [InlineData("""["look"]""", """[{"tool": "look", "ok": false}]""", "look")]
    [InlineData("""["look", {"tool": "pay", "optional": true}]""", """[{"tool": "look", "ok": true}]""", "")]
    [InlineData("""[{"tool": "pay", "arguments": {"n": 1}}, {"tool": "pay", "arguments": {"n": 1}}]""", """[{"tool": "pay", "ok": true, "arguments": {"n": 1}}]""", "pay")]
    public void Undone_ListsWhatThePlanSaysAndNoCallDid(string plan, string made, string open) =>
        Assert.Equal(open, string.Join('|', Texts(Evaluate("undone(a, b)", made, plan))));

    [Fact]
    public void Ungrounded_OnMoreTextThanTheCostAllows_FailsAndSaysSo()
    {
        var long1 = $"\"{new string('x', 900_000)}\"";
        var result = CelExpression.TryCompile("ungrounded(a, [b, b, b, b, b])", out _)!.Evaluate(Bindings("1", long1));
        Assert.Equal(ExpressionErrorCode.CostExceeded, result.Error!.Code);
    }

    private static ExpressionResult Evaluate(string expression, string first, string second)
    {
        var result = CelExpression.TryCompile(expression, out var error)?.Evaluate(Bindings(first, second));
        Assert.True(result is { Succeeded: true }, error?.Message ?? result?.Error?.Message);
        return result!;
    }

    private static DictionaryBindings Bindings(string first, string second) =>
        new DictionaryBindings().Set("a", CelValue.FromJson(KernelHarness.Json(first))).Set("b", CelValue.FromJson(KernelHarness.Json(second)));

    private static IEnumerable<string> Texts(ExpressionResult result)
    {
        var list = (CelList)result.Value!;
        return Enumerable.Range(0, list.Count).Select(index => ((CelString)list[index]).Value);
    }
}
