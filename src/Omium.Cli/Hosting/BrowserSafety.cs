using Microsoft.Net.Http.Headers;

namespace Omium.Cli.Hosting;

/// <summary>
/// What a server on the loopback address owes the browser beside it: it answers to its own names only (a page that has rebound its name to
/// 127.0.0.1 gets nothing), and what it serves may run no foreign script and sit in no frame.
/// </summary>
internal static class BrowserSafety
{
    // Styles inline: the editor, the graph and the charts write them. Workers from blobs: the graph's layout runs in one.
    private const string Policy =
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        + "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    /// <summary>Refuses foreign hosts and sets the headers.</summary>
    public static async Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        var headers = http.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        if (!Servers.LocalServer.IsOurs(http.Request.Host.Host))
        {
            await HostProblem.WriteAsync(http, "host_not_allowed", "This server answers to 127.0.0.1 and localhost only.");
            return;
        }

        if (!http.Request.Path.StartsWithSegments("/v1"))
        {
            headers.ContentSecurityPolicy = Policy;
            headers.XFrameOptions = "DENY";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()";
        }
        else
        {
            headers[HeaderNames.CacheControl] = "no-store";
        }

        await next(http);
    }
}
