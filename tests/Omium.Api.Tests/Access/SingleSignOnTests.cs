using System.Net;
using System.Text.Json.Nodes;
using Omium.Contracts;
using Omium.Contracts.Tenants;

namespace Omium.Api.Tests.Access;

public sealed class SingleSignOnTests : IAsyncLifetime
{
    private const string Start = "/v1/auth/oidc/ten_a/start";
    private ApiHost _host = null!;
    private FakeIssuer _issuer = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await ApiHost.StartAsync();
        _issuer = await FakeIssuer.StartAsync();
        await ConnectAsync(new { issuer = _issuer.Address, client_id = FakeIssuer.ClientId, client_secret = FakeIssuer.ClientSecret, email_domains = new[] { "corp.example" }, role = "operator" });
    }

    public async ValueTask DisposeAsync()
    {
        await _issuer.DisposeAsync();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task SignIn_AtTheIssuer_ComesBackAsMemberOfTheTenantWithItsRole()
    {
        using var browser = Browser();
        using var back = await VisitAsync(browser, $"{Start}?return_to=/executions");
        Assert.Equal((302, "/executions"), ((int)back.StatusCode, back.Headers.Location?.OriginalString));
        var me = await MeAsync(browser);
        Assert.Equal(("ten_a", "operator"), (me.Tenant, me.Role));

        // The same subject is the same person; another subject with the same e-mail is another one.
        using var again = Browser();
        using var second = await VisitAsync(again, Start);
        Assert.Equal(me.KeyId, (await MeAsync(again)).KeyId);
        _issuer.Subject = "subject-2";
        using var other = Browser();
        using var third = await VisitAsync(other, Start);
        Assert.NotEqual(me.KeyId, (await MeAsync(other)).KeyId);

        var secret = await _host.Client.GetStringAsync("/v1/sso") + await _host.Client.GetStringAsync("/v1/audit");
        Assert.DoesNotContain(FakeIssuer.ClientSecret, secret, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SignIn_OfSomebodyWhoWasRemoved_IsRefused()
    {
        using var browser = Browser();
        using var back = await VisitAsync(browser, Start);
        using var removed = await _host.Client.DeleteAsync($"/v1/members/{(await MeAsync(browser)).KeyId}");
        Assert.Equal(204, (int)removed.StatusCode);
        using var again = await VisitAsync(browser, Start);
        Assert.Equal(401, (int)again.StatusCode);
    }

    [Theory]
    [InlineData("aud", "\"another client\"")]
    [InlineData("aud", "[\"omium\", \"another client\"]")]
    [InlineData("azp", "\"another client\"")]
    [InlineData("iss", "\"https://evil.example\"")]
    [InlineData("nonce", "\"guessed\"")]
    [InlineData("nonce", null)]
    [InlineData("exp", "1000")]
    [InlineData("exp", null)]
    [InlineData("iat", "99999999999")]
    [InlineData("nbf", "99999999999")]
    [InlineData("sub", "\"\"")]
    [InlineData("sub", null)]
    [InlineData("email", "\"eve@evil.example\"")]
    [InlineData("email", "\"grace@corp.example@evil.example\"")]
    [InlineData("email_verified", "false")]
    [InlineData("email_verified", null)]
    public async Task Token_WithAWrongClaim_IsRefused(string claim, string? value)
    {
        _issuer.Claims[claim] = value is null ? null : JsonNode.Parse(value);
        await RefusedAsync();
    }

    [Theory]
    [InlineData("none", false)]
    [InlineData("HS256", false)]
    [InlineData("RS512", false)]
    [InlineData("RS256", true)]
    public async Task Token_NotSignedByTheIssuersKey_IsRefused(string algorithm, bool otherKey)
    {
        (_issuer.Algorithm, _issuer.SignsWithAnotherKey) = (algorithm, otherKey);
        await RefusedAsync();
    }

    [Fact]
    public async Task Answer_InAnotherBrowser_OrTwice_IsRefused()
    {
        using var victim = Browser();
        var callback = await CallbackOfAsync(victim);
        using var attacker = Browser();
        using var stolen = await attacker.GetAsync(callback);
        Assert.Equal(401, (int)stolen.StatusCode);
        using var late = await victim.GetAsync(callback); // Nor has it kept the one who began from coming in.
        Assert.Equal(302, (int)late.StatusCode);

        callback = await CallbackOfAsync(victim);
        using var wrongIssuer = await victim.GetAsync(callback.Replace("iss=", "iss=https%3A%2F%2Fevil.example%2F", StringComparison.Ordinal));
        Assert.Equal(401, (int)wrongIssuer.StatusCode);

        callback = await CallbackOfAsync(victim);
        using var first = await victim.GetAsync(callback);
        using var second = await victim.GetAsync(callback);
        Assert.Equal((302, 401), ((int)first.StatusCode, (int)second.StatusCode));
    }

    [Theory]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example/")]
    [InlineData("https://evil.example/")]
    [InlineData("/%0d%0aSet-Cookie:x=1")]
    [InlineData("javascript:alert(1)")]
    public async Task ReturnTo_AnotherPlace_GoesHome(string where)
    {
        using var browser = Browser();
        using var back = await VisitAsync(browser, $"{Start}?return_to={(where.Contains('%', StringComparison.Ordinal) ? where : Uri.EscapeDataString(where))}");
        Assert.Equal((302, "/"), ((int)back.StatusCode, back.Headers.Location?.OriginalString));
    }

    [Fact]
    public async Task Start_OfATenantWithoutConnection_IsTheSameAsOfNone()
    {
        await _host.Keys.CreateAsync("ten_b", "other", "local");
        using var browser = Browser();
        using var without = await browser.GetAsync("/v1/auth/oidc/ten_b/start");
        using var none = await browser.GetAsync("/v1/auth/oidc/ten_nobody/start");
        Assert.Equal((404, await none.Content.ReadAsStringAsync()), ((int)without.StatusCode, await without.Content.ReadAsStringAsync()));
    }

    [Theory]
    [InlineData("""{"issuer": "ftp://x", "client_id": "c"}""")]
    [InlineData("""{"issuer": "https://user:pw@x.example", "client_id": "c"}""")]
    [InlineData("""{"issuer": "https://x.example?y", "client_id": "c"}""")]
    [InlineData("""{"issuer": "https://x.example", "client_id": ""}""")]
    [InlineData("""{"issuer": "https://x.example", "client_id": "c", "role": "admin"}""")]
    [InlineData("""{"issuer": "https://x.example", "client_id": "c", "email_domains": ["a b"]}""")]
    public async Task Connection_ThatIsNone_IsRefused(string body) => await _host.FailAsync(HttpMethod.Put, "/v1/sso", 422, ApiHost.Json(body));

    private async Task RefusedAsync()
    {
        using var browser = Browser();
        using var back = await VisitAsync(browser, Start);
        Assert.Equal(401, (int)back.StatusCode);
        Assert.Equal(401, (int)(await browser.GetAsync("/v1/me")).StatusCode);
    }

    private async Task ConnectAsync<T>(T connection)
    {
        using var set = await _host.Client.PutAsync("/v1/sso", People.Body(connection));
        await ApiHost.ReadAsync(set, ContractJson.Default.SingleSignOnView, 200);
    }

    private HttpClient Browser() => new(new SocketsHttpHandler { CookieContainer = new CookieContainer(), AllowAutoRedirect = false }) { BaseAddress = _host.Address };

    /// <summary>Goes to the issuer and comes back, as a browser does; the answer of the callback.</summary>
    private static async Task<HttpResponseMessage> VisitAsync(HttpClient browser, string start)
    {
        using var begun = await browser.GetAsync(start);
        Assert.Equal(302, (int)begun.StatusCode);
        using var consented = await browser.GetAsync(begun.Headers.Location);
        Assert.Equal(302, (int)consented.StatusCode);
        return await browser.GetAsync(consented.Headers.Location);
    }

    private static async Task<string> CallbackOfAsync(HttpClient browser)
    {
        using var begun = await browser.GetAsync(Start);
        using var consented = await browser.GetAsync(begun.Headers.Location);
        return consented.Headers.Location!.PathAndQuery;
    }

    private static Task<MeView> MeAsync(HttpClient browser) => ApiHost.GetAsync(browser, "/v1/me", ContractJson.Default.MeView);
}
