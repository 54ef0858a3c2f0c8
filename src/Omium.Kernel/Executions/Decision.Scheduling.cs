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
            Skip(step, "no_edge_taken", [.. step.Incoming.Select(edge => _state.LatestVisit(edge.Spec.From)!.Key)]);
            return;
        }

        Schedule(step, after);
    }

    /// <summary>
    /// True when a step has no visit that stands for the present state of its incoming edges, and all of those are settled.
    /// <paramref name="after"/>: the visits whose edges to it were taken.
    /// </summary>
    private bool IsReady(StepPlan step, out IReadOnlyList<VisitKey> after)
    {
        if (LoopWaiting(step) is { } loop)
        {
            after = [loop];
            return true;
        }

        after = [];
        var latest = _state.LatestVisit(step.Spec.Id);
        if (latest is { Status: VisitStatus.RolledBack } && IsLoopVisit(step, latest))
        {
            after = latest.After;
            return latest.After.All(key => _state.Visits[key].Status is VisitStatus.Committed or VisitStatus.Failed or VisitStatus.Skipped);
        }

        if (step.LoopTargetOnly || (latest is not null && latest.Status != VisitStatus.RolledBack && !latest.Detached))
        {
            return false;
        }

        var taken = new List<VisitKey>();
        foreach (var edge in step.Incoming)
        {
            var source = _state.LatestVisit(edge.Spec.From);
            if (source is not { EdgesSettled: true })
            {
                return false;
            }

            if (source.TakenEdges.Contains(edge.Index))
            {
                taken.Add(source.Key);
            }
        }

        after = [.. taken.Distinct()];
        return true;
    }

    /// <summary>The visit that took a loop edge to this step which no visit has served yet (the execution was paused just then); null when there is none.</summary>
    private VisitKey? LoopWaiting(StepPlan step)
    {
        foreach (var edge in step.LoopsIn)
        {
            if (_state.LatestVisit(edge.Spec.From) is { Status: VisitStatus.Committed or VisitStatus.Failed } source && source.TakenEdges.Contains(edge.Index)
                && _state.LatestVisit(step.Spec.Id)?.After.Contains(source.Key) != true)
            {
                return source.Key;
            }
        }

        return null;
    }

    private static bool IsLoopVisit(StepPlan step, VisitState visit) =>
        visit.After.Count > 0 && !visit.After.Any(key => step.Incoming.Any(edge => edge.Spec.From == key.Step));

    private void Schedule(StepPlan step, IReadOnlyList<VisitKey> after)
    {
        var number = _state.Latest.GetValueOrDefault(step.Spec.Id) + 1;
        var key = new VisitKey(step.Spec.Id, number);
        var input = InputOf(step, out var problem);
        var stored = Externalize(input);
        var reads = step.Reads
            .Select(_state.LatestVisit).OfType<VisitState>()
            .Where(visit => visit.Status == VisitStatus.Committed)
            .Select(visit => visit.Key).ToArray();
        Emit(new StepScheduled(key.Step, number, stored, DigestOf(stored), after.Count == 0 ? null : after, reads.Length == 0 ? null : reads));
        if (problem is not null)
        {
            Fail(key, new Failing(FailureClasses.ExpressionFailed, "input_expression", problem) { Permanent = true });
            return;
        }

        Enter(step, key);
    }

    /// <summary>Begins an attempt: preconditions, then whatever the step's type needs first.</summary>
    private void Enter(StepPlan step, VisitKey key)
    {
        if (!Check(step.Pre, "pre", key, Scope(), out var failing))
        {
            Fail(key, failing);
            return;
        }

        switch (step.Spec.Type)
        {
            case StepType.Decision:
                Finish(step, key, Visit(key).Input, 0, 0);
                break;
            case StepType.HumanApproval:
                Ask(key, "approval", null, ["approve", "reject"], JsonMake.Object(
                    ("question", JsonMake.Text(step.Spec.Description ?? $"Approve {key.Step}?")), ("input", Visit(key).Input)));
                break;
            case StepType.ToolCall:
                RequestStepCall(step, key);
                break;
        }
    }

    private JsonElement InputOf(StepPlan step, out string? problem)
    {
        problem = null;
        if (step.Input is { } template)
        {
            var result = template.Evaluate(Scope());
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
            .Select(_state.LatestVisit).OfType<VisitState>()
            .Where(visit => visit.Output is not null)
            .Select(visit => (visit.Key.Step, visit.Output!.Value));
        return JsonMake.Object([.. outputs]);
    }

    private void Skip(StepPlan step, string reason, IReadOnlyList<VisitKey> after)
    {
        var number = _state.Latest.GetValueOrDefault(step.Spec.Id) + 1;
        Emit(new StepSkipped(step.Spec.Id, number, reason, after, null));
        Leave(step);
    }

    /// <summary>After a visit is settled: loops first (they reset what lies behind their target), then joins.</summary>
    private void Leave(StepPlan step)
    {
        var visit = _state.LatestVisit(step.Spec.Id)!;
        foreach (var edge in step.Outgoing)
        {
            if (edge.IsLoop && visit.TakenEdges.Contains(edge.Index) && !visit.Detached)
            {
                var target = Plan.Step(edge.Spec.To)!;
                Emit(new LoopTriggered(edge.Index, target.Spec.Id, _state.Latest.GetValueOrDefault(target.Spec.Id) + 1, edge.Reset));
                if (_state.Status == ExecutionStatus.Running)
                {
                    Schedule(target, [visit.Key]);
                }

                return;
            }
        }

        foreach (var edge in step.Outgoing)
        {
            if (!edge.IsLoop)
            {
                _ready.Enqueue(edge.Spec.To);
            }
        }
    }

    /// <summary>
    /// Which outgoing edges are taken. False when a condition cannot be evaluated or a loop is exhausted: then nothing may be committed,
    /// because nobody would know how to go on.
    /// </summary>
    private bool TakeEdges(StepPlan step, EdgeOn outcome, DecisionScope scope, out List<int> taken, out Failing failing)
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
                var result = condition.Evaluate(scope);
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
    private bool Check(IReadOnlyList<GuardPlan> guards, string phase, VisitKey key, DecisionScope scope, out Failing failing)
    {
        failing = default!;
        for (var index = 0; index < guards.Count; index++)
        {
            var guard = guards[index];
            var result = guard.Check.Evaluate(scope);
            if (result.Value is CelBool { Value: true })
            {
                continue;
            }

            var actual = ActualOf(guard.Check, scope);
            var message = result.Error is { } error ? $"the check could not be evaluated: {error.Message}" : guard.Spec.Message ?? $"the check does not hold: {guard.Spec.Check}";
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
}
