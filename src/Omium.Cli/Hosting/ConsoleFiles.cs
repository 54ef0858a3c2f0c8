using Microsoft.Extensions.FileProviders;

namespace Omium.Cli.Hosting;

/// <summary>The console's files. A path of the console that is no file gets the page itself, which knows its routes.</summary>
internal static class ConsoleFiles
{
    private const string PageName = "index.html";

    /// <summary>What is a file or an endpoint, or is not there.</summary>
    private static readonly PathString[] NoPages = ["/v1", "/openapi", "/assets", "/docs"];

    /// <summary>Where the console lies: <c>OMIUM_CONSOLE</c>, else <c>console/</c> beside the program; null when it is not there.</summary>
    public static string? Find()
    {
        foreach (var candidate in (string?[])[Environment.GetEnvironmentVariable("OMIUM_CONSOLE"), Path.Combine(AppContext.BaseDirectory, "console")])
        {
            if (!string.IsNullOrEmpty(candidate) && File.Exists(Path.Combine(candidate, PageName)))
            {
                return Path.GetFullPath(candidate);
            }
        }

        return null;
    }

    /// <summary>Serves the files of a directory to whatever request no endpoint took.</summary>
    public static void Use(WebApplication application, string directory)
    {
        var files = new PhysicalFileProvider(directory);
        application.UseStaticFiles(new StaticFileOptions { FileProvider = files, OnPrepareResponse = given => SetCaching(given.Context) });
        var page = Path.Combine(directory, PageName);
        application.Use(async (http, next) =>
        {
            if (http.GetEndpoint() is null && IsPage(http.Request))
            {
                http.Response.ContentType = "text/html; charset=utf-8";
                http.Response.Headers.CacheControl = "no-cache";
                await http.Response.SendFileAsync(page, http.RequestAborted);
                return;
            }

            await next(http);
        });
    }

    /// <summary>
    /// Whether the console has a page there, rather than a file. A dot says nothing below the first segment: the ids of failures have dots, and
    /// their pages are opened anew like any other.
    /// </summary>
    private static bool IsPage(HttpRequest request) =>
        (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        && !Array.Exists(NoPages, prefix => request.Path.StartsWithSegments(prefix))
        && !(Path.HasExtension(request.Path.Value) && request.Path.Value!.LastIndexOf('/') == 0);

    /// <summary>Files under <c>assets/</c> carry a hash of their content in the name; all others are asked for again each time.</summary>
    private static void SetCaching(HttpContext http) => http.Response.Headers.CacheControl =
        http.Request.Path.StartsWithSegments("/assets") ? "public, max-age=31536000, immutable" : "no-cache";
}
