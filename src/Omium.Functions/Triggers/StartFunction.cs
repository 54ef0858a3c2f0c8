using Azure.Messaging.ServiceBus;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Omium.Api.Http;
using Omium.Functions.Pump;

namespace Omium.Functions.Triggers;

/// <summary>
/// Starts executions from messages: the body is that of <c>POST /v1/executions</c>, the application property <c>Authorization</c> holds
/// <c>Bearer omk_...</c>, and the message's id is the idempotency key, so that a message delivered twice starts one execution. A message that is
/// refused is delivered five times, then put aside as a dead letter.
/// </summary>
public sealed class StartFunction(ApiDispatcher api, DurablePumps pumps)
{
    /// <summary>Takes one message.</summary>
    [Function("Start")]
    public async Task StartAsync([ServiceBusTrigger("%OMIUM_START_QUEUE%", Connection = "ServiceBus")] ServiceBusReceivedMessage message, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        pumps.Use(client);
        var headers = new Dictionary<string, string>
        {
            ["Authorization"] = message.ApplicationProperties.TryGetValue("Authorization", out var key) ? key as string ?? "" : "",
            ["Idempotency-Key"] = message.MessageId,
        };
        var (status, body) = await api.SendAsync("POST", "/v1/executions", headers, message.Body.ToMemory(), cancellation);
        if (status is < 200 or > 299)
        {
            throw new InvalidOperationException($"The message {message.MessageId} started nothing: {status} {body}");
        }
    }
}
