using System.Runtime.Versioning;
using System.Text.Json;

namespace Omium.Cli.Tests;

public sealed class CommandTests(DevServer server) : IClassFixture<DevServer>
{
    private const string Customer = """{"customer_id":"42","name":"Jane Smith","email":"jane@example.org","amount":5000}""";

    [Fact]
    public async Task Run_GuardFailsThenPromptIsMended_ExitCodesFourThenZero()
    {
        var first = await server.RunAsync("run", "customer-onboarding", "--input", Customer, "--wait", "--json");
        Assert.Equal(4, first.ExitCode);
        var id = JsonElement.Parse(first.Output).GetProperty("id").GetString()!;
        var second = await server.RunAsync("approve", id, "--edit-prompt", "The APR must be between 2.5 % and 8.5 %, never 0 %.", "--wait");
        Assert.Equal(0, second.ExitCode);
        Assert.DoesNotContain("score committed", second.Output, StringComparison.Ordinal);
        Assert.Contains("terms committed", second.Output, StringComparison.Ordinal);
        var verified = await server.RunAsync("replay", id, "--verify");
        Assert.Equal((0, true), (verified.ExitCode, verified.Output.StartsWith("identical, ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Run_ReviewRejected_ExitCodeThree()
    {
        var first = await server.RunAsync("run", "customer-onboarding", "--input", Customer, "--wait", "--json");
        var id = JsonElement.Parse(first.Output).GetProperty("id").GetString()!;
        var rejected = await server.RunAsync("approve", id, "--decision", "reject", "--note", "not today", "--wait");
        Assert.Equal(3, rejected.ExitCode);
        var again = await server.RunAsync("approve", id);
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("no open review", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_AtRecord_ShowsTheStateAsItWas()
    {
        await File.WriteAllTextAsync(Path.Combine(server.Directory, "input.json"), """{"dataset": "a"}""", TestContext.Current.CancellationToken);
        var run = await server.RunAsync("run", "data-pipeline", "--input", "@input.json", "--wait", "--json");
        var id = JsonElement.Parse(run.Output).GetProperty("id").GetString()!;
        var first = JsonElement.Parse((await server.RunAsync("replay", id, "--at", "1", "--json")).Output);
        Assert.Equal(("running", 1), (first.GetProperty("status").GetString(), first.GetProperty("steps").GetArrayLength()));
        Assert.Contains("commit_write", (await server.RunAsync("replay", id)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Workflows_NotATerminal_AlignedColumnsWithoutLines()
    {
        var listed = await server.RunAsync("workflows");
        var lines = listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("NAME", lines[0], StringComparison.Ordinal);
        Assert.Contains(lines, line => line.StartsWith("customer-onboarding", StringComparison.Ordinal));
        Assert.DoesNotContain('│', listed.Output);
        Assert.DoesNotContain('\u001b', listed.Output);
    }

    [Fact]
    public async Task Validate_BrokenWorkflow_EveryFindingAndExitCodeOne()
    {
        await File.WriteAllTextAsync(
            Path.Combine(server.Directory, "broken.yaml"),
            "omium: v0\nname: broken\nsteps:\n  - {id: a, type: tool_call, tool: nowhere}\n  - {id: b, type: tool_call, tool: nothing, needs: [zz]}\n",
            TestContext.Current.CancellationToken);
        var checkedFile = await server.RunAsync("validate", "broken.yaml");
        Assert.Equal(1, checkedFile.ExitCode);
        foreach (var pointer in (string[])["/steps/0/tool", "/steps/1/tool", "/steps/1/needs/0"])
        {
            Assert.Contains(pointer, checkedFile.Output, StringComparison.Ordinal);
        }

        var saved = await server.RunAsync("save", "broken.yaml");
        Assert.Equal(1, saved.ExitCode);
        Assert.Contains("[validation_failed]", saved.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "nonsense")]
    [InlineData(2, "run")]
    [InlineData(2, "dev", "--port", "99999")]
    [InlineData(2, "run", "data-pipeline", "--input", "{not json")]
    [InlineData(1, "run", "no-such-workflow")]
    [InlineData(1, "show", "exe_nothing")]
    [InlineData(1, "run", "data-pipeline", "--input", "@missing.json")]
    [InlineData(5, "workflows", "--key", "omk_local_wrong")]
    [InlineData(1, "workflows", "--url", "http://127.0.0.1:1", "--key", "omk_local_wrong")]
    [InlineData(2, "workflows", "--url", "nowhere")]
    public async Task Command_ThatCannotBeDone_ExitCodeAndNoTrace(int exitCode, params string[] arguments)
    {
        var outcome = await server.RunAsync(arguments);
        Assert.Equal((exitCode, ""), (outcome.ExitCode, outcome.Output));
        Assert.StartsWith("omium", outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task Configuration_ReadableByOthers_Refused()
    {
        _ = OmiumProgram.Path;
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        var home = Directory.CreateTempSubdirectory("omium-config-").FullName;
        try
        {
            var path = Path.Combine(Directory.CreateDirectory(Path.Combine(home, "omium")).FullName, "config.json");
            await File.WriteAllTextAsync(
                path, $$"""{"base_url":"{{server.Url}}","api_key":"{{server.Ready.GetProperty("key").GetString()}}"}""", TestContext.Current.CancellationToken);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
            Assert.Equal(1, (await OmiumProgram.RunAsync(home, new Dictionary<string, string>(), "workflows")).ExitCode);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            Assert.Equal(0, (await OmiumProgram.RunAsync(home, new Dictionary<string, string>(), "workflows")).ExitCode);
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }
}
