using System.Reflection;

namespace Omium.Cli.Hosting;

/// <summary>The pages of docs/errors, which the program carries with it: the <c>type</c> of every problem leads to one.</summary>
internal static class ErrorPages
{
    private const string Prefix = "docs/errors/";

    /// <summary>Serves them at <c>/docs/errors/{page}</c>, as plain text, which browsers show.</summary>
    public static void Map(WebApplication application) => application.MapGet("/" + Prefix + "{page}", AnswerAsync);

    private static async Task AnswerAsync(HttpContext http)
    {
        await using var page = Assembly.GetExecutingAssembly().GetManifestResourceStream(Prefix + http.Request.RouteValues["page"]);
        if (page is null)
        {
            await HostProblem.WriteAsync(http, "not_found", "There is no such page.");
            return;
        }

        http.Response.ContentType = "text/plain; charset=utf-8";
        await page.CopyToAsync(http.Response.Body, http.RequestAborted);
    }
}
