using System.Text.Json;
using Omium.Api.Executions;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;

namespace Omium.Api.Failures;

/// <summary>Names one failure: <c>{execution}.{step}.{visit}.{attempt}</c>.</summary>
internal readonly record struct FailureName(string Execution, string Step, int Visit, int Attempt)
{
    public VisitKey Key => new(Step, Visit);

    public static FailureName? Parse(string id)
    {
        var parts = id.Split('.');
        return parts.Length == 4 && int.TryParse(parts[2], out var visit) && int.TryParse(parts[3], out var attempt) ? new FailureName(parts[0], parts[1], visit, attempt) : null;
    }
}

/// <summary>What the log says about one failure: the state just before it, the failure, and what followed without a person.</summary>
internal sealed record FailureStory(ExecutionState Before, StepFailed Failure, long AtMs)
{
    private const int ActionsMax = 200;

    // What Omium does by itself. A person's commands end the list; what they lead to is not automatic.
    private static readonly string[] AutomaticKinds =
    [
        "rule.applied", "rollback.completed", "compensation.settled", "residue.recorded", "edits.applied", "execution.paused", "notification.sent",
        "review.requested", "retry.scheduled", "step.skipped", "execution.failed",
    ];

    private static readonly string[] PersonsCommands = ["decide_review", "pause", "resume", "cancel", "rollback", "retry"];

    public IReadOnlyList<TimelineEntry> AutomaticActions { get; init; } = [];

    /// <summary>When the execution was paused by it, Unix ms; null when it was not.</summary>
    public long? PausedMs { get; init; }

    /// <summary>The review that asked about it, with its decision, as of now.</summary>
    public ReviewState? Review { get; init; }

    /// <summary>Reads the story from the log; null when there is no such failure.</summary>
    public static async Task<FailureStory?> ReadAsync(ApiServices services, ExecutionCell cell, FailureName name)
    {
        var timeline = new TimelineViews();
        var state = ExecutionState.Empty;
        var actions = new List<TimelineEntry>();
        FailureStory? story = null;
        await foreach (var (record, body) in ExecutionHistory.ReadAsync(services, cell.Stream))
        {
            var lines = timeline.Lines(record, body);
            if (story is not null && PersonsCommands.Contains(record.Command))
            {
                break;
            }

            for (var index = 0; index < body.Events.Count; index++)
            {
                var happened = body.Events[index];
                if (story is null && happened is StepFailed failed && failed.Step == name.Step && failed.Visit == name.Visit && failed.Attempt == name.Attempt)
                {
                    story = new FailureStory(state, failed, record.AtUnixMs);
                }
                else if (story is not null && AutomaticKinds.Contains(lines[index].Kind) && actions.Count < ActionsMax)
                {
                    actions.Add(lines[index]);
                }

                if (story is { PausedMs: null } && happened is ExecutionPaused)
                {
                    story = story with { PausedMs = record.AtUnixMs };
                }
            }

            state = ExecutionKernel.Fold(state, body);
        }

        // Asked again after it expired, a question has several reviews: the newest counts.
        var review = cell.State.Reviews.Values.OrderByDescending(asked => asked.RequestedMs).ThenBy(asked => asked.ExpiredMs).FirstOrDefault(
            asked => asked.Request.Kind == "failure" && asked.Request.Step == name.Step && asked.Request.Visit == name.Visit && asked.Request.Attempt == name.Attempt);
        return story is null ? null : story with { AutomaticActions = actions, Review = review };
    }

    /// <summary>The failed visit as it was when it failed; a visit that failed in the record that scheduled it is taken from the state now.</summary>
    public VisitState Visit(ExecutionState now) => Before.Visits.GetValueOrDefault(new VisitKey(Failure.Step, Failure.Visit)) ?? now.Visits[new VisitKey(Failure.Step, Failure.Visit)];

    /// <summary>Values that the answer shows.</summary>
    public IEnumerable<JsonElement> Values(ExecutionState now) =>
        new JsonElement?[] { Before.Input, Visit(now).Input, Failure.Output, Review?.Request.Shown }
            .Concat(Before.Visits.Values.Select(visit => visit.Output))
            .Where(value => value is { ValueKind: not JsonValueKind.Undefined }).Select(value => value!.Value);
}
