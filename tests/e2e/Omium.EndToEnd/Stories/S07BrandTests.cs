using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S07: copy that breaks a rule of the brand is never sent, and what would follow never runs.</summary>
public sealed class S07BrandTests
{
    private const string Banned = """
        rules:
          - name: copy with a banned word, until the prompt repeats the rule
            when: {agent: Copywriter, prompt_contains: no superlatives}
            answer: {json: {headline: Quiet mornings, text: A kettle that boils in ninety seconds and keeps its voice down.}}
          - when: {agent: Copywriter}
            answer: {json: {headline: Quiet mornings, text: The BEST kettle in the world.}}
        """;

    [Fact]
    public async Task S07_CopyBreaksTheBrandRule_IsNeverPublishedAndNothingFollows()
    {
        await using var world = await World.StartAsync(Banned);
        var cascading = Surroundings.ExampleSpec("campaign.yaml", world.Receiver.Address).Replace("\nrecovery:", """

              - id: announce
                type: tool_call
                tool: publish_campaign
                description: Announce what was published
                needs: [publish]
                input: {headline: "${{ steps.copy.output.headline }}", text: "${{ steps.publish.output.id }}"}

            recovery:
            """, StringComparison.Ordinal);
        await world.Client.SaveAsync(cascading);

        var input = new JsonObject { ["product"] = "kettle", ["audience"] = "early risers", ["banned_words"] = new JsonArray("best", "cheapest") };
        var paused = (await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "brand-campaign", ["input"] = input }, waitSeconds: 20))
            .Expect(HttpStatusCode.Created);

        Assert.Equal("paused", (string?)paused["status"]);
        Assert.Equal("policy_violation", (string?)paused["failure"]!["class"]);
        Assert.Equal("copy", (string?)paused["failure"]!["step"]);
        Assert.Equal(["copy"], paused["steps"]!.AsArray().Select(step => (string)step!["step"]!));
        var execution = (string)paused["id"]!;
        Assert.Equal(["copy"], (await world.Client.RecordsAsync(execution)).Events("step.scheduled").Select(step => (string)step["step"]!));
        Assert.Equal(0, (await world.Receiver.CountAsync("publish_campaign")).Requests);

        // A person mends it, and only then it leaves the house: once for each step that follows.
        var failure = await CompanyX.FailureAsync(world.Client, paused);
        var decision = new JsonObject
        {
            ["decision"] = "edit",
            ["digest"] = (string)failure["review"]!["digest"]!,
            ["edits"] = new JsonObject { ["prompt"] = "Write a headline and a text, with no superlatives. Answer with JSON." },
        };
        (await world.Client.PostAsync($"/v1/reviews/{failure["review"]!["id"]}/decide", decision)).Expect(HttpStatusCode.OK);
        await world.Client.WaitForStatusAsync(execution, "succeeded");
        var published = await world.Receiver.CountAsync("publish_campaign");
        Assert.Equal((2, 2), (published.Effects, published.Requests));
        Assert.DoesNotContain(published.Lines, line => line.ToJsonString().Contains("best", StringComparison.OrdinalIgnoreCase));
    }
}
