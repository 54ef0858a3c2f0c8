using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>Messages between the agents of a traced execution, and the end of its program.</summary>
internal sealed partial class Decision
{
    private static readonly string ProgramStep = TracedNames.Of(TracedNames.Program, "1");

    /// <summary>
    /// The newest message of an agent that stands, held to the receiver's schema and constraints and compared with what the receiver has seen; recorded, so
    /// that a replay delivers exactly the same one. While there is none, the receiver waits.
    /// </summary>
    private Rejection? ReceiveMessage(TraceOperation operation)
    {
        var sent = MessageOf(_state, operation.Name!);
        var standing = _state.StandingVisit(TracedNames.Of(operation.Name!, operation.Key!));
        if (sent is null && standing is null or { Status: VisitStatus.Open or VisitStatus.Failed })
        {
            return _state.Ended ? new Rejection("execution_ended", $"the execution is {Word(_state.Status)}: nothing was handed over in it by {operation.Name![8..]}") : null;
        }

        var seen = operation.Output;
        if (Open(operation with { Output = null }, out var visit, sent?.Key) is { } rejection)
        {
            return rejection;
        }

        if (visit is not { Status: VisitStatus.Open, Reviews.Count: 0 } || visit.RetryDueMs > atMs)
        {
            return null;
        }

        Hold(visit.Key, operation.Declared!, (visit.Traced?.Run ?? 0) + 1, atMs + _trace.LeaseMs);
        if (Dispute(sent!, seen) is { } dispute)
        {
            Fail(visit.Key, dispute);
        }
        else
        {
            Conclude(visit.Key, new EffectOutcome { Result = sent!.Output });
        }

        return null;
    }

    /// <summary>The newest message that an agent handed over and that stands; the receiving step's name is <c>receive:agent</c>.</summary>
    internal static VisitState? MessageOf(ExecutionState state, string receiving)
    {
        var sender = receiving[(receiving.IndexOf(':', StringComparison.Ordinal) + 1)..];
        return state.Visits.Values
            .Where(visit => visit is { Status: VisitStatus.Committed, Traced.Declared.Kind: TracedKinds.Handoff } && TracedNames.NameOf(visit.Key.Step) == "handoff:" + sender)
            .MaxBy(visit => visit.CommitOrdinal);
    }

    /// <summary>What sender and receiver do not agree on: the first claim, in the order of the names, of which the receiver has seen something else or nothing.</summary>
    private static Failing? Dispute(VisitState sent, JsonElement? seen)
    {
        if (sent.Traced!.Declared.Claims is not { ValueKind: JsonValueKind.Object } claims || seen is not { ValueKind: JsonValueKind.Object } views)
        {
            return null;
        }

        foreach (var claim in claims.EnumerateObject().OrderBy(claim => claim.Name, StringComparer.Ordinal))
        {
            var isSeen = views.TryGetProperty(claim.Name, out var view);
            if (!isSeen || view.GetRawText() != claim.Value.GetRawText())
            {
                var sender = TracedNames.NameOf(sent.Key.Step);
                return new Failing(
                    FailureClasses.HandoffDisputed, isSeen ? FailureClasses.HandoffDisputed : "claim_not_seen",
                    $"{sender[(sender.IndexOf(':', StringComparison.Ordinal) + 1)..]} states {claim.Name} = {claim.Value.GetRawText()}, the receiver has seen {(isSeen ? view.GetRawText() : "nothing of it")}")
                {
                    Permanent = true,
                    Expected = $"{claim.Name} = {claim.Value.GetRawText()}",
                    Actual = isSeen ? JsonMake.Object((claim.Name, view)) : null,
                };
            }
        }

        return null;
    }

    /// <summary>The program has ended, with an output or by a failure. One that is paused or being rolled back ends later: it asks again.</summary>
    private Rejection? Complete(TraceOperation operation)
    {
        if (_state.Status is ExecutionStatus.Paused or ExecutionStatus.RollingBack)
        {
            return null;
        }

        if (_state.Ended)
        {
            var isRepeated = _state.Status == ExecutionStatus.Succeeded ? operation.Failure is null : _state.Status == ExecutionStatus.Failed && operation.Failure is not null;
            return isRepeated ? null : new Rejection("execution_ended", $"the execution is {Word(_state.Status)} already");
        }

        if (operation.Failure is { } failure)
        {
            EndProgram(failure);
            return null;
        }

        if (_state.Open.Count > 0)
        {
            return new Rejection("steps_open", $"the program says it is done, and these steps are not: {string.Join(", ", _state.Open.Values.Select(key => TracedNames.NameOf(key.Step)).Distinct(StringComparer.Ordinal))}");
        }

        if (_state.StandingVisit(ProgramStep) is { Status: VisitStatus.Failed, Key: var program, Attempt: var attempt })
        {
            Emit(new RetryScheduled(program.Step, program.Visit, attempt + 1, atMs)); // It failed before: that is settled by its success.
            Emit(new StepCommitted(program.Step, program.Visit, attempt + 1, JsonMake.Null, null, null, null, 0, 0));
        }

        Emit(new ExecutionSucceeded(operation.Output ?? JsonMake.Null));
        return null;
    }

    private void EndProgram(EffectFailure failure)
    {
        if (_state.FailedVisit is { } failed && Visit(failed) is { Status: VisitStatus.Failed } visit && visit.Failures[^1].Failure is { } known
            && known.Code == failure.Code && known.Message == failure.Message)
        {
            EndFailed(failed); // The exception of a step that nothing caught.
            return;
        }

        var before = _state.StandingVisit(ProgramStep);
        var program = before?.Key ?? new VisitKey(ProgramStep, _state.Latest.GetValueOrDefault(ProgramStep) + 1);
        Emit(before is null
            ? new StepScheduled(program.Step, program.Visit, JsonMake.EmptyObject, "", _state.Frontier.IsEmpty ? null : [.. _state.Frontier], null)
            : new RetryScheduled(program.Step, program.Visit, before.Attempt + 1, atMs));
        var fingerprint = $"{_state.Workflow}/{program.Step}/{failure.Class}/{failure.Code}";
        Emit(new StepFailed(program.Step, program.Visit, Visit(program).Attempt, failure.Class, failure.Code, failure.Message, fingerprint, null, null, null, true, null, 0, 0));
        EndFailed(program);
    }
}
