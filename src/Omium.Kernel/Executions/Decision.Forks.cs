using System.Globalization;
using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>Forks: what runs again and what is reused, corrections that a person gave.</summary>
internal sealed partial class Decision
{
    private Rejection? Fork(ForkExecution command)
    {
        if (_state.ExecutionId == command.ExecutionId)
        {
            return _state.Fork is { } known && known == new ForkOrigin(command.From, command.At, command.Mode)
                ? null
                : new Rejection("execution_exists", "an execution of this id has already been started or forked otherwise");
        }

        if (Plan.IsTraced)
        {
            return new Rejection("validation_failed", "a traced execution is not forked: its code would act in both; start its program under another key instead");
        }

        if (command.Mode is not (ForkModes.Sandbox or ForkModes.Live))
        {
            return new Rejection("validation_failed", "the mode of a fork is sandbox or live");
        }

        if (CheckForkEdits(command.Edits) is { } refused)
        {
            return refused;
        }

        var takenBack = ForkRadius(command.Edits, command.Mode);
        Emit(new ExecutionForked(
            command.ExecutionId, command.From, command.At, command.SourceHash, command.Mode, command.Edits, takenBack.Count == 0 ? null : takenBack, command.Seed, command.ForkedBy,
            command.Acknowledged));
        foreach (var agent in command.Edits?.Agents ?? [])
        {
            Emit(new EditsApplied(agent.Agent, agent.Edits, command.ForkedBy));
        }

        foreach (var step in command.Edits?.Steps ?? [])
        {
            if (step is not { Input: null, Output: null } || _state.Corrections.ContainsKey(step.Step))
            {
                Emit(new StepCorrected(step.Step, step.Input, step.Output, command.ForkedBy));
            }
        }

        foreach (var handoff in _state.LiveHandoffs.ToArray())
        {
            Acknowledge(handoff.Key, "omium"); // What an expression saw of the message is as it was, and may differ as it did.
        }

        EnqueueAll();
        return null;
    }

    /// <summary>
    /// The visits of the prefix that run again in a fork, in their order: those the edits concern, those that had not settled in a way that a fork
    /// can go on from (a call whose outcome was open, a review, a failure that nothing answered), and everything that followed from any of them. In a
    /// live fork of a sandbox also those that the sandbox only played.
    /// </summary>
    internal IReadOnlyList<VisitKey> ForkRadius(ForkEdits? edits, string mode)
    {
        var seeds = new List<VisitKey>();
        foreach (var visit in _state.Visits.Values)
        {
            var isUnsettled = !visit.Key.IsItem && (visit.Status == VisitStatus.FailedAttempt || IsDeadEnd(visit) || !CanGoOn(visit));
            if (visit.Status != VisitStatus.RolledBack && (isUnsettled || IsEdited(visit, edits) || (mode == ForkModes.Live && IsPlayed(visit))))
            {
                seeds.Add(visit.ItemOf ?? visit.Key); // The items of a step run again together.
            }
        }

        return Ordered(Descendants(seeds));
    }

    /// <summary>
    /// True when a fork can go on from an open visit as it is: an agent between two turns, or a retry that waits for its time. Whatever else it waits
    /// for (a call, a person, a lock) is the source's.
    /// </summary>
    private bool CanGoOn(VisitState visit) => visit.Status != VisitStatus.Open
        || (visit.Reviews.Count == 0 && !visit.Calls.Any(call => call.Outstanding) && !IsSharing(visit)
            && Plan.Step(visit.Key.Step) is { ForEach: null } step && (visit.RetryDueMs > 0 || step.Spec.Type == StepType.AgentTask));

    /// <summary>True for a visit of a sandbox that would have reached something.</summary>
    private static bool IsPlayed(VisitState visit) => visit.Calls.Any(call => call.Sandboxed) || visit.Shared is { Sandboxed.Count: > 0 };

    /// <summary>What a sandbox reads where it has itself written: that, and else what is there.</summary>
    private ReadValue[] AsSandboxed(SharedUse shared, IReadOnlyList<ReadValue> read)
    {
        var writers = _state.Visits.Values.Where(visit => visit is { Status: VisitStatus.Committed, Shared.Sandboxed.Count: > 0 }).OrderByDescending(visit => visit.CommitOrdinal).ToArray();
        ReadValue Own(ReadValue value)
        {
            var asked = shared.Wanted.FirstOrDefault(wanted => wanted.Name == value.Name)?.Key;
            bool IsOf(WriteRequest write) => write.Key == value.Key || write.Key == asked;
            return Array.Find(writers, visit => visit.Shared!.Sandboxed.Any(IsOf)) is { } writer
                ? value with { Value = writer.Shared!.Sandboxed.Last(IsOf).Value, Writer = $"{writer.Origin ?? _state.ExecutionId}/{writer.Key}~{writer.Attempt}" }
                : value;
        }

        return [.. read.Select(Own)];
    }

    /// <summary>True while a visit holds or awaits locks, or is writing shared values: none of that is a fork's.</summary>
    private static bool IsSharing(VisitState visit) => visit.Shared is { } shared && (shared.Gathering || shared.Writing is not null || shared.Locks is LockPhase.Requested or LockPhase.Held or LockPhase.Yielded);

    private bool IsEdited(VisitState visit, ForkEdits? edits)
    {
        if (edits is null || Plan.Step(visit.Key.Step) is not { } step)
        {
            return false;
        }

        var standing = _state.StandingVisit(visit.Key.Step)?.Key == visit.Key;
        return (edits.Input is not null && ReadsInput(step))
            || (edits.Agents ?? []).Any(change => change.Agent == step.Spec.Agent)
            || (standing && (edits.Steps ?? []).Any(change => change.Step == visit.Key.Step));
    }

    /// <summary>True when the workflow's input reaches a step, its guards or the conditions of its edges.</summary>
    private static bool ReadsInput(StepPlan step) =>
        (step.Input is null && step.Incoming.Count == 0)
        || (step.Input?.Expressions.Select(part => part.Expression) ?? []).Concat(step.Pre.Concat(step.Post).Select(guard => guard.Check))
            .Concat(step.Outgoing.Select(edge => edge.When).OfType<CelExpression>()).Any(expression => expression.Paths.Any(path => path.Root == "input"));

    private Rejection? CheckForkEdits(ForkEdits? edits)
    {
        if (edits?.Input is { } input && Plan.InputSchema?.Validate(values.Resolve(input)) is { IsValid: false } invalid)
        {
            return new Rejection("input_invalid", string.Join("; ", invalid.Errors.Select(error => $"{Pointer(error.InstancePointer)}: {error.Message}")));
        }

        foreach (var change in edits?.Agents ?? [])
        {
            if (Plan.Steps.FirstOrDefault(step => step.Spec.Agent == change.Agent) is not { } step)
            {
                return new Rejection("validation_failed", $"no step of this workflow is done by an agent '{change.Agent}'");
            }

            if (CheckEdits(step, change.Edits) is { } refused)
            {
                return refused;
            }
        }

        return (edits?.Steps ?? []).Select(CheckChange).FirstOrDefault(refused => refused is not null);
    }

    /// <summary>A given output is held to the step's checks: now if the step has run, and when it is taken.</summary>
    private Rejection? CheckChange(StepChange change)
    {
        if (Plan.Step(change.Step) is not { } step)
        {
            return new Rejection("validation_failed", $"this workflow has no step '{change.Step}'");
        }

        if (change.Input is not null && step.ForEach is not null)
        {
            return new Rejection("validation_failed", $"step '{change.Step}' goes over items, each with an input of its own: give its output, or correct what its list is made from");
        }

        if (change.Output is not null && step.Spec.Type == StepType.HumanApproval)
        {
            return new Rejection("validation_failed", $"step '{change.Step}' is an approval: it is given by whoever decides its review, and by nobody else");
        }

        if (change is { Input: not null, Output: not null })
        {
            return new Rejection("validation_failed", $"step '{change.Step}': give an input or an output, not both");
        }

        return change.Output is { } output && _state.LatestVisit(change.Step) is { } visit && !new Decision(_state, values, atMs).Accept(step, visit.Key, output, out _, out var failing)
            ? new Rejection("override_refused", $"the output is held to the same checks, and fails: {failing.Message}")
            : null;
    }

    /// <summary>What a person gave for this visit of a step; a visit that a loop schedules takes what the loop brings.</summary>
    private StepCorrected? CorrectionOf(StepPlan step, IReadOnlyList<VisitKey> after) =>
        _state.Corrections.GetValueOrDefault(step.Spec.Id) is { } correction
        && !step.LoopsIn.Any(edge => after.Any(key => key.Step == edge.Spec.From && Visit(key).TakenEdges.Contains(edge.Index)))
            ? correction
            : null;

    /// <summary>
    /// Why a rollback or retry of a live fork may not take back these visits: they hold effects of the source, which the fork cannot undo and
    /// would make a second time without anybody having seen the list. Null when it may. In a sandbox nothing happens, so it may always.
    /// </summary>
    private Rejection? PastFork(IEnumerable<VisitKey> affected)
    {
        if (_state.Fork is not { Mode: ForkModes.Live } fork)
        {
            return null;
        }

        var visits = affected.Select(Visit).Where(visit => visit.Inherited).ToArray();
        var effects = visits.SelectMany(visit => visit.Calls).Where(call => call.Inherited && HappenedOnce(call)).Select(call => $"{call.Tool} ({call.Id})");
        var writes = visits.Where(visit => visit.Shared is { CommittedAttempt: > 0 }).Select(visit => $"{string.Join(", ", visit.Shared!.Written)} (written by {visit.Key})");
        string[] inherited = [.. effects, .. writes];
        return inherited.Length == 0 ? null : new Rejection(
            "past_fork_point", $"this goes back beyond the fork, where effects are those of {fork.From} and not this fork's to undo or repeat: {string.Join(", ", inherited)}");
    }

    /// <summary>True when it has or may have happened, whoever made it, and was not undone.</summary>
    internal static bool HappenedOnce(CallState call) =>
        call.Kind != EffectKind.None && !call.Sandboxed && (call.Unsettled || call.Status is CallStatus.Settled or CallStatus.Running || call.Failure is { MayHaveHappened: true });

    /// <summary>A sandbox answers with what the source has on record; what it has not is shown to a person, who may say what the answer is.</summary>
    private Rejection? SettleSandboxed(StepPlan step, VisitState visit, CallState call, EffectOutcome outcome)
    {
        if (call.Status != CallStatus.Requested || _state.Ended || !IsLive(visit, call))
        {
            return null;
        }

        if (outcome.Failure is null)
        {
            Replay(step, visit.Key, call, Recordable(outcome), outcome.Source, null);
            return null;
        }

        Emit(new CallUnrecorded(call.Id.ToString()));
        var shown = Json.JsonMake.Object(
            ("tool", Json.JsonMake.Text(call.Tool)), ("arguments", call.Arguments), ("effect_kind", Json.JsonMake.Text(call.Kind.ToString().ToLowerInvariant())),
            ("reason", Json.JsonMake.Text($"{_state.Fork!.From} has no recorded result of this call, and a sandbox makes none. Give the answer it is to have, or refuse it.")));
        Ask(visit.Key, "sandbox_call", call.Id.ToString(), ["answer", "reject"], shown);
        return null;
    }

    private void Replay(StepPlan step, VisitKey key, CallState call, JsonElement? result, string? source, string? by)
    {
        Emit(new CallReplayed(call.Id.ToString(), result, source, by));
        var outcome = new EffectOutcome { Result = result };
        if (call.Turn == 0)
        {
            Conclude(step, key, call.Id, outcome, recorded: true);
        }
        else
        {
            CheckResult(Visit(key), call, outcome);
        }
    }

    private Rejection? DecideSandboxCall(ReviewRequested request, DecideReview command)
    {
        if (command.Decision != "answer")
        {
            return DecideCall(request, command);
        }

        if (command.Output is not { } output)
        {
            return new Rejection("validation_failed", "an answer needs an 'output': what the call is to have given");
        }

        var key = new VisitKey(request.Step, request.Visit);
        var call = Visit(key).Calls.Find(candidate => candidate.Id.ToString() == request.Effect)!;
        Emit(Decided(command));
        Replay(Plan.Step(request.Step)!, key, call, Present(output), null, command.By);
        return null;
    }
}

/// <summary>
/// Finds the recorded result that answers a call of a sandbox: the same step, tool and arguments, the same occurrence among those that stand.
/// </summary>
public static class RecordedResults
{
    /// <summary>The source's call, or null when none answers. Calls that were taken back answer after those that stand.</summary>
    public static CallState? Find(ExecutionState fork, CallState call, ExecutionState source)
    {
        bool Same(CallState other) => other.Id.Step == call.Id.Step && other.Tool == call.Tool && other.ArgumentsDigest == call.ArgumentsDigest;
        var occurrence = Newest(fork).TakeWhile(other => other.Id != call.Id).Count(Same);
        var recorded = Newest(source).Concat(TakenBack(source)).Where(other => Same(other) && other.Status is CallStatus.Settled or CallStatus.Compensated);
        return recorded.ElementAtOrDefault(occurrence);
    }

    /// <summary>The effect's id as other executions name it.</summary>
    public static string NameOf(ExecutionState state, CallState call) => string.Create(CultureInfo.InvariantCulture, $"{call.Origin ?? state.ExecutionId}/{call.Id}");

    private static IEnumerable<CallState> Newest(ExecutionState state) =>
        state.Visits.Values.Where(visit => visit.Status != VisitStatus.RolledBack).OrderBy(visit => visit.Ordinal).SelectMany(visit => visit.CurrentCalls);

    private static IEnumerable<CallState> TakenBack(ExecutionState state) =>
        state.Visits.Values.Where(visit => visit.Status == VisitStatus.RolledBack).OrderBy(visit => visit.Ordinal).SelectMany(visit => visit.Calls);
}

/// <summary>What a fork would run again.</summary>
/// <param name="RunsAgain">Visits of the prefix that run again.</param>
/// <param name="Repeats">Calls of the source, up to where it is now, that have or may have happened and would happen again in a live fork, oldest first; of a sandbox, what it only played.</param>
/// <param name="Rewrites">Shared values that the source has written and that a live fork would write again, by the visit that wrote them.</param>
public sealed record ForkPreview(IReadOnlyList<VisitKey> RunsAgain, IReadOnlyList<CallState> Repeats, IReadOnlyList<(VisitKey Visit, string Key)> Rewrites);
