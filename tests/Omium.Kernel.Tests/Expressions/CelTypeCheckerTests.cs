using Omium.Kernel.Expressions;
using Xunit;

namespace Omium.Kernel.Tests.Expressions;

public class CelTypeCheckerTests
{
    private const string Schema = """
        {"type": "object", "additionalProperties": false, "properties": {
          "apr": {"type": "number"}, "count": {"type": "integer"}, "name": {"type": ["string", "null"]},
          "tags": {"type": "array", "items": {"type": "string"}},
          "open": {"type": "object", "properties": {"known": {"type": "string"}}},
          "address": {"$ref": "#/$defs/address"}, "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
          "either": {"oneOf": [{"type": "integer"}, {"type": "string"}]}, "level": {"enum": ["low", "high"]}},
         "$defs": {"address": {"type": "object", "properties": {"city": {"type": "string"}, "next": {"$ref": "#/$defs/address"}},
                   "additionalProperties": false}}}
        """;

    private static readonly CelType _output = CelType.FromJsonSchema(Cel.Json(Schema));

    [Theory]
    [InlineData("output.apr >= 2.5 && output.apr <= 8.5", "bool")]
    [InlineData("output.apr > 3", "bool")]
    [InlineData("output.count + 1", "int")]
    [InlineData("output.apr * 2.0 - 1.0", "double")]
    [InlineData("output.name + 'x'", "string")]
    [InlineData("output.name == null || output.name == 3", "bool")]
    [InlineData("output.tags.all(t, t.startsWith('x'))", "bool")]
    [InlineData("output.tags.map(t, size(t))", "list<int>")]
    [InlineData("output.open.anything.at.all + 1", "int")]
    [InlineData("output.address.next.next.city.upperAscii()", "string")]
    [InlineData("output.maybe + 1", "int")]
    [InlineData("output.either + 1 == 2 && output.either + 'x' == 'y'", "bool")]
    [InlineData("output.level.contains('o')", "bool")]
    [InlineData("has(output.extra) ? output.extra > 1 : true", "bool")]
    [InlineData("'extra' in output && output.extra == 1", "bool")]
    [InlineData("output['apr'] > 1.0", "bool")]
    [InlineData("dyn(output.apr) + 1", "int")]
    [InlineData("now + duration('1h') > timestamp('2026-01-01T00:00:00Z')", "bool")]
    [InlineData("(now - now).getHours()", "int")]
    [InlineData("any.thing + any[0].foo(1) == any", "bool", "foo")]
    [InlineData("{'a': 1}.a + [1, 2][0]", "int")]
    [InlineData("type(output.apr) == double", "bool")]
    [InlineData("output.map(k, k + 'x')", "list<string>")]
    [InlineData("cel.bind(a, output.address, a.city + 'x')", "string")]
    public void Check_OfWhatMayWork_ReportsNothing(string text, string type, string? unknownFunction = null)
    {
        IReadOnlyList<ExpressionError> errors = CelTypeChecker.Check(Cel.Compile(text), Root, out CelType result);
        Assert.Equal(unknownFunction is null ? 0 : 1, errors.Count);
        Assert.Equal(type, result.ToString());
    }

    [Theory]
    [InlineData("output.aprr > 2.5", ExpressionErrorCode.UnknownField, 7)]
    [InlineData("output.address.street == 'x'", ExpressionErrorCode.UnknownField, 15)]
    [InlineData("output.address.next['street']", ExpressionErrorCode.UnknownField, 19)]
    [InlineData("output.count + 1.5", ExpressionErrorCode.Type, 13)]
    [InlineData("output.apr + 1", ExpressionErrorCode.Type, 11)]
    [InlineData("output.apr > 'x'", ExpressionErrorCode.Type, 11)]
    [InlineData("output.count.foo", ExpressionErrorCode.Type, 13)]
    [InlineData("has(output.count.foo)", ExpressionErrorCode.Type, 17)]
    [InlineData("output.tags[0] + 1", ExpressionErrorCode.Type, 15)]
    [InlineData("output.tags['a']", ExpressionErrorCode.Type, 11)]
    [InlineData("output.tags.all(t, t > 1)", ExpressionErrorCode.Type, 21)]
    [InlineData("output.tags.filter(t, t)", ExpressionErrorCode.Type, 22)]
    [InlineData("output.apr.all(t, true)", ExpressionErrorCode.Type, 11)]
    [InlineData("!output.apr", ExpressionErrorCode.Type, 8)]
    [InlineData("-output.level", ExpressionErrorCode.Type, 0)]
    [InlineData("output.apr ? 1 : 2", ExpressionErrorCode.Type, 7)]
    [InlineData("output.count && true", ExpressionErrorCode.Type, 7)]
    [InlineData("1 in output.apr", ExpressionErrorCode.Type, 2)]
    [InlineData("nothing.x", ExpressionErrorCode.UnknownName, 0)]
    [InlineData("frobnicate(1)", ExpressionErrorCode.UnknownName, 0)]
    [InlineData("output.level.frobnicate()", ExpressionErrorCode.UnknownName, 13)]
    [InlineData("size(1, 2)", ExpressionErrorCode.Type, 0)]
    [InlineData("size(output.apr)", ExpressionErrorCode.Type, 0)]
    [InlineData("output.level.startsWith(1)", ExpressionErrorCode.Type, 13)]
    [InlineData("{'a': 1}.b", ExpressionErrorCode.UnknownField, 9)]
    [InlineData("output.level % 2", ExpressionErrorCode.Type, 13)]
    [InlineData("2.0 % 2.0", ExpressionErrorCode.Type, 4)]
    public void Check_OfWhatCannotWork_ReportsIt(string text, string code, int offset)
    {
        ExpressionError error = Assert.Single(CelTypeChecker.Check(Cel.Compile(text), Root));
        Assert.Equal((code, offset), (error.Code, error.Offset));
    }

    [Theory]
    [InlineData("true", "dyn")]
    [InlineData("{}", "dyn")]
    [InlineData("""{"type": ["integer", "string"]}""", "dyn")]
    [InlineData("""{"type": ["integer", "number", "null"]}""", "double?")]
    [InlineData("""{"const": "x"}""", "string")]
    [InlineData("""{"enum": ["x", null]}""", "string?")]
    [InlineData("""{"enum": ["x", 1]}""", "dyn")]
    [InlineData("""{"allOf": [{"type": "integer"}, {"type": "number"}]}""", "double")]
    [InlineData("""{"type": "integer", "anyOf": [{"type": "number"}]}""", "dyn")]
    [InlineData("""{"$ref": "#"}""", "dyn")]
    [InlineData("""{"$ref": "https://elsewhere.example/schema"}""", "dyn")]
    [InlineData("""{"type": "array", "items": {"type": "boolean"}}""", "list<bool>")]
    [InlineData("""{"type": "array", "prefixItems": [{"type": "boolean"}], "items": {"type": "boolean"}}""", "list<dyn>")]
    [InlineData("""{"type": "object"}""", "object")]
    [InlineData("""{"type": 5, "properties": [], "$ref": 1}""", "dyn")]
    public void FromJsonSchema_OfASchema_ClaimsOnlyWhatIsSure(string schema, string type) =>
        Assert.Equal(type, CelType.FromJsonSchema(Cel.Json(schema)).ToString());

    private static CelType? Root(string name) => name switch
    {
        "output" => _output,
        "now" => CelType.Timestamp,
        "any" => CelType.Dyn,
        _ => null,
    };
}
