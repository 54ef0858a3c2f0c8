using System.Collections.Frozen;
using System.Text.Json;

namespace Omium.Kernel.Schemas;

/// <summary>Which keywords hold subschemas, and how.</summary>
internal static class SchemaVocabulary
{
    /// <summary>Dialects before 2020-12 that are read by its rules.</summary>
    public static readonly FrozenSet<string> LegacyDialects = FrozenSet.Create(
        StringComparer.Ordinal,
        "https://json-schema.org/draft-04/schema",
        "https://json-schema.org/draft-06/schema",
        "https://json-schema.org/draft-07/schema",
        "https://json-schema.org/draft/2019-09/schema");

    private static readonly FrozenSet<string> Single = FrozenSet.Create(
        StringComparer.Ordinal,
        "not", "if", "then", "else", "additionalProperties", "propertyNames", "items", "contains", "unevaluatedProperties", "unevaluatedItems", "contentSchema");

    private static readonly FrozenSet<string> Lists = FrozenSet.Create(StringComparer.Ordinal, "allOf", "anyOf", "oneOf", "prefixItems");

    private static readonly FrozenSet<string> Maps = FrozenSet.Create(
        StringComparer.Ordinal, "$defs", "definitions", "properties", "patternProperties", "dependentSchemas");

    /// <summary>Every subschema that stands directly under a schema, with its keyword. Values of a wrong kind are left to the builder to report.</summary>
    public static IEnumerable<(SchemaLocation Location, string Keyword)> Subschemas(SchemaLocation schema, bool isLegacy)
    {
        foreach (var member in schema.Element.EnumerateObject())
        {
            var keyword = JsonText.NameOf(member);
            var value = member.Value;
            if (Lists.Contains(keyword) || (isLegacy && keyword == "items" && value.ValueKind == JsonValueKind.Array))
            {
                foreach (var child in Items(schema.Child(keyword, value)))
                {
                    yield return (child, keyword);
                }
            }
            else if (Single.Contains(keyword) || (isLegacy && keyword == "additionalItems"))
            {
                yield return (schema.Child(keyword, value), keyword);
            }
            else if (Maps.Contains(keyword) || (isLegacy && keyword == "dependencies"))
            {
                foreach (var child in Members(schema.Child(keyword, value)))
                {
                    if (keyword != "dependencies" || child.Location.Element.ValueKind != JsonValueKind.Array)
                    {
                        yield return (child.Location, keyword);
                    }
                }
            }
        }
    }

    public static IEnumerable<SchemaLocation> Items(SchemaLocation list)
    {
        if (list.Element.ValueKind != JsonValueKind.Array)
        {
            yield break;
        }

        var index = 0;
        foreach (var item in list.Element.EnumerateArray())
        {
            yield return list.Child(index++, item);
        }
    }

    public static IEnumerable<(string Name, SchemaLocation Location)> Members(SchemaLocation map)
    {
        if (map.Element.ValueKind != JsonValueKind.Object)
        {
            yield break;
        }

        foreach (var member in map.Element.EnumerateObject())
        {
            var name = JsonText.NameOf(member);
            yield return (name, map.Child(name, member.Value));
        }
    }
}
