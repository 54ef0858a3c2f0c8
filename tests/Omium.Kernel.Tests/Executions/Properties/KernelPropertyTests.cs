using System.Globalization;
using Xunit;

namespace Omium.Kernel.Tests.Executions.Properties;

/// <summary>
/// Laws that hold for every workflow and every course of events. A failure names its seed; OMIUM_PROPERTY_SEED runs that one alone,
/// OMIUM_PROPERTY_RUNS says how many are drawn (default 300).
/// </summary>
public sealed class KernelPropertyTests
{
    [Fact]
    public void RandomRuns_FaultsThenHealing_EveryLawHolds()
    {
        var only = Environment.GetEnvironmentVariable("OMIUM_PROPERTY_SEED");
        var runs = Environment.GetEnvironmentVariable("OMIUM_PROPERTY_RUNS") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : 300;
        var seeds = only is { Length: > 0 } ? [int.Parse(only, CultureInfo.InvariantCulture)] : Enumerable.Range(1, runs);
        var failures = new List<string>();
        foreach (var seed in seeds)
        {
            var driver = new RandomDriver(seed);
            try
            {
                driver.Run();
                Laws.Check(driver.Harness);
            }
            catch (Exception error)
            {
                failures.Add($"seed {seed}: {error.Message.Split('\n')[0]} {(only is null ? "" : $"\n{error}\n{driver.Spec}\n{driver.Harness.History}")}");
            }
        }

        Assert.True(failures.Count == 0, $"{failures.Count} of the seeds fail:\n{string.Join("\n", failures.Take(20))}");
    }
}
