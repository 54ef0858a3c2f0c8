using Omium.Api.Executions;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Executions;

namespace Omium.Api.Residue;

/// <summary><c>GET /v1/residue?execution=</c>: what rollbacks of an execution could not undo.</summary>
internal static class ResidueEndpoints
{
    public static void Map(ApiRoutes routes) => routes.Map("GET", "/v1/residue", ListAsync);

    private static async Task ListAsync(ApiCall call)
    {
        if (call.Query("execution") is not { } execution)
        {
            await call.InvalidAsync("/execution", "Name the execution: /v1/residue?execution=exe_...");
            return;
        }

        if (await call.TryExecutionAsync(execution) is not { } cell)
        {
            return;
        }

        var state = cell.State;
        var calls = ResidueViews.CallsOf(state);
        var payloads = await AnswerPayloads.LoadAsync(call.Services, cell, ResidueViews.ValuesOf(calls), call.Cancellation);
        await call.JsonAsync(new Page<ResidueView>(ResidueViews.Views(state, calls, payloads), null), ContractJson.Default.ResiduePage);
    }
}
