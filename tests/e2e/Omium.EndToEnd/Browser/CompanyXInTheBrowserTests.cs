using Omium.EndToEnd.Harness;
using Omium.EndToEnd.Stories;

namespace Omium.EndToEnd.Browser;

/// <summary>S02 in Chromium, model calls and effects counted in processes outside.</summary>
public sealed class CompanyXInTheBrowserTests
{
    [Fact]
    public async Task S02_MendedInTheBrowser_SendsTheOfferOnce()
    {
        _ = (Surroundings.Binary, Surroundings.Chromium);
        await using var world = await World.StartAsync(CompanyX.Script, console: Surroundings.Console);
        await CompanyX.SaveAsync(world.Client, world.Receiver);
        await using var page = await ConsolePage.OpenAsync($"{world.Omium.Address}workflows/customer-onboarding#key={world.Omium.Key}");

        await page.ClickAsync("run-workflow");
        await page.Get("run-input").FillAsync(CompanyX.Start("cus_1")["input"]!.ToJsonString());
        await page.ClickAsync("run-start");
        await page.WaitForTextAsync("execution-status", "Paused");
        Assert.Equal(0, (await world.Receiver.CountAsync("send_offer")).Requests);

        await page.ClickAsync("failure-link");
        await page.ClickAsync("fix-prompt");
        await page.ClickAsync("test-fix");
        await page.WaitForAsync("test-fix-result", "outcome", "passed");
        Assert.Equal(0, (await world.Receiver.CountAsync("send_offer")).Requests);

        await page.ClickAsync("retry-button");
        await page.WaitForAsync("recovery", "stage", "mended");

        var offers = await world.Receiver.CountAsync("send_offer");
        Assert.Equal((1, 1), (offers.Effects, offers.Requests));
        Assert.Equal((1, 1, 3), (world.Model.CountOf(CompanyX.Kyc), world.Model.CountOf(CompanyX.Score), world.Model.CountOf(CompanyX.Terms)));

        // The overview tells it in figures: one run that succeeded, one failure got over by rollback, one decision.
        await page.Page.GotoAsync(world.Omium.Address.ToString());
        await page.WaitForTextAsync("figure-success-rate", "100 %");
        await page.WaitForTextAsync("figure-recovered-by-rollback", "of 1 recovered");
        await page.WaitForTextAsync("figure-interventions", "1");
        await page.WaitForTextAsync("figure-recovery-p99", "the only one");
        Assert.Empty(page.Errors);
    }
}
