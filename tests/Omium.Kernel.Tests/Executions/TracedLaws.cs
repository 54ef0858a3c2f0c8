using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Xunit;

namespace Omium.Kernel.Tests.Executions;

/// <summary>
/// Three processes tell and ask at random, die, come too late and say everything twice; people take back and decide. What must hold whatever they do is
/// counted beside the kernel: a record once made answers the same until it is taken back, one process at a time, an effect again only when that is safe.
/// </summary>
public sealed class TracedLaws
{
    private const long LeaseMs = 10_000;
    private static readonly string[] Owners = ["a", "b", "c"];
    private static readonly string[] Names = ["think", "act", "pay", "write"];

    [Fact]
    public void Processes_AtRandom_BreakNoLaw()
    {
        for (var seed = 1; seed <= 50; seed++)
        {
            new Play(seed).Run(120);
        }
    }

    private sealed class Play(int seed)
    {
        private readonly Random _draw = new(seed);
        private readonly KernelHarness _harness = KernelHarness.Traced();
        private readonly Dictionary<VisitKey, string> _answers = [];
        private readonly Dictionary<string, int> _undone = [];
        private readonly List<(string Owner, string Lease)> _leases = [];
        private int _requests;

        public void Run(int stepsMax)
        {
            _harness.Send(new StartExecution(_harness.NowMs, "exe_test", "ten_a", "checkout", 0, "digest", KernelHarness.Json("{}"), seed, "key_a", 10_000));
            for (var steps = 0; steps < stepsMax && _harness.State.Status is not (ExecutionStatus.Succeeded or ExecutionStatus.Cancelled); steps++)
            {
                Step();
                Check();
            }

            Laws.Check(_harness);
        }

        private void Step()
        {
            _harness.NowMs += _draw.Next(3) == 0 ? _draw.Next(5_000) : _draw.Next(50);
            switch (_draw.Next(12))
            {
                case 0:
                    _harness.Send(new WakeTimers(_harness.NowMs));
                    break;
                case 1:
                    _harness.NowMs += LeaseMs;
                    _harness.Send(new WakeTimers(_harness.NowMs));
                    break;
                case 2:
                    Person();
                    break;
                case 3 or 4 when TracedState.NextUndo(_harness.State) is { } undo:
                    Undo(undo);
                    break;
                case 5 when _leases.Count > 0:
                    Settle(_leases[_draw.Next(_leases.Count)]); // However old it is, and perhaps for the second time.
                    break;
                case 6 or 7 when _leases.Count > 0:
                    Settle(_leases[^1]);
                    break;
                case 8:
                    Tell(Owner(), new TraceOperation(_draw.Next(2) == 0 ? TraceWords.Renew : TraceWords.Attach));
                    break;
                default:
                    Begin();
                    break;
            }
        }

        private void Begin()
        {
            var name = Names[_draw.Next(Names.Length)];
            var key = (1 + _draw.Next(2)).ToString(System.Globalization.CultureInfo.InvariantCulture);
            var effect = name switch { "act" => EffectKind.Idempotent, "pay" => EffectKind.Verifiable, "write" => EffectKind.Irreversible, _ => EffectKind.None };
            var declared = new TracedDeclaration(effect == EffectKind.None ? TracedKinds.Checkpoint : TracedKinds.Transaction, effect, Compensate: name == "write" ? null : effect == EffectKind.None ? null : "undo");
            var (owner, step) = (Owner(), TracedNames.Of(name, key));
            var before = _harness.State.StandingVisit(step);
            var outcome = Tell(owner, new TraceOperation(TraceWords.Begin) { Name = name, Key = key, InputDigest = "d", Declared = declared });
            if (outcome.Events.OfType<TracedStepLeased>().FirstOrDefault() is not { LeaseUntilMs: > 0 } leased)
            {
                return;
            }

            Assert.False(before is { Traced: { Owner: not null } use } && use.Attempt == before.Attempt && use.LeaseUntilMs > _harness.NowMs, $"seed {seed}: {step} was given to {owner} while {before?.Traced?.Owner} held it");
            if (outcome.Events.OfType<IntentRecorded>().Any() && before?.CurrentCalls.FirstOrDefault() is { Runs: > 0 } call && call.Id.Attempt == leased.Attempt)
            {
                Assert.True(call.Kind == EffectKind.Idempotent || call.Next == "redo", $"seed {seed}: {call.Kind} {step} runs again and nobody knows that it did not happen");
            }

            _leases.Add((owner, new TracedLease(new VisitKey(leased.Step, leased.Visit), leased.Attempt, leased.Run).ToString()));
        }

        private void Settle((string Owner, string Lease) held)
        {
            var number = _draw.Next(3).ToString(System.Globalization.CultureInfo.InvariantCulture);
            Tell(held.Owner, _draw.Next(6) switch
            {
                0 => new TraceOperation(TraceWords.Fail) { Lease = held.Lease, Failure = new EffectFailure("tool_error", "x", "x", _draw.Next(2) == 0, Permanent: true) },
                1 => new TraceOperation(TraceWords.Verified) { Lease = held.Lease, Status = new[] { "done", "not_done", "unknown" }[_draw.Next(3)], Output = KernelHarness.Json(number) },
                _ => new TraceOperation(TraceWords.Finish) { Lease = held.Lease, Output = KernelHarness.Json(number) },
            });
        }

        private void Undo(CallState call)
        {
            var (owner, effect) = (Owner(), call.Id.ToString());
            Tell(owner, new TraceOperation(TraceWords.Undo) { Effect = effect });
            var failure = _draw.Next(4) == 0 ? new EffectFailure("tool_error", "x", "x") : null;
            var outcome = Tell(owner, new TraceOperation(TraceWords.Undone) { Effect = effect, Attempt = call.CompensationAttempts + 1, Failure = failure });
            if (outcome.Events.OfType<CompensationSettled>().Any(settled => settled.Done))
            {
                _undone[effect] = _undone.GetValueOrDefault(effect) + 1;
                Assert.Equal(1, _undone[effect]);
            }
        }

        private void Person()
        {
            var request = $"req_{++_requests}";
            if (_harness.State.OpenReviews.Count > 0)
            {
                var choices = _harness.State.Reviews[_harness.State.OpenReviews[0]].Request.Decisions;
                _harness.Decide(choices[_draw.Next(choices.Count)], output: "7");
                return;
            }

            _ = _draw.Next(4) switch
            {
                0 => _harness.Send(new RollBackExecution(_harness.NowMs, "ada", request, Names[_draw.Next(Names.Length)], _draw.Next(2) == 0 ? "all" : "failure", _draw.Next(2) == 0)),
                1 => _harness.Send(new RetryExecution(_harness.NowMs, "ada", request, null, null)),
                2 => _harness.Send(new PauseExecution(_harness.NowMs, "ada", request, null)),
                _ => _harness.Send(new ResumeExecution(_harness.NowMs, "ada", request)),
            };
        }

        private void Check()
        {
            foreach (var visit in _harness.State.Visits.Values.Where(visit => visit.Status == VisitStatus.Committed))
            {
                var output = visit.Output!.Value.GetRawText();
                Assert.True(_answers.TryAdd(visit.Key, output) || _answers[visit.Key] == output, $"seed {seed}: {visit.Key} answered {_answers[visit.Key]} and now {output}");
            }

            foreach (var key in _harness.State.Frontier)
            {
                Assert.Equal(VisitStatus.Committed, _harness.State.Visits[key].Status);
            }
        }

        private string Owner() => Owners[_draw.Next(Owners.Length)];

        private DecisionOutcome Tell(string owner, TraceOperation operation)
        {
            var outcome = _harness.Send(new TraceExecution(_harness.NowMs, owner, LeaseMs, [operation]));
            if (operation.Do is TraceWords.Finish or TraceWords.Begin or TraceWords.Undone && outcome.Rejection is null && _draw.Next(3) == 0)
            {
                var again = _harness.Send(new TraceExecution(_harness.NowMs, owner, LeaseMs, [operation])); // Its answer was lost.
                Assert.Empty(again.Events);
            }

            return outcome;
        }
    }
}
