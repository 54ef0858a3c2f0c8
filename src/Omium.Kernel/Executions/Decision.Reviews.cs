using System.Globalization;
using System.Text;
using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>Questions to people: one decision each, bound to the digest of what was shown.</summary>
internal sealed partial class Decision
{
    /// <summary>How long a review may be answered; a human_approval's timeout is shorter.</summary>
    private static readonly TimeSpan ReviewTtl = SpecLimits.ApprovalTimeoutMax;

    private void Ask(VisitKey key, string kind, string? effect, IReadOnlyList<string> decisions, JsonElement shown, string? role = null, TimeSpan? ttl = null)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"rev_{_state.ExecutionId.Replace("exe_", "", StringComparison.Ordinal)}_{_state.Reviews.Count + 1}");
        var stored = Externalize(shown);
        var identity = $"{id}\n{kind}\n{effect}\n{string.Join(',', decisions)}\n{DigestOf(stored)}";
        var digest = CanonicalJson.Digest(Encoding.UTF8.GetBytes(identity));
        Emit(new ReviewRequested(id, kind, key.Step, key.Visit, Visit(key).Attempt, effect, decisions, stored, digest, atMs + (long)(ttl ?? ReviewTtl).TotalMilliseconds, role));
    }

    private void AskAboutFailure(VisitKey key, string? role)
    {
        var failure = Visit(key).Failures[^1].Failure;
        var withheld = Visit(key).Withheld;
        var residue = Visit(key).Calls.Where(call => call.Residue).Select(call => $"{call.Tool} ({call.Id})").ToArray();
        var shown = JsonMake.Object(
            ("class", JsonMake.Text(failure.Class)),
            ("code", JsonMake.Text(failure.Code)),
            ("message", JsonMake.Text(failure.Message)),
            ("expected", failure.Expected is { } expected ? JsonMake.Text(expected) : default),
            ("actual", failure.Actual ?? default),
            ("input", Visit(key).Input),
            ("output", failure.Output ?? default),
            ("rollback_to", withheld is null ? default : JsonMake.Text(withheld.To)),
            ("irreversible", withheld is null ? default : JsonMake.Texts(withheld.Irreversible)),
            ("residue", residue.Length == 0 ? default : JsonMake.Texts(residue)));
        string[] decisions = ["approve", "edit", "override", "rollback", "skip", "reject"];
        Ask(key, "failure", null, withheld is null ? decisions : [AcceptResidue, .. decisions], shown, role);
    }

    private Rejection? Decide(DecideReview command)
    {
        if (!_state.Reviews.TryGetValue(command.Review, out var review))
        {
            return new Rejection("review_not_found", $"no review {command.Review} is known here");
        }

        if (review.Decided is { } decided)
        {
            var isSame = decided.Decision == command.Decision && decided.By == command.By;
            if (isSame && decided.ContentDigest == ContentDigest(command))
            {
                return null; // The answer was lost, and it is sent again.
            }

            Emit(new ReviewRefused(command.Review, command.Decision, command.By, "review_closed"));
            return new Rejection("review_closed", $"{decided.By} has already decided: {decided.Decision}{(isSame ? ", with other edits, output, place or note than these" : "")}", RecordsEvents: true);
        }

        if (review.ExpiredMs > 0 || atMs > review.Request.ExpiresMs)
        {
            Emit(new ReviewRefused(command.Review, command.Decision, command.By, "review_expired"));
            return new Rejection("review_expired", "the time to decide is over; retry, roll back or cancel the execution instead", RecordsEvents: true);
        }

        if (command.Digest != review.Request.Digest)
        {
            return new Rejection("review_digest_mismatch", "what you saw is not what this review shows now: read it again and decide on that");
        }

        if (!review.Request.Decisions.Contains(command.Decision))
        {
            return new Rejection("decision_not_allowed", $"this review takes {string.Join(", ", review.Request.Decisions)}");
        }

        if (review.Request.HaltsExecution && (_state.Ended || _state.Rollback is not null))
        {
            return _state.Ended
                ? new Rejection("execution_ended", $"the execution is {Word(_state.Status)}: retry it instead")
                : new Rejection("rollback_in_progress", "a rollback is under way; decide when it is complete");
        }

        return review.Request.Kind switch
        {
            "failure" => DecideFailure(review.Request, command),
            "approval" => DecideApproval(review.Request, command),
            "call_approval" => DecideCall(review.Request, command),
            "handoff" => DecideHandoff(review.Request, command),
            "verification" => DecideVerification(review.Request, command),
            "sandbox_call" => DecideSandboxCall(review.Request, command),
            _ => DecideInDoubt(review.Request, command),
        };
    }

    private static ReviewDecided Decided(DecideReview command, AgentEdit? edits = null) =>
        new(command.Review, command.Decision, command.By, edits, command.Note, ContentDigest(command));

    /// <summary>What a decision says beside its word; null when that is all of it.</summary>
    private static string? ContentDigest(DecideReview command)
    {
        if (command is { Edits: null, To: null, Note: null } && Present(command.Output) is null)
        {
            return null;
        }

        return CanonicalJson.Digest(JsonMake.Object(
            ("edits", command.Edits is { } edits ? JsonMake.Object(("prompt", TextOrNone(edits.Prompt)), ("constraints", TextsOrNone(edits.Constraints)), ("tools", TextsOrNone(edits.Tools))) : default),
            ("output", Present(command.Output) ?? default), ("to", TextOrNone(command.To)), ("note", TextOrNone(command.Note))));

        static JsonElement TextOrNone(string? text) => text is null ? default : JsonMake.Text(text);

        static JsonElement TextsOrNone(IReadOnlyList<string>? texts) => texts is null ? default : JsonMake.Texts(texts);
    }

    private Rejection? DecideFailure(ReviewRequested request, DecideReview command)
    {
        var key = new VisitKey(request.Step, request.Visit);
        var step = StepOf(key, command.Output);
        if (command.Decision == "edit" && CheckEdits(step, command.Edits) is { } refused)
        {
            return refused;
        }

        if (command.Decision == "override")
        {
            return Override(step, key, command);
        }

        if (command.Decision == "rollback")
        {
            return RollBackByReview(key, command);
        }

        if (command.Decision == AcceptResidue)
        {
            return RollBackWithResidue(key, command);
        }

        Emit(Decided(command, command.Edits));
        if (command.Decision is "approve" or "edit")
        {
            ApproveHighValue(request, command.By);
        }

        if (command.Decision == "reject")
        {
            Resume(command.By, key);
            GiveUp(key);
            EnqueueAll();
            return null;
        }

        if (command.Decision == "edit")
        {
            Emit(new EditsApplied(step.Spec.Agent!, command.Edits!, command.By));
        }

        Resume(command.By, key);
        if (command.Decision == "skip")
        {
            SkipFailed(key, "person");
        }
        else if (Visit(key).Status == VisitStatus.FailedAttempt)
        {
            RetryAttempt(key, 0, byPerson: true);
        }

        EnqueueAll();
        return null;
    }

    /// <summary>Goes on after a person's decision; an execution that is not paused stays as it is.</summary>
    private void Resume(string by, VisitKey decided)
    {
        if (_state.Status != ExecutionStatus.Paused || _state.OpenReviews.Any(id => _state.Reviews[id].Request.HaltsExecution))
        {
            return;
        }

        if (OpenDoubt() is null)
        {
            Emit(new ExecutionResumed(by, null));
            RetryPaused(decided);
        }
        else if (_state.PauseReason != PausedInDoubt)
        {
            Emit(new ExecutionPaused(PausedInDoubt, "policy", null)); // This question is answered, another is not: nobody knows yet whether a call happened.
        }
    }

    /// <summary>Attempts that failed while the execution was paused, and the policy only said to pause: nobody is asked about them, so that going on means trying again.</summary>
    private void RetryPaused(VisitKey? decided = null)
    {
        foreach (var key in _state.Open.Values.Where(key => key != decided && Visit(key) is { Failing: true, Rollback: null, Deferred: null, Reviews.Count: 0 }).ToArray())
        {
            RetryAttempt(key, 0, byPerson: true);
        }
    }

    /// <summary>A person's output goes through the same schema, guards and edges as any other.</summary>
    private Rejection? Override(StepPlan step, VisitKey key, DecideReview command)
    {
        if (Present(command.Output) is not { } output)
        {
            return new Rejection("validation_failed", "an override needs an output");
        }

        // What is to be made again is given up by the override; what is under way or being looked up tells its outcome soon.
        if (Visit(key).Calls.Find(call => call is { Unsettled: true, Kind: not EffectKind.None, Next: not ("rerun" or "redo") }) is { } unsettled)
        {
            return new Rejection("effect_unsettled", $"whether {unsettled.Tool} ({unsettled.Id}) happened is not known yet: nothing is committed over it; decide when that is settled");
        }

        var trial = new Decision(_state, values, atMs);
        if (!trial.Accept(step, key, output, out _, out var failing, byPerson: true))
        {
            return new Rejection("override_refused", $"the output is held to the same checks, and fails: {failing.Message}");
        }

        Emit(Decided(command));
        GiveUpCalls(key);
        Resume(command.By, key);
        var target = key;
        if (Visit(key).Status == VisitStatus.RolledBack)
        {
            target = new VisitKey(key.Step, _state.Latest[key.Step] + 1);
            var before = Visit(key);
            Emit(new StepScheduled(target.Step, target.Visit, before.Input, before.InputDigest, NoneIfEmpty(before.After), NoneIfEmpty(before.Reads)));
        }
        else
        {
            Emit(new RetryScheduled(key.Step, key.Visit, Visit(key).Attempt + 1, atMs));
        }

        Finish(step, target, output, command.By);
        EnqueueAll();
        return null;
    }

    private Rejection? RollBackByReview(VisitKey key, DecideReview command)
    {
        IReadOnlyList<VisitKey> affected;
        string target;
        if (command.To is { } to)
        {
            if (!TryAffected(key, to, out target, out affected))
            {
                return new Rejection("checkpoint_not_found", $"no checkpoint '{to}' lies before {key.Step}");
            }
        }
        else
        {
            (target, affected) = ("start", Ordered(_state.Visits.Keys));
        }

        if (PastFork(affected) is { } past)
        {
            return past;
        }

        var effects = StandingEffects(affected);
        if (Irreversible(effects, command.AcceptResidue, out var left) is { } blocked)
        {
            return blocked;
        }

        Emit(Decided(command));
        LeaveBehind(left, command.By);
        PlanRollback(target, command.To is null ? "all" : "failure", affected, Undoable(effects), "person", command.By, null, key.IsItem
            ? new RollbackSequel(null, command.To is null ? null : [new RecoveryAction("pause")], false, command.To is null)
            : new RollbackSequel(key, command.To is null ? null : [new RecoveryAction("pause"), new RecoveryAction("await_review")], false, command.To is null));
        return null;
    }

    internal Rejection? CheckEdits(StepPlan step, AgentEdit? edits)
    {
        if (edits is null || (edits.Prompt ?? (object?)edits.Constraints ?? edits.Tools) is null)
        {
            return new Rejection("validation_failed", "an edit needs a prompt, constraints or tools");
        }

        if (step.Agent is not { } agent)
        {
            return new Rejection("edit_forbidden", $"step '{step.Spec.Id}' has no agent to edit");
        }

        var touched = new List<string>();
        touched.AddRange(edits.Prompt is null ? [] : [EditKinds.Prompt]);
        touched.AddRange(edits.Constraints is null ? [] : [EditKinds.Constraints]);
        touched.AddRange(edits.Tools is null ? [] : [EditKinds.ToolSelection]);
        var refused = touched.FirstOrDefault(kind => !Plan.Policy.AllowedEdits.Contains(kind) || Plan.Policy.ForbiddenEdits.Contains(kind));
        if (refused is not null)
        {
            return new Rejection("edit_forbidden", $"the recovery policy does not allow an edit of {refused}");
        }

        var unknown = edits.Tools?.FirstOrDefault(tool => Plan.Tool(tool) is null);
        return unknown is null ? null : new Rejection("edit_forbidden", $"there is no tool '{unknown}' in this workflow (agent {agent.Id})");
    }

    private Rejection? DecideApproval(ReviewRequested request, DecideReview command)
    {
        var key = new VisitKey(request.Step, request.Visit);
        Emit(Decided(command));
        if (command.Decision == "approve")
        {
            var output = JsonMake.Object(
                ("approved", JsonMake.Boolean(true)), ("by", JsonMake.Text(command.By)), ("note", command.Note is { } note ? JsonMake.Text(note) : default));
            Finish(Plan.Step(request.Step)!, key, output, command.By);
        }
        else
        {
            Fail(key, new Failing(FailureClasses.Rejected, "rejected", command.Note ?? $"{command.By} rejected it") { Permanent = true });
        }

        return null;
    }

    private Rejection? DecideCall(ReviewRequested request, DecideReview command)
    {
        var key = new VisitKey(request.Step, request.Visit);
        Emit(Decided(command));
        if (command.Decision == "reject")
        {
            var call = Visit(key).Calls.Find(candidate => candidate.Id.ToString() == request.Effect)!;
            var reason = $"{command.By} rejected this call{(command.Note is { } note ? $": {note}" : "")}";
            Emit(new CallRefused(request.Effect!, call.Tool, call.ToolCallId, reason, call.Turn));
            if (call.Turn == 0)
            {
                Fail(key, new Failing(FailureClasses.Rejected, "call_rejected", reason) { Permanent = true });
            }
        }

        return null;
    }

    private Rejection? DecideInDoubt(ReviewRequested request, DecideReview command)
    {
        var key = new VisitKey(request.Step, request.Visit);
        var visit = Visit(key);
        var call = visit.Calls.Find(candidate => candidate.Id.ToString() == request.Effect)!;
        var step = StepOf(key, command.Output);
        if (command.Decision == "done")
        {
            var output = Present(command.Output) ?? JsonMake.Object(("confirmed_by", JsonMake.Text(command.By)));
            if (IsLive(visit, call) && ResultProblem(Plan.Tool(call.Tool), new EffectOutcome { Result = output }) is { } problem)
            {
                return new Rejection("override_refused", $"say with 'output' what the call gave; the tool's schema needs it: {problem}");
            }

            if (call.Turn == 0 && IsLive(visit, call) && !new Decision(_state, values, atMs).Accept(step, key, output, out _, out var failing))
            {
                return new Rejection("override_refused", $"say with 'output' what the call gave; the step's checks need it: {failing.Message}");
            }

            Emit(Decided(command));
            GoOnAfterDoubt(command.By);
            SettleIntent(step, Visit(key), call, new EffectOutcome { Result = Externalize(output) }, "person");
            return null;
        }

        Emit(Decided(command));
        GoOnAfterDoubt(command.By);
        if (command.Decision == "redo" && IsLive(visit, call))
        {
            Emit(new IntentInDoubt(request.Effect!, "person_says_redo", "redo", atMs));
            return null;
        }

        var refusal = new EffectFailure(FailureClasses.InDoubt, "not_done", $"{command.By} says it did not happen and shall not", Permanent: true);
        SettleIntent(step, Visit(key), call, new EffectOutcome { Failure = refusal }, "person");
        return null;
    }

    private Rejection? Record(RecordTest command)
    {
        if (!_state.Reviews.ContainsKey(command.Review))
        {
            return new Rejection("review_not_found", $"no review {command.Review} is known here");
        }

        if (command.RequestId is { } request && _state.Requests.Contains(request))
        {
            return null;
        }

        Emit(new ReviewTested(command.Review, command.By, command.Edits, command.Outcome, command.Problem, command.InputTokens, command.OutputTokens, command.RequestId));
        return null;
    }
}
