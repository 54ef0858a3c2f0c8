using System.Text.Json.Serialization;

namespace Omium.Cli.Bench;

/// <summary>What the benchmark found; null where it was not measured.</summary>
internal sealed record BenchResults(MachineFacts Machine, SequentialResult? W1, ParallelResult? W2, StartResult? W8, ContentionResult? Contention = null)
{
    /// <summary>Listings.</summary>
    public ListingResult? Listing { get; init; }

    /// <summary>Reads.</summary>
    public ReadsResult? Reads { get; init; }

    /// <summary>Event streams.</summary>
    public ListenersResult? Listeners { get; init; }

    /// <summary>Something took longer than it may, or went wrong.</summary>
    public bool Fails => Contention?.Rows.Any(row => row.Violations > 0) == true || Listing?.Rows.Any(row => row.LimitMs > 0 && row.P50Ms > row.LimitMs) == true;
}

/// <summary>What the numbers were measured on.</summary>
internal sealed record MachineFacts(int Processors, string System, string Runtime);

/// <summary>W1: five durable steps one after another, one run at a time. Times in milliseconds.</summary>
/// <param name="Runs">Runs that counted.</param>
/// <param name="WarmUpRuns">Runs before them.</param>
/// <param name="RunsPerSecond">Throughput.</param>
/// <param name="P50Ms">Median time of a run as the client sees it.</param>
/// <param name="P99Ms">99th percentile.</param>
/// <param name="RecordsPerRun">Records in the log per run, read back.</param>
/// <param name="SyncsPerRun">Syncs that the operating system confirmed, per run.</param>
/// <param name="MachineSyncP50Ms">Median of an 8 KiB write and fdatasync on the same disk, measured before and after.</param>
internal sealed record SequentialResult(
    int Runs, int WarmUpRuns, double RunsPerSecond, double P50Ms, double P99Ms, double RecordsPerRun, double SyncsPerRun, double MachineSyncP50Ms);

/// <summary>W2: the same workflow, many in flight.</summary>
/// <param name="Runs">Runs of a round.</param>
/// <param name="InFlight">Runs in flight.</param>
/// <param name="ColdRunsPerSecond">The first round after the start of the server.</param>
/// <param name="WarmUpRuns">Runs before the warm rounds, the cold ones included.</param>
/// <param name="RunsPerSecond">Median of the warm rounds.</param>
/// <param name="RoundsRunsPerSecond">Each warm round.</param>
/// <param name="RecordsPerRun">Records per run, read back from a sample.</param>
/// <param name="AppendsPerRun">Appends that the store counted, per run.</param>
/// <param name="CommitsPerRun">Transactions per run: group commit makes them fewer than appends.</param>
/// <param name="SyncsPerRun">Syncs per run.</param>
/// <param name="ServerCpuMsPerRun">Processor time of the server per run.</param>
/// <param name="ColdServerCpuMsPerRun">The same in the first round: what compiling still takes is in it.</param>
internal sealed record ParallelResult(
    int Runs, int InFlight, double ColdRunsPerSecond, int WarmUpRuns, double RunsPerSecond, IReadOnlyList<double> RoundsRunsPerSecond, double RecordsPerRun,
    double AppendsPerRun, double CommitsPerRun, double SyncsPerRun, double ServerCpuMsPerRun, double ColdServerCpuMsPerRun);

/// <summary>W8: process start to <c>/readyz</c> 200, and memory at rest.</summary>
/// <param name="Starts">Starts of each kind.</param>
/// <param name="FirstStartMs">Median with an empty data directory.</param>
/// <param name="NextStartMs">Median with the directory of an earlier start.</param>
/// <param name="IdleMib">Resident memory after idling.</param>
internal sealed record StartResult(int Starts, double FirstStartMs, double NextStartMs, double IdleMib);

/// <summary>Contention: agents that order the same things at the same time, each order under the lock of its thing.</summary>
/// <param name="Agents">Agents.</param>
/// <param name="Orders">Orders of a run.</param>
/// <param name="Keys">Things.</param>
/// <param name="WorkMs">Time of the call under the lock, in milliseconds.</param>
/// <param name="Rows">One for each distribution.</param>
internal sealed record ContentionResult(int Agents, int Orders, int Keys, int WorkMs, IReadOnlyList<ContentionRow> Rows);

/// <summary>One distribution of demand.</summary>
/// <param name="Zipf">Exponent of Zipf's law.</param>
/// <param name="OrdersPerSecond">With a lock for each thing.</param>
/// <param name="OrdersPerSecondGlobal">With one lock for all things.</param>
/// <param name="Violations">Units shipped twice or missing, of both: must be 0.</param>
/// <param name="HottestShare">Part of the orders that want the hottest thing.</param>
internal sealed record ContentionRow(double Zipf, double OrdersPerSecond, double OrdersPerSecondGlobal, int Violations, double HottestShare);

/// <summary>The printed form.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(BenchResults))]
internal sealed partial class BenchJson : JsonSerializerContext;
