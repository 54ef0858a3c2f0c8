using System.Text;
using Omium.Embedded.Storage;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;
using Xunit;

namespace Omium.Api.Tests.Executions;

/// <summary>The cache of executions: what has ended leaves it, what has work under way stays, however many have run.</summary>
public sealed class AdvancerCacheTests
{
    [Fact]
    public async Task Find_AfterManyEndedExecutions_TheOneUnderWayIsStillTheSameCell()
    {
        var directory = Directory.CreateTempSubdirectory("omium-cache-");
        try
        {
            await using var store = EmbeddedStore.Open(new EmbeddedStoreOptions(directory.FullName));
            Assert.True(CanonicalJson.TryParse(Encoding.UTF8.GetBytes(Spec), out var spec, out _));
            var digest = CanonicalJson.Digest(spec);
            await store.Documents.PutAsync(new DocumentKey("ten_a", PlanCache.Kind, digest), CanonicalJson.Canonicalize(spec), null);
            var advancer = new Advancer(store.Log, store.Payloads, new PlanCache(store.Documents), new LocalKeyWrap(Seal.NewKey()), TimeProvider.System) { CellsMax = 10 };
            async Task<ExecutionCell> StartAsync(string id) => (await advancer.AdvanceAsync(
                new StreamId("ten_a", id), new StartExecution(advancer.NowMs, id, "ten_a", "cache", 1, digest, JsonMake.EmptyObject, 1, "key_a", 10_000))).Cell;

            var underWay = await StartAsync("exe_first");
            Assert.NotEmpty(underWay.Pending);
            for (var number = 0; number < 100; number++)
            {
                var other = await StartAsync($"exe_{number}");
                await advancer.AdvanceAsync(other.Stream, new CancelExecution(advancer.NowMs, "ada", "req_1"));
                Assert.True(other.State.Ended);
            }

            Assert.Same(underWay, await advancer.FindAsync(underWay.Stream));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private const string Spec = """
        {"omium": "v0", "name": "cache", "tools": {"noop": {"type": "function"}}, "steps": [{"id": "a", "type": "tool_call", "tool": "noop"}]}
        """;
}
