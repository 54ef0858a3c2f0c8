using System.Globalization;
using System.Text.Json;
using Omium.Cli.Client;
using Omium.Contracts.Executions;

namespace Omium.Cli.Commands;

/// <summary>Executions for people.</summary>
internal static class ExecutionReport
{
    /// <summary>Columns of <see cref="Rows"/>.</summary>
    public static IReadOnlyList<string> Headings { get; } = ["STEP", "VISIT", "ATTEMPT", "STATUS", "CHECKPOINT", "OUTPUT"];

    /// <summary>The execution as a whole.</summary>
    public static void Print(ExecutionView execution)
    {
        Console.WriteLine($"{execution.Id}  {execution.Workflow} version {execution.WorkflowVersion.ToString(CultureInfo.InvariantCulture)}");
        Console.WriteLine($"{Status(execution)}, record {execution.Seq.ToString(CultureInfo.InvariantCulture)}, started {Report.Time(execution.CreatedAt)}{(execution.EndedAt is { } ended ? $", ended {Report.Time(ended)}" : "")}");
        Report.Table(Headings, Rows(execution), "No step has been scheduled.");
        PrintEnd(execution);
    }

    /// <summary>One row for each visit.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Rows(ExecutionView execution) =>
        [.. execution.Steps.Select(IReadOnlyList<string> (step) =>
        [
            step.Step, step.Visit.ToString(CultureInfo.InvariantCulture), step.Attempt.ToString(CultureInfo.InvariantCulture), step.Status,
            step.Checkpoint ?? "", Report.Short(step.Output),
        ])];

    /// <summary>Why it stopped, and what to do about it; the output when it succeeded.</summary>
    public static void PrintEnd(ExecutionView execution)
    {
        if (execution.Failure is { } failure)
        {
            Console.WriteLine($"{failure.Step} failed: {failure.Message} [{failure.Class}{(failure.Code == failure.Class ? "" : $", {failure.Code}")}]");
            if (failure.Expected is { } expected)
            {
                Console.WriteLine($"  expected  {expected}");
                Console.WriteLine($"  actual    {Report.Short(failure.Actual, 200)}");
            }
        }

        foreach (var review in execution.OpenReviews)
        {
            Console.WriteLine($"Waits for you: omium approve {review} [--edit-prompt TEXT | --decision ...]");
        }

        if (execution.Output is { } output)
        {
            Console.WriteLine(ClientJson.Print(output));
        }
    }

    /// <summary>The blast radius.</summary>
    public static void Print(RollbackView rollback)
    {
        Console.WriteLine($"{(rollback.Applied ? "Taken back" : "Would take back")} to {rollback.To}:");
        Report.Table(
            ["STEP", "VISIT"], [.. rollback.Affected.Select(IReadOnlyList<string> (visit) => [visit.Step, visit.Visit.ToString(CultureInfo.InvariantCulture)])], "nothing");
        foreach (var effect in rollback.Compensations)
        {
            Console.WriteLine($"  undone   {effect}");
        }

        foreach (var effect in rollback.Irreversible)
        {
            Console.WriteLine($"  stands   {effect} (cannot be undone)");
        }

        foreach (var orphan in rollback.Orphans)
        {
            Console.WriteLine($"  orphans  {orphan.Step} (visit {orphan.Visit.ToString(CultureInfo.InvariantCulture)}), which was made from it");
        }
    }

    /// <summary>The entries of a timeline, whether it came as a list or as a page.</summary>
    public static List<TimelineEntry> Timeline(JsonElement answer) =>
        (answer.ValueKind == JsonValueKind.Array ? answer : answer.GetProperty("items")).Deserialize(ClientJson.Default.ListTimelineEntry)!;

    /// <summary>An entry in words.</summary>
    public static string Words(TimelineEntry entry) => entry.Detail is { } detail ? $"{entry.Title}: {detail}" : entry.Title;

    /// <summary>The status with what it waits for.</summary>
    public static string Status(ExecutionView execution) => execution.WaitingFor is { } what ? $"{execution.Status} ({what})" : execution.Status;
}
