using System.Net;
using System.Text;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Processes;

/// <summary>A canary among the secrets: it must reach the service that it is for, and be found nowhere else.</summary>
public sealed class SecretTests
{
    private const string Canary = "canary/4f8a+17=c0ffee?q";

    [Fact]
    public async Task Secret_SentToAServiceThatTellsItBack_IsFoundNowhere()
    {
        await using var service = new EchoingService();
        await using var world = await World.StartAsync();
        var set = await world.Client.SendAsync(HttpMethod.Put, "/v1/secrets/crm_token", new JsonObject { ["value"] = Canary }.ToJsonString());
        var answers = new List<string> { set.Expect(HttpStatusCode.OK).ToJsonString() };
        await world.Client.SaveAsync(Spec(service.Address));
        foreach (var status in new[] { "failed", "succeeded" })
        {
            var started = (await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "telling", ["input"] = new JsonObject() })).Expect(HttpStatusCode.Created);
            var id = (string)started["id"]!;
            await world.Client.WaitForStatusAsync(id, status);
            foreach (var view in new[] { "", "/events", "/state", "/timeline", "/graph", "/steps", "/diff", "/verify" })
            {
                answers.Add((await world.Client.SendAsync(HttpMethod.Get, $"/v1/executions/{id}{view}")).Text);
            }
        }

        foreach (var path in new[] { "/v1/secrets", "/v1/failures", "/v1/failures/export", "/v1/audit", "/v1/audit/export", "/v1/audit/export?format=csv", "/v1/workflows/telling", "/v1/dev/statistics" })
        {
            answers.Add((await world.Client.SendAsync(HttpMethod.Get, path)).Text);
        }

        // A body that cannot be read is answered with where it breaks, never with what it says.
        answers.Add((await world.Client.SendAsync(HttpMethod.Put, "/v1/secrets/crm_token", $$"""{"value": "{{Canary}}", }""")).Text);
        answers.Add((await world.Client.SendAsync(HttpMethod.Put, "/v1/secrets/crm_token", $$"""{"value": ["{{Canary}}"]}""")).Text);
        answers.Add((await world.Client.SendAsync(HttpMethod.Put, "/v1/secrets/crm_token", $$"""{"valeu": "{{Canary}}"}""")).Text);

        Assert.Equal(2, service.Received.Count);
        Assert.All(service.Received, sent => Assert.Contains($"Bearer {Canary}", sent, StringComparison.Ordinal));
        Assert.Contains(answers, answer => answer.Contains("\"crm_token\"", StringComparison.Ordinal));
        await world.Omium.TerminateAsync(TimeSpan.FromSeconds(10));
        var forms = new[] { Canary, Uri.EscapeDataString(Canary), Convert.ToBase64String(Encoding.UTF8.GetBytes(Canary)), Canary.Replace("/", "\\/", StringComparison.Ordinal) };
        Assert.All(answers, answer => Assert.All(forms, form => Assert.DoesNotContain(form, answer, StringComparison.OrdinalIgnoreCase)));
        Assert.All(forms, form => Assert.DoesNotContain(form, world.Omium.Errors, StringComparison.OrdinalIgnoreCase));
        foreach (var file in Directory.EnumerateFiles(world.Omium.DataDirectory, "*", SearchOption.AllDirectories))
        {
            var text = await File.ReadAllTextAsync(file, Encoding.Latin1);
            Assert.All(forms, form => Assert.False(text.Contains(form, StringComparison.OrdinalIgnoreCase), $"{Path.GetFileName(file)} holds the secret"));
        }
    }

    [Fact]
    public async Task Secret_OfTheEnvironment_IsNotAnotherTenants()
    {
        await using var service = new EchoingService();
        await using var world = await World.StartAsync(variables: _ => new Dictionary<string, string> { ["OMIUM_SECRET_CRM_TOKEN"] = Canary });
        var account = new JsonObject { ["email"] = "eve@example.org", ["password"] = "correct horse battery staple" };
        await world.Client.PostAsync("/v1/auth/signup", account);
        var session = (await world.Client.PostAsync("/v1/auth/login", account.DeepClone())).Expect(HttpStatusCode.OK);
        using var eve = new OmiumClient(world.Omium, key: (string)session["access_token"]!);
        await eve.SaveAsync(Spec(service.Address));
        var ended = await eve.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "telling", ["input"] = new JsonObject() }, waitSeconds: 30);
        Assert.Equal("failed", (string?)ended.Expect(HttpStatusCode.Created)["status"]);
        Assert.Empty(service.Received);
    }

    private static string Spec(Uri service) => $$$"""
        omium: v0
        name: telling
        tools:
          tell:
            type: http
            method: POST
            url: {{{service}}}tell?token=${{ secrets.crm_token }}
            headers: {Authorization: "Bearer ${{ secrets.crm_token }}"}
            body: {token: "${{ secrets.crm_token }}"}
            effect: {kind: none}
        steps:
          - id: tell
            type: tool_call
            tool: tell
            input: {}
        """;
}
