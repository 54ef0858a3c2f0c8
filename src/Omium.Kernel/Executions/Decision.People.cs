using System.Globalization;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>What waits for people and must not wait for ever: doubts that pause, reviews that expire, calls that were approved by name.</summary>
internal sealed partial class Decision
{
    /// <summary>Why an execution is paused while nobody knows whether a call happened.</summary>
    private const string PausedInDoubt = "in_doubt";

    /// <summary>The open review that asks whether a call of a visit under way happened; null when there is none.</summary>
    private string? OpenDoubt() => _state.OpenReviews.FirstOrDefault(id =>
        _state.Reviews[id].Request is { Kind: "in_doubt", Effect: { } effect } && CallOf(effect) is { } call && IsLive(Visit(call.Id.Key), call));

    /// <summary>A doubt is over. What was paused because of it goes on, unless another one is open or somebody paused it since.</summary>
    private void GoOnAfterDoubt(string by)
    {
        if (_state is { Status: ExecutionStatus.Paused, PauseReason: PausedInDoubt } && OpenDoubt() is null)
        {
            Emit(new ExecutionResumed(by, null));
            EnqueueAll();
        }
    }

    /// <summary>
    /// Reviews past their time. A human_approval with a time-out fails its step by it; every other question is asked again, under a new id, and
    /// somebody is told: nothing waits for a person who was never reached.
    /// </summary>
    private void ExpireReviews()
    {
        foreach (var id in _state.OpenReviews.Where(id => atMs > _state.Reviews[id].Request.ExpiresMs).ToArray())
        {
            var request = _state.Reviews[id].Request;
            var isOpen = _state.OpenReviews.Contains(id); // The one before may have failed its step, which closes what that asked.
            if (!isOpen || (_state.Ended && request.Kind != "in_doubt"))
            {
                continue;
            }

            var key = new VisitKey(request.Step, request.Visit);
            if (request.Kind == "approval" && Plan.Step(request.Step)?.Spec.Timeout is { } timeout)
            {
                Emit(new ReviewExpired(id, "step_failed"));
                var message = string.Create(CultureInfo.InvariantCulture, $"nobody decided within {timeout.TotalSeconds} s");
                Fail(key, new Failing(FailureClasses.Timeout, "approval_timeout", message) { Permanent = true });
                continue;
            }

            Emit(new ReviewExpired(id, "asked_again"));
            Ask(key, request.Kind, request.Effect, request.Decisions, request.Shown, request.Role);
            Notify("review_expired", request.Step, $"nobody decided in time about {request.Step}; it is asked again");
        }
    }

    /// <summary>
    /// True when the policy says itself what follows a high-value call: it is a trigger, or a rule names it. Then its actions run as written;
    /// else the call alone waits for approval.
    /// </summary>
    private bool IsServedByPolicy(Failing failing, VisitState visit) =>
        Plan.Policy.Triggers.Contains(failing.Class) || (MatchingRule(failing, visit) is { } rule && Plan.Rules[rule].Spec.On.Contains(failing.Class));

    /// <summary>The approval of this very call that a person gave after it was stopped; null when there is none.</summary>
    private string? ApproverOf(string step, string tool, string argumentsDigest) => _state.Approvals
        .Where(approved => approved.Step == step && approved.Tool == tool && approved.ArgumentsDigest == argumentsDigest)
        .Select(approved => approved.By).Min(StringComparer.Ordinal);

    /// <summary>Approving a failure of class high_value_operation approves the call that was stopped: it may be made, once.</summary>
    private void ApproveHighValue(ReviewRequested request, string by)
    {
        var key = new VisitKey(request.Step, request.Visit);
        if (Visit(key).Failures[^1].Failure is { Class: FailureClasses.HighValueOperation }
            && Visit(key).Calls.FindLast(call => call is { Status: CallStatus.Refused, Kind: not EffectKind.None }) is { } call)
        {
            Emit(new CallApproved(request.Step, call.Tool, call.ArgumentsDigest, by));
        }
    }

    /// <summary>A proposal is held to what a decision would be held to, so that a person is shown nothing that would be refused; it changes nothing.</summary>
    private Rejection? Propose(ProposeFix command)
    {
        if (!_state.Reviews.TryGetValue(command.Review, out var review))
        {
            return new Rejection("review_not_found", $"no review {command.Review} is known here");
        }

        if (command.RequestId is { } id && _state.Requests.Contains(id))
        {
            return null;
        }

        if (review.Decided is not null || review.ExpiredMs > 0 || atMs > review.Request.ExpiresMs)
        {
            return new Rejection("review_closed", "nothing is asked here any more");
        }

        if (command.Digest != review.Request.Digest)
        {
            return new Rejection("review_digest_mismatch", "what you saw is not what this review shows now: read it again and propose on that");
        }

        if (review.Request.Kind != "failure" || !review.Request.Decisions.Contains("edit"))
        {
            return new Rejection("decision_not_allowed", $"this review takes {string.Join(", ", review.Request.Decisions)}");
        }

        var key = new VisitKey(review.Request.Step, review.Request.Visit);
        if (CheckEdits(StepOf(key, null), command.Edits) is { } refused)
        {
            return refused;
        }

        Emit(new FixProposed(command.Review, _state.ProposalCount + 1, command.By, command.Edits, command.Note, command.RequestId));
        return null;
    }

    private Rejection? Resolve(ResolveResidue command)
    {
        if (_state.Requests.Contains(command.RequestId))
        {
            return null;
        }

        if (_state.Residue.Find(left => left.Left.Effect == command.Effect) is not { } residue)
        {
            return new Rejection("residue_not_found", $"nothing was left of {command.Effect}");
        }

        if (residue.Resolved is { } resolved)
        {
            return resolved.By == command.By && resolved.Note == command.Note
                ? null
                : new Rejection("residue_resolved", $"{resolved.By} has already dealt with it");
        }

        Emit(new ResidueResolved(command.Effect, command.By, command.Note, command.RequestId));
        return null;
    }

    private Rejection? Ignore(IgnoreFailure command)
    {
        if (_state.Requests.Contains(command.RequestId) || _state.IgnoredFailures.Contains(command.Failure))
        {
            return null;
        }

        if (!HasFailed(command.Failure))
        {
            return new Rejection("failure_not_found", $"there is no failure {Shorten(command.Failure)} here");
        }

        Emit(new FailureIgnored(command.Failure, command.By, command.RequestId));
        return null;
    }

    private bool HasFailed(string failure)
    {
        if (failure.Split('.') is not [var step, var visit, var last] || !int.TryParse(visit, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        var key = new VisitKey(step, number);
        return int.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var attempt)
            ? _state.Visits.GetValueOrDefault(key) is { } visited && visited.Failures.Exists(known => known.Failure.Attempt == attempt)
            : last.StartsWith('h') && _state.Handoffs.Keys.Any(handoff => handoff.From == key);
    }
}
