using System.Text;

namespace Omium.Kernel.Tests.Executions.Properties;

/// <summary>Draws a small workflow from a seed: a graph with joins, branches and perhaps a loop; agents and tools of every effect kind; guards; a policy.</summary>
internal static class RandomWorkflow
{
    private static readonly string[] Policies =
    [
        "",
        """, "recovery": {"retry_policy": {"max_retries": 2, "backoff": "exponential(1s, 10s)", "condition": "same_failure_not_detected_twice"}}""",
        """, "recovery": {"rollback_triggers": [{"hallucination_detected": true}], "recovery_actions": [{"rollback_to_last_checkpoint": true}, {"pause_and_notify": true}, {"await_human_review": true}], "retry_policy": {"max_retries": 3, "backoff": "exponential(1s, 10s)"}}""",
        """, "recovery": {"rollback_triggers": [{"hallucination_detected": true}], "recovery_actions": [{"rollback_to_last_checkpoint": true}]}""",
        """, "recovery": {"rules": [{"on": ["hallucination"], "do": [{"rollback_to": "s1"}, "retry"], "limit": 2}, {"on": ["tool_error", "model_error"], "do": ["retry"]}, {"on": ["timeout"], "do": ["skip"]}]}""",
        """, "recovery": {"rules": [{"on": ["hallucination"], "do": ["compensate", {"notify": "ops"}]}, {"on": ["tool_error"], "do": ["pause"]}, {"on": ["model_error"], "do": [{"notify": "ops"}]}, {"on": ["timeout"], "do": ["fail"]}]}""",
        """, "recovery": {"rules": [{"on": ["hallucination"], "do": [{"use_agent": "spare"}]}, {"do": [{"escalate_to": "lead"}]}]}""",
    ];

    /// <summary>Draws a workflow. What was added later is drawn apart, so that older seeds still draw what they did.</summary>
    public static string Draw(Random random, int seed)
    {
        var lists = new Random(seed);
        var count = random.Next(2, 7);
        var steps = new StringBuilder();
        var edges = new StringBuilder();
        for (var number = 1; number <= count; number++)
        {
            steps.Append(number == 1 ? "" : ",\n").Append(Step(random, lists, number));
            if (number > 1 && random.Next(4) == 0)
            {
                Edge(edges, $$"""{"from": "s{{random.Next(1, number)}}", "to": "s{{number}}", "on": "{{(random.Next(2) == 0 ? "failure" : "always")}}"}""");
            }
        }

        if (random.Next(2) == 0)
        {
            var from = random.Next(1, count + 1);
            Edge(edges, $$"""{"from": "s{{from}}", "to": "s{{random.Next(1, from + 1)}}", "when": "has(output.n) && output.n > 6", "max_visits": {{random.Next(1, 4)}}}""");
        }

        return $$$"""
            {"omium": "v0", "name": "drawn",
             "agents": {"one": {"prompt": "p", "tools": ["plain", "twice", "checked", "final"]}, "spare": {"prompt": "q", "tools": ["plain"], "model": "other"}},
             "tools": {
               "plain": {"type": "function"}, "undo": {"type": "function", "effect": {"kind": "idempotent", "compensate": "undo"}},
               "look": {"type": "function"},
               "twice": {"type": "function", "effect": {"kind": "idempotent", "key_ttl": "1h", "verify": "look", "compensate": "undo"}},
               "checked": {"type": "function", "effect": {"kind": "verifiable", "verify": "look", "verify_after": "30s", "compensate": "undo"}},
               "unchecked": {"type": "function", "effect": {"kind": "verifiable", "compensate": "undo"}},
               "final": {"type": "function", "effect": {"kind": "irreversible"} } },
             "steps": [{{{steps}}}],
             "edges": [{{{edges}}}]{{{Policies[random.Next(Policies.Length)]}}}}
            """;
    }

    private static void Edge(StringBuilder edges, string edge) => edges.Append(edges.Length == 0 ? "" : ", ").Append(edge);

    private static string Step(Random random, Random lists, int number)
    {
        var needs = Enumerable.Range(1, number - 1).Where(_ => random.Next(3) == 0).Select(before => $"\"s{before}\"");
        if (number > 1 && !needs.Any() && random.Next(4) > 0)
        {
            needs = [$"\"s{number - 1}\""];
        }

        var kind = random.Next(8) switch
        {
            0 or 1 => "\"agent_task\", \"agent\": \"one\"",
            2 => "\"decision\", \"input\": {\"n\": 5}",
            3 => "\"human_approval\"",
            4 => "\"tool_call\", \"tool\": \"twice\"",
            5 => "\"tool_call\", \"tool\": \"checked\"",
            6 => $"\"tool_call\", \"tool\": \"{(random.Next(2) == 0 ? "unchecked" : "plain")}\"",
            _ => "\"tool_call\", \"tool\": \"final\"",
        };
        var guards = random.Next(3) switch
        {
            0 => """, "guards": {"post": [{"check": "!has(output.n) || output.n != 3", "code": "hallucination"}]}""",
            1 => """, "guards": {"pre": [{"check": "int(now) % 5 != 4", "code": "policy_violation"}]}""",
            _ => "",
        };
        var retry = random.Next(4) == 0 ? """, "retry": {"max_attempts": 3, "backoff": "constant", "initial": "2s", "max": "2s"}""" : "";
        return $$"""{"id": "s{{number}}", "type": {{kind}}, "needs": [{{string.Join(", ", needs.Distinct())}}]{{guards}}{{retry}}{{(kind.Contains("tool", StringComparison.Ordinal) || kind.Contains("agent", StringComparison.Ordinal) ? ForEach(lists) : "")}}}""";
    }

    private static string ForEach(Random random)
    {
        if (random.Next(4) > 0)
        {
            return "";
        }

        var items = random.Next(8) switch { 0 => "[]", 1 => "input.x", 2 or 3 => "[1, 2, 3, 4, 5, 6, 7]", _ => "[1, 2, 3]" };
        var mode = random.Next(3) switch { 0 => "fail_step", 1 => "pause", _ => "rollback_item" };
        var guards = random.Next(3) == 0 ? """, "guards": {"post": [{"check": "output.failed < 2", "code": "hallucination"}]}""" : "";
        return $$$""", "input": {"i": "${{ item }}"}, "for_each": {"items": "{{{items}}}", "max_parallel": {{{random.Next(1, 4)}}}, "on_item_failure": "{{{mode}}}", "max_failed_ratio": {{{(random.Next(2) == 0 ? "0.5" : "1")}}}{{{guards}}}}""";
    }
}
