using Microsoft.AspNetCore.Http;

namespace Omium.Api.Http;

/// <summary>
/// Entity tags of documents (RFC 9110 section 8.8.3): strong, opaque, another one with every change. <c>If-None-Match</c> on a read spares the body when it has not
/// changed (304); <c>If-Match</c> on a write refuses when it has (412).
/// </summary>
internal static class ETags
{
    /// <summary>Sets the tag of an answer.</summary>
    public static void Set(ApiCall call, string tag) => call.Context.Response.Headers.ETag = $"\"{tag}\"";

    /// <summary>True when the client has this one already, which was answered with 304.</summary>
    public static bool TryNotModified(ApiCall call, string tag)
    {
        Set(call, tag);
        if (!Names(call.Request.Headers.IfNoneMatch.ToString(), tag))
        {
            return false;
        }

        call.Context.Response.StatusCode = StatusCodes.Status304NotModified;
        return true;
    }

    /// <summary>Whether a write may replace what stands: <paramref name="tag"/>, or null when nothing does.</summary>
    public static bool Allows(ApiCall call, string? tag)
    {
        var (match, noneMatch) = (call.Request.Headers.IfMatch.ToString(), call.Request.Headers.IfNoneMatch.ToString());
        return (match.Length == 0 || (tag is not null && Names(match, tag))) && (noneMatch.Length == 0 || tag is null || !Names(noneMatch, tag));
    }

    /// <summary>Whether a list of tags names one; <c>*</c> names any. A weak tag names what it says: nothing here is compared weakly.</summary>
    private static bool Names(string list, string tag) =>
        list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Any(named => named == "*" || named.Trim('"') == tag || named == $"W/\"{tag}\"");
}
