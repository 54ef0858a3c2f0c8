using System.Globalization;
using System.Text;
using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>What follows a failed attempt: triggers first, then rules, then retry, then failure edges, then the end.</summary>
internal sealed partial class Decision
{
    private void Fail(VisitKey key, Failing failing)
    {
        var step = Plan.Step(key.Step)!;
        var visit = Visit(key);
        var fingerprint = $"{_state.Workflow}/{key.Step}/{failing.Class}/{failing.Code}";
        var policy = Plan.Policy;
        var rule = policy.Triggers.Contains(failing.Class) ? null : MatchingRule(failing, visit);
        var actions = policy.Triggers.Contains(failing.Class) ? policy.Actions : rule?.Spec.Do;
        var retry = actions is null ? RetryOf(step, visit, failing, fingerprint) : null;
        var final = actions is null && retry is null;
        var edges = new List<int>();
        if (final && !TakeEdges(step, EdgeOn.Failure, Scope(), out edges, out _))
        {
            edges = [];
        }

        Emit(new StepFailed(
            key.Step, key.Visit, visit.Attempt, failing.Class, failing.Code, failing.Message, fingerprint, failing.Output, failing.Expected, failing.Actual, final, final ? edges : null));
        if (rule is not null)
        {
            Emit(new RuleApplied(Plan.Rules.ToList().IndexOf(rule), key.Step, key.Visit));
        }

        if (actions is not null)
        {
            Act(key, actions);
        }
        else if (retry is { } wait)
        {
            RetryAttempt(key, wait);
        }
        else
        {
            GiveUp(step, key, edges);
        }
    }

    private RulePlan? MatchingRule(Failing failing, VisitState visit)
    {
        for (var index = 0; index < Plan.Rules.Count; index++)
        {
            var rule = Plan.Rules[index];
            var named = rule.Spec.On.Count == 0 || rule.Spec.On.Contains(failing.Class) || rule.Spec.On.Contains(failing.Code);
            if (!named || (rule.Spec.Limit is { } limit && _state.RuleUses.GetValueOrDefault(index) >= limit))
            {
                continue;
            }

            var scope = new DecisionScope(_state, Plan, values, atMs)
            {
                Failure = JsonMake.Object(
                    ("class", JsonMake.Text(failing.Class)), ("code", JsonMake.Text(failing.Code)), ("message", JsonMake.Text(failing.Message)),
                    ("attempt", JsonMake.Integer(visit.Attempt)), ("step", JsonMake.Text(visit.Key.Step))),
            };
            if (rule.When is null || rule.When.Evaluate(scope).Value is CelBool { Value: true })
            {
                return rule;
            }
        }

        return null;
    }

    /// <summary>How long to wait before the next attempt; null when there is none.</summary>
    private long? RetryOf(StepPlan step, VisitState visit, Failing failing, string fingerprint)
    {
        if (failing.Permanent)
        {
            return null;
        }

        var (attemptsMax, backoff, stopOnSame) = step.Spec.Retry is { } own
            ? (own.AttemptsMax, own.Backoff, own.StopOnSameFailure)
            : Plan.Policy.Retry is { } policy && (!Plan.Policy.RetryTransientOnly || FailureClasses.Transient.Contains(failing.Class))
                ? (policy.RetriesMax + 1, policy.Backoff, policy.StopOnSameFailure)
                : (1, new Backoff(false, TimeSpan.Zero, TimeSpan.Zero, false), false);
        var seenBefore = stopOnSame && !FailureClasses.Environmental.Contains(failing.Class)
            && visit.Failures.Any(known => known.Failure.Fingerprint == fingerprint);
        return visit.Attempt >= attemptsMax || seenBefore ? null : WaitMs(backoff, visit, failing.RetryAfterMs);
    }

    /// <summary>The wait of a backoff: doubling from its initial value up to its maximum, spread over the upper half by the execution's seed.</summary>
    private long WaitMs(Backoff backoff, VisitState visit, long? retryAfterMs)
    {
        var doublings = backoff.Exponential ? Math.Min(visit.Attempt - 1, 40) : 0;
        var wait = Math.Min(backoff.Initial.TotalMilliseconds * Math.Pow(2, doublings), backoff.Max.TotalMilliseconds);
        if (backoff.Jitter)
        {
            var identity = string.Create(CultureInfo.InvariantCulture, $"{_state.Seed}/{visit.Key}~{visit.Attempt}");
            var drawn = Convert.ToUInt32(CanonicalJson.Digest(Encoding.UTF8.GetBytes(identity))[..8], 16) / (double)uint.MaxValue;
            wait = (wait / 2) + (wait / 2 * drawn);
        }

        return Math.Max((long)wait, retryAfterMs ?? 0);
    }

    /// <summary>A new attempt. External calls of the failed one that may stand are undone first, or a person is asked.</summary>
    private void RetryAttempt(VisitKey key, long waitMs)
    {
        var visit = Visit(key);
        var standing = visit.CurrentCalls.Where(call => call.MayStand || call.Unsettled).ToArray();
        var repeatable = standing.All(call => call.Kind == EffectKind.Idempotent && call.Status == CallStatus.Failed);
        if (standing.Length == 0 || repeatable)
        {
            Emit(new RetryScheduled(key.Step, key.Visit, visit.Attempt + 1, atMs + waitMs));
            if (waitMs <= 0 && _state.Status == ExecutionStatus.Running)
            {
                EnterRetry(key);
            }

            return;
        }

        if (_state.Rollback is null && standing.All(call => EffectOf(call).Compensate is not null && call.CompensationAttempts == 0))
        {
            PlanRollback("attempt", "attempt", [], [.. standing.Reverse().Select(call => call.Id.ToString())], "retry", null, null,
                new RollbackSequel(key, [new RecoveryAction("retry")], false, false));
            return;
        }

        Act(key, [new RecoveryAction("pause"), new RecoveryAction("notify"), new RecoveryAction("await_review")]);
    }

    /// <summary>Begins a retried attempt that is due. An agent's needs nothing: its next turn is pending by itself.</summary>
    private void EnterRetry(VisitKey key)
    {
        var step = Plan.Step(key.Step)!;
        if (step.Spec.Type != StepType.AgentTask)
        {
            Enter(step, key);
        }
    }

    /// <summary>Runs policy actions in the order written; a rollback that has to compensate carries the rest with it.</summary>
    private void Act(VisitKey key, IReadOnlyList<RecoveryAction> actions)
    {
        for (var index = 0; index < actions.Count; index++)
        {
            var action = actions[index];
            var rest = actions.Skip(index + 1).ToArray();
            switch (action.Kind)
            {
                case "rollback_to" or "compensate":
                    if (!RollBackFailed(key, action, rest))
                    {
                        return;
                    }

                    break;
                case "retry":
                    RetryByRule(key);
                    return;
                case "use_agent" when Plan.Step(key.Step)?.Spec.Agent is { } agent && Plan.Spec.Agents.GetValueOrDefault(action.Argument ?? "") is { } substitute:
                    Emit(new EditsApplied(agent, new AgentEdit(substitute.Prompt, substitute.Constraints, substitute.Tools), "policy"));
                    RetryByRule(key);
                    return;
                case "pause":
                    if (_state.Status == ExecutionStatus.Running)
                    {
                        Emit(new ExecutionPaused("failure", "policy", null));
                    }

                    break;
                case "notify":
                    Notify("failure", key.Step, LastMessage(key), action.Argument ?? "default");
                    break;
                case "await_review" or "escalate_to":
                    AskAboutFailure(key, action.Argument);
                    break;
                case "skip":
                    SkipFailed(key, "policy");
                    return;
                case "fail":
                    EndFailed(key);
                    return;
            }
        }
    }

    private void RetryByRule(VisitKey key)
    {
        var visit = Visit(key);
        if (visit.Status == VisitStatus.RolledBack)
        {
            _ready.Enqueue(key.Step);
            return;
        }

        var backoff = Plan.Step(key.Step)?.Spec.Retry?.Backoff ?? Plan.Policy.Retry?.Backoff ?? RecoveryPolicy.Default.Retry!.Backoff;
        RetryAttempt(key, WaitMs(backoff, visit, null));
    }

    private void GiveUp(StepPlan step, VisitKey key, List<int> edges)
    {
        if (edges.Count > 0)
        {
            Leave(step);
            return;
        }

        EndFailed(key);
    }

    /// <summary>The execution ends here. What is in flight is no longer waited for, but intents are still settled.</summary>
    private void EndFailed(VisitKey key)
    {
        if (_state.Status != ExecutionStatus.Running)
        {
            return; // Another branch waits for a person; the end follows when that is decided.
        }

        var failure = Visit(key).Failures[^1].Failure;
        Emit(new ExecutionFailed(key.Step, key.Visit, failure.Class, failure.Code, failure.Message));
    }

    private void SkipFailed(VisitKey key, string reason)
    {
        var step = Plan.Step(key.Step)!;
        if (Visit(key).Status == VisitStatus.RolledBack)
        {
            key = new VisitKey(key.Step, _state.Latest[key.Step] + 1);
        }

        _ = TakeEdges(step, EdgeOn.Success, Scope(JsonMake.Null), out var edges, out _);
        Emit(new StepSkipped(key.Step, key.Visit, reason, null, edges));
        Leave(step);
    }

    private string LastMessage(VisitKey key) => Visit(key).Failures.Count > 0 ? Visit(key).Failures[^1].Failure.Message : "";

    private void Notify(string kind, string step, string message, string channel = "default") =>
        Emit(new NotificationRequested(_state.NotificationCount + 1, channel, kind, step, message));

    private Rejection? Deliver(RecordNotification command)
    {
        if (_state.Notifications.ContainsKey(command.Notification))
        {
            Emit(new NotificationSent(command.Notification));
        }

        return null;
    }
}
