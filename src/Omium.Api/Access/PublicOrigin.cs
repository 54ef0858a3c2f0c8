using Microsoft.AspNetCore.Http;

namespace Omium.Api.Access;

/// <summary>The origin that browsers see: what the options say, else what the request says.</summary>
internal static class PublicOrigin
{
    public static string Of(HttpContext context, OmiumApiOptions options) =>
        options.PublicUrl?.GetLeftPart(UriPartial.Authority) ?? $"{context.Request.Scheme}://{context.Request.Host}";

    public static bool IsHttps(HttpContext context, OmiumApiOptions options) => options.PublicUrl is { } url ? url.Scheme == Uri.UriSchemeHttps : context.Request.IsHttps;
}
