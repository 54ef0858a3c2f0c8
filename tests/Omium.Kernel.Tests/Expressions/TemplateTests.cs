using System.Text.Json;
using Omium.Kernel.Expressions;
using Xunit;

namespace Omium.Kernel.Tests.Expressions;

public class TemplateTests
{
    private const string Data = """{"input": {"n": 3, "half": 1.5, "list": [1, {"b": 1, "a": 2}], "name": "Ada", "nothing": null, "ok": true}}""";

    [Theory]
    [InlineData("\"${{ input.n }}\"", "3")]
    [InlineData("\"${{input.list}}\"", """[1,{"b":1,"a":2}]""")]
    [InlineData("\"${{ input.nothing }}\"", "null")]
    [InlineData("\"Hello ${{ input.name }}, ${{ input.n + 1 }}!\"", "\"Hello Ada, 4!\"")]
    [InlineData("\" ${{ input.n }}\"", "\" 3\"")]
    [InlineData("\"${{ input.name }}${{ input.ok }}\"", "\"Adatrue\"")]
    [InlineData("\"= ${{ input.list }}\"", """ "= [1,{\"a\":2,\"b\":1}]" """)]
    [InlineData("\"x${{ input.half }}${{ input.nothing }}${{ duration('1s') }}\"", "\"x1.5null1s\"")]
    [InlineData("\"$${{ input.n }} ${{ input.n }}\"", "\"${{ input.n }} 3\"")]
    [InlineData("\"$${{ a }}\"", "\"${{ a }}\"")]
    [InlineData("\"${{ {'a': {'b': '}}'}} }}\"", """{"a":{"b":"}}"}}""")]
    [InlineData("""{"a": ["${{ input.n }}", {"b/c": "${{ input.name }}"}], "k": 1.50}""", """{"a":[3,{"b/c":"Ada"}],"k":1.50}""")]
    [InlineData("""{"${{ key }}": 1}""", """{"${{ key }}": 1}""")]
    [InlineData("\"no { braces } $ {{ here }}\"", "\"no { braces } $ {{ here }}\"")]
    public void Evaluate_OfATemplate_PutsValuesInTheirPlaces(string template, string expected)
    {
        Template? compiled = Template.TryCompile(Cel.Json(template), out IReadOnlyList<TemplateError> errors);
        Assert.Empty(errors);
        TemplateResult result = compiled!.Evaluate(Cel.Bindings(Data));
        Assert.Null(result.Error);
        Assert.True(JsonElement.DeepEquals(Cel.Json(expected), result.Value!.Value), result.Value.Value.GetRawText());
    }

    [Fact]
    public void TryCompile_OfAConstant_IsConstantAndKeptAsWritten()
    {
        const string Text = """{"a": [1.50, "\ud800", "plain"]}""";
        Template template = Template.TryCompile(Cel.Json(Text), out _)!;
        Assert.True(template.IsConstant);
        Assert.Equal(Text, template.Evaluate(new DictionaryBindings()).Value!.Value.GetRawText());
    }

    [Fact]
    public void TryCompile_WithErrors_ListsThemAllWithTheirPlaces()
    {
        JsonElement value = Cel.Json("""{"a/b": ["x ${{ 1 + }}"], "c": "${{ input.n ", "d": "${{ 'open }}", "e": "${{ ok }}"}""");
        Assert.Null(Template.TryCompile(value, out IReadOnlyList<TemplateError> errors));
        Assert.Equal(["/a~1b/0", "/c", "/d"], errors.Select(error => error.Pointer));
        Assert.Equal([9, 0, 4], errors.Select(error => error.Error.Offset));
        Assert.All(errors, error => Assert.Equal(ExpressionErrorCode.Syntax, error.Error.Code));
    }

    [Fact]
    public void Expressions_OfATemplate_HaveTheirPointers()
    {
        Template template = Template.TryCompile(Cel.Json("""{"a": ["${{ input.x }}-${{ input.y }}"], "b": "${{ 1 }}"}"""), out _)!;
        Assert.Equal(["/a/0 input.x", "/a/0 input.y", "/b 1"], template.Expressions.Select(entry => $"{entry.Pointer} {entry.Expression.Text}"));
        Assert.False(template.IsConstant);
    }

    [Theory]
    [InlineData("\"ab ${{ input.missing }}\"", ExpressionErrorCode.Evaluation, 13)]
    [InlineData("\"${{ 9007199254740992 }}\"", ExpressionErrorCode.Type, 4)]
    [InlineData("\"x${{ 0.0 / 0.0 }}\"", ExpressionErrorCode.Type, 5)]
    [InlineData("\"x${{ type(1) }}\"", ExpressionErrorCode.Type, 5)]
    public void Evaluate_OfATemplateThatFails_SaysWhere(string template, string code, int offset)
    {
        TemplateError? error = Template.TryCompile(Cel.Json($$"""{"t": {{template}}}"""), out _)!.Evaluate(Cel.Bindings(Data)).Error;
        Assert.Equal(("/t", code, offset), (error?.Pointer, error?.Error.Code, error?.Error.Offset));
    }

    [Fact]
    public void Evaluate_OfManyExpressions_SharesOneCostAndSize()
    {
        Template template = Template.TryCompile(Cel.Json("[" + string.Join(',', Enumerable.Repeat("\"${{ input.big }}\"", 100)) + "]"), out _)!;
        DictionaryBindings bindings = Cel.Bindings("{\"input\": {\"big\": \"" + new string('x', 100_000) + "\"}}");
        Assert.Equal(ExpressionErrorCode.TooLarge, template.Evaluate(bindings).Error?.Error.Code);
        Assert.Equal(ExpressionErrorCode.CostExceeded, template.Evaluate(bindings, new ExpressionLimits { CostMax = 1_000 }).Error?.Error.Code);
    }
}
