using System.Diagnostics;
using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>
/// S37: a disk that is full and has space again, and a backup that is restored into a later time with an effect in doubt. (A clock set back, torn and
/// garbled data, a poisoned execution and a log of months are played on the store and the engine in Omium.Embedded.Tests, where a process cannot be
/// brought.)
/// </summary>
public sealed class S37BadNightTests
{
    [Fact]
    public async Task S37_DiskFull_ReadsAnswerTheAlarmIsClearAndItGoesOnByItself()
    {
        _ = Surroundings.Binary;
        var disk = Directory.CreateTempSubdirectory("omium-e2e-disk-").FullName;
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk), "A small file system of its own cannot be mounted here.");
        try
        {
            await using var omium = await OmiumProcess.StartAsync(Path.Combine(disk, "data"), new Dictionary<string, string>(), "--no-console");
            using var client = new OmiumClient(omium);
            await client.SaveAsync("""
                omium: v0
                name: asking
                tools: {work: {type: function, function: noop}}
                steps:
                  - {id: ask, type: human_approval}
                  - {id: work, type: tool_call, tool: work, needs: [ask], input: {n: 1}}
                """);
            var start = new JsonObject { ["workflow"] = "asking" };
            var kept = (string)(await client.PostAsync("/v1/executions", start)).Expect(HttpStatusCode.Created)["id"]!;
            var review = await Payments.ReviewAsync(client, kept, "approval");

            var filler = Path.Combine(disk, "filler");
            Fill(filler);
            var acknowledged = new List<string>();
            Reply refused;
            do
            {
                refused = await client.PostAsync("/v1/executions", start); // What fits into the last pages is taken.
                if (refused.Status == HttpStatusCode.Created)
                {
                    acknowledged.Add((string)refused.Json["id"]!);
                    Fill(filler);
                }
            }
            while (refused.Status == HttpStatusCode.Created);

            refused.ExpectProblem(HttpStatusCode.InsufficientStorage, "storage_full");
            Assert.Equal("waiting", (string?)(await client.GetAsync($"/v1/executions/{kept}"))["status"]);
            Assert.Contains((await client.GetAsync("/v1/health-summary"))["alarms"]!.AsArray(), alarm => (string?)alarm!["code"] == "storage_full");
            (await client.PostAsync("/v1/executions", start)).ExpectProblem(HttpStatusCode.InsufficientStorage, "storage_full");
            var told = Assert.Single(omium.Errors.Split('\n'), line => line.Contains("The store takes no records", StringComparison.Ordinal)); // Once, however many are refused.
            Assert.Contains("Free space", told, StringComparison.Ordinal);

            File.Delete(filler);
            (await Payments.DecideAsync(client, review, "approve")).Expect(HttpStatusCode.OK);
            await client.WaitForStatusAsync(kept, "succeeded");
            await WaitForCalmAsync(client);
            Assert.Single(omium.Errors.Split('\n'), line => line.Contains("The store takes records again", StringComparison.Ordinal));
            foreach (var execution in acknowledged)
            {
                Assert.Equal("waiting", (string?)(await client.GetAsync($"/v1/executions/{execution}"))["status"]); // Nothing that was acknowledged is lost.
            }

            await Payments.AssertVerifiesAsync(client, kept);
        }
        finally
        {
            Run("umount", disk);
            Directory.Delete(disk);
        }
    }

    [Fact]
    public async Task S37_ABackupRestoredLater_IsPausedAndPaysNothingBeforeAPersonHasSaidSo()
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Payments.Irreversible(world.Receiver.Address));
        await world.Receiver.ControlAsync(new JsonObject { ["name"] = Payments.Pay, ["hold_after_count"] = true });
        var execution = await Payments.StartAsync(world.Client);
        (await Payments.DecideAsync(world.Client, await Payments.ReviewAsync(world.Client, execution, "approval"), "approve")).Expect(HttpStatusCode.OK);
        await world.Receiver.WaitAsync(Payments.Pay, effects: 1, holding: 1);

        var backup = Path.Combine(Path.GetDirectoryName(world.Omium.DataDirectory)!, "backup");
        Assert.Equal(0, await RunOmiumAsync("backup", backup, "--data", world.Omium.DataDirectory)); // While it runs and pays.
        await world.Receiver.ReleaseAsync(Payments.Pay);
        await world.Client.WaitForStatusAsync(execution, "succeeded");
        Assert.Equal(0, await world.Omium.TerminateAsync(TimeSpan.FromSeconds(10)));

        var restored = Path.Combine(Path.GetDirectoryName(world.Omium.DataDirectory)!, "restored");
        Assert.Equal(1, await RunOmiumAsync("restore", backup, "--data", world.Omium.DataDirectory)); // Never over data that is there.
        Assert.Equal(0, await RunOmiumAsync("restore", backup, "--data", restored));
        var environment = new Dictionary<string, string> { ["OMIUM_TOOLS_ALLOW_PRIVATE_ADDRESSES"] = "true" };
        await using var later = await OmiumProcess.StartAsync(restored, environment, "--no-console");
        using var client = new OmiumClient(later);

        var paused = await client.GetAsync($"/v1/executions/{execution}");
        Assert.Equal("paused", (string?)paused["status"]);
        var asked = await client.GetAsync($"/v1/reviews/{Assert.Single(paused["open_reviews"]!.AsArray())}");
        Assert.Equal("in_doubt", (string?)asked["kind"]);
        (await Payments.DecideAsync(client, asked, "done", output: new JsonObject { ["id"] = "seen-in-the-bank" })).Expect(HttpStatusCode.OK);
        (await client.PostAsync($"/v1/executions/{execution}/resume", new JsonObject())).Expect(HttpStatusCode.OK);
        await client.WaitForStatusAsync(execution, "succeeded");
        Assert.Equal(1, (await world.Receiver.CountAsync(Payments.Pay)).Effects); // Paid once in all.
        await Payments.AssertVerifiesAsync(client, execution);
    }

    /// <summary>The alarm stands a few seconds longer than the last refusal, and then ends by itself.</summary>
    private static async Task WaitForCalmAsync(OmiumClient client)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while ((await client.GetAsync("/v1/health-summary"))["alarms"]!.AsArray().Count > 0)
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>Takes what space there is, down to the last byte.</summary>
    private static void Fill(string path)
    {
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        foreach (var size in (int[])[1024 * 1024, 4_096, 1])
        {
            var block = new byte[size];
            try
            {
                while (true)
                {
                    file.Write(block);
                }
            }
            catch (IOException)
            {
                // No room for a block of this size.
            }
        }
    }

    private static async Task<int?> RunOmiumAsync(params string[] arguments)
    {
        await using var command = ChildProcess.Start($"omium {arguments[0]}", arguments);
        return await command.WaitForExitAsync(TimeSpan.FromSeconds(30));
    }

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
