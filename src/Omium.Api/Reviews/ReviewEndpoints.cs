using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Omium.Api.Executions;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Reviews;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Reviews;

/// <summary><c>/v1/reviews</c>.</summary>
internal static class ReviewEndpoints
{
    /// <summary>What a decision is refused with, whatever way it comes.</summary>
    internal static readonly string[] Decisions =
    [
        "review_not_found", "review_closed", "review_expired", "review_digest_mismatch", "decision_not_allowed", "edit_forbidden", "override_refused",
        "checkpoint_not_found", "execution_ended", "rollback_in_progress", "rollback_irreversible", "rollback_orphans_consumer", "past_fork_point",
    ];

    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/v1/reviews", ListAsync).As("list_reviews", "Questions to people, newest first.")
            .Query("status", "Only of this status.", "open", "decided", "expired").Query("workflow", "Only of this workflow.")
            .Query("execution", "Only of this execution.").Paged().Answers(ContractJson.Default.ReviewPage);
        routes.Map("GET", "/v1/reviews/{id}", GetAsync).As("get_review", "One question to a person.").Answers(ContractJson.Default.ReviewView)
            .Refuses("review_not_found");
        routes.Map("POST", "/v1/reviews/{id}/decide", DecideAsync).As("decide_review", "Decides, once.")
            .Reads(RequestJson.Default.DecideReviewRequest).Answers(ContractJson.Default.ReviewView).Idempotent().Refuses(Decisions);
        routes.Map("POST", "/v1/reviews/{id}/proposals", ProposeAsync).As("propose_fix", "Lays an edit before whoever decides; the review stays open.")
            .Reads(RequestJson.Default.ProposeFixRequest).Answers(ContractJson.Default.ProposalView, 201)
            .Refuses("review_not_found", "review_closed", "review_digest_mismatch", "decision_not_allowed", "edit_forbidden", "execution_ended");
        routes.Map("POST", "/v1/reviews/{id}/test", TestAsync).As("test_fix", "Runs the step beside the execution with an edit; nothing is committed, nothing but the model is reached.")
            .Reads(RequestJson.Default.TestFixRequest).Answers(ContractJson.Default.TestFixView).Idempotent()
            .Refuses("review_not_found", "review_closed", "decision_not_allowed", "edit_forbidden", "model_not_configured", "CREDITS_EXHAUSTED", "key_cap_reached");
    }

    private static async Task ListAsync(ApiCall call)
    {
        if (await call.TryIntegerAsync("limit", 50, 1, 200) is not { } limit || !await call.TryWordAsync("status", "open", "decided", "expired"))
        {
            return;
        }

        var page = await call.Services.Index.QueryAsync(
            new IndexQuery(call.Caller.Tenant, IndexKinds.Review)
            {
                Status = call.Query("status"), Workflow = call.Query("workflow"), Execution = call.Query("execution"), Limit = (int)limit, Cursor = call.Query("cursor"),
            },
            call.Cancellation);
        var views = new List<ReviewView>(page.Rows.Count);
        foreach (var row in page.Rows)
        {
            if (await call.Services.Advancer.FindReadableAsync(new StreamId(row.Tenant, row.Execution), call.Cancellation) is { } cell
                && cell.State.Reviews.TryGetValue(row.Id, out var review))
            {
                views.Add(await ViewAsync(call, cell, review));
            }
        }

        await call.JsonAsync(new Page<ReviewView>(views, page.NextCursor), ContractJson.Default.ReviewPage);
    }

    private static async Task GetAsync(ApiCall call)
    {
        if (await TryReviewAsync(call) is { } found)
        {
            await call.JsonAsync(await ViewAsync(call, found.Cell, found.Review), ContractJson.Default.ReviewView);
        }
    }

    private static async Task DecideAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.DecideReviewRequest) is not { } request
            || !await TextLimits.TryNoteAsync(call, "/note", request.Note) || !await TextLimits.TryEditsAsync(call, request.Edits)
            || await TryReviewAsync(call) is not { } found)
        {
            return;
        }

        await DecideAsync(call, found, request);
    }

    /// <summary>The one way to decide: who may, bound to what was shown, on record with who it was, once.</summary>
    internal static async Task DecideAsync(ApiCall call, (ExecutionCell Cell, ReviewState Review) found, DecideReviewRequest request)
    {
        if (!await TryAnswersAsync(call, found.Review))
        {
            return;
        }

        JsonElement? output = null;
        Dictionary<string, byte[]>? stored = null;
        if (request.Output is { } given)
        {
            if (await call.TryInternAsync(given, "/output") is not { } interned)
            {
                return;
            }

            (output, stored) = interned;
        }

        var id = found.Review.Request.Review;
        var command = new DecideReview(
            call.Services.Advancer.NowMs, id, request.Decision, request.Digest, call.Caller.KeyId, ExecutionCommandEndpoints.Edit(request.Edits), output, request.To, request.Note,
            request.AcceptResidue == true);
        var result = await call.SubmitAsync(found.Cell.Stream, command, stored);
        if (result.Rejection is { } rejection)
        {
            await call.RejectedAsync(rejection);
            return;
        }

        await call.JsonAsync(await ViewAsync(call, result.Cell, result.Cell.State.Reviews[id]), ContractJson.Default.ReviewView);
    }

    private static async Task ProposeAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.ProposeFixRequest) is not { } request
            || !await TextLimits.TryNoteAsync(call, "/note", request.Note) || !await TextLimits.TryEditsAsync(call, request.Edits)
            || await TryReviewAsync(call) is not { } found)
        {
            return;
        }

        var (id, requestId) = (found.Review.Request.Review, call.RequestId);
        var command = new ProposeFix(
            call.Services.Advancer.NowMs, id, request.Digest, call.Caller.KeyId, ExecutionCommandEndpoints.Edit(request.Edits)!, request.Note, requestId);
        var result = await call.SubmitAsync(found.Cell.Stream, command);
        if (result.Rejection is { } rejection)
        {
            await call.RejectedAsync(rejection);
            return;
        }

        // A request that is sent again long after may find its proposal behind the newest ones: then nothing is left to be told of it.
        if (result.Cell.State.Reviews[id].Proposals.FindLast(made => made.Proposed.RequestId == requestId) is { } proposal)
        {
            await call.JsonAsync(ReviewViews.Proposal(proposal), ContractJson.Default.ProposalView, StatusCodes.Status201Created);
            return;
        }

        await call.ProblemAsync("review_closed", "This was proposed before, and newer proposals have taken its place.");
    }

    private static async Task TestAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.TestFixRequest) is not { } request || !await TextLimits.TryEditsAsync(call, request.Edits) || await TryReviewAsync(call) is not { } found)
        {
            return;
        }

        var asked = found.Review.Request;
        if (found.Review.Decided is not null || found.Review.ExpiredMs > 0)
        {
            await call.ProblemAsync("review_closed", "There is nothing left to test for.");
            return;
        }

        var edit = ExecutionCommandEndpoints.Edit(request.Edits)!;
        var state = found.Cell.State;
        var plan = found.Cell.Plan!;
        if (asked.Kind != "failure" || plan.Step(asked.Step)?.Agent is null)
        {
            await call.ProblemAsync("decision_not_allowed", $"Step '{asked.Step}' has no agent whose edit could be tested.");
            return;
        }

        if (FixTrial.CheckEdits(state, new DecisionValues(plan), asked.Step, edit) is { } refused)
        {
            await call.RejectedAsync(refused);
            return;
        }

        var started = Stopwatch.GetTimestamp();
        var trial = await new FixTest(call.Services, call.Caller, found.Cell, state, new VisitKey(asked.Step, asked.Visit), edit).RunAsync(call.Cancellation);
        if (trial.Failure is { Code: "model_not_configured" or "CREDITS_EXHAUSTED" or "key_cap_reached" } failure)
        {
            await call.ProblemAsync(failure.Code, ApiCall.Sentence(failure.Message));
            return;
        }

        var record = new RecordTest(
            call.Services.Advancer.NowMs, asked.Review, call.Caller.KeyId, edit, trial.Outcome, trial.Problem, trial.InputTokens, trial.OutputTokens, call.RequestId);
        await call.SubmitAsync(found.Cell.Stream, record);
        var view = new TestFixView(
            trial.Outcome, trial.Output, [.. trial.Checks.Select(ReviewViews.Guard)], trial.Problem, trial.UnrecordedCalls, (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        await call.JsonAsync(view, ContractJson.Default.TestFixView);
    }

    /// <summary>False when the review was escalated to others, which was answered.</summary>
    internal static async ValueTask<bool> TryAnswersAsync(ApiCall call, ReviewState review)
    {
        if (call.Caller.Answers(review.Request.Role))
        {
            return true;
        }

        await call.ProblemAsync("forbidden", $"This review was escalated to '{review.Request.Role}'.");
        return false;
    }

    /// <summary>A review of the caller's tenant, by default the one that the route names; null when it was answered.</summary>
    internal static async ValueTask<(ExecutionCell Cell, ReviewState Review)?> TryReviewAsync(ApiCall call, string? review = null)
    {
        var id = review ?? call.Route("id");
        if (await call.Services.Index.GetAsync(call.Caller.Tenant, IndexKinds.Review, id, call.Cancellation) is { } row
            && await call.Services.Advancer.FindAsync(new StreamId(call.Caller.Tenant, row.Execution), call.Cancellation) is { } cell
            && cell.State.Reviews.TryGetValue(id, out var known))
        {
            return (cell, known);
        }

        await call.ProblemAsync("review_not_found", $"There is no review {ApiCall.Shorten(id)}.");
        return null;
    }

    private static async Task<ReviewView> ViewAsync(ApiCall call, ExecutionCell cell, ReviewState review)
    {
        var payloads = await AnswerPayloads.LoadAsync(call.Services, cell, [review.Request.Shown], call.Cancellation);
        return ReviewViews.View(cell.State, cell.Plan!, review, payloads, call.Services.Advancer.NowMs);
    }
}
