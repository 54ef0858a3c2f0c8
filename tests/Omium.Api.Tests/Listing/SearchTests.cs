using System.Text;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Tests.Listing;

/// <summary><c>?q=</c> over executions and failures, and that what is searched stands nowhere in plain text and leaves with the execution.</summary>
public sealed class SearchTests : IAsyncLifetime
{
    private const string Refusing = """
        {"spec": {"omium": "v0", "name": "harbour-inspection", "steps": [
            {"id": "weigh", "type": "decision", "input": {"tons": "${{ input.tons }}"}, "retry": {"max_attempts": 1},
             "guards": {"post": [{"check": "output.tons < 100", "code": "overweight", "message": "The crane at quay Zanzibar lifts less"}]}}]}}
        """;

    private ApiHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await ApiHost.StartAsync();
        await _host.PostAsync("/v1/workflows", Refusing, ContractJson.Default.WorkflowView, 201);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("harbour", true, true)]
    [InlineData("HARBOUR inspection", true, true)]
    [InlineData("harbour-inspection", true, true)]
    [InlineData("zanzibar", false, true)]
    [InlineData("crane overweight weigh", false, true)]
    [InlineData("crane onboarding", false, false)]
    [InlineData("harb", false, false)]
    public async Task Executions_ByWords_AreFoundByAllOfThem(string words, bool findsGood, bool findsBad)
    {
        var good = await RunAsync(10);
        var bad = await RunAsync(1_000);
        var expected = (string[])[.. findsBad ? [bad.Id] : Array.Empty<string>(), .. findsGood ? [good.Id] : Array.Empty<string>()];

        Assert.Equal("failed", bad.Status);
        Assert.Equal(expected, await FindAsync(words));
        Assert.Equal(findsBad ? 1 : 0, (await _host.GetAsync($"/v1/failures?q={Uri.EscapeDataString(words)}", ContractJson.Default.FailurePage)).Items.Count);
    }

    [Fact]
    public async Task Executions_ByIdAndStartKey_AreFound()
    {
        var first = await RunAsync(10, "order-4711");
        await RunAsync(10, "order-4712");

        Assert.Equal([first.Id], await FindAsync(first.Id));
        Assert.Equal([first.Id], await FindAsync(first.Id[..26]));
        Assert.Equal([first.Id], await FindAsync("order-4711"));
        Assert.Empty(await FindAsync("order-4713"));
        Assert.Empty(await FindAsync(new string('z', 30).Insert(0, "exe_")));
    }

    [Fact]
    public async Task Executions_WithFilters_HoldForWhatIsFoundToo()
    {
        var good = await RunAsync(10, "order-1");
        var bad = await RunAsync(1_000);

        Assert.Equal([bad.Id], await FindAsync("harbour", "&status=failed"));
        Assert.Equal([bad.Id], await FindAsync("harbour", "&workflow=harbour-inspection&failure_class=policy_violation".Replace("policy_violation", bad.Failure!.Class, StringComparison.Ordinal)));
        Assert.Empty(await FindAsync("order-1", "&status=failed"));
        Assert.Empty(await FindAsync("harbour", "&to=2020-01-01T00:00:00Z"));
        Assert.Equal([bad.Id, good.Id], await FindAsync("harbour", "&from=2020-01-01T00:00:00Z"));
    }

    [Fact]
    public async Task Search_OfAnotherTenant_FindsNothing()
    {
        var mine = await RunAsync(1_000, "order-1");
        using var other = _host.ClientOf((await _host.Keys.CreateAsync("ten_b", "other", "local")).Secret!);
        foreach (var words in (string[])["harbour", "zanzibar", "order-1", mine.Id])
        {
            Assert.Empty((await ApiHost.GetAsync(other, $"/v1/executions?q={words}", ContractJson.Default.ExecutionPage)).Items);
            Assert.Empty((await ApiHost.GetAsync(other, $"/v1/failures?q={words}", ContractJson.Default.FailurePage)).Items);
        }
    }

    [Theory]
    [InlineData("%20-%20")]
    [InlineData("a+b+c+d+e+f+g+h+i+j+k+l+m+n+o+p+q")]
    public async Task Search_OfNoWordOrTooMany_Is422(string words) =>
        Assert.Equal("/q", (await _host.FailAsync(HttpMethod.Get, $"/v1/executions?q={words}", 422)).Errors!.Single().Pointer);

    [Fact]
    public async Task Erased_Execution_IsFoundByNoWord_AndNoWordStandsInTheStore()
    {
        var bad = await RunAsync(1_000);
        var kept = await RunAsync(1_000);
        await _host.Store.Log.DestroyKeyAsync(new StreamId("ten_a", bad.Id));

        Assert.Equal([kept.Id], await FindAsync("zanzibar"));
        Assert.Equal([kept.Id], await FindAsync("harbour"));
        Assert.Single((await _host.GetAsync("/v1/failures?q=crane", ContractJson.Default.FailurePage)).Items);
        foreach (var file in Directory.GetFiles(_host.Store.Directory, "omium.db*"))
        {
            // The message is sealed in the log. The spec that it was written in stands as it was saved: there the word begins with a capital.
            Assert.False(Holds(file, "zanzibar"u8), $"{file} holds a word in plain text");
        }
    }

    /// <summary>The index would hold words in lower case.</summary>
    private static bool Holds(string file, ReadOnlySpan<byte> text)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.GetBuffer().AsSpan(0, (int)memory.Length).IndexOf(text) >= 0;
    }

    private async Task<string[]> FindAsync(string words, string more = "") =>
        [.. (await _host.GetAsync($"/v1/executions?q={Uri.EscapeDataString(words)}{more}", ContractJson.Default.ExecutionPage)).Items.Select(row => row.Id)];

    private async Task<ExecutionView> RunAsync(int tons, string? startKey = null)
    {
        var key = startKey is null ? "" : $"\"start_key\": \"{startKey}\", ";
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/executions")
        {
            Content = new StringContent($$$"""{{{{key}}}"workflow": "harbour-inspection", "input": {"tons": {{{tons}}}}}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("Prefer", "wait=10");
        using var response = await _host.Client.SendAsync(request);
        return await ApiHost.ReadAsync(response, ContractJson.Default.ExecutionView, 201);
    }
}
