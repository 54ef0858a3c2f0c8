using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Kernel.Specs.Suggestions;

/// <summary>What follows a failure: a policy where there is none, and rules for failures that the one written does not serve.</summary>
internal static class RecoverySuggestions
{
    /// <summary>Failures that trying again does not cure, and that a person should see before anything goes on.</summary>
    private static readonly (string Class, string Reason)[] Served =
    [
        (FailureClasses.Hallucination, "What is made up must not be built on"),
        (FailureClasses.PolicyViolation, "A rule of the house was broken"),
        (FailureClasses.NoTermination, "An agent or a loop did not end by itself"),
        (FailureClasses.StepRepetition, "An agent repeats itself; another try would too"),
    ];

    public static void AddTo(SuggestionDraft draft)
    {
        if (draft.At("/recovery") is not { } recovery)
        {
            AddPolicy(draft);
        }
        else if (recovery.ValueKind == JsonValueKind.Object && recovery.TryGetProperty("rules", out var rules) && rules.ValueKind == JsonValueKind.Array)
        {
            AddRules(draft);
        }
        else if (recovery.ValueKind == JsonValueKind.Object && recovery.TryGetProperty("rollback_triggers", out var triggers) && triggers.ValueKind == JsonValueKind.Array)
        {
            AddTriggers(draft);
        }
    }

    /// <summary>The short form, for a workflow that does something: with effects it goes back, without any it waits.</summary>
    private static void AddPolicy(SuggestionDraft draft)
    {
        var spec = draft.Spec;
        if (spec.Agents.Count == 0 && spec.Tools.Values.All(tool => tool.Effect.Kind == EffectKind.None))
        {
            return;
        }

        static JsonElement Flag(string name) => JsonMake.Object((name, JsonMake.Boolean(true)));
        var policy = JsonMake.Object(
            ("rollback_triggers", SuggestionDraft.List(Flag("hallucination_detected"), Flag("policy_violation"), Flag("high_value_operation"))),
            ("recovery_actions", SuggestionDraft.List(
                Flag("rollback_to_last_checkpoint"), Flag("pause_and_notify"), Flag("await_human_review"),
                JsonMake.Object(("allowed_edits", JsonMake.Texts(["prompt", "constraints", "tool_selection"]))),
                JsonMake.Object(("forbidden_edits", JsonMake.Texts(["core_logic", "agent_count"]))))),
            ("retry_policy", JsonMake.Object(
                ("max_retries", JsonMake.Integer(3)), ("backoff", JsonMake.Text("exponential(1s, 10s)")), ("condition", JsonMake.Text("same_failure_not_detected_twice")))));
        draft.Add(new SpecSuggestion(
            "recovery.policy", SuggestionKinds.Recovery, "", "A recovery policy",
            "Without one, a failure that trying again does not cure ends the execution. With this one, what is made up, breaks a rule or is worth more than the limit goes back to the last checkpoint and waits for a person, who may edit prompt, constraints and tools; anything else is tried again up to three times.",
            [new JsonPatchOperation("add", "/recovery", policy)]));
    }

    private static void AddRules(SuggestionDraft draft)
    {
        var served = draft.Spec.Recovery?.Rules ?? [];
        if (served.Any(rule => rule.On.Count == 0 && rule.When is null && rule.Limit is null))
        {
            return; // A rule without conditions serves every failure.
        }

        foreach (var (failure, reason) in Served.Where(pair => CanHappen(draft.Spec, pair.Class) && !served.Any(rule => rule.On.Contains(pair.Class))))
        {
            var rule = JsonMake.Object(("on", JsonMake.Texts([failure])), ("do", JsonMake.Texts(["pause", "await_review"])));
            draft.Add(new SpecSuggestion(
                $"recovery.rule.{failure}", SuggestionKinds.Recovery, "/recovery/rules", $"A rule for {failure}", $"{reason}, and no rule serves it: a person decides.",
                [new JsonPatchOperation("add", "/recovery/rules/-", rule)]));
        }
    }

    private static void AddTriggers(SuggestionDraft draft)
    {
        var triggers = draft.Spec.Recovery?.Triggers ?? [];
        foreach (var (failure, reason) in Served.Where(pair => CanHappen(draft.Spec, pair.Class) && !triggers.Contains(pair.Class)))
        {
            draft.Add(new SpecSuggestion(
                $"recovery.trigger.{failure}", SuggestionKinds.Recovery, "/recovery/rollback_triggers", $"{failure} is a trigger", $"{reason}, and no trigger serves it: the recovery actions do.",
                [new JsonPatchOperation("add", "/recovery/rollback_triggers/-", JsonMake.Object((failure, JsonMake.Boolean(true))))]));
        }
    }

    /// <summary>Whether a failure of this class can come about at all: agents repeat themselves, loops and agents do not end, guards give the others.</summary>
    private static bool CanHappen(WorkflowSpec spec, string failure) => failure switch
    {
        FailureClasses.StepRepetition => spec.Agents.Count > 0,
        FailureClasses.NoTermination => spec.Agents.Count > 0 || spec.Edges.Any(edge => edge.VisitsMax is not null),
        _ => spec.Steps.SelectMany(step => step.Pre.Concat(step.Post).Concat(step.Calls)).Concat(spec.Tools.Values.SelectMany(tool => tool.Guards)).Any(guard => guard.Code == failure),
    };
}
