using Omium.Kernel.Executions;
using Xunit;

namespace Omium.Kernel.Tests.Executions.Properties;

/// <summary>
/// Forks a drawn history at a drawn record with drawn edits, and drives the fork well until it has ended. What must hold: the fork begins with the
/// source's state but for what was taken back; it never makes, looks up or undoes what it inherited; a sandbox makes no external call at all.
/// </summary>
internal sealed class ForkDriver(KernelHarness source, int seed)
{
    private const int TurnsMax = 400;
    private readonly Random _random = new(seed);
    private int _rejected;

    public KernelHarness Fork { get; private set; } = null!;

    public void Run()
    {
        var at = _random.Next(1, source.Log.Count + 1);
        var mode = _random.Next(3) == 0 ? ForkModes.Live : ForkModes.Sandbox;
        var (fork, outcome) = source.Fork(at, Edits(), mode, $"exe_fork_{seed}");
        if (outcome.Rejection is not null)
        {
            Assert.Empty(fork.Log); // The drawn output does not meet a drawn guard.
            (fork, outcome) = source.Fork(at, null, mode, $"exe_fork_{seed}");
        }

        Assert.True(outcome.Accepted, outcome.Rejection?.Message);
        Fork = fork;
        CheckBeginning(outcome);
        Drive();
        CheckInherited();
        Laws.Check(fork);
    }

    private ForkEdits? Edits() => _random.Next(4) switch
    {
        0 => null,
        1 => new ForkEdits(null, [new AgentChange("one", new AgentEdit("other", null, null))], null) is var edits && source.Plan.Steps.Any(step => step.Spec.Agent == "one") ? edits : null,
        2 => new ForkEdits(KernelHarness.Json("""{"x": 2}"""), null, null),
        _ => new ForkEdits(null, null, [new StepChange(source.Plan.Steps[_random.Next(source.Plan.Steps.Count)].Spec.Id, null, _random.Next(2) == 0 ? null : KernelHarness.Json("""{"n": 4}"""))]),
    };

    /// <summary>What was not taken back is as the source had it.</summary>
    private void CheckBeginning(DecisionOutcome outcome)
    {
        var forked = Assert.IsType<ExecutionForked>(outcome.Events[0]);
        var takenBack = (forked.TakenBack ?? []).ToHashSet();
        var first = ExecutionKernel.Evolve(Fork.Base, forked, Fork.NowMs);
        Assert.Equal(Fork.Base.Visits.Count, first.Visits.Count);
        foreach (var (key, was) in Fork.Base.Visits)
        {
            var visit = first.Visits[key];
            Assert.Equal(takenBack.Contains(key) ? VisitStatus.RolledBack : was.Status, visit.Status);
            Assert.Equal((was.Output?.GetRawText(), was.Attempt, was.InputDigest), (visit.Output?.GetRawText(), visit.Attempt, visit.InputDigest));
            Assert.All(visit.Calls, call => Assert.True(call.Inherited && !call.Outstanding && !call.MayStand));
        }

        Assert.Empty(first.FencedCalls);
        Assert.Empty(first.OpenReviews);
        Assert.Empty(first.Sharing);
        Assert.All(first.Handoffs.Values, handoff => Assert.True(takenBack.Contains(handoff.Key.From) ? handoff.Status == HandoffStatus.Revoked : handoff.Status is HandoffStatus.Agreed or HandoffStatus.Proposed or HandoffStatus.Revoked));
        Assert.Null(first.Rollback);
    }

    private void Drive()
    {
        for (var turn = 0; turn < TurnsMax; turn++)
        {
            if (Fork.State.Ended && Fork.Pending.Count == 0)
            {
                return;
            }

            if (Fork.Pending.Where(effect => effect.Kind != PendingKind.Deadline).ToArray() is { Length: > 0 } pending)
            {
                CarryOut(pending.MinBy(effect => effect.DueMs));
            }
            else if (Fork.State.Visits.Values.SelectMany(visit => visit.Calls).FirstOrDefault(call => call.ChildRuns) is { } child)
            {
                Fork.Result(child.Id.ToString(), """{"n": 5}""");
            }
            else if (Fork.State.OpenReviews is [var review, ..])
            {
                Answer(Fork.State.Reviews[review].Request);
            }
            else
            {
                Assert.True(Fork.State.Status == ExecutionStatus.Paused, $"nothing is outstanding, and the fork has not ended: {Fork.State.Status}");
                Fork.Send(new ResumeExecution(Fork.NowMs, "ada", $"req_{turn}"));
            }

            if (_random.Next(25) == 0)
            {
                Fork.Send(new RollBackExecution(Fork.NowMs, "ada", $"back_{turn}", _random.Next(2) == 0 ? "start" : $"s{_random.Next(1, 4)}", "all"));
            }
        }

        Assert.Fail($"the fork did not end: {Fork.State.Status}, pending {string.Join(", ", Fork.Pending)}, reviews {string.Join(", ", Fork.State.OpenReviews)}");
    }

    private void CarryOut(PendingEffect effect)
    {
        Fork.NowMs = Math.Max(Fork.NowMs, effect.DueMs);
        if (effect.Kind is PendingKind.StartChild or PendingKind.CancelChild)
        {
            Assert.False(Fork.State.IsSandbox, $"a sandbox would reach a child by {effect}");
            Fork.Send(effect.Kind == PendingKind.StartChild ? new RecordChildStarted(Fork.NowMs, effect.Id, 2, "spec") : new RecordChildCancel(Fork.NowMs, effect.Id));
            return;
        }

        if (effect.Kind is PendingKind.Call or PendingKind.Verify or PendingKind.Compensate || (effect.Kind == PendingKind.Task && HasEffect(effect)))
        {
            Assert.False(Fork.State.IsSandbox, $"a sandbox would make {effect}");
        }

        if (effect.Kind == PendingKind.Replay)
        {
            Assert.True(EffectId.TryParse(effect.Id, out var id));
            var call = Fork.State.Visits[id.Key].Calls.Find(candidate => candidate.Id == id)!;
            var recorded = RecordedResults.Find(Fork.State, call, source.State);
            Fork.Settle(effect.Id, recorded is null
                ? KernelHarness.Fails("tool_error", "not_recorded", permanent: true)
                : new EffectOutcome { Result = recorded.Result, Source = RecordedResults.NameOf(source.State, recorded) });
            return;
        }

        Fork.CarryOut(effect, (_, _) => Outcome(effect));
    }

    private EffectOutcome Outcome(PendingEffect effect)
    {
        _ = EffectId.TryParse(effect.Id, out var id);
        return effect.Kind switch
        {
            PendingKind.Model when id.Part == 'j' => KernelHarness.Says("""{"verdict": "approve", "reason": "a"}"""),
            PendingKind.Model => KernelHarness.Says("""{"n": 5}"""),
            PendingKind.Measure => KernelHarness.Ok($$"""{"n": {{Fork.State.Handoffs[new HandoffKey(id.Number - 1, id.Key)].Claims[id.SubNumber - 1].Claim.Said.GetRawText()}}}"""),
            PendingKind.Verify => KernelHarness.Ok("""{"status": "not_done"}"""),
            _ => KernelHarness.Ok("""{"n": 5}"""),
        };
    }

    private bool HasEffect(PendingEffect effect) => EffectId.TryParse(effect.Id, out var id) && id.Part == 'c'
        && Fork.State.Visits[id.Key].Calls.Find(call => call.Id == id)!.Kind != Omium.Kernel.Specs.EffectKind.None;

    private void Answer(ReviewRequested request)
    {
        var decision = request.Kind switch
        {
            "sandbox_call" => _random.Next(3) == 0 ? "reject" : "answer",
            "failure" => _rejected++ < 10 ? "approve" : "reject",
            "handoff" => _rejected++ < 10 ? request.Decisions[0] : "reject",
            "in_doubt" => "done",
            _ => "approve",
        };
        Fork.Send(new DecideReview(Fork.NowMs, request.Review, decision, request.Digest, "ada", null, decision is "answer" or "done" ? KernelHarness.Json("""{"n": 5}""") : null, null, null));
    }

    /// <summary>What was inherited is as it was: no event of the fork concerns it.</summary>
    private void CheckInherited()
    {
        var inherited = Fork.State.Visits.Values.SelectMany(visit => visit.Calls).Where(call => call.Inherited).Select(call => call.Id.ToString()).ToHashSet();
        foreach (var happened in Fork.Events)
        {
            var effect = happened switch
            {
                IntentRecorded e => e.Effect,
                IntentSettled e => e.Effect,
                IntentInDoubt e => e.Effect,
                CompensationSettled e => e.Effect,
                ResidueRecorded e => e.Effect,
                _ => null,
            };
            Assert.False(effect is not null && inherited.Contains(effect), $"{happened} concerns what the fork inherited");
        }

        Assert.DoesNotContain(Fork.Events.OfType<RollbackPlanned>().SelectMany(plan => plan.Compensations), inherited.Contains);
    }
}
