using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Omium.Cli.Commands;

namespace Omium.Cli.Client;

/// <summary>The HTTP API as the commands use it. What the server refuses becomes a <see cref="CommandFailedException"/> with its exit code.</summary>
internal sealed class ApiClient : IDisposable
{
    private readonly HttpClient _http;

    public ApiClient(ClientSettings settings)
    {
        BaseUrl = settings.BaseUrl;
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(10) })
        {
            BaseAddress = new Uri(settings.BaseUrl.ToString().TrimEnd('/') + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", settings.ApiKey);
    }

    /// <summary>Where it talks to.</summary>
    public Uri BaseUrl { get; }

    /// <summary>GET.</summary>
    public Task<JsonElement> GetAsync(string path, CancellationToken cancellation) => SendAsync(HttpMethod.Get, path, null, cancellation);

    /// <summary>POST of a record.</summary>
    public Task<JsonElement> PostAsync<T>(string path, T body, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, type));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return SendAsync(HttpMethod.Post, path, content, cancellation);
    }

    /// <summary>POST of nothing.</summary>
    public Task<JsonElement> PostAsync(string path, CancellationToken cancellation) => SendAsync(HttpMethod.Post, path, null, cancellation);

    /// <summary>PUT of a record.</summary>
    public Task<JsonElement> PutAsync<T>(string path, T body, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, type));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return SendAsync(HttpMethod.Put, path, content, cancellation);
    }

    /// <summary>PUT of a text as it is.</summary>
    public Task<JsonElement> PutTextAsync(string path, string text, string mediaType, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Put, path, new StringContent(text, Encoding.UTF8, mediaType), cancellation);

    /// <summary>DELETE.</summary>
    public Task<JsonElement> DeleteAsync(string path, CancellationToken cancellation) => SendAsync(HttpMethod.Delete, path, null, cancellation);

    /// <summary>POST of a text as it is.</summary>
    public Task<JsonElement> PostTextAsync(string path, string text, string mediaType, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Post, path, new StringContent(text, Encoding.UTF8, mediaType), cancellation);

    /// <summary>The events of a stream, from after a record on, until the server ends it.</summary>
    public async IAsyncEnumerable<SseItem<string>> StreamAsync(string path, long afterSeq, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd("text/event-stream");
        request.Headers.Add("Last-Event-ID", afterSeq.ToString(CultureInfo.InvariantCulture));
        using var answer = await SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        await using var body = await answer.Content.ReadAsStreamAsync(cancellation);
        await foreach (var item in SseParser.Create(body).EnumerateAsync(cancellation))
        {
            yield return item;
        }
    }

    /// <summary>A long answer that is read as it comes; the whole of it must come, or reading it throws.</summary>
    public async Task<Stream> OpenAsync(string path, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        var answer = await SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        return await answer.Content.ReadAsStreamAsync(cancellation);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<JsonElement> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using var answer = await SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellation);
        var bytes = await answer.Content.ReadAsByteArrayAsync(cancellation);
        return bytes.Length == 0 ? default : JsonElement.Parse(bytes);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCompletionOption completion, CancellationToken cancellation)
    {
        HttpResponseMessage answer;
        try
        {
            answer = await _http.SendAsync(request, completion, cancellation);
        }
        catch (HttpRequestException broken)
        {
            throw new CommandFailedException(ExitCodes.Error, $"{BaseUrl} does not answer ({broken.Message}). Is `omium dev` running?");
        }

        if (answer.IsSuccessStatusCode)
        {
            return answer;
        }

        using (answer)
        {
            throw Refusal(answer.StatusCode, await answer.Content.ReadAsStringAsync(cancellation));
        }
    }

    /// <summary>The problem document (RFC 9457) in words: code, detail, and every entry of <c>errors</c> on a line of its own.</summary>
    private static CommandFailedException Refusal(HttpStatusCode status, string body)
    {
        var exitCode = status switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => ExitCodes.NotAllowed,
            HttpStatusCode.PaymentRequired => ExitCodes.OutOfCredits,
            _ => ExitCodes.Error,
        };
        try
        {
            var problem = JsonElement.Parse(body);
            var text = new StringBuilder($"{Text(problem, "detail") ?? Text(problem, "title")} [{Text(problem, "code") ?? ((int)status).ToString(CultureInfo.InvariantCulture)}]");
            if (problem.TryGetProperty("errors", out var errors) && errors.ValueKind == JsonValueKind.Array)
            {
                foreach (var error in errors.EnumerateArray())
                {
                    text.Append("\n  ").Append(Text(error, "pointer")).Append(": ").Append(Text(error, "message") ?? Text(error, "detail")).Append(" [").Append(Text(error, "code")).Append(']');
                    if (Text(error, "mend") is { } mend)
                    {
                        text.Append("\n    ").Append(mend);
                    }
                }
            }

            return new CommandFailedException(exitCode, text.ToString());
        }
        catch (Exception other) when (other is JsonException or InvalidOperationException)
        {
            return new CommandFailedException(exitCode, $"the server answered {(int)status}");
        }
    }

    private static string? Text(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String ? member.GetString() : null;
}
