using Omium.Simulation.Scheduling;

namespace Omium.Simulation.Workflows;

/// <summary>Draws workflows: chains, diamonds, fans and bushes with failure edges, branches, loops, every type of step, every kind of effect, every policy.</summary>
internal static class WorkflowDrawer
{
    public static readonly IReadOnlyList<string> Shapes = ["chain", "diamond", "fan", "bush"];

    private static readonly string[] Policies =
    [
        "",
        """, "recovery": {"retry_policy": {"max_retries": 2, "backoff": "exponential(1s, 10s)", "condition": "same_failure_not_detected_twice"}}""",
        """, "recovery": {"rollback_triggers": [{"hallucination_detected": true}], "recovery_actions": [{"rollback_to_last_checkpoint": true}, {"pause_and_notify": true}, {"await_human_review": true}], "retry_policy": {"max_retries": 3, "backoff": "exponential(1s, 10s)"}}""",
        """, "recovery": {"rollback_triggers": [{"hallucination_detected": true}], "recovery_actions": [{"rollback_to_last_checkpoint": true}]}""",
        """, "recovery": {"rules": [{"on": ["hallucination"], "do": [{"rollback_to": "s1"}, "retry"], "limit": 2}, {"on": ["tool_error", "model_error"], "do": ["retry"]}, {"on": ["timeout"], "do": ["skip"]}]}""",
        """, "recovery": {"rules": [{"on": ["hallucination"], "do": ["compensate", {"notify": "ops"}]}, {"on": ["tool_error"], "do": ["pause"]}, {"on": ["model_error"], "do": [{"notify": "ops"}]}, {"on": ["timeout"], "do": ["fail"]}]}""",
        """, "recovery": {"rules": [{"on": ["hallucination"], "do": [{"use_agent": "spare"}]}, {"do": [{"escalate_to": "lead"}]}]}""",
        """, "recovery": {"rules": [{"on": ["hallucination", "tool_error"], "do": [{"rollback_to": "start"}, "retry"], "limit": 3}], "retry_policy": {"max_retries": 2, "backoff": "exponential(1s, 10s)"}}""",
    ];

    public static DrawnWorkflow Draw(Dice dice, int number, out string shape)
    {
        shape = dice.Of(Shapes);
        var count = dice.Between(1, 8);
        var needsNobody = dice.OneIn(4);
        var ids = Enumerable.Range(1, count).Select(index => $"s{index}").ToArray();
        var edges = new List<DrawnEdge>();
        for (var index = 1; index < count; index++)
        {
            foreach (var from in Parents(dice, shape, index, count).Distinct())
            {
                var kind = dice.Below(10);
                edges.Add(kind switch
                {
                    0 => new DrawnEdge(ids[from], ids[index], "failure", null, null, false),
                    1 => new DrawnEdge(ids[from], ids[index], "always", null, null, false),
                    2 => new DrawnEdge(ids[from], ids[index], "success", dice.Between(1, 7), null, false),
                    _ => new DrawnEdge(ids[from], ids[index], "success", null, null, true),
                });
            }
        }

        if (dice.OneIn(3))
        {
            var from = dice.Below(count);
            edges.Add(new DrawnEdge(ids[from], ids[dice.Below(from + 1)], "success", 6, dice.Between(1, 4), false));
        }

        var policy = needsNobody ? dice.Below(2) : dice.Below(Policies.Length);
        var steps = ids.Select(id => Step(dice, id, needsNobody, edges.All(edge => edge.To != id || edge.IsNeed || edge.IsLoop) ? Before(edges, id) : [])).ToArray();
        return new DrawnWorkflow($"drawn-{number}", steps, edges, Policies[policy], policy);
    }

    /// <summary>A policy, with its number.</summary>
    public static (string Text, int Index) Policy(Dice dice)
    {
        var index = dice.Below(Policies.Length);
        return (Policies[index], index);
    }

    private static IEnumerable<int> Parents(Dice dice, string shape, int index, int count) => shape switch
    {
        "chain" => [index - 1],
        "diamond" => index == count - 1 && count > 2 ? Enumerable.Range(1, count - 2) : [0],
        "fan" => dice.OneIn(4) ? [] : [0],
        _ => [.. Enumerable.Range(0, index).Where(_ => dice.OneIn(3))],
    };

    /// <summary>Steps that have surely run when this one does: along edges on success.</summary>
    private static string[] Before(List<DrawnEdge> edges, string id)
    {
        var direct = edges.Where(edge => edge.To == id && edge.IsNeed).Select(edge => edge.From).ToArray();
        return direct.Length == 1 ? [direct[0], .. Before(edges, direct[0])] : [];
    }

    private static DrawnStep Step(Dice dice, string id, bool needsNobody, string[] before)
    {
        var step = dice.Below(needsNobody ? 9 : 12) switch
        {
            0 => new DrawnStep(id, "decision", ""),
            1 or 2 or 3 => new DrawnStep(id, "agent_task", needsNobody || dice.OneIn(2) ? "one" : "bold"),
            4 => new DrawnStep(id, "tool_call", "plain"),
            5 => new DrawnStep(id, "tool_call", "twice"),
            6 => new DrawnStep(id, "tool_call", "blind"),
            7 or 8 => new DrawnStep(id, "tool_call", "checked"),
            9 => new DrawnStep(id, "human_approval", "") { Timeout = dice.OneIn(3) ? "10m" : null },
            10 => new DrawnStep(id, "tool_call", "final"),
            _ => new DrawnStep(id, "tool_call", "pricey") { Amount = dice.OneIn(2) ? 20_000 : 10 },
        };
        return step with
        {
            TimedGuard = dice.OneIn(8) && !needsNobody,
            ForbiddenNumber = dice.OneIn(3) && step.Type is "agent_task" or "tool_call" ? 3 : null,
            Retries = dice.OneIn(4) && step.Type is "agent_task" or "tool_call",
            Timeout = step.Timeout ?? (step.Type is "agent_task" or "tool_call" && dice.OneIn(4) ? "5s" : null),
            Checkpoint = dice.Below(6) switch { 0 => "", 1 => $"mark_{id}", _ => null },
            Reads = before.Length > 0 && dice.OneIn(2) ? [dice.Of(before)] : [],
        };
    }
}
