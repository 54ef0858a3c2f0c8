using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Omium.Api.Keys;
using Omium.Api.Sessions;
using Omium.Api.Tenants;

namespace Omium.Api.Access;

/// <summary>Who a request comes from: a caller, or the code that it is refused with.</summary>
internal readonly record struct Authenticated(Caller? Caller, string Refusal)
{
    public static implicit operator Authenticated(Caller? caller) => new(caller, "unauthenticated");
}

/// <summary>
/// Finds the caller of a request. What stands in <c>Authorization</c> decides; a cookie counts only without it, and the word of Azure Static Web Apps
/// only where the options say so and without either. Roles are read for each request: what an administrator changes counts for the next one.
/// </summary>
internal sealed class Authenticator(KeyService keys, SessionService sessions, AccountService accounts, TenantDirectory tenants, IOptions<OmiumApiOptions> options)
{
    private const string BearerSession = "Bearer " + SessionTokens.AccessPrefix, PrincipalHeader = "x-ms-client-principal";
    private const int PrincipalBytesMax = 16 * 1024;

    /// <summary>The caller, or why there is none.</summary>
    public async ValueTask<Authenticated> AuthenticateAsync(HttpContext context, CancellationToken cancellation)
    {
        var authorization = context.Request.Headers.Authorization.ToString();
        if (authorization.StartsWith(BearerSession, StringComparison.OrdinalIgnoreCase))
        {
            var bySession = await sessions.FindAsync(authorization["Bearer ".Length..].Trim(), cancellation);
            return bySession is { IsCookie: false } ? await PersonAsync(bySession, cancellation) : default(Caller);
        }

        if (authorization.Length > 0)
        {
            return await keys.AuthenticateAsync(authorization, cancellation);
        }

        if (SessionCookies.Access(context, options.Value) is { } cookie)
        {
            return await ByCookieAsync(context, cookie, cancellation);
        }

        return options.Value.ClientPrincipalTenant is { } tenant && context.Request.Headers[PrincipalHeader].ToString() is { Length: > 0 and <= PrincipalBytesMax } principal
            ? ByPrincipal(context, tenant, principal)
            : default(Caller);
    }

    /// <summary>
    /// A key or person by its name, as it may act now; null when it may not any more, or was never kept here (who is only known by the word of Azure
    /// Static Web Apps). The stamp changes with the key's secret or the person's password, and tells neither.
    /// </summary>
    public async ValueTask<(Caller Caller, string Stamp)?> FindAsync(string tenant, string name, CancellationToken cancellation)
    {
        if (name.StartsWith("key_", StringComparison.Ordinal))
        {
            return await keys.FindCallerAsync(tenant, KeyService.BareId(name), cancellation) is var (key, secretSha256) ? (key, SessionTokens.HashOf(secretSha256)) : null;
        }

        return await accounts.FindAsync(name, cancellation) is { Status: StoredUser.Active } user && (await tenants.RosterAsync(tenant, cancellation)).Find(name) is { } member
            ? (new Caller(tenant, name, "") { Role = member.Role, Teams = member.Teams, Scopes = Roles.ScopesOf(member.Role) }, SessionTokens.HashOf(user.Stamp))
            : null;
    }

    private async ValueTask<Authenticated> ByCookieAsync(HttpContext context, string token, CancellationToken cancellation)
    {
        if (await sessions.FindAsync(token, cancellation) is not { IsCookie: true } session)
        {
            return default(Caller);
        }

        if (!IsSafe(context.Request.Method))
        {
            var given = context.Request.Headers[SessionCookies.CsrfHeader].ToString();
            if (!IsSameOrigin(context) || !SessionTokens.AreEqual(SessionTokens.HashOf(given), session.CsrfSha256))
            {
                return new Authenticated(null, "csrf_missing");
            }
        }

        return await PersonAsync(session, cancellation);
    }

    private async ValueTask<Caller?> PersonAsync(StoredSession session, CancellationToken cancellation) =>
        await accounts.FindAsync(session.User, cancellation) is { Status: StoredUser.Active } user && user.Stamp == session.Stamp
            && (await tenants.RosterAsync(session.Tenant, cancellation)).Find(session.User) is { } member
            ? new Caller(session.Tenant, session.User, "") { Role = member.Role, Teams = member.Teams, Scopes = Roles.ScopesOf(member.Role), Session = session }
            : null;

    /// <summary>
    /// Who Static Web Apps says it is. Whoever it lets in is a viewer; the roles of ours that it assigns count, the highest first. The browser sends its
    /// cookie along with any page's request, so what changes something carries a header that another site cannot set.
    /// </summary>
    private Authenticated ByPrincipal(HttpContext context, string tenant, string header)
    {
        try
        {
            using var principal = JsonDocument.Parse(Convert.FromBase64String(header));
            var root = principal.RootElement;
            var roles = root.GetProperty("userRoles").EnumerateArray().Select(role => role.GetString()).ToArray();
            if (root.GetProperty("userId").GetString() is not { Length: > 0 } id || root.GetProperty("identityProvider").GetString() is not { Length: > 0 } provider || !roles.Contains("authenticated"))
            {
                return default(Caller);
            }

            if (!IsSafe(context.Request.Method) && (!IsSameOrigin(context) || context.Request.Headers[SessionCookies.CsrfHeader].Count == 0))
            {
                return new Authenticated(null, "csrf_missing");
            }

            var role = Roles.All.Reverse().Select(known => known.Role).FirstOrDefault(known => roles.Contains(known)) ?? Roles.Viewer;
            var user = SessionTokens.HashOf($"{provider}\n{id}")[..32];
            return new Caller(tenant, $"usr_{user}", "") { Role = role, Scopes = Roles.ScopesOf(role) };
        }
        catch (Exception error) when (error is FormatException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return default(Caller);
        }
    }

    private static bool IsSafe(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method);

    /// <summary>What a browser says of where the request comes from, where it says anything.</summary>
    private bool IsSameOrigin(HttpContext context)
    {
        var site = context.Request.Headers["Sec-Fetch-Site"].ToString();
        var origin = context.Request.Headers.Origin.ToString();
        return (site is "" or "same-origin" or "none") && (origin.Length == 0 || origin == PublicOrigin.Of(context, options.Value));
    }
}
