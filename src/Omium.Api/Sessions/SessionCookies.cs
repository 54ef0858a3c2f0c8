using Microsoft.AspNetCore.Http;
using Omium.Api.Access;

namespace Omium.Api.Sessions;

/// <summary>
/// The cookies of a session where console and API share an origin. Scripts cannot read them (HttpOnly), other sites cannot cause them to be sent
/// (SameSite=Strict), and over HTTPS their names bind them to this host (<c>__Host-</c>). Over plain HTTP, which is served on the loopback address
/// only, they carry other names, so that the one kind is never taken for the other.
/// </summary>
internal static class SessionCookies
{
    /// <summary>The header that must carry the session's CSRF token.</summary>
    public const string CsrfHeader = "Omium-Csrf";

    private const string AccessName = "omium_session", RefreshName = "omium_refresh";

    public static string? Access(HttpContext context, OmiumApiOptions options) => Read(context, options, AccessName);

    public static string? Refresh(HttpContext context, OmiumApiOptions options) => Read(context, options, RefreshName);

    /// <summary>Sets both.</summary>
    public static void Set(HttpContext context, OmiumApiOptions options, OpenedSession opened)
    {
        var until = DateTimeOffset.FromUnixTimeMilliseconds(opened.Session.IdleExpiresMs);
        context.Response.Cookies.Append(Name(context, options, AccessName), opened.AccessToken, Options(context, options, DateTimeOffset.FromUnixTimeMilliseconds(opened.Session.AccessExpiresMs)));
        context.Response.Cookies.Append(Name(context, options, RefreshName), opened.RefreshToken, Options(context, options, until));
    }

    /// <summary>Takes both away.</summary>
    public static void Clear(HttpContext context, OmiumApiOptions options)
    {
        foreach (var name in (ReadOnlySpan<string>)[AccessName, RefreshName])
        {
            context.Response.Cookies.Delete(Name(context, options, name), Options(context, options, null));
        }
    }

    private static string? Read(HttpContext context, OmiumApiOptions options, string name) => context.Request.Cookies.TryGetValue(Name(context, options, name), out var value) && value.Length > 0 ? value : null;

    private static string Name(HttpContext context, OmiumApiOptions options, string name) => PublicOrigin.IsHttps(context, options) ? $"__Host-{name}" : name;

    private static CookieOptions Options(HttpContext context, OmiumApiOptions options, DateTimeOffset? expires) =>
        new() { HttpOnly = true, Secure = PublicOrigin.IsHttps(context, options), SameSite = SameSiteMode.Strict, Path = "/", Expires = expires, IsEssential = true };
}
