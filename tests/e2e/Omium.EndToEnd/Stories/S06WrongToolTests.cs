using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S06: an agent that should archive a message calls the tool that deletes it. Deleting cannot be taken back, so the call waits for a person.</summary>
public sealed class S06WrongToolTests
{
    private const string Script = """
        rules:
          - name: the wrong tool
            when: {agent: Mail agent, turn: 1}
            answer: {tool_calls: [{name: delete_email, arguments: {email_id: m-7}}]}
          - name: told that a person refused it, the right one
            when: {agent: Mail agent, turn: 2, prompt_contains: rejected this call}
            answer: {tool_calls: [{name: archive_email, arguments: {email_id: m-7}}]}
          - name: told that it was archived
            when: {agent: Mail agent, turn: 3, prompt_contains: archive_email-1}
            answer: {json: {done: archived}}
          - name: told that it was deleted
            when: {agent: Mail agent, turn: 2, prompt_contains: delete_email-1}
            answer: {json: {done: deleted}}
        """;

    [Fact]
    public async Task S06_DeletingIsRejected_NothingIsDeletedAndTheAgentGoesOn()
    {
        await using var world = await World.StartAsync(Script);
        var (execution, review) = await StartAsync(world);

        (await Payments.DecideAsync(world.Client, review, "reject", note: "Archive it instead.")).Expect(HttpStatusCode.OK);
        var finished = await world.Client.WaitForStatusAsync(execution, "succeeded");

        Assert.Equal("archived", (string?)finished["output"]!["tidy"]!["done"]);
        Assert.Equal(0, (await world.Receiver.CountAsync("delete_email")).Requests);
        var archived = await world.Receiver.CountAsync("archive_email");
        Assert.Equal((1, 1), (archived.Effects, archived.Requests));
        var calls = finished["steps"]![0]!["calls"]!.AsArray();
        Assert.Equal(["delete_email refused", "archive_email settled"], calls.Select(call => $"{call!["tool"]} {call["status"]}"));

        // The agent was told what was decided and why, as the answer to its call.
        var told = world.Model.Requests()[1]["messages"]!.AsArray().Single(message => (string?)message!["role"] == "tool")!;
        Assert.Contains("Archive it instead.", (string)told["content"]!, StringComparison.Ordinal);
        Assert.Equal(3, world.Model.CountOf("Mail agent"));
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    [Fact]
    public async Task S06_DeletingIsApproved_IsDeletedOnce()
    {
        await using var world = await World.StartAsync(Script);
        var (execution, review) = await StartAsync(world);

        (await Payments.DecideAsync(world.Client, review, "approve")).Expect(HttpStatusCode.OK);
        var finished = await world.Client.WaitForStatusAsync(execution, "succeeded");

        Assert.Equal("deleted", (string?)finished["output"]!["tidy"]!["done"]);
        var deleted = await world.Receiver.CountAsync("delete_email");
        Assert.Equal((1, 1), (deleted.Effects, deleted.Requests));
        Assert.Equal("m-7", (string?)deleted.Lines[0]["body"]!["email_id"]);
        Assert.Equal(0, (await world.Receiver.CountAsync("archive_email")).Requests);
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    /// <summary>Starts the run and asserts what stands before a decision: the call is shown, nothing has left, no second turn was asked for; a kill changes nothing of it.</summary>
    private static async Task<(string Execution, JsonNode Review)> StartAsync(World world)
    {
        await world.Client.SaveAsync(Spec(world.Receiver.Address));
        var start = new JsonObject { ["workflow"] = "inbox", ["input"] = new JsonObject { ["email_id"] = "m-7" } };
        var execution = (string)(await world.Client.PostAsync("/v1/executions", start)).Expect(HttpStatusCode.Created)["id"]!;
        await Payments.ReviewAsync(world.Client, execution, "call_approval");
        world.Omium.KillHard();
        await world.Omium.StartAgainAsync();

        var review = await Payments.ReviewAsync(world.Client, execution, "call_approval");
        Assert.Equal("delete_email", (string?)review["shown"]!["tool"]);
        Assert.Equal("""{"email_id":"m-7"}""", review["shown"]!["arguments"]!.ToJsonString());
        Assert.Equal("irreversible", (string?)review["shown"]!["effect_kind"]);
        Assert.Equal(["approve", "reject"], review["decisions"]!.AsArray().Select(item => (string)item!));
        Assert.Equal((0, 0), ((await world.Receiver.CountAsync("delete_email")).Requests, (await world.Receiver.CountAsync("archive_email")).Requests));
        Assert.Equal(1, world.Model.CountOf("Mail agent"));
        Assert.Empty((await world.Client.RecordsAsync(execution)).Events("intent.recorded"));
        return (execution, review);
    }

    private static string Spec(Uri receiver) => $$$"""
        omium: v0
        name: inbox
        agents:
          mail:
            role: Mail agent
            prompt: Archive the message. Answer with JSON that says what was done.
            tools: [delete_email, archive_email]
        tools:
          delete_email:
            type: http
            description: Delete a message for good.
            url: {{{receiver}}}effects/delete_email?dedupe=false
            effect: {kind: irreversible}
          archive_email:
            type: http
            description: Move a message to the archive.
            url: {{{receiver}}}effects/archive_email
            effect: {kind: idempotent, compensate: restore_email}
          restore_email:
            type: http
            description: Move a message back to the inbox.
            url: {{{receiver}}}effects/restore_email
            effect: {kind: idempotent}
        steps:
          - id: tidy
            type: agent_task
            agent: mail
            input: {email_id: "${{ input.email_id }}"}
            output:
              schema: {type: object, required: [done], properties: {done: {enum: [archived, deleted]} } }
        """;
}
