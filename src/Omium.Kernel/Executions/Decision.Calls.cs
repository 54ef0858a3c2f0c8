using System.Globalization;
using System.Text;
using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>
/// Calls of tools. A call without an external effect simply runs. One with an effect goes: requested, (approved,) intent, call, settled;
/// an intent whose outcome nobody reports becomes in doubt and is rerun (idempotent), probed (verifiable) or shown to a person.
/// </summary>
internal sealed partial class Decision
{
    /// <summary>An agent that asks for the same call with the same arguments this often in one attempt repeats itself.</summary>
    private const int SameCallMax = 3;

    private void RequestStepCall(StepPlan step, VisitKey key)
    {
        var visit = Visit(key);
        var tool = step.Tool!;
        var id = EffectId.Call(key, visit.Attempt, 1);
        if (!CheckArguments(step, tool, key, visit.Input, out var failing))
        {
            Fail(key, failing);
            return;
        }

        Request(step, tool, id, visit.Input, null, 0, key);
    }

    private void RequestAgentCalls(StepPlan step, VisitState visit, ModelAnswer answer)
    {
        var key = visit.Key;
        var turn = visit.Turns.Count + 1;
        Emit(new ModelAnswered(key.Step, key.Visit, visit.Attempt, turn, answer.Content, answer.ToolCalls, answer.InputTokens, answer.OutputTokens));
        if (turn >= (step.Agent?.TurnsMax ?? 1))
        {
            Fail(key, new Failing(FailureClasses.NoTermination, "turns_exhausted", $"the agent took {turn} turns, its limit, without an answer") { Permanent = true });
            return;
        }

        var number = visit.CurrentCalls.Count();
        foreach (var asked in answer.ToolCalls)
        {
            var id = EffectId.Call(key, visit.Attempt, ++number);
            if (!RequestAgentCall(step, id, asked, turn))
            {
                return;
            }
        }
    }

    /// <summary>One call of an agent. False when the attempt has failed by it; a call that cannot be made is refused and the agent is told.</summary>
    private bool RequestAgentCall(StepPlan step, EffectId id, ModelToolCall asked, int turn)
    {
        var allowed = _state.Edits.GetValueOrDefault(step.Spec.Agent ?? "")?.Tools ?? step.Agent?.Tools ?? [];
        if (!allowed.Contains(asked.Name) || Plan.Tool(asked.Name) is not { } tool)
        {
            Emit(new CallRefused(id.ToString(), asked.Name, asked.Id, $"there is no tool '{asked.Name}' for this agent", turn));
            return true;
        }

        if (!CanonicalJson.TryParse(Encoding.UTF8.GetBytes(string.IsNullOrWhiteSpace(asked.Arguments) ? "{}" : asked.Arguments), out var arguments, out var problem)
            || PayloadReference.TryRead(arguments, out _, out _))
        {
            Emit(new CallRefused(id.ToString(), asked.Name, asked.Id, $"the arguments are not JSON: {problem?.Message ?? "a reserved name is used"}", turn));
            return true;
        }

        if (tool.InputSchema?.Validate(arguments) is { IsValid: false } invalid)
        {
            var details = string.Join("; ", invalid.Errors.Take(5).Select(error => $"{Pointer(error.InstancePointer)}: {error.Message}"));
            Emit(new CallRefused(id.ToString(), asked.Name, asked.Id, $"the arguments do not meet the tool's schema: {details}", turn));
            return true;
        }

        var visit = Visit(id.Key);
        var digest = DigestOf(arguments);
        if (visit.CurrentCalls.Count(call => call.Tool == asked.Name && call.ArgumentsDigest == digest) >= SameCallMax)
        {
            Fail(id.Key, new Failing(FailureClasses.StepRepetition, "same_call_again", $"the agent asked for {asked.Name} with the same arguments more than {SameCallMax} times")
            {
                Permanent = true,
            });
            return false;
        }

        if (!CheckArguments(step, tool, id.Key, arguments, out var failing))
        {
            Fail(id.Key, failing);
            return false;
        }

        return Request(step, tool, id, Externalize(arguments), asked.Id, turn, id.Key);
    }

    private bool CheckArguments(StepPlan step, ToolPlan tool, VisitKey key, JsonElement arguments, out Failing failing)
    {
        failing = default!;
        var resolved = values.Resolve(arguments);
        if (step.Spec.Type == StepType.ToolCall && tool.InputSchema?.Validate(resolved) is { IsValid: false } invalid)
        {
            var message = string.Join("; ", invalid.Errors.Take(5).Select(error => $"{Pointer(error.InstancePointer)}: {error.Message}"));
            failing = new Failing(FailureClasses.SchemaViolation, "arguments_schema", message) { Permanent = true };
            return false;
        }

        return Check(tool.Guards, "arguments", key, ArgumentScope(tool, arguments), out failing);
    }

    private DecisionScope ArgumentScope(ToolPlan tool, JsonElement arguments) =>
        new(_state, Plan, values, atMs) { Arguments = (arguments, tool.Spec.InputSchema) };

    /// <summary>Puts the request on record; irreversible and high-value calls wait for a person, with their arguments shown. False when the attempt failed.</summary>
    private bool Request(StepPlan step, ToolPlan tool, EffectId id, JsonElement arguments, string? toolCallId, int turn, VisitKey key)
    {
        var effect = step.Spec.Type == StepType.ToolCall ? step.Effect : tool.Spec.Effect;
        if (!TryKey(step, tool, effect, id, arguments, out var idempotencyKey, out var amount, out var failing))
        {
            Fail(key, failing);
            return false;
        }

        var highValue = amount > _state.HighValueUsd && effect.Kind != EffectKind.None;
        var approved = step.Spec.Type == StepType.ToolCall && effect.Kind == EffectKind.Irreversible && HasApprovalBefore(step);
        var approval = highValue || (effect.Kind == EffectKind.Irreversible && !approved);
        Emit(new CallRequested(id.ToString(), tool.Spec.Name, arguments, DigestOf(arguments), effect.Kind, idempotencyKey, toolCallId, approval, turn));
        if (approval)
        {
            var reason = highValue
                ? string.Create(CultureInfo.InvariantCulture, $"{FailureClasses.HighValueOperation}: {amount} USD is above {_state.HighValueUsd} USD")
                : "irreversible: it cannot be taken back";
            var shown = JsonMake.Object(
                ("tool", JsonMake.Text(tool.Spec.Name)), ("arguments", arguments), ("reason", JsonMake.Text(reason)), ("effect_kind", JsonMake.Text(effect.Kind.ToString().ToLowerInvariant())));
            Ask(key, "call_approval", id.ToString(), ["approve", "reject"], shown);
            Notify("review_requested", key.Step, $"{tool.Spec.Name} waits for approval: {reason}");
        }

        return true;
    }

    /// <summary>True when a human_approval step lies before this one on a path that was taken.</summary>
    private bool HasApprovalBefore(StepPlan step)
    {
        var queue = new Queue<VisitKey>(_state.LatestVisit(step.Spec.Id)?.After ?? []);
        var seen = new HashSet<VisitKey>();
        while (queue.TryDequeue(out var key))
        {
            if (!seen.Add(key))
            {
                continue;
            }

            if (Plan.Step(key.Step)?.Spec.Type == StepType.HumanApproval && Visit(key).Status == VisitStatus.Committed)
            {
                return true;
            }

            foreach (var before in Visit(key).After)
            {
                queue.Enqueue(before);
            }
        }

        return false;
    }

    private bool TryKey(StepPlan step, ToolPlan tool, EffectSpec effect, EffectId id, JsonElement arguments, out string? key, out double amount, out Failing failing)
    {
        (key, amount, failing) = (null, 0, default!);
        if (effect.Kind == EffectKind.None)
        {
            return true;
        }

        var own = step.Spec.Effect is not null && step.Spec.Type == StepType.ToolCall;
        var scope = ArgumentScope(tool, arguments);
        if ((own ? step.EffectAmount : tool.Amount) is { } amountExpression)
        {
            var result = amountExpression.Evaluate(scope);
            double? value = result.Value switch { CelInt i => i.Value, CelDouble d => d.Value, CelUint u => u.Value, _ => null };
            if (value is null)
            {
                failing = new Failing(FailureClasses.ExpressionFailed, "effect_amount", $"the amount ({amountExpression.Text}) {result.Error?.Message ?? "is not a number"}") { Permanent = true };
                return false;
            }

            amount = value.Value;
        }

        if ((own ? step.EffectKey : tool.Key) is { } keyExpression)
        {
            var result = keyExpression.Evaluate(scope);
            if (result.Value is not CelString { Value.Length: > 0 and <= 255 } text)
            {
                failing = new Failing(FailureClasses.ExpressionFailed, "effect_key", $"the key ({keyExpression.Text}) {result.Error?.Message ?? "is not a text of 1 to 255 characters"}") { Permanent = true };
                return false;
            }

            key = text.Value;
            return true;
        }

        key = DefaultKey(id, tool.Spec.Name, DigestOf(arguments));
        return true;
    }

    /// <summary>
    /// The same call of another attempt has the same key (the receiver then does nothing more); one that was undone counts as another
    /// occurrence, because doing it again is meant.
    /// </summary>
    private string DefaultKey(EffectId id, string tool, string argumentsDigest)
    {
        var same = _state.Visits.GetValueOrDefault(id.Key)?.Calls.Where(call => call.Tool == tool && call.ArgumentsDigest == argumentsDigest) ?? [];
        var occurrence = 1;
        foreach (var call in same)
        {
            if (call.Id.Attempt == id.Attempt || call.Status == CallStatus.Compensated)
            {
                occurrence++;
            }
        }

        var identity = string.Create(CultureInfo.InvariantCulture, $"{_state.ExecutionId}/{id.Step}~{id.Visit}/{tool}/{argumentsDigest}/{occurrence}");
        return "omk-" + CanonicalJson.Digest(Encoding.UTF8.GetBytes(identity))[..40];
    }

    private Rejection? Begin(BeginCall command)
    {
        if (!EffectId.TryParse(command.Effect, out var id) || !_state.Visits.TryGetValue(id.Key, out var visit) || visit.Calls.Find(c => c.Id == id) is not { } call)
        {
            return new Rejection("effect_not_found", $"no effect {command.Effect} is known here");
        }

        var rerun = call.Status == CallStatus.InDoubt && call.Next == "rerun" && atMs >= call.NextDueMs;
        if (visit.Status != VisitStatus.Open || _state.Status != ExecutionStatus.Running || (call.Status != CallStatus.Requested && !rerun))
        {
            return new Rejection("effect_not_due", $"{command.Effect} may not be called now");
        }

        var timeoutMs = (long)TimeoutOf(Plan.Step(id.Step)!, call.Tool).TotalMilliseconds;
        Emit(new IntentRecorded(command.Effect, command.Owner, atMs + timeoutMs + command.MarginMs, call.Runs + 1));
        return null;
    }

    private TimeSpan TimeoutOf(StepPlan step, string tool) =>
        (step.Spec.Type == StepType.ToolCall ? step.Spec.Timeout : null) ?? Plan.Tool(tool)?.Spec.Timeout ?? TimeSpan.FromSeconds(30);

    private Rejection? SettleCall(StepPlan step, VisitState visit, CallState call, EffectOutcome outcome)
    {
        if (call.Status is CallStatus.Settled or CallStatus.Failed or CallStatus.Refused or CallStatus.Compensated)
        {
            return null;
        }

        if (call.Kind == EffectKind.None)
        {
            if (visit.Status != VisitStatus.Open || call.Id.Attempt != visit.Attempt || call.Status != CallStatus.Requested)
            {
                return null;
            }

            if (call.Turn > 0)
            {
                Emit(new CallSettled(call.Id.ToString(), ResultOf(outcome), outcome.Failure));
                return null;
            }

            Conclude(step, visit.Key, call.Id, outcome, recorded: false);
            return null;
        }

        if (!call.Unsettled)
        {
            return new Rejection("no_intent", $"{call.Id} has no intent on record: its result cannot be taken");
        }

        if (outcome.Failure is { MayHaveHappened: true } && call.Kind is EffectKind.Verifiable or EffectKind.Irreversible)
        {
            Doubt(visit, call, "unclear_answer");
            return null;
        }

        SettleIntent(step, visit, call, outcome, "call");
        return null;
    }

    private void SettleIntent(StepPlan step, VisitState visit, CallState call, EffectOutcome outcome, string via)
    {
        Emit(new IntentSettled(call.Id.ToString(), outcome.Failure is null, ResultOf(outcome), outcome.Failure, via));
        if (visit.Status != VisitStatus.Open)
        {
            SettleFenced(call.Id);
        }
        else if (call.Turn == 0)
        {
            Conclude(step, visit.Key, call.Id, outcome, recorded: true);
        }
        else if (outcome.Failure is { MayHaveHappened: true } unclear)
        {
            Fail(visit.Key, Failing(unclear));
        }
    }

    /// <summary>The result of a tool_call step's one call is the step's output; its failure is the attempt's.</summary>
    private void Conclude(StepPlan step, VisitKey key, EffectId id, EffectOutcome outcome, bool recorded)
    {
        var result = ResultOf(outcome);
        if (outcome.Failure is { } failure)
        {
            if (!recorded)
            {
                Emit(new CallSettled(id.ToString(), null, failure));
            }

            Fail(key, Failing(failure));
        }
        else if (step.Tool?.OutputSchema?.Validate(values.Resolve(result!.Value)) is { IsValid: false } invalid)
        {
            var message = string.Join("; ", invalid.Errors.Take(5).Select(error => $"{Pointer(error.InstancePointer)}: {error.Message}"));
            Fail(key, new Failing(FailureClasses.SchemaViolation, "result_schema", message) { Output = result });
        }
        else
        {
            Finish(step, key, result!.Value, 0, 0);
        }
    }

    private static JsonElement? ResultOf(EffectOutcome outcome) => outcome.Failure is null ? outcome.Result ?? JsonMake.Null : null;

    /// <summary>What follows when nobody knows whether it happened.</summary>
    private void Doubt(VisitState visit, CallState call, string reason)
    {
        var effect = EffectOf(call);
        var withinTtl = atMs < call.IntentMs + (long)effect.KeyTtl.TotalMilliseconds;
        var next = call.Kind == EffectKind.Idempotent && withinTtl ? "rerun" : effect.Verify is not null ? "verify" : "review";
        var due = next == "verify" ? Math.Max(atMs, call.IntentMs + (long)effect.VerifyAfter.TotalMilliseconds) : atMs;
        Emit(new IntentInDoubt(call.Id.ToString(), reason, next, due));
        if (next == "review")
        {
            AskInDoubt(visit.Key, call);
        }
    }

    private void AskInDoubt(VisitKey key, CallState call)
    {
        var shown = JsonMake.Object(
            ("tool", JsonMake.Text(call.Tool)), ("arguments", call.Arguments), ("reason", JsonMake.Text("Omium cannot know whether this call happened. Look at the other side, then say.")));
        Ask(key, "in_doubt", call.Id.ToString(), ["done", "redo", "reject"], shown);
        Notify("in_doubt", key.Step, $"nobody can say whether {call.Tool} happened");
    }

    private EffectSpec EffectOf(CallState call)
    {
        var step = Plan.Step(call.Id.Step)!;
        return step.Spec.Type == StepType.ToolCall ? step.Effect : Plan.Tool(call.Tool)?.Spec.Effect ?? EffectSpec.None;
    }

    private Rejection? SettleProbe(StepPlan step, VisitState visit, CallState call, EffectOutcome outcome)
    {
        if (call.Status != CallStatus.InDoubt || call.Next != "verify")
        {
            return null;
        }

        var answer = outcome.Result is { ValueKind: JsonValueKind.Object } result && result.TryGetProperty("status", out var status) ? status.GetString() : null;
        switch (answer)
        {
            case "done":
                var output = outcome.Result!.Value.TryGetProperty("output", out var value) ? value : outcome.Result.Value;
                SettleIntent(step, visit, call, new EffectOutcome { Result = output }, "verify");
                break;
            case "not_done":
                if (visit.Status == VisitStatus.Open)
                {
                    Emit(new IntentInDoubt(call.Id.ToString(), "verified_not_done", "rerun", atMs));
                }
                else
                {
                    SettleIntent(step, visit, call, new EffectOutcome { Failure = new EffectFailure(FailureClasses.ToolError, "verified_not_done", "the verify tool says that it did not happen") }, "verify");
                }

                break;
            default:
                Emit(new IntentInDoubt(call.Id.ToString(), "verify_unknown", "review", atMs));
                AskInDoubt(visit.Key, call);
                break;
        }

        return null;
    }

    /// <summary>Time has passed: intents without a result are in doubt.</summary>
    private Rejection? Wake()
    {
        foreach (var (visit, call) in UnsettledIntents(call => call.Status == CallStatus.Intent && atMs >= call.InDoubtAtMs))
        {
            Doubt(visit, call, "no_result");
        }

        foreach (var key in _state.Open.Values.ToArray())
        {
            if (_state.Status == ExecutionStatus.Running && Visit(key) is { Status: VisitStatus.Open, RetryDueMs: > 0 } visit
                && atMs >= visit.RetryDueMs && !visit.CurrentCalls.Any())
            {
                EnterRetry(key);
            }
        }

        return null;
    }

    private Rejection? LoseRunners(LoseRunner command)
    {
        foreach (var (visit, call) in UnsettledIntents(call => call.Status == CallStatus.Intent && call.Owner != command.SurvivingOwner))
        {
            Doubt(visit, call, "runner_lost");
        }

        return null;
    }

    private (VisitState, CallState)[] UnsettledIntents(Func<CallState, bool> filter)
    {
        var open = _state.Open.Values.Select(Visit).SelectMany(visit => visit.Calls.Select(call => (visit, call)));
        var fenced = _state.FencedCalls.Order(StringComparer.Ordinal).Select(text =>
        {
            _ = EffectId.TryParse(text, out var id);
            var visit = Visit(id.Key);
            return (visit, call: visit.Calls.Find(call => call.Id == id)!);
        });
        return [.. open.Concat(fenced).Where(pair => filter(pair.call))];
    }
}
