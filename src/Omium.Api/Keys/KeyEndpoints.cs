using System.Reflection;
using Microsoft.AspNetCore.Http;
using Omium.Api.Access;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Tenants;
using Omium.Kernel.Ledger;

namespace Omium.Api.Keys;

/// <summary><c>/v1/me</c> and <c>/v1/keys</c>.</summary>
internal static class KeyEndpoints
{
    private const int NameLengthMax = 100;

    private static readonly string Version =
        typeof(KeyEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/v1/me", MeAsync).As("get_me", "Who the caller is.").Answers(ContractJson.Default.MeView);
        routes.Map("GET", "/v1/keys", ListAsync).As("list_keys", "Keys of the tenant, oldest first.").Answers(ContractJson.Default.KeyPage);
        routes.Map("POST", "/v1/keys", CreateAsync).As("create_key", "Makes a key; its secret is in this answer and in no other.")
            .ReadsLittle(RequestJson.Default.CreateKeyRequest).Answers(ContractJson.Default.KeyView, 201, "Made.");
        routes.Map("POST", "/v1/keys/{id}/rotate", RotateAsync).As("rotate_key", "Gives a key a new secret; the old one is refused at once.")
            .Idempotent().Answers(ContractJson.Default.KeyView).Refuses("not_found");
        routes.Map("DELETE", "/v1/keys/{id}", RevokeAsync).As("revoke_key", "Revokes a key at once.").Answers(204, null, "Revoked.")
            .Refuses("not_found");
    }

    private static async Task MeAsync(ApiCall call)
    {
        var isMetered = call.Services.Credits.Executions is not null;
        var credits = isMetered ? Credits.Whole((await call.Services.Billing.StateAsync(call.Caller.Tenant, call.Cancellation)).RemainingMicro) : (long?)null;
        await call.JsonAsync(
            new MeView(call.Caller.Tenant, call.Caller.Environment, call.Caller.KeyId, credits, Version) { Scopes = ScopeWords.Of(call.Caller.Scopes), Role = call.Caller.Role },
            ContractJson.Default.MeView);
    }

    private static async Task ListAsync(ApiCall call) => await call.JsonAsync(
        new Page<KeyView>(await call.Services.Keys.ListAsync(call.Caller.Tenant, call.Cancellation), null), ContractJson.Default.KeyPage);

    private static async Task CreateAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.CreateKeyRequest) is not { } request)
        {
            return;
        }

        if (string.IsNullOrWhiteSpace(request.Name) || request.Name.Length > NameLengthMax)
        {
            await call.InvalidAsync("/name", $"A name has 1 to {NameLengthMax} characters.");
            return;
        }

        var environment = request.Environment ?? (call.Caller.IsPerson ? "live" : call.Caller.Environment);
        if (!KeyService.IsEnvironment(environment))
        {
            await call.InvalidAsync("/environment", "An environment is 1 to 16 letters a-z, such as local, test or live.");
            return;
        }

        if (request.SpendCapCredits is < 0)
        {
            await call.InvalidAsync("/spend_cap_credits", "A cap is 0 credits or more.");
            return;
        }

        // Nobody gives more than they have; and what is not asked for is not given: a key that makes keys is made on purpose.
        var scopes = request.Scopes is { } words ? ScopeWords.Parse(words) : call.Caller.Scopes & ~Scopes.Admin;
        if (scopes is not { } given || (given & ~call.Caller.Scopes) != Scopes.None)
        {
            await call.InvalidAsync("/scopes", $"Scopes are one or more of {string.Join(", ", ScopeWords.Of(call.Caller.Scopes))}: what the caller may do.");
            return;
        }

        if (call.Caller.Exceeds(given, environment) is { } refusal)
        {
            await call.ProblemAsync("forbidden", refusal);
            return;
        }

        var key = await call.Services.Keys.CreateAsync(
            call.Caller.Tenant, request.Name, environment, given, request.SpendCapCredits, call.Caller.KeyId, call.Origin, call.Cancellation);
        await call.JsonAsync(key, ContractJson.Default.KeyView, StatusCodes.Status201Created);
    }

    private static async Task RotateAsync(ApiCall call)
    {
        var id = call.Route("id");
        var target = await call.Services.Keys.FindActiveAsync(call.Caller.Tenant, KeyService.BareId(id), call.Cancellation);
        if (target is not null && call.Caller.KeyId != $"key_{target.Id}" && call.Caller.Exceeds(target.Granted, target.Environment) is { } refusal)
        {
            await call.ProblemAsync("forbidden", refusal);
            return;
        }

        if (target is not null && await call.Services.Keys.RotateAsync(call.Caller.Tenant, KeyService.BareId(id), call.Caller.KeyId, call.Origin, call.Cancellation) is { } key)
        {
            await call.JsonAsync(key, ContractJson.Default.KeyView);
            return;
        }

        await call.ProblemAsync("not_found", $"There is no active key {ApiCall.Shorten(id)}.");
    }

    private static async Task RevokeAsync(ApiCall call)
    {
        var id = call.Route("id");
        if (await call.Services.Keys.RevokeAsync(call.Caller.Tenant, KeyService.BareId(id), call.Caller.KeyId, call.Origin, call.Cancellation))
        {
            call.Context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        await call.ProblemAsync("not_found", $"There is no key {ApiCall.Shorten(id)}.");
    }
}
