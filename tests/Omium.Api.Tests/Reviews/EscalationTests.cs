using Omium.Contracts;

namespace Omium.Api.Tests.Reviews;

/// <summary>What a policy escalates is answered by whom it names, whichever command would answer it.</summary>
public sealed class EscalationTests : IAsyncLifetime
{
    private const string Workflow = """
        {"spec": {"omium": "v0", "name": "escalated",
         "tools": {"plain": {"type": "function"}, "broken": {"type": "function"}},
         "steps": [{"id": "a", "type": "tool_call", "tool": "plain"}, {"id": "b", "type": "tool_call", "tool": "broken", "needs": ["a"]}],
         "recovery": {"rules": [{"do": ["pause", {"escalate_to": "risk_officer"}]}]}}}
        """;

    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Operator_AnswersWhatWasEscalatedToOthers_NeitherByARetryNorByARollback()
    {
        _host.Tools.Refusing.Add("broken");
        using var saved = await _host.Client.PostAsync("/v1/workflows", ApiHost.Json(Workflow));
        Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync());
        using var started = await _host.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/executions")
        {
            Content = ApiHost.Json("""{"workflow": "escalated", "input": {}}"""), Headers = { { "Prefer", "wait=30" } },
        });
        var paused = await ApiHost.ReadAsync(started, ContractJson.Default.ExecutionView, 201);
        Assert.Equal(("paused", 1), (paused.Status, paused.OpenReviews.Count));
        var key = await _host.PostAsync("/v1/keys", """{"name": "operator", "scopes": ["read", "run", "decide"]}""", ContractJson.Default.KeyView, 201);
        using var client = _host.ClientOf(key.Secret!);
        foreach (var (command, body) in new[]
        {
            ("retry", "{}"), ("retry", """{"from": "a"}"""), ("retry", """{"from": "b", "output": {}}"""), ("rollback", """{"to": "a"}"""), ("rollback", """{"to": "start", "scope": "all"}"""),
        })
        {
            var refused = await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{paused.Id}/{command}", 403, ApiHost.Json(body), client);
            Assert.Equal("forbidden", refused.Code);
            Assert.Contains("risk_officer", refused.Detail, StringComparison.Ordinal);
        }

        using var looked = await client.PostAsync($"/v1/executions/{paused.Id}/rollback", ApiHost.Json("""{"to": "a", "preview": true}"""));
        Assert.True(looked.IsSuccessStatusCode);
        Assert.Equal(paused.OpenReviews, (await _host.GetAsync($"/v1/executions/{paused.Id}", ContractJson.Default.ExecutionView)).OpenReviews);
        await _host.PostAsync($"/v1/executions/{paused.Id}/retry", "{}", ContractJson.Default.ExecutionView); // An administrator may answer everything.
    }

    [Fact]
    public async Task RollBack_NarrowedToAStepThatItDoesNotTakeBack_IsRefusedAndNamesIt()
    {
        await _host.SaveCompanyXAsync();
        var paused = await _host.RunCompanyXAsync();
        foreach (var preview in new[] { "true", "false" })
        {
            var refused = await _host.FailAsync(
                HttpMethod.Post, $"/v1/executions/{paused.Id}/rollback", 422, ApiHost.Json($$"""{"to": "kyc", "scope": "all", "steps": ["scroe"], "preview": {{preview}}}"""));
            Assert.Equal(("validation_failed", "/steps"), (refused.Code, refused.Errors![0].Pointer));
            Assert.Contains("scroe", refused.Detail, StringComparison.Ordinal);
        }
    }
}
