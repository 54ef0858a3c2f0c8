using System.Diagnostics;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Effects.Mcp;
using Omium.Runtime.Effects.Tools;
using Omium.Runtime.Tests.Specs;
using static Omium.Runtime.Tests.Tools.HttpToolFixture;

namespace Omium.Runtime.Tests.Tools;

/// <summary>Calls of a real server process (tests/mcp/server.py), over its standard input and output and over HTTP.</summary>
public sealed class McpToolClientTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("omium-mcp-").FullName;
    private McpToolClient _client = null!;

    private string Ledger => Path.Combine(_folder, "ledger");

    public ValueTask InitializeAsync()
    {
        _client = Client(Local);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Program_Call_CarriesKeyEffectAndTokens_AndNoSurroundings()
    {
        Environment.SetEnvironmentVariable("OMIUM_SECRET_CANARY", "canary");
        var outcome = await CallAsync(Call("echo", new { n = 1 }) with { IdempotencyKey = "k1", FencingTokens = "customer/1=7" });
        var echoed = outcome.Result!.Value;
        Assert.Equal("""{"n": 1}""", echoed.GetProperty("arguments").GetRawText().Replace(":1", ": 1", StringComparison.Ordinal));
        var meta = echoed.GetProperty("meta");
        Assert.Equal(
            ("k1", "exe_1/book~1~1~c1", "customer/1=7"),
            (meta.GetProperty("io.omium/idempotency-key").GetString(), meta.GetProperty("io.omium/effect").GetString(), meta.GetProperty("io.omium/fencing-token").GetString()));
        var environment = echoed.GetProperty("environment").EnumerateArray().Select(name => name.GetString()).ToArray();
        Assert.Contains("SEATS", environment);
        Assert.DoesNotContain(environment, name => name!.StartsWith("OMIUM_", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("say", """{"text": "hello"}""", "\"hello\"")]
    [InlineData("say", """{"text": "{\"a\": [1]}"}""", """{"a":[1]}""")]
    [InlineData("say", """{"text": "[not json"}""", "\"[not json\"")]
    [InlineData("blocks", "{}", """[{"type":"text","text":"a"},{"type":"text","text":"b"}]""")]
    public async Task Result_OneTextOrMore_IsAValue(string tool, string arguments, string expected)
    {
        var outcome = await CallAsync(Call(tool, JsonElement.Parse(arguments)));
        Assert.Equal(expected, outcome.Result!.Value.GetRawText().Replace(" ", "", StringComparison.Ordinal).Replace("[notjson", "[not json", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Failures_SayWhetherItMayHaveHappened()
    {
        AssertFailure(await CallAsync(Call("refuse", new { happened = "no" })), FailureClasses.ToolError, "tool_failed", mayHaveHappened: false, permanent: false);
        AssertFailure(await CallAsync(Call("refuse", new { happened = "perhaps" })), FailureClasses.ToolError, "tool_failed", mayHaveHappened: true, permanent: false);
        AssertFailure(await CallAsync(Call("no_such_tool", new { })), FailureClasses.ToolError, "mcp_refused", mayHaveHappened: false, permanent: true);
        AssertFailure(await CallAsync(Call("echo", new { }) with { Tool = Tool("echo", "nobody") }), FailureClasses.ToolError, "mcp_server_not_found", false, permanent: true);
        AssertFailure(await CallAsync(Call("echo", new { }) with { Tenant = "ten_other" }), FailureClasses.ToolError, "mcp_server_not_found", false, permanent: true);
        AssertFailure(await CallAsync(Call("echo", new[] { 1 })), FailureClasses.ToolError, "request_invalid", false, permanent: true);
        AssertFailure(await CallAsync(Call("echo", new { }) with { Tool = Tool("echo", "missing") }), FailureClasses.ToolError, "mcp_server_failed", false, permanent: false);
        AssertFailure(await CallAsync(Call("echo", new { }) with { Tool = Tool("echo", "mute") }), FailureClasses.ToolError, "mcp_server_failed", false, permanent: false);
    }

    [Fact]
    public async Task Program_ThatDies_MayHaveHappened_AndTheNextCallStartsItAnew()
    {
        var died = await CallAsync(Call("die", new { }));
        AssertFailure(died, FailureClasses.ToolError, "connection_broken", mayHaveHappened: true, permanent: false);
        Assert.Contains("out of paper", died.Failure!.Message, StringComparison.Ordinal);
        Assert.Equal("hello", (await CallAsync(Call("say", new { text = "hello" }))).Result!.Value.GetString());
    }

    [Fact]
    public async Task Program_ThatHangs_TimesOutInDoubt_AndACancelledCallIsCancelled()
    {
        AssertFailure(
            await CallAsync(Call("hang", new { }) with { Timeout = TimeSpan.FromSeconds(1) }), FailureClasses.Timeout, "response_timeout", mayHaveHappened: true, permanent: false);
        await using var other = Client(Local);
        using var cancel = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => other.CallAsync(Call("hang", new { }), cancel.Token));
    }

    [Fact]
    public async Task Answer_LargerThanItMayBe_IsRefused_AndServingGoesOn()
    {
        await using var small = Client(Local with { ResponseBytesMax = 100_000 });
        AssertFailure(await small.CallAsync(Call("large", new { size = 120_000 }), CancellationToken.None), FailureClasses.ToolError, "response_too_large", true, false);
        AssertFailure(await small.CallAsync(Call("large", new { size = 1_000_000 }), CancellationToken.None), FailureClasses.ToolError, "response_too_large", true, false);
        Assert.Equal(50_000, (await small.CallAsync(Call("large", new { size = 50_000 }), CancellationToken.None)).Result!.Value.GetString()!.Length);
        using var server = await StartHttpAsync();
        AssertFailure(
            await small.CallAsync(AtAddress(server, "large", new { size = 1_000_000 }), CancellationToken.None), FailureClasses.ToolError, "response_too_large", true, false);
    }

    [Fact]
    public async Task Address_Call_HasItsHeadersAndSecrets_AndIsJudgedLikeAnyTool()
    {
        using var server = await StartHttpAsync("--token", "s3cret-token");
        var call = AtAddress(server, "say", new { text = "the token is s3cret-token" });
        AssertFailure(await CallAsync(call), FailureClasses.ToolError, "http_401", mayHaveHappened: false, permanent: true);
        var allowed = call with { Headers = new Dictionary<string, string> { ["Authorization"] = $"Bearer {SecretMarker.Of("token")}" } };
        Assert.Equal("the token is [secret:token]", (await CallAsync(allowed)).Result!.Value.GetString());
        await using var strict = Client(new ToolNetworkOptions());
        AssertFailure(await strict.CallAsync(allowed, CancellationToken.None), FailureClasses.ToolError, "address_refused", mayHaveHappened: false, permanent: true);
        var missing = call with { Headers = new Dictionary<string, string> { ["Authorization"] = SecretMarker.Of("nobody") } };
        AssertFailure(await CallAsync(missing), FailureClasses.ToolError, "secret_missing", mayHaveHappened: false, permanent: true);
    }

    [Fact]
    public async Task Address_Failures_SayWhetherItMayHaveHappened()
    {
        using var server = await StartHttpAsync();
        AssertFailure(await CallAsync(AtAddress(server, "say", new { text = "x" }, "/busy")), FailureClasses.ToolError, "http_503", mayHaveHappened: true, permanent: false);
        AssertFailure(await CallAsync(AtAddress(server, "die", new { })), FailureClasses.ToolError, "connection_broken", mayHaveHappened: true, permanent: false);
        AssertFailure(await CallAsync(AtAddress(server, "say", new { text = "x" })), FailureClasses.ToolError, "connection_refused", mayHaveHappened: false, permanent: false);
        using var again = await StartHttpAsync();
        AssertFailure(
            await CallAsync(AtAddress(again, "hang", new { }) with { Timeout = TimeSpan.FromSeconds(2) }), FailureClasses.Timeout, "response_timeout", mayHaveHappened: true, permanent: false);
        AssertFailure(await CallAsync(AtAddress(again, "say", new { text = "x" }, "/moved")), FailureClasses.ToolError, "redirect_refused", mayHaveHappened: false, permanent: true);
    }

    [Fact]
    public async Task Servers_FileThatIsWrong_NamesThePlace()
    {
        var path = Path.Combine(_folder, "mcp.json");
        string Problem(string text)
        {
            File.WriteAllText(path, text);
            var configuration = new Microsoft.Extensions.Configuration.ConfigurationManager { ["OMIUM_MCP_SERVERS"] = path };
            return Assert.Throws<InvalidOperationException>(() => McpServerOptions.From(configuration)).Message;
        }

        Assert.Contains("has no command", Problem("""{"mcpServers": {"crm": {}}}"""), StringComparison.Ordinal);
        Assert.Contains("a workflow names the address itself", Problem("""{"mcpServers": {"crm": {"url": "https://x"}}}"""), StringComparison.Ordinal);
        Assert.Contains("crm.env.A is no text", Problem("""{"mcpServers": {"crm": {"command": "x", "env": {"A": 1}}}}"""), StringComparison.Ordinal);
        Assert.Contains("expected an object with", Problem("[]"), StringComparison.Ordinal);
        await Task.CompletedTask;
    }

    private static string Script => Path.Combine(Repository.Root, "tests", "mcp", "server.py");

    private McpToolClient Client(ToolNetworkOptions network) => new(
        network, new FixedSecrets(new() { ["token"] = "s3cret-token" }),
        [
            new McpServerOptions("seats", "python3", [Script, "--ledger", Ledger], new Dictionary<string, string> { ["SEATS"] = "3" }, null),
            new McpServerOptions("missing", "no-such-program-anywhere", [], new Dictionary<string, string>(), null),
            new McpServerOptions("mute", "python3", ["-c", "import sys; sys.stderr.write('I am no server\\n')"], new Dictionary<string, string>(), null),
        ],
        "ten_local");

    private Task<EffectOutcome> CallAsync(ToolRequest request) => _client.CallAsync(request, CancellationToken.None);

    private static ToolSpec Tool(string tool, string server = "seats") => new() { Name = "t", Type = ToolType.Mcp, Server = server, Target = tool };

    private static ToolRequest Call(string tool, object arguments) => new()
    {
        Tenant = "ten_local", Tool = Tool(tool), Arguments = arguments is JsonElement given ? given : JsonSerializer.SerializeToElement(arguments),
        EffectId = "exe_1/book~1~1~c1", Timeout = TimeSpan.FromSeconds(30),
    };

    private static ToolRequest AtAddress(HttpServer server, string tool, object arguments, string path = "/mcp") => Call(tool, arguments) with { Url = $"http://127.0.0.1:{server.Port}{path}" };

    private async Task<HttpServer> StartHttpAsync(params string[] more)
    {
        var process = Process.Start(new ProcessStartInfo("python3", [Script, "--ledger", Ledger, "--http", .. more]) { RedirectStandardOutput = true })!;
        return new HttpServer(process, (await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)))!);
    }

    private sealed class HttpServer(Process process, string port) : IDisposable
    {
        public string Port => port;

        public void Dispose()
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }
}
