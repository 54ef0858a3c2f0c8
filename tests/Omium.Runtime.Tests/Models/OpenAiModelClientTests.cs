using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Omium.Cli.Servers;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Effects.Models;

namespace Omium.Runtime.Tests.Models;

public sealed class OpenAiModelClientTests
{
    private const string Key = "sk-very-secret-1234567890";
    private static readonly JsonElement Schema = JsonSerializer.SerializeToElement(
        new { type = "object", properties = new { apr = new { type = "number" } }, required = new[] { "apr" }, additionalProperties = false });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnswerAsync_Content_IsTheSameWholeAndStreamed(bool stream)
    {
        await using var model = await PlayAsync("- {answer: {content: 'Grüße, this is a longer answer 🎈 in pieces'}, usage: {input_tokens: 11, output_tokens: 7}}");
        var deltas = new List<string>();

        var answer = (await AskAsync(model, stream ? deltas.Add : null)).Answer!;

        Assert.Equal("Grüße, this is a longer answer 🎈 in pieces", answer.Content);
        Assert.Equal(("stop", 11L, 7L, "gpt-test"), (answer.FinishReason, answer.InputTokens, answer.OutputTokens, answer.Model));
        Assert.Null(answer.Refusal);
        Assert.Empty(answer.ToolCalls);
        Assert.Equal(stream ? answer.Content : "", string.Concat(deltas));
        Assert.True(!stream || deltas.Count > 2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnswerAsync_ParallelToolCalls_AreToldApart(bool stream)
    {
        await using var model = await PlayAsync("""
            - answer:
                tool_calls:
                  - {name: lookup, arguments: {customer: "a long enough name to be cut", n: 1}}
                  - {name: score, arguments: {customer: "another one, also cut in pieces"}}
                  - {name: broken, arguments: '{"not": json'}
            """);

        var answer = (await AskAsync(model, stream ? _ => { } : null)).Answer!;

        Assert.Equal("tool_calls", answer.FinishReason);
        Assert.Null(answer.Content);
        Assert.Equal(
            [("lookup", """{"customer":"a long enough name to be cut","n":1}"""), ("score", """{"customer":"another one, also cut in pieces"}"""), ("broken", "{\"not\": json")],
            answer.ToolCalls.Select(call => (call.Name, call.Arguments)));
        Assert.Equal(3, answer.ToolCalls.Select(call => call.Id).Distinct().Count());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnswerAsync_Refusal_IsAnAnswer(bool stream)
    {
        await using var model = await PlayAsync("- {refusal: 'I cannot help with that request.'}");

        var answer = (await AskAsync(model, stream ? _ => { } : null)).Answer!;

        Assert.Equal(("I cannot help with that request.", null), (answer.Refusal, answer.Content));
    }

    [Theory]
    [InlineData("truncated_json", false, "malformed_response")]
    [InlineData("truncated_json", true, "malformed_response")]
    [InlineData("not_json", false, "malformed_response")]
    [InlineData("not_json", true, "malformed_response")]
    [InlineData("empty", false, "malformed_response")]
    [InlineData("empty", true, "malformed_response")]
    [InlineData("cut_stream", false, "connection_failed")]
    [InlineData("cut_stream", true, "connection_failed")]
    public async Task AnswerAsync_BrokenAnswer_IsTransient(string damage, bool stream, string code)
    {
        await using var model = await PlayAsync($"- {{answer: {{content: a rather long answer that has a middle}}, malformed: {damage}}}");

        AssertFailure(await AskAsync(model, stream ? _ => { } : null), FailureClasses.ModelError, code, permanent: false);
    }

    [Theory]
    [InlineData("length", "answer_truncated", true)]
    [InlineData("content_filter", "content_filter", false)]
    public async Task AnswerAsync_FinishReasonThatIsNoAnswer_Fails(string reason, string code, bool permanent)
    {
        await using var model = await PlayAsync($"- {{answer: {{content: half}}, finish_reason: {reason}}}");

        AssertFailure(await AskAsync(model), FailureClasses.ModelError, code, permanent);
        AssertFailure(await AskAsync(model, _ => { }), FailureClasses.ModelError, code, permanent);
    }

    [Fact]
    public async Task AnswerAsync_FinishReasonUnknownToTheTypedModel_IsPassedOn()
    {
        await using var model = await PlayAsync("- {answer: {content: done}, finish_reason: eos_token}");

        Assert.Equal("eos_token", (await AskAsync(model)).Answer!.FinishReason);
    }

    [Theory]
    [InlineData(400, "context_length_exceeded", FailureClasses.ModelError, "context_overflow", true)]
    [InlineData(400, "content_filter", FailureClasses.ModelError, "content_filter", true)]
    [InlineData(400, "invalid_value", FailureClasses.ModelError, "http_400", true)]
    [InlineData(401, "invalid_api_key", FailureClasses.ModelError, "unauthorized", true)]
    [InlineData(403, "forbidden", FailureClasses.ModelError, "unauthorized", true)]
    [InlineData(404, "model_not_found", FailureClasses.ModelError, "model_not_found", true)]
    [InlineData(408, "timeout", FailureClasses.Timeout, "http_408", false)]
    [InlineData(429, "rate_limit_exceeded", FailureClasses.RateLimited, "http_429", false)]
    [InlineData(429, "insufficient_quota", FailureClasses.ModelError, "quota_exhausted", true)]
    [InlineData(500, "server_error", FailureClasses.ModelError, "http_500", false)]
    [InlineData(503, "overloaded", FailureClasses.ModelError, "http_503", false)]
    public async Task AnswerAsync_ErrorStatus_IsMappedAndAskedOnce(int status, string errorCode, string failureClass, string code, bool permanent)
    {
        await using var server = await TestServer.StartAsync(status, $$$"""{"error": {"code": "{{{errorCode}}}", "message": "no, {{{Key}}}"}}""");

        var outcome = await AskAsync(server.Url);

        AssertFailure(outcome, failureClass, code, permanent);
        Assert.DoesNotContain(Key, outcome.Failure!.Message, StringComparison.Ordinal);
        Assert.Equal(1, server.Requests);
    }

    [Theory]
    [InlineData("Retry-After", "3", 3000L)]
    [InlineData("Retry-After", "Sat, 21 Nov 2026 10:00:05 GMT", 5000L)]
    [InlineData("retry-after-ms", "120", 120L)]
    public async Task AnswerAsync_RateLimited_ReadsTheWait(string header, string value, long expectedMs)
    {
        await using var server = await TestServer.StartAsync(429, """{"error": {"message": "slow down"}}""", headers: (header, value));

        var outcome = await AskAsync(server.Url, time: new StandingClock(new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero)));

        Assert.Equal(expectedMs, outcome.Failure!.RetryAfterMs);
    }

    [Fact]
    public async Task AnswerAsync_SlowEndpoint_TimesOut()
    {
        await using var model = await PlayAsync("- {delay: 30s, answer: {content: late}}");

        AssertFailure(
            await AskAsync(model, request: Question() with { Timeout = TimeSpan.FromMilliseconds(200) }), FailureClasses.Timeout, "response_timeout", false);
    }

    [Fact]
    public async Task AnswerAsync_StreamStalls_TimesOut()
    {
        await using var server = await TestServer.StartAsync(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });

        AssertFailure(
            await AskAsync(server.Url, _ => { }, Question() with { Timeout = TimeSpan.FromMilliseconds(300) }), FailureClasses.Timeout, "response_timeout", false);
    }

    [Fact]
    public async Task AnswerAsync_ErrorInsideTheStream_IsMapped()
    {
        await using var server = await TestServer.StartAsync(
            200, "data: {\"error\": {\"code\": \"rate_limit_exceeded\", \"message\": \"busy\"}}\n\n", "text/event-stream");

        AssertFailure(await AskAsync(server.Url, _ => { }), FailureClasses.RateLimited, "http_429", false);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnswerAsync_HugeAnswer_IsRefused(bool stream)
    {
        await using var model = await PlayAsync($"- {{answer: {{content: {new string('x', 20_000)}}}}}");

        using var client = Client(model, new() { AnswerBytesMax = 10_000 });
        AssertFailure(await client.AnswerAsync(Question(), stream ? _ => { } : null, CancellationToken.None), FailureClasses.ModelError, "answer_too_large", true);
    }

    [Fact]
    public async Task AnswerAsync_NobodyListens_IsTransient()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        AssertFailure(await AskAsync($"http://127.0.0.1:{port}"), FailureClasses.ModelError, "connection_failed", false);
    }

    [Fact]
    public async Task AnswerAsync_NothingConfigured_SaysSo()
    {
        using var client = new OpenAiModelClient(new());

        AssertFailure(await client.AnswerAsync(Question(), null, CancellationToken.None), FailureClasses.ModelError, "model_not_configured", true);
    }

    [Fact]
    public async Task AnswerAsync_Cancelled_Throws()
    {
        using var cancel = new CancellationTokenSource();
        await using var server = await TestServer.StartAsync(async context =>
        {
            await cancel.CancelAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        using var client = Client(server.Url, new());

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.AnswerAsync(Question(), null, cancel.Token));
    }

    [Fact]
    public async Task AnswerAsync_EndpointKnowsNoFormats_FallsBackOnceAndRemembers()
    {
        var formats = new List<string>();
        await using var server = await TestServer.StartAsync(async context =>
        {
            var body = await JsonSerializer.DeserializeAsync<JsonElement>(context.Request.Body);
            var format = body.TryGetProperty("response_format", out var given) ? given.GetProperty("type").GetString()! : "none";
            formats.Add(format);
            context.Response.StatusCode = format == "none" ? 200 : 400;
            var last = body.GetProperty("messages").EnumerateArray().Last().GetProperty("content").GetString()!;
            await context.Response.WriteAsync(format == "none"
                ? JsonSerializer.Serialize(new { choices = new[] { new { message = new { content = last }, finish_reason = "stop" } } })
                : """{"error": {"param": "response_format", "message": "Unsupported."}}""");
        });
        using var client = Client(server.Url, new());
        var question = Question() with { AnswerSchema = Schema };

        var first = await client.AnswerAsync(question, null, CancellationToken.None);
        await client.AnswerAsync(question, null, CancellationToken.None);

        Assert.Equal(["json_schema", "json_object", "none", "none"], formats);
        Assert.Contains(Schema.GetRawText(), first.Answer!.Content, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnswerAsync_EndpointWantsTheNewTokenName_UsesIt()
    {
        await using var server = await TestServer.StartAsync(async context =>
        {
            var body = await JsonSerializer.DeserializeAsync<JsonElement>(context.Request.Body);
            var isNew = body.TryGetProperty("max_completion_tokens", out var limit) && limit.GetInt32() == 50 && !body.TryGetProperty("max_tokens", out _);
            context.Response.StatusCode = isNew ? 200 : 400;
            await context.Response.WriteAsync(isNew
                ? """{"choices": [{"message": {"content": "ok"}, "finish_reason": "stop"}]}"""
                : """{"error": {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}}""");
        });

        Assert.Equal("ok", (await AskAsync(server.Url, request: Question() with { AnswerTokensMax = 50 })).Answer!.Content);
    }

    [Fact]
    public async Task AnswerAsync_WholeRequest_IsWrittenInTheProtocolsForm()
    {
        var (path, authorization, body) = ("", "", "");
        await using var server = await TestServer.StartAsync(async context =>
        {
            path = context.Request.Path;
            authorization = context.Request.Headers.Authorization.ToString();
            body = await new StreamReader(context.Request.Body).ReadToEndAsync();
            await context.Response.WriteAsync("""{"choices": [{"message": {"content": "ok"}, "finish_reason": "stop"}]}""");
        });
        var request = new ModelRequest
        {
            Model = "m-1",
            Temperature = 0.5,
            AnswerSchema = Schema,
            Tools = [new("lookup", "Finds.", JsonSerializer.SerializeToElement(new { type = "object" }))],
            Messages =
            [
                new("system", "Role: x"), new("assistant", null) { ToolCalls = [new("c1", "lookup", "{}")] }, new("tool", "found") { ToolCallId = "c1" },
            ],
        };

        await AskAsync(server.Url + "/v1/", request: request);

        Assert.Equal(("/v1/chat/completions", $"Bearer {Key}"), (path, authorization));
        Assert.Equal(
            """{"model":"m-1","messages":[{"role":"system","content":"Role: x"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"lookup","arguments":"{}"}}]},{"role":"tool","content":"found","tool_call_id":"c1"}],"temperature":0.5,"tools":[{"type":"function","function":{"name":"lookup","description":"Finds.","parameters":{"type":"object"}}}],"response_format":{"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":"""
            + Schema.GetRawText() + "}}}",
            body);
    }

    [Fact]
    public void From_Environment_BindsAndNeverShowsTheKey()
    {
        var options = ModelOptions.From(Configuration(
            ("OMIUM_MODEL_BASE_URL", "http://localhost:11434/v1"), ("OMIUM_MODEL_API_KEY", Key), ("model:name", "llama"), ("OMIUM_MODEL_TIMEOUT_MS", "5000")));

        Assert.Equal(("http://localhost:11434/v1", "llama", 5.0), (options.BaseUrl!.ToString(), options.Model, options.Timeout.TotalSeconds));
        Assert.DoesNotContain(Key, options.ToString(), StringComparison.Ordinal);
        var wrong = Assert.Throws<InvalidOperationException>(() => ModelOptions.From(Configuration(("OMIUM_MODEL_ANSWER_BYTES_MAX", "99999999999"))));
        Assert.Contains("OMIUM_MODEL_ANSWER_BYTES_MAX", wrong.Message, StringComparison.Ordinal);
    }

    private static IConfiguration Configuration(params (string Key, string Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values.Select(value => KeyValuePair.Create(value.Key, (string?)value.Value))).Build();

    private static Task<ScriptedModelServer> PlayAsync(string script) => ScriptedModelServer.StartAsync(new(script));

    private static ModelRequest Question() => new() { Messages = [new("system", "Role: Tester"), new("user", "What?")] };

    private static OpenAiModelClient Client(string url, ModelOptions options, TimeProvider? time = null) =>
        new(options with { BaseUrl = new(url), ApiKey = Key, Model = "gpt-test" }, time);

    private static OpenAiModelClient Client(ScriptedModelServer model, ModelOptions options) => Client(new Uri(model.Address, "v1").ToString(), options);

    private static Task<EffectOutcome> AskAsync(ScriptedModelServer model, Action<string>? onDelta = null, ModelRequest? request = null) =>
        AskAsync(new Uri(model.Address, "v1").ToString(), onDelta, request);

    private static async Task<EffectOutcome> AskAsync(string url, Action<string>? onDelta = null, ModelRequest? request = null, TimeProvider? time = null)
    {
        using var client = Client(url, new(), time);
        return await client.AnswerAsync(request ?? Question(), onDelta, CancellationToken.None);
    }

    private static void AssertFailure(EffectOutcome outcome, string failureClass, string code, bool permanent) =>
        Tools.HttpToolFixture.AssertFailure(outcome, failureClass, code, mayHaveHappened: false, permanent);
}
