using System.Text.Json;

namespace Omium.Contracts.Reviews;

/// <summary>A question to a person: answered once, bound to the digest of what was shown.</summary>
public sealed record ReviewView
{
    /// <summary>Id, prefixed <c>rev_</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Execution it belongs to.</summary>
    public required string Execution { get; init; }

    /// <summary>Workflow name.</summary>
    public required string Workflow { get; init; }

    /// <summary>failure, approval, call_approval, in_doubt, handoff, verification or sandbox_call.</summary>
    [Words("failure", "approval", "call_approval", "in_doubt", "handoff", "verification", "sandbox_call")]
    public required string Kind { get; init; }

    /// <summary>open, decided or expired.</summary>
    [Words("open", "decided", "expired")]
    public required string Status { get; init; }

    /// <summary>Step concerned.</summary>
    public required string Step { get; init; }

    /// <summary>Visit concerned.</summary>
    public required int Visit { get; init; }

    /// <summary>Decisions that this review accepts.</summary>
    public required IReadOnlyList<string> Decisions { get; init; }

    /// <summary>What an edit may change: prompt, constraints, tool_selection.</summary>
    public IReadOnlyList<string> AllowedEdits { get; init; } = [];

    /// <summary>What an edit must not change: core_logic, agent_count.</summary>
    public IReadOnlyList<string> ForbiddenEdits { get; init; } = [];

    /// <summary>Digest of what is shown; a decision must carry it.</summary>
    public required string Digest { get; init; }

    /// <summary>Role that the policy escalated it to, if any.</summary>
    public string? Role { get; init; }

    /// <summary>What the person is asked about: the failure, the arguments of a call, the input of an approval.</summary>
    public JsonElement? Shown { get; init; }

    /// <summary>Id of the failure it is about.</summary>
    public string? FailureId { get; init; }

    /// <summary>When it was requested.</summary>
    public required DateTimeOffset RequestedAt { get; init; }

    /// <summary>After this time every decision is refused.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The decision, once made.</summary>
    public ReviewDecision? Decided { get; init; }

    /// <summary>Edits that were proposed for it, oldest first; the newest 20 are shown. None is applied unless somebody decides so.</summary>
    public IReadOnlyList<ProposalView> Proposals { get; init; } = [];
}

/// <summary>Who decided what, when.</summary>
public sealed record ReviewDecision(string Decision, string By, DateTimeOffset At, AgentEdits? Edits, string? Note);

/// <summary>Edits of the agent of a step, for this execution only. Absent fields stay as they are.</summary>
public sealed record AgentEdits(string? Prompt = null, IReadOnlyList<string>? Constraints = null, IReadOnlyList<string>? Tools = null);

/// <summary>Body of <c>POST /v1/reviews/{id}/decide</c>.</summary>
/// <param name="Decision">approve, edit, override, rollback, skip, reject, done, redo or repeat.</param>
/// <param name="Digest">The review's digest as shown.</param>
/// <param name="Edits">With <c>edit</c>.</param>
/// <param name="Output">With <c>override</c> and <c>done</c>: the output, checked by the same guards.</param>
/// <param name="Note">Free text, kept in the log.</param>
/// <param name="To">With <c>rollback</c>: the checkpoint to go back to; absent = everything is taken back and the execution ends as cancelled (of a handoff: the sender goes back to the checkpoint before it, and runs again).</param>
/// <param name="AcceptResidue">With <c>rollback</c> of a failed step, true: effects that nothing can undo stay, on the residue ledger under the caller's name; else they make it refused.</param>
public sealed record DecideReviewRequest(
    string Decision, string Digest, AgentEdits? Edits = null, JsonElement? Output = null, string? Note = null, string? To = null, bool? AcceptResidue = null);

/// <summary>Body of <c>POST /v1/reviews/{id}/proposals</c>.</summary>
/// <param name="Edits">What to edit.</param>
/// <param name="Digest">The review's digest as shown.</param>
/// <param name="Note">Why, for whoever decides.</param>
public sealed record ProposeFixRequest(AgentEdits Edits, string Digest, string? Note = null);

/// <summary>An edit that is laid before whoever decides a review.</summary>
/// <param name="Id">Number within the execution, as <c>p3</c>.</param>
/// <param name="By">Key or person that proposes it.</param>
/// <param name="At">When.</param>
/// <param name="Edits">What to edit.</param>
/// <param name="Note">Why.</param>
public sealed record ProposalView(string Id, string By, DateTimeOffset At, AgentEdits Edits, string? Note);

/// <summary>Body of <c>POST /v1/reviews/{id}/test</c>.</summary>
public sealed record TestFixRequest(AgentEdits Edits);

/// <summary>What the step answers with the edit, beside the execution: nothing is committed, nothing but the model is reached.</summary>
/// <param name="Outcome">passed, failed or inconclusive.</param>
/// <param name="Output">What was answered.</param>
/// <param name="Guards">Every check with what it saw.</param>
/// <param name="Problem">Why it failed or is inconclusive.</param>
/// <param name="UnrecordedCalls">Calls that the test would have made and did not.</param>
/// <param name="DurationMs">How long it took.</param>
public sealed record TestFixView(
    [property: Words("passed", "failed", "inconclusive")] string Outcome, JsonElement? Output, IReadOnlyList<GuardResult> Guards, string? Problem, IReadOnlyList<JsonElement> UnrecordedCalls, long DurationMs);

/// <summary>One check and what it saw.</summary>
public sealed record GuardResult(string Phase, string Check, string Code, string Message, bool Passed, JsonElement? Actual);
