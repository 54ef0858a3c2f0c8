using System.Net;
using System.Runtime.Versioning;
using System.Text.Json;

namespace Omium.Cli.Tests;

public sealed class DevTests(DevServer server) : IClassFixture<DevServer>
{
    [Fact]
    public async Task Dev_SecondProcessOnTheSameData_RefusedWithTheHolder()
    {
        var second = await server.RunAsync("dev", "--port", "0", "--json");
        Assert.Equal(1, second.ExitCode);
        Assert.Contains("data_directory_in_use", second.Error, StringComparison.Ordinal);
        Assert.Empty(second.Output);
    }

    [Fact]
    public async Task Dev_PortTaken_ErrorWithoutTrace()
    {
        var port = new Uri(Url()).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var second = await server.RunAsync("dev", "--data", "other", "--port", port);
        Assert.Equal(1, second.ExitCode);
        Assert.DoesNotContain("   at ", second.Error, StringComparison.Ordinal);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void Dev_FirstStart_SecretsAreTheOwnersAlone()
    {
        _ = OmiumProgram.Path;
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        foreach (var name in (string[])["dev.key", "master.key"])
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(server.DataDirectory, name)));
        }
    }

    [Fact]
    public async Task Dev_ForeignHost_Refused()
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, Url() + "/readyz");
        request.Headers.Host = "evil.example";
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Console_PageOfAnIdWithDots_IsThePageAndAMissingFileIsNot()
    {
        _ = OmiumProgram.Path;
        await using var own = new DevServer();
        var console = Directory.CreateDirectory(Path.Combine(own.Directory, "console")).FullName;
        await File.WriteAllTextAsync(Path.Combine(console, "index.html"), "<!doctype html>", TestContext.Current.CancellationToken);
        await own.StartAsync(new Dictionary<string, string> { ["OMIUM_CONSOLE"] = console });
        using var http = new HttpClient();
        using var page = await http.GetAsync(own.Url + "/failures/exe_1.terms.1.1", TestContext.Current.CancellationToken);
        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        foreach (var missing in (string[])["/missing.png", "/assets/missing.js", "/v1/missing"])
        {
            using var answer = await http.GetAsync(own.Url + missing, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Problem_Type_LeadsToItsPage()
    {
        using var http = new HttpClient();
        var problem = JsonElement.Parse(await (await http.GetAsync(Url() + "/v1/missing", TestContext.Current.CancellationToken)).Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        var page = await http.GetStringAsync(Url() + problem.GetProperty("type").GetString(), TestContext.Current.CancellationToken);
        Assert.StartsWith("# not_found", page, StringComparison.Ordinal);
        using var outside = await http.GetAsync(Url() + "/docs/errors/..%2f..%2fdev.key", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, outside.StatusCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Dev_MasterKeyLostOrReplaced_RefusedUntilItIsBack(bool isReplaced)
    {
        _ = OmiumProgram.Path;
        await using var own = new DevServer();
        await own.StartAsync();
        await own.StopAsync();
        var path = Path.Combine(own.DataDirectory, "master.key");
        var key = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        File.Delete(path);
        if (isReplaced)
        {
            await File.WriteAllBytesAsync(path, new byte[key.Length], TestContext.Current.CancellationToken);
        }

        var refused = await own.RunAsync("dev", "--port", "0", "--json");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("master.key", refused.Error, StringComparison.Ordinal);
        Assert.Equal(isReplaced, File.Exists(path));
        await File.WriteAllBytesAsync(path, key, TestContext.Current.CancellationToken);
        await own.StartAsync();
    }

    [Fact]
    public async Task Statistics_WithoutTheKey_Refused()
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(Url() + "/v1/dev/statistics", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task Dev_StoppedAndStartedAgain_SameKeySameExecutions()
    {
        _ = OmiumProgram.Path;
        await using var own = new DevServer();
        await own.StartAsync();
        var key = own.Ready.GetProperty("key").GetString();
        Assert.Equal(0, (await own.RunAsync("run", "data-pipeline", "--input", """{"dataset":"a"}""", "--wait")).ExitCode);
        var (exitCode, took) = await own.StopAsync();
        Assert.Equal(0, exitCode);
        Assert.True(took < TimeSpan.FromSeconds(2), $"it took {took} to end");
        await own.StartAsync();
        Assert.Equal(key, own.Ready.GetProperty("key").GetString());
        var listed = JsonElement.Parse((await own.RunAsync("executions", "--json")).Output).GetProperty("items");
        Assert.Equal("succeeded", Assert.Single(listed.EnumerateArray().ToArray()).GetProperty("status").GetString());
    }

    private string Url()
    {
        _ = OmiumProgram.Path;
        return server.Url;
    }
}
