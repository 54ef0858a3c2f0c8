using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>Edges, joins and inputs: which step runs next, and with what.</summary>
internal sealed partial class Decision
{
    /// <summary>Schedules a step whose incoming edges are settled, or skips it when none of them was taken.</summary>
    private void TrySchedule(StepPlan step)
    {
        if (_state.Status != ExecutionStatus.Running || !IsReady(step, out var after))
        {
            return;
        }

        if (after.Count == 0 && step.Incoming.Count > 0)
        {
            Skip(step, "no_edge_taken", [.. step.Incoming.Select(edge => _state.StandingVisit(edge.Spec.From)!.Key)]);
            return;
        }

        if (IsCovered(step))
        {
            Schedule(step, after);
        }
    }

    /// <summary>
    /// True when a step has no visit that stands for the present state of its incoming edges, and all of those are settled.
    /// <paramref name="after"/>: the visits whose edges to it were taken.
    /// </summary>
    private bool IsReady(StepPlan step, out IReadOnlyList<VisitKey> after)
    {
        after = [];
        var standing = _state.StandingVisit(step.Spec.Id);
        if (standing is { Status: VisitStatus.Open or VisitStatus.FailedAttempt } || AwaitsDecision(step))
        {
            return false; // One visit of a step at a time; a loop that comes back to it waits.
        }

        if (step.Reads.Count > 0 && step.Reads.Any(IsRunAgain))
        {
            return false; // What it reads was taken back and is on its way anew, though the steps between stand.
        }

        if (LoopOwed(step) is { } loop)
        {
            after = [loop];
            return true;
        }

        if (step.LoopTargetOnly || standing is { Detached: false })
        {
            return false;
        }

        var taken = new List<VisitKey>();
        foreach (var edge in step.Incoming)
        {
            var source = _state.StandingVisit(edge.Spec.From);
            if (source is not { EdgesSettled: true } || AwaitsLoop(source))
            {
                return false;
            }

            if (source.TakenEdges.Contains(edge.Index))
            {
                if (_state.AwaitsAgreement(edge, source.Key))
                {
                    return false;
                }

                taken.Add(source.Key);
            }
        }

        after = taken.Count > 1 ? [.. taken.Distinct()] : taken;
        return true;
    }

    /// <summary>
    /// True when a step's latest visit was taken back and none stands in its place (where a loop was taken back with it, the visit before the loop
    /// does), or when one runs in the place of one that was.
    /// </summary>
    private bool IsRunAgain(string step) => _state.LatestVisit(step) is { } latest && ((latest.Status == VisitStatus.RolledBack && _state.StandingVisit(step) is null or { Detached: true })
        || (latest is { Status: VisitStatus.Open or VisitStatus.FailedAttempt, Key.Visit: > 1 } && Visit(new VisitKey(step, latest.Key.Visit - 1)).Status == VisitStatus.RolledBack));

    /// <summary>True while a step is about to run anew by a loop whose handoff is not agreed yet: what lies behind it waits for that.</summary>
    private bool AwaitsLoop(VisitState source) =>
        source.TakenEdges.Count > 0 && source.TakenEdges.Any(index => Plan.Edges[index] is { IsLoop: true, Handoff: not null } loop && _state.AwaitsAgreement(loop, source.Key));

    /// <summary>True while a person is asked what shall become of this step's failure: until then it does not run again.</summary>
    private bool AwaitsDecision(StepPlan step) =>
        !_state.OpenReviews.IsEmpty && _state.OpenReviews.Any(id => _state.Reviews[id].Request is { Kind: "failure" } request && request.Step == step.Spec.Id);

    /// <summary>
    /// The visit that took a loop edge to this step and is not served: it was paused just then, or the visit that served it was taken back.
    /// </summary>
    private VisitKey? LoopOwed(StepPlan step)
    {
        foreach (var edge in step.LoopsIn)
        {
            if (_state.StandingVisit(edge.Spec.From) is { Status: VisitStatus.Committed or VisitStatus.Failed or VisitStatus.Skipped } source
                && source.TakenEdges.Contains(edge.Index) && !IsServed(step, source.Key) && !_state.AwaitsAgreement(edge, source.Key))
            {
                return source.Key;
            }
        }

        return null;
    }

    private bool IsServed(StepPlan step, VisitKey source)
    {
        var since = Visit(source).Ordinal;
        for (var number = _state.Latest.GetValueOrDefault(step.Spec.Id); number > 0; number--)
        {
            var visit = _state.Visits[new VisitKey(step.Spec.Id, number)];
            if (visit.Ordinal < since)
            {
                return false; // It began before the one that is to be served, and so did all before it.
            }

            if (visit.Status != VisitStatus.RolledBack && visit.After.Contains(source))
            {
                return true;
            }
        }

        return false;
    }

    private void Schedule(StepPlan step, IReadOnlyList<VisitKey> after)
    {
        var number = _state.Latest.GetValueOrDefault(step.Spec.Id) + 1;
        var key = new VisitKey(step.Spec.Id, number);
        var correction = CorrectionOf(step, after);
        if (step.Shared is { Gathers: true })
        {
            Emit(new StepScheduled(key.Step, number, JsonMake.EmptyObject, "", after.Count == 0 ? null : after, null));
            if (!IsOutOfVisits(key))
            {
                Gather(step, key); // The input is made from what is shared, too: when it is there.
            }

            return;
        }

        string? problem = null;
        var input = correction?.Input ?? (step.ForEach is null ? InputOf(step, new DecisionScope(_state, Plan, values, atMs) { Receiver = step.Spec.Id }, out problem) : JsonMake.EmptyObject); // Each item has an input of its own.
        var stored = Externalize(input);
        Emit(new StepScheduled(key.Step, number, stored, DigestOf(stored), after.Count == 0 ? null : after, SourcesOf(step)));
        if (correction?.Output is { } given)
        {
            Finish(step, key, given, correction.By);
            return;
        }

        if (problem is not null)
        {
            Fail(key, NoInput(problem));
            return;
        }

        if (IsOutOfVisits(key))
        {
            return;
        }

        Enter(step, key);
    }

    /// <summary>Visits whose outputs a step's input is made from, as they stand; null when there are none.</summary>
    private VisitKey[]? SourcesOf(StepPlan step)
    {
        if (step.Reads.Count == 0)
        {
            return null;
        }

        var reads = step.Reads
            .Select(_state.StandingVisit).OfType<VisitState>()
            .Where(visit => visit.Status == VisitStatus.Committed)
            .Select(visit => visit.Key).ToArray();
        return reads.Length == 0 ? null : reads;
    }

    /// <summary>Begins an attempt: preconditions, then whatever the step's type needs first.</summary>
    private void Enter(StepPlan step, VisitKey key)
    {
        if (Plan.Expands(key))
        {
            EnterItems(step, key);
            return;
        }

        if (step.Pre.Count > 0 && !Check(step.Pre, "pre", key, Scope(key), out var failing))
        {
            Fail(key, failing);
            return;
        }

        switch (step.Spec.Type)
        {
            case StepType.Decision:
                Finish(step, key, Visit(key).Input);
                break;
            case StepType.HumanApproval:
                Ask(key, "approval", null, ["approve", "reject"], JsonMake.Object(
                    ("question", JsonMake.Text(step.Spec.Description ?? $"Approve {key.Step}?")), ("input", Visit(key).Input)), ttl: step.Spec.Timeout);
                break;
            case StepType.ToolCall or StepType.Worker:
                RequestStepCall(step, key);
                break;
            case StepType.Workflow:
                RequestChild(step, key);
                break;
        }
    }

    private static Failing NoInput(string problem) => new(FailureClasses.ExpressionFailed, InputExpression, problem) { Permanent = true };

    private JsonElement InputOf(StepPlan step, DecisionScope scope, out string? problem)
    {
        problem = null;
        if (step.Input is { } template)
        {
            var result = template.Evaluate(scope);
            if (result.Value is { } value)
            {
                return value;
            }

            problem = $"input{result.Error?.Pointer}: {result.Error?.Error.Message}";
            return JsonMake.EmptyObject;
        }

        if (step.Incoming.Count == 0)
        {
            return _state.Input;
        }

        var outputs = step.Incoming.Select(edge => edge.Spec.From).Distinct(StringComparer.Ordinal)
            .Select(_state.StandingVisit).OfType<VisitState>()
            .Where(visit => visit.Output is not null)
            .Select(visit => (visit.Key.Step, visit.Output!.Value));
        return JsonMake.Object([.. outputs]);
    }

    private void Skip(StepPlan step, string reason, IReadOnlyList<VisitKey> after)
    {
        var number = _state.Latest.GetValueOrDefault(step.Spec.Id) + 1;
        Emit(new StepSkipped(step.Spec.Id, number, reason, after, null));
        Leave(new VisitKey(step.Spec.Id, number));
    }

    /// <summary>After a visit is settled: loops first (they reset what lies behind their target), then joins.</summary>
    private void Leave(VisitKey key)
    {
        var step = Plan.Step(key.Step)!;
        if (Visit(key).Detached)
        {
            _ready.Enqueue(key.Step); // A loop came by while it was still at work: now its next visit may begin.
            return;
        }

        foreach (var edge in step.Outgoing)
        {
            if (edge.IsLoop && Visit(key).TakenEdges.Contains(edge.Index) && !_state.AwaitsAgreement(edge, key))
            {
                Trigger(edge, key);
            }
        }

        foreach (var edge in step.Outgoing)
        {
            if (!edge.IsLoop)
            {
                _ready.Enqueue(edge.Spec.To);
            }
        }

        foreach (var reader in key.Visit > 1 ? Plan.Steps.Where(other => other.Reads.Contains(key.Step)) : [])
        {
            _ready.Enqueue(reader.Spec.Id); // It may have waited for this although no edge leads there.
        }
    }

    private void Trigger(EdgePlan loop, VisitKey from)
    {
        var restarted = loop.Nested.Where(_state.Loops.ContainsKey).ToArray();
        Emit(new LoopTriggered(loop.Index, loop.Spec.To, _state.Latest.GetValueOrDefault(loop.Spec.To) + 1, loop.Reset, from, restarted.Length == 0 ? null : restarted));
        _loops++;
        _ready.Enqueue(loop.Spec.To);
    }

    /// <summary>
    /// Which outgoing edges are taken. False when a condition cannot be evaluated or a loop is exhausted: then nothing may be committed,
    /// because nobody would know how to go on. <paramref name="scope"/> may be null only where no edge evaluates anything.
    /// </summary>
    private bool TakeEdges(StepPlan step, EdgeOn outcome, DecisionScope? scope, out List<int> taken, out Failing failing)
    {
        (taken, failing) = ([], default!);
        foreach (var edge in step.Outgoing)
        {
            if (edge.Spec.On != EdgeOn.Always && edge.Spec.On != outcome)
            {
                continue;
            }

            if (edge.When is { } condition)
            {
                var result = condition.Evaluate(scope!);
                if (result.Value is not CelBool holds)
                {
                    failing = new Failing(FailureClasses.ExpressionFailed, "edge_condition",
                        $"the condition of the edge to '{edge.Spec.To}' ({condition.Text}) {result.Error?.Message ?? "is not true or false"}") { Permanent = true };
                    return false;
                }

                if (!holds.Value)
                {
                    continue;
                }
            }

            if (edge.Spec.VisitsMax is { } visits && _state.Loops.GetValueOrDefault(edge.Index) >= visits)
            {
                failing = new Failing(FailureClasses.NoTermination, "loop_exhausted", $"the loop back to '{edge.Spec.To}' was taken {visits} times, its max_visits, and would go on")
                {
                    Permanent = true,
                };
                return false;
            }

            taken.Add(edge.Index);
        }

        return true;
    }

    /// <summary>Evaluates guards in order; the first that does not hold is put on record and answered as a failure.</summary>
    private bool Check(IReadOnlyList<GuardPlan> guards, string phase, VisitKey key, DecisionScope scope, out Failing failing, bool byPerson = false)
    {
        failing = default!;
        for (var index = 0; index < guards.Count; index++)
        {
            var guard = guards[index];
            if (byPerson && GuardForms.JudgesConduct(guard.Spec.Form))
            {
                continue;
            }

            var result = guard.Check.Evaluate(scope);
            if (result.Value is CelBool { Value: true })
            {
                continue;
            }

            var actual = ActualOf(guard.Check, scope);
            var message = result.Error is { } error ? $"the check could not be evaluated: {error.Message}" : guard.Spec.Message ?? $"the check does not hold: {guard.Spec.Check}";
            message += Explanation(guard, result, scope);
            Emit(new GuardFailed(key.Step, key.Visit, Visit(key).Attempt, phase, index, guard.Spec.Code, message, guard.Spec.Check, actual));
            failing = new Failing(FailureClasses.OfGuardCode(guard.Spec.Code), guard.Spec.Code, message) { Expected = guard.Spec.Check, Actual = actual };
            return false;
        }

        return true;
    }
}

/// <summary>Why an attempt fails, before the policy has said what follows.</summary>
internal sealed record Failing(string Class, string Code, string Message)
{
    public string? Expected { get; init; }

    public JsonElement? Actual { get; init; }

    public JsonElement? Output { get; init; }

    public long? RetryAfterMs { get; init; }

    /// <summary>True when another attempt cannot help.</summary>
    public bool Permanent { get; init; }

    /// <summary>Of a stale read: the visit that read what has changed since.</summary>
    public VisitKey? StaleReader { get; init; }
}
