namespace Omium.Kernel.Expressions;

internal enum TokenKind
{
    End,
    Identifier,
    QuotedIdentifier,
    Reserved,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    True,
    False,
    Null,
    In,
    Question,
    Colon,
    Or,
    And,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Not,
    Dot,
    Comma,
    OpenParenthesis,
    CloseParenthesis,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
}

internal readonly record struct Token(TokenKind Kind, int Start, int End);

/// <summary>Splits the text of an expression into tokens. Stops at the first character that begins none.</summary>
internal sealed class Lexer(string text, int start)
{
    private static readonly Dictionary<string, TokenKind> _words = new(StringComparer.Ordinal)
    {
        ["true"] = TokenKind.True, ["false"] = TokenKind.False, ["null"] = TokenKind.Null, ["in"] = TokenKind.In,
        ["as"] = TokenKind.Reserved, ["break"] = TokenKind.Reserved, ["const"] = TokenKind.Reserved, ["continue"] = TokenKind.Reserved,
        ["else"] = TokenKind.Reserved, ["for"] = TokenKind.Reserved, ["function"] = TokenKind.Reserved, ["if"] = TokenKind.Reserved,
        ["import"] = TokenKind.Reserved, ["let"] = TokenKind.Reserved, ["loop"] = TokenKind.Reserved, ["package"] = TokenKind.Reserved,
        ["namespace"] = TokenKind.Reserved, ["return"] = TokenKind.Reserved, ["var"] = TokenKind.Reserved, ["void"] = TokenKind.Reserved,
        ["while"] = TokenKind.Reserved,
    };

    private int _position = start;

    /// <summary>Why the last <see cref="TryNext"/> failed.</summary>
    public ExpressionError? Error { get; private set; }

    /// <summary>Reads the next token; at the end of the text one of kind End.</summary>
    public bool TryNext(out Token token)
    {
        SkipBlanks();
        int begin = _position;
        if (begin >= text.Length)
        {
            token = new Token(TokenKind.End, text.Length, text.Length);
            return true;
        }

        char first = text[begin];
        TokenKind kind;
        if (IsLetter(first))
        {
            kind = Word(begin);
        }
        else if (char.IsAsciiDigit(first) || (first == '.' && char.IsAsciiDigit(At(1))))
        {
            kind = Number();
        }
        else if (first is '"' or '\'')
        {
            kind = Quoted(TokenKind.String, isRaw: false);
        }
        else
        {
            kind = first == '`' ? QuotedName() : Symbol(first);
        }

        token = new Token(kind, begin, _position);
        return Error is null;
    }

    public static bool IsLetter(char character) => char.IsAsciiLetter(character) || character == '_';

    private char At(int ahead) => _position + ahead < text.Length ? text[_position + ahead] : '\0';

    private void SkipBlanks()
    {
        while (_position < text.Length)
        {
            if (text[_position] is ' ' or '\t' or '\n' or '\r' or '\f')
            {
                _position++;
            }
            else if (text[_position] == '/' && At(1) == '/')
            {
                int lineEnd = text.IndexOf('\n', _position);
                _position = lineEnd < 0 ? text.Length : lineEnd;
            }
            else
            {
                return;
            }
        }
    }

    private TokenKind Word(int begin)
    {
        while (IsLetter(At(0)) || char.IsAsciiDigit(At(0)))
        {
            _position++;
        }

        if (At(0) is '"' or '\'' && _position - begin <= 2)
        {
            switch (text[begin.._position])
            {
                case "r" or "R":
                    return Quoted(TokenKind.String, isRaw: true);
                case "b" or "B":
                    return Quoted(TokenKind.Bytes, isRaw: false);
                case "br" or "bR" or "Br" or "BR" or "rb" or "rB" or "Rb" or "RB":
                    return Quoted(TokenKind.Bytes, isRaw: true);
            }
        }

        return _words.GetValueOrDefault(text[begin.._position], TokenKind.Identifier);
    }

    private TokenKind Number()
    {
        int begin = _position;
        if (At(0) == '0' && At(1) is 'x' or 'X')
        {
            _position += 2;
            SkipWhile(char.IsAsciiHexDigit);
            return _position - begin < 3 ? Fail("a hexadecimal number needs digits", begin) : Suffix(TokenKind.Int);
        }

        SkipWhile(char.IsAsciiDigit);
        TokenKind kind = TokenKind.Int;
        if (At(0) == '.' && char.IsAsciiDigit(At(1)))
        {
            _position++;
            SkipWhile(char.IsAsciiDigit);
            kind = TokenKind.Double;
        }

        if (At(0) is 'e' or 'E' && (char.IsAsciiDigit(At(1)) || (At(1) is '+' or '-' && char.IsAsciiDigit(At(2)))))
        {
            _position += 2;
            SkipWhile(char.IsAsciiDigit);
            kind = TokenKind.Double;
        }

        return kind == TokenKind.Int ? Suffix(kind) : kind;
    }

    private TokenKind Suffix(TokenKind kind)
    {
        if (At(0) is 'u' or 'U')
        {
            _position++;
            kind = TokenKind.Uint;
        }

        return IsLetter(At(0)) ? Fail("a number must not run into a name", _position) : kind;
    }

    private TokenKind Quoted(TokenKind kind, bool isRaw)
    {
        int begin = _position;
        char quote = At(0);
        bool isTriple = At(1) == quote && At(2) == quote;
        _position += isTriple ? 3 : 1;
        while (_position < text.Length)
        {
            char current = text[_position];
            if (current == '\\' && !isRaw)
            {
                _position += 2;
            }
            else if (current == quote && (!isTriple || (At(1) == quote && At(2) == quote)))
            {
                _position += isTriple ? 3 : 1;
                return kind;
            }
            else if (current is '\n' or '\r' && !isTriple)
            {
                return Fail("text in single quotes must end on its line; use triple quotes", _position);
            }
            else
            {
                _position++;
            }
        }

        _position = text.Length;
        return Fail("the text that begins here has no closing quote", begin);
    }

    private TokenKind QuotedName()
    {
        int begin = _position++;
        SkipWhile(character => char.IsAsciiLetterOrDigit(character) || character is '_' or '.' or '-' or '/' or ' ');
        if (At(0) != '`' || _position == begin + 1)
        {
            return Fail("a name in backquotes may hold letters, digits, '_', '.', '-', '/' and spaces", begin);
        }

        _position++;
        return TokenKind.QuotedIdentifier;
    }

    private TokenKind Symbol(char first)
    {
        (TokenKind kind, int length) = (first, At(1)) switch
        {
            ('|', '|') => (TokenKind.Or, 2),
            ('&', '&') => (TokenKind.And, 2),
            ('<', '=') => (TokenKind.LessOrEqual, 2),
            ('>', '=') => (TokenKind.GreaterOrEqual, 2),
            ('=', '=') => (TokenKind.Equal, 2),
            ('!', '=') => (TokenKind.NotEqual, 2),
            ('<', _) => (TokenKind.Less, 1),
            ('>', _) => (TokenKind.Greater, 1),
            ('!', _) => (TokenKind.Not, 1),
            ('?', _) => (TokenKind.Question, 1),
            (':', _) => (TokenKind.Colon, 1),
            ('+', _) => (TokenKind.Plus, 1),
            ('-', _) => (TokenKind.Minus, 1),
            ('*', _) => (TokenKind.Star, 1),
            ('/', _) => (TokenKind.Slash, 1),
            ('%', _) => (TokenKind.Percent, 1),
            ('.', _) => (TokenKind.Dot, 1),
            (',', _) => (TokenKind.Comma, 1),
            ('(', _) => (TokenKind.OpenParenthesis, 1),
            (')', _) => (TokenKind.CloseParenthesis, 1),
            ('[', _) => (TokenKind.OpenBracket, 1),
            (']', _) => (TokenKind.CloseBracket, 1),
            ('{', _) => (TokenKind.OpenBrace, 1),
            ('}', _) => (TokenKind.CloseBrace, 1),
            _ => (TokenKind.End, 0),
        };
        if (length == 0)
        {
            string hint = first switch { '=' => "; equality is ==", '&' => "; and is &&", '|' => "; or is ||", _ => "" };
            return Fail($"unexpected character '{Printable(first)}'{hint}", _position);
        }

        _position += length;
        return kind;
    }

    private void SkipWhile(Func<char, bool> accepts)
    {
        while (_position < text.Length && accepts(text[_position]))
        {
            _position++;
        }
    }

    private static string Printable(char character) =>
        character < ' ' || char.IsSurrogate(character) ? $"U+{(int)character:X4}" : character.ToString();

    private TokenKind Fail(string message, int offset)
    {
        Error = new ExpressionError(ExpressionErrorCode.Syntax, message, offset);
        return TokenKind.End;
    }
}
