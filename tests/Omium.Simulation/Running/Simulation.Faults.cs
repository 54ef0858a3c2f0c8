using Omium.Simulation.Scheduling;

namespace Omium.Simulation.Running;

/// <summary>What befalls hosts: killed, without power, standing still, with a clock that jumps. Between any two steps.</summary>
internal sealed partial class Simulation
{
    private static readonly long[] ClockJumpsMs = [-3_600_000, -60_000, 60_000, 7_200_000];

    /// <summary>Strikes before a step, or not. False when the step dies with its process.</summary>
    private bool Injure(Step step)
    {
        if (_weather.Healed)
        {
            return true;
        }

        var host = step.Process?.Host ?? _hosts[_dice.Below(_hosts.Count)];
        if (host.Process is not { Alive: true } process)
        {
            return true;
        }

        if (_weather.Happens(_weather.KillOneIn))
        {
            Tally.Met($"killed before {step.Name}", step.Subject);
            _store.LoseWriter(process, _weather.Dice);
            Kill(host);
        }
        else if (_weather.Happens(_weather.PowerOneIn))
        {
            Tally.Met($"no power before {step.Name}", step.Subject);
            _store.LosePower();
            foreach (var each in _hosts.Where(each => each.Process is { Alive: true }))
            {
                Kill(each);
            }
        }
        else if (_weather.Happens(_weather.StallOneIn))
        {
            Tally.Met("stands still", step.Subject);
            process.StalledUntilMs = _scheduler.NowMs + _weather.Dice.Between(1_000, 90_000);
        }
        else if (_weather.Happens(_weather.ClockOneIn))
        {
            var jumpMs = _weather.Dice.Of(ClockJumpsMs);
            Tally.Met(jumpMs > 0 ? "clock jumps ahead" : "clock jumps back", step.Subject);
            host.ClockOffsetMs += jumpMs;
            _world.ClockLossMs += Math.Max(0, -jumpMs);
        }

        return step.Process is not { Alive: false };
    }

    private void Kill(SimulatedHost host)
    {
        host.Process!.Kill();
        host.Tools!.Crash();
        // Now and then nobody notices for so long that keys are past their time.
        var outMs = _weather.Dice.OneIn(10) ? _weather.Dice.Between(3_000_000, 7_200_000) : _weather.Dice.Below(RestartMostMs);
        _scheduler.Plan("restart", outMs, () => StartProcess(host));
    }
}
