using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Omium.Api.Http;
using Omium.Functions.Pump;

namespace Omium.Functions.Http;

/// <summary>
/// One function per area of the API, so that each has its own numbers, and all of them through the same host-neutral endpoints: those know
/// methods, keys and limits. The authorization level is anonymous because keys are Omium's own.
/// </summary>
public sealed class ApiFunctions(ApiDispatcher api, DurablePumps pumps)
{
    /// <summary>Workflows.</summary>
    [Function("Workflows")]
    public Task<IActionResult> WorkflowsAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", "post", "put", "delete", Route = "v1/workflows/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient client) =>
        AnswerAsync(request, client);

    /// <summary>Executions: start, views, commands, event streams.</summary>
    [Function("Executions")]
    public Task<IActionResult> ExecutionsAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", "post", "put", "delete", Route = "v1/executions/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient client) =>
        AnswerAsync(request, client);

    /// <summary>Reviews.</summary>
    [Function("Reviews")]
    public Task<IActionResult> ReviewsAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", "post", Route = "v1/reviews/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient client) =>
        AnswerAsync(request, client);

    /// <summary>Failures.</summary>
    [Function("Failures")]
    public Task<IActionResult> FailuresAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", "post", Route = "v1/failures/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient client) =>
        AnswerAsync(request, client);

    /// <summary>Workers that poll.</summary>
    [Function("Workers")]
    public Task<IActionResult> WorkersAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", "post", Route = "v1/workers/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient client) =>
        AnswerAsync(request, client);

    /// <summary>Tasks of workers.</summary>
    [Function("Tasks")]
    public Task<IActionResult> TasksAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", "post", Route = "v1/tasks/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient client) =>
        AnswerAsync(request, client);

    /// <summary>API keys.</summary>
    [Function("Keys")]
    public Task<IActionResult> KeysAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", "post", "delete", Route = "v1/keys/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient client) =>
        AnswerAsync(request, client);

    /// <summary>Everything else under /v1; a longer route above wins.</summary>
    [Function("Api")]
    public Task<IActionResult> ApiAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", "post", "put", "delete", "patch", Route = "v1/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient client) =>
        AnswerAsync(request, client);

    /// <summary>The OpenAPI document.</summary>
    [Function("OpenApi")]
    public Task<IActionResult> OpenApiAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "openapi/{*rest}")] HttpRequest request, [DurableClient] DurableTaskClient client) =>
        AnswerAsync(request, client);

    /// <summary>Alive.</summary>
    [Function("Health")]
    public Task<IActionResult> HealthAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "healthz")] HttpRequest request, [DurableClient] DurableTaskClient client) =>
        AnswerAsync(request, client);

    /// <summary>Ready to serve.</summary>
    [Function("Ready")]
    public Task<IActionResult> ReadyAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "readyz")] HttpRequest request, [DurableClient] DurableTaskClient client) =>
        AnswerAsync(request, client);

    private async Task<IActionResult> AnswerAsync(HttpRequest request, DurableTaskClient client)
    {
        pumps.Use(client);
        await api.HandleAsync(request.HttpContext);
        return new EmptyResult(); // The endpoint has written the answer.
    }
}
