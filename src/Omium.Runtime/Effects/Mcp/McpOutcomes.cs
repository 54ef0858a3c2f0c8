using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Effects.Secrets;
using Omium.Runtime.Effects.Tools;

namespace Omium.Runtime.Effects.Mcp;

/// <summary>Members of <c>_meta</c> that are Omium's.</summary>
public static class McpMeta
{
    /// <summary>Request: the effect, so that a server's log can be matched with ours.</summary>
    public const string Effect = "io.omium/effect";

    /// <summary>Request: the same for each repetition of a call, for effects that have one.</summary>
    public const string IdempotencyKey = "io.omium/idempotency-key";

    /// <summary>Request: <c>root=token</c>, comma-separated, while the step holds locks.</summary>
    public const string FencingToken = "io.omium/fencing-token";

    /// <summary>Result that is an error: <c>no</c> when the call has certainly changed nothing.</summary>
    public const string Happened = "io.omium/happened";
}

/// <summary>
/// What a call of an MCP tool came to. As with HTTP the one question that matters is whether the other side may have acted:
/// <list type="table">
/// <item><term>no session</term><description>no: unknown or refused address, program that cannot be started, refused greeting, time-out before the call was sent</description></item>
/// <item><term>sent, no result</term><description>yes: time-out, broken connection, program that ended, answer that is too large or no answer to what was asked</description></item>
/// <item><term>protocol error</term><description>no, and permanent, for "no such method", "invalid parameters" and "invalid request"; else yes</description></item>
/// <item><term>result with isError</term><description>yes, unless its <c>_meta</c> says <c>io.omium/happened: no</c></description></item>
/// <item><term>HTTP status</term><description>as for HTTP tools: 4xx no, 5xx yes</description></item>
/// </list>
/// </summary>
internal sealed class McpOutcomes(HttpToolFailures failures, SecretScope secrets, long resultBytesMax)
{
    private const int MessageCharactersMax = 500;

    public EffectOutcome Refused(string code, string message) => failures.Refused(code, message);

    /// <summary>Nothing was called; another time may do.</summary>
    public EffectOutcome Unreached(string code, string message) => failures.Of(FailureClasses.ToolError, code, message);

    public EffectOutcome TimedOut(TimeSpan timeout, bool sent) => failures.TimedOut(timeout, sent);

    public EffectOutcome TooLarge() => failures.ResponseUnusable("response_too_large", $"The answer is larger than {resultBytesMax} bytes.");

    public EffectOutcome Broken(string message) => failures.Of(FailureClasses.ToolError, "connection_broken", message, mayHaveHappened: true);

    /// <summary>A result: what is structured as it is; one text as the JSON object or list that it holds, else as a text; more as the list of blocks.</summary>
    public EffectOutcome Of(CallToolResult result)
    {
        if (result.IsError == true)
        {
            var isCertain = result.Meta?[McpMeta.Happened] is JsonValue happened && happened.TryGetValue<string>(out var word) && word == "no";
            return failures.Of(FailureClasses.ToolError, "tool_failed", $"The tool answered an error: {Shorten(TextOf(result))}", mayHaveHappened: !isCertain);
        }

        var text = secrets.ScrubResult(Value(result).GetRawText());
        return text.Length > resultBytesMax ? TooLarge() : new EffectOutcome { Result = secrets.ScrubResult(JsonElement.Parse(text)) };
    }

    /// <summary>Anything that was thrown.</summary>
    /// <param name="thrown">What.</param>
    /// <param name="sent">Whether the call had been sent.</param>
    public EffectOutcome Of(Exception thrown, bool sent)
    {
        if (HttpToolFailures.Find<HttpRequestException>(thrown) is { } http)
        {
            return http.StatusCode is { } status ? OfStatus((int)status, sent) : failures.Broken(http, sent);
        }

        if (HttpToolFailures.Find<McpProtocolException>(thrown) is { } refused && sent)
        {
            var isRefused = refused.ErrorCode is McpErrorCode.MethodNotFound or McpErrorCode.InvalidParams or McpErrorCode.InvalidRequest or McpErrorCode.ParseError;
            return failures.Of(
                FailureClasses.ToolError, isRefused ? "mcp_refused" : "mcp_error", $"The server answered an error: {Shorten(refused.Message)}", mayHaveHappened: !isRefused, permanent: isRefused);
        }

        if (HttpToolFailures.Find<IOException>(thrown) is { } broken)
        {
            return failures.Broken(broken, sent);
        }

        var message = $"{(sent ? "No answer that can be used" : "The server does not speak MCP")}: {Shorten(thrown.Message)}";
        return failures.Of(FailureClasses.ToolError, sent ? "response_malformed" : "mcp_server_failed", message, mayHaveHappened: sent);
    }

    private EffectOutcome OfStatus(int status, bool sent)
    {
        var message = $"The server answered {status}.";
        return status switch
        {
            429 => failures.Of(FailureClasses.RateLimited, "http_429", message),
            408 => failures.Of(FailureClasses.Timeout, "http_408", message),
            425 => failures.Of(FailureClasses.ToolError, "http_425", message),
            >= 300 and < 400 => failures.Of(FailureClasses.ToolError, "redirect_refused", $"{message} A call is never redirected: give the address that it leads to.", mayHaveHappened: sent, permanent: true),
            >= 400 and < 500 => failures.Of(FailureClasses.ToolError, $"http_{status}", message, permanent: true),
            _ => failures.Of(FailureClasses.ToolError, $"http_{status}", message, mayHaveHappened: sent),
        };
    }

    private static JsonElement Value(CallToolResult result)
    {
        if (result.StructuredContent is { } structured)
        {
            return structured;
        }

        return result.Content switch
        {
            [] => JsonSerializer.SerializeToElement<object?>(null),
            [TextContentBlock text] => OfText(text.Text),
            var blocks => JsonSerializer.SerializeToElement(blocks, McpJsonUtilities.DefaultOptions),
        };
    }

    private static JsonElement OfText(string text)
    {
        if (text.AsSpan().TrimStart() is ['{' or '[', ..])
        {
            try
            {
                return JsonElement.Parse(text);
            }
            catch (JsonException)
            {
                // A text that only begins like JSON is a text.
            }
        }

        return JsonSerializer.SerializeToElement(text);
    }

    private static string TextOf(CallToolResult result) => string.Join(' ', result.Content.OfType<TextContentBlock>().Select(block => block.Text)) is { Length: > 0 } text ? text : "it says nothing";

    /// <summary>Secrets are looked for in what is shown; nothing longer is shown than is searched.</summary>
    private string Shorten(string text)
    {
        var clean = string.Concat(secrets.Scrub(text).Select(letter => char.IsControl(letter) ? ' ' : letter));
        return clean.Length > MessageCharactersMax ? clean[..MessageCharactersMax] : clean;
    }
}
