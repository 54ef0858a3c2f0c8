using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Kernel.Json;

namespace Omium.Api.Tests.Executions;

/// <summary>Long executions are paged, large values are passed whole, listeners are bounded, and what this server cannot search it says.</summary>
public sealed class LongExecutionTests : IAsyncLifetime
{
    private const string Spinning = """
        {"omium": "v0", "name": "spinning", "steps": [{"id": "begin", "type": "decision", "input": {"n": 0}},
          {"id": "turn", "type": "decision", "needs": ["begin"], "input": {"n": "${{ has(steps.look) ? steps.look.output.n + 1 : 1 }}"}},
          {"id": "look", "type": "decision", "needs": ["turn"], "input": {"n": "${{ steps.turn.output.n }}"}}],
         "edges": [{"from": "look", "to": "turn", "when": "output.n < 750", "max_visits": 2000}]}
        """;

    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync(options => options.StreamListenersMax = 2);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Execution_OfFifteenHundredVisits_IsShownInPagesThatMissNothing()
    {
        var execution = await RunAsync(Spinning, "spinning", "{}");
        Assert.Equal((1_000, 501), (execution.Steps.Count, execution.StepsOmitted));
        Assert.Equal(750, execution.Steps[^1].Visit);

        var visits = await AllAsync($"/v1/executions/{execution.Id}/steps?limit=400", ContractJson.Default.StepPage);
        Assert.Equal(1_501, visits.Count);
        Assert.Equal(Enumerable.Range(2, 1_500).Select(order => order / 2), visits.Skip(1).Select(visit => visit.Visit));

        var told = await AllAsync($"/v1/executions/{execution.Id}/timeline?limit=700", ContractJson.Default.TimelinePage);
        var events = await AllAsync($"/v1/executions/{execution.Id}/events?limit=1000", ContractJson.Default.EventPage);
        Assert.Equal(events.Sum(record => record.Events.Count), told.Count);
    }

    [Fact]
    public async Task Input_OfTwelveMegabytes_IsTakenAndGivenBackWhole()
    {
        var text = new string('x', 12 * 1024 * 1024);
        var execution = await RunAsync(
            """{"omium": "v0", "name": "carrying", "steps": [{"id": "carry", "type": "decision", "description": "The input as it is."}]}""",
            "carrying", JsonSerializer.Serialize(new Dictionary<string, string> { ["text"] = text }));
        Assert.True(PayloadReference.TryRead(execution.Input!.Value, out var digest, out var size), "Above the room of an answer, a value stays a reference.");

        var whole = await _host.Client.GetByteArrayAsync($"/v1/executions/{execution.Id}/payloads/{digest}");
        Assert.Equal((size, digest), (whole.Length, CanonicalJson.Digest(whole)));
        Assert.Equal("not_found", (await _host.FailAsync(HttpMethod.Get, $"/v1/executions/{execution.Id}/payloads/{new string('0', 64)}", 404)).Code);
        Assert.Equal("not_found", (await _host.FailAsync(HttpMethod.Get, $"/v1/executions/{execution.Id}/payloads/result.x", 404)).Code);
    }

    [Fact]
    public async Task Stream_BeyondTheLimit_IsRefusedUntilOneEnds()
    {
        var execution = await _host.RunCompanyXAsync(); // It waits for a person: its streams stay open.
        using (var first = await OpenAsync(execution.Id))
        using (var second = await OpenAsync(execution.Id))
        {
            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (first.StatusCode, second.StatusCode));
            Assert.Equal("too_many_listeners", (await _host.FailAsync(HttpMethod.Get, $"/v1/executions/{execution.Id}/stream", 503)).Code);
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (true)
        {
            using var again = await OpenAsync(execution.Id); // The server notices by itself that the two are gone.
            if (again.StatusCode == HttpStatusCode.OK)
            {
                break;
            }

            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    [Fact]
    public async Task Release_OfAnExecutionThatIsNotSetAside_AnswersItAsItIs()
    {
        var execution = await _host.RunCompanyXAsync();
        var released = await _host.PostAsync($"/v1/executions/{execution.Id}/release", "", ContractJson.Default.ExecutionView);
        Assert.Equal((execution.Status, null), (released.Status, released.SetAside));
        Assert.Equal("execution_not_found", (await _host.FailAsync(HttpMethod.Post, "/v1/executions/exe_none/release", 404)).Code);
    }

    private Task<HttpResponseMessage> OpenAsync(string execution) => _host.Client.GetAsync($"/v1/executions/{execution}/stream", HttpCompletionOption.ResponseHeadersRead);

    private async Task<ExecutionView> RunAsync(string spec, string name, string input)
    {
        using var saved = await _host.Client.PostAsync("/v1/workflows", ApiHost.Json($$"""{"spec": {{spec}}}"""));
        Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync());
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/executions") { Content = new StringContent($$"""{"workflow": "{{name}}", "input": {{input}}}""", Encoding.UTF8, "application/json") };
        request.Headers.Add("Prefer", "wait=20");
        using var response = await _host.Client.SendAsync(request);
        var view = await ApiHost.ReadAsync(response, ContractJson.Default.ExecutionView, 201);
        Assert.Equal("succeeded", view.Status);
        return view;
    }

    private async Task<List<T>> AllAsync<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<Page<T>> type)
    {
        var all = new List<T>();
        string? cursor = null;
        do
        {
            var page = await _host.GetAsync(path + (cursor is null ? "" : string.Create(CultureInfo.InvariantCulture, $"&cursor={cursor}")), type);
            all.AddRange(page.Items);
            cursor = page.NextCursor;
        }
        while (cursor is not null);
        return all;
    }
}
