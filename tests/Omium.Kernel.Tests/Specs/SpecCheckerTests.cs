using System.Text.Json;
using Omium.Kernel.Specs;
using Xunit;

namespace Omium.Kernel.Tests.Specs;

public class SpecCheckerTests
{
    private const string Tools = """
        "agents": {"writer": {"prompt": "p", "tools": ["wipe"]}},
        "tools": {
          "look": {"type": "function"},
          "undo": {"type": "function", "effect": {"kind": "idempotent"}},
          "pay": {"type": "function", "input": {"schema": {"type": "object", "properties": {"usd": {"type": "number"}}}}, "effect": {"kind": "idempotent", "compensate": "undo", "amount": "input.usd"}},
          "wipe": {"type": "function", "effect": {"kind": "irreversible"}}
        }
        """;

    [Fact]
    public void Check_ApprovalBeforeIrreversible_IsClean() => AssertCodes(
        [], """{"id": "ask", "type": "human_approval"}, {"id": "wipe", "type": "tool_call", "tool": "wipe", "needs": ["ask"]}""");

    [Fact]
    public void Check_ApprovalFarBeforeIrreversible_IsClean() => AssertCodes(
        [],
        """
        {"id": "ask", "type": "human_approval"}, {"id": "a", "type": "agent_task", "agent": "writer", "needs": ["ask"]},
        {"id": "b", "type": "agent_task", "agent": "writer", "needs": ["ask"]}, {"id": "wipe", "type": "tool_call", "tool": "wipe", "needs": ["a", "b"]}
        """);

    [Fact]
    public void Check_ApprovalOnOnePathOnly_IsAnError() => AssertCodes(
        ["irreversible_without_approval"],
        """
        {"id": "ask", "type": "human_approval"}, {"id": "other", "type": "agent_task", "agent": "writer"},
        {"id": "wipe", "type": "tool_call", "tool": "wipe", "needs": ["ask", "other"]}
        """);

    [Theory]
    [InlineData("failure")]
    [InlineData("always")]
    public void Check_ApprovalLeftOtherThanOnSuccess_IsNoApproval(string on) => AssertCodes(
        ["irreversible_without_approval"],
        """{"id": "ask", "type": "human_approval"}, {"id": "wipe", "type": "tool_call", "tool": "wipe"}""",
        $$"""{"from": "ask", "to": "wipe", "on": "{{on}}"}""");

    [Fact]
    public void Check_IrreversibleToolOfAnAgent_AsksAtRunTime() => AssertCodes([], """{"id": "a", "type": "agent_task", "agent": "writer"}""");

    [Fact]
    public void Check_BoundedLoop_IsClean() => AssertCodes(
        [],
        """
        {"id": "start", "type": "agent_task", "agent": "writer"}, {"id": "write", "type": "agent_task", "agent": "writer", "needs": ["start"]},
        {"id": "review", "type": "agent_task", "agent": "writer", "needs": ["write"], "input": {"draft": "${{ steps.write.output }}"}}
        """,
        """{"from": "review", "to": "write", "when": "!output.good", "max_visits": 3}""");

    [Fact]
    public void Check_StepReadsThroughLoop_IsAnAncestor() => AssertCodes(
        [],
        """
        {"id": "start", "type": "agent_task", "agent": "writer"},
        {"id": "write", "type": "agent_task", "agent": "writer", "needs": ["start"], "input": {"critique": "${{ has(steps.review.output) ? steps.review.output.text : '' }}"}},
        {"id": "review", "type": "agent_task", "agent": "writer", "needs": ["write"]}
        """,
        """{"from": "review", "to": "write", "max_visits": 3}""");

    [Fact]
    public void Check_SiblingIsNoAncestor() => AssertCodes(
        ["step_not_before"],
        """{"id": "a", "type": "agent_task", "agent": "writer"}, {"id": "b", "type": "agent_task", "agent": "writer", "input": "${{ steps.a.output }}"}""");

    [Theory]
    [InlineData("type(input.x) == int")]
    [InlineData("input.items.exists(item, item.ok) && now > timestamp('2026-01-01T00:00:00Z')")]
    [InlineData("execution.workflow == 'n' && execution.version >= 1")]
    public void Check_GoodPrecondition_IsClean(string check) => AssertCodes(
        [], $$$"""{"id": "a", "type": "agent_task", "agent": "writer", "guards": {"pre": [{"check": {{{JsonSerializer.Serialize(check)}}}}]}}""");

    [Theory]
    [InlineData("1 + 1", "expression_type")]
    [InlineData("output.x == 1", "unknown_root")]
    [InlineData("secrets.key == 'x'", "secret_misplaced")]
    [InlineData("steps['a'].output.x == 1", "step_not_before")]
    [InlineData("steps[input.which].output == 1", "expression_type")]
    [InlineData("nosuchfunction(input.x)", "expression_type")]
    [InlineData("string(input.x).matches('(a')", "expression_type")]
    [InlineData("string(input.x).matches('((a{1,1000}){1,1000}){1,1000}')", "expression_type")]
    [InlineData("input.x >", "expression_syntax")]
    public void Check_BadPrecondition_IsOneFinding(string check, string code) => AssertCodes(
        [code], $$$"""{"id": "a", "type": "agent_task", "agent": "writer", "guards": {"pre": [{"check": {{{JsonSerializer.Serialize(check)}}}}]}}""");

    [Fact]
    public void Check_InputOfTool_IsTypedByItsOwnArguments()
    {
        var finding = Assert.Single(Findings("""{"id": "a", "type": "tool_call", "tool": "pay", "effect": {"kind": "idempotent", "compensate": "undo", "amount": "input.usd + 'x'"}}""", ""));

        Assert.Equal(("expression_type", "/steps/0/effect/amount"), (finding.Code, finding.Pointer));
    }

    [Fact]
    public void Check_MarkersInKeys_AreEscapedInPointers()
    {
        var reading = SpecChecker.ReadAndCheck(JsonElement.Parse("""{"omium": "v0", "name": "n", "tools": {"a/b~c": {"type": "function"}}, "steps": [{"id": "s", "type": "tool_call", "tool": "a/b~c"}]}"""));

        Assert.Equal("/tools/a~1b~0c", Assert.Single(reading.Findings).Pointer);
    }

    [Fact]
    public void Check_LongestCycle_IsOneShortFinding()
    {
        var spec = Chain(1_000) with { Edges = [.. Chain(1_000).Edges, new EdgeSpec { From = "s999", To = "s1", Pointer = "/edges/0" }] };

        var finding = Assert.Single(SpecChecker.Check(spec), finding => finding.Severity == SpecSeverity.Error);

        Assert.Equal(("unbounded_cycle", "/edges/0"), (finding.Code, finding.Pointer));
        Assert.True(finding.Message.Length < 200, finding.Message);
    }

    [Fact]
    public void Check_TooManySteps_IsRefusedAtOnce()
    {
        var finding = Assert.Single(SpecChecker.Check(Chain(SpecLimits.StepsMax + 1)));

        Assert.Equal(("workflow_too_large", "/steps"), (finding.Code, finding.Pointer));
    }

    [Fact]
    public void Check_LargestWorkflow_IsCheckedInBoundedTime()
    {
        var chain = Chain(SpecLimits.StepsMax);
        var steps = chain.Steps.Select((step, index) => index == 0 ? step : step with { Pre = [new GuardSpec($"steps.s{index / 2}.output.x == 1 || index == 2", "guard_failed", null)] }).ToList();
        var edges = chain.Edges.Concat(Enumerable.Range(0, SpecLimits.EdgesMax - chain.Edges.Count).Select(index =>
            new EdgeSpec { From = $"s{index % 5_000}", To = $"s{5_000 + (index * 7 % 5_000)}", When = $"output.n == {index}", Pointer = $"/edges/{index}" })).ToList();
        var since = ThreadClock.Now;

        var findings = SpecChecker.Check(chain with { Steps = steps, Edges = edges });

        var took = ThreadClock.Now - since;
        Assert.Contains(findings, finding => finding.Code == "unknown_root");
        Assert.True(took < TimeSpan.FromSeconds(20), $"{took} for {SpecLimits.StepsMax} steps and {SpecLimits.EdgesMax} edges");
    }

    [Fact]
    public void Check_IsAncestor_AgreesWithAWalk()
    {
        // Random graphs, loops included: the bit sets must say what a plain search says.
        var state = 7u;
        for (var round = 0; round < 60; round++)
        {
            var count = 2 + (int)(Next() % 9);
            var edges = Enumerable.Range(0, (int)(Next() % 20)).Select(_ => (From: (int)(Next() % (uint)count), To: (int)(Next() % (uint)count))).ToList();
            var spec = Chain(count) with { Edges = [.. edges.Select(edge => new EdgeSpec { From = $"s{edge.From}", To = $"s{edge.To}", VisitsMax = 1 })] };
            var graph = new Kernel.Specs.Checking.StepGraph(spec, spec.Steps.Select((step, index) => (step.Id, index)).ToDictionary());
            for (var from = 0; from < count; from++)
            {
                var isReached = graph.Reachable(graph.Outgoing(from).Select(pair => pair.To), (_, _) => true);
                Assert.All(Enumerable.Range(0, count), to => Assert.Equal(isReached[to], graph.IsAncestor(from, to)));
            }
        }

        uint Next() => (state = (state * 1_664_525) + 1_013_904_223) >> 8;
    }

    [Theory]
    [InlineData("http_503", true)]
    [InlineData("http_429", true)]
    [InlineData("connection_refused", true)]
    [InlineData("turns_exhausted", true)]
    [InlineData("too_many_items_failed", true)]
    [InlineData("tool_error", true)]
    [InlineData("high_apr", true)] // A guard's.
    [InlineData("http_5xx", false)]
    [InlineData("http_200", false)]
    [InlineData("http_5030", false)]
    [InlineData("http_", false)]
    [InlineData("conection_refused", false)]
    public void Check_CodeOfARule_IsWarnedOfOnlyWhereNothingGivesIt(string code, bool known)
    {
        string[] expected = known ? [] : ["unmatched_code"];
        Assert.Equal(expected, Codes("""{"id": "a", "type": "agent_task", "agent": "writer", "guards": {"post": [{"check": "true", "code": "high_apr"}]}}"""));
        Assert.Empty(Codes("""{"id": "a", "type": "workflow", "workflow": "other"}, {"id": "b", "type": "agent_task", "agent": "writer", "guards": {"post": [{"check": "true", "code": "high_apr"}]}}"""));

        IEnumerable<string> Codes(string steps) => SpecChecker.ReadAndCheck(JsonElement.Parse(
            $$$"""{"omium": "v0", "name": "n", {{{Tools}}}, "steps": [{{{steps}}}], "recovery": {"rules": [{"on": ["{{{code}}}"], "do": ["retry"]}]}}""")).Findings.Select(finding => finding.Code);
    }

    private static WorkflowSpec Chain(int count) => new()
    {
        Name = "chain",
        Steps = [.. Enumerable.Range(0, count).Select(index => new StepSpec { Id = $"s{index}", Type = StepType.Decision })],
        Edges = [.. Enumerable.Range(1, count - 1).Select(index => new EdgeSpec { From = $"s{index - 1}", To = $"s{index}", Pointer = $"/steps/{index}/needs/0" })],
    };

    private static void AssertCodes(string[] codes, string steps, string edges = "") =>
        Assert.Equal(codes, Findings(steps, edges).Select(finding => finding.Code));

    private static IReadOnlyList<SpecFinding> Findings(string steps, string edges) =>
        SpecChecker.ReadAndCheck(JsonElement.Parse($$"""{"omium": "v0", "name": "n", {{Tools}}, "steps": [{{steps}}], "edges": [{{edges}}]}""")).Findings;
}
