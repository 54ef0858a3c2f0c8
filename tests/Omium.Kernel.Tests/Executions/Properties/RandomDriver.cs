using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Xunit;

namespace Omium.Kernel.Tests.Executions.Properties;

/// <summary>
/// Drives one execution from a seed: first with faults (lost runners, late, repeated and reordered results, failures, operators who interfere, time
/// that jumps), then well, until it has ended and owes nothing.
/// </summary>
internal sealed partial class RandomDriver(int seed, bool agreement = false, bool children = false)
{
    private readonly Random _random = new(seed);

    /// <summary>What was added to the draw later comes from here, so that the seeds that once failed still mean what they meant.</summary>
    private readonly Random _more = new(seed + 1_000_003);
    private readonly World _world = new();
    private readonly List<ExecutionCommand> _sent = [];
    private readonly List<SettleEffect> _late = [];
    private int _requests;
    private bool _faults = true;
    private KernelHarness _harness = null!;

    public KernelHarness Harness => _harness;

    public string Spec { get; private set; } = "";

    public void Run()
    {
        Spec = RandomWorkflow.Draw(_random, seed);
        Spec = agreement ? RandomAgreement.AddTo(Spec, new Random(seed)) : Spec;
        Spec = children ? RandomChildren.AddTo(Spec, new Random(seed)) : Spec;
        _harness = new KernelHarness(Spec) { Checks = true };
        _harness.Start("""{"x": 1}""");
        for (var turn = 0; turn < 60; turn++)
        {
            Disturb();
        }

        _faults = false;
        Heal();
        CheckChildren();
        Assert.True(_world.Violations.Count == 0, string.Join("\n", _world.Violations));
    }

    private void Disturb()
    {
        switch (_random.Next(24))
        {
            case 0 when _sent.Count > 0:
                var repeated = _sent[_random.Next(_sent.Count)];
                if (repeated is not BeginCall)
                {
                    Send(repeated);
                }

                break;
            case 1 or 2 or 3 when _late.Count > 0:
                var at = _random.Next(_late.Count);
                var late = _late[at];
                _late.RemoveAt(at);
                Send(late with { AtMs = _harness.NowMs });
                break;
            case 4:
                _harness.NowMs += _random.Next(5) switch { 0 => 7_200_000, 1 => 60_000, _ => 2_000 };
                Send(new WakeTimers(_harness.NowMs));
                break;
            case 5:
                Send(new LoseRunner(_harness.NowMs, $"runner-{_random.Next(3)}"));
                break;
            case 6:
                Operate();
                break;
            case 7 or 8 when _harness.State.OpenReviews.Count > 0:
                Answer(_harness.State.OpenReviews[_random.Next(_harness.State.OpenReviews.Count)]);
                break;
            case 9 or 10 when children && TellOfChild():
                break;
            default:
                if (_harness.Pending is { Count: > 0 } pending)
                {
                    CarryOut(pending[_random.Next(pending.Count)]);
                }

                break;
        }
    }

    private void Operate()
    {
        var (now, request) = (_harness.NowMs, $"req_{++_requests}");
        var place = _random.Next(3) == 0 ? "start" : $"s{_random.Next(1, 7)}";
        Send(_random.Next(9) switch
        {
            0 or 1 => new PauseExecution(now, "ada", request, null),
            2 or 3 or 4 => new ResumeExecution(now, "ada", request),
            5 => new RetryExecution(now, "ada", request, _random.Next(2) == 0 ? null : place, null),
            6 or 7 => RollBack(now, request, place),
            _ => _random.Next(4) == 0 ? new CancelExecution(now, "ada", request) : new WakeTimers(now),
        });
    }

    /// <summary>Now and then with what cannot be undone accepted, and narrowed to some of the steps.</summary>
    private RollBackExecution RollBack(long now, string request, string place)
    {
        var (scope, accepts) = (_random.Next(2) == 0 ? "all" : "failure", _more.Next(3) == 0);
        string[]? steps = _more.Next(3) == 0 ? [.. Enumerable.Range(1, 6).Where(_ => _more.Next(2) == 0).Select(number => $"s{number}")] : null;
        var known = steps is null ? null : ExecutionKernel.PreviewRollback(_harness.State, new DecisionValues(_harness.Plan), place, scope, now);
        return new(now, "ada", request, place, scope, accepts, known is null ? steps : [.. steps!.Where(step => known.Affected.Any(key => ItemName.StepOf(key.Step) == step))]);
    }

    /// <summary>A person answers. On what happened outside they never lie.</summary>
    private void Answer(string review)
    {
        var request = _harness.State.Reviews[review].Request;
        var decision = request.Kind switch
        {
            "in_doubt" => _world.Stands(CallOf(request)) ? "done" : _random.Next(2) == 0 ? "redo" : "reject",
            "failure" when !_faults => _answers++ < 20 ? "approve" : "reject",
            "handoff" when !_faults => _answers++ < 20 ? request.Decisions[0] : "reject",
            _ when !_faults => "approve",
            _ => request.Decisions[_random.Next(request.Decisions.Count)],
        };
        Send(new DecideReview(_harness.NowMs, review, decision, request.Digest, "ada", null, decision is "override" or "done" ? KernelHarness.Json("""{"n": 1}""") : null, _random.Next(3) == 0 ? "last" : null, null, decision == "rollback" && _more.Next(2) == 0));
    }

    private CallState CallOf(ReviewRequested request) =>
        _harness.State.Visits[new VisitKey(request.Step, request.Visit)].Calls.Find(call => call.Id.ToString() == request.Effect)!;

    private int _answers;

    private void CarryOut(PendingEffect effect)
    {
        if (!_faults)
        {
            _harness.NowMs = Math.Max(_harness.NowMs, effect.DueMs);
        }
        else if (effect.DueMs > _harness.NowMs)
        {
            if (_random.Next(3) > 0)
            {
                return;
            }

            _harness.NowMs = effect.DueMs;
        }

        switch (effect.Kind)
        {
            case PendingKind.Timer or PendingKind.Deadline:
                Send(new WakeTimers(_harness.NowMs));
                return;
            case PendingKind.Notify:
                Send(new RecordNotification(_harness.NowMs, int.Parse(effect.Id.Split('~')[1])));
                return;
            case PendingKind.Task:
                CarryOutTask(effect);
                return;
            case PendingKind.StartChild:
                StartChild(effect);
                return;
            case PendingKind.CancelChild:
                CancelChild(effect);
                return;
            case PendingKind.Compensate when EffectId.TryParse(effect.Id, out var undo) && _harness.State.Visits[undo.Key].Calls.Find(candidate => candidate.Id == undo.WithoutSub)!.Child is not null:
                TakeChildBack(effect, undo);
                return;
            case PendingKind.Call:
            case PendingKind.Compensate when NeedsIntent(effect):
                var begun = Send(new BeginCall(_harness.NowMs, effect.Id, $"runner-{_random.Next(3)}", 5_000));
                if (!begun.Accepted || begun.Events.Count == 0)
                {
                    return;
                }

                break;
        }

        Assert.True(EffectId.TryParse(effect.Id, out var id));
        var call = id.Part == 'c' ? _harness.State.Visits[id.Key].Calls.Find(candidate => candidate.Id == id.WithoutSub) : null;
        var settle = new SettleEffect(_harness.NowMs, effect.Id, Outcome(effect, call), effect.Kind == PendingKind.Call ? call!.Runs : 0);
        if (_faults && _random.Next(5) == 0)
        {
            _late.Add(settle); // Lost for now; it may come late, or never.
            return;
        }

        Send(settle);
        if (_faults && _random.Next(6) == 0)
        {
            _late.Add(settle);
        }
    }

    private bool NeedsIntent(PendingEffect effect) => EffectId.TryParse(effect.Id, out var id)
        && ToolRendering.UndoNeedsIntent(_harness.Plan, _harness.State.Visits[id.Key].Calls.Find(candidate => candidate.Id == id.WithoutSub)!);

    private EffectOutcome Outcome(PendingEffect effect, CallState? call)
    {
        var fails = _faults && _random.Next(3) == 0;
        switch (effect.Kind)
        {
            case PendingKind.Model when EffectId.TryParse(effect.Id, out var id) && id.Part == 'j':
                return Verdict();
            case PendingKind.Measure:
                return Seen(effect);
            case PendingKind.Model:
                return fails ? ModelFailure() : ModelAnswer();
            case PendingKind.Compensate when !fails:
                _world.Undo(call!, isHonoured: !NeedsIntent(effect));
                return KernelHarness.Ok("{}");
            case PendingKind.Compensate when _more.Next(3) == 0:
                if (_more.Next(2) == 0)
                {
                    _world.Undo(call!, isHonoured: !NeedsIntent(effect));
                }

                return KernelHarness.Fails("timeout", "response_timeout", mayHaveHappened: true);
            case PendingKind.Verify when effect.Id.Contains("~w", StringComparison.Ordinal) && !fails:
                return KernelHarness.Ok(_world.IsUndone(call!) ? """{"status": "done"}""" : """{"status": "not_done"}""");
            case PendingKind.Verify when !fails:
                return KernelHarness.Ok(_world.Stands(call!) ? """{"status": "done", "output": {"n": 2}}""" : """{"status": "not_done"}""");
            case PendingKind.Call when fails:
                var happened = _random.Next(2) == 0;
                if (happened)
                {
                    _world.Do(call!, _harness.NowMs, IsOnResidue(call!));
                }

                return KernelHarness.Fails(_random.Next(2) == 0 ? "timeout" : "tool_error", "http_503", mayHaveHappened: happened || _random.Next(2) == 0, permanent: _random.Next(5) == 0);
            case PendingKind.Call:
                _world.Do(call!, _harness.NowMs, IsOnResidue(call!));
                break;
        }

        return fails ? KernelHarness.Fails("tool_error", "refused", permanent: _random.Next(5) == 0) : KernelHarness.Ok($$"""{"n": {{Number()}}}""");
    }

    private int Number() => _faults ? _random.Next(10) : 5;

    private EffectOutcome ModelFailure() => _random.Next(4) switch
    {
        0 => new EffectOutcome { Answer = new ModelAnswer { Refusal = "no", InputTokens = 3 } },
        1 => new EffectOutcome { Answer = new ModelAnswer { Content = "cut", FinishReason = "length" } },
        2 => KernelHarness.Fails("rate_limited", "http_429"),
        _ => KernelHarness.Fails("model_error", "http_500", permanent: _random.Next(3) == 0),
    };

    private EffectOutcome ModelAnswer()
    {
        if (_faults && _random.Next(2) == 0)
        {
            string[] tools = ["plain", "twice", "checked", "final", "nothing"];
            var calls = Enumerable.Range(1, _random.Next(1, 4))
                .Select(number => new ModelToolCall($"call_{number}", tools[_random.Next(tools.Length)], $$"""{"a": {{_random.Next(3)}}}"""));
            return new EffectOutcome { Answer = new ModelAnswer { ToolCalls = [.. calls], FinishReason = "tool_calls", InputTokens = 7, OutputTokens = 2 } };
        }

        return KernelHarness.Says($$"""{"n": {{Number()}}}""");
    }

    /// <summary>Faults stop, everything is answered: the execution must end and owe nothing within a bound.</summary>
    private void Heal()
    {
        for (var turn = 0; turn < 2_000; turn++)
        {
            var pending = _harness.Pending.Where(effect => effect.Kind != PendingKind.Deadline).ToArray();
            if (_harness.State.Ended && _harness.Pending.Count == 0)
            {
                return;
            }

            if (pending.Length > 0)
            {
                CarryOut(pending.MinBy(effect => effect.DueMs));
            }
            else if (_harness.State.OpenReviews.Count > 0)
            {
                Answer(_harness.State.OpenReviews[0]);
            }
            else if (!TellOfChild())
            {
                Assert.True(_harness.State.Status == ExecutionStatus.Paused, $"nothing is outstanding, and it has not ended: {_harness.State.Status}");
                Send(new ResumeExecution(_harness.NowMs, "ada", $"req_{++_requests}"));
            }
        }

        Assert.Fail($"it did not end: {_harness.State.Status}, pending {string.Join(", ", _harness.Pending)}, reviews {string.Join(", ", _harness.State.OpenReviews)}");
    }

    private DecisionOutcome Send(ExecutionCommand command)
    {
        var outcome = _harness.Send(command);
        _sent.Add(command);
        if (outcome.Accepted && command is not BeginCall && _random.Next(4) == 0)
        {
            var again = _harness.Send(command);
            Assert.True(again.Events.Count == 0, $"{command} came twice and led to {string.Join(", ", again.Events)}");
        }

        CheckPendingOfTheEnded();
        return outcome;
    }

    private void CheckPendingOfTheEnded()
    {
        if (_harness.State.Ended)
        {
            Assert.All(_harness.Pending, effect => Assert.True(effect.Kind is PendingKind.Notify or PendingKind.Compensate or PendingKind.Verify or PendingKind.CancelChild or PendingKind.Timer or PendingKind.Deadline, $"{effect} after the end"));
        }
    }

    private bool IsOnResidue(CallState call) =>
        _harness.State.Visits[call.Id.Key].Calls.Any(earlier => earlier.Key == call.Key && earlier.Residue);
}
