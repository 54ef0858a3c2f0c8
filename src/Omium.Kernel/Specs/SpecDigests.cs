using System.Text.Json;
using System.Text.Json.Serialization;
using Omium.Kernel.Json;

namespace Omium.Kernel.Specs;

/// <summary>Digests of the parts of a spec, to tell what differs between two versions. Not stored: only compared within one process.</summary>
internal static class SpecDigests
{
    /// <summary>A step with the agent and the tools that do it, and the agents that verify it: two steps of one digest do the same.</summary>
    public static string Of(WorkflowSpec spec, StepSpec step)
    {
        var agent = step.Agent is { } name ? spec.Agents.GetValueOrDefault(name) : null;
        var verifiers = (step.Verifiers?.Of ?? []).Select(spec.Agents.GetValueOrDefault).OfType<AgentSpec>();
        var tools = (agent?.Tools ?? []).Concat(step.Tool is { } tool ? new[] { tool } : []).Select(spec.Tools.GetValueOrDefault).OfType<ToolSpec>();
        return Digest([
            JsonSerializer.SerializeToUtf8Bytes(step, SpecJson.Default.StepSpec),
            agent is null ? [] : JsonSerializer.SerializeToUtf8Bytes(agent, SpecJson.Default.AgentSpec),
            .. verifiers.Select(verifier => JsonSerializer.SerializeToUtf8Bytes(verifier, SpecJson.Default.AgentSpec)),
            .. tools.Select(used => JsonSerializer.SerializeToUtf8Bytes(used, SpecJson.Default.ToolSpec)),
        ]);
    }

    /// <summary>An edge, wherever it is written.</summary>
    public static string Of(EdgeSpec edge) => Digest([JsonSerializer.SerializeToUtf8Bytes(edge with { Pointer = "" }, SpecJson.Default.EdgeSpec)]);

    /// <summary>The recovery policy.</summary>
    public static string Of(RecoveryPolicy? policy) => policy is null ? "" : Digest([JsonSerializer.SerializeToUtf8Bytes(policy, SpecJson.Default.RecoveryPolicy)]);

    private static string Digest(IEnumerable<byte[]> parts) =>
        CanonicalJson.Digest(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', parts.Select(part => CanonicalJson.Digest(part)))));
}

[JsonSerializable(typeof(StepSpec))]
[JsonSerializable(typeof(AgentSpec))]
[JsonSerializable(typeof(ToolSpec))]
[JsonSerializable(typeof(EdgeSpec))]
[JsonSerializable(typeof(RecoveryPolicy))]
internal sealed partial class SpecJson : JsonSerializerContext;
