using System.Text;
using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>
/// Verifier quorum. All verifiers are asked at once; the step goes on as soon as enough approve. When the quorum is out of reach, more rejections
/// than approvals fail the attempt (class missing_verification, MAST FM-3.2: the work was put out without having been verified), anything else
/// pauses for a person. An answer that comes after the decision is recorded as late, and has no consequence.
/// </summary>
internal sealed partial class Decision
{
    /// <summary>Questions to one verifier that may give no verdict before it counts as abstaining.</summary>
    private const int VerifierTriesMax = 3;

    private static readonly string[] Verdicts = ["approve", "reject", "abstain"];

    /// <summary>True for a call whose arguments are verified, because its result comes too late to be refused.</summary>
    private static bool VerifiesArguments(StepPlan step) => step is { OwnsCall: true, Spec.Verifiers: not null } && step.Effect.Kind != EffectKind.None;

    private void AskVerifiers(StepPlan step, VisitKey key, string subject, JsonElement stored, IReadOnlyList<int>? edges)
    {
        var verifiers = step.Spec.Verifiers!;
        Emit(new VerificationRequested(
            key.Step, key.Visit, Visit(key).Attempt, subject, stored, DigestOf(stored), verifiers.Quorum, verifiers.Of, edges is { Count: > 0 } ? edges : null,
            Take(ref _inputTokens), Take(ref _outputTokens)));
    }

    /// <summary>True when these arguments may be used: nobody need verify them, or they were agreed on in an earlier attempt. Else the verifiers are asked.</summary>
    private bool AreVerified(StepPlan step, VisitKey key, JsonElement arguments)
    {
        if (!VerifiesArguments(step))
        {
            return true;
        }

        var digest = DigestOf(arguments);
        if (Visit(key).Verifications.Any(known => known.Outcome == VerificationOutcome.Agreed && known.Request.ValueDigest == digest))
        {
            return true; // What is on record is not asked again.
        }

        AskVerifiers(step, key, "arguments", arguments, null);
        return false;
    }

    private Rejection? SettleVerifier(StepPlan step, VisitState visit, EffectId id, EffectOutcome outcome)
    {
        var verification = visit.Verifications.Find(known => known.Request.Attempt == id.Attempt);
        if (verification is null || id.Sub != 't' || id.Number > verification.Verifiers.Count)
        {
            return new Rejection("effect_not_found", $"no effect {id} is known here");
        }

        var verifier = verification.Verifiers[id.Number - 1];
        if (verifier.Verdict is not null || id.SubNumber != verifier.Tries + 1)
        {
            return null;
        }

        if (visit.Status == VisitStatus.RolledBack || (verification.Outcome == VerificationOutcome.Open && (_state.Ended || visit.Status != VisitStatus.Open)))
        {
            if (!_state.DiscardedResults.Contains(id.ToString()))
            {
                Emit(new ResultDiscarded(id.ToString(), visit.Status == VisitStatus.RolledBack ? "rolled_back" : "ended"));
            }

            return null;
        }

        Record(verification, verifier, id, outcome);
        if (verification.Outcome == VerificationOutcome.Open)
        {
            Tally(step, visit.Key);
        }

        return null;
    }

    /// <summary>Puts an answer on record. What is no verdict is a failure of the model: asked again, in the end an abstention.</summary>
    private void Record(VerificationState verification, VerifierState verifier, EffectId id, EffectOutcome outcome)
    {
        var answer = outcome.Failure is null ? WellFormed(outcome.Answer ?? new ModelAnswer { Content = outcome.Result?.GetRawText() }) : null;
        var late = verification.Outcome != VerificationOutcome.Open;
        var failure = outcome.Failure;
        if (answer is not null && TryReadVerdict(answer, out var verdict, out var reason, out failure))
        {
            Emit(new VerifierAnswered(id.ToString(), verifier.Agent, verdict, reason, late, answer.InputTokens, answer.OutputTokens));
            return;
        }

        long? retry = late || failure!.Permanent || verifier.FailedTries + 1 >= VerifierTriesMax ? null : atMs + Math.Max(WaitBetween(verifier.FailedTries + 1), failure.RetryAfterMs ?? 0);
        Emit(new VerifierFailed(id.ToString(), verifier.Agent, failure!, retry, answer?.InputTokens ?? 0, answer?.OutputTokens ?? 0));
    }

    private static bool TryReadVerdict(ModelAnswer answer, out string verdict, out string reason, out EffectFailure? failure)
    {
        (verdict, reason, failure) = ("", "", null);
        if (Withheld(answer) is { } withheld)
        {
            failure = new EffectFailure(withheld.Class, withheld.Code, withheld.Message);
            return false;
        }

        var text = WithoutFence((answer.Content ?? "").Trim());
        if (CanonicalJson.TryParse(Encoding.UTF8.GetBytes(text), out var value, out _) && value.ValueKind == JsonValueKind.Object
            && value.TryGetProperty("verdict", out var given) && given.ValueKind == JsonValueKind.String && Verdicts.Contains(given.GetString())
            && value.TryGetProperty("reason", out var why) && why.ValueKind == JsonValueKind.String)
        {
            (verdict, reason) = (given.GetString()!, Shorten(why.GetString()!));
            return true;
        }

        failure = new EffectFailure(FailureClasses.ModelError, "malformed_verdict", $"the answer is no verdict: {Shorten(text)}");
        return false;
    }

    private void Tally(StepPlan step, VisitKey key)
    {
        var verification = Visit(key).Verification!;
        var (approvals, rejections, outstanding) = (verification.Count("approve"), verification.Count("reject"), verification.Outstanding);
        if (approvals >= verification.Request.Quorum)
        {
            Agree(step, key, "quorum");
        }
        else if (approvals + outstanding >= verification.Request.Quorum)
        {
            return; // The quorum may still be reached.
        }
        else if (rejections > approvals + outstanding)
        {
            Refuse(key, "quorum", InWords(verification));
        }
        else if (outstanding == 0)
        {
            Emit(new VerificationSplit(key.Step, key.Visit, Visit(key).Attempt, approvals, rejections, verification.Count("abstain"), VerdictsOf(verification, dissent: false)));
            AskAboutVerdicts(key);
        }
    }

    private static string InWords(VerificationState verification) =>
        string.Join("; ", verification.Verifiers.Where(verifier => verifier is { Verdict: "reject" }).Select(verifier => $"{verifier.Agent} rejects: {verifier.Reason}"));

    private static Verdict[] VerdictsOf(VerificationState verification, bool dissent) =>
        [.. verification.Verifiers.Where(verifier => verifier.Verdict is { } given && !(dissent && given == "approve")).Select(verifier => new Verdict(verifier.Agent, verifier.Verdict!, verifier.Reason))];

    /// <summary>Goes on with what was verified: the writes and the commit of an output, the call with its arguments.</summary>
    private void Agree(StepPlan step, VisitKey key, string by)
    {
        var verification = Visit(key).Verification!;
        var (approvals, rejections, abstentions) = (verification.Count("approve"), verification.Count("reject"), verification.Count("abstain"));
        Emit(new VerificationAgreed(key.Step, key.Visit, Visit(key).Attempt, approvals, rejections, abstentions, VerdictsOf(verification, dissent: true), by));
        var value = verification.Request.Value;
        if (verification.Request.Subject == "output")
        {
            WriteAndCommit(step, key, value, verification.Request.Edges ?? [], null);
        }
        else
        {
            RequestVerified(step, key, value);
        }
    }

    private void Refuse(VisitKey key, string by, string why)
    {
        var verification = Visit(key).Verification!;
        var (approvals, rejections, abstentions) = (verification.Count("approve"), verification.Count("reject"), verification.Count("abstain"));
        var verdicts = VerdictsOf(verification, dissent: false);
        Emit(new VerificationRefused(key.Step, key.Visit, Visit(key).Attempt, approvals, rejections, abstentions, verdicts, by));
        Fail(key, new Failing(FailureClasses.MissingVerification, "quorum_refused", why)
        {
            Expected = $"{verification.Request.Quorum} of {verification.Verifiers.Count} verifiers approve",
            Actual = VerdictsAsJson(verdicts),
            Output = verification.Request.Value,
        });
    }

    private static JsonElement VerdictsAsJson(IReadOnlyList<Verdict> verdicts) =>
        JsonMake.Object([.. verdicts.Select(verdict => (verdict.Agent, JsonMake.Text($"{verdict.Given}: {verdict.Reason}")))]);

    private void AskAboutVerdicts(VisitKey key)
    {
        var verification = Visit(key).Verification!;
        var verdicts = VerdictsOf(verification, dissent: false).Select(verdict => JsonMake.Object(
            ("agent", JsonMake.Text(verdict.Agent)), ("verdict", JsonMake.Text(verdict.Given)), ("reason", JsonMake.Text(verdict.Reason))));
        var shown = JsonMake.Object(
            ("message", JsonMake.Text($"the verifiers of {key.Step} do not agree: {verification.Count("approve")} approve, {verification.Count("reject")} reject, {verification.Count("abstain")} abstain; {verification.Request.Quorum} are needed")),
            ("quorum", JsonMake.Integer(verification.Request.Quorum)), ("verdicts", JsonMake.Array(verdicts)),
            ("input", Visit(key).Input), (verification.Request.Subject, verification.Request.Value));
        Ask(key, "verification", null, ["approve", "repeat", "reject"], shown);
        Notify("verification_split", key.Step, $"the verifiers of {key.Step} do not agree");
        if (_state.Status == ExecutionStatus.Running || _state is { Status: ExecutionStatus.Paused, PauseReason: PausedInDoubt })
        {
            Emit(new ExecutionPaused("verification_split", "policy", null)); // Else it would go on as soon as nothing is in doubt.
        }
    }

    private Rejection? DecideVerification(ReviewRequested request, DecideReview command)
    {
        var key = new VisitKey(request.Step, request.Visit);
        Emit(Decided(command));
        Resume(command.By, key);
        switch (command.Decision)
        {
            case "approve":
                Agree(Plan.Step(request.Step)!, key, command.By);
                break;
            case "repeat":
                Emit(new VerificationRepeated(key.Step, key.Visit, request.Attempt, command.By));
                break;
            default:
                Refuse(key, command.By, command.Note ?? $"{command.By} rejected it");
                break;
        }

        EnqueueAll();
        return null;
    }
}
