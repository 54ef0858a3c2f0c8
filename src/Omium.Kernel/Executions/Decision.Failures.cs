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
        CloseReviews("superseded", "policy", id => _state.Reviews[id].Request is { Kind: "call_approval" or "approval" or "sandbox_call" } request && request.Step == key.Step && request.Visit == key.Visit);
        if (key.IsItem)
        {
            FailItem(step, key, failing);
            return;
        }

        var fingerprint = $"{_state.Workflow}/{key.Step}/{failing.Class}/{failing.Code}";
        var policy = Plan.Policy;
        var triggered = !_state.Ended && policy.Triggers.Contains(failing.Class);
        var rule = triggered || _state.Ended ? null : MatchingRule(failing, visit);
        var actions = triggered ? policy.Actions : rule is { } index ? Plan.Rules[index].Spec.Do : null;
        var rerun = actions is null && RerunsStale(key, failing);
        var retry = actions is null && !rerun && !_state.Ended ? SharedRetry(visit, failing) ?? RetryOf(step, visit, failing, fingerprint) : null;
        var final = actions is null && retry is null && !rerun;
        List<int> edges = [];
        if (final && !TryFailureEdges(step, failing.Code, out edges, out var exhausted))
        {
            Fail(key, exhausted with { Message = $"{exhausted.Message}; the last failure: {failing.Message}", Expected = failing.Expected, Actual = failing.Actual, Output = failing.Output });
            return;
        }

        Emit(new StepFailed(
            key.Step, key.Visit, visit.Attempt, failing.Class, failing.Code, failing.Message, fingerprint, Present(failing.Output), failing.Expected, Present(failing.Actual), final,
            final ? edges : null, Take(ref _inputTokens), Take(ref _outputTokens)));
        if (rule is { } applied)
        {
            Emit(new RuleApplied(applied, key.Step, key.Visit));
        }

        if (actions is not null)
        {
            Act(key, actions);
        }
        else if (rerun)
        {
            RerunStale(key, failing.StaleReader!.Value);
        }
        else if (retry is { } wait)
        {
            RetryAttempt(key, wait);
        }
        else
        {
            GiveUp(key, edges);
        }
    }

    /// <summary>
    /// Outgoing edges that a failure takes. False when they cannot be told (a loop is exhausted, a condition cannot be evaluated): that is the
    /// failure then, and the policy is asked about it. A failure that is one of those itself takes none.
    /// </summary>
    private bool TryFailureEdges(StepPlan step, string code, out List<int> edges, out Failing failing)
    {
        if (TakeEdges(step, EdgeOn.Failure, Scope(), out edges, out failing))
        {
            return true;
        }

        edges = [];
        return code == failing.Code;
    }

    /// <summary>Index of the first rule that serves this failure; null when none does.</summary>
    private int? MatchingRule(Failing failing, VisitState visit)
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
                return index;
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

    /// <summary>Argument of a retry that a person or the program asked for: whatever the policy would still allow, it is made once what stands is undone.</summary>
    private const string AskedFor = "asked_for";

    /// <summary>
    /// A new attempt. External calls of the failed one that may stand are undone first, or a person is asked; one that a person asked for goes ahead.
    /// <paramref name="askedFor"/>: by a person or by the program, so that no limit counts.
    /// </summary>
    private void RetryAttempt(VisitKey key, long waitMs, bool byPerson = false, bool askedFor = false)
    {
        var retry = new RecoveryAction("retry", byPerson || askedFor ? AskedFor : null);
        if (Plan.Expands(key))
        {
            RetryItems(key, waitMs, byPerson, retry);
            return;
        }

        var visit = Visit(key);
        if (!byPerson && visit.CurrentCalls.Any(call => call.Residue))
        {
            AskForHelp(key); // What could not be undone stands: doing it again on top is for a person to decide.
            return;
        }

        var standing = visit.CurrentCalls.Where(call => call.MayStand || call.Unsettled).ToArray();
        var repeatable = standing.All(call => call.Child is null && call.Kind == EffectKind.Idempotent && call.Status == CallStatus.Failed);
        var undoable = standing.All(call => EffectOf(call).Compensate is not null);
        if (repeatable || (byPerson && !undoable))
        {
            Emit(new RetryScheduled(key.Step, key.Visit, visit.Attempt + 1, atMs + waitMs));
            if (waitMs <= 0 && _state.Status == ExecutionStatus.Running && PendingEffects.WaitsForRetry(Visit(key), Plan))
            {
                _due.Enqueue(key);
            }
        }
        else if (undoable && key.IsItem)
        {
            PlanItemRollback(key, [.. standing.Reverse().Select(call => call.Id.ToString())], retry);
        }
        else if (_state.Rollback is not null)
        {
            Emit(new ActionsDeferred(key.Step, key.Visit, [retry]));
        }
        else if (undoable)
        {
            PlanRollback("attempt", RollbackScopes.Attempt, [], [.. standing.Reverse().Select(call => call.Id.ToString())], "retry", null, null,
                new RollbackSequel(key, [retry], false, false));
        }
        else
        {
            AskForHelp(key);
        }
    }

    private void AskForHelp(VisitKey key) => Act(key, [new RecoveryAction("pause"), new RecoveryAction("notify"), new RecoveryAction("await_review")]);

    /// <summary>Code of an attempt whose input could not be made.</summary>
    private const string InputExpression = "input_expression";

    /// <summary>Begins a retried attempt that is due.</summary>
    private void EnterRetry(VisitKey key)
    {
        if (key.IsItem && ItemOf(key) is null)
        {
            return; // This decision was not given its part of the list; it stays due, and the next one is.
        }

        if (Plan.IsTraced && Visit(key).RetryDueMs == 0)
        {
            return; // Its process has asked for it in this very record.
        }

        Emit(new AttemptStarted(key.Step, key.Visit, Visit(key).Attempt));
        if (!key.IsItem && Plan.Step(key.Step)! is { Shared.Gathers: true } sharing)
        {
            Gather(sharing, key);
            return;
        }

        if (Visit(key).Failures is [.., { Failure.Code: InputExpression }])
        {
            PrepareInput(Plan.Step(key.Step)!, key); // There is no input yet: what stands for it must not be sent.
            return;
        }

        Enter(Plan.Step(key.Step)!, key);
    }

    /// <summary>Runs policy actions in the order written; a rollback that has to compensate carries the rest with it.</summary>
    private void Act(VisitKey key, IReadOnlyList<RecoveryAction> actions)
    {
        if (_state.Rollback is not null)
        {
            Emit(new ActionsDeferred(key.Step, key.Visit, actions)); // One rollback at a time; Deferred actions follow it.
            return;
        }

        var (settled, asked) = (false, false);
        for (var index = 0; index < actions.Count; index++)
        {
            var action = actions[index];
            switch (action.Kind)
            {
                case "rollback_to" or "compensate":
                    if (RollBackFailed(key, action, [.. actions.Skip(index + 1)]) is not RollBackResult.Impossible)
                    {
                        return; // Begun, or a person is asked whether it shall be.
                    }

                    if (!actions.Skip(index + 1).Any(next => next.Kind is "await_review" or "escalate_to"))
                    {
                        AskForHelp(key); // What cannot be undone is not undone automatically: a person is asked.
                        return;
                    }

                    break;
                case "pause":
                    if (_state.Status == ExecutionStatus.Running || _state.PauseReason == PausedInDoubt)
                    {
                        Emit(new ExecutionPaused("failure", "policy", null));
                    }

                    settled = true; // Resume tries again.
                    break;
                case "notify":
                    Notify("failure", key.Step, LastMessage(key), action.Argument ?? "default");
                    break;
                case "await_review" or "escalate_to":
                    AskAboutFailure(key, action.Argument);
                    settled = asked = true;
                    break;
                case { } when asked:
                    break; // Whoever is asked says what becomes of the visit: it is not concluded over their heads.
                default:
                    Conclude(key, action);
                    return;
            }
        }

        if (!settled)
        {
            ActNoFurther(key);
        }
    }

    /// <summary>An action that says what becomes of the failed visit: none after it counts.</summary>
    private void Conclude(VisitKey key, RecoveryAction action)
    {
        switch (action.Kind)
        {
            case "use_agent" when Plan.Step(key.Step)?.Spec.Agent is { } agent && Plan.Spec.Agents.ContainsKey(action.Argument ?? ""):
                Emit(new AgentSubstituted(agent, action.Argument!, "policy"));
                RetryByRule(key);
                break;
            case "retry" when action.Argument == AskedFor && Visit(key).Status != VisitStatus.RolledBack:
                RetryAttempt(key, 0, askedFor: true);
                break;
            case "retry":
                RetryByRule(key);
                break;
            case "skip":
                SkipFailed(key, "policy");
                break;
            default:
                GiveUp(key);
                break;
        }
    }

    /// <summary>The policy's actions are done and none of them said what becomes of the visit: after a rollback it runs again, else it has failed.</summary>
    private void ActNoFurther(VisitKey key)
    {
        if (Visit(key).Status == VisitStatus.RolledBack)
        {
            RetryByRule(key);
        }
        else
        {
            GiveUp(key);
        }
    }

    /// <summary>Runs again as often as the policy's retry allows: a policy without a limit of its own ends, too.</summary>
    private void RetryByRule(VisitKey key)
    {
        var visit = Visit(key);
        var retriesMax = Math.Max(Plan.Policy.Retry?.RetriesMax ?? 0, (Plan.Step(key.Step)?.Spec.Retry?.AttemptsMax ?? 1) - 1);
        retriesMax = retriesMax > 0 ? retriesMax : RecoveryPolicy.Default.Retry!.RetriesMax;
        if (visit.Status == VisitStatus.RolledBack)
        {
            if (Enumerable.Range(1, visit.Key.Visit).Select(number => Visit(new VisitKey(key.Step, number))).Count(known => known is { Status: VisitStatus.RolledBack, Failures.Count: > 0 }) > retriesMax)
            {
                AskForHelp(key);
                return;
            }

            EnqueueAll();
            return;
        }

        if (visit.Attempt > retriesMax)
        {
            GiveUp(key);
            return;
        }

        var backoff = Plan.Step(key.Step)?.Spec.Retry?.Backoff ?? Plan.Policy.Retry?.Backoff ?? RecoveryPolicy.Default.Retry!.Backoff;
        RetryAttempt(key, WaitMs(backoff, visit, null));
    }

    /// <summary>A failed attempt that was decided about is failed for good; one that was taken back ends the execution.</summary>
    private void GiveUp(VisitKey key)
    {
        if (key.IsItem)
        {
            GiveUpItem(key);
            return;
        }

        if (Visit(key).Status == VisitStatus.RolledBack)
        {
            var before = Visit(key);
            key = new VisitKey(key.Step, _state.Latest[key.Step] + 1);
            Emit(new StepScheduled(key.Step, key.Visit, before.Input, before.InputDigest, NoneIfEmpty(before.After), NoneIfEmpty(before.Reads)));
            var failure = before.Failures[^1].Failure;
            Emit(failure with { Visit = key.Visit, Attempt = 1, Final = true, Edges = [], InputTokens = 0, OutputTokens = 0, Repeats = before.Key.Visit });
            GiveUp(key, []);
            return;
        }

        var last = Visit(key).Failures[^1].Failure;
        if (TryFailureEdges(Plan.Step(key.Step)!, last.Code, out var edges, out var exhausted))
        {
            Emit(new StepGivenUp(key.Step, key.Visit, edges));
        }
        else
        {
            Emit(last with
            {
                Class = exhausted.Class, Code = exhausted.Code, Message = $"{exhausted.Message}; the last failure: {last.Message}",
                Fingerprint = $"{_state.Workflow}/{key.Step}/{exhausted.Class}/{exhausted.Code}", Final = true, Edges = [], InputTokens = 0, OutputTokens = 0,
            });
        }

        GiveUp(key, edges);
    }

    private void GiveUp(VisitKey key, List<int> edges)
    {
        GiveUpCalls(key);
        if (edges.Count > 0)
        {
            Leave(key);
            return;
        }

        if (Plan.IsTraced)
        {
            return; // The code that runs elsewhere sees it as an exception, and says itself whether that is its end.
        }

        EndFailed(key);
    }

    private static IReadOnlyList<VisitKey>? NoneIfEmpty(IReadOnlyList<VisitKey> keys) => keys.Count == 0 ? null : keys;

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
        if (Visit(key).ItemOf is { } parent)
        {
            Emit(new StepSkipped(key.Step, key.Visit, reason, null, null));
            _expanded.Enqueue(parent);
            return;
        }

        if (Visit(key).Status == VisitStatus.RolledBack)
        {
            key = new VisitKey(key.Step, _state.Latest[key.Step] + 1);
        }

        Emit(new StepSkipped(key.Step, key.Visit, reason, null, EdgesOfSkipped(step)));
        GiveUpCalls(key);
        Leave(key);
    }

    /// <summary>
    /// Edges that a skipped step takes: those on success or always, except where there would have to be an output. It hands nothing over, and a condition
    /// that asks for what it never gave does not hold; that says nothing about the other edges.
    /// </summary>
    private List<int> EdgesOfSkipped(StepPlan step)
    {
        var scope = Scope() with { Output = (JsonMake.Null, null) };
        bool IsTaken(EdgePlan edge) => edge.Spec.On != EdgeOn.Failure && edge.Handoff is null
            && (edge.When is null || edge.When.Evaluate(scope).Value is CelBool { Value: true })
            && !(edge.Spec.VisitsMax is { } visits && _state.Loops.GetValueOrDefault(edge.Index) >= visits);
        return [.. step.Outgoing.Where(IsTaken).Select(edge => edge.Index)];
    }

    /// <summary>Nobody will make a call again whose visit is at an end; what is under way or being looked up is still followed up.</summary>
    private void GiveUpCalls(VisitKey key)
    {
        foreach (var call in Visit(key).Calls.Where(call => call is { Status: CallStatus.InDoubt, Next: "rerun" or "redo" }).ToArray())
        {
            GiveUpCall(call);
        }
    }

    private string LastMessage(VisitKey key) => Visit(key).Failures.Count > 0 ? Visit(key).Failures[^1].Failure.Message : "";

    /// <summary>Nobody is told of what a sandbox plays: it reaches nothing outside, and whoever plays with it looks at it.</summary>
    private void Notify(string kind, string step, string message, string channel = "default")
    {
        if (!_state.IsSandbox)
        {
            Emit(new NotificationRequested(_state.NotificationCount + 1, channel, kind, step, message));
        }
    }

    /// <summary>Attempts at one notification before it is given up, which is then shown: 5 s, 20 s, 80 s, 320 s and 1,280 s after one another.</summary>
    private const int NotificationAttemptsMax = 6;

    private static long NotificationWaitMs(int attempt) => 5_000L << (2 * (attempt - 1));

    private Rejection? Deliver(RecordNotification command)
    {
        var attempt = _state.NotificationAttempts.GetValueOrDefault(command.Notification).Attempts + 1;
        if (!_state.Notifications.ContainsKey(command.Notification) || (command.Problem is not null && command.Attempt != attempt))
        {
            return null;
        }

        Emit(command.Problem is { } problem
            ? new NotificationFailed(command.Notification, attempt, problem, attempt < NotificationAttemptsMax ? atMs + NotificationWaitMs(attempt) : null)
            : new NotificationSent(command.Notification));
        return null;
    }
}
