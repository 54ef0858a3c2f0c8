using Microsoft.AspNetCore.Http;
using Omium.Api.Access;
using Omium.Api.Http;
using Omium.Api.Sessions;
using Omium.Contracts;
using Omium.Contracts.Access;

namespace Omium.Api.SingleSignOn;

/// <summary><c>/v1/sso</c>, and the two addresses that a browser visits: <c>/v1/auth/oidc/{tenant}/start</c> and <c>/v1/auth/oidc/callback</c>.</summary>
internal static class SingleSignOnEndpoints
{
    private const string CallbackPath = "/v1/auth/oidc/callback", BrowserCookie = "omium_oidc";
    private const int TextLengthMax = 512, DomainsMax = 50;

    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/v1/sso", GetAsync).As("get_sso", "How the tenant's people sign in elsewhere.").Answers(ContractJson.Default.SingleSignOnView).Refuses("sso_not_set");
        routes.Map("PUT", "/v1/sso", PutAsync).As("set_sso", "Connects the tenant to an OpenID Connect issuer.")
            .Reads(RequestJson.Default.SetSingleSignOnRequest).Answers(ContractJson.Default.SingleSignOnView);
        routes.Map("DELETE", "/v1/sso", DeleteAsync).As("remove_sso", "Removes the connection; sessions that are open stay.").Answers(204, null, "Removed.").Refuses("sso_not_set");
        routes.MapOpen("GET", "/v1/auth/oidc/{tenant}/start", StartAsync).As("start_sso", "Sends the browser to the tenant's issuer.")
            .Query("return_to", "Path of this origin to come back to; default /.").Answers(302, null, "To the issuer.").Refuses("sso_not_set", "storage_failed", "storage_full");
        routes.MapOpen("GET", CallbackPath, CallbackAsync).As("complete_sso", "Takes the issuer's answer, signs in with cookies and sends the browser back.")
            .Query("state", "From the issuer.").Query("code", "From the issuer.").Query("iss", "From the issuer.").Query("error", "From the issuer.").Query("error_description", "From the issuer.")
            .Query("session_state", "From the issuer.").Answers(302, null, "Signed in.").Refuses("sign_in_failed", "storage_failed", "storage_full");
    }

    private static async Task GetAsync(ApiCall call)
    {
        if (await call.Services.SingleSignOn.FindAsync(call.Caller.Tenant, call.Cancellation) is { } connection)
        {
            await call.JsonAsync(View(call.Caller.Tenant, connection), ContractJson.Default.SingleSignOnView);
            return;
        }

        await call.ProblemAsync("sso_not_set");
    }

    private static async Task PutAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.SetSingleSignOnRequest) is not { } request)
        {
            return;
        }

        var domains = (request.EmailDomains ?? []).Select(domain => domain.Trim().ToLowerInvariant()).ToArray();
        if (!Uri.TryCreate(request.Issuer, UriKind.Absolute, out var issuer) || !call.Services.Fetch.IsFit(issuer) || issuer.Query.Length > 0 || issuer.Fragment.Length > 0 || request.Issuer.Length > TextLengthMax)
        {
            await call.InvalidAsync("/issuer", "An issuer is an https address without query and fragment.");
        }
        else if (request.ClientId.Length is 0 or > TextLengthMax)
        {
            await call.InvalidAsync("/client_id", $"A client id has 1 to {TextLengthMax} characters.");
        }
        else if (request.ClientSecret is { Length: 0 or > TextLengthMax })
        {
            await call.InvalidAsync("/client_secret", $"A client secret has 1 to {TextLengthMax} characters.");
        }
        else if (domains.Length > DomainsMax || domains.Any(domain => EmailAddress.Normalize($"a@{domain}") is null))
        {
            await call.InvalidAsync("/email_domains", $"At most {DomainsMax} domains such as example.com.");
        }
        else if (request.Role is { } role && (!Roles.IsRole(role) || role == Roles.Admin))
        {
            await call.InvalidAsync("/role", "Who comes in for the first time is a viewer, an operator or an approver; administrators are made by administrators.");
        }
        else
        {
            var connection = new StoredSingleSignOn(request.Issuer, request.ClientId, null, domains, request.Role ?? Roles.Viewer);
            var stored = await call.Services.SingleSignOn.SetAsync(call.Caller.Tenant, connection, request.ClientSecret, call.Caller.KeyId, call.Origin, call.Cancellation);
            await call.JsonAsync(View(call.Caller.Tenant, stored), ContractJson.Default.SingleSignOnView);
        }
    }

    private static async Task DeleteAsync(ApiCall call)
    {
        if (await call.Services.SingleSignOn.RemoveAsync(call.Caller.Tenant, call.Caller.KeyId, call.Origin, call.Cancellation))
        {
            call.Context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        await call.ProblemAsync("sso_not_set");
    }

    private static async Task StartAsync(ApiCall call)
    {
        var tenant = call.Route("tenant");
        var isTenant = tenant.Length is > 4 and <= 68 && tenant.StartsWith("ten_", StringComparison.Ordinal) && tenant.AsSpan(4).IndexOfAnyExceptInRange('0', 'z') < 0;
        var returnTo = call.Query("return_to") is { } path && IsOurs(path) ? path : "/";
        if (!isTenant || await call.Services.SingleSignOn.BeginAsync(tenant, returnTo, Redirect(call), call.Cancellation) is not var (address, browser))
        {
            await call.ProblemAsync("sso_not_set");
            return;
        }

        // Lax: the issuer sends the browser back by a link of another site, and this one cookie has to come along.
        call.Context.Response.Cookies.Append(BrowserCookie, browser, Cookie(call, TimeSpan.FromMinutes(10)));
        Go(call, address);
    }

    private static async Task CallbackAsync(ApiCall call)
    {
        var browser = call.Request.Cookies[BrowserCookie];
        call.Context.Response.Cookies.Delete(BrowserCookie, Cookie(call, null));
        if (await call.Services.SingleSignOn.CompleteAsync(call.Query("state"), call.Query("code"), call.Query("iss"), browser, call.Origin, call.Cancellation) is not var (user, tenant, returnTo))
        {
            await call.ProblemAsync("sign_in_failed", "The issuer's answer does not hold, or the person may not come in.");
            return;
        }

        var opened = await call.Services.Sessions.OpenAsync(user, tenant, isCookie: true, "sso", call.Origin, call.Cancellation);
        SessionCookies.Set(call.Context, call.Services.Options, opened);
        Go(call, returnTo);
    }

    /// <summary>A path of this origin: what a browser could read as another host ("//host", "/\host") or as another line is none.</summary>
    private static bool IsOurs(string path) =>
        path.Length <= TextLengthMax && path[0] == '/' && (path.Length == 1 || path[1] != '/') && !path.Contains('\\', StringComparison.Ordinal) && path.All(letter => letter is > ' ' and < '\u007f');

    private static void Go(ApiCall call, string address)
    {
        call.Context.Response.StatusCode = StatusCodes.Status302Found;
        call.Context.Response.Headers.Location = address;
        call.Context.Response.Headers.CacheControl = "no-store";
    }

    private static string Redirect(ApiCall call) => PublicOrigin.Of(call.Context, call.Services.Options) + CallbackPath;

    private static CookieOptions Cookie(ApiCall call, TimeSpan? lives) => new()
    {
        HttpOnly = true, Secure = PublicOrigin.IsHttps(call.Context, call.Services.Options), SameSite = SameSiteMode.Lax, Path = "/v1/auth/oidc", MaxAge = lives, IsEssential = true,
    };

    private static SingleSignOnView View(string tenant, StoredSingleSignOn connection) => new(
        connection.Issuer!, connection.ClientId, connection.SealedSecret is not null, connection.EmailDomains, connection.Role, $"/v1/auth/oidc/{tenant}/start");
}
