using System.Globalization;
using System.Text;
using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Kernel.Schemas;

/// <summary>
/// A place in a schema document. Places are linked to their parents, so that a long name that many subschemas stand under is stored once.
/// </summary>
internal sealed class SchemaLocation
{
    private readonly SchemaLocation? _parent;
    private readonly string _token;
    private Dictionary<string, SchemaLocation>? _children;

    public SchemaLocation(JsonElement element, string documentUri)
    {
        Element = element;
        _token = documentUri;
    }

    private SchemaLocation(SchemaLocation parent, string token, JsonElement element)
    {
        _parent = parent;
        _token = token;
        Element = element;
        Depth = parent.Depth + 1;
    }

    public JsonElement Element { get; }

    public int Depth { get; }

    /// <summary>The subschema here, once known to be one.</summary>
    public SchemaNode? Node { get; set; }

    public SchemaLocation Child(string token, JsonElement element)
    {
        _children ??= new Dictionary<string, SchemaLocation>(StringComparer.Ordinal);
        if (!_children.TryGetValue(token, out var child))
        {
            child = new SchemaLocation(this, token, element);
            _children.Add(token, child);
        }

        return child;
    }

    public SchemaLocation Child(int index, JsonElement element) => Child(index.ToString(CultureInfo.InvariantCulture), element);

    /// <summary>The place that one token of a pointer leads to, or null.</summary>
    public SchemaLocation? Step(string token) =>
        JsonPointer.TryResolve(Element, "/" + JsonPointer.Escape(token), out var element) ? Child(token, element) : null;

    /// <summary>The JSON Pointer, behind the URI of the document when that is a meta-schema.</summary>
    public string Pointer(string? keyword = null)
    {
        var tokens = new List<string>();
        if (keyword is not null)
        {
            tokens.Add(keyword);
        }

        var place = this;
        for (; place._parent is not null; place = place._parent)
        {
            tokens.Add(place._token);
        }

        var text = new StringBuilder(place._token.Length == 0 ? "" : place._token + "#");
        for (var index = tokens.Count - 1; index >= 0; index--)
        {
            text.Append('/').Append(JsonPointer.Escape(tokens[index]));
        }

        return text.ToString();
    }
}

/// <summary>A schema with a URI of its own: a document or what stands under an <c>$id</c>.</summary>
internal sealed class SchemaResource(string uri, SchemaLocation root)
{
    public string Uri { get; } = uri;

    public SchemaLocation Root { get; } = root;

    public Dictionary<string, SchemaNode> Anchors { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, SchemaNode> DynamicAnchors { get; } = new(StringComparer.Ordinal);
}

/// <summary>One compiled subschema.</summary>
internal sealed class SchemaNode(SchemaLocation location, SchemaResource resource)
{
    public SchemaLocation Location { get; } = location;

    public SchemaResource Resource { get; } = resource;

    public JsonElement Element => Location.Element;

    /// <summary>Name of the <c>$dynamicAnchor</c>, if any.</summary>
    public string? DynamicAnchor { get; set; }

    /// <summary>True for the schema <c>false</c>.</summary>
    public bool AllowsNothing { get; set; }

    /// <summary>The keyword that a violation of <c>false</c> is reported under, such as <c>additionalProperties</c>.</summary>
    public string FalseKeyword { get; set; } = "false";

    /// <summary>What is applied, in order; <c>unevaluated*</c> comes last.</summary>
    public SchemaKeyword[] Keywords { get; set; } = [];

    /// <summary>Whether the node looks at what its other keywords have evaluated.</summary>
    public bool HasUnevaluated { get; set; }
}

/// <summary>One keyword (or a few that only make sense together), ready to be applied.</summary>
internal abstract class SchemaKeyword(SchemaNode owner, string name)
{
    public SchemaNode Owner { get; } = owner;

    public string Name { get; } = name;

    /// <summary>Subschemas applied to the same value: a cycle of these would never end.</summary>
    public virtual IEnumerable<SchemaNode> InPlace => [];

    /// <summary>False when the value breaks the keyword; says why to the evaluation. Notes evaluated members and items in <paramref name="evaluated"/>, if any.</summary>
    public abstract bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated);
}
