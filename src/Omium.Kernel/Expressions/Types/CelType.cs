using System.Text.Json;

namespace Omium.Kernel.Expressions;

/// <summary>
/// What is known of a value before it is there. A type that allows null is written <c>T?</c>; an object is a map whose fields are known.
/// Immutable. Recursive types are worked out as far as they are looked at.
/// </summary>
public sealed class CelType
{
    private readonly Lazy<IReadOnlyDictionary<string, CelType>>? _fields;
    private readonly Lazy<CelType>? _element;

    private CelType(
        CelKind kind, bool isNullable = false, Lazy<CelType>? element = null,
        Lazy<IReadOnlyDictionary<string, CelType>>? fields = null, bool isClosed = false)
    {
        (Kind, IsNullable, _element, _fields, IsClosed) = (kind, isNullable, element, fields, isClosed);
    }

    /// <summary>Nothing is known.</summary>
    public static CelType Dyn { get; } = new(CelKind.Dyn);

    /// <summary>The type of null.</summary>
    public static CelType Null { get; } = new(CelKind.Null);

    /// <summary>The type of true and false.</summary>
    public static CelType Bool { get; } = new(CelKind.Bool);

    /// <summary>Signed integers.</summary>
    public static CelType Int { get; } = new(CelKind.Int);

    /// <summary>Unsigned integers.</summary>
    public static CelType Uint { get; } = new(CelKind.Uint);

    /// <summary>Floating-point numbers.</summary>
    public static CelType Double { get; } = new(CelKind.Double);

    /// <summary>Text.</summary>
    public static CelType String { get; } = new(CelKind.String);

    /// <summary>Bytes.</summary>
    public static CelType Bytes { get; } = new(CelKind.Bytes);

    /// <summary>Points in time.</summary>
    public static CelType Timestamp { get; } = new(CelKind.Timestamp);

    /// <summary>Lengths of time.</summary>
    public static CelType Duration { get; } = new(CelKind.Duration);

    /// <summary>Types as values.</summary>
    public static CelType Type { get; } = new(CelKind.Type);

    /// <summary>The kind of the values; Dyn when it is not known.</summary>
    public CelKind Kind { get; }

    /// <summary>Whether the value may be null instead.</summary>
    public bool IsNullable { get; }

    /// <summary>The type of a list's elements, of a map's values, or of an open object's further fields; Dyn for others.</summary>
    public CelType Element => _element?.Value ?? Dyn;

    /// <summary>The fields that an object is known to have or may have; null when this is no object.</summary>
    public IReadOnlyDictionary<string, CelType>? Fields => _fields?.Value;

    /// <summary>True for an object that has no other fields than <see cref="Fields"/>.</summary>
    public bool IsClosed { get; }

    /// <summary>Lists of elements of a type.</summary>
    public static CelType ListOf(CelType element) => new(CelKind.List, element: new Lazy<CelType>(element));

    /// <summary>Maps with values of a type; their keys may be of any kind that a key may have.</summary>
    public static CelType MapOf(CelType value) => new(CelKind.Map, element: new Lazy<CelType>(value));

    /// <summary>Objects with these fields, and further ones when it is not closed. A field need not be there.</summary>
    public static CelType ObjectOf(IReadOnlyDictionary<string, CelType> fields, bool isClosed) =>
        new(CelKind.Map, fields: new Lazy<IReadOnlyDictionary<string, CelType>>(fields), isClosed: isClosed);

    /// <summary>
    /// The type of values that a JSON Schema (draft 2020-12) accepts, once <see cref="CelValue.FromJson(JsonElement, JsonElement?)"/> has
    /// converted them under the same schema. What the schema leaves open, or says in a way this does not follow, is Dyn. Never throws.
    /// </summary>
    public static CelType FromJsonSchema(JsonElement schema) => SchemaTypes.Of(schema);

    /// <summary>This type, or null.</summary>
    public CelType Nullable() =>
        IsNullable || Kind is CelKind.Dyn or CelKind.Null ? this : new CelType(Kind, isNullable: true, _element, _fields, IsClosed);

    /// <summary>The type of a value that exists already.</summary>
    internal static CelType OfKind(CelKind kind) => kind switch
    {
        CelKind.Null => Null,
        CelKind.Bool => Bool,
        CelKind.Int => Int,
        CelKind.Uint => Uint,
        CelKind.Double => Double,
        CelKind.String => String,
        CelKind.Bytes => Bytes,
        CelKind.Timestamp => Timestamp,
        CelKind.Duration => Duration,
        CelKind.Type => Type,
        CelKind.List => ListOf(Dyn),
        CelKind.Map => MapOf(Dyn),
        _ => Dyn,
    };

    internal static CelType LazyList(Func<CelType> element) => new(CelKind.List, element: new Lazy<CelType>(element));

    internal static CelType LazyObject(Func<IReadOnlyDictionary<string, CelType>> fields, Func<CelType> others, bool isClosed) => new(
        CelKind.Map, element: new Lazy<CelType>(others), fields: new Lazy<IReadOnlyDictionary<string, CelType>>(fields), isClosed: isClosed);

    /// <summary>The kinds that a value of this type may have, one bit per kind.</summary>
    internal int Kinds => Kind == CelKind.Dyn ? Overload.AnyKind : (1 << (int)Kind) | (IsNullable ? 1 << (int)CelKind.Null : 0);

    /// <summary>A type that holds the values of both.</summary>
    internal static CelType Join(CelType one, CelType other)
    {
        if (ReferenceEquals(one, other))
        {
            return one;
        }

        if (one.Kind == CelKind.Null || other.Kind == CelKind.Null)
        {
            return one.Kind == CelKind.Null ? other.Nullable() : one.Nullable();
        }

        if (one.Kind != other.Kind)
        {
            return Dyn;
        }

        CelType joined = OfKind(one.Kind);
        return one.IsNullable || other.IsNullable ? joined.Nullable() : joined;
    }

    /// <summary>The type as it is written in messages: <c>list&lt;int&gt;</c>, <c>object?</c>.</summary>
    public override string ToString()
    {
        string name = Kind switch
        {
            CelKind.List => $"list<{(Element.Kind is CelKind.List or CelKind.Map ? Element.Kind.ToString().ToLowerInvariant() : Element)}>",
            CelKind.Map => Fields is null ? "map" : "object",
            _ => CelTypeValue.Of(Kind).Name,
        };
        return IsNullable ? name + "?" : name;
    }
}
