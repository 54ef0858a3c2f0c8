using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>
/// A booking that changes the world in several places: what the stories of rollback share. After <c>reserve</c> go two branches: money and courier,
/// one after the other, and a note to the customer's file that depends on neither. Then a person releases the letter, which cannot be taken back.
/// </summary>
internal static class Bookings
{
    /// <summary>The effects in the order of the run, each with its compensation; the letter has none.</summary>
    public static readonly (string Effect, string Undo)[] Chain = [("reserve", "release"), ("charge", "refund"), ("book_courier", "cancel_courier")];

    public static string Spec(Uri receiver) => $$$"""
        omium: v0
        name: bookings
        tools:
          reserve: {type: http, url: "{{{receiver}}}effects/reserve", effect: {kind: idempotent, compensate: release} }
          release: {type: http, url: "{{{receiver}}}effects/release", effect: {kind: idempotent} }
          charge: {type: http, url: "{{{receiver}}}effects/charge", effect: {kind: idempotent, compensate: refund} }
          refund: {type: http, url: "{{{receiver}}}effects/refund", effect: {kind: idempotent} }
          book_courier: {type: http, url: "{{{receiver}}}effects/book_courier", effect: {kind: idempotent, compensate: cancel_courier} }
          cancel_courier: {type: http, url: "{{{receiver}}}effects/cancel_courier", effect: {kind: idempotent} }
          file_note: {type: http, url: "{{{receiver}}}effects/file_note", effect: {kind: idempotent, compensate: strike_note} }
          strike_note: {type: http, url: "{{{receiver}}}effects/strike_note", effect: {kind: idempotent} }
          send_letter: {type: http, url: "{{{receiver}}}effects/send_letter?dedupe=false", effect: {kind: irreversible} }
        steps:
          - {id: reserve, type: tool_call, tool: reserve, input: {booking: "${{ input.booking }}"} }
          - {id: charge, type: tool_call, tool: charge, needs: [reserve], input: {reservation: "${{ steps.reserve.output.id }}"} }
          - {id: book_courier, type: tool_call, tool: book_courier, needs: [charge], input: {charge: "${{ steps.charge.output.id }}"} }
          - {id: file_note, type: tool_call, tool: file_note, needs: [reserve], input: {reservation: "${{ steps.reserve.output.id }}"} }
          - {id: approve, type: human_approval, needs: [book_courier], description: "Send the letter?"}
          - {id: send_letter, type: tool_call, tool: send_letter, needs: [approve], input: {booking: "${{ input.booking }}"} }
          - {id: close, type: human_approval, needs: [send_letter], description: "Close the booking?"}
        """;

    /// <summary>Saves the workflow and runs it until it asks whether to send the letter.</summary>
    public static async Task<(string Execution, JsonNode Review)> StartAsync(World world, string booking = "b-1")
    {
        await world.Client.SaveAsync(Spec(world.Receiver.Address));
        var start = new JsonObject { ["workflow"] = "bookings", ["input"] = new JsonObject { ["booking"] = booking } };
        var execution = (string)(await world.Client.PostAsync("/v1/executions", start)).Expect(HttpStatusCode.Created)["id"]!;
        var review = await Payments.ReviewAsync(world.Client, execution, "approval");
        Assert.Equal("approve", (string?)review["step"]);
        foreach (var effect in Chain.Select(pair => pair.Effect).Append("file_note"))
        {
            var counted = await world.Receiver.CountAsync(effect);
            Assert.Equal((1, 1), (counted.Effects, counted.Requests));
        }

        return (execution, review);
    }

    /// <summary>Asks for a rollback, or only for what it would do.</summary>
    public static Task<Reply> RollBackAsync(OmiumClient client, string execution, string to, bool preview = false) =>
        client.PostAsync($"/v1/executions/{execution}/rollback", new JsonObject { ["to"] = to, ["scope"] = "all", ["preview"] = preview });

    /// <summary>Steps of a list of references.</summary>
    public static IEnumerable<string> StepsOf(JsonNode references) => references.AsArray().Select(reference => (string)reference!["step"]!);
}
