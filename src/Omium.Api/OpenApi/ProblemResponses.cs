using System.Text.Json.Nodes;
using Omium.Contracts.Errors;

namespace Omium.Api.OpenApi;

/// <summary>Answers that are problem documents: their codes are named, and those that many routes share are components.</summary>
internal sealed class ProblemResponses
{
    /// <summary>A name of more codes would be longer than what it stands for.</summary>
    private const int SharedCodesMax = 3;
    private readonly SortedDictionary<string, JsonObject> _shared = new(StringComparer.Ordinal);

    /// <summary>The shared ones, by name.</summary>
    public JsonObject Components() => new(_shared.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));

    /// <summary>The answer of one status, whose codes are these.</summary>
    public JsonObject Of(ErrorDefinition[] errors)
    {
        if (errors.Length > SharedCodesMax)
        {
            return Response(errors);
        }

        var name = string.Join("-or-", errors.Select(error => error.Code));
        _shared.TryAdd(name, Response(errors));
        return new JsonObject { ["$ref"] = $"#/components/responses/{name}" };
    }

    private static JsonObject Response(ErrorDefinition[] errors)
    {
        var code = new JsonObject { ["enum"] = new JsonArray([.. errors.Select(error => (JsonNode)error.Code)]) };
        var schema = new JsonObject
        {
            ["allOf"] = new JsonArray(
                new JsonObject { ["$ref"] = "#/components/schemas/Problem" }, new JsonObject { ["properties"] = new JsonObject { ["code"] = code } }),
        };
        return new JsonObject
        {
            ["description"] = string.Join(" Or: ", errors.Select(error => $"{error.Title} (`{error.Code}`).")),
            ["content"] = new JsonObject { ["application/problem+json"] = new JsonObject { ["schema"] = schema } },
        };
    }
}
