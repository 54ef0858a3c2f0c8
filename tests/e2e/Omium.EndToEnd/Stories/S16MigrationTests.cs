using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>
/// S16: the workflow changes while a run is paused. The run keeps its version; moving it shows the difference and asks; what has settled is kept or
/// run again as the person says, and nothing is skipped in silence.
/// </summary>
public sealed class S16MigrationTests
{
    [Fact]
    public async Task S16_TheWorkflowChanges_ThePausedRunKeepsItsVersion()
    {
        await using var world = await World.StartAsync();
        var execution = await PausedAsync(world);
        await world.Client.SaveAsync(Second(world.Receiver.Address));
        (await world.Client.PostAsync($"/v1/executions/{execution}/resume", new JsonObject())).Expect(HttpStatusCode.OK);
        await ApproveAsync(world, execution);
        var done = await world.Client.WaitForStatusAsync(execution, "succeeded");
        Assert.Equal(1, (int?)done["workflow_version"]);
        Assert.Equal((1, 0, 1), (await CountAsync(world, "draft"), await CountAsync(world, "check"), await CountAsync(world, "send")));
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    [Fact]
    public async Task S16_Moved_RunsTheNewStepAndKeepsWhatHasSettled()
    {
        await using var world = await World.StartAsync();
        var execution = await PausedAsync(world);
        await world.Client.SaveAsync(Second(world.Receiver.Address));
        var body = new JsonObject { ["version"] = 2 };
        var asked = (await MigrateAsync(world, execution, body)).ExpectProblem(HttpStatusCode.Conflict, "migration_unacknowledged");
        var shown = asked["shown"]!;
        Assert.Equal(["check"], Texts(shown["added"]!));
        Assert.Equal(["draft"], Texts(shown["changed"]!));
        Assert.Equal(["draft -> check", "check -> send"], Texts(shown["edges_added"]!));
        Assert.Equal(["draft"], Bookings.StepsOf(shown["affected"]!));
        Assert.Equal(1, (int?)(await world.Client.GetAsync($"/v1/executions/{execution}"))["workflow_version"]);

        body["acknowledge"] = (string)asked["digest"]!;
        var moved = (await MigrateAsync(world, execution, body)).Expect(HttpStatusCode.OK);
        Assert.Equal((2, "paused"), ((int?)moved["workflow_version"], (string?)moved["status"]));
        var record = Assert.Single((await world.Client.RecordsAsync(execution)).Events("execution.migrated"));
        Assert.Equal(["draft"], Bookings.StepsOf(record["kept"]!));

        // A crash between the move and the resume changes nothing: the plan follows from the log.
        world.Omium.KillHard();
        await world.Omium.StartAgainAsync();
        (await world.Client.PostAsync($"/v1/executions/{execution}/resume", new JsonObject())).Expect(HttpStatusCode.OK);
        await ApproveAsync(world, execution);
        await world.Client.WaitForStatusAsync(execution, "succeeded");
        Assert.Equal((1, 1, 1), (await CountAsync(world, "draft"), await CountAsync(world, "check"), await CountAsync(world, "send")));
        await Payments.AssertVerifiesAsync(world.Client, execution);
        var before = await world.Client.GetAsync($"/v1/executions/{execution}/state?at=2");
        Assert.Equal(1, (int?)before["workflow_version"]);
    }

    [Fact]
    public async Task S16_MovedWithAStepAgain_UndoesItAndRunsItUnderTheNewVersion()
    {
        await using var world = await World.StartAsync();
        var execution = await PausedAsync(world);
        await world.Client.SaveAsync(Second(world.Receiver.Address));
        var preview = (await MigrateAsync(world, execution, new JsonObject { ["version"] = 2, ["preview"] = true })).Expect(HttpStatusCode.OK);
        var body = new JsonObject { ["version"] = 2, ["acknowledge"] = (string)preview["digest"]!, ["again"] = new JsonArray("draft") };
        (await MigrateAsync(world, execution, body)).Expect(HttpStatusCode.OK);
        await world.Receiver.WaitAsync("shred", effects: 1);
        await world.Client.WaitForStatusAsync(execution, "paused");
        (await world.Client.PostAsync($"/v1/executions/{execution}/resume", new JsonObject())).Expect(HttpStatusCode.OK);
        await ApproveAsync(world, execution);
        await world.Client.WaitForStatusAsync(execution, "succeeded");
        Assert.Equal((2, 1, 1), (await CountAsync(world, "draft"), await CountAsync(world, "check"), await CountAsync(world, "send")));
        Assert.Equal("second", (string?)(await world.Receiver.CountAsync("draft")).Lines[^1]["body"]!["text"]);
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    [Fact]
    public async Task S16_AStepWhoseEffectStandsIsRemoved_TheMoveIsRefused()
    {
        await using var world = await World.StartAsync();
        var execution = await PausedAsync(world);
        await world.Client.SaveAsync("""
            omium: v0
            name: letters
            steps:
              - {id: other, type: human_approval, description: "Something else?"}
            """);
        var refused = (await MigrateAsync(world, execution, new JsonObject { ["version"] = 2 })).ExpectProblem(HttpStatusCode.Conflict, "migration_refused");
        Assert.Contains("draft~1", (string)refused["detail"]!, StringComparison.Ordinal);
        Assert.NotEmpty(refused["shown"]!["obstacles"]!.AsArray());
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    [Fact]
    public async Task S16_ARunThatIsNotPaused_IsNotMoved()
    {
        await using var world = await World.StartAsync();
        var execution = await PausedAsync(world);
        await world.Client.SaveAsync(Second(world.Receiver.Address));
        (await world.Client.PostAsync($"/v1/executions/{execution}/resume", new JsonObject())).Expect(HttpStatusCode.OK);
        var preview = (await MigrateAsync(world, execution, new JsonObject { ["version"] = 2, ["preview"] = true })).Expect(HttpStatusCode.OK);
        (await MigrateAsync(world, execution, new JsonObject { ["version"] = 2, ["acknowledge"] = (string)preview["digest"]! })).ExpectProblem(HttpStatusCode.Conflict, "execution_not_paused");
        (await MigrateAsync(world, execution, new JsonObject { ["version"] = 9 })).ExpectProblem(HttpStatusCode.NotFound, "workflow_not_found");
        (await MigrateAsync(world, execution, new JsonObject { ["version"] = 1 })).ExpectProblem(HttpStatusCode.UnprocessableEntity, "validation_failed");
    }

    private static string First(Uri receiver) => Spec(receiver, "first", "", "[approve]");

    /// <summary>The draft says something else, and is checked before it is sent.</summary>
    private static string Second(Uri receiver) =>
        Spec(receiver, "second", "\n  - {id: check, type: tool_call, tool: check, needs: [draft], input: {id: \"${{ steps.draft.output.id }}\"} }", "[approve, check]");

    private static string Spec(Uri receiver, string text, string more, string needs) => $$$"""
        omium: v0
        name: letters
        tools:
          draft: {type: http, url: "{{{receiver}}}effects/draft", effect: {kind: idempotent, compensate: shred} }
          shred: {type: http, url: "{{{receiver}}}effects/shred", effect: {kind: idempotent} }
          check: {type: http, url: "{{{receiver}}}effects/check"}
          send: {type: http, url: "{{{receiver}}}effects/send", effect: {kind: idempotent, compensate: shred} }
        steps:
          - {id: draft, type: tool_call, tool: draft, input: {text: {{{text}}}} }
          - {id: approve, type: human_approval, needs: [draft], description: "Send it?"}{{{more}}}
          - {id: send, type: tool_call, tool: send, needs: {{{needs}}}, input: {id: "${{ steps.draft.output.id }}"} }
        """;

    /// <summary>A run whose draft is made, that waits for an approval and is paused.</summary>
    private static async Task<string> PausedAsync(World world)
    {
        await world.Client.SaveAsync(First(world.Receiver.Address));
        var execution = (string)(await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "letters" })).Expect(HttpStatusCode.Created)["id"]!;
        await Payments.ReviewAsync(world.Client, execution, "approval");
        (await world.Client.PostAsync($"/v1/executions/{execution}/pause", new JsonObject())).Expect(HttpStatusCode.OK);
        return execution;
    }

    private static async Task ApproveAsync(World world, string execution)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            var view = await world.Client.GetAsync($"/v1/executions/{execution}");
            if (view["open_reviews"]!.AsArray() is [var open, ..])
            {
                (await Payments.DecideAsync(world.Client, await world.Client.GetAsync($"/v1/reviews/{open}"), "approve")).Expect(HttpStatusCode.OK);
                return;
            }

            limit.Token.ThrowIfCancellationRequested();
            await foreach (var _ in new EventStream(world.Omium, execution).ReadAsync((long)view["seq"]!, limit.Token))
            {
                break;
            }
        }
    }

    private static Task<Reply> MigrateAsync(World world, string execution, JsonObject body) => world.Client.PostAsync($"/v1/executions/{execution}/migrate", body);

    private static async Task<int> CountAsync(World world, string effect) => (await world.Receiver.CountAsync(effect)).Requests;

    private static IEnumerable<string> Texts(JsonNode list) => list.AsArray().Select(item => (string)item!);
}
