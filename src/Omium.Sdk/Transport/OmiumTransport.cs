using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Omium.Contracts;

namespace Omium.Transport;

/// <summary>Requests, and refusals as exceptions. Safe to use from many threads.</summary>
internal sealed class OmiumTransport : IDisposable
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(90); // More than the longest wait that the server grants.
    private static readonly TimeSpan LimitedPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(1);
    private readonly HttpClient _http;
    private readonly TimeProvider _time;

    public OmiumTransport(OmiumOptions options)
    {
        var settings = ClientSettings.Resolve(options);
        (BaseUrl, _time) = (settings.BaseUrl, options.Time);
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(10) }) { BaseAddress = BaseUrl, Timeout = AnswerWithin };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", settings.ApiKey);
    }

    public Uri BaseUrl { get; }

    public Task<TAnswer> GetAsync<TAnswer>(string path, JsonTypeInfo<TAnswer> type, CancellationToken cancellation) =>
        ReadAsync(HttpMethod.Get, path, null, type, TimeSpan.Zero, cancellation);

    public Task<TAnswer> PostAsync<TBody, TAnswer>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> type, CancellationToken cancellation, TimeSpan patience = default) =>
        ReadAsync(HttpMethod.Post, path, JsonSerializer.SerializeToUtf8Bytes(body, bodyType), type, patience, cancellation);

    /// <summary>Sends and answers the bytes; none for 204. A server that does not answer, or takes no more for now, is asked again for as long as patience lasts.</summary>
    public async Task<byte[]> SendAsync(HttpMethod method, string path, byte[]? body, TimeSpan patience, CancellationToken cancellation)
    {
        var began = _time.GetTimestamp();
        for (var wait = TimeSpan.FromMilliseconds(50); ; wait = TimeSpan.FromTicks(Math.Min(wait.Ticks * 2, WaitMax.Ticks)))
        {
            try
            {
                using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : Json(body) };
                using var answer = await _http.SendAsync(request, cancellation);
                var bytes = await answer.Content.ReadAsByteArrayAsync(cancellation);
                var passed = _time.GetElapsedTime(began);
                if (answer.StatusCode == HttpStatusCode.TooManyRequests && passed < LimitedPatience)
                {
                    wait = answer.Headers.RetryAfter?.Delta ?? WaitMax; // Nothing was done: the server says when it will take more.
                }
                else if (answer.StatusCode != HttpStatusCode.ServiceUnavailable || passed >= patience)
                {
                    return answer.IsSuccessStatusCode ? bytes : throw Refusal((int)answer.StatusCode, bytes);
                }
            }
            catch (Exception broken) when (broken is HttpRequestException or IOException || (broken is TaskCanceledException && !cancellation.IsCancellationRequested))
            {
                if (_time.GetElapsedTime(began) >= patience)
                {
                    throw new ServerUnreachableException($"no Omium server answers at {BaseUrl} ({broken.Message}): start one with 'omium dev', or set OMIUM_BASE_URL", broken);
                }
            }

            await Task.Delay(wait, _time, cancellation);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<TAnswer> ReadAsync<TAnswer>(HttpMethod method, string path, byte[]? body, JsonTypeInfo<TAnswer> type, TimeSpan patience, CancellationToken cancellation)
    {
        var bytes = await SendAsync(method, path, body, patience, cancellation);
        return JsonSerializer.Deserialize(bytes, type) ?? throw new OmiumException($"{BaseUrl}{path} answered nothing that can be read", "answer_unusable");
    }

    private OmiumException Refusal(int status, byte[] body)
    {
        var problem = Problem(body);
        var code = problem?.Code ?? $"http_{status}";
        var text = new StringBuilder(problem?.Detail ?? problem?.Title ?? $"{BaseUrl} answered {status}");
        foreach (var error in problem?.Errors?.Take(5) ?? [])
        {
            text.Append("; ").Append(error.Pointer.Length == 0 ? "(whole)" : error.Pointer).Append(": ").Append(error.Message);
        }

        return (status, code) switch
        {
            (402, _) => new CreditsExhaustedException($"out of credits: top up, and it goes on ({text})"),
            (401, _) or (403, "forbidden") => new NotAllowedException($"the key is not accepted by {BaseUrl}: {text} Set OMIUM_API_KEY, or run 'omium init' with a key that has not been revoked", code),
            (_, "replay_mismatch") => new ReplayMismatchException(text.ToString(), status),
            (_, "task_fenced") => new LeaseLostException(text.ToString(), status),
            _ => new ApiException(text.ToString(), code, status),
        };
    }

    private static Problem? Problem(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, ContractJson.Default.Problem);
        }
        catch (JsonException)
        {
            return null; // Something before Omium answered.
        }
    }

    private static ByteArrayContent Json(byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }
}
