using System.Text.RegularExpressions;
using Omium.Kernel.Specs;

namespace Omium.Runtime.Tests.Specs;

/// <summary>The list of codes is that of the places that raise them, and that of the documentation.</summary>
public sealed partial class FailureCodesTests
{
    /// <summary>Codes that never fail an attempt of a step: of what undoes, verifies or measures, of traced programs (they run no rules of a spec), of refused commands, and no codes at all.</summary>
    private static readonly string[] OfNoStep =
    [
        "child_erased", "child_residue", "claim_arguments", "claim_expression", "claim_not_seen", "compensation_in_doubt", "malformed_verdict", "asked_again",
        "content_policy_violation", "effect_not_due", "task_fenced",
    ];

    [Fact]
    public void All_HoldsEveryCodeThatIsRaised()
    {
        var raised = new[] { "src/Omium.Kernel/Executions", "src/Omium.Runtime/Effects", "src/Omium.Runtime/Resources" }
            .SelectMany(folder => Directory.GetFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories))
            .SelectMany(path => CodesOf(File.ReadAllText(path))).ToHashSet(StringComparer.Ordinal);
        Assert.Contains("runner_stalled", raised); // The scan finds what it is to find: in both projects, in helpers, behind a question mark.
        Assert.Contains("url_invalid", raised);
        Assert.Contains("same_effect_again", raised);
        Assert.Contains("mcp_server_failed", raised);
        Assert.Empty(raised.Except(FailureClasses.Groups.Keys).Except(OfNoStep).Where(code => !FailureCodes.IsBuiltIn(code)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void All_NamesEachOnceAndNoClass()
    {
        Assert.Equal(FailureCodes.All.Count, FailureCodes.All.Distinct().Count());
        Assert.Empty(FailureCodes.All.Intersect(FailureClasses.Groups.Keys));
        var document = Repository.Read("docs/reference/failure-classes.md");
        Assert.All(FailureCodes.All, code => Assert.Contains($"`{code}`", document, StringComparison.Ordinal));
    }

    /// <summary>What stands before the message (the first text with a blank) where a failure is made.</summary>
    private static IEnumerable<string> CodesOf(string source) => Makers().Matches(source).SelectMany(maker => Texts()
        .Matches(source.Substring(maker.Index + maker.Length, Math.Min(300, source.Length - maker.Index - maker.Length))).Select(text => text.Groups[1].Value)
        .TakeWhile(text => !text.Contains(' ', StringComparison.Ordinal)).Where(text => Word().IsMatch(text)));

    // Failing and EffectFailure themselves, target-typed ones behind their class, and the helpers that make one of a code.
    [GeneratedRegex(@"\b(?:(?:Failing|EffectFailure|Failed|Refused|RequestRefusedException|Unreached|ResponseUnusable|Unfit|RefuseUnless)\(|(?:new|Of)\(\s*(?=FailureClasses\.|""|\$""|\w[^\n;]*\? "")|new Failure\()")]
    private static partial Regex Makers();

    [GeneratedRegex(@"""((?:[^""\\]|\\.)*)""")]
    private static partial Regex Texts();

    [GeneratedRegex(@"^[a-z][a-z0-9]*(_[a-z0-9]+)+$")]
    private static partial Regex Word();
}
