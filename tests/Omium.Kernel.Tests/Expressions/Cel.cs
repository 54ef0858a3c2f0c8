using System.Text.Json;
using Omium.Kernel.Expressions;
using Xunit;

namespace Omium.Kernel.Tests.Expressions;

/// <summary>Short ways to compile and evaluate in tests.</summary>
internal static class Cel
{
    public static CelExpression Compile(string text, ExpressionLimits? limits = null)
    {
        CelExpression? expression = CelExpression.TryCompile(text, out ExpressionError? error, limits);
        Assert.True(expression is not null, $"{text}: {error}");
        return expression;
    }

    public static ExpressionError CompileError(string text, ExpressionLimits? limits = null)
    {
        Assert.Null(CelExpression.TryCompile(text, out ExpressionError? error, limits));
        return error!;
    }

    public static CelValue Value(string text, string bindings = "{}")
    {
        ExpressionResult result = Compile(text).Evaluate(Bindings(bindings));
        Assert.True(result.Succeeded, $"{text}: {result.Error}");
        return result.Value;
    }

    public static ExpressionError Error(string text, string bindings = "{}")
    {
        ExpressionResult result = Compile(text).Evaluate(Bindings(bindings));
        Assert.False(result.Succeeded, $"{text} has the value {result.Value}");
        return result.Error;
    }

    public static bool IsTrue(string text, string bindings = "{}") => Value(text, bindings) == CelBool.True;

    public static DictionaryBindings Bindings(string json) =>
        new(Json(json).EnumerateObject().Select(entry => new KeyValuePair<string, CelValue>(entry.Name, CelValue.FromJson(entry.Value))));

    public static JsonElement Json(string json) => JsonElement.Parse(json, new JsonDocumentOptions { MaxDepth = 1_000 });
}
