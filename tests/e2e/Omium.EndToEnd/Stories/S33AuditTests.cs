using System.Diagnostics;
using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S33: every decision, rollback and key change is accounted for, whenever the process dies, and whoever looks can prove that nothing was changed.</summary>
public sealed class S33AuditTests
{
    private const int Killed = 5;

    [Fact]
    public async Task S33_DecisionsAndKeys_AreOnTheTrailExactlyOnce_AlsoAcrossKills()
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Payments.Irreversible(world.Receiver.Address));
        var me = (string)(await world.Client.GetAsync("/v1/me"))["key_id"]!;
        var (decided, keys) = (new List<string>(), new List<string>());
        for (var round = 1; round <= Killed; round++)
        {
            var execution = await Payments.StartAsync(world.Client, $"inv-{round}");
            var review = await Payments.ReviewAsync(world.Client, execution, "approval");
            keys.Add((string)(await world.Client.PostAsync("/v1/keys", new JsonObject { ["name"] = $"k{round}" })).Expect(HttpStatusCode.Created)["id"]!);
            (await Payments.DecideAsync(world.Client, review, round % 2 == 0 ? "approve" : "reject")).Expect(HttpStatusCode.OK);
            world.Omium.KillHard(); // The decision was answered: its row may be owed still.
            await world.Omium.StartAgainAsync();
            decided.Add(execution);
        }

        var rows = await TrailAsync(world.Client);
        foreach (var execution in decided)
        {
            var row = Assert.Single(rows, row => (string?)row["action"] == "review.decided" && (string?)row["subject"] == execution);
            Assert.Equal(me, (string?)row["actor"]);
            Assert.Equal("127.0.0.1", (string?)row["personal"]![0]!["data"]!["address"]);
        }

        Assert.All(keys, key => Assert.Single(rows, row => (string?)row["action"] == "key.created" && (string?)row["subject"] == key));
        Assert.Equal(Enumerable.Range(1, rows.Count).Select(seq => (long)seq), rows.Select(row => (long)row["seq"]!).Order());
        Assert.Equal("intact", (string?)(await world.Client.GetAsync("/v1/audit/verify"))["status"]);
    }

    [Fact]
    public async Task S33_AnExport_IsProvedWithoutAServer_AndShowsWhatWasChanged()
    {
        await using var world = await World.StartAsync();
        foreach (var name in new[] { "one", "two", "three" })
        {
            (await world.Client.PostAsync("/v1/keys", new JsonObject { ["name"] = name })).Expect(HttpStatusCode.Created);
        }

        var server = await VerifyAsync(world);
        Assert.Equal((0, "intact"), (server.ExitCode, (string?)server.Answer["status"]));
        var file = Path.Combine(world.Omium.DataDirectory, "..", "trail.jsonl");
        var lines = (await world.Client.SendAsync(HttpMethod.Get, "/v1/audit/export")).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var whole = await VerifyAsync(world, file, lines);
        Assert.Equal((0, "intact", lines.Length), (whole.ExitCode, (string?)whole.Answer["status"], (int)whole.Answer["rows"]!));

        Assert.Equal(1, (await VerifyAsync(world, file, [.. lines[..1], .. lines[2..]])).ExitCode);
        Assert.Equal(1, (await VerifyAsync(world, file, [lines[0], lines[2], lines[1], .. lines[3..]])).ExitCode);
        Assert.Equal(1, (await VerifyAsync(world, file, [lines[0], lines[1].Replace("\"one\"", "\"none\"", StringComparison.Ordinal), .. lines[2..]])).ExitCode);
        Assert.Equal(0, (await VerifyAsync(world, file, lines[..^1])).ExitCode);
        Assert.Equal(1, (await VerifyAsync(world, file, lines[..^1], "--head", (string)whole.Answer["head"]!)).ExitCode);
    }

    [Fact]
    public async Task S33_Roles_MayDoWhatTheyAreFor()
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Payments.Irreversible(world.Receiver.Address));
        using var viewer = await MemberAsync(world, "viewer");
        using var operates = await MemberAsync(world, "operator");
        using var approver = await MemberAsync(world, "approver");

        var start = new JsonObject { ["workflow"] = "payments", ["input"] = new JsonObject { ["invoice"] = "inv-1" } };
        (await viewer.PostAsync("/v1/executions", start.DeepClone())).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
        (await approver.PostAsync("/v1/executions", start.DeepClone())).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
        var execution = (string)(await operates.PostAsync("/v1/executions", start)).Expect(HttpStatusCode.Created)["id"]!;
        var review = await Payments.ReviewAsync(world.Client, execution, "approval");
        (await Payments.DecideAsync(viewer, review, "approve")).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
        (await Payments.DecideAsync(operates, review, "approve")).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
        (await approver.SendAsync(HttpMethod.Get, "/v1/audit")).ExpectProblem(HttpStatusCode.Forbidden, "forbidden");
        Assert.Equal(0, (await world.Receiver.CountAsync(Payments.Pay)).Requests);

        (await Payments.DecideAsync(approver, review, "approve")).Expect(HttpStatusCode.OK);

        await world.Client.WaitForStatusAsync(execution, "succeeded");
        Assert.Equal(1, (await world.Receiver.CountAsync(Payments.Pay)).Effects);
        var rows = await TrailAsync(world.Client);
        var who = (string)(await approver.GetAsync("/v1/me"))["key_id"]!;
        Assert.Equal(who, (string?)Assert.Single(rows, row => (string?)row["action"] == "review.decided")["actor"]);
        Assert.StartsWith("usr_", who, StringComparison.Ordinal);
    }

    /// <summary>Somebody whom the local installation invites.</summary>
    private static async Task<OmiumClient> MemberAsync(World world, string role)
    {
        var invited = (await world.Client.PostAsync("/v1/invitations", new JsonObject { ["email"] = $"{role}@example.org", ["role"] = role })).Expect(HttpStatusCode.Created);
        var accept = new JsonObject { ["token"] = (string)invited["token"]!, ["password"] = "correct horse battery staple" };
        var session = (await world.Client.PostAsync("/v1/auth/accept", accept)).Expect(HttpStatusCode.OK);
        return new OmiumClient(world.Omium, key: (string)session["access_token"]!);
    }

    private static async Task<IReadOnlyList<JsonNode>> TrailAsync(OmiumClient client)
    {
        var rows = new List<JsonNode>();
        string? cursor = null;
        do
        {
            var page = await client.GetAsync($"/v1/audit?limit=10{(cursor is null ? "" : $"&cursor={cursor}")}");
            rows.AddRange(page["items"]!.AsArray().Select(row => row!));
            cursor = (string?)page["next_cursor"];
        }
        while (cursor is not null);
        return rows;
    }

    private static async Task<(int ExitCode, JsonNode Answer)> VerifyAsync(World world, string? file = null, string[]? lines = null, params string[] options)
    {
        if (file is not null)
        {
            await File.WriteAllLinesAsync(file, lines!);
        }

        var start = new ProcessStartInfo(Surroundings.Binary, ["audit", "verify", "--json", .. options]) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (file is null)
        {
            (start.Environment["OMIUM_BASE_URL"], start.Environment["OMIUM_API_KEY"]) = (world.Omium.Address.ToString(), world.Omium.Key);
        }
        else
        {
            start.ArgumentList.Add(file); // Neither address nor key: nobody is asked.
            start.Environment.Remove("OMIUM_API_KEY");
        }

        using var process = Process.Start(start)!;
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, JsonNode.Parse(text)!);
    }
}
