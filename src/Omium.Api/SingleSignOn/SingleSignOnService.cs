using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Omium.Api.Access;
using Omium.Api.Audit;
using Omium.Api.Http;
using Omium.Api.Sessions;
using Omium.Api.Tenants;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Api.SingleSignOn;

/// <summary>A tenant's connection to an issuer: document kind <c>sso</c> of the tenant, id <c>oidc</c>; without an issuer it was removed.</summary>
internal sealed record StoredSingleSignOn(string? Issuer, string ClientId, string? SealedSecret, IReadOnlyList<string> EmailDomains, string Role) : AuditedDocument;

/// <summary>A sign-in that is under way at an issuer: kind <c>oidc_state</c> of tenant "" by id, sealed whole. Used once, for ten minutes, by the browser that began it.</summary>
internal sealed record StoredSignIn(string Tenant, string BrowserSha256, string Verifier, string Nonce, string ReturnTo, string Redirect, long ExpiresMs);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredSingleSignOn))]
[JsonSerializable(typeof(StoredSignIn))]
internal sealed partial class SingleSignOnJson : JsonSerializerContext;

/// <summary>
/// OpenID Connect, authorisation code flow with PKCE (OpenID Connect Core 1.0; RFC 7636; RFC 9700 for what can go wrong). Guarantees: a state is used
/// once and only by the browser that it was made for; a person is known by issuer and subject, never by e-mail, so no issuer can speak for an account
/// that was made elsewhere; who was removed from the tenant stays out.
/// </summary>
internal sealed class SingleSignOnService(
    IDocumentStore documents, AuditedStore store, Acts acts, InstallationKeys keys, Issuers issuers, AccountService accounts, TenantDirectory tenants, TimeProvider time)
{
    private const string Kind = "sso", Id = "oidc", StateKind = "oidc_state";
    private const int IdDigits = 20, SecretDigits = 52;
    private static readonly TimeSpan StateFor = TimeSpan.FromMinutes(10);

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>A tenant's connection; null when it has none.</summary>
    public async ValueTask<StoredSingleSignOn?> FindAsync(string tenant, CancellationToken cancellation) =>
        (await store.ReadAsync(KeyOf(tenant), SingleSignOnJson.Default.StoredSingleSignOn, cancellation)).Value is { Issuer: not null } connection ? connection : null;

    /// <summary>Sets a connection; a null secret leaves the one that is there.</summary>
    public async Task<StoredSingleSignOn> SetAsync(string tenant, StoredSingleSignOn connection, string? secret, string by, Origin origin, CancellationToken cancellation)
    {
        var closed = secret is null ? null : Convert.ToBase64String(Seal.Close(await keys.GetAsync("sso", cancellation), Encoding.UTF8.GetBytes(secret), Context(tenant)));
        var detail = Acts.Detail(("issuer", connection.Issuer), ("client_id", connection.ClientId), ("email_domains", string.Join(' ', connection.EmailDomains)), ("role", connection.Role));
        var entry = await acts.MakeAsync(tenant, "sso.set", by, tenant, detail, origin, null, cancellation);
        return (await store.ChangeAsync(
            tenant, KeyOf(tenant), SingleSignOnJson.Default.StoredSingleSignOn,
            known => (connection with { SealedSecret = closed ?? (known?.Issuer == connection.Issuer ? known?.SealedSecret : null) }, entry), cancellation))!;
    }

    /// <summary>Removes it; false when there is none.</summary>
    public async Task<bool> RemoveAsync(string tenant, string by, Origin origin, CancellationToken cancellation)
    {
        var entry = await acts.MakeAsync(tenant, "sso.removed", by, tenant, null, origin, null, cancellation);
        return await store.ChangeAsync(
            tenant, KeyOf(tenant), SingleSignOnJson.Default.StoredSingleSignOn,
            known => known is { Issuer: not null } ? (known with { Issuer = null, SealedSecret = null }, entry) : null, cancellation) is not null;
    }

    /// <summary>Where the browser goes to sign in, and the secret that it keeps meanwhile; null when the tenant has no connection or its issuer does not answer.</summary>
    public async Task<(string Address, string Browser)?> BeginAsync(string tenant, string returnTo, string redirect, CancellationToken cancellation)
    {
        if (await FindAsync(tenant, cancellation) is not { } connection || await issuers.FindAsync(connection.Issuer!, cancellation) is not { } issuer)
        {
            return null;
        }

        var (id, browser, verifier, nonce) = (ExecutionIds.Random(IdDigits), ExecutionIds.Random(SecretDigits), ExecutionIds.Random(SecretDigits), ExecutionIds.Random(SecretDigits));
        var state = new StoredSignIn(tenant, SessionTokens.HashOf(browser), verifier, nonce, returnTo, redirect, NowMs + (long)StateFor.TotalMilliseconds);
        var closed = Seal.Close(await keys.GetAsync("sso", cancellation), JsonSerializer.SerializeToUtf8Bytes(state, SingleSignOnJson.Default.StoredSignIn), Encoding.UTF8.GetBytes(id));
        await documents.PutAsync(StateKey(id), closed, "", cancellation);
        var challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
        var query = new (string Name, string Value)[]
        {
            ("response_type", "code"), ("client_id", connection.ClientId), ("redirect_uri", redirect), ("scope", "openid email profile"), ("state", id), ("nonce", nonce),
            ("code_challenge", challenge), ("code_challenge_method", "S256"),
        };
        var separator = issuer.Authorization.Query.Length == 0 ? "?" : "&";
        return (issuer.Authorization.AbsoluteUri + separator + string.Join('&', query.Select(pair => $"{pair.Name}={Uri.EscapeDataString(pair.Value)}")), browser);
    }

    /// <summary>Who came back, and where they go; null when anything does not hold.</summary>
    public async Task<(StoredUser User, string Tenant, string ReturnTo)?> CompleteAsync(
        string? stateId, string? code, string? issuerGiven, string? browser, Origin origin, CancellationToken cancellation)
    {
        if (stateId is not { Length: IdDigits } || string.IsNullOrEmpty(code) || browser is null || await TakeAsync(stateId, cancellation) is not { } state
            || !SessionTokens.AreEqual(SessionTokens.HashOf(browser), state.BrowserSha256) || state.ExpiresMs < NowMs
            || await FindAsync(state.Tenant, cancellation) is not { } connection || (issuerGiven is not null && issuerGiven != connection.Issuer) // RFC 9207
            || await issuers.FindAsync(connection.Issuer!, cancellation) is not { } issuer)
        {
            return null;
        }

        var secret = connection.SealedSecret is { } closed
            ? Encoding.UTF8.GetString(Seal.Open(await keys.GetAsync("sso", cancellation), Convert.FromBase64String(closed), Context(state.Tenant)))
            : null;
        if (await issuers.ExchangeAsync(issuer, connection.ClientId, secret, code, state.Verifier, state.Redirect, cancellation) is not { } token
            || await issuers.KeysAsync(issuer, IdToken.KeyIdOf(token), cancellation) is not { } keySet
            || IdToken.Check(token, keySet, connection.Issuer!, connection.ClientId, state.Nonce, NowMs) is not { } claims || !IsLetIn(connection, claims))
        {
            return null;
        }

        var user = await AdmitAsync(state.Tenant, connection, claims, origin, cancellation);
        return user is null ? null : (user, state.Tenant, state.ReturnTo);
    }

    private static bool IsLetIn(StoredSingleSignOn connection, IdClaims claims) =>
        connection.EmailDomains.Count == 0 || (claims is { IsEmailVerified: true, Email: { } email } && connection.EmailDomains.Contains(email[(email.IndexOf('@', StringComparison.Ordinal) + 1)..]));

    /// <summary>The user of an issuer's subject, who joins when they come for the first time; null when they were removed since.</summary>
    private async Task<StoredUser?> AdmitAsync(string tenant, StoredSingleSignOn connection, IdClaims claims, Origin origin, CancellationToken cancellation)
    {
        var user = await accounts.ByIdentityAsync(
            $"{tenant}\n{connection.Issuer}\n{claims.Subject}", claims.Email, claims.Name, tenant,
            id => tenants.JoinAsync(tenant, id, connection.Role, [], "sso", id, origin, cancellation), cancellation);
        return user is { Status: StoredUser.Active } && (await tenants.RosterAsync(tenant, cancellation)).Find(user.Id) is not null ? user : null;
    }

    /// <summary>The state of an id, taken away: of two who come with one, one has it.</summary>
    private async Task<StoredSignIn?> TakeAsync(string id, CancellationToken cancellation)
    {
        if (await documents.GetAsync(StateKey(id), cancellation) is not { } stored || !await documents.DeleteAsync(stored.Key, stored.ETag, cancellation))
        {
            return null;
        }

        return JsonSerializer.Deserialize(Seal.Open(await keys.GetAsync("sso", cancellation), stored.Content, Encoding.UTF8.GetBytes(id)), SingleSignOnJson.Default.StoredSignIn);
    }

    private static byte[] Context(string tenant) => Encoding.UTF8.GetBytes($"sso/{tenant}");

    private static DocumentKey KeyOf(string tenant) => new(tenant, Kind, Id);

    private static DocumentKey StateKey(string id) => new("", StateKind, id);
}
