using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Workflows;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Kernel.Specs.Suggestions;
using Omium.Runtime.Specs;

namespace Omium.Api.Workflows;

/// <summary><c>/v1/workflows</c>.</summary>
internal static class WorkflowEndpoints
{
    public static void Map(ApiRoutes routes)
    {
        routes.Map("POST", "/v1/workflows", SaveAsync).As("save_workflow", "Saves a workflow, or the next version of one; the newest version sent again is itself.")
            .Reads(RequestJson.Default.SaveWorkflowRequest).ReadsYaml().Conditional().Answers(ContractJson.Default.WorkflowView, 201, "Saved.")
            .Answers(ContractJson.Default.WorkflowView, 200, "It was saved before.");
        routes.Map("POST", "/v1/workflows/validate", ValidateAsync).As("validate_workflow", "Every static check of a workflow; nothing is saved.")
            .Reads(RequestJson.Default.SaveWorkflowRequest).ReadsYaml().Answers(ContractJson.Default.ValidateView);
        routes.Map("POST", "/v1/workflows/suggest", SuggestAsync).As("suggest_for_workflow", "What would make a workflow safer; nothing is saved.")
            .Reads(RequestJson.Default.SaveWorkflowRequest).ReadsYaml()
            .Query("accept", "Ids of suggestions, with commas between them, or `all`: the answer then holds the spec with those applied.")
            .Answers(ContractJson.Default.SuggestView);
        routes.Map("GET", "/v1/workflows", ListAsync).As("list_workflows", "Newest versions, by name.").Paged()
            .Answers(ContractJson.Default.WorkflowPage);
        routes.Map("GET", "/v1/workflows/{name}", call => GetAsync(call, null)).As("get_workflow", "The newest version.")
            .Answers(ContractJson.Default.WorkflowView).Refuses("workflow_not_found").Tagged();
        routes.Map("GET", "/v1/workflows/{name}/versions", VersionsAsync).As("list_workflow_versions", "Versions of a workflow, oldest first.")
            .Paged().Answers(ContractJson.Default.WorkflowPage).Refuses("workflow_not_found");
        routes.Map("GET", "/v1/workflows/{name}/versions/{version}", GetVersionAsync).As("get_workflow_version", "One version; it never changes.")
            .Answers(ContractJson.Default.WorkflowView).Refuses("workflow_not_found").Tagged();
    }

    private static async Task SaveAsync(ApiCall call)
    {
        if (await TrySpecAsync(call) is not { } spec)
        {
            return;
        }

        var reading = await call.Services.Workflows.CheckAsync(call.Caller.Tenant, spec, call.Cancellation);
        if (reading.HasErrors)
        {
            await RefuseAsync(call, reading, "");
            return;
        }

        var done = await call.Services.Workflows.SaveAsync(call.Caller.Tenant, spec, reading, head => ETags.Allows(call, head is null ? null : TagOf(head)), call.Cancellation);
        if (done is not (var saved, var isNew))
        {
            await call.ProblemAsync("precondition_failed", "The workflow has changed since it was read.");
            return;
        }

        ETags.Set(call, TagOf(saved));
        call.Context.Response.Headers.Location = $"/v1/workflows/{saved.Name}/versions/{saved.Version}";
        await AnswerAsync(call, saved, isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    /// <summary>422 with every finding; pointers begin with <paramref name="place"/>.</summary>
    public static Task RefuseAsync(ApiCall call, SpecReading reading, string place)
    {
        var errors = reading.Findings.Count(finding => finding.Severity == SpecSeverity.Error);
        return call.ProblemAsync(
            "validation_failed", errors == 1 ? "The workflow has an error." : $"The workflow has {errors} errors.",
            [.. reading.Findings.Select(WorkflowViews.Problem).Select(problem => problem with { Pointer = place + problem.Pointer })]);
    }

    private static string TagOf(StoredWorkflow saved) => string.Create(CultureInfo.InvariantCulture, $"{saved.Version}-{saved.Digest[..16]}");

    private static async Task ValidateAsync(ApiCall call)
    {
        if (await TrySpecAsync(call) is { } spec)
        {
            var reading = await call.Services.Workflows.CheckAsync(call.Caller.Tenant, spec, call.Cancellation);
            await call.JsonAsync(new ValidateView(!reading.HasErrors, [.. reading.Findings.Select(WorkflowViews.Problem)]), ContractJson.Default.ValidateView);
        }
    }

    /// <summary>Suggestions for a spec; <c>?accept=id,id</c> (or <c>all</c>) also answers the spec with those accepted. Nothing is saved.</summary>
    private static async Task SuggestAsync(ApiCall call)
    {
        if (await TrySpecAsync(call) is not { } spec)
        {
            return;
        }

        var suggestions = SpecSuggester.Suggest(spec);
        JsonElement? patched = null;
        if (call.Query("accept") is { } accept)
        {
            var wanted = accept.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);
            var isAll = wanted.Remove("all");
            if (wanted.Except(suggestions.Select(suggestion => suggestion.Id)).FirstOrDefault() is { } unknown)
            {
                await call.InvalidAsync("/accept", $"There is no suggestion '{ApiCall.Shorten(unknown)}' for this workflow.");
                return;
            }

            var accepted = suggestions.Where(suggestion => isAll || wanted.Contains(suggestion.Id)).SelectMany(suggestion => suggestion.Patch);
            patched = JsonPatch.TryApply(spec, accepted, out var with, out var problem) ? with : throw new InvalidOperationException($"A suggestion does not fit its own spec: {problem}");
        }

        var isValid = !WorkflowStore.Check(patched ?? spec).HasErrors;
        await call.JsonAsync(new SuggestView(isValid, [.. suggestions.Select(WorkflowViews.Suggestion)], patched), ContractJson.Default.SuggestView);
    }

    private static async Task ListAsync(ApiCall call)
    {
        if (await call.TryIntegerAsync("limit", 50, 1, 200) is not { } limit)
        {
            return;
        }

        var found = await call.Services.Workflows.ListAsync(call.Caller.Tenant, call.Query("cursor"), (int)limit + 1, call.Cancellation);
        var page = found.Take((int)limit).Select(WorkflowViews.Summary).ToArray();
        await call.JsonAsync(new Page<WorkflowSummary>(page, found.Count > limit ? page[^1].Name : null), ContractJson.Default.WorkflowPage);
    }

    private static async Task VersionsAsync(ApiCall call)
    {
        if (await call.TryIntegerAsync("limit", 50, 1, 200) is not { } limit || await call.TryIntegerAsync("cursor", 0, 0, int.MaxValue) is not { } after)
        {
            return;
        }

        var name = call.Route("name");
        var found = await call.Services.Workflows.VersionsAsync(call.Caller.Tenant, name, (int)after, (int)limit + 1, call.Cancellation);
        if (found.Count == 0 && after == 0)
        {
            await NotFoundAsync(call, name);
            return;
        }

        var page = found.Take((int)limit).Select(WorkflowViews.Summary).ToArray();
        var next = found.Count > limit ? page[^1].Version.ToString(CultureInfo.InvariantCulture) : null;
        await call.JsonAsync(new Page<WorkflowSummary>(page, next), ContractJson.Default.WorkflowPage);
    }

    private static Task GetVersionAsync(ApiCall call) =>
        int.TryParse(call.Route("version"), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? GetAsync(call, version) : NotFoundAsync(call, call.Route("name"));

    private static async Task GetAsync(ApiCall call, int? version)
    {
        var name = call.Route("name");
        if (await call.Services.Workflows.FindAsync(call.Caller.Tenant, name, version, call.Cancellation) is { } saved)
        {
            if (!ETags.TryNotModified(call, TagOf(saved)))
            {
                await AnswerAsync(call, saved, StatusCodes.Status200OK);
            }

            return;
        }

        await NotFoundAsync(call, name);
    }

    public static Task NotFoundAsync(ApiCall call, string name) =>
        call.ProblemAsync("workflow_not_found", $"There is no workflow '{ApiCall.Shorten(name)}' of that version.");

    private static async Task AnswerAsync(ApiCall call, StoredWorkflow saved, int status)
    {
        var spec = await call.Services.Workflows.SpecAsync(call.Caller.Tenant, saved, call.Cancellation);
        await call.JsonAsync(WorkflowViews.View(saved, spec), ContractJson.Default.WorkflowView, status);
    }

    /// <summary>The spec of the body, canonical: <c>{"spec": ...}</c> as JSON, or the text itself as YAML.</summary>
    private static async ValueTask<JsonElement?> TrySpecAsync(ApiCall call)
    {
        if (!ApiCall.IsJson(call.Request.ContentType))
        {
            return await TryYamlAsync(call);
        }

        if (await call.TryReadAsync(RequestJson.Default.SaveWorkflowRequest) is not { } request)
        {
            return null;
        }

        return await TryNormalizeAsync(call, request.Spec);
    }

    /// <summary>A spec from a body, canonical; null when it was answered.</summary>
    public static async ValueTask<JsonElement?> TryNormalizeAsync(ApiCall call, JsonElement given)
    {
        if (CanonicalJson.TryNormalize(given, out var spec, out var problem, new JsonLimits { DepthMax = SpecLimits.SourceDepthMax, SizeMax = SpecLimits.SourceBytesMax }))
        {
            return spec;
        }

        await call.InvalidAsync("/spec", $"{problem!.Message} (at byte {problem.Offset} of the spec)", problem.Code);
        return null;
    }

    /// <summary>A body of YAML, canonical; null when it was answered.</summary>
    public static async ValueTask<JsonElement?> TryYamlAsync(ApiCall call)
    {
        var media = (call.Request.ContentType ?? "").Split(';')[0].Trim();
        if (media is not ("text/yaml" or "application/yaml" or "application/x-yaml" or "text/x-yaml"))
        {
            await call.ProblemAsync("unsupported_media_type", $"The body's Content-Type is {(media.Length == 0 ? "absent" : ApiCall.Shorten(media))}.");
            return null;
        }

        if (await call.TryBodyAsync() is not { } body)
        {
            return null;
        }

        if (SpecText.TryRead(body.Span, out var spec, out var problem))
        {
            return spec;
        }

        await call.ProblemAsync("invalid_yaml", $"Line {problem!.Line}, column {problem.Column}: {problem.Message}");
        return null;
    }
}
