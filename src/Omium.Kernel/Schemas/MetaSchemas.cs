using System.Collections.Frozen;
using System.Text.Json;

namespace Omium.Kernel.Schemas;

/// <summary>
/// The meta-schemas of draft 2020-12 as data, so that schemas may refer to them:
/// the dialect (core specification, section 8.1.1) and its vocabularies (core 8, 10, 11; validation 6 to 9).
/// </summary>
internal static class MetaSchemas
{
    public const string Draft202012 = "https://json-schema.org/draft/2020-12/schema";

    private const string Prefix = "https://json-schema.org/draft/2020-12/";

    private static readonly FrozenDictionary<string, JsonElement> Documents = Load();

    public static bool TryGet(string uri, out JsonElement document) => Documents.TryGetValue(uri, out document);

    private static FrozenDictionary<string, JsonElement> Load()
    {
        string[] sources = [Schema, Core, Applicator, Unevaluated, Validation, MetaData, FormatAnnotation, Content];
        return sources
            .Select(source => JsonElement.Parse(source.Replace("@", Prefix, StringComparison.Ordinal)))
            .ToFrozenDictionary(document => document.GetProperty("$id").GetString()!, StringComparer.Ordinal);
    }

    private const string Schema = """
        {
          "$schema": "@schema", "$id": "@schema",
          "$vocabulary": {
            "@vocab/core": true, "@vocab/applicator": true, "@vocab/unevaluated": true, "@vocab/validation": true,
            "@vocab/meta-data": true, "@vocab/format-annotation": true, "@vocab/content": true
          },
          "$dynamicAnchor": "meta",
          "title": "Core and Validation specifications meta-schema",
          "allOf": [
            {"$ref": "meta/core"}, {"$ref": "meta/applicator"}, {"$ref": "meta/unevaluated"}, {"$ref": "meta/validation"},
            {"$ref": "meta/meta-data"}, {"$ref": "meta/format-annotation"}, {"$ref": "meta/content"}
          ],
          "type": ["object", "boolean"],
          "properties": {
            "definitions": {"type": "object", "additionalProperties": {"$dynamicRef": "#meta"}, "deprecated": true, "default": {}},
            "dependencies": {
              "type": "object",
              "additionalProperties": {"anyOf": [{"$dynamicRef": "#meta"}, {"$ref": "meta/validation#/$defs/stringArray"}]},
              "deprecated": true, "default": {}
            },
            "$recursiveAnchor": {"$ref": "meta/core#/$defs/anchorString", "deprecated": true},
            "$recursiveRef": {"$ref": "meta/core#/$defs/uriReferenceString", "deprecated": true}
          }
        }
        """;

    private const string Core = """
        {
          "$schema": "@schema", "$id": "@meta/core", "$dynamicAnchor": "meta",
          "title": "Core vocabulary meta-schema", "type": ["object", "boolean"],
          "properties": {
            "$id": {"$ref": "#/$defs/uriReferenceString", "$comment": "Non-empty fragments not allowed.", "pattern": "^[^#]*#?$"},
            "$schema": {"$ref": "#/$defs/uriString"},
            "$ref": {"$ref": "#/$defs/uriReferenceString"},
            "$anchor": {"$ref": "#/$defs/anchorString"},
            "$dynamicRef": {"$ref": "#/$defs/uriReferenceString"},
            "$dynamicAnchor": {"$ref": "#/$defs/anchorString"},
            "$vocabulary": {"type": "object", "propertyNames": {"$ref": "#/$defs/uriString"}, "additionalProperties": {"type": "boolean"}},
            "$comment": {"type": "string"},
            "$defs": {"type": "object", "additionalProperties": {"$dynamicRef": "#meta"}}
          },
          "$defs": {
            "anchorString": {"type": "string", "pattern": "^[A-Za-z_][-A-Za-z0-9._]*$"},
            "uriString": {"type": "string", "format": "uri"},
            "uriReferenceString": {"type": "string", "format": "uri-reference"}
          }
        }
        """;

    private const string Applicator = """
        {
          "$schema": "@schema", "$id": "@meta/applicator", "$dynamicAnchor": "meta",
          "title": "Applicator vocabulary meta-schema", "type": ["object", "boolean"],
          "properties": {
            "prefixItems": {"$ref": "#/$defs/schemaArray"},
            "items": {"$dynamicRef": "#meta"},
            "contains": {"$dynamicRef": "#meta"},
            "additionalProperties": {"$dynamicRef": "#meta"},
            "properties": {"type": "object", "additionalProperties": {"$dynamicRef": "#meta"}, "default": {}},
            "patternProperties": {"type": "object", "additionalProperties": {"$dynamicRef": "#meta"}, "propertyNames": {"format": "regex"}, "default": {}},
            "dependentSchemas": {"type": "object", "additionalProperties": {"$dynamicRef": "#meta"}, "default": {}},
            "propertyNames": {"$dynamicRef": "#meta"},
            "if": {"$dynamicRef": "#meta"},
            "then": {"$dynamicRef": "#meta"},
            "else": {"$dynamicRef": "#meta"},
            "allOf": {"$ref": "#/$defs/schemaArray"},
            "anyOf": {"$ref": "#/$defs/schemaArray"},
            "oneOf": {"$ref": "#/$defs/schemaArray"},
            "not": {"$dynamicRef": "#meta"}
          },
          "$defs": {"schemaArray": {"type": "array", "minItems": 1, "items": {"$dynamicRef": "#meta"}}}
        }
        """;

    private const string Unevaluated = """
        {
          "$schema": "@schema", "$id": "@meta/unevaluated", "$dynamicAnchor": "meta",
          "title": "Unevaluated applicator vocabulary meta-schema", "type": ["object", "boolean"],
          "properties": {"unevaluatedItems": {"$dynamicRef": "#meta"}, "unevaluatedProperties": {"$dynamicRef": "#meta"}}
        }
        """;

    private const string Validation = """
        {
          "$schema": "@schema", "$id": "@meta/validation", "$dynamicAnchor": "meta",
          "title": "Validation vocabulary meta-schema", "type": ["object", "boolean"],
          "properties": {
            "type": {"anyOf": [
              {"$ref": "#/$defs/simpleTypes"},
              {"type": "array", "items": {"$ref": "#/$defs/simpleTypes"}, "minItems": 1, "uniqueItems": true}
            ]},
            "const": true,
            "enum": {"type": "array", "items": true},
            "multipleOf": {"type": "number", "exclusiveMinimum": 0},
            "maximum": {"type": "number"}, "exclusiveMaximum": {"type": "number"},
            "minimum": {"type": "number"}, "exclusiveMinimum": {"type": "number"},
            "maxLength": {"$ref": "#/$defs/nonNegativeInteger"}, "minLength": {"$ref": "#/$defs/nonNegativeIntegerDefault0"},
            "pattern": {"type": "string", "format": "regex"},
            "maxItems": {"$ref": "#/$defs/nonNegativeInteger"}, "minItems": {"$ref": "#/$defs/nonNegativeIntegerDefault0"},
            "uniqueItems": {"type": "boolean", "default": false},
            "maxContains": {"$ref": "#/$defs/nonNegativeInteger"},
            "minContains": {"$ref": "#/$defs/nonNegativeInteger", "default": 1},
            "maxProperties": {"$ref": "#/$defs/nonNegativeInteger"}, "minProperties": {"$ref": "#/$defs/nonNegativeIntegerDefault0"},
            "required": {"$ref": "#/$defs/stringArray"},
            "dependentRequired": {"type": "object", "additionalProperties": {"$ref": "#/$defs/stringArray"}}
          },
          "$defs": {
            "nonNegativeInteger": {"type": "integer", "minimum": 0},
            "nonNegativeIntegerDefault0": {"$ref": "#/$defs/nonNegativeInteger", "default": 0},
            "simpleTypes": {"enum": ["array", "boolean", "integer", "null", "number", "object", "string"]},
            "stringArray": {"type": "array", "items": {"type": "string"}, "uniqueItems": true, "default": []}
          }
        }
        """;

    private const string MetaData = """
        {
          "$schema": "@schema", "$id": "@meta/meta-data", "$dynamicAnchor": "meta",
          "title": "Meta-data vocabulary meta-schema", "type": ["object", "boolean"],
          "properties": {
            "title": {"type": "string"}, "description": {"type": "string"}, "default": true,
            "deprecated": {"type": "boolean", "default": false},
            "readOnly": {"type": "boolean", "default": false}, "writeOnly": {"type": "boolean", "default": false},
            "examples": {"type": "array", "items": true}
          }
        }
        """;

    private const string FormatAnnotation = """
        {
          "$schema": "@schema", "$id": "@meta/format-annotation", "$dynamicAnchor": "meta",
          "title": "Format vocabulary meta-schema for annotation results", "type": ["object", "boolean"],
          "properties": {"format": {"type": "string"}}
        }
        """;

    private const string Content = """
        {
          "$schema": "@schema", "$id": "@meta/content", "$dynamicAnchor": "meta",
          "title": "Content vocabulary meta-schema", "type": ["object", "boolean"],
          "properties": {
            "contentEncoding": {"type": "string"}, "contentMediaType": {"type": "string"}, "contentSchema": {"$dynamicRef": "#meta"}
          }
        }
        """;
}
