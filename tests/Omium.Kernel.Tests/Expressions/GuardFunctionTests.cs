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

    /// <summary>The law of both: whatever a value says, it says itself; and what one part says is grounded in the whole.</summary>
    [Fact]
    public void Ungrounded_InItself_IsNothing_AndNothingOfItIsUnused()
    {
        for (var seed = 0; seed < 3_000; seed++)
        {
            var random = new Random(seed);
            var value = RandomValue(random, 0);
            var source = System.Text.Json.JsonSerializer.Serialize(value);
            foreach (var law in new[] { "ungrounded(a, [b])", "unused(a, b)", "ungrounded(a, [1, b, 'x'])" })
            {
                Assert.True(!Texts(Evaluate(law, source, source)).Any(), $"seed {seed}: {law} of {source}: {string.Join('|', Texts(Evaluate(law, source, source)))}");
            }
        }
    }

    private static object? RandomValue(Random random, int depth) => random.Next(depth > 2 ? 3 : 5) switch
    {
        0 => random.Next(-2_000, 2_000) / (double)new[] { 1, 10, 100, 1_000_000 }[random.Next(4)],
        1 => random.Next(5) == 0 ? null : random.NextInt64(-9_007_199_254_740_991, 9_007_199_254_740_991),
        2 => RandomText(random),
        3 => Enumerable.Range(0, random.Next(4)).Select(_ => RandomValue(random, depth + 1)).ToList(),
        _ => Enumerable.Range(0, random.Next(4)).ToDictionary(index => $"m{index}_{RandomText(random)}", _ => RandomValue(random, depth + 1)),
    };

    private static string RandomText(Random random)
    {
        string[] words =
        [
            "Acme", "Group", "Ada", "Lovelace's", "the", "pays", "1,250.00", "1'250", "12,34,5", "1.2.3", "4.5", "%", "4.5%", "-7", "\u22127", "INV-2041", "ada@x.org", "2026-11-21", "10:30", "Z\u00fcrich",
            "Zu\u0308rich", "McKay", "ACME", "I", "A", "\"", "\u201c", "\u201d", "(", ")", ".", ",", "!", "\n", "_", "a_b", "1\u00a0250", "1e3", "e", "5kg", "\ud83d\ude00", "x/y", "Jean-Luc", "R&D", "--", "3,5", "\u00ab", "\u00bb", "`", "0", "00.10",
        ];
        return string.Concat(Enumerable.Range(0, random.Next(9)).Select(_ => words[random.Next(words.Length)] + (random.Next(4) == 0 ? "" : " ")));
    }

    [Theory]
    [InlineData("ungrounded(a, [b])")]
    [InlineData("unused(a, b)")]
    public void Ungrounded_OfAWordRepeatedWithoutEnd_EndsByCost(string law)
    {
        var source = $"\"{string.Concat(Enumerable.Repeat("Foo ", 100_000))}\"";
        var value = $"\"{string.Concat(Enumerable.Repeat("x Foo Bar. ", 20_000))}\"";
        var result = CelExpression.TryCompile(law, out _)!.Evaluate(Bindings(value, source));
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
