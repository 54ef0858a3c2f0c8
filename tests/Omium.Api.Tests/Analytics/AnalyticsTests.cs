using Omium.Contracts;

namespace Omium.Api.Tests.Analytics;

public sealed class AnalyticsTests : IAsyncLifetime
{
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Analytics_ByWorkflowKeyAndClass_CountWhatBegan()
    {
        const string Good = """{"spec": {"omium": "v0", "name": "good", "steps": [{"id": "one", "type": "decision"}]}}""";
        await _host.PostAsync("/v1/workflows", Good, ContractJson.Default.WorkflowView, 201);
        for (var run = 0; run < 3; run++)
        {
            await _host.PostAsync("/v1/executions", """{"workflow": "good"}""", ContractJson.Default.ExecutionView, 201);
        }

        var paused = await _host.RunCompanyXAsync();

        var byWorkflow = await _host.GetAsync("/v1/analytics", ContractJson.Default.AnalyticsView);
        Assert.Equal([("good", 3L), ("customer-onboarding", 1L)], byWorkflow.Groups.Select(group => (group.Key, group.Count)));
        Assert.Equal(3, byWorkflow.Groups[0].ByStatus["succeeded"]);
        Assert.InRange(byWorkflow.Groups[0].MeanDurationMs!.Value, 0, 60_000);
        Assert.Null(byWorkflow.Groups[1].MeanDurationMs);
        Assert.All(byWorkflow.Groups, group => Assert.Equal(group.Count, group.Points.Sum(point => point.Count)));
        Assert.All(byWorkflow.Groups.SelectMany(group => group.Points), point => Assert.Equal(TimeSpan.Zero, point.At.TimeOfDay));

        var me = await _host.GetAsync("/v1/me", ContractJson.Default.MeView);
        var byKey = await _host.GetAsync("/v1/analytics?group_by=api_key&bucket=hour", ContractJson.Default.AnalyticsView);
        Assert.Equal((me.KeyId, 4L), (byKey.Groups.Single().Key, byKey.Groups.Single().Count));

        var byClass = await _host.GetAsync("/v1/analytics?group_by=failure_class&bucket=week&workflow=customer-onboarding", ContractJson.Default.AnalyticsView);
        Assert.Equal((paused.Failure!.Class, 1L), (byClass.Groups.Single().Key, byClass.Groups.Single().ByStatus["open"]));
        Assert.Equal(DayOfWeek.Monday, byClass.Groups.Single().Points.Single().At.DayOfWeek);
        Assert.Empty((await _host.GetAsync("/v1/analytics?to=2020-01-01T00:00:00Z", ContractJson.Default.AnalyticsView)).Groups);
    }

    [Theory]
    [InlineData("group_by=color", "/group_by")]
    [InlineData("bucket=year", "/bucket")]
    [InlineData("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "/from")]
    [InlineData("from=2000-01-01T00:00:00Z&bucket=hour", "/from")]
    public async Task Analytics_OfNoSense_Are422(string query, string pointer) =>
        Assert.Equal(pointer, (await _host.FailAsync(HttpMethod.Get, $"/v1/analytics?{query}", 422)).Errors!.Single().Pointer);
}
