namespace Omium.Kernel.Expressions;

/// <summary>Macros, lists of arguments, and the small tools of the parser.</summary>
internal sealed partial class Parser
{
    /// <summary>
    /// Expands a comprehension macro if the name and the shape of the arguments say so: a macro's first argument is a name of its own.
    /// True also when the expansion failed.
    /// </summary>
    private bool TryMacro(Node target, string name, int offset, out Node? expanded)
    {
        expanded = null;
        (ComprehensionKind kind, bool needsTwo) = name switch
        {
            "all" => (ComprehensionKind.All, false),
            "exists" => (ComprehensionKind.Exists, false),
            "exists_one" or "existsOne" => (ComprehensionKind.ExistsOne, false),
            "map" => (ComprehensionKind.Map, false),
            "filter" => (ComprehensionKind.Filter, false),
            "transformList" => (ComprehensionKind.Map, true),
            "transformMap" => (ComprehensionKind.TransformMap, true),
            _ => ((ComprehensionKind)(-1), false),
        };
        if (kind < 0)
        {
            return false;
        }

        Next();
        bool allowsTwo = needsTwo || kind is ComprehensionKind.All or ComprehensionKind.Exists or ComprehensionKind.ExistsOne;
        bool hasTwo = allowsTwo && IsVariable(_position) && IsVariable(_position + 2);
        if (!IsVariable(_position) || (needsTwo && !hasTwo))
        {
            expanded = Fail($"{name}() needs {(needsTwo ? "two names" : "a name")} for its variable{(needsTwo ? "s" : "")}, then an expression", Current.Start);
            return true;
        }

        expanded = Comprehension(target, kind, hasTwo, name, offset);
        return true;
    }

    private bool IsVariable(int position) =>
        position + 1 < _tokens.Count && _tokens[position].Kind == TokenKind.Identifier && _tokens[position + 1].Kind == TokenKind.Comma;

    private Node? Comprehension(Node range, ComprehensionKind kind, bool hasTwo, string name, int offset)
    {
        int scopeBefore = _scope.Count;
        for (int variable = 0; variable < (hasTwo ? 2 : 1); variable++)
        {
            Token token = Next();
            if (hasTwo && variable == 1 && _scope[^1].Name == Text(token))
            {
                return Fail($"{name}() needs two different names", token.Start);
            }

            _scope.Add((Text(token), _scope.Count));
            Next();
        }

        VariableCount = Math.Max(VariableCount, _scope.Count);
        bool isParsed = TryItems(null, TokenKind.CloseParenthesis, allowsTrailing: false, out Node[] bodies);
        _scope.RemoveRange(scopeBefore, _scope.Count - scopeBefore);
        bool allowsCondition = kind is ComprehensionKind.Map or ComprehensionKind.TransformMap;
        if (isParsed && (bodies.Length == 0 || bodies.Length > (allowsCondition ? 2 : 1)))
        {
            return Fail($"{name}() has {bodies.Length + (hasTwo ? 2 : 1)} arguments, which is not what it takes", offset);
        }

        return isParsed
            ? Done(new ComprehensionNode(kind, range, scopeBefore, hasTwo ? scopeBefore + 1 : -1, bodies.Length == 2 ? bodies[0] : null, bodies[^1], offset))
            : null;
    }

    private Node? Bind(int offset)
    {
        Next();
        if (!IsVariable(_position))
        {
            return Fail("cel.bind() needs a name, its value, and an expression", Current.Start);
        }

        string name = Text(Next());
        Next();
        int slot = _scope.Count;
        if (Expression() is not { } value || !Take(TokenKind.Comma, "',' after the value of cel.bind()"))
        {
            return null;
        }

        _scope.Add((name, slot));
        VariableCount = Math.Max(VariableCount, _scope.Count);
        _nesting++;
        Node? body = Expression();
        _nesting--;
        _scope.RemoveAt(slot);
        return body is not null && Take(TokenKind.CloseParenthesis, "')' of cel.bind()") ? Done(new BindNode(slot, value, body, offset)) : null;
    }

    private Node? Has(int offset)
    {
        if (!TryArguments(null, TokenKind.CloseParenthesis, out Node[] arguments))
        {
            return null;
        }

        return arguments is [SelectNode { IsTest: false } select]
            ? Done(new SelectNode(select.Operand, select.Field, isTest: true, select.Offset))
            : Fail("has() needs one selection of a field: has(value.field)", offset);
    }

    private Node? MapLiteral()
    {
        int offset = Next().Start;
        var entries = new List<Node>();
        while (Current.Kind != TokenKind.CloseBrace)
        {
            Node? key = Expression();
            Node? value = key is not null && Take(TokenKind.Colon, "':' between key and value") ? Expression() : null;
            if (value is null)
            {
                return null;
            }

            entries.Add(key!);
            entries.Add(value);
            if (Current.Kind != TokenKind.Comma)
            {
                break;
            }

            Next();
        }

        return Take(TokenKind.CloseBrace, "'}' of a map") ? Done(new MapNode([.. entries], offset)) : null;
    }

    private bool TryArguments(Node? target, TokenKind close, out Node[] arguments)
    {
        Next();
        return TryItems(target, close, allowsTrailing: false, out arguments);
    }

    private bool TryItems(Node? first, TokenKind close, bool allowsTrailing, out Node[] items)
    {
        var found = new List<Node>();
        if (first is not null)
        {
            found.Add(first);
        }

        // A call takes about twice as much stack as a pair of parentheses, so its arguments count twice.
        int extra = close == TokenKind.CloseParenthesis ? 1 : 0;
        _nesting += extra;
        bool mayEnd = true;
        while (!(mayEnd && Current.Kind == close))
        {
            if (Expression() is not { } item)
            {
                items = [];
                return false;
            }

            found.Add(item);
            if (Current.Kind != TokenKind.Comma)
            {
                break;
            }

            Next();
            mayEnd = allowsTrailing;
        }

        _nesting -= extra;
        items = [.. found];
        return Take(close, close == TokenKind.CloseBracket ? "']' of a list" : "')' of a call");
    }

    private Token Next() => Current.Kind == TokenKind.End ? Current : _tokens[_position++];

    private string Text(Token token) => _text[token.Start..token.End];

    private bool Take(TokenKind kind, string wanted)
    {
        if (Current.Kind == kind)
        {
            Next();
            return true;
        }

        Fail(Current.Kind == TokenKind.End ? $"the expression ends where {wanted} is needed" : $"expected {wanted}, found '{Shown()}'", Current.Start);
        return false;
    }

    private string Unexpected() => Current.Kind == TokenKind.End ? "the expression ends too early" : $"unexpected '{Shown()}'";

    private string Shown()
    {
        string text = Text(Current);
        return text.Length > 32 ? text[..32] + "..." : text;
    }

    /// <summary>Counts a new node and its depth against the limits.</summary>
    private Node? Done(Node node)
    {
        int below = 0;
        foreach (Node child in node.Children)
        {
            below = Math.Max(below, child.Depth);
        }

        node.Depth = below + 1;
        if (node.Depth > _limits.EffectiveDepthMax)
        {
            return FailDepth(node.Offset);
        }

        if (++_nodes > _limits.NodesMax)
        {
            Error ??= new ExpressionError(ExpressionErrorCode.TooLarge, $"the expression has more than {_limits.NodesMax} parts", node.Offset);
            return null;
        }

        return node;
    }

    private Node? FailDepth(int offset)
    {
        Error ??= new ExpressionError(
            ExpressionErrorCode.TooDeep, $"the expression is nested deeper than {_limits.EffectiveDepthMax} levels", offset);
        return null;
    }

    private Node? Fail(string message) => Fail(message, Current.Start);

    private Node? Fail(string message, int offset)
    {
        Error ??= new ExpressionError(ExpressionErrorCode.Syntax, message, offset);
        return null;
    }
}
