using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Omium.Contracts;

namespace Omium.Api.OpenApi;

/// <summary>Which way a record goes: answers leave nulls out and may gain members, requests are read strictly.</summary>
internal enum SchemaDirection
{
    Answer,
    Request,
}

/// <summary>
/// JSON Schemas (draft 2020-12) of wire records, from the same metadata that reads and writes them, so that they cannot disagree. Records become
/// components, named like their type; one that is read (and is no <c>...Request</c>) has <c>Input</c> behind its name, because what is required differs.
/// </summary>
internal sealed class SchemaCollector
{
    private readonly SortedDictionary<string, JsonNode?> _components = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Type> _owners = new(StringComparer.Ordinal);

    /// <summary>Every record met so far, by name.</summary>
    public JsonObject Components() => new(_components.Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone())));

    /// <summary>The schema of a record: a reference to its component.</summary>
    public JsonObject Of(JsonTypeInfo type, SchemaDirection direction) => Schema(type.Options, type.Type, direction);

    private JsonObject Schema(JsonSerializerOptions options, Type type, SchemaDirection direction)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (Simple(type) is { } simple)
        {
            return simple;
        }

        var info = options.GetTypeInfo(type);
        return info.Kind switch
        {
            JsonTypeInfoKind.Enumerable => new JsonObject { ["type"] = "array", ["items"] = Schema(options, info.ElementType!, direction) },
            JsonTypeInfoKind.Dictionary => new JsonObject { ["type"] = "object", ["additionalProperties"] = Schema(options, info.ElementType!, direction) },
            JsonTypeInfoKind.Object => new JsonObject { ["$ref"] = $"#/components/schemas/{Component(info, direction)}" },
            _ => throw new NotSupportedException($"{type} has no schema"),
        };
    }

    private static JsonObject? Simple(Type type) => type switch
    {
        _ when type == typeof(string) => new JsonObject { ["type"] = "string" },
        _ when type == typeof(bool) => new JsonObject { ["type"] = "boolean" },
        _ when type == typeof(int) => new JsonObject { ["type"] = "integer", ["format"] = "int32" },
        _ when type == typeof(long) => new JsonObject { ["type"] = "integer", ["format"] = "int64" },
        _ when type == typeof(double) || type == typeof(decimal) => new JsonObject { ["type"] = "number" },
        _ when type == typeof(DateTimeOffset) => new JsonObject { ["type"] = "string", ["format"] = "date-time" },
        _ when type == typeof(JsonElement) => [],
        _ => null,
    };

    private string Component(JsonTypeInfo info, SchemaDirection direction)
    {
        var name = NameOf(info.Type, direction);
        if (_owners.TryGetValue(name, out var owner))
        {
            return owner == info.Type ? name : throw new InvalidOperationException($"{owner} and {info.Type} would both be called {name}");
        }

        _owners.Add(name, info.Type);
        _components[name] = null; // Met: a record may hold itself.
        _components[name] = Record(info, direction);
        return name;
    }

    private static string NameOf(Type type, SchemaDirection direction)
    {
        var name = type.IsGenericType ? type.GenericTypeArguments[0].Name + type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)] : type.Name;
        return direction == SchemaDirection.Request && !name.EndsWith("Request", StringComparison.Ordinal) ? name + "Input" : name;
    }

    private JsonObject Record(JsonTypeInfo info, SchemaDirection direction)
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var property in info.Properties)
        {
            if (property.Get is null && property.Set is null && property.AssociatedParameter is null)
            {
                continue; // Left out of the JSON.
            }

            var isNullable = Nullable.GetUnderlyingType(property.PropertyType) is not null || property.IsGetNullable;
            properties[property.Name] = Property(info, property, direction, isNullable);
            if (direction == SchemaDirection.Answer ? !isNullable : property.IsRequired || property.AssociatedParameter is { HasDefaultValue: false, IsMemberInitializer: false })
            {
                required.Add(property.Name);
            }
        }

        var schema = new JsonObject { ["type"] = "object" };
        if (ContractDocuments.Summary(info.Type) is { Length: > 0 } summary)
        {
            schema["description"] = summary;
        }

        schema["properties"] = properties;
        if (required.Count > 0)
        {
            schema["required"] = required;
        }

        if (direction == SchemaDirection.Request)
        {
            schema["additionalProperties"] = false;
        }

        return schema;
    }

    private JsonObject Property(JsonTypeInfo info, JsonPropertyInfo property, SchemaDirection direction, bool isNullable)
    {
        var schema = Schema(info.Options, property.PropertyType, direction);
        if (property.AttributeProvider?.GetCustomAttributes(typeof(WordsAttribute), inherit: false) is [WordsAttribute words])
        {
            var target = schema["items"] as JsonObject ?? schema;
            target["enum"] = new JsonArray([.. words.Words.Select(word => (JsonNode)word)]);
        }

        if (isNullable && direction == SchemaDirection.Request)
        {
            schema = OrNull(schema);
        }

        var member = (property.AttributeProvider as MemberInfo)?.Name ?? property.AssociatedParameter?.Name;
        if (member is not null && ContractDocuments.Member(info.Type, member) is { Length: > 0 } text)
        {
            schema["description"] = text;
        }

        return schema;
    }

    private static JsonObject OrNull(JsonObject schema)
    {
        if (schema.ContainsKey("$ref"))
        {
            return new JsonObject { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) };
        }

        if (schema["type"]?.GetValue<string>() is { } type)
        {
            schema["type"] = new JsonArray(type, "null");
        }

        if (schema["enum"] is JsonArray words)
        {
            words.Add((JsonNode?)null);
        }

        return schema;
    }
}
