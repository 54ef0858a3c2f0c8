using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>Workflows that pay once, by the kind of effect, and how people decide about them: what the stories of payments share.</summary>
internal static class Payments
{
    /// <summary>Name of the payment at the receiver.</summary>
    public const string Pay = "pay";

    /// <summary>How long after the call the verify tool is believed, in milliseconds.</summary>
    public const int VerifyAfterMs = 300;

    /// <summary>One payment that a verify tool can be asked about. The receiver honours no keys: every request that it counts is money.</summary>
    public static string Verifiable(Uri receiver) => $$$"""
        omium: v0
        name: payments
        tools:
          pay:
            type: http
            url: {{{receiver}}}effects/pay?dedupe=false
            timeout: 30s
            effect: {kind: verifiable, verify: look_up, verify_after: {{{VerifyAfterMs}}}ms, compensate: refund}
          look_up:
            type: http
            method: GET
            url: {{{receiver}}}state/pay/${{ input.key }}
          refund:
            type: http
            url: {{{receiver}}}effects/refund
            effect: {kind: idempotent}
        steps:
          - id: pay
            type: tool_call
            tool: pay
            input: {invoice: "${{ input.invoice }}"}
        """;

    /// <summary>One payment at a receiver that honours keys.</summary>
    public static string Idempotent(Uri receiver) => $$$"""
        omium: v0
        name: payments
        tools:
          pay:
            type: http
            url: {{{receiver}}}effects/pay
            timeout: 30s
            effect: {kind: idempotent, compensate: refund}
          refund:
            type: http
            url: {{{receiver}}}effects/refund
            effect: {kind: idempotent}
        steps:
          - id: pay
            type: tool_call
            tool: pay
            input: {invoice: "${{ input.invoice }}"}
        """;

    /// <summary>One payment that nobody can take back, ask about or repeat safely, behind an approval.</summary>
    public static string Irreversible(Uri receiver) => $$$"""
        omium: v0
        name: payments
        tools:
          pay:
            type: http
            url: {{{receiver}}}effects/pay?dedupe=false
            timeout: 30s
            output:
              schema: {type: object, required: [id], properties: {id: {type: string} } }
            effect: {kind: irreversible}
        steps:
          - id: release
            type: human_approval
            description: Release the payment?
            input: {invoice: "${{ input.invoice }}"}
          - id: pay
            type: tool_call
            tool: pay
            needs: [release]
            input: {invoice: "${{ input.invoice }}"}
        """;

    /// <summary>Starts a run; its id.</summary>
    public static async Task<string> StartAsync(OmiumClient client, string invoice = "inv-1")
    {
        var start = new JsonObject { ["workflow"] = "payments", ["input"] = new JsonObject { ["invoice"] = invoice } };
        return (string)(await client.PostAsync("/v1/executions", start)).Expect(HttpStatusCode.Created)["id"]!;
    }

    /// <summary>Waits until the run waits for a person (a doubt pauses it); the one review that is open then, which is of this kind.</summary>
    public static async Task<JsonNode> ReviewAsync(OmiumClient client, string execution, string kind)
    {
        var waiting = await client.WaitForStatusAsync(execution, kind == "in_doubt" ? "paused" : "waiting");
        Assert.Equal(("review", kind == "in_doubt" ? kind : null), ((string?)waiting["waiting_for"], (string?)waiting["pause_reason"]));
        var review = await client.GetAsync($"/v1/reviews/{Assert.Single(waiting["open_reviews"]!.AsArray())}");
        Assert.Equal((kind, "open"), ((string?)review["kind"], (string?)review["status"]));
        return review;
    }

    /// <summary>Decides a review as it was shown.</summary>
    public static Task<Reply> DecideAsync(OmiumClient client, JsonNode review, string decision, string? note = null, JsonNode? output = null)
    {
        var body = new JsonObject { ["decision"] = decision, ["digest"] = (string)review["digest"]! };
        if (note is not null)
        {
            body["note"] = note;
        }

        if (output is not null)
        {
            body["output"] = output;
        }

        return client.PostAsync($"/v1/reviews/{review["id"]}/decide", body);
    }

    /// <summary>Asserts that the log of a run says what happened, and nothing else.</summary>
    public static async Task AssertVerifiesAsync(OmiumClient client, string execution) =>
        Assert.Equal("identical", (string?)(await client.GetAsync($"/v1/executions/{execution}/verify"))["verdict"]);
}
