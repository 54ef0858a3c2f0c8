using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Omium.Api.Keys;

namespace Omium.Api.Http;

/// <summary>
/// A token bucket for each key: <see cref="OmiumApiOptions.RatePerSecond"/> tokens a second, at most <see cref="OmiumApiOptions.RateBurst"/> at once, a
/// request takes one. Counted in this process: two processes allow twice as much. Answers say how it stands with <c>RateLimit-Policy</c> and
/// <c>RateLimit</c> (draft-ietf-httpapi-ratelimit-headers), a refusal says with <c>Retry-After</c> when there is a token again.
/// </summary>
internal sealed class RateLimits(IOptions<OmiumApiOptions> configured, TimeProvider time)
{
    private const int BucketsMax = 100_000;
    private readonly ConcurrentDictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);

    /// <summary>Takes a token for a request of this caller and says how it stands; false when there is none, which was answered.</summary>
    public async ValueTask<bool> TryAdmitAsync(HttpContext context, Caller caller)
    {
        var options = configured.Value;
        if (options.RatePerSecond <= 0)
        {
            return true;
        }

        var (isAdmitted, left, secondsToNext) = BucketOf(caller.KeyId, options).Take(time.GetTimestamp(), time.TimestampFrequency, options);
        var headers = context.Response.Headers;
        headers["RateLimit-Policy"] = string.Create(CultureInfo.InvariantCulture, $"\"key\";q={options.RateBurst};w={Math.Max(1, (int)Math.Ceiling(options.RateBurst / options.RatePerSecond))}");
        headers["RateLimit"] = string.Create(CultureInfo.InvariantCulture, $"\"key\";r={left};t={secondsToNext}");
        if (isAdmitted)
        {
            return true;
        }

        headers.RetryAfter = secondsToNext.ToString(CultureInfo.InvariantCulture);
        await Problems.WriteAsync(
            context, options, "rate_limited", string.Create(CultureInfo.InvariantCulture, $"This key may send {options.RatePerSecond:0.###} requests a second, and {options.RateBurst} at once."));
        return false;
    }

    private Bucket BucketOf(string key, OmiumApiOptions options)
    {
        if (_buckets.Count >= BucketsMax)
        {
            _buckets.Clear(); // Everybody starts full again: too generous once, and never too much memory.
        }

        return _buckets.GetOrAdd(key, static (_, full) => new Bucket(full), options.RateBurst);
    }

    private sealed class Bucket(double tokens)
    {
        private readonly Lock _gate = new();
        private double _tokens = tokens;
        private long _at;

        public (bool IsAdmitted, int Left, int SecondsToNext) Take(long now, long ticksPerSecond, OmiumApiOptions options)
        {
            lock (_gate)
            {
                _tokens = _at == 0 ? _tokens : Math.Min(options.RateBurst, _tokens + (Math.Max(0, now - _at) * options.RatePerSecond / ticksPerSecond));
                _at = now;
                var isAdmitted = _tokens >= 1;
                _tokens -= isAdmitted ? 1 : 0;
                return (isAdmitted, (int)_tokens, (int)Math.Ceiling(Math.Max(0, 1 - _tokens) / options.RatePerSecond));
            }
        }
    }
}
