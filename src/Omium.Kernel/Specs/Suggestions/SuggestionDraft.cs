using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Kernel.Specs.Suggestions;

/// <summary>Suggestions in the making: each patch claims the place that it writes to, and a second claim on a place is left for the next time.</summary>
internal sealed class SuggestionDraft(JsonElement source, WorkflowSpec spec)
{
    private readonly List<SpecSuggestion> _suggestions = [];
    private readonly HashSet<string> _claimed = new(StringComparer.Ordinal);
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StepSpec> _steps = spec.Steps.DistinctBy(step => step.Id).ToDictionary(step => step.Id, StringComparer.Ordinal);
    private readonly ILookup<string, EdgeSpec> _outgoing = spec.Edges.ToLookup(edge => edge.From, StringComparer.Ordinal);
    private readonly ILookup<string, EdgeSpec> _incoming = spec.Edges.ToLookup(edge => edge.To, StringComparer.Ordinal);

    public JsonElement Source { get; } = source;

    public WorkflowSpec Spec { get; } = spec;

    public IReadOnlyList<SpecSuggestion> Suggestions => _suggestions;

    /// <summary>The first step of an id; null when there is none.</summary>
    public StepSpec? Step(string id) => _steps.GetValueOrDefault(id);

    /// <summary>Edges that leave a step.</summary>
    public IEnumerable<EdgeSpec> Outgoing(string step) => _outgoing[step];

    /// <summary>Edges that lead to a step.</summary>
    public IEnumerable<EdgeSpec> Incoming(string step) => _incoming[step];

    /// <summary>What is written at a pointer; null when nothing is.</summary>
    public JsonElement? At(string pointer) => JsonPointer.TryResolve(Source, pointer, out var value) ? value : null;

    /// <summary>Adds a suggestion unless one of the places that it creates or replaces is another's.</summary>
    public void Add(SpecSuggestion suggestion)
    {
        var places = suggestion.Patch
            .Where(operation => operation.Op is "replace" || (operation.Op == "add" && !operation.Path.EndsWith("/-", StringComparison.Ordinal)))
            .Select(operation => operation.Path).ToList();
        if (_ids.Contains(suggestion.Id) || places.Exists(_claimed.Contains))
        {
            return;
        }

        _ids.Add(suggestion.Id);
        _claimed.UnionWith(places);
        _suggestions.Add(suggestion);
    }

    /// <summary>
    /// Operations that put a value at the end of a list inside an object, making both where they are absent; null when something else stands there.
    /// </summary>
    public IReadOnlyList<JsonPatchOperation>? Append(string owner, string member, JsonElement value, string? list = null)
    {
        var place = JsonPointer.Append(owner, member);
        if (At(place) is not { } standing)
        {
            var items = List(value);
            return [new JsonPatchOperation("add", place, list is null ? items : JsonMake.Object((list, items)))];
        }

        if (list is not null)
        {
            return standing.ValueKind == JsonValueKind.Object ? Append(place, list, value) : null;
        }

        return standing.ValueKind == JsonValueKind.Array ? [new JsonPatchOperation("add", place + "/-", value)] : null;
    }

    /// <summary>A patch about a step first makes sure that it still is that step.</summary>
    public static IReadOnlyList<JsonPatchOperation> OnStep(string pointer, string id, IEnumerable<JsonPatchOperation> operations) =>
        [new JsonPatchOperation("test", pointer + "/id", JsonMake.Text(id)), .. operations];

    /// <summary>A list of one value.</summary>
    public static JsonElement List(params ReadOnlySpan<JsonElement> values)
    {
        var items = new List<string>();
        foreach (var value in values)
        {
            items.Add(value.GetRawText());
        }

        return CanonicalJson.ParseTrusted(System.Text.Encoding.UTF8.GetBytes($"[{string.Join(',', items)}]"));
    }
}
