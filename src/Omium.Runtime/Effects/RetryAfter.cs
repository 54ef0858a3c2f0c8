using System.Globalization;

namespace Omium.Runtime.Effects;

/// <summary>How long the other side asks to wait.</summary>
internal static class RetryAfter
{
    /// <summary>Longest wait that is believed: one day. A header may hold anything.</summary>
    public const long WaitMsMax = 24 * 60 * 60 * 1000L;

    /// <summary>
    /// Reads <c>retry-after-ms</c> (milliseconds; Azure OpenAI and others) and else <c>Retry-After</c> (RFC 9110 section 10.2.3: seconds, or an
    /// HTTP date). Null when neither is there or neither can be read; a date in the past is 0.
    /// </summary>
    public static long? ReadMs(string? retryAfterMs, string? retryAfter, DateTimeOffset now)
    {
        if (Number(retryAfterMs) is { } ms)
        {
            return Bounded(ms);
        }

        if (Number(retryAfter) is { } seconds)
        {
            return Bounded(seconds * 1000);
        }

        return DateTimeOffset.TryParse(
            retryAfter, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces, out var date)
            ? Bounded((date - now).TotalMilliseconds)
            : null;
    }

    private static double? Number(string? text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite,
            CultureInfo.InvariantCulture, out var number) ? number : null;

    private static long Bounded(double ms) => (long)Math.Ceiling(Math.Clamp(ms, 0, WaitMsMax));
}
