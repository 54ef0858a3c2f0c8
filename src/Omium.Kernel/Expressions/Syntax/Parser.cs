namespace Omium.Kernel.Expressions;

/// <summary>
/// Parses an expression into nodes by precedence climbing. Recursion and the tree's depth are both limited, so no text can
/// exhaust the stack; the first problem ends the parse.
/// </summary>
internal sealed partial class Parser
{
    private readonly string _text;
    private readonly ExpressionLimits _limits;
    private readonly List<Token> _tokens = [];
    private readonly List<(string Name, int Slot)> _scope = [];
    private int _position;
    private int _nesting;
    private int _nodes;

    private Parser(string text, ExpressionLimits limits)
    {
        _text = text;
        _limits = limits;
    }

    /// <summary>Slots that an evaluation needs for comprehension variables.</summary>
    public int VariableCount { get; private set; }

    private ExpressionError? Error { get; set; }

    private Token Current => _tokens[_position];

    /// <summary>Parses a text, or says why it is no expression.</summary>
    public static Node? TryParse(string text, ExpressionLimits limits, out int variableCount, out ExpressionError? error)
    {
        variableCount = 0;
        if (text.Length > limits.LengthMax)
        {
            error = new ExpressionError(
                ExpressionErrorCode.TooLarge, $"the expression has {text.Length} characters; at most {limits.LengthMax} are allowed", limits.LengthMax);
            return null;
        }

        var parser = new Parser(text, limits);
        Node? root = parser.TryTokenize() ? parser.Expression() : null;
        if (root is not null && parser.Current.Kind != TokenKind.End)
        {
            root = parser.Fail(parser.Unexpected());
        }

        variableCount = parser.VariableCount;
        error = parser.Error;
        return root;
    }

    private bool TryTokenize()
    {
        var lexer = new Lexer(_text, 0);
        while (lexer.TryNext(out Token token))
        {
            _tokens.Add(token);
            if (token.Kind == TokenKind.End)
            {
                return true;
            }
        }

        Error = lexer.Error;
        return false;
    }

    /// <summary>A whole expression: conditionals, right-associative, in a loop because a chain of them may be long.</summary>
    private Node? Expression()
    {
        if (++_nesting > _limits.EffectiveDepthMax)
        {
            return FailDepth(Current.Start);
        }

        List<(Node Condition, Node WhenTrue, int Offset)>? chain = null;
        Node? last = Binary(0);
        while (last is not null && Current.Kind == TokenKind.Question)
        {
            int offset = Next().Start;
            Node? whenTrue = Binary(0);
            if (whenTrue is null || !Take(TokenKind.Colon, "':' of a conditional"))
            {
                return null;
            }

            (chain ??= []).Add((last, whenTrue, offset));
            last = Binary(0);
        }

        for (int index = (chain?.Count ?? 0) - 1; index >= 0 && last is not null; index--)
        {
            (Node condition, Node whenTrue, int offset) = chain![index];
            last = Done(new ConditionalNode(condition, whenTrue, last, offset));
        }

        _nesting--;
        return last;
    }

    private static int Precedence(TokenKind kind) => kind switch
    {
        TokenKind.Or => 1,
        TokenKind.And => 2,
        TokenKind.Less or TokenKind.LessOrEqual or TokenKind.Greater or TokenKind.GreaterOrEqual
            or TokenKind.Equal or TokenKind.NotEqual or TokenKind.In => 3,
        TokenKind.Plus or TokenKind.Minus => 4,
        TokenKind.Star or TokenKind.Slash or TokenKind.Percent => 5,
        _ => 0,
    };

    /// <summary>Operators of a precedence above the given one. A run of the same precedence is gathered in a loop.</summary>
    private Node? Binary(int above)
    {
        Node? left = Unary();
        while (left is not null && Precedence(Current.Kind) > above)
        {
            int precedence = Precedence(Current.Kind);
            var operators = new List<Token>();
            var operands = new List<Node> { left };
            while (Precedence(Current.Kind) == precedence)
            {
                operators.Add(Next());
                if (Binary(precedence) is not { } operand)
                {
                    return null;
                }

                operands.Add(operand);
            }

            left = Chain(precedence, operators, operands);
        }

        return left;
    }

    private Node? Chain(int precedence, List<Token> operators, List<Node> operands)
    {
        if (precedence <= 2)
        {
            return Done(new LogicNode(precedence == 1, [.. operands], operators[0].Start));
        }

        if (precedence >= 4)
        {
            IEnumerable<ArithmeticTerm> terms = operators.Select(
                (token, index) => new ArithmeticTerm(Arithmetical(token.Kind), operands[index + 1], token.Start));
            return Done(new ArithmeticNode(operands[0], [.. terms]));
        }

        Node? left = operands[0];
        for (int index = 0; index < operators.Count && left is not null; index++)
        {
            left = Done(Relation(operators[index], left, operands[index + 1]));
        }

        return left;
    }

    private static ArithmeticKind Arithmetical(TokenKind kind) => kind switch
    {
        TokenKind.Plus => ArithmeticKind.Add,
        TokenKind.Minus => ArithmeticKind.Subtract,
        TokenKind.Star => ArithmeticKind.Multiply,
        TokenKind.Slash => ArithmeticKind.Divide,
        _ => ArithmeticKind.Modulo,
    };

    private static Node Relation(Token token, Node left, Node right) => token.Kind switch
    {
        TokenKind.Equal => new EqualityNode(left, right, isNegated: false, token.Start),
        TokenKind.NotEqual => new EqualityNode(left, right, isNegated: true, token.Start),
        TokenKind.In => new InNode(left, right, token.Start),
        TokenKind.Less => new RelationNode(RelationKind.Less, left, right, token.Start),
        TokenKind.LessOrEqual => new RelationNode(RelationKind.LessOrEqual, left, right, token.Start),
        TokenKind.Greater => new RelationNode(RelationKind.Greater, left, right, token.Start),
        _ => new RelationNode(RelationKind.GreaterOrEqual, left, right, token.Start),
    };

    private Node? Unary()
    {
        TokenKind kind = Current.Kind;
        if (kind is not (TokenKind.Not or TokenKind.Minus))
        {
            return Postfix(Primary());
        }

        var operators = new List<int>();
        while (Current.Kind == kind)
        {
            operators.Add(Next().Start);
        }

        // A minus directly before a number belongs to it: only so can the smallest int be written.
        Node? operand = null;
        if (kind == TokenKind.Minus && Current.Kind is TokenKind.Int or TokenKind.Double)
        {
            operand = Postfix(Number(operators[^1], isNegative: true));
            operators.RemoveAt(operators.Count - 1);
        }
        else
        {
            operand = Postfix(Primary());
        }

        for (int index = operators.Count - 1; index >= 0 && operand is not null; index--)
        {
            operand = Done(kind == TokenKind.Not ? new NotNode(operand, operators[index]) : new NegateNode(operand, operators[index]));
        }

        return operand;
    }

    private Node? Postfix(Node? operand)
    {
        while (operand is not null)
        {
            switch (Current.Kind)
            {
                case TokenKind.Dot:
                    operand = Member(operand);
                    break;
                case TokenKind.OpenBracket:
                    int offset = Next().Start;
                    Node? index = Expression();
                    operand = index is not null && Take(TokenKind.CloseBracket, "']' of an index") ? Done(new IndexNode(operand, index, offset)) : null;
                    break;
                case TokenKind.OpenBrace when operand is NameNode or SelectNode { QualifiedName: not null }:
                    return Fail("messages cannot be made here; use a map, {'key': value}", Current.Start);
                default:
                    return operand;
            }
        }

        return null;
    }

    private Node? Member(Node target)
    {
        Next();
        Token name = Current;
        if (name.Kind == TokenKind.QuotedIdentifier)
        {
            Next();
            return Done(new SelectNode(target, _text[(name.Start + 1)..(name.End - 1)], isTest: false, name.Start));
        }

        if (name.Kind is not (TokenKind.Identifier or TokenKind.Reserved))
        {
            return Fail("a name must follow '.'", name.Start);
        }

        Next();
        string text = Text(name);
        if (Current.Kind == TokenKind.OpenParenthesis)
        {
            return MemberCall(target, text, name.Start);
        }

        string? qualified = target switch
        {
            NameNode root => root.Name + "." + text,
            SelectNode select when select.QualifiedName is not null => select.QualifiedName + "." + text,
            _ => null,
        };
        return qualified is not null && CelTypeValue.TryNamed(qualified) is { } type
            ? Done(new ConstantNode(type, name.Start))
            : Done(new SelectNode(target, text, isTest: false, name.Start));
    }

    private Node? MemberCall(Node target, string name, int offset)
    {
        if (name == "bind" && target is NameNode { Name: "cel" })
        {
            return Bind(offset);
        }

        if (TryMacro(target, name, offset, out Node? expanded))
        {
            return expanded;
        }

        // math.greatest(1, 2) is a function with a dotted name, not a member of something called math.
        string? qualified = target switch
        {
            NameNode root => root.Name + "." + name,
            SelectNode { QualifiedName: { } chain } => chain + "." + name,
            _ => null,
        };
        bool isQualified = qualified is not null && FunctionTable.Find(qualified, isMember: false) is not null;
        if (!TryArguments(isQualified ? null : target, TokenKind.CloseParenthesis, out Node[] arguments))
        {
            return null;
        }

        return Done(new CallNode(isQualified ? qualified! : name, !isQualified, arguments, offset));
    }

    private Node? Primary()
    {
        Token token = Current;
        switch (token.Kind)
        {
            case TokenKind.Int or TokenKind.Uint or TokenKind.Double:
                return Number(token.Start, isNegative: false);
            case TokenKind.Minus when _tokens[_position + 1].Kind is TokenKind.Int or TokenKind.Double:
                Next();
                return Number(token.Start, isNegative: true);
            case TokenKind.String or TokenKind.Bytes:
                Next();
                return Literals.TryQuoted(_text, token, out string? problem, out int offset) is { } value
                    ? Done(new ConstantNode(value, token.Start))
                    : Fail(problem!, offset);
            case TokenKind.True or TokenKind.False:
                Next();
                return Done(new ConstantNode(CelBool.Of(token.Kind == TokenKind.True), token.Start));
            case TokenKind.Null:
                Next();
                return Done(new ConstantNode(CelNull.Instance, token.Start));
            case TokenKind.OpenParenthesis:
                Next();
                Node? inner = Expression();
                return inner is not null && Take(TokenKind.CloseParenthesis, "')'") ? inner : null;
            case TokenKind.OpenBracket:
                Next();
                return TryItems(null, TokenKind.CloseBracket, allowsTrailing: true, out Node[] items) ? Done(new ListNode(items, token.Start)) : null;
            case TokenKind.OpenBrace:
                return MapLiteral();
            case TokenKind.Identifier or TokenKind.Dot:
                return Name();
            case TokenKind.Reserved:
                return Fail($"'{Text(token)}' is a reserved word", token.Start);
            default:
                return Fail(Unexpected());
        }
    }

    private Node? Number(int offset, bool isNegative)
    {
        Token token = Next();
        return Literals.TryNumber(_text.AsSpan(token.Start, token.End - token.Start), token.Kind, isNegative, out string? problem) is { } value
            ? Done(new ConstantNode(value, offset))
            : Fail(problem!, token.Start);
    }

    private Node? Name()
    {
        Token first = Current;
        bool isAbsolute = first.Kind == TokenKind.Dot;
        if (isAbsolute)
        {
            Next();
            if (Current.Kind != TokenKind.Identifier)
            {
                return Fail("a name must follow '.'", Current.Start);
            }
        }

        string name = Text(Next());
        if (Current.Kind == TokenKind.OpenParenthesis)
        {
            return name == "has" ? Has(first.Start)
                : TryArguments(null, TokenKind.CloseParenthesis, out Node[] arguments) ? Done(new CallNode(name, isMember: false, arguments, first.Start))
                : null;
        }

        int place = isAbsolute ? -1 : _scope.FindLastIndex(variable => variable.Name == name);
        return place >= 0 ? Done(new VariableNode(name, _scope[place].Slot, first.Start))
            : CelTypeValue.TryNamed(name) is { } type ? Done(new ConstantNode(type, first.Start))
            : Done(new NameNode(name, first.Start));
    }
}
