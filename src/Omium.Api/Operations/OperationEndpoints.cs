using Microsoft.AspNetCore.Http;
using Omium.Api.Executions;
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
        routes.MapOpen("GET", "/healthz", call => TextAsync(call, "alive")).As("get_liveness", "Answers while the process lives.")
            .Answers(200, "text/plain", "alive");
        routes.MapOpen("GET", "/readyz", ReadyAsync).As("get_readiness", "Answers when the store does; alarms in lines of their own.")
            .Answers(200, "text/plain", "ready").Refuses("storage_failed", "storage_full");
        routes.Map("GET", "/v1/health-summary", SummaryAsync).As("get_health_summary", "Counts and alarms of the tenant.")
            .Answers(ContractJson.Default.HealthSummary);
        routes.MapOpen("GET", "/v1/schemas/workflow-spec-v0", SchemaAsync).As("get_workflow_schema", "The JSON Schema of workflow specs.")
            .Answers(200, "application/schema+json", "JSON Schema, draft 2020-12.").Refuses("not_found");
    }

    private static async Task SummaryAsync(ApiCall call)
    {
        var tenant = call.Caller.Tenant;
        var index = call.Services.Index;
        var executions = await index.CountByStatusAsync(new IndexQuery(tenant, IndexKinds.Execution), call.Cancellation);
        var failures = await index.CountByStatusAsync(new IndexQuery(tenant, IndexKinds.Failure) { Status = "open" }, call.Cancellation);
        var reviews = await index.CountByStatusAsync(new IndexQuery(tenant, IndexKinds.Review) { Status = "open" }, call.Cancellation);
        var summary = new HealthSummary(executions, failures.Values.Sum(), reviews.Values.Sum(), await CountWorkflowsAsync(call)) { Alarms = Alarms(call.Services, call.Caller.Tenant) };
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

    /// <summary>What is wrong with the installation, and with executions of this tenant (null: of every tenant), the oldest first.</summary>
    private static HealthAlarm[] Alarms(ApiServices services, string? tenant)
    {
        var aside = services.Engine.SetAside.Where(aside => tenant is null || aside.Stream.Tenant == tenant)
            .Select(aside => new HealthAlarm("execution_set_aside", aside.Reason, aside.Stream.Id, ExecutionViews.Time(aside.SinceUnixMs)));
        var storage = services.Advancer.StorageAlarm is { } alarm ? [new HealthAlarm(alarm.Code, alarm.Detail, null, ExecutionViews.Time(alarm.SinceUnixMs))] : Array.Empty<HealthAlarm>();
        return [.. storage.Concat(aside).OrderBy(alarm => alarm.Since)];
    }

    /// <summary>
    /// Ready when the store answers; what it throws becomes its problem document. An alarm is told in a line of its own and does not end readiness:
    /// reads answer, and the other executions go on.
    /// </summary>
    private static async Task ReadyAsync(ApiCall call)
    {
        await call.Services.Documents.GetAsync(new DocumentKey("", "ready", "probe"), call.Cancellation);
        var counts = Alarms(call.Services, null).GroupBy(alarm => alarm.Code).Select(alarms => $"alarm: {alarms.Key} ({alarms.Count()}) since {alarms.Min(alarm => alarm.Since):O}");
        await TextAsync(call, string.Join('\n', counts.Prepend("ready")));
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
