using System.Globalization;
using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Kernel.Specs.Suggestions;
using Omium.Kernel.Tests.Executions;
using Xunit;

namespace Omium.Kernel.Tests.Specs;

/// <summary>What is proposed for a workflow, and the law of it: any subset of the patches, in any order, leaves the static checks without a new error.</summary>
public sealed class SpecSuggesterTests
{
    private const int Seeds = 400;

    [Fact]
    public void Suggest_ATeamWithEffects_ProposesEachWithItsReasonAndPatch()
    {
        var suggestions = SpecSuggester.Suggest(Team);
        Assert.Equal(
            ["checkpoint.write", "guard.write.grounded_calls", "guard.write.plan", "checkpoint.review", "approval.send", "recovery.policy"],
            suggestions.Select(suggestion => suggestion.Id).Where(id => id.Split('.')[0] is not ("lock" or "handoff")));
        Assert.All(suggestions, suggestion => Assert.True(suggestion.Reason.Length > 20 && suggestion.Title.Length > 5 && suggestion.Patch.Count > 0));
        Assert.All(suggestions.Where(suggestion => suggestion.Pointer.Length > 0), suggestion => Assert.True(JsonPointer.TryResolve(Team, suggestion.Pointer, out _)));
    }

    [Fact]
    public void Suggest_AllAccepted_MendsTheMissingApproval_AndNothingIsLeftToSay()
    {
        var errors = SpecChecker.ReadAndCheck(Team).Findings.Where(finding => finding.Severity == SpecSeverity.Error).Select(finding => finding.Code);
        Assert.Equal(["irreversible_without_approval"], errors);
        Assert.True(JsonPatch.TryApply(Team, SpecSuggester.Suggest(Team).SelectMany(suggestion => suggestion.Patch), out var patched, out var problem), problem);
        Assert.False(SpecChecker.ReadAndCheck(patched).HasErrors);
        Assert.Equal("approve_send", patched.GetProperty("steps")[2].GetProperty("needs")[0].GetString());
        Assert.DoesNotContain(SpecSuggester.Suggest(patched), suggestion => suggestion.Kind is SuggestionKinds.Approval or SuggestionKinds.Guard or SuggestionKinds.Checkpoint or SuggestionKinds.Lock);
    }

    /// <summary>Handoffs and locks are proposed by the kernel that runs them, never by one that would refuse them on save.</summary>
    [Fact]
    public void Suggest_AgentsThatHandOnAndCustomersThatAreShared_HandoffsAndLocks()
    {
        var source = KernelHarness.Json("""
            {"omium": "v0", "name": "team", "agents": {"one": {"prompt": "p"}, "two": {"prompt": "p"}},
             "tools": {"pay": {"type": "function", "effect": {"kind": "idempotent", "compensate": "pay"}}},
             "steps": [
               {"id": "find", "type": "agent_task", "agent": "one"},
               {"id": "write", "type": "agent_task", "agent": "two", "input": {"total": "${{ steps.find.output.total }}"}},
               {"id": "pay", "type": "tool_call", "tool": "pay", "input": {"customer_id": "${{ input.customer_id }}"}}],
             "edges": [{"from": "find", "to": "write"}, {"from": "write", "to": "pay"}]}
            """);
        var suggestions = SpecSuggester.Suggest(source);
        Assert.Contains(suggestions, suggestion => suggestion.Id == "handoff.find.write");
        Assert.Contains(suggestions, suggestion => suggestion.Id == "lock.pay.customer_id");
    }

    [Fact]
    public void Patch_OnAStepThatIsAnotherByNow_DoesNotFit()
    {
        var suggestion = SpecSuggester.Suggest(Team).First(suggestion => suggestion.Id == "guard.write.plan");
        Assert.True(JsonPatch.TryApply(Team, [new JsonPatchOperation("remove", "/steps/0")], out var other, out _));
        Assert.False(JsonPatch.TryApply(other, suggestion.Patch, out _, out var problem));
        Assert.Contains("/steps/0/id", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void AnySubset_InAnyOrder_AddsNoError()
    {
        var (offered, applied, invalid) = (0, 0, 0);
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var source = RandomSpec(random);
            var before = Errors(source);
            invalid += before.Count > 0 ? 1 : 0;
            var suggestions = SpecSuggester.Suggest(source);
            offered += suggestions.Count;
            for (var subset = 0; subset < 4; subset++)
            {
                var accepted = suggestions.Where(_ => random.Next(2) == 0).OrderBy(_ => random.Next()).ToList();
                applied += accepted.Count;
                Assert.True(JsonPatch.TryApply(source, accepted.SelectMany(suggestion => suggestion.Patch), out var patched, out var problem), $"seed {seed}: {problem}");
                var added = Errors(patched).Except(before).ToList();
                Assert.True(added.Count == 0, $"seed {seed}: {string.Join(", ", accepted.Select(suggestion => suggestion.Id))} brings {string.Join(", ", added)}\n{patched.GetRawText()}");
            }
        }

        // The law says nothing about specs for which nothing is proposed.
        Assert.True(offered > Seeds * 2 && applied > Seeds * 2 && invalid > Seeds / 20 && invalid < Seeds, $"{offered} offered, {applied} applied, {invalid} specs with errors");
        TestContext.Current.TestOutputHelper?.WriteLine($"{Seeds} specs, {invalid} with errors of their own; {offered} suggestions, {applied} applied");
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"omium": "v0", "name": "x", "steps": [null, {"id": 5}], "tools": [], "recovery": 7}""")]
    public void Suggest_WhatIsNoWorkflow_ProposesNothingUnsound(string text)
    {
        var source = KernelHarness.Json(text);
        foreach (var suggestion in SpecSuggester.Suggest(source))
        {
            Assert.True(JsonPatch.TryApply(source, suggestion.Patch, out _, out var problem), problem);
        }
    }

    [Theory]
    [InlineData("""{"a": [1, 2]}""", "add", "/a/-", "3", """{"a":[1,2,3]}""")]
    [InlineData("""{"a": [1, 2]}""", "add", "/a/0", "3", """{"a":[3,1,2]}""")]
    [InlineData("""{"a": [1, 2]}""", "remove", "/a/0", null, """{"a":[2]}""")]
    [InlineData("""{"a": 1}""", "replace", "/a", "{}", """{"a":{}}""")]
    [InlineData("""{"a": 1}""", "test", "/a", "1", """{"a":1}""")]
    [InlineData("""{"a/b": 1}""", "replace", "/a~1b", "2", """{"a/b":2}""")]
    [InlineData("""{"a": 1}""", "replace", "", "[]", "[]")]
    [InlineData("""{"a": 1}""", "test", "/a", "2", null)]
    [InlineData("""{"a": 1}""", "remove", "/b", null, null)]
    [InlineData("""{"a": 1}""", "add", "/b/c", "1", null)]
    [InlineData("""{"a": [1]}""", "add", "/a/2", "1", null)]
    [InlineData("""{"a": [1]}""", "add", "/a/01", "1", null)]
    [InlineData("""{"a": 1}""", "move", "/a", null, null)]
    [InlineData("""{"a": 1}""", "add", "a", "1", null)]
    public void JsonPatch_OneOperation_AppliesOrSaysWhyNot(string document, string op, string path, string? value, string? expected)
    {
        var operation = new JsonPatchOperation(op, path, value is null ? null : KernelHarness.Json(value));
        Assert.Equal(expected is not null, JsonPatch.TryApply(KernelHarness.Json(document), [operation], out var patched, out var problem));
        Assert.Equal(expected is null, problem is not null);
        Assert.Equal(expected ?? KernelHarness.Json(document).GetRawText(), patched.GetRawText());
    }

    private static JsonElement Team => KernelHarness.Json("""
        {"omium": "v0", "name": "team",
         "agents": {"writer": {"prompt": "p", "tools": ["wire"]}, "reviewer": {"prompt": "p"}},
         "tools": {"wire": {"type": "function", "effect": {"kind": "irreversible"}}},
         "steps": [
           {"id": "write", "type": "agent_task", "agent": "writer", "checkpoint": false},
           {"id": "review", "type": "agent_task", "agent": "reviewer", "needs": ["write"], "checkpoint": false},
           {"id": "send", "type": "tool_call", "tool": "wire", "needs": ["review"], "input": {"customer_id": "${{ input.customer_id }}", "text": "${{ steps.review.output }}"}}]}
        """);

    private static List<string> Errors(JsonElement source) =>
        [.. SpecChecker.ReadAndCheck(source).Findings.Where(finding => finding.Severity == SpecSeverity.Error).Select(finding => $"{finding.Code} {finding.Pointer}")];

    /// <summary>A chain with branches of every kind of step that runs, effects and guards here and there, a policy of one of the forms or none.</summary>
    private static JsonElement RandomSpec(Random random)
    {
        string[] kinds = ["", ", \"effect\": {\"kind\": \"idempotent\", \"compensate\": \"undo\"}", ", \"effect\": {\"kind\": \"irreversible\"}"];
        string[] recoveries =
        [
            "", ", \"recovery\": {}", ", \"recovery\": {\"rules\": []}", ", \"recovery\": {\"rules\": [{\"on\": [\"hallucination\"], \"do\": [\"pause\"]}]}",
            ", \"recovery\": {\"rules\": [{\"do\": [\"fail\"]}]}", ", \"recovery\": {\"rollback_triggers\": [{\"policy_violation\": true}], \"recovery_actions\": [\"pause_and_notify\"]}",
            ", \"recovery\": {\"rollback_triggers\": {\"policy_violation\": true}}",
        ];
        string Tool(string name) => $"\"{name}\": {{\"type\": \"function\"{kinds[random.Next(3)]}}}";
        var count = random.Next(1, 8);
        var steps = new List<string>();
        for (var index = 0; index < count; index++)
        {
            var id = random.Next(12) == 0 ? "approve_s1" : string.Create(CultureInfo.InvariantCulture, $"s{index}");
            var needs = index == 0 || random.Next(6) == 0 ? "" : $", \"needs\": [\"{(random.Next(4) == 0 ? "s0" : string.Create(CultureInfo.InvariantCulture, $"s{index - 1}"))}\"]";
            var type = random.Next(4) switch
            {
                0 => "\"type\": \"decision\"",
                1 => "\"type\": \"human_approval\"",
                2 => $"\"type\": \"agent_task\", \"agent\": \"a{random.Next(2)}\"{(random.Next(4) == 0 ? ", \"plan\": \"turn\"" : "")}",
                _ => $"\"type\": \"tool_call\", \"tool\": \"t{random.Next(3)}\"",
            };
            var input = random.Next(3) == 0 ? ", \"input\": {\"customer_id\": \"${{ input.customer_id }}\"}" : "";
            var checkpoint = random.Next(3) switch { 0 => ", \"checkpoint\": false", 1 when random.Next(4) == 0 => $", \"checkpoint\": \"named{index}\"", _ => "" };
            var guards = random.Next(4) switch { 0 => ", \"guards\": {}", 1 => ", \"guards\": {\"post\": [{\"check\": \"true\", \"code\": \"hallucination\"}]}", _ => "" };
            steps.Add($"{{\"id\": \"{id}\", {type}{needs}{input}{checkpoint}{guards}}}");
        }

        var edges = count > 2 && random.Next(2) == 0 ? $"{{\"from\": \"s0\", \"to\": \"s{count - 1}\", \"on\": \"always\"}}" : "";
        return KernelHarness.Json($$$"""
            {"omium": "v0", "name": "random", "agents": {"a0": {"prompt": "p", "tools": ["t0"]}, "a1": {"prompt": "p", "tools": ["t1", "t2"]} },
             "tools": { {{{Tool("t0")}}}, {{{Tool("t1")}}}, {{{Tool("t2")}}}, "undo": {"type": "function", "effect": {"kind": "idempotent", "compensate": "undo"} } },
             "steps": [{{{string.Join(',', steps)}}}], "edges": [{{{edges}}}]{{{recoveries[random.Next(recoveries.Length)]}}} }
            """);
    }
}
