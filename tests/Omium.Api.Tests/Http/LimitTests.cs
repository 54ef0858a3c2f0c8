using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Omium.Contracts;

namespace Omium.Api.Tests.Http;

/// <summary>Limits: requests per key, bytes per route, event streams at a time.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task Rate_BeyondTheBurst_Is429WithWhenToComeAgain_ForThatKeyAlone()
    {
        await using var host = await ApiHost.StartAsync(options => (options.RatePerSecond, options.RateBurst) = (0.01, 3));
        var left = new List<string>();
        for (var request = 0; request < 3; request++)
        {
            using var answer = await host.Client.GetAsync("/v1/me");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("\"key\";q=3;w=300", answer.Headers.GetValues("RateLimit-Policy").Single());
            left.Add(answer.Headers.GetValues("RateLimit").Single());
        }

        Assert.Equal(["\"key\";r=2;t=0", "\"key\";r=1;t=0"], left[..2]);
        Assert.StartsWith("\"key\";r=0;t=", left[2], StringComparison.Ordinal);
        using var refused = await host.Client.GetAsync("/v1/me");
        Assert.Equal("rate_limited", (await ApiHost.ReadAsync(refused, ContractJson.Default.Problem, 429)).Code);
        Assert.InRange(int.Parse(refused.Headers.GetValues("Retry-After").Single(), CultureInfo.InvariantCulture), 1, 100);

        using var other = host.ClientOf((await host.Keys.CreateAsync("ten_a", "second", "local")).Secret!);
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/v1/me")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Client.GetAsync("/healthz")).StatusCode);
    }

    [Fact]
    public async Task Rate_WithTime_ComesBack()
    {
        await using var host = await ApiHost.StartAsync(options => (options.RatePerSecond, options.RateBurst) = (50, 1));
        var answers = new List<HttpStatusCode>();
        for (var request = 0; request < 200 && (answers.Count(status => status == HttpStatusCode.OK) < 2 || !answers.Contains(HttpStatusCode.TooManyRequests)); request++)
        {
            using var answer = await host.Client.GetAsync("/v1/me");
            answers.Add(answer.StatusCode);
        }

        Assert.Contains(HttpStatusCode.TooManyRequests, answers);
        Assert.True(answers.Count(status => status == HttpStatusCode.OK) >= 2);
    }

    [Fact]
    public async Task Body_BeyondWhatItsRouteReads_Is413()
    {
        await using var host = await ApiHost.StartAsync(options => (options.SmallBodyBytesMax, options.BodyBytesMax, options.InputBytesMax) = (1_024, 4_096, 16_384));
        Assert.Equal(413, await StatusAsync(host, "/v1/keys", 2_000));
        Assert.Equal(413, await StatusAsync(host, "/v1/workflows", 5_000));
        Assert.NotEqual(413, await StatusAsync(host, "/v1/workflows", 2_000));
        Assert.Equal(413, await StatusAsync(host, "/v1/executions", 20_000));
        Assert.NotEqual(413, await StatusAsync(host, "/v1/executions", 5_000));
    }

    [Fact]
    public async Task Streams_BeyondTheCap_Are503UntilOneCloses()
    {
        await using var host = await ApiHost.StartAsync(options => options.StreamListenersMax = 2);
        var paused = await host.RunCompanyXAsync();
        var path = $"/v1/executions/{paused.Id}/stream";
        using var first = await host.Client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        var second = await host.Client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        using var third = await host.Client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("too_many_listeners", (await ApiHost.ReadAsync(third, ContractJson.Default.Problem, 503)).Code);
        Assert.NotNull(third.Headers.RetryAfter);

        second.Dispose();
        while (true)
        {
            using var next = await host.Client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
            if (next.StatusCode == HttpStatusCode.OK)
            {
                return; // The server sees the end of a connection when it next writes or reads: a moment later.
            }
        }
    }

    [Fact]
    public async Task Streams_OfOneTenant_LeaveRoomForTheOthers()
    {
        await using var host = await ApiHost.StartAsync(options => (options.StreamListenersMax, options.StreamListenersPerTenantMax) = (3, 2));
        var mine = $"/v1/executions/{(await host.RunCompanyXAsync()).Id}/stream";
        using var other = host.ClientOf((await host.Keys.CreateAsync("ten_b", "other", "local")).Secret!);
        using var saved = await other.PostAsync("/v1/workflows", ApiHost.Yaml(ApiHost.CompanyX));
        using var started = await other.PostAsync("/v1/executions", ApiHost.Json(ApiHost.CompanyXStart));
        var theirs = $"/v1/executions/{JsonNode.Parse(await started.Content.ReadAsStringAsync())!["id"]}/stream";
        using var first = await host.Client.GetAsync(mine, HttpCompletionOption.ResponseHeadersRead);
        using var second = await host.Client.GetAsync(mine, HttpCompletionOption.ResponseHeadersRead);
        using var third = await host.Client.GetAsync(mine, HttpCompletionOption.ResponseHeadersRead);
        using var last = await other.GetAsync(theirs, HttpCompletionOption.ResponseHeadersRead);
        using var beyond = await other.GetAsync(theirs, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal([200, 200, 503, 200, 503], new[] { first, second, third, last, beyond }.Select(answer => (int)answer.StatusCode));
    }

    private static async Task<int> StatusAsync(ApiHost host, string path, int bytes)
    {
        using var answer = await host.Client.PostAsync(path, ApiHost.Json($$"""{"name": "{{new string('x', bytes)}}"}"""));
        return (int)answer.StatusCode;
    }
}
