using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Omium.Api.Tests.OpenApi;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Runtime.Specs;

namespace Omium.Api.Tests.Fuzzing;

/// <summary>
/// Hostile requests against the whole API, made from its own document: no 500, no answer that the document does not have, nothing of the inside in any
/// answer, memory that stays. OMIUM_FUZZ_REQUESTS says how many (default 1,500; the full run is 10,000), OMIUM_FUZZ_SEED which (default 1).
/// </summary>
[Collection(nameof(MeasuredAlone))]
public sealed class FuzzTests
{
    private const int WrongMax = 20;
    private const long GrowthBytesMax = 48 * 1024 * 1024;

    /// <summary>What an answer must not tell, whoever asks. The hostile texts hold none of it.</summary>
    private static readonly string[] Inside =
        ["   at ", ".cs:line", ".cs(", "StackTrace", "Exception", "System.", "Microsoft.", "Omium.Api", "Omium.Kernel", "Omium.Runtime", "Omium.Embedded", "SQLite", "index_row WHERE", "/home/", "/usr/"];

    private static readonly string[] HonestServerErrors = ["search_unavailable", "too_many_listeners", "model_not_configured", "payments_unavailable"];

    [Fact]
    public async Task HostileRequests_GetDocumentedAnswers_AndTheServerStaysAsItIs()
    {
        var (count, seed) = (Setting("OMIUM_FUZZ_REQUESTS", 1_500), Setting("OMIUM_FUZZ_SEED", 1));
        await using var host = await ApiHost.StartAsync(options => (options.StreamListenersMax, options.StreamListenersPerTenantMax) = (10_000, 10_000));
        var stands = await host.RunCompanyXAsync();
        var document = new Document(JsonNode.Parse(await host.Client.GetStringAsync("/openapi/v1.json"))!.AsObject());
        var requests = new HostileRequests(document, (await host.Keys.CreateAsync("ten_a", "hostile", "local")).Secret!, seed, await KnownAsync(host, stands), Specs(), ApiHost.CompanyX);
        var statuses = new SortedDictionary<int, int>();
        var memoryBytes = new List<long>(); // After each third.
        var wrong = new List<string>();
        for (var number = 0; number < count; number++)
        {
            var request = requests.Make(number);
            var answer = await RawHttp.SendAsync(host.Address, request);
            if (Wrong(document, request, answer, host) is { } told)
            {
                var logged = answer.Status >= 500 ? $"\n--- logged\n{host.Failures.Behind(answer.Body)}" : "";
                wrong.Add($"OMIUM_FUZZ_SEED={seed}, request {number} of {count}: {told}\n--- request\n{request}\n--- answer\n{answer.Head}\n\n{answer.Body}{logged}");
                Assert.True(wrong.Count < WrongMax, string.Join("\n\n", wrong));
            }

            statuses[answer.Status] = statuses.GetValueOrDefault(answer.Status) + 1;
            if ((number + 1L) * 3 / count > memoryBytes.Count)
            {
                memoryBytes.Add(GC.GetTotalMemory(forceFullCollection: true));
            }
        }

        var growth = memoryBytes[^1] - memoryBytes[0];
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"seed {seed}, {count} requests: {string.Join(", ", statuses.Select(pair => $"{pair.Key}: {pair.Value}"))}; memory after each third: {string.Join(", ", memoryBytes.Select(bytes => $"{bytes / 1024} KiB"))}");
        Assert.True(wrong.Count == 0, string.Join("\n\n", wrong));
        Assert.True(growth < GrowthBytesMax, $"{growth} bytes more than after the first third");
        Assert.True(statuses.Keys.Count(status => status < 300) > 1 && statuses.Keys.Count(status => status is >= 400 and < 500) > 4, "the requests reach too little");
        Assert.Equal("alive\n", await host.Client.GetStringAsync("/healthz"));
        Assert.Equal("identical", (await host.GetAsync($"/v1/executions/{stands.Id}/verify", ContractJson.Default.VerifyView)).Verdict);
        Assert.Empty((await host.GetAsync("/v1/health-summary", ContractJson.Default.HealthSummary)).Alarms);
    }

    private static string? Wrong(Document document, RawRequest request, RawAnswer answer, ApiHost host)
    {
        // What breaks HTTP itself is refused by the HTTP server before any route, with an empty body.
        if (answer.Body.Length == 0 && answer.Status is 400 or 404 or 405 or 408 or 411 or 414 or 417 or 431 or 505 && answer.MediaType is null)
        {
            return null;
        }

        var told = Inside.Append(host.Store.Directory).FirstOrDefault(text => answer.Body.Contains(text, StringComparison.Ordinal) || answer.Head.Contains(text, StringComparison.Ordinal));
        if (told is not null)
        {
            return $"the answer tells '{told}'";
        }

        if (answer.Status >= 500 && !HonestServerErrors.Any(code => answer.Body.Contains($"\"{code}\"", StringComparison.Ordinal)))
        {
            return $"answered {answer.Status}";
        }

        // No route at all: two slashes, dots that lead elsewhere, another method.
        if (answer is { Status: 404 or 405, MediaType: "application/problem+json" } && (answer.Body.Contains("Nothing is served at", StringComparison.Ordinal) || answer.Status == 405))
        {
            return null;
        }

        var path = request.Target.Split('?')[0];
        if (request.Method is "HEAD" || answer.MediaType == "text/event-stream" || path == "/openapi/v1.json")
        {
            return null;
        }

        return document.Problem(request.Method, path, answer.Status, answer.MediaType, answer.Body);
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    private static IReadOnlyList<JsonNode> Specs() =>
    [
        .. Directory.GetFiles(Path.Combine(ApiHost.RepositoryRoot(), "examples"), "*.yaml").Where(file => !file.EndsWith(".model.yaml", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(file => SpecText.TryRead(File.ReadAllText(file), out var spec, out _) ? JsonNode.Parse(spec.GetRawText())! : throw new InvalidDataException(file)),
    ];

    /// <summary>Of everything at least one.</summary>
    private static async Task<KnownNames> KnownAsync(ApiHost host, ExecutionView stands)
    {
        var moved = new List<string>();
        for (var run = 0; run < 3; run++)
        {
            moved.Add((await host.RunCompanyXAsync()).Id);
        }

        var reviews = (await host.GetAsync("/v1/reviews", ContractJson.Default.ReviewPage)).Items.Where(review => review.Execution != stands.Id).ToArray();
        var known = new KnownNames();
        known.Names["executions"] = moved;
        known.Names["execution"] = moved;
        known.Names["reviews"] = [.. reviews.Select(review => review.Id)];
        known.Names["failures"] = [.. (await host.GetAsync("/v1/failures", ContractJson.Default.FailurePage)).Items.Where(failure => failure.Execution != stands.Id).Select(failure => failure.Id)];
        known.Names["keys"] = [(await host.Keys.CreateAsync("ten_a", "spare", "local")).Id];
        known.Names["workflows"] = ["customer-onboarding"];
        known.Names["workflow"] = ["customer-onboarding"];
        known.Names["version"] = ["1"];
        known.Names["steps"] = ["kyc", "score", "terms"];
        known.Names["from"] = ["kyc", "score"];
        known.Names["to"] = ["kyc", "score"];
        known.Names["digest"] = [.. reviews.Select(review => review.Digest)];
        known.Names["decision"] = ["approve", "edit", "override", "rollback", "skip", "reject", "done", "redo"];
        known.Names["tasks"] = [$"{moved[0]}.kyc~1~1~c1.1"];
        await AddTracedAsync(host, known);
        return known;
    }

    /// <summary>An execution whose steps are done elsewhere: one step under a lease, a transaction, a message, and the words to go on with.</summary>
    private static async Task AddTracedAsync(ApiHost host, KnownNames known)
    {
        const string Operations = """
            [{"do": "record", "name": "gather", "output": {"n": 1}}, {"do": "handoff", "from": "analyst", "output": {"n": 1}, "claims": {"n": 1}},
             {"do": "begin", "name": "pay", "kind": "transaction", "input": {"usd": 5}, "compensate": "refund"}, {"do": "begin", "name": "score"}]
            """;
        var traced = new List<string>();
        for (var run = 0; run < 3; run++)
        {
            var started = await host.PostAsync("/v1/executions", $$$"""{"mode": "traced", "name": "hostile", "trace": {"owner": "a", "operations": {{{Operations}}}}}""", ContractJson.Default.ExecutionView, 201);
            known.Names["sid"] = [.. started.Trace!.Results.Select(result => result.Sid).OfType<string>()]; // The same in each.
            traced.Add(started.Id);
        }

        known.Names["executions"] = known.Names["execution"] = [.. known.Names["executions"], .. traced];
        known.Names["intents"] = known.Names["sid"];
        known.Names["steps"] = [.. known.Names["steps"], .. known.Names["sid"]];
        known.Names["owner"] = ["a", "b"];
        known.Names["name"] = ["gather", "pay", "score", "later"];
        known.Names["from"] = [.. known.Names["from"], "analyst"];
        known.Names["do"] = ["attach", "begin", "record", "finish", "fail", "verified", "handoff", "receive", "renew", "lost", "undo", "undone", "complete"];
        known.Names["kind"] = ["checkpoint", "transaction"];
        known.Names["effect"] = ["idempotent", "verifiable", "irreversible"];
    }
}

/// <summary>Tests that measure memory: nothing else of this process runs beside them.</summary>
[CollectionDefinition(nameof(MeasuredAlone), DisableParallelization = true)]
public sealed class MeasuredAlone;
