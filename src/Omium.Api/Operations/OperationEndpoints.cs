using Microsoft.AspNetCore.Http;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Tenants;
using Omium.Runtime.Ports;

namespace Omium.Api.Operations;

/// <summary><c>/v1/health-summary</c>, <c>/healthz</c>, <c>/readyz</c>, <c>/v1/schemas/workflow-spec-v0</c>.</summary>
internal static class OperationEndpoints
{
    private const string SchemaResource = "workflow-spec-v0.schema.json";

    public static void Map(ApiRoutes routes)
    {
        routes.MapOpen("GET", "/healthz", call => TextAsync(call, "alive"));
        routes.MapOpen("GET", "/readyz", ReadyAsync);
        routes.Map("GET", "/v1/health-summary", SummaryAsync);
        routes.MapOpen("GET", "/v1/schemas/workflow-spec-v0", SchemaAsync);
    }

    private static async Task SummaryAsync(ApiCall call)
    {
        var tenant = call.Caller.Tenant;
        var index = call.Services.Index;
        var executions = await index.CountByStatusAsync(new IndexQuery(tenant, IndexKinds.Execution), call.Cancellation);
        var failures = await index.CountByStatusAsync(new IndexQuery(tenant, IndexKinds.Failure) { Status = "open" }, call.Cancellation);
        var reviews = await index.CountByStatusAsync(new IndexQuery(tenant, IndexKinds.Review) { Status = "open" }, call.Cancellation);
        var summary = new HealthSummary(executions, failures.Values.Sum(), reviews.Values.Sum(), await CountWorkflowsAsync(call));
        await call.JsonAsync(summary, ContractJson.Default.HealthSummary);
    }

    private static async Task<long> CountWorkflowsAsync(ApiCall call)
    {
        const int PageSize = 1_000;
        var count = 0L;
        string? after = null;
        while (true)
        {
            var page = await call.Services.Workflows.ListAsync(call.Caller.Tenant, after, PageSize, call.Cancellation);
            count += page.Count;
            if (page.Count < PageSize)
            {
                return count;
            }

            after = page[^1].Name;
        }
    }

    /// <summary>Ready when the store answers; what it throws becomes its problem document.</summary>
    private static async Task ReadyAsync(ApiCall call)
    {
        await call.Services.Documents.GetAsync(new DocumentKey("", "ready", "probe"), call.Cancellation);
        await TextAsync(call, "ready");
    }

    private static Task TextAsync(ApiCall call, string text)
    {
        call.Context.Response.ContentType = "text/plain";
        return call.Context.Response.WriteAsync(text + "\n", call.Cancellation);
    }

    private static async Task SchemaAsync(ApiCall call)
    {
        await using var schema = typeof(OperationEndpoints).Assembly.GetManifestResourceStream(SchemaResource);
        if (schema is null)
        {
            await call.ProblemAsync("not_found", "This build holds no schema of the workflow spec.");
            return;
        }

        call.Context.Response.ContentType = "application/schema+json";
        await schema.CopyToAsync(call.Context.Response.Body, call.Cancellation);
    }
}
