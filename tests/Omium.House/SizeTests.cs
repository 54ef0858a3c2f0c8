using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Omium.House;

/// <summary>
/// Small and in order: 500 lines a file, 100 lines a function (the aim is 70). What is larger stands in ratchet.txt with its size and
/// its reason; it may shrink, never grow, and leaves the list once it is small enough.
/// </summary>
public sealed class SizeTests
{
    private const int FileLinesMax = 500;
    private const int FunctionLinesMax = 100;
    private const string RatchetPath = "tests/Omium.House/ratchet.txt";

    [Fact]
    public void Files_UnderSrcAndConsole_AreSmall()
    {
        var sizes = Repository.Matching("src/", ".cs", ".py", ".ts", ".tsx")
            .Concat(Repository.Matching("static-web/src/", ".ts", ".tsx", ".css"))
            .Where(path => !IsGenerated(path))
            .ToDictionary(path => path, path => LineCount(Repository.Read(path)));

        Repository.AssertNone(Compare(sizes, FileLinesMax, isFunction: false));
    }

    [Fact]
    public void Functions_UnderSrc_AreSmall()
    {
        var sizes = new Dictionary<string, int>();
        foreach (string path in Repository.Matching("src/", ".cs"))
        {
            foreach (var (name, lines) in Functions(Repository.Read(path)))
            {
                // Overloads share a name; the longest counts.
                string key = $"{path}#{name}";
                sizes[key] = Math.Max(lines, sizes.GetValueOrDefault(key));
            }
        }

        Repository.AssertNone(Compare(sizes, FunctionLinesMax, isFunction: true));
    }

    [Fact]
    public void Functions_OfASample_AreMeasuredWithTheirWholeBody()
    {
        const string sample = """
            class Sample
            {
                int Short() => 1;

                int Long(int number)
                {
                    int Local()
                    {
                        return 2;
                    }

                    return Local();
                }

                string Property
                {
                    get
                    {
                        return "{";
                    }
                }
            }
            """;

        Assert.Equal([("Short", 1), ("Long", 9), ("Local", 4), ("Property", 4)], Functions(sample));
    }

    private static IEnumerable<string> Compare(Dictionary<string, int> sizes, int limit, bool isFunction)
    {
        var ratchet = ReadRatchet().Where(entry => entry.Key.Contains('#', StringComparison.Ordinal) == isFunction).ToDictionary();
        foreach (var (name, lines) in sizes)
        {
            int allowed = ratchet.GetValueOrDefault(name, limit);
            if (lines > allowed)
            {
                yield return $"{name}: {lines} lines, allowed are {allowed}.";
            }
            else if (allowed > limit && lines <= limit)
            {
                yield return $"{name}: {lines} lines; small enough to leave {RatchetPath}.";
            }
        }

        foreach (string name in ratchet.Keys.Where(name => !sizes.ContainsKey(name)))
        {
            yield return $"{name} stands in {RatchetPath} and is gone.";
        }
    }

    // A line: `path[#function] lines reason`.
    private static Dictionary<string, int> ReadRatchet()
    {
        var ratchet = new Dictionary<string, int>();
        foreach (string line in Repository.Read(RatchetPath).Split('\n').Where(line => line.Length > 0 && line[0] != '#'))
        {
            string[] parts = line.Split(' ', 3);
            Assert.True(parts.Length == 3 && parts[2].Length >= 20, $"{RatchetPath}: this line gives no reason: {line}");
            ratchet.Add(parts[0], int.Parse(parts[1], CultureInfo.InvariantCulture));
        }

        return ratchet;
    }

    private static IEnumerable<(string Name, int Lines)> Functions(string source) =>
        from node in CSharpSyntaxTree.ParseText(source, CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest)).GetRoot().DescendantNodes()
        let name = FunctionName(node)
        where name is not null
        let span = node.GetLocation().GetLineSpan()
        select (name, span.EndLinePosition.Line - span.StartLinePosition.Line + 1);

    private static string? FunctionName(SyntaxNode node) => node switch
    {
        MethodDeclarationSyntax method => method.Identifier.Text,
        LocalFunctionStatementSyntax local => local.Identifier.Text,
        ConstructorDeclarationSyntax constructor => constructor.Identifier.Text + ".ctor",
        OperatorDeclarationSyntax @operator => "operator " + @operator.OperatorToken.Text,
        AccessorDeclarationSyntax { Parent.Parent: PropertyDeclarationSyntax property } accessor when HasBody(accessor) => property.Identifier.Text,
        PropertyDeclarationSyntax { ExpressionBody: not null } property => property.Identifier.Text,
        _ => null,
    };

    private static bool HasBody(AccessorDeclarationSyntax accessor) => accessor.Body is not null || accessor.ExpressionBody is not null;

    private static bool IsGenerated(string path) =>
        path.Contains("/generated/", StringComparison.Ordinal) || path.EndsWith(".generated.ts", StringComparison.Ordinal);

    private static int LineCount(string text) => text.Split('\n').Length - (text.EndsWith('\n') ? 1 : 0);
}
