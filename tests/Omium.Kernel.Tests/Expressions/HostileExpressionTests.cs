using Omium.Kernel.Expressions;
using Xunit;

namespace Omium.Kernel.Tests.Expressions;

/// <summary>Input that means harm gets an error, soon and in little memory.</summary>
public class HostileExpressionTests
{
    private static readonly ExpressionLimits _wide = new() { LengthMax = 4_000_000, NodesMax = 1_000_000, DepthMax = int.MaxValue };

    public static TheoryData<string, string> Texts => new()
    {
        { new string('(', 10_000) + "1" + new string(')', 10_000), ExpressionErrorCode.TooLarge },
        { new string('(', 8_000) + "1" + new string(')', 8_000), ExpressionErrorCode.TooDeep },
        { new string('[', 8_000) + new string(']', 8_000), ExpressionErrorCode.TooDeep },
        { string.Concat(Enumerable.Repeat("{1:", 4_000)), ExpressionErrorCode.TooDeep },
        { new string('!', 16_000) + "true", ExpressionErrorCode.TooDeep },
        { string.Concat(Enumerable.Repeat("- ", 8_000)) + "1", ExpressionErrorCode.TooDeep },
        { "a" + string.Concat(Enumerable.Repeat(".b", 8_000)), ExpressionErrorCode.TooDeep },
        { "a" + string.Concat(Enumerable.Repeat("[0]", 5_000)), ExpressionErrorCode.TooDeep },
        { string.Concat(Enumerable.Repeat("f(", 8_000)), ExpressionErrorCode.TooDeep },
        { string.Concat(Enumerable.Repeat("a?b:", 4_000)) + "c", ExpressionErrorCode.TooDeep },
        { string.Concat(Enumerable.Repeat("[1].map(x,", 1_600)), ExpressionErrorCode.TooDeep },
        { string.Concat(Enumerable.Repeat("1<", 5_000)) + "1", ExpressionErrorCode.TooDeep },
        { new string('a', 1_000_000), ExpressionErrorCode.TooLarge },
        { "'" + new string('a', 16_000), ExpressionErrorCode.Syntax },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void TryCompile_OfAHostileText_FailsSoonAndInLittleMemory(string text, string code)
    {
        CelExpression.TryCompile(text, out _);
        var since = ThreadClock.Now;
        long before = GC.GetAllocatedBytesForCurrentThread();
        ExpressionError error = Cel.CompileError(text);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        var took = ThreadClock.Now - since;
        Assert.Equal(code, error.Code);
        Assert.InRange(took.TotalMilliseconds, 0, 500);
        Assert.True(allocated < 8_000_000, $"allocated {allocated} bytes");
    }

    [Fact]
    public void TryCompile_WithTheWidestLimits_StaysWithinASmallStack()
    {
        string[] texts =
        [
            new string('(', 1_000_000), string.Concat(Enumerable.Repeat("[1].map(x,", 100_000)), new string('!', 1_000_000) + "true",
            string.Concat(Enumerable.Repeat("a?b:", 100_000)) + "c", string.Concat(Enumerable.Repeat("{'a':f(", 100_000)),
        ];
        var codes = new List<string>();
        OnSmallStack(() => codes.AddRange(texts.Select(text => Cel.CompileError(text, _wide).Code)));
        Assert.Equal(Enumerable.Repeat(ExpressionErrorCode.TooDeep, texts.Length), codes);
    }

    [Fact]
    public void Evaluate_AtTheGreatestDepth_StaysWithinASmallStack()
    {
        int depth = ExpressionLimits.DepthCeiling - 2;
        string[] texts =
        [
            new string('!', depth) + "true",
            string.Concat(Enumerable.Repeat("[1].all(x,", (depth / 2) - 1)) + "true" + new string(')', (depth / 2) - 1),
            string.Concat(Enumerable.Repeat("(true||", depth / 2)) + "true" + new string(')', depth / 2),
            string.Concat(Enumerable.Repeat("[", depth)) + string.Concat(Enumerable.Repeat("]", depth)) + " == []",
        ];
        var results = new List<ExpressionResult>();
        OnSmallStack(() => results.AddRange(texts.Select(text => Cel.Compile(text, _wide).Evaluate(new DictionaryBindings()))));
        Assert.All(results, result => Assert.True(result.Succeeded, result.Error?.ToString()));
    }

    [Fact]
    public void TryCompile_OfLongChains_IsNotDeep()
    {
        Assert.Equal("4001", Cel.Value(string.Concat(Enumerable.Repeat("1+", 4_000)) + "1").ToString());
        Assert.True(Cel.IsTrue(string.Concat(Enumerable.Repeat("true&&", 2_000)) + "true"));
    }

    [Theory]
    [InlineData("r.all(a, r.all(b, r.all(c, r.all(d, true))))")]
    [InlineData("r.map(a, r.map(b, r.map(c, [a, b, c])))")]
    [InlineData("r.map(a, r + r + r + r).all(x, x == x)")]
    [InlineData("r.exists(a, true || 1 / 0 > 0) && r.all(a, r.exists(b, r.exists(c, b == -1)) || true)")]
    public void Evaluate_OfNestedLoops_StopsAtItsCost(string text)
    {
        string rows = "{\"r\": [" + string.Join(',', Enumerable.Range(0, 2_000)) + "]}";
        AssertStops(text, rows, ExpressionErrorCode.CostExceeded);
    }

    [Theory]
    [InlineData("s + s + s + s + s + s + s + s + s + s + s + s", ExpressionErrorCode.CostExceeded)]
    [InlineData("cel.bind(t, s + s + s, t + t + t + t + t + t)", ExpressionErrorCode.TooLarge)]
    [InlineData("s.replace('', s)", ExpressionErrorCode.TooLarge)]
    [InlineData("s.replace('a', s)", ExpressionErrorCode.TooLarge)]
    [InlineData("s.split('').map(c, s).join(s)", ExpressionErrorCode.TooLarge)]
    [InlineData("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(x, '%s%s%s%s%s%s%s%s'.format([s, s, s, s, s, s, s, s]))", ExpressionErrorCode.CostExceeded)]
    [InlineData("s.split('').map(c, s.contains('b')).all(x, !x)", ExpressionErrorCode.CostExceeded)]
    [InlineData("s.split('').map(c, s.matches(c + '{1}')).all(x, x)", ExpressionErrorCode.CostExceeded)]
    public void Evaluate_ThatGrowsText_StopsBeforeItIsLarge(string text, string code) =>
        AssertStops(text, "{\"s\": \"" + new string('a', 100_000) + "\"}", code);

    [Fact]
    public void Evaluate_OfValuesThatHoldThemselvesManyTimes_StopsAtItsCost()
    {
        string text = "true";
        for (int level = 0; level < 60; level++)
        {
            text = level == 0 ? "v59 == v59 + []" : $"cel.bind(v{60 - level}, [v{59 - level}, v{59 - level}], {text})";
        }

        text = "cel.bind(v0, [], " + text + ")";
        AssertStops(text, "{}", ExpressionErrorCode.CostExceeded);
        ExpressionResult grown = Cel.Compile(text.Replace("v59 == v59 + []", "v59", StringComparison.Ordinal)).Evaluate(new DictionaryBindings());
        Assert.False(grown.Value!.TryToJson(out _, out _));
        Assert.True(grown.Value.ToString().Length < 100_000);
    }

    [Fact]
    public void Evaluate_WhenCostIsPassed_IsAbsorbedByNothing()
    {
        var limits = new ExpressionLimits { CostMax = 50 };
        ExpressionResult result = Cel.Compile("true || true ? [1, 2, 3].exists(x, [1, 2, 3, 4, 5].all(y, x + y > 100 || y > 0)) || true : false").Evaluate(
            new DictionaryBindings(), limits);
        Assert.Equal(ExpressionErrorCode.CostExceeded, result.Error?.Code);
        Assert.InRange(result.Cost, 51, 60);
    }

    [Theory]
    [InlineData("(a{1000}){1000}")]
    [InlineData("((a{100}){100}){100}")]
    [InlineData("(?:a{999}|b{999}){2}")]
    [InlineData("\\p{Greek}")]
    [InlineData("a**")]
    [InlineData("(?<=a)b")]
    [InlineData("(a)\\1")]
    [InlineData("(")]
    [InlineData("[z-a]")]
    public void Matches_OfAPatternThatIsRefused_IsAnError(string pattern)
    {
        var bindings = new DictionaryBindings().Set("p", new CelString(pattern));
        Assert.Equal(ExpressionErrorCode.Evaluation, Cel.Compile("'aaa'.matches(p)").Evaluate(bindings).Error?.Code);
    }

    [Theory]
    [InlineData("(a|b){0,650}(a|b){0,650}c")]
    [InlineData("[ab]*a[ab]{999}c")]
    [InlineData("(.*a){60}c")]
    [InlineData("(a?){999}a{999}c")]
    public void Matches_OfACostlyPattern_StopsAtItsCost(string pattern)
    {
        // Both letters in an order without rhythm, so that the automaton meets ever new states.
        string letters = string.Concat(Enumerable.Range(0, 20_000).Select(index => (index * index * 31 / 7) % 3 == 0 ? 'a' : 'b'));
        string json = $$"""{"p": "{{pattern}}", "s": "{{letters}}", "r": [{{string.Join(',', Enumerable.Range(0, 2_000))}}]}""";
        AssertStops("r.all(i, !(s + string(i)).matches(p))", json, ExpressionErrorCode.CostExceeded);
    }

    private static void AssertStops(string text, string json, string code)
    {
        CelExpression expression = Cel.Compile(text);
        DictionaryBindings bindings = Cel.Bindings(json);
        expression.Evaluate(bindings);
        var since = ThreadClock.Now;
        long before = GC.GetAllocatedBytesForCurrentThread();
        ExpressionResult result = expression.Evaluate(bindings);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        var took = ThreadClock.Now - since;
        Assert.Equal(code, result.Error?.Code);
        Assert.InRange(took.TotalMilliseconds, 0, 5_000);
        Assert.True(allocated < 200_000_000, $"allocated {allocated} bytes");
    }

    /// <summary>Half a megabyte: less than any thread that the kernel runs on has.</summary>
    private static void OnSmallStack(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(action), 512 * 1024);
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }
}
