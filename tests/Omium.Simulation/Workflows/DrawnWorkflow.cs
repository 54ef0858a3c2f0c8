using System.Text;
using System.Text.Json;

namespace Omium.Simulation.Workflows;

/// <summary>A workflow as drawn: what the laws know of it without reading it back from the spec.</summary>
internal sealed record DrawnWorkflow(string Name, IReadOnlyList<DrawnStep> Steps, IReadOnlyList<DrawnEdge> Edges, string Policy, int PolicyIndex)
{
    /// <summary>The step of a visit: an item's visit (<c>s2-3</c>) is its step's.</summary>
    public DrawnStep? Step(string id) => Steps.FirstOrDefault(step => step.Id == ItemNames.StepOf(id)) ?? Former.FirstOrDefault(step => step.Id == ItemNames.StepOf(id));

    /// <summary>True for the program of a traced execution: its steps are <see cref="Former"/>, for no plan says which comes next.</summary>
    public bool IsTraced { get; init; }

    /// <summary>Steps of versions that a run was moved from: what they did may stand though this version has no such step.</summary>
    public IReadOnlyList<DrawnStep> Former { get; init; } = [];

    public IEnumerable<DrawnEdge> Into(string step) => Edges.Where(edge => edge.To == step && !edge.IsLoop);

    public string Json { get; init; } = "";

    /// <summary>Limits of its tools.</summary>
    public IReadOnlyList<DrawnLimits> Limits { get; init; } = [];

    /// <summary>The workflow as it is saved.</summary>
    public DrawnWorkflow Written() => this with { Json = Write() };

    /// <summary>True when nothing in it needs a person by design: no approval, no irreversible effect, no amount above the limit, no policy that asks.</summary>
    public bool NeedsNobody => PolicyIndex is 0 or 1 && Steps.All(step => step.Type != "human_approval" && !step.MayAskForApproval);

    private string Write()
    {
        var text = new StringBuilder();
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{{\"omium\": \"v0\", \"name\": \"{Name}\", ");
        var agreement = Edges.Any(edge => edge.Handoff is not null) || Steps.Any(step => step.Verifiers is not null);
        text.Append(DrawnTools.JsonOf(Limits, agreement)).Append(", \"steps\": [");
        text.AppendJoin(", ", Steps.Select(step => step.Json(this)));
        text.Append("], \"edges\": [");
        text.AppendJoin(", ", Edges.Where(edge => !edge.IsNeed).Select(edge => edge.Json));
        return text.Append(']').Append(Policy).Append('}').ToString();
    }
}

/// <summary>A step as drawn.</summary>
internal sealed record DrawnStep(string Id, string Type, string Performer)
{
    /// <summary>A precondition over the time of the record.</summary>
    public bool TimedGuard { get; init; }

    /// <summary>A postcondition: the output's n must not be this.</summary>
    public int? ForbiddenNumber { get; init; }

    public bool Retries { get; init; }

    public string? Timeout { get; init; }

    /// <summary>Name of its checkpoint; null = its own id, "" = none.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>Steps whose output's n its input reads.</summary>
    public IReadOnlyList<string> Reads { get; init; } = [];

    /// <summary>Amount the call is about; shown in its input.</summary>
    public int? Amount { get; init; }

    /// <summary>Runs once for every item of a list; null = once.</summary>
    public DrawnItems? Items { get; init; }

    /// <summary>Agents that must agree; null = nobody is asked.</summary>
    public DrawnVerifiers? Verifiers { get; init; }

    /// <summary>True when its verifiers judge the arguments of its call, not its output.</summary>
    public bool VerifiesArguments => Verifiers is not null && Type == "tool_call" && DrawnTools.KindOf(Performer) != "none";

    /// <summary>What it shares with other executions; null = nothing.</summary>
    public DrawnSharing? Sharing { get; init; }

    /// <summary>The member of its output that conditions and inputs of other steps look at.</summary>
    public string Number => Items is null ? "n" : "succeeded";

    /// <summary>True when it may call something that a person has to approve.</summary>
    public bool MayAskForApproval => Type switch
    {
        "tool_call" => Performer is "final" or "pricey",
        "agent_task" => Performer == "bold",
        _ => false,
    };

    public string Json(DrawnWorkflow workflow)
    {
        var text = new StringBuilder($"{{\"id\": \"{Id}\", \"type\": \"{Type}\"");
        text.Append(Type switch
        {
            "agent_task" => $", \"agent\": \"{Performer}\"",
            "tool_call" => $", \"tool\": \"{Performer}\"",
            "workflow" => $", \"workflow\": \"{Performer}\"",
            "worker" => $", \"worker\": \"{Performer}\", \"effect\": {DrawnTools.TaskEffect(Performer)}",
            _ => "",
        });
        var needs = workflow.Edges.Where(edge => edge.To == Id && edge.IsNeed).Select(edge => $"\"{edge.From}\"");
        text.Append(", \"needs\": [").AppendJoin(", ", needs).Append(']');
        var members = Reads.Select(read => (Id: read, workflow.Step(read)!.Number))
            .Select(read => $"\"{read.Id}\": \"${{{{ steps.{read.Id}.output != null && has(steps.{read.Id}.output.{read.Number}) ? steps.{read.Id}.output.{read.Number} : 0 }}}}\"").ToList();
        if (Amount is { } amount)
        {
            members.Add($"\"amount\": {amount}");
        }

        if (members.Count > 0 || Type == "decision")
        {
            members.Add(Items is null ? "\"n\": 4" : "\"n\": 4, \"i\": \"${{ item_index }}\"");
            text.Append(", \"input\": {").AppendJoin(", ", members).Append('}');
        }

        var guards = new List<string>();
        if (TimedGuard)
        {
            guards.Add("\"pre\": [{\"check\": \"int(now) % 5 != 4\", \"code\": \"policy_violation\"}]");
        }

        if (ForbiddenNumber is { } number)
        {
            guards.Add($"\"post\": [{{\"check\": \"!has(output.n) || output.n != {number}\", \"code\": \"hallucination\"}}]");
        }

        text.Append(guards.Count > 0 ? $", \"guards\": {{{string.Join(", ", guards)}}}" : "");
        text.Append(Retries ? ", \"retry\": {\"max_attempts\": 3, \"backoff\": \"constant\", \"initial\": \"2s\", \"max\": \"2s\"}" : "");
        text.Append(Timeout is { } timeout ? $", \"timeout\": \"{timeout}\"" : "");
        text.Append(Checkpoint switch { null => "", "" => ", \"checkpoint\": false", _ => $", \"checkpoint\": \"{Checkpoint}\"" });
        text.Append(Verifiers is { } verifiers ? $", \"verifiers\": {verifiers.Json}" : "");
        text.Append(Sharing is { Json: { Length: > 0 } sharing } ? $", {sharing}" : "");
        text.Append(Items is { } items ? $", \"for_each\": {items.Json}" : "");
        return text.Append('}').ToString();
    }
}

/// <summary>The list of a step that runs once for every item, and what follows one that failed.</summary>
internal sealed record DrawnItems(int Count, int ParallelMax, string OnFailure, double FailedRatioMax)
{
    /// <summary>The fourth item is one that the guard of a tool refuses.</summary>
    private const int RefusedIndex = 3;

    public string Json
    {
        get
        {
            var list = string.Join(", ", Enumerable.Range(0, Count).Select(index => $"{{'a': {(index == RefusedIndex ? DrawnTools.ArgumentMax + 1 : index % 2)}, 'i': {index}}}"));
            return string.Create(System.Globalization.CultureInfo.InvariantCulture,
                $"{{\"items\": \"[{list}]\", \"max_parallel\": {ParallelMax}, \"on_item_failure\": \"{OnFailure}\", \"max_failed_ratio\": {FailedRatioMax}}}");
        }
    }
}

/// <summary>Names of items' visits, read without the kernel: <c>s2-3</c> is the fourth item of step s2.</summary>
internal static class ItemNames
{
    public static bool IsItem(string step) => step.Contains('-', StringComparison.Ordinal);

    public static string StepOf(string step) => IsItem(step) ? step[..step.IndexOf('-', StringComparison.Ordinal)] : step;

    public static int IndexOf(string step) => int.Parse(step[(step.IndexOf('-', StringComparison.Ordinal) + 1)..], System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>An edge as drawn. <paramref name="On"/>: success, failure or always. <paramref name="Above"/>: taken only when the output's n is above it.</summary>
internal sealed record DrawnEdge(string From, string To, string On, int? Above, int? VisitsMax, bool IsNeed)
{
    public bool IsLoop => VisitsMax is not null;

    /// <summary>What both ends must agree on; null = nothing.</summary>
    public DrawnHandoff? Handoff { get; init; }

    /// <summary>The member of its source's output that its condition looks at.</summary>
    public string Number { get; init; } = "n";

    public string Json =>
        $"{{\"from\": \"{From}\", \"to\": \"{To}\", \"on\": \"{On}\"{(Above is { } above ? $", \"when\": \"has(output.{Number}) && output.{Number} > {above}\"" : "")}{(VisitsMax is { } max ? $", \"max_visits\": {max}" : "")}{(Handoff is { } handoff ? $", \"handoff\": {handoff.Json(Number)}" : "")}}}";

    /// <summary>Whether an output takes it, told without the kernel's expressions. <paramref name="output"/> null: the step failed or was skipped.</summary>
    public bool Holds(JsonElement? output) =>
        Above is not { } above
        || (output is { ValueKind: JsonValueKind.Object } value && value.TryGetProperty(Number, out var n) && n.ValueKind == JsonValueKind.Number && n.GetDouble() > above);
}
