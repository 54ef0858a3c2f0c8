using System.Globalization;
using Omium.Simulation.Running;

namespace Omium.Simulation;

/// <summary>
/// The whole system under faults at every boundary, from seeds. OMIUM_SIM_SEEDS says how many are run (default 2,000); OMIUM_SIM_SEED runs one
/// alone and prints what happened.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    /// <summary>Seeds that once found a bug.</summary>
    private static readonly int[] FoundBefore = [35_395, 50_329, 67_328, 71_200, 76_410, 77_230];

    [Fact]
    public void S36_ManyRunsUnderFaults_EveryLawHoldsAndEveryRunEnds()
    {
        if (Environment.GetEnvironmentVariable("OMIUM_SIM_SEED") is { Length: > 0 } only)
        {
            var simulation = new Running.Simulation(int.Parse(only, CultureInfo.InvariantCulture), traced: true);
            simulation.Run();
            output.WriteLine(string.Join("\n", simulation.Trace));
            Assert.True(simulation.Violations.Count == 0, string.Join("\n", simulation.Violations));
            return;
        }

        var count = Environment.GetEnvironmentVariable("OMIUM_SIM_SEEDS") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : 2_000;
        var outcome = SimulationRuns.Run(1, count, Environment.ProcessorCount, failuresMax: 10);
        foreach (var seed in FoundBefore.Where(seed => seed > count))
        {
            SimulationRuns.Add(outcome, seed);
        }

        output.WriteLine(SimulationReport.Of(outcome, Environment.ProcessorCount));
        Assert.True(outcome.Failures.Count == 0, SimulationReport.Failures(outcome));
        Assert.True(outcome.Unattended.Asked <= outcome.Unattended.Total * 0.0001, "runs with only repeatable or verifiable effects had to ask a person");
    }

    [Fact]
    public void Simulation_OfOneSeed_IsTheSameEveryTime()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            Assert.Equal(TraceOf(seed), TraceOf(seed));
        }

        static IReadOnlyList<string> TraceOf(int seed)
        {
            var simulation = new Running.Simulation(seed, traced: true);
            simulation.Run();
            return simulation.Trace;
        }
    }
}
