namespace Omium.Kernel.Expressions;

/// <summary>
/// Finds what cannot work in an expression before it is evaluated: unknown names, functions and fields, and operators or functions
/// on types that they do not take.
/// </summary>
/// <remarks>
/// Conservative: each error names a part that fails whenever it is evaluated, for every value of the types given. What is not known is
/// no error, nor is a field that may be missing, nor a field of a closed object that the expression itself tests with
/// <c>has()</c> or <c>in</c>. A part that <c>&amp;&amp;</c>, <c>||</c> or <c>?:</c> may pass over, or that a comprehension evaluates for no item,
/// is checked all the same: it can never contribute a value.
/// </remarks>
public static class CelTypeChecker
{
    /// <summary>The errors of an expression, in the order of the text.</summary>
    /// <param name="expression">The expression.</param>
    /// <param name="typeOfRoot">The type of a name in the bindings; null when there is no such name.</param>
    public static IReadOnlyList<ExpressionError> Check(CelExpression expression, Func<string, CelType?> typeOfRoot) =>
        Check(expression, typeOfRoot, out _);

    /// <summary>As <see cref="Check(CelExpression, Func{string, CelType?})"/>, and the type of the expression's value.</summary>
    public static IReadOnlyList<ExpressionError> Check(CelExpression expression, Func<string, CelType?> typeOfRoot, out CelType type)
    {
        var inference = new TypeInference(typeOfRoot, expression.Root);
        type = inference.Infer(expression.Root);
        return inference.Errors;
    }
}
