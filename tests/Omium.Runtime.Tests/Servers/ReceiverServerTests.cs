using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Omium.Cli.Servers;

namespace Omium.Runtime.Tests.Servers;

public sealed class ReceiverServerTests : IAsyncLifetime
{
    private readonly string _log = Path.Combine(Path.GetTempPath(), $"omium-receiver-{Guid.NewGuid():N}.jsonl");
    private ReceiverServer _receiver = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync() => await StartAsync(new(_log));

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _receiver.DisposeAsync();
        File.Delete(_log);
    }

    [Fact]
    public async Task Post_NewKey_IsOnDiskBeforeTheAnswer()
    {
        using var answer = await SendAsync("offer", "k1", new { apr = 5.2 });

        Assert.Equal("offer-1", (string?)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["id"]);
        var line = JsonNode.Parse((await ReadLogAsync()).Single())!;
        Assert.Equal(("effect", "offer", "POST", "k1", "exe_1/a~1~1"),
            ((string?)line["kind"], (string?)line["name"], (string?)line["method"], (string?)line["idempotency_key"], (string?)line["effect_id"]));
        Assert.Equal(5.2, (double)line["body"]!["apr"]!);
    }

    [Fact]
    public async Task Post_SameKey_IsADuplicateWithTheFirstAnswer()
    {
        using var first = await SendAsync("offer", "k1");
        using var again = await SendAsync("offer", "k1");
        using var undeduped = await SendAsync("offer?dedupe=false", "k1");

        Assert.Equal(await first.Content.ReadAsStringAsync(), await again.Content.ReadAsStringAsync());
        var view = await ViewAsync("offer");
        Assert.Equal((2, 1), ((int)view["effects"]!, (int)view["duplicates"]!));
    }

    [Fact]
    public async Task Restart_SameLog_KnowsWhatItCounted()
    {
        using var first = await SendAsync("offer", "k1");
        var before = await first.Content.ReadAsStringAsync();
        await _receiver.DisposeAsync();
        await File.AppendAllTextAsync(_log, "{\"at\": \"torn");
        await StartAsync(new(_log));

        using var again = await SendAsync("offer", "k1");

        Assert.Equal(before, await again.Content.ReadAsStringAsync());
        Assert.Equal(2, (await ReadLogAsync()).Length);
    }

    [Theory]
    [InlineData("hold_before_count", 0)]
    [InlineData("hold_after_count", 1)]
    public async Task Hold_UntilRelease_KeepsTheReply(string control, int countedWhileHeld)
    {
        await ControlAsync(new JsonObject { ["name"] = "pay", [control] = true });
        var held = SendAsync("pay", "k1");

        var seen = await _http.GetFromJsonAsync<JsonObject>("/wait?name=pay&holding=1");

        Assert.False(held.IsCompleted);
        Assert.Equal(countedWhileHeld, (int)seen!["effects"]!);
        using var released = await _http.PostAsJsonAsync("/release", new { name = "pay" });
        using var answer = await held;
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(1, (int)(await ViewAsync("pay"))["effects"]!);
    }

    [Fact]
    public async Task Hold_BeforeCountAndCallerGone_IsNeverCounted()
    {
        await ControlAsync(new JsonObject { ["name"] = "pay", ["hold_before_count"] = true });
        using var cancel = new CancellationTokenSource();
        var held = _http.PostAsJsonAsync("/effects/pay", new { }, cancel.Token);
        using var holding = await _http.GetAsync("/wait?name=pay&holding=1");

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => held);
        while ((int)(await ViewAsync("pay"))["holding"]! > 0)
        {
            await Task.Yield();
        }

        Assert.Equal(0, (int)(await ViewAsync("pay"))["effects"]!);
    }

    [Fact]
    public async Task Control_FailTimes_FailsThatOftenWithoutCounting()
    {
        await ControlAsync(new JsonObject { ["name"] = "pay", ["fail_times"] = 2, ["status"] = 500 });

        var statuses = new List<int>();
        for (var i = 0; i < 3; i++)
        {
            using var answer = await SendAsync("pay", $"k{i}");
            statuses.Add((int)answer.StatusCode);
        }

        Assert.Equal([500, 500, 200], statuses);
        var view = await ViewAsync("pay");
        Assert.Equal((1, 2), ((int)view["effects"]!, (int)view["failed"]!));
    }

    [Fact]
    public async Task Control_DropAfterCounting_ActsAndGivesNoAnswer()
    {
        await ControlAsync(new JsonObject { ["name"] = "pay", ["fail_times"] = 1, ["drop_connection"] = true, ["fail_counts"] = true });

        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync("pay", "k1"));

        Assert.Equal("done", (string?)(await _http.GetFromJsonAsync<JsonObject>("/state/pay/k1"))!["status"]);
        using var again = await SendAsync("pay", "k1");
        Assert.Equal((1, 1), ((int)(await ViewAsync("pay"))["effects"]!, (int)(await ViewAsync("pay"))["duplicates"]!));
    }

    [Fact]
    public async Task State_KeyNotSeen_IsNotDoneUnlessTold()
    {
        Assert.Equal("not_done", (string?)(await _http.GetFromJsonAsync<JsonObject>("/state/pay/k9"))!["status"]);
        await ControlAsync(new JsonObject { ["name"] = "pay", ["state"] = "unknown" });
        Assert.Equal("unknown", (string?)(await _http.GetFromJsonAsync<JsonObject>("/state/pay/k9"))!["status"]);
    }

    [Fact]
    public async Task Control_UnknownMember_Is400()
    {
        using var answer = await _http.PostAsJsonAsync("/control", new { name = "pay", fail_time = 1 });

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("fail_time", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task FailRate_SameSeed_FailsTheSameRequests()
    {
        var runs = new List<string>();
        for (var run = 0; run < 2; run++)
        {
            await _receiver.DisposeAsync();
            File.Delete(_log);
            await StartAsync(new(_log, FailRate: 0.3, Seed: 7));
            var pattern = "";
            for (var i = 0; i < 40; i++)
            {
                using var answer = await SendAsync("pay", $"k{i}");
                pattern += answer.IsSuccessStatusCode ? '.' : 'x';
            }

            runs.Add(pattern);
        }

        Assert.Equal(runs[0], runs[1]);
        Assert.InRange(runs[0].Count(c => c == 'x'), 4, 22);
    }

    [Theory]
    [InlineData("--fail-rate", "2")]
    [InlineData("--port", "abc")]
    [InlineData("--unknown", "1")]
    public async Task RunAsync_BadArguments_Is2(string name, string value) =>
        Assert.Equal(2, await ReceiverServer.RunAsync([name, value], CancellationToken.None));

    private async Task StartAsync(ReceiverOptions options)
    {
        _receiver = await ReceiverServer.StartAsync(options);
        _http?.Dispose();
        _http = new HttpClient { BaseAddress = _receiver.Address };
    }

    private async Task<HttpResponseMessage> SendAsync(string path, string key, object? body = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/effects/{path}") { Content = JsonContent.Create(body ?? new { }) };
        request.Headers.Add("Idempotency-Key", key);
        request.Headers.Add("Omium-Effect", "exe_1/a~1~1");
        return await _http.SendAsync(request);
    }

    private async Task ControlAsync(JsonObject control)
    {
        using var answer = await _http.PostAsJsonAsync("/control", control);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private async Task<JsonObject> ViewAsync(string name) => (await _http.GetFromJsonAsync<JsonObject>($"/effects?name={name}"))!;

    private async Task<string[]> ReadLogAsync()
    {
        await using var file = new FileStream(_log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
