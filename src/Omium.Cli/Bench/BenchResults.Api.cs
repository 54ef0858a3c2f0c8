namespace Omium.Cli.Bench;

/// <summary>Listings and searches over many executions.</summary>
/// <param name="Executions">How many are stored.</param>
/// <param name="LoadSeconds">How long they took to be decided, appended and projected.</param>
/// <param name="StoreMib">Size of the data directory.</param>
/// <param name="Rows">One for each question.</param>
internal sealed record ListingResult(int Executions, double LoadSeconds, double StoreMib, IReadOnlyList<ListingRow> Rows);

/// <summary>One question. Times in milliseconds, as the client sees them.</summary>
/// <param name="Name">What is asked.</param>
/// <param name="Rows">Rows of the answer.</param>
/// <param name="FirstMs">The first time, with nothing in memory.</param>
/// <param name="P50Ms">Median of the others.</param>
/// <param name="MaxMs">Longest of the others.</param>
/// <param name="LimitMs">What it must stay under; 0 where nothing is promised.</param>
internal sealed record ListingRow(string Name, int Rows, double FirstMs, double P50Ms, double MaxMs, double LimitMs);

/// <summary>Reads of single executions, open loop. Times in milliseconds, from when each was due.</summary>
/// <param name="Executions">Distinct ids.</param>
/// <param name="DuePerSecond">Requests that fell due.</param>
/// <param name="AnsweredPerSecond">Requests that were answered.</param>
/// <param name="P50Ms">Median.</param>
/// <param name="P99Ms">99th percentile.</param>
/// <param name="MaxMs">Longest.</param>
/// <param name="ServerCpuMs">Processor time of the server for one.</param>
internal sealed record ReadsResult(int Executions, int DuePerSecond, double AnsweredPerSecond, double P50Ms, double P99Ms, double MaxMs, double ServerCpuMs);

/// <summary>Event streams of one execution. Times in milliseconds, from the request to the last listener.</summary>
/// <param name="Listeners">Open streams.</param>
/// <param name="Rounds">Events.</param>
/// <param name="P50Ms">Median.</param>
/// <param name="MaxMs">Longest.</param>
internal sealed record ListenersResult(int Listeners, int Rounds, double P50Ms, double MaxMs);
