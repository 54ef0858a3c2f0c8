using System.Globalization;

// Every test measures real processes by the clock: side by side they would measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Omium.EndToEnd.Harness;

/// <summary>What the tests find around them: the published program, the repository, a browser. What is missing skips the test and says so.</summary>
internal static class Surroundings
{
    /// <summary>The published program.</summary>
    public static string Binary
    {
        get
        {
            var binary = Environment.GetEnvironmentVariable("OMIUM_BINARY");
            Assert.SkipWhen(string.IsNullOrEmpty(binary), "OMIUM_BINARY is not set: it names the published omium that the stories are played on (./omium test sets it).");
            Assert.True(File.Exists(binary), $"OMIUM_BINARY names {binary}, and there is no such file.");
            return binary!;
        }
    }

    /// <summary>The browser that the console is opened in.</summary>
    public static string Chromium
    {
        get
        {
            var chromium = Environment.GetEnvironmentVariable("OMIUM_CHROMIUM");
            Assert.SkipWhen(string.IsNullOrEmpty(chromium) || !File.Exists(chromium), "OMIUM_CHROMIUM names no browser: set it to the path of Chromium.");
            return chromium!;
        }
    }

    /// <summary>The built console.</summary>
    public static string Console
    {
        get
        {
            var console = Environment.GetEnvironmentVariable("OMIUM_CONSOLE") is { Length: > 0 } named ? named : Path.Combine(Root, "static-web", "dist");
            Assert.SkipUnless(File.Exists(Path.Combine(console, "index.html")), "The console is not built: set OMIUM_CONSOLE to the directory with its index.html.");
            return console;
        }
    }

    /// <summary>Root of the repository.</summary>
    public static string Root { get; } = Environment.GetEnvironmentVariable("OMIUM_REPOSITORY") is { Length: > 0 } named ? named : FindRoot();

    /// <summary>How often S02 is killed at a random moment.</summary>
    public static int Kills => int.Parse(Environment.GetEnvironmentVariable("OMIUM_E2E_KILLS") is { Length: > 0 } count ? count : "5", CultureInfo.InvariantCulture);

    /// <summary>How often the crash matrix kills at each of its moments.</summary>
    public static int MatrixKills => int.Parse(Environment.GetEnvironmentVariable("OMIUM_E2E_MATRIX") is { Length: > 0 } count ? count : "3", CultureInfo.InvariantCulture);

    /// <summary>How long a test waits for an execution. A store that others may share takes up what a killed process left only once its calls are past their time.</summary>
    public static TimeSpan Patience => TimeSpan.FromSeconds(int.Parse(Environment.GetEnvironmentVariable("OMIUM_E2E_PATIENCE_S") is { Length: > 0 } seconds ? seconds : "60", CultureInfo.InvariantCulture));

    /// <summary>Seed of everything random in these tests.</summary>
    public static int Seed => int.Parse(Environment.GetEnvironmentVariable("OMIUM_E2E_SEED") is { Length: > 0 } seed ? seed : "2503", CultureInfo.InvariantCulture);

    /// <summary>A file under examples.</summary>
    public static string Example(string name) => File.ReadAllText(Path.Combine(Root, "examples", name));

    /// <summary>An example workflow whose tools are at <paramref name="receiver"/>.</summary>
    public static string ExampleSpec(string name, Uri receiver)
    {
        const string written = "http://127.0.0.1:7601/";
        var spec = Example(name);
        Assert.Contains(written, spec, StringComparison.Ordinal);
        return spec.Replace(written, receiver.ToString(), StringComparison.Ordinal);
    }

    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Omium.slnf")))
            {
                return directory.FullName;
            }
        }

        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds Omium.slnf.");
    }
}
