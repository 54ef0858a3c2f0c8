using System.Globalization;
using Omium.Kernel.Ledger;
using Omium.Simulation.Running;
using Omium.Simulation.Workflows;

namespace Omium.Simulation;

/// <summary>
/// The whole system under faults at every boundary, from seeds. OMIUM_SIM_SEEDS says how many are run (default 2,000); OMIUM_SIM_SEED runs one
/// alone and prints what happened.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    /// <summary>Seeds that once found a bug, with what was drawn then.</summary>
    private static readonly (int Seed, Features Features)[] FoundBefore =
    [
        (35_395, Features.None), (50_329, Features.None), (67_328, Features.None), (71_200, Features.None), (76_410, Features.None), (77_230, Features.None), (84_990, Features.None),
        (6_328, Features.Items), (51, Features.Sharing), (65, Features.Sharing), (74, Features.Sharing), (1_230, Features.Sharing), (3_756, Features.Sharing),
        (4_393, Features.Sharing), (4_952, Features.Sharing), (20_074, Features.Unpaid), (20_699, Features.Unpaid), (20_802, Features.Unpaid), (20_949, Features.Unpaid), (593, Features.Unpaid | Features.Billing),
        (41_479, Features.Unpaid), (42_490, Features.Unpaid), (44_203, Features.Unpaid), (4_486, Features.Unpaid | Features.Children), (11_052, Features.Unpaid | Features.Children | Features.Forks),
        (5_940, Features.Unpaid | Features.Billing), (6_174, Features.Unpaid | Features.Billing), (6_196, Features.Unpaid | Features.Billing), (1_509, Features.Timely), (855, Features.Timely), (999, Features.Timely),
        (10_908, Features.Timely), (19_147, Features.Timely), (41_067, Features.Timely), (55_633, Features.Timely), (63_716, Features.Timely), (74_275, Features.Timely), (82_349, Features.Timely), (42_078, Features.Timely), (91_175, Features.All),
    ];

    [Fact]
    public void S36_ManyRunsUnderFaults_EveryLawHoldsAndEveryRunEnds()
    {
        if (Environment.GetEnvironmentVariable("OMIUM_SIM_SEED") is { Length: > 0 } only)
        {
            var simulation = new Running.Simulation(int.Parse(only, CultureInfo.InvariantCulture), SimulationRuns.FeaturesOf(["--features", Environment.GetEnvironmentVariable("OMIUM_SIM_FEATURES") ?? "All"]), traced: true);
            simulation.Run();
            output.WriteLine(string.Join("\n", simulation.Trace));
            Assert.True(simulation.Violations.Count == 0, string.Join("\n", simulation.Violations));
            return;
        }

        var count = Environment.GetEnvironmentVariable("OMIUM_SIM_SEEDS") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : 2_000;
        var outcome = SimulationRuns.Run(1, count, Environment.ProcessorCount, failuresMax: 10);
        foreach (var (seed, features) in FoundBefore)
        {
            SimulationRuns.Add(outcome, seed, features);
        }

        output.WriteLine(SimulationReport.Of(outcome, Environment.ProcessorCount));
        Assert.True(outcome.Failures.Count == 0, SimulationReport.Failures(outcome));
        Assert.True(outcome.Unattended.Asked <= outcome.Unattended.Total * 0.0001, "runs with only repeatable or verifiable effects had to ask a person");
    }

    /// <summary>Every law of money holds (the sum among them, after every record); here it is added up once more, of what the ledgers came to.</summary>
    [Fact]
    public void Money_AfterEverythingWentWrong_SumsToZeroAndNothingIsReserved()
    {
        var (ledgers, spentMicro) = (0, 0L);
        for (var seed = 1; seed <= 120; seed++)
        {
            var simulation = new Running.Simulation(seed, Features.Billing | Features.Items | Features.Children | Features.Forks);
            simulation.Run();
            Assert.True(simulation.Violations.Count == 0, $"seed {seed}: {string.Join("\n", simulation.Violations)}");
            if (simulation.Accounts.Values.Any(micro => micro != 0))
            {
                Assert.Equal((0, 0, 0), (simulation.Accounts.Values.Sum(), simulation.Accounts[Account.Reserved], simulation.Accounts[Account.Overdraft]));
                (ledgers, spentMicro) = (ledgers + 1, spentMicro + simulation.Accounts[Account.Spent]);
            }
        }

        output.WriteLine($"{ledgers} ledgers, {spentMicro / Credits.MicroPerCredit} credits spent, all sums 0");
        Assert.True(ledgers >= 20 && spentMicro > 0, "hardly any money was drawn");
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
