using System.Diagnostics;

namespace Omium.Simulation;

/// <summary>The deliberate faults of tests/mutations are still faults of this code: each can be applied. scripts/mutations.py applies and runs them.</summary>
public sealed class MutationTests
{
    private const int PatchesMin = 14;

    [Fact]
    public void Patches_OfDeliberateFaults_StillApply()
    {
        var root = Root();
        Assert.SkipUnless(Path.Exists(Path.Combine(root, ".git")), "not a git work tree: patches cannot be tried");
        var patches = Directory.GetFiles(Path.Combine(root, "tests", "mutations"), "*.patch").Order(StringComparer.Ordinal).ToArray();
        Assert.True(patches.Length >= PatchesMin, $"there are {patches.Length} patches");
        var findings = patches.Select(patch => (Name: Path.GetFileName(patch), Problem: Try(root, patch))).Where(patch => patch.Problem.Length > 0);
        Assert.Empty(findings.Select(patch => $"{patch.Name}: {patch.Problem}"));
    }

    /// <summary>What git says against a patch; nothing when it applies (other line numbers and some changed lines around it do no harm).</summary>
    private static string Try(string root, string patch)
    {
        var start = new ProcessStartInfo("git", ["apply", "--check", "-C1", patch]) { WorkingDirectory = root, RedirectStandardError = true };
        using var git = Process.Start(start)!;
        var said = git.StandardError.ReadToEnd();
        git.WaitForExit();
        return git.ExitCode == 0 ? "" : said;
    }

    private static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Omium.slnf")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new InvalidOperationException("no folder above the tests holds Omium.slnf");
    }
}
