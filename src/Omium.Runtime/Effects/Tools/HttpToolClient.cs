using System.Net;
using Omium.Kernel.Executions;
using Omium.Runtime.Effects.Secrets;

namespace Omium.Runtime.Effects.Tools;

/// <summary>
/// Calls HTTP tools. One call is one request (and for GET at most three redirects on the same origin): nothing is ever sent a second time
/// on its own account. The result is the answer's JSON body; a body of another type as a JSON string; an empty body as null. Status and
/// headers are not part of a result: a 2xx answer is one, everything else is a failure (<see cref="HttpToolFailures"/> has the table).
/// </summary>
public sealed class HttpToolClient : IToolClient, IDisposable
{
    /// <summary>Most redirects followed.</summary>
    public const int RedirectsMax = 3;

    private readonly ToolNetworkOptions _options;
    private readonly ISecretSource _secrets;
    private readonly TimeProvider _time;
    private readonly HttpMessageInvoker _http;

    /// <summary>A client; keep one for the process, it holds the connections.</summary>
    /// <param name="options">Limits.</param>
    /// <param name="secrets">Secrets named in URLs, headers and bodies.</param>
    /// <param name="time">Clock of the time-outs; default the system's.</param>
    /// <param name="resolve">Name resolution; default the system's.</param>
    public HttpToolClient(
        ToolNetworkOptions options, ISecretSource secrets, TimeProvider? time = null,
        Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
    {
        _options = options;
        _secrets = secrets;
        _time = time ?? TimeProvider.System;
        var connections = new ToolConnections(new AddressPolicy(options), resolve ?? Dns.GetHostAddressesAsync);
        _http = new HttpMessageInvoker(connections.CreateHandler(), disposeHandler: true);
    }

    /// <inheritdoc/>
    public async Task<EffectOutcome> CallAsync(ToolRequest request, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        var secrets = await SecretScope.LoadAsync(_secrets, request, cancellation);
        var failures = new HttpToolFailures(secrets, _time);
        HttpToolMessage message;
        try
        {
            message = new HttpToolMessage(request, secrets, _options);
        }
        catch (RequestRefusedException refused)
        {
            return failures.Refused(refused.Code, refused.Message);
        }
        catch (SecretMissingException missing)
        {
            return failures.Refused("secret_missing", missing.Message);
        }

        using var timeout = new CancellationTokenSource(request.Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        var trace = new SendTrace(message.IsSafe);
        SendTrace.Current = trace; // Ends with this method: an async method restores its caller's context.
        try
        {
            return await SendAsync(message, secrets, failures, either.Token);
        }
        catch (Exception) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (Exception) when (timeout.IsCancellationRequested)
        {
            return failures.TimedOut(request.Timeout, trace.Sent);
        }
        catch (HttpRequestException broken)
        {
            return failures.Broken(broken, trace.Sent);
        }
        catch (IOException broken)
        {
            return failures.Broken(broken, trace.Sent);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<EffectOutcome> SendAsync(
        HttpToolMessage message, SecretScope secrets, HttpToolFailures failures, CancellationToken cancellation)
    {
        var url = message.Url;
        for (var redirects = 0; ; redirects++)
        {
            using var sent = message.Build(url);
            using var answer = await _http.SendAsync(sent, cancellation);
            if ((int)answer.StatusCode is >= 200 and < 300)
            {
                return await HttpToolResult.ReadAsync(answer, secrets, _options.ResponseBytesMax, failures, cancellation);
            }

            if ((int)answer.StatusCode is not (301 or 302 or 303 or 307 or 308))
            {
                return await failures.OfStatusAsync(answer, cancellation);
            }

            var target = answer.Headers.Location is { } location ? new Uri(url, location) : null;
            if (message.Method != HttpMethod.Get || redirects == RedirectsMax || !IsSameOrigin(url, target))
            {
                return failures.RedirectRefused(message, (int)answer.StatusCode, target);
            }

            url = target!;
        }
    }

    private static bool IsSameOrigin(Uri from, Uri? to) =>
        to is not null && to.Scheme == from.Scheme && to.Port == from.Port && to.UserInfo.Length == 0
        && string.Equals(to.IdnHost, from.IdnHost, StringComparison.OrdinalIgnoreCase);
}
