using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Omium.Azure.Lifecycle;

/// <summary>
/// Sends to Azure Service Bus by its documented HTTPS call (https://learn.microsoft.com/rest/api/servicebus/send-message-to-queue). This file is all that
/// would change if the official client (Azure.Messaging.ServiceBus, ServiceBusSender.SendMessageAsync) took its place.
/// </summary>
public sealed class ServiceBusSender : ILifecycleSender
{
    private const string TokenScope = "https://servicebus.azure.net/.default";
    private readonly ServiceBusTarget _target;
    private readonly HttpPipeline _pipeline;

    /// <summary>A sender; keep one for the process.</summary>
    public ServiceBusSender(ServiceBusTarget target, ServiceBusSenderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(target);
        options ??= new ServiceBusSenderOptions();
        _target = target;
        var clientOptions = new SenderClientOptions { Transport = options.Transport ?? HttpClientTransport.Shared };
        clientOptions.Retry.MaxRetries = options.RetriesMax;
        clientOptions.Retry.Delay = options.RetryDelay;
        clientOptions.Retry.NetworkTimeout = options.TryTimeout;
        clientOptions.Diagnostics.ApplicationId = "omium";
        HttpPipelinePolicy authentication = target.Credential is { } credential
            ? new BearerTokenAuthenticationPolicy(credential, TokenScope)
            : new SharedAccessPolicy(target, options.Time);
        _pipeline = HttpPipelineBuilder.Build(clientOptions, authentication);
    }

    /// <inheritdoc/>
    public async Task SendAsync(LifecycleMessage message, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(message);
        using var sending = _pipeline.CreateMessage();
        sending.Request.Method = RequestMethod.Post;
        sending.Request.Uri.Reset(_target.Messages);
        sending.Request.Headers.SetValue("Content-Type", "application/json; charset=utf-8");
        sending.Request.Headers.SetValue("BrokerProperties", Properties(message));
        sending.Request.Content = RequestContent.Create(message.Body);
        try
        {
            await _pipeline.SendAsync(sending, cancellation);
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested && error is RequestFailedException or AggregateException or IOException or OperationCanceledException or HttpRequestException)
        {
            throw new LifecycleUnsentException($"Service Bus could not be reached for message {message.Id}.", error);
        }

        if (sending.Response.Status != 201)
        {
            throw new LifecycleUnsentException($"Service Bus answered {sending.Response.Status} {sending.Response.ReasonPhrase} to message {message.Id}. {Advice(sending.Response.Status)}".TrimEnd());
        }
    }

    private static string Properties(LifecycleMessage message) => JsonSerializer.Serialize(
        new Dictionary<string, string> { ["MessageId"] = message.Id, ["SessionId"] = message.Session, ["Label"] = message.Type });

    private static string Advice(int status) => status switch
    {
        401 or 403 => "The identity needs the role Azure Service Bus Data Sender on the queue or topic.",
        404 or 410 => "There is no such queue or topic.",
        _ => "",
    };

    private sealed class SenderClientOptions : ClientOptions;

    /// <summary>https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas</summary>
    private sealed class SharedAccessPolicy(ServiceBusTarget target, TimeProvider time) : HttpPipelineSynchronousPolicy
    {
        private static readonly TimeSpan Life = TimeSpan.FromMinutes(20);

        public override void OnSendingRequest(HttpMessage message)
        {
            var resource = Uri.EscapeDataString(target.Entity.AbsoluteUri.ToLowerInvariant());
            var expires = (time.GetUtcNow() + Life).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(target.Key), Encoding.UTF8.GetBytes($"{resource}\n{expires}"));
            message.Request.Headers.SetValue(
                "Authorization",
                $"SharedAccessSignature sr={resource}&sig={Uri.EscapeDataString(Convert.ToBase64String(signature))}&se={expires}&skn={Uri.EscapeDataString(target.KeyName)}");
        }
    }
}

/// <summary>How the sender behaves.</summary>
public sealed record ServiceBusSenderOptions
{
    /// <summary>Repetitions of a send that was throttled, failed or got no answer; default 3. What is still unsent waits for the next round.</summary>
    public int RetriesMax { get; init; } = 3;

    /// <summary>Wait before the first repetition; it doubles each time. Default 500 ms.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Time for one try; default 30 s.</summary>
    public TimeSpan TryTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Tells the time, for the life of signatures.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>What carries the requests; null (default) = Azure.Core's shared HttpClient.</summary>
    public HttpPipelineTransport? Transport { get; init; }
}
