using System.Text;
using System.Text.Json;
using Omium.Kernel.Schemas;
using Xunit;

namespace Omium.Kernel.Tests.Schemas;

/// <summary>Schemas and values made to hurt: each must end with an answer within a second, on a small stack, without growing memory.</summary>
public sealed class HostileTests
{
    private const int StackBytes = 1024 * 1024;
    private const int RoundsMax = 4;
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(1);
    private const long AllocatedBytesMax = 400L * 1024 * 1024;

    private static readonly JsonElement Numbers = Parse("[" + string.Join(",", Enumerable.Range(0, 400_000)) + "]");

    [Theory]
    [InlineData("""{"$ref":"#"}""")]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}""")]
    [InlineData("""{"anyOf":[{"type":"string"},{"$ref":"#"}]}""")]
    [InlineData("""{"not":{"$ref":"#"}}""")]
    [InlineData("""{"if":true,"then":{"allOf":[{"$ref":"#"}]}}""")]
    [InlineData("""{"dependentSchemas":{"a":{"$ref":"#"}}}""")]
    public void TryCompile_EndlessReference_IsRefused(string schema) =>
        Bounded(() => Assert.Contains(Problems(schema), problem => problem.Code == "schema_endless_ref"));

    [Theory]
    [InlineData("""{"$dynamicAnchor":"x","$dynamicRef":"#x"}""")]
    [InlineData("""{"$dynamicAnchor":"x","allOf":[{"$dynamicRef":"#x"},{"$dynamicRef":"#x"}]}""")]
    [InlineData("""{"$dynamicAnchor":"x","not":{"anyOf":[{"$dynamicRef":"#x"},{"$dynamicRef":"#x"}]}}""")]
    public void Validate_EndlessDynamicReference_GivesUp(string schema) =>
        Bounded(() => Assert.Equal("$depth", Assert.Single(Compile(schema).Validate(Parse("1")).Errors).Keyword));

    [Fact]
    public void Validate_ExponentialBranches_GiveUpByCost() =>
        Bounded(() =>
        {
            var definitions = string.Join(",", Enumerable.Range(0, 60).Select(index => $$"""
                "d{{index}}":{"allOf":[{"$ref":"#/$defs/d{{index + 1}}"},{"$ref":"#/$defs/d{{index + 1}}"}]}
                """));
            var schema = Compile("""{"$ref":"#/$defs/d0","$defs":{@,"d60":{"type":"integer"}}}""".Replace("@", definitions, StringComparison.Ordinal));
            var result = schema.Validate(Parse("1"));
            Assert.Equal("$cost", Assert.Single(result.Errors).Keyword);
            Assert.False(result.IsValid);
        });

    [Theory]
    [InlineData(/*lang=regex*/ "^(a+)+$")]
    [InlineData(/*lang=regex*/ "^(a|a)*b$")]
    [InlineData(/*lang=regex*/ "(x+x+)+y")]
    public void Validate_CatastrophicPattern_IsLinear(string pattern) =>
        Bounded(() => Compile(Json(new { pattern })).Validate(Parse($"\"{new string('a', 200_000)}!{new string('x', 200_000)}\"")));

    [Theory]
    [InlineData("((a{1,1000}){1,1000}){1,1000}")]
    [InlineData("(?=a)b")]
    [InlineData("(?<!a)b")]
    [InlineData("(a)\\1")]
    [InlineData("[")]
    [InlineData("(")]
    [InlineData("a)")]
    [InlineData("\\")]
    [InlineData("[\\")]
    [InlineData("\\a")]
    [InlineData("\\p{Script=Greek}")]
    [InlineData("\\p{")]
    [InlineData("\\u{110000}")]
    [InlineData("*")]
    [InlineData("[z-a]")]
    [InlineData("a{9999999999}")]
    public void TryCompile_PatternThatCannotBeUsed_IsRefused(string pattern) =>
        Bounded(() => Assert.Equal(("schema_pattern", "/pattern"), (Problems(Json(new { pattern }))[0].Code, Problems(Json(new { pattern }))[0].Pointer)));

    [Fact]
    public void TryCompile_PatternOfManyGroups_IsRefused() =>
        Bounded(() => Assert.Equal("schema_pattern", Problems(Json(new { pattern = new string('(', 2000) + new string(')', 2000) }))[0].Code));

    [Fact]
    public void TryCompile_TooMuchSchema_IsRefused() =>
        Bounded(() =>
        {
            Assert.Equal("schema_too_large", Problems(Json(new { description = new string('x', 2_000_000) }))[0].Code);
            Assert.Equal("schema_too_large", Problems("{\"allOf\":[" + string.Join(",", Enumerable.Repeat("true", 100_000)) + "]}")[0].Code);
            var deep = string.Concat(Enumerable.Repeat("{\"not\":", 480)) + "true" + new string('}', 480);
            Assert.Equal("schema_too_large", Problems(deep)[0].Code);
        });

    [Fact]
    public void Validate_LongNamesOverManySubschemas_KeepsMemoryFlat() =>
        Bounded(() =>
        {
            var inner = string.Join(",", Enumerable.Range(0, 10_000).Select(index => $"\"p{index}\":true"));
            Assert.NotNull(Compile($"{{\"properties\":{{\"{new string('n', 500_000)}\":{{\"properties\":{{{inner}}}}}}}}}"));
        });

    [Fact]
    public void Validate_DeepValue_GivesUpOrAnswers() =>
        Bounded(() =>
        {
            var schema = Compile("""{"type":"array","items":{"$ref":"#"}}""");
            var deep = JsonElement.Parse(Encoding.ASCII.GetBytes(new string('[', 10_000) + new string(']', 10_000)), new JsonDocumentOptions { MaxDepth = 20_000 });
            Assert.Equal("$depth", Assert.Single(schema.Validate(deep).Errors).Keyword);
            Assert.Equal("$depth", Assert.Single(schema.Validate(deep, new SchemaLimits { DepthMax = int.MaxValue }).Errors).Keyword);
            Assert.False(Compile("""{"uniqueItems":true,"const":[[[]]]}""").Validate(deep).IsValid);
        });

    [Theory]
    [InlineData("""{"properties":{"a":{"oneOf":[{"$ref":"#"}]}},"unevaluatedProperties":false}""")]
    [InlineData("""{"patternProperties":{"a":{"anyOf":[{"$ref":"#"}]}}}""")]
    [InlineData("""{"additionalProperties":{"if":{"$ref":"#"},"then":false,"else":false}}""")]
    [InlineData("""{"unevaluatedProperties":{"dependentSchemas":{"a":{"not":{"not":{"$ref":"#"}}}}}}""")]
    public void Validate_DeepMembers_GiveUpBeforeTheStackEnds(string schema) =>
        Bounded(() =>
        {
            var text = string.Concat(Enumerable.Repeat("{\"a\":", 5_000)) + "1" + new string('}', 5_000);
            var deep = JsonElement.Parse(Encoding.ASCII.GetBytes(text), new JsonDocumentOptions { MaxDepth = 20_000 });
            Assert.Equal("$depth", Compile(schema).Validate(deep, new SchemaLimits { DepthMax = int.MaxValue }).Errors[^1].Keyword);
        });

    [Fact]
    public void Validate_WideValues_EndByCost() =>
        Bounded(() =>
        {
            Assert.True(Compile("""{"uniqueItems":true}""").Validate(Numbers).IsValid);
            Assert.Equal("$cost", Compile("""{"items":{"type":"integer","minimum":0}}""").Validate(Numbers).Errors[^1].Keyword);
        });

    [Theory]
    [InlineData("[1,2,1.0]", false)]
    [InlineData("[100,1e2]", false)]
    [InlineData("[-0,0]", false)]
    [InlineData("[1e20,100000000000000000000]", false)]
    [InlineData("[0.10,0.1]", false)]
    [InlineData("[1,-1,true,\"1\",[1],0.1,10]", true)]
    [InlineData("""[{"a":1,"b":[2]},{"b":[2.0],"a":1}]""", false)]
    public void Validate_UniqueItems_ComparesByMeaning(string items, bool expected) =>
        Assert.Equal(expected, Compile("""{"uniqueItems":true}""").Validate(Parse(items)).IsValid);

    [Fact]
    public void Validate_HugeNumbers_AreExactAndBounded() =>
        Bounded(() =>
        {
            var multiple = Compile("""{"multipleOf":0.0001}""");
            Assert.True(multiple.Validate(Parse("1e1000000000000")).IsValid);
            Assert.False(multiple.Validate(Parse("1e-1000000000000")).IsValid);
            Assert.Equal("$cost", Compile("""{"multipleOf":7}""").Validate(Parse(new string('7', 1_000_000))).Errors[0].Keyword);
            Assert.True(Compile("""{"type":"integer"}""").Validate(Parse("1e1000000")).IsValid);
        });

    [Fact]
    public void Validate_ManyViolations_StopAtTheLimit() =>
        Bounded(() =>
        {
            var result = Compile("""{"items":{"type":"string"}}""").Validate(Parse("[" + string.Join(",", Enumerable.Repeat("1", 10_000)) + "]"));
            Assert.Equal(50, result.Errors.Count);
            Assert.InRange(result.Cost, 50, 1_000);
        });

    [Fact]
    public void Validate_HalfASurrogate_IsAnswered() =>
        Bounded(() =>
        {
            var value = Parse("""{"\ud800":"\udc00","a":["\ud800","\ud800"]}""");
            var schema = Compile("""{"properties":{"a":{"uniqueItems":true}},"required":["b"],"propertyNames":{"pattern":"^a$"},"additionalProperties":{"pattern":"x","minLength":9,"const":"y"}}""");
            Assert.False(schema.Validate(value).IsValid);
        });

    private static JsonElement Parse(string text) => JsonElement.Parse(text, new JsonDocumentOptions { MaxDepth = 1_000 });

    private static string Json(object value) => JsonSerializer.Serialize(value);

    private static IReadOnlyList<SchemaProblem> Problems(string schema)
    {
        Assert.Null(JsonSchema.TryCompile(Parse(schema), out var problems));
        return problems;
    }

    private static JsonSchema Compile(string schema)
    {
        var compiled = JsonSchema.TryCompile(Parse(schema), out var problems);
        Assert.True(compiled is not null, string.Join("; ", problems));
        return compiled;
    }

    /// <summary>On a thread of its own with a small stack; once to warm up, then measured in the time of that thread; again if the machine's caches were.</summary>
    private static void Bounded(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    action();
                    var fastest = TimeSpan.MaxValue;
                    for (var round = 0; round < RoundsMax && fastest > TimeLimit; round++)
                    {
                        var (since, before) = (ThreadClock.Now, GC.GetAllocatedBytesForCurrentThread());
                        action();
                        var took = ThreadClock.Now - since;
                        fastest = took < fastest ? took : fastest;
                        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, AllocatedBytesMax);
                    }

                    Assert.InRange(fastest, TimeSpan.Zero, TimeLimit);
                }
                catch (Exception error)
                {
                    failure = error;
                }
            },
            StackBytes);
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }
}
