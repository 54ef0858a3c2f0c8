using System.Globalization;
using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>
/// S03: fifty e-mails, thirty of which bounce. Only the thirty are rolled back (each is logged and its domain's reputation adjusted, under a key of
/// its own); twenty stand; the workflow goes on or pauses by its ratio. Killed in the middle, at moments drawn from a seed, it sends none again.
/// </summary>
public sealed class S03FiftyMailsTests
{
    private const int Mails = 50;
    private const int Bounces = 30;
    private const int CallMs = 5;
    private const int AfterRecordMaxMs = 40;

    [Fact]
    public async Task S03_ThirtyOfFiftyBounce_OnlyTheThirtyAreRolledBackAndItGoesOn()
    {
        await using var world = await World.StartAsync();
        await SaveAsync(world, ratio: 0.6);
        var execution = await StartAsync(world.Client, "campaign-1");

        var finished = await world.Client.WaitForStatusAsync(execution, "succeeded");

        var report = await world.Receiver.CountAsync("report");
        Assert.Equal((20, 30), ((int)Assert.Single(report.Lines)["body"]!["sent"]!, (int)report.Lines[0]["body"]!["bounced"]!));
        await AssertSentOnceAsync(world, execution, "campaign-1");
        var send = finished["steps"]!.AsArray().Single(step => (string?)step!["step"] == "send")!;
        Assert.Equal(
            """{"total":50,"succeeded":20,"failed":30,"rolled_back":30,"skipped":0,"running":0,"waiting":0,"not_begun":0}""", send["items"]!.ToJsonString());
        Assert.Equal(2, finished["steps"]!.AsArray().Count); // The items are counted, not listed.
        await AssertListedAsync(world.Client, execution);
        Assert.Empty((await world.Client.GetAsync($"/v1/failures?execution={execution}"))["items"]!.AsArray());
    }

    [Fact]
    public async Task S03_TheRatioIsSmaller_PausesWithTheThirtyUndone_AndTryingAgainSendsOnlyThose()
    {
        await using var world = await World.StartAsync();
        await SaveAsync(world, ratio: 0.5);
        var execution = await StartAsync(world.Client, "campaign-1");

        var paused = await world.Client.WaitForStatusAsync(execution, "paused");

        Assert.Equal(("items_failed", "too_many_items_failed"), ((string?)paused["failure"]!["class"], (string?)paused["failure"]!["code"]));
        Assert.StartsWith("30 of 50 items failed", (string)paused["failure"]!["message"]!, StringComparison.Ordinal);
        Assert.Equal(0, (await world.Receiver.CountAsync("report")).Requests);
        await AssertSentOnceAsync(world, execution, "campaign-1");

        // The addresses are mended outside; a person has the step tried again: the twenty that stand are not sent again.
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = "mail_dead" });
        var review = (await world.Client.GetAsync($"/v1/reviews/{Assert.Single(paused["open_reviews"]!.AsArray())}"));
        (await Payments.DecideAsync(world.Client, review, "approve")).Expect(HttpStatusCode.OK);
        var finished = await world.Client.WaitForStatusAsync(execution, "succeeded");

        Assert.Equal((20, 60), ((await world.Receiver.CountAsync("mail_good")).Requests, (await world.Receiver.CountAsync("mail_dead")).Requests));
        Assert.Equal(30, (await world.Receiver.CountAsync("bounce_log")).Requests);
        Assert.Equal(50, (int)finished["steps"]!.AsArray().Single(step => (string?)step!["step"] == "send")!["items"]!["succeeded"]!);
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    [Fact]
    public async Task S03_KilledInTheMiddle_SendsNoneAgain()
    {
        await using var world = await World.StartAsync();
        await SaveAsync(world, ratio: 0.6);
        foreach (var name in new[] { "mail_good", "mail_dead", "bounce_log" })
        {
            await world.Receiver.ControlAsync(Slow(name, CallMs));
        }

        using var caller = new OmiumClient(world.Omium, isPersistent: true);
        var random = new Random(Surroundings.Seed);
        for (var kill = 1; kill <= Surroundings.Kills; kill++)
        {
            var campaign = string.Create(CultureInfo.InvariantCulture, $"campaign-k{kill}");
            var (record, afterMs) = (random.Next(2, 150), random.Next(AfterRecordMaxMs));
            int[] againAfterMs = kill % 2 == 0 ? [random.Next(AfterRecordMaxMs)] : [];
            World.Say($"kill {kill}: {afterMs} ms after record {record}{string.Concat(againAfterMs.Select(ms => $", and {ms} ms after the next start"))}");
            var execution = await StartAsync(caller, campaign);
            await AppearsAsync(world.Omium, execution, record);
            foreach (var ms in (int[])[afterMs, .. againAfterMs])
            {
                await Task.Delay(ms); // The fault itself, not a wait for something: this is the moment that was drawn.
                world.Omium.KillHard();
                await world.Omium.StartAgainAsync();
            }

            await caller.WaitForStatusAsync(execution, "succeeded");
            await AssertSentOnceAsync(world, execution, campaign);
        }
    }

    private static async Task SaveAsync(World world, double ratio)
    {
        await world.Client.SaveAsync(Spec(world.Receiver.Address, ratio));
        await world.Receiver.ControlAsync(Slow("mail_dead", 0));
    }

    /// <summary>How the receiver behaves for a name; a mail to a dead address is taken and bounces.</summary>
    private static JsonObject Slow(string name, int delayMs)
    {
        var control = new JsonObject { ["name"] = name, ["delay"] = $"{delayMs}ms" };
        if (name == "mail_dead")
        {
            control["answer"] = new JsonObject { ["bounced"] = true };
        }

        return control;
    }

    private static string Spec(Uri receiver, double ratio) => $$$"""
        omium: v0
        name: campaign
        tools:
          send_mail:
            type: http
            url: "{{{receiver}}}effects/mail_${{ input.kind }}"
            effect: {kind: idempotent, key: "input.campaign + '/' + input.to", compensate: log_bounce}
          log_bounce: {type: http, url: "{{{receiver}}}effects/bounce_log", effect: {kind: idempotent} }
          report: {type: http, url: "{{{receiver}}}effects/report", effect: {kind: idempotent, compensate: report} }
        steps:
          - id: send
            type: tool_call
            tool: send_mail
            for_each: {items: input.mails, max_parallel: 10, on_item_failure: rollback_item, max_failed_ratio: {{{ratio.ToString(CultureInfo.InvariantCulture)}}}}
            input: {campaign: "${{ input.campaign }}", to: "${{ item.to }}", kind: "${{ item.kind }}", number: "${{ item_index }}"}
            guards: {post: [{check: "!has(output.bounced)", code: bounced, message: "The mail came back"}]}
          - id: report
            type: tool_call
            tool: report
            needs: [send]
            input: {sent: "${{ steps.send.output.succeeded }}", bounced: "${{ steps.send.output.failed }}"}
        recovery:
          rules:
            - {on: [too_many_items_failed], do: [pause, {notify: operations}, {escalate_to: operations}]}
        """;

    /// <summary>Starts a campaign whose mails bounce in a drawn order; the same start_key begins nothing twice.</summary>
    private static async Task<string> StartAsync(OmiumClient client, string campaign)
    {
        var random = new Random(Surroundings.Seed);
        var order = Enumerable.Range(0, Mails).OrderBy(_ => random.Next()).ToArray();
        var mails = order.Select(number => (JsonNode)new JsonObject { ["to"] = $"person-{number}@example.org", ["kind"] = number < Bounces ? "dead" : "good" });
        var start = new JsonObject
        {
            ["workflow"] = "campaign", ["start_key"] = campaign, ["input"] = new JsonObject { ["campaign"] = campaign, ["mails"] = new JsonArray([.. mails]) },
        };
        return (string)(await client.PostAsync("/v1/executions", start)).Json["id"]!;
    }

    /// <summary>Counted outside: every mail reached the receiver with one effect, the thirty and no other are undone, each once.</summary>
    private static async Task AssertSentOnceAsync(World world, string execution, string campaign)
    {
        var (good, dead, undone) = (await OfAsync(world, "mail_good", campaign), await OfAsync(world, "mail_dead", campaign), await OfAsync(world, "bounce_log", campaign));
        Assert.Equal((Mails - Bounces, Bounces, Bounces), (Effects(good).Length, Effects(dead).Length, Effects(undone).Length));
        Assert.Equal(Mails, Effects([.. good, .. dead]).Select(line => (string)line["body"]!["to"]!).Distinct().Count());
        Assert.Equal(
            Effects(dead).Select(line => (string)line["body"]!["to"]!).Order(), Effects(undone).Select(line => (string)line["body"]!["input"]!["to"]!).Order());
        var repeated = good.Concat(dead).Concat(undone).Count(line => (string?)line["kind"] == "duplicate");
        World.Say($"  {campaign}: {repeated} of {good.Count + dead.Count + undone.Count} requests were repeated under their key after a kill, and did nothing");

        var records = await world.Client.RecordsAsync(execution);
        Assert.Equal(Mails - Bounces, records.Events("step.committed").Count(committed => ((string)committed["step"]!).StartsWith("send-", StringComparison.Ordinal)));
        Assert.Equal(Bounces, records.Events("compensation.settled").Count(settled => (bool)settled["done"]!));
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    private static async Task<List<JsonNode>> OfAsync(World world, string name, string campaign) =>
        [.. (await world.Receiver.CountAsync(name)).Lines.Where(line => (string?)(line["body"]!["input"] ?? line["body"])!["campaign"] == campaign)];

    private static JsonNode[] Effects(IEnumerable<JsonNode> lines) => [.. lines.Where(line => (string?)line["kind"] == "effect")];

    /// <summary>The items, a page at a time: each once, with what it did.</summary>
    private static async Task AssertListedAsync(OmiumClient client, string execution)
    {
        var items = new List<JsonNode>();
        string? cursor = null;
        do
        {
            var page = await client.GetAsync($"/v1/executions/{execution}/steps/send/items?limit=20{(cursor is null ? "" : $"&cursor={cursor}")}");
            items.AddRange(page["items"]!.AsArray().Select(item => item!));
            cursor = (string?)page["next_cursor"];
        }
        while (cursor is not null);
        Assert.Equal(Enumerable.Range(0, Mails), items.Select(item => (int)item["item"]!));
        Assert.Equal(Bounces, items.Count(item => (string?)item["status"] == "failed" && (string?)item["calls"]![0]!["status"] == "compensated"));
        Assert.Equal(Mails - Bounces, items.Count(item => (string?)item["status"] == "committed" && (string?)item["calls"]![0]!["status"] == "settled"));

        var timeline = (await client.GetAsync($"/v1/executions/{execution}/timeline"))["items"]!.AsArray();
        Assert.InRange(timeline.Count, 5, 60);
        Assert.Contains(timeline, line => (string?)line!["detail"] == "20 of 50 items succeeded, 30 failed");
    }

    private static async Task AppearsAsync(OmiumProcess omium, string execution, int record)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await foreach (var seen in new EventStream(omium, execution).ReadAsync(0, limit.Token))
        {
            if ((long)seen["seq"]! >= record)
            {
                return;
            }
        }
    }
}
