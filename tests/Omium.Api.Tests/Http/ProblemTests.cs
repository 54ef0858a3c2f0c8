using System.Net.Sockets;
using System.Text;
using Omium.Contracts;

namespace Omium.Api.Tests.Http;

public sealed class ProblemTests : IAsyncLifetime
{
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync(options => (options.BodyBytesMax, options.InputBytesMax) = (2_048, 2_048));

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task UnknownRoute_UnderV1_Is404AndWrongMethodIs405WithAllow()
    {
        Assert.Equal("not_found", (await _host.FailAsync(HttpMethod.Get, "/v1/nothing/here", 404)).Code);
        using var response = await _host.Client.DeleteAsync("/v1/executions");
        Assert.Equal("method_not_allowed", (await ApiHost.ReadAsync(response, ContractJson.Default.Problem, 405)).Code);
        Assert.Equal(["GET", "POST"], response.Content.Headers.Allow.Order());
    }

    [Fact]
    public async Task Body_OfAnotherType_Is415()
    {
        using var text = new StringContent("{}", Encoding.UTF8, "text/plain");
        Assert.Equal("unsupported_media_type", (await _host.FailAsync(HttpMethod.Post, "/v1/executions", 415, text)).Code);
    }

    [Theory]
    [InlineData("{\"workflow\": ", 400, "invalid_json", null)]
    [InlineData("{\"workflow\": \"a\", \"workflow\": \"b\", \"version\": \"x\"}", 400, "invalid_json", null)]
    [InlineData("{\"workflow\": \"a\", \"workflow\": \"b\"}", 400, "invalid_json", null)]
    [InlineData("{}", 422, "validation_failed", "")]
    [InlineData("null", 422, "validation_failed", "")]
    [InlineData("{\"workflow\": 5}", 422, "validation_failed", "/workflow")]
    [InlineData("{\"workflow\": \"a\", \"inputs\": {}}", 422, "validation_failed", "/inputs")]
    [InlineData("{\"workflow\": \"a\"}", 404, "workflow_not_found", null)]
    public async Task Start_BadBody_SaysWhatAndWhere(string body, int status, string code, string? pointer)
    {
        var problem = await _host.FailAsync(HttpMethod.Post, "/v1/executions", status, ApiHost.Json(body));
        Assert.Equal(code, problem.Code);
        Assert.Equal(pointer, problem.Errors?.Single().Pointer);
        Assert.DoesNotContain("System.", problem.Detail, StringComparison.Ordinal);
        Assert.EndsWith($"docs/errors/{code}.md", problem.Type, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PUT", "/v1/sso", """{"issuer": "https://id.example.org", "client_id": "c", "role": "viewer", "email_domains": ["a.example", null]}""", "/email_domains")]
    [InlineData("POST", "/v1/keys", """{"name": "night", "scopes": [null]}""", "/scopes")]
    [InlineData("POST", "/v1/workers/poll", """{"queues": [null]}""", "/queues")]
    public async Task Body_WithNullInAListOfTexts_Is422AtThatList(string method, string path, string body, string pointer)
    {
        var problem = await _host.FailAsync(new HttpMethod(method), path, 422, ApiHost.Json(body));
        Assert.Equal(("validation_failed", pointer), (problem.Code, problem.Errors?.Single().Pointer));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Body_TooLarge_Is413WithAndWithoutLength(bool hasLength)
    {
        using HttpContent content = hasLength ? ApiHost.Json(new string(' ', 4_000)) : new StreamContent(new Unseekable(4_000));
        content.Headers.ContentType = new("application/json");
        Assert.Equal("body_too_large", (await _host.FailAsync(HttpMethod.Post, "/v1/executions", 413, content)).Code);
    }

    [Theory]
    [InlineData("/v1/executions?limit=0", "/limit")]
    [InlineData("/v1/executions?limit=x", "/limit")]
    [InlineData("/v1/executions?from=yesterday", "/from")]
    [InlineData("/v1/executions?cursor=made-up", "/cursor")]
    [InlineData("/v1/reviews?cursor=MTIz", "/cursor")]
    [InlineData("/v1/executions?status=successful", "/status")]
    [InlineData("/v1/reviews?status=closed", "/status")]
    [InlineData("/v1/failures?status=closed", "/status")]
    public async Task Query_OutOfRange_Is422(string path, string pointer) =>
        Assert.Equal(pointer, (await _host.FailAsync(HttpMethod.Get, path, 422)).Errors!.Single().Pointer);

    [Fact]
    public async Task Body_WithABrokenChunk_IsTheClientsErrorNotABug()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(_host.Address.Host, _host.Address.Port, TestContext.Current.CancellationToken);
        var stream = socket.GetStream();
        var request = $"POST /v1/executions HTTP/1.1\r\nHost: {_host.Address.Authority}\r\nAuthorization: {_host.Client.DefaultRequestHeaders.Authorization}\r\n"
            + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"request_broken\"", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_NeedsNoKey()
    {
        using var client = new HttpClient { BaseAddress = _host.Address };
        Assert.Equal("alive\n", await client.GetStringAsync("/healthz"));
        Assert.Equal("ready\n", await client.GetStringAsync("/readyz"));
    }

    /// <summary>Bytes whose number nobody knows beforehand: sent in chunks.</summary>
    private sealed class Unseekable(int length) : MemoryStream(Encoding.UTF8.GetBytes(new string(' ', length)))
    {
        public override bool CanSeek => false;
    }
}
