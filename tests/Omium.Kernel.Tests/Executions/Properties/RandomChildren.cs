using System.Text.Json.Nodes;

namespace Omium.Kernel.Tests.Executions.Properties;

/// <summary>Makes child workflows of some steps of a drawn workflow, with randomness of its own, so that the same seed without them stays the same run.</summary>
internal static class RandomChildren
{
    public static string AddTo(string spec, Random random)
    {
        var workflow = JsonNode.Parse(spec)!.AsObject();
        foreach (var step in workflow["steps"]!.AsArray().Select(step => step!.AsObject()).Where(_ => random.Next(3) == 0))
        {
            foreach (var property in new[] { "agent", "tool", "worker", "effect", "for_each", "input" })
            {
                step.Remove(property);
            }

            (step["type"], step["workflow"]) = ("workflow", $"child-{random.Next(2)}");
        }

        return workflow.ToJsonString();
    }
}
