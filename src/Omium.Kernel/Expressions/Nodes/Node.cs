namespace Omium.Kernel.Expressions;

/// <summary>
/// A node of a compiled expression. Evaluating never throws: a failure is a value (<see cref="CelFailure"/>) that travels up
/// until an operator absorbs it. Nodes are immutable, hence safe to evaluate from several threads.
/// </summary>
internal abstract class Node(int offset)
{
    /// <summary>Where the node begins, or its operator stands, in the text.</summary>
    public int Offset { get; } = offset;

    /// <summary>Nesting below and including this node.</summary>
    public int Depth { get; set; } = 1;

    /// <summary>The nodes this one is made of, in the order of the text.</summary>
    public virtual IReadOnlyList<Node> Children => [];

    public abstract CelValue Evaluate(Evaluation evaluation);
}

/// <summary>The state of one evaluation: bindings, comprehension variables, and what may still be spent.</summary>
internal sealed class Evaluation(IBindings bindings, ExpressionLimits limits, int variables, long costSpent = 0)
{
    private CelFailure? _exhausted;

    public IBindings Bindings { get; } = bindings;

    /// <summary>The values of comprehension variables, by slot.</summary>
    public CelValue[] Variables { get; } = variables == 0 ? [] : new CelValue[variables];

    public long Cost { get; private set; } = costSpent;

    public long CostLeft => limits.CostMax - Cost;

    public int ResultSizeMax => limits.ResultSizeMax;

    /// <summary>Spends cost; false when the limit is passed: the caller then returns <see cref="Exhausted"/>.</summary>
    public bool Spend(long units)
    {
        Cost += units;
        return Cost <= limits.CostMax;
    }

    public CelFailure Exhausted(int offset) => _exhausted ??= new CelFailure(
        new ExpressionError(
            ExpressionErrorCode.CostExceeded,
            $"the evaluation costs more than {limits.CostMax} units; read less, or test fewer items", offset),
        isFinal: true);

    /// <summary>Spends the cost of building something of a size; null when that is allowed.</summary>
    public CelFailure? Build(long size, long unitsPerSize, int offset)
    {
        if (size > limits.ResultSizeMax)
        {
            return new CelFailure(
                new ExpressionError(ExpressionErrorCode.TooLarge, $"a value would have the size {size}; at most {limits.ResultSizeMax} is allowed", offset),
                isFinal: true);
        }

        return Spend(1 + (size / unitsPerSize)) ? null : Exhausted(offset);
    }

    /// <summary>Spends the cost of building a text; null when that is allowed.</summary>
    public CelFailure? BuildText(long length, int offset) => Build(length, 4, offset);

    /// <summary>Spends the cost of building a list or map; null when that is allowed.</summary>
    public CelFailure? BuildItems(long count, int offset) => Build(count, 1, offset);

    /// <summary>Whether two values are equal, spending what the comparison takes.</summary>
    public CelValue AreEqual(CelValue left, CelValue right, int offset)
    {
        long before = Math.Max(0, CostLeft);
        long budget = before;
        bool areEqual = CelOrder.AreEqual(left, right, ref budget, 0);
        if (budget == CelOrder.Opaque)
        {
            return OpaqueMap.TooLarge;
        }

        if (budget < 0)
        {
            Spend(before + 1);
            return Exhausted(offset);
        }

        Spend(before - budget);
        return CelBool.Of(areEqual);
    }

    public static CelFailure Fail(string message, int offset) => new(new ExpressionError(ExpressionErrorCode.Evaluation, message, offset));

    public static CelFailure FailType(string message, int offset) => new(new ExpressionError(ExpressionErrorCode.Type, message, offset));
}
