using Microsoft.Extensions.Configuration;

namespace Omium.Runtime.Effects.Models;

/// <summary>How structured output is asked for.</summary>
public enum StructuredOutput
{
    /// <summary>By schema; where the endpoint answers 400 naming response_format, by json_object, then in words. Remembered per model.</summary>
    Auto,

    /// <summary>By <c>response_format: json_schema</c> only.</summary>
    Schema,

    /// <summary>By <c>response_format: json_object</c>, with the schema in words.</summary>
    JsonObject,

    /// <summary>In words only.</summary>
    Words,
}

/// <summary>
/// The model endpoint: anything that speaks the OpenAI chat completions protocol (OpenAI, Azure OpenAI's v1 endpoint, Ollama, vLLM). Section
/// <c>model</c>, or <c>OMIUM_MODEL_*</c> in the environment.
/// </summary>
public sealed record ModelOptions
{
    /// <summary>Largest answer that may be configured: 64 MiB.</summary>
    public const long AnswerBytesLimit = 64L * 1024 * 1024;

    /// <summary>
    /// Address before <c>/chat/completions</c>: <c>https://NAME.openai.azure.com/openai/v1</c>, <c>http://localhost:11434/v1</c>.
    /// Default: OpenAI's own, when there is a key; else no model is configured.
    /// </summary>
    public Uri? BaseUrl { get; init; }

    /// <summary>Key, sent as bearer token. Endpoints on one's own machine usually need none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Model used where an agent names none.</summary>
    public string? Model { get; init; }

    /// <summary>Sent as OpenAI-Organization when set.</summary>
    public string? OrganizationId { get; init; }

    /// <summary>How structured output is asked for. Default auto.</summary>
    public StructuredOutput AllowStructuredOutput { get; init; } = StructuredOutput.Auto;

    /// <summary>Longest time any call may take, whatever the request says. Default 600 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(600);

    /// <summary>Largest answer in bytes as sent by the endpoint. Default 8 MiB.</summary>
    public long AnswerBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>True when there is an endpoint to ask.</summary>
    public bool IsConfigured => BaseUrl is not null || !string.IsNullOrEmpty(ApiKey);

    /// <summary>Never shows the key.</summary>
    public override string ToString() => $"{BaseUrl?.ToString() ?? "OpenAI"}, model {Model ?? "(none)"}, key {(string.IsNullOrEmpty(ApiKey) ? "none" : "set")}";

    /// <summary>Reads the options; what is absent keeps its default, what is out of range is an error at start.</summary>
    /// <exception cref="InvalidOperationException">A value cannot be read or is out of range; the message names it.</exception>
    public static ModelOptions From(IConfiguration configuration)
    {
        var values = new OptionReader(configuration, "model", "OMIUM_MODEL");
        var defaults = new ModelOptions();
        return new()
        {
            BaseUrl = values.Text("base_url") is not { } url ? null
                : Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https" ? parsed
                : throw values.Bad("base_url", url, "an absolute http or https URL"),
            ApiKey = values.Text("api_key"),
            Model = values.Text("name"),
            OrganizationId = values.Text("organization_id"),
            AllowStructuredOutput = values.Text("structured_output") switch
            {
                null or "auto" => StructuredOutput.Auto,
                "schema" => StructuredOutput.Schema,
                "json_object" => StructuredOutput.JsonObject,
                "words" => StructuredOutput.Words,
                var other => throw values.Bad("structured_output", other, "auto, schema, json_object or words"),
            },
            Timeout = TimeSpan.FromMilliseconds(values.Long("timeout_ms", (long)defaults.Timeout.TotalMilliseconds, 1, 3_600_000)),
            AnswerBytesMax = values.Long("answer_bytes_max", defaults.AnswerBytesMax, 1024, AnswerBytesLimit),
        };
    }
}
