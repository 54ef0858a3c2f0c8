using System.Globalization;
using System.Text;

namespace Omium.Cli.Bench;

/// <summary>The results as a table.</summary>
internal static class BenchReport
{
    public static string Of(BenchResults results)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{results.Machine.Processors} processors, {results.Machine.System}, {results.Machine.Runtime}");
        if (results.W1 is { } w1)
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"W1  five durable steps, one run at a time ({w1.Runs} runs after {w1.WarmUpRuns} to warm up)");
            Line(text, "runs/s", w1.RunsPerSecond, "0");
            Line(text, "p50", w1.P50Ms, "0.00 ms");
            Line(text, "p99", w1.P99Ms, "0.00 ms");
            Line(text, "records a run", w1.RecordsPerRun, "0.##");
            Line(text, "syncs a run", w1.SyncsPerRun, "0.##");
            Line(text, "fdatasync p50 of this disk", w1.MachineSyncP50Ms, "0.000 ms");
        }

        if (results.W2 is { } w2)
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"W2  the same, {w2.Runs} runs with {w2.InFlight} in flight");
            Line(text, "runs/s, first round", w2.ColdRunsPerSecond, "0");
            Line(text, $"runs/s, after {w2.WarmUpRuns.ToString(CultureInfo.InvariantCulture)} runs", w2.RunsPerSecond, "0");
            Line(text, "records a run", w2.RecordsPerRun, "0.##");
            Line(text, "appends a run", w2.AppendsPerRun, "0.##");
            Line(text, "commits a run", w2.CommitsPerRun, "0.####");
            Line(text, "syncs a run", w2.SyncsPerRun, "0.####");
            Line(text, "server processor time a run", w2.ServerCpuMsPerRun, "0.000 ms");
            Line(text, "the same, first round", w2.ColdServerCpuMsPerRun, "0.000 ms");
        }

        if (results.W8 is { } w8)
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"W8  process start to /readyz 200 (median of {w8.Starts})");
            Line(text, "first start", w8.FirstStartMs, "0 ms");
            Line(text, "next start", w8.NextStartMs, "0 ms");
            Line(text, "idle memory", w8.IdleMib, "0.0 MiB");
        }

        if (results.Contention is { } contention)
        {
            Contended(text, contention);
        }

        Api(text, results);
        return text.ToString().TrimEnd();
    }

    private static void Api(StringBuilder text, BenchResults results)
    {
        if (results.Listing is { } listing)
        {
            text.AppendLine().AppendLine(
                CultureInfo.InvariantCulture,
                $"Listing  {listing.Executions} executions, loaded in {listing.LoadSeconds:0} s ({listing.Executions / listing.LoadSeconds:0}/s), {listing.StoreMib:0} MiB");
            text.AppendLine("    rows   first ms    p50 ms    max ms   limit");
            foreach (var row in listing.Rows)
            {
                text.AppendLine(
                    CultureInfo.InvariantCulture, $"    {row.Rows,4}   {row.FirstMs,8:0.0}   {row.P50Ms,7:0.0}   {row.MaxMs,7:0.0}   {(row.LimitMs > 0 ? row.LimitMs : "-"),5}   {row.Name}");
            }
        }

        if (results.Reads is { } reads)
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"Reads  GET /v1/executions/{{id}} over {reads.Executions} ids, {reads.DuePerSecond}/s due, open loop");
            Line(text, "answered/s", reads.AnsweredPerSecond, "0");
            Line(text, "p50", reads.P50Ms, "0.00 ms");
            Line(text, "p99", reads.P99Ms, "0.00 ms");
            Line(text, "max", reads.MaxMs, "0.0 ms");
            Line(text, "server processor time a read", reads.ServerCpuMs, "0.000 ms");
        }

        if (results.Listeners is { } listeners)
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"Listeners  an event to {listeners.Listeners} event streams of one execution ({listeners.Rounds} events)");
            Line(text, "request to the last, p50", listeners.P50Ms, "0 ms");
            Line(text, "request to the last, max", listeners.MaxMs, "0 ms");
        }
    }

    private static void Contended(StringBuilder text, ContentionResult result)
    {
        text.AppendLine().AppendLine(
            CultureInfo.InvariantCulture, $"Contention  {result.Agents} agents, {result.Orders} orders over {result.Keys} things, {result.WorkMs} ms under the lock");
        text.AppendLine("    zipf   hottest   orders/s   with one lock   ratio   violations");
        foreach (var row in result.Rows)
        {
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"    {row.Zipf,4:0.0}   {row.HottestShare,6:0 %}   {row.OrdersPerSecond,8:0.0}   {row.OrdersPerSecondGlobal,13:0.0}   {row.OrdersPerSecond / row.OrdersPerSecondGlobal,4:0.0}x   {row.Violations,10}");
        }
    }

    private static void Line(StringBuilder text, string name, double value, string format) =>
        text.Append("    ").Append(name.PadRight(32)).AppendLine(value.ToString(format, CultureInfo.InvariantCulture));
}
