using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Omium.Kernel.Json;

/// <summary>One operation of a JSON Patch.</summary>
/// <param name="Op">add, remove, replace or test.</param>
/// <param name="Path">JSON pointer; <c>-</c> as last token of an array is its end.</param>
/// <param name="Value">The value; none for remove.</param>
public sealed record JsonPatchOperation(string Op, string Path, JsonElement? Value = null);

/// <summary>
/// JSON Patch, RFC 6902: add, remove, replace and test (move and copy are not used here and are refused). All operations or none: a patch that
/// does not fit changes nothing.
/// </summary>
public static class JsonPatch
{
    /// <summary>Applies the operations in order. False, with the problem, when one does not fit the document. Never throws for canonical JSON.</summary>
    public static bool TryApply(JsonElement document, IEnumerable<JsonPatchOperation> operations, out JsonElement patched, out string? problem)
    {
        patched = document;
        var root = Node(document);
        foreach (var operation in operations)
        {
            problem = Apply(ref root, operation);
            if (problem is not null)
            {
                problem = $"{operation.Op} {operation.Path}: {problem}";
                return false;
            }
        }

        problem = null;
        patched = CanonicalJson.ParseTrusted(CanonicalJson.Canonicalize(CanonicalJson.ParseTrusted(Encoding.UTF8.GetBytes(root?.ToJsonString() ?? "null"))));
        return true;
    }

    private static string? Apply(ref JsonNode? root, JsonPatchOperation operation)
    {
        if (JsonPointer.Split(operation.Path) is not { } tokens)
        {
            return "the path is no JSON pointer";
        }

        if (operation is { Op: "add" or "replace" or "test", Value: null })
        {
            return "a value is missing";
        }

        if (tokens.Length == 0)
        {
            return ApplyToRoot(ref root, operation);
        }

        var parent = root;
        foreach (var token in tokens[..^1])
        {
            if (!TryStep(parent, token, out parent))
            {
                return "there is no such place";
            }
        }

        return parent switch
        {
            JsonObject members => ApplyToMember(members, tokens[^1], operation),
            JsonArray items => ApplyToItem(items, tokens[^1], operation),
            _ => "there is no such place",
        };
    }

    private static string? ApplyToRoot(ref JsonNode? root, JsonPatchOperation operation)
    {
        switch (operation.Op)
        {
            case "add" or "replace":
                root = Node(operation.Value!.Value);
                return null;
            case "test":
                return Same(root, operation.Value!.Value) ? null : "the value is another";
            default:
                return $"'{operation.Op}' cannot be done to the whole document";
        }
    }

    private static string? ApplyToMember(JsonObject members, string name, JsonPatchOperation operation)
    {
        if (operation.Op != "add" && !members.ContainsKey(name))
        {
            return "there is no such member";
        }

        switch (operation.Op)
        {
            case "add" or "replace":
                members[name] = Node(operation.Value!.Value);
                return null;
            case "remove":
                members.Remove(name);
                return null;
            case "test":
                return Same(members[name], operation.Value!.Value) ? null : "the value is another";
            default:
                return $"'{operation.Op}' is not known";
        }
    }

    private static string? ApplyToItem(JsonArray items, string token, JsonPatchOperation operation)
    {
        var isEnd = token == "-";
        var index = isEnd ? items.Count : Index(token);
        if (index is not { } at || at > items.Count || (at == items.Count && operation.Op != "add"))
        {
            return "there is no such item";
        }

        switch (operation.Op)
        {
            case "add":
                items.Insert(at, Node(operation.Value!.Value));
                return null;
            case "replace":
                items[at] = Node(operation.Value!.Value);
                return null;
            case "remove":
                items.RemoveAt(at);
                return null;
            case "test":
                return Same(items[at], operation.Value!.Value) ? null : "the value is another";
            default:
                return $"'{operation.Op}' is not known";
        }
    }

    private static bool TryStep(JsonNode? parent, string token, out JsonNode? child)
    {
        child = null;
        switch (parent)
        {
            case JsonObject members:
                return members.TryGetPropertyValue(token, out child);
            case JsonArray items when Index(token) is { } index && index < items.Count:
                child = items[index];
                return true;
            default:
                return false;
        }
    }

    private static int? Index(string token) =>
        (token == "0" || !token.StartsWith('0')) && int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;

    private static JsonNode? Node(JsonElement value) => JsonNode.Parse(value.GetRawText());

    private static bool Same(JsonNode? node, JsonElement value) => JsonNode.DeepEquals(node, Node(value));
}
