namespace Omium.Kernel.Expressions;

/// <summary>Infers the types of an expression's nodes and gathers what cannot work.</summary>
internal sealed class TypeInference
{
    private const int NumberKinds = (1 << (int)CelKind.Int) | (1 << (int)CelKind.Uint) | (1 << (int)CelKind.Double);
    private const int OrderedKinds = (1 << (int)CelKind.String) | (1 << (int)CelKind.Bytes) | (1 << (int)CelKind.Bool)
        | (1 << (int)CelKind.Timestamp) | (1 << (int)CelKind.Duration);
    private const int KeyKinds = NumberKinds | (1 << (int)CelKind.String) | (1 << (int)CelKind.Bool);
    private const int CollectionKinds = (1 << (int)CelKind.List) | (1 << (int)CelKind.Map);

    private readonly Func<string, CelType?> _typeOfRoot;
    private readonly HashSet<string> _tested = new(StringComparer.Ordinal);
    private readonly Dictionary<int, CelType> _variables = [];
    private readonly List<ExpressionError> _errors = [];

    public TypeInference(Func<string, CelType?> typeOfRoot, Node root)
    {
        _typeOfRoot = typeOfRoot;
        FindTested(root);
    }

    public IReadOnlyList<ExpressionError> Errors => _errors;

    public CelType Infer(Node node) => node switch
    {
        ConstantNode constant => CelType.OfKind(constant.Value.Kind),
        VariableNode variable => _variables.GetValueOrDefault(variable.Slot, CelType.Dyn),
        NameNode name => _typeOfRoot(name.Name) ?? Fail(ExpressionErrorCode.UnknownName, $"there is no value named '{name.Name}'", name.Offset),
        SelectNode select => Select(select),
        IndexNode index => Index(index),
        ListNode list => CelType.ListOf(list.Children.Count == 0 ? CelType.Dyn : list.Children.Select(Infer).ToList().Aggregate(CelType.Join)),
        MapNode map => MapLiteral(map),
        LogicNode logic => Logic(logic),
        NotNode not => NeedBool(not.Children[0], "!"),
        NegateNode negate => Negate(negate),
        ConditionalNode conditional => Conditional(conditional),
        EqualityNode equality => Equality(equality),
        RelationNode relation => Relation(relation),
        InNode contains => In(contains),
        ArithmeticNode arithmetic => ArithmeticChain(arithmetic),
        ComprehensionNode comprehension => Comprehension(comprehension),
        BindNode bind => Bind(bind),
        CallNode call => Call(call),
        _ => CelType.Dyn,
    };

    private static bool Could(CelType type, int kinds) => (type.Kinds & kinds) != 0;

    private static int Bit(CelKind kind) => 1 << (int)kind;

    private CelType Fail(string code, string message, int offset)
    {
        _errors.Add(new ExpressionError(code, message, offset));
        return CelType.Dyn;
    }

    private CelType FailType(string message, int offset) => Fail(ExpressionErrorCode.Type, message, offset);

    private CelType Select(SelectNode select)
    {
        CelType operand = Infer(select.Operand);
        if (!Could(operand, Bit(CelKind.Map)))
        {
            FailType($"a {operand} has no fields; '{select.Field}' cannot be selected", select.Offset);
            return select.IsTest ? CelType.Bool : CelType.Dyn;
        }

        return select.IsTest ? CelType.Bool : Field(operand, select.Field, select);
    }

    private CelType Field(CelType operand, string field, Node node)
    {
        if (operand.Fields is not { } fields)
        {
            return operand.Kind == CelKind.Map ? operand.Element : CelType.Dyn;
        }

        if (fields.TryGetValue(field, out CelType? type))
        {
            return type;
        }

        bool isTested = PathOf(node) is { } path && _tested.Contains(path);
        if (!operand.IsClosed || isTested)
        {
            return operand.IsClosed ? CelType.Dyn : operand.Element;
        }

        string known = fields.Count == 0 ? "" : "; there are " + string.Join(", ", fields.Keys.Take(10)) + (fields.Count > 10 ? ", ..." : "");
        return Fail(ExpressionErrorCode.UnknownField, $"there is no field '{field}'{known}", node.Offset);
    }

    private CelType Index(IndexNode node)
    {
        CelType operand = Infer(node.Operand);
        CelType index = Infer(node.Index);
        bool asList = Could(operand, Bit(CelKind.List)) && Could(index, NumberKinds);
        bool asMap = Could(operand, Bit(CelKind.Map)) && Could(index, KeyKinds);
        if (!asList && !asMap)
        {
            return FailType($"a {operand} has no index of type {index}", node.Offset);
        }

        return operand.Kind == CelKind.Map && node.Index is ConstantNode { Value: CelString field }
            ? Field(operand, field.Value, node)
            : operand.Fields is null ? operand.Element : CelType.Dyn;
    }

    private CelType MapLiteral(MapNode map)
    {
        var fields = new Dictionary<string, CelType>(StringComparer.Ordinal);
        bool areNames = true;
        for (int index = 0; index < map.Children.Count; index += 2)
        {
            CelType key = Infer(map.Children[index]);
            CelType value = Infer(map.Children[index + 1]);
            if (!Could(key, KeyKinds & ~Bit(CelKind.Double)))
            {
                FailType($"a {key} cannot be the key of a map", map.Children[index].Offset);
            }

            areNames &= map.Children[index] is ConstantNode { Value: CelString name } && fields.TryAdd(name.Value, value);
        }

        return areNames ? CelType.ObjectOf(fields, isClosed: true) : CelType.MapOf(CelType.Dyn);
    }

    private CelType NeedBool(Node node, string what)
    {
        CelType type = Infer(node);
        if (!Could(type, Bit(CelKind.Bool)))
        {
            FailType($"{what} needs a bool, not a {type}", node.Offset);
        }

        return CelType.Bool;
    }

    private CelType Logic(LogicNode logic)
    {
        foreach (Node operand in logic.Children)
        {
            NeedBool(operand, logic.IsOr ? "||" : "&&");
        }

        return CelType.Bool;
    }

    private CelType Negate(NegateNode negate)
    {
        CelType type = Infer(negate.Children[0]);
        return Could(type, Bit(CelKind.Int) | Bit(CelKind.Double))
            ? CelType.OfKind(type.Kind) : FailType($"a {type} cannot be negated", negate.Offset);
    }

    private CelType Conditional(ConditionalNode conditional)
    {
        NeedBool(conditional.Children[0], "a condition");
        return CelType.Join(Infer(conditional.Children[1]), Infer(conditional.Children[2]));
    }

    private CelType Equality(EqualityNode equality)
    {
        Infer(equality.Children[0]);
        Infer(equality.Children[1]);
        return CelType.Bool;
    }

    private CelType Relation(RelationNode relation)
    {
        CelType left = Infer(relation.Children[0]);
        CelType right = Infer(relation.Children[1]);
        bool areNumbers = Could(left, NumberKinds) && Could(right, NumberKinds);
        if (!areNumbers && (left.Kinds & right.Kinds & OrderedKinds) == 0)
        {
            FailType($"a {left} has no order with a {right}", relation.Offset);
        }

        return CelType.Bool;
    }

    private CelType In(InNode contains)
    {
        Infer(contains.Children[0]);
        CelType collection = Infer(contains.Children[1]);
        if (!Could(collection, CollectionKinds))
        {
            FailType($"'in' needs a list or a map, not a {collection}", contains.Offset);
        }

        return CelType.Bool;
    }

    private CelType ArithmeticChain(ArithmeticNode node)
    {
        CelType left = Infer(node.First);
        foreach (ArithmeticTerm term in node.Terms)
        {
            CelType right = Infer(term.Operand);
            left = ArithmeticTypes.TryApply(term.Kind, left, right)
                ?? FailType($"no such operator: {left} {Arithmetic.Symbol(term.Kind)} {right}", term.Offset);
        }

        return left;
    }

    private CelType Comprehension(ComprehensionNode node)
    {
        CelType range = Infer(node.Range);
        if (!Could(range, CollectionKinds))
        {
            FailType($"a {range} is no list or map to go through", node.Offset);
        }

        CelType element = range.Kind == CelKind.Dyn || range.Fields is not null ? CelType.Dyn : range.Element;
        CelType key = range.Fields is not null ? CelType.String : CelType.Dyn;
        _variables[node.First] = range.Kind switch
        {
            CelKind.List => node.Second < 0 ? element : CelType.Int,
            CelKind.Map => key,
            _ => CelType.Dyn,
        };
        if (node.Second >= 0)
        {
            _variables[node.Second] = element;
        }

        CelType first = _variables[node.First];
        if (node.Condition is not null)
        {
            NeedBool(node.Condition, "a condition");
        }

        switch (node.Comprehension)
        {
            case ComprehensionKind.Map:
                return CelType.ListOf(Infer(node.Body));
            case ComprehensionKind.TransformMap:
                return CelType.MapOf(Infer(node.Body));
            default:
                NeedBool(node.Body, "a condition");
                return node.Comprehension == ComprehensionKind.Filter ? CelType.ListOf(first) : CelType.Bool;
        }
    }

    private CelType Bind(BindNode bind)
    {
        _variables[bind.Slot] = Infer(bind.Children[0]);
        return Infer(bind.Children[1]);
    }

    private CelType Call(CallNode call)
    {
        List<CelType> arguments = [.. call.Children.Select(Infer)];
        if (FunctionTable.Find(call.Name, call.IsMember) is not { } overloads)
        {
            return Fail(ExpressionErrorCode.UnknownName, $"there is no function '{call.Name}'", call.Offset);
        }

        List<Overload> fitting = [.. overloads.Where(overload => overload.AcceptsCount(arguments.Count))];
        if (fitting.Count == 0)
        {
            return FailType($"{call.Name}() does not take {arguments.Count - (call.IsMember ? 1 : 0)} arguments", call.Offset);
        }

        fitting.RemoveAll(overload => !arguments.Select((argument, index) => Could(argument, overload.ParameterAt(index))).All(fits => fits));
        if (fitting.Count == 0)
        {
            string types = string.Join(", ", arguments.Skip(call.IsMember ? 1 : 0));
            return FailType($"no such function: {(call.IsMember ? arguments[0] + "." : "")}{call.Name}({types})", call.Offset);
        }

        CelKind result = fitting[0].Result;
        return fitting.TrueForAll(overload => overload.Result == result) ? CelType.OfKind(result) : CelType.Dyn;
    }

    /// <summary>Collects the paths that the expression tests with <c>has()</c> or with <c>'name' in</c>.</summary>
    private void FindTested(Node node)
    {
        if (node is SelectNode { IsTest: true } && PathOf(node) is { } path)
        {
            _tested.Add(path);
        }
        else if (node is InNode { Children: [ConstantNode { Value: CelString name }, var collection] } && PathOf(collection) is { } parent)
        {
            _tested.Add(Append(parent, name.Value));
        }

        foreach (Node child in node.Children)
        {
            FindTested(child);
        }
    }

    private static string Append(string parent, string field) => $"{parent}/{field.Length}:{field}";

    /// <summary>A text that is the same for the same chain of selections from a name or variable; null when the node is no such chain.</summary>
    private static string? PathOf(Node node) => node switch
    {
        NameNode name => name.Name,
        VariableNode variable => "$" + variable.Name,
        SelectNode select => PathOf(select.Operand) is { } parent ? Append(parent, select.Field) : null,
        IndexNode { Index: ConstantNode { Value: CelString field } } index => PathOf(index.Operand) is { } parent ? Append(parent, field.Value) : null,
        _ => null,
    };
}
