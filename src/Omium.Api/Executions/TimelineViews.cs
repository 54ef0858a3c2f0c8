using System.Globalization;
using System.Text.Json;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Executions;

/// <summary>What happened, in sentences. Events are the truth; these lines are made from them and hold nothing else.</summary>
internal sealed partial class TimelineViews
{
    private readonly Dictionary<int, string> _channels = [];
    private readonly Dictionary<int, RollbackPlanned> _rollbacks = [];
    private readonly ItemTally _items = new();
    private readonly Dictionary<string, string> _tools = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ReviewRequested> _reviews = new(StringComparer.Ordinal);

    /// <summary>The lines of a record. Give the records in order from the first: a line may name what an earlier record said.</summary>
    public IReadOnlyList<TimelineEntry> Lines(LogRecord record, RecordBody body)
    {
        var lines = new List<TimelineEntry>(body.Events.Count);
        foreach (var happened in body.Events)
        {
            _items.Count(happened);
            var line = Describe(happened);
            var item = line.Step is { } name && ItemName.TryRead(name, out _, out var index) ? index : (int?)null;
            lines.Add(new TimelineEntry(
                record.Seq, ExecutionViews.Time(record.AtUnixMs), RecordCodec.NameOf(happened), line.Severity, line.Title,
                item is null ? line.Step : ItemName.StepOf(line.Step!), line.Visit, line.Detail, item));
        }

        return lines;
    }

    private Line Describe(ExecutionEvent happened) => happened switch
    {
        ExecutionStarted { WorkflowVersion: 0 } e => new("info", $"Started {e.Workflow}, code that runs elsewhere", null, null, $"by {e.StartedBy}"),
        ExecutionStarted e => new("info", $"Started {e.Workflow} version {Number(e.WorkflowVersion)}", null, null, $"by {e.StartedBy}"),
        StepScheduled e => new("info", e.Visit == 1 ? $"{e.Step} scheduled" : $"{e.Step} scheduled again (visit {Number(e.Visit)})", e.Step, e.Visit),
        ItemsExpanded e => new("info", $"{e.Step}: {Number(e.Count)} items", e.Step, e.Visit),
        GuardFailed e => new("warning", e.Phase == "schema" ? $"{e.Step}: the output does not fit its schema" : $"{e.Step}: check not met ({e.Check})", e.Step, e.Visit, Seen(e.Message, e.Actual)),
        ModelAnswered e => new("info", $"{e.Step} asks for {Names(e.ToolCalls)}", e.Step, e.Visit, e.Content),
        StepCommitted e => new("success", e.By is null ? $"{e.Step} committed" : $"{e.Step} committed with the output of {e.By}", e.Step, e.Visit, _items.Of(e.Step)),
        CheckpointCommitted e => new("success", $"Checkpoint {e.Name}", e.Step, e.Visit),
        StepFailed e => new(ItemName.Is(e.Step) ? "warning" : "error", $"{e.Step} failed: {e.Code}", e.Step, e.Visit, Seen(e.Message, e.Actual)),
        StepSkipped e => new("info", $"{e.Step} skipped", e.Step, e.Visit, e.Reason switch { "no_edge_taken" => "no edge to it was taken", "person" => "a person decided so", _ => "the policy says so" }),
        RetryScheduled e => new("info", $"{e.Step}: attempt {Number(e.Attempt)} follows", e.Step, e.Visit, $"due {ExecutionViews.Time(e.DueMs):O}"),
        AttemptStarted e => new("info", $"{e.Step}: attempt {Number(e.Attempt)} begins", e.Step, e.Visit),
        StepGivenUp e => new(ItemName.Is(e.Step) ? "info" : "error", $"{e.Step} has failed for good", e.Step, e.Visit),
        ActionsDeferred e => new("info", $"{e.Step}: what follows the failure waits for the rollback under way", e.Step, e.Visit),
        ActionsTakenUp e => new("info", $"{e.Step}: what follows the failure is taken up", e.Step, e.Visit),
        LoopTriggered e => new("info", $"Loop back to {e.Step}", e.Step, e.Visit),
        RuleApplied e => new("info", $"Rule {Number(e.Rule + 1)} of the recovery policy applies", e.Step, e.Visit),
        AgentSubstituted e => new("info", $"Agent {e.Agent} is replaced by {e.Substitute}", null, null, $"by {e.By}"),
        EditsApplied e => new("info", $"Agent {e.Agent} edited by {e.By}", null, null, Edited(e.Edits)),
        NotificationRequested e => Remember(e),
        NotificationFailed e => new(e.RetryDueMs is null ? "error" : "warning", $"{_channels.GetValueOrDefault(e.Notification, "default")} channel not reached{(e.RetryDueMs is null ? ": given up" : "")}", null, null, e.Message),
        SchedulingDeferred => new("info", "Goes on in the next record", null, null),
        SchedulingTakenUp => new("info", "Goes on", null, null),
        CallApproved e => new("info", $"{e.By} approved this call of {e.Tool}", e.Step, null),
        NotificationSent e => new("info", $"{_channels.GetValueOrDefault(e.Notification, "default")} channel notified", null, null),
        ResultDiscarded e => new("warning", $"A late result was discarded ({e.Effect})", null, null, "what asked for it was rolled back"),
        ExecutionPaused { Reason: "in_doubt" } => new("warning", "Workflow paused", null, null, "nobody knows whether a call happened"),
        ExecutionPaused e => new("warning", "Workflow paused", null, null, e.Reason switch { "handoff_disputed" => "two agents do not agree on what was handed over", "verification_split" => "the verifiers do not agree", _ => null } ?? (e.By == "policy" ? "by the recovery policy" : $"by {e.By}")),
        ExecutionResumed e => new("info", "Workflow resumed", null, null, $"by {e.By}"),
        ExecutionSucceeded => new("success", "Finished", null, null),
        ExecutionFailed e => new("error", $"Failed at {e.Step}: {e.Code}", e.Step, e.Visit, e.Message),
        ExecutionForked e => new("info", $"Forked from {e.From} after its record {Number(e.At)} ({e.Mode})", null, null, $"by {e.ForkedBy}; {Number(e.TakenBack?.Count ?? 0)} visits run again"),
        ExecutionMigrated e => new("warning", $"Moved from version {Number(e.FromVersion)} to {Number(e.Version)} by {e.By}", null, null, Moved(e)),
        ParentNotified => new("info", "The parent was told", null, null),
        StepCorrected e => new("info", $"{e.By} gave the {(e.Output is null ? "input" : "output")} of {e.Step}", e.Step, null),
        ExecutionCancelled e => new("warning", $"Cancelled by {e.By}", null, null),
        _ => DescribeAgreement(happened) ?? DescribeCall(happened) ?? DescribeRollback(happened) ?? DescribeSharing(happened) ?? DescribeTraced(happened) ?? DescribeReview(happened),
    };

    private Line? DescribeCall(ExecutionEvent happened) => happened switch
    {
        CallRequested e => Call(_tools[e.Effect] = Kernel.Specs.WorkflowPlan.ToldTool(e.Tool), e.Effect, "info", e.Approval ? "{0} waits for approval" : "{0} is to be called"),
        CallRefused e => Call(e.Tool, e.Effect, "warning", "{0} refused", e.Reason),
        IntentRecorded e => Call(Tool(e.Effect), e.Effect, "info", e.Run == 1 ? "Calling {0}" : "Calling {0} again with the same key"),
        IntentSettled { Done: true } e => Call(Tool(e.Effect), e.Effect, "success", e.Via == "person" ? "{0} done, a person says" : "{0} done", e.Via == "verify" ? "the verify tool says so" : null),
        IntentSettled e => Call(Tool(e.Effect), e.Effect, "warning", "{0} not done", e.Failure?.Message),
        IntentInDoubt e => Call(Tool(e.Effect), e.Effect, "warning", "{0} is in doubt", $"{e.Reason}; next: {e.Next}"),
        ChildRequested e => Call(_tools[e.Effect] = e.Workflow, e.Effect, "info", "{0} is to run as a child", e.Child),
        ChildStarted e => Call(Tool(e.Effect), e.Effect, "info", "{0} runs as a child", $"version {Number(e.Version)}"),
        ChildCancelSent e => Call(Tool(e.Effect), e.Effect, "warning", "{0} was told to end"),
        CallReplayed { By: { } by } e => Call(Tool(e.Effect), e.Effect, "info", "{0} answered by a person, in the sandbox", $"by {by}"),
        CallReplayed e => Call(Tool(e.Effect), e.Effect, "success", "{0} answered from the records", e.Source),
        CallUnrecorded e => Call(Tool(e.Effect), e.Effect, "warning", "{0} is not on record: a person is asked"),
        CallSettled { Failure: null } e => Call(Tool(e.Effect), e.Effect, "success", "{0} answered"),
        CallSettled e => Call(Tool(e.Effect), e.Effect, "warning", "{0} failed", e.Failure?.Message),
        _ => null,
    };

    private Line? DescribeRollback(ExecutionEvent happened)
    {
        switch (happened)
        {
            case RollbackPlanned { Scope: RollbackScopes.Item, Then.Visit: { } item } e:
                _rollbacks[e.Rollback] = e;
                return new("info", $"{item.Step} is undone alone", item.Step, item.Visit, "the others go on");
            case RollbackPlanned e:
                _rollbacks[e.Rollback] = e;
                var affected = e.Affected.Count == 0 ? null : "takes back " + string.Join(", ", e.Affected.Select(key => ItemName.StepOf(key.Step)).Distinct());
                return new("warning", e.Scope switch { "attempt" => "Undoing the failed attempt", "from" => $"Running again from {e.To}", _ => $"Rolling back to {Place(e.To)}" }, null, null, affected);
            case RollbackCompleted e:
                var plan = _rollbacks.GetValueOrDefault(e.Rollback);
                var to = plan?.To ?? "start";
                var detail = $"{Number(e.Compensated)} effects undone{(e.Residue > 0 ? $", {Number(e.Residue)} left for a person" : "")}";
                if (plan is { Scope: RollbackScopes.Item, Then.Visit: { } alone })
                {
                    return new(e.Residue > 0 ? "warning" : "info", $"{alone.Step} was undone", alone.Step, alone.Visit, detail);
                }

                var undone = plan?.Scope == "from" ? "What runs again was taken back" : to == "attempt" ? "The failed attempt was undone" : $"Rolled back to {Place(to)}";
                return new(e.Residue > 0 ? "warning" : "info", undone, null, null, detail);
            case CompensationBegun e:
                return Call(Tool(e.Effect), e.Effect, "info", e.Attempt == 1 ? "Undoing {0}" : "Undoing {0} again");
            case CompensationInDoubt e:
                return Call(Tool(e.Effect), e.Effect, "warning", "Whether {0} was undone is in doubt", $"{e.Reason}; its verify tool is asked");
            case CompensationSettled { Done: true } e:
                return Call(Tool(e.Effect), e.Effect, "success", "{0} undone");
            case CompensationSettled e:
                return Call(Tool(e.Effect), e.Effect, "error", "{0} could not be undone", e.Failure?.Message);
            case ResidueRecorded e:
                return Call(e.Tool, e.Effect, "error", e.By is null ? "{0} stays as it is" : $"{{0}} stays as it is: {e.By.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal)} accepted that", e.Message);
            case ResidueResolved e:
                return Call(Tool(e.Effect), e.Effect, "success", "What {0} left was dealt with", $"by {e.By}{(e.Note is null ? "" : $": {e.Note}")}");
            case FailureIgnored e:
                return new("info", $"Failure of {e.Failure[..e.Failure.IndexOf('.', StringComparison.Ordinal)]} ignored", null, null, $"by {e.By}");
            case RollbackWithheld e:
                return new("warning", $"Not rolled back: {Number(e.Irreversible.Count)} effects cannot be undone", e.Step, e.Visit, string.Join(", ", e.Irreversible));
            default:
                return null;
        }
    }

    private static Line? DescribeSharing(ExecutionEvent happened) => happened switch
    {
        LocksRequested { Scopes: { } scopes } e => new("info", $"{e.Step} asks for {string.Join(", ", scopes)}", e.Step, e.Visit),
        LocksRequested e => new("info", $"{e.Step} reads what is shared", e.Step, e.Visit, string.Join(", ", e.Reads?.Select(read => read.Key) ?? [])),
        LocksGranted e => new("success", $"{e.Step} holds {string.Join(", ", e.Grants.Select(grant => grant.Resolved))}", e.Step, e.Visit, string.Join(", ", e.Grants.Select(grant => $"token {Number(grant.Token)} of {grant.Root}").Distinct())),
        LocksYielded e => new("warning", $"{e.Step} gives its locks up and asks for them again", e.Step, e.Visit, $"{e.To} had waited for longer than their lease"),
        LeaseRequested { Effect: null } e => new("info", $"It asks for {Number(e.WantedMicro / 1_000_000)} credits", null, null, $"at least {Number(e.NeededMicro / 1_000_000)}"),
        LeaseRequested e => new("warning", $"Waits for credits: {Number(e.NeededMicro / 1_000_000)} are needed", null, null, e.Effect),
        LeaseRefused e => new("warning", "Waits for credits", null, null, e.Code),
        LeaseGranted { Token: 0, Round: 1 } => new("info", "It asks for credits as it goes", null, null),
        LeaseGranted { Token: 0 } => new("success", "There are credits again", null, null),
        LeaseGranted e => new(e.Round == 1 ? "info" : "success", $"{Number(e.GrantedMicro / 1_000_000)} credits are reserved for it", null, null),
        LeaseReturned e => new("info", $"{Number(e.SpentMicro / 1_000_000)} credits were used; what is not needed is handed back", null, null),
        LocksReleased e => new("info", $"{e.Step} gives its locks back", e.Step, e.Visit),
        StateRead e => new("info", $"{e.Step} read {string.Join(", ", e.Values.Select(value => $"{value.Key} (version {Number(value.Version)})"))}", e.Step, e.Visit),
        StepPrepared e => new("info", $"{e.Step} has what it needs", e.Step, e.Visit),
        WritesRequested e => new("info", $"{e.Step} is about to write {string.Join(", ", e.Writes.Select(write => write.Key))}", e.Step, e.Visit),
        WritesSandboxed e => new("info", $"{e.Step}: its writes stay in the sandbox", e.Step, e.Visit, string.Join(", ", e.Writes.Select(write => write.Key))),
        WritesPrepared e => new("info", $"{e.Step}: its writes are prepared", e.Step, e.Visit),
        WritesSettled e => new(e.Committed ? "success" : "warning", e.Committed ? $"{e.Step}: its writes stand" : $"{e.Step}: its writes came to nothing", e.Step, e.Visit),
        WritesRestored e => new(e.Conflicts is null ? "info" : "warning", $"{e.Step}: its writes were taken back", e.Step, e.Visit, e.Conflicts is null ? null : $"{Number(e.Conflicts.Count)} had been written again since and stay"),
        _ => null,
    };

    private Line DescribeReview(ExecutionEvent happened)
    {
        switch (happened)
        {
            case ReviewRequested e:
                _reviews[e.Review] = e;
                return new("warning", e.Role is null ? "Waiting for a person" : $"Waiting for {e.Role}", e.Step, e.Visit, e.Kind.Replace('_', ' '));
            case ReviewDecided e:
                return new("info", $"{e.By} decided: {e.Decision}", Reviewed(e.Review)?.Step, Reviewed(e.Review)?.Visit, e.Note);
            case ReviewRefused e:
                return new("warning", $"A decision of {e.By} was refused ({e.Code})", Reviewed(e.Review)?.Step, Reviewed(e.Review)?.Visit, e.Decision);
            case ReviewExpired e:
                return new("warning", "Nobody decided in time", Reviewed(e.Review)?.Step, Reviewed(e.Review)?.Visit, e.Next == "asked_again" ? "the question is asked again" : "the step fails by it");
            case ReviewTested e:
                return new(e.Outcome == "passed" ? "success" : "warning", $"{e.By} tested a fix: {e.Outcome}", Reviewed(e.Review)?.Step, Reviewed(e.Review)?.Visit, e.Problem);
            case FixProposed e:
                return new("info", $"{e.By} proposes a fix: {Edited(e.Edits)}", Reviewed(e.Review)?.Step, Reviewed(e.Review)?.Visit, e.Note);
            default:
                return new("info", RecordCodec.NameOf(happened), null, null);
        }
    }

    private Line Remember(NotificationRequested requested)
    {
        _channels[requested.Notification] = requested.Channel;
        return new("info", $"Notifying the {requested.Channel} channel", requested.Step, null, requested.Message);
    }

    private ReviewRequested? Reviewed(string review) => _reviews.GetValueOrDefault(review);

    private string Tool(string effect) =>
        _tools.GetValueOrDefault(effect) ?? (EffectId.TryParse(effect, out var id) ? _tools.GetValueOrDefault(id.WithoutSub.ToString()) : null) ?? effect;

    private static Line Call(string tool, string effect, string severity, string title, string? detail = null)
    {
        var isKnown = EffectId.TryParse(effect, out var id);
        return new(severity, string.Format(CultureInfo.InvariantCulture, title, tool), isKnown ? id.Step : null, isKnown ? id.Visit : null, detail);
    }

    private static string Place(string to) => to == "start" ? "the start" : $"checkpoint {to}";

    private static string Names(IReadOnlyList<ModelToolCall> calls) => string.Join(", ", calls.Select(call => call.Name));

    private static string Seen(string message, JsonElement? actual) => actual is { } seen ? $"{message.TrimEnd('.')}; seen: {seen.GetRawText()}" : message;

    private static string Moved(ExecutionMigrated e)
    {
        var again = e.Again is { Count: > 0 } steps ? $"{string.Join(", ", steps)} run again" : "nothing runs again";
        return e.Kept is { Count: > 0 } kept ? $"{again}; kept as they were: {string.Join(", ", kept)}" : again;
    }

    private static string Edited(AgentEdit edit)
    {
        var parts = new[] { edit.Prompt is null ? null : "prompt", edit.Constraints is null ? null : "constraints", edit.Tools is null ? null : "tools" };
        return string.Join(", ", parts.OfType<string>());
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private sealed record Line(string Severity, string Title, string? Step, int? Visit, string? Detail = null);
}
