using System.Net;
using System.Text;
using System.Text.Json;

namespace Omium.Cli.Tests;

/// <summary>What an operator does at night, with the real program against the real server: look, decide, take back, fork, prove, and mind keys, people and money.</summary>
public sealed class OperatorTests(DevServer server) : IClassFixture<DevServer>
{
    private const string Customer = """{"customer_id":"42","name":"Jane Smith","email":"jane@example.org","amount":5000}""";
    private const string Prompt = "The APR must be between 2.5 % and 8.5 %, never 0 %.";

    [Fact]
    public async Task Failures_ListShowTestApproveIgnore()
    {
        var (execution, review) = await FailedAsync();
        var listed = await JsonAsync("failures", "--execution", execution);
        var failure = Assert.Single(listed.GetProperty("items").EnumerateArray()).GetProperty("id").GetString()!;
        var shown = await server.RunAsync("failures", "show", failure);
        Assert.Equal(0, shown.ExitCode);
        foreach (var part in (string[])["expected", "actual", "score", "may mend it", $"omium approve {review}"])
        {
            Assert.Contains(part, shown.Output, StringComparison.Ordinal);
        }

        Assert.Contains("decisions", (await server.RunAsync("review", execution)).Output, StringComparison.Ordinal);
        var bad = await server.RunAsync("test-fix", review, "--edit-prompt", "Answer as you like.");
        Assert.Equal((1, true), (bad.ExitCode, bad.Output.Contains("failed", StringComparison.Ordinal)));
        var good = await server.RunAsync("test-fix", execution, "--edit-prompt", Prompt);
        Assert.Equal((0, true), (good.ExitCode, good.Output.Contains("passed", StringComparison.Ordinal)));
        Assert.Equal(2, (await server.RunAsync("test-fix", review)).ExitCode);
        Assert.Equal(0, (await server.RunAsync("failures", "ignore", failure)).ExitCode);
        Assert.Empty((await JsonAsync("failures", "--execution", execution)).GetProperty("items").EnumerateArray());
        Assert.Single((await JsonAsync("failures", "--execution", execution, "--status", "ignored")).GetProperty("items").EnumerateArray());
        var exported = await server.RunAsync("failures", "export", "--workflow", "customer-onboarding");
        Assert.All(exported.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Equal("customer-onboarding", JsonElement.Parse(line).GetProperty("workflow").GetString()));
        Assert.Contains(execution, exported.Output, StringComparison.Ordinal);
        Assert.Equal(1, (await server.RunAsync("failures", "show", "exe_x.y.1.1")).ExitCode);
    }

    /// <param name="decision">A decision with its flags.</param>
    /// <param name="exitCode">What the run comes to.</param>
    [Theory]
    [InlineData("skip", 3)] // The offer reads what is then not there, and fails.
    [InlineData("reject", 3)]
    [InlineData("override --output {\"apr\":4.5,\"term_months\":36,\"text\":\"fixed\"}", 0)]
    [InlineData("rollback --to kyc", 4)]
    public async Task Approve_EveryDecision_HasItsEnd(string decision, int exitCode)
    {
        var (execution, _) = await FailedAsync();
        var decided = await server.RunAsync(["approve", execution, "--decision", .. decision.Split(' '), "--wait", "--json"]);
        Assert.True(decided.ExitCode == exitCode, $"{decided.ExitCode}: {decided.Output}{decided.Error}");
    }

    [Fact]
    public async Task PauseResumeCancel_AreDone_AndRefusedWhereTheyMakeNoSense()
    {
        var (execution, _) = await FailedAsync();
        var cancelled = await server.RunAsync("cancel", execution);
        Assert.Equal((0, true), (cancelled.ExitCode, cancelled.Output.Contains("is cancelled", StringComparison.Ordinal)));
        foreach (var command in (string[])["pause", "resume"])
        {
            var refused = await server.RunAsync(command, execution);
            Assert.Equal((1, ""), (refused.ExitCode, refused.Output));
        }
    }

    [Fact]
    public async Task Fork_PreviewedThenDone_IsAnExecutionOfItsOwn_AndEverythingVerifies()
    {
        var id = await PipelineAsync();
        var preview = await server.RunAsync("fork", id, "--at", "2", "--preview");
        Assert.Equal((0, true), (preview.ExitCode, preview.Output.StartsWith("Begins with 2 records.", StringComparison.Ordinal)));
        var fork = await JsonAsync("fork", id, "--at", "2", "--wait");
        Assert.NotEqual(id, fork.GetProperty("id").GetString());
        Assert.Equal(0, (await server.RunAsync("verify", fork.GetProperty("id").GetString()!)).ExitCode);
        var all = await JsonAsync("replay", "--all");
        Assert.True(all.GetProperty("executions").GetInt32() >= 2);
        Assert.Equal(all.GetProperty("executions").GetInt32(), all.GetProperty("identical").GetInt32());
        Assert.Empty(all.GetProperty("corrupt").EnumerateArray());
        Assert.Contains("0 corrupt", (await server.RunAsync("replay", "--all", "--workflow", "data-pipeline")).Output, StringComparison.Ordinal);
        Assert.Equal(2, (await server.RunAsync("replay")).ExitCode);
        Assert.Equal(2, (await server.RunAsync("replay", id, "--all")).ExitCode);
    }

    [Fact]
    public async Task ReplayAll_OneIsCorrupt_EndsWithCodeOneAndNamesIt()
    {
        _ = OmiumProgram.Path;
        await using var stub = new StubServer(path => path switch
        {
            "/v1/executions?limit=200" => """{"items": [{"id": "exe_a"}], "next_cursor": "more"}""",
            "/v1/executions?limit=200&cursor=more" => """{"items": [{"id": "exe_b"}]}""",
            "/v1/executions/exe_a/verify" => """{"verdict": "identical", "records": 3}""",
            _ => """{"verdict": "corrupt", "records": 2, "detail": "record 3 was changed"}""",
        });
        var outcome = await server.RunAsync("replay", "--all", "--url", stub.Url, "--key", "k");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("2 executions, 5 records: 1 identical, 1 corrupt", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("exe_b", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("record 3 was changed", outcome.Output, StringComparison.Ordinal);
        Assert.Equal("", outcome.Error);
    }

    [Fact]
    public async Task Policies_DryRunThenPut()
    {
        await FailedAsync();
        await WriteAsync("policy.yaml", "rules:\n  - {on: [hallucination], do: [pause, await_review]}\n");
        var dry = await server.RunAsync("policies", "dry-run", "policy.yaml", "--workflow", "customer-onboarding");
        Assert.Matches(@"Would have caught \d+ of \d+\.", dry.Output);
        Assert.Equal(0, (await JsonAsync("policies")).GetProperty("version").GetInt32());
        var put = await server.RunAsync("policies", "put", "policy.yaml");
        Assert.Equal((0, "Version 1 serves what starts from now on.\n"), (put.ExitCode, put.Output));
        await WriteAsync("wrong.yaml", "rules: [{do: [no_such_action]}]\n");
        var wrong = await server.RunAsync("policies", "put", "wrong.yaml");
        Assert.Equal((1, true), (wrong.ExitCode, wrong.Error.Contains("[unknown_action]", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Keys_MadeRotatedRevoked()
    {
        var made = (await server.RunAsync("keys", "create", "night", "--scope", "read", "--cap", "100")).Output.Split('\n');
        Assert.Equal(0, (await server.RunAsync("status", "--key", made[1])).ExitCode);
        Assert.Equal(5, (await server.RunAsync("run", "data-pipeline", "--key", made[1])).ExitCode);
        var rotated = (await server.RunAsync("keys", "rotate", made[0])).Output.Trim();
        Assert.Equal((5, 0), ((await server.RunAsync("status", "--key", made[1])).ExitCode, (await server.RunAsync("status", "--key", rotated)).ExitCode));
        Assert.Equal(0, (await server.RunAsync("keys", "revoke", made[0])).ExitCode);
        Assert.Equal(5, (await server.RunAsync("status", "--key", rotated)).ExitCode);
        Assert.Contains("night", (await server.RunAsync("keys")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("omk_", (await server.RunAsync("keys")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Init_KeyThatIsAccepted_IsKeptForItsOwnerAlone_AndAWrongOneIsNot()
    {
        var home = Directory.CreateTempSubdirectory("omium-init-").FullName;
        try
        {
            var path = Path.Combine(home, "omium", "config.json");
            var wrong = await OmiumProgram.RunAsync(home, new Dictionary<string, string>(), "init", "--url", server.Url, "--key", "omk_local_wrong");
            Assert.Equal((5, false), (wrong.ExitCode, File.Exists(path)));
            var kept = await OmiumProgram.RunAsync(home, new Dictionary<string, string>(), "init", "--url", server.Url, "--key", server.Ready.GetProperty("key").GetString()!);
            Assert.Equal((0, true), (kept.ExitCode, kept.Output.Contains(path, StringComparison.Ordinal)));
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            }

            Assert.Equal(0, (await OmiumProgram.RunAsync(home, new Dictionary<string, string>(), "status")).ExitCode);
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    [Fact]
    public async Task BillingMembersAuditResidueStatus_SayHowThingsAre()
    {
        await PipelineAsync();
        Assert.Contains("sandbox", (await server.RunAsync("billing")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await server.RunAsync("billing", "transactions", "--limit", "5")).ExitCode);
        Assert.StartsWith("http", (await server.RunAsync("billing", "top-up", "20")).Output, StringComparison.Ordinal);
        Assert.Equal(1, (await server.RunAsync("billing", "top-up", "1")).ExitCode);
        Assert.Equal("identical", (await JsonAsync("billing", "verify")).GetProperty("verdict").GetString());
        var token = await server.RunAsync("members", "invite", "ada@example.org", "--role", "approver", "--team", "risk");
        Assert.Equal((0, true), (token.ExitCode, token.Output.Trim().Length > 10));
        Assert.Equal(2, (await server.RunAsync("members", "invite", "ada@example.org")).ExitCode);
        Assert.Equal(0, (await server.RunAsync("members")).ExitCode);
        Assert.Contains("member.invited", (await server.RunAsync("audit", "list", "--action", "member.")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await server.RunAsync("audit", "verify")).ExitCode);
        Assert.Equal("Nothing was left.\n", (await server.RunAsync("residue")).Output);
        var status = await server.RunAsync("status");
        Assert.Contains(server.Url.TrimEnd('/'), status.Output, StringComparison.Ordinal);
        Assert.Contains("propose", status.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Listings_MoreThanTheLimit_SayAndFetchPages()
    {
        await PipelineAsync();
        await PipelineAsync();
        var one = await server.RunAsync("failures", "--limit", "0");
        Assert.Equal(2, one.ExitCode);
        var rows = await server.RunAsync("audit", "list", "--limit", "1");
        Assert.Equal((0, 2), (rows.ExitCode, rows.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length));
        Assert.Contains("say --limit", rows.Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', rows.Output + rows.Error);
    }

    [Theory]
    [InlineData("omium fail", "failures")]
    [InlineData("omium keys ro", "rotate")]
    [InlineData("omium rollback --pre", "--preview")]
    [InlineData("omium completion ", "fish")]
    public async Task Completion_Bash_AsksTheProgram(string line, string expected)
    {
        Assert.SkipUnless(File.Exists("/bin/bash"), "There is no bash here.");
        var script = await server.RunAsync("completion", "bash");
        Assert.Equal(0, script.ExitCode);
        await WriteAsync("completion.bash", script.Output + """

            COMP_LINE=$1 COMP_POINT=${#1}
            COMP_WORDS=($1); [[ $1 == *' ' ]] && COMP_WORDS+=('')
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _omium
            printf '%s\n' "${COMPREPLY[@]}"
            """);
        var directory = Path.GetDirectoryName(OmiumProgram.Path)!;
        var start = new System.Diagnostics.ProcessStartInfo("/bin/bash", ["completion.bash", line]) { WorkingDirectory = server.Directory, RedirectStandardOutput = true };
        start.Environment["PATH"] = $"{directory}:{Environment.GetEnvironmentVariable("PATH")}";
        using var bash = System.Diagnostics.Process.Start(start)!;
        var said = await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Contains(expected, said.Split('\n'));
    }

    [Theory]
    [InlineData("zsh", "compdef _omium omium")]
    [InlineData("fish", "complete -c omium")]
    public async Task Completion_OtherShells_HaveScripts(string shell, string expected)
    {
        Assert.Contains(expected, (await server.RunAsync("completion", shell)).Output, StringComparison.Ordinal);
        Assert.Equal(2, (await server.RunAsync("completion", "tcsh")).ExitCode);
    }

    private async Task<(string Execution, string Review)> FailedAsync()
    {
        var run = await server.RunAsync("run", "customer-onboarding", "--input", Customer, "--wait", "--json");
        Assert.Equal(4, run.ExitCode);
        var view = JsonElement.Parse(run.Output);
        return (view.GetProperty("id").GetString()!, view.GetProperty("open_reviews")[0].GetString()!);
    }

    private async Task<string> PipelineAsync() => (await JsonAsync("run", "data-pipeline", "--input", """{"dataset": "a"}""", "--wait")).GetProperty("id").GetString()!;

    private async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        var outcome = await server.RunAsync([.. arguments, "--json"]);
        Assert.True(outcome.ExitCode == 0, $"{string.Join(' ', arguments)}: {outcome.ExitCode} {outcome.Error}");
        return JsonElement.Parse(outcome.Output);
    }

    private Task WriteAsync(string name, string text) => File.WriteAllTextAsync(Path.Combine(server.Directory, name), text, TestContext.Current.CancellationToken);

    /// <summary>Answers what it is told to: for what no healthy server says.</summary>
    private sealed class StubServer : IAsyncDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly Task _serving;

        public StubServer(Func<string, string> answer)
        {
            using (var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Url = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/";
            }

            _listener.Prefixes.Add(Url);
            _listener.Start();
            _serving = ServeAsync(answer);
        }

        public string Url { get; }

        public async ValueTask DisposeAsync()
        {
            _listener.Close();
            await _serving;
        }

        private async Task ServeAsync(Func<string, string> answer)
        {
            try
            {
                while (true)
                {
                    var context = await _listener.GetContextAsync();
                    context.Response.ContentType = "application/json";
                    await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(answer(context.Request.RawUrl!)));
                    context.Response.Close();
                }
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }
}
