using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Omium.Contracts;
using Omium.Contracts.Errors;
using Omium.Contracts.Workflows;

namespace Omium.Api.Http;

/// <summary>Problem documents, RFC 9457, made from the error catalogue.</summary>
internal static class Problems
{
    /// <summary>Answers are read by people too: quotes and letters are not escaped. Safe, because no answer is ever served as HTML.</summary>
    public static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the problem of a code. A code the catalogue does not have is a bug and answers 500.</summary>
    public static async Task WriteAsync(HttpContext context, OmiumApiOptions options, string code, string? detail, IReadOnlyList<SpecProblem>? errors = null, string? digest = null, JsonElement? shown = null)
    {
        var known = ErrorCatalogue.Find(code);
        var error = known ?? ErrorCatalogue.Find("internal_error")!;
        var problem = new Problem
        {
            Type = options.ErrorPagePrefix + error.Page,
            Title = error.Title,
            Status = error.HttpStatus,
            Code = error.Code,
            Detail = known is null ? $"{code}: {detail}" : detail is null ? error.Mend : $"{detail} {error.Mend}",
            Errors = errors,
            Digest = digest,
            Shown = shown,
        };
        context.Response.StatusCode = error.HttpStatus;
        context.Response.ContentType = "application/problem+json";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        await using var writer = new Utf8JsonWriter(context.Response.BodyWriter, Readable);
        JsonSerializer.Serialize(writer, problem, ContractJson.Default.Problem);
        await writer.FlushAsync(context.RequestAborted);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
