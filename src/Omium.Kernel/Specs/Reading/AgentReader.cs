using System.Text.Json;

namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads <c>agents</c>.</summary>
internal static class AgentReader
{
    public static IReadOnlyDictionary<string, AgentSpec> ReadAll(ObjectReader workflow)
    {
        var agents = new Dictionary<string, AgentSpec>(StringComparer.Ordinal);
        foreach (var (id, source, pointer) in workflow.Members("agents"))
        {
            agents[id] = Read(id, source, pointer, workflow.Findings);
        }

        return agents;
    }

    private static AgentSpec Read(string id, JsonElement source, string pointer, FindingList findings)
    {
        if (ObjectReader.Open(source, pointer, "an agent", findings) is not { } reader)
        {
            // An agent that cannot be read still exists: references to it are no further mistakes.
            return new AgentSpec { Id = id, Prompt = "unreadable" };
        }

        var standard = new AgentSpec { Id = id };
        var agent = standard with
        {
            Role = reader.Text("role"),
            Goal = reader.Text("goal"),
            Prompt = reader.Text("prompt") ?? standard.Prompt,
            Model = reader.Text("model"),
            Temperature = reader.Number("temperature"),
            Tools = reader.Texts("tools"),
            Constraints = reader.Texts("constraints"),
            TurnsMax = reader.Integer("max_turns") ?? standard.TurnsMax,
            AnswerTokensMax = reader.Integer("max_tokens"),
            Limits = LimitsReader.Read(reader),
        };
        reader.Close();
        return agent;
    }
}
