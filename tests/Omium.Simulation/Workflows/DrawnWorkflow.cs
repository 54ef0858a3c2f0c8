using System.Text;
using System.Text.Json;

namespace Omium.Simulation.Workflows;

/// <summary>A workflow as drawn: what the laws know of it without reading it back from the spec.</summary>
internal sealed record DrawnWorkflow(string Name, IReadOnlyList<DrawnStep> Steps, IReadOnlyList<DrawnEdge> Edges, string Policy, int PolicyIndex)
{
    private string? _json;

    public DrawnStep? Step(string id) => Steps.FirstOrDefault(step => step.Id == id);

    public IEnumerable<DrawnEdge> Into(string step) => Edges.Where(edge => edge.To == step && !edge.IsLoop);

    public string Json => _json ??= Write();

    /// <summary>True when nothing in it needs a person by design: no approval, no irreversible effect, no amount above the limit, no policy that asks.</summary>
    public bool NeedsNobody => PolicyIndex is 0 or 1 && Steps.All(step => step.Type != "human_approval" && !step.MayAskForApproval);

    private string Write()
    {
        var text = new StringBuilder();
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{{\"omium\": \"v0\", \"name\": \"{Name}\", ");
        text.Append(DrawnTools.Json).Append(", \"steps\": [");
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
        text.Append(Type switch { "agent_task" => $", \"agent\": \"{Performer}\"", "tool_call" => $", \"tool\": \"{Performer}\"", _ => "" });
        var needs = workflow.Edges.Where(edge => edge.To == Id && edge.IsNeed).Select(edge => $"\"{edge.From}\"");
        text.Append(", \"needs\": [").AppendJoin(", ", needs).Append(']');
        var members = Reads.Select(read => $"\"{read}\": \"${{{{ steps.{read}.output != null && has(steps.{read}.output.n) ? steps.{read}.output.n : 0 }}}}\"").ToList();
        if (Amount is { } amount)
        {
            members.Add($"\"amount\": {amount}");
        }

        if (members.Count > 0 || Type == "decision")
        {
            members.Add("\"n\": 4");
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
        return text.Append('}').ToString();
    }
}

/// <summary>An edge as drawn. <paramref name="On"/>: success, failure or always. <paramref name="Above"/>: taken only when the output's n is above it.</summary>
internal sealed record DrawnEdge(string From, string To, string On, int? Above, int? VisitsMax, bool IsNeed)
{
    public bool IsLoop => VisitsMax is not null;

    public string Json =>
        $"{{\"from\": \"{From}\", \"to\": \"{To}\", \"on\": \"{On}\"{(Above is { } above ? $", \"when\": \"has(output.n) && output.n > {above}\"" : "")}{(VisitsMax is { } max ? $", \"max_visits\": {max}" : "")}}}";

    /// <summary>Whether an output takes it, told without the kernel's expressions. <paramref name="output"/> null: the step failed or was skipped.</summary>
    public bool Holds(JsonElement? output) =>
        Above is not { } above
        || (output is { ValueKind: JsonValueKind.Object } value && value.TryGetProperty("n", out var n) && n.ValueKind == JsonValueKind.Number && n.GetDouble() > above);
}
