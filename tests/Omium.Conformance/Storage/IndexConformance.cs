using Omium.Runtime.Ports;

namespace Omium.Conformance.Storage;

/// <summary>What every <see cref="IIndex"/> must do.</summary>
public abstract class IndexConformance(Func<StorageBackend> open) : StorageConformance(open)
{
    private int appends;

    [Fact]
    public async Task GetAsync_WrittenRow_IsReadBackWhole()
    {
        var row = new IndexRow("acme", IndexKinds.Failure, "fail_1", "exe_1")
        {
            Workflow = "onboarding",
            WorkflowVersion = 3,
            Status = "open",
            FailureClass = "hallucination",
            Step = "terms",
            Label = "apr_range",
            StartedBy = "key_1",
            By = "rollback",
            Active = true,
            CreatedUnixMs = 1_700_000_000_001,
            UpdatedUnixMs = 1_700_000_000_002,
            EndedUnixMs = 1_700_000_000_003,
        };
        await Put(row);

        Assert.Equal(row, await Index.GetAsync("acme", IndexKinds.Failure, "fail_1"));
        Assert.Null(await Index.GetAsync("zeta", IndexKinds.Failure, "fail_1"));
        Assert.Null(await Index.GetAsync("acme", IndexKinds.Review, "fail_1"));
    }

    [Fact]
    public async Task GetAsync_RowWrittenAgain_IsReplacedWhole()
    {
        var row = Row("exe_1", 10) with { Status = "running", Active = true, Step = "terms" };
        await Put(row);
        foreach (var changed in new[]
        {
            row with { Step = "score", UpdatedUnixMs = 11 },
            row with { Step = "score", UpdatedUnixMs = 12, By = "retry" },
            row with { Status = "completed", Active = false, Step = "", EndedUnixMs = 12 },
            row with { Workflow = "other", WorkflowVersion = 2, FailureClass = "timeout", CreatedUnixMs = 5, Label = "x" },
        })
        {
            await Put(changed);
            Assert.Equal(changed, await Index.GetAsync("acme", IndexKinds.Execution, "exe_1"));
            Assert.Equal(changed, Assert.Single((await Index.QueryAsync(Executions)).Rows));
        }
    }

    [Fact]
    public async Task QueryAsync_NoFilter_IsNewestFirstThenById()
    {
        await Put(Row("exe_b", 20), Row("exe_a", 20), Row("exe_d", 10), Row("exe_c", 30));

        var page = await Index.QueryAsync(Executions);

        Assert.Equal(["exe_c", "exe_b", "exe_a", "exe_d"], Ids(page));
        Assert.Null(page.NextCursor);
    }

    [Fact]
    public async Task QueryAsync_PagesWhileRowsAreAdded_NeitherRepeatNorSkip()
    {
        await Put([.. Enumerable.Range(10, 7).Select(number => Row($"exe_{number}", number / 2))]);
        var query = Executions with { Limit = 3 };
        var seen = new List<string>();

        var page = await Index.QueryAsync(query);
        for (var round = 0; ; round++)
        {
            seen.AddRange(Ids(page));
            if (page.NextCursor is null)
            {
                break;
            }

            await Put(Row($"newer_{round}", 1000 + round));
            page = await Index.QueryAsync(query with { Cursor = page.NextCursor });
        }

        Assert.Equal(["exe_16", "exe_15", "exe_14", "exe_13", "exe_12", "exe_11", "exe_10"], seen);
    }

    [Fact]
    public async Task QueryAsync_LastPageExactlyFull_HasNoNextCursor()
    {
        await Put(Row("exe_1", 1), Row("exe_2", 2));

        Assert.Null((await Index.QueryAsync(Executions with { Limit = 2 })).NextCursor);
        Assert.NotNull((await Index.QueryAsync(Executions with { Limit = 1 })).NextCursor);
    }

    [Fact]
    public async Task QueryAsync_EachFilter_AnswersOnlyWhatMatches()
    {
        await Put(
            Row("exe_1", 10) with { Workflow = "a", Status = "running" },
            Row("exe_2", 20) with { Workflow = "a", Status = "failed", FailureClass = "timeout" },
            Row("exe_3", 30) with { Workflow = "b", Status = "failed", FailureClass = "hallucination" },
            Row("exe_4", 40) with { Workflow = "b", Status = "running" });

        Assert.Equal(["exe_2", "exe_1"], await Query(Executions with { Workflow = "a" }));
        Assert.Equal(["exe_4", "exe_1"], await Query(Executions with { Status = "running" }));
        Assert.Equal(["exe_3"], await Query(Executions with { FailureClass = "hallucination" }));
        Assert.Equal(["exe_4", "exe_1"], await Query(Executions with { FailureClass = "" }));
        Assert.Equal(["exe_2"], await Query(Executions with { Execution = "exe_2" }));
        Assert.Equal(["exe_4", "exe_3", "exe_2"], await Query(Executions with { FromUnixMs = 20 }));
        Assert.Equal(["exe_1"], await Query(Executions with { ToUnixMs = 20 }));
        Assert.Equal(["exe_2"], await Query(Executions with { Workflow = "a", Status = "failed", FromUnixMs = 20, ToUnixMs = 21 }));
        Assert.Empty(await Query(Executions with { Workflow = "a", FailureClass = "hallucination" }));
    }

    [Fact]
    public async Task QueryAsync_FilterWithPages_KeepsTheFilter()
    {
        await Put([.. Enumerable.Range(0, 10).Select(number => Row($"exe_{number}", 100 + number) with { Status = number % 2 == 0 ? "even" : "odd" })]);
        var query = Executions with { Status = "odd", Limit = 2 };

        var first = await Index.QueryAsync(query);
        var second = await Index.QueryAsync(query with { Cursor = first.NextCursor });
        var third = await Index.QueryAsync(query with { Cursor = second.NextCursor });

        Assert.Equal(["exe_9", "exe_7", "exe_5", "exe_3", "exe_1"], [.. Ids(first), .. Ids(second), .. Ids(third)]);
        Assert.Null(third.NextCursor);
    }

    [Fact]
    public async Task QueryAsync_OtherKindAndTenant_AreNotListed()
    {
        await Put(
            Row("exe_1", 1),
            new IndexRow("acme", IndexKinds.Review, "rev_1", "exe_1") { CreatedUnixMs = 2 },
            new IndexRow("acme", IndexKinds.Review, "rev_2", "exe_2") { CreatedUnixMs = 3 },
            new IndexRow("zeta", IndexKinds.Execution, "exe_1", "exe_1") { CreatedUnixMs = 4 });

        Assert.Equal(["exe_1"], await Query(Executions));
        Assert.Equal(["rev_2", "rev_1"], await Query(new IndexQuery("acme", IndexKinds.Review)));
        Assert.Equal(["rev_1"], await Query(new IndexQuery("acme", IndexKinds.Review) { Execution = "exe_1" }));
    }

    [Fact]
    public async Task QueryAsync_LimitOrCursorOutOfRange_IsRefused()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Index.QueryAsync(Executions with { Limit = 0 }));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Index.QueryAsync(Executions with { Limit = 201 }));
        await Assert.ThrowsAsync<InvalidCursorException>(() => Index.QueryAsync(Executions with { Cursor = "???" }));
    }

    [Fact]
    public async Task ListActiveAsync_EveryTenant_InOrderAndInPages()
    {
        await Put(
            Row("exe_3", 1) with { Active = true },
            Row("exe_1", 2) with { Active = true },
            Row("exe_2", 3),
            new IndexRow("zeta", IndexKinds.Execution, "exe_0", "exe_0") { Active = true },
            new IndexRow("acme", IndexKinds.Review, "rev_1", "exe_2") { Active = true });

        Assert.Equal([new("acme", "exe_1"), new("acme", "exe_3"), new StreamId("zeta", "exe_0")], await Index.ListActiveAsync(null, 10));
        Assert.Equal([new("acme", "exe_1"), new StreamId("acme", "exe_3")], await Index.ListActiveAsync(null, 2));
        Assert.Equal([new StreamId("zeta", "exe_0")], await Index.ListActiveAsync(new StreamId("acme", "exe_3"), 2));
        Assert.Empty(await Index.ListActiveAsync(new StreamId("zeta", "exe_0"), 2));
    }

    [Fact]
    public async Task ListActiveAsync_RowThatBecomesInactive_LeavesTheList()
    {
        var row = Row("exe_1", 1) with { Active = true };
        await Put(row);
        await Put(row with { Active = false });

        Assert.Empty(await Index.ListActiveAsync(null, 10));
    }

    [Fact]
    public async Task CountByStatusAsync_Filter_CountsAllThatMatches()
    {
        await Put(
            Row("exe_1", 10) with { Status = "running", Workflow = "a" },
            Row("exe_2", 20) with { Status = "running", Workflow = "b" },
            Row("exe_3", 30) with { Status = "failed", Workflow = "a" });

        var all = await Index.CountByStatusAsync(Executions with { Limit = 1, Cursor = "ignored" });
        var some = await Index.CountByStatusAsync(Executions with { Workflow = "a", ToUnixMs = 30 });

        Assert.Equal(new Dictionary<string, long> { ["running"] = 2, ["failed"] = 1 }, all);
        Assert.Equal(new Dictionary<string, long> { ["running"] = 1 }, some);
    }

    [Fact]
    public async Task QueryAsync_Terms_AnswersWhatIsFoundByAllOfThem()
    {
        Assert.SkipUnless(Index.CanSearch, "This index has no search.");
        await Put(
            Row("exe_1", 10) with { Terms = [1, 2] },
            Row("exe_2", 20) with { Terms = [2, 3], Status = "failed" },
            Row("exe_3", 30) with { Terms = [1, 2, 3] },
            Row("exe_4", 40));
        await Put(Row("exe_4", 40) with { Terms = [2] }, Row("exe_1", 10) with { Status = "failed" });

        Assert.Equal(["exe_4", "exe_3", "exe_2", "exe_1"], await Query(Executions with { Terms = [2] }));
        Assert.Equal(["exe_3", "exe_1"], await Query(Executions with { Terms = [2, 1] }));
        Assert.Equal(["exe_1"], await Query(Executions with { Terms = [1], Status = "failed" }));
        Assert.Equal(["exe_3"], await Query(Executions with { Terms = [1], FromUnixMs = 20 }));
        Assert.Empty(await Query(Executions with { Terms = [1, 4] }));
        Assert.All((await Index.QueryAsync(Executions)).Rows, row => Assert.Null(row.Terms));
    }

    [Fact]
    public async Task QueryAsync_TermsInPages_NeitherRepeatNorSkip()
    {
        Assert.SkipUnless(Index.CanSearch, "This index has no search.");
        await Put([.. Enumerable.Range(10, 20).Select(number => Row($"exe_{number}", number / 3) with { Terms = number % 2 == 0 ? [7, 8] : [8] })]);
        var query = Executions with { Terms = [7, 8], Limit = 3 };
        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = await Index.QueryAsync(query with { Cursor = cursor });
            seen.AddRange(Ids(page));
            cursor = page.NextCursor;
        }
        while (cursor is not null);

        Assert.Equal([.. Enumerable.Range(0, 10).Select(number => $"exe_{28 - (2 * number)}")], seen);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(10)]
    public async Task QueryAsync_AlsoId_IsInItsPlaceOnce(int limit)
    {
        Assert.SkipUnless(Index.CanSearch, "This index has no search.");
        await Put([.. Enumerable.Range(1, 6).Select(number => Row($"exe_{number}", 10 * number) with { Terms = number == 3 ? [] : [7] })]);
        var query = Executions with { Terms = [7], AlsoId = "exe_3", Limit = limit };
        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = await Index.QueryAsync(query with { Cursor = cursor });
            Assert.True(page.Rows.Count <= limit);
            seen.AddRange(Ids(page));
            cursor = page.NextCursor;
        }
        while (cursor is not null);

        Assert.Equal(["exe_6", "exe_5", "exe_4", "exe_3", "exe_2", "exe_1"], seen);
        Assert.DoesNotContain("exe_3", await Query(query with { Limit = 10, Status = "failed" }));
    }

    [Fact]
    public async Task DestroyKeyAsync_OfAnExecution_TakesItsTermsOut()
    {
        Assert.SkipUnless(Index.CanSearch, "This index has no search.");
        var failure = new IndexRow("acme", IndexKinds.Failure, "exe_1.terms.1.1", "exe_1") { CreatedUnixMs = 5, Terms = [9] };
        await Log.AppendAsync(Sample.Append(Sample.Stream("exe_1"), 0) with { StreamKey = [1], Index = [Row("exe_1", 1) with { Terms = [9] }, failure] });
        await Log.AppendAsync(Sample.Append(Sample.Stream("exe_2"), 0) with { StreamKey = [1], Index = [Row("exe_2", 2) with { Terms = [9] }] });

        await Log.DestroyKeyAsync(Sample.Stream("exe_1"));

        Assert.Equal(["exe_2"], await Query(Executions with { Terms = [9] }));
        Assert.Empty(await Query(new IndexQuery("acme", IndexKinds.Failure) { Terms = [9] }));
        Assert.Equal(["exe_2", "exe_1"], await Query(Executions));
    }

    [Fact]
    public async Task QueryAsync_IdPrefix_AnswersWhatBeginsSo()
    {
        await Put(Row("exe_aa1", 30), Row("exe_ab1", 20), Row("exe_ab2", 40), Row("exe_b", 10));

        Assert.Equal(["exe_ab2", "exe_ab1"], await Query(Executions with { IdPrefix = "exe_ab" }));
        Assert.Equal(["exe_b"], await Query(Executions with { IdPrefix = "exe_b" }));
        Assert.Empty(await Query(Executions with { IdPrefix = "exe_c" }));
    }

    [Fact]
    public async Task GetAsync_RowWrittenWithoutItsStarter_KeepsIt()
    {
        await Put(Row("exe_1", 10) with { StartedBy = "key_1" });
        await Put(Row("exe_1", 10) with { Status = "failed" });

        Assert.Equal("key_1", (await Index.GetAsync("acme", IndexKinds.Execution, "exe_1"))?.StartedBy);
    }

    [Fact]
    public async Task CountAsync_ByFieldAndSpan_CountsAndAddsDurations()
    {
        await Put(
            Row("exe_1", 1_000) with { Status = "succeeded", Workflow = "a", EndedUnixMs = 1_100, StartedBy = "key_1" },
            Row("exe_2", 1_900) with { Status = "succeeded", Workflow = "a", EndedUnixMs = 2_100 },
            Row("exe_3", 1_950) with { Status = "running", Workflow = "b" },
            Row("exe_4", 2_000) with { Status = "failed", Workflow = "a", FailureClass = "timeout", EndedUnixMs = 2_001 });

        Assert.Equal(
            [new("a", 1_000, "succeeded", 2, 2, 300), new("b", 1_000, "running", 1, 0, 0), new IndexCount("a", 2_000, "failed", 1, 1, 1)],
            await Index.CountAsync(Executions, IndexField.Workflow, 1_000));
        Assert.Equal([new IndexCount("timeout", 2_000, "failed", 1, 1, 1)], await Index.CountAsync(Executions with { FailureClass = "timeout" }, IndexField.FailureClass, 1_000));
        Assert.Contains(new IndexCount("key_1", 0, "succeeded", 1, 1, 100), await Index.CountAsync(Executions, IndexField.StartedBy, 10_000));
        Assert.Equal([900L, 1_900, 1_900], (await Index.CountAsync(Executions, IndexField.Workflow, 1_000, originMs: 900)).Select(count => count.FromUnixMs).Order().Take(3));
    }

    [Fact]
    public async Task CountAsync_WhatBroughtAStatusAbout_IsToldApart()
    {
        await Put(
            Failure("1", 1_000) with { EndedUnixMs = 1_010, Status = "resolved", By = "rollback" },
            Failure("2", 1_001) with { EndedUnixMs = 1_021, Status = "resolved", By = "retry" },
            Failure("3", 1_002) with { EndedUnixMs = 1_032, Status = "resolved", By = "rollback" },
            Failure("4", 1_003));

        Assert.Equal(
            [
                new("timeout", 0, "open", 1, 0, 0), new("timeout", 0, "resolved", 1, 1, 20, "retry"),
                new IndexCount("timeout", 0, "resolved", 2, 2, 40, "rollback"),
            ],
            await Index.CountAsync(Failures, IndexField.FailureClass, long.MaxValue));
    }

    [Fact]
    public async Task PercentilesAsync_ByFieldAndTogether_AreExactByNearestRank()
    {
        // Recoveries of a: 100, 200, ... 1000 ms, written in no order. One of b. Two that are still open.
        await Put([.. Enumerable.Range(1, 10).Select(number => number * 7 % 11).Select(number =>
            Failure($"a{number}", 1_000 + number) with { Workflow = "a", EndedUnixMs = 1_000 + number + (100 * number) })]);
        await Put(
            Failure("b", 2_000) with { Workflow = "b", EndedUnixMs = 2_070, FailureClass = "hallucination" }, Failure("c", 2_001) with { Workflow = "a" },
            Failure("d", 2_002) with { Workflow = "c" });

        Equal([("a", 10, 500, 1_000, 100), ("b", 1, 70, 70, 70)], await Index.PercentilesAsync(Failures, IndexField.Workflow, [50, 99, 10]));
        Equal([("", 11, 500, 1_000, 100)], await Index.PercentilesAsync(Failures, null, [50, 99, 10])); // Sorted: 70, 100, 200 ...
        Equal([("hallucination", 1, 70, 70, 70)], await Index.PercentilesAsync(Failures with { Workflow = "b" }, IndexField.FailureClass, [50, 99, 10]));
        Equal([("", 3, 200, 300, 100)], await Index.PercentilesAsync(Failures with { ToUnixMs = 1_004 }, null, [50, 99, 10]));
        Assert.Empty(await Index.PercentilesAsync(Failures with { FromUnixMs = 2_001 }, null, [50]));
        Assert.Empty(await Index.PercentilesAsync(Failures with { Tenant = "zeta" }, IndexField.Workflow, [50]));

        static void Equal((string Value, long Count, long P50, long P99, long P10)[] expected, IReadOnlyList<IndexDurations> actual) =>
            Assert.Equal(expected, actual.Select(one => (one.Value, one.Count, one.PercentilesMs[0], one.PercentilesMs[1], one.PercentilesMs[2])));
    }

    private static IndexQuery Failures => new("acme", IndexKinds.Failure);

    private static IndexRow Failure(string id, long createdUnixMs) =>
        new("acme", IndexKinds.Failure, id, "exe_1") { CreatedUnixMs = createdUnixMs, Status = "open", FailureClass = "timeout" };

    private static IndexQuery Executions => new("acme", IndexKinds.Execution);

    private static IndexRow Row(string id, long createdUnixMs) =>
        new("acme", IndexKinds.Execution, id, id) { CreatedUnixMs = createdUnixMs, Status = "running" };

    private static IEnumerable<string> Ids(IndexPage page) => page.Rows.Select(row => row.Id);

    private async Task<IEnumerable<string>> Query(IndexQuery query) => Ids(await Index.QueryAsync(query));

    /// <summary>Rows reach the index only with a record.</summary>
    private async Task Put(params IndexRow[] rows) =>
        Assert.Equal(
            AppendStatus.Appended,
            (await Log.AppendAsync(Sample.Append(Sample.Stream("writer"), appends++) with { Index = rows })).Status);
}
