using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Simulation.Scheduling;

namespace Omium.Simulation.Workflows;

/// <summary>A program that traces what it does, as drawn: steps one after another, some of them transactions.</summary>
/// <param name="Steps">Its steps.</param>
/// <param name="Processes">How many processes run it at the same time.</param>
/// <param name="GoesOn">True: it goes on after a step that has failed; else it ends by it.</param>
internal sealed record DrawnProgram(IReadOnlyList<DrawnTraced> Steps, int Processes, bool GoesOn)
{
    private static readonly string[] Policies =
    [
        "", """, "recovery": {"retry_policy": {"max_retries": 2, "backoff": "exponential(1s, 10s)"}}""",
        """, "recovery": {"rollback_triggers": [{"hallucination_detected": true}], "recovery_actions": [{"rollback_to_last_checkpoint": true}, {"pause_and_notify": true}, {"await_human_review": true}]}""",
        """, "recovery": {"rules": [{"on": ["tool_error"], "do": [{"rollback_to": "start"}, "retry"], "limit": 2}]}""",
    ];

    /// <summary>The workflow that its laws are told by, and the document that its execution is pinned to.</summary>
    public DrawnWorkflow Workflow { get; private init; } = null!;

    public static DrawnProgram Draw(Dice dice, bool needsNobody)
    {
        var steps = Enumerable.Range(1, dice.Between(2, 6)).Select(number => Step(dice, $"a{number}", needsNobody)).ToArray();
        var policy = dice.Below(needsNobody ? 2 : Policies.Length);
        DrawnStep[] told = [.. steps.Select(step => new DrawnStep(step.Step, "traced", "") { ForbiddenNumber = step.Guarded ? DrawnTraced.Forbidden : null }), new DrawnStep("program@1", "traced", "")];
        return new DrawnProgram(steps, dice.OneIn(4) ? 2 : 1, dice.OneIn(2))
        {
            Workflow = new DrawnWorkflow("traced-1", [], [], "", needsNobody ? policy : Policies.Length)
            {
                IsTraced = true, Former = told, Json = $"{{\"omium\": \"v0\", \"mode\": \"traced\", \"name\": \"traced-1\"{Policies[policy]}}}",
            },
        };
    }

    private static DrawnTraced Step(Dice dice, string name, bool needsNobody)
    {
        var effect = dice.Below(needsNobody ? 5 : 6) switch
        {
            0 or 1 => EffectKind.None,
            2 or 3 => EffectKind.Idempotent,
            4 => EffectKind.Verifiable,
            _ => EffectKind.Irreversible,
        };
        return new DrawnTraced(name, effect, !needsNobody && effect != EffectKind.None && dice.OneIn(5), dice.OneIn(4));
    }
}

/// <summary>A step of a program. <paramref name="Effect"/> none: a checkpoint. <paramref name="Guarded"/>: its output is held to a constraint.</summary>
internal sealed record DrawnTraced(string Name, EffectKind Effect, bool Approval, bool Guarded)
{
    /// <summary>The number that a guarded step must not give.</summary>
    public const int Forbidden = 3;

    private static readonly JsonElement Checks = JsonElement.Parse($$"""{"constraints": [{"check": "!has(output.n) || output.n != {{Forbidden}}"}]}""");

    public string Step => TracedNames.Of(Name, "1");

    public TracedDeclaration Declared => Effect == EffectKind.None
        ? new TracedDeclaration(TracedKinds.Checkpoint, Checks: Guarded ? Checks : null)
        : new TracedDeclaration(TracedKinds.Transaction, Effect, Guarded ? Checks : null, Effect == EffectKind.Irreversible ? null : $"undo_{Name}", Approval: Approval);
}
