using System.Diagnostics;

namespace Omium.Cli.Tests;

/// <summary>What a run of the program came to.</summary>
public sealed record Outcome(int ExitCode, string Output, string Error);

/// <summary>The published program, run as a child process.</summary>
internal static class OmiumProgram
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Path of the program; the test is skipped where there is none.</summary>
    public static string Path
    {
        get
        {
            var binary = Environment.GetEnvironmentVariable("OMIUM_BINARY");
            Assert.SkipWhen(string.IsNullOrEmpty(binary), "OMIUM_BINARY is not set: it names the published omium (./omium test sets it).");
            return binary!;
        }
    }

    /// <summary>Runs it to its end in a directory, with the environment given and none of the surroundings' OMIUM_* variables.</summary>
    public static async Task<Outcome> RunAsync(string directory, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        using var process = Process.Start(Start(directory, environment, arguments))!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            process.Kill();
            throw;
        }

        return new Outcome(process.ExitCode, await output, await error);
    }

    /// <summary>How it is started.</summary>
    public static ProcessStartInfo Start(string directory, IReadOnlyDictionary<string, string> environment, string[] arguments)
    {
        var start = new ProcessStartInfo(Path)
        {
            WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("OMIUM_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        start.Environment["XDG_CONFIG_HOME"] = directory;
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }
}
