namespace Omium.Kernel.Expressions;

/// <summary>
/// Looks at the patterns that stand as constants in an expression. Evaluation finds a bad one too, but only once a run gets there; whoever
/// saves an expression wants to know at once.
/// </summary>
internal static class PatternCheck
{
    /// <summary>Every constant pattern of <c>matches</c> that cannot be used, in the order of the text.</summary>
    public static IReadOnlyList<ExpressionError> Check(CelExpression expression)
    {
        var errors = new List<ExpressionError>();
        Visit(expression.Root, errors);
        return errors;
    }

    private static void Visit(Node node, List<ExpressionError> errors)
    {
        if (node is CallNode { Name: "matches", Children: [_, ConstantNode { Value: CelString pattern }] }
            && CompiledPattern.Compile(pattern.Value).Problem is { } problem)
        {
            errors.Add(new ExpressionError(ExpressionErrorCode.Evaluation, problem, node.Offset));
        }

        foreach (Node child in node.Children)
        {
            Visit(child, errors);
        }
    }
}
