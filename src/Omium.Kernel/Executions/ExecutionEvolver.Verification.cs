namespace Omium.Kernel.Executions;

/// <summary>What the events of verifiers change.</summary>
internal static partial class ExecutionEvolver
{
    private static ExecutionState? EvolveVerification(ExecutionState state, ExecutionEvent happened) => happened switch
    {
        VerificationRequested e => With(state, new(e.Step, e.Visit), visit => visit with
        {
            Verifications = visit.Verifications.Add(new VerificationState(e) { Verifiers = [.. e.Of.Select(agent => new VerifierState(agent))] }),
            InputTokens = visit.InputTokens + e.InputTokens,
            OutputTokens = visit.OutputTokens + e.OutputTokens,
        }),
        VerifierAnswered e => WithVerifier(state, e.Effect, e.InputTokens, e.OutputTokens, verifier => verifier with
        {
            Verdict = e.Verdict, Reason = e.Reason, Late = e.Late, Tries = verifier.Tries + 1, DueMs = 0,
        }),
        VerifierFailed e => WithVerifier(state, e.Effect, e.InputTokens, e.OutputTokens, verifier => verifier with
        {
            Verdict = e.RetryDueMs is null ? "abstain" : null,
            Reason = e.Failure.Message,
            Tries = verifier.Tries + 1,
            FailedTries = verifier.FailedTries + 1,
            DueMs = e.RetryDueMs ?? 0,
        }),
        VerificationAgreed e => Judged(state, e.Step, e.Visit, VerificationOutcome.Agreed),
        VerificationRefused e => Judged(state, e.Step, e.Visit, VerificationOutcome.Refused),
        VerificationSplit e => Judged(state, e.Step, e.Visit, VerificationOutcome.Split),
        VerificationRepeated e => WithVerification(state, new(e.Step, e.Visit), -1, verification => verification with
        {
            Outcome = VerificationOutcome.Open,
            Verifiers = [.. verification.Verifiers.Select(verifier => verifier with { Verdict = null, Reason = "", FailedTries = 0, DueMs = 0 })],
        }),
        _ => null,
    };

    private static ExecutionState Judged(ExecutionState state, string step, int visit, VerificationOutcome outcome) =>
        WithVerification(state, new(step, visit), -1, verification => verification with { Outcome = outcome });

    private static ExecutionState WithVerifier(ExecutionState state, string effect, long inputTokens, long outputTokens, Func<VerifierState, VerifierState> change)
    {
        var id = Parse(effect);
        var next = WithVerification(state, id.Key, id.Attempt, verification => verification with
        {
            Verifiers = verification.Verifiers.SetItem(id.Number - 1, change(verification.Verifiers[id.Number - 1])),
        });
        return With(next, id.Key, visit => visit with { InputTokens = visit.InputTokens + inputTokens, OutputTokens = visit.OutputTokens + outputTokens });
    }

    /// <summary>Changes the verification of an attempt; -1 = the newest.</summary>
    private static ExecutionState WithVerification(ExecutionState state, VisitKey key, int attempt, Func<VerificationState, VerificationState> change) => With(state, key, visit =>
    {
        var at = visit.Verifications.FindLastIndex(verification => attempt < 0 || verification.Request.Attempt == attempt);
        return at < 0
            ? throw new CorruptLogException($"nobody was asked to verify {key}")
            : visit with { Verifications = visit.Verifications.SetItem(at, change(visit.Verifications[at])) };
    });
}
