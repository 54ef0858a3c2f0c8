using System.ClientModel;
using System.ClientModel.Primitives;
using System.Collections.Concurrent;
using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Omium.Kernel.Executions;
using OpenAI;
using OpenAI.Chat;

namespace Omium.Runtime.Effects.Models;

/// <summary>
/// Asks models over the chat completions protocol, through the official OpenAI client (its pipeline, transport and authentication). Bodies go
/// by the client's protocol methods: an endpoint that only resembles OpenAI may answer with a finish reason or a field that the typed model
/// does not know, and that is data here, not an exception.
/// </summary>
/// <remarks>
/// One call asks once. The one exception is the <see cref="ChatDialect"/>: an endpoint that answers 400 and names response_format (or another
/// field that not all know) has done nothing; it is asked again in the next simpler way, which is remembered for the model.
/// </remarks>
public sealed class OpenAiModelClient : IModelClient, IDisposable
{
    private const int ErrorBytesMax = 64 * 1024;

    private readonly ModelOptions _options;
    private readonly TimeProvider _time;
    private readonly ModelFailures _failures;
    private readonly HttpClient _http;
    private readonly ConcurrentDictionary<string, ChatClient> _clients = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ChatDialect> _dialects = new(StringComparer.Ordinal);

    /// <summary>A client; keep one for the process, it holds the connections.</summary>
    public OpenAiModelClient(ModelOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _time = time ?? TimeProvider.System;
        _failures = new ModelFailures(options.ApiKey);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // A redirect would carry the key to wherever it points.
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.All,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxResponseDrainSize = 0,
        };
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <inheritdoc/>
    public async Task<EffectOutcome> AnswerAsync(ModelRequest request, Action<string>? onDelta, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!_options.IsConfigured || (request.Model ?? _options.Model) is not { Length: > 0 } model)
        {
            return ModelFailures.NotConfigured;
        }

        var limit = request.Timeout < _options.Timeout ? request.Timeout : _options.Timeout;
        using var timeout = new CancellationTokenSource(limit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        try
        {
            return await AskAsync(request, model, onDelta, either.Token);
        }
        catch (Exception) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (Exception) when (timeout.IsCancellationRequested)
        {
            return _failures.TimedOut(limit);
        }
        catch (BodyTooLargeException)
        {
            return _failures.TooLarge(_options.AnswerBytesMax);
        }
        catch (StreamedErrorException streamed)
        {
            return _failures.OfStream(ModelErrorBody.Of(streamed.Error));
        }
        catch (Exception malformed) when (malformed is JsonException or MalformedAnswerException or InvalidDataException)
        {
            return _failures.Malformed($"The model endpoint's answer cannot be read: {malformed.Message}");
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or ClientResultException)
        {
            return _failures.Broken(broken);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<EffectOutcome> AskAsync(ModelRequest request, string model, Action<string>? onDelta, CancellationToken cancellation)
    {
        var isAuto = _options.AllowStructuredOutput == StructuredOutput.Auto;
        var dialect = _dialects.GetValueOrDefault(model) ?? new ChatDialect(isAuto ? StructuredOutput.Schema : _options.AllowStructuredOutput);
        while (true)
        {
            using var body = BinaryContent.Create(new BinaryData(ChatRequest.Write(request, model, dialect, onDelta is not null)));
            var options = new RequestOptions
            {
                BufferResponse = false, // Read here, up to the limit.
                CancellationToken = cancellation,
                ErrorOptions = ClientErrorBehaviors.NoThrow,
            };
            var result = await Client(model).CompleteChatAsync(body, options);
            using var response = result.GetRawResponse();
            if (response.Status == 200)
            {
                return await ReadAnswerAsync(response, onDelta, cancellation);
            }

            var error = ModelErrorBody.Read(await BoundedBody.ReadStartAsync(response.ContentStream ?? Stream.Null, ErrorBytesMax, cancellation));
            if (dialect.After(response.Status, error, request, onDelta is not null, isAuto) is not { } simpler)
            {
                return _failures.OfStatus(response.Status, error, WaitMs(response));
            }

            _dialects[model] = dialect = simpler;
        }
    }

    private async Task<EffectOutcome> ReadAnswerAsync(PipelineResponse response, Action<string>? onDelta, CancellationToken cancellation)
    {
        var content = response.ContentStream ?? Stream.Null;
        var isStream = response.Headers.TryGetValue("Content-Type", out var type) && type!.Contains("event-stream", StringComparison.OrdinalIgnoreCase);
        ModelAnswer answer;
        if (isStream)
        {
            answer = await ReadStreamAsync(content, onDelta, cancellation);
        }
        else
        {
            using var body = JsonDocument.Parse(await BoundedBody.ReadAsync(content, _options.AnswerBytesMax, cancellation));
            answer = ChatAnswer.Read(body.RootElement);
            if (!string.IsNullOrEmpty(answer.Content))
            {
                onDelta?.Invoke(answer.Content); // An endpoint that does not stream still shows its text, at once.
            }
        }

        return _failures.OfFinish(answer) ?? new() { Answer = answer };
    }

    private async Task<ModelAnswer> ReadStreamAsync(Stream content, Action<string>? onDelta, CancellationToken cancellation)
    {
        var answer = new ChatAnswer();
        await using var bounded = new BoundedStream(content, _options.AnswerBytesMax);
        var isDone = false;
        await foreach (var item in SseParser.Create(bounded).EnumerateAsync(cancellation))
        {
            if (item.Data.Trim() == "[DONE]")
            {
                isDone = true;
                break;
            }

            if (item.Data.Length > 0)
            {
                using var chunk = JsonDocument.Parse(item.Data);
                answer.AddDelta(chunk.RootElement, onDelta);
            }
        }

        // Some endpoints leave [DONE] out; an answer with a finish reason is whole all the same, one without is not.
        return isDone || bounded.BytesRead > 0 ? answer.Build() : throw new MalformedAnswerException("The stream is empty.");
    }

    private ChatClient Client(string model) => _clients.GetOrAdd(model, name => new ChatClient(
        name,
        new ApiKeyCredential(string.IsNullOrEmpty(_options.ApiKey) ? "none" : _options.ApiKey), // The client insists on one; local endpoints ignore it.
        new OpenAIClientOptions
        {
            Endpoint = _options.BaseUrl ?? new Uri("https://api.openai.com/v1"),
            OrganizationId = _options.OrganizationId,
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
            Transport = new HttpClientPipelineTransport(_http),
            NetworkTimeout = Timeout.InfiniteTimeSpan, // The call's own token ends it.
        }));

    private long? WaitMs(PipelineResponse response)
    {
        response.Headers.TryGetValue("retry-after-ms", out var ms);
        response.Headers.TryGetValue("Retry-After", out var wait);
        return RetryAfter.ReadMs(ms, wait, _time.GetUtcNow());
    }
}
