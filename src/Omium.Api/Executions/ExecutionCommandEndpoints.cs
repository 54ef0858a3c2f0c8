using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Contracts.Reviews;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;

namespace Omium.Api.Executions;

/// <summary>What operators do: <c>POST /v1/executions/{id}/pause · resume · cancel · rollback · retry</c>. Sent twice with one Idempotency-Key, each happens once.</summary>
internal static class ExecutionCommandEndpoints
{
    private static readonly string[] Scopes = ["failure", "all"];

    public static void Map(ApiRoutes routes)
    {
        routes.Map("POST", "/v1/executions/{id}/pause", PauseAsync);
        routes.Map("POST", "/v1/executions/{id}/resume", call => SubmitAsync(call, at => new ResumeExecution(at, call.Caller.KeyId, call.RequestId)));
        routes.Map("POST", "/v1/executions/{id}/cancel", call => SubmitAsync(call, at => new CancelExecution(at, call.Caller.KeyId, call.RequestId)));
        routes.Map("POST", "/v1/executions/{id}/rollback", RollBackAsync);
        routes.Map("POST", "/v1/executions/{id}/retry", RetryAsync);
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
        if (ExecutionKernel.PreviewRollback(cell.State, new DecisionValues(cell.Plan!), request.To, scope, now) is not { } preview)
        {
            await call.ProblemAsync("checkpoint_not_found", $"There is no committed checkpoint or step '{ApiCall.Shorten(request.To)}' to go back to.");
            return;
        }

        if (request.Preview != true)
        {
            var result = await call.Services.Engine.SubmitAsync(
                cell.Stream, new RollBackExecution(now, call.Caller.KeyId, call.RequestId, request.To, scope), null, call.Cancellation);
            if (result.Rejection is { } rejection)
            {
                await call.RejectedAsync(rejection);
                return;
            }
        }

        var view = new RollbackView(
            preview.To, [.. preview.Affected.Where(key => !key.IsItem || !preview.Affected.Contains(cell.State.Visits[key].ItemOf!.Value)).Select(ExecutionViews.Reference)], preview.Compensations, preview.Irreversible, request.Preview != true);
        await call.JsonAsync(view, ContractJson.Default.RollbackView);
    }

    private static async Task SubmitAsync(ApiCall call, Func<long, ExecutionCommand> command, Dictionary<string, byte[]>? stored = null)
    {
        if (await call.TryExecutionAsync() is not { } cell)
        {
            return;
        }

        var result = await call.Services.Engine.SubmitAsync(cell.Stream, command(call.Services.Advancer.NowMs), stored, call.Cancellation);
        if (result.Rejection is { } rejection)
        {
            await call.RejectedAsync(rejection);
            return;
        }

        await ExecutionEndpoints.AnswerAsync(call, result.Cell);
    }
}
