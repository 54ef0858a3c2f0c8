using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Omium.Api.Executions;
using Omium.Api.Http;
using Omium.Api.OpenApi;
using Omium.Contracts;
using Omium.Contracts.Failures;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Failures;

/// <summary><c>/v1/failures</c>.</summary>
internal static class FailureEndpoints
{
    public static void Map(ApiRoutes routes)
    {
        Filtered(routes.Map("GET", "/v1/failures", ListAsync).As("list_failures", "Failures, newest first.")).Paged().Answers(ContractJson.Default.FailurePage);
        Filtered(routes.Map("GET", "/v1/failures/export", ExportAsync).As("export_failures", "Every failure as one JSON object a line, newest first."))
            .AnswersLines(ContractJson.Default.FailureExport, "One failure a line.");
        routes.Map("GET", "/v1/failures/{id}", GetAsync).As("get_failure", "Everything a person needs to understand and mend a failure.")
            .Answers(ContractJson.Default.FailureView).Refuses("failure_not_found");
        routes.Map("POST", "/v1/failures/{id}/ignore", IgnoreAsync).As("ignore_failure", "Takes a failure off the list of open ones.")
            .Answers(204, null, "Ignored.").Idempotent().Refuses("failure_not_found");
    }

    private static RouteDescription Filtered(RouteDescription route) => route
        .Query("status", "Only of this status.", "open", "ignored", "resolved").Query("workflow", "Only of this workflow.")
        .Query("class", "The same as failure_class.").Query("failure_class", "Only of this class.").Query("execution", "Only of this execution.")
        .QueryTime("from", "Detected at this time or later.").QueryTime("to", "Detected before this time.")
        .Query("q", "All of these words: in the workflow's name, the step, class, code or message. Or (most of) an execution's id.").Refuses("search_unavailable");

    private static async Task ListAsync(ApiCall call)
    {
        if (await call.TryIntegerAsync("limit", 50, 1, 200) is not { } limit || await TryQueryAsync(call, (int)limit, call.Query("cursor")) is not { } query)
        {
            return;
        }

        var page = await call.Services.Index.QueryAsync(query, call.Cancellation);
        await call.JsonAsync(new Page<FailureSummary>([.. page.Rows.Select(FailureViews.Summary)], page.NextCursor), ContractJson.Default.FailurePage);
    }

    private static async Task GetAsync(ApiCall call)
    {
        if (await TryStoryAsync(call, call.Route("id")) is not { } found)
        {
            await NotFoundAsync(call);
            return;
        }

        var state = found.Cell.State;
        var payloads = await AnswerPayloads.LoadAsync(call.Services, found.Cell, found.Story.Values(state), call.Cancellation);
        var plan = await PlanOfAsync(call, found.Story);
        var past = await PastFixes.FindAsync(call.Services, call.Caller.Tenant, state, found.Story.Failure, plan.Policy, call.Cancellation);
        var view = FailureViews.View(call.Route("id"), found.Status, found.Story, state, plan, payloads, call.Services.Advancer.NowMs);
        view = view with { SuggestedFixes = [.. past, .. view.SuggestedFixes] };
        await call.JsonAsync(view, ContractJson.Default.FailureView);
    }

    private static async Task IgnoreAsync(ApiCall call)
    {
        if (await TryStoryAsync(call, call.Route("id")) is not { } found)
        {
            await NotFoundAsync(call);
            return;
        }

        var stream = found.Cell.Stream;
        var command = new IgnoreFailure(call.Services.Advancer.NowMs, call.Caller.KeyId, call.RequestId, found.Id[(stream.Id.Length + 1)..]);
        if ((await call.SubmitAsync(stream, command)).Rejection is { } rejection)
        {
            await call.RejectedAsync(rejection);
            return;
        }

        call.Context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Every failure, one JSON object a line, newest first.</summary>
    private static async Task ExportAsync(ApiCall call)
    {
        const int PageRows = 100;
        if (await TryQueryAsync(call, PageRows, null) is not { } query)
        {
            return;
        }

        var status = call.Query("status");
        call.Context.Response.ContentType = "application/x-ndjson";
        string? cursor = null;
        do
        {
            var page = await call.Services.Index.QueryAsync(query with { Cursor = cursor }, call.Cancellation);
            foreach (var row in page.Rows)
            {
                if (await ReadableExecutions.OrNoneAsync(() => TryStoryAsync(call, row.Id)) is not { } found || (status is not null && found.Status != status))
                {
                    continue;
                }

                var state = found.Cell.State;
                var payloads = await AnswerPayloads.LoadAsync(call.Services, found.Cell, found.Story.Values(state), call.Cancellation);
                var line = FailureViews.Export(row, found.Status, found.Story, state, payloads);
                await JsonSerializer.SerializeAsync(call.Context.Response.Body, line, ContractJson.Default.FailureExport, call.Cancellation);
                await call.Context.Response.WriteAsync("\n", call.Cancellation);
            }

            cursor = page.NextCursor;
        }
        while (cursor is not null);
    }

    private static async ValueTask<IndexQuery?> TryQueryAsync(ApiCall call, int limit, string? cursor)
    {
        if (!await call.TryWordAsync("status", "open", "ignored", "resolved") || await call.TryTimeAsync("from") is not { } from || await call.TryTimeAsync("to") is not { } to)
        {
            return null;
        }

        var filter = new IndexQuery(call.Caller.Tenant, IndexKinds.Failure)
        {
            Status = call.Query("status"),
            Workflow = call.Query("workflow"),
            FailureClass = call.Query("class") ?? call.Query("failure_class"),
            Execution = call.Query("execution"),
            FromUnixMs = from.UnixMs,
            ToUnixMs = to.UnixMs,
            Limit = limit,
            Cursor = cursor,
        };
        return await SearchQuery.TryAsync(call, filter);
    }

    private static async ValueTask<(ExecutionCell Cell, FailureStory Story, string Id, string Status)?> TryStoryAsync(ApiCall call, string id)
    {
        if (FailureName.Parse(id) is not { } name || !ExecutionIds.IsWellFormed(name.Execution)
            || await call.Services.Advancer.FindAsync(new StreamId(call.Caller.Tenant, name.Execution), call.Cancellation) is not { } cell
            || await FailureStory.ReadAsync(call.Services, cell, name) is not { } story)
        {
            return null;
        }

        // A failure that was retried at once has no row of its own: what followed has resolved it. One that repeats another stands in that one's.
        id = story.Dispute is null ? FailureLedger.ListedId(cell.State, story.Failure) : id;
        var row = await call.Services.Index.GetAsync(call.Caller.Tenant, IndexKinds.Failure, id, call.Cancellation);
        return (cell, story, id, row?.Status ?? "resolved");
    }

    /// <summary>The version that the run had when it failed; it may have been moved since.</summary>
    private static ValueTask<Kernel.Specs.WorkflowPlan> PlanOfAsync(ApiCall call, FailureStory story) =>
        call.Services.Plans.GetAsync(call.Caller.Tenant, story.SpecDigest, call.Cancellation);

    private static Task NotFoundAsync(ApiCall call) => call.ProblemAsync("failure_not_found", $"There is no failure {ApiCall.Shorten(call.Route("id"))}.");
}
