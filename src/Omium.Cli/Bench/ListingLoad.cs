using System.Diagnostics;
using System.Globalization;
using System.Text;
using Omium.Api.Http;
using Omium.Cli.Hosting;
using Omium.Embedded.Storage;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Search;
using Omium.Runtime.Security;
using Omium.Runtime.Specs;

namespace Omium.Cli.Bench;

/// <summary>
/// Fills a data directory with executions, each decided by the kernel, sealed, appended and projected as any other: one in ten fails, in one of as many
/// ways as there are workflows. What is rare is rare: the last workflow has one execution in ten thousand.
/// </summary>
internal static class ListingLoad
{
    /// <summary>Words that name workflows; each pair is one.</summary>
    private static readonly string[] Subjects = ["customer", "invoice", "shipment", "claim", "contract", "ticket", "refund", "payroll"];
    private static readonly string[] Verbs = ["onboarding", "matching", "routing", "review", "renewal"];

    /// <summary>The rare workflow, and a word of its failures' message.</summary>
    public const string RareWorkflow = "harbour-inspection", RareWord = "zanzibar";

    /// <summary>A common workflow that never fails: what asks for its failures finds nothing, however long it looks.</summary>
    public const string NeverFailing = "invoice-matching";

    private const string Tenant = "ten_local";
    private const int RareEvery = 10_000, InFlight = 512;
    private static readonly TimeSpan Span = TimeSpan.FromDays(30);

    /// <summary>Loads, and answers how long it took in seconds, and one id.</summary>
    public static async Task<(double Seconds, string AnId)> RunAsync(string directory, int executions, CancellationToken cancellation)
    {
        await using var store = EmbeddedStore.Open(new EmbeddedStoreOptions(directory));
        var keys = new LocalKeyWrap(await MasterKey.OpenAsync(store, cancellation));
        var advancer = new Advancer(store.Log, store.Payloads, new PlanCache(store.Documents), keys, TimeProvider.System) { Search = new SearchTerms(store.Documents, keys) };
        var workflows = await SaveAsync(store.Documents, cancellation);
        var begin = TimeProvider.System.GetUtcNow() - Span;
        var step = Span / executions;
        var anId = "";
        var start = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(0, executions, new ParallelOptions { MaxDegreeOfParallelism = InFlight, CancellationToken = cancellation }, async (number, cancel) =>
        {
            var at = begin + (step * number);
            var id = ExecutionIds.New(at);
            var (name, digest) = number % RareEvery == 0 ? workflows[^1] : workflows[number % (workflows.Count - 1)];
            var input = JsonMake.Object(("amount", JsonMake.Integer(number)), ("good", JsonMake.Boolean(name == NeverFailing || number / 50 % 10 != 0)));
            var command = new StartExecution(at.ToUnixTimeMilliseconds(), id, Tenant, name, 1, digest, input, number, "key_bench", 10_000);
            var result = await advancer.AdvanceAsync(new StreamId(Tenant, id), command, null, cancel);
            if (result.Rejection is { } rejection)
            {
                throw new InvalidOperationException($"an execution was refused: {rejection.Message}");
            }

            anId = number == executions / 2 ? id : anId;
        });
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, anId);
    }

    private static async Task<IReadOnlyList<(string Name, string Digest)>> SaveAsync(SqliteDocumentStore documents, CancellationToken cancellation)
    {
        var saved = new List<(string, string)>();
        var names = Subjects.SelectMany(subject => Verbs.Select(verb => (Name: $"{subject}-{verb}", Word: subject))).Append((Name: RareWorkflow, Word: RareWord));
        foreach (var (name, word) in names)
        {
            var text = string.Create(CultureInfo.InvariantCulture, $$$"""
                omium: v0
                name: {{{name}}}
                version: 1
                steps:
                  - id: check
                    type: decision
                    input: {amount: "${{ input.amount }}", good: "${{ input.good }}"}
                    retry: {max_attempts: 1}
                    guards: {post: [{check: output.good, code: not_good, message: "What was decided about {{{word}}} is not good"}]}
                """);
            var spec = SpecText.TryRead(Encoding.UTF8.GetBytes(text), out var read, out var problem) ? read : throw new InvalidOperationException(problem!.Message);
            var content = CanonicalJson.Canonicalize(spec);
            var digest = CanonicalJson.Digest(content);
            await documents.PutAsync(new DocumentKey(Tenant, PlanCache.Kind, digest), content, null, cancellation);
            saved.Add((name, digest));
        }

        return saved;
    }
}
