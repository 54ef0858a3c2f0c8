using System.Globalization;
using System.Text;

namespace Omium.Simulation.Running;

/// <summary>The page that a run of many seeds prints.</summary>
internal static class SimulationReport
{
    public static string Of(SimulationRuns.Outcome outcome, int cores)
    {
        var text = new StringBuilder();
        var seconds = outcome.Took.TotalSeconds;
        Line(text, $"{outcome.Seeds:N0} seeds, {outcome.Executions:N0} executions, {outcome.Records:N0} records, {outcome.Steps:N0} steps in {seconds:F1} s on {cores} cores");
        Line(text, $"{outcome.Executions / seconds / cores:F0} executions per second per core, {outcome.Seeds / seconds:F0} seeds per second");
        text.AppendLine(Failures(outcome));

        Share(text, "without a person, effects idempotent or verifiable only, nobody interfering", outcome.Unattended);
        text.AppendLine(outcome.AskedFor.Count == 0 ? "" : $"  asked all the same: seeds {string.Join(", ", outcome.AskedFor.Order().Take(20))}");
        Share(text, "without a person, all others (irreversible effects, approvals, policies that ask, people who interfere)", outcome.Attended);
        foreach (var kind in outcome.Tally.Drawn.GroupBy(pair => pair.Key.Kind).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            Line(text, $"\n{kind.Key}");
            foreach (var (key, count) in kind.OrderByDescending(pair => pair.Value))
            {
                Line(text, $"  {count,10:N0}  {key.Value}");
            }
        }

        Line(text, $"\nfault x what it met");
        foreach (var fault in outcome.Tally.Faults.GroupBy(pair => pair.Key.Fault).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            Line(text, $"  {fault.Key}: {string.Join(", ", fault.OrderByDescending(pair => pair.Value).Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key.Event} {pair.Value:N0}")))}");
        }

        return text.ToString();
    }

    /// <summary>The seeds that break a law, each with the first that it broke.</summary>
    public static string Failures(SimulationRuns.Outcome outcome)
    {
        var lines = outcome.Failures.OrderBy(failure => failure.Seed).Take(20).Select(failure => $"  seed {failure.Seed}: {failure.Violation.Split('\n')[0]}");
        return string.Join('\n', lines.Prepend($"{outcome.Failures.Count} seeds break a law"));
    }

    private static void Share(StringBuilder text, string what, (long Total, long Asked) share) =>
        Line(text, $"{(share.Total == 0 ? 100 : 100.0 * (share.Total - share.Asked) / share.Total):F4} % of {share.Total:N0} executions finish {what}");

    private static void Line(StringBuilder text, FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
}
