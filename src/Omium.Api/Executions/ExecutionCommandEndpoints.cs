using Omium.Api.Http;
using Omium.Api.Reviews;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Contracts.Reviews;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Executions;

/// <summary>What operators do: <c>POST /v1/executions/{id}/pause · resume · cancel · rollback · retry · release</c>. Sent twice with one Idempotency-Key, each happens once; another request with it is refused.</summary>
internal static class ExecutionCommandEndpoints
{
    private static readonly string[] Scopes = ["failure", "all"];

    public static void Map(ApiRoutes routes)
    {
        routes.Map("POST", "/v1/executions/{id}/pause", PauseAsync).As("pause_execution", "Begins nothing new until it is resumed.")
            .ReadsLittle(RequestJson.Default.PauseRequest, isOptional: true).Answers(ContractJson.Default.ExecutionView).Idempotent().Refuses("execution_ended", "rollback_in_progress");
        routes.Map("POST", "/v1/executions/{id}/resume", call => SubmitAsync(call, at => new ResumeExecution(at, call.Caller.KeyId, call.RequestId))).As("resume_execution", "Goes on from where it was paused.")
            .Answers(ContractJson.Default.ExecutionView).Idempotent().Refuses("execution_not_paused", "review_open");
        routes.Map("POST", "/v1/executions/{id}/cancel", call => SubmitAsync(call, at => new CancelExecution(at, call.Caller.KeyId, call.RequestId))).As("cancel_execution", "Ends it; what is in flight is recorded and has no consequence.")
            .Answers(ContractJson.Default.ExecutionView).Idempotent().Refuses("execution_ended", "rollback_in_progress");
        routes.Map("POST", "/v1/executions/{id}/rollback", RollBackAsync).As("roll_back_execution", "Takes back what a failure touched, or shows what that would be.")
            .ReadsLittle(RequestJson.Default.RollbackRequest).Answers(ContractJson.Default.RollbackView).Idempotent()
            .Refuses("checkpoint_not_found", "rollback_in_progress", "rollback_orphans_consumer", "rollback_irreversible", "past_fork_point");
        routes.Map("POST", "/v1/executions/{id}/retry", RetryAsync).As("retry_execution", "Runs again what failed, or from a checkpoint.")
            .Reads(RequestJson.Default.RetryRequest, isOptional: true).Answers(ContractJson.Default.ExecutionView).Idempotent()
            .Refuses("execution_ended", "rollback_in_progress", "review_open", "checkpoint_not_found", "rollback_irreversible", "past_fork_point", "edit_forbidden", "override_refused", "validation_failed");
        routes.Map("POST", "/v1/executions/{id}/release", ReleaseAsync).As("release_execution", "Reads an execution that was set aside anew; it goes on.")
            .Answers(ContractJson.Default.ExecutionView);
    }

    /// <summary>Edits as commands carry them.</summary>
    public static AgentEdit? Edit(AgentEdits? edits) => edits is null ? null : new AgentEdit(edits.Prompt, edits.Constraints, edits.Tools);

    private static async Task PauseAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.PauseRequest, new PauseRequest()) is { } request && await TextLimits.TryNoteAsync(call, "/reason", request.Reason))
        {
            await SubmitAsync(call, at => new PauseExecution(at, call.Caller.KeyId, call.RequestId, request.Reason));
        }
    }

    /// <summary>An execution that was set aside is read anew and goes on; where the cause still is, the answer names it.</summary>
    private static async Task ReleaseAsync(ApiCall call)
    {
        var id = call.Route("id");
        if (ExecutionIds.IsWellFormed(id) && await call.Services.Engine.ReleaseAsync(new StreamId(call.Caller.Tenant, id), call.Cancellation) is { } still)
        {
            throw new ExecutionSetAsideException(still);
        }

        if (await call.TryExecutionAsync() is { } cell)
        {
            await ExecutionEndpoints.AnswerAsync(call, cell);
        }
    }

    private static async Task RetryAsync(ApiCall call)
    {
        var stored = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        if (await call.TryReadAsync(RequestJson.Default.RetryRequest, new RetryRequest()) is not { } request || !await TextLimits.TryEditsAsync(call, request.Edits)
            || await call.TryInternAsync(request.Input, "/input", stored) is not (true, var input) || await call.TryInternAsync(request.Output, "/output", stored) is not (true, var output))
        {
            return;
        }

        var isCorrected = request.Again == true || input is not null || output is not null;
        if (isCorrected && request.From is null)
        {
            await call.InvalidAsync("/from", "Name with 'from' the step that is to run again.");
            return;
        }

        if (await call.TryExecutionAsync() is not { } cell || !await Escalations.TryAnswerAsync(call, cell.State, _ => true)
            || ((input is not null || output is not null || request.Edits is { Prompt: not null } or { Constraints: not null } or { Tools: not null }) && !await Corrections.TryAdmitAsync(call, cell.State)))
        {
            return;
        }

        var correction = isCorrected ? new StepChange(request.From!, input, output) : null;
        await SubmitAsync(call, at => new RetryExecution(at, call.Caller.KeyId, call.RequestId, request.From, Edit(request.Edits), correction), stored.Count == 0 ? null : stored);
    }

    private static async Task RollBackAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.RollbackRequest) is not { } request || await call.TryExecutionAsync() is not { } cell)
        {
            return;
        }

        var scope = request.Scope ?? "failure";
        if (!Scopes.Contains(scope))
        {
            await call.InvalidAsync("/scope", "A scope is failure or all.");
            return;
        }

        var now = call.Services.Advancer.NowMs;
        if (ExecutionKernel.PreviewRollback(cell.State, new DecisionValues(cell.Plan!), request.To, scope, now, request.Steps) is not { } preview)
        {
            await call.ProblemAsync("checkpoint_not_found", $"There is no committed checkpoint or step '{ApiCall.Shorten(request.To)}' to go back to.");
            return;
        }

        if (preview.Unaffected.Count > 0)
        {
            await call.InvalidAsync("/steps", $"This takes back nothing of {ApiCall.Shorten(string.Join(", ", preview.Unaffected))}; without 'steps' the preview shows what it takes back.");
            return;
        }

        if (request.Preview != true)
        {
            if (!await Escalations.TryAnswerAsync(call, cell.State, preview.Affected.Contains))
            {
                return;
            }

            var result = await call.SubmitAsync(
                cell.Stream, new RollBackExecution(now, call.Caller.KeyId, call.RequestId, request.To, scope, request.AcceptResidue == true, request.Steps));
            if (result.Rejection is { } rejection)
            {
                await call.RejectedAsync(rejection);
                return;
            }
        }

        var view = new RollbackView(
            preview.To, [.. preview.Affected.Where(key => !key.IsItem || !preview.Affected.Contains(cell.State.Visits[key].ItemOf!.Value)).Select(ExecutionViews.Reference)], preview.Compensations, preview.Irreversible, request.Preview != true,
            [.. preview.Orphans.Select(ExecutionViews.Reference)]);
        await call.JsonAsync(view, ContractJson.Default.RollbackView);
    }

    private static async Task SubmitAsync(ApiCall call, Func<long, ExecutionCommand> command, Dictionary<string, byte[]>? stored = null)
    {
        if (await call.TryExecutionAsync() is not { } cell)
        {
            return;
        }

        var result = await call.SubmitAsync(cell.Stream, command(call.Services.Advancer.NowMs), stored);
        if (result.Rejection is { } rejection)
        {
            await call.RejectedAsync(rejection);
            return;
        }

        await ExecutionEndpoints.AnswerAsync(call, result.Cell);
    }
}
