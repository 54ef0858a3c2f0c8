namespace Omium.Kernel.Expressions;

/// <summary>
/// Why an expression could not be compiled or evaluated. A failure of an expression is data, never an exception.
/// </summary>
/// <param name="Code">A stable word: one of <see cref="ExpressionErrorCode"/>.</param>
/// <param name="Message">What went wrong, for a person.</param>
/// <param name="Offset">Where in the expression's text, in UTF-16 characters from its start.</param>
public sealed record ExpressionError(string Code, string Message, int Offset);

/// <summary>The stable codes of <see cref="ExpressionError.Code"/>.</summary>
public static class ExpressionErrorCode
{
    /// <summary>The text is not a CEL expression.</summary>
    public const string Syntax = "expression_syntax";

    /// <summary>The text, its tree or a value that it builds is larger than its limit.</summary>
    public const string TooLarge = "expression_too_large";

    /// <summary>The expression or a value is nested deeper than its limit.</summary>
    public const string TooDeep = "expression_too_deep";

    /// <summary>The evaluation reached its cost limit; no operator absorbs this error.</summary>
    public const string CostExceeded = "expression_cost_exceeded";

    /// <summary>An operation failed on the values given: division by zero, overflow, no such key, index out of range, invalid conversion.</summary>
    public const string Evaluation = "expression_evaluation";

    /// <summary>An operator or function does not exist for the types of its operands.</summary>
    public const string Type = "expression_type";

    /// <summary>A name or function that nothing defines.</summary>
    public const string UnknownName = "expression_unknown_name";

    /// <summary>A field that a closed object does not have (found by the type checker only).</summary>
    public const string UnknownField = "expression_unknown_field";
}

/// <summary>
/// What an expression may use up. The same limits with the same input give the same answer on every machine: nothing here is a time.
/// </summary>
public sealed record ExpressionLimits
{
    /// <summary>Nesting beyond this is refused whatever <see cref="DepthMax"/> says: it is what half a megabyte of stack is sure to hold.</summary>
    public const int DepthCeiling = 250;

    /// <summary>The limits used where none are given.</summary>
    public static ExpressionLimits Default { get; } = new();

    /// <summary>Longest text, in UTF-16 characters. Default 16,384.</summary>
    public int LengthMax { get; init; } = 16_384;

    /// <summary>
    /// Deepest nesting of the expression's text and of its tree. A chain of the same operator counts once, the arguments of a call twice.
    /// Default 250, at most <see cref="DepthCeiling"/>.
    /// </summary>
    public int DepthMax { get; init; } = 250;

    /// <summary>Most nodes in the expression's tree. Default 10,000.</summary>
    public int NodesMax { get; init; } = 10_000;

    /// <summary>
    /// Most cost units of one evaluation. Default 1,000,000. A node costs 1, each item of a comprehension 1 more, reading text
    /// 1 per 16 characters, building text 1 per 4 characters, building or comparing a list or map 1 per element.
    /// </summary>
    public long CostMax { get; init; } = 1_000_000;

    /// <summary>Largest value one operation may build: characters of text, bytes, or elements of a list or map. Default 1,048,576.</summary>
    public int ResultSizeMax { get; init; } = 1_048_576;

    internal int EffectiveDepthMax => Math.Min(DepthMax, DepthCeiling);
}

/// <summary>The outcome of one evaluation: a value or an error, and what it cost.</summary>
/// <param name="Value">The value, or null when there is an error.</param>
/// <param name="Error">The error, or null when there is a value.</param>
/// <param name="Cost">Cost units used up; the same for the same expression and bindings, everywhere.</param>
public sealed record ExpressionResult(CelValue? Value, ExpressionError? Error, long Cost)
{
    /// <summary>True when there is a value.</summary>
    [System.Diagnostics.CodeAnalysis.MemberNotNullWhen(true, nameof(Value))]
    [System.Diagnostics.CodeAnalysis.MemberNotNullWhen(false, nameof(Error))]
    public bool Succeeded => Error is null;
}

/// <summary>A value that an expression reads, as far as its text tells.</summary>
/// <param name="Root">The name that is looked up in the bindings.</param>
/// <param name="Segments">The fields selected from it, by <c>.name</c> or a constant string index; empty when the whole root is read.</param>
/// <param name="Offset">Where the read starts in the text, in UTF-16 characters.</param>
public sealed record ExpressionPath(string Root, IReadOnlyList<string> Segments, int Offset)
{
    /// <summary>The path as it is usually written: <c>steps.score.output.credit_score</c>.</summary>
    public override string ToString() => Segments.Count == 0 ? Root : Root + "." + string.Join('.', Segments);
}
