using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Omium.EndToEnd.Harness;

/// <summary>An answer as it came.</summary>
internal sealed record Reply(HttpStatusCode Status, string ContentType, string Text)
{
    /// <summary>The body as JSON.</summary>
    public JsonNode Json => JsonNode.Parse(Text) ?? throw new InvalidOperationException("The answer is the JSON value null.");

    /// <summary>The body of an answer with this status; anything else fails the test with what was answered.</summary>
    public JsonNode Expect(HttpStatusCode status)
    {
        Assert.True(Status == status, $"Expected {(int)status}, answered {(int)Status}: {Text}");
        return Text.Length == 0 ? new JsonObject() : Json;
    }

    /// <summary>The problem document of an error; asserts that it is whole and shows no inside of the program.</summary>
    public JsonNode ExpectProblem(HttpStatusCode status, string code)
    {
        var problem = Expect(status);
        Assert.Equal("application/problem+json", ContentType);
        Assert.Equal(code, (string?)problem["code"]);
        Assert.Equal((int)status, (int?)problem["status"]);
        Assert.False(string.IsNullOrWhiteSpace((string?)problem["detail"]), "A problem says what happened.");
        Assert.DoesNotContain("   at Omium", Text, StringComparison.Ordinal);
        return problem;
    }
}

/// <summary>
/// A thin client. A <em>persistent</em> one behaves as a careful caller does when the server dies: it waits for it, and sends the same request again.
/// </summary>
internal sealed class OmiumClient : IDisposable
{
    private readonly OmiumProcess _server;
    private readonly bool _isPersistent;
    private readonly string? _key;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(60) };
    private int _repeated;

    /// <param name="server">The server.</param>
    /// <param name="isPersistent">Whether it waits for a server that died, and asks again.</param>
    /// <param name="key">The API key it sends; the installation's when absent.</param>
    public OmiumClient(OmiumProcess server, bool isPersistent = false, string? key = null) => (_server, _isPersistent, _key) = (server, isPersistent, key);

    /// <summary>How many requests were sent again.</summary>
    public int Repeated => _repeated;

    /// <summary>GET of a path that must answer 200.</summary>
    public async Task<JsonNode> GetAsync(string path) => (await SendAsync(HttpMethod.Get, path)).Expect(HttpStatusCode.OK);

    /// <summary>POST of JSON, whatever it answers.</summary>
    public Task<Reply> PostAsync(string path, JsonNode body, int? waitSeconds = null) =>
        SendAsync(HttpMethod.Post, path, body.ToJsonString(), "application/json", waitSeconds is { } seconds ? ("Prefer", $"wait={seconds}") : null);

    /// <summary>Saves a workflow written in YAML; answers its view.</summary>
    public async Task<JsonNode> SaveAsync(string yaml)
    {
        var reply = await SendAsync(HttpMethod.Post, "/v1/workflows", yaml, "text/yaml");
        Assert.True(reply.Status is HttpStatusCode.Created or HttpStatusCode.OK, $"The workflow was not saved ({(int)reply.Status}): {reply.Text}");
        return reply.Json;
    }

    /// <summary>Every record of an execution.</summary>
    public async Task<IReadOnlyList<JsonNode>> RecordsAsync(string execution)
    {
        var records = new List<JsonNode>();
        string? cursor = null;
        do
        {
            var page = await GetAsync($"/v1/executions/{execution}/events?limit=100{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}");
            records.AddRange(page["items"]!.AsArray().Select(item => item!));
            cursor = (string?)page["next_cursor"];
        }
        while (cursor is not null);
        return records;
    }

    /// <summary>Waits, told by the event stream, until the execution has one of these statuses; its view then. A stream that ends before the execution is taken up again, as hosts may end it.</summary>
    public async Task<JsonNode> WaitForStatusAsync(string execution, params string[] statuses)
    {
        using var limit = new CancellationTokenSource(Surroundings.Patience);
        var stream = new EventStream(_server, execution);
        var records = stream.ReadAsync(0, limit.Token).GetAsyncEnumerator(limit.Token);
        try
        {
            while (true)
            {
                var view = await GetAsync($"/v1/executions/{execution}");
                if (statuses.Contains((string?)view["status"]))
                {
                    return view;
                }

                // What was read above may be newer than the record: then the next look comes a record early, never too late.
                if (!await records.MoveNextAsync())
                {
                    view = await GetAsync($"/v1/executions/{execution}");
                    Assert.True(
                        statuses.Contains((string?)view["status"]) || (string?)view["status"] is not ("succeeded" or "failed" or "cancelled"),
                        $"The execution ended as {view["status"]}, expected {string.Join(" or ", statuses)}: {view.ToJsonString()}");
                    await records.DisposeAsync();
                    records = stream.ReadAsync((long)view["seq"]!, limit.Token).GetAsyncEnumerator(limit.Token);
                }
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            var view = await GetAsync($"/v1/executions/{execution}");
            throw new TimeoutException($"{execution} is still {view["status"]}, expected {string.Join(" or ", statuses)}: {view.ToJsonString()}");
        }
        finally
        {
            await records.DisposeAsync();
        }
    }

    /// <summary>Sends a request with its key.</summary>
    public async Task<Reply> SendAsync(HttpMethod method, string path, string? body = null, string? contentType = null, (string Name, string Value)? header = null)
    {
        while (true)
        {
            await _server.Ready;
            using var request = new HttpRequestMessage(method, new Uri(_server.Address, path));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _key ?? _server.Key);
            if (header is { } extra)
            {
                request.Headers.Add(extra.Name, extra.Value);
            }

            if (body is not null)
            {
                request.Content = new StringContent(body, Encoding.UTF8, contentType ?? "application/json");
            }

            try
            {
                using var response = await _http.SendAsync(request);
                var text = await response.Content.ReadAsStringAsync();
                return new Reply(response.StatusCode, response.Content.Headers.ContentType?.MediaType ?? "", text);
            }
            catch (Exception broken) when (_isPersistent && broken is HttpRequestException or IOException)
            {
                Interlocked.Increment(ref _repeated);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();
}
