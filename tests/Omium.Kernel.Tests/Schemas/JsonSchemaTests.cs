using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Omium.Kernel.Schemas;
using Xunit;

namespace Omium.Kernel.Tests.Schemas;

public sealed class JsonSchemaTests
{
    [Theory]
    [InlineData("3", "")]
    [InlineData("null", "")]
    [InlineData("""{"type":"strin"}""", "/type")]
    [InlineData("""{"type":["string","string"]}""", "/type")]
    [InlineData("""{"properties":{"a/b":{"minLength":-1}}}""", "/properties/a~1b/minLength")]
    [InlineData("""{"maxItems":1.5}""", "/maxItems")]
    [InlineData("""{"multipleOf":0}""", "/multipleOf")]
    [InlineData("""{"minimum":"1"}""", "/minimum")]
    [InlineData("""{"required":["a","a"]}""", "/required")]
    [InlineData("""{"required":"a"}""", "/required")]
    [InlineData("""{"enum":"a"}""", "/enum")]
    [InlineData("""{"allOf":[]}""", "/allOf")]
    [InlineData("""{"allOf":[true,1]}""", "/allOf/1")]
    [InlineData("""{"items":[true]}""", "/items")]
    [InlineData("""{"properties":[]}""", "/properties")]
    [InlineData("""{"$defs":{"a":"b"}}""", "/$defs/a")]
    [InlineData("""{"uniqueItems":"yes"}""", "/uniqueItems")]
    [InlineData("""{"$id":"#x"}""", "/$id")]
    [InlineData("""{"$anchor":"1x"}""", "/$anchor")]
    [InlineData("""{"$ref":"https://elsewhere.example/schema"}""", "/$ref")]
    [InlineData("""{"$ref":"#/$defs/none"}""", "/$ref")]
    [InlineData("""{"$ref":"#none"}""", "/$ref")]
    [InlineData("""{"$schema":"http://json-schema.org/draft-03/schema#"}""", "/$schema")]
    public void TryCompile_WrongSchema_PointsToTheKeyword(string schema, string pointer)
    {
        Assert.Null(JsonSchema.TryCompile(JsonElement.Parse(schema), out var problems));
        Assert.Equal(pointer, Assert.Single(problems).Pointer);
    }

    [Fact]
    public void TryCompile_ManyMistakes_ReportsAllAtOnce()
    {
        JsonSchema.TryCompile(JsonElement.Parse("""{"type":1,"minLength":"x","properties":{"a":{"pattern":"("}}}"""), out var problems);
        Assert.Equal(["/type", "/minLength", "/properties/a/pattern"], problems.Select(problem => problem.Pointer));
    }

    [Theory]
    [InlineData("""{"properties":{"a":{"items":{"maximum":5}}}}""", """{"a":[1,9]}""", "/a/1", "/properties/a/items/maximum", "maximum")]
    [InlineData("""{"required":["a"]}""", "{}", "", "/required", "required")]
    [InlineData("""{"additionalProperties":false}""", """{"x~":1}""", "/x~0", "/additionalProperties", "additionalProperties")]
    [InlineData("""{"$ref":"#/$defs/n","$defs":{"n":{"type":"number"}}}""", "\"x\"", "", "/$defs/n/type", "type")]
    [InlineData("""{"$ref":"https://json-schema.org/draft/2020-12/schema"}""", """{"minLength":-1}""", "/minLength", "https://json-schema.org/draft/2020-12/meta/validation#/$defs/nonNegativeInteger/minimum", "minimum")]
    [InlineData("""{"anyOf":[{"type":"string"},{"minimum":3}]}""", "1", "", "/anyOf", "anyOf")]
    public void Validate_Violation_NamesBothPlaces(string schema, string value, string instancePointer, string schemaPointer, string keyword)
    {
        var violation = Assert.Single(Compile(schema).Validate(JsonElement.Parse(value)).Errors);
        Assert.Equal((instancePointer, schemaPointer, keyword), (violation.InstancePointer, violation.SchemaPointer, violation.Keyword));
        Assert.Contains("Expected: ", violation.Message, StringComparison.Ordinal);
        Assert.Contains("Found: ", violation.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("date-time", "2026-02-28T23:59:60Z", true)]
    [InlineData("date-time", "2026-02-28T12:00:60Z", false)]
    [InlineData("date-time", "2026-02-29T00:00:00Z", false)]
    [InlineData("date-time", "2024-02-29t00:00:00.5+01:30", true)]
    [InlineData("date", "2026-1-01", false)]
    [InlineData("time", "12:00:00", false)]
    [InlineData("email", "a.b@example.com", true)]
    [InlineData("email", "a..b@example.com", false)]
    [InlineData("email", "a@[127.0.0.1]", true)]
    [InlineData("uri", "https://u@[::1]:80/a?b#c", true)]
    [InlineData("uri", "/relative", false)]
    [InlineData("uri", "http://a b", false)]
    [InlineData("uuid", "2EB8AA08-AA98-11EA-B4AA-73B441D16380", true)]
    [InlineData("uuid", "2eb8aa08aa9811eab4aa73b441d16380", false)]
    [InlineData("ipv4", "256.1.1.1", false)]
    [InlineData("ipv4", "01.1.1.1", false)]
    [InlineData("ipv6", "1::2:192.168.0.1", true)]
    [InlineData("ipv6", "1::2::3", false)]
    [InlineData("ipv6", "fe80::a%eth1", false)]
    [InlineData("hostname", "a-b.example", true)]
    [InlineData("hostname", "-a.example", false)]
    [InlineData("unknown", "anything", true)]
    public void Validate_Format_IsCheckedWhenAsked(string format, string text, bool expected)
    {
        var schema = Compile(JsonSerializer.Serialize(new { format }));
        var value = JsonSerializer.SerializeToElement(text);
        Assert.True(schema.Validate(value).IsValid);
        Assert.Equal(expected, schema.Validate(value, new SchemaLimits { AssertFormats = true }).IsValid);
    }

    [Theory]
    [InlineData("^.$", "\ud83d\ude00", true)]
    [InlineData("^..$", "\ud83d\ude00", false)]
    [InlineData("^[^a]$", "\ud83d\ude00", true)]
    [InlineData("^[\\u{1F600}-\\u{1F64F}]+$", "\ud83d\ude00\ud83d\ude01", true)]
    [InlineData("^[\ud83d\ude00]$", "\ud83d\ude01", false)]
    [InlineData("^\ud83d\ude00{2}$", "\ud83d\ude00\ud83d\ude00", true)]
    [InlineData("^\\d$", "\u0663", false)]
    [InlineData("^\\w$", "\u00e9", false)]
    [InlineData("^\\s$", "\ufeff", true)]
    [InlineData("^[\\W]$", "\u00e9", true)]
    [InlineData("^[\\S]$", " ", false)]
    [InlineData("^\\p{Lu}\\P{Lu}$", "Aa", true)]
    [InlineData("a$", "a\n", false)]
    [InlineData("^a{,2}$", "a{,2}", true)]
    [InlineData("^[\\w-]+$", "a-b", true)]
    [InlineData("^[]$", "a", false)]
    [InlineData("^[^]$", "\n", true)]
    [InlineData("^(?<year>\\d{4})-\\x41\\/\\cJ$", "2026-A/\n", true)]
    public void Validate_Pattern_FollowsEcma(string pattern, string text, bool expected) =>
        Assert.Equal(expected, Compile(JsonSerializer.Serialize(new { pattern })).Validate(JsonSerializer.SerializeToElement(text)).IsValid);

    [Fact]
    public void TryCompile_OlderDialect_KeepsTuplesAndDependencies()
    {
        var schema = Compile("""{"$schema":"http://json-schema.org/draft-07/schema#","items":[{"type":"string"}],"additionalItems":false,"dependencies":{"a":["b"]}}""");
        Assert.True(schema.Validate(JsonElement.Parse("""["x"]""")).IsValid);
        Assert.False(schema.Validate(JsonElement.Parse("""["x",1]""")).IsValid);
        Assert.False(schema.Validate(JsonElement.Parse("""{"a":1}""")).IsValid);
    }

    [Fact]
    public void Validate_MetaSchemas_AreValidSchemas()
    {
        var meta = Compile("""{"$ref":"https://json-schema.org/draft/2020-12/schema"}""");
        foreach (var name in (string[])["schema", "meta/core", "meta/applicator", "meta/unevaluated", "meta/validation", "meta/meta-data", "meta/format-annotation", "meta/content"])
        {
            Assert.True(MetaSchemas.TryGet("https://json-schema.org/draft/2020-12/" + name, out var document), name);
            Assert.Empty(meta.Validate(document).Errors);
            Assert.NotNull(JsonSchema.TryCompile(document, out _));
        }
    }

    [Fact]
    public void Validate_MultipleOf_AgreesWithDecimal() =>
        Prop.ForAll<int, NonZeroInt, byte>((value, unit, scale) =>
        {
            var divisor = Math.Abs((decimal)unit.Get) / (decimal)Math.Pow(10, scale % 6);
            var number = value / 100m;
            var schema = Compile($$"""{"multipleOf":{{divisor.ToString(System.Globalization.CultureInfo.InvariantCulture)}}}""");
            return schema.Validate(JsonSerializer.SerializeToElement(number)).IsValid == (number % divisor == 0);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Validate_Bounds_AgreeWithDecimal() =>
        Prop.ForAll<decimal, decimal>((value, limit) =>
        {
            var result = Compile($$"""{"minimum":{{limit.ToString(System.Globalization.CultureInfo.InvariantCulture)}}}""").Validate(JsonSerializer.SerializeToElement(value));
            return result.IsValid == (value >= limit);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Validate_UniqueItems_AgreesWithDistinct() =>
        Prop.ForAll<sbyte[]>(items => Compile("""{"uniqueItems":true}""").Validate(JsonSerializer.SerializeToElement(items.Select(item => (int)item))).IsValid == (items.Distinct().Count() == items.Length))
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Validate_AnyPattern_NeverThrows() =>
        Prop.ForAll<string>(pattern =>
        {
            var schema = JsonSchema.TryCompile(JsonSerializer.SerializeToElement(new { pattern }), out var problems);
            return schema is not null ? schema.Validate(JsonSerializer.SerializeToElement("abc")).Cost > 0 : problems.Count > 0;
        }).QuickCheckThrowOnFailure();

    private static JsonSchema Compile(string schema)
    {
        var compiled = JsonSchema.TryCompile(JsonElement.Parse(schema), out var problems);
        Assert.True(compiled is not null, string.Join("; ", problems));
        return compiled;
    }
}
