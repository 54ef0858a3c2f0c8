using System.Text.Json;
using Omium.Contracts.Errors;

namespace Omium.Cli.Hosting;

/// <summary>Problem documents (RFC 9457) of the host itself: what is refused before the API sees it.</summary>
internal static class HostProblem
{
    /// <summary>Answers with an error of the catalogue.</summary>
    public static async Task WriteAsync(HttpContext http, string code, string detail)
    {
        var error = ErrorCatalogue.Find(code)!;
        http.Response.StatusCode = error.HttpStatus;
        http.Response.ContentType = "application/problem+json";
        await using var writer = new Utf8JsonWriter(http.Response.BodyWriter);
        writer.WriteStartObject();
        writer.WriteString("type", "/" + error.Page);
        writer.WriteString("title", error.Title);
        writer.WriteNumber("status", error.HttpStatus);
        writer.WriteString("code", error.Code);
        writer.WriteString("detail", detail);
        writer.WriteEndObject();
    }
}
