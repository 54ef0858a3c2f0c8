using System.Text;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Runtime.Effects.Secrets;

namespace Omium.Runtime.Effects.Tools;

/// <summary>Reads the body of a success.</summary>
internal static class HttpToolResult
{
    private static readonly JsonElement Null = JsonSerializer.SerializeToElement<object?>(null);
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>JSON as it is, text as a JSON string, nothing as null.</summary>
    public static async Task<EffectOutcome> ReadAsync(
        HttpResponseMessage answer, SecretScope secrets, long bytesMax, HttpToolFailures failures, CancellationToken cancellation)
    {
        if (answer.Content.Headers.ContentLength > bytesMax)
        {
            return TooLarge(failures, bytesMax);
        }

        try
        {
            var body = await BoundedBody.ReadAsync(await answer.Content.ReadAsStreamAsync(cancellation), bytesMax, cancellation);
            var text = secrets.ScrubResult(Text(body, answer.Content.Headers.ContentType?.CharSet));
            return new() { Result = text.Length == 0 ? Null : IsJson(answer) ? secrets.ScrubResult(Json(text)) : JsonSerializer.SerializeToElement(text) };
        }
        catch (BodyTooLargeException)
        {
            return TooLarge(failures, bytesMax);
        }
        catch (JsonException malformed)
        {
            return failures.ResponseUnusable("response_malformed", $"The answer is not the JSON it says it is: {malformed.Message}");
        }
        catch (Exception malformed) when (malformed is DecoderFallbackException or InvalidDataException)
        {
            return failures.ResponseUnusable("response_malformed", "The answer is neither JSON nor text in its stated encoding.");
        }
    }

    private static EffectOutcome TooLarge(HttpToolFailures failures, long bytesMax) =>
        failures.ResponseUnusable("response_too_large", $"The answer is larger than {bytesMax} bytes.");

    private static bool IsJson(HttpResponseMessage answer)
    {
        var type = answer.Content.Headers.ContentType?.MediaType ?? "";
        return type.Equals("application/json", StringComparison.OrdinalIgnoreCase) || type.Equals("text/json", StringComparison.OrdinalIgnoreCase)
            || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase);
    }

    private static JsonElement Json(string text)
    {
        using var parsed = JsonDocument.Parse(text);
        return parsed.RootElement.Clone();
    }

    private static string Text(byte[] body, string? charset)
    {
        var encoding = charset?.Trim('"').ToLowerInvariant() switch
        {
            "iso-8859-1" or "latin1" => Encoding.Latin1,
            "us-ascii" => Encoding.ASCII,
            "utf-16" => Encoding.Unicode,
            _ => StrictUtf8,
        };
        ReadOnlySpan<byte> bytes = body;
        return encoding.GetString(encoding == StrictUtf8 && bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[3..] : bytes);
    }
}
