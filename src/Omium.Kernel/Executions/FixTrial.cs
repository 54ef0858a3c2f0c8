using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>One check and what it saw, for people.</summary>
public sealed record CheckResult(string Phase, string Check, string Code, string Message, bool Passed, JsonElement? Actual);

/// <summary>What an answer of a trial comes to.</summary>
public sealed record TrialResult(JsonElement? Output, IReadOnlyList<CheckResult> Checks, string? Problem)
{
    /// <summary>True when every check holds.</summary>
    public bool Passed => Problem is null && Checks.All(check => check.Passed);
}

/// <summary>Evaluates a step's checks beside an execution: for fix tests, and to show every guard of a failure with what it saw.</summary>
public static class FixTrial
{
    /// <summary>The visit a fix is tried on: as it was when it was scheduled, with nothing said yet.</summary>
    public static VisitState Fresh(VisitState visit) => visit with { Turns = [], Calls = [], Attempt = visit.Attempt + 1, Status = VisitStatus.Open };

    /// <summary>Why the recovery policy does not allow these edits of a step's agent; null when it does. The same rule as a decision applies.</summary>
    public static Rejection? CheckEdits(ExecutionState state, DecisionValues values, string stepId, AgentEdit edits) =>
        new Decision(state, values, state.UpdatedMs).CheckEdits(values.Plan.Step(stepId)!, edits);

    /// <summary>Reads a model's answer the way a decision would and evaluates every check of the step; <paramref name="visit"/> holds what was asked on trial.</summary>
    public static TrialResult Judge(ExecutionState state, DecisionValues values, VisitState visit, ModelAnswer answer, long atMs)
    {
        var step = values.Plan.Step(visit.Key.Step)!;
        if (answer.Refusal is { } refusal)
        {
            return new TrialResult(null, [], $"the model refused: {refusal}");
        }

        return Decision.TryReadAnswer(step, answer.Content, out var output, out var problem)
            ? new TrialResult(output, Checks(state, values, visit.Key.Step, output, atMs, visit), null)
            : new TrialResult(null, [], problem);
    }

    /// <summary>Every check of a step on an output: schema first, then postconditions. <paramref name="visit"/>: whose calls they see; default the latest.</summary>
    public static IReadOnlyList<CheckResult> Checks(ExecutionState state, DecisionValues values, string stepId, JsonElement output, long atMs, VisitState? visit = null)
    {
        var step = values.Plan.Step(stepId)!;
        var resolved = values.Resolve(output);
        var checks = new List<CheckResult>();
        var ofStep = step.ForEach is { } each && !ItemName.Is(stepId) ? each : null; // What became of all items has checks of its own.
        if (ofStep is null && step.OutputSchema is { } schema)
        {
            var result = schema.Validate(resolved);
            var message = result.IsValid ? "the output meets its schema" : string.Join("; ", result.Errors.Take(5).Select(error => $"{error.InstancePointer}: {error.Message}"));
            checks.Add(new CheckResult("schema", "output schema", FailureClasses.SchemaViolation, message, result.IsValid, null));
        }

        var seen = new Decision(state, values, atMs).Scope(new VisitKey(stepId, state.Latest.GetValueOrDefault(stepId)));
        var scope = seen with { Output = (output, ofStep is null ? step.Spec.OutputSchema : step.ReadSchema), Visit = visit ?? state.LatestVisit(stepId) };
        foreach (var guard in ofStep?.Post ?? step.Post)
        {
            var result = guard.Check.Evaluate(scope);
            var passed = result.Value is CelBool { Value: true };
            var message = result.Error?.Message ?? (guard.Spec.Message ?? guard.Spec.Check) + (passed ? "" : Decision.Explanation(guard, result, scope));
            checks.Add(new CheckResult("post", guard.Spec.Check, guard.Spec.Code, message, passed, Decision.ActualOf(guard.Check, scope)));
        }

        return checks;
    }
}
