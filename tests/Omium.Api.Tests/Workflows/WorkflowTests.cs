using Omium.Contracts;

namespace Omium.Api.Tests.Workflows;

public sealed class WorkflowTests : IAsyncLifetime
{
    private const string Plain = """{"omium": "v0", "name": "plain", "version": 99, "steps": [{"id": "one", "type": "decision", "input": {"a": 1}}]}""";
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Save_TheSameSpecAgain_IsTheSameVersionAndAChangeIsTheNext()
    {
        var first = await SaveAsync(Plain, 201);
        var again = await SaveAsync(Plain.Replace("99", "7", StringComparison.Ordinal), 200);
        var changed = await SaveAsync(Plain.Replace("\"a\": 1", "\"a\": 2", StringComparison.Ordinal), 201);

        Assert.Equal((1, 1, 2), (first.Version, again.Version, changed.Version));
        Assert.Equal(first.Digest, again.Digest);
        Assert.Equal(2, changed.Spec.GetProperty("version").GetInt32());
        Assert.Equal(1, (await _host.GetAsync("/v1/workflows/plain/versions/1", ContractJson.Default.WorkflowView)).Spec.GetProperty("version").GetInt32());
        Assert.Equal(2, (await _host.GetAsync("/v1/workflows/plain", ContractJson.Default.WorkflowView)).Version);
        Assert.Equal([1, 2], (await _host.GetAsync("/v1/workflows/plain/versions", ContractJson.Default.WorkflowPage)).Items.Select(item => item.Version));
        Assert.Equal(2, Assert.Single((await _host.GetAsync("/v1/workflows", ContractJson.Default.WorkflowPage)).Items).Version);
    }

    [Fact]
    public async Task Save_ManyAtOnce_GivesEachItsOwnVersion()
    {
        var saved = await Task.WhenAll(Enumerable.Range(1, 8).Select(number => SaveAsync(Plain.Replace("\"a\": 1", $"\"a\": {number}", StringComparison.Ordinal), 201)));
        Assert.Equal(Enumerable.Range(1, 8), saved.Select(view => view.Version).Order());
    }

    [Fact]
    public async Task Save_ASpecWithErrors_ListsThemAll()
    {
        var broken = """{"omium": "v0", "name": "Broken Name", "steps": [{"id": "one", "type": "tool_call", "tool": "none", "needs": ["two"]}]}""";
        var problem = await _host.FailAsync(HttpMethod.Post, "/v1/workflows", 422, ApiHost.Json($$"""{"spec": {{broken}} }"""));
        Assert.Equal("validation_failed", problem.Code);
        Assert.Contains(problem.Errors!, error => error.Pointer == "/name");
        Assert.Contains(problem.Errors!, error => error.Pointer == "/steps/0/tool");
        Assert.Contains(problem.Errors!, error => error.Pointer.StartsWith("/steps/0/needs", StringComparison.Ordinal));
        Assert.All(problem.Errors!, error => Assert.NotEmpty(error.Mend));

        var checkedOnly = await _host.PostAsync("/v1/workflows/validate", $$"""{"spec": {{broken}} }""", ContractJson.Default.ValidateView);
        Assert.False(checkedOnly.Valid);
        await _host.FailAsync(HttpMethod.Get, "/v1/workflows/broken-name", 404);
    }

    [Fact]
    public async Task Suggest_ASpec_ProposesPatches_AndAcceptedOnesMakeItValid()
    {
        const string Unsafe = """{"omium": "v0", "name": "unsafe", "tools": {"wire": {"type": "function", "effect": {"kind": "irreversible"}}}, "steps": [{"id": "send", "type": "tool_call", "tool": "wire"}]}""";
        var view = await _host.PostAsync("/v1/workflows/suggest", $$"""{"spec": {{Unsafe}} }""", ContractJson.Default.SuggestView);
        Assert.False(view.Valid);
        Assert.Null(view.Spec);
        var approval = view.Suggestions.Single(suggestion => suggestion.Kind == "approval");
        Assert.Equal(("/steps/0", "test"), (approval.Pointer, approval.Patch[0].Op));

        var accepted = await _host.PostAsync($"/v1/workflows/suggest?accept={approval.Id}", $$"""{"spec": {{Unsafe}} }""", ContractJson.Default.SuggestView);
        Assert.True(accepted.Valid);
        await SaveAsync(accepted.Spec!.Value.GetRawText(), 201);
        var all = await _host.PostAsync("/v1/workflows/suggest?accept=all", $$"""{"spec": {{Unsafe}} }""", ContractJson.Default.SuggestView);
        Assert.True(all.Spec!.Value.TryGetProperty("recovery", out _));
        await _host.FailAsync(HttpMethod.Post, "/v1/workflows/suggest?accept=nothing", 422, ApiHost.Json($$"""{"spec": {{Unsafe}} }"""));
    }

    [Fact]
    public async Task Save_BrokenYaml_NamesTheLine()
    {
        var problem = await _host.FailAsync(HttpMethod.Post, "/v1/workflows", 400, ApiHost.Yaml("omium: v0\nname: [\n"));
        Assert.Equal("invalid_yaml", problem.Code);
        Assert.Contains("Line ", problem.Detail, StringComparison.Ordinal);
    }

    private Task<Contracts.Workflows.WorkflowView> SaveAsync(string spec, int status) =>
        _host.PostAsync("/v1/workflows", $$"""{"spec": {{spec}} }""", ContractJson.Default.WorkflowView, status);
}
