using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Access;

namespace Omium.Api.Tenants;

/// <summary><c>/v1/retention</c>, and the erasure of a person and of an execution.</summary>
internal static class RetentionEndpoints
{
    private const int DaysMax = 36_500, ReasonLengthMax = 500;

    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/v1/retention", GetAsync).As("get_retention", "How long things are kept.").Answers(ContractJson.Default.RetentionView);
        routes.Map("PUT", "/v1/retention", PutAsync).As("set_retention", "Sets how long executions are kept, and the legal hold.")
            .Reads(RequestJson.Default.RetentionView).Answers(ContractJson.Default.RetentionView);
        routes.Map("POST", "/v1/members/{id}/erase", ErasePersonAsync).As("erase_person", "Erases what the tenant holds about a person, who leaves it; the audit trail still verifies.")
            .Answers(ContractJson.Default.ErasureView).Refuses("member_not_found", "last_admin", "legal_hold");
        routes.Map("POST", "/v1/executions/{id}/erase", EraseExecutionAsync).As("erase_execution", "Destroys the key of an ended execution and its forks; the chain still verifies.")
            .Answers(ContractJson.Default.ErasureView).Refuses("execution_not_ended", "legal_hold");
    }

    private static async Task GetAsync(ApiCall call)
    {
        var stored = await call.Services.Retention.ReadAsync(call.Caller.Tenant, call.Cancellation);
        await call.JsonAsync(new RetentionView(stored.ExecutionsDays, stored.LegalHold, stored.Reason), ContractJson.Default.RetentionView);
    }

    private static async Task PutAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.RetentionView) is not { } request)
        {
            return;
        }

        if (request.ExecutionsDays is < 1 or > DaysMax)
        {
            await call.InvalidAsync("/executions_days", $"Executions are kept 1 to {DaysMax} days, or (null) without end.");
            return;
        }

        if (request.Reason is { Length: > ReasonLengthMax })
        {
            await call.InvalidAsync("/reason", $"A reason has at most {ReasonLengthMax} characters.");
            return;
        }

        var retention = new StoredRetention(request.ExecutionsDays, request.LegalHold, request.Reason);
        await call.Services.Retention.SetAsync(call.Caller.Tenant, retention, call.Caller.KeyId, call.Origin, call.Cancellation);
        await call.JsonAsync(request, ContractJson.Default.RetentionView);
    }

    private static async Task ErasePersonAsync(ApiCall call)
    {
        var id = call.Route("id");
        var isUser = id.StartsWith("usr_", StringComparison.Ordinal) && id.Length <= 64;
        var (isErased, refusal) = isUser
            ? await call.Services.Retention.ErasePersonAsync(call.Caller.Tenant, id, call.Caller.KeyId, call.Origin, call.Cancellation)
            : (false, null);
        if (refusal is not null)
        {
            await call.ProblemAsync(refusal.Code, refusal.Detail);
        }
        else if (!isErased)
        {
            await call.ProblemAsync("member_not_found", $"There is no member {ApiCall.Shorten(id)}.");
        }
        else
        {
            await AnswerAsync(call, id);
        }
    }

    private static async Task EraseExecutionAsync(ApiCall call)
    {
        if (await call.TryExecutionAsync() is not { } cell)
        {
            return;
        }

        await call.Services.AuditSettler.SettleAsync(call.Caller.Tenant, call.Cancellation); // What it owes to the trail is derived while it can be read.
        if (await call.Services.Retention.EraseExecutionAsync(cell, call.Caller.KeyId, call.Origin, call.Cancellation) is { } refusal)
        {
            await call.ProblemAsync(refusal.Code, refusal.Detail);
            return;
        }

        await AnswerAsync(call, call.Route("id"));
    }

    private static Task AnswerAsync(ApiCall call, string subject) => call.JsonAsync(new ErasureView(subject, call.Services.Time.GetUtcNow()), ContractJson.Default.ErasureView);
}
