using System.Text.Json;
using Omium.Kernel.Expressions;
using Xunit;

namespace Omium.Kernel.Tests.Expressions;

public class CelExpressionTests
{
    [Theory]
    [InlineData("steps.score.output.credit_score > 600", "steps.score.output.credit_score")]
    [InlineData("output.apr >= 2.5 && output.apr <= 8.5", "output.apr")]
    [InlineData("input['a'].b['c d'] + input.x", "input.a.b.c d,input.x")]
    [InlineData("has(input.name) ? input.name : 'none'", "input.name")]
    [InlineData("steps.list.output.rows.all(r, r.amount < input.limit)", "steps.list.output.rows,input.limit")]
    [InlineData("input.items[0].price", "input.items")]
    [InlineData("input.map[input.key].price", "input.map,input.key")]
    [InlineData("size(output.customers)", "output.customers")]
    [InlineData("output.name.startsWith(input.prefix)", "output.name,input.prefix")]
    [InlineData("input", "input")]
    [InlineData("[1, 2].map(x, x + item)", "item")]
    [InlineData("cel.bind(c, steps.a.output, c.x + c.y)", "steps.a.output")]
    [InlineData("type(input.x) == int && type(now) == google.protobuf.Timestamp", "input.x,now")]
    [InlineData("[1].exists(input, input == 1) || input.y", "input.y")]
    [InlineData("math.greatest(input.a, 2)", "input.a")]
    [InlineData("1 + 1", "")]
    public void Paths_OfAnExpression_AreWhatItReads(string text, string expected) =>
        Assert.Equal(expected, string.Join(',', Cel.Compile(text).Paths));

    [Fact]
    public void Paths_WithDotsInNames_StayApart()
    {
        IReadOnlyList<ExpressionPath> paths = Cel.Compile("a['b.c'] + a.b.c").Paths;
        Assert.Equal([1, 2], paths.Select(path => path.Segments.Count));
        Assert.Equal([0, 11], paths.Select(path => path.Offset));
    }

    [Theory]
    [InlineData("1 +", 3)]
    [InlineData("a = 1", 2)]
    [InlineData("'abc", 0)]
    [InlineData("f(1,", 4)]
    [InlineData("[1, 2", 5)]
    [InlineData("a.all(1, true)", 6)]
    [InlineData("'x\\q'", 2)]
    [InlineData("9223372036854775808", 0)]
    [InlineData("has(a)", 0)]
    [InlineData("a b", 2)]
    [InlineData("if", 0)]
    [InlineData("Message{field: 1}", 7)]
    [InlineData("", 0)]
    public void TryCompile_OfWhatIsNoExpression_SaysWhere(string text, int offset)
    {
        ExpressionError error = Cel.CompileError(text);
        Assert.Equal((ExpressionErrorCode.Syntax, offset), (error.Code, error.Offset));
    }

    [Theory]
    [InlineData("1 / 0", ExpressionErrorCode.Evaluation, 2)]
    [InlineData("input.missing", ExpressionErrorCode.Evaluation, 6)]
    [InlineData("[1][5]", ExpressionErrorCode.Evaluation, 3)]
    [InlineData("1 + 'a'", ExpressionErrorCode.Type, 2)]
    [InlineData("1 + 1.0", ExpressionErrorCode.Type, 2)]
    [InlineData("unknown", ExpressionErrorCode.UnknownName, 0)]
    [InlineData("unknown(1)", ExpressionErrorCode.UnknownName, 0)]
    [InlineData("9223372036854775807 + 1", ExpressionErrorCode.Evaluation, 20)]
    [InlineData("'a'.matches('(?=x)')", ExpressionErrorCode.Evaluation, 4)]
    public void Evaluate_OfWhatFails_SaysWhyAndWhere(string text, string code, int offset)
    {
        ExpressionError error = Cel.Error(text, """{"input": {}}""");
        Assert.Equal((code, offset), (error.Code, error.Offset));
    }

    [Fact]
    public void Evaluate_Twice_GivesTheSameAnswerAndCost()
    {
        CelExpression expression = Cel.Compile("input.rows.filter(r, r.name.matches('^a+$')).map(r, r.n * 2)");
        DictionaryBindings bindings = Cel.Bindings("""{"input": {"rows": [{"name": "aa", "n": 1}, {"name": "b", "n": 2}]}}""");
        ExpressionResult first = expression.Evaluate(bindings);
        ExpressionResult second = expression.Evaluate(bindings);
        Assert.Equal(first.Cost, second.Cost);
        Assert.True(first.Value!.EqualTo(second.Value!));
        Assert.Equal("[2]", first.Value.ToString());
    }

    [Fact]
    public void Evaluate_OverAMap_GoesInInsertionOrder() =>
        Assert.Equal("[b, a, c]", Cel.Value("m.map(k, k)", """{"m": {"b": 1, "a": 2, "c": 3}}""").ToString());

    [Fact]
    public void LazyCelMap_WhenRead_LooksUpOnlyWhatIsAsked()
    {
        var asked = new List<string>();
        var steps = new LazyCelMap(
            name =>
            {
                asked.Add(name);
                return name == "score" ? CelValue.FromJson(Cel.Json("""{"output": {"n": 7}}""")) : null;
            },
            () => ["kyc", "score"]);
        var bindings = new DictionaryBindings().Set("steps", steps);
        Assert.Equal("7", Cel.Compile("steps.score.output.n").Evaluate(bindings).Value!.ToString());
        Assert.Equal(["score"], asked);
        Assert.Equal("[kyc, score]", Cel.Compile("steps.map(s, s)").Evaluate(bindings).Value!.ToString());
        Assert.Same(CelBool.False, Cel.Compile("has(steps.other)").Evaluate(bindings).Value);
    }

    [Theory]
    [InlineData("'2026-03-08T06:30:00Z'", "America/New_York", 1)]
    [InlineData("'2026-03-08T07:30:00Z'", "America/New_York", 3)]
    [InlineData("'2026-03-08T07:30:00Z'", "+05:45", 13)]
    [InlineData("'2026-03-08T07:30:00Z'", "", 7)]
    public void GetHours_InAZone_FollowsItsRules(string time, string zone, int hours) =>
        Assert.Equal(hours, ((CelInt)Cel.Value($"timestamp({time}).getHours('{zone}')")).Value);

    [Theory]
    [InlineData("localtime")]
    [InlineData("../../../etc/localtime")]
    [InlineData("/etc/localtime")]
    [InlineData("Nowhere/Special")]
    [InlineData("+25:00")]
    public void GetHours_InNoZone_Fails(string zone) =>
        Assert.Equal(ExpressionErrorCode.Evaluation, Cel.Error($"timestamp(0).getHours('{zone}')").Code);

    [Theory]
    [InlineData("'a\\n'.matches('a$')", false)]
    [InlineData("'a\\nb'.matches('(?m)a$')", true)]
    [InlineData("'a\\nb'.matches('a.b')", false)]
    [InlineData("'a\\nb'.matches('(?s)a.b')", true)]
    [InlineData("'😀'.matches('^.$')", true)]
    [InlineData("'😀'.matches('^[^a]$')", true)]
    [InlineData("'😀'.matches('^[😀-😎]{1}$')", true)]
    [InlineData("'😏'.matches('^[😀-😎]$')", false)]
    [InlineData("'é'.matches('^\\\\w$')", false)]
    [InlineData("'é'.matches('^\\\\pL$')", true)]
    [InlineData("'٣'.matches('^\\\\d$')", false)]
    [InlineData("'x-y'.matches('^[[:alpha:]]-[^[:digit:]]$')", true)]
    [InlineData("'a.b'.matches('^\\\\Qa.b\\\\E$')", true)]
    [InlineData("'axb'.matches('^\\\\Qa.b\\\\E$')", false)]
    [InlineData("'ABC'.matches('(?i)abc')", true)]
    [InlineData("'aab'.matches('^(?P<first>a){2}b$')", true)]
    [InlineData("'a{,2}'.matches('^a{,2}$')", true)]
    [InlineData("'[]'.matches('^[[]]$')", true)]
    [InlineData("']'.matches('^[]]$')", true)]
    public void Matches_OfRe2Syntax_MeansWhatRe2Means(string text, bool expected) => Assert.Equal(expected, Cel.IsTrue(text));

    [Theory]
    [InlineData("1", "1")]
    [InlineData("1.0", "1")]
    [InlineData("1e3", "1000")]
    [InlineData("1.5", "1.5")]
    [InlineData("9007199254740991", "9007199254740991")]
    public void FromJson_OfAnUntypedNumber_IsIntWhenIntegral(string json, string text)
    {
        CelValue value = CelValue.FromJson(Cel.Json(json));
        Assert.Equal(json == "1.5" ? CelKind.Double : CelKind.Int, value.Kind);
        Assert.Equal(text, value.ToString());
    }

    [Theory]
    [InlineData("""{"type": "number"}""", "2", "double")]
    [InlineData("""{"type": "integer"}""", "2.0", "int")]
    [InlineData("""{"type": ["number", "null"]}""", "2", "double")]
    [InlineData("""{"$ref": "#/$defs/n", "$defs": {"n": {"type": "number"}}}""", "2", "double")]
    [InlineData("""{"anyOf": [{"type": "number"}, {"type": "null"}]}""", "2", "double")]
    public void FromJson_UnderASchema_FollowsItsTypes(string schema, string json, string type) =>
        Assert.Equal(type, CelValue.FromJson(Cel.Json(json), Cel.Json(schema)).Type.Name);

    [Fact]
    public void FromJson_UnderARecursiveSchema_FollowsItToTheLeaves()
    {
        JsonElement schema = Cel.Json("""
            {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {
                "weight": {"type": "number"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
                "pair": {"prefixItems": [{"type": "number"}], "items": {"type": "integer"}}},
              "additionalProperties": {"type": "number"}}}}
            """);
        JsonElement json = Cel.Json("""{"children": [{"children": [{"weight": 1, "pair": [1, 1, 1], "more": 1}]}]}""");
        var bindings = new DictionaryBindings().Set("t", CelValue.FromJson(json, schema));
        CelValue? types = Cel.Compile(
            "cel.bind(leaf, t.children[0].children[0], [leaf.weight, leaf.pair[0], leaf.pair[2], leaf.more].map(n, type(n)))").Evaluate(bindings).Value;
        Assert.Equal("[double, double, int, double]", types!.ToString());
    }

    [Theory]
    [InlineData("9007199254740992")]
    [InlineData("-9007199254740992")]
    [InlineData("18446744073709551615u")]
    [InlineData("1e17")]
    [InlineData("0.0 / 0.0")]
    [InlineData("1.0 / 0.0")]
    [InlineData("type(1)")]
    [InlineData("{1: 1, '1': 2}")]
    [InlineData("[[9007199254740992]]")]
    public void TryToJson_OfWhatJsonCannotKeep_SaysWhy(string text)
    {
        Assert.False(Cel.Value(text).TryToJson(out _, out string? problem));
        Assert.NotEmpty(problem!);
    }

    [Theory]
    [InlineData("{'b': [1, 2.5, -0.0], 'a': null}", """{"b":[1,2.5,0],"a":null}""")]
    [InlineData("b'hi'", "\"aGk=\"")]
    [InlineData("duration('90m')", "\"5400s\"")]
    [InlineData("timestamp('2026-01-02T03:04:05.600Z')", "\"2026-01-02T03:04:05.6Z\"")]
    [InlineData("1e21", "1e+21")]
    [InlineData("{1: 'x', true: 'y'}", """{"1":"x","true":"y"}""")]
    public void TryToJson_OfAValue_IsItsJson(string text, string expected)
    {
        Assert.True(Cel.Value(text).TryToJson(out JsonElement json, out string? problem), problem);
        Assert.Equal(expected, json.GetRawText());
    }

    [Fact]
    public void FromJson_AfterItsDocumentIsGone_StillReads()
    {
        CelValue value;
        using (JsonDocument document = JsonDocument.Parse("""{"a": {"b": [1]}}"""))
        {
            value = CelValue.FromJson(document.RootElement);
        }

        Assert.Equal("{a: {b: [1]}}", value.ToString());
    }

    [Fact]
    public void FromJson_WithLoneSurrogates_ReplacesThem() =>
        Assert.Equal("{x\uFFFD: \n\uFFFD}", CelValue.FromJson(Cel.Json("""{"x\ud800": "\n\udc00"}""")).ToString());
}
