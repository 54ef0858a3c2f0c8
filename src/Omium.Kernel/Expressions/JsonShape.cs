using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Kernel.Expressions;

/// <summary>Which kind of number a schema asks for.</summary>
internal enum JsonNumberKind
{
    Untyped,
    Integer,
    Double,
}

/// <summary>
/// What a JSON Schema says about the numbers in a document, prepared so that converting many documents follows it quickly.
/// Parts are worked out when first needed and kept, also through recursive references. Safe to share between threads.
/// </summary>
/// <remarks>
/// All applicable subschemas count (allOf, anyOf, oneOf, then, else, local $ref): one that says <c>number</c> wins over one that says
/// <c>integer</c>. Names matched only by patternProperties are untyped.
/// </remarks>
public sealed class JsonShape
{
    // A schema that refers to itself without end, or fans out without bound, is cut here; what is cut is untyped.
    private const int BranchesMax = 64;

    private readonly SchemaDocument _document;
    private readonly List<JsonElement> _branches;
    private readonly ConcurrentDictionary<string, JsonShape> _properties = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, JsonShape> _items = new();
    private JsonShape? _otherProperties;

    private JsonShape(SchemaDocument document, List<JsonElement> branches)
    {
        _document = document;
        _branches = branches;
        Number = NumberOf(branches);
    }

    /// <summary>The shape of anything: all numbers are untyped.</summary>
    public static JsonShape Any { get; } = new(new SchemaDocument(default), []);

    internal JsonNumberKind Number { get; }

    /// <summary>Prepares a schema. Never throws: what is no schema says nothing.</summary>
    public static JsonShape FromSchema(JsonElement schema)
    {
        JsonElement root = JsonConversion.Keep(schema);
        var document = new SchemaDocument(root);
        return document.ShapeOf([root]);
    }

    internal JsonShape Property(string name)
    {
        if (_branches.Count == 0)
        {
            return Any;
        }

        // Only names that the schema declares have a place of their own: data must not be able to fill the dictionary.
        return Declares(name)
            ? _properties.TryGetValue(name, out JsonShape? known) ? known : _properties[name] = FindProperty(name)
            : _otherProperties ??= FindProperty(name);
    }

    internal JsonShape Item(int index)
    {
        // Beyond every prefix all items share one shape, so that a long list does not fill the dictionary.
        int place = _branches.Count == 0 ? 0 : Math.Min(index, PrefixLength());
        return _branches.Count == 0 ? Any : _items.TryGetValue(place, out JsonShape? known) ? known : _items[place] = FindItem(place);
    }

    private bool Declares(string name) => _branches.Any(branch =>
        branch.TryGetProperty("properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object
        && properties.TryGetProperty(name, out _));

    private JsonShape FindProperty(string name)
    {
        var found = new List<JsonElement>();
        foreach (JsonElement branch in _branches)
        {
            if (branch.TryGetProperty("properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object
                && properties.TryGetProperty(name, out JsonElement property))
            {
                found.Add(property);
            }
            else if (branch.TryGetProperty("additionalProperties", out JsonElement additional) && !branch.TryGetProperty("patternProperties", out _))
            {
                found.Add(additional);
            }
        }

        return _document.ShapeOf(found);
    }

    private JsonShape FindItem(int index)
    {
        var found = new List<JsonElement>();
        foreach (JsonElement branch in _branches)
        {
            if (Prefix(branch) is { } prefix && index < prefix.GetArrayLength())
            {
                found.Add(prefix[index]);
            }
            else if (branch.TryGetProperty("items", out JsonElement items) && items.ValueKind != JsonValueKind.Array)
            {
                found.Add(items);
            }
        }

        return _document.ShapeOf(found);
    }

    private int PrefixLength() => _branches.Max(branch => Prefix(branch)?.GetArrayLength() ?? 0);

    private static JsonElement? Prefix(JsonElement branch) =>
        branch.TryGetProperty("prefixItems", out JsonElement prefix) && prefix.ValueKind == JsonValueKind.Array ? prefix : null;

    private static JsonNumberKind NumberOf(List<JsonElement> branches)
    {
        JsonNumberKind kind = JsonNumberKind.Untyped;
        foreach (JsonElement branch in branches)
        {
            if (branch.TryGetProperty("type", out JsonElement type))
            {
                bool isNumber = SchemaDocument.Names(type, "number");
                kind = isNumber ? JsonNumberKind.Double
                    : kind == JsonNumberKind.Untyped && SchemaDocument.Names(type, "integer") ? JsonNumberKind.Integer : kind;
            }
        }

        return kind;
    }

    /// <summary>A schema document: resolves its local references and shares the shapes of equal sets of subschemas.</summary>
    internal sealed class SchemaDocument(JsonElement root)
    {
        private static readonly string[] _applicators = ["allOf", "anyOf", "oneOf"];

        private readonly ConcurrentDictionary<string, JsonShape> _byReference = new(StringComparer.Ordinal);

        public JsonShape ShapeOf(List<JsonElement> schemas)
        {
            // A bare reference always means the same shape: recursive schemas come back to it instead of growing.
            if (schemas is [{ ValueKind: JsonValueKind.Object } only] && only.EnumerateObject().Count() == 1 && Reference(only) is { } bare)
            {
                return _byReference.TryGetValue(bare, out JsonShape? known) ? known : _byReference[bare] = Merge(schemas);
            }

            return Merge(schemas);
        }

        private JsonShape Merge(List<JsonElement> schemas)
        {
            var branches = new List<JsonElement>();
            var pending = new Stack<JsonElement>(schemas);
            var followed = new HashSet<string>(StringComparer.Ordinal);
            while (pending.Count > 0 && branches.Count < BranchesMax)
            {
                JsonElement schema = pending.Pop();
                if (schema.ValueKind != JsonValueKind.Object)
                {
                    continue;
                }

                branches.Add(schema);
                foreach (JsonElement applied in Applied(schema))
                {
                    pending.Push(applied);
                }

                if (Reference(schema) is { } reference && followed.Add(reference) && Resolve(reference) is { } target)
                {
                    pending.Push(target);
                }
            }

            return branches.Count == 0 ? Any : new JsonShape(this, branches);
        }

        /// <summary>The schema that a local reference (<c>#</c>, <c>#/$defs/name</c>) points to, or null.</summary>
        public JsonElement? Resolve(string reference)
        {
            if (reference.Length == 0 || reference[0] != '#')
            {
                return null;
            }

            JsonElement target = root;
            foreach (string segment in reference.Split('/').Skip(1))
            {
                string name = JsonPointer.Unescape(Uri.UnescapeDataString(segment));
                if (target.ValueKind == JsonValueKind.Object && target.TryGetProperty(name, out JsonElement next))
                {
                    target = next;
                }
                else if (target.ValueKind == JsonValueKind.Array && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < target.GetArrayLength())
                {
                    target = target[index];
                }
                else
                {
                    return null;
                }
            }

            return reference.Length == 1 || reference[1] == '/' ? target : null;
        }

        public static string? Reference(JsonElement schema) =>
            schema.TryGetProperty("$ref", out JsonElement reference) && reference.ValueKind == JsonValueKind.String
                ? JsonConversion.Text(reference) : null;

        /// <summary>Whether a schema's <c>type</c> is or lists a name.</summary>
        public static bool Names(JsonElement type, string name) => type.ValueKind switch
        {
            JsonValueKind.String => type.ValueEquals(name),
            JsonValueKind.Array => type.EnumerateArray().Any(item => item.ValueKind == JsonValueKind.String && item.ValueEquals(name)),
            _ => false,
        };

        private static IEnumerable<JsonElement> Applied(JsonElement schema)
        {
            foreach (string applicator in _applicators)
            {
                if (schema.TryGetProperty(applicator, out JsonElement list) && list.ValueKind == JsonValueKind.Array)
                {
                    foreach (JsonElement item in list.EnumerateArray())
                    {
                        yield return item;
                    }
                }
            }

            if (schema.TryGetProperty("then", out JsonElement then))
            {
                yield return then;
            }

            if (schema.TryGetProperty("else", out JsonElement otherwise))
            {
                yield return otherwise;
            }
        }
    }
}
