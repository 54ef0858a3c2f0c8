using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Omium.Api.Tests.OpenApi;
using Omium.Contracts;
using Omium.Contracts.Executions;

namespace Omium.Api.Tests.Access;

/// <summary>
/// The wall between tenants: every operation of the OpenAPI document that names something, asked by an administrator of another tenant about what is
/// there and about what never was. Both answers are 404 and the same; nothing has changed afterwards; no listing shows anything.
/// </summary>
public sealed partial class IsolationTests : IAsyncLifetime
{
    /// <summary>Operations that name what the caller makes: nothing of another tenant is asked for.</summary>
    private static readonly string[] MakeTheirOwn = ["PUT /v1/secrets/{name}"];

    /// <summary>Bodies that are accepted where the thing is the caller's own, so that nothing but the wall stands in the way.</summary>
    private static readonly Dictionary<string, string> Bodies = new()
    {
        ["POST /v1/executions/{id}/rollback"] = """{"to": "score"}""",
        ["POST /v1/executions/{id}/fork"] = """{"at": 1}""",
        ["POST /v1/executions/{id}/migrate"] = """{"version": 1}""",
        ["POST /v1/executions/{id}/trace"] = """{"owner": "x", "operations": []}""",
        ["POST /v1/reviews/{id}/approval-tokens"] = """{"digest": "x"}""",
        ["POST /v1/reviews/{id}/decide"] = """{"decision": "skip", "digest": "x"}""",
        ["POST /v1/reviews/{id}/proposals"] = """{"edits": {"prompt": "x"}, "digest": "x"}""",
        ["POST /v1/reviews/{id}/test"] = """{"edits": {"prompt": "x"}}""",
        ["POST /v1/residue/{id}/resolve"] = """{"note": "x"}""",
        ["POST /v1/tasks/{id}/complete"] = """{"output": {}}""",
        ["POST /v1/tasks/{id}/fail"] = """{"message": "x"}""",
        ["PUT /v1/members/{id}"] = """{"role": "viewer"}""",
    };

    private ApiHost _host = null!;
    private ExecutionView _paused = null!;
    private Dictionary<string, string> _theirs = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await ApiHost.StartAsync(options => options.SignUpBeat = TimeSpan.FromMilliseconds(1));
        _paused = await _host.RunCompanyXAsync();
        var key = await _host.PostAsync("/v1/keys", """{"name": "theirs"}""", ContractJson.Default.KeyView, 201);
        using var invited = await _host.Client.PostAsync("/v1/invitations", People.Body(new { email = "invited@example.org", role = "viewer" }));
        var invitation = await ApiHost.ReadAsync(invited, ContractJson.Default.InvitationView, 201);
        using var accepted = await _host.Client.PostAsync("/v1/invitations", People.Body(new { email = "member@example.org", role = "viewer" }));
        using var anybody = _host.Anonymous();
        using var joined = await anybody.PostAsync(
            "/v1/auth/accept", People.Body(new { token = (await ApiHost.ReadAsync(accepted, ContractJson.Default.InvitationView, 201)).Token, password = Person.Password }));
        var member = await ApiHost.ReadAsync(joined, ContractJson.Default.SignedInView, 200);
        using var secret = await _host.Client.PutAsync("/v1/secrets/crm_token", People.Body(new { value = "canary-7d1f0c" }));
        Assert.Equal(200, (int)secret.StatusCode);
        using var alias = await _host.Client.PostAsync("/v1/scope-aliases", ApiHost.Json("""{"alias": "email:jane@example.com", "scope": "customer/c-42"}"""));
        Assert.True(alias.IsSuccessStatusCode);
        _theirs = new()
        {
            ["executions"] = _paused.Id, ["failures"] = _paused.FailureId!, ["reviews"] = Assert.Single(_paused.OpenReviews), ["keys"] = key.Id, ["members"] = member.User,
            ["invitations"] = invitation.Id, ["secrets"] = "crm_token", ["workflows"] = "customer-onboarding", ["tasks"] = $"{_paused.Id}.terms~1~1~c1.1", ["residue"] = $"{_paused.Id}.send_offer~1~1~c1",
        };
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task EveryOperation_OnAnotherTenantsThing_AnswersAsIfItNeverWas()
    {
        using var stranger = await StrangerAsync();
        var before = await _host.Client.GetStringAsync($"/v1/executions/{_paused.Id}");
        var asked = 0;
        foreach (var (method, pattern, _) in await OperationsAsync())
        {
            if (!pattern.Contains('{', StringComparison.Ordinal) || pattern.StartsWith("/v1/auth/oidc/", StringComparison.Ordinal) || MakeTheirOwn.Contains($"{method} {pattern}"))
            {
                continue;
            }

            var kind = pattern.Split('/')[2];
            Assert.True(_theirs.ContainsKey(kind) || kind is "policies", $"{method} {pattern}: this test does not know a thing of this kind; name one");
            var theirs = _theirs.GetValueOrDefault(kind, "1");
            var (hidden, hiddenText) = await AskAsync(stranger, method, pattern, theirs);
            var never = Never(theirs);
            var (absent, absentText) = await AskAsync(stranger, method, pattern, never);
            Assert.True(hidden == 404, $"{method} {pattern} of another tenant was answered {hidden}: {hiddenText}");
            Assert.True((absent, absentText.Replace(Shorten(never), "*", StringComparison.Ordinal)) == (hidden, hiddenText.Replace(Shorten(theirs), "*", StringComparison.Ordinal)), $"{method} {pattern} tells them apart:\n{hiddenText}\n{absentText}");
            asked++;
        }

        Assert.InRange(asked, 35, 1_000);
        Assert.Equal(before, await _host.Client.GetStringAsync($"/v1/executions/{_paused.Id}"));
        Assert.Equal("active", Assert.Single((await _host.GetAsync("/v1/keys", ContractJson.Default.KeyPage)).Items, key => key.Id == _theirs["keys"]).Status);
    }

    [Fact]
    public async Task EveryListing_OfAnotherTenant_ShowsNothing()
    {
        using var stranger = await StrangerAsync();
        var ours = await _host.GetAsync("/v1/me", ContractJson.Default.MeView);
        string[] marks = [.. _theirs.Values.Where(value => value != "customer-onboarding"), ours.KeyId, "customer-onboarding", "jane@example", "Jane Smith", "canary-7d1f0c", "ten_a"];
        foreach (var (method, pattern, _) in await OperationsAsync())
        {
            if (method != "GET" || pattern.Contains('{', StringComparison.Ordinal) || !pattern.StartsWith("/v1/", StringComparison.Ordinal) || pattern.StartsWith("/v1/schemas", StringComparison.Ordinal))
            {
                continue;
            }

            foreach (var query in new[] { "", "?workflow=customer-onboarding", $"?execution={_paused.Id}", "?key=customer/c-42%23name", "?scope=customer/c-42", $"?subject={_paused.Id}", "?tenant=ten_a" })
            {
                using var response = await stranger.GetAsync(pattern + query, HttpCompletionOption.ResponseHeadersRead);
                var text = await response.Content.ReadAsStringAsync();
                foreach (var mark in marks)
                {
                    Assert.False(text.Contains(mark, StringComparison.Ordinal) && !query.Contains(mark, StringComparison.Ordinal), $"GET {pattern}{query} shows {mark}: {text}");
                }
            }
        }
    }

    [Fact]
    public async Task Worker_OfAnotherTenant_GetsNoTask()
    {
        using var stranger = await StrangerAsync();
        using var polled = await stranger.PostAsync("/v1/workers/poll", ApiHost.Json("""{"queues": ["kyc", "score", "terms", "offer"], "wait_ms": 0}"""));
        Assert.Equal(204, (int)polled.StatusCode);
    }

    /// <summary>An administrator of a tenant of their own: nothing but the wall keeps them from anything.</summary>
    private async Task<HttpClient> StrangerAsync() => new()
    {
        // Asks what the document does not have, too.
        BaseAddress = _host.Address, DefaultRequestHeaders = { Authorization = new("Bearer", (await _host.Keys.CreateAsync("ten_b", "other", "local")).Secret) },
    };

    private async Task<IReadOnlyList<(string Method, string Pattern, JsonObject Operation)>> OperationsAsync() =>
        [.. new Document(JsonNode.Parse(await _host.Client.GetStringAsync("/openapi/v1.json"))!.AsObject()).Operations.Select(operation => (operation.Method, operation.Pattern, (JsonObject)operation.Operation))];

    private static async Task<(int Status, string Text)> AskAsync(HttpClient client, string method, string pattern, string id)
    {
        var path = Parameter().Replace(pattern, match => match.Value switch
        {
            "{version}" => "1",
            "{step}" or "{sid}" => "terms",
            "{digest}" => new string('a', 64),
            _ => id,
        });
        using var request = new HttpRequestMessage(new HttpMethod(method), path)
        {
            Content = method is "GET" or "DELETE" ? null : ApiHost.Json(Bodies.GetValueOrDefault($"{method} {pattern}") ?? (IsTraced(pattern) ? """{"owner": "x"}""" : "{}")),
        };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private static bool IsTraced(string pattern) =>
        pattern.StartsWith("/v1/executions/{id}/", StringComparison.Ordinal) && pattern.Split('/')[4] is "steps" or "intents" or "handoffs" or "heartbeat" or "complete";

    /// <summary>An id of the same form that nothing has.</summary>
    private static string Never(string id) => id switch
    {
        "customer-onboarding" => "customer-offboarding",
        "crm_token" => "crm_taken",
        "1" => "1",
        _ => id[..6] + string.Concat(id[6..20].Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter == '0' ? '1' : '0' : letter)) + id[20..],
    };

    private static string Shorten(string text) => text.Length <= 80 ? text : text[..80];

    [GeneratedRegex("{[a-z]+}")]
    private static partial Regex Parameter();
}
