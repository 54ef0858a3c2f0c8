using System.Text;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;

namespace Omium.Runtime.Effects.Models;

/// <summary>An error as the protocol tells it.</summary>
internal sealed record ModelErrorBody(string? Code, string? Type, string? Parameter, string Message)
{
    /// <summary>Reads <c>{"error": {code, type, param, message}}</c>, and what endpoints make of it; anything else is its own message.</summary>
    public static ModelErrorBody Read(byte[] body)
    {
        try
        {
            using var parsed = JsonDocument.Parse(body);
            var root = parsed.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("error", out var error))
            {
                root = error;
            }

            return root.ValueKind switch
            {
                JsonValueKind.Object => Of(root),
                JsonValueKind.String => new(null, null, null, root.GetString()!),
                _ => new(null, null, null, root.GetRawText()),
            };
        }
        catch (JsonException)
        {
            return new(null, null, null, Encoding.UTF8.GetString(body));
        }
    }

    /// <summary>Reads the error object itself.</summary>
    public static ModelErrorBody Of(JsonElement error)
    {
        return new(Text("code"), Text("type"), Text("param"), Text("message") ?? Text("detail") ?? error.GetRawText());

        string? Text(string name) => error.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String or JsonValueKind.Number
            ? value.ToString() : null;
    }

    /// <summary>True when code, type, parameter or message holds the text.</summary>
    public bool Says(string text) =>
        ((string?[])[Code, Type, Parameter, Message]).Any(part => part?.Contains(text, StringComparison.OrdinalIgnoreCase) == true);
}

/// <summary>
/// What a failed model call means. Asking a model changes nothing outside, so no failure ever says that something may have happened: it
/// may always be asked again.
/// </summary>
internal sealed class ModelFailures(string? apiKey)
{
    private const int MessageCharsMax = 600;

    /// <summary>No endpoint.</summary>
    public static EffectOutcome NotConfigured { get; } = new()
    {
        Failure = new(
            FailureClasses.ModelError, "model_not_configured",
            "No model is configured. Set OMIUM_MODEL_BASE_URL (or OMIUM_MODEL_API_KEY for OpenAI) and OMIUM_MODEL_NAME.", Permanent: true),
    };

    /// <summary>An answer with an error status.</summary>
    public EffectOutcome OfStatus(int status, ModelErrorBody error, long? retryAfterMs)
    {
        var message = $"The model endpoint answered {status}: {error.Message}";
        return status switch
        {
            // A quota that is used up answers 429 too; waiting a second does not fill it.
            429 when error.Says("insufficient_quota") => Of("quota_exhausted", message, permanent: true),
            429 => Of("http_429", message, FailureClasses.RateLimited, retryAfterMs),
            408 or 504 => Of($"http_{status}", message, FailureClasses.Timeout, retryAfterMs),
            401 or 403 => Of("unauthorized", message, permanent: true),
            404 => Of(error.Says("model") ? "model_not_found" : "http_404", message, permanent: true),
            >= 400 and < 500 when IsOverflow(error) => Of("context_overflow", message, permanent: true),
            >= 400 and < 500 when error.Says("content_filter") || error.Says("content_policy_violation") => Of("content_filter", message, permanent: true),
            413 => Of("request_too_large", message, permanent: true),
            409 or 425 => Of($"http_{status}", message, retryAfterMs: retryAfterMs),
            >= 400 and < 500 => Of($"http_{status}", message, permanent: true),
            >= 500 => Of($"http_{status}", message, retryAfterMs: retryAfterMs),
            _ => Malformed($"The model endpoint answered {status}, which is neither an answer nor an error."),
        };
    }

    /// <summary>An error inside a stream: it has no status, so its code has to say what it is.</summary>
    public EffectOutcome OfStream(ModelErrorBody error) =>
        error.Says("rate_limit") ? OfStatus(429, error, null)
        : IsOverflow(error) ? OfStatus(400, error, null)
        : Of(error.Says("content_filter") ? "content_filter" : "stream_error", $"The model endpoint broke off its answer: {error.Message}");

    /// <summary>The answer cannot be read.</summary>
    public EffectOutcome Malformed(string message) => Of("malformed_response", message);

    /// <summary>The call's time is over.</summary>
    public EffectOutcome TimedOut(TimeSpan limit) =>
        Of("response_timeout", $"The model gave no whole answer within {limit.TotalMilliseconds:0} ms.", FailureClasses.Timeout);

    /// <summary>No connection, or it broke.</summary>
    public EffectOutcome Broken(Exception broken) => Of("connection_failed", $"The model endpoint could not be reached, or broke off: {Innermost(broken).Message}");

    /// <summary>The answer is too large.</summary>
    public EffectOutcome TooLarge(long bytesMax) => Of("answer_too_large", $"The model's answer is larger than {bytesMax} bytes.", permanent: true);

    /// <summary>An answer that came whole but is none: cut at the token limit, or withheld by a filter.</summary>
    public EffectOutcome? OfFinish(ModelAnswer answer) => answer.FinishReason switch
    {
        "length" => Of("answer_truncated", $"The answer was cut after {answer.OutputTokens} tokens (finish_reason length).", permanent: true),
        "content_filter" => Of("content_filter", "The endpoint's content filter withheld the answer."),
        _ => null,
    };

    private static bool IsOverflow(ModelErrorBody error) =>
        error.Says("context_length") || error.Says("maximum context") || error.Says("context window") || error.Says("context size");

    private EffectOutcome Of(string code, string message, string failureClass = FailureClasses.ModelError, long? retryAfterMs = null, bool permanent = false)
    {
        var text = string.IsNullOrEmpty(apiKey) ? message : message.Replace(apiKey, "[api key]", StringComparison.Ordinal);
        text = text.Length > MessageCharsMax ? text[..MessageCharsMax] : text;
        return new() { Failure = new(failureClass, code, text, RetryAfterMs: retryAfterMs, Permanent: permanent) };
    }

    private static Exception Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner)
        {
            exception = inner;
        }

        return exception;
    }
}
