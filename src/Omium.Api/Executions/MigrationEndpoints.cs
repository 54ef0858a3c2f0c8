using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Omium.Api.Http;
using Omium.Api.Reviews;
using Omium.Api.Workflows;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;

namespace Omium.Api.Executions;

/// <summary>
/// <c>POST /v1/executions/{id}/migrate</c>: a run keeps its version until a person moves it, and they see the difference first: without its digest
/// the answer is 409 and shows it.
/// </summary>
internal static class MigrationEndpoints
{
    public static void Map(ApiRoutes routes) => routes.Map("POST", "/v1/executions/{id}/migrate", MigrateAsync)
        .As("migrate_execution", "Moves a paused or failed execution to another version of its workflow, once the difference was seen.")
        .Reads(RequestJson.Default.MigrateRequest)
        .Answers(ContractJson.Default.MigrationView, StatusCodes.Status200OK, "With `preview`: the difference; else the execution, moved and still paused.").Idempotent()
        .Answers(ContractJson.Default.ExecutionView, description: "The execution, moved; it is paused.")
        .Refuses("workflow_not_found", "migration_unacknowledged", "migration_refused", "execution_not_paused", "execution_ended", "rollback_in_progress", "rollback_irreversible", "past_fork_point", "validation_failed");

    private static async Task MigrateAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.MigrateRequest) is not { } request || await call.TryExecutionAsync() is not { } cell)
        {
            return;
        }

        var state = cell.State;
        if (await call.Services.Workflows.FindAsync(call.Caller.Tenant, state.Workflow, request.Version, call.Cancellation) is not { } target)
        {
            await WorkflowEndpoints.NotFoundAsync(call, $"{state.Workflow} version {request.Version}");
            return;
        }

        var digest = await call.Services.Policies.PinAsync(call.Caller.Tenant, target.Digest, call.Cancellation);
        if (digest == state.SpecDigest)
        {
            await call.InvalidAsync("/version", $"The execution runs version {target.Version} already.");
            return;
        }

        var plan = await call.Services.Plans.GetAsync(call.Caller.Tenant, state.SpecDigest, call.Cancellation);
        var next = await call.Services.Plans.GetAsync(call.Caller.Tenant, digest, call.Cancellation);
        var view = View(MigrationDifference.Between(state, plan, next, target.Version, digest));
        if (request.Preview == true)
        {
            await call.JsonAsync(view, ContractJson.Default.MigrationView);
            return;
        }

        var shown = JsonSerializer.SerializeToElement(view, ContractJson.Default.MigrationView);
        if (view.Obstacles.Count > 0)
        {
            await call.ProblemAsync("migration_refused", $"What stands in the way: {string.Join("; ", view.Obstacles)}.", null, view.Digest, shown);
            return;
        }

        if (request.Acknowledge != view.Digest)
        {
            await call.ProblemAsync("migration_unacknowledged", $"Moving from version {view.FromVersion} to {view.ToVersion} changes what this run does.", null, view.Digest, shown);
            return;
        }

        var again = (request.Again ?? []).Concat(view.Restarted.Select(visit => visit.Step)).ToArray();
        if (again.Length > 0 && !await Escalations.TryAnswerAsync(call, state, _ => true))
        {
            return; // What runs again may take back what is asked about.
        }

        var command = new MigrateExecution(call.Services.Advancer.NowMs, call.Caller.KeyId, call.RequestId, target.Version, digest, view.Digest, request.Again);
        var result = await call.SubmitAsync(cell.Stream, command);
        if (result.Rejection is { } rejection)
        {
            await call.RejectedAsync(rejection);
            return;
        }

        await ExecutionEndpoints.AnswerAsync(call, result.Cell);
    }

    private static MigrationView View(MigrationDifference difference) => new(
        difference.FromVersion, difference.ToVersion, difference.Added, difference.Removed, difference.Changed, difference.EdgesAdded, difference.EdgesRemoved, difference.PolicyChanged,
        [.. difference.Affected.Select(ExecutionViews.Reference)], [.. difference.Restarted.Select(ExecutionViews.Reference)], difference.Obstacles, difference.Digest);
}
