using System.Text.Json;
using Omium.Api.Executions;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;

namespace Omium.Api.Failures;

/// <summary>Names one failure: <c>{execution}.{step}.{visit}.{attempt}</c>; of a disputed handoff <c>{execution}.{sender}.{visit}.h{edge}r{measurement}</c>.</summary>
internal readonly record struct FailureName(string Execution, string Step, int Visit, int Attempt, string? Dispute = null)
{
    public VisitKey Key => new(Step, Visit);

    public static FailureName? Parse(string id)
    {
        var parts = id.Split('.');
        return parts.Length != 4 || !int.TryParse(parts[2], out var visit) ? null
            : parts[3].StartsWith('h') ? new FailureName(parts[0], parts[1], visit, 0, id)
            : int.TryParse(parts[3], out var attempt) ? new FailureName(parts[0], parts[1], visit, attempt) : null;
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

    /// <summary>The version that the run had in the record of the failure, also when that is the one that began it.</summary>
    public string SpecDigest { get; init; } = Before.SpecDigest;

    /// <summary>The disputed handoff, when that is what it is about.</summary>
    public HandoffDisputed? Dispute { get; init; }

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
            var after = ExecutionKernel.Fold(state, body);
            if (story is not null && PersonsCommands.Contains(record.Command))
            {
                break;
            }

            for (var index = 0; index < body.Events.Count; index++)
            {
                var happened = body.Events[index];
                if (story is null && FailureOf(cell.State, happened, name) is { } failed)
                {
                    story = new FailureStory(state, failed, record.AtUnixMs) { Dispute = happened as HandoffDisputed, SpecDigest = after.SpecDigest };
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

            state = after;
        }

        // Asked again after it expired, a question has several reviews: the newest counts.
        var review = cell.State.Reviews.Values.OrderByDescending(asked => asked.RequestedMs).ThenBy(asked => asked.ExpiredMs).FirstOrDefault(
            asked => asked.Request.Step == name.Step && asked.Request.Visit == name.Visit
            && (name.Dispute is null ? asked.Request.Kind == "failure" && asked.Request.Attempt == name.Attempt : DisputeOf(cell.State, asked.Request) == name.Dispute));
        return story is null ? null : story with { AutomaticActions = actions, Review = review };
    }

    /// <summary>Id of the dispute that a review asks about; null when it asks about something else.</summary>
    public static string? DisputeOf(ExecutionState state, ReviewRequested request) =>
        request.Kind == "handoff" && EffectId.TryParse(request.Effect ?? "", out var id)
            ? FailureLedger.DisputeId(state.ExecutionId, new HandoffDisputed(id.Number - 1, id.Step, id.Visit, id.Attempt, "", "", "", []))
            : null;

    /// <summary>A dispute as a failure of its sender: what was said is what was expected, what was seen is what there is.</summary>
    public static StepFailed FailureOf(ExecutionState state, HandoffDisputed dispute)
    {
        var handoff = state.Handoffs[new HandoffKey(dispute.Edge, new VisitKey(dispute.Step, dispute.Visit))];
        var expected = string.Join("; ", dispute.Differences.Select(difference => $"{difference.Claim} = {difference.Said.GetRawText()}"));
        var actual = JsonMake.Object([.. dispute.Differences.Select(difference => (difference.Claim, difference.Problem is { } problem ? JsonMake.Text(problem) : difference.Seen ?? JsonMake.Null))]);
        return new StepFailed(
            dispute.Step, dispute.Visit, state.Visits[handoff.Key.From].Attempt, FailureClasses.HandoffDisputed, dispute.Code, dispute.Message, dispute.Fingerprint,
            handoff.Proposal.Message, expected, actual, false, null);
    }

    private static StepFailed? FailureOf(ExecutionState now, ExecutionEvent happened, FailureName name) => happened switch
    {
        StepFailed e when name.Dispute is null && e.Step == name.Step && e.Visit == name.Visit && e.Attempt == name.Attempt => e,
        HandoffDisputed e when name.Dispute is { } dispute && FailureLedger.DisputeId(now.ExecutionId, e) == dispute => FailureOf(now, e),
        _ => null,
    };

    /// <summary>The failed visit as it was when it failed; a visit that failed in the record that scheduled it is taken from the state now.</summary>
    public VisitState Visit(ExecutionState now) => Before.Visits.GetValueOrDefault(new VisitKey(Failure.Step, Failure.Visit)) ?? now.Visits[new VisitKey(Failure.Step, Failure.Visit)];

    /// <summary>Values that the answer shows.</summary>
    public IEnumerable<JsonElement> Values(ExecutionState now) =>
        new JsonElement?[] { Before.Input, Visit(now).Input, Failure.Output, Review?.Request.Shown }
            .Concat(Before.Visits.Values.Select(visit => visit.Output))
            .Where(value => value is { ValueKind: not JsonValueKind.Undefined }).Select(value => value!.Value);
}
