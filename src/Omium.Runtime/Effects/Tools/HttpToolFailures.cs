using System.Net.Sockets;
using System.Text;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Effects.Secrets;

namespace Omium.Runtime.Effects.Tools;

/// <summary>
/// What a failed call means. The one question that matters is whether the other side may have acted:
/// <list type="table">
/// <item><term>not sent</term><description>no: refused request, unknown host, refused address or connection, TLS failure, time-out while connecting</description></item>
/// <item><term>sent, no whole answer</term><description>yes: time-out, broken connection, malformed or too large answer</description></item>
/// <item><term>5xx</term><description>yes, code http_NNN</description></item>
/// <item><term>4xx</term><description>no, and permanent, code http_NNN; but 408 (timeout), 425 and 429 (rate_limited) may be tried again</description></item>
/// <item><term>3xx</term><description>redirect_refused, permanent; 301, 302 and 303 to anything but GET and HEAD may be the answer of a request that was carried out</description></item>
/// </list>
/// </summary>
internal sealed class HttpToolFailures(SecretScope secrets, TimeProvider time)
{
    private const int ExcerptCharsMax = 500;

    /// <summary>More is read than shown: a secret must be whole to be found before the text is cut.</summary>
    private const int ExcerptBytesMax = 16 * 1024;

    /// <summary>Not sent, and never will be as it is written.</summary>
    public EffectOutcome Refused(string code, string message) => Of(FailureClasses.ToolError, code, message, permanent: true);

    /// <summary>The call's time is over.</summary>
    public EffectOutcome TimedOut(TimeSpan timeout, bool sent) => sent
        ? Of(FailureClasses.Timeout, "response_timeout", $"No whole answer within {timeout.TotalMilliseconds:0} ms.", mayHaveHappened: true)
        : Of(FailureClasses.Timeout, "connect_timeout", $"No connection within {timeout.TotalMilliseconds:0} ms; nothing was sent.");

    /// <summary>The connection could not be made, or broke.</summary>
    public EffectOutcome Broken(Exception broken, bool sent)
    {
        if (sent)
        {
            return broken is HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded }
                ? Of(FailureClasses.ToolError, "response_malformed", $"The answer is not HTTP: {broken.Message}", mayHaveHappened: true)
                : Of(FailureClasses.ToolError, "connection_broken", $"The connection broke after sending: {Cause(broken)}", mayHaveHappened: true);
        }

        if (Find<AddressRefusedException>(broken) is { } refused)
        {
            return Refused("address_refused", refused.Message);
        }

        if (broken is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError })
        {
            return Of(FailureClasses.ToolError, "tls_failed", $"No secure connection: {Cause(broken)}");
        }

        return Find<SocketException>(broken)?.SocketErrorCode switch
        {
            SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain =>
                Of(FailureClasses.ToolError, "host_not_found", $"The host could not be found: {Cause(broken)}"),
            SocketError.ConnectionRefused => Of(FailureClasses.ToolError, "connection_refused", $"No connection: {Cause(broken)}"),
            _ => Of(FailureClasses.ToolError, "connection_failed", $"No connection: {Cause(broken)}"),
        };
    }

    /// <summary>An answer that is neither a success nor a redirect.</summary>
    public async Task<EffectOutcome> OfStatusAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        var status = (int)answer.StatusCode;
        var waitMs = RetryAfter.ReadMs(Header(answer, "retry-after-ms"), Header(answer, "Retry-After"), time.GetUtcNow());
        var message = $"The tool answered {status}{await ExcerptAsync(answer, cancellation)}";
        return status switch
        {
            429 => Of(FailureClasses.RateLimited, "http_429", message, retryAfterMs: waitMs),
            408 => Of(FailureClasses.Timeout, "http_408", message, retryAfterMs: waitMs),
            425 => Of(FailureClasses.ToolError, "http_425", message, retryAfterMs: waitMs),
            >= 400 and < 500 => Of(FailureClasses.ToolError, $"http_{status}", message, permanent: true),
            _ => Of(FailureClasses.ToolError, $"http_{status}", message, mayHaveHappened: true, retryAfterMs: waitMs),
        };
    }

    /// <summary>A redirect that is not followed.</summary>
    public EffectOutcome RedirectRefused(HttpToolMessage message, int status, Uri? target) => Of(
        FailureClasses.ToolError, "redirect_refused",
        $"The tool answered {status} to {target?.GetLeftPart(UriPartial.Path) ?? "nowhere"}. Only GET is redirected, on its own origin, at most {HttpToolClient.RedirectsMax} times.",
        mayHaveHappened: status is 301 or 302 or 303 && message.Method != HttpMethod.Get && message.Method != HttpMethod.Head, permanent: true);

    /// <summary>A success whose body is useless.</summary>
    public EffectOutcome ResponseUnusable(string code, string message) => Of(FailureClasses.ToolError, code, message, mayHaveHappened: true);

    /// <summary>A failure whose text holds no secret.</summary>
    public EffectOutcome Of(
        string failureClass, string code, string message, bool mayHaveHappened = false, long? retryAfterMs = null, bool permanent = false) =>
        new() { Failure = new(failureClass, code, secrets.Scrub(message), mayHaveHappened, retryAfterMs, permanent) };

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;

    /// <summary>The start of an error's body, for people. A body that cannot be read takes nothing from what the status said.</summary>
    private async Task<string> ExcerptAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        try
        {
            var start = await BoundedBody.ReadStartAsync(await answer.Content.ReadAsStreamAsync(cancellation), ExcerptBytesMax, cancellation);
            var text = string.Concat(secrets.Scrub(Encoding.UTF8.GetString(start)).Select(c => char.IsControl(c) ? ' ' : c)).Trim();
            return text.Length == 0 ? "." : $": {(text.Length > ExcerptCharsMax ? text[..ExcerptCharsMax] : text)}";
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException or OperationCanceledException or InvalidDataException)
        {
            return ".";
        }
    }

    private static string Cause(Exception broken) => (broken.InnerException ?? broken).Message;

    /// <summary>The first of a kind among an exception and what caused it.</summary>
    public static T? Find<T>(Exception? exception)
        where T : Exception
    {
        while (exception is not (null or T))
        {
            exception = exception.InnerException;
        }

        return (T?)exception;
    }
}
