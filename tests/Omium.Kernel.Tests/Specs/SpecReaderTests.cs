using System.Text.Json;
using Omium.Kernel.Specs;
using Xunit;

namespace Omium.Kernel.Tests.Specs;

public class SpecReaderTests
{
    [Fact]
    public void Read_EverythingSupported_IsKept()
    {
        var spec = ReadClean("""
            {
              "omium": "v0", "name": "onboarding", "version": 3, "description": "text", "source_framework": "openai-agents",
              "input": {"schema": {"type": "object"}},
              "agents": {"terms": {"role": "r", "goal": "g", "prompt": "p", "model": "m", "temperature": 0.5, "tools": ["send"], "constraints": ["c"], "max_turns": 4, "max_tokens": 900}},
              "tools": {"send": {
                "type": "http", "method": "PUT", "url": "http://x/${{ input.id }}", "headers": {"a": "b"}, "body": {"x": 1}, "timeout": "5s",
                "input": {"schema": true}, "output": {"schema": {"type": "object"}}, "guards": [{"check": "input.id > 0"}],
                "effect": {"kind": "verifiable", "key": "input.id", "key_ttl": "1h", "verify": "look", "verify_after": "2s", "compensate": "undo", "amount": "input.usd", "fresh": false}}},
              "steps": [
                {"id": "a", "type": "agent_task", "agent": "terms", "checkpoint": false},
                {"id": "b", "type": "tool_call", "tool": "send", "needs": ["a"], "input": {"id": 1}, "output": {"schema": {}}, "checkpoint": "sent",
                 "guards": {"pre": [{"check": "true", "code": "policy_violation", "message": "m"}], "post": [{"check": "output.ok"}]},
                 "effect": {"kind": "idempotent", "compensate": "undo"},
                 "retry": {"max_attempts": 5, "backoff": "constant", "initial": "2s", "condition": "same_failure_not_detected_twice"}, "timeout": "PT1M30S"}
              ],
              "edges": [{"from": "b", "to": "a", "on": "failure", "when": "true", "max_visits": 5}],
              "recovery": {"retry_policy": {"max_retries": 1}}
            }
            """);

        Assert.Equal(("onboarding", 3, "openai-agents"), (spec.Name, spec.Version, spec.SourceFramework));
        var agent = spec.Agents["terms"];
        Assert.Equal(("r", "g", "p", "m", 0.5, 4, 900), (agent.Role, agent.Goal, agent.Prompt, agent.Model, agent.Temperature, agent.TurnsMax, agent.AnswerTokensMax));
        var tool = spec.Tools["send"];
        Assert.Equal((ToolType.Http, "PUT", "http://x/${{ input.id }}", "b"), (tool.Type, tool.Method, tool.Url, tool.Headers["a"]));
        Assert.Equal((TimeSpan.FromSeconds(5), "input.id > 0", "guard_failed"), (tool.Timeout, tool.Guards[0].Check, tool.Guards[0].Code));
        Assert.Equal(
            new EffectSpec
            {
                Kind = EffectKind.Verifiable, Key = "input.id", KeyTtl = TimeSpan.FromHours(1), Verify = "look", VerifyAfter = TimeSpan.FromSeconds(2),
                Compensate = "undo", Amount = "input.usd", Fresh = false,
            },
            tool.Effect);
        var (first, second) = (spec.Steps[0], spec.Steps[1]);
        Assert.False(first.Checkpoint);
        Assert.Equal((true, "sent", TimeSpan.FromSeconds(90)), (second.Checkpoint, second.CheckpointName, second.Timeout));
        Assert.Equal([new GuardSpec("true", "policy_violation", "m")], second.Pre);
        Assert.Equal([new GuardSpec("output.ok", "guard_failed", null)], second.Post);
        Assert.Equal(new RetrySpec(5, new Backoff(false, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2), false), true), second.Retry);
        Assert.Equal(EffectKind.Idempotent, second.Effect!.Kind);
        Assert.Equal(
            [
                new EdgeSpec { From = "a", To = "b", Pointer = "/steps/1/needs/0" },
                new EdgeSpec { From = "b", To = "a", On = EdgeOn.Failure, When = "true", VisitsMax = 5, Pointer = "/edges/0" },
            ],
            spec.Edges);
        Assert.Equal(1, spec.Recovery!.Retry!.RetriesMax);
    }

    [Fact]
    public void Read_ChildOfAnItem_IsRefusedWithTheWayRound()
    {
        var reading = Read("""{"omium": "v0", "name": "n", "steps": [{"id": "w", "type": "workflow", "workflow": "other", "timeout": "5s", "for_each": {"items": "input.list"}}]}""");
        Assert.Equal(["/steps/0/for_each", "/steps/0/timeout"], reading.Findings.Select(finding => finding.Pointer).Order());
        Assert.Contains(reading.Findings, finding => finding.Mend == "Give the child the list, and have its step go over the items.");
    }

    [Theory]
    [InlineData("""{"type": "mcp", "server": "https://tools.example.com/mcp", "headers": {"Authorization": "Bearer ${{ secrets.token }}"}}""")]
    [InlineData("""{"type": "mcp", "server": "${{ secrets.server }}"}""")]
    [InlineData("""{"type": "mcp", "server": "crm-2"}""")]
    [InlineData("""{"type": "mcp"}""", "required_missing /tools/t")]
    [InlineData("""{"type": "mcp", "server": "npx some-server"}""", "invalid_value /tools/t/server")]
    [InlineData("""{"type": "mcp", "server": "ftp://x"}""", "invalid_value /tools/t/server")]
    [InlineData("""{"type": "mcp", "server": "crm", "headers": {"a": "b"}}""", "property_not_applicable /tools/t/headers")]
    [InlineData("""{"type": "mcp", "server": "crm", "url": "https://x", "method": "GET", "body": {}}""", "property_not_applicable /tools/t/body", "property_not_applicable /tools/t/method", "property_not_applicable /tools/t/url")]
    [InlineData("""{"type": "http", "url": "https://x", "server": "crm"}""", "property_not_applicable /tools/t/server")]
    public void Read_McpTool_ServerIsAnAddressOrAName(string tool, params string[] findings)
    {
        var reading = Read($$"""{"omium": "v0", "name": "n", "tools": {"t": {{tool}}}, "steps": [{"id": "a", "type": "tool_call", "tool": "t"}]}""");
        Assert.Equal(findings, reading.Findings.Select(finding => $"{finding.Code} {finding.Pointer}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Read_EveryPartOfTheFormat_IsRead()
    {
        var reading = Read("""
            {
              "omium": "v0", "name": "n", "agents": {"a": {"prompt": "p", "limits": {"concurrent": 4, "per_second": 10, "breaker": {"failures": 5, "cool_down": "30s"}}}},
              "tools": {"t": {"type": "mcp", "server": "s", "tool": "x"}},
              "steps": [
                {"id": "a", "type": "agent_task", "agent": "a", "verifiers": {"quorum": 2, "of": ["a", "a", "a"]}, "for_each": {"items": "input.list", "max_parallel": 10, "on_item_failure": "pause", "max_failed_ratio": 0.6},
                 "locks": ["customer/${{ input.id }}"], "reads": ["customer/1#name"], "writes": []},
                {"id": "b", "type": "worker", "worker": "queue"},
                {"id": "c", "type": "workflow", "workflow": "other"}
              ],
              "edges": [{"from": "a", "to": "b", "handoff": {"schema": {}, "constraints": ["true"], "claims": {"n": {"said": "output.n", "seen": {"tool": "t"}}, "m": {"said": "output.m", "seen": "1"}}, "acknowledge": true}}]
            }
            """);

        Assert.Empty(reading.Findings);
        Assert.Equal((ToolType.Mcp, "s", "x", null), (reading.Spec!.Tools["t"].Type, reading.Spec.Tools["t"].Server, reading.Spec.Tools["t"].Target, reading.Spec.Tools["t"].Url));
        Assert.Equal(2, reading.Spec!.Steps[0].Verifiers!.Quorum);
        Assert.Equal([new ClaimSpec("m", "output.m", "1", null, null, null), new ClaimSpec("n", "output.n", null, "t", null, null)], reading.Spec.Edges[0].Handoff!.Claims);
        Assert.Equal(("queue", "other"), (reading.Spec.Steps[1].Target, reading.Spec.Steps[2].Target));
    }

    [Theory]
    [InlineData("""{"guard": {}}""", "unknown_property", "/steps/0/guard", "guards")]
    [InlineData("""{"a/b~c": 1}""", "unknown_property", "/steps/0/a~1b~0c", "Remove it")]
    [InlineData("""{"timeout": "30 seconds"}""", "invalid_duration", "/steps/0/timeout", "30s")]
    [InlineData("""{"agent": "x"}""", "property_not_applicable", "/steps/0/agent", "Remove")]
    [InlineData("""{"needs": "a"}""", "wrong_type", "/steps/0/needs", "expected type")]
    [InlineData("""{"needs": [null]}""", "wrong_type", "/steps/0/needs/0", "expected type")]
    [InlineData("""{"retry": {"backoff": "exponental"}}""", "invalid_value", "/steps/0/retry/backoff", "exponential")]
    [InlineData("""{"guards": {"post": [{"code": "x"}]}}""", "required_missing", "/steps/0/guards/post/0", "check")]
    [InlineData("""{"checkpoint": 1}""", "wrong_type", "/steps/0/checkpoint", "expected type")]
    public void Read_MistakeInAStep_IsOneFindingThatSaysHowToMend(string members, string code, string pointer, string mend)
    {
        var step = """{"id": "a", "type": "decision", """ + members[1..];
        var reading = Read($$"""{"omium": "v0", "name": "n", "steps": [{{step}}]}""");

        var finding = Assert.Single(reading.Findings);
        Assert.Equal((code, pointer, SpecSeverity.Error), (finding.Code, finding.Pointer, finding.Severity));
        Assert.Contains(mend, finding.Mend, StringComparison.Ordinal);
        Assert.Equal("a", reading.Spec!.Steps[0].Id);
    }

    [Fact]
    public void Read_UnreadableStep_KeepsItsPlace()
    {
        var reading = Read("""{"omium": "v0", "name": "n", "steps": [5, {"id": "b", "type": "decision"}]}""");

        Assert.Equal("/steps/0", Assert.Single(reading.Findings).Pointer);
        Assert.Equal(["", "b"], reading.Spec!.Steps.Select(step => step.Id));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"text\"")]
    public void Read_NoObject_HasNoSpec(string source)
    {
        var reading = Read(source);

        Assert.Null(reading.Spec);
        Assert.True(reading.HasErrors);
    }

    [Fact]
    public void Read_ManyFindings_AreOrderedByIndexAndBounded()
    {
        var steps = string.Join(",", Enumerable.Range(0, 1_200).Select(index => $$"""{"id": "s{{index}}", "type": "decision", "zzzzzzzz": 1}"""));
        var reading = Read($$"""{"omium": "v0", "name": "n", "steps": [{{steps}}]}""");

        Assert.Equal(SpecLimits.FindingsMax + 1, reading.Findings.Count);
        Assert.Equal("too_many_findings", reading.Findings[0].Code);
        Assert.StartsWith("200 ", reading.Findings[0].Message, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(0, 1_000).Select(index => $"/steps/{index}/zzzzzzzz"), reading.Findings.Skip(1).Select(finding => finding.Pointer));
    }

    [Theory]
    [InlineData("\"500ms\"", 0.5)]
    [InlineData("\"30s\"", 30)]
    [InlineData("\"5m\"", 300)]
    [InlineData("\"24h\"", 86_400)]
    [InlineData("\"1h30m\"", 5_400)]
    [InlineData("\"1.5s\"", 1.5)]
    [InlineData("\"PT30S\"", 30)]
    [InlineData("\"P1DT2H\"", 93_600)]
    [InlineData("\"P1W\"", 604_800)]
    [InlineData("30", 30)]
    [InlineData("0.25", 0.25)]
    public void Read_Duration_IsUnderstood(string duration, double seconds)
    {
        var spec = ReadClean($$"""{"omium": "v0", "name": "n", "steps": [{"id": "a", "type": "decision", "timeout": {{duration}}}]}""");

        Assert.Equal(TimeSpan.FromSeconds(seconds), spec.Steps[0].Timeout);
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("\"s\"")]
    [InlineData("\"30\"")]
    [InlineData("\"30x\"")]
    [InlineData("\"-1s\"")]
    [InlineData("\"1m1h\"")]
    [InlineData("\"1..2s\"")]
    [InlineData("\"P\"")]
    [InlineData("\"PT\"")]
    [InlineData("\"P1DT\"")]
    [InlineData("\"P1Y\"")]
    [InlineData("\"PT1D\"")]
    [InlineData("\"99999999999999999999999999999999s\"")]
    [InlineData("-1")]
    [InlineData("1e300")]
    [InlineData("true")]
    public void Read_NoDuration_IsAFinding(string duration)
    {
        var reading = Read($$"""{"omium": "v0", "name": "n", "steps": [{"id": "a", "type": "decision", "timeout": {{duration}}}]}""");

        Assert.Equal("invalid_duration", Assert.Single(reading.Findings).Code);
    }

    private static WorkflowSpec ReadClean(string source)
    {
        var reading = Read(source);
        Assert.Empty(reading.Findings);
        return reading.Spec!;
    }

    private static SpecReading Read(string source) => SpecReader.Read(JsonElement.Parse(source));
}
