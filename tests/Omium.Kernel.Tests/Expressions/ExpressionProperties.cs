using System.Globalization;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Omium.Kernel.Expressions;
using Xunit;

namespace Omium.Kernel.Tests.Expressions;

/// <summary>Laws that hold for every expression and value, tried on random ones.</summary>
public class ExpressionProperties
{
    private static readonly Gen<string> _fragment = Gen.Elements(
        "1", "2u", "1.5", "'a'", "b'x'", "null", "true", "x", "x.a", "y", "(", ")", "[", "]", "{", "}", ",", ":", "?", ".", "+", "-", "*", "/", "%", "!",
        "&&", "||", "==", "!=", "<", ">=", " in ", "has(x.a)", ".size()", ".all(e, ", ".map(e, e)", "size(", "'%s'.format([", ".matches('a+')",
        "duration('1s')", "timestamp(0)", "\\", "'", "`", "//", "\n", "😀", "0x", "1e999", "9223372036854775807", "cel.bind(z, 1, z)", "type(", "dyn(");

    private static readonly Gen<string> _leaf = Gen.Elements(
        "1", "-3", "2u", "1.5", "'ab'", "''", "null", "true", "false", "b'x'", "[]", "[1, 2]", "{'a': 1}", "int_", "double_", "text_", "bool_", "list_",
        "object_.n", "object_.s", "object_.none", "object_", "any_", "duration('5s')", "timestamp(10)");

    private static readonly CelType _object = CelType.ObjectOf(
        new Dictionary<string, CelType> { ["n"] = CelType.Int, ["s"] = CelType.String.Nullable() }, isClosed: true);

    /// <summary>Any text, well formed or not, compiles and evaluates without an exception, and its cost stays at the limit.</summary>
    [Fact]
    public void AnyText_CompiledAndEvaluated_NeverThrows() =>
        Prop.ForAll(Arb.From(Gen.ListOf(_fragment).Select(parts => string.Concat(parts))), text =>
        {
            var limits = new ExpressionLimits { CostMax = 10_000 };
            CelExpression? expression = CelExpression.TryCompile(text, out ExpressionError? error);
            if (expression is null)
            {
                return error is not null && error.Offset >= 0 && error.Offset <= text.Length;
            }

            ExpressionResult result = expression.Evaluate(Cel.Bindings("""{"x": {"a": [1, "b", null]}}"""), limits);
            return result.Value is null != result.Error is null;
        }).QuickCheckThrowOnFailure();

    /// <summary>Two evaluations agree in value, error and cost.</summary>
    [Fact]
    public void AnyExpression_EvaluatedTwice_Agrees() =>
        Prop.ForAll(Arb.From(Expression(4)), text =>
        {
            CelExpression expression = Cel.Compile(text);
            ExpressionResult first = expression.Evaluate(Bindings());
            ExpressionResult second = Cel.Compile(text).Evaluate(Bindings());
            return first.Cost == second.Cost && first.Error == second.Error && first.Value?.ToString() == second.Value?.ToString();
        }).QuickCheckThrowOnFailure();

    /// <summary>
    /// Where nothing can be passed over, what the checker reports fails when it is evaluated; and a value has the type it was said to have.
    /// </summary>
    [Fact]
    public void AnyExpression_WithoutShortCuts_FailsWhereTheCheckerReports() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000), Prop.ForAll(Arb.From(Expression(4)), text =>
        {
            CelExpression expression = Cel.Compile(text);
            IReadOnlyList<ExpressionError> errors = CelTypeChecker.Check(expression, RootType, out CelType type);
            ExpressionResult result = expression.Evaluate(Bindings());
            return result.Succeeded
                ? errors.Count == 0 && (type.Kind == CelKind.Dyn || type.Kind == result.Value.Kind || (type.IsNullable && result.Value.Kind == CelKind.Null))
                : result.Error.Code != ExpressionErrorCode.UnknownName;
        }));

    /// <summary>Everything that an expression reads is under one of its paths.</summary>
    [Fact]
    public void AnyExpression_OnlyReadsItsPaths() =>
        Prop.ForAll(Arb.From(Expression(4)), text =>
        {
            CelExpression expression = Cel.Compile(text);
            var asked = new AskedBindings(Bindings());
            expression.Evaluate(asked);
            return asked.Names.IsSubsetOf(expression.Paths.Select(path => path.Root));
        }).QuickCheckThrowOnFailure();

    /// <summary>Integers and text written as literals read back; JSON goes through values unharmed.</summary>
    [Fact]
    public void AnyIntOrText_AsALiteral_ReadsBack()
    {
        Prop.ForAll<long>(number => ((CelInt)Cel.Value(number.ToString(CultureInfo.InvariantCulture))).Value == number).QuickCheckThrowOnFailure();
        Prop.ForAll<NonNull<string>>(text =>
        {
            // A lone surrogate is no text: it reads as its replacement.
            string valid = System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text.Get));
            CelValue quoted = Cel.Compile("strings.quote(s)").Evaluate(new DictionaryBindings().Set("s", new CelString(valid))).Value!;
            bool reads = !valid.Any(character => character is '\n' or '\r') || quoted.ToString().Contains('\\', StringComparison.Ordinal);
            return reads && Cel.Value(quoted.ToString()).ToString() == valid;
        }).QuickCheckThrowOnFailure();
        Prop.ForAll<NormalFloat>(number =>
        {
            JsonElement json = JsonSerializer.SerializeToElement(number.Get);
            return !CelValue.FromJson(json).TryToJson(out JsonElement back, out _) || back.GetDouble() == number.Get;
        }).QuickCheckThrowOnFailure();
    }

    /// <summary>The order of two numbers of any kinds agrees with their exact values as decimals.</summary>
    [Fact]
    public void AnyTwoIntegers_Compared_AgreeWithTheirExactOrder() =>
        Prop.ForAll<long, ulong>((signed, unsigned) =>
        {
            var bindings = new DictionaryBindings().Set("i", CelInt.Of(signed)).Set("u", new CelUint(unsigned));
            bool isLess = (Int128)signed < unsigned;
            return Cel.Compile("i < u").Evaluate(bindings).Value == CelBool.Of(isLess)
                && Cel.Compile("u > i").Evaluate(bindings).Value == CelBool.Of(isLess)
                && Cel.Compile("i == u").Evaluate(bindings).Value == CelBool.Of((Int128)signed == unsigned)
                && Cel.Compile("u in {i: 1}").Evaluate(bindings).Value == CelBool.Of((Int128)signed == unsigned);
        }).QuickCheckThrowOnFailure();

    private static Gen<string> Expression(int depth)
    {
        if (depth == 0)
        {
            return _leaf;
        }

        Gen<string> inner = Expression(depth - 1);
        Gen<string> binary = Gen.Elements("+", "-", "*", "/", "%", "==", "!=", "<", ">=", "in").SelectMany(symbol =>
            inner.SelectMany(left => inner.Select(right => $"({left} {symbol} {right})")));
        Gen<string> unary = Gen.Elements(
            "!({0})", "-({0})", "({0})[0]", "({0})['a']", "({0}).n", "[{0}, 1]", "{{'k': {0}}}", "size({0})", "({0}).size()", "string({0})", "int({0})",
            "type({0})", "dyn({0})", "({0}).map(e, [e])", "({0}).startsWith('a')", "cel.bind(v, {0}, [v, v])", "math.abs({0})", "({0}).getSeconds()")
            .SelectMany(form => inner.Select(operand => string.Format(CultureInfo.InvariantCulture, form, operand)));
        return Gen.OneOf(_leaf, binary, unary);
    }

    private static DictionaryBindings Bindings() => Cel.Bindings("""
        {"int_": 7, "double_": 2.5, "text_": "abc", "bool_": true, "list_": ["a", "b"], "object_": {"n": 3, "s": null}, "any_": [1]}
        """);

    private static CelType? RootType(string name) => name switch
    {
        "int_" => CelType.Int,
        "double_" => CelType.Double,
        "text_" => CelType.String,
        "bool_" => CelType.Bool,
        "list_" => CelType.ListOf(CelType.String),
        "object_" => _object,
        "any_" => CelType.Dyn,
        _ => null,
    };

    private sealed class AskedBindings(DictionaryBindings inner) : IBindings
    {
        public HashSet<string> Names { get; } = [];

        public bool TryResolve(string name, out CelValue value)
        {
            Names.Add(name);
            return inner.TryResolve(name, out value);
        }
    }
}
