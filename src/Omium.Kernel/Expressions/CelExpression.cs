namespace Omium.Kernel.Expressions;

/// <summary>
/// A compiled expression of the Common Expression Language (the specification's langdef, with its strings and math extensions).
/// Guarantees: it has no side effects and always ends; the same bindings give the same answer and the same cost on every machine;
/// compiling and evaluating never throw for bad text or values; memory and stack are bounded by <see cref="ExpressionLimits"/>.
/// Immutable and safe to share between threads.
/// </summary>
/// <remarks>
/// The one input besides the bindings is the machine's time zone data, read only when a getter of a timestamp names an IANA zone;
/// <c>UTC</c> and offsets such as <c>+01:00</c> do not need it.
/// </remarks>
public sealed class CelExpression
{
    private readonly int _variableCount;

    private CelExpression(string text, Node root, int variableCount)
    {
        Text = text;
        Root = root;
        _variableCount = variableCount;
        Paths = PathCollector.Collect(root);
    }

    /// <summary>The text as it was given.</summary>
    public string Text { get; }

    /// <summary>
    /// Everything that the expression reads, once each, in the order of the text: <c>steps.score.output.apr</c>. <c>has(x.y)</c> reads
    /// <c>x.y</c>; an index that is no constant text reads the whole collection, as a comprehension reads the whole of its range.
    /// </summary>
    public IReadOnlyList<ExpressionPath> Paths { get; }

    internal Node Root { get; }

    /// <summary>Compiles a text. Null, with the error, when it is no expression or exceeds a limit; takes time linear in the text.</summary>
    public static CelExpression? TryCompile(string text, out ExpressionError? error, ExpressionLimits? limits = null)
    {
        Node? root = Parser.TryParse(text, limits ?? ExpressionLimits.Default, out int variableCount, out error);
        return root is null ? null : new CelExpression(text, root, variableCount);
    }

    /// <summary>Evaluates the expression. A failure is in the result; only an exception of the bindings themselves passes through.</summary>
    public ExpressionResult Evaluate(IBindings bindings, ExpressionLimits? limits = null) =>
        Evaluate(bindings, limits ?? ExpressionLimits.Default, 0);

    internal ExpressionResult Evaluate(IBindings bindings, ExpressionLimits limits, long costSpent)
    {
        var evaluation = new Evaluation(bindings, limits, _variableCount, costSpent);
        CelValue value = Root.Evaluate(evaluation);
        if (value is not CelFailure failure)
        {
            return new ExpressionResult(value, null, evaluation.Cost);
        }

        bindings.Failed();
        return new ExpressionResult(null, failure.Error, evaluation.Cost);
    }

    /// <summary>The text of the expression.</summary>
    public override string ToString() => Text;
}
