using System.Diagnostics;
using System.Globalization;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Running;

/// <summary>Runs many seeds on several cores and prints what they came to.</summary>
internal static class SimulationRuns
{
    /// <summary>What many seeds came to.</summary>
    public sealed class Outcome
    {
        public Tally Tally { get; } = new();

        public List<(int Seed, string Violation)> Failures { get; } = [];

        public long Seeds { get; set; }

        public long Executions { get; set; }

        public long Records { get; set; }

        public long Steps { get; set; }

        /// <summary>Executions that by design need nobody, and those of them that somebody was asked about.</summary>
        public (long Total, long Asked) Unattended { get; set; }

        public (long Total, long Asked) Attended { get; set; }

        /// <summary>Seeds in which somebody was asked though nobody should be needed.</summary>
        public List<int> AskedFor { get; } = [];

        public TimeSpan Took { get; set; }
    }

    /// <summary>Runs seeds <paramref name="first"/> to first + count - 1; ends early after <paramref name="failuresMax"/> seeds that fail.</summary>
    public static Outcome Run(int first, int count, int cores, int failuresMax, Features features = Features.All, Action<int, string>? broke = null)
    {
        var outcome = new Outcome();
        var next = first - 1;
        var clock = Stopwatch.StartNew();
        var gate = new Lock();
        void Work()
        {
            while (true)
            {
                var seed = Interlocked.Increment(ref next);
                if (seed >= first + count || outcome.Failures.Count >= failuresMax)
                {
                    return;
                }

                var simulation = new Simulation(seed, features);
                simulation.Run();
                lock (gate)
                {
                    Add(outcome, simulation);
                    if (simulation.Violations.Count > 0)
                    {
                        broke?.Invoke(seed, simulation.Violations[0]);
                    }
                }
            }
        }

        var threads = Enumerable.Range(0, cores).Select(_ => new Thread(Work, 16 * 1024 * 1024)).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        outcome.Took = clock.Elapsed;
        return outcome;
    }

    /// <summary>Verb run: --seeds N (default 1,000), --first N (default 1), --cores N (default all).</summary>
    public static int Run(string[] options)
    {
        int Option(string name, int otherwise) =>
            Array.IndexOf(options, name) is >= 0 and var at && at + 1 < options.Length ? int.Parse(options[at + 1], CultureInfo.InvariantCulture) : otherwise;
        var cores = Option("--cores", Environment.ProcessorCount);
        var outcome = Run(Option("--first", 1), Option("--seeds", 1_000), cores, Option("--failures", 20), FeaturesOf(options), (seed, violation) => Console.Error.WriteLine($"seed {seed}: {violation}"));
        Console.WriteLine(SimulationReport.Of(outcome, cores));
        return outcome.Failures.Count == 0 ? 0 : 1;
    }

    /// <summary>Option --features: names, separated by commas; default all.</summary>
    public static Features FeaturesOf(string[] options) =>
        Array.IndexOf(options, "--features") is >= 0 and var at && at + 1 < options.Length ? Enum.Parse<Features>(options[at + 1], ignoreCase: true) : Features.All;

    /// <summary>Verb seed: one seed, with everything that happened.</summary>
    public static int Show(int seed, Features features, bool traced)
    {
        var simulation = new Simulation(seed, features, traced);
        simulation.Run();
        foreach (var line in simulation.Trace)
        {
            Console.WriteLine(line);
        }

        foreach (var deed in simulation.Deeds)
        {
            Console.WriteLine($"deed {deed.Number} at {deed.AtMs} {deed.Tool} {deed.Key}{(deed.Stands ? " stands" : "")}, asked by {string.Join(", ", deed.AskedBy)}");
        }

        foreach (var workflow in simulation.Chronicles.Values.Select(chronicle => chronicle.Workflow).Distinct())
        {
            Console.WriteLine(workflow.Json);
        }

        Console.WriteLine(simulation.Violations.Count == 0 ? $"seed {seed}: every law holds" : $"seed {seed}:\n{string.Join("\n", simulation.Violations.Distinct())}");
        return simulation.Violations.Count == 0 ? 0 : 1;
    }

    /// <summary>Runs one more seed into an outcome.</summary>
    public static void Add(Outcome outcome, int seed, Features features)
    {
        var simulation = new Simulation(seed, features);
        simulation.Run();
        Add(outcome, simulation);
    }

    private static void Add(Outcome outcome, Simulation simulation)
    {
        outcome.Seeds++;
        outcome.Steps += simulation.Steps;
        outcome.Tally.Add(simulation.Tally);
        foreach (var chronicle in simulation.Chronicles.Values)
        {
            outcome.Executions++;
            outcome.Records += chronicle.Records;
            outcome.Tally.Count("ended", chronicle.Status);
            var asked = chronicle.NeededSomebody ? 1 : 0;
            foreach (var reason in chronicle.Asked)
            {
                outcome.Tally.Count(simulation.NeedsNobody ? "asked though nobody was needed" : "asked", reason);
            }

            if (simulation.NeedsNobody)
            {
                outcome.AskedFor.AddRange(asked > 0 ? [simulation.Seed] : []);
                outcome.Unattended = (outcome.Unattended.Total + 1, outcome.Unattended.Asked + asked);
            }
            else
            {
                outcome.Attended = (outcome.Attended.Total + 1, outcome.Attended.Asked + asked);
            }
        }

        if (simulation.Violations.Count > 0)
        {
            outcome.Failures.Add((simulation.Seed, simulation.Violations[0]));
        }
    }
}
