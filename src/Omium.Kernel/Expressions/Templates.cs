using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Kernel.Expressions;

/// <summary>A problem with one expression of a template.</summary>
/// <param name="Pointer">Where the string is in the template's value, as an RFC 6901 pointer.</param>
/// <param name="Error">The problem; its offset counts from the start of the whole string.</param>
public sealed record TemplateError(string Pointer, ExpressionError Error);

/// <summary>The outcome of a template: a JSON value or an error, and what it cost.</summary>
/// <param name="Value">The value, or null when there is an error.</param>
/// <param name="Error">The error, or null when there is a value.</param>
/// <param name="Cost">Cost units used up by all expressions together.</param>
public sealed record TemplateResult(JsonElement? Value, TemplateError? Error, long Cost);

/// <summary>
/// A JSON value whose strings may hold expressions in <c>${{ }}</c>. A string that is exactly one template becomes the value of the
/// expression, of whatever type; in any other string the value is inserted as text: strings as they are, null, bools and numbers as
/// JSON writes them, times as CEL writes them, bytes as base64, lists and maps as canonical JSON. <c>$${{</c> stands for a literal
/// <c>${{</c>. Names of properties are taken as they are.
/// Guarantees: never throws; one evaluation of all expressions together stays within <see cref="ExpressionLimits.CostMax"/>, and the
/// text of all insertions within <see cref="ExpressionLimits.ResultSizeMax"/>. Immutable and safe to share between threads.
/// </summary>
public sealed class Template
{
    private readonly TemplateNode _root;

    private Template(TemplateNode root, IReadOnlyList<(string Pointer, CelExpression Expression)> expressions)
    {
        _root = root;
        Expressions = expressions;
    }

    /// <summary>Every expression and the pointer of its string, in the order of the value.</summary>
    public IReadOnlyList<(string Pointer, CelExpression Expression)> Expressions { get; }

    /// <summary>True when there is nothing to evaluate: the value is always the same.</summary>
    public bool IsConstant => Expressions.Count == 0;

    /// <summary>Compiles a value. Null when there are errors; then all of them are listed.</summary>
    public static Template? TryCompile(JsonElement value, out IReadOnlyList<TemplateError> errors, ExpressionLimits? limits = null)
    {
        var compiler = new TemplateCompiler(limits ?? ExpressionLimits.Default);
        TemplateNode root = compiler.Compile(JsonConversion.Keep(value), "", 0);
        errors = compiler.Errors;
        return errors.Count == 0 ? new Template(root, compiler.Expressions) : null;
    }

    /// <summary>
    /// Evaluates every expression and puts the value together. The first error ends it. <paramref name="encode"/>: applied to each text that is
    /// inserted behind other text (in a URL: so that a value stays within its segment); what stands first is taken as it is.
    /// </summary>
    public TemplateResult Evaluate(IBindings bindings, ExpressionLimits? limits = null, Func<string, string>? encode = null)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, JsonConversion.WriterOptions);
        var run = new TemplateRun(bindings, limits ?? ExpressionLimits.Default, writer) { Encode = encode };
        TemplateError? error = _root.Write(run, 0);
        if (error is not null)
        {
            return new TemplateResult(null, error, run.Cost);
        }

        writer.Flush();
        return new TemplateResult(JsonConversion.Parse(buffer.WrittenSpan), null, run.Cost);
    }
}

/// <summary>One evaluation of a template.</summary>
internal sealed class TemplateRun(IBindings bindings, ExpressionLimits limits, Utf8JsonWriter writer)
{
    private long _textLength;

    public Utf8JsonWriter Writer => writer;

    public Func<string, string>? Encode { get; init; }

    public long Cost { get; private set; }

    /// <summary>Bytes that insertions may still take.</summary>
    public long SizeLeft => limits.ResultSizeMax - _textLength;

    public CelValue? Evaluate(TemplatePart part, string pointer, out TemplateError? error)
    {
        ExpressionResult result = part.Expression!.Evaluate(bindings, limits, Cost);
        Cost = result.Cost;
        error = result.Succeeded ? null : Fail(pointer, result.Error.Code, result.Error.Message, part.Offset + result.Error.Offset);
        return result.Value;
    }

    /// <summary>Says that a value has no place in a text.</summary>
    public void Failed() => bindings.Failed();

    /// <summary>Counts what was written, and charges it: a value written many times must not grow the result without bound.</summary>
    public TemplateError? Charge(long length, string pointer, int offset)
    {
        _textLength += length;
        Cost += length / 4;
        return _textLength > limits.ResultSizeMax
                ? Fail(pointer, ExpressionErrorCode.TooLarge, $"the template's values take more than {limits.ResultSizeMax} bytes", offset)
            : Cost > limits.CostMax
                ? Fail(pointer, ExpressionErrorCode.CostExceeded, $"the template costs more than {limits.CostMax} units", offset)
            : null;
    }

    public static TemplateError Fail(string pointer, string code, string message, int offset) => new(pointer, new ExpressionError(code, message, offset));
}

/// <summary>A piece of a string: literal text, or an expression that begins at an offset.</summary>
internal sealed record TemplatePart(string Literal, CelExpression? Expression, int Offset);

/// <summary>A part of a template's value.</summary>
internal abstract class TemplateNode
{
    public abstract bool IsConstant { get; }

    public abstract TemplateError? Write(TemplateRun run, int depth);
}

internal sealed class ConstantTemplate(JsonElement value) : TemplateNode
{
    public override bool IsConstant => true;

    public override TemplateError? Write(TemplateRun run, int depth)
    {
        // Raw, so that what JSON allows and UTF-16 does not passes unharmed.
        run.Writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
        return null;
    }
}

internal sealed class ObjectTemplate(List<(string Name, TemplateNode Value)> members) : TemplateNode
{
    public override bool IsConstant { get; } = members.All(member => member.Value.IsConstant);

    public override TemplateError? Write(TemplateRun run, int depth)
    {
        run.Writer.WriteStartObject();
        foreach ((string name, TemplateNode value) in members)
        {
            run.Writer.WritePropertyName(name);
            if (value.Write(run, depth + 1) is { } error)
            {
                return error;
            }
        }

        run.Writer.WriteEndObject();
        return null;
    }
}

internal sealed class ArrayTemplate(List<TemplateNode> items) : TemplateNode
{
    public override bool IsConstant { get; } = items.All(item => item.IsConstant);

    public override TemplateError? Write(TemplateRun run, int depth)
    {
        run.Writer.WriteStartArray();
        foreach (TemplateNode item in items)
        {
            if (item.Write(run, depth + 1) is { } error)
            {
                return error;
            }
        }

        run.Writer.WriteEndArray();
        return null;
    }
}

/// <summary>A string that is one expression and nothing else: its value keeps its type.</summary>
internal sealed class ExpressionTemplate(string pointer, TemplatePart part) : TemplateNode
{
    public override bool IsConstant => false;

    public override TemplateError? Write(TemplateRun run, int depth)
    {
        if (run.Evaluate(part, pointer, out TemplateError? error) is not { } value)
        {
            return error;
        }

        long before = run.Writer.BytesCommitted + run.Writer.BytesPending;
        return JsonConversion.TryWrite(value, run.Writer, before + run.SizeLeft, depth) is { } problem
            ? TemplateRun.Fail(pointer, ExpressionErrorCode.Type, problem, part.Offset)
            : run.Charge(run.Writer.BytesCommitted + run.Writer.BytesPending - before, pointer, part.Offset);
    }
}

/// <summary>A string with expressions in it.</summary>
internal sealed class TextTemplate(string pointer, List<TemplatePart> parts) : TemplateNode
{
    public override bool IsConstant { get; } = parts.All(part => part.Expression is null);

    public override TemplateError? Write(TemplateRun run, int depth)
    {
        var text = new StringBuilder();
        foreach (TemplatePart part in parts)
        {
            if (part.Expression is null)
            {
                text.Append(part.Literal);
                continue;
            }

            if (run.Evaluate(part, pointer, out TemplateError? error) is not { } value)
            {
                return error;
            }

            if (TryText(value, out string inserted) is { } problem)
            {
                run.Failed();
                return TemplateRun.Fail(pointer, ExpressionErrorCode.Type, problem, part.Offset);
            }

            text.Append(text.Length > 0 && run.Encode is { } encode ? encode(inserted) : inserted);
            if (run.Charge(inserted.Length, pointer, part.Offset) is { } tooMuch)
            {
                return tooMuch;
            }
        }

        run.Writer.WriteStringValue(text.ToString());
        return null;
    }

    private static string? TryText(CelValue value, out string text)
    {
        text = "";
        switch (value)
        {
            case CelBytes bytes:
                text = Convert.ToBase64String(bytes.Value.Span);
                return null;
            case CelDouble number when !double.IsFinite(number.Value):
                return $"{value} has no place in a text";
            case CelDouble { Value: 0 }:
                text = "0";
                return null;
            case OpaqueMap opaque:
                return opaque.Failure.Error.Message;
            case CelList or CelMap:
                if (!value.TryToJson(out JsonElement json, out string? problem))
                {
                    return problem;
                }

                text = Encoding.UTF8.GetString(CanonicalJson.Canonicalize(json));
                return null;
            case CelTypeValue:
                return "a type has no place in a text";
            default:
                text = CelText.Scalar(value);
                return null;
        }
    }
}
