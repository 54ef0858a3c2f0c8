using System.Text.Json.Nodes;

namespace Omium.Api.OpenApi;

/// <summary>How a caller says who it is. Every route that is not open takes any of these.</summary>
internal static class OpenApiSecurity
{
    /// <summary>The schemes, by name.</summary>
    public static JsonObject Schemes() => new()
    {
        ["key"] = new JsonObject
        {
            ["type"] = "http",
            ["scheme"] = "bearer",
            ["bearerFormat"] = "omk_{environment}_{id}_{secret}",
            ["description"] = "An API key, made with POST /v1/keys.",
        },
        ["session"] = new JsonObject
        {
            ["type"] = "http",
            ["scheme"] = "bearer",
            ["bearerFormat"] = "oms_{id}_{secret}",
            ["description"] = "The access token of a session, from POST /v1/auth/login.",
        },
        ["cookie"] = new JsonObject
        {
            ["type"] = "apiKey",
            ["in"] = "cookie",
            ["name"] = "__Host-omium_session",
            ["description"] = "A session in cookies; what changes something also carries the header Omium-Csrf.",
        },
    };

    /// <summary>One of them is enough.</summary>
    public static JsonArray Requirements() => new([.. Schemes().Select(scheme => (JsonNode)new JsonObject { [scheme.Key] = new JsonArray() })]);
}
