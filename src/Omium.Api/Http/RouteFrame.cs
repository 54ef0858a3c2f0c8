using Omium.Api.OpenApi;

namespace Omium.Api.Http;

/// <summary>
/// What surrounds a handler once the caller is known, as its route describes it.
/// <code>
/// caller -> rate limit -> size limit -> Idempotency-Key -> handler
/// </code>
/// </summary>
internal sealed class RouteFrame(RouteDescription route, ApiServices services)
{
    /// <summary>The handler in its frame.</summary>
    public ApiHandler Around(ApiHandler handler) => async call =>
    {
        call.Context.Response.Headers["Omium-Request-Id"] = call.Context.TraceIdentifier;
        if (!route.IsOpen && !await services.Rates.TryAdmitAsync(call.Context, call.Caller))
        {
            return;
        }

        call.BodyBytesMax = route.BodyBytesMax?.Invoke(services.Options) ?? services.Options.BodyBytesMax;
        await (route is { IsIdempotent: true, IsIdempotentByItself: false } ? services.Idempotency.RunAsync(call, handler) : handler(call));
    };
}
