using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Omium.Kernel.Schemas;

namespace Omium.Api.Tests.OpenApi;

/// <summary>An OpenAPI document as a test reads it: which operation serves a request, and what its answer must look like.</summary>
internal sealed class Document(JsonObject root)
{
    private static readonly SchemaLimits Limits = SchemaLimits.Default with { SizeMax = 16 * 1024 * 1024, CostMax = 100_000_000, ErrorsMax = 20 };
    private readonly ConcurrentDictionary<string, JsonSchema> _compiled = new(StringComparer.Ordinal);
    private readonly (string Pattern, string[] Segments)[] _paths =
        [.. root["paths"]!.AsObject().Select(path => (path.Key, path.Key.Split('/'))).OrderBy(path => path.Key.Count(letter => letter == '{'))];

    public JsonObject Root { get; } = root;

    /// <summary>Every operation: method, pattern and what is said of it.</summary>
    public IEnumerable<(string Method, string Pattern, JsonObject Operation)> Operations =>
        from path in Root["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        select (operation.Key.ToUpperInvariant(), path.Key, operation.Value!.AsObject());

    /// <summary>The operation that serves a request; null when the document has none.</summary>
    public (string Pattern, JsonObject Operation)? Find(string method, string path)
    {
        var segments = path.TrimEnd('/').Split('/'); // As the router takes it: a slash at the end and capitals say nothing.
        foreach (var (pattern, parts) in _paths)
        {
            if (parts.Length == segments.Length && parts.Zip(segments).All(pair => pair.First.StartsWith('{') ? pair.Second.Length > 0 : pair.First.Equals(pair.Second, StringComparison.OrdinalIgnoreCase))
                && Root["paths"]![pattern]![method.ToLowerInvariant()] is JsonObject operation)
            {
                return (pattern, operation);
            }
        }

        return null;
    }

    /// <summary>What is wrong with an answer; null when it is as documented.</summary>
    public string? Problem(string method, string path, int status, string? mediaType, string body)
    {
        if (Find(method, path) is not { } found)
        {
            return status is 404 or 405 ? null : $"{method} {path} answered {status} and is not in the document";
        }

        var (pattern, operation) = found;
        if (Resolve(operation["responses"]?[status.ToString(CultureInfo.InvariantCulture)]) is not { } response)
        {
            return $"{method} {pattern} answered {status}, which the document does not have: {Short(body)}";
        }

        if (response["content"] is not JsonObject content)
        {
            return body.Length == 0 ? null : $"{method} {pattern} answered {status} with a body, which the document does not have: {Short(body)}";
        }

        if (mediaType is null || content[mediaType] is not JsonObject media)
        {
            return $"{method} {pattern} answered {status} as {mediaType ?? "nothing"}, which the document does not have";
        }

        var schema = Compile($"{method} {pattern} {status} {mediaType}", media["schema"]!);
        return mediaType switch
        {
            "application/x-ndjson" => body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Violation(schema, line)).FirstOrDefault(violation => violation is not null),
            _ when mediaType.EndsWith("json", StringComparison.Ordinal) && media["schema"]!["type"]?.ToString() != "string" => Violation(schema, body),
            _ => null,
        } is { } wrong ? $"{method} {pattern} answered {status}: {wrong}; {Short(body)}" : null;
    }

    /// <summary>What is wrong with a request that was accepted; null when the document allows it.</summary>
    public string? RequestProblem(string method, Uri address, string? mediaType, string body)
    {
        if (Find(method, address.AbsolutePath) is not { } found)
        {
            return null;
        }

        var (pattern, operation) = found;
        var known = (operation["parameters"]?.AsArray() ?? []).Where(parameter => parameter!["in"]!.ToString() == "query").Select(parameter => parameter!["name"]!.ToString()).ToHashSet();
        var unknown = address.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')[0]).FirstOrDefault(name => !known.Contains(name));
        if (unknown is not null)
        {
            return $"{method} {pattern} took '{unknown}', which the document does not have";
        }

        if (body.Length == 0 || mediaType is null || operation["requestBody"]?["content"] is not JsonObject content)
        {
            return null;
        }

        if (content[mediaType] is not JsonObject media)
        {
            return $"{method} {pattern} took a body of {mediaType}, which the document does not have";
        }

        return mediaType == "application/json" && Violation(Compile($"{method} {pattern} {mediaType}", media["schema"]!), body) is { } wrong
            ? $"{method} {pattern} took a body that the document does not allow: {wrong}; {Short(body)}"
            : null;
    }

    /// <summary>A schema of the document, with the components that it refers to.</summary>
    public JsonSchema Compile(string name, JsonNode schema) => _compiled.GetOrAdd(name, _ =>
    {
        var whole = schema.DeepClone().AsObject();
        whole["components"] = Root["components"]!.DeepClone();
        return JsonSchema.TryCompile(JsonSerializer.SerializeToElement(whole), out var problems, Limits)
            ?? throw new InvalidOperationException($"{name}: {string.Join("; ", problems.Select(problem => $"{problem.Pointer} {problem.Message}"))}");
    });

    /// <summary>A response, or the component it refers to.</summary>
    public JsonObject? Resolve(JsonNode? response) =>
        response?["$ref"]?.ToString() is { } reference ? Root["components"]!["responses"]![reference["#/components/responses/".Length..]]!.AsObject() : response?.AsObject();

    private static string? Violation(JsonSchema schema, string text)
    {
        using var value = JsonDocument.Parse(text);
        var result = schema.Validate(value.RootElement, Limits);
        return result.IsValid ? null : string.Join("; ", result.Errors.Select(error => $"{error.InstancePointer} {error.Message}"));
    }

    private static string Short(string text) => text.Length <= 300 ? text : text[..300] + "...";
}

/// <summary>Holds every answer of a test to the document of the server that gave it, and every request that was accepted.</summary>
internal sealed class DocumentedAnswers() : DelegatingHandler(new SocketsHttpHandler())
{
    private static Document? _document;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Content is { } content)
        {
            await content.LoadIntoBufferAsync(cancellationToken);
        }

        var response = await base.SendAsync(request, cancellationToken);
        var mediaType = response.Content.Headers.ContentType?.MediaType;
        if (mediaType == "text/event-stream" || request.RequestUri!.AbsolutePath == "/openapi/v1.json")
        {
            return response;
        }

        var document = _document ??= await LoadAsync(request.RequestUri, cancellationToken);
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        var wrong = document.Problem(request.Method.Method, request.RequestUri.AbsolutePath, (int)response.StatusCode, mediaType, body);
        if (wrong is null && response.IsSuccessStatusCode)
        {
            wrong = document.RequestProblem(
                request.Method.Method, request.RequestUri, request.Content?.Headers.ContentType?.MediaType,
                request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken));
        }

        Assert.True(wrong is null, wrong);
        return response;
    }

    /// <summary>The document is the same for every server of this process.</summary>
    private static async Task<Document> LoadAsync(Uri server, CancellationToken cancellation)
    {
        using var client = new HttpClient();
        return new Document(JsonNode.Parse(await client.GetStringAsync(new Uri(server, "/openapi/v1.json"), cancellation))!.AsObject());
    }
}
