using System.Net;

namespace Omium.Runtime.Effects.Tools;

/// <summary>What a fetch came to.</summary>
public readonly record struct Fetched(int Status, byte[] Body);

/// <summary>
/// Fetches small documents from addresses that customers name: under the same rules as tools (no private address unless allowed, judged on the address
/// that is connected to), without redirects, at most 1 MiB, within 10 seconds.
/// </summary>
public sealed class GuardedFetch : IDisposable
{
    private const int BytesMax = 1024 * 1024;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private readonly ToolNetworkOptions _options;
    private readonly HttpMessageInvoker _http;
    private readonly TimeProvider _time;

    /// <summary>Keep one for the process, it holds the connections.</summary>
    public GuardedFetch(ToolNetworkOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _time) = (options, time ?? TimeProvider.System);
        _http = new HttpMessageInvoker(new ToolConnections(new AddressPolicy(options), Dns.GetHostAddressesAsync).CreateHandler(), disposeHandler: true);
    }

    /// <summary>Whether an address may be asked at all: https, or http where private addresses are allowed (a test on one machine).</summary>
    public bool IsFit(Uri url)
    {
        ArgumentNullException.ThrowIfNull(url);
        return url.IsAbsoluteUri && url.UserInfo.Length == 0 && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && _options.AllowPrivateAddresses));
    }

    /// <summary>Sends and reads the whole answer; null when there is none to be had, whatever the reason.</summary>
    public async Task<Fetched?> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var over = new CancellationTokenSource(Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, over.Token);
        try
        {
            using var answer = await _http.SendAsync(request, either.Token);
            await using var body = await answer.Content.ReadAsStreamAsync(either.Token);
            return new Fetched((int)answer.StatusCode, await BoundedBody.ReadAsync(body, BytesMax, either.Token));
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or BodyTooLargeException || (broken is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();
}
