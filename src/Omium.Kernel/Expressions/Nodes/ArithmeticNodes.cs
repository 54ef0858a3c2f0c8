using System.Runtime.InteropServices;

namespace Omium.Kernel.Expressions;

/// <summary>The arithmetic operators.</summary>
internal enum ArithmeticKind
{
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// <summary>One operator and its right operand in a chain.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ArithmeticTerm(ArithmeticKind Kind, Node Operand, int Offset);

/// <summary>
/// A chain such as <c>a + b - c</c>, from left to right. One node, so that a long sum is not a deep tree.
/// </summary>
internal sealed class ArithmeticNode(Node first, ArithmeticTerm[] terms) : Node(terms[0].Offset)
{
    public Node First => first;

    public IReadOnlyList<ArithmeticTerm> Terms => terms;

    public override IReadOnlyList<Node> Children { get; } = [first, .. terms.Select(term => term.Operand)];

    public override CelValue Evaluate(Evaluation evaluation)
    {
        CelValue left = first.Evaluate(evaluation);
        foreach (ArithmeticTerm term in terms)
        {
            if (left is CelFailure)
            {
                return left;
            }

            if (!evaluation.Spend(1))
            {
                return evaluation.Exhausted(term.Offset);
            }

            CelValue right = term.Operand.Evaluate(evaluation);
            left = right is CelFailure ? right : Arithmetic.Apply(term.Kind, left, right, evaluation, term.Offset);
        }

        return left;
    }
}

/// <summary><c>-operand</c>.</summary>
internal sealed class NegateNode(Node operand, int offset) : Node(offset)
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
            CelInt { Value: long.MinValue } => Evaluation.Fail("the negation overflows an int", Offset),
            CelInt integer => CelInt.Of(-integer.Value),
            CelDouble number => new CelDouble(-number.Value),
            CelFailure failure => failure,
            { } other => Evaluation.FailType($"a {other.Type.Name} cannot be negated", Offset),
        };
    }
}

/// <summary>Arithmetic on two values of the same kind, and on times.</summary>
internal static class Arithmetic
{
    public static CelValue Apply(ArithmeticKind kind, CelValue left, CelValue right, Evaluation evaluation, int offset)
    {
        CelValue? result = (left, right) switch
        {
            (CelInt one, CelInt other) => OnInt(kind, one.Value, other.Value, offset),
            (CelDouble one, CelDouble other) => OnDouble(kind, one.Value, other.Value),
            (CelUint one, CelUint other) => OnUint(kind, one.Value, other.Value, offset),
            _ when kind == ArithmeticKind.Add => Concatenate(left, right, evaluation, offset) ?? OnTime(left, right, offset),
            (CelTimestamp one, CelTimestamp other) when kind == ArithmeticKind.Subtract =>
                one.TrySubtract(other) ?? (CelValue)Range("the difference of the timestamps exceeds a duration", offset),
            (CelTimestamp one, CelDuration other) when kind == ArithmeticKind.Subtract && other.Nanoseconds != long.MinValue =>
                one.TryAdd(new CelDuration(-other.Nanoseconds)) ?? (CelValue)Range("the time is out of range", offset),
            (CelDuration one, CelDuration other) when kind == ArithmeticKind.Subtract =>
                Duration((Int128)one.Nanoseconds - other.Nanoseconds, offset),
            _ => null,
        };
        return result ?? Evaluation.FailType($"no such operator: {left.Type.Name} {Symbol(kind)} {right.Type.Name}", offset);
    }

    public static string Symbol(ArithmeticKind kind) => kind switch
    {
        ArithmeticKind.Add => "+",
        ArithmeticKind.Subtract => "-",
        ArithmeticKind.Multiply => "*",
        ArithmeticKind.Divide => "/",
        _ => "%",
    };

    private static CelValue OnInt(ArithmeticKind kind, long left, long right, int offset)
    {
        if (right == 0 && kind is ArithmeticKind.Divide or ArithmeticKind.Modulo)
        {
            return Evaluation.Fail(kind == ArithmeticKind.Divide ? "division by zero" : "modulus by zero", offset);
        }

        Int128 result = kind switch
        {
            ArithmeticKind.Add => (Int128)left + right,
            ArithmeticKind.Subtract => (Int128)left - right,
            ArithmeticKind.Multiply => (Int128)left * right,
            ArithmeticKind.Divide => right == -1 ? -(Int128)left : left / right,
            _ => right == -1 && left != long.MinValue ? 0 : (Int128)left % right,
        };
        return result < long.MinValue || result > long.MaxValue
            ? Evaluation.Fail($"{left} {Symbol(kind)} {right} overflows an int", offset)
            : CelInt.Of((long)result);
    }

    private static CelValue OnUint(ArithmeticKind kind, ulong left, ulong right, int offset)
    {
        if (right == 0 && kind is ArithmeticKind.Divide or ArithmeticKind.Modulo)
        {
            return Evaluation.Fail(kind == ArithmeticKind.Divide ? "division by zero" : "modulus by zero", offset);
        }

        Int128 result = kind switch
        {
            ArithmeticKind.Add => (Int128)left + right,
            ArithmeticKind.Subtract => (Int128)left - right,
            ArithmeticKind.Multiply => right != 0 && left > ulong.MaxValue / right ? -1 : (Int128)(left * right),
            ArithmeticKind.Divide => left / right,
            _ => left % right,
        };
        return result < 0 || result > ulong.MaxValue
            ? Evaluation.Fail($"{left} {Symbol(kind)} {right} overflows a uint", offset)
            : new CelUint((ulong)result);
    }

    private static CelDouble? OnDouble(ArithmeticKind kind, double left, double right) => kind switch
    {
        ArithmeticKind.Add => new CelDouble(left + right),
        ArithmeticKind.Subtract => new CelDouble(left - right),
        ArithmeticKind.Multiply => new CelDouble(left * right),
        ArithmeticKind.Divide => new CelDouble(left / right),
        _ => null,
    };

    private static CelValue? Concatenate(CelValue left, CelValue right, Evaluation evaluation, int offset)
    {
        switch (left, right)
        {
            case (CelString one, CelString other):
                return evaluation.BuildText((long)one.Value.Length + other.Value.Length, offset)
                    ?? (CelValue)new CelString(one.Value + other.Value);
            case (CelBytes one, CelBytes other):
                return evaluation.BuildText((long)one.Value.Length + other.Value.Length, offset)
                    ?? (CelValue)new CelBytes((byte[])[.. one.Value.Span, .. other.Value.Span]);
            case (CelList one, CelList other):
                if (evaluation.BuildItems((long)one.Count + other.Count, offset) is { } failure)
                {
                    return failure;
                }

                var values = new CelValue[one.Count + other.Count];
                for (int index = 0; index < values.Length; index++)
                {
                    values[index] = index < one.Count ? one[index] : other[index - one.Count];
                }

                return CelList.Of(values);
            default:
                return null;
        }
    }

    private static CelValue? OnTime(CelValue left, CelValue right, int offset) => (left, right) switch
    {
        (CelTimestamp time, CelDuration duration) => time.TryAdd(duration) ?? (CelValue)Range("the time is out of range", offset),
        (CelDuration duration, CelTimestamp time) => time.TryAdd(duration) ?? (CelValue)Range("the time is out of range", offset),
        (CelDuration one, CelDuration other) => Duration((Int128)one.Nanoseconds + other.Nanoseconds, offset),
        _ => null,
    };

    private static CelValue Duration(Int128 nanoseconds, int offset) =>
        nanoseconds < long.MinValue || nanoseconds > long.MaxValue
            ? Evaluation.Fail("the duration is out of range", offset)
            : new CelDuration((long)nanoseconds);

    private static CelFailure Range(string message, int offset) => Evaluation.Fail(message, offset);
}
