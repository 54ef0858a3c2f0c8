using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S22: keys, from the day they are made to the day they are revoked, and the wall between two tenants.</summary>
public sealed class S22KeysTests
{
    [Fact]
    public async Task S22_AKey_LivesRotatesAndEndsAtOnce_AlsoAcrossAKill()
    {
        await using var world = await World.StartAsync();
        var made = (await world.Client.PostAsync("/v1/keys", new JsonObject { ["name"] = "ci", ["environment"] = "test", ["spend_cap_credits"] = 1_000 })).Expect(HttpStatusCode.Created);
        var (id, secret) = ((string)made["id"]!, (string)made["secret"]!);
        Assert.Matches("^omk_test_[0-9a-z]{16}_[0-9a-z]{52}$", secret);

        var listed = await world.Client.GetAsync("/v1/keys");
        Assert.DoesNotContain(secret.Split('_')[^1], listed.ToJsonString(), StringComparison.Ordinal);
        var view = listed["items"]!.AsArray().Single(key => (string?)key!["id"] == id)!;
        Assert.Equal(("test", 1_000, null), ((string?)view["environment"], (int?)view["spend_cap_credits"], (string?)view["last_used_at"]));

        using var first = new OmiumClient(world.Omium, key: secret);
        await first.GetAsync("/v1/workflows");
        await AssertUsedAsync(world, id);

        var rotated = (await world.Client.PostAsync($"/v1/keys/{id}/rotate", new JsonObject())).Expect(HttpStatusCode.OK);
        using var second = new OmiumClient(world.Omium, key: (string)rotated["secret"]!);
        (await first.SendAsync(HttpMethod.Get, "/v1/me")).ExpectProblem(HttpStatusCode.Unauthorized, "unauthenticated");
        Assert.Equal(id, (string?)(await second.GetAsync("/v1/me"))["key_id"]);

        Assert.Equal(HttpStatusCode.NoContent, (await world.Client.SendAsync(HttpMethod.Delete, $"/v1/keys/{id}")).Status);
        (await second.SendAsync(HttpMethod.Get, "/v1/me")).ExpectProblem(HttpStatusCode.Unauthorized, "unauthenticated");
        world.Omium.KillHard();
        await world.Omium.StartAgainAsync();
        (await first.SendAsync(HttpMethod.Get, "/v1/me")).ExpectProblem(HttpStatusCode.Unauthorized, "unauthenticated");
        (await second.SendAsync(HttpMethod.Get, "/v1/me")).ExpectProblem(HttpStatusCode.Unauthorized, "unauthenticated");
        await world.Omium.TerminateAsync(TimeSpan.FromSeconds(10));
        AssertNowhere(world, secret.Split('_')[^1], ((string)rotated["secret"]!).Split('_')[^1]);
    }

    [Fact]
    public async Task S22_AKeyOfOneTenant_NeverSeesTheOther()
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Payments.Irreversible(world.Receiver.Address));
        var execution = await Payments.StartAsync(world.Client);
        var review = await Payments.ReviewAsync(world.Client, execution, "approval");
        using var other = await StrangerAsync(world);

        foreach (var (path, missing) in new[]
        {
            ($"/v1/executions/{execution}", "/v1/executions/exe_00000000000000000000000000"), ($"/v1/executions/{execution}/events", "/v1/executions/exe_00000000000000000000000000/events"),
            ($"/v1/executions/{execution}/stream", "/v1/executions/exe_00000000000000000000000000/stream"), ($"/v1/reviews/{review["id"]}", "/v1/reviews/rev_none"),
            ("/v1/workflows/payments", "/v1/workflows/nothing"), ("/v1/workflows/payments/versions/1", "/v1/workflows/nothing/versions/1"),
        })
        {
            var (hidden, absent) = (await other.SendAsync(HttpMethod.Get, path), await other.SendAsync(HttpMethod.Get, missing));
            Assert.Equal(HttpStatusCode.NotFound, hidden.Status);
            Assert.Equal((string?)absent.Json["code"], (string?)hidden.Json["code"]);
        }

        (await other.PostAsync($"/v1/reviews/{review["id"]}/decide", new JsonObject { ["decision"] = "approve", ["digest"] = (string)review["digest"]! }))
            .ExpectProblem(HttpStatusCode.NotFound, "review_not_found");
        (await other.PostAsync($"/v1/executions/{execution}/cancel", new JsonObject())).ExpectProblem(HttpStatusCode.NotFound, "execution_not_found");
        Assert.Empty((await other.GetAsync("/v1/executions"))["items"]!.AsArray());
        Assert.Empty((await other.GetAsync("/v1/reviews"))["items"]!.AsArray());
        var ours = (string)(await world.Client.GetAsync("/v1/me"))["key_id"]!;
        (await other.SendAsync(HttpMethod.Delete, $"/v1/keys/{ours}")).ExpectProblem(HttpStatusCode.NotFound, "not_found");
        Assert.Equal(0, (await world.Receiver.CountAsync(Payments.Pay)).Requests);
        (await Payments.DecideAsync(world.Client, review, "approve")).Expect(HttpStatusCode.OK);
        await world.Client.WaitForStatusAsync(execution, "succeeded");
    }

    /// <summary>Somebody who signs up beside the local tenant, with a key of their own.</summary>
    private static async Task<OmiumClient> StrangerAsync(World world)
    {
        var account = new JsonObject { ["email"] = "eve@example.org", ["password"] = "correct horse battery staple" };
        Assert.Equal(HttpStatusCode.Accepted, (await world.Client.PostAsync("/v1/auth/signup", account)).Status);
        var session = (await world.Client.PostAsync("/v1/auth/login", account.DeepClone())).Expect(HttpStatusCode.OK);
        using var console = new OmiumClient(world.Omium, key: (string)session["access_token"]!);
        var key = (await console.PostAsync("/v1/keys", new JsonObject { ["name"] = "eve", ["scopes"] = new JsonArray("read", "run", "work", "write", "decide", "admin") })).Expect(HttpStatusCode.Created);
        return new OmiumClient(world.Omium, key: (string)key["secret"]!);
    }

    /// <summary>The use is noted beside the request: it is there soon after.</summary>
    private static async Task AssertUsedAsync(World world, string id)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while ((await world.Client.GetAsync("/v1/keys"))["items"]!.AsArray().Single(key => (string?)key!["id"] == id)!["last_used_at"] is null)
        {
            limit.Token.ThrowIfCancellationRequested();
        }
    }

    private static void AssertNowhere(World world, params string[] secrets)
    {
        foreach (var file in Directory.EnumerateFiles(world.Omium.DataDirectory, "*", SearchOption.AllDirectories))
        {
            var text = File.ReadAllText(file, System.Text.Encoding.Latin1);
            Assert.All(secrets, secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
        }
    }
}
