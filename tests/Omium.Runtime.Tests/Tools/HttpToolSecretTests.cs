using System.Text;
using Microsoft.AspNetCore.Http;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using static Omium.Runtime.Tests.Tools.HttpToolFixture;

namespace Omium.Runtime.Tests.Tools;

public sealed class HttpToolSecretTests
{
    private const string Token = "s3cr3t/with?odd@chars \"and more\"";
    private static readonly Dictionary<string, string> Secrets = new() { ["token"] = Token, ["line"] = "abc\r\nX-Injected: 1", ["short"] = "7" };
    private static readonly System.Text.Json.JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string Marker = SecretMarker.Of("token");

    [Fact]
    public async Task CallAsync_Markers_AreReplacedWhereTheyStand()
    {
        var (path, header, body) = ("", "", "");
        await using var server = await TestServer.StartAsync(async context =>
        {
            path = Uri.UnescapeDataString(context.Request.Path.Value!);
            header = context.Request.Headers.Authorization.ToString();
            body = await new StreamReader(context.Request.Body).ReadToEndAsync();
        });

        var request = Request($"{server.Url}/hook/{Marker}", body: new { auth = new[] { $"<{Marker}>" }, plain = 1 }, headers: new() { ["Authorization"] = $"Bearer {Marker}" });
        Assert.Null((await CallAsync(request, secrets: Secrets)).Failure);

        Assert.EndsWith(Token, Uri.UnescapeDataString(path), StringComparison.Ordinal);
        Assert.Equal($"Bearer {Token}", header);
        Assert.Equal($"<{Token}>", System.Text.Json.JsonDocument.Parse(body).RootElement.GetProperty("auth")[0].GetString());
    }

    [Fact]
    public async Task CallAsync_SecretInTheMiddleOfAUrl_CannotMoveTheRequest()
    {
        await using var server = await TestServer.StartAsync(200, "{}");

        var outcome = await CallAsync(Request($"http://{SecretMarker.Of("host")}.127.0.0.1/"), secrets: new() { ["host"] = $"127.0.0.1:{server.Port}/?" });

        AssertFailure(outcome, FailureClasses.ToolError, "url_invalid", false, true);
        Assert.Equal(0, server.Requests);
    }

    [Fact]
    public async Task CallAsync_SecretIsTheWholeUrl_IsUsedAsItIs()
    {
        await using var server = await TestServer.StartAsync(200, "{}");

        var outcome = await CallAsync(Request(SecretMarker.Of("hook")), secrets: new() { ["hook"] = $"{server.Url}/services/T0/B0" });

        Assert.Null(outcome.Failure);
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public async Task CallAsync_SecretMissing_IsNotSent()
    {
        await using var server = await TestServer.StartAsync(200, "{}");

        var outcome = await CallAsync(Request(server.Url, headers: new() { ["X-Key"] = SecretMarker.Of("nobody") }), secrets: Secrets);

        AssertFailure(outcome, FailureClasses.ToolError, "secret_missing", false, true);
        Assert.Contains("nobody", outcome.Failure!.Message, StringComparison.Ordinal);
        Assert.Equal(0, server.Requests);
    }

    [Fact]
    public async Task CallAsync_SecretWithLineBreakInHeader_IsRefusedWithoutShowingIt()
    {
        await using var server = await TestServer.StartAsync(200, "{}");

        var outcome = await CallAsync(Request(server.Url, headers: new() { ["X-Key"] = SecretMarker.Of("line") }), secrets: Secrets);

        AssertFailure(outcome, FailureClasses.ToolError, "header_invalid", false, true);
        Assert.DoesNotContain("Injected", outcome.Failure!.Message, StringComparison.Ordinal);
        Assert.Equal(0, server.Requests);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("percent")]
    [InlineData("base64")]
    [InlineData("json")]
    [InlineData("slashes")]
    [InlineData("cut")]
    public async Task CallAsync_ErrorTextEchoesTheSecret_IsScrubbed(string form)
    {
        var echo = form switch
        {
            "percent" => Uri.EscapeDataString(Token),
            "base64" => Convert.ToBase64String(Encoding.UTF8.GetBytes(Token)),
            "json" => System.Text.Json.JsonSerializer.Serialize(Token),
            "slashes" => System.Text.Json.JsonSerializer.Serialize(Token, Relaxed).Replace("/", "\\/", StringComparison.Ordinal),
            "cut" => new string('x', 490) + Token,
            _ => Token,
        };
        await using var server = await TestServer.StartAsync(400, $"bad token {echo}!", "text/plain");

        var message = (await CallAsync(Request(server.Url, headers: new() { ["X-Key"] = Marker }), secrets: Secrets)).Failure!.Message;

        Assert.Contains(form == "cut" ? "xxx" : "[secret:token]", message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", message, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes("s3cr3t")), message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallAsync_RedirectRefusedFromASecretUrl_IsScrubbed()
    {
        await using var server = await TestServer.StartAsync(context =>
        {
            context.Response.StatusCode = 302;
            context.Response.Headers.Location = $"http://elsewhere.test/{Uri.EscapeDataString(Token)}";
            return Task.CompletedTask;
        });

        var outcome = await CallAsync(Request($"{server.Url}/{Marker}", "GET"), secrets: Secrets);

        Assert.Equal("redirect_refused", outcome.Failure!.Code);
        Assert.DoesNotContain("s3cr3t", outcome.Failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallAsync_ResultEchoesSecrets_LosesTheLongOnesOnly()
    {
        await using var server = await TestServer.StartAsync(context => context.Response.WriteAsJsonAsync(new { seen = context.Request.Headers["X-Key"].ToString(), count = 7 }));

        var outcome = await CallAsync(Request(server.Url, headers: new() { ["X-Key"] = $"{Marker}+{SecretMarker.Of("short")}" }), secrets: Secrets);

        Assert.Equal("""{"seen":"[secret:token]+7","count":7}""", outcome.Result!.Value.GetRawText());
    }

    [Fact]
    public async Task CallAsync_ResultEchoesASecretWithEveryCharacterEscaped_IsScrubbed()
    {
        var escaped = string.Concat(Token.Select(letter => $"\\u{(int)letter:X4}"));
        await using var server = await TestServer.StartAsync(200, $$"""{"seen": ["Bearer {{escaped}}"], "{{escaped}}": 1}""");

        var outcome = await CallAsync(Request(server.Url, headers: new() { ["X-Key"] = Marker }), secrets: Secrets);

        Assert.Equal("""{"seen":["Bearer [secret:token]"],"[secret:token]":1}""", outcome.Result!.Value.GetRawText());
    }

    [Fact]
    public async Task CallAsync_ResultWithHalfASurrogatePair_IsAnAnswerAndNoCrash()
    {
        await using var server = await TestServer.StartAsync(200, """{"seen": "\ud800 and more"}""");
        Assert.Null((await CallAsync(Request(server.Url, headers: new() { ["X-Key"] = Marker }), secrets: Secrets)).Failure);
    }
}
