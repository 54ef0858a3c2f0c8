using System.Diagnostics;
using System.Net.Http.Json;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Browser;

/// <summary>S01: one command, the printed address, three steps; a workflow passes, fails, is mended and finishes.</summary>
public sealed class FirstFiveMinutesTests
{
    [Fact]
    public async Task S01_FirstFiveMinutes_FromThePrintedAddressToTheMendedRun()
    {
        _ = (Surroundings.Binary, Surroundings.Chromium);
        var console = Surroundings.Console;
        var directory = Directory.CreateTempSubdirectory("omium-e2e-").FullName;
        try
        {
            var clock = Stopwatch.StartNew();
            await using var omium = ChildProcess.Start(
                "omium dev --demo", ["dev", "--demo", "--port", "0", "--data", directory], new Dictionary<string, string> { ["OMIUM_CONSOLE"] = console });
            var greeting = await omium.ReadLinesAsync(line => line.Contains("Ctrl-C", StringComparison.Ordinal), TimeSpan.FromSeconds(20));
            var receiver = new Uri(Word(greeting, "Receiver"));
            await using var page = await ConsolePage.OpenAsync(Word(greeting, "Open"));
            await page.WaitForAsync("checklist", "done", "1");
            World.Say($"start to usable page: {clock.ElapsedMilliseconds} ms");
            Assert.DoesNotContain("omk_", page.Page.Url, StringComparison.Ordinal); // The key leaves the address.

            await page.ClickAsync("checklist-create-key");
            await page.ClickAsync("key-submit");
            Assert.StartsWith("omk_", await page.ReadAsync("key-secret"), StringComparison.Ordinal);
            await page.WaitForAsync("checklist", "done", "2");

            await page.ClickAsync("start-demo");
            await page.WaitForTextAsync("step-kyc", "Committed");
            await page.WaitForTextAsync("step-score", "Committed");
            await page.WaitForTextAsync("execution-status", "Paused");
            Assert.Equal(0, await OffersAsync(receiver));

            await page.ClickAsync("failure-link");
            await page.Get("prompt-editor").WaitForAsync();
            var prompt = await page.ReadAsync("prompt-editor");
            await page.Get("prompt-editor").FillAsync($"{prompt} {Stories.CompanyX.Rule}");
            await page.ClickAsync("test-fix");
            await page.WaitForAsync("test-fix-result", "outcome", "passed");
            Assert.Contains("5.2", await page.ReadAsync("test-fix-result"), StringComparison.Ordinal);
            Assert.Equal(0, await OffersAsync(receiver));

            await page.ClickAsync("retry-button");
            await page.WaitForAsync("recovery", "stage", "mended");
            await page.WaitForTextAsync("execution-status", "Succeeded");
            Assert.Equal(1, await OffersAsync(receiver));

            await page.Page.GetByRole(Microsoft.Playwright.AriaRole.Link, new() { Name = "Overview" }).First.ClickAsync();
            await page.WaitForAsync("checklist", "done", "3");
            World.Say($"start to mended run, by a machine's hand: {clock.ElapsedMilliseconds} ms");
            Assert.Empty(page.Errors);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>The first word after a name in the greeting.</summary>
    private static string Word(IReadOnlyList<string> greeting, string name)
    {
        var words = greeting.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).FirstOrDefault(words => words.Length > 1 && words[0] == name);
        Assert.True(words is not null, $"The greeting has no line '{name}':\n{string.Join('\n', greeting)}");
        return words![1];
    }

    private static async Task<int> OffersAsync(Uri effects)
    {
        using var http = new HttpClient();
        var counted = (await http.GetFromJsonAsync<JsonNode>(new Uri(effects, "/effects?name=send_offer")))!;
        return (int)counted["effects"]! + (int)counted["duplicates"]! + (int)counted["failed"]!;
    }
}
