using Omium.Simulation.Outside;
using Omium.Simulation.Scheduling;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Running;

/// <summary>One more execution: a program that runs elsewhere and traces what it does.</summary>
internal sealed partial class Simulation
{
    private void AdmitProgram()
    {
        if (!_features.HasFlag(Features.Traced))
        {
            return;
        }

        var dice = _dice.Split(40);
        var program = DrawnProgram.Draw(dice, NeedsNobody);
        foreach (var step in program.Steps)
        {
            Tally.Count("traced", $"{(step.Effect == Omium.Kernel.Specs.EffectKind.None ? "checkpoint" : step.Effect.ToString().ToLowerInvariant())}{(step.Approval ? " with approval" : "")}");
        }

        Admit(dice, program.Workflow, _starts.Count + 1);
        var stream = _starts[^1].Stream;
        var crowd = new ProgramCrowd(
            _scheduler, _world, _weather, dice.Split(1), Tally, () => [.. _hosts.Select(host => host.Process).OfType<SimulatedProcess>().Where(process => process is { Alive: true, Engine: not null })], stream, program, () => _chronicles[stream.Id]);
        _scheduler.Plan("programs", 1_000, crowd.Watch);
    }
}
