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

        if (AreVerified(step, key, visit.Input))
        {
            Request(step, tool, id, visit.Input, null, 0, key);
        }
    }

    /// <summary>The call of a step whose arguments its verifiers agreed on.</summary>
    private void RequestVerified(StepPlan step, VisitKey key, JsonElement arguments) =>
        Request(step, step.Tool!, EffectId.Call(key, Visit(key).Attempt, 1), arguments, null, 0, key);

    private void RequestAgentCalls(StepPlan step, VisitState visit, ModelAnswer answer)
    {
        var key = visit.Key;
        var turn = visit.Turns.Count + 1;
        Emit(new ModelAnswered(key.Step, key.Visit, visit.Attempt, turn, answer.Content, answer.ToolCalls, Take(ref _inputTokens), Take(ref _outputTokens)));
        if (turn >= AgentConversation.Standing(_state, Plan, step).TurnsMax)
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
        var allowed = _state.Edits.GetValueOrDefault(step.Spec.Agent ?? "")?.Tools ?? AgentConversation.Standing(_state, Plan, step).Tools;
        if (!allowed.Contains(asked.Name) || Plan.Tool(asked.Name) is not { } tool)
        {
            return RefuseForeign(id, asked, allowed, turn);
        }

        if (!CanonicalJson.TryParse(Encoding.UTF8.GetBytes(string.IsNullOrWhiteSpace(asked.Arguments) ? "{}" : asked.Arguments), out var arguments, out var problem)
            || PayloadReference.IsNamedIn(arguments))
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
        if (RepeatedCall(visit, tool.Spec, digest) is { } repetition)
        {
            Fail(id.Key, repetition);
            return false;
        }

        if (!CheckArguments(step, tool, id.Key, arguments, out var failing) || !CheckCall(step, id, asked.Name, arguments, turn, out failing))
        {
            Fail(id.Key, failing);
            return false;
        }

        if (Recorded(visit, id, tool.Spec.Name, digest) is { } recorded)
        {
            Emit(new CallRequested(id.ToString(), tool.Spec.Name, recorded.Arguments, digest, EffectKind.None, null, asked.Id, false, turn));
            Emit(new CallSettled(id.ToString(), recorded.Result, null));
            return true;
        }

        return Request(step, tool, id, Externalize(arguments), asked.Id, turn, id.Key);
    }

    /// <summary>
    /// The call of an earlier attempt that stands in the world and is the same one (tool, arguments, nth occurrence): its recorded result answers,
    /// it is not made again. One that was undone never matches.
    /// </summary>
    private static CallState? Recorded(VisitState visit, EffectId id, string tool, string argumentsDigest)
    {
        bool Same(CallState call) => call.Tool == tool && call.ArgumentsDigest == argumentsDigest;
        var occurrence = visit.CurrentCalls.Count(Same);
        return visit.Calls.Where(call => call.Id.Attempt < id.Attempt && Same(call) && call.Status == CallStatus.Settled && (call.MayStand || (call.Kind != EffectKind.None && (call.Inherited || call.Sandboxed)))).ElementAtOrDefault(occurrence);
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

        return tool.Guards.Count == 0 || Check(tool.Guards, "arguments", key, ArgumentScope(tool, key, arguments), out failing);
    }

    private DecisionScope ArgumentScope(ToolPlan tool, VisitKey key, JsonElement arguments) => Scope(key) with { Arguments = (arguments, tool.Spec.InputSchema) };

    /// <summary>Puts the request on record; irreversible and high-value calls, and those that an approval no longer covers, wait for a person, with their arguments shown. False when the attempt failed.</summary>
    private bool Request(StepPlan step, ToolPlan tool, EffectId id, JsonElement arguments, string? toolCallId, int turn, VisitKey key)
    {
        var effect = step.OwnsCall ? step.Effect : tool.Spec.Effect;
        if (!TryKey(step, tool, effect, id, arguments, out var idempotencyKey, out var amount, out var failing))
        {
            Fail(key, failing);
            return false;
        }

        var highValue = effect.Kind != EffectKind.None && !(amount <= _state.HighValueUsd); // What is no number is not small.
        var approved = step.OwnsCall && effect.Kind == EffectKind.Irreversible && HasApprovalBefore(step)
            && !Visit(key).Calls.Any(call => call.MayStand || call.Unsettled); // An approval covers one call, not its repetition.
        var approver = highValue ? ApproverOf(id.Step, tool.Spec.Name, DigestOf(arguments)) : null;
        var changed = effect.Kind != EffectKind.None && IsChangedSinceApproval(step) && !IsCallApproved(key, tool.Spec.Name, DigestOf(arguments));
        var approval = !_state.IsSandbox && approver is null && (highValue || changed || (effect.Kind == EffectKind.Irreversible && !approved));
        Emit(new CallRequested(id.ToString(), tool.Spec.Name, arguments, DigestOf(arguments), effect.Kind, idempotencyKey, toolCallId, approval, turn, approver));
        if (approval && highValue && IsServedByPolicy(HighValue(tool, effect, arguments, amount), Visit(key)))
        {
            Emit(new CallRefused(id.ToString(), tool.Spec.Name, toolCallId, "stopped before it was made: the recovery policy says what follows", turn));
            Fail(key, HighValue(tool, effect, arguments, amount));
            return false;
        }

        if (approval)
        {
            var reason = highValue
                ? string.Create(CultureInfo.InvariantCulture, $"{FailureClasses.HighValueOperation}: {amount} USD is above {_state.HighValueUsd} USD")
                : changed ? "made from what a person gave after it was approved" : "irreversible: it cannot be taken back";
            var shown = JsonMake.Object(
                ("tool", JsonMake.Text(tool.Spec.Name)), ("arguments", arguments), ("reason", JsonMake.Text(reason)), ("effect_kind", JsonMake.Text(effect.Kind.ToString().ToLowerInvariant())));
            Ask(key, "call_approval", id.ToString(), ["approve", "reject"], shown);
            Notify("review_requested", key.Step, $"{tool.Spec.Name} waits for approval: {reason}");
        }

        return true;
    }

    private Failing HighValue(ToolPlan tool, EffectSpec effect, JsonElement arguments, double amount) => new(
        FailureClasses.HighValueOperation, FailureClasses.HighValueOperation,
        string.Create(CultureInfo.InvariantCulture, $"{tool.Spec.Name}: {amount} USD is above {_state.HighValueUsd} USD"))
    {
        Permanent = true,
        Expected = string.Create(CultureInfo.InvariantCulture, $"amount <= {_state.HighValueUsd}"),
        Actual = JsonMake.Object(
            ("tool", JsonMake.Text(tool.Spec.Name)), ("arguments", PayloadReference.TryRead(arguments, out _, out _) ? JsonMake.Text("(too large to show)") : arguments), ("amount", double.IsFinite(amount) ? JsonMake.Number(amount) : JsonMake.Text("not a number")),
            ("effect_kind", JsonMake.Text(effect.Kind.ToString().ToLowerInvariant()))),
    };

    private bool TryKey(StepPlan step, ToolPlan tool, EffectSpec effect, EffectId id, JsonElement arguments, out string? key, out double amount, out Failing failing)
    {
        (key, amount, failing) = (null, 0, default!);
        if (effect.Kind == EffectKind.None)
        {
            return true;
        }

        var isOwn = step.Spec.Effect is not null && step.OwnsCall;
        var scope = ArgumentScope(tool, id.Key, arguments);
        if ((isOwn ? step.EffectAmount : tool.Amount) is { } amountExpression)
        {
            var result = amountExpression.Evaluate(scope);
            double? value = result.Value switch { CelInt i => i.Value, CelDouble d => d.Value, CelUint u => u.Value, _ => null };
            if (value is null)
            {
                failing = new Failing(FailureClasses.ExpressionFailed, "effect_amount", $"the amount ({amountExpression.Text}) {result.Error?.Message ?? "is not a number"}") { Permanent = true };
                return false;
            }

            amount = Math.Abs(value.Value); // A refund written as -50,000 has as much at stake.
        }

        if ((isOwn ? step.EffectKey : tool.Key) is { } keyExpression)
        {
            var result = keyExpression.Evaluate(scope);
            if (result.Value is not CelString { Value.Length: > 0 and <= 255 } text)
            {
                failing = new Failing(FailureClasses.ExpressionFailed, "effect_key", $"the key ({keyExpression.Text}) {result.Error?.Message ?? "is not a text of 1 to 255 characters"}") { Permanent = true };
                return false;
            }

            var own = _state.Fork is null ? text.Value : $"{text.Value}~{_state.ExecutionId}"; // A fork's effects are others than its source's.
            key = RepeatedKeys.Of(own, _state.Undone.GetValueOrDefault(ExecutionState.UndoneName(tool.Spec.Name, own)));
            return true;
        }

        key = DefaultKey(id, tool.Spec.Name, DigestOf(arguments));
        return true;
    }

    /// <summary>
    /// The same call of another attempt has the same key (the receiver then does nothing more); one that was undone, or may have been, counts as
    /// another occurrence, because doing it again is meant and the receiver may remember the old key.
    /// </summary>
    private string DefaultKey(EffectId id, string tool, string argumentsDigest)
    {
        var same = _state.Visits.GetValueOrDefault(id.Key)?.Calls.Where(call => call.Tool == tool && call.ArgumentsDigest == argumentsDigest) ?? [];
        var occurrence = 1;
        foreach (var call in same)
        {
            if (call.Id.Attempt == id.Attempt || call.Status == CallStatus.Compensated || call.MayBeUndone)
            {
                occurrence++;
            }
        }

        var identity = string.Create(CultureInfo.InvariantCulture, $"{_state.ExecutionId}/{id.Step}~{id.Visit}/{tool}/{argumentsDigest}/{occurrence}");
        return "omk-" + CanonicalJson.Digest(Encoding.UTF8.GetBytes(identity))[..40];
    }

    private Rejection? Begin(BeginCall command)
    {
        if (!EffectId.TryParse(command.Effect, out var id) || !_state.Visits.TryGetValue(id.Key, out var visit) || visit.Calls.Find(c => c.Id == id.WithoutSub) is not { } call)
        {
            return new Rejection("effect_not_found", $"no effect {command.Effect} is known here");
        }

        if (id.Sub == 'u')
        {
            return BeginUndo(command, id, call);
        }

        var again = call.Status == CallStatus.InDoubt && call.Next is "rerun" or "redo" && atMs >= call.NextDueMs;
        if (call.Sandboxed || call.Child is not null || !IsLive(visit, call) || _state.Status != ExecutionStatus.Running || (call.Status != CallStatus.Requested && !again))
        {
            return new Rejection("effect_not_due", $"{command.Effect} may not be called now");
        }

        if (_state.SharedOf(visit.Key) is { Gathering: true } or { Writing: not null })
        {
            return new Rejection("effect_not_due", $"{command.Effect} waits for what its step shares with others");
        }

        if (call.Runs == 0 && EffectOf(call).Fresh && CheckFresh(visit, command) is { } notFresh)
        {
            return notFresh;
        }

        if (call.Kind == EffectKind.Idempotent && call.Next != "redo" && KeyExpired(call))
        {
            Doubt(visit, call, "key_expired");
            return new Rejection("effect_not_due", $"the receiver need not know the key of {command.Effect} any more; whether it happened must be found out first", RecordsEvents: true);
        }

        var timeoutMs = (long)TimeoutOf(Plan.Step(id.Step)!, call.Tool).TotalMilliseconds;
        Emit(new IntentRecorded(command.Effect, command.Owner, atMs + timeoutMs + command.MarginMs, call.Runs + 1));
        return null;
    }

    private TimeSpan TimeoutOf(StepPlan step, string tool) =>
        (step.OwnsCall ? step.Spec.Timeout : null) ?? Plan.Tool(tool)?.Spec.Timeout ?? TimeSpan.FromSeconds(30);

    private Rejection? SettleCall(StepPlan step, VisitState visit, CallState call, int run, EffectOutcome outcome)
    {
        if (call.Status is CallStatus.Settled or CallStatus.Failed or CallStatus.Refused or CallStatus.Compensated || (call.Kind == EffectKind.None && visit.Shared?.Writing is not null))
        {
            return null;
        }

        if (call.Sandboxed)
        {
            return SettleSandboxed(step, visit, call, outcome);
        }

        if (call.Child is not null)
        {
            return SettleChild(step, visit, call, outcome);
        }

        if (call.Kind == EffectKind.None)
        {
            if (_state.Ended || !IsLive(visit, call))
            {
                Discard(visit, call.Id);
                return null;
            }

            if (call.Turn > 0)
            {
                Emit(new CallSettled(call.Id.ToString(), Recordable(outcome), outcome.Failure));
                CheckResult(visit, call, outcome);
                return null;
            }

            Conclude(step, visit.Key, call.Id, outcome, recorded: false);
            return null;
        }

        if (!call.Unsettled)
        {
            return new Rejection("no_intent", $"{call.Id} has no intent on record: its result cannot be taken");
        }

        if (run > 0 && run != call.Runs && outcome.Failure is not null)
        {
            return null; // An earlier run failed; that says nothing about the one under way.
        }

        if (outcome.Failure is { MayHaveHappened: true } && call.Kind is EffectKind.Verifiable or EffectKind.Irreversible)
        {
            if (call.Status == CallStatus.Intent)
            {
                Doubt(visit, call, "unclear_answer"); // An answer that tells nothing changes nothing for a call that is in doubt already.
            }

            return null;
        }

        if (outcome.Failure is { MayHaveHappened: false } failure && call.EarlierUnclear)
        {
            outcome = outcome with { Failure = failure with { MayHaveHappened = true } }; // This run did not happen; an earlier one may have.
        }

        SettleIntent(step, visit, call, outcome, "call");
        return null;
    }

    private void SettleIntent(StepPlan step, VisitState visit, CallState call, EffectOutcome outcome, string via)
    {
        var id = call.Id.ToString();
        CloseReviews("settled", via, review => _state.Reviews[review].Request is { Kind: "in_doubt" } request && request.Effect == id);
        Emit(new IntentSettled(id, outcome.Failure is null, Recordable(outcome), outcome.Failure, via));
        GoOnAfterDoubt("policy");
        if (visit.Status != VisitStatus.Open || call.Id.Attempt != visit.Attempt)
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
        else
        {
            CheckResult(visit, call, outcome);
        }
    }

    /// <summary>An agent's call: a result that does not meet the tool's schema is not told to the agent, the attempt fails by it.</summary>
    private void CheckResult(VisitState visit, CallState call, EffectOutcome outcome)
    {
        if (outcome.Failure is null && ResultProblem(Plan.Tool(call.Tool), outcome) is { } problem)
        {
            Fail(visit.Key, new Failing(FailureClasses.SchemaViolation, "result_schema", problem) { Output = Recordable(outcome) });
        }
    }

    private string? ResultProblem(ToolPlan? tool, EffectOutcome outcome) =>
        tool?.OutputSchema?.Validate(values.Resolve(ResultOf(outcome)!.Value)) is { IsValid: false } invalid
            ? string.Join("; ", invalid.Errors.Take(5).Select(error => $"{Pointer(error.InstancePointer)}: {error.Message}"))
            : null;

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
        else if (ResultProblem(step.Tool, outcome) is { } problem)
        {
            Fail(key, new Failing(FailureClasses.SchemaViolation, "result_schema", problem) { Output = result });
        }
        else
        {
            if (!recorded && (step.Spec.Verifiers is not null || step.Spec.Type == StepType.Worker))
            {
                Emit(new CallSettled(id.ToString(), Recordable(outcome), null)); // The commit may have to wait for verifiers, and a lease must end here.
            }

            Finish(step, key, result!.Value);
        }
    }

    /// <summary>A result as events carry it: JSON null is left out there, as it is when the record is read back.</summary>
    private static JsonElement? Recordable(EffectOutcome outcome) => Present(ResultOf(outcome));

    private static JsonElement? Present(JsonElement? value) => value is { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } ? null : value;

    private static JsonElement? ResultOf(EffectOutcome outcome) => outcome.Failure is null ? outcome.Result ?? JsonMake.Null : null;
}
