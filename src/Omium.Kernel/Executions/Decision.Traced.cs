using System.Globalization;
using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>
/// Traced executions: code that runs elsewhere says which step comes next, and what came of it. A step is <c>name@key</c>; each of its visits ends in a
/// commit, whose output answers whoever asks again. A checkpoint runs under a lease, at least once until it is recorded; a transaction is a call with an
/// intent, and follows its effect kind. What nothing answers (a rollback, a person, another process) makes the code wait: it asks again.
/// </summary>
internal sealed partial class Decision
{
    private TraceExecution _trace = default!;

    private Rejection? Trace(TraceExecution command)
    {
        if (!Plan.IsTraced)
        {
            return new Rejection("execution_not_traced", "this execution runs a workflow: Omium does its steps, and no code elsewhere");
        }

        _trace = command;
        for (var index = 0; index < command.Operations.Count; index++)
        {
            if (Trace(command.Operations[index]) is { } rejection)
            {
                var place = command.Operations.Count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"operations/{index}: ");
                return rejection with { Message = place + rejection.Message };
            }
        }

        return null;
    }

    /// <summary>
    /// Why a program must begin anew before it goes on: between two of its requests something was taken back that it may have built on. What it tells of
    /// steps that were begun before is heard all the same, and answered about that step.
    /// </summary>
    private Rejection? Outdated(TraceOperation operation) =>
        _trace.Epoch is { } epoch && epoch != _state.Epoch && operation.Do is TraceWords.Begin or TraceWords.Record or TraceWords.Receive or TraceWords.Complete
            ? new Rejection("task_fenced", string.Create(CultureInfo.InvariantCulture, $"what this program goes on from was taken back (it is of epoch {epoch}, now is {_state.Epoch}): begin anew from its start"))
            : null;

    private Rejection? Trace(TraceOperation operation) => Outdated(operation) ?? operation.Do switch
    {
        TraceWords.Attach => Attach(),
        TraceWords.Begin => BeginStep(operation),
        TraceWords.Finish => FinishStep(operation, new EffectOutcome { Result = operation.Output ?? JsonMake.Null }),
        TraceWords.Fail => FinishStep(operation, new EffectOutcome { Failure = operation.Failure }),
        TraceWords.Record => RecordStep(operation),
        TraceWords.Receive => ReceiveMessage(operation),
        TraceWords.Verified => VerifyStep(operation),
        TraceWords.Renew => RenewLeases(),
        TraceWords.Lost => LoseProcess(operation.Gone ?? ""),
        TraceWords.Undo => LeaseUndo(operation.Effect ?? ""),
        TraceWords.Undone => SettleUndone(operation),
        TraceWords.Complete => Complete(operation),
        _ => new Rejection("validation_failed", $"no operation '{operation.Do}' is known"),
    };

    /// <summary>A program that is started again goes on: what failed may run anew, what is recorded answers.</summary>
    private Rejection? Attach()
    {
        if (_state.Status == ExecutionStatus.Failed)
        {
            Emit(new ExecutionResumed(_trace.Owner, null));
        }

        return null;
    }

    private Rejection? BeginStep(TraceOperation operation)
    {
        if (Open(operation, out var visit) is { } rejection)
        {
            return rejection;
        }

        return visit is null ? null : Lease(visit, operation.Declared!);
    }

    /// <summary>
    /// The visit that the step may run in, scheduled if there is none; null when nothing may run: it is recorded, or must wait. The same name and key with
    /// another input, or as another kind of step, is another program than the one that was recorded.
    /// </summary>
    private Rejection? Open(TraceOperation operation, out VisitState? visit, VisitKey? reads = null)
    {
        visit = null;
        var declared = operation.Declared!;
        var step = TracedNames.Of(operation.Name!, operation.Key!);
        if (TracedChecks.TryRead(declared.Checks, out var problem) is null)
        {
            return new Rejection("validation_failed", $"the checks of step '{operation.Name}' cannot be read: {problem}");
        }

        var standing = _state.StandingVisit(step);
        if (standing is not null && Mismatch(standing, operation) is { } mismatch)
        {
            return mismatch;
        }

        if (standing is { Status: VisitStatus.Committed or VisitStatus.Skipped or VisitStatus.FailedAttempt } || _state.Status is ExecutionStatus.Paused or ExecutionStatus.RollingBack)
        {
            return null;
        }

        if (_state.Ended)
        {
            return new Rejection("execution_ended", $"the execution is {Word(_state.Status)}: step '{operation.Name}' was never recorded in it");
        }

        if (standing is { Status: VisitStatus.Failed })
        {
            if (standing.Traced is { MayRetry: true } && !IsRefusedByAPerson(standing) && !IsFollowed(standing) && standing.CurrentCalls.All(call => !call.MayStand || call.Kind == EffectKind.Idempotent || EffectOf(call).Compensate is not null))
            {
                RetryAttempt(standing.Key, 0, askedFor: true); // What it did and can be undone is undone first.
                visit = Visit(standing.Key);
            }

            return null; // Else its failure is the answer: nobody has started the program again, a person said no, the program went on after it, or what it did stands.
        }

        if (standing is null && !IsCovered(Plan.Step(step)!))
        {
            return null; // At its boundary: it is asked for again when there are credits.
        }

        visit = standing ?? ScheduleTraced(step, operation, reads);
        return null;
    }

    private static Rejection? Mismatch(VisitState standing, TraceOperation operation)
    {
        var (kind, known) = (operation.Declared!.Kind, standing.Traced?.Declared.Kind);
        if (known is not null && known != kind)
        {
            return new Rejection("replay_mismatch", $"step '{operation.Name}' (call {operation.Key}) was recorded as a {known} and is a {kind} now: the program does not do again what it did");
        }

        return standing.InputDigest.Length > 0 && operation.InputDigest is { Length: > 0 } digest && digest != standing.InputDigest
            ? new Rejection(
                "replay_mismatch",
                $"step '{operation.Name}' (call {operation.Key}) was recorded with input {standing.InputDigest} and is asked for with {digest}: the program does not do again what it did")
            : null;
    }

    /// <summary>True when a person rejected it, or said that it did not happen and shall not: starting the program again is no way around them.</summary>
    private static bool IsRefusedByAPerson(VisitState failed) => failed.Failures[^1].Failure is { Class: FailureClasses.Rejected } or { Class: FailureClasses.InDoubt, Code: "not_done" };

    /// <summary>True when something was begun after a failure: the program has handled it, and is played again so.</summary>
    private bool IsFollowed(VisitState failed) => failed.Traced is { EndedOrdinal: var ended } && ended < _state.Ordinal
        && _state.Visits.Values.Any(visit => visit.Ordinal > ended && visit.Status != VisitStatus.RolledBack && visit.Key.Step != ProgramStep);

    private VisitState ScheduleTraced(string step, TraceOperation operation, VisitKey? reads)
    {
        var number = _state.Latest.GetValueOrDefault(step) + 1;
        var after = reads is { } source && !_state.Frontier.Contains(source) ? _state.Frontier.Add(source) : _state.Frontier;
        Emit(new StepScheduled(
            step, number, operation.Input ?? JsonMake.EmptyObject, operation.InputDigest ?? "", after.IsEmpty ? null : [.. after], reads is { } read ? [read] : null));
        var key = new VisitKey(step, number);
        _ = IsOutOfVisits(key);
        return Visit(key);
    }

    /// <summary>Gives the step to the process that asks, unless another one holds it or it has to wait.</summary>
    private Rejection? Lease(VisitState visit, TracedDeclaration declared)
    {
        if (visit.Status != VisitStatus.Open || IsHeld(visit) || visit.RetryDueMs > atMs || visit.Reviews.Count > 0)
        {
            return null;
        }

        if (visit.RetryDueMs > 0)
        {
            Emit(new AttemptStarted(visit.Key.Step, visit.Key.Visit, visit.Attempt));
        }

        if (declared.Kind == TracedKinds.Transaction)
        {
            LeaseTransaction(visit.Key, declared);
        }
        else
        {
            Hold(visit.Key, declared, (visit.Traced?.Run ?? 0) + 1, atMs + _trace.LeaseMs);
        }

        return null;
    }

    /// <summary>True while a process holds the step, the one that asks or another.</summary>
    private bool IsHeld(VisitState visit) => visit.Traced is { Owner: not null } use && use.Attempt == visit.Attempt && use.LeaseUntilMs > atMs;

    private void Hold(VisitKey key, TracedDeclaration declared, int run, long untilMs)
    {
        var isKnown = Visit(key).Traced is { } use && KernelJson.Same(use.Declared, declared);
        Emit(new TracedStepLeased(key.Step, key.Visit, Visit(key).Attempt, run, _trace.Owner, untilMs, isKnown ? null : declared));
    }

    /// <summary>What became of a step, as the process says that held its lease.</summary>
    private Rejection? FinishStep(TraceOperation operation, EffectOutcome outcome)
    {
        if (!TracedLease.TryParse(operation.Lease ?? "", out var lease) || !_state.Visits.TryGetValue(lease.Visit, out var visit) || visit.Traced is not { } use)
        {
            return new Rejection("task_not_found", $"no step was begun under {operation.Lease}");
        }

        if (use.Declared.Kind == TracedKinds.Transaction)
        {
            return FinishTransaction(visit, lease, outcome);
        }

        if (IsAnswered(visit, lease, outcome))
        {
            return null;
        }

        if (_state.Ended || visit.Status != VisitStatus.Open || use.Run != lease.Run || visit.Attempt != lease.Attempt)
        {
            return Fenced(operation.Lease!);
        }

        Conclude(visit.Key, outcome);
        return null;
    }

    /// <summary>True when this very answer is on record: its reply was lost, and it is sent again.</summary>
    private static bool IsAnswered(VisitState visit, TracedLease lease, EffectOutcome outcome) => visit.Traced!.Run == lease.Run && (outcome.Failure is { } failure
        ? visit.Failures.Any(known => known.Failure.Attempt == lease.Attempt && known.Failure.Code == failure.Code && known.Failure.Message == failure.Message)
        : visit.Status == VisitStatus.Committed && visit.Attempt == lease.Attempt && DigestOf(visit.Output!.Value) == DigestOf(outcome.Result!.Value));

    private void Conclude(VisitKey key, EffectOutcome outcome)
    {
        if (outcome.Failure is { } failure)
        {
            Fail(key, Failing(failure));
        }
        else
        {
            Finish(StepOf(key, outcome.Result), key, outcome.Result!.Value);
        }
    }

    /// <summary>A step begun and finished in one. Recorded already, it is answered with what was recorded first.</summary>
    private Rejection? RecordStep(TraceOperation operation)
    {
        if (Open(operation, out var visit) is { } rejection)
        {
            return rejection;
        }

        if (visit is { Status: VisitStatus.Open, Reviews.Count: 0 } && visit.RetryDueMs <= atMs && !(IsHeld(visit) && visit.Traced!.Owner != _trace.Owner))
        {
            Hold(visit.Key, operation.Declared!, (visit.Traced?.Run ?? 0) + 1, atMs + _trace.LeaseMs);
            Conclude(visit.Key, new EffectOutcome { Result = operation.Output ?? JsonMake.Null });
        }

        return null;
    }

    private Rejection? RenewLeases()
    {
        if (_state.Undoing?.Owner == _trace.Owner || _state.Open.Values.Any(key => Visit(key).Traced?.Owner == _trace.Owner))
        {
            Emit(new TracedLeasesRenewed(_trace.Owner, atMs + _trace.LeaseMs));
        }

        return null;
    }

    private Rejection? LoseProcess(string owner)
    {
        foreach (var visit in _state.Open.Values.Select(Visit).Where(visit => visit.Traced?.Owner == owner).ToArray())
        {
            Release(visit, "lost");
        }

        return null;
    }

    /// <summary>Time has passed: checkpoints whose process is silent wait for another one.</summary>
    private void ExpireLeases()
    {
        foreach (var visit in _state.Open.Values.Select(Visit).Where(visit => visit.Traced is { Owner: not null } use && use.LeaseUntilMs <= atMs).ToArray())
        {
            Release(visit, "expired");
        }
    }

    private void Release(VisitState visit, string reason)
    {
        var use = visit.Traced!;
        if (visit.CurrentCalls.FirstOrDefault(call => call.Status == CallStatus.Intent) is { } call)
        {
            Doubt(visit, call, reason == "lost" ? "process_lost" : "no_result");
        }
        else
        {
            Emit(new TracedLeaseLost(visit.Key.Step, visit.Key.Visit, use.Attempt, use.Run, use.Owner!, reason));
        }
    }

    /// <summary>A step with the checks that its output is held to: a traced one's are its caller's.</summary>
    private StepPlan StepOf(VisitKey key, JsonElement? output) =>
        Visit(key).Traced?.Declared.Checks is { } checks && TracedChecks.TryRead(checks, out _) is { } read
            ? read.Plan(key.Step, output is { } value ? values.Resolve(value) : JsonMake.Null)
            : Plan.Step(key.Step)!;
}

/// <summary>Kinds of traced steps.</summary>
public static class TracedKinds
{
    /// <summary>Done at least once until it is recorded.</summary>
    public const string Checkpoint = "checkpoint";

    /// <summary>Changes the world outside: an intent is recorded before it runs.</summary>
    public const string Transaction = "transaction";

    /// <summary>A message of one agent to others.</summary>
    public const string Handoff = "handoff";

    /// <summary>A message as its receiver got it.</summary>
    public const string Receive = "receive";

    /// <summary>The program as a whole, when it failed.</summary>
    public const string Program = "program";
}
