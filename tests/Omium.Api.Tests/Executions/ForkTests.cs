using System.Text.Json;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Contracts.Reviews;
using Omium.Runtime.Ports;

namespace Omium.Api.Tests.Executions;

/// <summary>Forks over the real store: read-through, numbering, verification with the source's part, and erasure of the whole family.</summary>
public sealed class ForkTests : IAsyncLifetime
{
    private const string Edit = """{"edits": {"agents": {"generate_terms": {"prompt": "apr between 2.5 and 8.5"}}}""";
    private ApiHost _host = null!;
    private ExecutionView _source = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await ApiHost.StartAsync();
        _source = await _host.RunCompanyXAsync();
        Assert.Equal("paused", _source.Status);

        // The pause is told of in a record of its own; a fork begins where the source is, so it is to stand still.
        await Streams.UntilAsync(_host, _source.Id, "notification.sent");
        _source = await _host.GetAsync($"/v1/executions/{_source.Id}", ContractJson.Default.ExecutionView);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Fork_WithAnEditedAgent_AsksThatAgentAloneAndSendsNothing()
    {
        var asked = _host.Model.Asked.Count;
        var fork = await ForkAsync(Edit + "}");
        Assert.Equal(("waiting", "review"), (fork.Status, fork.WaitingFor));
        Assert.Equal(asked + 1, _host.Model.Asked.Count);
        Assert.Empty(_host.Tools.Called);
        Assert.Equal((_source.Id, _source.Seq, "sandbox"), (fork.Fork!.From, fork.Fork.At, fork.Fork.Mode));
        Assert.Equal(["kyc", "score", "terms"], fork.Steps.Where(step => step.Inherited == true).Select(step => step.Step));
        Assert.Equal("rolled_back", fork.Steps.Single(step => step is { Step: "terms", Inherited: true }).Status);

        // The offer was never sent by the source: the sandbox shows the call and waits for what it is to have answered.
        var review = await _host.GetAsync($"/v1/reviews/{Assert.Single(fork.OpenReviews)}", ContractJson.Default.ReviewView);
        Assert.Equal(("sandbox_call", "send_offer"), (review.Kind, review.Shown!.Value.GetProperty("tool").GetString()));
        await _host.PostAsync($"/v1/reviews/{review.Id}/decide", $$"""{"decision": "answer", "digest": "{{review.Digest}}", "output": {"status": "played"} }""", ContractJson.Default.ReviewView);
        var ended = await _host.GetAsync($"/v1/executions/{fork.Id}", ContractJson.Default.ExecutionView);
        Assert.Equal("succeeded", ended.Status);
        Assert.Empty(_host.Tools.Called);
        await AssertIdenticalAsync(fork.Id, ended.Seq);
        Assert.Equal("paused", (await _host.GetAsync($"/v1/executions/{_source.Id}", ContractJson.Default.ExecutionView)).Status);
    }

    [Fact]
    public async Task Fork_ItsHistory_BeginsWithTheSourcesRecords()
    {
        var fork = await ForkAsync($$"""{"at": 3}""");
        var records = (await _host.GetAsync($"/v1/executions/{fork.Id}/events", ContractJson.Default.EventPage)).Items;
        Assert.Equal(Enumerable.Range(1, records.Count).Select(number => (long)number), records.Select(record => record.Seq));
        Assert.All(records.Take(3), record => Assert.Equal(_source.Id, record.InheritedFrom));
        Assert.All(records.Skip(3), record => Assert.Null(record.InheritedFrom));
        Assert.Equal(("fork", "execution.forked"), (records[3].Command, records[3].Events[0].GetProperty("type").GetString()));
        var timeline = (await _host.GetAsync($"/v1/executions/{fork.Id}/timeline", ContractJson.Default.TimelinePage)).Items;
        Assert.Contains(timeline, line => line.InheritedFrom == _source.Id);
        Assert.Contains(timeline, line => line is { Kind: "execution.forked", InheritedFrom: null });

        // Its own stream holds its own records alone, and no value of the prefix.
        var stored = await _host.Store.Log.ReadAsync(new StreamId("ten_a", fork.Id), 0, 1_000, TestContext.Current.CancellationToken);
        Assert.Equal(1, stored[0].Seq);
        Assert.InRange(stored.Count, records.Count - 3, records.Count - 1);
        var ofFork = await _host.GetAsync($"/v1/executions/{fork.Id}/state?at=3", ContractJson.Default.ExecutionView);
        var ofSource = await _host.GetAsync($"/v1/executions/{_source.Id}/state?at=3", ContractJson.Default.ExecutionView);
        Assert.Equal(JsonSerializer.Serialize(ofSource.Steps, JsonSerializerOptions.Web), JsonSerializer.Serialize(ofFork.Steps, JsonSerializerOptions.Web));
        var diff = await _host.GetAsync($"/v1/executions/{fork.Id}/diff?from=3", ContractJson.Default.DiffView);
        Assert.NotEmpty(diff.Changes);
    }

    [Fact]
    public async Task Fork_OfAForkBeforeItsFirstRecord_IsAForkOfTheSource()
    {
        var first = await ForkAsync("""{"at": 3}""");
        var early = await ForkAsync("""{"at": 2}""", first.Id);
        Assert.Equal((_source.Id, 2L), (early.Fork!.From, early.Fork.At));
        var late = await ForkAsync("{}", first.Id);
        Assert.Equal(first.Id, late.Fork!.From);
        await AssertIdenticalAsync(early.Id, early.Seq);
        await AssertIdenticalAsync(late.Id, late.Seq);
        var records = (await _host.GetAsync($"/v1/executions/{late.Id}/events", ContractJson.Default.EventPage)).Items;
        Assert.Equal([_source.Id, first.Id, null], records.Select(record => record.InheritedFrom).Distinct());
    }

    [Fact]
    public async Task Fork_SentTwiceWithOneKey_IsOne()
    {
        async Task<string> SendAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/executions/{_source.Id}/fork") { Content = ApiHost.Json("""{"at": 2}""") };
            request.Headers.Add("Idempotency-Key", "once");
            using var response = await _host.Client.SendAsync(request, TestContext.Current.CancellationToken);
            return (await ApiHost.ReadAsync(response, ContractJson.Default.ExecutionView, 201)).Id;
        }

        Assert.Equal(await SendAsync(), await SendAsync());
    }

    [Fact]
    public async Task Fork_LiveWithoutAcknowledgement_IsRefusedWithTheList()
    {
        var problem = await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{_source.Id}/fork", 409, ApiHost.Json("""{"at": 3, "mode": "live"}"""));
        Assert.Equal("effects_unacknowledged", problem.Code);
        Assert.Equal(0, problem.Shown!.Value.GetProperty("repeats").GetArrayLength());
        var fork = await ForkAsync($$"""{"at": 3, "mode": "live", "acknowledge": "{{problem.Digest}}"}""");
        Assert.Equal("live", fork.Fork!.Mode);
    }

    [Fact]
    public async Task Erasure_OfTheRoot_ErasesItsForks()
    {
        var fork = await ForkAsync("""{"at": 3}""");
        var second = await ForkAsync("{}", fork.Id);
        await _host.Store.Log.DestroyKeyAsync(new StreamId("ten_a", _source.Id), TestContext.Current.CancellationToken);
        foreach (var id in new[] { _source.Id, fork.Id, second.Id })
        {
            Assert.Equal("erased", (await _host.GetAsync($"/v1/executions/{id}/verify", ContractJson.Default.VerifyView)).Verdict);
        }
    }

    [Theory]
    [InlineData("""{"at": 0}""", "validation_failed")]
    [InlineData("""{"at": 100000}""", "validation_failed")]
    [InlineData("""{"mode": "wild"}""", "validation_failed")]
    [InlineData("""{"edits": {"agents": {"nobody": {"prompt": "x"}}}}""", "validation_failed")]
    [InlineData("""{"edits": {"steps": {"nowhere": {"output": 1}}}}""", "validation_failed")]
    [InlineData("""{"edits": {"steps": {"terms": {"output": {"apr": 99}}}}}""", "override_refused")]
    [InlineData("""{"edits": {"input": {"customer_id": 7}}}""", "input_invalid")]
    public async Task Fork_OfWhatCannotBe_IsRefused(string body, string code)
    {
        var problem = await _host.FailAsync(HttpMethod.Post, $"/v1/executions/{_source.Id}/fork", 422, ApiHost.Json(body));
        Assert.Equal(code, problem.Code);
    }

    private async Task<ExecutionView> ForkAsync(string body, string? of = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/executions/{of ?? _source.Id}/fork") { Content = ApiHost.Json(body) };
        request.Headers.Add("Prefer", "wait=20");
        using var response = await _host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return await ApiHost.ReadAsync(response, ContractJson.Default.ExecutionView, 201);
    }

    private async Task AssertIdenticalAsync(string execution, long records)
    {
        var report = await _host.GetAsync($"/v1/executions/{execution}/verify", ContractJson.Default.VerifyView);
        Assert.Equal(("identical", (string?)null), (report.Verdict, report.Detail));
        Assert.InRange(report.Records, records, long.MaxValue); // A notification may have been recorded meanwhile.
    }
}
