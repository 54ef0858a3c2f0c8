using Omium.Embedded.Storage;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;

namespace Omium.Embedded.Tests.Upgrade;

/// <summary>
/// Data directories that earlier builds left, kept under tests/golden/data-directories: each build opens a copy, verifies what is in it, resumes
/// the run that was paused, and finishes it. OMIUM_GOLDEN=write adds today's.
/// </summary>
public sealed class DataDirectoryTests
{
    private const string Today = "2026-11", KeyName = "master.key", Paused = "exe_paused", Finished = "exe_finished";

    private const string Spec = """
        omium: v0
        name: kept
        tools: {work: {type: function, function: work, effect: {kind: idempotent}}}
        steps:
          - {id: first, type: tool_call, tool: work, input: {n: 1, text: "${{ input.text }}"}}
          - {id: ask, type: human_approval, needs: [first]}
          - {id: second, type: tool_call, tool: work, needs: [ask], input: {n: 2, first: "${{ steps.first.output.n }}"}}
        """;

    public static IEnumerable<TheoryDataRow<string>> Kept() =>
        Directory.Exists(Root) ? Directory.EnumerateDirectories(Root).Select(directory => new TheoryDataRow<string>(Path.GetFileName(directory)!)) : [];

    private static string Root { get; } = Path.Combine(RepositoryRoot(), "tests", "golden", "data-directories");

    [Theory]
    [MemberData(nameof(Kept))]
    public async Task DataDirectory_OfAnEarlierBuild_IsVerifiedResumedAndFinished(string build)
    {
        var directory = Directory.CreateTempSubdirectory("omium-embedded-").FullName;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Root, build)))
        {
            File.Copy(file, Path.Combine(directory, Path.GetFileName(file)));
        }

        var calls = 0;
        var options = new RigOptions
        {
            Call = (request, _) =>
            {
                Interlocked.Increment(ref calls);
                return Task.FromResult(new EffectOutcome { Result = request.Arguments });
            },
        };
        await using (var rig = await Rig.OpenAsync(options, directory, await File.ReadAllBytesAsync(Path.Combine(directory, KeyName))))
        {
            Assert.Empty(rig.Engine.SetAside);
            await AssertHoldsAsync(rig, Finished);
            await AssertHoldsAsync(rig, Paused);
            var state = (await rig.Advancer.FindAsync(Rig.Stream(Paused)))!.State;
            Assert.Equal(ExecutionStatus.Paused, state.Status);
            Assert.Equal(0, calls);

            await rig.Engine.SubmitAsync(Rig.Stream(Paused), new ResumeExecution(rig.Advancer.NowMs, "ada", "resume-1"));
            var review = state.Reviews[Assert.Single(state.OpenReviews)].Request;
            await rig.Engine.SubmitAsync(Rig.Stream(Paused), new DecideReview(Math.Min(rig.Advancer.NowMs, review.ExpiresMs - 1), review.Review, "approve", review.Digest, "ada", null, null, null, null));
            var ended = await rig.WaitAsync(Rig.Stream(Paused), state => state.Ended);
            Assert.Equal((ExecutionStatus.Succeeded, 1), (ended.Status, calls)); // The first step is not done again.
            await AssertHoldsAsync(rig, Paused);
        }

        Directory.Delete(directory, recursive: true);
    }

    /// <summary>Today's directory, as a stopped process leaves it. Written once for each release; those that are there never change.</summary>
    [Fact]
    public async Task DataDirectory_OfToday_IsKept()
    {
        var kept = Path.Combine(Root, Today);
        if (Environment.GetEnvironmentVariable("OMIUM_GOLDEN") == "write")
        {
            var directory = Directory.CreateTempSubdirectory("omium-embedded-").FullName;
            byte[] masterKey;
            await using (var rig = await Rig.OpenAsync(null, directory))
            {
                masterKey = rig.MasterKey;
                var input = $$"""{"text": "{{string.Concat(Enumerable.Range(0, 800).Select(i => $"{i} "))}}{{new string('-', 2_000)}}"}""";
                foreach (var id in (string[])[Finished, Paused])
                {
                    var asked = await rig.StartAsync(Spec, input, id);
                    var waiting = await rig.WaitAsync(asked.Stream, state => state.OpenReviews.Count == 1);
                    var review = waiting.Reviews[waiting.OpenReviews[0]].Request;
                    await rig.Engine.SubmitAsync(asked.Stream, id == Paused
                        ? new PauseExecution(rig.Advancer.NowMs, "ada", "pause-1", "kept for later builds")
                        : new DecideReview(rig.Advancer.NowMs, review.Review, "approve", review.Digest, "ada", null, null, null, null));
                    await rig.WaitAsync(asked.Stream, state => state.Ended || state.Status == ExecutionStatus.Paused);
                }
            }

            Directory.CreateDirectory(kept);
            File.Copy(Path.Combine(directory, "omium.db"), Path.Combine(kept, "omium.db"), overwrite: true);
            await File.WriteAllBytesAsync(Path.Combine(kept, KeyName), masterKey);
            Directory.Delete(directory, recursive: true);
        }

        Assert.True(File.Exists(Path.Combine(kept, "omium.db")), $"{kept} is missing: run this test with OMIUM_GOLDEN=write.");
        Assert.InRange(new FileInfo(Path.Combine(kept, "omium.db")).Length, 1, 300_000);
    }

    private static async Task AssertHoldsAsync(Rig rig, string execution)
    {
        var report = await rig.Verifier.VerifyAsync(Rig.Stream(execution));
        Assert.True(report is { Verdict: VerifyVerdict.Identical or VerifyVerdict.Consistent }, report?.Detail ?? $"{execution} is not there");
    }

    private static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Omium.slnf")))
        {
            directory = directory.Parent ?? throw new InvalidOperationException("the tests run outside the repository");
        }

        return directory.FullName;
    }
}
