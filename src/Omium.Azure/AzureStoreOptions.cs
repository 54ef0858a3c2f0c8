using Azure.Core.Pipeline;

namespace Omium.Azure;

/// <summary>How the stores on Azure Storage behave. Every option has a default that suits a Functions app.</summary>
public sealed record AzureStoreOptions
{
    /// <summary>
    /// Put before the names of tables and containers, so that several installations share an account: 1 to 20 letters and digits, a letter first,
    /// lower case. Default <c>omium</c>.
    /// </summary>
    public string Prefix { get; init; } = "omium";

    /// <summary>Repetitions of a request that was throttled (429, 503), failed (5xx) or got no answer; 0 to 10, default 5.</summary>
    public int RetriesMax { get; init; } = 5;

    /// <summary>Wait before the first repetition; it doubles each time, with jitter. A longer <c>Retry-After</c> is heeded. Default 200 ms.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest wait between two repetitions; default 10 s.</summary>
    public TimeSpan RetryDelayMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time for one try; default 30 s. A payload of more than 8 MiB goes in blocks of that size, each with this time.</summary>
    public TimeSpan TryTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Names of events (as in <c>LogRecord.EventTypes</c>) whose records are marked in the outbox before they are appended. Default: none, so
    /// that nothing is marked where nobody publishes.
    /// </summary>
    public IReadOnlySet<string> OutboxEvents { get; init; } = new HashSet<string>();

    /// <summary>
    /// Rows that <c>CountByStatusAsync</c> reads at most, default 100,000; beyond that it answers <c>count_unavailable</c> rather than a wrong
    /// number after a minute.
    /// </summary>
    public int CountRowsMax { get; init; } = 100_000;

    /// <summary>Tells the time for what is old; never for what is decided.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>What carries the requests; null (default) = Azure.Core's shared HttpClient.</summary>
    public HttpPipelineTransport? Transport { get; init; }
}
