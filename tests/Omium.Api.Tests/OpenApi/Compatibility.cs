using System.Text.Json.Nodes;

namespace Omium.Api.Tests.OpenApi;

/// <summary>
/// What a newer document would break for a client made from an older one. Not counted as breaking: new operations, optional parameters, members of
/// answers, words and codes; texts for people; codes that no longer come.
/// </summary>
internal static class Compatibility
{
    public static IReadOnlyList<string> Broken(JsonObject older, JsonObject newer)
    {
        var broken = new List<string>();
        foreach (var (path, item) in Members(older["paths"]))
        {
            foreach (var (method, operation) in Members(item))
            {
                Operation(broken, $"{method.ToUpperInvariant()} {path}", operation!, newer["paths"]?[path]?[method]);
            }
        }

        foreach (var (name, schema) in Members(older["components"]?["schemas"]))
        {
            Schema(broken, name, schema!, newer["components"]?["schemas"]?[name], isRequest: name.EndsWith("Request", StringComparison.Ordinal) || name.EndsWith("Input", StringComparison.Ordinal));
        }

        foreach (var (name, _) in Members(older["components"]?["securitySchemes"]))
        {
            Require(broken, newer["components"]?["securitySchemes"]?[name] is not null, $"the security scheme {name} is gone");
        }

        return broken;
    }

    private static void Operation(List<string> broken, string name, JsonNode older, JsonNode? newer)
    {
        if (newer is null)
        {
            broken.Add($"{name} is gone");
            return;
        }

        Require(broken, Text(older["operationId"]) == Text(newer["operationId"]), $"{name} is called {newer["operationId"]}, was {older["operationId"]}");
        var before = Parameters(older);
        var after = Parameters(newer);
        foreach (var (key, parameter) in before)
        {
            if (after.TryGetValue(key, out var now))
            {
                Require(broken, Text(now["required"]) != "true" || Text(parameter["required"]) == "true", $"{name}: {key} is needed now");
                Schema(broken, $"{name}: {key}", parameter["schema"]!, now["schema"], isRequest: true);
            }
            else
            {
                broken.Add($"{name}: {key} is gone");
            }
        }

        broken.AddRange(after.Where(pair => !before.ContainsKey(pair.Key) && Text(pair.Value["required"]) == "true").Select(pair => $"{name}: {pair.Key} is needed now"));
        Body(broken, name, older["requestBody"], newer["requestBody"]);
        foreach (var (status, response) in Members(older["responses"]).Where(response => response.Key[0] == '2'))
        {
            var now = newer["responses"]?[status];
            Require(broken, now is not null, $"{name}: no answer {status} any more");
            foreach (var (media, content) in Members(response?["content"]))
            {
                Schema(broken, $"{name}: {status} {media}", content!["schema"]!, now?["content"]?[media]?["schema"], isRequest: false);
            }
        }
    }

    private static void Body(List<string> broken, string name, JsonNode? older, JsonNode? newer)
    {
        Require(broken, Text(newer?["required"]) != "true" || Text(older?["required"]) == "true", $"{name}: a body is needed now");
        foreach (var (media, content) in Members(older?["content"]))
        {
            Schema(broken, $"{name}: body {media}", content!["schema"]!, newer?["content"]?[media]?["schema"], isRequest: true);
        }
    }

    private static void Schema(List<string> broken, string name, JsonNode older, JsonNode? newer, bool isRequest)
    {
        if (newer is null)
        {
            broken.Add($"{name} is gone");
            return;
        }

        foreach (var keyword in (string[])["$ref", "type", "format", "anyOf", "minimum", "maximum"])
        {
            Require(broken, Text(older[keyword]) == Text(newer[keyword]), $"{name}: {keyword} is {Text(newer[keyword])}, was {Text(older[keyword])}");
        }

        // A client sends old words, and reads new ones as they are.
        var gone = Words(older["enum"]).Except(Words(newer["enum"])).ToArray();
        Require(broken, !isRequest || gone.Length == 0 || newer["enum"] is null, $"{name}: no {string.Join(", ", gone)} any more");
        Require(broken, !isRequest || newer["enum"] is null || older["enum"] is not null, $"{name}: only certain words now");
        foreach (var (member, schema) in Members(older["properties"]))
        {
            Schema(broken, $"{name}.{member}", schema!, newer["properties"]?[member], isRequest);
        }

        if (older["items"] is { } items)
        {
            Schema(broken, $"{name}[]", items, newer["items"], isRequest);
        }

        if (older["additionalProperties"] is JsonObject values)
        {
            Schema(broken, $"{name}{{}}", values, newer["additionalProperties"], isRequest);
        }

        var (was, now) = (Words(older["required"]), Words(newer["required"]));
        broken.AddRange((isRequest ? now.Except(was) : was.Except(now)).Select(member => $"{name}.{member} is {(isRequest ? "needed now" : "not always there any more")}"));
    }

    private static Dictionary<string, JsonNode> Parameters(JsonNode operation) =>
        (operation["parameters"]?.AsArray() ?? []).ToDictionary(parameter => $"{parameter!["in"]} {parameter["name"]}", parameter => parameter!);

    private static JsonObject Members(JsonNode? node) => node?.AsObject() ?? [];

    private static HashSet<string> Words(JsonNode? words) => [.. (words?.AsArray() ?? []).Select(Text)];

    private static string Text(JsonNode? node) => node?.ToJsonString() ?? "";

    private static void Require(List<string> broken, bool holds, string otherwise)
    {
        if (!holds)
        {
            broken.Add(otherwise);
        }
    }
}
