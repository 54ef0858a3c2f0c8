using Omium.Embedded.Storage;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Embedded.Tests.BadNight;

/// <summary>S37, damage: a garbled record sets its own execution aside and no other, a torn end loses nothing that was acknowledged, a damaged file is named.</summary>
public sealed class PoisonTests
{
    private const string Spec = """
        omium: v0
        name: asking
        tools: {work: {type: function, function: work, effect: {kind: none}}}
        steps:
          - {id: first, type: tool_call, tool: work, input: {n: 1}}
          - {id: second, type: tool_call, tool: work, needs: [first], input: {n: 2}}
        """;

    [Fact]
    public async Task GarbledRecord_OfOneExecution_SetsThatAsideUntilItIsMendedAndReleased()
    {
        var directory = Directory.CreateTempSubdirectory("omium-embedded-").FullName;
        var masterKey = await LeaveUnderWayAsync(directory, "exe_a", "exe_b");
        var record = Garble(directory, "exe_a", null);

        await using (var rig = await Rig.OpenAsync(null, directory, masterKey))
        {
            Assert.Equal(2, rig.Recovered);
            Assert.Equal(ExecutionStatus.Succeeded, (await rig.WaitAsync(Rig.Stream("exe_b"), state => state.Ended)).Status);
            var aside = Assert.Single(rig.Engine.SetAside);
            Assert.Equal(Rig.Stream("exe_a"), aside.Stream);
            var refused = await Assert.ThrowsAsync<ExecutionSetAsideException>(
                async () => await rig.Engine.SubmitAsync(Rig.Stream("exe_a"), new PauseExecution(rig.Advancer.NowMs, "ada", "r1", null)));
            Assert.Equal(aside, refused.Execution);
            Assert.Equal(VerifyVerdict.Corrupt, (await rig.Verifier.VerifyAsync(Rig.Stream("exe_a")))!.Verdict);
            Assert.NotNull(await rig.Engine.ReleaseAsync(Rig.Stream("exe_a"))); // The cause is still there.
        }

        Garble(directory, "exe_a", record);
        await using (var rig = await Rig.OpenAsync(null, directory, masterKey))
        {
            Assert.Empty(rig.Engine.SetAside);
            Assert.Equal(ExecutionStatus.Succeeded, (await rig.WaitAsync(Rig.Stream("exe_a"), state => state.Ended)).Status);
        }

        Directory.Delete(directory, recursive: true);
    }

    /// <summary>A bug that throws while deciding sets aside one execution; released after the cause is gone, it goes on.</summary>
    [Fact]
    public async Task PoisonedExecution_ReleasedOnceItsCauseIsGone_GoesOnAndTheOthersNeverStopped()
    {
        var poisoned = true;
        var options = new RigOptions
        {
            Call = (request, _) => poisoned && request.EffectId.StartsWith("exe_bad", StringComparison.Ordinal)
                ? throw new InvalidOperationException("a bug")
                : Task.FromResult(new EffectOutcome { Result = request.Arguments }),
        };
        await using var rig = await Rig.OpenAsync(options);
        await rig.StartAsync(Spec, id: "exe_bad");
        Assert.Equal(ExecutionStatus.Succeeded, (await rig.RunAsync(Spec, id: "exe_good")).Status);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (rig.Engine.SetAside.Count == 0)
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }

        Assert.Contains("a bug", Assert.Single(rig.Engine.SetAside).Reason, StringComparison.Ordinal);
        poisoned = false;
        Assert.Null(await rig.Engine.ReleaseAsync(Rig.Stream("exe_bad")));
        Assert.Equal(ExecutionStatus.Succeeded, (await rig.WaitAsync(Rig.Stream("exe_bad"), state => state.Ended)).Status);
    }

    /// <summary>The end of the write-ahead log is torn off at every kind of place: what opens is a prefix that holds together.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(24)]
    [InlineData(4_000)]
    [InlineData(9_000)]
    [InlineData(40_000)]
    public async Task TornTail_OfTheWriteAheadLog_LeavesAPrefixThatVerifies(int bytesTorn)
    {
        var torn = Directory.CreateTempSubdirectory("omium-embedded-").FullName;
        byte[] masterKey;
        await using (var rig = await Rig.OpenAsync())
        {
            masterKey = rig.MasterKey;
            await rig.RunAsync(Spec, id: "exe_a");
            await rig.RunAsync(Spec, id: "exe_b");
            foreach (var name in (string[])["omium.db", "omium.db-wal"])
            {
                File.Copy(Path.Combine(rig.Directory, name), Path.Combine(torn, name)); // As a crash would leave it: the store is open.
            }
        }

        using (var log = new FileStream(Path.Combine(torn, "omium.db-wal"), FileMode.Open))
        {
            Assert.True(log.Length > bytesTorn, $"the log has {log.Length} bytes");
            log.SetLength(log.Length - bytesTorn);
        }

        await using (var rig = await Rig.OpenAsync(null, torn, masterKey))
        {
            Assert.Empty(rig.Engine.SetAside);
            foreach (var id in (string[])["exe_a", "exe_b"])
            {
                var report = await rig.Verifier.VerifyAsync(Rig.Stream(id));
                Assert.True(report is null or { Verdict: VerifyVerdict.Identical }, report?.Detail);
            }
        }

        Directory.Delete(torn, recursive: true);
    }

    [Fact]
    public async Task DamagedDatabase_IsNamedAndNothingIsMadeInItsPlace()
    {
        var directory = Directory.CreateTempSubdirectory("omium-embedded-").FullName;
        await LeaveUnderWayAsync(directory, "exe_a");
        var database = Path.Combine(directory, "omium.db");
        var whole = await File.ReadAllBytesAsync(database);
        await File.WriteAllBytesAsync(database, [.. new byte[64], .. whole[64..]]);
        Assert.Contains("storage_corrupt", Assert.Throws<StorageCorruptException>(() => EmbeddedStore.Open(new EmbeddedStoreOptions(directory))).Message, StringComparison.Ordinal);

        await File.WriteAllBytesAsync(database, []);
        await File.WriteAllTextAsync(Path.Combine(directory, "master.key"), "beside it");
        Assert.Contains("is empty", Assert.Throws<StorageCorruptException>(() => EmbeddedStore.Open(new EmbeddedStoreOptions(directory))).Message, StringComparison.Ordinal);
        Assert.Equal(0, new FileInfo(database).Length);
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>Starts executions whose first call is under way when the store closes.</summary>
    internal static async Task<byte[]> LeaveUnderWayAsync(string directory, params string[] ids)
    {
        var called = new SemaphoreSlim(0);
        var options = new RigOptions
        {
            Call = async (_, cancellation) =>
            {
                called.Release();
                await Task.Delay(Timeout.Infinite, cancellation);
                return new EffectOutcome();
            },
        };
        await using var rig = await Rig.OpenAsync(options, directory);
        foreach (var id in ids)
        {
            await rig.StartAsync(Spec, id: id);
            Assert.True(await called.WaitAsync(TimeSpan.FromSeconds(20)));
        }

        return rig.MasterKey;
    }

    /// <summary>Writes other bytes, or the ones given, over the body of an execution's first record; answers those that were there.</summary>
    private static byte[] Garble(string directory, string execution, byte[]? with)
    {
        using var connection = new SqliteConnection(Path.Combine(directory, "omium.db"), null, readOnly: false);
        var number = connection.ScalarInt64($"SELECT number FROM stream WHERE id = '{execution}'");
        var read = connection.Prepare("SELECT body FROM record WHERE stream = ?1 AND seq = 1");
        Assert.True(read.Bind(1, number).Step());
        var before = read.Bytes(0);
        read.Reset();
        connection.Prepare("UPDATE record SET body = ?1 WHERE stream = ?2 AND seq = 1").Bind(1, with ?? [.. before.Reverse()]).Bind(2, number).Run();
        return before;
    }
}
