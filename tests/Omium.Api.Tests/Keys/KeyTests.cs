using Omium.Contracts;

namespace Omium.Api.Tests.Keys;

public sealed class KeyTests : IAsyncLifetime
{
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Me_WithAKey_NamesTenantAndEnvironment()
    {
        var me = await _host.GetAsync("/v1/me", ContractJson.Default.MeView);
        Assert.Equal(("ten_a", "local"), (me.Tenant, me.Environment));
    }

    [Theory]
    [InlineData("omk_local_0000000000000000_0000000000000000000000000000000000000000000000000000")]
    [InlineData("omk_local_short_secret")]
    [InlineData("omk_local_éééééééééééééééé_0000000000000000000000000000000000000000000000000000")]
    [InlineData("nothing")]
    public async Task Request_WithoutAValidKey_IsUnauthenticated(string key)
    {
        using var client = new HttpClient { BaseAddress = _host.Address };
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {Uri.EscapeDataString(key)}");
        Assert.Equal("unauthenticated", (await _host.FailAsync(HttpMethod.Get, "/v1/me", 401, client: client)).Code);
    }

    [Fact]
    public async Task Rotate_AKeyInUse_RefusesTheOldSecretAtOnceAndTakesTheNew()
    {
        var created = await _host.PostAsync("/v1/keys", """{"name": "ci", "environment": "test"}""", ContractJson.Default.KeyView, 201);
        using var old = _host.ClientOf(created.Secret!);
        Assert.Equal("test", (await ApiHost.GetAsync(old, "/v1/me", ContractJson.Default.MeView)).Environment);

        var rotated = await _host.PostAsync($"/v1/keys/{created.Id}/rotate", "{}", ContractJson.Default.KeyView);

        await _host.FailAsync(HttpMethod.Get, "/v1/me", 401, client: old);
        using var renewed = _host.ClientOf(rotated.Secret!);
        Assert.Equal(created.Id, (await ApiHost.GetAsync(renewed, "/v1/me", ContractJson.Default.MeView)).KeyId);
    }

    [Fact]
    public async Task Revoke_AKeyInUse_RefusesItAtOnceAndListsItWithoutSecret()
    {
        var created = await _host.PostAsync("/v1/keys", """{"name": "gone"}""", ContractJson.Default.KeyView, 201);
        using var client = _host.ClientOf(created.Secret!);
        await ApiHost.GetAsync(client, "/v1/me", ContractJson.Default.MeView);

        using var revoked = await _host.Client.DeleteAsync($"/v1/keys/{created.Id}");

        Assert.Equal(204, (int)revoked.StatusCode);
        await _host.FailAsync(HttpMethod.Get, "/v1/me", 401, client: client);
        var listed = Assert.Single((await _host.GetAsync("/v1/keys", ContractJson.Default.KeyPage)).Items, key => key.Id == created.Id);
        Assert.Equal(("revoked", null), (listed.Status, listed.Secret));
        await _host.FailAsync(HttpMethod.Post, $"/v1/keys/{created.Id}/rotate", 404);
    }

    [Fact]
    public async Task Revoke_AKeyThatListens_EndsItsStreamWithinAHeartbeat()
    {
        await using var host = await ApiHost.StartAsync(options => options.StreamHeartbeat = TimeSpan.FromMilliseconds(100));
        var paused = await host.RunCompanyXAsync();
        var created = await host.PostAsync("/v1/keys", """{"name": "listener"}""", ContractJson.Default.KeyView, 201);
        using var client = host.ClientOf(created.Secret!);
        await using var stream = await client.GetStreamAsync($"/v1/executions/{paused.Id}/stream");
        using var reader = new StreamReader(stream);
        Assert.Equal(": open", await reader.ReadLineAsync());

        using var revoked = await host.Client.DeleteAsync($"/v1/keys/{created.Id}");

        await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(20));
        await using var kept = await host.Client.GetStreamAsync($"/v1/executions/{paused.Id}/stream");
        using var listener = new StreamReader(kept);
        var comments = 0;
        while (comments < 3)
        {
            comments += await listener.ReadLineAsync() == ": still here" ? 1 : 0;
        }
    }

    [Fact]
    public async Task Everything_OfAnotherTenant_IsNotFound()
    {
        var paused = await _host.RunCompanyXAsync();
        var review = Assert.Single(paused.OpenReviews);
        var key = await _host.PostAsync("/v1/keys", """{"name": "mine"}""", ContractJson.Default.KeyView, 201);
        using var other = _host.ClientOf((await _host.Keys.CreateAsync("ten_b", "other", "local")).Secret!);
        string[] paths =
        [
            $"/v1/executions/{paused.Id}", $"/v1/executions/{paused.Id}/events", $"/v1/executions/{paused.Id}/state", $"/v1/executions/{paused.Id}/timeline",
            $"/v1/executions/{paused.Id}/graph", $"/v1/executions/{paused.Id}/diff", $"/v1/executions/{paused.Id}/verify", $"/v1/executions/{paused.Id}/stream",
            $"/v1/failures/{paused.FailureId}", $"/v1/reviews/{review}", "/v1/workflows/customer-onboarding", "/v1/workflows/customer-onboarding/versions/1",
        ];
        foreach (var path in paths)
        {
            await _host.FailAsync(HttpMethod.Get, path, 404, client: other);
        }

        foreach (var command in new[] { "pause", "resume", "cancel", "retry" })
        {
            await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{paused.Id}/{command}", 404, client: other);
        }

        await _host.FailAsync(HttpMethod.Post, $"/v1/failures/{paused.FailureId}/ignore", 404, client: other);
        await _host.FailAsync(HttpMethod.Post, $"/v1/reviews/{review}/decide", 404, ApiHost.Json("""{"decision": "skip", "digest": "x"}"""), other);
        await _host.FailAsync(HttpMethod.Delete, $"/v1/keys/{key.Id}", 404, client: other);
        Assert.Empty((await ApiHost.GetAsync(other, "/v1/executions", ContractJson.Default.ExecutionPage)).Items);
        Assert.Empty((await ApiHost.GetAsync(other, "/v1/reviews", ContractJson.Default.ReviewPage)).Items);
        Assert.Empty((await ApiHost.GetAsync(other, "/v1/failures", ContractJson.Default.FailurePage)).Items);
    }
}
