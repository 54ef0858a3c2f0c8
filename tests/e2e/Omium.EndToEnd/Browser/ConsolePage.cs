using Microsoft.Playwright;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Browser;

/// <summary>The console in Chromium. Names are the stable <c>data-testid</c>s of static-web/README.md.</summary>
internal sealed class ConsolePage : IAsyncDisposable
{
    private const float WaitMaxMs = 20_000;
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly List<string> _errors = [];

    private ConsolePage(IPlaywright playwright, IBrowser browser, IPage page)
    {
        (_playwright, _browser, Page) = (playwright, browser, page);
        page.PageError += (_, error) => _errors.Add(error);
        page.SetDefaultTimeout(WaitMaxMs);
    }

    /// <summary>The page itself.</summary>
    public IPage Page { get; }

    /// <summary>Errors that no code of the page has caught.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>Opens an address in a fresh browser.</summary>
    public static async Task<ConsolePage> OpenAsync(string address)
    {
        Environment.SetEnvironmentVariable("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"); // The browser is the machine's own.
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Surroundings.Chromium,
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
                "--disable-sync",
            ],
        });
        var page = new ConsolePage(playwright, browser, await browser.NewPageAsync());
        await page.Page.GotoAsync(address);
        return page;
    }

    /// <summary>The element of a name.</summary>
    public ILocator Get(string name) => Page.GetByTestId(name);

    /// <summary>Waits for an element, and answers its text.</summary>
    public async Task<string> ReadAsync(string name)
    {
        await Get(name).First.WaitForAsync();
        return await Get(name).First.InnerTextAsync();
    }

    /// <summary>Clicks an element once it can be clicked.</summary>
    public Task ClickAsync(string name) => Get(name).First.ClickAsync();

    /// <summary>Waits until an element has <c>data-attribute="value"</c>.</summary>
    public Task WaitForAsync(string name, string attribute, string value) => Page.Locator($"[data-testid=\"{name}\"][data-{attribute}=\"{value}\"]").First.WaitForAsync();

    /// <summary>Waits until an element shows a text.</summary>
    public Task WaitForTextAsync(string name, string text) => Get(name).Filter(new LocatorFilterOptions { HasText = text }).First.WaitForAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
