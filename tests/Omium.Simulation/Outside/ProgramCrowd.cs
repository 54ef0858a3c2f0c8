using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Simulation.Laws;
using Omium.Simulation.Running;
using Omium.Simulation.Scheduling;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Outside;

/// <summary>
/// Processes that run one traced program: each asks step by step what it may do, does it, says so, and begins anew when it is kept waiting. A process dies
/// between any two of these, answers are lost and asked for again, another takes its place; now and then two run at once. Whoever is there undoes what a
/// rollback takes back.
/// </summary>
internal sealed class ProgramCrowd(
    Scheduler scheduler, World world, Weather weather, Dice dice, Tally tally, Func<IReadOnlyList<SimulatedProcess>> living, StreamId stream, DrawnProgram program, Func<Chronicle> told)
{
    private const long LeaseMs = 30_000, WaitMs = 2_000, WatchMs = 5_000;
    private readonly List<Run> _runs = [];
    private int _started;

    /// <summary>From now on there are processes that run the program, as long as it has not ended.</summary>
    public void Watch()
    {
        _runs.RemoveAll(run => run.IsOver);
        var isWanted = told().Status switch { "none" or "succeeded" or "cancelled" => false, "failed" => weather.Happens(6), _ => true };
        if (isWanted || told().OwesUndo)
        {
            while (_runs.Count < program.Processes)
            {
                var gone = _started > 0 && dice.OneIn(2) ? $"process-{_started}" : null;
                var run = new Run($"process-{++_started}");
                _runs.Add(run);
                TraceOperation[] first = gone is null || _runs.Exists(other => other.Owner == gone) ? [new(TraceWords.Attach)] : [new(TraceWords.Attach), new(TraceWords.Lost) { Gone = gone }];
                Ask(run, first, "attach", (_, _) => Next(run, 0));
            }
        }

        scheduler.Plan("programs", WatchMs, Watch);
    }

    /// <summary>Asks some living host, and again until it is answered; the answer reaches the process, or the process has died meanwhile.</summary>
    private void Ask(Run run, TraceOperation[] operations, string what, Action<AdvanceResult, long> then)
    {
        if (run.IsOver || Dies(run, $"before {what}"))
        {
            return;
        }

        var processes = living();
        if (processes.Count == 0)
        {
            scheduler.Plan("program", WaitMs, () => Ask(run, operations, what, then));
            return;
        }

        var process = processes[weather.Dice.Below(processes.Count)];
        var answered = false;
        scheduler.Plan("program", 20_000, () =>
        {
            if (!answered && !run.IsOver)
            {
                answered = true; // Its host has died, or is slow: whatever it says now is not heard any more.
                Ask(run, operations, what, then);
            }
        });
        process.Do(async () =>
        {
            try
            {
                var result = await process.Engine.SubmitAsync(stream, new TraceExecution(process.Advancer.NowMs, run.Owner, LeaseMs, operations));
                var nowMs = process.Advancer.NowMs;
                if (answered || run.IsOver || weather.Happens(weather.AnswerLostOneIn))
                {
                    return; // Asked again when nothing is heard.
                }

                answered = true;
                then(result, nowMs);
            }
            catch (StorageUnavailableException)
            {
                // Asked again when nothing is heard.
            }
        });
    }

    private bool Dies(Run run, string when)
    {
        if (weather.Happens(weather.KillOneIn))
        {
            tally.Met("program dies", when);
            run.IsOver = true;
        }

        return run.IsOver;
    }

    private void Again(Run run, long afterMs = WaitMs) => scheduler.Plan("program", afterMs, () => Next(run, 0));

    private void Next(Run run, int index)
    {
        if (run.IsOver)
        {
            return;
        }

        if (index == program.Steps.Count)
        {
            Ask(run, [new(TraceWords.Complete) { Output = JsonElement.Parse("""{"ok": true}""") }], "complete", (result, nowMs) => Completed(run, result, nowMs));
            return;
        }

        var step = program.Steps[index];
        var begin = new TraceOperation(TraceWords.Begin) { Name = step.Name, Key = "1", Input = JsonElement.Parse("""{"x": 1}"""), InputDigest = Digest, Declared = step.Declared };
        Ask(run, [begin], "begin", (result, nowMs) => Begun(run, index, result, nowMs));
    }

    private static readonly string Digest = Omium.Kernel.Json.CanonicalJson.Digest(System.Text.Encoding.UTF8.GetBytes("""{"x":1}"""));

    private void Completed(Run run, AdvanceResult result, long nowMs)
    {
        if (!TryUndo(run, result, nowMs))
        {
            run.IsOver = result.Cell.State.Ended && !told().OwesUndo;
            Again(run);
        }
    }

    /// <summary>What a process makes of the answer: run it, look it up, go on, give up, or wait.</summary>
    private void Begun(Run run, int index, AdvanceResult result, long nowMs)
    {
        if (result.Rejection is { } rejection)
        {
            Law(rejection.Code is "execution_ended", $"{run.Owner} may not begin {program.Steps[index].Name}: {rejection.Code} {rejection.Message}");
            if (!TryUndo(run, result, nowMs))
            {
                run.IsOver = !told().OwesUndo;
                Again(run);
            }

            return;
        }

        var state = result.Cell.State;
        var visit = state.StandingVisit(program.Steps[index].Step);
        switch (visit?.Status)
        {
            case VisitStatus.Committed or VisitStatus.Skipped:
                Next(run, index + 1);
                return;
            case VisitStatus.Failed when program.GoesOn:
                Next(run, index + 1);
                return;
            case VisitStatus.Failed:
                var known = visit.Failures[^1].Failure;
                var failure = new EffectFailure(known.Class, known.Code, known.Message);
                Ask(run, [new(TraceWords.Complete) { Failure = failure }], "complete", (ended, atMs) => Completed(run, ended, atMs));
                return;
            case VisitStatus.Open when visit.Traced is { } use && use.Owner == run.Owner && use.Attempt == visit.Attempt && use.LeaseUntilMs > nowMs:
                var lease = new TracedLease(visit.Key, visit.Attempt, use.Run);
                var call = visit.CurrentCalls.FirstOrDefault();
                var effect = $"{stream.Id}/{EffectId.Call(visit.Key, visit.Attempt, 1)}";
                if (call is { Status: CallStatus.InDoubt })
                {
                    scheduler.Plan("program looks", 1, () => LookUp(run, lease, effect, call));
                    return;
                }

                world.UnderWay[effect] = world.UnderWay.GetValueOrDefault(effect) + 1;
                scheduler.Plan("program works", 1, () => Work(run, lease, effect, call));
                return;
        }

        if (!TryUndo(run, result, nowMs))
        {
            Again(run);
        }
    }

    /// <summary>It does its deed as soon as it may, or dies before; saying so may take long.</summary>
    private void Work(Run run, TracedLease lease, string effect, CallState? call)
    {
        world.UnderWay[effect]--;
        if (Dies(run, "before its deed"))
        {
            return;
        }

        var fails = weather.Happens(weather.ToolFailsOneIn);
        var unclear = fails && call is not null && weather.Happens(2);
        if (call is not null && (!fails || (unclear && weather.Happens(2))))
        {
            world.Sent[effect] = world.Sent.GetValueOrDefault(effect) + 1;
            world.Sending?.Invoke(effect);
            world.Do(effect, call.Tool, call.Key!);
        }

        var said = fails
            ? new TraceOperation(TraceWords.Fail) { Lease = lease.ToString(), Failure = new EffectFailure(FailureClasses.ToolError, "broke", "it did not work", MayHaveHappened: unclear) }
            : new TraceOperation(TraceWords.Finish) { Lease = lease.ToString(), Output = OutputOf(call is null ? $"{stream.Id}/{lease}" : effect) };
        var delayMs = weather.Happens(weather.ToolFailsOneIn * 2) ? weather.Dice.Between(20_000, 60_000) : weather.NetworkDelayMs(5_000);
        TraceOperation[] operations = delayMs > LeaseMs / 2 && dice.OneIn(2) ? [new(TraceWords.Renew), said] : [said];
        scheduler.Plan("program", delayMs, () => Ask(run, operations, said.Do, (result, nowMs) => Said(run, result, nowMs)));
    }

    private JsonElement OutputOf(string effect)
    {
        var tag = $"p{world.EffectOfTag.Count + 1}";
        world.EffectOfTag[tag] = effect;
        return JsonElement.Parse($$"""{"n": {{SimulatedTools.Number(weather)}}, "tag": "{{tag}}"}""");
    }

    private void LookUp(Run run, TracedLease lease, string effect, CallState call)
    {
        var done = world.Stands(call.Key!);
        var verified = new TraceOperation(TraceWords.Verified) { Lease = lease.ToString(), Status = done ? "done" : "not_done", Output = done ? OutputOf(effect) : null };
        Ask(run, [verified], "verified", (result, nowMs) => Said(run, result, nowMs));
    }

    private void Said(Run run, AdvanceResult result, long nowMs)
    {
        Law(result.Rejection is null or { Code: "task_fenced" or "execution_ended" }, $"{run.Owner} is refused: {result.Rejection?.Code} {result.Rejection?.Message}");
        if (!TryUndo(run, result, nowMs))
        {
            Again(run, 1);
        }
    }

    /// <summary>What a rollback takes back is undone by whoever hears of it, one at a time. False: there is nothing to undo now.</summary>
    private bool TryUndo(Run run, AdvanceResult result, long nowMs)
    {
        if (TracedState.NextUndo(result.Cell.State) is not { } call || call.CompensationDueMs > nowMs || result.Cell.State.Undoing is { } other && other.Owner != run.Owner && other.LeaseUntilMs > nowMs)
        {
            return false;
        }

        var effect = call.Id.ToString();
        Ask(run, [new(TraceWords.Undo) { Effect = effect }], "undo", (leased, _) =>
        {
            if (leased.Rejection is not null || leased.Cell.State.Undoing is not { } undoing || undoing.Owner != run.Owner || undoing.Effect != effect)
            {
                Again(run);
                return;
            }

            var fails = weather.Happens(weather.ToolFailsOneIn);
            if (!fails || weather.Happens(2))
            {
                world.Undo(stream.Id, $"{stream.Id}/{effect}", call.Key!);
            }

            var undone = new TraceOperation(TraceWords.Undone) { Effect = effect, Attempt = undoing.Attempt, Failure = fails ? new EffectFailure(FailureClasses.ToolError, "broke", "it was not undone") : null };
            scheduler.Plan("program", weather.NetworkDelayMs(2_000), () => Ask(run, [undone], "undone", (said, nowMs) => Said(run, said, nowMs)));
        });
        return true;
    }

    private void Law(bool holds, string broken)
    {
        if (!holds)
        {
            world.Violations.Add($"{stream.Id}: {broken}");
        }
    }

    /// <summary>One process that runs the program.</summary>
    private sealed record Run(string Owner)
    {
        public bool IsOver { get; set; }
    }
}
