using System.Collections.Concurrent;
using Omium.Runtime.Ports;

namespace Omium.Conformance.Storage;

/// <summary>What every <see cref="IEventLog"/> must do.</summary>
public abstract class EventLogConformance(Func<StorageBackend> open) : StorageConformance(open)
{
    private static readonly StreamId Stream = Sample.Stream();

    /// <summary>A backend far away may make the long stream shorter.</summary>
    protected virtual int LongStreamRecords => 10_000;

    [Fact]
    public async Task AppendAsync_FirstRecord_IsReadBackWhole()
    {
        var outcome = await Log.AppendAsync(Sample.Append(Stream, 0));

        Assert.Equal(new AppendOutcome(AppendStatus.Appended, 1), outcome);
        Sample.AssertEqual(Sample.Record(1), Assert.Single(await Log.ReadAsync(Stream, 0, 10)));
    }

    [Fact]
    public async Task AppendAsync_EmptyBodyAndTexts_AreKeptEmpty()
    {
        var record = Sample.Record(1, body: []) with { EventTypes = "", Command = "" };
        await Log.AppendAsync(new Append(Stream, 0, record));

        Sample.AssertEqual(record, Assert.Single(await Log.ReadAsync(Stream, 0, 10)));
    }

    [Fact]
    public async Task AppendAsync_OldPlace_ConflictsAndTellsTheEnd()
    {
        await AppendMany(Stream, 3);

        var outcome = await Log.AppendAsync(Sample.Append(Stream, 1, "other"));

        Assert.Equal(new AppendOutcome(AppendStatus.Conflict, 3), outcome);
        Assert.Equal(3, (await Log.ReadAsync(Stream, 0, 10)).Count);
    }

    [Fact]
    public async Task AppendAsync_PlaceBeyondTheEnd_ConflictsSoThatNoGapArises()
    {
        await AppendMany(Stream, 2);

        Assert.Equal(new AppendOutcome(AppendStatus.Conflict, 2), await Log.AppendAsync(Sample.Append(Stream, 5)));
        Assert.Equal(new AppendOutcome(AppendStatus.Conflict, 0), await Log.AppendAsync(Sample.Append(Sample.Stream("none"), 1)));
        Assert.Empty(await Log.ReadAsync(Sample.Stream("none"), 0, 10));
    }

    [Fact]
    public async Task AppendAsync_SameAppendIdAgain_AnswersAppendedAndChangesNothing()
    {
        await AppendMany(Stream, 3);
        var repeated = Sample.Append(Stream, 1, "app_2", body: [9, 9]) with
        {
            Payloads = [new SealedPayload("scope", "late", [1])],
        };

        Assert.Equal(new AppendOutcome(AppendStatus.Appended, 3), await Log.AppendAsync(repeated));
        Sample.AssertEqual(Sample.Record(2), (await Log.ReadAsync(Stream, 0, 10))[1]);
        Assert.Null(await Payloads.GetAsync(Stream.Tenant, "scope", "late"));
    }

    [Fact]
    public async Task AppendAsync_SameAppendTwiceAtOnce_IsStoredOnce()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => Log.AppendAsync(Sample.Append(Stream, 0, "same")))));

        Assert.All(outcomes, outcome => Assert.Equal(new AppendOutcome(AppendStatus.Appended, 1), outcome));
        Assert.Single(await Log.ReadAsync(Stream, 0, 10));
    }

    [Fact]
    public async Task AppendAsync_RacingWriters_ExactlyOneWinsEachPlace()
    {
        const int Writers = 8;
        const int Places = 40;
        var winners = new ConcurrentDictionary<long, string>();

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            for (long last = 0; last < Places;)
            {
                var appendId = $"writer_{writer}_at_{last}";
                var outcome = await Log.AppendAsync(Sample.Append(Stream, last, appendId));
                if (outcome.Status == AppendStatus.Appended)
                {
                    Assert.True(winners.TryAdd(last + 1, appendId), $"place {last + 1} was won twice");
                }
                else
                {
                    Assert.True(outcome.LastSeq > last);
                }

                last = outcome.LastSeq;
            }
        })));

        var records = await Log.ReadAsync(Stream, 0, Places * 2);
        Assert.Equal(Enumerable.Range(1, Places).Select(place => (long)place), records.Select(record => record.Seq));
        Assert.All(records, record => Assert.Equal(winners[record.Seq], record.AppendId));
    }

    [Fact]
    public async Task AppendAsync_ManyStreamsAtOnce_KeepsThemApart()
    {
        var streams = Enumerable.Range(0, 50).Select(number => Sample.Stream($"exe_{number}", number % 2 == 0 ? "acme" : "zeta")).ToList();

        await Task.WhenAll(streams.Select(stream => Task.Run(() => AppendMany(stream, 5))));

        foreach (var stream in streams)
        {
            Assert.Equal([1L, 2, 3, 4, 5], (await Log.ReadAsync(stream, 0, 100)).Select(record => record.Seq));
        }
    }

    [Fact]
    public async Task AppendAsync_SameIdInTwoTenants_AreTwoStreams()
    {
        await Log.AppendAsync(Sample.Append(Sample.Stream(tenant: "a"), 0, "in_a"));
        await Log.AppendAsync(Sample.Append(Sample.Stream(tenant: "b"), 0, "in_b"));

        Assert.Equal("in_a", Assert.Single(await Log.ReadAsync(Sample.Stream(tenant: "a"), 0, 10)).AppendId);
        Assert.Equal("in_b", Assert.Single(await Log.ReadAsync(Sample.Stream(tenant: "b"), 0, 10)).AppendId);
    }

    [Fact]
    public async Task AppendAsync_Conflict_LeavesPayloadsAndIndexAlone()
    {
        await AppendMany(Stream, 1);
        var losing = Sample.Append(Stream, 0, "other") with
        {
            Payloads = [new SealedPayload("scope", "lost", [1])],
            Index = [new IndexRow(Stream.Tenant, IndexKinds.Execution, Stream.Id, Stream.Id)],
        };

        Assert.Equal(AppendStatus.Conflict, (await Log.AppendAsync(losing)).Status);
        Assert.Null(await Payloads.GetAsync(Stream.Tenant, "scope", "lost"));
        Assert.Null(await Index.GetAsync(Stream.Tenant, IndexKinds.Execution, Stream.Id));
    }

    [Fact]
    public async Task AppendAsync_WithPayloadsAndIndex_AreThereWithTheRecord()
    {
        await Payloads.PutIfAbsentAsync(Stream.Tenant, new SealedPayload("scope", "old", [1]));
        await Log.AppendAsync(Sample.Append(Stream, 0) with
        {
            Payloads = [new SealedPayload("scope", "old", [2]), new SealedPayload("scope", "new", [3])],
            Index = [new IndexRow(Stream.Tenant, IndexKinds.Execution, Stream.Id, Stream.Id) { Status = "running" }],
        });

        Assert.Equal([1], await Payloads.GetAsync(Stream.Tenant, "scope", "old"));
        Assert.Equal([3], await Payloads.GetAsync(Stream.Tenant, "scope", "new"));
        Assert.Equal("running", (await Index.GetAsync(Stream.Tenant, IndexKinds.Execution, Stream.Id))?.Status);
    }

    [Fact]
    public async Task AppendAsync_OneMebibyteBody_IsReadBack()
    {
        var body = Sample.Bytes(1024 * 1024);
        await Log.AppendAsync(Sample.Append(Stream, 0, body: body));

        Assert.Equal(body, (await Log.ReadAsync(Stream, 0, 1))[0].Body);
    }

    [Fact]
    public async Task AppendAsync_RecordForAnotherPlace_IsRefused()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Log.AppendAsync(new Append(Stream, 0, Sample.Record(2))));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Log.AppendAsync(new Append(Stream, -1, Sample.Record(0))));
    }

    [Fact]
    public async Task AppendAsync_KeyWithALaterRecord_IsRefused()
    {
        await AppendMany(Stream, 1);

        await Assert.ThrowsAnyAsync<ArgumentException>(() => Log.AppendAsync(Sample.Append(Stream, 1) with { StreamKey = [1] }));
    }

    [Fact]
    public async Task AppendAsync_CancelledBefore_AppendsNothing()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Log.AppendAsync(Sample.Append(Stream, 0), new CancellationToken(canceled: true)));

        Assert.Empty(await Log.ReadAsync(Stream, 0, 1));
    }

    [Fact]
    public async Task ReadAsync_AfterSeqAndCountMax_AnswersThatPart()
    {
        await AppendMany(Stream, 6);

        Assert.Equal([3L, 4], (await Log.ReadAsync(Stream, 2, 2)).Select(record => record.Seq));
        Assert.Equal([6L], (await Log.ReadAsync(Stream, 5, 10)).Select(record => record.Seq));
        Assert.Empty(await Log.ReadAsync(Stream, 6, 10));
        Assert.Empty(await Log.ReadAsync(Stream, 0, 0));
        Assert.Empty(await Log.ReadAsync(Sample.Stream("none"), 0, 10));
    }

    [Fact]
    public async Task ReadAsync_LongStream_IsWholeAndInOrder()
    {
        await AppendMany(Stream, LongStreamRecords);

        var records = await Log.ReadAsync(Stream, 0, int.MaxValue);

        Assert.Equal(LongStreamRecords, records.Count);
        for (var i = 0; i < records.Count; i++)
        {
            Assert.Equal(i + 1, records[i].Seq);
        }

        Sample.AssertEqual(Sample.Record(LongStreamRecords), records[^1]);
    }

    [Fact]
    public async Task ReadKeyAsync_OfAStream_AnswersTheKeyOfItsFirstRecord()
    {
        await Log.AppendAsync(Sample.Append(Stream, 0) with { StreamKey = [1, 2, 3] });
        await Log.AppendAsync(Sample.Append(Stream, 1));

        Assert.Equal([1, 2, 3], await Log.ReadKeyAsync(Stream));
        Assert.Null(await Log.ReadKeyAsync(Sample.Stream("none")));
    }

    [Fact]
    public async Task DestroyKeyAsync_KeyIsGoneAndTheRecordsStay()
    {
        var other = Sample.Stream("exe_2");
        await Log.AppendAsync(Sample.Append(Stream, 0) with { StreamKey = [1, 2, 3] });
        await Log.AppendAsync(Sample.Append(other, 0) with { StreamKey = [4] });

        await Log.DestroyKeyAsync(Stream);
        await Log.DestroyKeyAsync(Stream);
        await Log.DestroyKeyAsync(Sample.Stream("none"));

        Assert.Null(await Log.ReadKeyAsync(Stream));
        Assert.Equal([4], await Log.ReadKeyAsync(other));
        Sample.AssertEqual(Sample.Record(1), Assert.Single(await Log.ReadAsync(Stream, 0, 10)));
        Assert.Equal(AppendStatus.Appended, (await Log.AppendAsync(Sample.Append(Stream, 1))).Status);
        Assert.Null(await Log.ReadKeyAsync(Stream));
    }

    protected async Task AppendMany(StreamId stream, int count)
    {
        for (var seq = 0; seq < count; seq++)
        {
            var outcome = await Log.AppendAsync(Sample.Append(stream, seq));
            Assert.Equal(new AppendOutcome(AppendStatus.Appended, seq + 1), outcome);
        }
    }
}
