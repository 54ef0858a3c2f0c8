using System.Text.Json;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;

namespace Omium.Api.Executions;

/// <summary>Handoffs and verifications as answered.</summary>
internal static class AgreementViews
{
    public static IReadOnlyList<HandoffView> Handoffs(ExecutionState state, AnswerPayloads payloads) =>
        [.. state.Handoffs.Values.OrderBy(handoff => handoff.Ordinal).Select(handoff => Handoff(handoff, payloads))];

    public static HandoffView Handoff(HandoffState handoff, AnswerPayloads payloads) => new(
        handoff.Key.From.Step, handoff.Key.From.Visit, handoff.Proposal.To, handoff.Status.ToString().ToLowerInvariant(), handoff.Round, handoff.AcknowledgedBy,
        payloads.Show((JsonElement?)handoff.Proposal.Message), handoff.Proposal.MessageDigest, [.. handoff.Claims.Select(Claim)]);

    public static IReadOnlyList<VerificationView>? Verifications(VisitState visit) =>
        visit.Verifications.IsEmpty ? null : [.. visit.Verifications.Select(Verification)];

    private static ClaimView Claim(ClaimState claim) => new(
        claim.Claim.Name, claim.Claim.Said, claim is { Measured: true, Failure: null } ? claim.Seen ?? JsonMake.Null : null, claim.Claim.By,
        claim.Measured ? claim.Agrees : null, claim.Failure?.Message);

    private static VerificationView Verification(VerificationState verification) => new(
        verification.Request.Attempt, verification.Request.Subject, verification.Outcome.ToString().ToLowerInvariant(), verification.Request.Quorum,
        [.. verification.Verifiers.Select(verifier => new VerdictView(verifier.Agent, verifier.Verdict, verifier.Reason.Length == 0 ? null : verifier.Reason, verifier.Late))]);
}
