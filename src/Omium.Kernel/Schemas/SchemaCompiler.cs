using System.Text.Json;
using Omium.Kernel.Text;

namespace Omium.Kernel.Schemas;

/// <summary>
/// Compiles in three passes: find every subschema with its URIs and anchors; build each one's keywords and resolve its references
/// (which may lead to places that are no keyword's subschema, and to meta-schemas); look for references that never get anywhere.
/// </summary>
internal sealed class SchemaCompiler(SchemaLimits limits)
{
    private readonly Dictionary<string, SchemaResource> _resources = new(StringComparer.Ordinal);
    private readonly Queue<SchemaNode> _unbuilt = [];
    private readonly List<SchemaNode> _nodes = [];
    private readonly List<SchemaProblem> _problems = [];
    private readonly Dictionary<string, SchemaPattern?> _patterns = new(StringComparer.Ordinal);
    private bool _isTooLarge;

    public IReadOnlyList<SchemaProblem> Problems => _problems;

    /// <summary>The schema says it is written for a draft before 2020-12, so that the keywords of then keep working.</summary>
    public bool IsLegacy { get; private set; }

    public SchemaNode Compile(JsonElement source)
    {
        var location = new SchemaLocation(source, documentUri: "");
        var resource = new SchemaResource(SchemaUri.DefaultBase, location);
        _resources.Add(resource.Uri, resource);
        ReadDialect(location);
        var root = Scan(location, resource);
        while (_unbuilt.TryDequeue(out var node) && !_isTooLarge)
        {
            KeywordBuilder.Build(node, this);
        }

        if (_problems.Count == 0)
        {
            FindEndlessReferences();
        }

        return root;
    }

    public void Report(SchemaLocation location, string? keyword, string message, string code = "schema_invalid")
    {
        if (_problems.Count < Math.Max(1, limits.ErrorsMax))
        {
            _problems.Add(new SchemaProblem(code, location.Pointer(keyword), message));
        }
    }

    /// <summary>The subschema at a place, found or made known now.</summary>
    public SchemaNode Scan(SchemaLocation location, SchemaResource resource)
    {
        if (location.Node is not null)
        {
            return location.Node;
        }

        var element = location.Element;
        var isObject = element.ValueKind == JsonValueKind.Object;
        resource = isObject ? EnterResource(location, resource) : resource;
        var node = new SchemaNode(location, resource);
        location.Node = node;
        _nodes.Add(node);
        if (_nodes.Count > limits.NodesMax || location.Depth > limits.SchemaDepthMax)
        {
            TooLarge(location);
            return node;
        }

        if (isObject)
        {
            // Parents first, so that problems come in the order of the schema.
            _unbuilt.Enqueue(node);
            ReadAnchors(node);
            foreach (var (child, _) in SchemaVocabulary.Subschemas(location, IsLegacy))
            {
                if (_isTooLarge)
                {
                    break;
                }

                Scan(child, resource);
            }

        }
        else if (element.ValueKind == JsonValueKind.False)
        {
            node.AllowsNothing = true;
        }
        else if (element.ValueKind != JsonValueKind.True)
        {
            Report(location, null, $"A schema is an object or a boolean, not {SchemaEvaluation.Show(element)}.");
        }

        return node;
    }

    /// <summary>Where a reference leads; null, and a problem, when it leads nowhere. The anchor is set when it names one.</summary>
    public SchemaNode? Resolve(SchemaNode owner, string keyword, string reference, out string? anchor)
    {
        anchor = null;
        var (relative, fragment) = SchemaUri.Split(reference);
        var resource = FindResource(SchemaUri.Resolve(owner.Resource.Uri, relative));
        if (resource is null)
        {
            Report(owner.Location, keyword, $"\"{reference}\" is not in this schema, and nothing is fetched from elsewhere.", "schema_unresolved_ref");
            return null;
        }

        fragment = fragment is null ? "" : Uri.UnescapeDataString(fragment);
        if (fragment.Length > 0 && fragment[0] != '/')
        {
            anchor = fragment;
            if (resource.Anchors.TryGetValue(fragment, out var anchored))
            {
                return anchored;
            }

            Report(owner.Location, keyword, $"There is no anchor \"{fragment}\" for \"{reference}\".", "schema_unresolved_ref");
            return null;
        }

        var target = Walk(resource, fragment);
        if (target is null)
        {
            Report(owner.Location, keyword, $"\"{reference}\" points to nothing.", "schema_unresolved_ref");
        }

        return target;
    }

    /// <summary>A compiled regular expression, shared by all that write it alike; null, and a problem, when it cannot be used.</summary>
    public SchemaPattern? Pattern(SchemaLocation location, string keyword, string source)
    {
        if (_patterns.TryGetValue(source, out var known))
        {
            return known ?? Refuse(location, keyword, source, "see the same pattern elsewhere");
        }

        SchemaPattern? pattern = null;
        if (_patterns.Count >= limits.PatternsMax)
        {
            return Refuse(location, keyword, source, $"a schema may have at most {limits.PatternsMax} patterns");
        }

        if (!EcmaPattern.TryTranslate(source, out var translated, out var problem) || !BoundedRegex.TryCompile(translated, out var regex, out problem))
        {
            Refuse(location, keyword, source, problem!);
        }
        else
        {
            pattern = new SchemaPattern(source, regex!);
        }

        _patterns.Add(source, pattern);
        return pattern;
    }

    private SchemaPattern? Refuse(SchemaLocation location, string keyword, string source, string problem)
    {
        var shown = source.Length <= 80 ? source : source[..80] + "...";
        Report(location, keyword, $"The pattern \"{shown}\" cannot be used: {problem}.", "schema_pattern");
        return null;
    }

    private SchemaNode? Walk(SchemaResource resource, string pointer)
    {
        if (Json.JsonPointer.Split(pointer) is not { } tokens)
        {
            return null;
        }

        var location = resource.Root;
        var enclosing = resource;
        foreach (var token in tokens)
        {
            if (location.Step(token) is not { } next)
            {
                return null;
            }

            location = next;
            enclosing = location.Node?.Resource ?? enclosing;
        }

        return Scan(location, enclosing);
    }

    private SchemaResource? FindResource(string uri)
    {
        if (_resources.TryGetValue(uri, out var resource))
        {
            return resource;
        }

        if (!MetaSchemas.TryGet(uri, out var document))
        {
            return null;
        }

        var location = new SchemaLocation(document, uri);
        resource = new SchemaResource(uri, location);
        _resources.Add(uri, resource);
        Scan(location, resource);
        return _resources[uri];
    }

    private SchemaResource EnterResource(SchemaLocation location, SchemaResource resource)
    {
        if (!location.Element.TryGetProperty("$id", out var id))
        {
            return resource;
        }

        if (id.ValueKind != JsonValueKind.String)
        {
            Report(location, "$id", "$id is a string.");
            return resource;
        }

        var (uri, fragment) = SchemaUri.Split(JsonText.Of(id));
        if (!string.IsNullOrEmpty(fragment))
        {
            Report(location, "$id", "$id has no fragment; use $anchor.");
            return resource;
        }

        var absolute = SchemaUri.Resolve(resource.Uri, uri);
        if (_resources.TryGetValue(absolute, out var known))
        {
            if (!ReferenceEquals(known.Root, location))
            {
                Report(location, "$id", $"The URI \"{absolute}\" belongs to another schema already.");
            }

            return known;
        }

        var own = new SchemaResource(absolute, location);
        _resources.Add(absolute, own);
        return own;
    }

    private void ReadAnchors(SchemaNode node)
    {
        foreach (var keyword in (string[])["$anchor", "$dynamicAnchor"])
        {
            if (!node.Element.TryGetProperty(keyword, out var value))
            {
                continue;
            }

            if (value.ValueKind != JsonValueKind.String || !IsAnchorName(JsonText.Of(value)))
            {
                Report(node.Location, keyword, $"{keyword} is a name of letters, digits, '-', '_' and '.', starting with a letter or '_'.");
                continue;
            }

            var anchor = JsonText.Of(value);
            if (node.Resource.Anchors.TryGetValue(anchor, out var other) && !ReferenceEquals(other, node))
            {
                Report(node.Location, keyword, $"The anchor \"{anchor}\" is given twice.");
            }

            node.Resource.Anchors[anchor] = node;
            if (keyword == "$dynamicAnchor")
            {
                node.DynamicAnchor = anchor;
                node.Resource.DynamicAnchors[anchor] = node;
            }
        }
    }

    private static bool IsAnchorName(string name) =>
        name.Length > 0 && (char.IsAsciiLetter(name[0]) || name[0] == '_') && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');

    private void ReadDialect(SchemaLocation root)
    {
        if (root.Element.ValueKind != JsonValueKind.Object || !root.Element.TryGetProperty("$schema", out var dialect) || dialect.ValueKind != JsonValueKind.String)
        {
            return;
        }

        var uri = JsonText.Of(dialect).TrimEnd('#');
        IsLegacy = SchemaVocabulary.LegacyDialects.Contains(uri.Replace("http:", "https:", StringComparison.Ordinal));
        if (!IsLegacy && uri != MetaSchemas.Draft202012)
        {
            Report(root, "$schema", $"The dialect \"{uri}\" is not supported; 2020-12 is, and drafts 4, 6, 7 and 2019-09 are read by its rules.", "schema_unsupported_dialect");
        }
    }

    private void TooLarge(SchemaLocation location)
    {
        if (!_isTooLarge)
        {
            _isTooLarge = true;
            Report(location, null, $"The schema has more than {limits.NodesMax} subschemas, or they are nested more than {limits.SchemaDepthMax} levels deep.", "schema_too_large");
        }
    }

    /// <summary>Depth-first search without recursion along what is applied to the same value.</summary>
    private void FindEndlessReferences()
    {
        var finished = new HashSet<SchemaNode>();
        var open = new HashSet<SchemaNode>();
        var path = new Stack<(SchemaNode Node, IEnumerator<SchemaNode> Next)>();
        foreach (var start in _nodes)
        {
            if (finished.Contains(start))
            {
                continue;
            }

            Open(start);
            while (path.TryPeek(out var top))
            {
                if (!top.Next.MoveNext())
                {
                    path.Pop();
                    open.Remove(top.Node);
                    finished.Add(top.Node);
                }
                else if (open.Contains(top.Next.Current))
                {
                    Report(top.Node.Location, null, $"This schema leads back to {Name(top.Next.Current)} without going deeper into the value, so it would never end.", "schema_endless_ref");
                }
                else if (!finished.Contains(top.Next.Current))
                {
                    Open(top.Next.Current);
                }
            }
        }

        void Open(SchemaNode node)
        {
            open.Add(node);
            path.Push((node, node.Keywords.SelectMany(keyword => keyword.InPlace).GetEnumerator()));
        }

        static string Name(SchemaNode node) => node.Location.Pointer() is { Length: > 0 } pointer ? pointer : "its root";
    }
}
