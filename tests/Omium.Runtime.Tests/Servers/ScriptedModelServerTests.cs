using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Omium.Cli.Servers;

namespace Omium.Runtime.Tests.Servers;

public sealed class ScriptedModelServerTests
{
    [Fact]
    public async Task Rules_FirstMatchServes_AndTimesAndNthCount()
    {
        await using var model = await ScriptedModelServer.StartAsync(new("""
            rules:
              - {when: {agent: Terms agent, nth: 2}, answer: {content: second}}
              - {when: {agent: Terms agent}, times: 1, answer: {content: once}}
              - {when: {agent: Terms agent, turn: 2}, answer: {content: next turn}}
              - {when: {agent: Terms agent, user_contains: [red, blue]}, answer: {content: both}}
              - {when: {prompt_contains: Terms agent}, answer: {content: rest}}
            """));

        Assert.Equal("once", await AskAsync(model, "Role: Terms agent", "x"));
        Assert.Equal("second", await AskAsync(model, "Role: Terms agent", "x"));
        Assert.Equal("both", await AskAsync(model, "Role: Terms agent", "red and blue"));
        Assert.Equal("rest", await AskAsync(model, "Role: Terms agent", "red"));
        Assert.Equal("rest", await AskAsync(model, "Role: Another\nYou hand over to the Terms agent.", "x"));
    }

    [Fact]
    public async Task NoRule_Is500ThatNamesTheRequest()
    {
        await using var model = await ScriptedModelServer.StartAsync(new("- {when: {agent: Nobody}, answer: {content: x}}"));
        using var http = new HttpClient { BaseAddress = model.Address };

        using var answer = await http.PostAsJsonAsync("/chat/completions", Request("Role: Stranger", "hello there"));

        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        var error = (await answer.Content.ReadFromJsonAsync<JsonObject>())!["error"]!;
        Assert.Equal("no_rule", (string?)error["code"]);
        Assert.Contains("Role: Stranger", (string?)error["message"], StringComparison.Ordinal);
        Assert.Contains("hello there", (string?)error["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Log_EveryRequest_IsALineWithTheWholePrompt()
    {
        var log = Path.Combine(Path.GetTempPath(), $"omium-model-{Guid.NewGuid():N}.jsonl");
        try
        {
            await using (var model = await ScriptedModelServer.StartAsync(new("- {answer: {content: x}}", log)))
            {
                await AskAsync(model, "Role: KYC verification agent", "check Ada");
                await AskAsync(model, "Role: Credit scoring agent", "score Ada");
            }

            var lines = (await File.ReadAllLinesAsync(log)).Select(line => JsonNode.Parse(line)!).ToList();
            Assert.Equal(["KYC verification agent", "Credit scoring agent"], lines.Select(line => (string?)line["agent"]));
            Assert.Equal("check Ada", (string?)lines[0]["messages"]![1]!["content"]);
        }
        finally
        {
            File.Delete(log);
        }
    }

    [Theory]
    [InlineData("- {whn: {agent: x}}", "unknown member 'whn'")]
    [InlineData("- {malformed: sometimes}", "sometimes")]
    [InlineData("- {delay: soon}", "soon")]
    [InlineData("answer: x", "list of rules")]
    [InlineData("- {answer: {content: [", "YAML")]
    public async Task StartAsync_BadScript_SaysWhere(string script, string expected)
    {
        var wrong = await Assert.ThrowsAsync<ArgumentException>(() => ScriptedModelServer.StartAsync(new(script)));

        Assert.Contains(expected, wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_Get_ListsOne()
    {
        await using var model = await ScriptedModelServer.StartAsync(new("[]"));
        using var http = new HttpClient { BaseAddress = model.Address };

        Assert.Equal("scripted", (string?)(await http.GetFromJsonAsync<JsonObject>("/v1/models"))!["data"]![0]!["id"]);
    }

    [Theory]
    [InlineData("KYC verification agent", "", """{"verified":true,"customer_name":"Jane Smith","risk_flags":[]}""")]
    [InlineData("Credit scoring agent", "", """{"credit_score":750,"risk_level":"low"}""")]
    [InlineData("Terms generation agent", "", """{"apr":0.0,""")]
    [InlineData("Terms generation agent", "\nAPR must be between 2.5 % and 8.5 %", """{"apr":5.2,""")]
    [InlineData("Terms generation agent", "\nnever 0 %", """{"apr":5.2,""")]
    public async Task CompanyX_Script_AnswersEachAgent(string role, string constraint, string expected)
    {
        await using var model = await ScriptedModelServer.StartAsync(new(await ExampleAsync("company-x.model.yaml")));

        Assert.StartsWith(expected, await AskAsync(model, $"Role: {role}{constraint}", "{}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refunds_Script_AnswersBadlyNowAndThen()
    {
        await using var model = await ScriptedModelServer.StartAsync(new(await ExampleAsync("refunds.model.yaml")));
        using var http = new HttpClient { BaseAddress = model.Address };

        using var busy = await http.PostAsJsonAsync("/v1/chat/completions", Request("Role: Refund triage agent", "{}"));
        Assert.Equal((HttpStatusCode.TooManyRequests, "1"), (busy.StatusCode, busy.Headers.RetryAfter!.ToString()));
        Assert.Contains("4250", await AskAsync(model, "Role: Refund triage agent", "{}"), StringComparison.Ordinal);
        Assert.Contains("42.5,", await AskAsync(model, "Role: Refund triage agent", "{}"), StringComparison.Ordinal);
        Assert.Contains("guarantee", await AskAsync(model, "Role: Reply drafting agent", "{}"), StringComparison.Ordinal);
        Assert.DoesNotContain("guarantee", await AskAsync(model, "Role: Reply drafting agent", "{}"), StringComparison.Ordinal);
    }

    private static object Request(string system, string user) => new
    {
        model = "m",
        messages = new object[] { new { role = "system", content = system }, new { role = "user", content = user } },
    };

    private static async Task<string> AskAsync(ScriptedModelServer model, string system, string user)
    {
        using var http = new HttpClient { BaseAddress = model.Address };
        using var answer = await http.PostAsJsonAsync("/v1/chat/completions", Request(system, user));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        return body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
    }

    private static Task<string> ExampleAsync(string name)
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Omium.slnf")))
        {
            directory = directory.Parent!;
        }

        return File.ReadAllTextAsync(Path.Combine(directory.FullName, "examples", name));
    }
}
