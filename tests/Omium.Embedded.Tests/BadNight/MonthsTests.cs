using System.Diagnostics;
using System.Globalization;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Embedded.Tests.BadNight;

/// <summary>S37, a log grown for months: a start touches only what is under way, however much has been finished. OMIUM_MONTHS sets how much (200,000 in the full run).</summary>
public sealed class MonthsTests
{
    private const int UnderWay = 3;
    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(2);
    private const long MemoryBytesMax = 64 * 1024 * 1024;

    [Fact]
    public async Task Start_OnALogOfManyFinishedExecutions_TakesUpOnlyWhatIsUnderWay()
    {
        var finished = int.Parse(Environment.GetEnvironmentVariable("OMIUM_MONTHS") is { Length: > 0 } count ? count : "5000", CultureInfo.InvariantCulture);
        var directory = Directory.CreateTempSubdirectory("omium-embedded-").FullName;
        var masterKey = await PoisonTests.LeaveUnderWayAsync(directory, [.. Enumerable.Range(0, UnderWay).Select(i => $"exe_under_way_{i}")]);
        await using (var rig = await Rig.OpenAsync(new RigOptions { Call = (_, cancellation) => Forever(cancellation) }, directory, masterKey))
        {
            foreach (var batch in Enumerable.Range(0, finished).Chunk(2_000))
            {
                await Task.WhenAll(batch.Select(i => rig.Store.Log.AppendAsync(Finished(i))));
            }
        }

        var memory = GC.GetTotalMemory(forceFullCollection: true);
        var since = Stopwatch.GetTimestamp();
        await using (var rig = await Rig.OpenAsync(null, directory, masterKey))
        {
            var took = Stopwatch.GetElapsedTime(since);
            var more = GC.GetTotalMemory(forceFullCollection: true) - memory;
            TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{finished:N0} finished executions, {new FileInfo(Path.Combine(directory, "omium.db")).Length:N0} bytes: started in {took.TotalMilliseconds:0} ms with {more:N0} bytes more on the heap"));
            Assert.Equal(UnderWay, rig.Recovered);
            Assert.InRange(took, TimeSpan.Zero, StartMax);
            Assert.InRange(more, long.MinValue, MemoryBytesMax);
            for (var i = 0; i < UnderWay; i++)
            {
                Assert.Equal(ExecutionStatus.Succeeded, (await rig.WaitAsync(Rig.Stream($"exe_under_way_{i}"), state => state.Ended)).Status);
            }
        }

        Directory.Delete(directory, recursive: true);
    }

    private static async Task<EffectOutcome> Forever(CancellationToken cancellation)
    {
        await Task.Delay(Timeout.Infinite, cancellation);
        return new EffectOutcome();
    }

    /// <summary>One finished execution as the log and the index hold it; its body is never read.</summary>
    private static Append Finished(int number)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"exe_old_{number:D7}");
        var record = new LogRecord(1, id, 1, 1_000 + number, "start", "execution.started execution.succeeded", RecordCodec.Genesis, new byte[32], new byte[700]);
        var row = new IndexRow(Rig.Tenant, IndexKinds.Execution, id, id) { Workflow = "old", Status = "succeeded", CreatedUnixMs = 1_000 + number, UpdatedUnixMs = 1_000 + number, EndedUnixMs = 1_000 + number };
        return new Append(Rig.Stream(id), 0, record) { StreamKey = new byte[60], Index = [row] };
    }
}
