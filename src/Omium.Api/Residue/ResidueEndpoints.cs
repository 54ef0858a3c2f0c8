using Omium.Api.Executions;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Residue;

/// <summary><c>/v1/residue</c>: what rollbacks could not undo, and what people did about it.</summary>
internal static class ResidueEndpoints
{
    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/v1/residue", ListAsync).As("list_residue", "Effects that a rollback could not undo, newest first.")
            .Query("status", "Only of this status.", "open", "resolved").Query("workflow", "Only of this workflow.").Query("execution", "Only of this execution.")
            .QueryTime("from", "Recorded at this time or later.").QueryTime("to", "Recorded before this time.").Paged().Answers(ContractJson.Default.ResiduePage)
            .Refuses("execution_not_found");
        routes.Map("GET", "/v1/residue/{id}", GetAsync).As("get_residue", "One effect that was left.").Answers(ContractJson.Default.ResidueView)
            .Refuses("residue_not_found");
        routes.Map("POST", "/v1/residue/{id}/resolve", ResolveAsync).As("resolve_residue", "Records what a person did about it.")
            .ReadsLittle(RequestJson.Default.ResolveResidueRequest, isOptional: true).Answers(ContractJson.Default.ResidueView).Idempotent().Refuses("residue_not_found", "residue_resolved");
    }

    private static async Task ListAsync(ApiCall call)
    {
        if (await call.TryIntegerAsync("limit", 50, 1, 200) is not { } limit || !await call.TryWordAsync("status", "open", "resolved")
            || (call.Query("execution") is { } execution && await call.TryExecutionAsync(execution) is null)
            || await call.TryTimeAsync("from") is not { } from || await call.TryTimeAsync("to") is not { } to)
        {
            return;
        }

        var page = await call.Services.Index.QueryAsync(
            new IndexQuery(call.Caller.Tenant, IndexKinds.Residue)
            {
                Status = call.Query("status"), Workflow = call.Query("workflow"), Execution = call.Query("execution"),
                FromUnixMs = from.UnixMs, ToUnixMs = to.UnixMs, Limit = (int)limit, Cursor = call.Query("cursor"),
            },
            call.Cancellation);
        var views = new List<ResidueView>(page.Rows.Count);
        foreach (var row in page.Rows)
        {
            if (await ReadableExecutions.OrNoneAsync(() => FindAsync(call, row)) is { } found)
            {
                views.Add(await ViewAsync(call, found.Cell, found.Residue));
            }
        }

        await call.JsonAsync(new Page<ResidueView>(views, page.NextCursor), ContractJson.Default.ResiduePage);
    }

    private static async Task GetAsync(ApiCall call)
    {
        if (await TryResidueAsync(call) is { } found)
        {
            await call.JsonAsync(await ViewAsync(call, found.Cell, found.Residue), ContractJson.Default.ResidueView);
        }
    }

    private static async Task ResolveAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.ResolveResidueRequest, new ResolveResidueRequest()) is not { } request
            || !await TextLimits.TryNoteAsync(call, "/note", request.Note) || await TryResidueAsync(call) is not { } found)
        {
            return;
        }

        var effect = found.Residue.Left.Effect;
        var command = new ResolveResidue(call.Services.Advancer.NowMs, call.Caller.KeyId, call.RequestId, effect, request.Note);
        var result = await call.SubmitAsync(found.Cell.Stream, command);
        if (result.Rejection is { } rejection)
        {
            await call.RejectedAsync(rejection);
            return;
        }

        var residue = result.Cell.State.Residue.First(left => left.Left.Effect == effect);
        await call.JsonAsync(await ViewAsync(call, result.Cell, residue), ContractJson.Default.ResidueView);
    }

    private static async ValueTask<(ExecutionCell Cell, ResidueState Residue)?> TryResidueAsync(ApiCall call)
    {
        var id = call.Route("id");
        if (await call.Services.Index.GetAsync(call.Caller.Tenant, IndexKinds.Residue, id, call.Cancellation) is { } row && await FindAsync(call, row) is { } found)
        {
            return found;
        }

        await call.ProblemAsync("residue_not_found", $"There is no residue {ApiCall.Shorten(id)}.");
        return null;
    }

    private static async ValueTask<(ExecutionCell Cell, ResidueState Residue)?> FindAsync(ApiCall call, IndexRow row) =>
        await call.Services.Advancer.FindAsync(new StreamId(row.Tenant, row.Execution), call.Cancellation) is { } cell
            && cell.State.Residue.Find(left => IndexProjector.ResidueId(row.Execution, left.Left.Effect) == row.Id) is { } residue
            ? (cell, residue)
            : null;

    private static async Task<ResidueView> ViewAsync(ApiCall call, ExecutionCell cell, ResidueState residue)
    {
        var made = ResidueViews.CallOf(cell.State, residue.Left.Effect);
        var payloads = await AnswerPayloads.LoadAsync(call.Services, cell, ResidueViews.ValuesOf(made), call.Cancellation);
        return ResidueViews.View(cell.State, residue, made, payloads);
    }
}
