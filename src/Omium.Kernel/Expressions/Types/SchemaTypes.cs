using System.Text.Json;

namespace Omium.Kernel.Expressions;

/// <summary>Reads the types of values out of a JSON Schema.</summary>
internal sealed class SchemaTypes
{
    private const int PartsMax = 64;

    // These may change what the other keywords say of a value, so nothing is claimed where they appear.
    private static readonly string[] _unclear = ["anyOf", "oneOf", "then", "else", "$dynamicRef", "$recursiveRef", "$anchor", "$id"];

    private readonly JsonShape.SchemaDocument _document;
    private readonly Dictionary<string, CelType> _byReference = new(StringComparer.Ordinal);

    private SchemaTypes(JsonShape.SchemaDocument document) => _document = document;

    public static CelType Of(JsonElement schema)
    {
        JsonElement root = JsonConversion.Keep(schema);
        return new SchemaTypes(new JsonShape.SchemaDocument(root)).TypeOf([root], isRoot: true);
    }

    private CelType TypeOf(List<JsonElement> schemas, bool isRoot = false)
    {
        // Recursive schemas come back to the same reference: one type for each keeps what is worked out finite.
        if (schemas is [{ ValueKind: JsonValueKind.Object } only] && JsonShape.SchemaDocument.Reference(only) is { } reference
            && only.EnumerateObject().Count() == 1)
        {
            if (!_byReference.TryGetValue(reference, out CelType? known))
            {
                // A reference that leads to nothing but itself says nothing.
                _byReference[reference] = CelType.Dyn;
                known = _document.Resolve(reference) is { } target ? TypeOf([target]) : CelType.Dyn;
                _byReference[reference] = known;
            }

            return known;
        }

        if (Optional(schemas) is { } inner)
        {
            return TypeOf([inner]).Nullable();
        }

        return Parts(schemas, isRoot) is { } parts ? FromParts(parts) : CelType.Dyn;
    }

    /// <summary>The usual way to write "this or null": two alternatives, one of them null.</summary>
    private static JsonElement? Optional(List<JsonElement> schemas)
    {
        if (schemas is not [{ ValueKind: JsonValueKind.Object } schema])
        {
            return null;
        }

        JsonElement alternatives = default;
        foreach (JsonProperty keyword in schema.EnumerateObject())
        {
            if (keyword.NameEquals("anyOf") || keyword.NameEquals("oneOf"))
            {
                if (alternatives.ValueKind != JsonValueKind.Undefined)
                {
                    return null;
                }

                alternatives = keyword.Value;
            }
            else if (!(keyword.NameEquals("title") || keyword.NameEquals("description") || keyword.NameEquals("default") || keyword.NameEquals("examples")))
            {
                return null;
            }
        }

        if (alternatives.ValueKind != JsonValueKind.Array || alternatives.GetArrayLength() != 2)
        {
            return null;
        }

        return IsNull(alternatives[0]) ? alternatives[1] : IsNull(alternatives[1]) ? alternatives[0] : null;
    }

    private static bool IsNull(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("type", out JsonElement type)
        && type.ValueKind == JsonValueKind.String && type.ValueEquals("null");

    /// <summary>The schema with all that it refers to and includes by allOf; null when something in it is unclear.</summary>
    private List<JsonElement>? Parts(List<JsonElement> schemas, bool isRoot)
    {
        var parts = new List<JsonElement>();
        var pending = new Stack<JsonElement>(schemas);
        var followed = new HashSet<string>(StringComparer.Ordinal);
        while (pending.Count > 0)
        {
            JsonElement schema = pending.Pop();
            if (schema.ValueKind != JsonValueKind.Object)
            {
                continue;
            }

            bool isUnclear = _unclear.Any(keyword => schema.TryGetProperty(keyword, out _) && !(isRoot && parts.Count == 0 && keyword is "$id" or "$anchor"));
            if (isUnclear || parts.Count == PartsMax)
            {
                return null;
            }

            parts.Add(schema);
            if (JsonShape.SchemaDocument.Reference(schema) is { } reference && followed.Add(reference))
            {
                if (_document.Resolve(reference) is not { } target)
                {
                    return null;
                }

                pending.Push(target);
            }

            if (schema.TryGetProperty("allOf", out JsonElement all) && all.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonElement item in all.EnumerateArray())
                {
                    pending.Push(item);
                }
            }
        }

        return parts;
    }

    private static readonly string[] _numbers = ["integer", "number"];

    private CelType FromParts(List<JsonElement> parts)
    {
        HashSet<string>? names = null;
        bool saysNumber = false;
        foreach (JsonElement part in parts)
        {
            if (TypeNames(part) is not { } allowed)
            {
                continue;
            }

            saysNumber |= allowed.Contains("number");
            allowed.UnionWith(allowed.Overlaps(_numbers) ? _numbers : []);
            names ??= allowed;
            names.IntersectWith(allowed);
        }

        if (names is null)
        {
            return CelType.Dyn;
        }

        // JsonShape makes a double of every number where one part says number, also when another says integer.
        if (names.Contains("number"))
        {
            names.Remove(saysNumber ? "integer" : "number");
        }

        bool isNullable = names.Remove("null");
        CelType type = names.Count switch
        {
            0 => isNullable ? CelType.Null : CelType.Dyn,
            1 => Single(names.First(), parts),
            _ => CelType.Dyn,
        };
        return isNullable ? type.Nullable() : type;
    }

    private CelType Single(string name, List<JsonElement> parts) => name switch
    {
        "boolean" => CelType.Bool,
        "integer" => CelType.Int,
        "number" => CelType.Double,
        "string" => CelType.String,
        "array" => CelType.LazyList(() => ElementOf(parts)),
        "object" => CelType.LazyObject(() => FieldsOf(parts), () => OthersOf(parts), parts.Any(IsClosed)),
        _ => CelType.Dyn,
    };

    /// <summary>The names in <c>type</c>, or those of the constants in <c>const</c> and <c>enum</c>; null when any are allowed.</summary>
    private static HashSet<string>? TypeNames(JsonElement schema)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (schema.TryGetProperty("type", out JsonElement type))
        {
            IEnumerable<JsonElement> listed = type.ValueKind == JsonValueKind.Array ? type.EnumerateArray() : [type];
            names.UnionWith(listed.Where(item => item.ValueKind == JsonValueKind.String).Select(JsonConversion.Text));
            return names.Count == 0 ? null : names;
        }

        IEnumerable<JsonElement> constants = schema.TryGetProperty("const", out JsonElement constant) ? [constant]
            : schema.TryGetProperty("enum", out JsonElement list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];
        foreach (JsonElement value in constants)
        {
            switch (value.ValueKind)
            {
                case JsonValueKind.String:
                    names.Add("string");
                    break;
                case JsonValueKind.True or JsonValueKind.False:
                    names.Add("boolean");
                    break;
                case JsonValueKind.Null:
                    names.Add("null");
                    break;
                default:
                    return null;
            }
        }

        return names.Count == 0 ? null : names;
    }

    private Dictionary<string, CelType> FieldsOf(List<JsonElement> parts)
    {
        var declared = new Dictionary<string, List<JsonElement>>(StringComparer.Ordinal);
        foreach (JsonElement part in parts)
        {
            foreach (JsonProperty property in Properties(part))
            {
                string name = JsonConversion.Name(property);
                if (!declared.TryGetValue(name, out List<JsonElement>? schemas))
                {
                    declared[name] = schemas = [];
                }

                schemas.Add(property.Value);
            }
        }

        // A part that is closed forbids what only other parts declare.
        foreach (JsonElement part in parts.Where(IsClosed))
        {
            var allowed = Properties(part).Select(JsonConversion.Name).ToHashSet(StringComparer.Ordinal);
            foreach (string name in declared.Keys.Where(name => !allowed.Contains(name)).ToList())
            {
                declared.Remove(name);
            }
        }

        // What other parts say of their further properties may speak of this one too: then nothing is claimed.
        bool isSure(string name) => parts.All(part => Properties(part).Any(property => property.NameEquals(name)) || !HasTypedOthers(part));
        return declared.ToDictionary(entry => entry.Key, entry => isSure(entry.Key) ? TypeOf(entry.Value) : CelType.Dyn, StringComparer.Ordinal);
    }

    private CelType OthersOf(List<JsonElement> parts) =>
        parts is [var only] && HasTypedOthers(only) && !only.TryGetProperty("patternProperties", out _)
            ? TypeOf([only.GetProperty("additionalProperties")]) : CelType.Dyn;

    private CelType ElementOf(List<JsonElement> parts) =>
        parts is [var only] && !only.TryGetProperty("prefixItems", out _) && only.TryGetProperty("items", out JsonElement items)
        && items.ValueKind == JsonValueKind.Object
            ? TypeOf([items]) : CelType.Dyn;

    private static JsonElement.ObjectEnumerator Properties(JsonElement part) =>
        part.TryGetProperty("properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object ? properties.EnumerateObject() : default;

    private static bool HasTypedOthers(JsonElement part) =>
        part.TryGetProperty("additionalProperties", out JsonElement others) && others.ValueKind == JsonValueKind.Object;

    private static bool IsClosed(JsonElement part) =>
        part.TryGetProperty("additionalProperties", out JsonElement others) && others.ValueKind == JsonValueKind.False
        && !part.TryGetProperty("patternProperties", out _);
}
