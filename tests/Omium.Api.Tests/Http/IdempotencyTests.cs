using System.Net;
using Omium.Contracts;
using Omium.Contracts.Tenants;
using Omium.Runtime.Billing;
using Omium.Runtime.Ports;

namespace Omium.Api.Tests.Http;

/// <summary><c>Idempotency-Key</c> on what creates, seen on keys: each would be another one.</summary>
public sealed class IdempotencyTests : IAsyncLifetime
{
    private const string Body = """{"name": "robot"}""";
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task SameKeySameBody_IsAnsweredAgain_AndMadeOnce()
    {
        using var first = await SendAsync("k1");
        using var again = await SendAsync("k1");

        Assert.Equal(await first.Content.ReadAsStringAsync(), await again.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
        Assert.Equal("true", again.Headers.GetValues("Omium-Replayed").Single());
        Assert.False(first.Headers.Contains("Omium-Replayed"));
        Assert.Equal(2, (await KeysAsync()).Count);
        using var other = await SendAsync("k2");
        Assert.Equal(3, (await KeysAsync()).Count);
    }

    [Fact]
    public async Task SameKey_WithAnotherBodyOrPath_Is422()
    {
        using var first = await SendAsync("k1");
        using var otherBody = await SendAsync("k1", """{"name": "person"}""");
        using var otherPath = await SendAsync("k1", Body, "/v1/keys?x=1");
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "idempotency_mismatch"), await ProblemAsync(otherBody));
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "idempotency_mismatch"), await ProblemAsync(otherPath));
    }

    [Fact]
    public async Task SameKey_OfAnotherTenant_IsAnotherKey()
    {
        using var first = await SendAsync("k1");
        using var other = _host.ClientOf((await _host.Keys.CreateAsync("ten_b", "other", "local")).Secret!);
        using var theirs = await SendAsync("k1", """{"name": "theirs"}""", client: other);
        Assert.Equal(HttpStatusCode.Created, theirs.StatusCode);
        Assert.False(theirs.Headers.Contains("Omium-Replayed"));
    }

    [Fact]
    public async Task SentManyTimesAtOnce_MakesOne_AndTheOthersAreToldOrAnswered()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => SendAsync("k1")));
        Assert.All(answers, answer => Assert.True(answer.StatusCode is HttpStatusCode.Created or HttpStatusCode.Conflict, answer.StatusCode.ToString()));
        Assert.All(answers.Where(answer => answer.StatusCode == HttpStatusCode.Conflict), answer => Assert.NotNull(answer.Headers.RetryAfter));
        Assert.Equal(2, (await KeysAsync()).Count);
    }

    [Fact]
    public async Task ClaimUnderWay_Is409_AndIsTakenOverWhenItsProcessHasDied()
    {
        using var first = await SendAsync("k1");
        var (document, stored) = await StoredAsync();
        await PutAsync(document, stored.Replace("\"claimed_until_ms\":0", $"\"claimed_until_ms\":{DateTimeOffset.UtcNow.AddMinutes(1).ToUnixTimeMilliseconds()}", StringComparison.Ordinal));
        using var second = await SendAsync("k1");
        Assert.Equal((HttpStatusCode.Conflict, "idempotency_in_flight"), await ProblemAsync(second));

        await PutAsync(document, stored);
        using var third = await SendAsync("k1");
        Assert.Equal(HttpStatusCode.Created, third.StatusCode);
        Assert.Equal(3, (await KeysAsync()).Count);
    }

    [Fact]
    public async Task AfterADay_TheKeyMayBeUsedAnew()
    {
        using var first = await SendAsync("k1");
        var (document, stored) = await StoredAsync(keepAnswer: true);
        var created = System.Text.Json.Nodes.JsonNode.Parse(stored)!["created_ms"]!.GetValue<long>();
        await PutAsync(document, stored.Replace($"\"created_ms\":{created}", $"\"created_ms\":{created - (25 * 3_600_000)}", StringComparison.Ordinal));
        using var next = await SendAsync("k1", """{"name": "person"}""");
        Assert.Equal(HttpStatusCode.Created, next.StatusCode);
    }

    [Fact]
    public async Task Refused_Request_LeavesTheKeyFree()
    {
        using var refused = await SendAsync("k1", """{"name": ""}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        using var mended = await SendAsync("k1");
        Assert.Equal(HttpStatusCode.Created, mended.StatusCode);
    }

    [Fact]
    public async Task Secret_OfAnAnswer_IsNotInTheStore()
    {
        using var first = await SendAsync("k1");
        var secret = (await ApiHost.ReadAsync(first, ContractJson.Default.KeyView, 201)).Secret!;
        foreach (var document in await _host.Store.Documents.ListAsync("ten_a", "idempotency", "", null, 10))
        {
            var text = System.Text.Encoding.UTF8.GetString(document.Content);
            Assert.DoesNotContain(secret[^20..], text, StringComparison.Ordinal);
            Assert.DoesNotContain(Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(secret))[..20], text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Key_TooLong_Is422()
    {
        using var answer = await SendAsync(new string('k', 256));
        Assert.Equal("validation_failed", (await ProblemAsync(answer)).Code);
    }

    [Fact]
    public async Task SameKey_OfAnotherCommandToAnExecution_Is422_AndTheFirstHappenedOnce()
    {
        var run = await _host.RunCompanyXAsync();
        var path = $"/v1/executions/{run.Id}";
        using var first = await SendAsync("k1", """{"to": "start", "scope": "all"}""", $"{path}/rollback");
        using var again = await SendAsync("k1", """{"to": "start", "scope": "all"}""", $"{path}/rollback");
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal(await first.Content.ReadAsStringAsync(), await again.Content.ReadAsStringAsync());

        await Streams.UntilAsync(_host, run.Id, "rollback.completed");
        using var otherBody = await SendAsync("k1", """{"to": "start", "scope": "failure"}""", $"{path}/rollback");
        using var otherCommand = await SendAsync("k1", "{}", $"{path}/cancel");
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "idempotency_mismatch"), await ProblemAsync(otherBody));
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "idempotency_mismatch"), await ProblemAsync(otherCommand));
        using var cancelled = await SendAsync("k2", "{}", $"{path}/cancel");
        Assert.Equal("cancelled", (await ApiHost.ReadAsync(cancelled, ContractJson.Default.ExecutionView, 200)).Status);
    }

    [Fact]
    public async Task SameKey_OfADecisionWithOtherEdits_Is422()
    {
        var run = await _host.RunCompanyXAsync();
        var review = (await _host.GetAsync($"/v1/reviews?execution={run.Id}", ContractJson.Default.ReviewPage)).Items.Single();
        string Edit(string prompt) => $$"""{"decision": "edit", "digest": "{{review.Digest}}", "edits": {"prompt": "{{prompt}}"} }""";
        using var first = await SendAsync("k1", Edit("Stay between 2.5 and 8.5."), $"/v1/reviews/{review.Id}/decide");
        using var again = await SendAsync("k1", Edit("Stay between 2.5 and 8.5."), $"/v1/reviews/{review.Id}/decide");
        using var other = await SendAsync("k1", Edit("Say 99."), $"/v1/reviews/{review.Id}/decide");
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal(await first.Content.ReadAsStringAsync(), await again.Content.ReadAsStringAsync());
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "idempotency_mismatch"), await ProblemAsync(other));
    }

    [Fact]
    public async Task Command_WhoseFirstAnswerIsNoLongerKept_IsNotTakenForAnotherOfItsKey()
    {
        var run = await _host.RunCompanyXAsync();
        using var first = await SendAsync("k1", """{"to": "start", "scope": "all"}""", $"/v1/executions/{run.Id}/rollback");
        await Streams.UntilAsync(_host, run.Id, "rollback.completed");
        var (document, _) = await StoredAsync();
        await _host.Store.Documents.DeleteAsync(document.Key, document.ETag);

        using var again = await SendAsync("k1", """{"to": "start", "scope": "all"}""", $"/v1/executions/{run.Id}/rollback");
        using var other = await SendAsync("k2", """{"to": "start", "scope": "all"}""", $"/v1/executions/{run.Id}/rollback");
        var planned = (await _host.GetAsync($"/v1/executions/{run.Id}/events", ContractJson.Default.EventPage)).Items
            .SelectMany(record => record.Events).Count(happened => happened.GetProperty("type").GetString() == "rollback.planned" && happened.GetProperty("cause").GetString() == "person");
        Assert.Equal(2, planned);
    }

    [Fact]
    public async Task ClientThatGoesAwayHalfway_AsksAgainAndItHasHappenedOnce()
    {
        using var going = new CancellationTokenSource();
        var payments = new PaymentsLeftHalfway(going);
        await using var host = await ApiHost.StartAsync(payments: payments);
        var api = new Api.Http.ApiDispatcher(host.Services);
        var headers = new Dictionary<string, string> { ["Authorization"] = host.Client.DefaultRequestHeaders.Authorization!.ToString(), ["Idempotency-Key"] = "k1" };
        await api.SendAsync("POST", "/v1/billing/topups", headers, """{"amount_usd": 20}"""u8.ToArray(), going.Token);
        var (status, _) = await api.SendAsync("POST", "/v1/billing/topups", headers, """{"amount_usd": 20}"""u8.ToArray(), CancellationToken.None);
        Assert.Equal((201, 1), (status, payments.Pages));
    }

    /// <summary>Makes a page, and meanwhile the client's connection breaks.</summary>
    private sealed class PaymentsLeftHalfway(CancellationTokenSource client) : IPaymentGateway
    {
        public int Pages { get; private set; }

        public string Name => "played";

        public string? Note => null;

        public IReadOnlyList<string> WebhookSecrets => [];

        public async Task<CheckoutPage> CreateAsync(CheckoutRequest request, CancellationToken cancellation)
        {
            Pages++;
            await client.CancelAsync();
            return new CheckoutPage("cs_1", "https://pay.test/cs_1");
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string key, string body = Body, string path = "/v1/keys", HttpClient? client = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = ApiHost.Json(body) };
        request.Headers.Add("Idempotency-Key", key);
        return await (client ?? _host.Client).SendAsync(request);
    }

    private static async Task<(HttpStatusCode Status, string Code)> ProblemAsync(HttpResponseMessage answer) =>
        (answer.StatusCode, (await ApiHost.ReadAsync(answer, ContractJson.Default.Problem, (int)answer.StatusCode)).Code);

    private async Task<IReadOnlyList<KeyView>> KeysAsync() => (await _host.GetAsync("/v1/keys", ContractJson.Default.KeyPage)).Items;

    /// <summary>The stored request, as it was before it was answered: what a process that died leaves.</summary>
    private async Task<(StoredDocument Document, string Content)> StoredAsync(bool keepAnswer = false)
    {
        var document = (await _host.Store.Documents.ListAsync("ten_a", "idempotency", "", null, 10)).Single();
        var node = System.Text.Json.Nodes.JsonNode.Parse(document.Content)!.AsObject();
        if (!keepAnswer)
        {
            node.Remove("answer");
        }

        return (document, node.ToJsonString());
    }

    private async Task PutAsync(StoredDocument document, string content) =>
        Assert.NotNull(await _host.Store.Documents.PutAsync(document.Key, System.Text.Encoding.UTF8.GetBytes(content), null));
}
