using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Omium.Api.Audit;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Access;
using Omium.Runtime.Audit;
using Omium.Runtime.Effects.Secrets;
using Omium.Runtime.Ports;

namespace Omium.Api.Secrets;

/// <summary><c>/v1/secrets</c>: set and deleted, never read back.</summary>
internal static class SecretEndpoints
{
    private const int ValueLengthMax = 16_384, NameLengthMax = 63, SecretsMax = 1_000;

    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/v1/secrets", ListAsync).As("list_secrets", "Names of the tenant's tool credentials; a value is never answered.").Answers(ContractJson.Default.SecretPage);
        routes.Map("PUT", "/v1/secrets/{name}", SetAsync).As("set_secret", "Sets `secrets.<name>` for the tools of the tenant; calls that begin from now on send it.")
            .Reads(RequestJson.Default.SetSecretRequest).Answers(ContractJson.Default.SecretView);
        routes.Map("DELETE", "/v1/secrets/{name}", DeleteAsync).As("delete_secret", "Deletes a secret with the key that sealed it.").Answers(204, null, "Deleted.").Refuses("secret_not_found");
    }

    private static async Task ListAsync(ApiCall call)
    {
        var views = new List<SecretView>();
        foreach (var stored in await call.Services.Documents.ListAsync(call.Caller.Tenant, StoredSecrets.Kind, "", null, SecretsMax, call.Cancellation))
        {
            if ((await ReadAsync(call, stored.Key.Id)).Value is { Sealed: not null } secret)
            {
                views.Add(View(secret));
            }
        }

        await call.JsonAsync(new Page<SecretView>(views, null), ContractJson.Default.SecretPage);
    }

    private static async Task SetAsync(ApiCall call)
    {
        var name = call.Route("name");
        if (await call.TryReadAsync(RequestJson.Default.SetSecretRequest) is not { } request)
        {
            return;
        }

        if (!IsName(name))
        {
            await call.InvalidAsync("/name", $"A secret's name begins with a letter and has 1 to {NameLengthMax} of a-z, 0-9 and _.");
            return;
        }

        if (request.Value.Length is 0 or > ValueLengthMax)
        {
            await call.InvalidAsync("/value", $"A secret has 1 to {ValueLengthMax} characters.");
            return;
        }

        var tenant = call.Caller.Tenant;
        var (wrappedKey, closed) = call.Services.Secrets.Close(tenant, name, request.Value);
        var now = call.Services.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var secret = new StoredSecret(name, wrappedKey, closed, now, call.Caller.KeyId);
        await ChangeAsync(call, name, "secret.set", _ => secret);
        await call.JsonAsync(View(secret), ContractJson.Default.SecretView);
    }

    private static async Task DeleteAsync(ApiCall call)
    {
        var name = call.Route("name");
        if (IsName(name) && await ChangeAsync(call, name, "secret.deleted", known => known is { Sealed: not null } ? known with { WrappedKey = null, Sealed = null } : null) is not null)
        {
            call.Context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        await call.ProblemAsync("secret_not_found", $"There is no secret {ApiCall.Shorten(name)}.");
    }

    private static async Task<StoredSecret?> ChangeAsync(ApiCall call, string name, string action, Func<StoredSecret?, StoredSecret?> change)
    {
        var entry = await call.Services.Acts.MakeAsync(call.Caller.Tenant, action, call.Caller.KeyId, name, null, call.Origin, null, call.Cancellation);
        return await call.Services.AuditedStore.ChangeAsync(
            call.Caller.Tenant, KeyOf(call, name), SecretJson.Default.StoredSecret, known => change(known) is { } next ? (next, entry) : ((StoredSecret, AuditEntry)?)null, call.Cancellation);
    }

    private static ValueTask<Audited<StoredSecret>> ReadAsync(ApiCall call, string name) =>
        call.Services.AuditedStore.ReadAsync(KeyOf(call, name), SecretJson.Default.StoredSecret, call.Cancellation);

    private static DocumentKey KeyOf(ApiCall call, string name) => new(call.Caller.Tenant, StoredSecrets.Kind, name);

    private static SecretView View(StoredSecret secret) => new(secret.Name, DateTimeOffset.FromUnixTimeMilliseconds(secret.SetMs), secret.SetBy);

    private static bool IsName(string name) =>
        name.Length is > 0 and <= NameLengthMax && char.IsAsciiLetterLower(name[0]) && name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '_');
}

/// <summary>A secret as stored; without key and value it was deleted. <see cref="StoredSecrets"/> reads it.</summary>
internal sealed record StoredSecret(string Name, string? WrappedKey, string? Sealed, long SetMs, string SetBy) : AuditedDocument;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredSecret))]
internal sealed partial class SecretJson : JsonSerializerContext;
