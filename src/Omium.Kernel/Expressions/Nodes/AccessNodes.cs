namespace Omium.Kernel.Expressions;

/// <summary>A literal, or the name of a type.</summary>
internal sealed class ConstantNode(CelValue value, int offset) : Node(offset)
{
    public CelValue Value { get; } = value;

    public override CelValue Evaluate(Evaluation evaluation) => evaluation.Spend(1) ? Value : evaluation.Exhausted(Offset);
}

/// <summary>A variable of an enclosing comprehension.</summary>
internal sealed class VariableNode(string name, int slot, int offset) : Node(offset)
{
    public string Name { get; } = name;

    public int Slot { get; } = slot;

    public override CelValue Evaluate(Evaluation evaluation) =>
        evaluation.Spend(1) ? evaluation.Variables[Slot] : evaluation.Exhausted(Offset);
}

/// <summary>A name to be found in the bindings.</summary>
internal sealed class NameNode(string name, int offset) : Node(offset)
{
    public string Name { get; } = name;

    public override CelValue Evaluate(Evaluation evaluation)
    {
        if (!evaluation.Spend(1))
        {
            return evaluation.Exhausted(Offset);
        }

        return evaluation.Bindings.TryResolve(Name, out CelValue value)
            ? value
            : new CelFailure(new ExpressionError(ExpressionErrorCode.UnknownName, $"there is no value named '{Name}'", Offset));
    }
}

/// <summary><c>operand.field</c>, or <c>has(operand.field)</c>.</summary>
internal sealed class SelectNode(Node operand, string field, bool isTest, int offset) : Node(offset)
{
    private readonly CelString _key = new(field);

    public Node Operand { get; } = operand;

    public string Field { get; } = field;

    /// <summary>True for <c>has()</c>: answers whether the field is there.</summary>
    public bool IsTest { get; } = isTest;

    /// <summary>The whole selection as one dotted name, where it is made of plain names only.</summary>
    public string? QualifiedName { get; } = operand switch
    {
        NameNode name => name.Name + "." + field,
        SelectNode { QualifiedName: { } qualified, IsTest: false } => qualified + "." + field,
        _ => null,
    };

    public override IReadOnlyList<Node> Children { get; } = [operand];

    public override CelValue Evaluate(Evaluation evaluation)
    {
        if (!evaluation.Spend(1))
        {
            return evaluation.Exhausted(Offset);
        }

        if (QualifiedName is not null && evaluation.Bindings.HasQualifiedNames
            && evaluation.Bindings.TryResolve(QualifiedName, out CelValue bound))
        {
            return IsTest ? CelBool.True : bound;
        }

        CelValue value = Operand.Evaluate(evaluation);
        if (value is CelMap map)
        {
            bool found = map.TryGet(_key, out CelValue selected);
            return found && selected is CelFailure ? selected : IsTest ? CelBool.Of(found) : found ? selected : Evaluation.Fail($"there is no field '{Field}'", Offset);
        }

        return value is CelFailure ? value
            : Evaluation.FailType($"a {value.Type.Name} has no fields; '{Field}' cannot be selected", Offset);
    }
}

/// <summary><c>operand[index]</c> on a list or a map.</summary>
internal sealed class IndexNode(Node operand, Node index, int offset) : Node(offset)
{
    public Node Operand { get; } = operand;

    public Node Index { get; } = index;

    public override IReadOnlyList<Node> Children { get; } = [operand, index];

    public override CelValue Evaluate(Evaluation evaluation)
    {
        if (!evaluation.Spend(1))
        {
            return evaluation.Exhausted(Offset);
        }

        CelValue value = Operand.Evaluate(evaluation);
        if (value is CelFailure)
        {
            return value;
        }

        CelValue index = Index.Evaluate(evaluation);
        return (value, index) switch
        {
            (_, CelFailure) => index,
            (CelMap map, CelDouble or CelString or CelInt or CelUint or CelBool) =>
                map.TryGet(index, out CelValue found) ? found : Evaluation.Fail($"there is no key {Quote(index)}", Offset),
            (CelList list, _) when TryPosition(index, out long position) =>
                position >= 0 && position < list.Count
                    ? list[(int)position]
                    : Evaluation.Fail($"index {position} is outside a list of {list.Count}", Offset),
            _ => Evaluation.FailType($"a {value.Type.Name} has no index of type {index.Type.Name}", Offset),
        };
    }

    private static string Quote(CelValue index) => index is CelString text ? $"'{text.Value}'" : index.ToString();

    private static bool TryPosition(CelValue index, out long position)
    {
        switch (index)
        {
            case CelInt integer:
                position = integer.Value;
                return true;
            case CelUint integer:
                position = integer.Value > int.MaxValue ? int.MaxValue : (long)integer.Value;
                return true;
            case CelDouble number when Math.Truncate(number.Value) == number.Value && Math.Abs(number.Value) < int.MaxValue:
                position = (long)number.Value;
                return true;
            default:
                position = 0;
                return false;
        }
    }
}

/// <summary><c>[a, b]</c>.</summary>
internal sealed class ListNode(Node[] items, int offset) : Node(offset)
{
    public override IReadOnlyList<Node> Children => items;

    public override CelValue Evaluate(Evaluation evaluation)
    {
        if (!evaluation.Spend(1))
        {
            return evaluation.Exhausted(Offset);
        }

        var values = new CelValue[items.Length];
        for (int index = 0; index < items.Length; index++)
        {
            CelValue value = items[index].Evaluate(evaluation);
            if (value is CelFailure)
            {
                return value;
            }

            values[index] = value;
        }

        return CelList.Of(values);
    }
}

/// <summary><c>{key: value}</c>. The children are key, value, key, value and so on.</summary>
internal sealed class MapNode(Node[] entries, int offset) : Node(offset)
{
    public override IReadOnlyList<Node> Children => entries;

    public override CelValue Evaluate(Evaluation evaluation)
    {
        if (!evaluation.Spend(1))
        {
            return evaluation.Exhausted(Offset);
        }

        var builder = new CelMapBuilder();
        for (int index = 0; index < entries.Length; index += 2)
        {
            CelValue key = entries[index].Evaluate(evaluation);
            CelValue value = key is CelFailure ? key : entries[index + 1].Evaluate(evaluation);
            if (value is CelFailure)
            {
                return value;
            }

            if (!CelMap.IsKey(key))
            {
                return Evaluation.FailType($"a {key.Type.Name} cannot be the key of a map", entries[index].Offset);
            }

            if (!builder.TryAdd(key, value))
            {
                return Evaluation.Fail($"the key {key} is given twice", entries[index].Offset);
            }
        }

        return builder.Build();
    }
}
