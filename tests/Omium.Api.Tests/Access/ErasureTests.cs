using Microsoft.Extensions.DependencyInjection;
using Omium.Api.Executions;
using Omium.Api.Tenants;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Runtime.Audit;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Tests.Access;

public sealed class ErasureTests : IAsyncLifetime
{
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync(options => options.SignUpBeat = TimeSpan.FromMilliseconds(1));

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Person_WhoIsErased_IsReadNowhereAndTheTrailStillVerifies()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        using var bob = await InvitedAsync(ada, "bob.secret@example.org");
        Assert.Contains("bob.secret@example.org", await ada.Client.GetStringAsync("/v1/audit"), StringComparison.Ordinal);

        using var erased = await ada.Client.PostAsync($"/v1/members/{bob.Session.User}/erase", null);
        await ApiHost.ReadAsync(erased, ContractJson.Default.ErasureView, 200);

        foreach (var path in new[] { "/v1/audit", "/v1/audit/export", "/v1/members", "/v1/invitations" })
        {
            Assert.DoesNotContain("bob.secret", await ada.Client.GetStringAsync(path), StringComparison.Ordinal);
        }

        var checker = new AuditChecker();
        Assert.All((await ada.Client.GetStringAsync("/v1/audit/export")).Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Null(checker.Check(line)));
        Assert.InRange(checker.Erased, 2, 100);
        Assert.Equal("intact", (await ApiHost.GetAsync(ada.Client, "/v1/audit/verify", ContractJson.Default.AuditVerifyView)).Status);
        Assert.Single((await ApiHost.GetAsync(ada.Client, $"/v1/audit?action=person.erased&subject={bob.Session.User}", ContractJson.Default.AuditPage)).Items);

        await _host.FailAsync(HttpMethod.Get, "/v1/me", 401, client: bob.Client);
        using var client = _host.Anonymous();
        await _host.FailAsync(HttpMethod.Post, "/v1/auth/login", 401, People.Body(new { email = bob.Email, password = Person.Password }), client);
        using var again = await People.SignUpAsync(_host, bob.Email);
        Assert.NotEqual(bob.Session.User, again.Session.User);
    }

    [Fact]
    public async Task Execution_ThatIsErased_IsGoneAndItsChainStillVerifies()
    {
        var paused = await _host.RunCompanyXAsync();
        Assert.Equal("execution_not_ended", (await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{paused.Id}/erase", 409)).Code);
        await _host.PostAsync($"/v1/executions/{paused.Id}/cancel", "{}", ContractJson.Default.ExecutionView);
        await Streams.UntilEndedAsync(_host, paused.Id);

        await SetAsync("""{"legal_hold": true, "reason": "case 7"}""");
        Assert.Equal("legal_hold", (await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{paused.Id}/erase", 409)).Code);
        await SetAsync("""{"legal_hold": false}""");
        await _host.PostAsync($"/v1/executions/{paused.Id}/erase", "{}", ContractJson.Default.ErasureView);

        await _host.FailAsync(HttpMethod.Get, $"/v1/executions/{paused.Id}", 404);
        Assert.Equal("erased", (await VerifyAsync(paused)).Verdict);
        Assert.Equal(
            ["execution.erased", "execution.cancelled", "execution.rolled_back"],
            (await _host.GetAsync($"/v1/audit?subject={paused.Id}", ContractJson.Default.AuditPage)).Items.Select(row => row.Action));
    }

    [Fact]
    public async Task Execution_PastItsTime_IsErasedUnlessHeld()
    {
        var paused = await _host.RunCompanyXAsync();
        await _host.PostAsync($"/v1/executions/{paused.Id}/cancel", "{}", ContractJson.Default.ExecutionView);
        await Streams.UntilEndedAsync(_host, paused.Id);
        var later = ActivatorUtilities.CreateInstance<RetentionService>(_host.Services, new LaterTime(TimeSpan.FromDays(3)));

        await SetAsync("""{"executions_days": 4}""");
        Assert.Equal(0, await later.SweepAsync("ten_a", CancellationToken.None));
        await SetAsync("""{"executions_days": 2, "legal_hold": true}""");
        Assert.Equal(0, await later.SweepAsync("ten_a", CancellationToken.None));
        Assert.Equal("identical", (await VerifyAsync(paused)).Verdict);
        await SetAsync("""{"executions_days": 2}""");
        Assert.Equal(1, await later.SweepAsync("ten_a", CancellationToken.None));
        Assert.Equal(0, await later.SweepAsync("ten_a", CancellationToken.None));
        Assert.Equal("erased", (await VerifyAsync(paused)).Verdict);
    }

    [Fact]
    public async Task Execution_ThatIsErased_IsNotStartedAgainUnderItsKey_AndWhatWasAnsweredOfItIsNotAnsweredAgain()
    {
        await _host.SaveCompanyXAsync();
        var start = $$"""{"start_key": "order-7", {{ApiHost.CompanyXStart[1..]}}""";
        var paused = await _host.PostAsync("/v1/executions", start, ContractJson.Default.ExecutionView, 201);
        await Streams.UntilAsync(_host, paused.Id, "execution.paused");
        using (var cancelled = await SendAsync($"/v1/executions/{paused.Id}/cancel", "once", "{}"))
        {
            Assert.True(cancelled.IsSuccessStatusCode);
        }

        await Streams.UntilEndedAsync(_host, paused.Id);
        using (var replayed = await SendAsync($"/v1/executions/{paused.Id}/cancel", "once", "{}"))
        {
            Assert.True(replayed.Headers.Contains("Omium-Replayed"));
        }

        await _host.PostAsync($"/v1/executions/{paused.Id}/erase", "{}", ContractJson.Default.ErasureView);
        var refused = await _host.FailAsync(HttpMethod.Post, "/v1/executions", 404, ApiHost.Json(start));
        Assert.Equal("execution_not_found", refused.Code);
        Assert.Contains("erased", refused.Detail, StringComparison.Ordinal);
        using var again = await SendAsync($"/v1/executions/{paused.Id}/cancel", "once", "{}");
        Assert.Equal(404, (int)again.StatusCode);
    }

    [Fact]
    public async Task Child_IsNotErasedWhileItsParentIsUnderWay_AndTakenBackAfterwardsItIsResidue()
    {
        await SaveAsync("""{"omium": "v0", "name": "child", "tools": {"pay": {"type": "function", "effect": {"kind": "idempotent", "compensate": "unpay"}}, "unpay": {"type": "function", "effect": {"kind": "idempotent"}}}, "steps": [{"id": "a", "type": "tool_call", "tool": "pay"}]}""");
        await SaveAsync("""{"omium": "v0", "name": "parent", "steps": [{"id": "c", "type": "workflow", "workflow": "child"}, {"id": "q", "type": "human_approval", "needs": ["c"]}]}""");
        var parent = await _host.PostAsync("/v1/executions", """{"workflow": "parent", "input": {}}""", ContractJson.Default.ExecutionView, 201);
        await Streams.UntilAsync(_host, parent.Id, "review.requested");
        var waiting = await _host.GetAsync($"/v1/executions/{parent.Id}", ContractJson.Default.ExecutionView);
        var child = waiting.Steps.Single(step => step.Step == "c").Child!;
        await Streams.UntilEndedAsync(_host, child);
        var refused = await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{child}/erase", 409);
        Assert.Contains(parent.Id, refused.Detail, StringComparison.Ordinal);
        var review = await _host.GetAsync($"/v1/reviews/{waiting.OpenReviews[0]}", ContractJson.Default.ReviewView);
        await _host.PostAsync($"/v1/reviews/{review.Id}/decide", $$"""{"decision": "approve", "digest": "{{review.Digest}}"}""", ContractJson.Default.ReviewView);
        await Streams.UntilEndedAsync(_host, parent.Id);
        await _host.PostAsync($"/v1/executions/{child}/erase", "{}", ContractJson.Default.ErasureView);

        await _host.PostAsync($"/v1/executions/{parent.Id}/rollback", """{"to": "start", "scope": "all"}""", ContractJson.Default.RollbackView);
        await Streams.UntilAsync(_host, parent.Id, "rollback.completed");
        var left = Assert.Single((await _host.GetAsync($"/v1/residue?execution={parent.Id}", ContractJson.Default.ResiduePage)).Items);
        Assert.Contains("erased", left.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Execution_WhoseForkIsUnderWay_IsNotErasedAndNeitherIsTheForkByIt()
    {
        var (root, fork) = await EndedWithForkAsync();
        Assert.Equal("execution_not_ended", (await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{root}/erase", 409)).Code);
        await SetAsync("""{"executions_days": 2}""");
        var later = ActivatorUtilities.CreateInstance<RetentionService>(_host.Services, new LaterTime(TimeSpan.FromDays(3)));
        Assert.Equal(0, await later.SweepAsync("ten_a", CancellationToken.None));
        Assert.Equal("identical", (await _host.GetAsync($"/v1/executions/{fork}/verify", ContractJson.Default.VerifyView)).Verdict);

        await _host.PostAsync($"/v1/executions/{fork}/cancel", "{}", ContractJson.Default.ExecutionView);
        await Streams.UntilEndedAsync(_host, fork);
        Assert.Equal(1, await later.SweepAsync("ten_a", CancellationToken.None));
        Assert.Equal("erased", (await _host.GetAsync($"/v1/executions/{fork}/verify", ContractJson.Default.VerifyView)).Verdict);
    }

    [Fact]
    public async Task Execution_OfWhichAForkIsAboutToBegin_IsNotErased_AndNoneBeginsWhileItIs()
    {
        var (root, fork) = await EndedWithForkAsync();
        await _host.PostAsync($"/v1/executions/{fork}/cancel", "{}", ContractJson.Default.ExecutionView);
        await Streams.UntilEndedAsync(_host, fork);
        var stream = new StreamId("ten_a", root);
        var family = _host.Services.GetRequiredService<ForkFamily>();
        await family.CloseAsync(stream, CancellationToken.None);
        await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{root}/fork", 404, ApiHost.Json("""{"at": 1}"""));

        // The fork that was refused is noted, as one is that has looked and is about to write its first record.
        Assert.Equal("execution_not_ended", (await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{root}/erase", 409)).Code);
        Assert.Equal("identical", (await _host.GetAsync($"/v1/executions/{root}/verify", ContractJson.Default.VerifyView)).Verdict);
        var later = ActivatorUtilities.CreateInstance<ForkFamily>(_host.Services, new LaterTime(TimeSpan.FromMinutes(2)));
        Assert.False(await later.IsOneBeginningAsync(stream, CancellationToken.None));
    }

    [Fact]
    public async Task Execution_ErasedByAnotherProcess_IsForgottenHereWithTheNextLook()
    {
        var (root, fork) = await EndedWithForkAsync();
        await _host.PostAsync($"/v1/executions/{fork}/cancel", "{}", ContractJson.Default.ExecutionView);
        await Streams.UntilEndedAsync(_host, fork);
        var other = new Advancer(_host.Store.Log, _host.Store.Payloads, new PlanCache(_host.Store.Documents), _host.KeyWrap, TimeProvider.System) { IsAlone = false };
        StreamId[] family = [new("ten_a", root), new("ten_a", fork)];
        foreach (var member in family)
        {
            Assert.NotNull(await other.FindAsync(member));
        }

        await _host.PostAsync($"/v1/executions/{root}/erase", "{}", ContractJson.Default.ErasureView);
        foreach (var member in family)
        {
            Assert.Null(await other.FindAsync(member));
            Assert.Empty(await other.ReadAsync(member, 0, 10));
        }
    }

    [Fact]
    public async Task Execution_ThatIsErased_TakesItsForksOutOfMemoryToo()
    {
        var (root, fork) = await EndedWithForkAsync();
        await _host.PostAsync($"/v1/executions/{fork}/cancel", "{}", ContractJson.Default.ExecutionView);
        await Streams.UntilEndedAsync(_host, fork);
        Assert.Contains("Jane Smith", await _host.Client.GetStringAsync($"/v1/executions/{fork}"), StringComparison.Ordinal);
        Assert.Contains("Jane Smith", await _host.Client.GetStringAsync($"/v1/executions/{fork}/state?at=1"), StringComparison.Ordinal);
        await _host.PostAsync($"/v1/executions/{root}/erase", "{}", ContractJson.Default.ErasureView);
        foreach (var path in new[] { "", "/state", "/events", "/timeline", "/graph" })
        {
            await _host.FailAsync(HttpMethod.Get, $"/v1/executions/{fork}{path}", 404);
        }
    }

    [Theory]
    [InlineData("""{"executions_days": 0}""")]
    [InlineData("""{"executions_days": 99999}""")]
    [InlineData("""{"legal_hold": "yes"}""")]
    public async Task Retention_OutOfBounds_IsRefused(string body) => await _host.FailAsync(HttpMethod.Put, "/v1/retention", 422, ApiHost.Json(body));

    /// <summary>An execution that has ended, and a fork of it that waits for a person.</summary>
    private async Task<(string Root, string Fork)> EndedWithForkAsync()
    {
        var paused = await _host.RunCompanyXAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/executions/{paused.Id}/fork") { Content = ApiHost.Json("""{"at": 3}""") };
        request.Headers.Add("Prefer", "wait=20");
        using var response = await _host.Client.SendAsync(request);
        var fork = await ApiHost.ReadAsync(response, ContractJson.Default.ExecutionView, 201);
        Assert.Equal("paused", fork.Status);
        await _host.PostAsync($"/v1/executions/{paused.Id}/cancel", "{}", ContractJson.Default.ExecutionView);
        await Streams.UntilEndedAsync(_host, paused.Id);
        return (paused.Id, fork.Id);
    }

    private Task<VerifyView> VerifyAsync(ExecutionView execution) => _host.GetAsync($"/v1/executions/{execution.Id}/verify", ContractJson.Default.VerifyView);

    private Task<Person> InvitedAsync(Person admin, string email) => People.JoinAsync(_host, admin, email, "operator");

    private async Task SaveAsync(string spec)
    {
        using var saved = await _host.Client.PostAsync("/v1/workflows", ApiHost.Json($$"""{"spec": {{spec}}}"""));
        Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync());
    }

    private Task<HttpResponseMessage> SendAsync(string path, string key, string body) =>
        _host.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = ApiHost.Json(body), Headers = { { "Idempotency-Key", key } } });

    private async Task SetAsync(string body)
    {
        using var set = await _host.Client.PutAsync("/v1/retention", ApiHost.Json(body));
        await ApiHost.ReadAsync(set, ContractJson.Default.RetentionView, 200);
    }

    private sealed class LaterTime(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
