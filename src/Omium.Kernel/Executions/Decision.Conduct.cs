using System.Globalization;
using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>How agents and loops behave, whatever they say: bounds, repetition, calls outside of a role or a plan. None of it asks a model.</summary>
internal sealed partial class Decision
{
    /// <summary>Fails a visit that is one more than the execution may have. True then: it must not begin.</summary>
    private bool IsOutOfVisits(VisitKey key)
    {
        if (_state.Ordinal <= Plan.Spec.Bounds.VisitsMax)
        {
            return false;
        }

        Fail(key, new Failing(FailureClasses.NoTermination, "visits_exhausted", string.Create(
            CultureInfo.InvariantCulture, $"the execution came to more than {Plan.Spec.Bounds.VisitsMax} visits of steps, its bounds.max_visits")) { Permanent = true });
        return true;
    }

    /// <summary>
    /// An agent's step that comes round with the same input and gives the same output makes no progress: after max_same_visits such visits in a row
    /// the next is a repetition. Other steps may well look at the same thing again and again until it changes.
    /// </summary>
    private Failing? Repetition(StepPlan step, VisitKey key, JsonElement stored)
    {
        if (step.Spec.Type != StepType.AgentTask || key.Visit <= Plan.Spec.Bounds.SameVisitsMax)
        {
            return null;
        }

        var (input, output) = (Visit(key).InputDigest, DigestOf(stored));
        var same = 0;
        for (var number = key.Visit - 1; number > 0 && same < Plan.Spec.Bounds.SameVisitsMax; number--)
        {
            var before = _state.Visits.GetValueOrDefault(key with { Visit = number });
            if (before is { Status: VisitStatus.RolledBack })
            {
                continue;
            }

            if (before is not { Status: VisitStatus.Committed, Output: { } known } || before.InputDigest != input || DigestOf(known) != output)
            {
                return null;
            }

            same++;
        }

        return same < Plan.Spec.Bounds.SameVisitsMax
            ? null
            : new Failing(FailureClasses.StepRepetition, "same_visit_again", $"the step gave the same output for the same input {same} times in a row, and did so again") { Permanent = true };
    }

    /// <summary>The failure of an agent that asks for the same call with the same arguments once too often in one attempt; an effect counts sooner.</summary>
    private Failing? RepeatedCall(VisitState visit, ToolSpec tool, string argumentsDigest)
    {
        var bounds = Plan.Spec.Bounds;
        var most = tool.Effect.Kind == EffectKind.None ? bounds.SameCallsMax : Math.Min(bounds.SameCallsMax, bounds.SameEffectsMax);
        return visit.CurrentCalls.Count(call => call.Tool == tool.Name && call.ArgumentsDigest == argumentsDigest && call.Status != CallStatus.Refused) < most
            ? null
            : new Failing(
                FailureClasses.StepRepetition, tool.Effect.Kind == EffectKind.None ? "same_call_again" : "same_effect_again",
                string.Create(CultureInfo.InvariantCulture, $"the agent asked for {tool.Name} with the same arguments more than {(most == 1 ? "once" : $"{most} times")}")) { Permanent = true };
    }

    /// <summary>A call of a tool that is not the agent's: it is told so; asking again and again is out of its role. False when the attempt has failed by it.</summary>
    private bool RefuseForeign(EffectId id, ModelToolCall asked, IReadOnlyList<string> allowed, int turn)
    {
        Emit(new CallRefused(id.ToString(), asked.Name, asked.Id, $"there is no tool '{asked.Name}' for this agent", turn));
        var foreign = Visit(id.Key).CurrentCalls.Count(call => call.Status == CallStatus.Refused && !allowed.Contains(call.Tool));
        if (foreign <= Plan.Spec.Bounds.SameCallsMax)
        {
            return true;
        }

        Fail(id.Key, new Failing(FailureClasses.DisobeyRoleSpecification, "tool_of_another_role", $"the agent asked {foreign} times for tools that are not its own, {asked.Name} the last")
        {
            Permanent = true,
        });
        return false;
    }

    /// <summary>The step's own guards on a call that its agent asks for; nothing of the call is on record before they hold.</summary>
    private bool CheckCall(StepPlan step, EffectId id, string tool, JsonElement arguments, int turn, out Failing failing)
    {
        failing = default!;
        if (step.Calls.Count == 0)
        {
            return true;
        }

        var call = JsonMake.Object(("tool", JsonMake.Text(tool)), ("arguments", values.Resolve(arguments)), ("turn", JsonMake.Integer(turn)));
        return Check(step.Calls, "call", id.Key, Scope(id.Key) with { Call = call }, out failing);
    }

    /// <summary>What a guard can say about why it does not hold: up to twenty things, each as it is written.</summary>
    internal static string Explanation(GuardPlan guard, ExpressionResult result, DecisionScope scope)
    {
        if (result.Error is not null || guard.Explanation?.Evaluate(scope).Value is not CelList { Count: > 0 } list)
        {
            return "";
        }

        return $" ({string.Join("; ", Enumerable.Range(0, list.Count).Select(index => list[index]).OfType<CelString>().Select(text => Shorten(text.Value)))})";
    }
}
