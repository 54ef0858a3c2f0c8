using System.Text.RegularExpressions;

namespace Omium.House;

/// <summary>Warnings are errors; whoever switches one off says why, on the same line or the line above.</summary>
public sealed partial class SuppressionTests
{
    [Fact]
    public void Suppressions_InCode_SayWhy() =>
        Repository.AssertNone(Repository.Matching("", ".cs").SelectMany(path => CodeFindings(path, Repository.Read(path))));

    [Fact]
    public void Suppressions_InProjectFiles_SayWhy() =>
        Repository.AssertNone(Repository.Matching("", ".csproj", ".props", ".targets").SelectMany(path => ProjectFindings(path, Repository.Read(path))));

    [Fact]
    public void Rules_SwitchedOffInEditorConfig_SayWhy()
    {
        string[] lines = Repository.Read(".editorconfig").Split('\n');
        var reasons = new HashSet<string>();
        foreach (string line in lines)
        {
            if (line.StartsWith('#'))
            {
                reasons.UnionWith(RuleId().Matches(line).Select(match => match.Value));
            }
            else if (line.EndsWith("= none", StringComparison.Ordinal) && RuleId().Match(line) is { Success: true } rule)
            {
                Assert.True(reasons.Contains(rule.Value), $".editorconfig: {rule.Value} is switched off without a reason.");
            }
        }
    }

    [Theory]
    [InlineData("#pragma warning disable CS1591", 1)]
    [InlineData("#pragma warning disable CS1591 // The names are the documentation.", 0)]
    [InlineData("// The names are the documentation.\n#pragma warning disable CS1591", 0)]
    [InlineData("[SuppressMessage(\"Usage\", \"CA2213\")]", 1)]
    [InlineData("[SuppressMessage(\"Usage\", \"CA2213\", Justification = \"Owned by the host.\")]", 0)]
    public void CodeFindings_OfASample_AreAsExpected(string source, int expected) =>
        Assert.Equal(expected, CodeFindings("sample.cs", source).Count());

    [Theory]
    [InlineData("<NoWarn>CS1591</NoWarn>", 1)]
    [InlineData("<!-- CS1591: the wire names explain themselves. -->\n<NoWarn>CS1591</NoWarn>", 0)]
    [InlineData("<TreatWarningsAsErrors>false</TreatWarningsAsErrors>", 1)]
    public void ProjectFindings_OfASample_AreAsExpected(string source, int expected) =>
        Assert.Equal(expected, ProjectFindings("sample.csproj", source).Count());

    private static IEnumerable<string> CodeFindings(string path, string source)
    {
        string[] lines = source.Split('\n');
        for (int index = 0; index < lines.Length; index++)
        {
            string line = lines[index].Trim();
            bool hasReason = line.Contains("// ", StringComparison.Ordinal) || (index > 0 && lines[index - 1].TrimStart().StartsWith("// ", StringComparison.Ordinal));
            if (line.StartsWith("#pragma warning disable", StringComparison.Ordinal) && !hasReason)
            {
                yield return $"{path}:{index + 1}: a warning is disabled without a reason.";
            }

            if (SuppressMessageAttribute().IsMatch(line) && !line.Contains("Justification = \"", StringComparison.Ordinal) && !hasReason)
            {
                yield return $"{path}:{index + 1}: SuppressMessage without a Justification.";
            }
        }
    }

    private static IEnumerable<string> ProjectFindings(string path, string source)
    {
        string[] lines = source.Split('\n');
        for (int index = 0; index < lines.Length; index++)
        {
            bool hasReason = lines[index].Contains("<!--", StringComparison.Ordinal) || (index > 0 && lines[index - 1].Contains("-->", StringComparison.Ordinal));
            if (LoosenedBuild().IsMatch(lines[index]) && !hasReason)
            {
                yield return $"{path}:{index + 1}: the build is loosened without a reason.";
            }
        }
    }

    [GeneratedRegex(@"^\[(?:\w+:\s*)?(?:\w+\.)*(?:Unconditional)?SuppressMessage\b")]
    private static partial Regex SuppressMessageAttribute();

    [GeneratedRegex(@"<NoWarn>|\bNoWarn=|<WarningsNotAsErrors>|<TreatWarningsAsErrors>\s*false|<Nullable>\s*disable")]
    private static partial Regex LoosenedBuild();

    [GeneratedRegex(@"\b[A-Za-z]{2,10}\d{4}\b")]
    private static partial Regex RuleId();
}
