using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Omium.Runtime.Effects.Tools;

namespace Omium.Runtime.Effects.Notifications;

/// <summary>
/// Posts notifications as JSON, signed as Standard Webhooks 1.0 says (https://www.standardwebhooks.com): headers <c>webhook-id</c>,
/// <c>webhook-timestamp</c> and <c>webhook-signature: v1,base64(HMAC-SHA256(secret, "id.timestamp.body"))</c>. Reaches what HTTP tools may reach. Any 2xx
/// answer within ten seconds is a delivery; redirects are not followed.
/// </summary>
public sealed class WebhookChannel : INotificationChannel, IDisposable
{
    private const string SecretPrefix = "whsec_";
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(10);
    private readonly WebhookOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpMessageInvoker _http;

    /// <summary>A channel; keep one for the process.</summary>
    public WebhookChannel(WebhookOptions options, ToolNetworkOptions network, TimeProvider? time = null)
    {
        (_options, _time) = (options, time ?? TimeProvider.System);
        _http = new HttpMessageInvoker(new ToolConnections(new AddressPolicy(network), Dns.GetHostAddressesAsync).CreateHandler(), disposeHandler: true);
    }

    /// <summary>The signature of a message. A secret that begins with <c>whsec_</c> is base64 behind it; any other is taken as it is.</summary>
    public static string Sign(string secret, string id, long unixSeconds, ReadOnlySpan<byte> body)
    {
        ArgumentNullException.ThrowIfNull(secret);
        var key = secret.StartsWith(SecretPrefix, StringComparison.Ordinal) ? Convert.FromBase64String(secret[SecretPrefix.Length..]) : Encoding.UTF8.GetBytes(secret);
        byte[] signed = [.. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{unixSeconds}.")), .. body];
        return "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed));
    }

    /// <inheritdoc/>
    public async Task<string?> TryDeliverAsync(ChannelNotification notification, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(notification);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(AnswerMax);
        try
        {
            using var request = Build(notification);
            using var answer = await _http.SendAsync(request, limit.Token);
            return answer.IsSuccessStatusCode ? null : $"the channel answered {(int)answer.StatusCode}";
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return $"the channel did not answer within {AnswerMax.TotalSeconds} s";
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or SocketException or AddressRefusedException)
        {
            return $"the channel could not be reached: {(broken.InnerException ?? broken).Message}";
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Build(ChannelNotification notification)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(notification, NotificationJson.Default.ChannelNotification);
        var at = _time.GetUtcNow().ToUnixTimeSeconds();
        var request = new HttpRequestMessage(HttpMethod.Post, _options.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add("webhook-id", notification.Id);
        request.Headers.Add("webhook-timestamp", at.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("Idempotency-Key", notification.Id);
        if (_options.Secret is { } secret)
        {
            request.Headers.Add("webhook-signature", Sign(secret, notification.Id, at, body));
        }

        return request;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ChannelNotification))]
internal sealed partial class NotificationJson : JsonSerializerContext;
