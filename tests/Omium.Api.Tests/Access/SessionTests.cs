using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Omium.Contracts;
using Omium.Contracts.Access;

namespace Omium.Api.Tests.Access;

public sealed class SessionTests : IAsyncLifetime
{
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync(options => options.SignUpBeat = TimeSpan.FromMilliseconds(400));

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task SignUp_OfSomebodyNew_GivesThemATenantOfTheirOwnAsAdministrator()
    {
        using var ada = await People.SignUpAsync(_host, "Ada@Example.org");
        using var bob = await People.SignUpAsync(_host, "bob@example.org");
        var me = await ApiHost.GetAsync(ada.Client, "/v1/auth/session", ContractJson.Default.SessionView);
        Assert.Equal(("ada@example.org", "admin", ada.Session.Tenant), (me.Email, me.Role, me.Tenant));
        Assert.NotEqual(ada.Session.Tenant, bob.Session.Tenant);
        Assert.Empty((await ApiHost.GetAsync(ada.Client, "/v1/workflows", ContractJson.Default.WorkflowPage)).Items);
    }

    [Fact]
    public async Task SignUp_WithATakenAddress_AnswersTheSameAndChangesNothing()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        using var client = _host.Anonymous();
        using var fresh = await client.PostAsync("/v1/auth/signup", People.Body(new { email = "new@example.org", password = "another long password" }));
        using var taken = await client.PostAsync("/v1/auth/signup", People.Body(new { email = "ADA@example.org", password = "another long password" }));
        Assert.Equal((fresh.StatusCode, await fresh.Content.ReadAsStringAsync()), (taken.StatusCode, await taken.Content.ReadAsStringAsync()));
        await RefusedAsync("/v1/auth/login", new { email = "ada@example.org", password = "another long password" }, 401, "sign_in_failed");
        using var still = await People.SignInAsync(_host, "ada@example.org");
        Assert.Equal(ada.Session.Tenant, still.Session.Tenant);
    }

    [Fact]
    public async Task SignUp_NewAndTaken_AnswerOnTheSameBeat()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        foreach (var email in new[] { "ada@example.org", "beat@example.org" })
        {
            using var client = _host.Anonymous();
            var clock = Stopwatch.StartNew();
            using var answered = await client.PostAsync("/v1/auth/signup", People.Body(new { email, password = "another long password" }));
            Assert.Equal(202, (int)answered.StatusCode);
            // The beat is 400 ms by the server's timer, whose ticks are coarser than this clock's.
            Assert.True(clock.ElapsedMilliseconds >= 380, $"{email} was answered after {clock.ElapsedMilliseconds} ms");
        }
    }

    [Fact]
    public async Task Invite_WhereMailsAreSent_ShowsTheTokenToTheAddressAloneSoThatNobodyMakesItsAccountForIt()
    {
        var mails = new KeptMails();
        await using var host = await ApiHost.StartAsync(options => options.SignUpBeat = TimeSpan.FromMilliseconds(1), mailer: mails);
        using var invited = await host.Client.PostAsync("/v1/invitations", People.Body(new { email = "victim@example.org", role = "viewer" }));
        var invitation = await ApiHost.ReadAsync(invited, ContractJson.Default.InvitationView, 201);
        Assert.Null(invitation.Token);
        Assert.DoesNotContain("omi_", await invited.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        var (to, text) = Assert.Single(mails.Sent);
        Assert.Equal("victim@example.org", to);
        var token = text.Split('\n').Single(line => line.Contains("omi_", StringComparison.Ordinal)).Trim();
        using var client = host.Anonymous();
        using var accepted = await client.PostAsync("/v1/auth/accept", People.Body(new { token, password = Person.Password }));
        Assert.Equal("viewer", (await ApiHost.ReadAsync(accepted, ContractJson.Default.SignedInView, 200)).Role);
    }

    private sealed class KeptMails : Api.Sessions.IMailer
    {
        public List<(string To, string Text)> Sent { get; } = [];

        public Task SendAsync(string to, string subject, string text, CancellationToken cancellation)
        {
            Sent.Add((to, text));
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task Accept_WithManyInvitationsOfOneAddress_IsNoWayToGuessItsPassword()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        using var eve = await People.SignUpAsync(_host, "eve@example.org");
        using var client = _host.Anonymous();
        var answers = new List<int>();
        for (var guess = 0; guess < 8; guess++)
        {
            using var invited = await eve.Client.PostAsync("/v1/invitations", People.Body(new { email = "ada@example.org", role = "viewer" }));
            var invitation = await ApiHost.ReadAsync(invited, ContractJson.Default.InvitationView, 201);
            using var accepted = await client.PostAsync("/v1/auth/accept", People.Body(new { token = invitation.Token, password = $"wrong password, number {guess}" }));
            answers.Add((int)accepted.StatusCode);
        }

        Assert.Equal(429, answers[^1]);
    }

    [Theory]
    [InlineData("ada@example.org", "wrong password, long enough")]
    [InlineData("nobody@example.org", Person.Password)]
    [InlineData("no address", Person.Password)]
    [InlineData("ada@example.org\r\nBcc: eve@example.org", Person.Password)]
    public async Task SignIn_WithAnythingWrong_IsRefusedTheSame(string email, string password)
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        var problem = await RefusedAsync("/v1/auth/login", new { email, password }, 401, "sign_in_failed");
        Assert.Equal((await RefusedAsync("/v1/auth/login", new { email = "other@example.org", password }, 401, "sign_in_failed")).Detail, problem.Detail);
    }

    [Fact]
    public async Task SignIn_TriedTooOften_IsThrottledWhetherTheAccountIsThereOrNot()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        foreach (var email in new[] { "ada@example.org", "nobody@example.org" })
        {
            using var client = _host.Anonymous();
            var statuses = new List<HttpStatusCode>();
            for (var attempt = 0; attempt < 7; attempt++)
            {
                using var answered = await client.PostAsync("/v1/auth/login", People.Body(new { email, password = $"wrong password {attempt}" }));
                statuses.Add(answered.StatusCode);
            }

            Assert.Equal(HttpStatusCode.TooManyRequests, statuses[^1]);
            Assert.InRange(statuses.Count(status => status == HttpStatusCode.Unauthorized), 3, 5);
        }
    }

    [Fact]
    public async Task Refresh_Once_GivesNewTokensAndEndsTheOldAccessToken()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        var renewed = await RefreshAsync(ada.Session.RefreshToken!);
        Assert.NotEqual(ada.Session.RefreshToken, renewed.RefreshToken);
        await _host.FailAsync(HttpMethod.Get, "/v1/me", 401, client: ada.Client);
        Assert.Equal(ada.Session.User, (await MeAsync(renewed.AccessToken!)).KeyId);
    }

    [Fact]
    public async Task Refresh_WithAUsedToken_EndsTheSessionForEverybody()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        var first = await RefreshAsync(ada.Session.RefreshToken!);
        var second = await RefreshAsync(first.RefreshToken!);

        await RefusedAsync("/v1/auth/refresh", new { refresh_token = ada.Session.RefreshToken }, 401, "sign_in_failed");

        await RefusedAsync("/v1/auth/refresh", new { refresh_token = second.RefreshToken }, 401, "sign_in_failed");
        using var client = _host.ClientOf(second.AccessToken!);
        await _host.FailAsync(HttpMethod.Get, "/v1/me", 401, client: client);
    }

    [Fact]
    public async Task Refresh_WithATokenSomebodyMadeUp_LeavesTheSessionAlone()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        var parts = ada.Session.RefreshToken!.Split('_');
        foreach (var made in new[] { $"omr_{parts[1]}_0_{parts[3]}", $"omr_{parts[1]}_1_{new string('0', 64)}", $"omr_{parts[1]}_2_{parts[3]}", "omr_x", $"omr_{parts[1]}_-1_{parts[3]}" })
        {
            await RefusedAsync("/v1/auth/refresh", new { refresh_token = made }, 401, "sign_in_failed");
        }

        await MeAsync(ada.Session.AccessToken!);
    }

    [Fact]
    public async Task SignOut_EndsAccessAndRefresh()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        using var ended = await ada.Client.PostAsync("/v1/auth/logout", null);
        Assert.Equal(204, (int)ended.StatusCode);
        await _host.FailAsync(HttpMethod.Get, "/v1/me", 401, client: ada.Client);
        await RefusedAsync("/v1/auth/refresh", new { refresh_token = ada.Session.RefreshToken }, 401, "sign_in_failed");
    }

    [Fact]
    public async Task ChangePassword_EndsEverySessionAndTheOldPassword()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        using var elsewhere = await People.SignInAsync(_host, "ada@example.org");
        using var changed = await ada.Client.PostAsync("/v1/auth/password", People.Body(new { current_password = Person.Password, new_password = "tr0ub4dor and three" }));
        Assert.Equal(204, (int)changed.StatusCode);
        await _host.FailAsync(HttpMethod.Get, "/v1/me", 401, client: ada.Client);
        await _host.FailAsync(HttpMethod.Get, "/v1/me", 401, client: elsewhere.Client);
        await RefusedAsync("/v1/auth/refresh", new { refresh_token = elsewhere.Session.RefreshToken }, 401, "sign_in_failed");
        await RefusedAsync("/v1/auth/login", new { email = "ada@example.org", password = Person.Password }, 401, "sign_in_failed");
        using var again = await People.SignInAsync(_host, "ada@example.org", "tr0ub4dor and three");
    }

    [Theory]
    [InlineData("short")]
    [InlineData("aaaaaaaaaaaaaaaaaaaa")]
    [InlineData("ada@example.org")]
    public async Task SignUp_WithAPasswordThatIsGuessed_IsRefused(string password) =>
        await RefusedAsync("/v1/auth/signup", new { email = "ada@example.org", password }, 422, "validation_failed");

    [Fact]
    public async Task SignUp_WithMembersThatAreNotItsOwn_IsRefused() =>
        await RefusedAsync("/v1/auth/signup", new { email = "ada@example.org", password = Person.Password, role = "admin", tenant = "ten_a" }, 422, "validation_failed");

    [Fact]
    public async Task Cookie_WithoutItsHeader_ChangesNothing()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        var cookies = new CookieContainer();
        using var browser = new HttpClient(new SocketsHttpHandler { CookieContainer = cookies }) { BaseAddress = _host.Address };
        using var response = await browser.PostAsync("/v1/auth/login", People.Body(new { email = ada.Email, password = Person.Password, cookie = true }));
        var session = await ApiHost.ReadAsync(response, ContractJson.Default.SignedInView, 200);
        Assert.Equal((null, null), (session.AccessToken, session.RefreshToken));
        Assert.All(response.Headers.GetValues("Set-Cookie"), set => Assert.EndsWith("; path=/; samesite=strict; httponly", set, StringComparison.Ordinal));
        await ApiHost.GetAsync(browser, "/v1/me", ContractJson.Default.MeView);

        await _host.FailAsync(HttpMethod.Post, "/v1/keys", 403, ApiHost.Json("""{"name": "forged"}"""), browser);
        await ForgedAsync(browser, ("Omium-Csrf", "guessed"));
        await ForgedAsync(browser, ("Omium-Csrf", session.Csrf!), ("Origin", "https://evil.example"));
        await ForgedAsync(browser, ("Omium-Csrf", session.Csrf!), ("Sec-Fetch-Site", "cross-site"));
        Assert.Equal(201, (int)(await SendAsync(browser, "/v1/keys", """{"name": "real"}""", ("Omium-Csrf", session.Csrf!))).StatusCode);

        await _host.FailAsync(HttpMethod.Post, "/v1/auth/refresh", 401, ApiHost.Json("{}"), browser);
        Assert.Equal(200, (int)(await SendAsync(browser, "/v1/auth/refresh", "{}", ("Omium-Csrf", session.Csrf!))).StatusCode);
        await ApiHost.GetAsync(browser, "/v1/me", ContractJson.Default.MeView);
        Assert.Equal(204, (int)(await SendAsync(browser, "/v1/auth/logout", "{}", ("Omium-Csrf", session.Csrf!))).StatusCode);
        Assert.DoesNotContain(cookies.GetCookies(_host.Address).Cast<Cookie>(), cookie => cookie.Value.Length > 0);
    }

    [Fact]
    public async Task Cookie_SessionToken_IsNoBearerTokenAndTheOtherWayRound()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        using var client = _host.Anonymous();
        client.DefaultRequestHeaders.Add("Cookie", $"omium_session={ada.Session.AccessToken}");
        await _host.FailAsync(HttpMethod.Get, "/v1/me", 401, client: client);
    }

    [Fact]
    public async Task ClientPrincipal_WhereNotConfigured_CountsForNothing()
    {
        using var client = _host.Anonymous();
        client.DefaultRequestHeaders.Add("x-ms-client-principal", Principal("admin"));
        await _host.FailAsync(HttpMethod.Get, "/v1/me", 401, client: client);
    }

    [Fact]
    public async Task ClientPrincipal_WhereConfigured_HasTheHighestOfItsRoles()
    {
        await using var linked = await ApiHost.StartAsync(options => options.ClientPrincipalTenant = "ten_a");
        foreach (var (roles, role) in new[] { ("reader", "viewer"), ("operator\",\"approver", "approver"), ("admin", "admin") })
        {
            using var client = linked.Anonymous();
            client.DefaultRequestHeaders.Add("x-ms-client-principal", Principal(roles));
            var me = await ApiHost.GetAsync(client, "/v1/me", ContractJson.Default.MeView);
            Assert.Equal(("ten_a", role), (me.Tenant, me.Role));
            await linked.FailAsync(HttpMethod.Post, "/v1/keys", 403, ApiHost.Json("""{"name": "forged"}"""), client);
        }

        using var broken = linked.Anonymous();
        broken.DefaultRequestHeaders.Add("x-ms-client-principal", Convert.ToBase64String("""{"userRoles": [1], "userId": {}}"""u8));
        await linked.FailAsync(HttpMethod.Get, "/v1/me", 401, client: broken);
    }

    private static string Principal(string roles) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes($$"""{"identityProvider":"aad","userId":"u1","userDetails":"ada@example.org","userRoles":["anonymous","authenticated","{{roles}}"]}"""));

    private static async Task ForgedAsync(HttpClient browser, params (string Name, string Value)[] headers) =>
        Assert.Equal("csrf_missing", (await ApiHost.ReadAsync(await SendAsync(browser, "/v1/keys", """{"name": "forged"}""", headers), ContractJson.Default.Problem, 403)).Code);

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, string path, string body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = ApiHost.Json(body) };
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return await client.SendAsync(request);
    }

    private async Task<SignedInView> RefreshAsync(string token)
    {
        using var client = _host.Anonymous();
        using var response = await client.PostAsync("/v1/auth/refresh", People.Body(new { refresh_token = token }));
        return await ApiHost.ReadAsync(response, ContractJson.Default.SignedInView, 200);
    }

    private async Task<Contracts.Tenants.MeView> MeAsync(string token)
    {
        using var client = _host.ClientOf(token);
        return await ApiHost.GetAsync(client, "/v1/me", ContractJson.Default.MeView);
    }

    private async Task<Problem> RefusedAsync<T>(string path, T body, int status, string code)
    {
        using var client = _host.Anonymous();
        var problem = await _host.FailAsync(HttpMethod.Post, path, status, People.Body(body), client);
        Assert.Equal(code, problem.Code);
        return problem;
    }
}
