using Omium.Runtime.Conformance;
using Xunit;

namespace Omium.Kernel.Tests.Expressions;

/// <summary>The specification's own cases. Known misses are listed in docs/reference/cel-conformance.md, and only there.</summary>
public class CelConformanceTests
{
    private static readonly string[] _extensions = ["string_ext", "math_ext"];

    [Fact]
    public void Cases_OfTheCore_PassExceptKnownMisses() => AssertPass(file => !_extensions.Contains(file), ratioMin: 0.95);

    [Fact]
    public void Cases_OfTheStringExtension_PassExceptKnownMisses() => AssertPass(file => file == "string_ext", ratioMin: 0.80);

    [Fact]
    public void Cases_OfTheMathExtension_PassExceptKnownMisses() => AssertPass(file => file == "math_ext", ratioMin: 0.80);

    private static void AssertPass(Func<string, bool> takes, double ratioMin)
    {
        List<CelCaseOutcome> outcomes =
        [
            .. Directory.GetFiles(Folder(), "*.json").Order(StringComparer.Ordinal)
                .Where(file => takes(Path.GetFileNameWithoutExtension(file))).SelectMany(CelCases.RunFile),
        ];
        List<string> misses = [.. outcomes.Where(outcome => !outcome.Passed).Select(outcome => outcome.Name)];
        Assert.NotEmpty(outcomes);
        Assert.True(1 - ((double)misses.Count / outcomes.Count) >= ratioMin, string.Join('\n', misses));

        HashSet<string> known = KnownMisses();
        IEnumerable<string> unlisted = outcomes.Where(outcome => !outcome.Passed && !known.Contains(outcome.Name))
            .Select(outcome => $"{outcome.Name}: {outcome.Expression}: {outcome.Detail}");
        Assert.Empty(unlisted);
        Assert.Empty(outcomes.Where(outcome => outcome.Passed && known.Contains(outcome.Name)).Select(outcome => outcome.Name));
    }

    /// <summary>The names in the list under "Known misses", one per line in backquotes.</summary>
    private static HashSet<string> KnownMisses()
    {
        string page = File.ReadAllText(Path.Combine(Root(), "docs", "reference", "cel-conformance.md"));
        int start = page.IndexOf("## Known misses", StringComparison.Ordinal);
        Assert.True(start >= 0, "the page has no list of known misses");
        return [.. page[start..].Split('\n').Where(line => line.StartsWith("- `", StringComparison.Ordinal)).Select(line => line.Split('`')[1])];
    }

    private static string Folder()
    {
        string folder = Environment.GetEnvironmentVariable("OMIUM_CONFORMANCE") is { Length: > 0 } given
            ? Path.Combine(given, "cel") : Path.Combine(Root(), "..", "shared", "conformance", "cel");
        Assert.SkipUnless(Directory.Exists(folder), "the public CEL cases are not here (OMIUM_CONFORMANCE names their folder)");
        return folder;
    }

    private static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Omium.slnf")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("the tests must run inside the repository");
    }
}
