using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Omium.Api.Http;

namespace Omium.Api.OpenApi;

/// <summary><c>GET /openapi/v1.json</c>: this API, for programs that make clients. Anybody may read it.</summary>
internal static class OpenApiEndpoints
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Map(ApiRoutes routes)
    {
        // Made when it is first asked for: a start does not wait for it.
        var document = new Lazy<byte[]>(() => JsonSerializer.SerializeToUtf8Bytes(OpenApiBuilder.Build(routes.Descriptions), Indented));
        routes.MapOpen("GET", "/openapi/v1.json", call => WriteAsync(call, document.Value))
            .As("get_openapi", "This document.").Answers(StatusCodes.Status200OK, "application/json", "OpenAPI 3.1.");
    }

    private static async Task WriteAsync(ApiCall call, byte[] document)
    {
        call.Context.Response.ContentType = "application/json";
        call.Context.Response.ContentLength = document.Length;
        await call.Context.Response.Body.WriteAsync(document, call.Cancellation);
    }
}
