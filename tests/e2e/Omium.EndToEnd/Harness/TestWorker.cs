using System.Diagnostics;
using System.Net;

namespace Omium.EndToEnd.Harness;

/// <summary>A small worker as anybody would write one: it polls, and answers what it was asked, over HTTP alone.</summary>
internal sealed class TestWorker(OmiumClient client, string queue, string name = "w1")
{
    /// <summary>The next task; null when none came in time.</summary>
    public async Task<JsonNode?> PollAsync(int waitMs = 20_000)
    {
        var reply = await client.PostAsync("/v1/workers/poll", new JsonObject { ["queues"] = new JsonArray(queue), ["wait_ms"] = waitMs, ["worker"] = name });
        return reply.Status == HttpStatusCode.NoContent ? null : reply.Expect(HttpStatusCode.OK);
    }

    /// <summary>The next task, which must come and be of this kind. Where others may share the store, what was given out before a kill comes again only when its lease is over.</summary>
    public async Task<JsonNode> TakeAsync(string kind)
    {
        var started = Stopwatch.GetTimestamp();
        var task = await PollAsync();
        while (task is null && Stopwatch.GetElapsedTime(started) < Surroundings.Patience)
        {
            task = await PollAsync();
        }

        Assert.NotNull(task);
        Assert.Equal((kind, queue), ((string?)task["kind"], (string?)task["queue"]));
        return task;
    }

    public Task<Reply> HeartbeatAsync(JsonNode task) => client.PostAsync($"/v1/tasks/{task["id"]}/heartbeat", new JsonObject());

    public Task<Reply> CompleteAsync(JsonNode task, JsonNode output) => client.PostAsync($"/v1/tasks/{task["id"]}/complete", new JsonObject { ["output"] = output });

    public Task<Reply> FailAsync(JsonNode task, string message) => client.PostAsync($"/v1/tasks/{task["id"]}/fail", new JsonObject { ["message"] = message });
}
