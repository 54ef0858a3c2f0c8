using System.Text.Json;

namespace Omium.Kernel.Schemas;

/// <summary>Turns the keywords of one subschema into what can be applied, and reports every value that the specification does not allow.</summary>
internal sealed class KeywordBuilder
{
    private static readonly string[] Counts = ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"];
    private static readonly string[] Bounds = ["maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"];
    private static readonly string[] Texts = ["$schema", "$comment", "title", "description", "contentEncoding", "contentMediaType"];
    private static readonly string[] Switches = ["deprecated", "readOnly", "writeOnly"];

    private readonly SchemaNode _node;
    private readonly SchemaCompiler _compiler;
    private readonly List<SchemaKeyword> _keywords = [];

    private KeywordBuilder(SchemaNode node, SchemaCompiler compiler)
    {
        _node = node;
        _compiler = compiler;
    }

    public static void Build(SchemaNode node, SchemaCompiler compiler)
    {
        var builder = new KeywordBuilder(node, compiler);
        builder.CheckAnnotations();
        builder.AddReferences();
        builder.AddAssertions();
        builder.AddObjectAssertions();
        builder.AddCombinations();
        builder.AddObjectApplicators();
        builder.AddArrayApplicators();
        builder.AddUnevaluated();
        node.Keywords = [.. builder._keywords];
    }

    private void CheckAnnotations()
    {
        foreach (var keyword in Texts)
        {
            Text(keyword);
        }

        foreach (var keyword in Switches)
        {
            Find(keyword, "a boolean", value => value.ValueKind is JsonValueKind.True or JsonValueKind.False, out _);
        }

        Find("examples", "an array", value => value.ValueKind == JsonValueKind.Array, out _);
        Find("$vocabulary", "an object of booleans", value => value.ValueKind == JsonValueKind.Object && value.EnumerateObject().All(entry => entry.Value.ValueKind is JsonValueKind.True or JsonValueKind.False), out _);
        Map("$defs");
        Map("definitions");
        if (_compiler.IsLegacy && Has("$recursiveRef"))
        {
            _compiler.Report(_node.Location, "$recursiveRef", "$recursiveRef became $dynamicRef in 2020-12.", "schema_unsupported_dialect");
        }
    }

    private void AddReferences()
    {
        if (Text("$ref") is { } reference && _compiler.Resolve(_node, "$ref", reference, out _) is { } target)
        {
            _keywords.Add(new AllOfKeyword(_node, "$ref", [target]));
        }

        if (Text("$dynamicRef") is { } dynamic && _compiler.Resolve(_node, "$dynamicRef", dynamic, out var anchor) is { } initial)
        {
            _keywords.Add(anchor is not null && initial.DynamicAnchor == anchor
                ? new DynamicRefKeyword(_node, initial, anchor)
                : new AllOfKeyword(_node, "$dynamicRef", [initial]));
        }
    }

    private void AddAssertions()
    {
        AddType();
        if (Find("enum", "an array", value => value.ValueKind == JsonValueKind.Array, out var values))
        {
            _keywords.Add(new EnumKeyword(_node, "enum", [.. values.EnumerateArray()]));
        }

        if (Has("const"))
        {
            _keywords.Add(new EnumKeyword(_node, "const", [_node.Element.GetProperty("const")]));
        }

        foreach (var keyword in Bounds)
        {
            if (Find(keyword, "a number", value => value.ValueKind == JsonValueKind.Number, out var limit))
            {
                _keywords.Add(new BoundKeyword(_node, keyword, limit));
            }
        }

        if (Find("multipleOf", "a number greater than 0", value => value.ValueKind == JsonValueKind.Number && new JsonNumber(value).IsPositive, out var divisor))
        {
            _keywords.Add(new MultipleOfKeyword(_node, divisor));
        }

        foreach (var keyword in Counts)
        {
            if (Count(keyword) is { } count)
            {
                _keywords.Add(new CountKeyword(_node, keyword, count));
            }
        }

        if (Text("pattern") is { } source && _compiler.Pattern(_node.Location, "pattern", source) is { } pattern)
        {
            _keywords.Add(new PatternKeyword(_node, pattern));
        }

        if (Text("format") is { } format)
        {
            _keywords.Add(new FormatKeyword(_node, format));
        }

        if (Find("uniqueItems", "a boolean", value => value.ValueKind is JsonValueKind.True or JsonValueKind.False, out var unique) && unique.ValueKind == JsonValueKind.True)
        {
            _keywords.Add(new UniqueItemsKeyword(_node));
        }
    }

    private void AddType()
    {
        if (!Find("type", "the name of a type, or a list of different ones", value => TypesOf(value) is not null, out var type))
        {
            return;
        }

        var names = type.ValueKind == JsonValueKind.String ? [JsonText.Of(type)] : type.EnumerateArray().Select(JsonText.Of).ToArray();
        _keywords.Add(new TypeKeyword(_node, TypesOf(type)!.Value, names.Length == 1 ? names[0] : $"one of {string.Join(", ", names)}"));
    }

    private static JsonTypes? TypesOf(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array)
        {
            var all = JsonTypes.None;
            foreach (var item in value.EnumerateArray())
            {
                if (item.ValueKind != JsonValueKind.String || TypesOf(item) is not { } one || all.HasFlag(one))
                {
                    return null;
                }

                all |= one;
            }

            return all == JsonTypes.None ? null : all;
        }

        return value.ValueKind != JsonValueKind.String ? null : JsonText.Of(value) switch
        {
            "null" => JsonTypes.Null,
            "boolean" => JsonTypes.Boolean,
            "integer" => JsonTypes.Integer,
            "number" => JsonTypes.Number,
            "string" => JsonTypes.String,
            "array" => JsonTypes.Array,
            "object" => JsonTypes.Object,
            _ => null,
        };
    }

    private void AddObjectAssertions()
    {
        if (Find("required", "a list of different names", IsNameList, out var required) && required.GetArrayLength() > 0)
        {
            _keywords.Add(new RequiredKeyword(_node, "required", NamesOf(required)));
        }

        if (Find("dependentRequired", "an object of lists of different names", value => value.ValueKind == JsonValueKind.Object && value.EnumerateObject().All(entry => IsNameList(entry.Value)), out var dependent))
        {
            foreach (var entry in dependent.EnumerateObject())
            {
                _keywords.Add(new RequiredKeyword(_node, "dependentRequired", NamesOf(entry.Value), new MemberName(JsonText.NameOf(entry))));
            }
        }
    }

    private static bool IsNameList(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array
        && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
        && value.EnumerateArray().Select(JsonText.Of).Distinct(StringComparer.Ordinal).Count() == value.GetArrayLength();

    private static MemberName[] NamesOf(JsonElement list) => [.. list.EnumerateArray().Select(item => new MemberName(JsonText.Of(item)))];

    private void AddCombinations()
    {
        if (List("allOf") is { } all)
        {
            _keywords.Add(new AllOfKeyword(_node, "allOf", all));
        }

        if (List("anyOf") is { } any)
        {
            _keywords.Add(new AnyOfKeyword(_node, any));
        }

        if (List("oneOf") is { } one)
        {
            _keywords.Add(new OneOfKeyword(_node, one));
        }

        if (Schema("not") is { } not)
        {
            _keywords.Add(new NotKeyword(_node, not));
        }

        var (then, otherwise) = (Schema("then"), Schema("else"));
        if (Schema("if") is { } test)
        {
            _keywords.Add(new IfKeyword(_node, test, then, otherwise));
        }

        if (Map("dependentSchemas") is { } dependent)
        {
            _keywords.Add(new DependentSchemasKeyword(_node, "dependentSchemas", [.. dependent.Select(entry => (new MemberName(entry.Name), entry.Schema))]));
        }

        if (_compiler.IsLegacy)
        {
            AddDependencies();
        }
    }

    /// <summary>Before 2019-09 one keyword stood for dependentRequired and dependentSchemas.</summary>
    private void AddDependencies()
    {
        if (!Find("dependencies", "an object", value => value.ValueKind == JsonValueKind.Object, out var dependencies))
        {
            return;
        }

        var schemas = new List<(MemberName, SchemaNode)>();
        foreach (var (name, location) in SchemaVocabulary.Members(_node.Location.Child("dependencies", dependencies)))
        {
            if (IsNameList(location.Element))
            {
                _keywords.Add(new RequiredKeyword(_node, "dependencies", NamesOf(location.Element), new MemberName(name)));
            }
            else
            {
                schemas.Add((new MemberName(name), _compiler.Scan(location, _node.Resource)));
            }
        }

        if (schemas.Count > 0)
        {
            _keywords.Add(new DependentSchemasKeyword(_node, "dependencies", [.. schemas]));
        }
    }

    private void AddObjectApplicators()
    {
        var byName = Map("properties");
        var patterns = new List<(SchemaPattern, SchemaNode)>();
        foreach (var (source, schema) in Map("patternProperties") ?? [])
        {
            if (_compiler.Pattern(_node.Location, "patternProperties", source) is { } pattern)
            {
                patterns.Add((pattern, schema));
            }
        }

        var additional = Schema("additionalProperties");
        if (byName is not null || patterns.Count > 0 || additional is not null)
        {
            var names = new Dictionary<string, SchemaNode>(StringComparer.Ordinal);
            foreach (var (name, schema) in byName ?? [])
            {
                names[name] = schema;
            }

            _keywords.Add(new PropertiesKeyword(_node, names, [.. patterns], additional));
        }

        if (Schema("propertyNames") is { } propertyNames)
        {
            _keywords.Add(new PropertyNamesKeyword(_node, propertyNames));
        }
    }

    private void AddArrayApplicators()
    {
        var isLegacyTuple = _compiler.IsLegacy && Has("items") && _node.Element.GetProperty("items").ValueKind == JsonValueKind.Array;
        var prefix = List(isLegacyTuple ? "items" : "prefixItems", canBeEmpty: isLegacyTuple);
        var rest = Schema(isLegacyTuple ? "additionalItems" : "items");
        if (prefix is not null || rest is not null)
        {
            _keywords.Add(new ItemsKeyword(_node, prefix ?? [], rest));
        }

        var (countMin, countMax) = (Count("minContains"), Count("maxContains"));
        if (Schema("contains") is { } contains)
        {
            _keywords.Add(new ContainsKeyword(_node, contains, countMin ?? 1, countMax));
        }

        Schema("contentSchema");
    }

    private void AddUnevaluated()
    {
        foreach (var keyword in (string[])["unevaluatedItems", "unevaluatedProperties"])
        {
            if (Schema(keyword) is { } schema)
            {
                _keywords.Add(new UnevaluatedKeyword(_node, keyword, schema));
                _node.HasUnevaluated = true;
            }
        }
    }

    private bool Has(string keyword) => _node.Element.TryGetProperty(keyword, out _);

    /// <summary>A keyword's value, if it is there and what it must be.</summary>
    private bool Find(string keyword, string expected, Func<JsonElement, bool> isAllowed, out JsonElement value)
    {
        if (!_node.Element.TryGetProperty(keyword, out value))
        {
            return false;
        }

        if (isAllowed(value))
        {
            return true;
        }

        _compiler.Report(_node.Location, keyword, $"{keyword} is {expected}, not {SchemaEvaluation.Show(value)}.");
        return false;
    }

    private string? Text(string keyword) =>
        Find(keyword, "a string", value => value.ValueKind == JsonValueKind.String, out var value) ? JsonText.Of(value) : null;

    private int? Count(string keyword) =>
        Find(keyword, "a whole number of at least 0", value => value.ValueKind == JsonValueKind.Number && new JsonNumber(value).TryGetCount(out _), out var value)
        && new JsonNumber(value).TryGetCount(out var count) ? count : null;

    private SchemaNode? Schema(string keyword)
    {
        if (!_node.Element.TryGetProperty(keyword, out var value))
        {
            return null;
        }

        var schema = _compiler.Scan(_node.Location.Child(keyword, value), _node.Resource);
        schema.FalseKeyword = keyword;
        return schema;
    }

    private SchemaNode[]? List(string keyword, bool canBeEmpty = false) =>
        Find(keyword, "a list of schemas that is not empty", value => value.ValueKind == JsonValueKind.Array && (canBeEmpty || value.GetArrayLength() > 0), out var list)
            ? [.. SchemaVocabulary.Items(_node.Location.Child(keyword, list)).Select(location => _compiler.Scan(location, _node.Resource))]
            : null;

    private List<(string Name, SchemaNode Schema)>? Map(string keyword) =>
        Find(keyword, "an object of schemas", value => value.ValueKind == JsonValueKind.Object, out var map)
            ? [.. SchemaVocabulary.Members(_node.Location.Child(keyword, map)).Select(entry => (entry.Name, _compiler.Scan(entry.Location, _node.Resource)))]
            : null;
}
