using System.Text.Json;

namespace Omium.Kernel.Expressions;

/// <summary>The kinds of values, and <see cref="Dyn"/> for a type that is not known before evaluation.</summary>
public enum CelKind
{
    /// <summary>Any kind; no value has it.</summary>
    Dyn,

    /// <summary>The null value.</summary>
    Null,

    /// <summary>True or false.</summary>
    Bool,

    /// <summary>A signed 64-bit integer.</summary>
    Int,

    /// <summary>An unsigned 64-bit integer.</summary>
    Uint,

    /// <summary>A 64-bit IEEE 754 number.</summary>
    Double,

    /// <summary>Text, counted in Unicode code points.</summary>
    String,

    /// <summary>Bytes.</summary>
    Bytes,

    /// <summary>A list.</summary>
    List,

    /// <summary>A map; its keys are bool, int, uint or string.</summary>
    Map,

    /// <summary>A point in time with nanoseconds.</summary>
    Timestamp,

    /// <summary>A length of time in nanoseconds.</summary>
    Duration,

    /// <summary>The type of a value, itself a value.</summary>
    Type,

    /// <summary>A failed evaluation; it never leaves the engine.</summary>
    Failure,
}

/// <summary>
/// A value of the Common Expression Language. Immutable and safe to share between threads
/// (a <see cref="LazyCelMap"/> is as safe as the functions given to it).
/// </summary>
public abstract class CelValue
{
    private protected CelValue()
    {
    }

    /// <summary>Which kind of value this is.</summary>
    public abstract CelKind Kind { get; }

    /// <summary>The value that <c>type(this)</c> gives.</summary>
    public CelTypeValue Type => CelTypeValue.Of(Kind);

    /// <summary>
    /// The CEL value of a JSON value. Objects and arrays are converted on demand, so the cost is that of what is read.
    /// Without a schema a number is an int when it is integral and fits 64 bits, else a double. Under a JSON Schema
    /// <c>{type: number}</c> it is always a double, under <c>{type: integer}</c> an int; the schema is followed through properties,
    /// items, prefixItems, additionalProperties, allOf, anyOf, oneOf and local <c>$ref</c>s.
    /// </summary>
    /// <remarks>Never throws for JSON that was parsed: a lone surrogate becomes U+FFFD, and of duplicate names the last wins.</remarks>
    public static CelValue FromJson(JsonElement value, JsonElement? schema = null) =>
        JsonConversion.ToCel(JsonConversion.Keep(value), schema is { } document ? JsonShape.FromSchema(document) : JsonShape.Any);

    /// <summary>As <see cref="FromJson(JsonElement, JsonElement?)"/>, with a schema that was prepared once.</summary>
    public static CelValue FromJson(JsonElement value, JsonShape shape) => JsonConversion.ToCel(JsonConversion.Keep(value), shape);

    /// <summary>
    /// The JSON value of this value. Refused, with the problem in words: integers (also those that are a
    /// double, up to 1e21) beyond 2^53 - 1, NaN and the infinities, map keys that
    /// collide as text, types, nesting beyond 500
    /// and more than 16 MiB. Bytes become base64 text, timestamps and durations their CEL text.
    /// </summary>
    public bool TryToJson(out JsonElement json, out string? problem) => JsonConversion.TryToJson(this, out json, out problem);

    /// <summary>
    /// CEL's equality: numbers compare by value across their kinds, maps ignore order, NaN equals nothing. Values that take more than
    /// 16,777,216 comparisons, or are nested deeper than 500, are not equal: a value that holds itself many times over would take forever.
    /// </summary>
    public bool EqualTo(CelValue other)
    {
        long budget = 1L << 24;
        return CelOrder.AreEqual(this, other, ref budget, 0);
    }

    /// <summary>The value as text, for messages: as <c>'%s'.format([value])</c> writes it, given up at 16,384 characters.</summary>
    public override string ToString() => CelText.Display(this);
}

/// <summary>The null value.</summary>
public sealed class CelNull : CelValue
{
    private CelNull()
    {
    }

    /// <summary>The only instance.</summary>
    public static CelNull Instance { get; } = new();

    /// <inheritdoc/>
    public override CelKind Kind => CelKind.Null;
}

/// <summary>True or false.</summary>
public sealed class CelBool : CelValue
{
    private CelBool(bool value) => Value = value;

    /// <summary>The value true.</summary>
    public static CelBool True { get; } = new(true);

    /// <summary>The value false.</summary>
    public static CelBool False { get; } = new(false);

    /// <inheritdoc/>
    public override CelKind Kind => CelKind.Bool;

    /// <summary>The value.</summary>
    public bool Value { get; }

    /// <summary>The instance of a value.</summary>
    public static CelBool Of(bool value) => value ? True : False;
}

/// <summary>A signed 64-bit integer. Arithmetic that overflows fails.</summary>
public sealed class CelInt(long value) : CelValue
{
    private const int SmallMin = -128;
    private const int SmallCount = 1_152;
    private static readonly CelInt[] _small = [.. Enumerable.Range(SmallMin, SmallCount).Select(small => new CelInt(small))];

    /// <inheritdoc/>
    public override CelKind Kind => CelKind.Int;

    /// <summary>The value.</summary>
    public long Value { get; } = value;

    /// <summary>An instance of a value; small values are shared.</summary>
    public static CelInt Of(long value) => value is >= SmallMin and < SmallMin + SmallCount ? _small[value - SmallMin] : new CelInt(value);
}

/// <summary>An unsigned 64-bit integer. Arithmetic that overflows fails.</summary>
public sealed class CelUint(ulong value) : CelValue
{
    /// <inheritdoc/>
    public override CelKind Kind => CelKind.Uint;

    /// <summary>The value.</summary>
    public ulong Value { get; } = value;
}

/// <summary>A 64-bit IEEE 754 number.</summary>
public sealed class CelDouble(double value) : CelValue
{
    /// <inheritdoc/>
    public override CelKind Kind => CelKind.Double;

    /// <summary>The value.</summary>
    public double Value { get; } = value;
}

/// <summary>Text. Sizes and positions count Unicode code points, not UTF-16 characters.</summary>
public sealed class CelString(string value) : CelValue
{
    /// <summary>The empty text.</summary>
    public static CelString Empty { get; } = new("");

    /// <inheritdoc/>
    public override CelKind Kind => CelKind.String;

    /// <summary>The value.</summary>
    public string Value { get; } = value;
}

/// <summary>Bytes.</summary>
public sealed class CelBytes(ReadOnlyMemory<byte> value) : CelValue
{
    /// <inheritdoc/>
    public override CelKind Kind => CelKind.Bytes;

    /// <summary>The value.</summary>
    public ReadOnlyMemory<byte> Value { get; } = value;
}

/// <summary>The type of a value.</summary>
public sealed class CelTypeValue : CelValue
{
    private static readonly CelTypeValue[] _byKind =
    [
        new("dyn"), new("null_type"), new("bool"), new("int"), new("uint"), new("double"), new("string"), new("bytes"), new("list"),
        new("map"), new("google.protobuf.Timestamp"), new("google.protobuf.Duration"), new("type"), new("error"),
    ];

    private CelTypeValue(string name) => Name = name;

    /// <inheritdoc/>
    public override CelKind Kind => CelKind.Type;

    /// <summary>The type's name in CEL: <c>int</c>, <c>null_type</c>, <c>google.protobuf.Timestamp</c>.</summary>
    public string Name { get; }

    /// <summary>The type of a kind of values.</summary>
    public static CelTypeValue Of(CelKind kind) => _byKind[(int)kind];

    /// <summary>The type that a name stands for in an expression, or null.</summary>
    public static CelTypeValue? TryNamed(string name)
    {
        foreach (CelTypeValue type in _byKind)
        {
            if (type.Name == name && name is not ("dyn" or "error"))
            {
                return type;
            }
        }

        return null;
    }
}

/// <summary>A failed evaluation on its way up the tree. Operators that absorb errors look at it; it never leaves the engine.</summary>
internal sealed class CelFailure(ExpressionError error, bool isFinal = false) : CelValue
{
    public override CelKind Kind => CelKind.Failure;

    public ExpressionError Error { get; } = error;

    /// <summary>True when no operator may absorb it: a limit was reached.</summary>
    public bool IsFinal { get; } = isFinal;
}
