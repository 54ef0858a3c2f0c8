namespace Omium.Cli.Bench;

/// <summary>What <c>omium bench</c> measures.</summary>
internal sealed record BenchOptions
{
    /// <summary>Where the servers' data directories are made, and removed afterwards. It must lie on the disk that is to be measured.</summary>
    public string Directory { get; init; } = Path.Combine(".omium", "bench");

    /// <summary>W1: runs, one at a time.</summary>
    public int SequentialRuns { get; init; } = 500;

    /// <summary>W1: runs before the first that counts.</summary>
    public int SequentialWarmUpRuns { get; init; } = 200;

    /// <summary>W2: runs in a round.</summary>
    public int ParallelRuns { get; init; } = 2_000;

    /// <summary>W2: runs in flight.</summary>
    public int InFlight { get; init; } = 1_000;

    /// <summary>W2: rounds between the first (cold) one and those that count as warm.</summary>
    public int WarmUpRounds { get; init; } = 5;

    /// <summary>W2: warm rounds; the median counts.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>W8: starts; the median counts.</summary>
    public int Starts { get; init; } = 10;

    /// <summary>W8: how long the server idles before its memory is read.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Contention.</summary>
    public ContentionOptions Contention { get; init; } = new();

    /// <summary>Listing: stored executions.</summary>
    public int ListedExecutions { get; init; } = 1_000_000;

    /// <summary>Reads.</summary>
    public ReadsOptions Reads { get; init; } = new();

    /// <summary>Listeners: open event streams.</summary>
    public int Listeners { get; init; } = 1_000;

    /// <summary>Listeners: events.</summary>
    public int ListenerRounds { get; init; } = 10;

    /// <summary>Which of w1, w2, w8, contention, listing, reads, listeners; the first four when empty.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];
}
