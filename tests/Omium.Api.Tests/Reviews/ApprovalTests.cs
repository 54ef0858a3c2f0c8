using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Omium.Api.Http;
using Omium.Api.Reviews;
using Omium.Api.Tests.Access;
using Omium.Contracts;
using Omium.Contracts.Reviews;

namespace Omium.Api.Tests.Reviews;

/// <summary>Decisions by token, over HTTP and as events: issued to one person, for one digest, used once, judged when they are used.</summary>
public sealed class ApprovalTests : IAsyncLifetime
{
    private const string Spec = """
        {"spec": {"omium": "v0", "name": "ask", "steps": [{"id": "ask", "type": "human_approval"}]}}
        """;

    private ApiHost _host = null!;
    private HttpClient _anybody = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await ApiHost.StartAsync();
        _anybody = _host.Anonymous();
        await _host.PostAsync("/v1/workflows", Spec, ContractJson.Default.WorkflowView, 201);
    }

    public async ValueTask DisposeAsync()
    {
        _anybody.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task Token_UsedByAnybody_DecidesOnceInTheNameOfWhomItWasIssuedTo()
    {
        var review = await AskAsync();
        var approve = await IssueAsync(review, "approve");
        var reject = await IssueAsync(review, "reject");

        var decided = await ApiHost.ReadAsync(await UseAsync(approve), ContractJson.Default.ReviewView, 200);
        var me = (await _host.GetAsync("/v1/me", ContractJson.Default.MeView)).KeyId;
        Assert.Equal(("decided", "approve", me), (decided.Status, decided.Decided!.Decision, decided.Decided.By));

        // Sent again it is the same decision; its opposite comes too late, whoever holds it.
        Assert.Equal(HttpStatusCode.OK, (await UseAsync(approve)).StatusCode);
        await RefusedAsync(await UseAsync(reject), 409, "review_closed");
        var events = await Streams.UntilEndedAsync(_host, review.Execution);
        Assert.Single(events.SelectMany(record => record.Events), happened => happened.GetProperty("type").GetString() == "review.decided");
        var rows = (await _host.GetAsync($"/v1/audit?subject={review.Id}", ContractJson.Default.AuditPage)).Items;
        Assert.Equal(2, rows.Count(row => row.Action == "review.token_issued" && row.Actor == me));
    }

    [Fact]
    public async Task Token_OfAnotherReviewChangedOrPastItsTime_IsRefusedAndDecidesNothing()
    {
        var (review, other) = (await AskAsync(), await AskAsync());
        var issued = await IssueAsync(review, "approve");
        var tokens = _host.Services.GetRequiredService<ApprovalTokens>();
        var grant = (await tokens.ReadAsync(issued.ApprovalToken, TestContext.Current.CancellationToken))!;
        var past = await tokens.IssueAsync(grant with { ExpiresMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() - 1 }, TestContext.Current.CancellationToken);
        var stale = await tokens.IssueAsync(grant with { Digest = other.Digest }, TestContext.Current.CancellationToken);
        var forged = issued.ApprovalToken[..^2] + (issued.ApprovalToken[^2] == 'A' ? "B" : "A") + issued.ApprovalToken[^1];
        string[] wrong = ["", "oma_", "oma_.", "oma_e30.e30", $"oma_{new string('A', 3_000)}.A", forged, issued.ApprovalToken[1..], past];

        foreach (var token in wrong)
        {
            await RefusedAsync(await UseAsync(issued with { ApprovalToken = token }), 403, "approval_token_invalid");
        }

        await RefusedAsync(await UseAsync(issued with { ReviewId = other.Id }), 403, "approval_token_invalid");
        await RefusedAsync(await UseAsync(issued with { ApprovalToken = stale }), 409, "review_digest_mismatch");
        Assert.Equal("open", (await _host.GetAsync($"/v1/reviews/{review.Id}", ContractJson.Default.ReviewView)).Status);
    }

    [Fact]
    public async Task Token_OfAKeyThatWasRevoked_IsRefused()
    {
        var review = await AskAsync();
        var key = await _host.Keys.CreateAsync("ten_a", "leaver", "local", TestContext.Current.CancellationToken);
        using var leaver = _host.ClientOf(key.Secret!);
        var issued = await IssueAsync(review, "approve", leaver);
        using var revoked = await _host.Client.DeleteAsync($"/v1/keys/{key.Id}", TestContext.Current.CancellationToken);
        Assert.True(revoked.IsSuccessStatusCode);

        await RefusedAsync(await UseAsync(issued), 403, "forbidden");
        Assert.Equal("open", (await _host.GetAsync($"/v1/reviews/{review.Id}", ContractJson.Default.ReviewView)).Status);
    }

    [Fact]
    public async Task Token_OfASecretThatWasChangedSince_IsRefusedAndOneOfTheNewSecretIsTaken()
    {
        var review = await AskAsync();
        var key = await _host.Keys.CreateAsync("ten_a", "leaked", "local", TestContext.Current.CancellationToken);
        using var thief = _host.ClientOf(key.Secret!);
        var stolen = await IssueAsync(review, "approve", thief);
        var rotated = await _host.PostAsync($"/v1/keys/{key.Id}/rotate", "{}", ContractJson.Default.KeyView);

        await RefusedAsync(await UseAsync(stolen), 403, "approval_token_invalid");
        Assert.Equal("open", (await _host.GetAsync($"/v1/reviews/{review.Id}", ContractJson.Default.ReviewView)).Status);
        using var owner = _host.ClientOf(rotated.Secret!);
        Assert.Equal(HttpStatusCode.OK, (await UseAsync(await IssueAsync(review, "reject", owner))).StatusCode);
    }

    [Fact]
    public async Task Token_OfAPersonWhosePasswordWasChangedSince_IsRefused()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        using var saved = await ada.Client.PostAsync("/v1/workflows", Json(Spec), TestContext.Current.CancellationToken);
        using var started = await ada.Client.PostAsync("/v1/executions", Json("""{"workflow": "ask", "input": {}}"""), TestContext.Current.CancellationToken);
        var review = (await ApiHost.GetAsync(ada.Client, "/v1/reviews?status=open", ContractJson.Default.ReviewPage)).Items[0];
        var issued = await IssueAsync(review, "approve", ada.Client);
        using var changed = await ada.Client.PostAsync("/v1/auth/password", People.Body(new { current_password = Person.Password, new_password = "tr0ub4dor and three" }), TestContext.Current.CancellationToken);
        Assert.True(changed.IsSuccessStatusCode);

        await RefusedAsync(await UseAsync(issued), 403, "approval_token_invalid");
    }

    [Fact]
    public async Task Token_GuessedTooOftenFromOneAddress_IsRefusedThereForAWhile()
    {
        await using var host = await ApiHost.StartAsync(options => (options.ApprovalAttemptsMax, options.ClientAddressHeader) = (3, "X-Client"));
        await host.PostAsync("/v1/workflows", Spec, ContractJson.Default.WorkflowView, 201);
        await host.PostAsync("/v1/executions", """{"workflow": "ask", "input": {}}""", ContractJson.Default.ExecutionView, 201);
        var review = (await host.GetAsync("/v1/reviews?status=open", ContractJson.Default.ReviewPage)).Items[0];
        var issued = await IssueAsync(review, "approve", host.Client);
        using var guesser = host.Anonymous();
        guesser.DefaultRequestHeaders.Add("X-Client", "192.0.2.1");
        using var other = host.Anonymous();
        other.DefaultRequestHeaders.Add("X-Client", "192.0.2.2");

        // Good ones are not counted: each of them decides the same again.
        for (var times = 0; times < 4; times++)
        {
            Assert.Equal(HttpStatusCode.OK, (await UseAsync(issued, guesser)).StatusCode);
        }

        var guessed = issued with { ApprovalToken = "oma_e30.e30" };
        for (var times = 0; times < 3; times++)
        {
            await RefusedAsync(await UseAsync(guessed, guesser), 403, "approval_token_invalid");
        }

        foreach (var token in new[] { guessed, issued })
        {
            using var refused = await UseAsync(token, guesser);
            Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(15));
            await RefusedAsync(refused, 429, "rate_limited");
        }

        Assert.Equal(HttpStatusCode.OK, (await UseAsync(issued, other)).StatusCode);
    }

    [Fact]
    public void Throttle_CountsWhatIsUnderWayAndForgetsWithTheWindow()
    {
        var time = new PlayedTime();
        var throttle = new ApprovalThrottle(Options.Create(new OmiumApiOptions { ApprovalAttemptsMax = 2 }), time);
        Assert.Null(throttle.Begin("a"));
        Assert.Null(throttle.Begin("a"));
        Assert.Equal(TimeSpan.FromSeconds(1), throttle.Begin("a")); // Both may still turn out to be good.
        throttle.End("a", isGood: true);
        throttle.End("a", isGood: false);
        Assert.Null(throttle.Begin("a"));
        throttle.End("a", isGood: false);
        Assert.Equal(TimeSpan.FromMinutes(15), throttle.Begin("a"));
        Assert.Null(throttle.Begin("b"));
        Assert.Null(throttle.Begin(null)); // An event of a host comes from no address.
        time.Now += TimeSpan.FromMinutes(15);
        Assert.Null(throttle.Begin("a"));
    }

    private sealed class PlayedTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;
    }

    [Theory]
    [InlineData("""{"digest": "0000"}""", 409, "review_digest_mismatch")]
    [InlineData("""{"digest": "DIGEST", "decision": "override"}""", 422, "validation_failed")]
    [InlineData("""{"digest": "DIGEST", "expires_in_s": 59}""", 422, "validation_failed")]
    public async Task Issue_NotForWhatIsShown_IsRefused(string body, int status, string code)
    {
        var review = await AskAsync();
        using var content = Json(body.Replace("DIGEST", review.Digest, StringComparison.Ordinal));
        Assert.Equal(code, (await _host.FailAsync(HttpMethod.Post, $"/v1/reviews/{review.Id}/approval-tokens", status, content)).Code);
    }

    [Fact]
    public async Task Issue_ReviewThatWasDecided_IsRefused()
    {
        var review = await AskAsync();
        await UseAsync(await IssueAsync(review, "reject"));
        using var content = Json($$"""{"digest": "{{review.Digest}}"}""");
        Assert.Equal("review_closed", (await _host.FailAsync(HttpMethod.Post, $"/v1/reviews/{review.Id}/approval-tokens", 409, content)).Code);
    }

    [Fact]
    public async Task Event_DeliveredManyTimesAndOutOfOrder_IsOneDecision()
    {
        var events = new ApprovalEvents(new ApiDispatcher(_host.Services), NullLogger<ApprovalEvents>.Instance);
        var review = await AskAsync();
        var approve = EventOf(await IssueAsync(review, "approve"));
        var reject = EventOf(await IssueAsync(review, "reject"));

        Assert.True(await events.DeliverAsync(approve, TestContext.Current.CancellationToken));
        var again = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => events.DeliverAsync(approve)));
        Assert.All(again, Assert.True);
        Assert.False(await events.DeliverAsync(reject, TestContext.Current.CancellationToken));
        var records = await Streams.UntilEndedAsync(_host, review.Execution);
        Assert.Single(records.SelectMany(record => record.Events), happened => happened.GetProperty("type").GetString() == "review.decided");
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"approve\"")]
    [InlineData("""{"review_id": "rev_x"}""")]
    [InlineData("""{"review_id": "rev_x", "approval_token": "oma_x.y", "by": "me"}""")]
    public async Task Event_ThatIsNoApproval_IsRefusedForGood(string data)
    {
        var events = new ApprovalEvents(new ApiDispatcher(_host.Services), NullLogger<ApprovalEvents>.Instance);
        using var parsed = JsonDocument.Parse(data);
        Assert.False(await events.DeliverAsync(parsed.RootElement, TestContext.Current.CancellationToken));
    }

    /// <summary>A person would be told to try again; an event has nobody to tell.</summary>
    [Theory]
    [InlineData(403, "approval_token_invalid", true)]
    [InlineData(404, "review_not_found", true)]
    [InlineData(409, "review_closed", true)]
    [InlineData(422, "validation_failed", true)]
    [InlineData(409, "rollback_in_progress", false)]
    [InlineData(429, "rate_limited", false)]
    [InlineData(500, "internal_error", false)]
    [InlineData(503, "storage_failed", false)]
    [InlineData(507, "storage_full", false)]
    public void Event_AnsweredSo_IsDeliveredAgainUnlessThatIsForGood(int status, string code, bool isForGood) =>
        Assert.Equal(isForGood, ApprovalEvents.IsRefusedForGood(status, code));

    private async Task<ReviewView> AskAsync()
    {
        await _host.PostAsync("/v1/executions", """{"workflow": "ask", "input": {}}""", ContractJson.Default.ExecutionView, 201);
        return (await _host.GetAsync("/v1/reviews?status=open", ContractJson.Default.ReviewPage)).Items[0];
    }

    private async Task<ApprovalTokenView> IssueAsync(ReviewView review, string decision, HttpClient? client = null)
    {
        using var body = Json($$"""{"digest": "{{review.Digest}}", "decision": "{{decision}}"}""");
        using var response = await (client ?? _host.Client).PostAsync($"/v1/reviews/{review.Id}/approval-tokens", body, TestContext.Current.CancellationToken);
        return await ApiHost.ReadAsync(response, ContractJson.Default.ApprovalTokenView, 201);
    }

    private async Task<HttpResponseMessage> UseAsync(ApprovalTokenView token, HttpClient? client = null)
    {
        using var body = Json(EventOf(token).GetRawText());
        return await (client ?? _anybody).PostAsync("/v1/approvals", body, TestContext.Current.CancellationToken);
    }

    private static JsonElement EventOf(ApprovalTokenView token) =>
        JsonSerializer.SerializeToElement(new ApproveRequest(token.ReviewId, token.ApprovalToken), ContractJson.Default.ApproveRequest);

    private static async Task RefusedAsync(HttpResponseMessage response, int status, string code) =>
        Assert.Equal(code, (await ApiHost.ReadAsync(response, ContractJson.Default.Problem, status)).Code);

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
