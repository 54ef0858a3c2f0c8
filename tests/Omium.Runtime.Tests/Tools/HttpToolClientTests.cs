using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Omium.Kernel.Specs;
using Omium.Runtime.Effects.Secrets;
using Omium.Runtime.Effects.Tools;
using static Omium.Runtime.Tests.Tools.HttpToolFixture;

namespace Omium.Runtime.Tests.Tools;

public sealed class HttpToolClientTests
{
    [Theory]
    [InlineData("application/json", """{"id": 7}""", """{"id": 7}""")]
    [InlineData("application/problem+json; charset=utf-8", "[1, 2]", "[1, 2]")]
    [InlineData("text/plain", "sent", "\"sent\"")]
    [InlineData("text/plain; charset=utf-8", "\uFEFFsent", "\"sent\"")]
    [InlineData("application/json", "", "null")]
    public async Task CallAsync_Success_GivesTheBody(string type, string body, string expected)
    {
        await using var server = await TestServer.StartAsync(200, body, type);

        var outcome = await CallAsync(Request(server.Url));

        Assert.Null(outcome.Failure);
        Assert.Equal(expected, outcome.Result!.Value.GetRawText());
    }

    [Fact]
    public async Task CallAsync_Post_SendsBodyKeyAndEffect()
    {
        var seen = "";
        await using var server = await TestServer.StartAsync(async context =>
        {
            var headers = context.Request.Headers;
            seen = string.Join('|', context.Request.Method, context.Request.Path, headers["Idempotency-Key"], headers["Omium-Effect"], headers["X-Team"],
                context.Request.ContentType, await new StreamReader(context.Request.Body).ReadToEndAsync());
            context.Response.StatusCode = 204;
        });

        var headers = new Dictionary<string, string> { ["X-Team"] = "blue", ["idempotency-key"] = "the tool's own" };
        var outcome = await CallAsync(Request(server.Url + "/offers", body: new { apr = 5.2 }, headers: headers, key: "k-1"));

        Assert.Null(outcome.Failure);
        Assert.Equal("""POST|/offers|k-1|exe_1/offer~1~1|blue|application/json|{"apr":5.2}""", seen);
    }

    [Fact]
    public async Task CallAsync_FormContentType_SendsAForm()
    {
        var seen = "";
        await using var server = await TestServer.StartAsync(async context => seen = await new StreamReader(context.Request.Body).ReadToEndAsync());

        await CallAsync(Request(
            server.Url, body: new { amount = 10, note = "a&b" }, headers: new() { ["Content-Type"] = "application/x-www-form-urlencoded" }));

        Assert.Equal("amount=10&note=a%26b", seen);
    }

    [Theory]
    [InlineData(400, FailureClasses.ToolError, false, true)]
    [InlineData(401, FailureClasses.ToolError, false, true)]
    [InlineData(404, FailureClasses.ToolError, false, true)]
    [InlineData(409, FailureClasses.ToolError, false, true)]
    [InlineData(408, FailureClasses.Timeout, false, false)]
    [InlineData(425, FailureClasses.ToolError, false, false)]
    [InlineData(429, FailureClasses.RateLimited, false, false)]
    [InlineData(500, FailureClasses.ToolError, true, false)]
    [InlineData(503, FailureClasses.ToolError, true, false)]
    public async Task CallAsync_ErrorStatus_TellsWhetherItMayHaveHappened(int status, string failureClass, bool mayHaveHappened, bool permanent)
    {
        await using var server = await TestServer.StartAsync(status, "no such customer", "text/plain");

        var outcome = await CallAsync(Request(server.Url));

        AssertFailure(outcome, failureClass, $"http_{status}", mayHaveHappened, permanent);
        Assert.Contains("no such customer", outcome.Failure!.Message, StringComparison.Ordinal);
        Assert.Equal(1, server.Requests);
    }

    [Theory]
    [InlineData("Retry-After", "7", 7000L)]
    [InlineData("Retry-After", "Sat, 21 Nov 2026 10:00:30 GMT", 30_000L)]
    [InlineData("Retry-After", "Sat, 21 Nov 2026 09:00:00 GMT", 0L)]
    [InlineData("retry-after-ms", "250", 250L)]
    [InlineData("Retry-After", "99999999999", 86_400_000L)]
    [InlineData("Retry-After", "soon", null)]
    public async Task CallAsync_RateLimited_ReadsTheWait(string header, string value, long? expectedMs)
    {
        await using var server = await TestServer.StartAsync(429, "", "text/plain", (header, value));

        var outcome = await CallAsync(Request(server.Url), time: new StandingClock(new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero)));

        Assert.Equal(expectedMs, outcome.Failure!.RetryAfterMs);
    }

    [Theory]
    [InlineData("application/json", "{\"id\": ")]
    [InlineData("application/json", "<html>")]
    public async Task CallAsync_MalformedJson_MayHaveHappened(string type, string body)
    {
        await using var server = await TestServer.StartAsync(200, body, type);

        AssertFailure(await CallAsync(Request(server.Url)), FailureClasses.ToolError, "response_malformed", true, false);
    }

    [Fact]
    public async Task CallAsync_BinaryBody_IsMalformed()
    {
        await using var server = await TestServer.StartAsync(context => context.Response.Body.WriteAsync(new byte[] { 0xFF, 0xFE, 0x00, 0xC3 }).AsTask());

        AssertFailure(await CallAsync(Request(server.Url)), FailureClasses.ToolError, "response_malformed", true, false);
    }

    [Theory]
    [InlineData("length")]
    [InlineData("chunked")]
    [InlineData("gzip")]
    public async Task CallAsync_LargeBody_IsRefusedHoweverItComes(string how)
    {
        await using var server = await TestServer.StartAsync(async context =>
        {
            var body = new byte[64 * 1024];
            Array.Fill(body, (byte)' ');
            if (how == "gzip")
            {
                context.Response.Headers.ContentEncoding = "gzip";
                await using var packed = new GZipStream(context.Response.Body, CompressionLevel.Fastest);
                await packed.WriteAsync(body);
                return;
            }

            context.Response.ContentLength = how == "length" ? body.Length : null;
            await context.Response.Body.WriteAsync(body);
        });

        var outcome = await CallAsync(Request(server.Url), Local with { ResponseBytesMax = 10_000 });

        AssertFailure(outcome, FailureClasses.ToolError, "response_too_large", true, false);
    }

    [Theory]
    [InlineData("headers")]
    [InlineData("body")]
    public async Task CallAsync_SlowAnswer_TimesOutInDoubt(string part)
    {
        await using var server = await TestServer.StartAsync(async context =>
        {
            if (part == "body")
            {
                await context.Response.WriteAsync("[1,");
                await context.Response.Body.FlushAsync();
            }

            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });

        AssertFailure(await CallAsync(Request(server.Url, timeoutMs: 300)), FailureClasses.Timeout, "response_timeout", true, false);
    }

    [Fact]
    public async Task CallAsync_TimeoutWhileConnecting_CertainlyDidNotHappen()
    {
        var outcome = await CallAsync(Request("http://slow.test/", timeoutMs: 200), resolve: async (_, cancellation) =>
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return [];
        });

        AssertFailure(outcome, FailureClasses.Timeout, "connect_timeout", false, false);
    }

    [Fact]
    public async Task CallAsync_NobodyListens_IsConnectionRefused()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        AssertFailure(await CallAsync(Request($"http://127.0.0.1:{port}/")), FailureClasses.ToolError, "connection_refused", false, false);
    }

    [Fact]
    public async Task CallAsync_UnknownHost_IsHostNotFound()
    {
        var outcome = await CallAsync(
            Request("http://nowhere.test/"), resolve: (_, _) => throw new SocketException((int)SocketError.HostNotFound));

        AssertFailure(outcome, FailureClasses.ToolError, "host_not_found", false, false);
    }

    [Fact]
    public async Task CallAsync_NoTlsOnTheOtherSide_IsTlsFailed()
    {
        await using var server = await TestServer.StartAsync(200, "{}");

        var outcome = await CallAsync(Request(server.Url.Replace("http:", "https:", StringComparison.Ordinal)));

        AssertFailure(outcome, FailureClasses.ToolError, "tls_failed", false, false);
        Assert.Equal(0, server.Requests);
    }

    [Fact]
    public async Task CallAsync_ConnectionCutAfterSending_MayHaveHappened()
    {
        await using var server = new RawServer(null, null);

        AssertFailure(await CallAsync(Request(server.Url, body: new { n = 1 })), FailureClasses.ToolError, "connection_broken", true, false);
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public async Task CallAsync_AnswerIsNotHttp_MayHaveHappened()
    {
        await using var server = new RawServer("SSH-2.0-OpenSSH_9.2\r\n\r\n");

        AssertFailure(await CallAsync(Request(server.Url)), FailureClasses.ToolError, "response_malformed", true, false);
    }

    [Theory]
    [InlineData("DELETE")]
    [InlineData("POST")]
    public async Task CallAsync_ReusedConnectionBreaks_IsNeverSentAgain(string method)
    {
        const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        await using var server = new RawServer(Ok, null, Ok, Ok);
        using var client = new HttpToolClient(Local, new FixedSecrets([]));
        Assert.Null((await client.CallAsync(Request(server.Url, method), CancellationToken.None)).Failure);

        var outcome = await client.CallAsync(Request(server.Url, method), CancellationToken.None);

        AssertFailure(outcome, FailureClasses.ToolError, "connection_broken", true, false);
        Assert.Equal(2, server.Requests);
    }

    [Fact]
    public async Task CallAsync_Cancelled_Throws()
    {
        using var cancel = new CancellationTokenSource();
        await using var server = await TestServer.StartAsync(async context =>
        {
            await cancel.CancelAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        using var client = new HttpToolClient(Local, new EnvironmentSecretSource(""));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.CallAsync(Request(server.Url), cancel.Token));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(3, true)]
    [InlineData(4, false)]
    public async Task CallAsync_GetRedirectedOnItsOrigin_FollowsThree(int redirects, bool follows)
    {
        await using var server = await TestServer.StartAsync(context =>
        {
            var left = int.Parse(context.Request.Path.Value!.Trim('/'), System.Globalization.CultureInfo.InvariantCulture);
            context.Response.StatusCode = left > 0 ? 302 : 200;
            context.Response.Headers.Location = left > 0 ? $"/{left - 1}" : default(string);
            return Task.CompletedTask;
        });

        var outcome = await CallAsync(Request($"{server.Url}/{redirects}", "GET"));

        Assert.Equal(follows ? null : "redirect_refused", outcome.Failure?.Code);
        Assert.Equal(Math.Min(redirects, 3) + 1, server.Requests);
    }

    [Theory]
    [InlineData("GET", 302, "http://127.0.0.2/", false)]
    [InlineData("GET", 302, "http://169.254.169.254/latest/meta-data", false)]
    [InlineData("GET", 302, "file:///etc/passwd", false)]
    [InlineData("GET", 302, null, false)]
    [InlineData("POST", 307, "/elsewhere", false)]
    [InlineData("POST", 303, "/done", true)]
    [InlineData("POST", 302, "/done", true)]
    public async Task CallAsync_OtherRedirect_IsRefused(string method, int status, string? location, bool mayHaveHappened)
    {
        await using var server = await TestServer.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = location;
            return Task.CompletedTask;
        });

        AssertFailure(await CallAsync(Request(server.Url, method)), FailureClasses.ToolError, "redirect_refused", mayHaveHappened, true);
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public async Task CallAsync_LargeRequest_IsNotSent()
    {
        await using var server = await TestServer.StartAsync(200, "{}");

        var outcome = await CallAsync(Request(server.Url, body: new { text = new string('x', 2000) }), Local with { RequestBytesMax = 1000 });

        AssertFailure(outcome, FailureClasses.ToolError, "request_too_large", false, true);
        Assert.Equal(0, server.Requests);
    }

    [Theory]
    [InlineData("ftp://files.test/", "scheme_refused")]
    [InlineData("file:///etc/passwd", "scheme_refused")]
    [InlineData("/relative", "scheme_refused")]
    [InlineData("", "url_invalid")]
    [InlineData("http://user:word@host.test/", "url_invalid")]
    [InlineData("http://host.test/\r\nX: 1", "url_invalid")]
    public async Task CallAsync_BadUrl_IsNotSent(string url, string code) =>
        AssertFailure(await CallAsync(Request(url)), FailureClasses.ToolError, code, false, true);

    [Theory]
    [InlineData("X-Name", "a\r\nX-Injected: 1")]
    [InlineData("X-Name", "a\0b")]
    [InlineData("X-Name: 1\r\nX", "a")]
    [InlineData("", "a")]
    [InlineData("Transfer-Encoding", "chunked")]
    [InlineData("Content-Length", "5")]
    [InlineData("Host", "other.test")]
    public async Task CallAsync_BadHeader_IsNotSent(string name, string value)
    {
        await using var server = await TestServer.StartAsync(200, "{}");

        var outcome = await CallAsync(Request(server.Url, headers: new() { [name] = value }));

        AssertFailure(outcome, FailureClasses.ToolError, "header_invalid", false, true);
        Assert.Equal(0, server.Requests);
    }
}
