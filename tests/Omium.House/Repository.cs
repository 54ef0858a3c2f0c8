using System.Diagnostics;

namespace Omium.House;

/// <summary>The files of the work tree as git knows them: tracked, or new and not ignored.</summary>
internal static class Repository
{
    private static readonly Lazy<string[]> TrackedFiles = new(ListFiles);

    public static string Root { get; } = FindRoot();

    /// <summary>Paths relative to the root, with forward slashes. Skips the calling test where there is no git to ask.</summary>
    public static IReadOnlyList<string> Files
    {
        get
        {
            Assert.SkipUnless(Path.Exists(Path.Combine(Root, ".git")), "not a git work tree: it is not known which files belong to the project");
            return TrackedFiles.Value;
        }
    }

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    public static bool Contains(string path) => Path.Exists(Path.Combine(Root, path));

    public static IEnumerable<string> Matching(string prefix, params string[] extensions) =>
        Files.Where(path => path.StartsWith(prefix, StringComparison.Ordinal)
            && extensions.Any(extension => path.EndsWith(extension, StringComparison.Ordinal)));

    /// <summary>Fails with every finding at once, so that one run shows all there is to mend.</summary>
    public static void AssertNone(IEnumerable<string> findings)
    {
        var all = findings.ToList();
        Assert.True(all.Count == 0, string.Join('\n', all));
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

    private static string[] ListFiles()
    {
        var start = new ProcessStartInfo("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
        };
        using var git = Process.Start(start)!;
        string output = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        Assert.True(git.ExitCode == 0, "git could not list the files of the work tree.");

        // A file deleted in the work tree is still in the index.
        return [.. output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(Contains)];
    }
}
