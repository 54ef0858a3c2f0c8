namespace Omium.Kernel.Expressions;

/// <summary>What a comprehension makes of its range.</summary>
internal enum ComprehensionKind
{
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
    TransformMap,
}

/// <summary>
/// <c>range.all(x, body)</c> and its kin. Over a list the variable is the element; over a map, the key. With two variables they are
/// index and element, or key and value. The number of items bounds it: a comprehension always ends.
/// </summary>
/// <param name="kind">What is made of the range.</param>
/// <param name="range">The list or map.</param>
/// <param name="first">Slot of the first variable.</param>
/// <param name="second">Slot of the second variable; -1 when there is one only.</param>
/// <param name="condition">Which items take part, or null for all.</param>
/// <param name="body">The predicate, or the value to make of an item.</param>
/// <param name="offset">Where the macro's name stands.</param>
internal sealed class ComprehensionNode(
    ComprehensionKind kind, Node range, int first, int second, Node? condition, Node body, int offset) : Node(offset)
{
    public ComprehensionKind Comprehension => kind;

    public Node Range => range;

    public int First => first;

    public int Second => second;

    public Node? Condition => condition;

    public Node Body => body;

    public override IReadOnlyList<Node> Children { get; } = condition is null ? [range, body] : [range, condition, body];

    public override CelValue Evaluate(Evaluation evaluation)
    {
        if (!evaluation.Spend(1))
        {
            return evaluation.Exhausted(Offset);
        }

        CelValue items = range.Evaluate(evaluation);
        var gathered = new Gathered();
        switch (items)
        {
            case CelFailure:
                return items;
            case OpaqueMap opaque:
                return opaque.Failure;
            case CelList list:
                for (int index = 0; index < list.Count; index++)
                {
                    CelValue element = list[index];
                    if (Visit(evaluation, second < 0 ? element : CelInt.Of(index), element, ref gathered) is { } decided)
                    {
                        return decided;
                    }
                }

                break;
            case CelMap map:
                foreach (CelValue key in map.Keys)
                {
                    CelValue value = CelNull.Instance;
                    if (second >= 0)
                    {
                        map.TryGet(key, out value);
                    }

                    if (Visit(evaluation, key, value, ref gathered) is { } decided)
                    {
                        return decided;
                    }
                }

                break;
            default:
                return Evaluation.FailType($"a {items.Type.Name} is no list or map to go through", Offset);
        }

        return gathered.Failure ?? Result(gathered);
    }

    /// <summary>One item. Answers the value of the whole comprehension when this item decides it.</summary>
    private CelValue? Visit(Evaluation evaluation, CelValue firstValue, CelValue secondValue, ref Gathered gathered)
    {
        if (!evaluation.Spend(1))
        {
            return evaluation.Exhausted(Offset);
        }

        evaluation.Variables[first] = firstValue;
        if (second >= 0)
        {
            evaluation.Variables[second] = secondValue;
        }

        if (condition is not null)
        {
            CelValue included = AsBool(condition, condition.Evaluate(evaluation));
            if (included is CelFailure || included == CelBool.False)
            {
                return included is CelFailure ? included : null;
            }
        }

        CelValue result = body.Evaluate(evaluation);
        return kind switch
        {
            _ when result is CelFailure { IsFinal: true } => result,
            ComprehensionKind.All => Decide(AsBool(body, result), CelBool.False, ref gathered),
            ComprehensionKind.Exists => Decide(AsBool(body, result), CelBool.True, ref gathered),
            ComprehensionKind.ExistsOne => Count(AsBool(body, result), ref gathered),
            ComprehensionKind.Filter => Keep(AsBool(body, result), firstValue, ref gathered),
            ComprehensionKind.Map => Add(result, ref gathered),
            _ => Put(evaluation, firstValue, result, ref gathered),
        };
    }

    private static CelValue AsBool(Node node, CelValue value) =>
        value is CelBool or CelFailure ? value : Evaluation.FailType($"the condition needs a bool, not a {value.Type.Name}", node.Offset);

    private static CelBool? Decide(CelValue value, CelBool deciding, ref Gathered gathered)
    {
        gathered.Failure ??= value as CelFailure;
        return value == deciding ? deciding : null;
    }

    private static CelFailure? Count(CelValue value, ref Gathered gathered)
    {
        gathered.Count += value == CelBool.True ? 1 : 0;
        return value as CelFailure;
    }

    private static CelFailure? Keep(CelValue value, CelValue item, ref Gathered gathered)
    {
        if (value == CelBool.True)
        {
            (gathered.Items ??= []).Add(item);
        }

        return value as CelFailure;
    }

    private static CelFailure? Add(CelValue value, ref Gathered gathered)
    {
        if (value is CelFailure failure)
        {
            return failure;
        }

        (gathered.Items ??= []).Add(value);
        return null;
    }

    private CelFailure? Put(Evaluation evaluation, CelValue key, CelValue value, ref Gathered gathered)
    {
        if (value is CelFailure failure)
        {
            return failure;
        }

        return (gathered.Entries ??= new CelMapBuilder()).TryAdd(key, value) ? null : Evaluation.Fail($"the key {key} appears twice", Offset);
    }

    private CelValue Result(in Gathered gathered) => kind switch
    {
        ComprehensionKind.All => CelBool.True,
        ComprehensionKind.Exists => CelBool.False,
        ComprehensionKind.ExistsOne => CelBool.Of(gathered.Count == 1),
        ComprehensionKind.TransformMap => gathered.Entries?.Build() ?? CelMap.Empty,
        _ => gathered.Items is { } items ? CelList.Of(items) : CelList.Empty,
    };

    private struct Gathered
    {
        public CelFailure? Failure;
        public int Count;
        public List<CelValue>? Items;
        public CelMapBuilder? Entries;
    }
}

/// <summary>
/// <c>cel.bind(name, value, body)</c>: the body with a name for a value. A value that fails makes the body fail only where the body
/// reads it.
/// </summary>
internal sealed class BindNode(int slot, Node value, Node body, int offset) : Node(offset)
{
    public int Slot => slot;

    public override IReadOnlyList<Node> Children { get; } = [value, body];

    public override CelValue Evaluate(Evaluation evaluation)
    {
        if (!evaluation.Spend(1))
        {
            return evaluation.Exhausted(Offset);
        }

        evaluation.Variables[slot] = value.Evaluate(evaluation);
        return body.Evaluate(evaluation);
    }
}
