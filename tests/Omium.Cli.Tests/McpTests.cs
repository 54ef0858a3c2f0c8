using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Omium.Cli.Tests;

/// <summary><c>omium mcp</c>: a coding assistant looks at a failure, tests a fix, and proposes it; a person applies it.</summary>
public sealed class McpTests(DevServer server) : IClassFixture<DevServer>
{
    private const string Customer = """{"customer_id":"42","name":"Jane Smith","email":"jane@example.org","amount":5000}""";
    private const string Prompt = "The APR must be between 2.5 % and 8.5 %, never 0 %.";

    [Fact]
    public async Task Assistant_FailedRun_TestsAndProposesAFix_WhichAPersonApplies()
    {
        var (execution, _) = await FailedAsync();
        await using var assistant = await McpProcess.StartAsync(server, await KeyAsync("read", "propose"));
        var listed = await assistant.CallAsync("list_failures", new { workflow = "customer-onboarding" });
        var id = listed.GetProperty("items").EnumerateArray().Single(item => item.GetProperty("execution").GetString() == execution).GetProperty("id").GetString()!;
        var failure = await assistant.CallAsync("get_failure", new { id });
        Assert.Equal("terms", failure.GetProperty("failure").GetProperty("step").GetString());
        Assert.Contains("apr", failure.GetProperty("failure").GetProperty("expected").GetString(), StringComparison.Ordinal);
        Assert.Equal(["kyc", "score", "terms"], failure.GetProperty("dependency_chain").EnumerateArray().Select(link => link.GetProperty("step").GetString()));
        Assert.NotEmpty(failure.GetProperty("suggested_fixes").EnumerateArray());
        var review = failure.GetProperty("review").GetProperty("id").GetString()!;

        var bad = await assistant.CallAsync("test_fix", new { review, prompt = "Answer as you like." });
        Assert.Equal("failed", bad.GetProperty("outcome").GetString());
        var good = await assistant.CallAsync("test_fix", new { review, prompt = Prompt });
        Assert.Equal("passed", good.GetProperty("outcome").GetString());
        var proposed = await assistant.CallAsync("propose_fix", new { review, prompt = Prompt, note = "an APR of 0 % was answered" });
        Assert.Equal("p1", proposed.GetProperty("proposal").GetProperty("id").GetString());
        Assert.False(proposed.GetProperty("applied").GetBoolean());
        Assert.Contains($"omium approve {review} --proposal p1", proposed.GetProperty("next").GetString(), StringComparison.Ordinal);
        Assert.Equal("open", (await assistant.CallAsync("get_review", new { id = review })).GetProperty("status").GetString());
        Assert.Equal("paused", await StatusAsync(execution));

        var applied = await server.RunAsync("approve", review, "--proposal", "p1", "--wait");
        Assert.Equal((0, ""), (applied.ExitCode, applied.Error));
        var decided = (await assistant.CallAsync("get_review", new { id = review })).GetProperty("decided");
        Assert.Equal(("edit", Prompt), (decided.GetProperty("decision").GetString(), decided.GetProperty("edits").GetProperty("prompt").GetString()));
        var (text, isError) = await assistant.TryCallAsync("propose_fix", new { review, prompt = Prompt });
        Assert.True(isError);
        Assert.Contains("[review_closed]", text, StringComparison.Ordinal);
        Assert.Equal(0, await assistant.LeaveAsync());
    }

    [Fact]
    public async Task Assistant_HasNoToolThatDecides_AndItsKeyMayNot()
    {
        var (_, review) = await FailedAsync();
        var key = await KeyAsync("read", "propose");
        await using var assistant = await McpProcess.StartAsync(server, key);
        Assert.Equal("omium", assistant.Greeting.GetProperty("serverInfo").GetProperty("name").GetString());
        var tools = (await assistant.AskAsync("tools/list", "{}")).GetProperty("result").GetProperty("tools").EnumerateArray().ToArray();
        Assert.Equal(
            ["list_failures", "get_failure", "get_timeline", "list_reviews", "get_review", "test_fix", "propose_fix"], tools.Select(tool => tool.GetProperty("name").GetString()));
        Assert.Equal(5, tools.Count(tool => tool.GetProperty("annotations").GetProperty("readOnlyHint").GetBoolean()));
        Assert.Equal(-32602, (await assistant.AskAsync("tools/call", """{"name": "decide", "arguments": {}}""")).GetProperty("error").GetProperty("code").GetInt32());
        Assert.Contains(
            (await assistant.CallAsync("list_reviews", new { })).GetProperty("items").EnumerateArray(), open => open.GetProperty("id").GetString() == review);
        var decided = await server.RunAsync("approve", review, "--edit-prompt", Prompt, "--key", key);
        Assert.Equal((5, true), (decided.ExitCode, decided.Error.Contains("[forbidden]", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("get_failure", "{}", "'id' is missing")]
    [InlineData("get_failure", """{"id": 7}""", "'id' is a text")]
    [InlineData("get_failure", """{"id": "exe_x.y.1.1"}""", "[failure_not_found]")]
    [InlineData("list_failures", """{"limit": 1000}""", "1 to 200")]
    [InlineData("test_fix", """{"review": "rev_1"}""", "Say what to edit")]
    [InlineData("test_fix", """{"review": "rev_1", "constraints": "short"}""", "'constraints' is a list of texts")]
    [InlineData("propose_fix", """{"review": "rev_nothing", "prompt": "x"}""", "[review_not_found]")]
    public async Task Call_ThatCannotBeDone_IsAnAnswerThatSaysWhy(string tool, string arguments, string expected)
    {
        await using var assistant = await McpProcess.StartAsync(server);
        var (text, isError) = await assistant.TryCallAsync(tool, JsonElement.Parse(arguments));
        Assert.True(isError);
        Assert.Contains(expected, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Approve_ProposalThatIsNotThere_SaysWhichAre()
    {
        var (_, review) = await FailedAsync();
        var missing = await server.RunAsync("approve", review, "--proposal", "p9");
        Assert.Equal((1, true), (missing.ExitCode, missing.Error.Contains("has no proposal p9; it has none", StringComparison.Ordinal)));
        var both = await server.RunAsync("approve", review, "--proposal", "p1", "--edit-prompt", "x");
        Assert.Equal(2, both.ExitCode);
    }

    private async Task<(string Execution, string Review)> FailedAsync()
    {
        var run = await server.RunAsync("run", "customer-onboarding", "--input", Customer, "--wait", "--json");
        Assert.Equal(4, run.ExitCode);
        var view = JsonElement.Parse(run.Output);
        return (view.GetProperty("id").GetString()!, view.GetProperty("open_reviews")[0].GetString()!);
    }

    private async Task<string> StatusAsync(string execution) =>
        JsonElement.Parse((await server.RunAsync("show", execution, "--json")).Output).GetProperty("status").GetString()!;

    private async Task<string> KeyAsync(params string[] scopes)
    {
        using var http = new HttpClient { BaseAddress = new Uri(server.Url) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.Ready.GetProperty("key").GetString());
        using var answer = await http.PostAsJsonAsync("/v1/keys", new { name = "assistant", scopes }, TestContext.Current.CancellationToken);
        answer.EnsureSuccessStatusCode();
        return JsonElement.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).GetProperty("secret").GetString()!;
    }
}
