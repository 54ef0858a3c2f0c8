using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads <c>steps</c>, with the edges that their <c>needs</c> stand for.</summary>
internal static class StepReader
{
    private static readonly (string Word, StepType Meaning)[] Types =
    [
        ("agent_task", StepType.AgentTask), ("tool_call", StepType.ToolCall), ("decision", StepType.Decision),
        ("human_approval", StepType.HumanApproval), ("workflow", StepType.Workflow), ("worker", StepType.Worker),
    ];

    /// <summary>The word for a plan that the agent declares in its own message.</summary>
    private const string DeclaredPlan = "turn";

    /// <summary>The property that names what a step of a type runs.</summary>
    private static readonly (StepType Type, string Property)[] TargetProperties =
    [
        (StepType.AgentTask, "agent"), (StepType.ToolCall, "tool"), (StepType.Worker, "worker"), (StepType.Workflow, "workflow"),
    ];

    public static (IReadOnlyList<StepSpec> Steps, IReadOnlyList<EdgeSpec> Edges) ReadAll(ObjectReader workflow)
    {
        var steps = new List<StepSpec>();
        var edges = new List<EdgeSpec>();
        workflow.RequireMember("steps");
        foreach (var (item, pointer) in workflow.Items("steps"))
        {
            var step = ObjectReader.Open(item, pointer, "a step", workflow.Findings) is { } reader
                ? Read(reader, edges)
                : new StepSpec { Id = "", Type = StepType.Decision };
            steps.Add(step);
        }

        return (steps, edges);
    }

    private static StepSpec Read(ObjectReader reader, List<EdgeSpec> edges)
    {
        var id = reader.RequiredText("id");
        reader.RequireMember("type");
        var writtenType = reader.Choice("type", Types);
        var type = writtenType ?? TypeByProperties(reader);
        var (worker, workflow) = (reader.Text("worker"), reader.Text("workflow"));
        var (pre, post, calls) = ReadGuards(reader, type);
        var plan = reader.Text("plan");
        var (checkpoint, checkpointName) = ReadCheckpoint(reader);
        var step = new StepSpec
        {
            Id = id,
            Type = type,
            Agent = reader.Text("agent"),
            Tool = reader.Text("tool"),
            Target = type == StepType.Workflow ? workflow : worker,
            Description = reader.Text("description"),
            Input = reader.Any("input"),
            OutputSchema = reader.SchemaOf("output"),
            Pre = pre,
            Post = plan is null ? post : [.. post, GuardForms.OfPlanDone(PlanOf(plan))],
            Calls = plan is null ? calls : [.. calls, GuardForms.OfPlannedCall(PlanOf(plan))],
            DeclaresPlan = plan == DeclaredPlan,
            Verifiers = VerifiersReader.Read(reader),
            Effect = EffectReader.Read(reader),
            Retry = RetryReader.Read(reader),
            ForEach = ForEachReader.Read(reader),
            Timeout = reader.Duration("timeout"),
            Checkpoint = checkpoint,
            CheckpointName = checkpointName,
            Shared = SharedReader.Read(reader),
        };
        edges.AddRange(ReadNeeds(reader, id));
        reader.Close();
        if (writtenType is not null)
        {
            CheckProperties(reader, step);
        }

        return step;
    }

    private static void CheckProperties(ObjectReader reader, StepSpec step)
    {
        var typeWord = Types.First(pair => pair.Meaning == step.Type).Word;
        foreach (var (type, property) in TargetProperties)
        {
            if (type == step.Type)
            {
                reader.RequireMember(property);
            }
            else if (reader.Has(property))
            {
                Refuse(property);
            }
        }

        if (reader.Has("plan") && step.Type != StepType.AgentTask)
        {
            Refuse("plan");
        }

        if (step.Type is StepType.Decision or StepType.HumanApproval or StepType.Workflow && step.ForEach is not null)
        {
            Refuse("for_each");
        }

        if (step is { Type: StepType.Workflow, Timeout: not null })
        {
            Refuse("timeout");
        }

        var hasOwnCall = step.Type is StepType.ToolCall or StepType.Worker;
        if (!hasOwnCall && step.Effect is { Kind: not EffectKind.None })
        {
            Refuse("effect");
        }

        void Refuse(string property) => reader.Findings.Error(
            SpecCodes.PropertyNotApplicable,
            reader.At(property),
            $"\"{property}\" does not go with a step of type {typeWord}.",
            property switch
            {
                "effect" => "Declare the effect on the tool that has it.",
                "timeout" => "Give the steps of the child their timeouts.",
                "for_each" when step.Type == StepType.Workflow => "Give the child the list, and have its step go over the items.",
                "for_each" => "A decision reads the whole list by itself (input.list.all(i, i > 0)), and a person approves the list as a whole.",
                _ => $"Remove \"{property}\", or change the type.",
            });
    }

    private static (IReadOnlyList<GuardSpec> Pre, IReadOnlyList<GuardSpec> Post, IReadOnlyList<GuardSpec> Calls) ReadGuards(ObjectReader step, StepType type)
    {
        if (step.Object("guards", "\"guards\"") is not { } reader)
        {
            return ([], [], []);
        }

        var guards = (GuardReader.ReadAll(reader, "pre"), GuardReader.ReadAll(reader, "post", GuardPlace.Answer), GuardReader.ReadAll(reader, "calls", GuardPlace.Call));
        if (guards.Item3.Count > 0 && type != StepType.AgentTask)
        {
            reader.Findings.Error(
                SpecCodes.PropertyNotApplicable, reader.At("calls"), "Only an agent asks for calls: \"calls\" goes with agent_task.", "Check the arguments in guards.pre, or in the guards of the tool.");
        }

        reader.Close();
        return guards;
    }

    /// <summary>The expression that gives a step's plan: what the agent said last, or the one written.</summary>
    private static string PlanOf(string plan) => plan == DeclaredPlan ? "visit.plan" : plan;

    private static (bool Checkpoint, string? Name) ReadCheckpoint(ObjectReader step)
    {
        switch (step.Any("checkpoint"))
        {
            case null or { ValueKind: JsonValueKind.True }:
                return (true, null);
            case { ValueKind: JsonValueKind.False }:
                return (false, null);
            case { ValueKind: JsonValueKind.String } name:
                return (true, name.GetString());
            case { } other:
                ObjectReader.ReportType(other, step.At("checkpoint"), "\"checkpoint\" must be true, false or a name", step.Findings);
                return (true, null);
        }
    }

    private static IEnumerable<EdgeSpec> ReadNeeds(ObjectReader step, string id)
    {
        var needs = step.Texts("needs");
        return needs.Select((from, index) => new EdgeSpec { From = from, To = id, Pointer = JsonPointer.Append(step.At("needs"), index) });
    }

    private static StepType TypeByProperties(ObjectReader reader) =>
        reader.Has("agent") ? StepType.AgentTask : reader.Has("tool") ? StepType.ToolCall : StepType.Decision;
}
