namespace Omium.Kernel.Expressions;

/// <summary>
/// A chain of <c>&amp;&amp;</c> or of <c>||</c>. The value that decides (false for and, true for or) wins over errors on either side.
/// </summary>
internal sealed class LogicNode(bool isOr, Node[] operands, int offset) : Node(offset)
{
    public bool IsOr => isOr;

    public override IReadOnlyList<Node> Children => operands;

    public override CelValue Evaluate(Evaluation evaluation)
    {
        if (!evaluation.Spend(1))
        {
            return evaluation.Exhausted(Offset);
        }

        CelFailure? failure = null;
        foreach (Node operand in operands)
        {
            switch (operand.Evaluate(evaluation))
            {
                case CelBool flag when flag.Value == isOr:
                    return flag;
                case CelBool:
                    break;
                case CelFailure { IsFinal: true } final:
                    return final;
                case CelFailure other:
                    failure ??= other;
                    break;
                case { } other:
                    failure ??= Evaluation.FailType($"{(isOr ? "||" : "&&")} needs bools, not a {other.Type.Name}", operand.Offset);
                    break;
            }
        }

        return failure ?? (CelValue)CelBool.Of(!isOr);
    }
}

/// <summary><c>condition ? whenTrue : whenFalse</c>.</summary>
internal sealed class ConditionalNode(Node condition, Node whenTrue, Node whenFalse, int offset) : Node(offset)
{
    public override IReadOnlyList<Node> Children { get; } = [condition, whenTrue, whenFalse];

    public override CelValue Evaluate(Evaluation evaluation)
    {
        if (!evaluation.Spend(1))
        {
            return evaluation.Exhausted(Offset);
        }

        return condition.Evaluate(evaluation) switch
        {
            CelBool flag => (flag.Value ? whenTrue : whenFalse).Evaluate(evaluation),
            CelFailure failure => failure,
            { } other => Evaluation.FailType($"a condition needs a bool, not a {other.Type.Name}", condition.Offset),
        };
    }
}

/// <summary><c>!operand</c>.</summary>
internal sealed class NotNode(Node operand, int offset) : Node(offset)
{
    public override IReadOnlyList<Node> Children { get; } = [operand];

    public override CelValue Evaluate(Evaluation evaluation)
    {
        if (!evaluation.Spend(1))
        {
            return evaluation.Exhausted(Offset);
        }

        return operand.Evaluate(evaluation) switch
        {
            CelBool flag => CelBool.Of(!flag.Value),
            CelFailure failure => failure,
            { } other => Evaluation.FailType($"! needs a bool, not a {other.Type.Name}", Offset),
        };
    }
}

/// <summary><c>left == right</c> and <c>left != right</c>: defined for every pair of values.</summary>
internal sealed class EqualityNode(Node left, Node right, bool isNegated, int offset) : Node(offset)
{
    public override IReadOnlyList<Node> Children { get; } = [left, right];

    public override CelValue Evaluate(Evaluation evaluation)
    {
        if (!evaluation.Spend(1))
        {
            return evaluation.Exhausted(Offset);
        }

        CelValue one = left.Evaluate(evaluation);
        CelValue other = one is CelFailure ? one : right.Evaluate(evaluation);
        if (other is CelFailure)
        {
            return other;
        }

        CelValue areEqual = evaluation.AreEqual(one, other, Offset);
        return areEqual is CelBool flag ? CelBool.Of(flag.Value != isNegated) : areEqual;
    }
}

/// <summary>The operators of order.</summary>
internal enum RelationKind
{
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary><c>left &lt; right</c> and its kin. Numbers compare across their kinds.</summary>
internal sealed class RelationNode(RelationKind kind, Node left, Node right, int offset) : Node(offset)
{
    public RelationKind Relation => kind;

    public override IReadOnlyList<Node> Children { get; } = [left, right];

    public override CelValue Evaluate(Evaluation evaluation)
    {
        if (!evaluation.Spend(1))
        {
            return evaluation.Exhausted(Offset);
        }

        CelValue one = left.Evaluate(evaluation);
        CelValue other = one is CelFailure ? one : right.Evaluate(evaluation);
        if (other is CelFailure)
        {
            return other;
        }

        if (one is CelString text && !evaluation.Spend(text.Value.Length / 16))
        {
            return evaluation.Exhausted(Offset);
        }

        return CelOrder.Compare(one, other) switch
        {
            null => Evaluation.FailType($"a {one.Type.Name} has no order with a {other.Type.Name}", Offset),
            CelOrder.Unordered => CelBool.False,
            int order => CelBool.Of(kind switch
            {
                RelationKind.Less => order < 0,
                RelationKind.LessOrEqual => order <= 0,
                RelationKind.Greater => order > 0,
                _ => order >= 0,
            }),
        };
    }
}

/// <summary><c>item in collection</c>: an element of a list, or a key of a map.</summary>
internal sealed class InNode(Node item, Node collection, int offset) : Node(offset)
{
    public override IReadOnlyList<Node> Children { get; } = [item, collection];

    public override CelValue Evaluate(Evaluation evaluation)
    {
        if (!evaluation.Spend(1))
        {
            return evaluation.Exhausted(Offset);
        }

        CelValue value = item.Evaluate(evaluation);
        CelValue range = value is CelFailure ? value : collection.Evaluate(evaluation);
        switch (range)
        {
            case CelFailure:
                return range;
            case CelMap map:
                bool isKey = map.TryGet(value, out CelValue member);
                return member is CelFailure ? member : CelBool.Of(isKey);
            case CelList list:
                for (int index = 0; index < list.Count; index++)
                {
                    CelValue areEqual = evaluation.AreEqual(value, list[index], Offset);
                    if (areEqual != CelBool.False)
                    {
                        return areEqual;
                    }
                }

                return CelBool.False;
            default:
                return Evaluation.FailType($"'in' needs a list or a map, not a {range.Type.Name}", Offset);
        }
    }
}
