using System.Text.RegularExpressions;
using Omium.Contracts.Errors;

namespace Omium.House;

/// <summary>What is written is true: links lead somewhere, errors have pages, stories exist, nothing names a machine.</summary>
public sealed partial class DocumentTests
{
    private const int StoryCount = 38;

    private static readonly string[] TextExtensions =
    [
        ".cs", ".csproj", ".props", ".targets", ".sln", ".slnf", ".json", ".yaml", ".yml", ".md", ".txt", ".ts", ".tsx", ".js", ".mjs", ".css", ".html",
        ".py", ".toml", ".sh", ".bicep", ".tf", ".patch", ".config", ".npmrc", "omium", "run", "Dockerfile",
    ];

    // Written in pieces, so that this file does not hold what it looks for.
    private static readonly string[] RegistryHosts =
        ["nuget" + ".org", "npmjs" + ".org", "npmjs" + ".com", "deb.debian" + ".org", "pypi" + ".org", "pythonhosted" + ".org"];

    [Fact]
    public void Errors_OfTheCatalogue_AreUniqueAndSnakeCase()
    {
        // One code was published before there was a catalogue, and is written as it was.
        var codes = ErrorCatalogue.All.Select(error => error.Code).ToList();
        Assert.Equal(codes.Count, codes.Distinct().Count());
        Repository.AssertNone(codes.Where(code => !SnakeCase().IsMatch(code) && code != "CREDITS_EXHAUSTED").Select(code => $"{code} is not snake_case."));
        Assert.All(ErrorCatalogue.All, error => Assert.InRange(error.HttpStatus, 400, 599));
        Assert.All(ErrorCatalogue.All, error => Assert.Same(error, ErrorCatalogue.Find(error.Code)));
        Assert.Null(ErrorCatalogue.Find("Not_Found"));
    }

    [Fact]
    public void Errors_OfTheCatalogue_HaveAPageWithCauseFixAndMistakes()
    {
        string index = Repository.Read("docs/errors/README.md");
        var findings = new List<string>();
        foreach (var error in ErrorCatalogue.All)
        {
            if (!Repository.Contains(error.Page))
            {
                findings.Add($"{error.Page} is missing.");
                continue;
            }

            string page = Repository.Read(error.Page);
            string[] needed = [$"# {error.Code}\n", $"HTTP {error.HttpStatus} ", error.Title, error.Summary, "## Cause\n\n", "## Fix\n\n", "## Common mistakes\n\n- "];
            findings.AddRange(needed.Where(text => !page.Contains(text, StringComparison.Ordinal)).Select(text => $"{error.Page} lacks: {text.Trim()}"));
            string row = $"| [{error.Code}]({error.Code}.md) | {error.HttpStatus} |";
            if (!index.Contains(row, StringComparison.Ordinal))
            {
                findings.Add($"docs/errors/README.md lacks the row: {row}");
            }
        }

        Repository.AssertNone(findings);
    }

    [Fact]
    public void Links_InDocuments_LeadToAFile() =>
        Repository.AssertNone(
            from path in Repository.Matching("", ".md")
            where !path.Contains('/', StringComparison.Ordinal) || path.StartsWith("docs/", StringComparison.Ordinal) || path.EndsWith("/README.md", StringComparison.Ordinal)
            from target in LinkTargets(Repository.Read(path))
            where !Repository.Contains(Path.Combine(Path.GetDirectoryName(path)!, target))
            select $"{path}: the link {target} leads nowhere.");

    [Fact]
    public void LinkTargets_OfASample_AreRelativeFilesOutsideCode()
    {
        const string sample = "[a](b.md#c) [d](https://example.org) [e](#f) `[g](h.md)` ![i](j.png \"k\")\n```\n[l](m.md)\n```\n";
        Assert.Equal(["b.md", "j.png"], LinkTargets(sample));
    }

    [Fact]
    public void Files_OfTheProject_NameNoRegistryAndNoMachine() =>
        Repository.AssertNone(Repository.Matching("", TextExtensions).SelectMany(path => PlaceFindings(path, Repository.Read(path))));

    [Fact]
    public void Files_OfTheProject_HoldNoMarksOfAMerge() =>
        Repository.AssertNone(
            from path in Repository.Matching("", TextExtensions)
            from line in MergeMark().Matches(Repository.Read(path))
            select $"{path}: a merge was left unresolved: {line.Value}");

    [Fact]
    public void PlaceFindings_OfASample_AreAsExpected()
    {
        Assert.Single(PlaceFindings("a", "see https://api." + RegistryHosts[0] + "/v3"));
        Assert.Single(PlaceFindings("a", "cd /" + "root/project"));
        Assert.Empty(PlaceFindings("a", "customer/" + "root/email, src/" + "work/file"));
    }

    [Fact]
    public void Stories_NamedByTests_Exist() =>
        Repository.AssertNone(
            from path in Repository.Matching("", ".cs", ".py", ".ts", ".tsx")
            where path.Contains("test", StringComparison.OrdinalIgnoreCase)
            from match in StoryName().Matches(Repository.Read(path))
            let number = int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture)
            where number is < 1 or > StoryCount
            select $"{path}: {match.Value} names story {number}; there are {StoryCount}.");

    private static IEnumerable<string> LinkTargets(string markdown) =>
        Link().Matches(CodeInMarkdown().Replace(markdown, "")).Select(match => match.Groups[1].Value.Split('#')[0])
            .Where(target => target.Length > 0 && !target.Contains(':', StringComparison.Ordinal));

    private static IEnumerable<string> PlaceFindings(string path, string text) =>
        RegistryHosts.Where(host => text.Contains(host, StringComparison.OrdinalIgnoreCase)).Select(host => $"{path} names the registry {host}.")
            .Concat(MachinePath().Matches(text).Select(match => $"{path} names a path of one machine: {match.Value}"));

    [GeneratedRegex("^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
    private static partial Regex SnakeCase();

    [GeneratedRegex(@"\]\(([^)\s]+)(?:\s+""[^""]*"")?\)")]
    private static partial Regex Link();

    [GeneratedRegex("```.*?```|`[^`\n]*`", RegexOptions.Singleline)]
    private static partial Regex CodeInMarkdown();

    [GeneratedRegex(@"(?<![\w.}~*-])/(?:work|farm|root)/[\w.]+")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"(?m)^(?:<{7}|>{7}) \S+")]
    private static partial Regex MergeMark();

    // A test's name, not a story in running text: S02_ followed by the rest of an identifier.
    [GeneratedRegex(@"(?<![A-Za-z0-9])S(\d\d)_[A-Za-z]")]
    private static partial Regex StoryName();
}
