using System.Net;
using System.Net.Http.Headers;
using Omium.Contracts;

namespace Omium.Api.Tests.Http;

/// <summary><c>ETag</c>, <c>If-None-Match</c> and <c>If-Match</c> on workflows and the policy.</summary>
public sealed class ETagTests : IAsyncLifetime
{
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Workflow_ReadWithItsTag_IsNotSentAgain()
    {
        using var saved = await SaveAsync("one");
        using var read = await _host.Client.GetAsync("/v1/workflows/tagged");
        Assert.Equal(saved.Headers.ETag, read.Headers.ETag);
        Assert.False(read.Headers.ETag!.IsWeak);
        foreach (var path in (string[])["/v1/workflows/tagged", "/v1/workflows/tagged/versions/1"])
        {
            using var same = await GetAsync(path, read.Headers.ETag.Tag);
            Assert.Equal((HttpStatusCode.NotModified, ""), (same.StatusCode, await same.Content.ReadAsStringAsync()));
            using var other = await GetAsync(path, "\"other\"");
            Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        }

        using var second = await SaveAsync("two");
        Assert.NotEqual(read.Headers.ETag, second.Headers.ETag);
        using var changed = await GetAsync("/v1/workflows/tagged", read.Headers.ETag.Tag);
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
    }

    [Fact]
    public async Task Workflow_SavedOverAnotherVersion_IsRefused()
    {
        using var onlyNew = await SaveAsync("one", noneMatch: "*");
        Assert.Equal(HttpStatusCode.Created, onlyNew.StatusCode);
        using var again = await SaveAsync("two", noneMatch: "*");
        Assert.Equal("precondition_failed", (await ApiHost.ReadAsync(again, ContractJson.Default.Problem, 412)).Code);
        using var mine = await SaveAsync("two", match: onlyNew.Headers.ETag!.Tag);
        Assert.Equal(HttpStatusCode.Created, mine.StatusCode);
        using var late = await SaveAsync("three", match: onlyNew.Headers.ETag.Tag);
        Assert.Equal(HttpStatusCode.PreconditionFailed, late.StatusCode);
        Assert.Equal(2, (await _host.GetAsync("/v1/workflows/tagged", ContractJson.Default.WorkflowView)).Version);
    }

    [Fact]
    public async Task Workflow_SavedByManyOverTheSameTag_ChangesOnce()
    {
        using var first = await SaveAsync("one");
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(number => SaveAsync($"by {number}", match: first.Headers.ETag!.Tag)));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.Created);
        Assert.Equal(7, answers.Count(answer => answer.StatusCode == HttpStatusCode.PreconditionFailed));
    }

    [Fact]
    public async Task Policy_ReadWithItsTag_IsNotSentAgain()
    {
        using var put = await _host.Client.PutAsync("/v1/policies", ApiHost.Yaml("retry_policy: {max_retries: 2}"));
        Assert.True(put.IsSuccessStatusCode, await put.Content.ReadAsStringAsync());
        using var same = await GetAsync("/v1/policies", put.Headers.ETag!.Tag);
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
    }

    private async Task<HttpResponseMessage> GetAsync(string path, string tag)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.IfNoneMatch.Add(new EntityTagHeaderValue(tag));
        return await _host.Client.SendAsync(request);
    }

    private async Task<HttpResponseMessage> SaveAsync(string description, string? match = null, string? noneMatch = null)
    {
        var spec = $$$"""{"spec": {"omium": "v0", "name": "tagged", "description": "{{{description}}}", "steps": [{"id": "one", "type": "decision"}]}}""";
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/workflows") { Content = ApiHost.Json(spec) };
        if (match is not null)
        {
            request.Headers.IfMatch.Add(new EntityTagHeaderValue(match));
        }

        if (noneMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", noneMatch);
        }

        return await _host.Client.SendAsync(request);
    }
}
