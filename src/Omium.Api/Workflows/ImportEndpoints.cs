using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Workflows;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Kernel.Specs.Suggestions;

namespace Omium.Api.Workflows;

/// <summary>
/// <c>POST /v1/workflows/import</c>: what an exporter made of a framework's objects, which is a spec that says where it comes from. The answer holds what would
/// make it safer; a trial saves nothing.
/// </summary>
internal static class ImportEndpoints
{
    private static readonly string[] Frameworks = ["crewai", "langgraph", "autogen", "sematic", "openai-agents", "custom"];

    public static void Map(ApiRoutes routes) =>
        routes.Map("POST", "/v1/workflows/import", ImportAsync).As("import_workflow", "Saves a workflow that was exported from a framework, and says what would make it safer.")
            .Reads(RequestJson.Default.ImportWorkflowRequest).Answers(ContractJson.Default.ImportView, 201, "Saved.")
            .Answers(ContractJson.Default.ImportView, 200, "It was saved before, or it was a trial.");

    private static async Task ImportAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.ImportWorkflowRequest) is not { } request)
        {
            return;
        }

        if (!Frameworks.Contains(request.SourceFramework))
        {
            await call.InvalidAsync("/source_framework", $"'source_framework' is one of {string.Join(", ", Frameworks)}.");
            return;
        }

        if (await WorkflowEndpoints.TryNormalizeAsync(call, request.Spec) is not { } given)
        {
            return;
        }

        if (given.ValueKind != JsonValueKind.Object)
        {
            await call.InvalidAsync("/spec", "A spec is an object.");
            return;
        }

        var spec = With(given, request);
        var reading = WorkflowStore.Check(spec);
        if (request.Trial == true)
        {
            await AnswerAsync(call, spec, reading, null, StatusCodes.Status200OK);
            return;
        }

        if (reading.HasErrors)
        {
            await WorkflowEndpoints.RefuseAsync(call, reading, "/spec");
            return;
        }

        var (saved, isNew) = (await call.Services.Workflows.SaveAsync(call.Caller.Tenant, spec, reading, null, call.Cancellation))!.Value;
        call.Context.Response.Headers.Location = $"/v1/workflows/{saved.Name}/versions/{saved.Version}";
        await AnswerAsync(call, spec, reading, saved, isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    /// <summary>The spec with where it comes from, and under the name that was asked for.</summary>
    private static JsonElement With(JsonElement spec, ImportWorkflowRequest request)
    {
        var set = new Dictionary<string, JsonElement>(StringComparer.Ordinal) { ["source_framework"] = JsonMake.Text(request.SourceFramework) };
        if (request.Name is { } name)
        {
            set["name"] = JsonMake.Text(name);
        }

        if (!spec.TryGetProperty("omium", out _))
        {
            set["omium"] = JsonMake.Text("v0");
        }

        var members = spec.EnumerateObject().Where(member => !set.ContainsKey(member.Name)).Select(member => (member.Name, member.Value));
        return JsonMake.Object([.. members, .. set.Select(pair => (pair.Key, pair.Value))]);
    }

    private static async Task AnswerAsync(ApiCall call, JsonElement spec, SpecReading reading, StoredWorkflow? saved, int status)
    {
        var view = new ImportView(
            !reading.HasErrors, [.. reading.Findings.Select(WorkflowViews.Problem)], [.. SpecSuggester.Suggest(spec).Select(WorkflowViews.Suggestion)],
            saved is null ? null : WorkflowViews.View(saved, await call.Services.Workflows.SpecAsync(call.Caller.Tenant, saved, call.Cancellation)));
        await call.JsonAsync(view, ContractJson.Default.ImportView, status);
    }
}
