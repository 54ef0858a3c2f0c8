using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Omium.Api.OpenApi;

/// <summary>
/// What a route takes and answers, said in the line that maps it; the document at <c>/openapi/v1.json</c> is made from it, and so is the frame
/// around its handler (idempotency, size limit). Common answers are not named: 401, 429, 5xx, what a broken body gets, and
/// <c>execution_not_found</c> under <c>/v1/executions/{id}</c>.
/// <code>
/// routes.Map("GET", "/v1/keys", ListAsync).As("list_keys", "Keys of the tenant, oldest first.").Answers(ContractJson.Default.KeyPage);
/// </code>
/// </summary>
internal sealed class RouteDescription(string method, string pattern, bool isOpen)
{
    private readonly List<RouteParameter> _parameters = [.. RouteParameter.OfPath(pattern)];
    private readonly List<RouteAnswer> _answers = [];
    private readonly List<string> _codes = [];

    public string Method { get; } = method;

    public string Pattern { get; } = pattern;

    /// <summary>Anybody may ask; else a key is needed.</summary>
    public bool IsOpen { get; } = isOpen;

    /// <summary>Name of the operation in generated clients, snake_case, unique; null until <see cref="As"/>.</summary>
    public string? Operation { get; private set; }

    public string Summary { get; private set; } = "";

    public IReadOnlyList<RouteParameter> Parameters => _parameters;

    public IReadOnlyList<RouteAnswer> Answered => _answers;

    /// <summary>Codes of the error catalogue that this route answers beside the common ones.</summary>
    public IReadOnlyList<string> Codes => _codes;

    /// <summary>What the body is read as; null = it reads none.</summary>
    public JsonTypeInfo? Body { get; private set; }

    /// <summary>The body may be absent.</summary>
    public bool IsBodyOptional { get; private set; }

    /// <summary>Media types that are read beside JSON.</summary>
    public IReadOnlyList<string> BodyTexts { get; private set; } = [];

    /// <summary>With an <c>Idempotency-Key</c> it happens once: by default what answers 201 to a POST.</summary>
    public bool IsIdempotent { get; private set; }

    /// <summary>Its handler sees to that, and not the frame around it.</summary>
    public bool IsIdempotentByItself { get; private set; }

    /// <summary>Longest body in bytes; null = <see cref="OmiumApiOptions.BodyBytesMax"/>.</summary>
    public Func<OmiumApiOptions, int>? BodyBytesMax { get; private set; }

    /// <summary>Name and purpose. Names are frozen: clients are generated from them.</summary>
    public RouteDescription As(string operation, string summary)
    {
        (Operation, Summary) = (operation, summary);
        return this;
    }

    /// <summary>An answer with a JSON body.</summary>
    public RouteDescription Answers(JsonTypeInfo type, int status = StatusCodes.Status200OK, string description = "Done.") =>
        Add(new RouteAnswer(status, "application/json", type, description));

    /// <summary>An answer that is no JSON record, or nothing at all (<paramref name="mediaType"/> null).</summary>
    public RouteDescription Answers(int status, string? mediaType, string description) => Add(new RouteAnswer(status, mediaType, null, description));

    /// <summary>An answer of one JSON record a line.</summary>
    public RouteDescription AnswersLines(JsonTypeInfo type, string description) => Add(new RouteAnswer(StatusCodes.Status200OK, "application/x-ndjson", type, description));

    /// <summary>A JSON body. Unknown members are refused.</summary>
    public RouteDescription Reads(JsonTypeInfo type, bool isOptional = false, Func<OmiumApiOptions, int>? bytesMax = null)
    {
        (Body, IsBodyOptional, BodyBytesMax) = (type, isOptional, bytesMax ?? BodyBytesMax);
        return this;
    }

    /// <summary>The body may also be YAML.</summary>
    public RouteDescription ReadsYaml()
    {
        BodyTexts = ["text/yaml", "application/yaml"];
        _codes.Add("invalid_yaml");
        return this;
    }

    /// <summary>A text of the query; with <paramref name="words"/> one of these.</summary>
    public RouteDescription Query(string name, string description, params string[] words) =>
        Add(new RouteParameter(name, "query", description, "string") { Words = words });

    /// <summary>A text of the query that must be there.</summary>
    public RouteDescription QueryNeeded(string name, string description) => Add(new RouteParameter(name, "query", description, "string") { IsRequired = true });

    /// <summary>An integer of the query.</summary>
    public RouteDescription QueryInteger(string name, string description, long min, long max, long? otherwise = null) =>
        Add(new RouteParameter(name, "query", description, "integer") { Min = min, Max = max, Default = otherwise });

    /// <summary>A time of the query.</summary>
    public RouteDescription QueryTime(string name, string description) => Add(new RouteParameter(name, "query", description, "string") { Format = "date-time" });

    /// <summary>Cursor paging: <c>limit</c> and <c>cursor</c>.</summary>
    public RouteDescription Paged(int limit = 50, int limitMax = 200) =>
        QueryInteger("limit", "Most items of the page.", 1, limitMax, limit).Query("cursor", "The `next_cursor` of the page before.");

    /// <summary>A header that this route reads.</summary>
    public RouteDescription Header(string name, string description) => Add(new RouteParameter(name, "header", description, "string"));

    /// <summary>Further codes it may answer.</summary>
    public RouteDescription Refuses(params string[] codes)
    {
        _codes.AddRange(codes);
        return this;
    }

    /// <summary>An <c>Idempotency-Key</c> makes it happen once, although it does not answer 201.</summary>
    public RouteDescription Idempotent()
    {
        IsIdempotent = true;
        return this;
    }

    /// <summary>The handler itself sees to it that an <c>Idempotency-Key</c> makes it happen once.</summary>
    public RouteDescription IdempotentByItself()
    {
        IsIdempotentByItself = true;
        return Idempotent();
    }

    /// <summary>A body of a few words.</summary>
    public RouteDescription ReadsLittle(JsonTypeInfo type, bool isOptional = false) => Reads(type, isOptional, options => options.SmallBodyBytesMax);

    /// <summary>A document with an <c>ETag</c>: <c>If-None-Match</c> spares what the client has.</summary>
    public RouteDescription Tagged() => Header("If-None-Match", "Tags the client has: 304 when this is one of them.").Answers(StatusCodes.Status304NotModified, null, "Not changed.");

    /// <summary>A write of a document with an <c>ETag</c>.</summary>
    public RouteDescription Conditional() => Header("If-Match", "Only while this is the tag of what stands.").Header("If-None-Match", "`*`: only when there is none.").Refuses("precondition_failed");

    private RouteDescription Add(RouteParameter parameter)
    {
        _parameters.Add(parameter);
        return this;
    }

    private RouteDescription Add(RouteAnswer answer)
    {
        _answers.Add(answer);
        IsIdempotent |= !IsOpen && Method == "POST" && answer.Status == StatusCodes.Status201Created;
        return this;
    }
}

/// <summary>One answer; <paramref name="Type"/> is null when the body is no JSON record, <paramref name="MediaType"/> when there is none.</summary>
internal sealed record RouteAnswer(int Status, string? MediaType, JsonTypeInfo? Type, string Description);

/// <summary>A parameter of the path, the query or the headers.</summary>
/// <param name="Name">Name.</param>
/// <param name="In">path, query or header.</param>
/// <param name="Description">What it is.</param>
/// <param name="Type">JSON Schema type of the value.</param>
internal sealed record RouteParameter(string Name, string In, string Description, string Type)
{
    private static readonly Dictionary<string, string> PathDescriptions = new(StringComparer.Ordinal)
    {
        ["id"] = "Its id.",
        ["name"] = "Its name.",
        ["version"] = "Version, from 1.",
        ["step"] = "Step id.",
        ["digest"] = "SHA-256 of the value, 64 lower-case hexadecimal digits.",
    };

    public bool IsRequired { get; init; }

    public IReadOnlyList<string> Words { get; init; } = [];

    public long? Min { get; init; }

    public long? Max { get; init; }

    public long? Default { get; init; }

    public string? Format { get; init; }

    /// <summary>The parameters that a pattern names.</summary>
    public static IEnumerable<RouteParameter> OfPath(string pattern) => pattern.Split('/')
        .Where(segment => segment.StartsWith('{'))
        .Select(segment => segment.Trim('{', '}', '*'))
        .Select(name => new RouteParameter(name, "path", PathDescriptions.GetValueOrDefault(name, $"The {name.Replace('_', ' ')}."), "string") { IsRequired = true });
}
