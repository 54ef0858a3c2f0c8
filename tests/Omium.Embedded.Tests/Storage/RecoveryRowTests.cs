using Omium.Embedded.Storage;
using Omium.Kernel.Executions;
using Omium.Runtime.Audit;
using Omium.Runtime.Effects;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Embedded.Tests.Storage;

/// <summary>What the index knows of failures and of people, across restarts and from builds that knew less.</summary>
public sealed class RecoveryRowTests
{
    private const string Spec = """
        omium: v0
        name: refunds
        tools: {work: {type: function, function: work, effect: {kind: idempotent, compensate: undo}}, undo: {type: function, function: undo, effect: {kind: idempotent}}}
        steps:
          - {id: first, type: tool_call, tool: work, input: {n: 1}}
          - {id: second, type: tool_call, tool: work, needs: [first], input: {n: 2}}
        recovery: {rules: [{do: [rollback_to: start, await_review]}]}
        """;

    [Fact]
    public async Task Failure_OverAfterARestart_IsCountedOnceAndStillAsRecoveredByRollback()
    {
        var directory = Directory.CreateTempSubdirectory("omium-embedded-").FullName;
        var isBroken = true;
        var options = new RigOptions
        {
            Call = (request, _) => Task.FromResult(isBroken && request.Arguments.TryGetProperty("n", out var n) && n.GetInt32() == 2
                ? new EffectOutcome { Failure = new EffectFailure("tool_error", "broken", "out of paper", Permanent: true) }
                : new EffectOutcome { Result = request.Arguments }),
        };
        byte[] key;
        await using (var rig = await Rig.OpenAsync(options, directory))
        {
            key = rig.MasterKey;
            await rig.StartAsync(Spec, id: "exe_1");
            await rig.WaitAsync(Rig.Stream("exe_1"), state => state.OpenReviews.Count > 0);
            Assert.Equal([("open", "", 0L)], await FailuresAsync(rig));
        }

        isBroken = false;
        await using (var rig = await Rig.OpenAsync(options, directory, key))
        {
            var state = (await rig.Advancer.FindAsync(Rig.Stream("exe_1")))!.State;
            var review = state.Reviews[Assert.Single(state.OpenReviews)].Request;
            await rig.Engine.SubmitAsync(Rig.Stream("exe_1"), new DecideReview(rig.Advancer.NowMs, review.Review, "approve", review.Digest, "ada", null, null, null, null));
            var ended = await rig.WaitAsync(Rig.Stream("exe_1"), state => state.Ended);
            Assert.Equal(ExecutionStatus.Succeeded, ended.Status);
            Assert.Equal([("resolved", "rollback", ended.Visits[new VisitKey("second", 2)].SettledMs)], await FailuresAsync(rig));
            Assert.Equal(
                [(1L, ExecutionAudit.ByPerson)],
                (await rig.Store.Index.CountAsync(new IndexQuery(Rig.Tenant, IndexKinds.Audit), IndexField.Workflow, long.MaxValue)).Where(count => count.By.Length > 0).Select(count => (count.Count, count.By)));
        }

        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task Directory_OfABuildThatKnewNoRecoveries_TellsThemByTheTimeOfTheirRows()
    {
        var directory = Directory.CreateTempSubdirectory("omium-embedded-").FullName;
        await using (var store = EmbeddedStore.Open(new EmbeddedStoreOptions(directory)))
        {
            var record = new LogRecord(1, "append_1", 1, 1, "start", "execution.started", [.. Enumerable.Repeat((byte)1, 32)], new byte[32], new byte[64]);
            await store.Log.AppendAsync(new Append(Rig.Stream("exe_1"), 0, record)
            {
                StreamKey = [1],
                Index =
                [
                    Row(IndexKinds.Failure, "over", "resolved", "code"), Row(IndexKinds.Failure, "open", "open", "code"),
                    Row(IndexKinds.Audit, "decided", ExecutionAudit.StatusWritten, "review.decided"), Row(IndexKinds.Audit, "rolled", ExecutionAudit.StatusWritten, "execution.rolled_back"),
                ],
            }, TestContext.Current.CancellationToken);
        }

        using (var old = new SqliteConnection(Path.Combine(directory, "omium.db"), null, readOnly: false))
        {
            old.Execute("DROP TABLE index_count; DROP TABLE index_time; ALTER TABLE index_row DROP COLUMN brought_by; PRAGMA user_version = 2");
        }

        await using (var store = EmbeddedStore.Open(new EmbeddedStoreOptions(directory)))
        {
            Assert.Equal((900L, ""), await ReadAsync(store, IndexKinds.Failure, "over"));
            Assert.Equal((0L, ""), await ReadAsync(store, IndexKinds.Failure, "open"));
            Assert.Equal((0L, ExecutionAudit.ByPerson), await ReadAsync(store, IndexKinds.Audit, "decided"));
            Assert.Equal((0L, ""), await ReadAsync(store, IndexKinds.Audit, "rolled"));
        }

        Directory.Delete(directory, recursive: true);
    }

    private static IndexRow Row(string kind, string id, string status, string label) =>
        new(Rig.Tenant, kind, id, "exe_1") { Status = status, Label = label, CreatedUnixMs = 100, UpdatedUnixMs = 900 };

    private static async Task<(long EndedMs, string By)> ReadAsync(EmbeddedStore store, string kind, string id)
    {
        var row = (await store.Index.GetAsync(Rig.Tenant, kind, id, TestContext.Current.CancellationToken))!;
        return (row.EndedUnixMs, row.By);
    }

    private static async Task<IEnumerable<(string Status, string By, long OverMs)>> FailuresAsync(Rig rig) =>
        (await rig.Store.Index.QueryAsync(new IndexQuery(Rig.Tenant, IndexKinds.Failure), TestContext.Current.CancellationToken)).Rows.Select(row => (row.Status, row.By, row.EndedUnixMs));
}
