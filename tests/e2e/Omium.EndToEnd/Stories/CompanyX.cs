using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>Company X onboards a customer: what the stories of it share.</summary>
internal static class CompanyX
{
    public const string Kyc = "KYC verification agent";
    public const string Score = "Credit scoring agent";
    public const string Terms = "Terms generation agent";

    /// <summary>What the engineer writes into the prompt.</summary>
    public const string Rule = "APR must be between 2.5 % and 8.5 %. It is never 0 %.";

    /// <summary>What the scripted model plays.</summary>
    public static string Script => Surroundings.Example("company-x.model.yaml");

    /// <summary>Saves the workflow, its tools at the receiver.</summary>
    public static Task SaveAsync(OmiumClient client, Receiver receiver) => client.SaveAsync(Surroundings.ExampleSpec("company-x.yaml", receiver.Address));

    /// <summary>Body of a start.</summary>
    public static JsonObject Start(string customer, string? startKey = null)
    {
        var start = new JsonObject
        {
            ["workflow"] = "customer-onboarding",
            ["input"] = new JsonObject { ["customer_id"] = customer, ["name"] = "Jane Smith", ["email"] = "jane@example.org", ["amount"] = 15_000 },
        };
        if (startKey is not null)
        {
            start["start_key"] = startKey;
        }

        return start;
    }

    /// <summary>The edit that the engineer makes: the prompt as it was, and the rule.</summary>
    public static JsonObject Edit(JsonNode failure) => new() { ["prompt"] = $"{(string)failure["agent"]!["prompt"]!} {Rule}" };

    /// <summary>The failure page of a paused execution.</summary>
    public static async Task<JsonNode> FailureAsync(OmiumClient client, JsonNode execution)
    {
        var id = (string?)execution["failure_id"];
        Assert.False(id is null, $"A paused execution names its failure: {execution.ToJsonString()}");
        return await client.GetAsync($"/v1/failures/{id}");
    }

    /// <summary>Tests an edit beside the execution.</summary>
    public static async Task<JsonNode> TestAsync(OmiumClient client, JsonNode failure) => (await client.PostAsync(
        $"/v1/reviews/{failure["review"]!["id"]}/test", new JsonObject { ["edits"] = Edit(failure) })).Expect(HttpStatusCode.OK);

    /// <summary>Decides the review: edit and retry.</summary>
    public static Task<Reply> DecideEditAsync(OmiumClient client, JsonNode failure) => client.PostAsync(
        $"/v1/reviews/{failure["review"]!["id"]}/decide",
        new JsonObject { ["decision"] = "edit", ["digest"] = (string)failure["review"]!["digest"]!, ["edits"] = Edit(failure) });

    /// <summary>A step's visits that stand committed, as the log says.</summary>
    public static int Committed(IReadOnlyList<JsonNode> records, string step) => records.Events("step.committed", step).Count;
}
