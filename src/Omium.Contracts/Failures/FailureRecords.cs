using System.Text.Json;
using Omium.Contracts.Executions;

namespace Omium.Contracts.Failures;

/// <summary>One row of <c>GET /v1/failures</c>.</summary>
/// <param name="Id"><c>{execution}.{step}.{visit}.{attempt}</c>; of a disputed handoff <c>{execution}.{sender}.{visit}.h{edge}r{measurement}</c>.</param>
/// <param name="Execution">Execution.</param>
/// <param name="Workflow">Workflow name.</param>
/// <param name="Step">Step that failed; of a disputed handoff its sender.</param>
/// <param name="Class">Failure class.</param>
/// <param name="Code">Code within the class.</param>
/// <param name="Status">open, resolved or ignored.</param>
/// <param name="At">When it was detected.</param>
public sealed record FailureSummary(
    string Id, string Execution, string Workflow, string Step, string Class, string Code, [property: Words("open", "resolved", "ignored")] string Status, DateTimeOffset At)
{
    /// <summary>How its run got over it: rollback, retry, override, skip or fallback; absent while it has not.</summary>
    public string? RecoveredBy { get; init; }

    /// <summary>Time from its detection to then, milliseconds; absent while it has not.</summary>
    public long? RecoveryMs { get; init; }
}

/// <summary><c>GET /v1/failures/{id}</c>: everything a person needs to understand and mend it.</summary>
public sealed record FailureView
{
    /// <summary>Id.</summary>
    public required string Id { get; init; }

    /// <summary>Execution.</summary>
    public required string Execution { get; init; }

    /// <summary>Execution status now.</summary>
    [Words("queued", "running", "waiting", "paused", "rolling_back", "succeeded", "failed", "cancelled")]
    public required string ExecutionStatus { get; init; }

    /// <summary>Workflow name.</summary>
    public required string Workflow { get; init; }

    /// <summary>open, resolved or ignored.</summary>
    [Words("open", "resolved", "ignored")]
    public required string Status { get; init; }

    /// <summary>The failure: step, class, code, message, expected against actual.</summary>
    public required StepFailure Failure { get; init; }

    /// <summary>Group of the class: specification, inter_agent_misalignment, verification or operations (MAST, arXiv 2503.13657).</summary>
    public required string Group { get; init; }

    /// <summary>The mode of MAST that the class stands for, by number and name: <c>FM-2.6 Reasoning-action mismatch</c>; absent for other classes.</summary>
    public string? Mode { get; init; }

    /// <summary>Agent, tool or worker that did the step.</summary>
    public string? Actor { get; init; }

    /// <summary>Input of the failed attempt.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>What the failed attempt answered.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>Every guard of the step with what it saw.</summary>
    public IReadOnlyList<Reviews.GuardResult> Guards { get; init; } = [];

    /// <summary>What Omium did by itself, in order.</summary>
    public IReadOnlyList<TimelineEntry> AutomaticActions { get; init; } = [];

    /// <summary>From the first step that contributed to the failed one.</summary>
    public IReadOnlyList<DependencyLink> DependencyChain { get; init; } = [];

    /// <summary>Where it began, as far as the log shows.</summary>
    public RootCause? RootCause { get; init; }

    /// <summary>What may mend it, best first.</summary>
    public IReadOnlyList<SuggestedFix> SuggestedFixes { get; init; } = [];

    /// <summary>Checkpoints that stand.</summary>
    public IReadOnlyList<CheckpointView> Checkpoints { get; init; } = [];

    /// <summary>The agent as it was for the failed attempt (prompt, constraints, tools).</summary>
    public AgentView? Agent { get; init; }

    /// <summary>The open review that waits for a decision, if any.</summary>
    public Reviews.ReviewView? Review { get; init; }

    /// <summary>Of a disputed handoff: both views, as they stand now.</summary>
    public HandoffView? Handoff { get; init; }

    /// <summary>Milliseconds from detection to the pause.</summary>
    public long? DetectionToPausedMs { get; init; }
}

/// <summary>One step on the way to a failure.</summary>
public sealed record DependencyLink(string Step, int Visit, string? Actor, string Status, JsonElement? Output, IReadOnlyList<StepReference> Reads);

/// <summary>The first step whose output violates what the guard needed, with the evidence.</summary>
public sealed record RootCause(string Step, int Visit, string Explanation)
{
    /// <summary>Where in that step's output the offending value stands, as <c>output.a.b</c>.</summary>
    public string? Path { get; init; }

    /// <summary>The offending value.</summary>
    public JsonElement? Value { get; init; }

    /// <summary>The way of that value, from the first step that held it to the one that failed.</summary>
    public IReadOnlyList<ValueHop> Trail { get; init; } = [];
}

/// <summary>A step on the way of a value, and where the value stood.</summary>
public sealed record ValueHop(string Step, int Visit, string Path, JsonElement Value);

/// <summary>A proposal.</summary>
/// <param name="Kind">past (what mended the same failure before), prompt, constraint, tool, decide, retry or override.</param>
/// <param name="Title">One line.</param>
/// <param name="Detail">Why.</param>
/// <param name="Edits">Ready to test or apply, when it is an edit.</param>
public sealed record SuggestedFix(string Kind, string Title, string Detail, Reviews.AgentEdits? Edits = null);

/// <summary>A committed checkpoint.</summary>
public sealed record CheckpointView(string Name, string Step, int Visit, DateTimeOffset At);

/// <summary>An agent's definition with this execution's edits applied.</summary>
public sealed record AgentView(
    string Id, string? Role, string? Goal, string Prompt, string? Model, IReadOnlyList<string> Constraints, IReadOnlyList<string> Tools);

/// <summary>One line of <c>GET /v1/failures/export</c>: what was given, what came, what was wrong with it, what mended it.</summary>
/// <param name="Id">Failure id.</param>
/// <param name="Workflow">Workflow name.</param>
/// <param name="WorkflowVersion">Workflow version.</param>
/// <param name="Step">Step.</param>
/// <param name="Class">Failure class.</param>
/// <param name="Code">Code.</param>
/// <param name="Message">For people.</param>
/// <param name="Expected">The check.</param>
/// <param name="Actual">What it saw.</param>
/// <param name="Input">Input of the attempt.</param>
/// <param name="Output">What it answered.</param>
/// <param name="Fix">The decision that followed, and its edits, if any.</param>
/// <param name="Status">open, resolved or ignored.</param>
/// <param name="Outcome">Status of the execution now.</param>
/// <param name="At">When it was detected.</param>
public sealed record FailureExport(
    string Id, string Workflow, int WorkflowVersion, string Step, string Class, string Code, string Message, string? Expected, JsonElement? Actual,
    JsonElement? Input, JsonElement? Output, Reviews.ReviewDecision? Fix, [property: Words("open", "resolved", "ignored")] string Status, string Outcome, DateTimeOffset At)
{
    /// <summary>How its run got over it: rollback, retry, override, skip or fallback; absent while it has not.</summary>
    public string? RecoveredBy { get; init; }

    /// <summary>Time from its detection to then, milliseconds; absent while it has not.</summary>
    public long? RecoveryMs { get; init; }
}
