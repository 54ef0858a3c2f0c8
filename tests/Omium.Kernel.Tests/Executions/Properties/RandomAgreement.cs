using System.Text.Json.Nodes;

namespace Omium.Kernel.Tests.Executions.Properties;

/// <summary>Adds handoffs and verifiers to a drawn workflow, with randomness of its own, so that the same seed without them stays the same run.</summary>
internal static class RandomAgreement
{
    public static string AddTo(string spec, Random random)
    {
        var workflow = JsonNode.Parse(spec)!.AsObject();
        foreach (var agent in new[] { "v1", "v2", "v3" })
        {
            workflow["agents"]![agent] = new JsonObject { ["prompt"] = agent };
        }

        var edges = workflow["edges"]!.AsArray();
        foreach (var edge in edges.Where(edge => edge!["on"] is null && random.Next(2) == 0))
        {
            edge!["handoff"] = Handoff(random);
        }

        foreach (var step in workflow["steps"]!.AsArray().Select(step => step!.AsObject()))
        {
            if ((string)step["type"]! != "human_approval" && random.Next(3) == 0)
            {
                step["verifiers"] = new JsonObject { ["quorum"] = random.Next(1, 4), ["of"] = new JsonArray("v1", "v2", "v3") };
            }

            if ((string)step["type"]! == "tool_call" && (string)step["tool"]! is "plain" or "checked" or "twice" && random.Next(3) == 0)
            {
                ToWorker(step);
            }

            HandOver(step, edges, random);
        }

        return workflow.ToJsonString();
    }

    /// <summary>The same effect, done by a worker.</summary>
    private static void ToWorker(JsonObject step)
    {
        var effect = (string)step["tool"]! switch
        {
            "checked" => """{"kind": "verifiable", "verify": "look", "verify_after": "30s", "compensate": "undo"}""",
            "twice" => """{"kind": "idempotent", "key_ttl": "1h", "verify": "look", "compensate": "undo"}""",
            _ => """{"kind": "none"}""",
        };
        step.Remove("tool");
        (step["type"], step["worker"], step["effect"]) = ("worker", "q", JsonNode.Parse(effect));
    }

    /// <summary>Some of a step's needs become edges with handoffs.</summary>
    private static void HandOver(JsonObject step, JsonArray edges, Random random)
    {
        var kept = new JsonArray();
        foreach (var need in step["needs"]!.AsArray().Select(need => (string)need!))
        {
            var isWritten = edges.Any(edge => (string)edge!["from"]! == need && (string)edge["to"]! == (string)step["id"]!);
            if (isWritten || random.Next(2) == 0)
            {
                kept.Add(need);
            }
            else
            {
                edges.Add(new JsonObject { ["from"] = need, ["to"] = (string)step["id"]!, ["handoff"] = Handoff(random) });
            }
        }

        step["needs"] = kept;
    }

    private static JsonObject Handoff(Random random)
    {
        const string Said = "has(output.n) ? output.n : 0";
        var claims = new JsonObject
        {
            ["n"] = random.Next(3) switch
            {
                0 => new JsonObject { ["said"] = Said, ["seen"] = $"has(output.n) && output.n == 4 ? -1 : ({Said})" },
                1 => new JsonObject { ["said"] = Said, ["seen"] = new JsonObject { ["tool"] = "look", ["value"] = "output.n" } },
                _ => new JsonObject { ["said"] = "1", ["seen"] = new JsonObject { ["tool"] = "plain", ["arguments"] = new JsonObject { ["a"] = "${{ has(output.n) ? output.n : 7 }}" }, ["value"] = "output.n >= 0 ? 1 : 0" } },
            },
        };
        var handoff = new JsonObject { ["claims"] = claims };
        if (random.Next(4) == 0)
        {
            handoff["constraints"] = new JsonArray("!has(output.n) || output.n != 9");
        }

        return handoff;
    }
}
