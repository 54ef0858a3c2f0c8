using System.Globalization;
using System.Text.Json.Nodes;
using Omium.Contracts;
using Omium.Contracts.Errors;

namespace Omium.Api.OpenApi;

/// <summary>
/// The OpenAPI 3.1 document of a set of routes. Pure: the same routes give the same document, in the order of their paths, so that a change shows
/// where it is.
/// </summary>
internal static class OpenApiBuilder
{
    private const string Intro =
        "Reliable multi-agent workflows. Errors are problem documents (RFC 9457) with a stable `code`; listings are paged by cursor; times are ISO 8601 in UTC. "
        + "Answers may gain members and words: a client passes over what it does not know. Requests are read strictly.";

    private static readonly OmiumApiOptions Defaults = new();
    private static readonly string[] MethodOrder = ["GET", "PUT", "POST", "DELETE", "PATCH"];

    /// <summary>The document.</summary>
    /// <exception cref="InvalidOperationException">A route does not say what it answers, or two bear the same name.</exception>
    public static JsonObject Build(IReadOnlyCollection<RouteDescription> routes)
    {
        Check(routes);
        var schemas = new SchemaCollector();
        var problems = new ProblemResponses();
        _ = schemas.Of(ContractJson.Default.Problem, SchemaDirection.Answer);
        var paths = new JsonObject();
        foreach (var path in routes.GroupBy(route => route.Pattern).OrderBy(path => path.Key, StringComparer.Ordinal))
        {
            var item = new JsonObject();
            foreach (var route in path.OrderBy(route => Array.IndexOf(MethodOrder, route.Method)))
            {
                item[route.Method.ToLowerInvariant()] = Operation(route, schemas, problems);
            }

            paths[path.Key] = item;
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "Omium", ["version"] = "1", ["description"] = Intro },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/" }),
            ["security"] = OpenApiSecurity.Requirements(),
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas.Components(), ["responses"] = problems.Components(), ["securitySchemes"] = OpenApiSecurity.Schemes() },
        };
    }

    private static void Check(IReadOnlyCollection<RouteDescription> routes)
    {
        if (routes.FirstOrDefault(route => route.Operation is null || route.Answered.Count == 0) is { } silent)
        {
            throw new InvalidOperationException($"{silent.Method} {silent.Pattern} does not say what it is and answers: .As(name, summary).Answers(...)");
        }

        if (routes.GroupBy(route => route.Operation).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new InvalidOperationException($"two routes are called {twice.Key}");
        }

        var unknown = routes.SelectMany(route => route.Codes).FirstOrDefault(code => ErrorCatalogue.Find(code) is null);
        if (unknown is not null)
        {
            throw new InvalidOperationException($"the error catalogue has no {unknown}");
        }
    }

    private static JsonObject Operation(RouteDescription route, SchemaCollector schemas, ProblemResponses problems)
    {
        var operation = new JsonObject
        {
            ["operationId"] = route.Operation,
            ["summary"] = route.Summary,
            ["tags"] = new JsonArray(TagOf(route.Pattern)),
        };
        if (route.IsOpen)
        {
            operation["security"] = new JsonArray();
        }

        if (Parameters(route) is { Count: > 0 } parameters)
        {
            operation["parameters"] = parameters;
        }

        if (route.Body is { } body)
        {
            var content = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = schemas.Of(body, SchemaDirection.Request) } };
            foreach (var media in route.BodyTexts)
            {
                content[media] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "string" } };
            }

            var bytesMax = route.BodyBytesMax?.Invoke(Defaults) ?? Defaults.BodyBytesMax;
            operation["requestBody"] = new JsonObject { ["description"] = string.Create(CultureInfo.InvariantCulture, $"At most {bytesMax} bytes, where nothing else is configured."), ["required"] = !route.IsBodyOptional, ["content"] = content };
        }

        operation["responses"] = Responses(route, schemas, problems);
        return operation;
    }

    private static string TagOf(string pattern)
    {
        var segments = pattern.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return segments is ["v1", var area, ..] ? area : "server";
    }

    private static JsonArray Parameters(RouteDescription route)
    {
        var parameters = new JsonArray();
        foreach (var parameter in route.Parameters.Concat(CommonOperation.Parameters(route)))
        {
            var schema = new JsonObject { ["type"] = parameter.Type };
            SetIfAny(schema, "format", parameter.Format);
            SetIfAny(schema, "minimum", parameter.Min);
            SetIfAny(schema, "maximum", parameter.Max);
            SetIfAny(schema, "default", parameter.Default);
            if (parameter.Words.Count > 0)
            {
                schema["enum"] = new JsonArray([.. parameter.Words.Select(word => (JsonNode)word)]);
            }

            var shown = new JsonObject { ["name"] = parameter.Name, ["in"] = parameter.In, ["description"] = parameter.Description };
            if (parameter.IsRequired)
            {
                shown["required"] = true;
            }

            shown["schema"] = schema;
            parameters.Add(shown);
        }

        return parameters;
    }

    private static void SetIfAny<T>(JsonObject schema, string name, T? value)
    {
        if (value is not null)
        {
            schema[name] = JsonValue.Create(value);
        }
    }

    private static JsonObject Responses(RouteDescription route, SchemaCollector schemas, ProblemResponses problems)
    {
        var responses = new SortedDictionary<int, JsonObject>();
        foreach (var status in route.Answered.GroupBy(answer => answer.Status))
        {
            var response = new JsonObject { ["description"] = status.First().Description };
            foreach (var media in status.Where(answer => answer.MediaType is not null).GroupBy(answer => answer.MediaType!))
            {
                response["content"] ??= new JsonObject();
                JsonNode[] types = [.. media.Select(answer => answer.Type is { } type ? schemas.Of(type, SchemaDirection.Answer) : new JsonObject { ["type"] = "string" })];
                response["content"]![media.Key] = new JsonObject { ["schema"] = types.Length == 1 ? types[0] : new JsonObject { ["anyOf"] = new JsonArray(types) } };
            }

            responses.Add(status.Key, response);
        }

        var codes = route.Codes.Concat(CommonOperation.Codes(route)).Distinct().Select(code => ErrorCatalogue.Find(code)!);
        foreach (var status in codes.GroupBy(error => error.HttpStatus))
        {
            responses.Add(status.Key, problems.Of([.. status.OrderBy(error => error.Code, StringComparer.Ordinal)]));
        }

        return new JsonObject(responses.Select(pair => KeyValuePair.Create(pair.Key.ToString(CultureInfo.InvariantCulture), (JsonNode?)pair.Value)));
    }
}
