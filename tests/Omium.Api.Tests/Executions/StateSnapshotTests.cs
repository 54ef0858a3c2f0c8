using System.Globalization;
using System.Text;
using Omium.Contracts;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Tests.Executions;

/// <summary>A look at record n from a snapshot shows what the whole fold shows, in the writer that made the records and in one that reads them.</summary>
public sealed class StateSnapshotTests : IAsyncLifetime
{
    private const int Steps = 450;
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task StateAt_AroundSnapshots_IsTheFullFold()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using (var saved = await _host.Client.PostAsync("/v1/workflows", ApiHost.Yaml(Chain()), cancellation))
        {
            Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync(cancellation));
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/executions") { Content = ApiHost.Json("""{"workflow": "chain"}""") };
        request.Headers.Add("Prefer", "wait=60");
        using var response = await _host.Client.SendAsync(request, cancellation);
        var ended = await ApiHost.ReadAsync(response, ContractJson.Default.ExecutionView, 201);
        Assert.Equal("succeeded", ended.Status);

        var stream = new StreamId("ten_a", ended.Id);
        var advancer = new Advancer(_host.Store.Log, _host.Store.Payloads, new PlanCache(_host.Store.Documents), _host.KeyWrap, TimeProvider.System);
        var cell = (await advancer.FindAsync(stream, cancellation))!;
        var bodies = (await advancer.ReadAsync(stream, 0, 10_000, cancellation)).Select(entry => entry.Body).ToArray();
        Assert.True(bodies.Length > 400, "the history crosses two snapshots");
        foreach (var count in new[] { 1, 199, 200, 201, 399, 400, 401, bodies.Length - 1, bodies.Length })
        {
            var full = bodies.Take(count).Aggregate(ExecutionState.Empty, ExecutionKernel.Fold);
            var seen = await advancer.StateAtAsync(cell, count, cancellation);
            Assert.Equal(Essence(full), Essence(seen));
        }
    }

    private static string Essence(ExecutionState state) => string.Join('\n', state.Visits.Values.OrderBy(visit => visit.Ordinal)
        .Select(visit => $"{visit.Key} {visit.Status} {visit.Output?.GetRawText()} {string.Join(',', visit.TakenEdges)} {visit.SettledMs}").Append($"{state.Status} {state.UpdatedMs} {state.Commits}"));

    private static string Chain()
    {
        var spec = new StringBuilder("omium: v0\nname: chain\ntools:\n  plain: {type: http, url: \"http://tool.example/plain\"}\nsteps:\n");
        for (var number = 1; number <= Steps; number++)
        {
            var needs = number == 1 ? "" : $"s{number - 1}";
            spec.Append(CultureInfo.InvariantCulture, $"  - {{id: s{number}, type: tool_call, tool: plain, needs: [{needs}], input: {{n: {number}}}}}\n");
        }

        return spec.ToString();
    }
}
