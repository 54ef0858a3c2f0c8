using Omium.Contracts;

namespace Omium.Api.Tests.Workflows;

public sealed class ImportTests : IAsyncLifetime
{
    private const string Exported = """
        {"name": "crew", "agents": {"writer": {"role": "writer", "prompt": "Write."}}, "steps": [{"id": "draft", "type": "agent_task", "agent": "writer"}]}
        """;

    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Import_OfAnExport_IsSavedWithWhereItComesFrom()
    {
        var imported = await _host.PostAsync("/v1/workflows/import", $$"""{"source_framework": "crewai", "spec": {{Exported}}}""", ContractJson.Default.ImportView, 201);
        Assert.True(imported.Valid);
        Assert.Equal("crewai", imported.Workflow!.Spec.GetProperty("source_framework").GetString());
        var again = await _host.PostAsync("/v1/workflows/import", $$"""{"source_framework": "crewai", "spec": {{Exported}}, "name": "crew"}""", ContractJson.Default.ImportView);
        Assert.Equal(1, again.Workflow!.Version);
        var renamed = await _host.PostAsync("/v1/workflows/import", $$"""{"source_framework": "crewai", "spec": {{Exported}}, "name": "other"}""", ContractJson.Default.ImportView, 201);
        Assert.Equal("other", renamed.Workflow!.Name);
    }

    [Fact]
    public async Task Import_OnTrial_SavesNothingAndTellsFindings()
    {
        var trial = await _host.PostAsync(
            "/v1/workflows/import", """{"source_framework": "langgraph", "trial": true, "spec": {"name": "broken", "steps": []}}""", ContractJson.Default.ImportView);
        Assert.False(trial.Valid);
        Assert.Contains(trial.Problems, problem => problem.Code == "no_steps");
        Assert.Null(trial.Workflow);
        Assert.Empty((await _host.GetAsync("/v1/workflows", ContractJson.Default.WorkflowPage)).Items);
    }

    [Theory]
    [InlineData("""{"source_framework": "crewai", "spec": {"name": "broken", "steps": []}}""", "/spec/steps")]
    [InlineData("""{"source_framework": "excel", "spec": {}}""", "/source_framework")]
    [InlineData("""{"source_framework": "crewai", "spec": [1]}""", "/spec")]
    public async Task Import_OfWhatIsWrong_Is422(string body, string pointer) =>
        Assert.Equal(pointer, (await _host.FailAsync(HttpMethod.Post, "/v1/workflows/import", 422, ApiHost.Json(body))).Errors![0].Pointer);
}
