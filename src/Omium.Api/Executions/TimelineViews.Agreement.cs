using System.Text.Json;
using Omium.Kernel.Executions;

namespace Omium.Api.Executions;

/// <summary>Handoffs and verifiers in sentences.</summary>
internal sealed partial class TimelineViews
{
    private static Line? DescribeAgreement(ExecutionEvent happened) => happened switch
    {
        HandoffProposed e => new("info", $"{e.Step} hands over to {e.To}", e.Step, e.Visit, e.Claims.Count == 0 ? null : "says " + string.Join(", ", e.Claims.Select(claim => $"{claim.Name} = {Brief(claim.Said)}"))),
        HandoffMeasured { Failure: { } failure } e => new("warning", $"{e.Claim} could not be measured", e.Step, e.Visit, failure.Message),
        HandoffMeasured e => new("info", $"{e.Claim} measured", e.Step, e.Visit, $"sees {Brief(e.Seen)}"),
        HandoffAcknowledged e => new("info", $"The handoff of {e.Step} is acknowledged", e.Step, e.Visit, e.By == "omium" ? null : $"by {e.By}"),
        HandoffAgreed e => new("success", $"The handoff of {e.Step} is agreed", e.Step, e.Visit),
        HandoffDisputed e => new("error", $"The handoff of {e.Step} is disputed", e.Step, e.Visit, e.Message),
        HandoffRepeated e => new("info", $"The handoff of {e.Step} is measured again", e.Step, e.Visit, $"by {e.By}"),
        HandoffRevoked e => new("warning", $"The handoff of {e.Step} is revoked", e.Step, e.Visit, "the sender was taken back"),
        VerificationRequested e => new("info", $"{e.Step}: {string.Join(", ", e.Of)} are asked to verify its {e.Subject}", e.Step, e.Visit, $"{Number(e.Quorum)} must approve"),
        VerifierAnswered e => Verdict(e),
        VerifierFailed e => Asked(e.Effect, "warning", e.RetryDueMs is null ? $"{e.Agent} gave no verdict and abstains" : $"{e.Agent} gave no verdict and is asked again", e.Failure.Message),
        VerificationAgreed e => new("success", $"{e.Step}: verified, {Number(e.For)} for, {Number(e.Against)} against", e.Step, e.Visit, Dissent(e.Dissent)),
        VerificationRefused e => new("error", $"{e.Step}: refused by its verifiers, {Number(e.For)} for, {Number(e.Against)} against", e.Step, e.Visit, Dissent(e.Verdicts)),
        VerificationSplit e => new("warning", $"{e.Step}: its verifiers do not agree, {Number(e.For)} for, {Number(e.Against)} against, {Number(e.Abstained)} abstain", e.Step, e.Visit, Dissent(e.Verdicts)),
        VerificationRepeated e => new("info", $"{e.Step}: its verifiers are asked again", e.Step, e.Visit, $"by {e.By}"),
        _ => null,
    };

    private static Line Verdict(VerifierAnswered e)
    {
        var verb = e.Verdict switch { "approve" => "approves", "reject" => "rejects", _ => "abstains" };
        return Asked(e.Effect, e.Verdict == "approve" ? "success" : "warning", e.Late ? $"{e.Agent} {verb}, too late to count" : $"{e.Agent} {verb}", e.Reason);
    }

    private static Line Asked(string effect, string severity, string title, string? detail) =>
        EffectId.TryParse(effect, out var id) ? new(severity, title, id.Step, id.Visit, detail) : new(severity, title, null, null, detail);

    private static string? Dissent(IReadOnlyList<Verdict> verdicts) =>
        verdicts.Count == 0 ? null : string.Join("; ", verdicts.Select(verdict => $"{verdict.Agent}: {verdict.Given}, {verdict.Reason}"));

    private static string Brief(JsonElement? value)
    {
        var text = value?.GetRawText() ?? "null";
        return text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 80), "...");
    }
}
