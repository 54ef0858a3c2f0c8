using System.Text;
using Omium.Api.Access;

namespace Omium.Api.Tests.Access;

/// <summary>The table of docs/reference/access.md is the one that is enforced. OMIUM_GOLDEN=write writes it.</summary>
public sealed class AccessDocumentTests
{
    private const string Start = "<!-- routes -->\n", End = "<!-- /routes -->";
    private static readonly string Page = Path.Combine(ApiHost.RepositoryRoot(), "docs", "reference", "access.md");

    [Fact]
    public void Routes_OfTheDocument_AreThoseThatAreEnforced()
    {
        var text = File.ReadAllText(Page);
        var (from, to) = (text.IndexOf(Start, StringComparison.Ordinal) + Start.Length, text.IndexOf(End, StringComparison.Ordinal));
        if (Environment.GetEnvironmentVariable("OMIUM_GOLDEN") is "write" or "break")
        {
            File.WriteAllText(Page, text[..from] + Table() + text[to..]);
            return;
        }

        Assert.Equal(Table(), text[from..to]);
    }

    [Fact]
    public void Roles_OfTheDocument_AreThoseThatAreEnforced()
    {
        var lines = File.ReadAllLines(Page);
        foreach (var (word, scope) in ScopeWords.All)
        {
            var cells = Array.Find(lines, line => line.StartsWith($"| `{word}` |", StringComparison.Ordinal))!.Split('|').Select(cell => cell.Trim()).ToArray();
            Assert.Equal(Roles.All.Select(known => known.Scopes.HasFlag(scope) ? "yes" : ""), cells[3..7]);
        }
    }

    private static string Table()
    {
        var text = new StringBuilder("| scope | routes |\n|---|---|\n");
        foreach (var (scope, routes) in AccessTable.All)
        {
            var word = scope == Scopes.None ? "any caller" : $"`{ScopeWords.Of(scope)[0]}`";
            text.Append("| ").Append(word).Append(" | ").AppendJoin(", ", routes.Order(StringComparer.Ordinal).Select(route => $"`{route}`")).Append(" |\n");
        }

        return text.ToString();
    }
}
