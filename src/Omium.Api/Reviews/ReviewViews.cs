using Omium.Api.Executions;
using Omium.Api.Failures;
using Omium.Contracts.Reviews;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;

namespace Omium.Api.Reviews;

/// <summary>Reviews as answered.</summary>
internal static class ReviewViews
{
    public static ReviewView View(ExecutionState state, WorkflowPlan plan, ReviewState review, AnswerPayloads payloads, long nowMs)
    {
        var request = review.Request;
        var isFailure = request.Kind == "failure";
        var isEditable = request.Decisions.Contains("edit");
        return new ReviewView
        {
            Id = request.Review,
            Execution = state.ExecutionId,
            Workflow = state.Workflow,
            Kind = request.Kind,
            Status = review.Decided is not null ? "decided" : review.ExpiredMs > 0 || nowMs > request.ExpiresMs ? "expired" : "open",
            Step = request.Step,
            Visit = request.Visit,
            Decisions = request.Decisions,
            AllowedEdits = isEditable ? [.. plan.Policy.AllowedEdits.Except(plan.Policy.ForbiddenEdits)] : [],
            ForbiddenEdits = isEditable ? plan.Policy.ForbiddenEdits : [],
            Digest = request.Digest,
            Role = request.Role,
            Shown = payloads.Show((System.Text.Json.JsonElement?)request.Shown),
            FailureId = isFailure ? FailureLedger.FailureId(state.ExecutionId, request.Step, request.Visit, request.Attempt) : FailureStory.DisputeOf(state, request),
            RequestedAt = ExecutionViews.Time(review.RequestedMs),
            ExpiresAt = ExecutionViews.Time(request.ExpiresMs),
            Decided = Decision(review),
            Proposals = [.. review.Proposals.Select(Proposal)],
        };
    }

    public static ReviewDecision? Decision(ReviewState review) => review.Decided is { } decided
        ? new ReviewDecision(decided.Decision, decided.By, ExecutionViews.Time(review.DecidedMs), Edits(decided.Edits), decided.Note)
        : null;

    public static ProposalView Proposal(ProposalState proposal) => new(
        ProposalId(proposal.Proposed.Proposal), proposal.Proposed.By, ExecutionViews.Time(proposal.AtMs), Edits(proposal.Proposed.Edits)!, proposal.Proposed.Note);

    private static string ProposalId(int number) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"p{number}");

    public static GuardResult Guard(CheckResult check) => new(check.Phase, check.Check, check.Code, check.Message, check.Passed, check.Actual);

    private static AgentEdits? Edits(AgentEdit? edits) => edits is null ? null : new AgentEdits(edits.Prompt, edits.Constraints, edits.Tools);
}
