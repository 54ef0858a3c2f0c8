using Omium.Api;
using Omium.Runtime.Effects;

namespace Omium.Cli.Hosting;

/// <summary>
/// Limits of the HTTP API on one machine: section <c>api</c>, or <c>OMIUM_API_*</c> in the environment. No rate limit unless one is asked for: who holds a key
/// of this machine would only stand in his own way.
/// </summary>
internal static class ApiLimits
{
    /// <summary>Reads the limits; what is absent keeps its default, what is out of range is an error at start.</summary>
    /// <exception cref="InvalidOperationException">A value cannot be read or is out of range; the message names it.</exception>
    public static void Apply(OmiumApiOptions options, IConfiguration configuration)
    {
        var reader = new OptionReader(configuration, "api", "OMIUM_API");
        options.RatePerSecond = reader.Long("rate_per_second", 0, 0, 1_000_000);
        options.RateBurst = (int)reader.Long("rate_burst", options.RateBurst, 1, 1_000_000);
        options.ApprovalAttemptsMax = (int)reader.Long("approval_attempts_max", options.ApprovalAttemptsMax, 1, 1_000_000);
        options.StreamListenersMax = (int)reader.Long("stream_listeners_max", options.StreamListenersMax, 1, 100_000);
        options.StreamListenersPerTenantMax = (int)reader.Long(
            "stream_listeners_per_tenant_max", Math.Min(options.StreamListenersPerTenantMax, options.StreamListenersMax), 1, 100_000);
        options.BodyBytesMax = (int)reader.Long("body_bytes_max", options.BodyBytesMax, 1_024, 256 * 1024 * 1024);
        options.InputBytesMax = (int)reader.Long("input_bytes_max", options.InputBytesMax, 1_024, 256 * 1024 * 1024);
    }
}
