using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Schemas;
using Omium.Kernel.Specs;
using Omium.Kernel.Tests.Executions;
using Omium.Runtime.Specs;
using Xunit;

namespace Omium.Kernel.Tests.Specs;

/// <summary>How guards in their short forms, plans and bounds are written: what is refused on save, where, and that the schema agrees.</summary>
public sealed class GuardFormTests
{
    [Theory]
    [InlineData("\"guards\": {\"post\": [{\"uses\": [\"input.a\"]}]}", "")]
    [InlineData("\"guards\": {\"post\": [{\"grounded\": {\"values\": [\"output.a\"], \"from\": [\"visit.input\"], \"allow\": [1, \"EUR\"]}, \"code\": \"hallucination\"}]}", "")]
    [InlineData("\"guards\": {\"post\": [{\"called\": [\"look\"]}, {\"asks\": \"output.question\", \"when_missing\": [\"input.a\"]}]}", "")]
    [InlineData("\"guards\": {\"calls\": [{\"grounded\": [\"call.arguments\"], \"tools\": [\"look\"]}, {\"check\": \"call.turn < 3\"}]}", "")]
    [InlineData("\"plan\": \"turn\"", "")]
    [InlineData("\"plan\": \"input.plan\"", "")]
    [InlineData("\"guards\": {\"post\": [{\"uses\": []}]}", "out_of_bounds /steps/0/guards/post/0/uses")]
    [InlineData("\"guards\": {\"post\": [{\"uses\": [\"input.\"]}]}", "expression_syntax /steps/0/guards/post/0/uses/0")]
    [InlineData("\"guards\": {\"post\": [{\"uses\": [\"nothing.a\"]}]}", "unknown_root /steps/0/guards/post/0/uses")]
    [InlineData("\"guards\": {\"post\": [{\"uses\": [\"steps.zz.output\"]}]}", "unknown_reference /steps/0/guards/post/0/uses")]
    [InlineData("\"guards\": {\"post\": [{\"uses\": [\"input.a\"], \"check\": \"true\"}]}", "property_not_applicable /steps/0/guards/post/0/check")]
    [InlineData("\"guards\": {\"post\": [{\"uses\": \"input.a\"}]}", "wrong_type /steps/0/guards/post/0/uses")]
    [InlineData("\"guards\": {\"post\": [{\"grounded\": {\"values\": [\"output\"], \"allow\": [true]}}]}", "wrong_type /steps/0/guards/post/0/grounded/allow/0")]
    [InlineData("\"guards\": {\"post\": [{\"asks\": \"output.q\"}]}", "required_missing /steps/0/guards/post/0")]
    [InlineData("\"guards\": {\"post\": [{\"called\": [\"zz\"]}]}", "unknown_reference /steps/0/guards/post/0")]
    [InlineData("\"guards\": {\"post\": [{\"called\": [\"other\"]}]}", "unknown_reference /steps/0/guards/post/0")]
    [InlineData("\"guards\": {\"post\": [{\"code\": \"x\"}]}", "required_missing /steps/0/guards/post/0")]
    [InlineData("\"guards\": {\"pre\": [{\"uses\": [\"input.a\"]}]}", "required_missing /steps/0/guards/pre/0|unknown_property /steps/0/guards/pre/0/uses")]
    [InlineData("\"guards\": {\"post\": [{\"check\": \"visit.nothing == 1\"}]}", "expression_type /steps/0/guards/post/0/check")]
    [InlineData("\"guards\": {\"post\": [{\"check\": \"call.tool == 'x'\"}]}", "unknown_root /steps/0/guards/post/0/check")]
    [InlineData("\"plan\": \"nothing\"", "unknown_root /steps/0/plan")]
    public void Guard_Written_GivesTheseFindings(string member, string expected)
    {
        var source = Source(member);
        var findings = SpecChecker.ReadAndCheck(source).Findings.Where(finding => finding.Severity == SpecSeverity.Error).ToList();
        Assert.Equal(expected, string.Join('|', findings.Select(finding => $"{finding.Code} {finding.Pointer}").Distinct()));
        var isOfShape = findings.TrueForAll(finding => finding.Code is "unknown_root" or "unknown_reference" or "expression_syntax" or "expression_type");
        Assert.Equal(isOfShape, Schema().Validate(source).IsValid);
    }

    [Theory]
    [InlineData("tool_call", "\"tool\": \"look\", \"guards\": {\"calls\": [{\"check\": \"true\"}]}", "property_not_applicable /steps/0/guards/calls")]
    [InlineData("decision", "\"plan\": \"turn\"", "property_not_applicable /steps/0/plan")]
    public void Conduct_OfAStepWithoutAgent_IsRefused(string type, string member, string expected)
    {
        var source = KernelHarness.Json($$$"""{"omium": "v0", "name": "w", "tools": {"look": {"type": "function"}}, "steps": [{"id": "a", "type": "{{{type}}}", {{{member}}} }]}""");
        Assert.Contains(expected, SpecChecker.ReadAndCheck(source).Findings.Select(finding => $"{finding.Code} {finding.Pointer}"));
    }

    [Theory]
    [InlineData("{\"max_visits\": 10, \"max_same_calls\": 1, \"max_same_visits\": 1000}", "")]
    [InlineData("{\"max_visits\": 0}", "out_of_bounds /bounds/max_visits")]
    [InlineData("{\"max_same_calls\": 1001}", "out_of_bounds /bounds/max_same_calls")]
    [InlineData("{\"max_same_visits\": \"x\"}", "wrong_type /bounds/max_same_visits")]
    [InlineData("{\"max_steps\": 3}", "unknown_property /bounds/max_steps")]
    public void Bounds_Written_GiveTheseFindings(string bounds, string expected)
    {
        var source = KernelHarness.Json($$$"""{"omium": "v0", "name": "w", "bounds": {{{bounds}}}, "steps": [{"id": "a", "type": "decision"}]}""");
        Assert.Equal(expected, string.Join('|', SpecChecker.ReadAndCheck(source).Findings.Where(finding => finding.Severity == SpecSeverity.Error).Select(finding => $"{finding.Code} {finding.Pointer}")));
        Assert.Equal(expected.Length == 0, Schema().Validate(source).IsValid);
    }

    [Theory]
    [InlineData("it's")]
    [InlineData("back\\slash")]
    [InlineData("line\nbreak\u0001")]
    [InlineData("${{ input.x }}")]
    public void Literal_OfAnyText_ReadsAsItself(string text)
    {
        var expression = CelExpression.TryCompile(GuardForms.Literal(text), out _)!;
        Assert.Equal(text, ((CelString)expression.Evaluate(new DictionaryBindings()).Value!).Value);
    }

    [Fact]
    public void MastModes_AreThePapersFourteen_EachWithAClassOfItsOwn()
    {
        Assert.Equal(
            ["FM-1.1", "FM-1.2", "FM-1.3", "FM-1.4", "FM-1.5", "FM-2.1", "FM-2.2", "FM-2.3", "FM-2.4", "FM-2.5", "FM-2.6", "FM-3.1", "FM-3.2", "FM-3.3"],
            MastModes.All.Select(mode => mode.Id));
        Assert.Equal(14, MastModes.All.Select(mode => mode.Class).Distinct().Count());
        Assert.All(MastModes.All, mode => Assert.Equal(mode.Id[3] switch { '1' => "specification", '2' => "inter_agent_misalignment", _ => "verification" }, FailureClasses.Groups[mode.Class]));
    }

    private static JsonElement Source(string member) => KernelHarness.Json($$$"""
        {"omium": "v0", "name": "w", "agents": {"one": {"prompt": "p", "tools": ["look"]}}, "tools": {"look": {"type": "function"}, "other": {"type": "function"}},
         "steps": [{"id": "a", "type": "agent_task", "agent": "one", {{{member}}} }]}
        """);

    private static JsonSchema Schema() => JsonSchema.TryCompile(SpecSchema.Json, out _)!;
}
