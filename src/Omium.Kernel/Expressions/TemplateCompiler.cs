using System.Text;
using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Kernel.Expressions;

/// <summary>Finds and compiles the expressions in the strings of a JSON value.</summary>
internal sealed class TemplateCompiler(ExpressionLimits limits)
{
    private const string Opening = "${{";

    private readonly List<TemplateError> _errors = [];
    private readonly List<(string Pointer, CelExpression Expression)> _expressions = [];

    public IReadOnlyList<TemplateError> Errors => _errors;

    public IReadOnlyList<(string Pointer, CelExpression Expression)> Expressions => _expressions;

    public TemplateNode Compile(JsonElement value, string pointer, int depth)
    {
        if (depth >= CelOrder.DepthMax)
        {
            Fail(pointer, ExpressionErrorCode.TooDeep, $"the value is nested deeper than {CelOrder.DepthMax} levels", 0);
            return new ConstantTemplate(value);
        }

        TemplateNode node = value.ValueKind switch
        {
            JsonValueKind.Object => CompileObject(value, pointer, depth),
            JsonValueKind.Array => CompileArray(value, pointer, depth),
            JsonValueKind.String when JsonConversion.Text(value) is { } text && text.Contains(Opening, StringComparison.Ordinal) => CompileText(text, pointer),
            _ => new ConstantTemplate(value),
        };

        // An escape makes a constant string differ from its source; everything else that is constant is copied as it stands.
        return node.IsConstant && !_hasEscape ? new ConstantTemplate(value) : node;
    }

    // Set as soon as one string holds an escape: from then on constants are kept as they were compiled.
    private bool _hasEscape;

    private ObjectTemplate CompileObject(JsonElement value, string pointer, int depth)
    {
        var members = new List<(string Name, TemplateNode Value)>();
        foreach (JsonProperty member in value.EnumerateObject())
        {
            string name = JsonConversion.Name(member);
            members.Add((name, Compile(member.Value, JsonPointer.Append(pointer, name), depth + 1)));
        }

        return new ObjectTemplate(members);
    }

    private ArrayTemplate CompileArray(JsonElement value, string pointer, int depth)
    {
        var items = new List<TemplateNode>();
        foreach (JsonElement item in value.EnumerateArray())
        {
            items.Add(Compile(item, JsonPointer.Append(pointer, items.Count), depth + 1));
        }

        return new ArrayTemplate(items);
    }

    private TemplateNode CompileText(string text, string pointer)
    {
        var parts = new List<TemplatePart>();
        var literal = new StringBuilder();
        int position = 0;
        while (position < text.Length)
        {
            int opening = text.IndexOf(Opening, position, StringComparison.Ordinal);
            if (opening < 0)
            {
                literal.Append(text, position, text.Length - position);
                break;
            }

            if (opening > position && text[opening - 1] == '$')
            {
                _hasEscape = true;
                literal.Append(text, position, opening - 1 - position).Append(Opening);
                position = opening + Opening.Length;
                continue;
            }

            literal.Append(text, position, opening - position);
            if (CompileExpression(text, opening + Opening.Length, pointer, out int end) is not { } part)
            {
                return new TextTemplate(pointer, parts);
            }

            AddLiteral(parts, literal);
            parts.Add(part);
            position = end;
        }

        AddLiteral(parts, literal);
        return parts is [{ Expression: not null } only] ? new ExpressionTemplate(pointer, only) : new TextTemplate(pointer, parts);
    }

    private static void AddLiteral(List<TemplatePart> parts, StringBuilder literal)
    {
        if (literal.Length > 0)
        {
            parts.Add(new TemplatePart(literal.ToString(), null, 0));
            literal.Clear();
        }
    }

    private TemplatePart? CompileExpression(string text, int start, string pointer, out int end)
    {
        int closing = FindClosing(text, start, out ExpressionError? error);
        end = closing + 2;
        if (closing < 0)
        {
            _errors.Add(new TemplateError(pointer, error!));
            return null;
        }

        // Blanks at the ends belong to the template, not to the expression that people read in messages.
        int first = start;
        while (first < closing && char.IsWhiteSpace(text[first]))
        {
            first++;
        }

        CelExpression? expression = CelExpression.TryCompile(text[first..closing].TrimEnd(), out error, limits);
        if (expression is null)
        {
            Fail(pointer, error!.Code, error.Message, first + error.Offset);
            return null;
        }

        _expressions.Add((pointer, expression));
        return new TemplatePart("", expression, first);
    }

    /// <summary>
    /// Where the <c>}}</c> of a template is. The text is read in tokens, because strings and maps may hold braces too.
    /// </summary>
    private int FindClosing(string text, int start, out ExpressionError? error)
    {
        // A template longer than an expression may be has its error already; no need to read on.
        var lexer = new Lexer(text, start);
        int open = 0;
        int tokens = 0;
        while (lexer.TryNext(out Token token) && token.Kind != TokenKind.End && tokens++ <= limits.LengthMax)
        {
            if (token.Kind == TokenKind.OpenBrace)
            {
                open++;
            }
            else if (token.Kind == TokenKind.CloseBrace && open-- == 0)
            {
                bool isClosed = token.End < text.Length && text[token.End] == '}';
                error = isClosed ? null : new ExpressionError(ExpressionErrorCode.Syntax, "a template ends in '}}'", token.Start);
                return isClosed ? token.Start : -1;
            }
        }

        error = lexer.Error ?? new ExpressionError(ExpressionErrorCode.Syntax, "the template that begins here has no '}}'", start - Opening.Length);
        return -1;
    }

    private void Fail(string pointer, string code, string message, int offset) =>
        _errors.Add(new TemplateError(pointer, new ExpressionError(code, message, offset)));
}
