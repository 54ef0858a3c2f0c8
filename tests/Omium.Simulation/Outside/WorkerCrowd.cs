using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Ports;
using Omium.Runtime.Workers;
using Omium.Simulation.Laws;
using Omium.Simulation.Running;
using Omium.Simulation.Scheduling;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Outside;

/// <summary>
/// Code that polls for tasks. It outlives hosts: it takes a task from one and may complete it at another. The answer to its poll may be lost, it may
/// go silent (and its lease runs out), answer late, answer twice, say that it failed, and do its deed and never say so.
/// </summary>
internal sealed class WorkerCrowd(Scheduler scheduler, World world, Weather weather, Tally tally, Func<IReadOnlyList<SimulatedProcess>> living, Func<string, Chronicle?> execution)
{
    private static readonly string[] Queues = ["plain", "twice", "checked"];
    private readonly Dictionary<string, Action> _answered = [];
    private readonly Dictionary<(StreamId Stream, VisitKey Sender, int Edge), (int Round, Action Again)> _acknowledged = [];
    private int _workers;

    /// <summary>True where who was asked before speaks up, again or at last, when another is asked.</summary>
    public bool ComeLate { get; set; }

    /// <summary>After each step: whoever waits for a task gets one.</summary>
    public void Look(SimulatedProcess process, string tenant)
    {
        while (process is { Alive: true, Board: { } board } && board.TryTake(tenant, Queues) is { } offer)
        {
            var worker = $"worker-{++_workers}";
            scheduler.Plan(new Step(process, "lease", offer.IsHandoff ? "acknowledgement" : "task", () => process.Do(() => LeaseAsync(process, board, offer, worker))), weather.NetworkDelayMs(1_000));
        }
    }

    private async Task LeaseAsync(SimulatedProcess process, TaskBoard board, TaskOffer offer, string worker)
    {
        if (offer.IsHandoff)
        {
            board.Hold(offer);
            if (await process.Advancer.FindAsync(offer.Stream) is { } found && EffectId.TryParse(offer.Effect, out var id) && found.State.Handoffs.TryGetValue(new HandoffKey(id.Number - 1, id.Key), out var handoff))
            {
                var message = await process.Advancer.MaterializeAsync(found, handoff.Proposal.Message, CancellationToken.None);
                scheduler.Plan("acknowledge", weather.NetworkDelayMs(20_000), () => Acknowledge(offer, message, worker));
                var asked = (offer.Stream, id.Key, id.Number);
                if (ComeLate && _acknowledged.TryGetValue(asked, out var before) && before.Round < id.Attempt)
                {
                    tally.Met("acknowledges an earlier round", "acknowledgement");
                    scheduler.Plan("acknowledge", 1, before.Again);
                }

                _acknowledged[asked] = (id.Attempt, () => Acknowledge(offer, message, worker));
            }

            return;
        }

        try
        {
            if (await TaskLeasing.LeaseAsync(process.Engine, process.Advancer, board, offer, worker) is { } leased)
            {
                var call = leased.Call;
                var task = new WorkerTask(offer.Stream, offer.Effect, call.Runs, call.Tool, call.Kind, call.Key ?? "");
                if (ComeLate && _answered.Remove(task.FullEffect, out var comesBack))
                {
                    tally.Met("answers when another has it", Subject(task));
                    scheduler.Plan(new Step(null, "complete", Subject(task), comesBack), 1);
                }

                Told(task);
            }
        }
        catch (StorageUnavailableException)
        {
            // The worker is told that there is no task.
        }
    }

    /// <summary>The answer to its poll reaches the worker, or does not.</summary>
    private void Told(WorkerTask task)
    {
        if (weather.Happens(weather.ToolFailsOneIn * 2))
        {
            tally.Met("task told to nobody", Subject(task));
            return;
        }

        world.UnderWay[task.FullEffect] = world.UnderWay.GetValueOrDefault(task.FullEffect) + 1;
        scheduler.Plan(new Step(null, "work", Subject(task), () => Work(task)), 1);
    }

    /// <summary>It does its deed at once, within its lease; saying so may take any time.</summary>
    private void Work(WorkerTask task)
    {
        world.UnderWay[task.FullEffect]--;
        var fails = weather.Happens(weather.ToolFailsOneIn);
        var unclear = fails && weather.Happens(2);
        EffectOutcome outcome;
        if (!fails || (unclear && weather.Happens(2)))
        {
            Perform(task);
        }

        if (!fails)
        {
            var tag = $"w{world.EffectOfTag.Count + 1}";
            world.EffectOfTag[tag] = task.FullEffect;
            outcome = new EffectOutcome { Result = JsonElement.Parse($$"""{"n": {{SimulatedTools.Number(weather)}}, "tag": "{{tag}}"}""") };
        }
        else
        {
            tally.Met("worker fails", Subject(task));
            outcome = new EffectOutcome { Failure = new EffectFailure(FailureClasses.ToolError, "worker_failed", "it did not work", MayHaveHappened: unclear && task.Kind != EffectKind.None) };
        }

        _answered[task.FullEffect] = () => Complete(task, outcome);
        var delayMs = weather.NetworkDelayMs(5_000);
        if (weather.Happens(weather.ToolFailsOneIn * 2))
        {
            tally.Met("worker goes silent", Subject(task));
            delayMs = weather.Dice.Between(40_000, 400_000); // Its lease runs out; then it comes back.
        }

        scheduler.Plan(new Step(null, "complete", Subject(task), () => Complete(task, outcome)), delayMs);
        if (weather.Happens(weather.DoubledOneIn))
        {
            tally.Met("completes twice", Subject(task));
            scheduler.Plan(new Step(null, "complete", Subject(task), () => Complete(task, outcome)), delayMs + weather.NetworkDelayMs(5_000));
        }
    }

    private void Perform(WorkerTask task)
    {
        if (task.Kind == EffectKind.None)
        {
            return;
        }

        world.Sent[task.FullEffect] = world.Sent.GetValueOrDefault(task.FullEffect) + 1;
        world.Sending?.Invoke(task.FullEffect);
        world.Do(task.FullEffect, task.Tool, task.Key);
    }

    private void Complete(WorkerTask task, EffectOutcome outcome) => Say(task.Stream, "complete", process => new SettleTask(process.Advancer.NowMs, task.Effect, task.Run, outcome), () => Complete(task, outcome));

    private void Acknowledge(TaskOffer offer, JsonElement message, string worker)
    {
        var there = Math.Max(DrawnHandoff.SaidOf(message, "n"), DrawnHandoff.SaidOf(message, "succeeded"));
        var seen = weather.Happens(4) ? there + 1 : there;
        world.Measured.Add(($"{offer.Stream.Id}/{offer.Effect}/{worker}", seen));
        var answer = JsonElement.Parse(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{{\"count\": {seen}}}"));
        Say(offer.Stream, "acknowledge", process => new AcknowledgeHandoff(process.Advancer.NowMs, offer.Effect, worker, answer, null), () => Acknowledge(offer, message, worker));
    }

    /// <summary>Tells some living host, and tries again while the store or every host is down.</summary>
    private void Say(StreamId stream, string name, Func<SimulatedProcess, ExecutionCommand> command, Action again)
    {
        var processes = living();
        if (processes.Count == 0)
        {
            scheduler.Plan(name, 2_000, again);
            return;
        }

        var process = processes[weather.Dice.Below(processes.Count)];
        process.Do(async () =>
        {
            try
            {
                var result = await process.Engine.SubmitAsync(stream, command(process));
                if (result.Rejection is { } rejection)
                {
                    tally.Met($"worker refused: {rejection.Code}", execution(stream.Id)?.Status ?? "");
                }
            }
            catch (StorageUnavailableException)
            {
                scheduler.Plan(name, 2_000, again);
            }
        });
    }

    private static string Subject(WorkerTask task) => task.Kind.ToString().ToLowerInvariant();

    /// <summary>A task as its worker knows it.</summary>
    private sealed record WorkerTask(StreamId Stream, string Effect, int Run, string Tool, EffectKind Kind, string Key)
    {
        public string FullEffect => $"{Stream.Id}/{Effect}";
    }
}
