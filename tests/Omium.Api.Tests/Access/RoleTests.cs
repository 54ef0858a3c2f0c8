using Microsoft.AspNetCore.Routing;
using Omium.Api.Access;
using Omium.Contracts;
using Omium.Contracts.Tenants;

namespace Omium.Api.Tests.Access;

public sealed class RoleTests : IAsyncLifetime
{
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync(options => options.SignUpBeat = TimeSpan.FromMilliseconds(1));

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public void AccessTable_AndServer_HaveTheSameRoutes()
    {
        var mapped = _host.Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<NeedsCaller>() is not null)
            .SelectMany(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Select(method => $"{method} {endpoint.RoutePattern.RawText}"));
        Assert.Equal(AccessTable.All.SelectMany(row => row.Routes).Order(StringComparer.Ordinal), mapped.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task EveryRoute_WithEachRole_IsForbiddenExactlyWhereTheTableSays()
    {
        using var admin = await People.SignUpAsync(_host, "admin@example.org");
        foreach (var (role, scopes) in Roles.All.Where(known => known.Role != Roles.Admin))
        {
            using var member = await People.JoinAsync(_host, admin, $"{role}@example.org", role);
            foreach (var (needed, routes) in AccessTable.All.Where(row => row.Scope != Scopes.None))
            {
                foreach (var route in routes.Where(route => !route.EndsWith("/stream", StringComparison.Ordinal)))
                {
                    var (method, pattern) = (route.Split(' ')[0], route.Split(' ')[1]);
                    var path = System.Text.RegularExpressions.Regex.Replace(pattern, "{[a-z]+}", "exe_00000000000000000000000000");
                    using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = method == "GET" ? null : ApiHost.Json("{}") };
                    using var response = await member.Client.SendAsync(request);
                    Assert.True((int)response.StatusCode == 403 == !scopes.HasFlag(needed), $"{role} {route} was answered {(int)response.StatusCode}");
                }
            }
        }
    }

    [Fact]
    public async Task LastAdministrator_IsNeitherDemotedNorRemoved_AlsoByTwoAtOnce()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        using var bob = await People.JoinAsync(_host, ada, "bob@example.org", Roles.Admin);
        var demoted = await Task.WhenAll(
            ada.Client.PutAsync($"/v1/members/{bob.Session.User}", People.Body(new { role = "viewer" })),
            bob.Client.PutAsync($"/v1/members/{ada.Session.User}", People.Body(new { role = "viewer" })));

        // One of them was first; the other is the only administrator left, or is none any more.
        Assert.Equal(1, demoted.Count(answer => answer.IsSuccessStatusCode));
        var (last, other) = demoted[0].IsSuccessStatusCode ? (ada, bob) : (bob, ada);
        Assert.Equal("last_admin", (await _host.FailAsync(HttpMethod.Delete, $"/v1/members/{last.Session.User}", 409, client: last.Client)).Code);
        Assert.Equal("last_admin", (await _host.FailAsync(HttpMethod.Put, $"/v1/members/{last.Session.User}", 409, People.Body(new { role = "operator" }), last.Client)).Code);
        await _host.FailAsync(HttpMethod.Get, "/v1/members", 403, client: other.Client);
    }

    [Fact]
    public async Task Member_WhoIsRemoved_IsRefusedAtTheNextRequest()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        using var bob = await People.JoinAsync(_host, ada, "bob@example.org", Roles.Operator);
        await ApiHost.GetAsync(bob.Client, "/v1/workflows", ContractJson.Default.WorkflowPage);
        using var removed = await ada.Client.DeleteAsync($"/v1/members/{bob.Session.User}");
        Assert.Equal(204, (int)removed.StatusCode);
        await _host.FailAsync(HttpMethod.Get, "/v1/workflows", 401, client: bob.Client);
        using var client = _host.Anonymous();
        await _host.FailAsync(HttpMethod.Post, "/v1/auth/refresh", 401, People.Body(new { refresh_token = bob.Session.RefreshToken }), client);
    }

    [Fact]
    public async Task Invitation_IsAcceptedOnceAndOnlyByWhomItNames()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        using var bob = await People.SignUpAsync(_host, "bob@example.org");
        using var invited = await ada.Client.PostAsync("/v1/invitations", People.Body(new { email = "bob@example.org", role = "approver" }));
        var token = (await ApiHost.ReadAsync(invited, ContractJson.Default.InvitationView, 201)).Token!;
        using var client = _host.Anonymous();
        await _host.FailAsync(HttpMethod.Post, "/v1/auth/accept", 401, People.Body(new { token, password = "not the password of bob" }), client);
        using var accepted = await client.PostAsync("/v1/auth/accept", People.Body(new { token, password = Person.Password }));
        Assert.Equal((ada.Session.Tenant, "approver", bob.Session.User), await ApiHost.ReadAsync(accepted, ContractJson.Default.SignedInView, 200) is { } joined ? (joined.Tenant, joined.Role, joined.User) : default);
        await _host.FailAsync(HttpMethod.Post, "/v1/auth/accept", 404, People.Body(new { token, password = Person.Password }), client);

        // Bob has two tenants now, and may go over to the other one, and to no third.
        var session = await ApiHost.GetAsync(bob.Client, "/v1/auth/session", ContractJson.Default.SessionView);
        Assert.Equal([bob.Session.Tenant, ada.Session.Tenant], session.Tenants.Select(known => known.Tenant));
        await _host.FailAsync(HttpMethod.Post, "/v1/auth/switch", 403, People.Body(new { tenant = "ten_a" }), bob.Client);
        using var switched = await bob.Client.PostAsync("/v1/auth/switch", People.Body(new { tenant = ada.Session.Tenant }));
        Assert.Equal("approver", (await ApiHost.ReadAsync(switched, ContractJson.Default.SignedInView, 200)).Role);
        await _host.FailAsync(HttpMethod.Get, "/v1/me", 401, client: bob.Client);
    }

    [Fact]
    public async Task Key_MadeByAKey_HasNoMoreScopesThanItsMakerAndNoAdminUnlessAsked()
    {
        var plain = await _host.PostAsync("/v1/keys", """{"name": "plain", "spend_cap_credits": 500}""", ContractJson.Default.KeyView, 201);
        Assert.Equal(["read", "run", "work", "write", "propose", "decide"], plain.Scopes);
        Assert.Equal(500, plain.SpendCapCredits);
        using var client = _host.ClientOf(plain.Secret!);
        Assert.Equal("forbidden", (await _host.FailAsync(HttpMethod.Post, "/v1/keys", 403, ApiHost.Json("""{"name": "more"}"""), client)).Code);
        await _host.FailAsync(HttpMethod.Post, "/v1/keys", 422, ApiHost.Json("""{"name": "odd", "scopes": ["root"]}"""));
        await _host.FailAsync(HttpMethod.Post, "/v1/keys", 422, ApiHost.Json("""{"name": "odd", "scopes": []}"""));
        var reader = await _host.PostAsync("/v1/keys", """{"name": "reader", "scopes": ["read", "admin"]}""", ContractJson.Default.KeyView, 201);
        using var narrow = _host.ClientOf(reader.Secret!);
        await _host.FailAsync(HttpMethod.Post, "/v1/executions", 403, ApiHost.Json("{}"), narrow);
        await _host.FailAsync(HttpMethod.Post, "/v1/keys", 422, ApiHost.Json("""{"name": "wider", "scopes": ["run"]}"""), narrow);
    }

    [Fact]
    public async Task Key_MadeOrRotatedByAKey_NeverExceedsIt()
    {
        var strong = await MakeAsync(_host.Client, """{"name": "strong", "environment": "test"}""");
        var narrow = await MakeAsync(_host.Client, """{"name": "narrow", "environment": "test", "scopes": ["read", "admin"]}""");
        var capped = await MakeAsync(_host.Client, """{"name": "capped", "environment": "test", "scopes": ["read", "run", "admin"], "spend_cap_credits": 500}""");
        var live = await MakeAsync(_host.Client, """{"name": "live", "environment": "live", "scopes": ["read"]}""");
        using var narrowClient = _host.ClientOf(narrow.Secret!);
        using var cappedClient = _host.ClientOf(capped.Secret!);

        foreach (var (client, path, body) in new[]
        {
            (narrowClient, $"/v1/keys/{strong.Id}/rotate", "{}"), (narrowClient, $"/v1/keys/{live.Id}/rotate", "{}"), (narrowClient, "/v1/keys", """{"name": "a", "scopes": ["read"], "environment": "live"}"""),
            (cappedClient, "/v1/keys", """{"name": "b", "scopes": ["read", "run"]}"""), (cappedClient, "/v1/keys", """{"name": "c", "scopes": ["run"], "spend_cap_credits": 500}"""),
            (cappedClient, $"/v1/keys/{strong.Id}/rotate", "{}"),
        })
        {
            Assert.Equal("forbidden", (await _host.FailAsync(HttpMethod.Post, path, 403, ApiHost.Json(body), client)).Code);
        }

        using var still = _host.ClientOf(strong.Secret!);
        Assert.Equal(strong.Id, (await ApiHost.GetAsync(still, "/v1/me", ContractJson.Default.MeView)).KeyId);
        Assert.Equal("test", (await MakeAsync(narrowClient, """{"name": "d", "scopes": ["read"]}""")).Environment);
        using var itself = await cappedClient.PostAsync($"/v1/keys/{capped.Id}/rotate", ApiHost.Json("{}"));
        Assert.Equal(500, (await ApiHost.ReadAsync(itself, ContractJson.Default.KeyView, 200)).SpendCapCredits);
    }

    [Fact]
    public async Task Role_GivenByAKey_NeverExceedsIt()
    {
        using var admin = await People.SignUpAsync(_host, "owner@example.org");
        var narrow = await MakeAsync(admin.Client, """{"name": "narrow", "scopes": ["read", "admin"]}""");
        var capped = await MakeAsync(admin.Client, """{"name": "capped", "spend_cap_credits": 500}""");
        using var narrowClient = _host.ClientOf(narrow.Secret!);
        using var cappedClient = _host.ClientOf(capped.Secret!);
        foreach (var (client, role) in new[] { (narrowClient, Roles.Admin), (narrowClient, Roles.Operator), (cappedClient, Roles.Viewer) })
        {
            var body = ApiHost.Json($$"""{"email": "friend@example.org", "role": "{{role}}"}""");
            Assert.Equal("forbidden", (await _host.FailAsync(HttpMethod.Post, "/v1/invitations", 403, body, client)).Code);
        }

        using var invited = await narrowClient.PostAsync("/v1/invitations", ApiHost.Json("""{"email": "friend@example.org", "role": "viewer"}"""));
        Assert.Equal(System.Net.HttpStatusCode.Created, invited.StatusCode);
        using var member = await People.JoinAsync(_host, admin, "viewer@example.org", Roles.Viewer);
        var id = (await ApiHost.GetAsync(admin.Client, "/v1/members", ContractJson.Default.MemberPage)).Items.Single(known => known.Email == "viewer@example.org").Id;
        Assert.Equal("forbidden", (await _host.FailAsync(HttpMethod.Put, $"/v1/members/{id}", 403, ApiHost.Json("""{"role": "admin"}"""), narrowClient)).Code);
    }

    private static async Task<KeyView> MakeAsync(HttpClient client, string body)
    {
        using var made = await client.PostAsync("/v1/keys", ApiHost.Json(body));
        return await ApiHost.ReadAsync(made, ContractJson.Default.KeyView, 201);
    }
}
