using System.Text.Json;
using System.Xml.Linq;

namespace Omium.House;

/// <summary>Who may know whom. The arrows of docs/ARCHITECTURE.md, read from the project files.</summary>
public sealed class LayoutTests
{
    // A project that is not named here must not exist under src: a new one states its direction first.
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Omium.Kernel"] = [],
        ["Omium.Contracts"] = [],
        ["Omium.Runtime"] = ["Omium.Kernel"],
        ["Omium.Embedded"] = ["Omium.Runtime"],
        ["Omium.Azure"] = ["Omium.Runtime"],
        ["Omium.Api"] = ["Omium.Runtime", "Omium.Contracts"],
        ["Omium.Functions"] = ["Omium.Api", "Omium.Azure"],
        ["Omium.Sdk"] = ["Omium.Contracts"],
        ["Omium.Cli"] = ["Omium.Api", "Omium.Embedded", "Omium.Sdk"],
    };

    private static readonly string[] Analyzers = ["Microsoft.CodeAnalysis.BannedApiAnalyzers", "Meziantou.Analyzer"];

    [Fact]
    public void ProjectReferences_UnderSrc_FollowTheDirection()
    {
        var findings = new List<string>();
        foreach (string path in Projects("src/"))
        {
            string name = Path.GetFileNameWithoutExtension(path);
            if (!Allowed.TryGetValue(name, out string[]? allowed))
            {
                findings.Add($"{path}: this project has no place in the direction yet.");
                continue;
            }

            findings.AddRange(Items(path, "ProjectReference").Select(ReferencedProject).Except(allowed)
                .Select(reference => $"{path}: {name} must not depend on {reference}."));
        }

        Repository.AssertNone(findings);
    }

    [Fact]
    public void Packages_OfKernelAndContracts_AreAnalyzersOnly()
    {
        string[] pure = ["src/Omium.Kernel/Omium.Kernel.csproj", "src/Omium.Contracts/Omium.Contracts.csproj"];
        Repository.AssertNone(pure.SelectMany(path => Items(path, "PackageReference").Except(Analyzers)
            .Concat(Items(path, "FrameworkReference"))
            .Select(package => $"{path}: {package} is no analyzer.")));
    }

    [Fact]
    public void BannedSymbols_OfTheKernel_AreWiredAndCoverClockChanceTasksAndFiles()
    {
        const string project = "src/Omium.Kernel/Omium.Kernel.csproj";
        Assert.Contains("Microsoft.CodeAnalysis.BannedApiAnalyzers", Items(project, "PackageReference"));
        Assert.Contains("BannedSymbols.txt", Items(project, "AdditionalFiles"));
        Assert.Equal("true", (string?)Load("Directory.Build.props").Descendants("TreatWarningsAsErrors").Single());
        Assert.DoesNotContain("RS0030", Repository.Read(".editorconfig") + Repository.Read(project), StringComparison.Ordinal);

        string[] needed =
        [
            "P:System.DateTime.Now", "P:System.DateTime.UtcNow", "P:System.DateTimeOffset.UtcNow", "M:System.Guid.NewGuid", "T:System.Random",
            "T:System.Threading.Tasks.Task", "T:System.Threading.Tasks.Task`1", "N:System.IO", "N:System.Net",
            "M:System.Environment.GetEnvironmentVariable(System.String)", "T:System.Text.RegularExpressions.Regex",
        ];
        var banned = Repository.Read("src/Omium.Kernel/BannedSymbols.txt").Split('\n').Select(line => line.Split(';')[0].Trim()).ToHashSet();
        Repository.AssertNone(needed.Where(symbol => !banned.Contains(symbol)).Select(symbol => $"{symbol} is not banned in the kernel."));
    }

    [Fact]
    public void Solution_HoldsEveryProject_AndTheFilterAllButFunctions()
    {
        string solution = Repository.Read("Omium.Functions.sln").Replace('\\', '/');
        using var filter = JsonDocument.Parse(Repository.Read("Omium.slnf"));
        var filtered = filter.RootElement.GetProperty("solution").GetProperty("projects").EnumerateArray()
            .Select(project => project.GetString()!.Replace('\\', '/')).ToHashSet();

        var findings = new List<string>();
        foreach (string path in Projects("src/").Concat(Projects("tests/")))
        {
            bool isFunctions = Path.GetFileName(path).StartsWith("Omium.Functions", StringComparison.Ordinal);
            if (!solution.Contains($"\"{path}\"", StringComparison.Ordinal))
            {
                findings.Add($"{path} is missing in Omium.Functions.sln.");
            }

            if (filtered.Contains(path) == isFunctions)
            {
                findings.Add(isFunctions ? $"{path} must not be in Omium.slnf." : $"{path} is missing in Omium.slnf.");
            }
        }

        Repository.AssertNone(findings);
    }

    [Fact]
    public void PackageVersions_StandInOnePlace()
    {
        Repository.AssertNone(
            from path in Projects("src/").Concat(Projects("tests/"))
            from package in Load(path).Descendants("PackageReference")
            where package.Attribute("Version") is not null || package.Attribute("VersionOverride") is not null
            select $"{path}: the version of {package.Attribute("Include")?.Value} belongs into Directory.Packages.props.");
    }

    private static IEnumerable<string> Projects(string prefix) => Repository.Matching(prefix, ".csproj");

    private static XDocument Load(string path) => XDocument.Parse(Repository.Read(path));

    private static IEnumerable<string> Items(string project, string kind) =>
        Load(project).Descendants(kind).Select(item => item.Attribute("Include")?.Value).OfType<string>();

    private static string ReferencedProject(string include) => Path.GetFileNameWithoutExtension(include.Replace('\\', '/'));
}
