using System.Text.Json;

namespace Omium.Contracts.Executions;

/// <summary>Body of <c>POST /v1/executions</c>.</summary>
/// <param name="Workflow">Name of a saved workflow; needed unless <paramref name="Mode"/> is traced.</param>
/// <param name="Version">Saved version; the newest when absent.</param>
/// <param name="Input">The workflow's input; <c>{}</c> when absent.</param>
/// <param name="StartKey">Optional. A second start with the same key answers the first execution (kept with the execution).</param>
/// <param name="Mode">traced: code that runs elsewhere does the steps (docs/reference/traced-executions.md); absent = the workflow's steps are done by Omium.</param>
/// <param name="Name">traced: what the execution is called where others have their workflow's name.</param>
/// <param name="Id">traced: an execution to go on with.</param>
/// <param name="Trace">traced: what the process tells at once.</param>
/// <param name="Recovery">traced: the recovery policy; absent = the tenant's, else the default.</param>
public sealed record StartExecutionRequest(
    string Workflow = "", int? Version = null, JsonElement? Input = null, string? StartKey = null, string? Mode = null, string? Name = null, string? Id = null,
    TraceRequest? Trace = null, JsonElement? Recovery = null);

/// <summary>An execution as a whole: what <c>GET /v1/executions/{id}</c> and the start answer.</summary>
public sealed record ExecutionView
{
    /// <summary>Id, prefixed <c>exe_</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Workflow name.</summary>
    public required string Workflow { get; init; }

    /// <summary>Pinned workflow version.</summary>
    public required int WorkflowVersion { get; init; }

    /// <summary>queued, running, waiting, paused, rolling_back, succeeded, failed or cancelled.</summary>
    [Words("queued", "running", "waiting", "paused", "rolling_back", "succeeded", "failed", "cancelled")]
    public required string Status { get; init; }

    /// <summary>Where it was forked from; absent when it was started.</summary>
    public ForkView? Fork { get; init; }

    /// <summary>Whose child it is; absent when it was started by itself.</summary>
    public ParentView? Parent { get; init; }

    /// <summary>While waiting or paused: timer, lock, credits, worker, child or review.</summary>
    public string? WaitingFor { get; init; }

    /// <summary>Sequence number of the last record this view contains.</summary>
    public required long Seq { get; init; }

    /// <summary>Time of the start.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Time of the last record.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Time of the end, when it has ended.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The input.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>Output: by step id, the outputs of the last steps; when it has succeeded.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>
    /// Visits of steps in the order they were scheduled: all of them, or the newest 1,000 (<c>GET /v1/executions/{id}/steps</c> pages through all).
    /// Items of a for_each step are counted with it (<see cref="StepView.Items"/>), not listed.
    /// </summary>
    public required IReadOnlyList<StepView> Steps { get; init; }

    /// <summary>When the host has set the execution aside: why. Nothing is begun for it until it is released (<c>POST .../release</c>).</summary>
    public string? SetAside { get; init; }

    /// <summary>How many older visits are left out of <see cref="Steps"/>.</summary>
    public int StepsOmitted { get; init; }

    /// <summary>Why it failed or paused, if it did: the newest failure that is not yet resolved.</summary>
    public StepFailure? Failure { get; init; }

    /// <summary>Id of that failure (<c>GET /v1/failures/{id}</c>).</summary>
    public string? FailureId { get; init; }

    /// <summary>What steps handed to each other under a handoff, in the order it was proposed; absent when nothing was.</summary>
    public IReadOnlyList<HandoffView>? Handoffs { get; init; }

    /// <summary>Ids of open reviews.</summary>
    public IReadOnlyList<string> OpenReviews { get; init; } = [];

    /// <summary>While paused: failure, in_doubt (nobody knows whether a call happened), rolled_back, or what the person who paused it said.</summary>
    public string? PauseReason { get; init; }

    /// <summary>Notifications that reached nobody: given up after every attempt.</summary>
    public IReadOnlyList<UndeliveredNotificationView> UndeliveredNotifications { get; init; } = [];

    /// <summary>Start of a traced execution: what was answered to the operations in it. Absent elsewhere.</summary>
    public TraceView? Trace { get; init; }
}

/// <summary>A notification that was given up.</summary>
/// <param name="Channel">Channel.</param>
/// <param name="Kind">failure, review_requested, review_expired, in_doubt or residue.</param>
/// <param name="Message">What would have been told.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="Problem">Why the last one did not arrive.</param>
/// <param name="At">When it was given up.</param>
public sealed record UndeliveredNotificationView(string Channel, string Kind, string Message, int Attempts, string Problem, DateTimeOffset At);

/// <summary>What model turns read and wrote.</summary>
/// <param name="Input">Tokens read.</param>
/// <param name="Output">Tokens written.</param>
public sealed record TokensView(long Input, long Output);

/// <summary>One visit of one step.</summary>
public sealed record StepView
{
    /// <summary>Step id.</summary>
    public required string Step { get; init; }

    /// <summary>Visit, from 1. A loop or a re-run after a rollback is a new visit.</summary>
    public required int Visit { get; init; }

    /// <summary>Current attempt, from 1. A retry is a new attempt of the same visit.</summary>
    public required int Attempt { get; init; }

    /// <summary>
    /// agent_task, tool_call, decision, human_approval, workflow or worker; of code that runs elsewhere checkpoint, transaction, handoff, receive or
    /// program (the code as a whole, when it failed).
    /// </summary>
    [Words("agent_task", "tool_call", "decision", "human_approval", "workflow", "worker", "checkpoint", "transaction", "handoff", "receive", "program")]
    public required string Type { get; init; }

    /// <summary>The agent, tool or worker that does it.</summary>
    public string? Actor { get; init; }

    /// <summary>scheduled, running, waiting, committed, failed, skipped, rolled_back or in_doubt.</summary>
    [Words("scheduled", "running", "waiting", "committed", "failed", "skipped", "rolled_back", "in_doubt")]
    public required string Status { get; init; }

    /// <summary>When it was scheduled.</summary>
    public required DateTimeOffset ScheduledAt { get; init; }

    /// <summary>When it was settled.</summary>
    public DateTimeOffset? SettledAt { get; init; }

    /// <summary>While a retry waits: when it is due.</summary>
    public DateTimeOffset? RetryDueAt { get; init; }

    /// <summary>Of a workflow step: the execution that its present attempt is.</summary>
    public string? Child { get; init; }

    /// <summary>True in a fork for a visit of its source: it ran there, and was not run again.</summary>
    public bool? Inherited { get; init; }

    /// <summary>Its input.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>Its committed output (or, of a failed attempt, what was answered).</summary>
    public JsonElement? Output { get; init; }

    /// <summary>Name of the checkpoint its commit made.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>Steps and visits whose outputs its input was made from.</summary>
    public IReadOnlyList<StepReference> Reads { get; init; } = [];

    /// <summary>External calls it made.</summary>
    public IReadOnlyList<CallView> Calls { get; init; } = [];

    /// <summary>Tokens of all model turns of this visit, over its attempts and verifiers; absent when none was asked.</summary>
    public TokensView? Tokens { get; init; }

    /// <summary>What its verifiers said, attempt by attempt; absent when nobody was asked.</summary>
    public IReadOnlyList<VerificationView>? Verifications { get; init; }

    /// <summary>Failures of its attempts, oldest first.</summary>
    public IReadOnlyList<StepFailure> Failures { get; init; } = [];

    /// <summary>Of a for_each step: how far its items are.</summary>
    public ItemCounts? Items { get; init; }

    /// <summary>Of an item: its index, from 0.</summary>
    public int? Item { get; init; }
}

/// <summary>The step that an execution is the child of.</summary>
public sealed record ParentView(string Execution, string Step, int Visit);

/// <summary>How far the items of a for_each step are. The items themselves: <c>GET /v1/executions/{id}/steps/{step}/items</c>.</summary>
/// <param name="Total">Items of the list.</param>
/// <param name="Succeeded">Committed.</param>
/// <param name="Failed">Failed for good.</param>
/// <param name="RolledBack">Of the failed ones: those whose effects were undone.</param>
/// <param name="Skipped">Skipped by a person.</param>
/// <param name="Running">Begun and not settled, those that wait for a person included.</param>
/// <param name="Waiting">Of the running ones: those that wait for a person.</param>
/// <param name="NotBegun">Not begun, or to begin again.</param>
public sealed record ItemCounts(int Total, int Succeeded, int Failed, int RolledBack, int Skipped, int Running, int Waiting, int NotBegun);

/// <summary>A step's visit.</summary>
public sealed record StepReference(string Step, int Visit);

/// <summary>One external call: the intent and what became of it.</summary>
public sealed record CallView
{
    /// <summary>Effect id.</summary>
    public required string EffectId { get; init; }

    /// <summary>Tool name.</summary>
    public required string Tool { get; init; }

    /// <summary>requested, awaiting_approval, intent, running (a child workflow), settled, failed, in_doubt, refused or compensated.</summary>
    [Words("requested", "awaiting_approval", "intent", "running", "settled", "failed", "in_doubt", "refused", "compensated")]
    public required string Status { get; init; }

    /// <summary>none, idempotent, verifiable or irreversible.</summary>
    [Words("none", "idempotent", "verifiable", "irreversible")]
    public required string EffectKind { get; init; }

    /// <summary>Arguments, as shown to a person.</summary>
    public JsonElement? Arguments { get; init; }

    /// <summary>Result.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>Idempotency key sent with the call.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>True in a sandbox: it was answered from the records (or by a person) and reached nothing.</summary>
    public bool? Sandboxed { get; init; }
}

/// <summary>Why an attempt failed.</summary>
public sealed record StepFailure
{
    /// <summary>Step, visit and attempt that failed.</summary>
    public required string Step { get; init; }

    /// <summary>Visit.</summary>
    public required int Visit { get; init; }

    /// <summary>Attempt.</summary>
    public required int Attempt { get; init; }

    /// <summary>Stable failure class (hallucination, policy_violation, timeout, ...).</summary>
    public required string Class { get; init; }

    /// <summary>Code within the class (a guard's code, an error's code).</summary>
    public required string Code { get; init; }

    /// <summary>What happened, for people.</summary>
    public required string Message { get; init; }

    /// <summary>Fingerprint: workflow + step + class + code.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>When it was detected.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The check that was not met, as written.</summary>
    public string? Expected { get; init; }

    /// <summary>Every path the check reads, with the value it had.</summary>
    public JsonElement? Actual { get; init; }
}

/// <summary>One row of <c>GET /v1/executions</c>.</summary>
public sealed record ExecutionSummary(
    string Id, string Workflow, int WorkflowVersion, [property: Words("queued", "running", "waiting", "paused", "rolling_back", "succeeded", "failed", "cancelled")] string Status, string? FailureClass, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset? EndedAt);

/// <summary>One record of the event log: <c>GET /v1/executions/{id}/events</c> and each SSE message of <c>/stream</c> (event <c>record</c>, id = seq).</summary>
/// <param name="Seq">Position, from 1.</param>
/// <param name="At">The command's time.</param>
/// <param name="Command">Stable name of the command.</param>
/// <param name="Kernel">Kernel version that decided it.</param>
/// <param name="Events">The events, each an object with <c>type</c>.</param>
/// <param name="Hash">Hash of the record, hex.</param>
public sealed record EventRecord(long Seq, DateTimeOffset At, string Command, int Kernel, IReadOnlyList<JsonElement> Events, string Hash)
{
    /// <summary>In a fork, for a record of its source: the execution that it lies in.</summary>
    public string? InheritedFrom { get; init; }
}

/// <summary>One line of <c>GET /v1/executions/{id}/timeline</c>, made for reading.</summary>
/// <param name="Seq">Record it comes from.</param>
/// <param name="At">When.</param>
/// <param name="Kind">Event type it was made from.</param>
/// <param name="Severity">info, success, warning or error.</param>
/// <param name="Title">Short text.</param>
/// <param name="Step">Step concerned; of a line about an item, the step whose item it is.</param>
/// <param name="Visit">Visit concerned; of a line about an item, the item's.</param>
/// <param name="Detail">Longer text.</param>
/// <param name="Item">The item of a for_each step concerned, from 0.</param>
public sealed record TimelineEntry(
    long Seq, DateTimeOffset At, string Kind, [property: Words("info", "success", "warning", "error")] string Severity, string Title, string? Step = null, int? Visit = null, string? Detail = null, int? Item = null)
{
    /// <summary>In a fork, for a line of its source: the execution that it lies in.</summary>
    public string? InheritedFrom { get; init; }
}

/// <summary><c>GET /v1/executions/{id}/graph</c>.</summary>
public sealed record GraphView(IReadOnlyList<GraphNode> Nodes, IReadOnlyList<GraphEdge> Edges)
{
    /// <summary>Which visits' inputs were made from which outputs.</summary>
    public IReadOnlyList<GraphDataEdge> Data { get; init; } = [];

    /// <summary>Of the newest failure that is not resolved: where it began, with the way of the offending value.</summary>
    public Failures.RootCause? RootCause { get; init; }
}

/// <summary>The input of <paramref name="To"/> was made from the output of <paramref name="From"/>.</summary>
public sealed record GraphDataEdge(StepReference From, StepReference To);

/// <summary>A step as it stands; one with for_each counts its items.</summary>
public sealed record GraphNode(string Step, string Type, string? Actor, string Status, int Visit, string? Checkpoint, bool ExternalEffect, ItemCounts? Items = null)
{
    /// <summary>Of a workflow step: the execution that its present attempt is.</summary>
    public string? Child { get; init; }

    /// <summary>True in a fork for a step whose visit is its source's.</summary>
    public bool? Inherited { get; init; }
}

/// <summary>An edge and whether the current visits took it (null = not settled).</summary>
public sealed record GraphEdge(string From, string To, string On, string? When, bool? Taken, int? MaxVisits);

/// <summary><c>GET /v1/executions/{id}/verify</c>: identical, consistent, erased or corrupt.</summary>
public sealed record VerifyView([property: Words("identical", "consistent", "erased", "corrupt")] string Verdict, long Records, string? Detail);

/// <summary>Body of <c>POST /v1/executions/{id}/rollback</c>.</summary>
/// <param name="To">A checkpoint name or a step id.</param>
/// <param name="Scope">failure (default) or all.</param>
/// <param name="Preview">True: only show the blast radius.</param>
/// <param name="AcceptResidue">True: effects that nothing can undo stay, on the residue ledger under the caller's name; else they make it refused.</param>
/// <param name="Steps">Only these of the steps it would take back; absent = all of them. Refused when something that stands was made from one of them.</param>
public sealed record RollbackRequest(string To, string? Scope = null, bool? Preview = null, bool? AcceptResidue = null, IReadOnlyList<string>? Steps = null);

/// <summary>The blast radius of a rollback.</summary>
/// <param name="To">Where it goes back to.</param>
/// <param name="Affected">Visits it takes back.</param>
/// <param name="Compensations">Effects it undoes, in order.</param>
/// <param name="Irreversible">Effects that nothing can undo.</param>
/// <param name="Applied">False for a preview.</param>
/// <param name="Orphans">Visits that were made from what it takes back and would stay: any makes it refused (<c>rollback_orphans_consumer</c>).</param>
public sealed record RollbackView(
    string To, IReadOnlyList<StepReference> Affected, IReadOnlyList<string> Compensations, IReadOnlyList<string> Irreversible, bool Applied,
    IReadOnlyList<StepReference> Orphans);

/// <summary>Body of <c>POST /v1/residue/{id}/resolve</c>, which may also be absent.</summary>
/// <param name="Note">What was done about it, kept in the log.</param>
public sealed record ResolveResidueRequest(string? Note = null);

/// <summary>What a person did about residue.</summary>
public sealed record ResidueResolution(string By, DateTimeOffset At, string? Note);

/// <summary>An effect that a rollback could not undo, one row of <c>GET /v1/residue</c>: what stands in the world, where it came from, and why it stands.</summary>
public sealed record ResidueView
{
    /// <summary>Id: execution and effect.</summary>
    public required string Id { get; init; }

    /// <summary>open, or resolved by a person.</summary>
    [Words("open", "resolved")]
    public required string Status { get; init; }

    /// <summary>When it was recorded.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Who accepted that it stays, when a person did; absent when its undo failed.</summary>
    public string? AcceptedBy { get; init; }

    /// <summary>What a person did about it.</summary>
    public ResidueResolution? Resolved { get; init; }

    /// <summary>Execution whose rollback left it.</summary>
    public required string Execution { get; init; }

    /// <summary>Workflow name.</summary>
    public required string Workflow { get; init; }

    /// <summary>Effect id, as the receiver was told it (<c>Omium-Effect</c>).</summary>
    public required string EffectId { get; init; }

    /// <summary>Step that made the call.</summary>
    public required string Step { get; init; }

    /// <summary>Visit of the step.</summary>
    public required int Visit { get; init; }

    /// <summary>Tool that was called.</summary>
    public required string Tool { get; init; }

    /// <summary>Arguments of the call.</summary>
    public JsonElement? Arguments { get; init; }

    /// <summary>Result of the call.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>Idempotency key that was sent with the call.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>
    /// compensation_failed; compensation_in_doubt: nobody can say whether it was undone; irreversible: there is nothing that undoes it;
    /// state_conflict: a shared value was written again since.
    /// </summary>
    public required string Reason { get; init; }

    /// <summary>What the compensation failed with, for people.</summary>
    public required string Message { get; init; }
}

/// <summary>Body of <c>POST /v1/executions/{id}/retry</c>.</summary>
/// <param name="From">A checkpoint or step; what lies behind it runs again. With <c>again</c>, <c>input</c> or <c>output</c>, the step itself as well.</param>
/// <param name="Edits">Edits of the failed step's agent; where the step of <c>from</c> itself runs again, of that one's.</param>
/// <param name="Again">True: the step of <c>from</c> runs again, and whatever depends on it; nothing else.</param>
/// <param name="Input">The same, with this input in place of its own.</param>
/// <param name="Output">The same, with this output in place of running it; it is held to the step's checks.</param>
public sealed record RetryRequest(string? From = null, Reviews.AgentEdits? Edits = null, bool? Again = null, JsonElement? Input = null, JsonElement? Output = null);

/// <summary>Body of <c>POST /v1/executions/{id}/pause</c>, which may also be absent.</summary>
/// <param name="Reason">Kept in the log; default <c>person</c>.</param>
public sealed record PauseRequest(string? Reason = null);

/// <summary><c>GET /v1/executions/{id}/diff?from=n&amp;to=m</c>: what differs between the states after record n and after record m.</summary>
/// <param name="From">First record.</param>
/// <param name="To">Second record.</param>
/// <param name="Changes">Every place that differs, in the order of the state.</param>
public sealed record DiffView(long From, long To, IReadOnlyList<DiffEntry> Changes);

/// <summary>One place that differs.</summary>
/// <param name="Pointer">JSON pointer (RFC 6901) into the state; steps are named <c>/steps/{step}~1{visit}</c>, not by position.</param>
/// <param name="Kind">added, removed or changed.</param>
/// <param name="Before">Value before.</param>
/// <param name="After">Value after.</param>
public sealed record DiffEntry(string Pointer, [property: Words("added", "removed", "changed")] string Kind, JsonElement? Before, JsonElement? After);
