namespace Omium.Api.OpenApi;

/// <summary>What every route of a kind takes and answers, so that none has to say it.</summary>
internal static class CommonOperation
{
    /// <summary>Headers that the frame around the handler reads.</summary>
    public static IEnumerable<RouteParameter> Parameters(RouteDescription route) => route.IsIdempotent
        ? [new RouteParameter("Idempotency-Key", "header", "Makes the request safe to send again: kept for 24 hours, 1 to 255 characters.", "string")]
        : [];

    /// <summary>Codes that the frame, the reading of parameters and bodies, and the store may answer with.</summary>
    public static IEnumerable<string> Codes(RouteDescription route)
    {
        var codes = new List<string> { "request_broken", "internal_error" };
        if (!route.IsOpen)
        {
            codes.AddRange(["unauthenticated", "forbidden", "csrf_missing", "rate_limited", "storage_failed", "storage_full", "execution_set_aside"]);
        }

        if (route.Body is not null)
        {
            codes.AddRange(["invalid_json", "unsupported_media_type", "body_too_large", "validation_failed"]);
        }

        if (route.Parameters.Any(parameter => parameter.In == "query"))
        {
            codes.Add("validation_failed");
        }

        if (route.IsIdempotent)
        {
            codes.AddRange(["validation_failed", "idempotency_mismatch"]);
        }

        if (route is { IsIdempotent: true, IsIdempotentByItself: false })
        {
            codes.Add("idempotency_in_flight");
        }

        if (route.Pattern.StartsWith("/v1/executions/{id}", StringComparison.Ordinal))
        {
            codes.Add("execution_not_found");
        }

        return codes;
    }
}
