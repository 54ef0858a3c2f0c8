using System.Diagnostics;
using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Processes;

/// <summary>How the program behaves as a process: alone on its data, quick to end, clear about what is wrong.</summary>
public sealed class ProcessTests
{
    private static readonly TimeSpan EndMax = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Dev_OnADataDirectoryInUse_IsRefusedAndTheFirstGoesOn()
    {
        await using var world = await World.StartAsync();
        await using var second = ChildProcess.Start("second omium dev", ["dev", "--port", "0", "--data", world.Omium.DataDirectory, "--json"]);

        var exitCode = await second.WaitForExitAsync(TimeSpan.FromSeconds(10));

        World.Say($"the second process said: {second.Errors.Trim()}");
        Assert.Equal(1, exitCode);
        Assert.Contains(world.Omium.DataDirectory, second.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", second.Errors, StringComparison.Ordinal);
        await world.Client.GetAsync("/v1/me");
    }

    [Fact]
    public async Task Dev_Terminated_EndsWithinTwoSecondsAndLosesNothing()
    {
        await using var world = await World.StartAsync(Stories.CompanyX.Script);
        await Stories.CompanyX.SaveAsync(world.Client, world.Receiver);
        var paused = (await world.Client.PostAsync("/v1/executions", Stories.CompanyX.Start("cus_1"), waitSeconds: 20)).Expect(HttpStatusCode.Created);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await using var open = new EventStream(world.Omium, (string)paused["id"]!).ReadAsync(0, limit.Token).GetAsyncEnumerator(limit.Token);
        do
        {
            Assert.True(await open.MoveNextAsync()); // A reader that stays does not keep the server from ending.
        }
        while (new[] { open.Current }.Events("notification.sent").Count == 0); // The last thing that happens by itself.
        var before = await world.Client.GetAsync($"/v1/executions/{paused["id"]}");

        var clock = Stopwatch.StartNew();
        var exitCode = await world.Omium.TerminateAsync(EndMax);
        World.Say($"SIGTERM to end: {clock.ElapsedMilliseconds} ms");
        Assert.Equal(0, exitCode);

        await world.Omium.StartAgainAsync();
        World.Say($"start to ready line: {world.Omium.StartMs:F0} ms");
        var after = await world.Client.GetAsync($"/v1/executions/{paused["id"]}");
        Assert.Equal(before.ToJsonString(), after.ToJsonString());
    }

    [Fact]
    public async Task Workflow_WithManyErrors_IsRefusedWithAllOfThem()
    {
        await using var world = await World.StartAsync();
        const string spec = """
            omium: v0
            name: Broken Name
            agents:
              writer: {role: Writer}
            tools:
              send: {type: http, method: POST, url: "http://127.0.0.1:1/", effect: {kind: idempotent}}
            steps:
              - {id: first, type: agent_task, agent: nobody, needs: [missing]}
              - {id: second, type: tool_call, tool: send, needs: [first], input: {text: "${{ steps.third.output }}"}}
              - id: third
                type: agent_task
                agent: writer
                needs: [second]
                guards: {post: [{check: "output.apr >= ", code: bad, message: never}]}
            """;

        var reply = await world.Client.SendAsync(HttpMethod.Post, "/v1/workflows", spec, "text/yaml");

        var errors = reply.ExpectProblem(HttpStatusCode.UnprocessableEntity, "validation_failed")["errors"]!.AsArray();
        World.Say(string.Join('\n', errors.Select(error => $"{error!["pointer"]} {error["code"]}: {error["message"]}")));
        string[] expected = ["/name", "/steps/0/agent", "/steps/0/needs/0", "/steps/1/input/text", "/steps/2/guards/post/0/check"];
        var pointers = errors.Select(error => (string)error!["pointer"]!).ToList();
        Assert.All(expected, pointer => Assert.Contains(pointer, pointers));
        Assert.All(errors, error =>
        {
            Assert.False(string.IsNullOrWhiteSpace((string?)error!["code"]));
            Assert.False(string.IsNullOrWhiteSpace((string?)error["message"]));
            Assert.False(string.IsNullOrWhiteSpace((string?)error["mend"]));
        });
    }

    [Fact]
    public async Task Requests_WithoutAKeyOrToNowhere_AreProblems()
    {
        await using var world = await World.StartAsync();
        using var stranger = new HttpClient { BaseAddress = world.Omium.Address };

        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync("/v1/executions")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await stranger.GetAsync("/healthz")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await stranger.GetAsync("/readyz")).StatusCode);
        (await world.Client.SendAsync(HttpMethod.Get, "/v1/nothing")).ExpectProblem(HttpStatusCode.NotFound, "not_found");
        (await world.Client.SendAsync(HttpMethod.Delete, "/v1/me")).ExpectProblem(HttpStatusCode.MethodNotAllowed, "method_not_allowed");
        (await world.Client.SendAsync(HttpMethod.Get, "/v1/executions/exe_none")).ExpectProblem(HttpStatusCode.NotFound, "execution_not_found");
        (await world.Client.SendAsync(HttpMethod.Post, "/v1/executions", "{\"workflow\": ", "application/json")).ExpectProblem(HttpStatusCode.BadRequest, "invalid_json");
    }
}
