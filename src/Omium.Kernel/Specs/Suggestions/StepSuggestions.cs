using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Kernel.Specs.Checking;

namespace Omium.Kernel.Specs.Suggestions;

/// <summary>Around steps: what stands after effects, before what cannot be taken back, and where one agent hands on to another.</summary>
internal static class StepSuggestions
{
    public static void AddTo(SuggestionDraft draft)
    {
        for (var index = 0; index < draft.Spec.Steps.Count; index++)
        {
            var (step, pointer) = (draft.Spec.Steps[index], CheckContext.StepPointer(index));
            if (step.Id.Length == 0 || !ReferenceEquals(draft.Step(step.Id), step))
            {
                continue;
            }

            var tools = EffectfulTools(draft.Spec, step);
            AddCheckpoint(draft, step, pointer, tools);
            AddApproval(draft, step, pointer);
            AddCallGuard(draft, step, pointer, tools);
            AddPlan(draft, step, pointer);
            AddLock(draft, step, pointer, tools);
        }
    }

    /// <summary>Tools with an effect that the step calls, or that its agent may call.</summary>
    private static List<ToolSpec> EffectfulTools(WorkflowSpec spec, StepSpec step)
    {
        IEnumerable<string> names = step switch
        {
            { Type: StepType.ToolCall, Tool: { } tool } => [tool],
            { Type: StepType.AgentTask, Agent: { } agent } when spec.Agents.TryGetValue(agent, out var known) => known.Tools,
            _ => [],
        };
        return [.. names.Distinct(StringComparer.Ordinal).Select(spec.Tools.GetValueOrDefault).OfType<ToolSpec>().Where(tool => EffectOf(step, tool).Kind != EffectKind.None)];
    }

    private static EffectSpec EffectOf(StepSpec step, ToolSpec tool) => step.Type == StepType.ToolCall ? step.Effect ?? tool.Effect : tool.Effect;

    /// <summary>A step without a checkpoint whose work a rollback should not repeat, or must not pass.</summary>
    private static void AddCheckpoint(SuggestionDraft draft, StepSpec step, string pointer, List<ToolSpec> tools)
    {
        if (step.Checkpoint || draft.At(pointer + "/checkpoint") is not { ValueKind: JsonValueKind.False })
        {
            return;
        }

        var next = draft.Outgoing(step.Id).Select(edge => draft.Step(edge.To)).OfType<StepSpec>().ToList();
        var reason = tools.Count > 0 ? $"\"{step.Id}\" changes the world outside ({tools[0].Name}). With a checkpoint behind it, a later failure goes back to here and not beyond the effect."
            : next.Find(other => EffectfulTools(draft.Spec, other).Exists(tool => EffectOf(other, tool).Kind == EffectKind.Irreversible)) is { } irreversible
                ? $"\"{irreversible.Id}\" comes next and cannot be taken back. With a checkpoint before it, everything up to there is kept."
            : next.Find(other => HandsOn(step, other)) is { } receiver ? $"\"{step.Id}\" hands on to another agent (\"{receiver.Id}\"). With a checkpoint at the handoff, the receiver can be run again on exactly what it was given."
            : null;
        if (reason is not null)
        {
            draft.Add(new SpecSuggestion(
                $"checkpoint.{step.Id}", SuggestionKinds.Checkpoint, pointer, $"A checkpoint at {step.Id}", reason,
                SuggestionDraft.OnStep(pointer, step.Id, [new JsonPatchOperation("replace", pointer + "/checkpoint", JsonMake.Boolean(true))])));
        }
    }

    private static bool HandsOn(StepSpec from, StepSpec to) => from.Type == StepType.AgentTask && to.Type == StepType.AgentTask && from.Agent != to.Agent;

    /// <summary>
    /// An irreversible tool_call that a path reaches without an approval: a human_approval takes over all its incoming edges. Its input stays
    /// what it was; where that cannot be said, nothing is proposed.
    /// </summary>
    private static void AddApproval(SuggestionDraft draft, StepSpec step, string pointer)
    {
        var spec = draft.Spec;
        var approval = $"approve_{step.Id}";
        var isIrreversible = step.Type == StepType.ToolCall && step.Tool is { } tool && spec.Tools.TryGetValue(tool, out var known) && EffectOf(step, known).Kind == EffectKind.Irreversible;
        var incoming = draft.Incoming(step.Id).ToList();
        var isTaken = isIrreversible && (approval.Length > SpecLimits.IdLengthMax || spec.Steps.Any(other => other.Id == approval || other.CheckpointName == approval));
        if (!isIrreversible || isTaken || incoming.Exists(edge => draft.Step(edge.From) is { Type: StepType.HumanApproval }))
        {
            return;
        }

        var needs = incoming.Where(edge => edge.Pointer.StartsWith(pointer + "/", StringComparison.Ordinal)).Select(edge => edge.From).ToList();
        var written = incoming.Where(edge => edge.Pointer.StartsWith("/edges/", StringComparison.Ordinal)).ToList();
        if (step.Input is null && written.Count > 0)
        {
            return;
        }

        var operations = new List<JsonPatchOperation>();
        if (step.Input is null)
        {
            operations.Add(new JsonPatchOperation("add", pointer + "/input", needs.Count == 0
                ? JsonMake.Text("${{ input }}")
                : JsonMake.Object([.. needs.Select(need => (need, JsonMake.Text($"${{{{ steps.{need}.output }}}}")))])));
        }

        operations.Add(new JsonPatchOperation("add", pointer + "/needs", JsonMake.Texts([approval])));
        operations.AddRange(written.Select(edge => new JsonPatchOperation("replace", edge.Pointer + "/to", JsonMake.Text(approval))));
        operations.Add(new JsonPatchOperation("add", "/steps/-", JsonMake.Object(
            ("id", JsonMake.Text(approval)), ("type", JsonMake.Text("human_approval")), ("description", JsonMake.Text($"{step.Id} cannot be taken back. Go on?")),
            ("needs", JsonMake.Texts(needs)))));
        draft.Add(new SpecSuggestion(
            $"approval.{step.Id}", SuggestionKinds.Approval, pointer, $"An approval before {step.Id}", $"\"{step.Id}\" cannot be taken back. A person sees what it will do and decides.",
            SuggestionDraft.OnStep(pointer, step.Id, operations)));
    }

    /// <summary>Nothing made up reaches the world: numbers and names in an agent's calls with an effect come from what it was given.</summary>
    private static void AddCallGuard(SuggestionDraft draft, StepSpec step, string pointer, List<ToolSpec> tools)
    {
        if (step.Type != StepType.AgentTask || tools.Count == 0 || step.Calls.Any(guard => guard.Form == GuardForms.Grounded))
        {
            return;
        }

        var guard = JsonMake.Object(
            ("grounded", JsonMake.Texts(["call.arguments"])), ("tools", JsonMake.Texts(tools.Select(tool => tool.Name))), ("code", JsonMake.Text(FailureClasses.Hallucination)),
            ("message", JsonMake.Text("The call holds a number or a name that the agent was not given.")));
        if (draft.Append(pointer, "guards", guard, "calls") is { } operations)
        {
            draft.Add(new SpecSuggestion(
                $"guard.{step.Id}.grounded_calls", SuggestionKinds.Guard, pointer, $"Calls of {step.Id} must be grounded",
                $"Agent \"{step.Agent}\" may change the world outside by itself ({string.Join(", ", tools.Select(tool => tool.Name))}). This stops a call whose numbers, identifiers or names come neither from its input nor from an earlier result, before it is made.",
                SuggestionDraft.OnStep(pointer, step.Id, operations)));
        }
    }

    /// <summary>An agent that may do what cannot be taken back says first what it will do.</summary>
    private static void AddPlan(SuggestionDraft draft, StepSpec step, string pointer)
    {
        var tools = EffectfulTools(draft.Spec, step).FindAll(tool => tool.Effect.Kind == EffectKind.Irreversible);
        if (step.Type == StepType.AgentTask && tools.Count > 0 && draft.At(pointer + "/plan") is null)
        {
            draft.Add(new SpecSuggestion(
                $"guard.{step.Id}.plan", SuggestionKinds.Guard, pointer, $"{step.Id} declares its plan",
                $"Agent \"{step.Agent}\" may do what cannot be taken back ({tools[0].Name}). With a declared plan, a call that is not what the agent said it would do is stopped before it is made.",
                SuggestionDraft.OnStep(pointer, step.Id, [new JsonPatchOperation("add", pointer + "/plan", JsonMake.Text("turn"))])));
        }
    }

    /// <summary>An effect on something that the input names by an id: two executions should not act on it at once.</summary>
    private static void AddLock(SuggestionDraft draft, StepSpec step, string pointer, List<ToolSpec> tools)
    {
        if (UnavailableFeatures.Includes(UnavailableFeatures.Locks) || tools.Count == 0 || draft.At(pointer + "/locks") is not null
            || step.Input is not { ValueKind: JsonValueKind.Object } input)
        {
            return;
        }

        foreach (var member in input.EnumerateObject())
        {
            var names = member.Name.Length > 3 && member.Name.EndsWith("_id", StringComparison.Ordinal) && member.Value.ValueKind == JsonValueKind.String;
            if (names && member.Value.GetString() is { } template && template.StartsWith("${{", StringComparison.Ordinal) && template.IndexOf("}}", StringComparison.Ordinal) == template.Length - 2)
            {
                var scope = $"{member.Name[..^3]}/{template}";
                draft.Add(new SpecSuggestion(
                    $"lock.{step.Id}.{member.Name}", SuggestionKinds.Lock, pointer, $"{step.Id} locks {member.Name[..^3]}",
                    $"\"{step.Id}\" changes the world outside for one {member.Name[..^3]}. With a lock no other execution acts on the same one meanwhile; without, reading and then acting is a race.",
                    SuggestionDraft.OnStep(pointer, step.Id, [new JsonPatchOperation("add", pointer + "/locks", JsonMake.Texts([scope]))])));
                return;
            }
        }
    }
}
